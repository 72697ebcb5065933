//! An organisation's side of a call: its certificate, its assertions, and gRPC as any other client speaks it.
//!
//! Owns: connecting over mutual TLS, and reading what a gateway answers. Used by `send`, `collect` and the demo; it
//! knows nothing of a gateway that another organisation's programmer would not know.

use std::path::{Path, PathBuf};

use model::{Name, Purpose, Role};
use proto::veldwacht::consent::v1::consent_service_client::ConsentServiceClient;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;
use proto::veldwacht::screening::v1::screening_service_client::ScreeningServiceClient;
use proto::veldwacht::traject::v1::traject_service_client::TrajectServiceClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_types::StatusExt as _;

use crate::assert::{Asserter, Assertion, DEFAULT_AUDIENCE, DEFAULT_LIFETIME_SECONDS};
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::now;

/// Where an organisation's files stand.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) gateway_ca: PathBuf,
    pub(crate) assertion_key: PathBuf,
}

impl Files {
    /// The files beside a certificate, as the development CA lays them out.
    pub(crate) fn beside(certificate: &Path) -> Files {
        let folder = certificate.parent().unwrap_or(Path::new("."));
        Files {
            key: certificate.with_extension("key.pem"),
            gateway_ca: folder.parent().unwrap_or(Path::new(".")).join("gateway-ca.pem"),
            assertion_key: folder.join("assert.key.pem"),
            certificate: certificate.to_owned(),
        }
    }
}

/// Someone who acts through a system.
#[derive(Debug, Clone)]
pub(crate) struct Acting {
    pub(crate) role: Role,
    pub(crate) user: String,
    pub(crate) big: Option<String>,
    /// Why this is an emergency, if it is.
    pub(crate) spoed: Option<Name>,
}

/// Connects as an operator of the gateway: a certificate without OIN, no assertion.
pub(crate) async fn operator(address: &str, certificate: &Path, ca: Option<&Path>) -> Outcome<Channel> {
    let mut files = Files::beside(certificate);
    if let Some(ca) = ca {
        ca.clone_into(&mut files.gateway_ca);
    }
    channel(address, &files).await
}

async fn channel(address: &str, files: &Files) -> Outcome<Channel> {
    let read = |path: &Path| std::fs::read_to_string(path).wrong(path.display());
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read(&files.gateway_ca)?))
        .identity(Identity::from_pem(read(&files.certificate)?, read(&files.key)?));
    let endpoint = Endpoint::from_shared(format!("https://{address}")).wrong(address)?;
    let endpoint = endpoint.tls_config(tls).wrong("the certificate or its key")?;
    endpoint.connect().await.map_err(|error| Failure::Reach(chain(address, &error)))
}

/// A connected system of an organisation.
pub(crate) struct Client {
    channel: Channel,
    asserter: Asserter,
}

/// A request with an assertion on it.
type Request<T> = tonic::Request<T>;

impl Client {
    /// Connects to the gateway at `address` (`host:port`).
    pub(crate) async fn connect(address: &str, files: &Files) -> Outcome<Client> {
        let read = |path: &Path| std::fs::read_to_string(path).wrong(path.display());
        let asserter = Asserter::new(&read(&files.assertion_key)?, &read(&files.certificate)?)?;
        Ok(Client { channel: channel(address, files).await?, asserter })
    }

    pub(crate) fn oin(&self) -> model::Oin {
        self.asserter.oin()
    }

    pub(crate) fn exchange(&self) -> ExchangeServiceClient<Channel> {
        let most = 64 << 20;
        ExchangeServiceClient::new(self.channel.clone())
            .max_decoding_message_size(most)
            .max_encoding_message_size(most)
    }

    pub(crate) fn consent(&self) -> ConsentServiceClient<Channel> {
        ConsentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn traject(&self) -> TrajectServiceClient<Channel> {
        TrajectServiceClient::new(self.channel.clone())
    }

    pub(crate) fn screening(&self) -> ScreeningServiceClient<Channel> {
        ScreeningServiceClient::new(self.channel.clone())
    }

    /// A client for a service that this binary knows nothing of.
    pub(crate) fn ask(&self) -> tonic::client::Grpc<Channel> {
        tonic::client::Grpc::new(self.channel.clone())
    }

    /// Puts a fresh assertion on a request.
    pub(crate) fn asserted<T>(
        &self,
        message: T,
        acting: &Acting,
        purpose: Option<&Purpose>,
    ) -> Outcome<Request<T>> {
        let assertion = Assertion {
            role: &acting.role,
            user: &acting.user,
            purpose,
            big: acting.big.as_deref(),
            spoed: acting.spoed.as_ref(),
            audience: DEFAULT_AUDIENCE,
            lifetime: DEFAULT_LIFETIME_SECONDS,
        };
        let token = self.asserter.token(&assertion, now())?;
        let mut request = Request::new(message);
        let value = format!("Bearer {token}").parse().wrong("the assertion")?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

/// A status in words: what is wrong, where, and what to do.
pub(crate) fn told(status: &tonic::Status) -> Failure {
    if let Some(cause) = std::error::Error::source(status) {
        // No answer of the gateway: with TLS 1.3 a client learns only now that its certificate was refused.
        let why = "the connection ended before an answer; if it always does, the gateway does not take this certificate";
        return Failure::Reach(chain(why, cause));
    }
    let details = status.get_error_details();
    let reason =
        details.error_info().map(|info| info.reason.clone()).unwrap_or_else(|| status.code().to_string());
    let places = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    let places: String =
        places.iter().map(|place| format!("\n  {}: {}", place.field, place.description)).collect();
    let message = format!("{reason}: {}{places}", status.message());
    match status.code() {
        tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::ResourceExhausted => {
            Failure::Reach(message)
        }
        tonic::Code::InvalidArgument | tonic::Code::Unauthenticated => Failure::Use(message),
        _ => {
            eprint_no(&message);
            Failure::No
        }
    }
}

#[expect(clippy::print_stderr, reason = "the answer is no, and this is the answer")]
fn eprint_no(message: &str) {
    eprintln!("{message}");
}

/// An error with what caused it: transport errors say little by themselves.
fn chain(address: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{address}: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
