use model::{Purpose, Role};
use proptest::prelude::*;
use ring::signature::KeyPair as _;
use serde_json::{Value, json};

use super::*;
use crate::testing::tokens::{AUDIENCE, Tokens, b64};
use crate::testing::world::*;
use crate::{Actor, Replays};

/// What it is, the token, the reason it must get, and the claim it must point at (empty: the reason says it all).
type Bad = (&'static str, String, Reason, &'static str);

fn not_a_token(t: &Tokens) -> Vec<Bad> {
    let good = t.good();
    let [header, claims, signature] = good.splitn(3, '.').collect::<Vec<_>>()[..] else { unreachable!() };
    let bad = |what, token: String| (what, token, Reason::AssertionInvalid, "token");
    vec![
        bad("nothing", String::new()),
        bad("a word", "jwt".to_owned()),
        bad("two parts", format!("{header}.{claims}")),
        bad("four parts", format!("{good}.{signature}")),
        bad("encrypted: five parts", format!("{header}.{claims}.{signature}.a.b")),
        bad("over 8 kB", format!("{good}{}", "A".repeat(9_000))),
        bad("padded base64", format!("{good}=")),
        bad("base64 of the other alphabet", format!("{header}.{claims}.++//")),
        bad("a line break in it", format!("{header}.{claims}.\n{signature}")),
        bad("a space before it", format!("{header}.{claims}. {signature}")),
        ("an empty header", format!(".{claims}.{signature}"), Reason::AssertionInvalid, "header"),
        ("a header that is no JSON", t.token("EdDSA", "{}"), Reason::AssertionInvalid, "header"),
        ("a header that is a list", t.token("[]", "{}"), Reason::AssertionInvalid, "header"),
        ("a header twice", t.token(&format!("{0}{0}", t.header()), "{}"), Reason::AssertionInvalid, "header"),
        (
            "claims that are no JSON",
            t.token(&t.header().to_string(), "{"),
            Reason::AssertionInvalid,
            "claims",
        ),
        (
            "claims that are a text",
            t.token(&t.header().to_string(), "\"x\""),
            Reason::AssertionInvalid,
            "claims",
        ),
    ]
}

fn with_a_header_that_chooses(t: &Tokens) -> Vec<Bad> {
    let header = |what, member: &str, value: Value, place| {
        let mut header = t.header();
        header[member] = value;
        (what, t.headed(header), Reason::AssertionInvalid, place)
    };
    let mut unnamed = t.header();
    unnamed.as_object_mut().unwrap().remove("kid");
    let mut unsigned = t.header();
    unsigned["alg"] = json!("none");
    let unsigned = format!("{}.{}.", b64(unsigned.to_string()), b64(t.claims().to_string()));
    let twice = r#"{"alg":"EdDSA","kid":"edwards","alg":"EdDSA"}"#;
    // The classic: the public key, which everyone knows, as the secret of an HMAC.
    let confused = {
        let header = t.header().to_string().replace("EdDSA", "HS256");
        let signed = format!("{}.{}", b64(header), b64(t.claims().to_string()));
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, t.edwards.public_key().as_ref());
        format!("{signed}.{}", b64(ring::hmac::sign(&secret, signed.as_bytes())))
    };
    vec![
        ("alg none, unsigned", unsigned, Reason::AssertionInvalid, "alg"),
        header("alg none, signed", "alg", json!("none"), "alg"),
        header("alg None", "alg", json!("None"), "alg"),
        header("alg empty", "alg", json!(""), "alg"),
        header("alg HS256", "alg", json!("HS256"), "alg"),
        ("HS256 with the public key as secret", confused, Reason::AssertionInvalid, "alg"),
        header("alg RS256", "alg", json!("RS256"), "alg"),
        header("alg ES384", "alg", json!("ES384"), "alg"),
        header("alg of the other key", "alg", json!("ES256"), "alg"),
        header("alg in other letters", "alg", json!("eddsa"), "alg"),
        header("alg that is a list", "alg", json!(["EdDSA"]), "header"),
        ("alg twice", t.token(twice, &t.claims().to_string()), Reason::AssertionInvalid, "header"),
        header("a key that nobody registered", "kid", json!("elsewhere"), "kid"),
        header("the other organisation's key", "kid", json!("ggz"), "kid"),
        header("a key by its path", "kid", json!("../../dev/null"), "kid"),
        header("the other key of the organisation", "kid", json!("curve"), "alg"),
        ("no kid", t.headed(unnamed), Reason::AssertionInvalid, "header"),
        header("its own key (jwk)", "jwk", json!({ "kty": "OKP" }), "header"),
        header("a key elsewhere (jku)", "jku", json!("https://example.org/keys"), "header"),
        header("a certificate elsewhere (x5u)", "x5u", json!("https://example.org/x"), "header"),
        header("its own certificate (x5c)", "x5c", json!([]), "header"),
        header("something critical (crit)", "crit", json!(["exp"]), "header"),
        header("unencoded (b64)", "b64", json!(false), "header"),
        header("compressed (zip)", "zip", json!("DEF"), "header"),
        header("another kind of token", "typ", json!("at+jwt"), "typ"),
    ]
}

fn with_a_signature_of_another(t: &Tokens) -> Vec<Bad> {
    let signed = format!("{}.{}", b64(t.header().to_string()), b64(t.claims().to_string()));
    let with = |signature: &[u8]| format!("{signed}.{}", b64(signature));
    let right = t.edwards.sign(signed.as_bytes()).as_ref().to_vec();
    let mut flipped = right.clone();
    flipped[0] ^= 1;
    let good = t.good();
    let (_, signature) = good.rsplit_once('.').unwrap();
    let moved = format!(
        "{}.{}.{signature}",
        b64(t.header().to_string()),
        b64(t.with("role", json!("arts")).to_string())
    );
    let wsp = t.with("role", json!("werkgeversservicepunt"));
    let bad = |what, token| (what, token, Reason::AssertionInvalid, "signature");
    vec![
        bad("no signature", with(&[])),
        bad("zeroes", with(&[0; 64])),
        bad("cut off", with(&right[..63])),
        bad("one byte more", with(&[right.as_slice(), &[0]].concat())),
        bad("a bit flipped", with(&flipped)),
        bad("another organisation's signature", with(t.ggz.sign(signed.as_bytes()).as_ref())),
        bad("other claims under it", moved),
        bad("P-256: zeroes", t.curved(wsp.clone(), |signature| signature.fill(0))),
        bad("P-256: halves swapped", t.curved(wsp.clone(), |signature| signature.rotate_left(32))),
        bad("P-256: cut off", t.curved(wsp.clone(), |signature| signature.truncate(63))),
        bad(
            "P-256: as ASN.1",
            t.curved(wsp, |signature| signature.splice(0..0, [0x30, 0x44]).for_each(drop)),
        ),
    ]
}

fn at_the_wrong_time_or_place(t: &Tokens) -> Vec<Bad> {
    let now = NOW.unix_seconds();
    let times = |what, issued: i64, expires: i64, place| {
        let mut claims = t.with("iat", json!(issued));
        claims["exp"] = json!(expires);
        (what, t.of(claims), Reason::AssertionExpired, place)
    };
    let claim = |what, member: &str, value: Value, place| {
        (what, t.of(t.with(member, value)), Reason::AssertionInvalid, place)
    };
    let bound = |what, thumbprint: String| {
        let token = t.of(t.with("cnf", json!({ "x5t#S256": thumbprint })));
        (what, token, Reason::AssertionNotBound, "")
    };
    vec![
        times("expired 31 seconds ago", now - 331, now - 31, "exp"),
        times("expired a year ago", now - 31_536_000, now - 31_535_700, "exp"),
        times("issued in 31 seconds", now + 31, now + 60, "iat"),
        times("valid for 301 seconds", now, now + 301, "exp"),
        times("valid for ever", now, i64::MAX, "exp"),
        times("from long before to long after", i64::MIN, i64::MAX, "exp"),
        times("ends when it starts", now, now, "exp"),
        times("ends before it starts", now, now - 1, "exp"),
        ("not before a minute", t.of(t.with("nbf", json!(now + 60))), Reason::AssertionExpired, "nbf"),
        claim("a time that is a text", "exp", json!("tomorrow"), "claims"),
        claim("a time with a fraction", "exp", json!(1.5), "claims"),
        claim("no expiry", "exp", Value::Null, "claims"),
        claim("no issue time", "iat", Value::Null, "claims"),
        claim("another audience", "aud", json!("elders"), "aud"),
        claim("an audience that merely starts so", "aud", json!("veldwacht.example.org"), "aud"),
        claim("other audiences", "aud", json!(["elders", "ergens"]), "aud"),
        claim("no audience", "aud", Value::Null, "claims"),
        claim("another organisation's OIN", "iss", json!(GGZ), "iss"),
        claim("an OIN with a space", "iss", json!(format!("{GEMEENTE} ")), "iss"),
        claim("no issuer", "iss", Value::Null, "claims"),
        bound("another certificate", "A".repeat(43)),
        bound("no certificate", String::new()),
        bound("its thumbprint in hexadecimal", t.peer.fingerprint().to_string()),
        claim("not bound", "cnf", Value::Null, "claims"),
        claim("bound to a key instead", "cnf", json!({ "jkt": "x" }), "claims"),
        claim(
            "bound to two things",
            "cnf",
            json!({ "x5t#S256": t.peer.fingerprint().thumbprint(), "jkt": "x" }),
            "claims",
        ),
    ]
}

fn by_someone_who_may_not(t: &Tokens) -> Vec<Bad> {
    let claim = |what, member: &str, value: Value, place| {
        (what, t.of(t.with(member, value)), Reason::AssertionInvalid, place)
    };
    let role = |what, role: &str| (what, t.of(t.with("role", json!(role))), Reason::RoleNotAllowed, "");
    let mut arts = t.with("role", json!("arts"));
    let without_big =
        ("a role that demands a BIG number", t.of(arts.clone()), Reason::AssertionInvalid, "big");
    let mut big = |what, number: &str| {
        arts["big"] = json!(number);
        (what, t.of(arts.clone()), Reason::AssertionInvalid, "big")
    };
    let twice = t.claims().to_string().replacen('{', r#"{"role":"klantmanager","#, 1);
    vec![
        role("a role of another organisation", "behandelaar"),
        role("a role of another key", "werkgeversservicepunt"),
        role("the role of a system", "systeem"),
        role("a role that does not exist", "keizer"),
        claim("a role in capitals", "role", json!("Klantmanager"), "role"),
        claim("an empty role", "role", json!(""), "role"),
        claim("two roles", "role", json!(["klantmanager", "arts"]), "claims"),
        claim("no role", "role", Value::Null, "claims"),
        ("role twice", t.token(&t.header().to_string(), &twice), Reason::AssertionInvalid, "claims"),
        claim("a purpose that is none", "purpose", json!("Alles!"), "purpose"),
        claim("nobody", "sub", json!(" "), "sub"),
        claim("no user", "sub", Value::Null, "claims"),
        claim("a user of 300 bytes", "sub", json!("x".repeat(300)), "sub"),
        claim("no jti", "jti", Value::Null, "claims"),
        claim("an empty jti", "jti", json!(""), "jti"),
        claim("a jti of 200 bytes", "jti", json!("x".repeat(200)), "jti"),
        without_big,
        big("a BIG number of 10 digits", "1901234560"),
        big("a BIG number with a letter", "1901234560X"),
        big("a BIG number of zeroes", "00000000000"),
        big("a BIG number in other digits", "１901234560"),
    ]
}

#[test]
fn every_bad_assertion_gets_the_refusal_it_must_get() {
    let t = Tokens::new();
    let tables = [
        not_a_token(&t),
        with_a_header_that_chooses(&t),
        with_a_signature_of_another(&t),
        at_the_wrong_time_or_place(&t),
        by_someone_who_may_not(&t),
    ];
    let cases: Vec<Bad> = tables.into_iter().flatten().collect();
    assert!(cases.len() >= 40, "{}", cases.len());
    for (what, token, reason, place) in &cases {
        let refusal = t.accept(token).map(|_| ()).unwrap_err();
        let pointed = refusal.violations.first().map_or("", |violation| violation.field.as_str());
        assert_eq!((refusal.reason, pointed), (*reason, *place), "{what}");
        let told = format!("{refusal} {refusal:?} {}", serde_json::to_string(&refusal).unwrap());
        assert!(
            !told.contains("k.klantmanager") && !told.contains(GEMEENTE),
            "{what}: a refusal tells no value"
        );
    }
}

#[test]
fn a_good_assertion_makes_an_actor_that_shows_nobody() {
    let t = Tokens::new();
    let actor = t.accept(&t.good()).unwrap();
    assert_eq!(actor.oin().as_str(), GEMEENTE);
    assert_eq!(actor.role(), &"klantmanager".parse::<Role>().unwrap());
    assert_eq!(actor.purpose(), Some(&"aanmelding".parse::<Purpose>().unwrap()));
    assert_eq!(actor.user().unwrap().expose(), "k.klantmanager");
    assert!(!format!("{actor:?}").contains("klantmanager\""), "a user is not shown: {actor:?}");
    let mut arts = t.with("role", json!("arts"));
    arts["big"] = json!("19012345601");
    let actor = t.accept(&t.of(arts)).unwrap();
    assert_eq!(actor.big().unwrap().expose(), "19012345601");
    assert!(!format!("{actor:?}").contains("19012345601"), "nor a BIG number");
    let wsp = t.with("role", json!("werkgeversservicepunt"));
    assert!(t.accept(&t.curved(wsp, |_| {})).is_ok(), "ES256");
}

#[test]
fn clocks_may_differ_by_thirty_seconds_and_unknown_claims_are_ignored() {
    let t = Tokens::new();
    let now = NOW.unix_seconds();
    let mut late = t.with("iat", json!(now - 329));
    late["exp"] = json!(now - 29);
    let mut early = t.with("iat", json!(now + 30));
    early["nbf"] = json!(now + 30);
    early["exp"] = json!(now + 330);
    let mut more = t.with("scope", json!("openid"));
    more["aud"] = json!(["elders", AUDIENCE]);
    for claims in [late, early, more, t.with("purpose", Value::Null)] {
        t.accept(&t.of(claims)).unwrap();
    }
}

#[test]
fn a_token_is_good_once_and_a_full_memory_lets_nobody_in() {
    let t = Tokens::new();
    let mut memory = Replays::new(1);
    t.accept_with(&t.good(), &mut memory).unwrap();
    let again =
        |token: &str, memory: &mut Replays| t.accept_with(token, memory).map(|_| ()).unwrap_err().reason;
    assert_eq!(again(&t.good(), &mut memory), Reason::AssertionReplayed);
    assert_eq!(again(&t.of(t.with("role", json!("keizer"))), &mut memory), Reason::RoleNotAllowed);
    assert_eq!(again(&t.of(t.with("jti", json!("another"))), &mut memory), Reason::Busy);
}

#[test]
fn a_token_that_was_refused_takes_no_room_in_the_memory() {
    let t = Tokens::new();
    let mut memory = Replays::new(1);
    for (_, token, ..) in by_someone_who_may_not(&t) {
        t.accept_with(&token, &mut memory).unwrap_err();
    }
    t.accept_with(&t.good(), &mut memory).unwrap();
}

#[test]
fn a_system_without_assertion_is_nobody_with_the_role_systeem() {
    let t = Tokens::new();
    let actor = Actor::system(&t.peer);
    assert_eq!((actor.role().as_str(), actor.oin().as_str()), ("systeem", GEMEENTE));
    assert!(actor.user().is_none() && actor.big().is_none() && actor.purpose().is_none());
}

#[test]
fn an_organisation_that_left_the_registry_asserts_nothing() {
    let t = Tokens::new();
    let nobody = Registry::default();
    let (rules, mut memory) = (AssertionRules::of(AUDIENCE), Replays::new(10));
    let actor = Actor::from_assertion(&t.good(), &t.peer, &nobody, NOW, &rules, &mut memory);
    assert_eq!(actor.map(|_| ()).unwrap_err().reason, Reason::OrganisationUnknown);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_an_actor(text in ".{0,200}") {
        let t = Tokens::new();
        prop_assert!(t.accept(&text).is_err());
    }
}

#[test]
fn no_changed_character_of_a_good_token_makes_an_actor() {
    let t = Tokens::new();
    let good = t.good();
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(t.accept(&String::from_utf8(changed).unwrap()).is_err(), "character {at}");
    }
}

#[test]
fn a_gateway_may_ask_for_a_shorter_life_and_closer_clocks_and_never_for_a_longer_life() {
    let t = Tokens::new();
    let usual = AssertionRules::of(AUDIENCE);
    let accept = |rules: &AssertionRules, change: &[(&str, i64)]| {
        let mut claims = t.claims();
        change.iter().for_each(|(name, by)| claims[*name] = json!(NOW.unix_seconds() + by));
        let token = t.token(&t.header().to_string(), &claims.to_string());
        let actor = Actor::from_assertion(&token, &t.peer, &t.registry, NOW, rules, &mut Replays::new(10));
        actor.map(|_| ()).map_err(|refusal| refusal.reason)
    };
    let expired = Err(Reason::AssertionExpired);
    let minute = AssertionRules { lifetime_seconds: 60, ..usual.clone() };
    assert_eq!(accept(&minute, &[("iat", 0), ("exp", 60)]), Ok(()));
    assert_eq!(accept(&minute, &[("iat", 0), ("exp", 61)]), expired);
    let hour = AssertionRules { lifetime_seconds: 3_600, ..usual.clone() };
    assert_eq!(accept(&hour, &[("iat", 0), ("exp", 301)]), expired);
    let exact = AssertionRules { clock_skew_seconds: 0, ..usual };
    assert_eq!(accept(&exact, &[("iat", 1), ("exp", 200)]), expired, "from the future");
    assert_eq!(accept(&exact, &[("iat", -200), ("exp", 0)]), expired);
    assert_eq!(accept(&exact, &[("iat", 0), ("exp", 300)]), Ok(()));
}
