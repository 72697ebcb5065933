use identity::{Actor, AssertionRules, Peer, Registry, Replays, Rules, Trust};
use model::{Name, Reason};

use super::*;
use crate::pki::{KeyKind, NewOrganisation, Pki};

const NOW: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);

#[test]
fn a_token_of_either_kind_of_key_makes_an_actor_once_and_for_its_own_certificate_only() {
    for key in [KeyKind::Ed25519, KeyKind::P256] {
        let dir = tempfile::tempdir().unwrap();
        let read = |file: &str| std::fs::read_to_string(dir.path().join(file)).unwrap();
        let behandelaar: Role = "behandelaar".parse().unwrap();
        let systems: Vec<Name> = vec!["epd".parse().unwrap(), "portaal".parse().unwrap()];
        let organisation = NewOrganisation {
            oin: "00000099000000002000".parse().unwrap(),
            name: "GGZ".to_owned(),
            kind: "ggz".parse().unwrap(),
            folder: "ggz".parse().unwrap(),
            roles: [behandelaar.clone()].into(),
            big_roles: [behandelaar.clone()].into(),
            systems,
            key,
        };
        Pki::init(dir.path(), "00000099000000009000".parse().unwrap(), &[], &[organisation], NOW).unwrap();

        let rules = Rules { test_mode: true, ..Rules::default() };
        let authorities: Vec<_> =
            CertificateDer::pem_file_iter(dir.path().join("authorities.pem")).unwrap().flatten().collect();
        let trust = Trust::new(&authorities, rules).unwrap();
        let registry = Registry::parse(&read("registry.toml")).unwrap();
        let peer = |file: &str| {
            let certificate = CertificateDer::from_pem_file(dir.path().join(file)).unwrap();
            Peer::from_certificate(&[certificate], &trust, &registry, NOW).unwrap()
        };

        let asserter = Asserter::new(&read("ggz/assert.key.pem"), &read("ggz/epd.pem")).unwrap();
        let assertion = Assertion {
            spoed: None,
            role: &behandelaar,
            user: "j.jansen",
            purpose: None,
            big: Some("19012345601"),
            audience: DEFAULT_AUDIENCE,
            lifetime: DEFAULT_LIFETIME_SECONDS,
        };
        let token = asserter.token(&assertion, NOW).unwrap();
        let mut memory = Replays::new(100);
        let mut accept = |peer: &Peer| {
            Actor::from_assertion(
                &token,
                peer,
                &registry,
                NOW,
                &AssertionRules::of(DEFAULT_AUDIENCE),
                &mut memory,
            )
            .map_err(|refusal| refusal.reason)
        };
        assert_eq!(accept(&peer("ggz/portaal.pem")).unwrap_err(), Reason::AssertionNotBound);
        let actor = accept(&peer("ggz/epd.pem")).unwrap();
        assert_eq!((actor.role(), actor.user().unwrap().expose()), (&behandelaar, "j.jansen"));
        assert_eq!(accept(&peer("ggz/epd.pem")).unwrap_err(), Reason::AssertionReplayed);
    }
}

#[test]
fn a_thumbprint_is_that_of_the_rfc() {
    // RFC 8037, appendix A.3.
    let jwk = crate::pki::Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
        y: None,
    };
    assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}
