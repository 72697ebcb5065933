//! No no without a record: what every service refuses, what tonic refuses by itself, who is turned away in the handshake.

use std::process::Command;

use ledger::Leaf;
use model::Reason;
use proto::veldwacht::audit::v1 as audit;
use proto::veldwacht::audit::v1::audit_service_client::AuditServiceClient;
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::harness::{GEMEENTE, RIB, Ran, Stage, run, veldwacht};
use crate::member::{Member, endpoint, reason, uuid};

/// Why, and whose: what a record of a refusal says.
fn said(leaf: &Leaf) -> (Option<Reason>, Option<String>) {
    let carried = leaf.event.carried().cloned().unwrap();
    (carried.reason, carried.from.map(|from| from.oin.to_string()))
}

struct Refused {
    stage: Stage,
    size: usize,
}

impl Refused {
    fn expect<T>(&mut self, what: &str, expected: Reason, answer: Result<T, Status>) {
        let Err(status) = answer else { panic!("{what} was answered") };
        assert_eq!(reason(&status), expected.name(), "{what}: {status}");
        self.expect_record(what, expected);
    }

    fn expect_record(&mut self, what: &str, expected: Reason) {
        self.size += 1;
        let size = self.size;
        let records = self.stage.records_when(|records| records.len() >= size);
        assert_eq!(records.len(), size, "{what}: one record a refusal");
        let (recorded, from) = said(&records[size - 1]);
        assert_eq!(recorded, Some(expected), "{what}");
        assert_eq!(from.as_deref(), Some(RIB), "{what}");
    }
}

/// A unary call of this path with these bytes in place of a message.
async fn raw(channel: Channel, path: &'static str, message: &'static [u8]) -> Result<(), Status> {
    let mut calls = tonic::client::Grpc::new(channel);
    calls.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let codec = tonic_prost::ProstCodec::<Rubbish, wire::SendResponse>::default();
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(path);
    calls.unary(tonic::Request::new(Rubbish(message)), path, codec).await.map(|_| ())
}

/// A message that is no message.
#[derive(Debug, Default)]
struct Rubbish(&'static [u8]);

impl prost::Message for Rubbish {
    fn encode_raw(&self, buf: &mut impl prost::bytes::BufMut) {
        buf.put_slice(self.0);
    }

    fn merge_field(
        &mut self,
        _: u32,
        _: prost::encoding::WireType,
        _: &mut impl prost::bytes::Buf,
        _: prost::encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_refuses_stands_in_the_log() {
    let stage = Stage::start();
    let coach = Member::connect(&stage, "rib", RIB, "coach").await;
    let mut refused = Refused { stage, size: 0 };
    let token = || coach.token("voortgang", |_| ());
    let mut exchange = ExchangeServiceClient::new(coach.channel());
    let mut log = AuditServiceClient::new(coach.channel());

    let receipt = |exchange_id: &str| wire::GetReceiptRequest { exchange_id: exchange_id.into() };
    let answer = exchange.get_receipt(Member::request(receipt("7"), &token())).await;
    refused.expect("a receipt of no exchange", Reason::ExchangeIdInvalid, answer);
    let answer = exchange.get_receipt(Member::request(receipt(&uuid()), &token())).await;
    refused.expect("a receipt of an exchange of others", Reason::NotFound, answer);
    let answer = exchange.get_receipt(Member::request(receipt(&uuid()), "nobody's")).await;
    refused.expect("a receipt without a role", Reason::AssertionInvalid, answer);
    let entry = audit::GetEntryRequest { index: 1 << 40 };
    let answer = log.get_entry(Member::request(entry, &token())).await;
    refused.expect("an entry that is not there", Reason::NotFound, answer);
    let proof = audit::GetConsistencyProofRequest { old_size: 3, new_size: 2 };
    let answer = log.get_consistency_proof(Member::request(proof, &token())).await;
    refused.expect("a proof that the log shrank", Reason::NotFound, answer);
    let acknowledge = wire::Acknowledge { delivery_id: uuid() };
    let first = wire::CollectRequest { act: Some(wire::collect_request::Act::Acknowledge(acknowledge)) };
    let answer = exchange.collect(Member::request(tokio_stream::iter([first]), &token())).await;
    refused.expect("a collect that does not begin with start", Reason::RequestInvalid, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_library_refuses_stands_in_the_log_as_well() {
    let stage = Stage::start();
    let coach = Member::connect(&stage, "rib", RIB, "coach").await;
    let mut refused = Refused { stage, size: 0 };
    let answer = raw(coach.channel(), "/veldwacht.exchange.v1.ExchangeService/Send", b"\x0f\xff\xff").await;
    refused.expect("a message that is no message", Reason::RequestInvalid, answer);
    let answer = raw(coach.channel(), "/veldwacht.exchange.v1.ExchangeService/Sendd", b"").await;
    assert_eq!(answer.unwrap_err().code(), tonic::Code::Unimplemented, "as callers know it");
    refused.expect_record("a method that is not there", Reason::NotFound);
}

fn pki(stage: &Stage, arguments: &[&str]) -> Ran {
    let mut command: Command = veldwacht();
    command.arg("pki").arg(arguments[0]).arg("--dir").arg(stage.path("pki")).args(&arguments[1..]);
    run(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_turned_away_in_the_handshake_with_a_certificate_stands_in_the_log() {
    let mut stage = Stage::start();
    stage.stop();
    let knock = async |stage: &Stage, certificate: &str| {
        let identity = stage.path("pki").join(certificate);
        // TLS 1.3: the client learns from its first call that its certificate was refused.
        let Ok(channel) = endpoint(stage, Some(&identity)).connect().await else { return };
        let request = audit::GetCheckpointRequest::default();
        assert!(AuditServiceClient::new(channel).get_checkpoint(request).await.is_err());
    };
    pki(&stage, &["revoke", "gemeente/klantmanager.pem"]).done();
    let registry = std::fs::read_to_string(stage.path("pki/registry.toml")).unwrap();
    std::fs::write(stage.path("pki/registry.toml"), registry.replace("\"coach\"", "\"coach-2\"")).unwrap();
    stage.serve();
    // A client that tries again is turned away again, so there may be more than one record of each.
    knock(&stage, "gemeente/klantmanager.pem").await;
    let revoked = stage.records_when(|records| !records.is_empty());
    assert_eq!(said(&revoked[0]), (Some(Reason::CertificateRefused), Some(GEMEENTE.to_owned())), "revoked");
    knock(&stage, "rib/coach.pem").await;
    let is_unregistered = |leaf: &Leaf| said(leaf) == (Some(Reason::CertificateRefused), None);
    stage.records_when(|records| records.iter().any(is_unregistered));
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let known = stage.records_when(|_| true).len();
    // A stranger is the door's affair: nobody vouches for what stands in its certificate.
    let other = Stage::start();
    std::fs::create_dir(stage.path("pki/other")).unwrap();
    for name in ["coach.pem", "coach.key.pem"] {
        std::fs::copy(other.path("pki/rib").join(name), stage.path("pki/other").join(name)).unwrap();
    }
    knock(&stage, "other/coach.pem").await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(stage.records_when(|_| true).len(), known, "no record of a stranger");
}
