//! What the shipped bundle promises, shown on the shipped documents: through the public API alone, on real bytes.
//!
//! The bundle's own proof runs in the crate; here every declared route is walked again from outside, with every
//! state of consent and emergency, without asking Cedar or a rule what it meant.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; clippy knows only the tests themselves"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use fields::{Account, PseudonymKey};
use model::{ClassSet, Consent, Consents, DataClass, FieldKind, Form, MessageType, Oin, Reason};
use policy::{Compiled, Exchange, Files, Functie, Proven, Situation, Trust};
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};

static SHIPPED: LazyLock<Proven> =
    LazyLock::new(|| Proven::load(&files(), &Trust::Draft).unwrap_or_else(|error| panic!("{error}")));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files() -> Files {
    let mut files = Files::new();
    add(&mut files, &root().join("policies"), "", |_| true);
    add(&mut files, &root().join("proto"), "contracts/", |name| name.ends_with(".proto"));
    files
}

fn add(files: &mut Files, folder: &Path, prefix: &str, wanted: fn(&str) -> bool) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            add(files, &path, &format!("{name}/"), wanted);
        } else if wanted(&name) {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
}

/// Somebody of this functie.
fn oin(functie: &Functie) -> Oin {
    SHIPPED.organisations().find(|organisation| organisation.kind == functie.kind).unwrap().oin
}

/// One route in one state of consent and emergency, in which something passes.
struct Passage {
    exchange: Arc<Exchange>,
    to: Functie,
    consents: Consents,
    compiled: Arc<Compiled>,
}

impl Passage {
    fn is(&self, exchange: &str, to: &str) -> bool {
        &*self.exchange.id == exchange && self.to.to_string() == to
    }

    /// What arrives of a document.
    fn filter(&self, bytes: &[u8]) -> Vec<u8> {
        let key = PseudonymKey::for_receiver(&[7; 32], &oin(&self.to));
        let mut output = Vec::new();
        self.compiled.plan.filter(bytes, &key, &mut output, &mut Account::new()).unwrap();
        output
    }

    /// The paths of the fields that pass.
    fn passed(&self) -> BTreeSet<String> {
        let cells = self.compiled.cells.iter().filter(|cell| cell.form.is_some());
        cells.map(|cell| cell.path.to_string()).collect()
    }
}

fn passages() -> Vec<Passage> {
    let mut passages = Vec::new();
    for exchange in SHIPPED.exchanges() {
        for (from, to) in exchange.from.iter().flat_map(|from| exchange.to.iter().map(move |to| (from, to))) {
            for (consents, spoed) in states() {
                let situation = Situation {
                    message: exchange.message.clone(),
                    sender: (oin(from), from.role.clone()),
                    receiver: (oin(to), to.role.clone()),
                    purpose: exchange.purpose.clone(),
                    consents,
                    spoed,
                };
                if let Ok(compiled) = SHIPPED.compiled(&situation) {
                    passages.push(Passage { exchange: exchange.clone(), to: to.clone(), consents, compiled });
                }
            }
        }
    }
    passages
}

fn states() -> Vec<(Consents, bool)> {
    let mut states = Vec::new();
    for &beroepsgeheim in Consent::ALL {
        for &gezondheidsgegevens in Consent::ALL {
            let consents = Consents { beroepsgeheim, gezondheidsgegevens };
            states.extend([(consents, false), (consents, true)]);
        }
    }
    states
}

/// Reads a document as this message.
fn read(text: &str, message: &MessageType) -> Option<Vec<u8>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let document = DynamicMessage::deserialize(SHIPPED.message(message).unwrap(), &mut json).ok()?;
    Some(document.encode_to_vec())
}

fn documents() -> PathBuf {
    root().join("tests/data/documents")
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn every_exchange_of_the_work_is_declared_and_tested() {
    let ids: BTreeSet<String> =
        SHIPPED.exchanges().map(|exchange| exchange.id.split('-').next().unwrap().to_owned()).collect();
    let missing: Vec<String> =
        (1..=25).map(|number| format!("X{number:02}")).filter(|id| !ids.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");

    let trial = policy::run_tests(&SHIPPED, &files()).unwrap();
    let failed: Vec<_> = trial.tests.iter().filter(|test| !test.failures.is_empty()).collect();
    assert!(trial.passed(), "untested {:?}, failed {failed:#?}", trial.untested);
}

#[test]
fn every_field_of_every_contract_has_a_class() {
    assert_eq!(SHIPPED.report().unclassified, Vec::<String>::new());
}

#[test]
fn a_diagnosis_never_reaches_a_coach() {
    let planted = [
        "F32.1",
        "Depressieve",
        "Slaapt slecht",
        "gedragstherapie",
        "Waterkant",
        "Hulsman",
        "Sertraline",
        "N06AB06",
        "Alcohol",
        "sertraline",
        "mantelzorg",
    ];
    let others = ["rib:coach", "uwv:arbeidsdeskundige", "gemeente:klantmanager"];
    let text = std::fs::read_to_string(documents().join("M1-medisch-verslag.json")).unwrap();
    let mut tried = 0;
    for passage in passages().iter().filter(|passage| &*passage.exchange.id == "M1") {
        let document = read(&text, &passage.exchange.message).unwrap();
        assert!(planted.iter().all(|word| holds(&document, word)), "the document really says it");
        let arrived = passage.filter(&document);
        assert!(holds(&arrived, "van Rossem"), "something arrives: {}", passage.to);
        if others.contains(&passage.to.to_string().as_str()) {
            tried += 1;
            let leaked: Vec<_> = planted.iter().filter(|word| holds(&arrived, word)).collect();
            assert!(leaked.is_empty(), "{} reads {leaked:?}", passage.to);
        } else {
            assert!(holds(&arrived, "F32.1"), "an arts reads the diagnosis");
            assert!(!holds(&arrived, "mantelzorg"), "nobody reads about others");
        }
    }
    assert_eq!(tried, 6, "two senders, three receivers, one state of consent");
}

#[test]
fn nothing_medical_passes_outside_the_medical_roles_or_without_both_consents() {
    let artsen = ["uwv:verzekeringsarts", "ggz:behandelaar"];
    for passage in passages() {
        let is_arts = artsen.contains(&passage.to.to_string().as_str());
        if is_arts && passage.consents == Consents::both(Consent::Verleend) {
            continue;
        }
        let mut passed = passage.compiled.cells.iter().filter(|cell| cell.form.is_some());
        let medical =
            passed.any(|cell| cell.class.into_iter().chain(cell.subject).any(DataClass::is_medical));
        assert!(!medical, "{} → {}", passage.exchange.id, passage.to);
    }
}

#[test]
fn every_text_that_leaves_the_medical_roles_is_screened_for_all_that_is_medical() {
    let mut texts = 0;
    for passage in passages().iter().filter(|passage| passage.to.role.as_str() != "verzekeringsarts") {
        let mut passed = passage.compiled.cells.iter().filter(|cell| cell.form.is_some());
        if passed.any(|cell| cell.kind == FieldKind::Tekst) && !passage.is("M1", "ggz:behandelaar") {
            texts += 1;
            let against = passage.compiled.screen_against;
            let all = ClassSet::within("medisch").iter().all(|class| against.contains(class));
            assert!(all, "{} → {}", passage.exchange.id, passage.to);
        }
    }
    assert!(texts > 0);
}

/// A string that is no text passes as it is. So that nobody adds one without a thought, all of them stand here: names, an
/// address, codes and references.
#[test]
fn the_strings_that_pass_unscreened_are_names_codes_and_references() {
    let mut unscreened = BTreeSet::new();
    for passage in passages().iter().filter(|passage| passage.to.role.as_str() != "verzekeringsarts") {
        let message = SHIPPED.message(&passage.exchange.message).unwrap();
        let cells = passage.compiled.cells.iter();
        let plain = cells.filter(|cell| cell.form.is_some() && cell.kind == FieldKind::Waarde);
        let strings = plain.filter(|cell| kind_at(&message, cell.path.as_str()) == Kind::String);
        let others = strings.filter(|cell| !cell.class.is_some_and(DataClass::is_medical));
        unscreened.extend(others.map(|cell| {
            let name = cell.path.as_str().rsplit('.').next().unwrap();
            format!("{}.{name}", cell.message.as_str().trim_start_matches("werkfit.v1."))
        }));
    }
    let expected = [
        "BeschikbarePlaatsing.kenmerk",
        "Client.achternaam",
        "Client.voornaam",
        "Contact.adres",
        "Contact.e_mail",
        "Contact.telefoon",
        "Contact.woonplaats",
        "FmlItem.code",
        "Kandidaat.achternaam",
        "Kandidaat.telefoon",
        "Kandidaat.voornaam",
        "KandidaatProfiel.kenmerk",
        "Randomisatie.onderzoekspseudoniem",
        "Resultaten.kwartaal",
        "Schoolverlater.schooljaar",
        "Toestemming.doel",
        "Toestemming.handtekening_sha256",
        "Toestemming.ontvanger_oin",
        "Toestemming.ontvanger_rol",
        "Traject.kenmerk",
    ];
    assert_eq!(unscreened.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn what_arrives_does_not_depend_on_who_sent_it() {
    let mut first = BTreeMap::new();
    for passage in passages() {
        let Consents { beroepsgeheim, gezondheidsgegevens } = passage.consents;
        let key = (passage.exchange.id.clone(), passage.to.clone(), beroepsgeheim, gezondheidsgegevens);
        let passed = passage.passed();
        assert_eq!(first.entry(key).or_insert_with(|| passed.clone()), &passed, "{}", passage.exchange.id);
    }
}

#[test]
fn a_bsn_never_reaches_an_employer_a_school_or_a_researcher() {
    let never = ["werkgever", "school", "onderzoeker", "schuldhulp", "sociaal_werkbedrijf"];
    let passages = passages();
    let mut tried = BTreeSet::new();
    for passage in passages.iter().filter(|passage| never.contains(&passage.to.kind.as_str())) {
        tried.insert(passage.to.kind.as_str());
        let mut passed = passage.compiled.cells.iter().filter(|cell| cell.form.is_some());
        let reaches = passed.any(|cell| cell.class == Some(DataClass::PersoonBsn));
        assert!(!reaches, "{} → {}", passage.exchange.id, passage.to);
    }
    assert_eq!(tried.len(), 4, "a school only sends");
}

#[test]
fn an_employer_gets_no_string_but_the_name_that_the_client_released() {
    let released = ["kandidaat.voornaam", "kandidaat.achternaam", "kandidaat.telefoon"];
    let mut names = 0;
    for passage in passages().iter().filter(|passage| passage.to.kind.as_str() == "werkgever") {
        let message = SHIPPED.message(&passage.exchange.message).unwrap();
        for path in passage.passed().iter().filter(|path| kind_at(&message, path) == Kind::String) {
            assert!(released.contains(&path.as_str()), "{} {path}", passage.exchange.id);
            assert_eq!(passage.consents.gezondheidsgegevens, Consent::Verleend, "the client released it");
            names += 1;
        }
    }
    assert!(names > 0, "after release the employer knows who comes");
}

fn kind_at(message: &MessageDescriptor, path: &str) -> Kind {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let kind = message.get_field_by_name(first).unwrap().kind();
    match (rest, kind.as_message()) {
        (Some(rest), Some(inner)) => kind_at(inner, rest),
        _ => kind,
    }
}

#[test]
fn whoever_looks_for_places_gets_the_least_of_a_werkplan() {
    let passages = passages();
    let passed = |functie| passages.iter().find(|passage| passage.is("X08", functie)).unwrap().passed();
    let least = passed("rib:jobcreator");
    assert!(least.contains("doel.beroep_isco") && least.contains("urenbeperking.uren_per_week"));
    assert!(!least.iter().any(|path| path.starts_with("client")), "it is not told who");
    for member in ["gemeente:klantmanager", "uwv:arbeidsdeskundige", "ggz:behandelaar"] {
        assert!(least.len() < passed(member).len(), "{member}");
    }
}

#[test]
fn a_klantmanager_gets_hours_in_bands_where_uwv_gets_them_exactly() {
    let passages = passages();
    let forms = |functie| {
        let passage = passages.iter().find(|passage| passage.is("M1", functie)).unwrap();
        let uren = passage.compiled.cells.iter().filter(|cell| cell.kind == FieldKind::Uren);
        uren.filter_map(|cell| cell.form).collect::<BTreeSet<_>>()
    };
    assert_eq!(forms("gemeente:klantmanager"), BTreeSet::from([Form::Urenband]));
    assert_eq!(forms("uwv:arbeidsdeskundige"), BTreeSet::from([Form::Vol]));
}

#[test]
fn documents_about_no_one_have_no_room_for_a_person() {
    let impersonal = ["X04", "X04-arm", "X16", "X25"];
    let passages = passages();
    let about_no_one = passages.iter().filter(|passage| impersonal.contains(&&*passage.exchange.id));
    for passage in about_no_one {
        let mut classes = passage.compiled.cells.iter().filter_map(|cell| cell.class);
        assert!(!classes.any(|class| class.is_within("persoon")), "{}", passage.exchange.id);
    }
}

#[test]
fn the_bsn_stands_in_one_place() {
    for passage in passages() {
        for cell in passage.compiled.cells.iter().filter(|cell| cell.class == Some(DataClass::PersoonBsn)) {
            assert_eq!(cell.path.as_str(), "client.bsn", "{}", passage.exchange.id);
            assert_eq!((cell.number, cell.kind), (1, FieldKind::Identificatie));
        }
    }
}

#[test]
fn every_exchange_has_a_document_that_its_contract_reads() {
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(documents()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let id = name.split('-').next().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut of_it =
            SHIPPED.exchanges().filter(|exchange| exchange.id.split('-').next() == Some(id.as_str()));
        assert!(of_it.any(|exchange| read(&text, &exchange.message).is_some()), "{name}");
        seen.insert(id);
    }
    assert_eq!(seen.len(), 26, "M1 and X01 to X25");
}

#[test]
fn a_withdrawn_consent_is_told_from_a_missing_one() {
    let ask = |consents| {
        let situation = Situation {
            message: "werkfit.v1.Afstemming".parse().unwrap(),
            sender: ("00000099000000003000".parse().unwrap(), "behandelaar".parse().unwrap()),
            receiver: ("00000099000000004000".parse().unwrap(), "coach".parse().unwrap()),
            purpose: "afstemming".parse().unwrap(),
            consents,
            spoed: false,
        };
        SHIPPED.compiled(&situation).map(|compiled| compiled.exchange.id.to_string()).map_err(|no| no.reason)
    };
    assert_eq!(ask(Consents::both(Consent::Verleend)).as_deref(), Ok("X10-antwoord"));
    assert_eq!(ask(Consents::both(Consent::Onbekend)), Err(Reason::ConsentMissing));
    assert_eq!(ask(Consents::both(Consent::Geweigerd)), Err(Reason::ConsentWithdrawn));
}
