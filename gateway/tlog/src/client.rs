//! HTTPS as a client, bounded: in time, in length, and in whom it believes.
//!
//! Owns: one request and its answer. Plain HTTP is spoken with this machine only.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

/// An HTTPS client; keeps its connections.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Not an address that is spoken with.
    #[error("`{0}` is no address to speak with: `https://…`, or `http://` on this machine")]
    Address(String),
    /// It cannot be reached, or is not who it should be.
    #[error("{0}")]
    Unreachable(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// Its answer is too long, or was cut short.
    #[error("the answer is too long, or was cut short")]
    Length,
}

impl Http {
    /// A client that waits so long for an answer.
    pub fn new(tls: ClientConfig, timeout: Duration) -> Http {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(connector);
        Http { client, timeout }
    }

    /// `GET`: the answer, with a body of at most `longest` bytes.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn get(&self, url: &str, longest: usize) -> Result<Response<Bytes>, HttpError> {
        self.send(Method::GET, url, Bytes::new(), longest).await
    }

    /// `POST`, likewise.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn post(&self, url: &str, body: Bytes, longest: usize) -> Result<Response<Bytes>, HttpError> {
        self.send(Method::POST, url, body, longest).await
    }

    /// Any method, likewise.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        body: Bytes,
        longest: usize,
    ) -> Result<Response<Bytes>, HttpError> {
        let uri = address(url).ok_or_else(|| HttpError::Address(url.to_owned()))?;
        let mut request = Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let exchange = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| HttpError::Unreachable(chain(&error)))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, longest).collect().await.map_err(|_| HttpError::Length)?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(self.timeout, exchange).await.map_err(|_| HttpError::Silent(self.timeout))?
    }
}

/// An address that may be spoken with.
pub(crate) fn address(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?;
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    (uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && here)).then_some(uri)
}

/// An error with what caused it: transport errors say little by themselves.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_in_the_clear_but_of_this_machine() {
        for good in
            ["https://log.example/2026", "http://localhost:1/x", "http://[::1]:1/", "http://127.0.0.1:8/"]
        {
            assert!(address(good).is_some(), "{good}");
        }
        for bad in ["http://log.example/", "http://127.0.0.1.example/", "ftp://localhost/", "log.example", ""]
        {
            assert!(address(bad).is_none(), "{bad}");
        }
    }
}
