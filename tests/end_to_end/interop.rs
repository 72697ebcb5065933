//! gRPC's own interoperability cases through the gateway: an organisation's service is put behind it without a change, and
//! ordinary generated clients call it. Python's cases are the official ones (Debian's source package `grpc`), Node's are
//! the same from `interop-test-descriptions.md`. The service is the official Python one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use ledger::{Event, Leaf};

use crate::harness::{Stage, root, run};
use crate::source::{Papers, Service};

/// Every case that needs no service of Google.
const CASES: [&str; 14] = [
    "cancel_after_begin",
    "cancel_after_first_response",
    "client_streaming",
    "custom_metadata",
    "empty_stream",
    "empty_unary",
    "large_unary",
    "ping_pong",
    "server_streaming",
    "special_status_message",
    "status_code_and_message",
    "timeout_on_sleeping_server",
    "unimplemented_method",
    "unimplemented_service",
];
/// Those that look into the payload of an answer.
const LOOK_INSIDE: [&str; 3] = ["large_unary", "ping_pong", "server_streaming"];
const ROUTE: &str = r#"service = "grpc.testing.TestService"
organisation = "00000099000000002000"
purpose = "proef"
request_metadata = ["x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"]
reply_metadata = ["x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"]
status = "details"
"#;

/// What `tests/setup` makes.
fn installed(name: &str) -> PathBuf {
    let path = root().join("tests").join(name);
    assert!(path.exists(), "run tests/setup first: it makes {}", path.display());
    path
}

fn python() -> Command {
    let grpc = installed(".venv/grpc/ready").with_file_name("");
    let mut command = Command::new(installed(".venv/bin/python"));
    let tests = grpc.join("src/python/grpcio_tests");
    command.env("PYTHONPATH", format!("{}:{}", grpc.display(), tests.display()));
    command
}

/// The official service, behind a gateway whose bundle knows gRPC's own contract.
struct World {
    stage: Stage,
    _service: Service,
    _papers: Papers,
}

impl World {
    /// `rules`: the bundle's.
    fn new(rules: impl Fn(String) -> String) -> World {
        let papers = Papers::new();
        let service = Service::start(python(), &root().join("tests/interop/source.py"), &papers);
        let route = papers.route(&[service.port], ROUTE);
        let stage = Stage::with_bundle(&route, "warn", |bundle| {
            let interop = root().join("tests/interop/bundle");
            for (name, from) in [
                ("bundle.toml", interop.join("bundle.toml")),
                ("organisations.toml", interop.join("organisations.toml")),
                ("exchanges.toml", interop.join("exchanges.toml")),
                ("mapping.toml", interop.join("mapping.toml")),
                ("rules/alles.cedar", interop.join("rules/alles.cedar")),
                ("guardrails/guardrails.cedar", interop.join("guardrails/guardrails.cedar")),
                ("schema.cedarschema", root().join("policies/schema.cedarschema")),
                ("contracts/veldwacht/klasse.proto", root().join("proto/veldwacht/klasse.proto")),
            ] {
                let text = std::fs::read_to_string(from).unwrap();
                bundle.write(name, &if name.starts_with("rules/") { rules(text) } else { text });
            }
            for entry in std::fs::read_dir(root().join("policies/lexicon")).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if !name.ends_with(".md") {
                    bundle.write(&format!("lexicon/{name}"), &std::fs::read_to_string(&path).unwrap());
                }
            }
            for name in ["empty.proto", "messages.proto", "test.proto"] {
                let name = format!("src/proto/grpc/testing/{name}");
                let text = std::fs::read_to_string(installed(".venv/grpc").join(&name)).unwrap();
                bundle.write(&format!("contracts/{name}"), &text);
            }
        });
        World { stage, _service: service, _papers: papers }
    }

    /// Runs a client's cases; what each said.
    fn play(&self, mut client: Command) -> BTreeMap<String, String> {
        let registry = std::fs::read_to_string(self.stage.path("pki/registry.toml")).unwrap();
        let registry: toml::Table = registry.parse().unwrap();
        let asker = registry["organisation"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["kind"].as_str() == Some("vrager"));
        let kid = asker.unwrap()["key"][0]["kid"].as_str().unwrap();
        let pki = self.stage.path("pki");
        client.arg(&self.stage.address).arg(pki.join("gateway-ca.pem"));
        client.args(
            ["vrager/proever.pem", "vrager/proever.key.pem", "vrager/assert.key.pem"]
                .map(|name| pki.join(name)),
        );
        let said = run(client.args([kid, "proever", "proef"])).done();
        let cases = said.lines().map(|line| line.split_once(' ').unwrap());
        cases.map(|(case, said)| (case.to_owned(), said.to_owned())).collect()
    }

    fn both_clients(&self) -> [BTreeMap<String, String>; 2] {
        let mut official = python();
        official.arg(root().join("tests/interop/client.py"));
        installed("node/node_modules/installed");
        let mut node = Command::new("node");
        node.arg(root().join("tests/node/interop.js")).arg(installed(".venv/grpc"));
        [self.play(official), self.play(node)]
    }
}

#[test]
fn the_official_python_cases_and_the_same_from_node_pass_through_unchanged() {
    let world = World::new(|rules| rules);
    for said in world.both_clients() {
        let failed: Vec<_> = said.iter().filter(|(_, said)| *said != "ok").collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(said.keys().map(String::as_str).collect::<Vec<_>>(), CASES);
    }
    let asked = |records: &[Leaf]| records.iter().filter(|leaf| matches!(leaf.event, Event::Ask(_))).count();
    let records = world.stage.records_when(|records| asked(records) > 40);
    assert!(
        records.iter().any(|leaf| matches!(leaf.event, Event::Refused(_))),
        "what nobody serves is refused on record"
    );
}

#[test]
fn with_a_contract_that_drops_the_payload_the_same_clients_see_just_that_cleared() {
    let world = World::new(|rules| {
        let all = "principal in Soort::\"vrager\",\n  action == Action::\"vol\",\n  resource in Dataklasse::\"geclassificeerd\"";
        assert!(rules.contains(all));
        rules.replace(all, &all.replace("geclassificeerd", "organisatie"))
    });
    for said in world.both_clients() {
        for (case, said) in &said {
            if LOOK_INSIDE.contains(&case.as_str()) {
                assert_ne!(said, "ok", "{case} has no payload to find");
                assert!(said.contains("got 0") || said.contains("deep-equal"), "{case}: {said}");
            } else {
                assert_eq!(said, "ok", "{case}");
            }
        }
    }
}

#[test]
fn a_peer_that_breaks_the_rules_of_http2_gets_the_error_that_they_name() {
    let stage = Stage::start();
    let mut peer = Command::new(installed(".venv/bin/python"));
    peer.arg(root().join("tests/python/http2.py")).arg(&stage.address).arg(stage.path("pki/gateway-ca.pem"));
    let certificate = stage.certificate("gemeente", "klantmanager");
    let said = run(peer.arg(&certificate).arg(certificate.with_extension("key.pem"))).done();
    let (exact, other): (Vec<_>, Vec<_>) = said.lines().partition(|line| line.ends_with("\tok"));
    let renamed = other.iter().filter(|line| line.ends_with("\tok as PROTOCOL_ERROR")).count();
    assert!(other.len() == renamed && renamed <= 9, "{other:#?}");
    assert!(exact.len() >= 50, "{said}");
}
