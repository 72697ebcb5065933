//! A client's traject, as organisations stated it: who takes part, and in which phase it is.
//!
//! Owns: the statement as a record, and which statement counts between two organisations. Who may make one is the
//! bundle's business; nothing of what an organisation merely did with a client makes a traject.

use model::{Oin, Timestamp};
use serde::{Deserialize, Serialize};

use super::Party;

/// A statement about a client's traject: it opened, it came into a phase, or it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrajectChange {
    /// Who stated it.
    pub by: Party,
    /// The phase from now on; none when it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<u8>,
    /// The organisations that take part.
    pub parties: Vec<Oin>,
}

impl TrajectChange {
    fn has(&self, oin: &Oin) -> bool {
        self.parties.contains(oin)
    }
}

/// The statement that counts between two organisations: the newest about a traject of both, else the newest about a
/// traject of one of them. None when there is none, when it says that the traject ended, or when it is older than `days`.
/// `statements` stand in the order of the log, each with its moment.
pub fn traject_between<'s>(
    statements: impl DoubleEndedIterator<Item = (Timestamp, &'s TrajectChange)> + Clone,
    one: &Oin,
    other: &Oin,
    days: u32,
    now: Timestamp,
) -> Option<&'s TrajectChange> {
    let both = |(_, change): &(Timestamp, &TrajectChange)| change.has(one) && change.has(other);
    let either = |(_, change): &(Timestamp, &TrajectChange)| change.has(one) || change.has(other);
    let newest = statements.clone().rev().find(both).or_else(|| statements.rev().find(either));
    let (stated, change) = newest?;
    let lasts = now <= stated.plus_seconds(i64::from(days).saturating_mul(86_400));
    (lasts && change.phase.is_some()).then_some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GEMEENTE: &str = "00000099000000001000";
    const UWV: &str = "00000099000000002000";
    const RIB: &str = "00000099000000004000";
    const OTHER_RIB: &str = "00000099000000008000";
    const WERKGEVER: &str = "00000099000000005000";

    fn stated(day: i64, phase: Option<u8>, parties: &[&str]) -> (Timestamp, TrajectChange) {
        let by = Party { oin: parties[0].parse().unwrap(), role: "klantmanager".parse().unwrap() };
        let parties = parties.iter().map(|oin| oin.parse().unwrap()).collect();
        (Timestamp::from_unix_millis(0).plus_seconds(day * 86_400), TrajectChange { by, phase, parties })
    }

    fn phase(said: &[(Timestamp, TrajectChange)], one: &str, other: &str, day: i64) -> Option<u8> {
        let now = Timestamp::from_unix_millis(0).plus_seconds(day * 86_400);
        let said = said.iter().map(|(at, change)| (*at, change));
        traject_between(said, &one.parse().unwrap(), &other.parse().unwrap(), 30, now)?.phase
    }

    #[test]
    fn the_newest_statement_counts_until_it_is_too_old() {
        let said = [stated(1, Some(1), &[GEMEENTE, RIB]), stated(5, Some(2), &[GEMEENTE, RIB])];
        assert_eq!(phase(&said, RIB, GEMEENTE, 6), Some(2));
        assert_eq!(phase(&said, RIB, GEMEENTE, 35), Some(2));
        assert_eq!(phase(&said, RIB, GEMEENTE, 36), None);
        assert_eq!(phase(&[], RIB, GEMEENTE, 1), None);
    }

    #[test]
    fn one_of_the_two_is_enough_and_a_stranger_has_nothing() {
        let said = [stated(1, Some(3), &[GEMEENTE, RIB])];
        assert_eq!(phase(&said, RIB, WERKGEVER, 2), Some(3));
        assert_eq!(phase(&said, UWV, WERKGEVER, 2), None);
    }

    #[test]
    fn another_traject_of_one_of_them_does_not_count_where_both_have_one() {
        let said = [stated(1, Some(4), &[GEMEENTE, RIB]), stated(2, Some(1), &[GEMEENTE, OTHER_RIB])];
        assert_eq!(phase(&said, RIB, GEMEENTE, 3), Some(4));
        assert_eq!(phase(&said, GEMEENTE, OTHER_RIB, 3), Some(1));
        let ended = [said[0].clone(), said[1].clone(), stated(3, None, &[GEMEENTE, RIB])];
        assert_eq!(phase(&ended, RIB, GEMEENTE, 4), None, "what ended does not go on in another one");
        assert_eq!(phase(&ended, GEMEENTE, OTHER_RIB, 4), Some(1));
    }
}
