//! Certificates, keys and lists renewed while calls are in flight: the gateway's own go over without a word, and who is
//! taken out of the registry or the lists is felt by the very stream that is open.

use std::path::Path;
use std::time::Duration;

use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::collect_request::Act;
use proto::veldwacht::exchange::v1::collect_response::Event;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;
use tonic::{Status, Streaming};

use crate::harness::{GEMEENTE, RIB, Stage, run, veldwacht};
use crate::member::{Member, bytes_of, letter, reason};

async fn follow(coach: &Member) -> Streaming<wire::CollectResponse> {
    let start = wire::CollectRequest { act: Some(Act::Start(wire::Start { follow: true })) };
    // A stream that never ends from this side: nothing is acknowledged, and nothing more is asked.
    let (asking, requests) = tokio::sync::mpsc::channel(1);
    asking.send(start).await.unwrap();
    std::mem::forget(asking);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let token = coach.token("aanmelding", |_| ());
    let mut service = ExchangeServiceClient::new(coach.channel());
    service.collect(Member::request(requests, &token)).await.unwrap().into_inner()
}

async fn register(klantmanager: &Member) -> String {
    let document = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let letter = letter("werkfit.v1.Aanmelding", document, &[(RIB, "coach")]);
    klantmanager.send("aanmelding", letter).await.unwrap().exchange_id
}

async fn next(stream: &mut Streaming<wire::CollectResponse>) -> Result<String, Status> {
    let response = tokio::time::timeout(Duration::from_secs(30), stream.message()).await;
    match response.unwrap()?.and_then(|response| response.event) {
        Some(Event::Delivery(delivery)) => Ok(delivery.exchange_id),
        _ => Err(Status::ok("the stream ended")),
    }
}

/// Until the gateway has looked at its files, which it does every second here.
async fn looked() {
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_renewed_while_a_stream_is_open_does_not_end_it_and_a_revocation_does() {
    let stage = Stage::started_with(|text| text.replace("[tls]\n", "[tls]\nlook_every_seconds = 1\n"));
    let coach = Member::connect(&stage, "rib", RIB, "coach").await;
    let klantmanager = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    let mut stream = follow(&coach).await;
    let first = register(&klantmanager).await;
    assert_eq!(next(&mut stream).await.unwrap(), first);

    // Another certificate and key of the gateway, of another authority.
    let renewed = stage.path("renewed");
    run(veldwacht().args(["pki", "init", "--dir"]).arg(&renewed)).done();
    for name in ["gateway.pem", "gateway.key.pem"] {
        copy(&renewed.join(name), &stage.path("pki").join(name));
    }
    looked().await;
    let second = register(&klantmanager).await;
    assert_eq!(next(&mut stream).await.unwrap(), second, "the stream goes on");
    copy(&renewed.join("gateway-ca.pem"), &stage.path("pki/gateway-ca.pem"));
    let newcomer = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    let third = register(&newcomer).await;
    assert_eq!(next(&mut stream).await.unwrap(), third, "who comes next sees the new certificate");

    run(veldwacht().args(["pki", "revoke", "--dir"]).arg(stage.path("pki")).arg("rib/coach.pem")).done();
    looked().await;
    register(&klantmanager).await;
    let ended = next(&mut stream).await.unwrap_err();
    assert_eq!(reason(&ended), "CERTIFICATE_REFUSED", "{ended}");
    // The gemeente's connection is not touched by it.
    register(&klantmanager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_key_that_leaves_the_registry_is_not_believed_by_the_next_call() {
    let stage = Stage::started_with(|text| text.replace("[tls]\n", "[tls]\nlook_every_seconds = 1\n"));
    let klantmanager = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    register(&klantmanager).await;
    let path = stage.path("pki/registry.toml");
    let registry = std::fs::read_to_string(&path).unwrap();
    let without = registry.replace("\"klantmanager\"", "\"stille-vennoot\"");
    assert_ne!(registry, without);
    // The system keeps its name; its role is taken away.
    let without = without.replace("systems = [\"stille-vennoot\"", "systems = [\"klantmanager\"");
    std::fs::write(&path, without).unwrap();
    looked().await;
    let document = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let letter = letter("werkfit.v1.Aanmelding", document, &[(RIB, "coach")]);
    let refused = klantmanager.send("aanmelding", letter).await.map(drop).unwrap_err();
    assert!(["ROLE_NOT_ALLOWED", "CERTIFICATE_REFUSED"].contains(&reason(&refused).as_str()), "{refused}");
    std::fs::write(&path, registry).unwrap();
    looked().await;
    register(&klantmanager).await;
}
