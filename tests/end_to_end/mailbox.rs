//! What waits for a receiver: at least once until it is acknowledged, once per exchange, gone when consent is.

use ledger::Kind;

use crate::harness::{CLIENT, GGZ, RIB, Stage, document};
use crate::member::{Member, bytes_of, letter, uuid};

#[test]
fn what_is_not_acknowledged_comes_again_and_what_is_never_does() {
    let stage = Stage::start();
    stage.register(&[], &document("X05-aanmelding")).done();
    let first = stage.collect("rib", "coach", &[]);
    let second = stage.collect("rib", "coach", &["--ack"]);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["delivery"], second[0]["delivery"]);
    assert_eq!(first[0]["document"], second[0]["document"]);
    assert!(stage.collect("rib", "coach", &[]).is_empty());
    let handed_out =
        |records: &[ledger::Leaf]| records.iter().filter(|leaf| leaf.kind() == Kind::HandedOut).count();
    stage.records_when(|records| {
        handed_out(records) == 2 && records.iter().any(|leaf| leaf.kind() == Kind::Acknowledged)
    });
}

#[test]
fn the_same_exchange_twice_is_one_delivery_and_another_document_is_refused() {
    let stage = Stage::start();
    let id = uuid();
    let sent = |file: &str| stage.register(&["--exchange", &id], &document(file));
    let read = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let first = read(sent("X05-aanmelding").done());
    let second = read(sent("X05-aanmelding").done());
    assert_eq!(first["record"], second["record"]);
    assert_eq!(first["exchange"], id.as_str());
    let changed = stage.path("other.json");
    let other =
        std::fs::read_to_string(document("X05-aanmelding")).unwrap().replace("acht jaar", "zeven jaar");
    std::fs::write(&changed, other).unwrap();
    let refused = stage.register(&["--exchange", &id], &changed);
    assert_ne!(refused.status, 0);
    assert!(refused.said().contains("EXCHANGE_ID_REUSED"), "{}", refused.said());
    assert_eq!(stage.collect("rib", "coach", &[]).len(), 1);
    let records = stage.records_when(|records| records.iter().any(|leaf| leaf.kind() == Kind::HandedOut));
    let sent = records.iter().filter(|leaf| leaf.kind() == Kind::Sent && leaf.exchange.to_string() == id);
    assert_eq!(sent.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_reaches_what_already_waits() {
    let stage = Stage::start();
    stage.register(&[], &document("X05-aanmelding")).done();
    stage.traject(3);
    let coach = Member::connect(&stage, "rib", RIB, "coach").await;
    coach.grant(GGZ, "behandelaar", "afstemming").await;
    let question = bytes_of("X10-vraag", "werkfit.v1.Afstemming", |_| ());
    let question = letter("werkfit.v1.Afstemming", question, &[(GGZ, "behandelaar")]);
    coach.send("afstemming", question.clone()).await.unwrap();
    coach.withdraw(GGZ, "behandelaar", "afstemming").await;
    assert!(stage.collect("ggz", "behandelaar", &[]).is_empty(), "it waited, and the consent is gone");
    let refused = coach.send("afstemming", question.clone()).await.err().unwrap();
    assert_eq!(crate::member::reason(&refused), "CONSENT_WITHDRAWN");
    coach.grant(GGZ, "behandelaar", "afstemming").await;
    coach.send("afstemming", question).await.unwrap();
    assert!(
        !stage.collect("ggz", "behandelaar", &[]).is_empty(),
        "a new consent is good for what is sent now"
    );
}

#[test]
fn a_mailbox_is_the_same_after_its_views_were_deleted() {
    let mut stage = Stage::start();
    for file in ["X05-aanmelding", "X05-aanmelding", "X05-aanmelding"] {
        stage.register(&[], &document(file)).done();
    }
    assert_eq!(stage.collect("rib", "coach", &["--ack"]).len(), 3);
    stage.register(&[], &document("X05-aanmelding")).done();
    let before = stage.collect("rib", "coach", &[]);
    assert_eq!(before.len(), 1);
    stage.stop();
    let views = stage.path("data/views");
    assert!(views.is_dir(), "the views are where this test deletes them");
    std::fs::remove_dir_all(&views).unwrap();
    stage.serve();
    let after = stage.collect("rib", "coach", &[]);
    assert_eq!(after.len(), 1);
    assert_eq!(after[0]["delivery"], before[0]["delivery"]);
    assert_eq!(after[0]["document"], before[0]["document"]);
    assert_eq!(after[0]["document"]["client"]["bsn"], CLIENT, "and it can still be opened");
}
