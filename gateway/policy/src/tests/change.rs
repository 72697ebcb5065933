//! Diff of meaning and the life of a change.

use model::Timestamp;

use super::small::{files, load, with};
use crate::{Approval, Diff, Digest, Event, Files, NotTaken, Proposed, Proven, State, Step};

fn higher(mut files: Files, number: u64) -> Proven {
    files.insert(
        "bundle.toml".into(),
        format!("number = {number}\nguardrails = 1\nname = \"klein\"\n").into_bytes(),
    );
    load(&files)
}

fn wider() -> Files {
    with(
        "rules/alle.cedar",
        "action == Action::\"urenband\"",
        "action in [Action::\"vol\", Action::\"urenband\"]",
    )
}

#[test]
fn only_what_changes_in_meaning_is_a_change() {
    let old = load(&files());
    let reworded = higher(with("rules/alle.cedar", "De arts krijgt alles.", "Aan de arts alles."), 2);
    assert_eq!(Diff::between(&old, &reworded).changes, []);
    let moved = higher(with("organisations.toml", "RIB (test)", "Re-integratiebedrijf"), 2);
    assert_eq!(Diff::between(&old, &moved).changes, []);
}

#[test]
fn a_widening_is_marked_with_field_receiver_and_rule() {
    let (old, new) = (load(&files()), higher(wider(), 2));
    let diff = Diff::between(&old, &new);
    assert!(diff.widens());
    let [change] = diff.changes.as_slice() else { panic!("{diff}") };
    assert_eq!(change.what, "`uren`");
    assert_eq!(change.before, "functioneel.uren as urenband, by `werkgever-uren`");
    assert_eq!(change.after, "functioneel.uren as vol, by `werkgever-uren`");
    assert!(change.place.contains("rib:coach → werkgever:contactpersoon"));
    assert_eq!(change.states, "emergency no");
    let back = Diff::between(&new, &higher(files(), 3));
    assert!(!back.widens() && back.changes.len() == 1, "the way back narrows");
    assert_ne!(back.digest(), diff.digest());
}

#[test]
fn a_dropped_consent_widens_only_where_it_was_missing() {
    let new = higher(with("exchanges.toml", "consents = [\"gezondheidsgegevens\"]", "consents = []"), 2);
    let diff = Diff::between(&load(&files()), &new);
    assert!(diff.widens() && diff.changes.iter().all(|change| change.widens), "{diff}");
    let states = "gezondheidsgegevens geweigerd or onbekend, emergency no";
    assert!(diff.changes.iter().all(|change| change.states == states), "{diff}");
}

#[test]
fn what_reaches_further_beside_the_cells_is_seen_too() {
    let old = load(&files());
    let more = |file: &str, from: &str, to: &str| Diff::between(&old, &higher(with(file, from, to), 2));
    let retention = more("exchanges.toml", "retention_days = 730", "retention_days = 3650");
    assert!(retention.widens() && retention.changes.len() == 1, "{retention}");
    assert!(!more("exchanges.toml", "retention_days = 730", "retention_days = 30").widens());
    assert!(more("exchanges.toml", "minutes = 60", "minutes = 600").widens());
    let organisation = "[[organisation]]\noin = \"00000099000000005000\"\nname = \"x\"\nkind = \"rib\"\n[[organisation]]\noin = \"00000099000000004000\"";
    assert!(
        more("organisations.toml", "[[organisation]]\noin = \"00000099000000004000\"", organisation).widens()
    );
    let mut fewer = files();
    let text = String::from_utf8(fewer["guardrails/grenzen.cedar"].clone()).unwrap();
    let kept = text.split("@id(\"grens-bsn-werkgever\")").next().unwrap();
    fewer.insert("guardrails/grenzen.cedar".into(), kept.as_bytes().to_vec());
    let diff = Diff::between(&old, &higher(fewer, 2));
    assert!(diff.widens() && diff.to_string().contains("grens-bsn-werkgever"), "{diff}");
}

fn event(seconds: i64, by: &str, step: Step) -> Event {
    Event { at: Timestamp::from_unix_millis(seconds * 1000), by: by.parse().unwrap(), step }
}

#[test]
fn a_widening_needs_two_approvers_who_are_not_the_author() {
    let (old, new) = (load(&files()), higher(wider(), 2));
    let proposed = Proposed::change(&old, &new).unwrap();
    assert!(proposed.widens);
    let approve = |by: &str| event(2, by, Step::Approve { diff: proposed.diff });
    let activate = event(3, "anna", Step::Activate { running: old.digest() });
    let first = event(0, "anna", Step::Propose(proposed.clone()));
    let mut change = Approval::begin(&first).unwrap();
    assert_eq!(change.step(&approve("bram")), Err(NotTaken::NotSimulated));
    assert_eq!(change.step(&event(1, "anna", Step::Simulate)), Ok(State::Simulated));
    assert_eq!(change.step(&approve("anna")), Err(NotTaken::OwnChange));
    let other = event(2, "bram", Step::Approve { diff: Digest([0; 32]) });
    assert_eq!(change.step(&other), Err(NotTaken::OtherDifference));
    assert_eq!(change.step(&approve("bram")), Ok(State::Simulated));
    assert_eq!(change.step(&approve("bram")), Err(NotTaken::ApprovedBefore));
    assert_eq!(change.step(&activate), Err(NotTaken::TooFewApprovers));
    assert_eq!(change.step(&approve("carla")), Ok(State::Approved));
    let elsewhere = event(3, "anna", Step::Activate { running: new.digest() });
    assert_eq!(change.step(&elsewhere), Err(NotTaken::RunsSomethingElse));
    assert_eq!(change.step(&event(1, "anna", Step::Simulate)), Err(NotTaken::BeforeTheLast));
    assert_eq!(change.step(&activate), Ok(State::Active));
    assert_eq!(change.step(&event(4, "dirk", Step::Reject)), Err(NotTaken::Over));
    let events = [first, event(1, "anna", Step::Simulate), approve("bram"), approve("carla"), activate];
    assert_eq!(Approval::again(&events).unwrap().state(), State::Active);
    let forged = [events[0].clone(), events[1].clone(), events[2].clone(), events[4].clone()];
    assert_eq!(Approval::again(&forged).unwrap_err(), NotTaken::TooFewApprovers);
}

#[test]
fn a_narrowing_needs_one_approver_and_a_rollback_is_judged_by_what_it_means() {
    let (old, wide) = (load(&files()), higher(wider(), 2));
    let again = higher(files(), 3);
    let proposed = Proposed::rollback(&wide, &old, &again).unwrap();
    assert!(!proposed.widens && proposed.undoes == Some(wide.digest()));
    let mut change = Approval::begin(&event(0, "anna", Step::Propose(proposed.clone()))).unwrap();
    change.step(&event(1, "anna", Step::Simulate)).unwrap();
    assert_eq!(change.step(&event(2, "bram", Step::Approve { diff: proposed.diff })), Ok(State::Approved));
    assert_eq!(change.needed(), 1);
    assert_eq!(Proposed::rollback(&wide, &old, &old), Err(NotTaken::NumberNotHigher));
    assert_eq!(Proposed::rollback(&wide, &wide, &again), Err(NotTaken::NotWhatWas));
    let undo_narrowing = Proposed::rollback(&again, &wide, &higher(wider(), 4)).unwrap();
    assert!(undo_narrowing.widens, "going back to more is a widening");
}

#[test]
fn a_rejected_change_never_runs() {
    let (old, new) = (load(&files()), higher(wider(), 2));
    let proposed = Proposed::change(&old, &new).unwrap();
    let mut change = Approval::begin(&event(0, "anna", Step::Propose(proposed))).unwrap();
    assert_eq!(change.step(&event(1, "bram", Step::Reject)), Ok(State::Rejected));
    let activate = event(2, "anna", Step::Activate { running: old.digest() });
    assert_eq!(change.step(&activate), Err(NotTaken::Over));
    assert_eq!(Proposed::change(&new, &old), Err(NotTaken::NumberNotHigher));
}

#[test]
fn who_takes_a_step_is_never_printed() {
    let digest = load(&files()).digest();
    let proposed =
        Proposed { number: 2, from: digest, to: digest, diff: digest, widens: false, undoes: None };
    let first = event(1, "anna", Step::Propose(proposed));
    let approval = Approval::begin(&first).unwrap();
    let printed = format!("{first:?} {approval:?}");
    assert!(printed.contains("widens") && !printed.contains("anna"), "{printed}");
}
