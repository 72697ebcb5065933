//! A bundle small enough to see through: an insurance physician, a case manager, a coach, an employer.

use model::{Consent, Consents};

use crate::{Files, Proven, Situation, Trust};

pub(crate) const UWV: &str = "00000099000000002000";
pub(crate) const GEMEENTE: &str = "00000099000000001000";
pub(crate) const RIB: &str = "00000099000000003000";
pub(crate) const WERKGEVER: &str = "00000099000000004000";

const ORGANISATIONS: &str = r#"
[[role]]
id = "medisch"
nl = "medisch"
en = "medical"
[[role]]
id = "verzekeringsarts"
in = ["medisch"]
nl = "verzekeringsarts"
en = "insurance physician"
[[role]]
id = "arbeidsdeskundige"
nl = "arbeidsdeskundige"
en = "labour expert"
[[role]]
id = "klantmanager"
nl = "klantmanager"
en = "case manager"
[[role]]
id = "coach"
nl = "coach"
en = "coach"
[[role]]
id = "contactpersoon"
nl = "contactpersoon"
en = "contact"

[[kind]]
id = "uwv"
roles = ["verzekeringsarts", "arbeidsdeskundige"]
nl = "UWV"
en = "UWV"
[[kind]]
id = "gemeente"
roles = ["klantmanager"]
nl = "gemeente"
en = "municipality"
[[kind]]
id = "rib"
roles = ["coach"]
nl = "re-integratiebedrijf"
en = "re-integration company"
[[kind]]
id = "werkgever"
roles = ["contactpersoon"]
nl = "werkgever"
en = "employer"

[[organisation]]
oin = "00000099000000002000"
name = "UWV (test)"
kind = "uwv"
[[organisation]]
oin = "00000099000000001000"
name = "Gemeente (test)"
kind = "gemeente"
[[organisation]]
oin = "00000099000000003000"
name = "RIB (test)"
kind = "rib"
[[organisation]]
oin = "00000099000000004000"
name = "Werkgever (test)"
kind = "werkgever"
"#;

const EXCHANGES: &str = r#"
[emergency]
minutes = 60
reasons = [{ id = "gevaar", nl = "acuut gevaar", en = "acute danger" }]

[[purpose]]
id = "toets"
nl = "arbeidsmedische toets"
en = "medical assessment for work"
[[purpose]]
id = "aanmelding"
in = ["re-integratie"]
nl = "aanmelding"
en = "registration"
[[purpose]]
id = "plaatsing"
in = ["re-integratie"]
nl = "plaatsing"
en = "placement"

[[exchange]]
id = "T01"
type = "test.v1.Verslag"
purpose = "toets"
grondslag = "wettelijke_taak"
from = ["uwv:verzekeringsarts"]
to = ["uwv:verzekeringsarts", "uwv:arbeidsdeskundige"]
nl = "toets"
en = "assessment"
activity = "https://uwv.example/t01"
collect_within_days = 14
retention_days = 730

[[exchange]]
id = "T05"
type = "test.v1.Verslag"
purpose = "aanmelding"
grondslag = "toestemming"
from = ["gemeente:klantmanager", "uwv:arbeidsdeskundige"]
to = ["rib:coach"]
nl = "aanmelding"
en = "registration"
activity = "https://gemeente.example/t05"
collect_within_days = 14
retention_days = 730
consents = ["gezondheidsgegevens"]
emergency = true

[[exchange]]
id = "T13"
type = "test.v1.Verslag"
purpose = "plaatsing"
grondslag = "overeenkomst"
from = ["rib:coach"]
to = ["werkgever:contactpersoon"]
nl = "plaatsing"
en = "placement"
activity = "https://rib.example/t13"
collect_within_days = 14
retention_days = 730
"#;

const CONTRACT: &str = r#"
syntax = "proto3";
package test.v1;
import "veldwacht/klasse.proto";

message Verslag {
  Persoon client = 1 [(veldwacht.klasse) = PERSOON];
  string diagnose = 2 [(veldwacht.klasse) = MEDISCH_DIAGNOSE];
  repeated string beperkingen = 3 [(veldwacht.klasse) = FUNCTIONEEL_BEPERKING];
  uint32 uren = 4 [(veldwacht.klasse) = FUNCTIONEEL_UREN, (veldwacht.soort) = UREN];
  string toelichting = 5 [(veldwacht.klasse) = TEKST, (veldwacht.onderwerp) = FUNCTIONEEL_BEPERKING];
  Verslag vorige = 6 [(veldwacht.klasse) = ORGANISATIE];
}

message Persoon {
  string bsn = 1 [(veldwacht.klasse) = PERSOON_BSN, (veldwacht.soort) = IDENTIFICATIE];
  string naam = 2 [(veldwacht.klasse) = PERSOON];
  string geboortedatum = 3 [(veldwacht.klasse) = PERSOON, (veldwacht.soort) = DATUM];
}
"#;

const MAPPING: &str = r#"
["test.v1.Verslag"]
1 = "persoon"
2 = "medisch.diagnose"
3 = "functioneel.beperking"
4 = { class = "functioneel.uren", kind = "uren" }
5 = { class = "tekst", subject = "functioneel.beperking" }
6 = "organisatie"
["test.v1.Persoon"]
1 = "persoon.bsn"
2 = "persoon"
3 = "persoon"
"#;

const RULES: &str = r#"
@id("arts-alles") @nl("De arts krijgt alles.") @en("The physician gets everything.") @ground("Wet SUWI 54")
permit (principal in Functie::"uwv:verzekeringsarts", action == Action::"vol",
        resource in Dataklasse::"geclassificeerd");

@id("arbeidsdeskundige-persoon") @nl("De arbeidsdeskundige weet om wie het gaat.")
@en("The labour expert knows whom it is about.") @ground("Wet SUWI 54")
permit (principal in Functie::"uwv:arbeidsdeskundige", action == Action::"vol",
        resource in Dataklasse::"persoon.*");

@id("beperkingen-functioneel") @nl("Beperkingen gaan naar wie begeleidt.") @en("Limitations go to who guides.")
@ground("Participatiewet 7")
permit (principal, action == Action::"vol", resource in Dataklasse::"functioneel.*")
when { principal in Rol::"arbeidsdeskundige" || principal in Rol::"coach" };

@id("tekst-begeleiders") @nl("Gescreende tekst gaat mee.") @en("Screened text comes along.") @ground("Participatiewet 7")
permit (principal in Soort::"rib", action == Action::"vol", resource in Dataklasse::"tekst");

@id("coach-persoon") @nl("De coach kent de client.") @en("The coach knows the client.") @ground("Participatiewet 7")
permit (principal in Functie::"rib:coach", action == Action::"vol", resource in Dataklasse::"persoon.*")
unless { resource == Datumveld::"test.v1.Persoon.geboortedatum" };

@id("coach-jaar") @nl("Van de geboortedatum krijgt de coach het jaar.") @en("Of the birth date the coach gets the year.")
@ground("AVG 5")
permit (principal in Functie::"rib:coach", action in Action::"gegeneraliseerd", resource in Dataklasse::"persoon");

@id("werkgever-uren") @nl("De werkgever krijgt de beschikbare uren, in een band.")
@en("The employer gets the available hours, as a band.") @ground("AVG 6 lid 1 b")
permit (principal in Soort::"werkgever", action == Action::"urenband", resource in Dataklasse::"functioneel.uren")
when { context.doel in Doel::"re-integratie" };
"#;

const GUARDRAILS: &str = r#"
@id("grens-medisch") @nl("Geen medisch gegeven buiten de medische rollen.")
@en("No medical data outside the medical roles.") @ground("AVG 9")
forbid (principal, action in Action::"doorgeven", resource in Dataklasse::"medisch.*")
unless { principal in Rol::"medisch" };

@id("grens-zonder-klasse") @nl("Wat geen klasse heeft gaat nergens heen.")
@en("What has no class goes nowhere.") @ground("AVG 25")
forbid (principal, action, resource) unless { resource in Dataklasse::"geclassificeerd" };

@id("grens-bsn-werkgever") @nl("Geen BSN naar een werkgever.") @en("No BSN to an employer.") @ground("Wabb 10")
forbid (principal in Soort::"werkgever", action, resource in Dataklasse::"persoon.bsn");
"#;

/// The files of the small bundle.
pub(crate) fn files() -> Files {
    let schema = include_str!("../../../../policies/schema.cedarschema");
    let klasse = include_str!("../../../../proto/veldwacht/klasse.proto");
    let bundle = "number = 1\nguardrails = 1\nname = \"klein\"\n";
    let files = [
        ("bundle.toml", bundle),
        ("schema.cedarschema", schema),
        ("organisations.toml", ORGANISATIONS),
        ("exchanges.toml", EXCHANGES),
        ("mapping.toml", MAPPING),
        ("rules/alle.cedar", RULES),
        ("guardrails/grenzen.cedar", GUARDRAILS),
        ("contracts/veldwacht/klasse.proto", klasse),
        ("contracts/test/v1/verslag.proto", CONTRACT),
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}

/// The files with one text replaced by another; the text has to be there.
pub(crate) fn with(file: &str, from: &str, to: &str) -> Files {
    let mut files = files();
    let text = String::from_utf8(files[file].clone()).unwrap();
    assert!(text.contains(from), "`{from}` does not stand in {file}");
    files.insert(file.to_owned(), text.replacen(from, to, 1).into_bytes());
    files
}

/// The files with more text at the end of one.
pub(crate) fn with_more(file: &str, more: &str) -> Files {
    let mut files = files();
    files.entry(file.to_owned()).or_default().extend_from_slice(more.as_bytes());
    files
}

pub(crate) fn load(files: &Files) -> Proven {
    Proven::load(files, &Trust::Draft).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn situation(purpose: &str, from: (&str, &str), to: (&str, &str)) -> Situation {
    Situation {
        message: "test.v1.Verslag".parse().unwrap(),
        sender: (from.0.parse().unwrap(), from.1.parse().unwrap()),
        receiver: (to.0.parse().unwrap(), to.1.parse().unwrap()),
        purpose: purpose.parse().unwrap(),
        consents: Consents::both(Consent::Verleend),
        spoed: false,
    }
}
