//! A soak: senders, receivers that acknowledge, clients that come and go, and calls that are refused, for as long as it is
//! asked (`tests/soak SECONDS`); some seconds here. Nothing that was acknowledged is lost or comes twice, and memory
//! stays where it was.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::collect_request::Act;
use proto::veldwacht::exchange::v1::collect_response::Event;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;

use crate::harness::{GEMEENTE, RIB, Stage};
use crate::member::{Member, bytes_of, letter, reason};
use crate::pressure::asked;

/// What happened, by exchange.
#[derive(Default)]
struct Account {
    sent: HashSet<String>,
    acknowledged: HashSet<String>,
    refused: u64,
}

type Shared = Arc<Mutex<Account>>;

async fn sends(member: Member, account: Shared, until: Instant) {
    let document = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let letter = letter("werkfit.v1.Aanmelding", document, &[(RIB, "coach")]);
    let malformed = wire::SendRequest { document: vec![0x0f; 100].into(), ..letter.clone() };
    for number in 0_u64.. {
        if Instant::now() > until {
            return;
        }
        if number % 10 == 9 {
            let refused = member.send("aanmelding", malformed.clone()).await.map(drop).unwrap_err();
            assert_eq!(reason(&refused), "DOCUMENT_MALFORMED");
            account.lock().unwrap().refused += 1;
        }
        let sent = member.send("aanmelding", letter.clone()).await.unwrap();
        assert!(account.lock().unwrap().sent.insert(sent.exchange_id), "an exchange id twice");
    }
}

/// A stream lasts as long as its assertion: so long a receiver stays on one.
const ON_ONE_STREAM: Duration = Duration::from_secs(4 * 60);

/// Collects and acknowledges until everything that was sent has come, or nothing comes any more.
async fn collects(member: Member, account: Shared, until: Instant) {
    loop {
        let (asking, requests) = tokio::sync::mpsc::channel(64);
        asking
            .send(wire::CollectRequest { act: Some(Act::Start(wire::Start { follow: false })) })
            .await
            .unwrap();
        let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
        let request = Member::request(requests, &member.token("aanmelding", |_| ()));
        let mut service = ExchangeServiceClient::new(member.channel());
        let mut stream = service.collect(request).await.unwrap().into_inner();
        let (mut delivered, mut came) = (std::collections::HashMap::new(), 0);
        let (mut asking, ends) = (Some(asking), Instant::now() + ON_ONE_STREAM);
        while let Some(response) = stream.message().await.unwrap() {
            match response.event.unwrap() {
                Event::Delivery(delivery) => {
                    came += 1;
                    if Instant::now() > ends {
                        asking = None; // what is not acknowledged comes again
                    }
                    let Some(asking) = &asking else { continue };
                    let delivery_id = delivery.delivery_id;
                    delivered.insert(delivery_id.clone(), delivery.exchange_id);
                    let act = Some(Act::Acknowledge(wire::Acknowledge { delivery_id }));
                    asking.send(wire::CollectRequest { act }).await.unwrap();
                }
                Event::Acknowledged(acknowledged) => {
                    let exchange = delivered.remove(&acknowledged.delivery_id).unwrap();
                    let first = account.lock().unwrap().acknowledged.insert(exchange);
                    assert!(first, "it came again after it was acknowledged");
                }
            }
        }
        if came == 0 && Instant::now() > until {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Comes, asks something, goes.
async fn come_and_go(stage: Arc<Stage>, until: Instant) {
    while Instant::now() < until {
        let member = Member::connect(&stage, "rib", RIB, "coach").await;
        let receipt = wire::GetReceiptRequest { exchange_id: crate::member::uuid() };
        let request = Member::request(receipt, &member.token("aanmelding", |_| ()));
        let answer = ExchangeServiceClient::new(member.channel()).get_receipt(request).await;
        assert_eq!(reason(&answer.map(drop).unwrap_err()), "NOT_FOUND");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_memory_stays_bounded_however_long_it_lasts() {
    let time = Duration::from_secs_f64(asked("VELDWACHT_TEST_SOAK", 5.0));
    let stage = Arc::new(Stage::start());
    let account = Shared::default();
    let (begun, until) = (Instant::now(), Instant::now() + time);
    let mut work = Vec::new();
    for _ in 0..4 {
        let sender = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
        work.push(tokio::spawn(sends(sender, Arc::clone(&account), until)));
    }
    let receiver = Member::connect(&stage, "rib", RIB, "coach").await;
    work.push(tokio::spawn(collects(receiver, Arc::clone(&account), until)));
    work.push(tokio::spawn(come_and_go(Arc::clone(&stage), until)));
    // A quarter of the time to warm up: caches, buffers, the first segments.
    tokio::time::sleep(time / 4).await;
    let warm = stage.memory();
    for work in work {
        work.await.unwrap();
    }
    let (after, account) = (stage.memory(), account.lock().unwrap());
    println!(
        "{} sent, {} acknowledged, {} refused in {:.0} s; {} MB warm, {} MB at the end",
        account.sent.len(),
        account.acknowledged.len(),
        account.refused,
        begun.elapsed().as_secs_f64(),
        warm / 1024,
        after / 1024,
    );
    assert_eq!(account.sent, account.acknowledged, "what was acknowledged to a sender arrived, once");
    assert!(stage.collect("rib", "coach", &[]).is_empty(), "nothing waits");
    // An index of what is in the log grows with it: views, and the keys of records.
    let grown = after.saturating_sub(warm) * 1024;
    let records = (account.sent.len() * 3 + account.refused as usize) as u64;
    assert!(grown < (96 << 20) + records * 1_024, "{grown} bytes more after {records} records");
}
