//! Every organisation's share.

use std::convert::Infallible;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::{Layer as _, Service as _};

use super::super::*;
use super::world::*;

fn tell(refusal: &model::Refusal) -> Status {
    Status::resource_exhausted(refusal.reason.name())
}

fn call(visitor: &Visitor) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(visitor.clone());
    request
}

/// An answer that has not ended.
struct Open;

impl http_body::Body for Open {
    type Data = tonic::codegen::Bytes;
    type Error = Status;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Status>>> {
        std::task::Poll::Pending
    }
}

/// Whether a call was answered, and not refused by its share.
fn answered(response: &Response<Body>) -> bool {
    !response.headers().contains_key("grpc-status")
}

async fn visitor(world: &mut World) -> Through {
    let client = Client::new(world, Some(&world.client()));
    world.knock(&client).await.unwrap()
}

fn shares(world: &World, share: Share) -> (Shares, mpsc::UnboundedReceiver<TurnedAway>) {
    let seconds = Arc::clone(&world.seconds);
    let clock: Clock = Arc::new(move || {
        Timestamp::from_unix_millis(seconds.load(std::sync::atomic::Ordering::SeqCst) * 1000)
    });
    let (told, telling) = mpsc::unbounded_channel();
    let told = Arc::new(move |one: TurnedAway| drop(told.send(one)));
    (Shares::new(share, clock, tell, told), telling)
}

#[tokio::test]
async fn a_call_holds_its_place_until_its_answer_has_ended() {
    let mut world = World::new().await;
    let through = visitor(&mut world).await;
    let (shares, mut told) = shares(&world, Share { calls: 2, ..Share::default() });
    let mut service =
        shares.layer(tower::service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::new(Open))) }));
    let mut make = async || service.call(call(through.connection.visitor())).await.unwrap();
    let (first, second) = (make().await, make().await);
    assert!(answered(&first) && answered(&second));
    let third = make().await;
    assert_eq!(third.headers()["grpc-status"], "8");
    let turned_away = told.recv().await.unwrap();
    assert_eq!(turned_away.refusal.unwrap().reason, Reason::Busy);
    assert_eq!(turned_away.oin, Some(GEMEENTE.parse().unwrap()));
    drop(first);
    assert!(answered(&make().await), "a place came back");
    drop(second);
}

#[tokio::test]
async fn a_call_that_is_given_up_gives_its_place_back() {
    let mut world = World::new().await;
    let through = visitor(&mut world).await;
    let (shares, _told) = shares(&world, Share { calls: 1, ..Share::default() });
    let mut never =
        shares.layer(tower::service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>()));
    let waiting = never.call(call(through.connection.visitor()));
    assert!(!answered(&never.call(call(through.connection.visitor())).await.unwrap()));
    drop(waiting);
    let again = never.call(call(through.connection.visitor()));
    assert!(tokio::time::timeout(Duration::from_millis(20), again).await.is_err(), "it is let through");
}

#[tokio::test]
async fn calls_a_second_are_bounded_for_a_system_and_come_back_with_time() {
    let mut world = World::new().await;
    let through = visitor(&mut world).await;
    let share = Share {
        calls_per_second: 100,
        calls_per_second_of_a_system: 10,
        burst_seconds: 2,
        ..Share::default()
    };
    let (shares, _told) = shares(&world, share);
    let mut service =
        shares.layer(tower::service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::empty())) }));
    let mut count = async |calls: usize| {
        let mut through_it = 0;
        for _ in 0..calls {
            let response = service.call(call(through.connection.visitor())).await.unwrap();
            through_it += usize::from(answered(&response));
        }
        through_it
    };
    assert_eq!(count(50).await, 20, "two seconds' worth");
    world.seconds.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(count(50).await, 10, "one second later");
    world.seconds.fetch_add(1_000_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(count(50).await, 20, "however long one waits");
}

#[tokio::test]
async fn who_did_not_come_through_the_door_has_no_share() {
    let world = World::new().await;
    let (shares, _told) = shares(&world, Share::default());
    let mut service =
        shares.layer(tower::service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::empty())) }));
    assert!(!answered(&service.call(Request::new(Body::empty())).await.unwrap()));
}

#[tokio::test]
async fn one_system_does_not_take_the_places_of_another_of_its_organisation() {
    let setup = Setup { more: String::new(), ..Setup::default() };
    let mut world = World::with(setup).await;
    let mut both = world.material(&[]);
    both.registry = identity::Registry::parse(&format!(
        "[[organisation]]\noin = \"{GEMEENTE}\"\nname = \"G\"\nkind = \"gemeente\"\nissuers = [\"{}\"]\nsystems = [\"suite\", \"portaal\"]\n",
        world.authority.pin
    ))
    .unwrap();
    world.guard.reload(both).unwrap();
    let suite = visitor(&mut world).await;
    let portaal = Client::new(&world, Some(&world.authority.client(GEMEENTE, "portaal", 8)));
    let portaal = world.knock(&portaal).await.unwrap();
    let (shares, _told) = shares(&world, Share { calls_of_a_system: 1, ..Share::default() });
    let mut service =
        shares.layer(tower::service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::new(Open))) }));
    let mut make = async |through: &Through| service.call(call(through.connection.visitor())).await.unwrap();
    let first = make(&suite).await;
    assert!(answered(&first) && !answered(&make(&suite).await), "one at once");
    assert!(answered(&make(&portaal).await), "the other has its own");
    drop(first);
    assert!(answered(&make(&suite).await), "a place came back");
}
