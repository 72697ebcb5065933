//! The words of an inzage: what a client reads, in plain Dutch.
//!
//! Owns: a sentence for every kind of record, and a name for every class, form and ground; no code where there is a
//! word for it.

use model::{Consent, DataClass, Form, Grondslag};

use super::Organisation;
use crate::leaf::{Act, ConsentChange, ConsentKind, Decision, Event, Leaf, Party};

/// What happened, in Dutch and in English.
pub(super) fn sentences(leaf: &Leaf, known: &impl Fn(&Party) -> Organisation) -> (String, String) {
    let (nl, en) = match &leaf.event {
        Event::Consent(change) => return consent(change, &organisation(&known(&change.receiver))),
        Event::Release(release) => return released(&organisation(&known(&release.to))),
        Event::Traject(change) => return traject(change.phase),
        Event::Sent(_) => ("Er is een bericht over u verstuurd.", "A message about you was sent."),
        Event::HandedOut(_) => ("Een bericht over u is opgehaald.", "A message about you was collected."),
        Event::Acknowledged(_) => (
            "De ontvangst van een bericht over u is bevestigd.",
            "The receipt of a message about you was confirmed.",
        ),
        Event::Refused(_) => (
            "Een verzoek over u is geweigerd. Er zijn geen gegevens doorgegeven.",
            "A request about you was refused. No data were passed on.",
        ),
        Event::Expired(_) => (
            "Een bericht over u is niet op tijd opgehaald en is verwijderd.",
            "A message about you was not collected in time and was removed.",
        ),
        Event::Ask(_) => ("Er zijn gegevens over u opgevraagd.", "Data about you were asked for."),
        Event::Erased(erasure) if erasure.reason.is_some() => (
            "Uw verzoek om gegevens te wissen is afgewezen, omdat een bewaarplicht geldt.",
            "Your request to erase data was declined, because they have to be kept by law.",
        ),
        Event::Erased(_) => ("Uw gegevens zijn gewist.", "Your data were erased."),
        Event::Bundle(change) => match change.act {
            Act::Activated => {
                ("Er geldt een nieuwe versie van het beleid.", "A new version of the policy holds.")
            }
            Act::RolledBack => (
                "Een eerdere versie van het beleid geldt weer.",
                "An earlier version of the policy holds again.",
            ),
            Act::Refused => (
                "Een nieuwe versie van het beleid is niet in gebruik genomen.",
                "A new version of the policy was not put in force.",
            ),
        },
        Event::Change(_) => {
            ("Aan een wijziging van het beleid is gewerkt.", "A change of the policy was worked on.")
        }
        Event::Escape(_) => (
            "Er is een noodgeval gemeld; daarvoor is even niet op toestemming gewacht.",
            "An emergency was called; for that, consent was not waited for.",
        ),
        Event::Access(_) => ("Het logboek over u is ingezien.", "The log about you was looked into."),
    };
    (nl.to_owned(), en.to_owned())
}

fn consent(change: &ConsentChange, receiver: &str) -> (String, String) {
    let (nl, en) = match change.state {
        Consent::Verleend => ("U hebt toestemming gegeven", "You gave consent"),
        Consent::Geweigerd => {
            ("U hebt toestemming geweigerd of ingetrokken", "You refused or withdrew consent")
        }
        Consent::Onbekend => ("Uw toestemming is vervallen", "Your consent has lapsed"),
    };
    let (voor, to) = match change.kind {
        ConsentKind::Beroepsgeheim => {
            ("het doorbreken van het medisch beroepsgeheim", "break medical professional secrecy")
        }
        ConsentKind::Gezondheidsgegevens => ("het verwerken van gezondheidsgegevens", "process health data"),
    };
    (format!("{nl} voor {voor}, voor {receiver}."), format!("{en} to {to}, for {receiver}."))
}

fn traject(phase: Option<u8>) -> (String, String) {
    match phase {
        Some(phase) => (
            format!("Er is doorgegeven dat uw traject in fase {phase} is."),
            format!("It was stated that your traject is in phase {phase}."),
        ),
        None => (
            "Er is doorgegeven dat uw traject is afgelopen.".to_owned(),
            "It was stated that your traject has ended.".to_owned(),
        ),
    }
}

fn released(to: &str) -> (String, String) {
    (
        format!("Een tegengehouden tekst is na controle vrijgegeven voor {to}."),
        format!("A text that was held back was released, after a check, for {to}."),
    )
}

/// `Gemeente Delft (klantmanager)`, or the number where the name is not known.
pub(super) fn organisation(organisation: &Organisation) -> String {
    let name = organisation.name.as_deref().unwrap_or(organisation.oin.as_str());
    format!("{name} ({})", plain(organisation.role.as_str()))
}

pub(super) fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Delivered => "doorgegeven",
        Decision::Returned => "teruggestuurd naar de afzender",
        Decision::Refused => "geweigerd",
    }
}

pub(super) fn grondslag(grondslag: Grondslag) -> &'static str {
    match grondslag {
        Grondslag::WettelijkeTaak => "wettelijke taak",
        Grondslag::Toestemming => "toestemming",
        Grondslag::Overeenkomst => "overeenkomst",
        Grondslag::VitaalBelang => "vitaal belang",
    }
}

pub(super) fn form(form: Form) -> &'static str {
    match form {
        Form::Vol => "volledig",
        Form::Jaar => "alleen het jaar",
        Form::Leeftijdsband => "alleen een leeftijdsgroep",
        Form::Postcode4 => "alleen de cijfers van de postcode",
        Form::Urenband => "alleen ongeveer hoeveel uur",
        Form::JaNee => "alleen ja of nee",
        Form::Pseudoniem => "onder een pseudoniem",
    }
}

pub(super) fn class(class: Option<DataClass>) -> &'static str {
    let Some(class) = class else { return "niet-ingedeelde gegevens" };
    match class {
        DataClass::Organisatie => "gegevens over het traject",
        DataClass::Persoon => "naam en contactgegevens",
        DataClass::PersoonBsn => "burgerservicenummer",
        DataClass::Sociaal => "uitkering en huishouden",
        DataClass::SociaalSchulden => "schulden",
        DataClass::SociaalHuisvesting => "huisvesting",
        DataClass::Arbeid => "werk en opleiding",
        DataClass::Voortgang => "voortgang van het traject",
        DataClass::FunctioneelBeperking => "wat u wel en niet kunt",
        DataClass::FunctioneelUren => "hoeveel uur u kunt werken",
        DataClass::FunctioneelAanpassing => "aanpassingen die u nodig hebt",
        DataClass::MedischDiagnose => "diagnose",
        DataClass::MedischKlacht => "klachten",
        DataClass::MedischBehandeling => "behandeling",
        DataClass::MedischMedicatie => "medicijnen",
        DataClass::MedischVerslaving => "middelengebruik",
        DataClass::Strafrechtelijk => "politie en justitie",
        DataClass::Derden => "kinderen, partner en familie",
        DataClass::Overtuiging => "geloof of overtuiging",
        DataClass::Onderzoek => "deelname aan onderzoek",
        DataClass::Tekst => "vrije tekst",
    }
}

/// A name of the bundle as words: `re-integratie` stays, `wet_suwi` becomes `wet suwi`.
pub(super) fn plain(name: &str) -> String {
    name.replace(['_', '.'], " ")
}
