//! The words of the domain in both languages: classes, forms, decisions, kinds of records, reasons.
//!
//! Names that the law or the profession has stay Dutch in English too. What a newer gateway may add and is not here yet
//! is shown by its own name.

use ledger::{Decision, Kind, ReleaseStep, StepKind};
use model::{DataClass, Form, Grondslag, Reason};

use super::Language;

/// What a class is called.
pub(crate) fn class(class: DataClass, language: Language) -> &'static str {
    let (nl, en) = match class {
        DataClass::Organisatie => ("Traject", "Traject"),
        DataClass::Persoon => ("Naam en contact", "Name and contact"),
        DataClass::PersoonBsn => ("BSN", "BSN"),
        DataClass::Sociaal => ("Uitkering en huishouden", "Benefits and household"),
        DataClass::SociaalSchulden => ("Schulden", "Debts"),
        DataClass::SociaalHuisvesting => ("Huisvesting", "Housing"),
        DataClass::Arbeid => ("Werk en opleiding", "Work and education"),
        DataClass::Voortgang => ("Voortgang", "Progress"),
        DataClass::FunctioneelBeperking => ("Beperkingen", "Functional limitations"),
        DataClass::FunctioneelUren => ("Belastbaarheid in uren", "Hours"),
        DataClass::FunctioneelAanpassing => ("Aanpassingen", "Adaptations"),
        DataClass::MedischDiagnose => ("Diagnose", "Diagnosis"),
        DataClass::MedischKlacht => ("Klachten", "Complaints"),
        DataClass::MedischBehandeling => ("Behandeling", "Treatment"),
        DataClass::MedischMedicatie => ("Medicatie", "Medication"),
        DataClass::MedischVerslaving => ("Verslaving", "Addiction"),
        DataClass::Strafrechtelijk => ("Politie en justitie", "Police and justice"),
        DataClass::Derden => ("Gezin en derden", "Family and others"),
        DataClass::Overtuiging => ("Overtuiging", "Belief"),
        DataClass::Onderzoek => ("Onderzoek", "Research"),
        DataClass::Tekst => ("Vrije tekst", "Free text"),
    };
    language.pick(nl, en)
}

/// How a form is told in a cell.
pub(crate) fn form(form: Form, language: Language) -> &'static str {
    let (nl, en) = match form {
        Form::Vol => ("volledig", "in full"),
        Form::Jaar => ("alleen jaar", "year only"),
        Form::Leeftijdsband => ("leeftijdsgroep", "age band"),
        Form::Postcode4 => ("postcode: cijfers", "postcode: digits"),
        Form::Urenband => ("groep van uren", "band of hours"),
        Form::JaNee => ("alleen ja of nee", "yes or no only"),
        Form::Pseudoniem => ("pseudoniem", "pseudonym"),
    };
    language.pick(nl, en)
}

/// What was decided.
pub(crate) fn decision(decision: Decision, language: Language) -> &'static str {
    let (nl, en) = match decision {
        Decision::Delivered => ("doorgegeven", "passed on"),
        Decision::Returned => ("teruggestuurd", "sent back"),
        Decision::Refused => ("geweigerd", "refused"),
    };
    language.pick(nl, en)
}

/// What a legal ground is called.
pub(crate) fn ground(ground: Grondslag, language: Language) -> &'static str {
    let (nl, en) = match ground {
        Grondslag::WettelijkeTaak => ("wettelijke taak", "legal task"),
        Grondslag::Toestemming => ("toestemming", "consent"),
        Grondslag::Overeenkomst => ("overeenkomst", "agreement"),
        Grondslag::VitaalBelang => ("vitaal belang", "vital interest"),
    };
    language.pick(nl, en)
}

/// What happened, by the name of the kind of record.
pub(crate) fn kind(kind: Kind, language: Language) -> &'static str {
    let (nl, en) = match kind.name() {
        "sent" => ("verzonden", "sent"),
        "handed_out" => ("opgehaald", "collected"),
        "acknowledged" => ("ontvangst bevestigd", "receipt confirmed"),
        "refused" => ("geweigerd", "refused"),
        "expired" => ("verlopen", "expired"),
        "ask" => ("opgevraagd", "asked"),
        "consent" => ("toestemming", "consent"),
        "erased" => ("gewist", "erased"),
        "bundle" => ("beleid", "policy"),
        "change" => ("beleidswijziging", "policy change"),
        "access" => ("ingezien", "looked into"),
        "release" => ("vrijgave van tekst", "release of a text"),
        "escape" => ("noodgeval", "emergency"),
        "traject" => ("fase van een traject", "phase of a traject"),
        name => (name, name),
    };
    language.pick(nl, en)
}

/// The phase of a traject from a moment on; none when it ended.
pub(crate) fn phase(phase: Option<u8>, language: Language) -> String {
    phase.map_or_else(
        || language.pick("beëindigd", "ended").to_owned(),
        |phase| format!("{} {phase}", language.pick("fase", "phase")),
    )
}

/// A step in the life of a change of policy.
pub(crate) fn step(step: StepKind, language: Language) -> &'static str {
    let (nl, en) = match step {
        StepKind::Propose => ("voorgesteld", "proposed"),
        StepKind::Simulate => ("uitgeprobeerd", "tried"),
        StepKind::Approve => ("goedgekeurd", "approved"),
        StepKind::Reject => ("afgewezen", "rejected"),
        StepKind::Activate => ("in gebruik nemen", "put in force"),
        StepKind::Rollback => ("voorgesteld terug te gaan", "proposed to go back"),
    };
    language.pick(nl, en)
}

/// What an officer decided on a held text: a mark and a word.
pub(crate) fn release_step(step: ReleaseStep, language: Language) -> (&'static str, &'static str) {
    let (mark, nl, en) = match step {
        ReleaseStep::Proposed => ("mind", "voorgesteld", "proposed"),
        ReleaseStep::Released => ("pass", "vrijgegeven", "released"),
        ReleaseStep::Refused => ("stop", "blijft vastgehouden", "stays held"),
    };
    (mark, language.pick(nl, en))
}

/// What someone looked at, by its name in the log.
pub(crate) fn look(what: &str, language: Language) -> String {
    let (nl, en) = match what {
        "search" => ("gezocht", "searched"),
        "record" => ("een record", "a record"),
        "inzage" => ("inzage voor een cliënt", "access for a client"),
        "receivers" => ("wie een fout gegeven heeft", "who has a value that was wrong"),
        "sample" => ("een steekproef", "a sample"),
        "held-text" => ("een vastgehouden tekst", "a held text"),
        "escapes" => ("noodgevallen", "emergencies"),
        "past-texts" => {
            ("wat een andere woordenlijst had tegengehouden", "what another lexicon would have stopped")
        }
        what => match what.strip_prefix("export-") {
            Some(form) => return format!("export {}", form.to_uppercase()),
            None => return what.replace(['-', '_'], " "),
        },
    };
    language.pick(nl, en).to_owned()
}

/// Why not, in a sentence.
pub(crate) fn reason(reason: Reason, language: Language) -> &'static str {
    if language == Language::En {
        return reason.advice();
    }
    match reason.name() {
        "CERTIFICATE_REFUSED" => "het certificaat wordt niet aanvaard; vernieuw het",
        "ORGANISATION_UNKNOWN" => "er is hier geen organisatie met dit OIN; laat haar inschrijven",
        "ASSERTION_INVALID" => {
            "de rolverklaring klopt niet; onderteken een nieuwe met een ingeschreven sleutel"
        }
        "ASSERTION_EXPIRED" => {
            "de rolverklaring is verlopen of nog niet geldig; maak een nieuwe van hooguit 5 minuten"
        }
        "ASSERTION_REPLAYED" => "deze rolverklaring is al gebruikt; geef elke oproep een eigen",
        "ASSERTION_NOT_BOUND" => "de rolverklaring hoort bij een ander certificaat",
        "ROLE_NOT_ALLOWED" => "deze rol mag dit niet",
        "ROLE_REQUIRED" => "zonder rolverklaring mag een systeem dit niet",
        "TYPE_UNKNOWN" => "geen contract kent dit soort bericht",
        "CLIENT_INVALID" => "het BSN heeft geen 9 cijfers die de elfproef doorstaan",
        "CLIENT_MISMATCH" => "het BSN in het document is niet dat van de aanvraag",
        "RECEIVER_UNKNOWN" => "een ontvanger is niet ingeschreven met dit OIN en deze rol",
        "PURPOSE_UNKNOWN" => "geen uitwisseling heeft dit doel",
        "EXCHANGE_ID_INVALID" => "het kenmerk van de uitwisseling is geen UUIDv7",
        "EXCHANGE_ID_REUSED" => "dit kenmerk is voor een ander document gebruikt",
        "DOCUMENT_TOO_LARGE" => "het document is te groot",
        "DOCUMENT_MALFORMED" => "het document is geen geldig bericht van zijn soort",
        "REQUEST_INVALID" => "er ontbreekt iets aan de aanvraag, of iets is niet goed ingevuld",
        "DESCRIPTOR_NOT_BELIEVED" => "een eigen contract van een afzender wordt nooit gebruikt",
        "NOT_FOUND" => "dit is er hier voor u niet",
        "EXCHANGE_NOT_DECLARED" => {
            "geen uitwisseling staat dit toe van uw rol aan deze ontvanger voor dit doel"
        }
        "NOTHING_MAY_PASS" => "het beleid laat niets van dit document door naar deze ontvanger",
        "CONSENT_MISSING" => "er is toestemming van de cliënt nodig, en die is er niet",
        "CONSENT_WITHDRAWN" => "de cliënt heeft de toestemming ingetrokken; wat nog wachtte, gaat niet weg",
        "EMERGENCY_NOT_ALLOWED" => "deze uitwisseling kent geen spoed",
        "TRAJECT_NOT_ACTIVE" => "uw organisatie heeft geen lopend traject met deze cliënt",
        "PHASE_NOT_FITTING" => {
            "deze uitwisseling past niet bij de fase van het traject; geef de fase door als die anders is"
        }
        "TRAJECT_NOT_YOURS" => {
            "alleen wie het beleid noemt en aan het traject meedoet, geeft de fase ervan door"
        }
        "TEXT_HELD_BACK" => {
            "een tekst zegt meer dan de ontvanger mag weten; schrijf wat de cliënt wel en niet kan"
        }
        "TEXT_UNSCREENABLE" => {
            "een tekst kan niet worden nagekeken; schrijf in het Nederlands, als gewone tekst"
        }
        "EXPIRED" => "het bericht is niet op tijd opgehaald",
        "ERASED" => "de cliënt is gewist; er is niets meer",
        "RETENTION_DUTY" => "een bewaarplicht verbiedt het wissen nog",
        "BUNDLE_REFUSED" => {
            "het beleid wordt niet aangenomen; hieronder staat waarom, en het geldende gaat door"
        }
        "OWN_CHANGE" => "wie een wijziging maakt, keurt haar niet zelf goed; vraag een ander",
        "APPROVED_BEFORE" => "u hebt deze wijziging al goedgekeurd; een ander moet het ook doen",
        "OTHER_DIFFERENCE" => {
            "wat is goedgekeurd, is niet wat deze wijziging betekent; bekijk het verschil opnieuw"
        }
        "NOT_SIMULATED" => "probeer de wijziging eerst uit, op een document of op wat al is uitgewisseld",
        "TOO_FEW_APPROVERS" => {
            "een verruiming vraagt twee goedkeurders en een versmalling één; het zijn er te weinig"
        }
        "RUNS_SOMETHING_ELSE" => {
            "het beleid dat geldt is niet waarmee deze wijziging is vergeleken; stel haar opnieuw voor"
        }
        "CHANGE_OVER" => "de wijziging is in gebruik genomen of afgewezen; stel een nieuwe voor",
        "NUMBER_NOT_HIGHER" => "het nummer van het beleid is niet hoger dan het hoogste tot nu toe",
        "NOT_WHAT_WAS" => {
            "dit beleid betekent niet wat er eerder gold; teruggaan is oude inhoud opnieuw uitgeven"
        }
        "DEADLINE_EXCEEDED" => {
            "de tijd was om voordat er iets was gedaan; probeer het opnieuw en wacht langer"
        }
        "RELEASE_NOT_ALLOWED" => {
            "geen officer mag dit aan deze ontvanger vrijgeven; de afzender moet het anders zeggen"
        }
        "FOUR_EYES" => "een vrijgave vraagt twee officers; een ander moet haar bevestigen",
        "WITHHELD_ELSEWHERE" => {
            "de poort van de bronorganisatie liet iets door dat hier niet mag komen; haar beheerder moet kijken"
        }
        "BUSY" => "de poort heeft het druk; probeer het straks opnieuw",
        "LOG_UNAVAILABLE" => {
            "er kan niet in het logboek worden geschreven, dus gebeurt er niets; probeer het later"
        }
        "UPSTREAM_UNAVAILABLE" => "de dienst van de bronorganisatie antwoordt niet; probeer het later",
        "UPSTREAM_INVALID" => "de dienst van de bronorganisatie antwoordt iets dat niet haar contract is",
        _ => reason.advice(),
    }
}
