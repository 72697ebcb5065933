//! Texts of the answer to a client.

words! {
    /// The answer to a client.
    Inzage {
        title: "Inzage voor een cliënt", "Access for a client";
        lead: "Wie heeft wat gekregen, wanneer, waarvoor en op welke grond (AVG artikel 15). De vraag komt met uw naam en reden in het logboek.", "Who got what, when, what for and on which ground (GDPR article 15). The question goes into the log with your name and reason.";
        ask: "Overzicht maken", "Make the overview";
        reason_short: "Vul een reden in van ten minste 10 tekens.", "Fill in a reason of at least 10 characters.";
        answer: "Overzicht van uw gegevens", "Overview of your data";
        answer_lead: "Dit overzicht laat zien welke organisaties gegevens over u hebben gekregen, wanneer, waarvoor en op welke grondslag (AVG artikel 15). Gemaakt op {}.", "This overview shows which organisations received data about you, when, what for and on which ground (GDPR article 15). Made on {}.";
        erased: "Uw gegevens zijn gewist op {}. Wat daarvoor is vastgelegd, is niet meer tot u te herleiden.", "Your data were erased on {}. What was recorded before cannot be tied to you any more.";
        nothing: "Er is niets over u vastgelegd.", "Nothing is recorded about you.";
        sums: "Wie uw gegevens heeft gekregen", "Who received your data";
        sum_got: "Wat, in het geheel", "What, in all";
        sum_times: "Hoe vaak", "How often";
        sum_latest: "Laatst", "Last";
        events: "Wat er is gebeurd, op volgorde", "What happened, in order";
        rights: "Klopt er iets niet?", "Is something wrong?";
        rights_text: "U kunt vragen om gegevens te verbeteren, aan te vullen of te wissen, of om minder te delen (AVG artikel 16 tot en met 18). Vraag het aan de organisatie die u dit overzicht gaf. U kunt ook een klacht indienen bij de Autoriteit Persoonsgegevens.", "You can ask to have data corrected, completed or erased, or to have less shared (GDPR articles 16 to 18). Ask the organisation that gave you this overview. You can also complain to the Dutch data protection authority (Autoriteit Persoonsgegevens).";
        who_got: "Wie wat heeft gekregen", "Who got what";
        not_got: "Niet gekregen", "Not received";
        got: "Gekregen", "Received";
        none: "niets", "nothing";
        everything: "alles", "everything";
        as_sent: "zoals bij het versturen", "as when it was sent";
        another: "Andere cliënt", "Another client";
    }
}
