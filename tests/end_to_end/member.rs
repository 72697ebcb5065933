//! An organisation's own client: ordinary gRPC, ordinary tokens, nothing of the binary under test.
//!
//! Owns: connecting, signing assertions – also bad ones – and reading the reason out of a status. Written apart from
//! the gateway's own client, so that one mistake cannot hide in both.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use proto::veldwacht::consent::v1 as consent;
use proto::veldwacht::consent::v1::consent_service_client::ConsentServiceClient;
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::harness::{CLIENT, Stage, document};

/// A connected system of an organisation, and who works there.
#[derive(Clone)]
pub(crate) struct Member {
    channel: Channel,
    signer: std::sync::Arc<Ed25519KeyPair>,
    claims: Value,
}

/// A channel with this identity, or none.
pub(crate) fn endpoint(stage: &Stage, identity: Option<&Path>) -> Endpoint {
    let ca = std::fs::read(stage.path("pki/gateway-ca.pem")).unwrap();
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    if let Some(certificate) = identity {
        let key = std::fs::read(certificate.with_extension("key.pem")).unwrap();
        tls = tls.identity(Identity::from_pem(std::fs::read(certificate).unwrap(), key));
    }
    Endpoint::from_shared(format!("https://{}", stage.address)).unwrap().tls_config(tls).unwrap()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

impl Member {
    /// Connects as the system that is called after its role.
    pub(crate) async fn connect(stage: &Stage, organisation: &str, oin: &str, role: &str) -> Member {
        let path = stage.certificate(organisation, role);
        let channel = endpoint(stage, Some(&path)).connect().await.unwrap();
        let certificate = CertificateDer::from_pem_file(&path).unwrap();
        let key = PrivatePkcs8KeyDer::from_pem_file(path.with_file_name("assert.key.pem")).unwrap();
        let signer = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der()).unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        let mut claims = json!({ "iss": oin, "sub": "m.tester", "aud": "veldwacht", "role": role,
                                 "cnf": { "x5t#S256": thumbprint } });
        if role == "behandelaar" || role == "verzekeringsarts" {
            claims["big"] = json!("19012345601");
        }
        Member { channel, signer: signer.into(), claims }
    }

    /// A token of five minutes for this purpose, changed as a test likes.
    pub(crate) fn token(&self, purpose: &str, change: impl FnOnce(&mut Value)) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.signer.public_key());
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, jwk.as_bytes()));
        let mut claims = self.claims.clone();
        claims["purpose"] = json!(purpose);
        claims["iat"] = json!(now());
        claims["exp"] = json!(now() + 300);
        claims["jti"] = json!(uuid());
        change(&mut claims);
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed =
            format!("{}.{}", part(json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid })), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signer.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A request with this token on it.
    pub(crate) fn request<T>(message: T, token: &str) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    /// The connection, for what this client has no words for.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Sends, with a good token.
    pub(crate) async fn send(
        &self,
        purpose: &str,
        message: wire::SendRequest,
    ) -> Result<wire::SendResponse, Status> {
        self.send_with(&self.token(purpose, |_| ()), message).await
    }

    /// Sends with this token.
    pub(crate) async fn send_with(
        &self,
        token: &str,
        message: wire::SendRequest,
    ) -> Result<wire::SendResponse, Status> {
        let mut service =
            ExchangeServiceClient::new(self.channel.clone()).max_encoding_message_size(64 << 20);
        service.send(Member::request(message, token)).await.map(tonic::Response::into_inner)
    }

    /// Brings in both consents of the client.
    pub(crate) async fn grant(&self, receiver: &str, role: &str, purpose: &str) {
        let request = consent::GrantRequest {
            client_bsn: CLIENT.into(),
            kinds: vec![consent::Kind::Beroepsgeheim as i32, consent::Kind::Gezondheidsgegevens as i32],
            scope: Some(scope(receiver, role, purpose)),
            expires_at: Some(prost_types::Timestamp { seconds: now() + 86_400, nanos: 0 }),
        };
        let request = Member::request(request, &self.token("toestemming", |_| ()));
        ConsentServiceClient::new(self.channel.clone()).grant(request).await.unwrap();
    }

    /// Brings in that the client takes both back.
    pub(crate) async fn withdraw(&self, receiver: &str, role: &str, purpose: &str) {
        let scope = Some(scope(receiver, role, purpose));
        let request = consent::WithdrawRequest { client_bsn: CLIENT.into(), kinds: Vec::new(), scope };
        let request = Member::request(request, &self.token("toestemming", |_| ()));
        ConsentServiceClient::new(self.channel.clone()).withdraw(request).await.unwrap();
    }
}

fn scope(receiver: &str, role: &str, purpose: &str) -> consent::Scope {
    consent::Scope { receiver_oin: receiver.into(), receiver_role: role.into(), purpose: purpose.into() }
}

/// A fresh UUIDv7 (RFC 9562).
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[10..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let text = hex::encode(bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// The bytes of a document in `tests/data/documents`, changed as a test likes.
pub(crate) fn bytes_of(name: &str, message: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&std::fs::read(document(name)).unwrap()).unwrap();
    change(&mut json);
    let contract = DescriptorPool::decode(proto::DESCRIPTORS).unwrap().get_message_by_name(message).unwrap();
    DynamicMessage::deserialize(contract, json).unwrap().encode_to_vec()
}

/// A request to send, for the client of the documents.
pub(crate) fn letter(message: &str, document: Vec<u8>, to: &[(&str, &str)]) -> wire::SendRequest {
    let party = |(oin, role): &(&str, &str)| wire::Party { oin: (*oin).into(), role: (*role).into() };
    wire::SendRequest {
        client_bsn: CLIENT.into(),
        message_type: message.into(),
        document: document.into(),
        receivers: to.iter().map(party).collect(),
        ..Default::default()
    }
}

/// The reason that a status gives to programs.
pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
