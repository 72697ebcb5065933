//! A site: one request in, one answer out, over HTTP/1.1 or HTTP/2, with TLS or without.
//!
//! Owns: connections, their limits and their end. A site answers from files and may block; it is asked on threads made
//! for that. Whoever is slow, silent or many keeps only others like them waiting.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// Something that answers requests.
pub trait Site: Send + Sync + 'static {
    /// The answer to a request whose body was read. May block on files.
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes>;
}

/// What lies under HTTP.
#[derive(Clone)]
pub enum Transport {
    /// Nothing: for a reverse proxy on the same machine.
    Plain,
    /// TLS; the configuration may be swapped for a renewed certificate.
    Tls(Arc<ArcSwap<ServerConfig>>),
}

/// How much a site takes on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; who comes later waits in the kernel's queue.
    pub connections: usize,
    /// Requests answered at once.
    pub answers: usize,
    /// How long TLS may take, and a request to arrive.
    pub patience: Duration,
    /// After this a connection ends.
    pub lifetime: Duration,
    /// The longest body of a request, in bytes.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1_024,
            answers: 16,
            patience: Duration::from_secs(10),
            lifetime: Duration::from_secs(600),
            body: 64 << 10,
        }
    }
}

struct Open {
    site: Arc<dyn Site>,
    transport: Transport,
    limits: Limits,
    answers: Semaphore,
}

/// Serves a site until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    transport: Transport,
    site: Arc<dyn Site>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let answers = Semaphore::new(limits.answers);
    let open = Arc::new(Open { site, transport, limits, answers });
    let (ending, ended) = watch::channel(());
    let accept = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (open, mut ended) = (Arc::clone(&open), ended.clone());
                    tokio::spawn(async move {
                        tokio::select! {
                            // How a stranger's connection ended is no news.
                            _ = tokio::time::timeout(open.limits.lifetime, open.connection(stream)) => {}
                            _ = ended.changed() => {}
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "a connection could not be accepted; waiting");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(ending);
}

impl Open {
    async fn connection(self: &Arc<Open>, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        match &self.transport {
            Transport::Plain => self.http(stream).await,
            Transport::Tls(config) => {
                let handshake = TlsAcceptor::from(config.load_full()).accept(stream);
                let stream = tokio::time::timeout(self.limits.patience, handshake).await??;
                self.http(stream).await
            }
        }
    }

    async fn http(
        self: &Arc<Open>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> io::Result<()> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.limits.patience);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(64)
            .keep_alive_interval(self.limits.patience)
            .keep_alive_timeout(self.limits.patience);
        let service = service_fn(|request| {
            let open = Arc::clone(self);
            async move { Ok::<_, std::convert::Infallible>(open.answer(request).await.map(Full::new)) }
        });
        builder.serve_connection(TokioIo::new(stream), service).await.map_err(io::Error::other)
    }

    async fn answer(self: Arc<Open>, request: Request<Incoming>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, self.limits.body).collect();
        let body = match tokio::time::timeout(self.limits.patience, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut short");
            }
            Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        };
        let request = Request::from_parts(head, body);
        let Ok(_answering) = self.answers.acquire().await else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "this server is stopping");
        };
        let (site, is_head) = (Arc::clone(&self.site), request.method() == Method::HEAD);
        let answer = tokio::task::spawn_blocking(move || site.answer(&request)).await;
        let mut answer =
            answer.unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "this went wrong; try again"));
        if is_head {
            let length = answer.body().len().into();
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, length);
            *answer.body_mut() = Bytes::new();
        }
        answer
    }
}

/// A short answer in words, which nobody keeps.
pub(crate) fn text(status: StatusCode, words: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{words}\n")));
    *response.status_mut() = status;
    set(&mut response, "text/plain; charset=utf-8", "no-store");
    response
}

/// Says what the body is, and how long others may keep it.
pub(crate) fn set(response: &mut Response<Bytes>, media: &'static str, cache: &'static str) {
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media));
    headers.insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static(cache));
    let nosniff = http::HeaderValue::from_static("nosniff");
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, nosniff);
}
