//! Clients of other makers: Node's grpc-js, Ruby over gRPC's C core, Python's reflection. Each is an ordinary program of
//! an organisation's programmer (`tests/node`, `tests/ruby`, `tests/python`), with its own TLS and its own tokens.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use model::Reason;
use serde_json::Value;

use crate::harness::{Stage, root, run};
use crate::member::{bytes_of, uuid};

/// A client in another language, with a gateway to talk to.
struct Foreign {
    stage: Stage,
    command: fn() -> Command,
}

fn node() -> Command {
    let script = root().join("tests/node/client.mjs");
    let packages = script.with_file_name("node_modules");
    assert!(packages.exists(), "run tests/setup first: it makes {}", packages.display());
    let mut command = Command::new("node");
    command.arg(script);
    command
}

fn ruby() -> Command {
    let script = root().join("tests/ruby/client.rb");
    let stubs = script.with_file_name("stubs");
    assert!(stubs.exists(), "run tests/setup first: it makes {}", stubs.display());
    let mut command = Command::new("ruby");
    command.arg(script);
    command
}

impl Foreign {
    fn start(command: fn() -> Command, more: &str) -> Foreign {
        let stage = Stage::with(more, "warn");
        let document = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
        std::fs::write(stage.path("aanmelding.binpb"), document).unwrap();
        Foreign { stage, command }
    }

    /// What the client printed at this step.
    fn step(&self, step: &str, arguments: &[&str]) -> Value {
        let mut command = (self.command)();
        command.arg(&self.stage.address).arg(self.stage.path("pki")).arg(step).args(arguments);
        serde_json::from_str(&run(&mut command).done()).unwrap()
    }

    fn document(&self) -> String {
        self.stage.path("aanmelding.binpb").to_str().unwrap().to_owned()
    }

    /// How many records name this reason.
    fn recorded(&self, reason: Reason) -> usize {
        let names =
            |leaf: &ledger::Leaf| leaf.event.carried().is_some_and(|carried| carried.reason == Some(reason));
        self.stage.records_when(|records| records.iter().any(names)).iter().filter(|leaf| names(leaf)).count()
    }

    fn a_document_arrives_and_a_bad_one_comes_back_with_its_reason(&self) {
        let document = self.document();
        let sent = self.step("send", &[&document]);
        let outcomes = sent["outcomes"].as_array().unwrap();
        assert_eq!(outcomes.len(), 1, "{sent}");
        let passed = outcomes[0]["delivered"]["passed"].as_array().unwrap();
        assert!(passed.iter().any(|cell| cell["class"] == "persoon"), "{sent}");
        let collected = self.step("collect", &[]);
        assert_eq!(collected["collected"], serde_json::json!([sent["exchange_id"]]), "{collected}");
        assert_eq!(self.step("collect", &[])["collected"], serde_json::json!([]), "acknowledged is gone");

        let refused = self.step("wrong-role", &[&document]);
        assert_eq!(
            (&refused["code"], &refused["reason"]),
            (&"PERMISSION_DENIED".into(), &"ROLE_NOT_ALLOWED".into())
        );
        assert_eq!(refused["domain"], "veldwacht");
        assert_eq!(refused["metadata"]["fault"], "caller");
        let refused = self.step("wrong-client", &[&document]);
        assert_eq!(
            (&refused["code"], &refused["reason"]),
            (&"INVALID_ARGUMENT".into(), &"CLIENT_INVALID".into())
        );
        assert_eq!(refused["violations"][0]["field"], "client_bsn", "{refused}");
        assert_eq!((self.recorded(Reason::RoleNotAllowed), self.recorded(Reason::ClientInvalid)), (1, 1));
    }

    fn a_stream_ends_when_its_caller_said(&self) {
        let ended = self.step("deadline", &[]);
        assert_eq!(ended["code"], "DEADLINE_EXCEEDED", "{ended}");
    }

    /// Whatever became of a call that its caller gave up: sent again under its id it is delivered, once.
    fn a_call_that_is_given_up_leaves_all_of_it_or_nothing(&self) {
        let gone = self.step("cancel", &[&self.document()]);
        let ids: HashSet<String> = gone["ids"].as_array().unwrap().iter().map(text).collect();
        let given_up = gone["first"].as_array().unwrap().iter().filter(|first| first.get("code").is_some());
        assert!(given_up.count() > 0, "no call was given up in time: {gone}");
        for again in gone["again"].as_array().unwrap() {
            assert_eq!(again["outcomes"].as_array().map(Vec::len), Some(1), "{again}");
        }
        let collected = self.step("collect", &[]);
        let collected: Vec<String> = collected["collected"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(collected.len(), ids.len(), "each once");
        assert_eq!(collected.into_iter().collect::<HashSet<_>>(), ids);
        let sent = |leaf: &ledger::Leaf| matches!(leaf.event, ledger::Event::Sent(_));
        let records =
            self.stage.records_when(|records| records.iter().filter(|leaf| sent(leaf)).count() > ids.len());
        let twice = |id: &String| {
            records.iter().filter(|leaf| sent(leaf) && leaf.exchange.to_string() == *id).count() != 1
        };
        assert!(!ids.iter().any(twice), "one record each");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn a_programmer_in_node_sends_collects_reads_refusals_waits_and_gives_up() {
    let node = Foreign::start(node, "");
    node.a_document_arrives_and_a_bad_one_comes_back_with_its_reason();
    node.a_stream_ends_when_its_caller_said();
    node.a_call_that_is_given_up_leaves_all_of_it_or_nothing();
}

#[test]
fn a_programmer_in_ruby_sends_collects_reads_refusals_waits_and_gives_up() {
    let ruby = Foreign::start(ruby, "");
    ruby.a_document_arrives_and_a_bad_one_comes_back_with_its_reason();
    ruby.a_stream_ends_when_its_caller_said();
    ruby.a_call_that_is_given_up_leaves_all_of_it_or_nothing();
}

#[test]
fn a_transaction_that_the_caller_names_stands_in_the_log_and_comes_back() {
    let node = Foreign::start(node, "");
    let (document, id) = (node.document(), uuid());
    let sent = node.step("send", &[&document, &id]);
    assert_eq!((text(&sent["transaction"]), text(&sent["exchange_id"])), (id.clone(), id.clone()));
    let records = node.stage.records_when(|records| !records.is_empty());
    assert_eq!(records[0].exchange.to_string(), id);
    let unnamed = node.step("send", &[&document]);
    assert_eq!(unnamed["transaction"], unnamed["exchange_id"], "what has no name gets one, and is told it");
    let refused = node.step("send", &[&document, "7"]);
    assert_eq!(refused["reason"], "EXCHANGE_ID_INVALID", "{refused}");
    assert_eq!(refused["violations"][0]["field"], "fsc-transaction-id");
}

#[test]
fn who_is_over_its_share_is_told_when_to_come_back() {
    let node = Foreign::start(node, "[limits]\ncalls_of_a_system = 4\n");
    let refused = node.step("busy", &["4"]);
    assert_eq!(
        (&refused["code"], &refused["reason"]),
        (&"RESOURCE_EXHAUSTED".into(), &"BUSY".into()),
        "{refused}"
    );
    assert_eq!(refused["retry_seconds"], 1);
    assert_eq!(node.recorded(Reason::Busy), 1);
    assert!(node.step("collect", &[]).get("code").is_none(), "the streams ended, and their places came back");
}

#[test]
fn compression_is_refused_unless_it_is_configured() {
    let off = Foreign::start(node, "");
    let refused = off.step("compressed", &[&off.document()]);
    assert_eq!(refused["code"], "UNIMPLEMENTED", "{refused}");
    let on = Foreign::start(node, "[http2]\ncompression = true\n");
    assert!(on.step("compressed", &[&on.document()])["exchange_id"].is_string());
}

#[test]
fn reflection_shows_a_caller_what_it_may_use_and_nothing_else() {
    const CONSENT: &str = "veldwacht.consent.v1.ConsentService";
    let node = Foreign::start(node, "");
    let (job, debts, handover) =
        ("werkfit.v1.JobcoachingAanvraag", "werkfit.v1.Schuldhulpvraag", "werkfit.v1.WarmeOverdracht");
    let seen = |who: &str, role: &str| node.step("reflect", &[who, role, job, debts, handover, CONSENT]);
    let services =
        |seen: &Value| -> HashSet<String> { seen["services"].as_array().unwrap().iter().map(text).collect() };
    // How many files were given for each, or 5 for NOT_FOUND.
    let known =
        |seen: &Value| [job, debts, handover, CONSENT].map(|name| seen["known"][name].as_i64().unwrap());

    // Without an assertion: whatever somebody of this organisation may use in some role.
    let rib = seen("coach", "");
    assert_eq!(known(&rib), [1, 1, 5, 1]);
    let lifecoach = seen("coach", "lifecoach");
    assert_eq!(known(&lifecoach), [5, 1, 5, 5]);
    let klantmanager = seen("klantmanager", "klantmanager");
    assert_eq!(known(&klantmanager), [5, 5, 1, 5]);
    assert!(services(&rib).contains(CONSENT));
    assert!(!services(&lifecoach).contains(CONSENT) && !services(&klantmanager).contains(CONSENT));
    for name in
        ["grpc.health.v1.Health", "veldwacht.exchange.v1.ExchangeService", "veldwacht.audit.v1.AuditService"]
    {
        assert!(services(&lifecoach).contains(name) && services(&klantmanager).contains(name), "{name}");
    }
    let refused = node.step("reflect", &["klantmanager", "verzekeringsarts"]);
    assert_eq!(refused["reason"], "ROLE_NOT_ALLOWED", "{refused}");
}

#[test]
fn a_tool_in_python_reads_the_contracts_by_reflection() {
    let stage = Stage::start();
    let python: PathBuf = root().join("tests/.venv/bin/python");
    let mut command = Command::new(python);
    command.arg(root().join("tests/python/reflection.py")).arg(&stage.address).arg(stage.path("pki"));
    let said = run(command.args(["gemeente/klantmanager", "werkfit.v1.Aanmelding"])).done();
    assert!(
        said.contains("veldwacht.exchange.v1.ExchangeService Send(SendRequest) Collect(CollectRequest)"),
        "{said}"
    );
    assert!(
        said.lines().any(|line| line.starts_with("werkfit.v1.Aanmelding.") && !line.ends_with("[0]")),
        "{said}"
    );
    assert!(!said.contains("ConsentService"), "{said}");
}
