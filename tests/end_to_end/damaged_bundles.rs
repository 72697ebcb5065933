//! A bundle that is damaged on its way: in every place of its life, in every manner. It is refused in words, with an alarm and a
//! record, and the running one goes on, also while many callers use it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ledger::{Act, Event, Kind, Leaf};
use proto::veldwacht::exchange::v1 as wire;
use serde_json::Value;

use crate::harness::{GEMEENTE, RIB, Stage, files_below};
use crate::member::{Member, bytes_of, letter, uuid};
use crate::officers::{approved, draft, narrower, policy, sign, stage, text, told};

/// A way to damage a stored bundle: its name, what it does to the file, and what the refusal has to say.
type Damage = (&'static str, fn(&mut Vec<u8>), &'static str);

const DAMAGES: [Damage; 7] = [
    ("cut in half", |bytes| bytes.truncate(bytes.len() / 2), NOT_THAT),
    ("empty", Vec::clear, NOT_THAT),
    ("nonsense", |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0x55), NOT_THAT),
    ("with a rule altered", |bytes| replace(bytes, "Opleiding.rijbewijs", "Opleiding.diploma.."), NOT_THAT),
    ("with another number", |bytes| replace(bytes, "number = 2", "number = 9"), NOT_THAT),
    ("stripped of its signatures", strip, "there are no signatures"),
    ("with one signature less", strip_one, "signed by 1 of the 2"),
];

const NOT_THAT: &str = "this is not the bundle that was stored";

fn replace(bytes: &mut Vec<u8>, old: &str, new: &str) {
    let text = String::from_utf8(std::mem::take(bytes)).unwrap();
    assert!(text.contains(old), "there is something to damage");
    *bytes = text.replace(old, new).into_bytes();
}

/// Changes a stored bundle as its JSON, with the text of its signatures.
fn with_signatures(bytes: &mut Vec<u8>, change: impl Fn(&str) -> Option<String>) {
    let mut stored: Value = serde_json::from_slice(bytes).unwrap();
    let files = stored.as_object_mut().unwrap();
    let signatures = files.remove("signatures.toml").unwrap()["text"].as_str().unwrap().to_owned();
    if let Some(changed) = change(&signatures) {
        assert_ne!(changed, signatures);
        files.insert("signatures.toml".into(), serde_json::json!({ "text": changed }));
    }
    *bytes = serde_json::to_vec(&stored).unwrap();
}

fn strip(bytes: &mut Vec<u8>) {
    with_signatures(bytes, |_| None);
}

fn strip_one(bytes: &mut Vec<u8>) {
    with_signatures(bytes, |text| {
        let (first, rest) = text.split_once("[[policies]]").unwrap();
        let (one, others) = rest.split_once("[[policies]]").unwrap();
        // The second of the officers' signatures goes; what follows of the guardrails' stays.
        let guardrails = others.find("[[guardrails]]").map_or("", |at| &others[at..]);
        Some(format!("{first}[[policies]]{one}{guardrails}"))
    });
}

/// Where the gateway keeps a bundle.
fn shelved(stage: &Stage, change: &Value) -> PathBuf {
    let digest = text(&change["to"], "digest");
    stage.path("data/bundles").join(format!("{digest}.bundle"))
}

fn running(stage: &Stage) -> u64 {
    told(stage, "dirk", &["running"])["running"]["number"].as_u64().unwrap()
}

fn refusals(records: &[Leaf]) -> usize {
    let refused = |leaf: &&Leaf| matches!(&leaf.event, Event::Bundle(change) if change.act == Act::Refused);
    records.iter().filter(refused).count()
}

#[test]
fn a_bundle_that_is_damaged_after_it_was_proposed_or_approved_is_refused_in_words() {
    let mut stage = stage();
    narrower(&stage, "second", 2);
    sign(&stage, "second");
    // What a crash left half-written before has no part in it.
    std::fs::write(stage.path("data/bundles/half.new"), b"{\"rules").unwrap();
    let change = told(&stage, "anna", &["propose", "desk/second"]);
    let (id, difference) = (text(&change, "change"), text(&change, "difference"));
    let path = shelved(&stage, &change);
    let whole = std::fs::read(&path).unwrap();

    // Between proposal and approval: nobody tries or approves what is not there.
    let mut refused = 0;
    for (name, damage, says) in DAMAGES.iter().filter(|(_, _, says)| *says == NOT_THAT) {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let tried = policy(&stage, "anna", &["replay", &id]);
        assert_ne!(tried.status, 0, "{name}");
        assert!(tried.err.contains("BUNDLE_REFUSED") && tried.err.contains(says), "{name}: {}", tried.said());
        refused += 1;
    }
    let early = policy(&stage, "bram", &["approve", &id, "--difference", &difference]);
    assert!(early.err.contains("NOT_SIMULATED"), "{}", early.said());
    std::fs::write(&path, &whole).unwrap();
    told(&stage, "anna", &["replay", &id]);
    told(&stage, "bram", &["approve", &id, "--difference", &difference]);

    // Between approval and activation.
    for (name, damage, says) in &DAMAGES {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let ran = policy(&stage, "bram", &["activate", &id]);
        assert_ne!(ran.status, 0, "{name}");
        assert!(ran.err.contains("BUNDLE_REFUSED") && ran.err.contains(says), "{name}: {}", ran.said());
        assert_eq!(running(&stage), 1, "{name}: the running one goes on");
        refused += 1;
    }
    std::fs::remove_file(&path).unwrap();
    let gone = policy(&stage, "bram", &["activate", &id]);
    assert!(gone.err.contains("not on the shelf any more"), "{}", gone.said());
    refused += 1;
    let alarms = stage.complaints().matches("a bundle was refused; the running one goes on").count();
    assert_eq!(alarms, refused, "an alarm each");
    let records = stage.whole_log_when(|records| refusals(records) == refused);
    let under = records.iter().filter(|leaf| leaf.kind() == Kind::Bundle).map(|leaf| leaf.bundle.number);
    assert!(under.clone().all(|number| number == 1), "each no stands under the bundle that goes on");

    // Put back whole, it is what was approved, and comes in.
    std::fs::write(&path, &whole).unwrap();
    told(&stage, "bram", &["activate", &id]);
    assert_eq!(running(&stage), 2);

    // While it runs, nothing reads its file; a start does, and takes no older one instead.
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    stage.register(&[], &crate::harness::document("X05-aanmelding")).done();
    stage.stop();
    let refused = stage.run(&["serve", "--config", stage.path("gateway.toml").to_str().unwrap()]);
    assert_ne!(refused.status, 0);
    assert!(refused.err.contains(NOT_THAT), "{}", refused.said());
    std::fs::write(&path, &whole).unwrap();
    stage.serve();
    assert_eq!(running(&stage), 2);
}

#[test]
fn a_change_that_was_overtaken_or_comes_again_is_refused_and_names_why() {
    let stage = stage();
    narrower(&stage, "one", 2);
    let one = approved(&stage, "one", &["bram"]);
    draft(&stage, "other", 2, |file, text| match file {
        "exchanges.toml" => text.replacen("retention_days = 730", "retention_days = 700", 1),
        _ => text,
    });
    let other = approved(&stage, "other", &["bram"]);
    told(&stage, "bram", &["activate", &one]);
    let says = |arguments: &[&str], why: &str| {
        let ran = policy(&stage, "bram", arguments);
        assert_ne!(ran.status, 0, "{arguments:?}");
        assert!(ran.err.contains(why), "{arguments:?}: {}", ran.said());
        assert_eq!(running(&stage), 2);
    };
    says(&["activate", &other], "RUNS_SOMETHING_ELSE");
    says(&["activate", &one], "CHANGE_OVER");
    says(&["propose", "desk/other"], "accepted before with other content");
    says(&["propose", "desk/shipped"], "BUNDLE_REFUSED");
    says(&["activate", &uuid()], "NOT_FOUND");
}

/// Callers that never stop, each on a connection of its own.
struct Callers {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Callers {
    async fn start(stage: &Stage, connections: usize, streams: usize) -> Callers {
        let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
        let document = letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")]);
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let member = Member::connect(stage, "gemeente", GEMEENTE, "klantmanager").await;
            for _ in 0..streams {
                let (member, document) = (member.clone(), document.clone());
                let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
                tasks.push(tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let request = wire::SendRequest { exchange_id: uuid(), ..document.clone() };
                        member.send("aanmelding", request).await.unwrap(); // a swap loses no call
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                }));
            }
        }
        Callers { stop, sent, tasks }
    }

    async fn some_more(&self, calls: u64) {
        let before = self.sent.load(Ordering::Relaxed);
        while self.sent.load(Ordering::Relaxed) < before + calls {
            assert!(self.tasks.iter().all(|task| !task.is_finished()), "a caller failed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.sent.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_come_and_go_under_thirty_two_callers_and_every_call_stands_under_one_of_them() {
    let stage = stage();
    let callers = Callers::start(&stage, 4, 8).await;
    callers.some_more(50).await;
    for number in [2, 3, 4] {
        let name = format!("number-{number}");
        // Without and with a driving licence, in turn: a narrowing takes one officer, a widening two.
        let approvers: &[&str] = if number % 2 == 0 {
            narrower(&stage, &name, number);
            &["bram"]
        } else {
            draft(&stage, &name, number, |_, text| text);
            &["bram", "carla"]
        };
        let id = approved(&stage, &name, approvers);
        callers.some_more(20).await;
        told(&stage, "bram", &["activate", &id]);
        callers.some_more(20).await;
    }
    let sent = usize::try_from(callers.stop().await).unwrap();
    let records = stage
        .whole_log_when(|records| records.iter().filter(|leaf| leaf.kind() == Kind::Sent).count() >= sent);
    let calls: Vec<&Leaf> = records.iter().filter(|leaf| leaf.kind() == Kind::Sent).collect();
    assert_eq!(calls.len(), sent, "each call is one record");
    let mut under: Vec<u64> = calls.iter().map(|leaf| leaf.bundle.number).collect();
    under.dedup();
    under.sort_unstable();
    under.dedup();
    assert_eq!(under, [1, 2, 3, 4]);
    let passed = |leaf: &Leaf| match &leaf.event {
        Event::Sent(carried) => carried.to[0].passed.clone(),
        _ => unreachable!(),
    };
    let (all, fewer) = (passed(calls[0]), calls.iter().find(|leaf| leaf.bundle.number == 2).unwrap());
    let fewer = passed(fewer);
    assert_ne!(all, fewer, "a driving licence less");
    for leaf in &calls {
        let expected = if leaf.bundle.number % 2 == 0 { &fewer } else { &all };
        assert_eq!(&passed(leaf), expected, "what passed is what the bundle that the record names lets pass");
    }
    assert!(
        files_below(&stage.path("data/bundles"))
            .iter()
            .all(|path| path.extension().is_some_and(|e| e == "bundle"))
    );
}
