//! Remembering which assertions were used, so that none is used twice.
//!
//! Owns: what a memory must promise ([`ReplayMemory`]) and the one in use ([`Replays`]): bounded for each
//! organisation, so that one that floods it is refused itself and nobody else. A memory that is full says so, and
//! the call is refused: forgetting would open the door to a replay.

use std::collections::{BTreeMap, HashSet};

use model::{Oin, Timestamp};

use crate::pin::sha256;

/// What a memory says of a `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was not seen before; it is remembered from now on.
    First,
    /// It was seen before.
    Again,
    /// There is no room to remember it.
    Full,
}

/// Remembers every `jti` until the assertion that carries it has expired.
pub trait ReplayMemory {
    /// Remembers the `jti` of this organisation until `expires`. A memory that cannot promise to keep it that long
    /// must answer [`Seen::Full`].
    fn remember(&mut self, oin: Oin, jti: &str, expires: Timestamp, now: Timestamp) -> Seen;
}

/// A memory of one process: digests of what was seen, by the minute in which they can be forgotten.
#[derive(Debug)]
pub struct Replays {
    organisations: BTreeMap<Oin, Remembered>,
    most: usize,
}

#[derive(Debug, Default)]
struct Remembered {
    by_minute: BTreeMap<i64, HashSet<[u8; 32]>>,
    count: usize,
}

impl Replays {
    /// Remembers at most `most` assertions of each organisation at a time (32 bytes each, and the table around it).
    pub fn new(most: usize) -> Replays {
        Replays { organisations: BTreeMap::new(), most }
    }
}

impl ReplayMemory for Replays {
    fn remember(&mut self, oin: Oin, jti: &str, expires: Timestamp, now: Timestamp) -> Seen {
        let minute = |at: Timestamp| at.unix_seconds().div_euclid(60);
        let remembered = self.organisations.entry(oin).or_default();
        // A minute goes when all of it has passed.
        while let Some(oldest) = remembered.by_minute.first_entry() {
            if *oldest.key() >= minute(now) {
                break;
            }
            remembered.count -= oldest.remove().len();
        }
        let digest = sha256(jti.as_bytes());
        // The same `jti` may come back with another expiry: it is looked for everywhere.
        if remembered.by_minute.values().any(|seen| seen.contains(&digest)) {
            return Seen::Again;
        }
        if remembered.count >= self.most {
            return Seen::Full;
        }
        remembered.by_minute.entry(minute(expires)).or_default().insert(digest);
        remembered.count += 1;
        Seen::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000)
    }

    #[test]
    fn a_jti_is_first_once_for_each_organisation_until_it_has_expired() {
        let mut replays = Replays::new(10);
        let (a, b): (Oin, Oin) =
            ("00000099000000001000".parse().unwrap(), "00000099000000002000".parse().unwrap());
        assert_eq!(replays.remember(a, "one", at(300), at(0)), Seen::First);
        assert_eq!(replays.remember(a, "one", at(300), at(1)), Seen::Again);
        assert_eq!(replays.remember(a, "one", at(200), at(1)), Seen::Again, "with another expiry");
        assert_eq!(replays.remember(b, "one", at(300), at(1)), Seen::First, "another organisation's");
        assert_eq!(replays.remember(a, "one", at(300), at(300)), Seen::Again, "its last second");
        assert_eq!(replays.remember(a, "one", at(800), at(500)), Seen::First, "long expired");
    }

    #[test]
    fn who_floods_the_memory_is_refused_and_others_are_not() {
        let mut replays = Replays::new(100);
        let (a, b): (Oin, Oin) =
            ("00000099000000001000".parse().unwrap(), "00000099000000002000".parse().unwrap());
        for number in 0..100 {
            assert_eq!(replays.remember(a, &number.to_string(), at(300), at(0)), Seen::First);
        }
        assert_eq!(replays.remember(a, "over", at(300), at(0)), Seen::Full);
        assert_eq!(replays.remember(a, "7", at(300), at(0)), Seen::Again, "nothing was forgotten");
        assert_eq!(replays.remember(b, "7", at(300), at(0)), Seen::First);
        assert_eq!(
            replays.remember(a, "over", at(900), at(400)),
            Seen::First,
            "room again when they expired"
        );
    }
}
