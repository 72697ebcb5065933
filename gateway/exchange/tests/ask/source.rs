//! UWV's own service, which knows nothing of a gateway: it answers more than anyone may have.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use proto::werkfit::v1::{DoelgroepAntwoord, DoelgroepVraag};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::{BoxFuture, Service};
use tonic::metadata::{BinaryMetadataValue, MetadataMap};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::world::{Papers, World};

pub(crate) const DIAGNOSIS: &str = "F33.2 recidiverende depressieve stoornis";

/// What arrived at the source.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) questions: Vec<DoelgroepVraag>,
    pub(crate) metadata: Vec<MetadataMap>,
    /// Calls that ended without their end.
    pub(crate) given_up: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Source(pub(crate) Arc<Mutex<Seen>>);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
    health: tonic_health::server::HealthReporter,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// What the source says of itself from now on.
    pub(crate) async fn says(&self, status: tonic_health::ServingStatus) {
        self.health.set_service_status(crate::world::SERVICE, status).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the source.
pub(crate) async fn start(world: &World) -> Running {
    start_with(world, &world.source_papers()).await
}

pub(crate) async fn start_with(world: &World, papers: &Papers) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(&papers.certificate, &papers.key))
        .client_ca_root(Certificate::from_pem(&world.sources.pem));
    let source = Source::default();
    let seen = Arc::clone(&source.0);
    let mut server = Server::builder().tls_config(tls).unwrap();
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<Source>().await;
    let task = tokio::spawn(async move {
        let router = server.add_service(source).add_service(health_service);
        let _ = router.serve_with_incoming(TcpListenerStream::new(listener)).await;
    });
    Running { address, seen, health, task }
}

impl tonic::server::NamedService for Source {
    const NAME: &'static str = crate::world::SERVICE;
}

pub(crate) fn answer(question: &DoelgroepVraag) -> DoelgroepAntwoord {
    DoelgroepAntwoord { kenmerk: question.kenmerk, telt_mee: Some(true), grond: DIAGNOSIS.into() }
}

impl Service<http::Request<Body>> for Source {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let source = self.clone();
        Box::pin(async move {
            let raw = |body: Vec<u8>| {
                let response = http::Response::builder().header("content-type", "application/grpc");
                response.body(Body::new(http_body_util::Full::new(bytes::Bytes::from(body)))).unwrap()
            };
            match method.as_str() {
                "Rommel" => return Ok(raw(vec![0, 0, 0, 0, 3, 0xff, 0xff, 0xff])),
                "Afgekapt" => return Ok(raw(vec![0, 0, 0, 0, 9, 1])),
                "Html" => {
                    let response = http::Response::builder().header("content-type", "text/html");
                    return Ok(response.body(Body::empty()).unwrap());
                }
                _ => {}
            }
            let handler = tower::service_fn(move |request: Request<Streaming<DoelgroepVraag>>| {
                let (source, method) = (source.clone(), method.clone());
                async move { source.speak(&method, request).await }
            });
            let codec = ProstCodec::<DoelgroepAntwoord, DoelgroepVraag>::default();
            let gzip = CompressionEncoding::Gzip;
            let mut grpc = tonic::server::Grpc::new(codec).accept_compressed(gzip).send_compressed(gzip);
            Ok(grpc.streaming(handler, request).await)
        })
    }
}

type Answers = ReceiverStream<Result<DoelgroepAntwoord, Status>>;

impl Source {
    async fn speak(
        &self,
        method: &str,
        request: Request<Streaming<DoelgroepVraag>>,
    ) -> Result<Response<Answers>, Status> {
        self.0.lock().unwrap().metadata.push(request.metadata().clone());
        let (answers, stream) = mpsc::channel(4);
        let (source, method, mut questions) = (self.clone(), method.to_owned(), request.into_inner());
        if method == "Nee" {
            let words = format!("geen toegang: {DIAGNOSIS} ü");
            return Err(Status::with_details(Code::FailedPrecondition, words, b"\x01\x02".to_vec().into()));
        }
        tokio::spawn(async move {
            let mut asked = 0;
            while let Ok(Some(question)) = questions.message().await {
                asked += 1;
                source.0.lock().unwrap().questions.push(question.clone());
                let mut reply = answer(&question);
                let replies = match method.as_str() {
                    "Zoek" | "Praat" => 1,
                    "Volg" => 3,
                    "Groot" => {
                        reply.grond = "x".repeat(70_000);
                        1
                    }
                    "Breekt" => {
                        let _ = answers.send(Ok(reply)).await;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        let _ = answers.send(Err(Status::cancelled(DIAGNOSIS))).await;
                        return;
                    }
                    "Traag" => {
                        tokio::select! {
                            () = tokio::time::sleep(Duration::from_secs(20)) => {}
                            () = answers.closed() => source.0.lock().unwrap().given_up += 1,
                        }
                        return;
                    }
                    _ => 0,
                };
                for _ in 0..replies {
                    let _ = answers.send(Ok(reply.clone())).await;
                }
            }
            if method == "Meld" {
                let reply =
                    DoelgroepAntwoord { kenmerk: asked, telt_mee: Some(false), grond: DIAGNOSIS.into() };
                let _ = answers.send(Ok(reply)).await;
            }
        });
        let mut response = Response::new(ReceiverStream::new(stream));
        response.metadata_mut().insert("x-register", "doelgroep".parse().unwrap());
        response.metadata_mut().insert("x-diagnose", "f33".parse().unwrap());
        response.metadata_mut().insert_bin("x-stand-bin", BinaryMetadataValue::from_bytes(&[0, 255, 7]));
        Ok(response)
    }
}

/// A source that answers the first call with one message of a stream, and resets it.
pub(crate) async fn start_that_resets(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = world.source_acceptor();
    tokio::spawn(async move {
        let stream = tls.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        tokio::spawn(async move {
            let head = http::Response::builder().header("content-type", "application/grpc").body(()).unwrap();
            let mut body = request.into_body();
            let question = body.data().await.unwrap().unwrap();
            let question = <DoelgroepVraag as prost::Message>::decode(question.split_at(5).1).unwrap();
            let reply = prost::Message::encode_to_vec(&answer(&question));
            let mut frame = vec![0, 0, 0, 0, u8::try_from(reply.len()).unwrap()];
            frame.extend(reply);
            let mut stream = respond.send_response(head, false).unwrap();
            stream.send_data(frame.into(), false).unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            stream.send_reset(h2::Reason::INTERNAL_ERROR);
        });
        while connection.accept().await.is_some() {}
    });
    address
}
