//! Texts of what is held: the queue, a text, a decision.

use super::Language;

words! {
    /// Held texts.
    Held {
        title: "Vastgehouden teksten", "Held texts";
        lead: "Deze teksten zeggen meer dan hun ontvanger mag weten; de afzender vroeg ze vast te houden. Twee officers kunnen er samen een vrijgeven. Een tekst openen is een handeling: ze staat met uw naam in het logboek.", "These texts say more than their receiver may know; the sender asked to hold them. Two officers together can release one. Opening a text is an act: it stands in the log with your name.";
        none: "Er wordt niets vastgehouden.", "Nothing is held.";
        looking: "De poort is net gestart en kijkt het logboek nog na op vastgehouden teksten.", "The gateway has just started and still looks through the log for held texts.";
        sent: "Verzonden", "Sent";
        found: "Gevonden", "Found";
        state: "Stand", "State";
        state_waiting: "wacht op een voorstel", "waits for a proposal";
        state_proposed: "vrijgave voorgesteld door {}", "release proposed by {}";
        state_released: "vrijgegeven", "released";
        state_refused: "blijft vastgehouden", "stays held";
        expires: "Vervalt", "Expires";
        open: "Openen", "Open";
        decided: "Beslist", "Decided";
        one: "Vastgehouden tekst", "Held text";
        recorded: "Dat u deze tekst hebt geopend, staat in het logboek.", "That you opened this text stands in the log.";
        no_text: "Onder de regels van nu wordt in deze tekst niets meer gevonden: bij het ophalen gaat ze gewoon door.", "Under the rules of now nothing is found in it any more: it will simply pass when it is collected.";
        decide: "Beslissen", "Decide";
        propose: "Vrijgave voorstellen", "Propose a release";
        propose_help: "Een andere officer moet haar bevestigen; pas dan kan de ontvanger de tekst ophalen.", "Another officer has to confirm it; only then can the receiver collect the text.";
        confirm: "Vrijgave bevestigen", "Confirm the release";
        confirm_help: "Na uw bevestiging kan de ontvanger deze tekst ophalen, zoals ze hier staat.", "After your confirmation the receiver can collect this text, as it stands here.";
        refuse: "Vastgehouden laten", "Keep it held";
        refuse_help: "Voorgoed: de ontvanger krijgt deze tekst niet. De afzender kan een andere sturen.", "For good: the receiver does not get this text. The sender can send another one.";
        proposed_by: "Vrijgave voorgesteld door", "Release proposed by";
        own: "U hebt deze vrijgave zelf voorgesteld: een andere officer bevestigt haar.", "You proposed this release yourself: another officer confirms it.";
        never: "Niemand kan dit vrijgeven: een werkgever krijgt nooit iets medisch of over iemands omstandigheden. De afzender moet het anders zeggen.", "Nobody can release this: an employer never gets anything medical or about someone's circumstances. The sender has to say it otherwise.";
        ground: "Reden", "Reason";
        said_proposed: "De vrijgave is voorgesteld. Een andere officer moet haar bevestigen.", "The release is proposed. Another officer has to confirm it.";
        said_released: "De tekst is vrijgegeven: de ontvanger kan haar ophalen.", "The text is released: its receiver can collect it.";
        said_refused: "De tekst blijft vastgehouden.", "The text stays held.";
        back: "Terug naar de lijst", "Back to the list";
    }
}

/// Why a text was released or kept, in words; a code that another door gave is shown as it is.
pub(crate) fn release_ground(code: &str, language: Language) -> String {
    let (nl, en) = match code {
        "vals-alarm" => ("vals alarm: de tekst zegt dit niet", "false alarm: the text does not say this"),
        "nodig-voor-het-doel" => (
            "de ontvanger mag en moet dit weten voor het doel",
            "the receiver may and must know this for the purpose",
        ),
        "client-wil-dit" => {
            ("de cliënt wil uitdrukkelijk dat dit wordt gedeeld", "the client expressly wants this shared")
        }
        "bijzonder-gegeven" => {
            ("het is een bijzonder persoonsgegeven", "it is a special category of personal data")
        }
        "afzender-herschrijft" => ("de afzender schrijft het opnieuw", "the sender writes it anew"),
        "niet-nodig" => ("de ontvanger heeft dit niet nodig", "the receiver does not need this"),
        code => (code, code),
    };
    language.pick(nl, en).to_owned()
}
