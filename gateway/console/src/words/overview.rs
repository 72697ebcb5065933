//! Texts of the overview.

words! {
    /// The overview.
    Overview {
        title: "Overzicht", "Overview";
        lead: "Wat er tussen de organisaties gaat, en wat wordt tegengehouden.", "What goes between the organisations, and what is held back.";
        period: "Periode", "Period";
        day: "Vandaag", "Today";
        week: "7 dagen", "7 days";
        month: "30 dagen", "30 days";
        year: "12 maanden", "12 months";
        delivered: "Doorgegeven", "Passed on";
        delivered_unit: "leveringen", "deliveries";
        withheld: "Weggelaten", "Left out";
        of_fields: "van {} velden", "of {} fields";
        returned: "Teruggestuurd", "Sent back";
        returned_unit: "teksten die te veel zeiden", "texts that said too much";
        refused: "Geweigerd", "Refused";
        refused_unit: "verzoeken", "requests";
        flows: "Tussen wie", "Between whom";
        flows_text: "Van afzender (links) naar ontvanger (rechts). Hoe breder de band, hoe meer leveringen.", "From sender (left) to receiver (right). The wider the band, the more deliveries.";
        flows_alt: "Stroomschema van {} organisaties die zenden naar {} die ontvangen; de tabel eronder heeft dezelfde cijfers.", "Flow picture of {} organisations that send to {} that receive; the table below has the same figures.";
        from: "Van", "From";
        to: "Aan", "To";
        nobody: "Niet vastgesteld", "Not established";
        no_receiver: "Geen ontvanger", "No receiver";
        over_time: "In de tijd", "Over time";
        over_time_alt: "Staafdiagram: doorgegeven, teruggestuurd en geweigerd per {}.", "Bar chart: passed on, sent back and refused by {}.";
        hour: "uur", "hour";
        date: "dag", "day";
        moment: "Moment", "When";
        waiting: "Wacht op u", "Waiting for you";
        waiting_none: "Er wacht niets op u.", "Nothing waits for you.";
        waiting_change: "beleidswijziging die u kunt goedkeuren", "policy change that you can approve";
        waiting_own_one: "eigen beleidswijziging onderweg", "policy change of your own on its way";
        waiting_held_one: "vastgehouden tekst om te beslissen", "held text to decide on";
        waiting_changes: "beleidswijzigingen die u kunt goedkeuren", "policy changes that you can approve";
        waiting_own: "eigen beleidswijzigingen onderweg", "policy changes of your own on their way";
        waiting_held: "vastgehouden teksten om te beslissen", "held texts to decide on";
        waiting_looking: "vastgehouden teksten worden nog geteld", "held texts are still being counted";
        in_force: "Geldend beleid", "Policy in force";
        number: "nummer", "number";
        log: "Logboek", "Log";
        records: "records", "records";
        published: "gepubliceerd", "published";
        nothing: "In deze periode ging er niets tussen de organisaties.", "Nothing went between the organisations in this period.";
        fields_passed: "Velden door", "Fields passed";
        fields_withheld: "Velden weggelaten", "Fields left out";
        new_records: "nieuwe records sinds u deze pagina opende", "new records since you opened this page";
        show_them: "Vernieuwen", "Refresh";
    }
}
