//! Names, BSNs and diagnoses in clear are nowhere: not in what the gateway says at its most talkative, not in the
//! journal, its keys, the views, the published log, nor in what clients are told when they are refused.

use std::collections::BTreeSet;
use std::path::Path;

use proto::veldwacht::exchange::v1 as wire;
use serde_json::json;

use crate::harness::{CLIENT, GEMEENTE, GGZ, RIB, Stage, UWV, files_below};
use crate::member::{Member, bytes_of, letter};

/// What was planted, and would be recognised anywhere.
const PLANTED: [&str; 12] = [
    CLIENT,
    "999990020",
    "999990018",
    "Maaike",
    "van Rossem",
    "06-55501234",
    "Lindelaan",
    "Zwaluwenburg",
    "F32.1",
    "Sertraline",
    "schizofrenie",
    "cocaïneverslaving",
];

fn assert_clean(place: &str, bytes: &[u8]) {
    for word in PLANTED {
        let found = bytes.windows(word.len()).position(|window| window == word.as_bytes());
        assert_eq!(
            found,
            None,
            "{place} holds what was planted (the word that begins with {:?})",
            word.chars().next()
        );
    }
}

/// Sends good, refused and malformed documents with all of that in them; what the clients were told.
async fn plant(stage: &Stage) -> Vec<String> {
    let klantmanager = Member::connect(stage, "gemeente", GEMEENTE, "klantmanager").await;
    let coach = Member::connect(stage, "rib", RIB, "coach").await;
    let behandelaar = Member::connect(stage, "ggz", GGZ, "behandelaar").await;
    let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |json| {
        json["client"]["achternaam"] = json!("Zwaluwenburg")
    });
    let good = letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")]);
    klantmanager.send("aanmelding", good.clone()).await.unwrap();
    let mut told = Vec::new();
    let mut refused = async |member: &Member, purpose: &str, request: wire::SendRequest| {
        let status = member.send(purpose, request).await.err().unwrap();
        told.push(format!("{status:?} {:?}", String::from_utf8_lossy(status.details())));
    };
    let mut cut = good.document.to_vec();
    cut.truncate(cut.len() - 2);
    let text = b"Maaike van Rossem heeft schizofrenie en slikt Sertraline".to_vec();
    refused(&klantmanager, "aanmelding", wire::SendRequest { document: cut.into(), ..good.clone() }).await;
    refused(&klantmanager, "aanmelding", wire::SendRequest { document: text.into(), ..good.clone() }).await;
    refused(
        &klantmanager,
        "aanmelding",
        wire::SendRequest { client_bsn: "999990020".into(), ..good.clone() },
    )
    .await;
    refused(
        &klantmanager,
        "aanmelding",
        wire::SendRequest { client_bsn: "999990018".into(), ..good.clone() },
    )
    .await;
    refused(&klantmanager, "aanmelding", wire::SendRequest { client_bsn: "Maaike".into(), ..good.clone() })
        .await;
    refused(
        &klantmanager,
        "aanmelding",
        wire::SendRequest { message_type: "van Rossem F32.1".into(), ..good.clone() },
    )
    .await;
    refused(&klantmanager, "aanmelding", wire::SendRequest { exchange_id: "Maaike".into(), ..good.clone() })
        .await;
    let stranger = wire::Party { oin: CLIENT.into(), role: "Maaike".into() };
    refused(&klantmanager, "aanmelding", wire::SendRequest { receivers: vec![stranger], ..good }).await;
    stage.traject(3);
    let addiction =
        bytes_of("X11-voortgangsrapportage-verslaving-in-tekst", "werkfit.v1.Voortgangsrapportage", |_| ());
    refused(
        &coach,
        "voortgang",
        letter("werkfit.v1.Voortgangsrapportage", addiction, &[(GEMEENTE, "klantmanager")]),
    )
    .await;
    let report = bytes_of("M1-medisch-verslag", "werkfit.v1.MedischVerslag", |json| {
        json["medischeBeschouwing"] = json!("Bekend met schizofrenie.");
    });
    let report = letter("werkfit.v1.MedischVerslag", report, &[(UWV, "verzekeringsarts"), (RIB, "coach")]);
    refused(&behandelaar, "beoordeling_belastbaarheid", report.clone()).await;
    for (oin, role) in [(UWV, "verzekeringsarts"), (RIB, "coach")] {
        coach.grant(oin, role, "beoordeling_belastbaarheid").await;
    }
    behandelaar.send("beoordeling_belastbaarheid", report).await.unwrap();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_documents_say_is_nowhere_in_clear() {
    let mut stage = Stage::with("", "trace");
    for told in plant(&stage).await {
        assert_clean("what a client was told", told.as_bytes());
    }
    let doctor = stage.collect("uwv", "verzekeringsarts", &["--ack"]);
    assert!(doctor[0].to_string().contains("schizofrenie"), "it is there, for whom it is for");
    stage.collect("rib", "coach", &[]);
    refused_by_the_command_line(&stage);
    stage.stop();
    let mut searched = BTreeSet::new();
    for file in files_below(&stage.path("data"))
        .into_iter()
        .chain([stage.path("serve-1.out"), stage.path("serve-1.err")])
    {
        if file.starts_with(stage.path("data/bundles")) {
            continue; // bundles hold no one's data, and the words that screening knows
        }
        let bytes = std::fs::read(&file).unwrap();
        assert_clean(&file.display().to_string(), &bytes);
        let name = file.strip_prefix(stage.path("data")).unwrap_or(Path::new("said"));
        searched.insert(name.components().next().unwrap().as_os_str().to_string_lossy().into_owned());
    }
    for place in ["journal", "keys", "views", "log", "said"] {
        assert!(searched.contains(place), "{place} was not searched: {searched:?}");
    }
    let said = std::fs::read_to_string(stage.path("serve-1.err")).unwrap();
    assert!(said.contains("TRACE"), "the gateway was at its most talkative");
}

/// Files that are no documents, and a BSN that is none: the command line does not repeat them.
fn refused_by_the_command_line(stage: &Stage) {
    let file = stage.path("bad.json");
    std::fs::write(
        &file,
        r#"{"client":{"bsn":"999990019","achternaam":"Zwaluwenburg"},"urenbeperking":"Sertraline"}"#,
    )
    .unwrap();
    let refused = stage.register(&[], &file);
    assert_eq!(refused.status, 2, "{}", refused.said());
    assert_clean("what `send` said of a bad file", refused.said().as_bytes());
    let certificate = stage.certificate("gemeente", "klantmanager");
    let refused = stage.run(&[
        "send",
        "--as",
        certificate.to_str().unwrap(),
        "--to",
        &format!("{RIB}:coach"),
        "--purpose",
        "aanmelding",
        "--client",
        "999990018",
        "--type",
        "werkfit.v1.Aanmelding",
        file.to_str().unwrap(),
    ]);
    assert_eq!(refused.status, 2, "{}", refused.said());
    assert_clean("what `send` said of a bad BSN", refused.said().as_bytes());
}

#[test]
fn the_process_gives_up_what_it_does_not_need() {
    let stage = Stage::start();
    assert_eq!(stage.status("NoNewPrivs"), "1");
    // Bit 10: binding to a port under 1024 (capabilities(7)).
    let low_ports = 1_u64 << 10;
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        let held = u64::from_str_radix(&stage.status(set), 16).unwrap();
        assert_eq!(held & !low_ports, 0, "{set}");
    }
    let every_thread = stage.every_thread("NoNewPrivs");
    assert!(every_thread.len() > 2 && every_thread.iter().all(|said| said == "1"), "{every_thread:?}");
    let every_thread = stage.every_thread("CapEff");
    assert!(every_thread.iter().all(|said| u64::from_str_radix(said, 16).unwrap() & !low_ports == 0));
    let core = stage.limits().lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}

#[test]
fn a_secret_that_others_on_the_machine_can_read_stops_the_start() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut stage = Stage::start();
    stage.stop();
    for name in ["master.secret", "pseudonyms.secret", "pki/gateway.key.pem", "pki/signers/log.key.pem"] {
        let path = stage.path(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640 | 0o004)).unwrap();
        let config = stage.path("gateway.toml");
        let refused = stage.run(&["serve", "--config", config.to_str().unwrap()]);
        assert_eq!(refused.status, 2, "{}", refused.said());
        assert!(refused.err.contains("others on this machine can read"), "{name}: {}", refused.err);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
