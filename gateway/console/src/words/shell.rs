//! Texts of the frame: navigation, what is on every page, and pages that say why there is no page.

words! {
    /// The frame of every page.
    Shell {
        product: "Veldwacht", "Veldwacht";
        skip: "Naar de inhoud", "Skip to content";
        menu: "Hoofdmenu", "Main menu";
        sections: "Onderdelen", "Sections";
        overview: "Overzicht", "Overview";
        policies: "Beleid", "Policies";
        audit: "Logboek", "Log";
        inzage: "Inzage", "Client access";
        held: "Teksten", "Texts";
        text: "Tekst", "Text";
        signed_in_as: "Aangemeld als", "Signed in as";
        officer: "privacy officer", "privacy officer";
        auditor: "auditor", "auditor";
        beheerder: "beheerder", "operator";
        sign_out: "Afmelden", "Sign out";
        not_found: "Deze pagina is er niet", "There is no such page";
        not_found_help: "Het adres klopt niet, of wat hier stond is er niet meer.", "The address is wrong, or what stood here is gone.";
        refused: "Dat mag niet", "That is not allowed";
        refused_recorded: "Deze weigering staat in het logboek.", "This refusal stands in the log.";
        refused_where: "Waar het om gaat", "What it is about";
        too_large: "Dat is te veel", "That is too much";
        too_large_help: "Een formulier mag ten hoogste 4 MB zijn. Er is niets bewaard.", "A form may hold 4 MB at most. Nothing was kept.";
        broken: "Er ging hier iets mis", "Something went wrong here";
        broken_help: "Er is niets gebeurd. Probeer het opnieuw, of vraag de beheerder.", "Nothing has happened. Try again, or ask the operator.";
        back: "Terug naar het overzicht", "Back to the overview";
        again: "Uw sessie was afgelopen", "Your session had ended";
        again_help: "Er is nog niets verstuurd en niets verloren. Dit hebt u ingevuld; kijk het na en verstuur het opnieuw.", "Nothing was sent and nothing is lost. This is what you filled in; check it and send it again.";
        again_send: "Opnieuw versturen", "Send again";
        gone: "De poort is nu niet bereikbaar. Er is niets verstuurd, en alles wat u hebt ingevuld staat hier nog. Probeer het over een ogenblik opnieuw.", "The gateway cannot be reached now. Nothing was sent, and everything you filled in is still here. Try again in a moment.";
        gone_back: "De poort is er weer. Wat u hebt ingevuld staat hier nog: verstuur het nu.", "The gateway is back. What you filled in is still here: send it now.";
        closed: "Hier komt u niet binnen", "You cannot come in here";
        closed_help: "De console vraagt om een certificaat van een officer, auditor of beheerder. Kies het in uw browser, of vraag de beheerder om een nieuw. Een eenmalige link werkt één keer.", "The console asks for the certificate of an officer, auditor or operator. Choose it in your browser, or ask for a new one. A one-time link works once.";
        left: "U bent afgemeld", "You are signed out";
        left_help: "Sluit de browser als anderen bij dit apparaat kunnen.", "Close the browser if others can reach this device.";
        none: "Geen", "None";
        all: "Alle", "All";
        filter: "Filteren", "Filter";
        older: "Ouder", "Older";
        newest: "Nieuwste", "Newest";
        unknown: "onbekend", "unknown";
        yes: "ja", "yes";
        print: "Afdrukken", "Print";
        as_table: "Dezelfde cijfers als tabel", "The same figures as a table";
        required: "verplicht", "required";
        reason_label: "Reden", "Reason";
        reason_hint: "Komt met uw naam in het logboek te staan.", "Goes into the log, with your name.";
        bsn: "Burgerservicenummer", "Citizen service number (BSN)";
        bsn_hint: "9 cijfers. Het komt niet in het adres en niet in het logboek te staan.", "9 digits. It does not enter the address or the log.";
    }
}
