//! Doelbinding by the phase of the client's traject: who states it, what it lets pass, and every no.

use ledger::{Event, Kind, Leaf};
use model::Reason;
use serde_json::Value;

use crate::harness::{CLIENT, GEMEENTE, GGZ, RIB, Ran, Stage, UWV, document};

/// Another client, who is in no traject.
const STRANGER: &str = "123456782";

/// What is stated, by whom, and why it does not count.
type Refused = (&'static str, (&'static str, &'static str), &'static [&'static str], Reason);

/// `traject …` as someone of an organisation.
fn traject(stage: &Stage, (organisation, role): (&str, &str), arguments: &[&str]) -> Ran {
    let certificate = stage.certificate(organisation, role);
    let mut all = vec!["traject"];
    all.extend(arguments);
    all.extend(["--as", certificate.to_str().unwrap(), "--json"]);
    if role == "behandelaar" {
        all.extend(["--big", "19012345601"]);
    }
    stage.run(&all)
}

fn enter(stage: &Stage, phase: &str) {
    traject(stage, ("rib", "coach"), &["enter", "--client", CLIENT, "--phase", phase]).done();
}

/// `send` by the coach to the klantmanager.
fn send(stage: &Stage, purpose: &str, message: &str, file: &str) -> Ran {
    let certificate = stage.certificate("rib", "coach");
    let (to, file) = (format!("{GEMEENTE}:klantmanager"), document(file));
    let mut arguments = vec!["send", "--as", certificate.to_str().unwrap(), "--to", &to, "--json"];
    arguments.extend(["--purpose", purpose, "--client", CLIENT, "--type", message, file.to_str().unwrap()]);
    stage.run(&arguments)
}

fn plan(stage: &Stage) -> Ran {
    send(stage, "werkplan", "werkfit.v1.Werkplan", "X08-werkplan")
}

fn report(stage: &Stage) -> Ran {
    send(stage, "voortgang", "werkfit.v1.Voortgangsrapportage", "X11-voortgangsrapportage-verbeterd")
}

fn says(ran: &Ran, reason: Reason) {
    assert_ne!(ran.status, 0, "{}", ran.said());
    assert!(ran.said().contains(reason.name()), "{reason} was expected: {}", ran.said());
}

fn listed(stage: &Stage) -> Value {
    let printed = traject(stage, ("rib", "coach"), &["list", "--client", CLIENT]).done();
    serde_json::from_str(printed.lines().next().unwrap()).unwrap()
}

/// What the records say was decided: each delivery with its reason and phase, in order.
fn decided(records: &[Leaf]) -> Vec<(Option<Reason>, Option<u8>)> {
    let carried = records.iter().filter_map(|leaf| match &leaf.event {
        Event::Sent(carried) | Event::Refused(carried) => Some(carried),
        _ => None,
    });
    carried.flat_map(|carried| &carried.to).map(|to| (to.reason, to.phase)).collect()
}

#[test]
fn a_document_passes_in_the_phase_it_is_for_and_in_no_other() {
    let mut stage = Stage::start();
    says(&plan(&stage), Reason::TrajectNotActive);
    stage.register(&[], &document("X05-aanmelding")).done();
    let opened = listed(&stage);
    assert_eq!((&opened["phase"], &opened["parties"]), (&1.into(), &serde_json::json!([GEMEENTE, RIB])));
    says(&plan(&stage), Reason::PhaseNotFitting);
    says(&report(&stage), Reason::PhaseNotFitting);
    enter(&stage, "2");
    plan(&stage).done();
    says(&report(&stage), Reason::PhaseNotFitting);
    enter(&stage, "3");
    says(&plan(&stage), Reason::PhaseNotFitting);
    report(&stage).done();
    // A second aanmelding in the same traject does not begin it anew.
    stage.register(&[], &document("X05-aanmelding")).done();
    assert_eq!(listed(&stage)["phase"], 3);

    // What is stated is read from the log: deleted views change nothing.
    stage.stop();
    std::fs::remove_dir_all(stage.path("data/views")).unwrap();
    stage.serve();
    report(&stage).done();
    traject(&stage, ("gemeente", "klantmanager"), &["end", "--client", CLIENT]).done();
    says(&report(&stage), Reason::TrajectNotActive);
    assert_eq!(listed(&stage)["phase"], 0);
    let waiting = stage.collect("gemeente", "klantmanager", &["--ack"]);
    assert_eq!(waiting.len(), 3, "what fitted when it was sent may be collected after the end");

    let records = stage
        .records_when(|records| records.iter().filter(|leaf| leaf.kind() == Kind::Acknowledged).count() == 3);
    let (no, wrong) = (Some(Reason::TrajectNotActive), Some(Reason::PhaseNotFitting));
    let wanted = [
        (no, None),
        (None, None),
        (wrong, None),
        (wrong, None),
        (None, Some(2)),
        (wrong, None),
        (wrong, None),
        (None, Some(3)),
        (None, None),
        (None, Some(3)),
        (no, None),
    ];
    assert_eq!(decided(&records), wanted);
    let opens = records.iter().filter_map(|leaf| leaf.event.carried()?.terms.opens);
    assert_eq!(opens.collect::<Vec<_>>(), [1], "one aanmelding opened it");
    let stated = records.iter().filter_map(|leaf| match &leaf.event {
        Event::Traject(change) => Some(change.phase),
        _ => None,
    });
    assert_eq!(stated.collect::<Vec<_>>(), [Some(2), Some(3), None]);
}

#[test]
fn only_who_the_bundle_names_and_takes_part_states_a_phase() {
    let stage = Stage::start();
    stage.register(&[], &document("X05-aanmelding")).done();
    let (coach, officer) = (("rib", "coach"), ("gemeente", "klantmanager"));
    let cases: &[Refused] = &[
        (
            "a coach opens none",
            coach,
            &["open", "--client", CLIENT, "--with", GEMEENTE],
            Reason::RoleNotAllowed,
        ),
        (
            "a behandelaar states none",
            ("ggz", "behandelaar"),
            &["enter", "--client", CLIENT, "--phase", "2"],
            Reason::RoleNotAllowed,
        ),
        (
            "a coach lists none of others",
            ("ggz", "behandelaar"),
            &["list", "--client", CLIENT],
            Reason::RoleNotAllowed,
        ),
        (
            "not of a client of others",
            coach,
            &["enter", "--client", STRANGER, "--phase", "2"],
            Reason::TrajectNotYours,
        ),
        (
            "not from outside",
            ("uwv", "arbeidsdeskundige"),
            &["enter", "--client", CLIENT, "--phase", "3"],
            Reason::TrajectNotYours,
        ),
        ("nor its end", ("uwv", "arbeidsdeskundige"), &["end", "--client", CLIENT], Reason::TrajectNotYours),
        (
            "not with a stranger",
            coach,
            &["enter", "--client", CLIENT, "--phase", "2", "--with", UWV],
            Reason::TrajectNotYours,
        ),
        (
            "no phase of the bundle",
            coach,
            &["enter", "--client", CLIENT, "--phase", "9"],
            Reason::RequestInvalid,
        ),
        ("no phase at all", coach, &["enter", "--client", CLIENT, "--phase", "0"], Reason::RequestInvalid),
        (
            "nobody knows them",
            officer,
            &["open", "--client", CLIENT, "--with", "00000099000000009999"],
            Reason::ReceiverUnknown,
        ),
        ("alone", officer, &["open", "--client", CLIENT, "--with", GEMEENTE], Reason::RequestInvalid),
    ];
    for (name, who, arguments, reason) in cases {
        let ran = traject(&stage, *who, arguments);
        assert!(ran.said().contains(reason.name()), "{name}: {reason} was expected: {}", ran.said());
        assert_ne!(ran.status, 0, "{name}");
    }
    let nobody = traject(&stage, coach, &["enter", "--client", "999990018", "--phase", "2"]);
    assert_eq!(nobody.status, 2);
    assert!(!nobody.said().contains("999990018"), "a BSN is never repeated: {}", nobody.said());
    assert_eq!(listed(&stage)["phase"], 1, "none of it counted");

    let records = stage.records_when(|records| {
        records.iter().filter(|leaf| leaf.kind() == Kind::Refused).count() == cases.len()
    });
    let refused: Vec<Reason> = records
        .iter()
        .filter(|leaf| leaf.kind() == Kind::Refused)
        .filter_map(|leaf| leaf.event.carried()?.reason)
        .collect();
    assert_eq!(refused, cases.iter().map(|case| case.3).collect::<Vec<_>>(), "each no is a record");
    // Whoever takes part does, and an opener says anew who takes part.
    traject(&stage, officer, &["open", "--client", CLIENT, "--with", RIB, "--with", GGZ, "--phase", "2"])
        .done();
    plan(&stage).done();
}
