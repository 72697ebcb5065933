use proptest::prelude::*;

use super::*;

const PIN: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000001";
// RFC 8037, appendix A.2, and RFC 7515, appendix A.3.1: public keys of the standards themselves.
const ED25519: &str =
    r#"{ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }"#;
const P256: &str = r#"{ kty = "EC", crv = "P-256", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }"#;

fn organisation(oin: &str, more: &str) -> String {
    format!(
        "[[organisation]]\noin = \"{oin}\"\nname = \"Een\"\nkind = \"rib\"\nissuers = [\"{PIN}\"]\nsystems = [\"suite\"]\n{more}\n"
    )
}

fn key(what: &str) -> String {
    format!("[[organisation.key]]\nkid = \"k\"\nroles = [\"coach\"]\n{what}\n")
}

fn one(more: &str) -> String {
    organisation("00000099000000001000", more)
}

#[test]
fn a_registry_knows_its_organisations_keys_and_operators() {
    let text = format!(
        "big_roles = [\"arts\"]\n{}{}[[operator]]\nname = \"officer-1\"\nroles = [\"officer\"]\nissuers = [\"{PIN}\"]\n",
        one(&key(&format!("jwk = {ED25519}"))),
        organisation("00000004000000001000", "part_of = \"00000099000000001000\""),
    );
    let registry = Registry::parse(&text).unwrap();
    let whole = registry.organisation("00000099000000001000".parse().unwrap()).unwrap();
    assert_eq!(whole.roles().iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["coach"]);
    let part = registry.organisation("00000004000000001000".parse().unwrap()).unwrap();
    assert_eq!(part.part_of(), Some(whole.oin()));
    assert!(
        registry.demands_big(&"arts".parse().unwrap()) && !registry.demands_big(&"coach".parse().unwrap())
    );
    assert!(registry.operator(&"officer-1".parse().unwrap()).is_some());
    assert_eq!(registry.organisations().count(), 2);
}

#[test]
fn a_key_set_is_read_by_the_name_it_has_and_gives_every_key_the_same_roles() {
    let text = one("[[organisation.key]]\njwks = \"rib.jwks\"\nroles = [\"coach\"]");
    let set = r#"{"keys":[
        {"kty":"OKP","crv":"Ed25519","kid":"a","use":"sig","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty":"EC","crv":"P-256","kid":"b","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    let read = |set: Option<&str>| {
        Registry::parse_with(&text, &mut |name| {
            assert_eq!(name, "rib.jwks");
            set.map(str::to_owned)
        })
    };
    let registry = read(Some(set)).unwrap();
    let organisation = registry.organisations().next().unwrap();
    assert!(organisation.key("a").is_some() && organisation.key("b").is_some());
    read(None).unwrap_err();
    read(Some("{}")).unwrap_err();
    read(Some(&set.replace("\"kid\":\"b\"", "\"kid\":\"a\""))).unwrap_err();
    read(Some(&set.replace("\"kid\":\"b\",", ""))).unwrap_err();
}

#[test]
fn a_registry_that_is_not_right_as_a_whole_is_refused_and_says_where() {
    let jwk = |jwk: &str| key(&format!("jwk = {jwk}"));
    let other = organisation("00000099000000002000", &jwk(ED25519));
    let cases: Vec<(&str, String)> = vec![
        ("not TOML", "[[organisation".to_owned()),
        ("an unknown key", one("colour = \"red\"")),
        ("an unknown table", "[door]".to_owned()),
        ("a missing key", one("").replace("kind = \"rib\"", "")),
        ("an OIN that is none", organisation("1234", "")),
        ("an OIN twice", one("") + &one("")),
        ("an empty name", one("").replace("\"Een\"", "\" \"")),
        ("a kind in capitals", one("").replace("\"rib\"", "\"RIB\"")),
        ("no authority", one("").replace(&format!("[\"{PIN}\"]"), "[]")),
        ("a pin that is none", one("").replace("sha256:", "sha1:")),
        ("no system", one("").replace("[\"suite\"]", "[]")),
        ("a part of nobody", one("part_of = \"00000099000000005000\"")),
        ("no role for a key", one(&jwk(ED25519).replace("[\"coach\"]", "[]"))),
        ("the role of nobody's assertion", one(&jwk(ED25519).replace("coach", "systeem"))),
        ("a key without a name", one(&jwk(ED25519).replace("kid = \"k\"", ""))),
        ("a key with an empty name", one(&jwk(ED25519).replace("kid = \"k\"", "kid = \"\""))),
        ("a name twice", one(&(jwk(ED25519) + &jwk(P256)))),
        ("no key in a key", one(&key(""))),
        ("two keys in a key", one(&key(&format!("jwk = {ED25519}\npem = \"x\"")))),
        ("a name for a key set", one(&key("jwks = \"rib.jwks\""))),
        ("one key of two organisations", one(&jwk(ED25519)) + &other),
        ("a private key", one(&jwk(&ED25519.replace(" }", ", d = \"nWGxne\" }")))),
        ("a symmetric key", one(&jwk(r#"{ kty = "oct", k = "c2VjcmV0" }"#))),
        ("an RSA key", one(&jwk(r#"{ kty = "RSA", n = "AQAB", e = "AQAB" }"#))),
        ("another curve", one(&jwk(&P256.replace("P-256", "P-384")))),
        ("a curve for agreeing keys", one(&jwk(&ED25519.replace("Ed25519", "X25519")))),
        ("a key for another algorithm", one(&jwk(&ED25519.replace(" }", ", alg = \"ES256\" }")))),
        ("a key for encryption", one(&jwk(&ED25519.replace(" }", ", use = \"enc\" }")))),
        ("half a key", one(&jwk(&ED25519.replace("aPcHURo", "")))),
        (
            "a key without its second half",
            one(&jwk(P256.split(", y").next().unwrap()).replace("EU\"", "EU\" }")),
        ),
        (
            "a coordinate outside the field",
            one(&jwk(&P256.replace(
                "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "__________________________________________8",
            ))),
        ),
        (
            "a PEM of rubbish",
            one(&key("pem = \"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\\n\"")),
        ),
        (
            "a PEM of a private key",
            one(&key("pem = \"-----BEGIN PRIVATE KEY-----\\n-----END PRIVATE KEY-----\\n\"")),
        ),
        (
            "a PEM of a certificate",
            one(&key("pem = \"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"")),
        ),
        ("an operator twice", {
            let operator =
                format!("[[operator]]\nname = \"o\"\nroles = [\"officer\"]\nissuers = [\"{PIN}\"]\n");
            operator.repeat(2)
        }),
        (
            "an operator without a role",
            format!("[[operator]]\nname = \"o\"\nroles = []\nissuers = [\"{PIN}\"]"),
        ),
        ("a role that is none", "big_roles = [\"Arts\"]".to_owned()),
    ];
    for (what, text) in cases {
        let error = Registry::parse(&text).map(|_| ()).unwrap_err().to_string();
        assert!(!error.contains("nWGxne"), "no private key in an error");
        assert!(error.len() > 20, "{what}: {error}");
    }
}

#[test]
fn a_pem_key_is_the_same_key_as_its_jwk() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let key = AssertionKey::from_pem(&pair.public_key_pem()).unwrap();
    let point = rcgen::PublicKeyData::der_bytes(&pair);
    let encode = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    };
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
    assert_eq!(key, AssertionKey::from_jwk(&jwk).unwrap());
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    assert_eq!(AssertionKey::from_pem(&other.public_key_pem()), Err(KeyError::Unsupported));
    assert_eq!(AssertionKey::from_pem(&pair.serialize_pem()), Err(KeyError::Private));
}

proptest! {
    #[test]
    fn no_text_makes_a_registry_panic(text in "(?s).{0,300}") {
        let _ = Registry::parse(&text);
        let _ = AssertionKey::from_jwk(&text);
        let _ = AssertionKey::from_pem(&text);
    }
}
