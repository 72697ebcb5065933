//! What a service knows of a request: the visitor, and the actor of its assertion.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Reason;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::super::*;
use super::world::*;

struct Signer(Ed25519KeyPair);

impl Signer {
    fn new() -> Signer {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Signer(Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap())
    }

    fn registered(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        format!(
            "[[organisation.key]]\nkid = \"k\"\nroles = [\"klantmanager\"]\njwk = {{ kty = \"OKP\", crv = \"Ed25519\", x = \"{x}\" }}\n"
        )
    }

    fn bearer(&self, client: &Identity, jti: &str) -> String {
        let thumbprint = identity::Fingerprint::of(&client.certificate).thumbprint();
        let claims = format!(
            r#"{{"iss":"{GEMEENTE}","sub":"x","aud":"veldwacht","iat":1790000000,"exp":1790000300,"jti":"{jti}","role":"klantmanager","cnf":{{"x5t#S256":"{thumbprint}"}}}}"#
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()));
        format!("Bearer {signed}.{signature}")
    }
}

async fn world(signer: &Signer, assertion_use: AssertionUse) -> World {
    World::with(Setup { assertion_use, more: signer.registered(), ..Setup::default() }).await
}

fn role(visitor: &Visitor, bearer: &str) -> Result<String, Reason> {
    let actor = visitor.actor(Some(bearer)).map_err(|refusal| refusal.reason)?;
    Ok(actor.role().to_string())
}

#[tokio::test]
async fn an_assertion_is_good_for_one_call_and_a_system_without_one_is_a_system() {
    let signer = Signer::new();
    let mut world = world(&signer, AssertionUse::Call).await;
    let client = world.client();
    let through = world.knock(&Client::new(&world, Some(&client))).await.unwrap();
    let visitor = through.connection.visitor();
    assert_eq!(visitor.actor(None).unwrap().role().as_str(), "systeem");
    let bearer = signer.bearer(&client, "one");
    assert_eq!(role(visitor, &bearer).unwrap(), "klantmanager");
    assert_eq!(role(visitor, &bearer), Err(Reason::AssertionReplayed));
    assert_eq!(role(visitor, &bearer.replace("Bearer ", "")), Err(Reason::AssertionInvalid));
    assert_eq!(role(visitor, &bearer.replace("Bearer", "Basic")), Err(Reason::AssertionInvalid));
}

#[tokio::test]
async fn where_it_is_configured_an_assertion_is_good_for_its_connection_and_no_other() {
    let signer = Signer::new();
    let mut world = world(&signer, AssertionUse::Connection).await;
    let identity = world.client();
    let client = Client::new(&world, Some(&identity));
    let (first, second) = (world.knock(&client).await.unwrap(), world.knock(&client).await.unwrap());
    let bearer = signer.bearer(&identity, "one");
    for _ in 0..3 {
        assert_eq!(role(first.connection.visitor(), &bearer).unwrap(), "klantmanager");
    }
    assert_eq!(role(second.connection.visitor(), &bearer), Err(Reason::AssertionReplayed));
    world.seconds.fetch_add(331, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(role(first.connection.visitor(), &bearer), Err(Reason::AssertionExpired));
}

#[tokio::test]
async fn a_connection_that_showed_very_many_assertions_still_remembers_the_next_one() {
    let signer = Signer::new();
    let mut world = world(&signer, AssertionUse::Connection).await;
    let identity = world.client();
    let through = world.knock(&Client::new(&world, Some(&identity))).await.unwrap();
    let visitor = through.connection.visitor();
    for number in 0..300 {
        role(visitor, &signer.bearer(&identity, &format!("call-{number}"))).unwrap();
    }
    let bearers = ["one", "other"].map(|jti| signer.bearer(&identity, jti));
    for bearer in bearers.iter().cycle().take(6) {
        assert_eq!(role(visitor, bearer).unwrap(), "klantmanager");
    }
}

#[tokio::test]
async fn a_key_that_left_the_registry_is_forgotten_by_open_connections() {
    let signer = Signer::new();
    let mut world = world(&signer, AssertionUse::Connection).await;
    let identity = world.client();
    let through = world.knock(&Client::new(&world, Some(&identity))).await.unwrap();
    let bearer = signer.bearer(&identity, "one");
    role(through.connection.visitor(), &bearer).unwrap();
    let mut material = world.material(&[]);
    material.registry = registry(world.authority.pin, "");
    world.guard.reload(material).unwrap();
    assert_eq!(role(through.connection.visitor(), &bearer), Err(Reason::AssertionInvalid));
}

#[tokio::test]
async fn another_certificates_assertion_is_refused() {
    let signer = Signer::new();
    let mut world = world(&signer, AssertionUse::Call).await;
    let through = world.knock(&Client::new(&world, Some(&world.client()))).await.unwrap();
    let bearer = signer.bearer(&world.client(), "one");
    assert_eq!(role(through.connection.visitor(), &bearer), Err(Reason::AssertionNotBound));
}

#[tokio::test]
async fn a_service_finds_the_visitor_in_its_request() {
    let world = World::new().await;
    let client = Client::new(&world, Some(&world.client()));
    let (tell, mut told) = mpsc::unbounded_channel();
    let (_, health) = tonic_health::server::health_reporter();
    let seen = move |request: tonic::Request<()>| {
        let visitor = request.extensions().get::<Visitor>().ok_or(tonic::Status::unauthenticated(""))?;
        let _ = tell.send(visitor.peer().map(|peer| peer.oin().to_string()).unwrap_or_default());
        Ok(request)
    };
    let service = tonic::service::interceptor::InterceptedService::new(health, seen);
    let service = tonic::service::Routes::new(service).prepare();
    tokio::spawn(serve(world.incoming, Http2::default(), service, std::future::pending()));

    let stream = client.connect(world.address).await.unwrap();
    let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("https://localhost/grpc.health.v1.Health/Check")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (response, mut body) = send.send_request(request, false).unwrap();
    body.send_data(vec![0; 5].into(), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(told.recv().await.unwrap(), GEMEENTE);
}
