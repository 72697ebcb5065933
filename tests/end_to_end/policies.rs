//! The life of a change of policy with the real binary: four eyes, a swap under traffic, the way back, kill -9, and every
//! bundle that must not be taken. What the log says of it is read back and verified.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ledger::{Act, Event, Kind, Leaf, StepKind};
use model::Reason;
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;

use crate::harness::{GEMEENTE, RIB, Stage, document, files_below, run, veldwacht};
use crate::member::{Member, bytes_of, endpoint, letter, reason, uuid};
use crate::officers::{approved, draft, narrower, policy, sign, stage, text, told};

fn running(stage: &Stage) -> u64 {
    told(stage, "dirk", &["running"])["running"]["number"].as_u64().unwrap()
}

/// A document that goes out again and again, until it is told to stop; how many went.
struct Sending {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Sending {
    async fn start(stage: &Stage) -> Sending {
        let member = Member::connect(stage, "gemeente", GEMEENTE, "klantmanager").await;
        let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
        let document = letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")]);
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let request = wire::SendRequest { exchange_id: uuid(), ..document.clone() };
                member.send("aanmelding", request).await.unwrap(); // a swap loses no call
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Sending { stop, sent, task }
    }

    /// Waits until some more were sent.
    async fn some_more(&self) {
        let before = self.sent.load(Ordering::Relaxed);
        while self.sent.load(Ordering::Relaxed) < before + 3 {
            assert!(!self.task.is_finished(), "the client failed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

/// `approve` by someone, with the digest of the difference that they saw.
fn approve(stage: &Stage, who: &str, change: &serde_json::Value) -> crate::harness::Ran {
    policy(stage, who, &["approve", &text(change, "change"), "--difference", &text(change, "difference")])
}

fn refused(ran: crate::harness::Ran, reason: Reason) {
    assert_eq!(ran.status, 1, "{}", ran.said());
    assert!(ran.err.contains(reason.name()), "{}", ran.said());
}

/// The kinds of bundle and change records, in words, in the order of the log.
fn story(records: &[Leaf]) -> Vec<String> {
    let of = |leaf: &Leaf| match &leaf.event {
        Event::Bundle(change) => {
            let act = match change.act {
                Act::Activated => "activated",
                Act::RolledBack => "rolled back to",
                Act::Refused => "refused",
            };
            Some(format!("{act} {} with {}", change.about.number, change.approvals))
        }
        Event::Change(step) => {
            let why = step.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            Some(format!("{}{why}", step.step.name()))
        }
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_its_way_by_four_eyes_while_a_client_sends_and_the_log_tells_all_of_it() {
    let mut stage = stage();
    let sending = Sending::start(&stage).await;
    sending.some_more().await;

    // A narrowing: one other officer.
    narrower(&stage, "second", 2);
    sign(&stage, "second");
    let change = told(&stage, "anna", &["propose", "desk/second"]);
    assert_eq!((&change["widens"], &change["needed"]), (&false.into(), &1.into()));
    assert!(change["cells"].as_array().unwrap().iter().all(|cell| cell["widens"] == false));
    let id = text(&change, "change");
    refused(approve(&stage, "bram", &change), Reason::NotSimulated);
    let file = document("X05-aanmelding");
    let simulated = policy(
        &stage,
        "anna",
        &[
            "simulate",
            &id,
            "--type",
            "werkfit.v1.Aanmelding",
            "--sender",
            GEMEENTE,
            "--receiver",
            &format!("{RIB}:coach"),
            "--purpose",
            "aanmelding",
            file.to_str().unwrap(),
        ],
    );
    let licence = simulated.done();
    let licence = licence.lines().find(|line| line.contains("opleiding.rijbewijs")).unwrap();
    assert!(licence.contains("\"after\":null") && licence.contains("rib-geen-rijbewijs"), "{licence}");
    refused(approve(&stage, "anna", &change), Reason::OwnChange);
    refused(
        policy(&stage, "bram", &["approve", &id, "--difference", &"0".repeat(64)]),
        Reason::OtherDifference,
    );
    refused(policy(&stage, "bram", &["activate", &id]), Reason::TooFewApprovers);
    approve(&stage, "bram", &change).done();
    assert_eq!(running(&stage), 1, "approved is not yet active");
    assert_eq!(told(&stage, "anna", &["activate", &id])["state"], "active");
    assert_eq!(running(&stage), 2);
    refused(policy(&stage, "carla", &["reject", &id]), Reason::ChangeOver);
    sending.some_more().await;

    // A widening: two others. Tried on what was really sent.
    draft(&stage, "third", 3, |_, text| text);
    sign(&stage, "third");
    let wider = told(&stage, "bram", &["propose", "desk/third"]);
    assert_eq!((&wider["widens"], &wider["needed"]), (&true.into(), &2.into()));
    let replayed = told(&stage, "bram", &["replay", &text(&wider, "change")]);
    assert!(replayed["deliveries"].as_u64().unwrap() > 3, "{replayed}");
    approve(&stage, "anna", &wider).done();
    refused(approve(&stage, "anna", &wider), Reason::ApprovedBefore);
    refused(policy(&stage, "anna", &["activate", &text(&wider, "change")]), Reason::TooFewApprovers);
    approve(&stage, "carla", &wider).done();
    told(&stage, "carla", &["activate", &text(&wider, "change")]);
    sending.some_more().await;

    // And back: old content, a higher number, signed again.
    let keys = ["pki/signers/officer-1.key.pem", "pki/signers/officer-2.key.pem"];
    let back = told(&stage, "anna", &["rollback", "--sign", keys[0], "--sign", keys[1]]);
    assert_eq!(
        (&back["rollback"], &back["widens"], &back["to"]["number"]),
        (&true.into(), &false.into(), &4.into())
    );
    told(&stage, "anna", &["replay", &text(&back, "change")]);
    approve(&stage, "carla", &back).done();
    told(&stage, "anna", &["activate", &text(&back, "change")]);
    sending.some_more().await;
    sending.stop().await;
    let last = stage.collect("rib", "coach", &[]).pop().unwrap();
    assert!(last["document"]["opleiding"].get("rijbewijs").is_none(), "{last}");

    // An auditor looks and changes nothing; an organisation's system does neither; an operator sends nothing.
    let all = policy(&stage, "dirk", &["changes"]).done();
    assert_eq!(all.lines().count(), 3, "{all}");
    refused(policy(&stage, "dirk", &["propose", "desk/third"]), Reason::RoleNotAllowed);
    let coach = stage.certificate("rib", "coach");
    refused(stage.run(&["policy", "changes", "--as", coach.to_str().unwrap()]), Reason::RoleNotAllowed);
    let anna = stage.path("pki/operators/anna.pem");
    let channel = endpoint(&stage, Some(&anna)).connect().await.unwrap();
    let gemeente = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let document = letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")]);
    let request = Member::request(document, &gemeente.token("aanmelding", |_| ()));
    let sent = ExchangeServiceClient::new(channel).send(request).await.err().unwrap();
    assert_eq!(reason(&sent), Reason::RoleNotAllowed.name(), "an operator has no part in an exchange");

    // kill -9: it starts on what was activated last, and says so.
    stage.kill();
    stage.serve();
    assert_eq!(running(&stage), 4);
    assert!(
        stage.complaints().contains("starting on the bundle that was activated last"),
        "{}",
        stage.complaints()
    );

    let told_all = |records: &[Leaf]| records.iter().filter(|leaf| leaf.kind() == Kind::Refused).count() >= 3;
    let records = stage.whole_log_when(told_all);
    let expected = [
        "activated 1 with 0",
        "propose",
        "approve: NOT_SIMULATED",
        "simulate",
        "approve: OWN_CHANGE",
        "approve: OTHER_DIFFERENCE",
        "activate: TOO_FEW_APPROVERS",
        "approve",
        "activated 2 with 1",
        "reject: CHANGE_OVER",
        "propose",
        "simulate",
        "approve",
        "approve: APPROVED_BEFORE",
        "activate: TOO_FEW_APPROVERS",
        "approve",
        "activated 3 with 2",
        "rollback",
        "simulate",
        "approve",
        "rolled back to 4 with 1",
    ];
    assert_eq!(story(&records), expected);
    let under: Vec<u64> =
        records.iter().filter(|leaf| leaf.kind() == Kind::Sent).map(|leaf| leaf.bundle.number).collect();
    assert_eq!(under.iter().collect::<BTreeSet<_>>().len(), 4, "the client sent under each of the four");
    for folder in ["journal", "log", "views", "keys"] {
        for file in files_below(&stage.path("data").join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            for name in ["anna", "bram", "carla", "dirk"] {
                let found = bytes.windows(name.len()).any(|window| window == name.as_bytes());
                assert!(!found, "{name} stands in {}", file.display());
            }
        }
    }
    let mut revoke = veldwacht();
    run(revoke.args(["pki", "revoke", "operators/anna.pem", "--dir"]).arg(stage.path("pki"))).done();
    let until = Instant::now() + Duration::from_secs(30);
    while policy(&stage, "anna", &["changes"]).status == 0 {
        assert!(Instant::now() < until, "a revoked officer still comes in with {}", anna.display());
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_bundle_that_must_not_be_taken_is_refused_in_words_and_the_running_one_goes_on() {
    let stage = stage();
    let mut cases: Vec<(&str, &str)> = Vec::new();
    let mut case = |name: &'static str, says: &'static str| cases.push((name, says));

    narrower(&stage, "unsigned", 2);
    case("unsigned", "there are no signatures");

    narrower(&stage, "stripped", 2);
    sign(&stage, "stripped");
    let signatures = stage.path("desk/stripped/signatures.toml");
    let text = std::fs::read_to_string(&signatures).unwrap();
    std::fs::write(&signatures, text.split("[[policies]]").take(2).collect::<Vec<_>>().join("[[policies]]"))
        .unwrap();
    case("stripped", "signed by 1 of the 2");

    narrower(&stage, "altered", 2);
    sign(&stage, "altered");
    let rules = stage.path("desk/altered/rules/rib.cedar");
    std::fs::write(
        &rules,
        std::fs::read_to_string(&rules).unwrap().replace("Opleiding.rijbewijs", "Opleiding.diploma"),
    )
    .unwrap();
    case("altered", "is not right");

    narrower(&stage, "half", 2);
    sign(&stage, "half");
    let mapping = stage.path("desk/half/mapping.toml");
    let bytes = std::fs::read(&mapping).unwrap();
    std::fs::write(&mapping, &bytes[..bytes.len() / 2]).unwrap();
    case("half", "is not right");

    draft(
        &stage,
        "broken",
        2,
        |file, text| if file == "exchanges.toml" { text + "\n[[exchange" } else { text },
    );
    case("broken", "there are no signatures");

    draft(&stage, "replayed", 1, |file, text| match file {
        "rules/rib.cedar" => text + crate::officers::NARROWER,
        _ => text,
    });
    sign(&stage, "replayed");
    case("replayed", "accepted before with other content");

    for (name, says) in &cases {
        let ran = policy(&stage, "anna", &["propose", &format!("desk/{name}")]);
        assert_eq!(ran.status, 2, "{name}: {}", ran.said());
        assert!(ran.err.contains("BUNDLE_REFUSED") && ran.err.contains(says), "{name}: {}", ran.said());
    }
    // What does not prove itself cannot even be signed: the checks of a draft say why.
    draft(&stage, "unknown", 2, |file, text| match file {
        "rules/rib.cedar" => text.replace("Soort::\"rib\"", "Soort::\"ribb\""),
        _ => text,
    });
    let leak = r#"
@id("lek")
@nl("Alles aan de acquisiteur.")
@en("Everything to who looks for places.")
@ground("geen")
permit (principal in Functie::"rib:acquisiteur", action == Action::"vol", resource in Dataklasse::"persoon.*");
"#;
    draft(
        &stage,
        "contradictory",
        2,
        |file, text| if file == "rules/rib.cedar" { text + leak } else { text },
    );
    for (name, says) in [("unknown", "ribb"), ("broken", "exchanges.toml"), ("contradictory", "lek")] {
        let ran = stage.run(&["policy", "check", &format!("desk/{name}")]);
        assert_eq!(ran.status, 1, "{name}: {}", ran.said());
        assert!(ran.out.contains(says), "{name}: {}", ran.said());
    }
    assert_eq!(running(&stage), 1);
    assert!(stage.complaints().contains("a bundle was refused; the running one goes on"), "the alarm");
    let all = |records: &[Leaf]| story(records).len() > cases.len();
    let story = story(&stage.whole_log_when(all));
    assert_eq!(story.iter().filter(|line| line.starts_with("refused")).count(), cases.len(), "{story:?}");
}

#[test]
fn an_activation_survives_kill_9_at_the_moment_of_its_record() {
    let mut stage = stage();
    let mut expected = 1;
    for number in 2..5 {
        let name = format!("number-{number}");
        match number % 2 {
            0 => narrower(&stage, &name, number),
            _ => draft(&stage, &name, number, |_, text| text),
        };
        let id = approved(&stage, &name, &["bram", "carla"][..2 - usize::from(number % 2 == 0)]);
        let record = format!("\"about\":{{\"number\":{number},");
        let activating = std::thread::scope(|scope| {
            let activating = scope.spawn(|| policy(&stage, "bram", &["activate", &id]));
            let since = Instant::now();
            // The record stands in the journal from here on: before its flush, before the swap, or just after.
            while !activating.is_finished() && !journal_says(&stage, &record) {
                assert!(since.elapsed() < Duration::from_secs(60), "nothing was activated");
            }
            run(std::process::Command::new("kill").args(["-9", &stage.process().to_string()])).done();
            activating.join().unwrap()
        });
        stage.kill();
        stage.serve();
        let running = running(&stage);
        assert!([expected, number].contains(&running), "{running}");
        if activating.status == 0 {
            assert_eq!(running, number, "what was told to be active is active");
        }
        let records = stage.whole_log_when(|records| {
            let holds = |leaf: &Leaf| matches!(&leaf.event, Event::Bundle(change) if change.holds());
            records.iter().any(holds)
        });
        let last = records.iter().rev().find_map(|leaf| match &leaf.event {
            Event::Bundle(change) if change.holds() => Some(change.about.number),
            _ => None,
        });
        assert_eq!(last, Some(running), "the log and the gateway agree");
        if running != number {
            // The kill came before the record was durable: the change still waits, and can be activated.
            told(&stage, "bram", &["activate", &id]);
        }
        expected = number;
    }
    assert!(
        story(&stage.whole_log_when(|_| true)).iter().all(|line| !line.contains(StepKind::Reject.name()))
    );
}

/// Whether a record with this text stands in the journal's newest segment.
fn journal_says(stage: &Stage, text: &str) -> bool {
    let newest = files_below(&stage.path("data/journal")).into_iter().max();
    let bytes = newest.and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    // Segments are preallocated: what follows the last record is zeros.
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    bytes[..end].windows(text.len()).rev().take(64 << 10).any(|window| window == text.as_bytes())
}
