//! The escape (spoed): access in an emergency, for a reason from a list and for a limited time.
//!
//! Owns: the list of reasons, how long an escape lasts, and the proof that one was opened. It only sets `spoed` in
//! the situation; what then passes is decided by rules like any other, and `checker` sees to it that it is never
//! `medisch.*`. Whoever opens one records it and notifies the privacy officer.

use std::sync::Arc;

use model::{Name, Timestamp};
use serde::Deserialize;

/// What the bundle says of emergencies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// How long an escape lasts, in minutes; 0 = there is none.
    pub minutes: u32,
    /// The reasons that are accepted.
    pub reasons: Vec<EmergencyReason>,
}

/// A reason to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyReason {
    /// Its name in records.
    pub id: Name,
    /// Dutch.
    pub nl: Arc<str>,
    /// English.
    pub en: Arc<str>,
}

/// An opened escape. Only [`Emergency::open`] makes one.
#[derive(Debug)]
pub struct Escape {
    reason: Name,
    from: Timestamp,
    until: Timestamp,
}

/// Why an escape was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not one of the reasons for an emergency; choose one from the bundle's list")]
pub struct NoSuchReason;

impl Emergency {
    /// Whether an escape that was opened at this moment still holds.
    pub fn holds(&self, opened: Timestamp, now: Timestamp) -> bool {
        opened <= now && now < opened.plus_seconds(i64::from(self.minutes) * 60)
    }

    /// Opens an escape now, for a reason of the list. The caller records it before using it.
    pub fn open(&self, reason: &Name, now: Timestamp) -> Result<Escape, NoSuchReason> {
        if self.minutes == 0 || !self.reasons.iter().any(|known| known.id == *reason) {
            return Err(NoSuchReason);
        }
        let until = now.plus_seconds(i64::from(self.minutes) * 60);
        Ok(Escape { reason: reason.clone(), from: now, until })
    }
}

impl Escape {
    /// Why it was opened.
    pub fn reason(&self) -> &Name {
        &self.reason
    }

    /// When it ends.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether it holds at this moment; a clock that went back does not hold it open.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_needs_a_listed_reason_and_ends_by_itself() {
        let reason =
            EmergencyReason { id: "gevaar".parse().unwrap(), nl: "gevaar".into(), en: "danger".into() };
        let emergency = Emergency { minutes: 60, reasons: vec![reason] };
        let now = Timestamp::from_unix_millis(1_000_000);
        assert!(emergency.open(&"haast".parse().unwrap(), now).is_err());
        let escape = emergency.open(&"gevaar".parse().unwrap(), now).unwrap();
        assert!(escape.holds(now) && escape.holds(now.plus_seconds(3599)));
        assert!(!escape.holds(now.plus_seconds(3600)), "it ends");
        assert!(!escape.holds(now.plus_seconds(-1)), "a clock that went back opens nothing");
        let none = Emergency::default();
        assert!(none.open(&"gevaar".parse().unwrap(), now).is_err());
    }
}
