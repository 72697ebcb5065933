//! What goes wrong: each has a precise status and a record, and nothing of what the source said.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use exchange::ask::{Routes, Streaming};
use ledger::{Decision, Event};
use model::Reason;
use proto::werkfit::v1::Client;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::calls::{ask, asserted, client, codec, path, question};
use crate::source::{self, DIAGNOSIS, Running};
use crate::world::World;

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

fn recorded(world: &World) -> Option<Reason> {
    let last = world.records().pop().unwrap();
    match last.event {
        Event::Ask(carried) | Event::Refused(carried) => carried.reason,
        _ => None,
    }
}

async fn running(methods: &[&str]) -> (World, Running) {
    let world = World::new().await;
    let source = source::start(&world).await;
    let routes: Vec<_> =
        methods.iter().map(|method| world.route(method, Streaming::None, &[source.address])).collect();
    world.serve(&routes);
    (world, source)
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn what_a_broken_source_says_never_leaks_and_other_routes_go_on() {
    let methods = ["Rommel", "Afgekapt", "Html", "Groot", "Breekt", "Zoek"];
    let (world, _source) = running(&methods).await;
    let expected = [
        ("Rommel", Code::Internal, Reason::UpstreamInvalid),
        ("Afgekapt", Code::Internal, Reason::UpstreamInvalid),
        ("Html", Code::Internal, Reason::UpstreamInvalid),
        ("Groot", Code::InvalidArgument, Reason::DocumentTooLarge),
    ];
    for (method, code, why) in expected {
        let status = ask(&world, method).await.err().unwrap();
        assert_eq!((status.code(), reason(&status).as_str()), (code, why.name()), "{method}");
        assert!(!format!("{status:?}").contains(DIAGNOSIS));
        assert_eq!(recorded(&world), Some(why));
    }
    let status = ask(&world, "Breekt").await.err().unwrap();
    assert_eq!(status.code(), Code::Cancelled, "the source's own code");
    assert!(!format!("{status:?}").contains(DIAGNOSIS));
    assert!(ask(&world, "Zoek").await.is_ok());
}

#[tokio::test]
async fn a_source_that_is_down_or_shows_another_certificate_is_told_apart() {
    let (world, _source) = running(&["Zoek"]).await;
    assert!(ask(&world, "Zoek").await.is_ok());
    world.serve(&[world.route("Zoek", Streaming::None, &[nobody().await])]);
    let status = ask(&world, "Zoek").await.err().unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UPSTREAM_UNAVAILABLE"));
    assert_eq!(recorded(&world), Some(Reason::UpstreamUnavailable));

    let stranger = source::start_with(&world, &world.stranger()).await;
    world.serve(&[world.route("Zoek", Streaming::None, &[stranger.address])]);
    let status = ask(&world, "Zoek").await.err().unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "UPSTREAM_INVALID"));
    assert_eq!(recorded(&world), Some(Reason::UpstreamInvalid));
    assert!(stranger.seen.lock().unwrap().questions.is_empty());
}

#[tokio::test]
async fn an_address_that_fails_is_passed_by() {
    let (world, source) = running(&[]).await;
    world.serve(&[world.route("Zoek", Streaming::None, &[nobody().await, source.address])]);
    for _ in 0..6 {
        assert!(ask(&world, "Zoek").await.is_ok());
    }
}

#[tokio::test]
async fn an_address_that_says_it_is_not_well_gets_no_calls_until_it_says_that_it_is() {
    use tonic_health::ServingStatus::{NotServing, Serving};
    let (world, ill) = running(&[]).await;
    let well = source::start(&world).await;
    let mut route = world.route("Zoek", Streaming::None, &[ill.address, well.address]);
    route.health_seconds = 1;
    ill.says(NotServing).await;
    world.serve(&[route]);
    let asked = |source: &Running| source.seen.lock().unwrap().questions.len();
    let before_it_was_known = Duration::from_secs(2);
    tokio::time::sleep(before_it_was_known).await;
    for _ in 0..6 {
        assert!(ask(&world, "Zoek").await.is_ok());
    }
    assert_eq!((asked(&ill), asked(&well)), (0, 6));
    ill.says(Serving).await;
    for _ in 0..100 {
        assert!(ask(&world, "Zoek").await.is_ok());
        if asked(&ill) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("an address that is well again gets calls again");
}

#[tokio::test]
async fn a_source_that_resets_in_the_middle_ends_the_stream_with_a_record_and_without_its_words() {
    let (world, _source) = running(&[]).await;
    let source = source::start_that_resets(&world).await;
    world.serve(&[world.route("Volg", Streaming::Reply, &[source])]);
    let mut client = client(&world).await;
    let answer = client.server_streaming(asserted(&world, question(3)), path("Volg"), codec());
    let mut stream = answer.await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().kenmerk, 3);
    let status = stream.message().await.err().unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UPSTREAM_UNAVAILABLE"));
    assert!(!format!("{status:?}").contains(DIAGNOSIS));
    let records = world.records_when(2).await;
    let Event::Ask(outcome) = &records[1].event else { panic!() };
    assert_eq!(outcome.reason, Some(Reason::UpstreamUnavailable));
    assert_eq!(outcome.to[0].withheld[0].count, 1, "what had passed before is counted");
}

#[tokio::test]
async fn a_slow_source_costs_no_more_than_the_deadline() {
    let (world, _source) = running(&[]).await;
    let source = source::start(&world).await;
    let mut route = world.route("Traag", Streaming::None, &[source.address]);
    route.timeout_seconds = 1;
    world.serve(&[route]);
    let status = ask(&world, "Traag").await.err().unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "UPSTREAM_UNAVAILABLE"));
    assert_eq!(recorded(&world), Some(Reason::UpstreamUnavailable));
    for _ in 0..100 {
        if source.seen.lock().unwrap().given_up == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the source was not told that nobody waits");
}

#[tokio::test]
async fn a_caller_who_leaves_is_recorded_and_the_source_is_told() {
    let (world, source) = running(&["Traag"]).await;
    let mut client = client(&world).await;
    let call = client.unary(asserted(&world, question(1)), path("Traag"), codec());
    assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());
    let records = world.records_when(2).await;
    let Event::Ask(outcome) = &records[1].event else { panic!() };
    assert_eq!((outcome.reason, outcome.to[0].decision), (None, Decision::Refused));
    for _ in 0..100 {
        if source.seen.lock().unwrap().given_up == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the source was not told that nobody waits");
}

#[tokio::test]
async fn what_may_not_be_asked_never_reaches_the_source() {
    let (world, source) = running(&["Zoek"]).await;
    let mut client = client(&world).await;
    let mut refused = async |request| {
        client.ready().await.unwrap();
        client.unary(request, path("Zoek"), codec()).await.err().unwrap()
    };
    let told = |status: Status| (status.code(), reason(&status));

    let mut request = asserted(&world, question(1));
    request.metadata_mut().remove("authorization");
    let status = refused(request).await;
    assert_eq!(told(status), (Code::PermissionDenied, "ROLE_REQUIRED".into()));

    for (role, purpose, why) in [
        ("werkbegeleider", "banenafspraak", "ROLE_NOT_ALLOWED"),
        ("contactpersoon", "plaatsing", "EXCHANGE_NOT_DECLARED"),
    ] {
        let mut request = asserted(&world, question(1));
        let bearer = world.bearer(role, purpose);
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        assert_eq!(reason(&refused(request).await), why);
        assert_eq!(recorded(&world).unwrap().name(), why);
    }

    let mut wrong = question(1);
    wrong.client = Some(Client { bsn: "123456789".into(), ..Client::default() });
    let status = refused(asserted(&world, wrong)).await;
    assert_eq!(told(status), (Code::InvalidArgument, "CLIENT_INVALID".into()));

    let status = ask(&world, "Bestaatniet").await.err().unwrap();
    assert_eq!(told(status), (Code::Unimplemented, "NOT_FOUND".into()));
    assert_eq!(recorded(&world), Some(Reason::NotFound));
    assert!(source.seen.lock().unwrap().questions.is_empty());
}

#[tokio::test]
async fn a_type_without_contract_passes_neither_way() {
    let (world, source) = running(&[]).await;
    let mut route = world.route("Zoek", Streaming::None, &[source.address]);
    route.reply = Some("uwv.doelgroep.v1.Onbekend".parse().unwrap());
    world.serve(&[route]);
    let status = ask(&world, "Zoek").await.err().unwrap();
    assert_eq!(reason(&status), "TYPE_UNKNOWN");
    assert_eq!(recorded(&world), Some(Reason::TypeUnknown));
    assert!(source.seen.lock().unwrap().questions.is_empty());
}

#[tokio::test]
async fn one_call_is_about_one_client() {
    let (world, _source) = running(&[]).await;
    let source = source::start(&world).await;
    world.serve(&[world.route("Meld", Streaming::Request, &[source.address])]);
    let mut other = question(2);
    other.client = Some(Client { bsn: "123456782".into(), ..Client::default() });
    let questions = tokio_stream::iter([question(1), other]);
    let mut client = client(&world).await;
    let status =
        client.client_streaming(asserted(&world, questions), path("Meld"), codec()).await.err().unwrap();
    assert_eq!(reason(&status), "CLIENT_MISMATCH");
    assert!(source.seen.lock().unwrap().questions.len() <= 1, "the other client's never arrived");
}

#[tokio::test]
async fn when_the_log_cannot_be_written_nothing_passes() {
    let (world, source) = running(&["Zoek"]).await;
    assert!(ask(&world, "Zoek").await.is_ok());
    world.disk.0.store(true, Ordering::SeqCst);
    let status = ask(&world, "Zoek").await.err().unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "LOG_UNAVAILABLE"));
    assert_eq!(source.seen.lock().unwrap().questions.len(), 1, "the source was not asked again");
}

#[tokio::test]
async fn a_route_that_cannot_be_used_says_so_by_name() {
    let (world, source) = running(&[]).await;
    let route = || world.route("Zoek", Streaming::None, &[source.address]);
    let refused = |change: &dyn Fn(&mut exchange::ask::RouteConfig)| {
        let mut route = route();
        change(&mut route);
        Routes::load(&[route], world.folder.path()).err().unwrap().to_string()
    };
    assert!(refused(&|route| route.upstream.clear()).contains("upstream"));
    assert!(refused(&|route| route.reply = None).contains("reply"));
    assert!(refused(&|route| route.key = "gone.pem".into()).contains("gone.pem"));
    assert!(refused(&|route| route.reply_metadata.push("authorization".into())).contains("authorization"));
    let twice = Routes::load(&[route(), route()], world.folder.path()).err().unwrap();
    assert!(twice.to_string().contains("twice"));
}
