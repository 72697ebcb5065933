//! Bad input: a precise reason, a record, and nothing delivered.
//!
//! One gateway for all that a client can send wrongly: every case counts the records with its reason before and
//! after, and at the end no mailbox holds anything.

use std::path::Path;

use ledger::Leaf;
use model::Reason;
use proto::veldwacht::exchange::v1 as wire;
use serde_json::json;
use tonic::Status;

use crate::harness::{CLIENT, GEMEENTE, GGZ, RIB, Stage, UWV, document, run, veldwacht};
use crate::member::{Member, bytes_of, endpoint, letter, reason, uuid};

/// Bytes that a document may have in these tests.
const LIMIT: usize = 8_000;

/// Records that name a reason, for the call or for a receiver.
fn with(records: &[Leaf], reason: Reason) -> usize {
    let names = |leaf: &&Leaf| {
        leaf.event.carried().is_some_and(|carried| {
            carried.reason == Some(reason)
                || carried.to.iter().any(|delivery| delivery.reason == Some(reason))
        })
    };
    records.iter().filter(names).count()
}

struct Refusing {
    stage: Stage,
    klantmanager: Member,
    behandelaar: Member,
    coach: Member,
}

impl Refusing {
    async fn start() -> Refusing {
        let stage = Stage::with(&format!("[limits]\ndocument_bytes = {LIMIT}\n"), "warn");
        Refusing {
            klantmanager: Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await,
            behandelaar: Member::connect(&stage, "ggz", GGZ, "behandelaar").await,
            coach: Member::connect(&stage, "rib", RIB, "coach").await,
            stage,
        }
    }

    /// It was refused for this reason, and one more record says so.
    fn expect(
        &self,
        what: &str,
        expected: Reason,
        answer: Result<wire::SendResponse, Status>,
        before: &mut usize,
    ) {
        let Err(status) = answer else { panic!("{what} was taken") };
        assert_eq!(reason(&status), expected.name(), "{what}: {status}");
        assert_eq!(status.code() as i32, expected.status(), "{what}");
        *before += 1;
        let size = *before;
        let records = self.stage.records_when(|records| records.len() >= size);
        assert_eq!(records.len(), size, "{what} leaves one record");
        assert_eq!(with(&records[size - 1..], expected), 1, "{what}: {:?}", records.last());
    }

    /// Nobody has anything waiting.
    fn nothing_was_delivered(&self) {
        let doors = [("gemeente", "klantmanager"), ("uwv", "arbeidsdeskundige"), ("uwv", "verzekeringsarts")];
        for (organisation, role) in doors.into_iter().chain([("ggz", "behandelaar"), ("rib", "coach")]) {
            assert!(self.stage.collect(organisation, role, &[]).is_empty(), "{role} has something waiting");
        }
    }
}

fn registration() -> wire::SendRequest {
    let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_document_is_refused_precisely_recorded_and_not_delivered() {
    let gateway = Refusing::start().await;
    let mut size = 0;
    let good = registration();
    let of_another = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |json| {
        json["client"]["bsn"] = json!("999990020")
    });
    let mut malformed = good.document.to_vec();
    malformed.truncate(malformed.len() - 3);
    let cases = [
        (
            "an unknown type",
            Reason::TypeUnknown,
            wire::SendRequest { message_type: "werkfit.v1.Geheim".into(), ..good.clone() },
        ),
        (
            "a BSN that fails the elfproef",
            Reason::ClientInvalid,
            wire::SendRequest { client_bsn: "999990018".into(), ..good.clone() },
        ),
        (
            "the BSN of another client",
            Reason::ClientMismatch,
            wire::SendRequest { document: of_another.into(), ..good.clone() },
        ),
        (
            "an unknown receiver",
            Reason::ReceiverUnknown,
            wire::SendRequest {
                receivers: vec![wire::Party { oin: "00000099000000008888".into(), role: "coach".into() }],
                ..good.clone()
            },
        ),
        (
            "a document over the limit",
            Reason::DocumentTooLarge,
            wire::SendRequest { document: vec![0; LIMIT + 1].into(), ..good.clone() },
        ),
        (
            "a document far over the limit",
            Reason::DocumentTooLarge,
            wire::SendRequest { document: vec![0; 1 << 20].into(), ..good.clone() },
        ),
        (
            "half a document",
            Reason::DocumentMalformed,
            wire::SendRequest { document: malformed.into(), ..good.clone() },
        ),
        (
            "bytes that are no document",
            Reason::DocumentMalformed,
            wire::SendRequest { document: vec![0xff; 64].into(), ..good.clone() },
        ),
        (
            "a sender's own descriptor",
            Reason::DescriptorNotBelieved,
            wire::SendRequest { descriptor_set: proto::DESCRIPTORS.to_vec().into(), ..good.clone() },
        ),
        (
            "an exchange id of its own making",
            Reason::ExchangeIdInvalid,
            wire::SendRequest { exchange_id: "1".into(), ..good.clone() },
        ),
    ];
    for (what, expected, request) in cases {
        let answer = gateway.klantmanager.send("aanmelding", request).await;
        gateway.expect(what, expected, answer, &mut size);
    }
    let undeclared = wire::SendRequest {
        receivers: vec![wire::Party { oin: UWV.into(), role: "verzekeringsarts".into() }],
        ..good
    };
    let answer = gateway.klantmanager.send("aanmelding", undeclared).await;
    gateway.expect("a receiver that no exchange names", Reason::ExchangeNotDeclared, answer, &mut size);
    gateway.nothing_was_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_assertion_is_refused_precisely_recorded_and_not_delivered() {
    let gateway = Refusing::start().await;
    let Refusing { klantmanager, coach, .. } = &gateway;
    let mut size = 0;
    let wrong_role = klantmanager.token("aanmelding", |claims| claims["role"] = json!("verzekeringsarts"));
    let expired = klantmanager.token("aanmelding", |claims| {
        claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 600);
        claims["exp"] = json!(claims["exp"].as_i64().unwrap() - 600);
    });
    let long = klantmanager
        .token("aanmelding", |claims| claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 600));
    let of_the_coach = coach.token("aanmelding", |_| ());
    let bound = klantmanager.token("aanmelding", |claims| {
        claims["cnf"]["x5t#S256"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    });
    let elsewhere = klantmanager.token("aanmelding", |claims| claims["aud"] = json!("another-gateway"));
    let cases = [
        ("a role that the key may not assert", Reason::RoleNotAllowed, wrong_role),
        ("an expired assertion", Reason::AssertionExpired, expired),
        ("an assertion of longer than five minutes", Reason::AssertionExpired, long),
        ("an assertion of another organisation", Reason::AssertionInvalid, of_the_coach),
        ("an assertion bound to another certificate", Reason::AssertionNotBound, bound),
        ("an assertion for another gateway", Reason::AssertionInvalid, elsewhere),
        ("no assertion at all, but a word", Reason::AssertionInvalid, "klantmanager".to_owned()),
    ];
    for (what, expected, token) in cases {
        let answer = klantmanager.send_with(&token, registration()).await;
        gateway.expect(what, expected, answer, &mut size);
    }
    gateway.nothing_was_delivered();
    let once = klantmanager.token("aanmelding", |_| ());
    klantmanager.send_with(&once, registration()).await.unwrap();
    size = gateway
        .stage
        .records_when(|records| with(records, Reason::RoleNotAllowed) == 1 && records.len() > size)
        .len();
    let replayed = klantmanager.send_with(&once, registration()).await;
    gateway.expect("a replayed assertion", Reason::AssertionReplayed, replayed, &mut size);
    assert_eq!(gateway.stage.collect("rib", "coach", &[]).len(), 1, "only what was sent well is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_consent_or_traject_nothing_passes() {
    let gateway = Refusing::start().await;
    let mut size = 0;
    let report = bytes_of("M1-medisch-verslag", "werkfit.v1.MedischVerslag", |_| ());
    let report = letter("werkfit.v1.MedischVerslag", report, &[(UWV, "verzekeringsarts"), (RIB, "coach")]);
    let answer = gateway.behandelaar.send("beoordeling_belastbaarheid", report).await;
    gateway.expect("a medisch verslag without consent", Reason::ConsentMissing, answer, &mut size);
    let progress = bytes_of("X11-voortgangsrapportage", "werkfit.v1.Voortgangsrapportage", |_| ());
    let progress = letter("werkfit.v1.Voortgangsrapportage", progress, &[(GEMEENTE, "klantmanager")]);
    let answer = gateway.coach.send("voortgang", progress).await;
    gateway.expect("a report about someone without traject", Reason::TrajectNotActive, answer, &mut size);
    gateway.nothing_was_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_rights_does_not_get_in() {
    let stage = Stage::start();
    let stranger = Stage::start(); // another CA altogether
    let anyone = async |identity: Option<&Path>| {
        let Ok(channel) = endpoint(&stage, identity).connect().await else { return false };
        let mut service = wire::exchange_service_client::ExchangeServiceClient::new(channel);
        // TLS 1.3: the client learns from its first call that its certificate was refused.
        let answer = service.send(registration()).await;
        answer.is_ok_and(|_| true)
    };
    assert!(!anyone(None).await, "no certificate");
    assert!(!anyone(Some(&stranger.certificate("rib", "coach"))).await, "a certificate of another CA");
    let certificate = stranger.certificate("gemeente", "klantmanager");
    let ca = stage.path("pki/gateway-ca.pem");
    let refused = stage.run(&[
        "send",
        "--as",
        certificate.to_str().unwrap(),
        "--ca",
        ca.to_str().unwrap(),
        "--to",
        &format!("{RIB}:coach"),
        "--purpose",
        "aanmelding",
        "--client",
        CLIENT,
        "--type",
        "werkfit.v1.Aanmelding",
        document("X05-aanmelding").to_str().unwrap(),
    ]);
    assert_eq!(refused.status, 3, "{}", refused.said());
    assert!(stage.collect("rib", "coach", &[]).is_empty());
}

#[test]
fn a_revoked_certificate_does_not_get_in() {
    let mut stage = Stage::start();
    stage.stop();
    run(veldwacht().args(["pki", "revoke", "--dir"]).arg(stage.path("pki")).arg("gemeente/klantmanager.pem"))
        .done();
    stage.serve();
    let refused = stage.register(&["--exchange", &uuid()], &document("X05-aanmelding"));
    assert_eq!(refused.status, 3, "{}", refused.said());
    assert!(stage.collect("rib", "coach", &[]).is_empty());
}
