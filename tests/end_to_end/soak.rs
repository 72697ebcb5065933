//! A soak: senders, receivers that acknowledge, clients that come and go, and calls that are refused, at a steady pace
//! for as long as it is asked (`tests/soak SECONDS`); some seconds here. Nothing that was acknowledged is lost or comes
//! twice, and memory stays where it was.
//!
//! Clients do what those of organisations do when a call is given up: they make it again, with the same exchange id. That
//! happens only when the machine itself stood still – its disk, or all of it –, which is watched beside the gateway.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::collect_request::Act;
use proto::veldwacht::exchange::v1::collect_response::Event;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;
use tonic::Status;

use crate::harness::{GEMEENTE, RIB, Stage};
use crate::member::{Member, bytes_of, letter, reason, uuid};
use crate::pressure::asked;

/// What happened, by exchange.
#[derive(Default)]
struct Account {
    sent: HashSet<String>,
    /// The receiver asked for an acknowledgement, and may not have heard of it.
    taken: HashSet<String>,
    acknowledged: HashSet<String>,
    refused: u64,
    /// Calls and streams that were given up, and made again.
    again: u64,
}

type Shared = Arc<Mutex<Account>>;

/// Whether a call was given up for its time, which says nothing about what it asked.
fn given_up(status: &Status) -> bool {
    ["DEADLINE_EXCEEDED", "ASSERTION_EXPIRED"].contains(&reason(status).as_str())
}

/// So many letters a second by each sender.
fn pace() -> tokio::time::Interval {
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / asked("VELDWACHT_TEST_RATE", 25.0)));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    pace
}

async fn sends(member: Member, account: Shared, until: Instant) {
    let document = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let letter = letter("werkfit.v1.Aanmelding", document, &[(RIB, "coach")]);
    let malformed = wire::SendRequest { document: vec![0x0f; 100].into(), ..letter.clone() };
    let mut pace = pace();
    for number in 0_u64.. {
        pace.tick().await;
        if Instant::now() > until {
            return;
        }
        if number % 10 == 9 {
            let refused = member.send("aanmelding", malformed.clone()).await.map(drop).unwrap_err();
            if given_up(&refused) {
                account.lock().unwrap().again += 1;
                continue;
            }
            assert_eq!(reason(&refused), "DOCUMENT_MALFORMED");
            account.lock().unwrap().refused += 1;
        }
        let letter = wire::SendRequest { exchange_id: uuid(), ..letter.clone() };
        let sent = loop {
            match member.send("aanmelding", letter.clone()).await {
                Ok(sent) => break sent,
                Err(status) if given_up(&status) => account.lock().unwrap().again += 1,
                Err(status) => panic!("{status:?}"),
            }
        };
        assert_eq!(sent.exchange_id, letter.exchange_id);
        assert!(account.lock().unwrap().sent.insert(sent.exchange_id), "an exchange id twice");
    }
}

/// A stream lasts as long as its assertion: so long a receiver stays on one.
const ON_ONE_STREAM: Duration = Duration::from_secs(4 * 60);

/// Collects and acknowledges until everything that was sent has come, or nothing comes any more.
async fn collects(member: Member, account: Shared, until: Instant) {
    loop {
        match collected(&member, &account).await {
            Ok(0) if Instant::now() > until => return,
            Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(status) if given_up(&status) => account.lock().unwrap().again += 1,
            Err(status) => panic!("{status:?}"),
        }
    }
}

/// Takes what waits, by one stream; how many came.
async fn collected(member: &Member, account: &Shared) -> Result<usize, Status> {
    let (asking, requests) = tokio::sync::mpsc::channel(64);
    asking.send(wire::CollectRequest { act: Some(Act::Start(wire::Start { follow: false })) }).await.unwrap();
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let request = Member::request(requests, &member.token("aanmelding", |_| ()));
    let mut stream = ExchangeServiceClient::new(member.channel()).collect(request).await?.into_inner();
    let (mut delivered, mut came) = (HashMap::new(), 0);
    let (mut asking, ends) = (Some(asking), Instant::now() + ON_ONE_STREAM);
    while let Some(response) = stream.message().await? {
        match response.event.unwrap() {
            Event::Delivery(delivery) => {
                came += 1;
                if Instant::now() > ends {
                    asking = None; // what is not acknowledged comes again
                }
                let Some(asking) = &asking else { continue };
                let wire::Delivery { delivery_id, exchange_id, .. } = delivery;
                account.lock().unwrap().taken.insert(exchange_id.clone());
                delivered.insert(delivery_id.clone(), exchange_id);
                let act = Some(Act::Acknowledge(wire::Acknowledge { delivery_id }));
                // A stream that is over says so itself.
                let _ = asking.send(wire::CollectRequest { act }).await;
            }
            Event::Acknowledged(acknowledged) => {
                let exchange = delivered.remove(&acknowledged.delivery_id).unwrap();
                let first = account.lock().unwrap().acknowledged.insert(exchange);
                assert!(first, "it came again after it was acknowledged");
            }
        }
    }
    Ok(came)
}

/// Comes, asks something, goes.
async fn come_and_go(stage: Arc<Stage>, account: Shared, until: Instant) {
    while Instant::now() < until {
        let member = Member::connect(&stage, "rib", RIB, "coach").await;
        let receipt = wire::GetReceiptRequest { exchange_id: uuid() };
        let request = Member::request(receipt, &member.token("aanmelding", |_| ()));
        let answer = ExchangeServiceClient::new(member.channel()).get_receipt(request).await;
        let refused = answer.map(drop).unwrap_err();
        if given_up(&refused) {
            account.lock().unwrap().again += 1;
        } else {
            assert_eq!(reason(&refused), "NOT_FOUND");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Watches how long the machine stands still: flushes a page to the gateway's disk, again and again, until `over`.
fn stood_still(stage: &Stage, over: Arc<AtomicBool>) -> std::thread::JoinHandle<Duration> {
    let file = File::create(stage.path("watch")).unwrap();
    std::thread::spawn(move || {
        let mut longest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            file.write_all_at(&[7; 4096], 0).unwrap();
            file.sync_data().unwrap();
            std::thread::sleep(Duration::from_millis(100));
            longest = longest.max(begun.elapsed());
        }
        longest
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_memory_stays_bounded_however_long_it_lasts() {
    let time = Duration::from_secs_f64(asked("VELDWACHT_TEST_SOAK", 5.0));
    let stage = Arc::new(Stage::start());
    let account = Shared::default();
    let over = Arc::new(AtomicBool::new(false));
    let watch = stood_still(&stage, Arc::clone(&over));
    let (begun, until) = (Instant::now(), Instant::now() + time);
    let mut work = Vec::new();
    for _ in 0..4 {
        let sender = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
        work.push(tokio::spawn(sends(sender, Arc::clone(&account), until)));
    }
    let receiver = Member::connect(&stage, "rib", RIB, "coach").await;
    work.push(tokio::spawn(collects(receiver, Arc::clone(&account), until)));
    work.push(tokio::spawn(come_and_go(Arc::clone(&stage), Arc::clone(&account), until)));
    // A quarter of the time to warm up: caches, buffers, the first segments.
    tokio::time::sleep(time / 4).await;
    let warm = stage.memory();
    for work in work {
        work.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let (after, longest, account) = (stage.memory(), watch.join().unwrap(), account.lock().unwrap());
    println!(
        "{} sent, {} acknowledged, {} refused, {} made again in {:.0} s; {} MB warm, {} MB at the end; \
         the machine stood still for {:.1} s at most",
        account.sent.len(),
        account.acknowledged.len(),
        account.refused,
        account.again,
        begun.elapsed().as_secs_f64(),
        warm / 1024,
        after / 1024,
        longest.as_secs_f64(),
    );
    assert!(account.sent.is_subset(&account.taken), "what was acknowledged to a sender arrived");
    assert!(account.again > 0 || account.sent == account.acknowledged, "and its receiver heard of it");
    assert!(stage.collect("rib", "coach", &[]).is_empty(), "nothing waits");
    assert!(account.again == 0 || longest > STILL, "a call was given up, and nothing had stood still");
    // An index of what is in the log grows with it: views, and the keys of records.
    let grown = after.saturating_sub(warm) * 1024;
    let records = (account.sent.len() * 3 + account.refused as usize) as u64;
    assert!(grown < (96 << 20) + records * 256, "{grown} bytes more after {records} records");
}

/// The gateway gives a call up after a minute. Whoever met that met at least this much of a machine that stood still.
const STILL: Duration = Duration::from_secs(10);
