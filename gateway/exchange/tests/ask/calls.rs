//! What goes well: all four kinds of call, and what crosses with them.

use exchange::ask::{StatusPass, Streaming};
use ledger::{Decision, Event, Kind};
use model::DataClass;
use proto::werkfit::v1::{Client, DoelgroepAntwoord, DoelgroepVraag};
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{BinaryMetadataValue, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::source::{self, DIAGNOSIS};
use crate::world::{BSN, SERVICE, World, bundle, rules};

pub(crate) fn question(kenmerk: u64) -> DoelgroepVraag {
    let client = Client { bsn: BSN.into(), ..Client::default() };
    DoelgroepVraag { client: Some(client), kenmerk }
}

pub(crate) fn codec() -> ProstCodec<DoelgroepVraag, DoelgroepAntwoord> {
    ProstCodec::default()
}

pub(crate) fn path(method: &str) -> http::uri::PathAndQuery {
    format!("/{SERVICE}/{method}").parse().unwrap()
}

pub(crate) fn asserted<M>(world: &World, message: M) -> Request<M> {
    let mut request = Request::new(message);
    let bearer = world.bearer("contactpersoon", "banenafspraak");
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    request
}

pub(crate) async fn client(world: &World) -> Grpc<Channel> {
    let mut client = Grpc::new(world.connect().await);
    client.ready().await.unwrap();
    client
}

pub(crate) async fn ask(world: &World, method: &str) -> Result<Response<DoelgroepAntwoord>, Status> {
    client(world).await.unary(asserted(world, question(7)), path(method), codec()).await
}

#[tokio::test]
async fn the_source_answers_and_its_diagnosis_never_arrives() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Zoek", Streaming::None, &[source.address])]);
    let reply = ask(&world, "Zoek").await.unwrap().into_inner();
    assert!(reply.kenmerk == 7 && reply.telt_mee == Some(true) && reply.grond.is_empty());
    let asked = source.seen.lock().unwrap().questions[0].clone();
    assert!(asked == question(7), "the BSN may go to UWV");

    let records = world.records();
    assert_eq!(records.len(), 2, "the intent and the outcome");
    assert_eq!(records[0].exchange, records[1].exchange);
    let (Event::Ask(intent), Event::Ask(outcome)) = (&records[0].event, &records[1].event) else { panic!() };
    assert_eq!(intent.terms.declared.as_ref().unwrap().to_string(), "X21");
    assert_eq!(intent.to[0].passed, [], "the asker has nothing yet");
    assert!(intent.to[1].passed.iter().any(|passed| passed.class == DataClass::PersoonBsn));
    assert_eq!(outcome.terms.declared.as_ref().unwrap().to_string(), "X21-antwoord");
    assert_eq!(outcome.from.as_ref().unwrap().oin.to_string(), crate::world::UWV);
    assert_eq!((outcome.to.len(), outcome.to[0].decision), (1, Decision::Delivered));
    assert!(outcome.to[0].passed.iter().any(|passed| passed.class == DataClass::Arbeid));
    assert_eq!(outcome.to[0].withheld[0].class, Some(DataClass::MedischDiagnose));
    assert!(records.iter().all(|record| record.client.is_some() && record.activity.is_some()));
}

#[tokio::test]
async fn a_stream_of_replies_is_filtered_message_by_message_and_counted_together() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Volg", Streaming::Reply, &[source.address])]);
    let mut client = client(&world).await;
    let answer = client.server_streaming(asserted(&world, question(3)), path("Volg"), codec());
    let mut stream = answer.await.unwrap().into_inner();
    for _ in 0..3 {
        let reply = stream.message().await.unwrap().unwrap();
        assert!(reply.kenmerk == 3 && reply.grond.is_empty());
    }
    assert!(stream.message().await.unwrap().is_none());
    let records = world.records();
    let Event::Ask(outcome) = &records[1].event else { panic!() };
    let count = |class| outcome.to[0].passed.iter().find(|passed| passed.class == class).unwrap().count;
    assert_eq!((count(DataClass::Arbeid), count(DataClass::Organisatie)), (3, 3));
    assert_eq!(outcome.to[0].withheld[0].count, 3);
}

#[tokio::test]
async fn a_stream_of_requests_is_filtered_message_by_message_and_answered_once() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Meld", Streaming::Request, &[source.address])]);
    let questions = tokio_stream::iter((1..=4).map(question));
    let mut client = client(&world).await;
    let answer = client.client_streaming(asserted(&world, questions), path("Meld"), codec());
    let reply = answer.await.unwrap().into_inner();
    assert!(reply.kenmerk == 4 && reply.grond.is_empty());
    let records = world.records();
    let Event::Ask(outcome) = &records[1].event else { panic!() };
    let bsns = outcome.to[1].passed.iter().find(|passed| passed.class == DataClass::PersoonBsn).unwrap();
    assert_eq!(bsns.count, 4, "what went to the source, all of it");
}

#[tokio::test]
async fn both_sides_talk_at_once() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Praat", Streaming::Both, &[source.address])]);
    let (questions, stream) = tokio::sync::mpsc::channel(1);
    questions.send(question(1)).await.unwrap();
    let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
    let mut client = client(&world).await;
    let answer = client.streaming(asserted(&world, stream), path("Praat"), codec());
    let mut replies = answer.await.unwrap().into_inner();
    for number in 1..=5 {
        assert_eq!(replies.message().await.unwrap().unwrap().kenmerk, number);
        questions.send(question(number + 1)).await.unwrap();
    }
    drop(questions);
    assert_eq!(replies.message().await.unwrap().unwrap().kenmerk, 6);
    assert!(replies.message().await.unwrap().is_none());
}

#[tokio::test]
async fn only_listed_metadata_crosses_and_the_transaction_and_trace_go_along() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Zoek", Streaming::None, &[source.address])]);
    let transaction = model::ExchangeId::new(crate::world::now(), [9; 10]);
    let mut request = asserted(&world, question(1));
    let metadata = request.metadata_mut();
    metadata.insert("x-kenmerk", MetadataValue::from_static("42"));
    metadata.insert("x-diagnose", MetadataValue::from_static("f33"));
    metadata.insert_bin("x-spoor-bin", BinaryMetadataValue::from_bytes(&[0, 1, 254]));
    metadata.insert("fsc-transaction-id", transaction.to_string().parse().unwrap());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    metadata.insert("traceparent", MetadataValue::from_static(trace));
    let reply = client(&world).await.unary(request, path("Zoek"), codec()).await.unwrap();

    let there = source.seen.lock().unwrap().metadata[0].clone();
    assert_eq!(there.get("x-kenmerk").unwrap(), "42");
    assert_eq!(there.get_bin("x-spoor-bin").unwrap().to_bytes().unwrap().as_ref(), [0, 1, 254]);
    assert_eq!(there.get("fsc-transaction-id").unwrap().to_str().unwrap(), transaction.to_string());
    let onward = there.get("traceparent").unwrap().to_str().unwrap();
    assert!(onward.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && onward != trace);
    assert!(there.get("grpc-timeout").is_some());
    assert!(there.get("x-diagnose").is_none() && there.get("authorization").is_none());

    let back = reply.metadata();
    assert_eq!(back.get("x-register").unwrap(), "doelgroep");
    assert_eq!(back.get_bin("x-stand-bin").unwrap().to_bytes().unwrap().as_ref(), [0, 255, 7]);
    assert!(back.get("x-diagnose").is_none());
    assert_eq!(back.get("fsc-transaction-id").unwrap().to_str().unwrap(), transaction.to_string());
    assert!(world.records().iter().all(|record| record.exchange == transaction && record.trace.is_some()));
}

#[tokio::test]
async fn of_a_status_the_code_crosses_and_words_only_where_the_route_says_so() {
    let world = World::new().await;
    let source = source::start(&world).await;
    let mut route = world.route("Nee", Streaming::None, &[source.address]);
    let mut told = Vec::new();
    for status in [StatusPass::Code, StatusPass::Text, StatusPass::Details] {
        route.status = status;
        world.serve(std::slice::from_ref(&route));
        let status = ask(&world, "Nee").await.err().unwrap();
        assert_eq!(status.code(), Code::FailedPrecondition);
        told.push((status.message().contains(DIAGNOSIS), status.details().to_vec()));
    }
    assert_eq!(told, [(false, vec![]), (true, vec![]), (true, vec![1, 2])]);
    let records = world.records();
    assert!(records.iter().all(|record| record.event.kind() == Kind::Ask), "the source's no is an answer");
}

#[tokio::test]
async fn a_stream_feels_a_new_bundle_at_its_next_message() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Praat", Streaming::Both, &[source.address])]);
    let (questions, stream) = tokio::sync::mpsc::channel(1);
    questions.send(question(1)).await.unwrap();
    let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
    let mut client = client(&world).await;
    let mut replies =
        client.streaming(asserted(&world, stream), path("Praat"), codec()).await.unwrap().into_inner();
    assert!(replies.message().await.unwrap().is_some());

    let mut files = bundle();
    let exchanges = String::from_utf8(files.remove("exchanges.toml").unwrap()).unwrap();
    let narrowed = exchanges.replace(
        "from = [\"uwv:systeem\", \"uwv:arbeidsdeskundige\"]\nto = [\"werkgever:contactpersoon\"]",
        "from = [\"uwv:arbeidsdeskundige\"]\nto = [\"werkgever:contactpersoon\"]",
    );
    assert_ne!(narrowed, exchanges);
    files.insert("exchanges.toml".into(), narrowed.into_bytes());
    world.gateway.replace_rules(rules(&files));

    questions.send(question(2)).await.unwrap();
    let status = replies.message().await.err().unwrap();
    assert_eq!(status.code(), Code::PermissionDenied, "{}", status.message());
    let records = world.records();
    let Event::Ask(outcome) = &records[1].event else { panic!() };
    assert_eq!(outcome.reason.unwrap().name(), "EXCHANGE_NOT_DECLARED");
    assert_eq!(outcome.to[0].decision, Decision::Refused);
    assert_eq!(outcome.to[0].withheld[0].count, 1, "what had passed before is counted");
}

#[tokio::test]
async fn routes_are_replaced_while_a_call_goes_on() {
    let world = World::new().await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Praat", Streaming::Both, &[source.address])]);
    let (questions, stream) = tokio::sync::mpsc::channel(1);
    questions.send(question(1)).await.unwrap();
    let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
    let mut client = client(&world).await;
    let mut replies =
        client.streaming(asserted(&world, stream), path("Praat"), codec()).await.unwrap().into_inner();
    assert!(replies.message().await.unwrap().is_some());
    world.serve(&[]);
    questions.send(question(2)).await.unwrap();
    assert_eq!(replies.message().await.unwrap().unwrap().kenmerk, 2);
    assert_eq!(ask(&world, "Praat").await.err().unwrap().code(), Code::Unimplemented);
}

#[tokio::test]
async fn compression_is_agreed_on_with_each_side_by_itself() {
    let world = World::new().await;
    let source = source::start(&world).await;
    let mut route = world.route("Zoek", Streaming::None, &[source.address]);
    let gzip = CompressionEncoding::Gzip;
    for compression in [true, false] {
        route.compression = compression;
        world.serve(std::slice::from_ref(&route));
        let mut client = client(&world).await.send_compressed(gzip).accept_compressed(gzip);
        let answered = client.unary(asserted(&world, question(7)), path("Zoek"), codec()).await;
        if compression {
            let reply = answered.unwrap();
            assert_eq!(reply.metadata().get("grpc-encoding").unwrap(), "gzip", "the asker takes it");
            assert!(reply.into_inner().grond.is_empty(), "what was compressed is filtered");
            let there = source.seen.lock().unwrap().metadata[0].clone();
            assert!(there.get("grpc-encoding").is_none(), "nobody knows whether the source takes it");
            assert_eq!(there.get("grpc-accept-encoding").unwrap(), "identity,gzip");
        } else {
            assert_eq!(answered.err().unwrap().code(), Code::InvalidArgument, "nobody offered it");
        }
        client.ready().await.unwrap();
    }
}
