//! The commands that read the log, erase and copy: the real binary, on a folder that `veldwacht demo` made.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;

/// Maaike van Rossem, whom the demo is about, and a user of the demo.
const CLIENT: &str = "999990019";
const USER: &str = "p.hulsman";

/// One demo for all tests, which each take a copy.
static DEMO: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let played = veldwacht(&["demo", "--dir", folder.path().join("demo").to_str().unwrap()]);
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    folder
});

fn veldwacht(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veldwacht"));
    command.args(arguments).env_remove("VELDWACHT_CONFIG").env("VELDWACHT_LOG", "error");
    command.output().unwrap()
}

/// A copy of the demo's folder.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        copy(&DEMO.path().join("demo"), folder.0.path());
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs a command that ends well on the folder's own keys.
    fn with_keys(&self, arguments: &[&str]) -> String {
        let config = self.path("gateway.toml");
        done(&[arguments, &["--config", &config]].concat())
    }

    /// Runs a command that ends well on the published log.
    fn published(&self, arguments: &[&str]) -> String {
        let log = self.path("log");
        done(&[arguments, &["--log", &log]].concat())
    }

    fn verifies(&self) -> Value {
        let (log, key) = (self.path("log"), self.path("log.vkey"));
        serde_json::from_str(&done(&["log", "verify", &log, "--key", &key, "--json"])).unwrap()
    }
}

fn done(arguments: &[&str]) -> String {
    let output = veldwacht(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_format_is_exported_from_the_published_files_and_names_nobody() {
    let folder = Folder::new();
    let records = folder.verifies()["records"].as_u64().unwrap();
    for format in ["fsc", "ldv", "adl"] {
        let text = folder.published(&["log", "export", "--format", format]);
        assert!(!json_lines(&text).is_empty(), "{format}");
        assert!(!text.contains(USER) && !text.contains(CLIENT), "{format}");
    }
    let table = folder.published(&["log", "export", "--format", "csv"]);
    let columns = table.lines().next().unwrap().split(',').count();
    assert!(columns > 5 && table.lines().count() as u64 > records / 2, "{table}");
    assert!(!table.contains(USER));
}

#[test]
fn nen_7513_has_the_users_and_ldv_has_none_even_where_the_keys_are() {
    let folder = Folder::new();
    let nen = folder.with_keys(&["log", "export", "--format", "nen7513", "--user", "a.auditor"]);
    assert!(!json_lines(&nen).is_empty());
    assert!(nen.contains(USER));
    let ldv = folder.with_keys(&["log", "export", "--format", "ldv"]);
    assert!(!json_lines(&ldv).is_empty());
    assert!(!ldv.contains(USER) && !ldv.contains(CLIENT) && !ldv.contains("a.auditor"));
}

#[test]
fn users_are_not_exported_without_the_keys() {
    let folder = Folder::new();
    let output = veldwacht(&["log", "export", "--format", "nen7513", "--log", &folder.path("log")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn whoever_reads_with_the_keys_is_in_the_log() {
    let folder = Folder::new();
    let before = folder.verifies()["records"].as_u64().unwrap();
    folder.with_keys(&["log", "inzage", "--client", CLIENT, "--json"]);
    folder.with_keys(&["log", "export", "--format", "nen7513"]);
    assert_eq!(folder.verifies()["records"].as_u64().unwrap(), before + 2);
    let sample = folder.published(&["log", "sample", "--seed", "all", "--n", "1000", "--json"]);
    assert!(sample.contains("\"inzage\"") && sample.contains("\"export-nen7513\""), "{sample}");
}

#[test]
fn the_same_seed_draws_the_same_records() {
    let folder = Folder::new();
    let draw = |seed| folder.published(&["log", "sample", "--seed", seed, "--n", "5", "--risks", "--json"]);
    let drawn: Value = serde_json::from_str(&draw("one")).unwrap();
    assert_eq!(drawn["sample"].as_array().unwrap().len(), 5);
    assert_eq!(draw("one"), draw("one"));
    assert_ne!(draw("one"), draw("another"));
    let refused = |risky: &Value| risky["risks"].as_array().unwrap().contains(&"refusal".into());
    assert!(drawn["risks"].as_array().unwrap().iter().any(refused), "the demo has refusals: {drawn}");
}

#[test]
fn inzage_says_who_got_what_and_after_an_erasure_only_that() {
    let folder = Folder::new();
    let asked = |folder: &Folder| -> Value {
        serde_json::from_str(&folder.with_keys(&["log", "inzage", "--client", CLIENT, "--json"])).unwrap()
    };
    let told = asked(&folder);
    let events = told["events"].as_array().unwrap();
    let medical = events.iter().find(|event| event["declared"] == "M1" && event["kind"] == "sent").unwrap();
    assert!(medical["receivers"].as_array().unwrap().len() == 4, "{medical}");
    let page = folder.with_keys(&["log", "inzage", "--client", CLIENT]);
    assert!(
        page.starts_with("<!") && page.contains("</html>") && !page.contains(CLIENT) && !page.contains(USER)
    );

    let erased = folder.with_keys(&["erase", "--client", CLIENT, "--ground", "avg-17-1-b", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&erased).unwrap()["erased"], true);
    let told = asked(&folder);
    assert!(told["erased"].is_number() || told["erased"].is_string(), "{told}");
    assert_eq!(told["events"].as_array().unwrap().len(), 0, "{told}");
    assert_eq!(folder.verifies()["verified"], true);

    let nen = folder.with_keys(&["log", "export", "--format", "nen7513"]);
    assert!(!nen.contains(CLIENT) && !nen.contains(USER), "a sealed part of the client was opened");
    for file in files(folder.0.path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!holds(&bytes, CLIENT) && !holds(&bytes, "Rossem"), "{}", file.display());
    }
    let again = folder.with_keys(&["erase", "--client", CLIENT, "--ground", "avg-17-1-b"]);
    assert!(again.contains("erased before"), "{again}");
}

#[test]
fn a_retention_duty_forbids_erasure_and_says_until_when() {
    let folder = Folder::new();
    let config = std::fs::read_to_string(folder.path("gateway.toml")).unwrap();
    let duty = "[[retention_duty]]\npurpose = \"aanmelding\"\ndays = 30\n";
    std::fs::write(folder.path("gateway.toml"), format!("{config}\n{duty}")).unwrap();
    let config = folder.path("gateway.toml");
    let output =
        veldwacht(&["erase", "--client", CLIENT, "--ground", "avg-17-1-b", "--json", "--config", &config]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["erased"] == false && !told["until"].is_null(), "{told}");
    let told = folder.with_keys(&["log", "inzage", "--client", CLIENT, "--json"]);
    assert!(!serde_json::from_str::<Value>(&told).unwrap()["events"].as_array().unwrap().is_empty());
}

#[test]
fn a_number_that_is_no_bsn_is_not_repeated() {
    let folder = Folder::new();
    let config = folder.path("gateway.toml");
    for command in [&["log", "inzage"][..], &["erase", "--ground", "avg-17-1-b"]] {
        let output = veldwacht(&[command, &["--client", "123456780", "--config", &config]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(!holds(&output.stderr, "123456780") && !holds(&output.stdout, "123456780"));
    }
}

#[test]
fn the_receivers_of_an_exchange_are_listed_with_what_reached_them() {
    let folder = Folder::new();
    let all = folder.published(&["log", "sample", "--seed", "all", "--n", "1000", "--json"]);
    let all: Value = serde_json::from_str(&all).unwrap();
    let sent = |record: &&Value| {
        let sent = &record["record"]["event"]["sent"];
        sent["terms"]["declared"] == "M1" && sent["to"][0]["decision"] == "delivered"
    };
    let medical = all["sample"].as_array().unwrap().iter().find(sent).unwrap();
    let exchange = medical["record"]["exchange"].as_str().unwrap();
    let told = folder.published(&["log", "receivers", "--exchange", exchange, "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let receivers = told["receivers"].as_array().unwrap();
    assert_eq!(receivers.len(), 4);
    let doctor = receivers.iter().find(|receiver| receiver["to"]["role"] == "verzekeringsarts").unwrap();
    assert!(doctor["reached"] == true && !doctor["passed"].as_array().unwrap().is_empty(), "{doctor}");
    let unknown = "01931f2e-7c1a-7e55-8c4b-1d2f3a4b5c6d";
    let output = veldwacht(&["log", "receivers", "--exchange", unknown, "--log", &folder.path("log")]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_backup_is_restored_as_it_was() {
    let folder = Folder::new();
    let (copied, config) = (folder.path("copy"), folder.path("gateway.toml"));
    let told: Value = serde_json::from_str(&folder.with_keys(&["backup", &copied, "--json"])).unwrap();
    assert_eq!(told["verified"], true);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("data = \".\"", "data = \"restored\"")).unwrap();
    let restored: Value = serde_json::from_str(&folder.with_keys(&["restore", &copied, "--json"])).unwrap();
    assert_eq!(restored, told);
    let inzage = folder.with_keys(&["log", "inzage", "--client", CLIENT, "--json"]);
    assert!(inzage.contains("\"M1\""), "{inzage}");
    let again = veldwacht(&["restore", &copied, "--config", &config]);
    assert_eq!(again.status.code(), Some(2), "a data folder that is there is never written over");
}

#[test]
fn a_draft_that_is_the_bundle_changes_nothing_of_the_past() {
    let folder = Folder::new();
    let bundle = folder.path("bundle");
    let told = folder.published(&["policy", "replay", &bundle, "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["deliveries"].as_u64().unwrap() > 5, "{told}");
    assert_eq!(told["deliveries"], told["unchanged"], "{told}");
}

#[test]
fn a_search_finds_by_every_criterion_also_after_the_views_are_gone_and_is_recorded() {
    let folder = Folder::new();
    let records = folder.verifies()["records"].as_u64().unwrap();
    let count = |more: &[&str]| {
        let text = folder.with_keys(&[&["log", "search", "--json", "--user", "a.auditor"], more].concat());
        assert!(!text.contains(USER) && !text.contains(CLIENT));
        json_lines(&text).iter().map(|line| line["index"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let searches: [&[&str]; 8] = [
        &["--client", CLIENT],
        &["--organisation", "00000099000000004000"],
        &["--of-user", USER],
        &["--class", "medisch.diagnose"],
        &["--decision", "returned"],
        &["--kind", "consent"],
        &["--from", &today, "--kind", "sent"],
        &["--client", CLIENT, "--decision", "refused", "--organisation", "00000099000000001000"],
    ];
    let found: Vec<_> = searches.iter().map(|search| count(search)).collect();
    assert!(found[..7].iter().all(|found| !found.is_empty()), "{found:?}");
    std::fs::remove_dir_all(folder.path("views")).unwrap();
    let again: Vec<_> = searches.iter().map(|search| count(search)).collect();
    // The searches for the client stand in the log as records about the client; nothing else may differ.
    let old = |found: &Vec<u64>| found.iter().filter(|index| **index < records).copied().collect::<Vec<_>>();
    assert_eq!(again.iter().map(old).collect::<Vec<_>>(), found.iter().map(old).collect::<Vec<_>>());
    assert_eq!(folder.verifies()["records"].as_u64().unwrap(), records + 2 * searches.len() as u64);
}
