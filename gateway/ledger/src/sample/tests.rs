use model::{Reason, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::leaf::tests::{party, sent};
use crate::leaf::{Carried, Event, Leaf};
use crate::{ClientIdentifier, Record, SealedPart};

#[test]
fn the_draw_for_a_seed_never_changes() {
    // Frozen: a sample that was published once must be drawn again alike.
    assert_eq!(sample("stand van 22 november 2026", 1_000, 5), FROZEN);
    assert_ne!(sample("stand van 23 november 2026", 1_000, 5), FROZEN);
    assert_ne!(sample("stand van 22 november 2026", 1_001, 5), FROZEN);
}

/// Drawn with Python's hashlib from the text of the algorithm.
const FROZEN: [u64; 5] = [180, 256, 342, 487, 917];

#[test]
fn every_record_is_drawn_about_equally_often() {
    let mut counts = [0u32; 10];
    for round in 0..2_000 {
        sample(&format!("round {round}"), 10, 3).iter().for_each(|index| counts[*index as usize] += 1);
    }
    assert!(counts.iter().all(|count| (500..700).contains(count)), "{counts:?}");
}

proptest! {
    #[test]
    fn a_draw_has_as_many_records_as_asked_all_of_them_in_the_log(seed in ".*", size in 0u64..500, n in 0u64..600) {
        let drawn = sample(&seed, size, n);
        prop_assert_eq!(drawn.len() as u64, n.min(size));
        prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(drawn.iter().all(|index| *index < size));
    }
}

fn at(index: u64, time: &str, user: &str, client: &str) -> Record {
    let mut leaf = sent();
    leaf.time = Timestamp::from_unix_millis(time.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let Event::Sent(carried) = &mut leaf.event else { unreachable!() };
    carried.terms.spoed = false;
    carried.to.truncate(1);
    let client = vec![ClientIdentifier { kind: "bsn".into(), value: client.into() }];
    let sealed = SealedPart {
        user: Some(user.into()),
        responsible: None,
        reason: None,
        client,
        delivered: Vec::new(),
    };
    Record { index, leaf, sealed: Some(sealed) }
}

fn marks(records: &[Record]) -> Vec<(u64, Vec<Risk>)> {
    let found = risks(records, &RiskRules::default());
    found.into_iter().map(|risky| (risky.index, risky.risks.into_iter().collect())).collect()
}

#[test]
fn an_ordinary_record_does_not_stand_out() {
    assert!(marks(&[at(1, "2026-11-20T09:00:00Z", "u", "c")]).is_empty());
}

#[test]
fn nights_and_weekends_are_those_of_the_netherlands() {
    let records = [
        at(0, "2026-07-15T18:30:00Z", "u", "c"),
        at(1, "2026-01-15T18:30:00Z", "u", "c"),
        at(2, "2026-11-21T10:00:00Z", "u", "c"),
    ];
    assert_eq!(
        marks(&records),
        [(0, vec![Risk::OffHours]), (2, vec![Risk::OffHours])],
        "20:30 in summer, 19:30 in winter, a Saturday"
    );
}

#[test]
fn a_user_with_many_clients_in_a_day_stands_out_and_one_with_many_records_of_one_client_does_not() {
    let day = "2026-11-20T09:00:00Z";
    let many: Vec<Record> =
        (0..16).map(|number| at(number, day, "busy", &format!("client {number}"))).collect();
    let one: Vec<Record> = (100..130).map(|number| at(number, day, "calm", "client")).collect();
    let found = marks(&[many, one].concat());
    assert_eq!(found.len(), 16);
    assert!(found.iter().all(|(index, risks)| *index < 16 && *risks == [Risk::ManyClients]));
}

#[test]
fn refusals_escapes_and_missing_trajects_stand_out() {
    let ordinary = || at(0, "2026-11-20T09:00:00Z", "u", "c");
    let from = Some(party(3, "behandelaar"));
    let refused = Carried { from, reason: Some(Reason::TrajectNotActive), ..Carried::default() };
    let refused =
        Record { index: 1, leaf: Leaf { event: Event::Refused(refused), ..ordinary().leaf }, ..ordinary() };
    let mut urgent = Record { index: 2, ..ordinary() };
    let Event::Sent(carried) = &mut urgent.leaf.event else { unreachable!() };
    carried.terms.spoed = true;
    let returned = Record { index: 3, leaf: Leaf { time: ordinary().leaf.time, ..sent() }, ..ordinary() };
    assert_eq!(
        marks(&[refused, urgent, returned]),
        [
            (1, vec![Risk::NoActiveTraject, Risk::Refusal]),
            (2, vec![Risk::Escape]),
            (3, vec![Risk::Escape, Risk::Refusal]),
        ]
    );
}
