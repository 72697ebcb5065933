//! kill -9 at any moment: what was acknowledged to a sender is there after the restart, once, and stands in the log once.
//!
//! Five kills in an ordinary run; `VELDWACHT_KILLS=100` for more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger::Kind;
use proto::veldwacht::exchange::v1 as wire;

use crate::harness::{GEMEENTE, RIB, Stage};
use crate::member::{Member, bytes_of, letter, uuid};

/// Senders at once, so that a kill finds several in one flush.
const SENDERS: usize = 4;

fn kills() -> u32 {
    std::env::var("VELDWACHT_KILLS").ok().map_or(5, |number| number.parse().unwrap())
}

/// Sends until the gateway is gone; each exchange that was answered is written down.
async fn send_until_it_dies(
    member: Member,
    document: wire::SendRequest,
    acknowledged: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let id = uuid();
        let request = wire::SendRequest { exchange_id: id.clone(), ..document.clone() };
        match member.send("aanmelding", request).await {
            Ok(answer) => {
                assert_eq!(answer.exchange_id, id);
                acknowledged.lock().unwrap().push(id);
            }
            Err(_) => return,
        }
    }
}

/// A moment between 20 and 500 milliseconds, from the system's randomness.
fn moment() -> Duration {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).unwrap();
    Duration::from_millis(20 + u64::from(u16::from_le_bytes(bytes)) % 480)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_exactly_once() {
    let mut stage = Stage::start();
    let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let document = letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")]);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..kills() {
        let member = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
        let sending = (0..SENDERS).map(|_| {
            tokio::spawn(send_until_it_dies(member.clone(), document.clone(), Arc::clone(&acknowledged)))
        });
        let sending: Vec<_> = sending.collect();
        tokio::time::sleep(moment()).await;
        stage.kill();
        for sender in sending {
            sender.await.unwrap();
        }
        stage.serve();
    }
    let acknowledged = Arc::try_unwrap(acknowledged).unwrap().into_inner().unwrap();
    assert!(acknowledged.len() > SENDERS, "{} exchanges were acknowledged", acknowledged.len());

    let mut collected: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        // A receiver is handed out so many at a time.
        let deliveries = stage.collect("rib", "coach", &["--ack"]);
        if deliveries.is_empty() {
            break;
        }
        for delivery in deliveries {
            *collected.entry(delivery["exchange"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    for id in &acknowledged {
        assert_eq!(collected.get(id), Some(&1), "an acknowledged exchange is collected once");
    }
    assert!(collected.values().all(|times| *times == 1), "also what was written but never answered");

    let sent = |records: &[ledger::Leaf]| {
        let mut sent: BTreeMap<String, u32> = BTreeMap::new();
        for leaf in records.iter().filter(|leaf| leaf.kind() == Kind::Sent) {
            *sent.entry(leaf.exchange.to_string()).or_default() += 1;
        }
        sent
    };
    let records = stage.records_when(|records| {
        records.iter().filter(|leaf| leaf.kind() == Kind::Acknowledged).count() == collected.len()
    });
    assert_eq!(sent(&records), collected, "one `sent` record for each, in the log that verifies");
}
