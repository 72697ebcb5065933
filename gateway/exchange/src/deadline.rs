//! How long a caller waits for an answer, and what that means for what is under way.
//!
//! Owns: reading `grpc-timeout`, and the one rule of giving up: a call that has not begun to write is given up when its
//! time is over, and that is recorded; one that has begun is finished, so that nobody is told "too late" about something
//! that was done. `ask::front` waits on it, `line::record` and its like hold it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderMap;
use model::{Reason, Refusal};
use tokio::time::Instant;

/// A call's deadline; a request carries it in its extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deadline {
    /// None: whoever serves the call watches its time itself.
    at: Option<Instant>,
    /// Of the caller, as opposed to the gateway's own limit.
    asked: bool,
    held: Arc<AtomicBool>,
}

impl Deadline {
    /// The caller's deadline, or `longest` from now.
    pub(crate) fn of(headers: &HeaderMap, longest: Duration) -> Deadline {
        let waits = timeout(headers);
        let time = waits.map_or(longest, |waits| waits.min(longest));
        Deadline { at: Some(Instant::now() + time), asked: waits.is_some(), held: Arc::default() }
    }

    /// From here on the call is finished, whatever the time.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` when there is no time left; then that is what is to be written.
    pub(crate) fn hold(&self) -> Result<(), Refusal> {
        self.held.store(true, Ordering::Relaxed);
        match self.at {
            Some(at) if Instant::now() >= at => Err(Reason::DeadlineExceeded.into()),
            _ => Ok(()),
        }
    }

    /// Resolves when the call is to be given up; never, once it is held.
    pub(crate) async fn passed(&self) {
        let Some(at) = self.at else { return std::future::pending().await };
        tokio::time::sleep_until(at).await;
        if self.held.load(Ordering::Relaxed) {
            std::future::pending().await
        }
    }

    /// Until when a stream may last: as long as the caller said, if it did.
    pub(crate) fn of_stream(&self) -> Option<Instant> {
        self.at.filter(|_| self.asked)
    }
}

/// How long before the caller's deadline it is answered, so that the answer still finds it: a tenth, at most 20 ms.
fn margin(waits: Duration) -> Duration {
    (waits / 10).min(Duration::from_millis(20))
}

/// How long a call may take for a caller that says how long it waits (`grpc-timeout`: at most 8 digits and a unit).
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let waits = said(headers.get("grpc-timeout")?.to_str().ok()?)?;
    Some(waits.saturating_sub(margin(waits)))
}

fn said(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static("grpc-timeout"), text.parse().unwrap())])
    }

    #[test]
    fn a_deadline_has_at_most_eight_digits_and_a_unit() {
        assert_eq!(said("5S"), Some(Duration::from_secs(5)));
        assert_eq!(said("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(said("250m"), Some(Duration::from_millis(250)));
        for wrong in ["", "S", "5", "123456789S", "-1S", "5x", "5 S"] {
            assert_eq!(said(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_caller_is_answered_a_little_before_it_stops_waiting() {
        assert_eq!(timeout(&waiting("1S")), Some(Duration::from_millis(980)));
        assert_eq!(timeout(&waiting("50m")), Some(Duration::from_millis(45)));
    }

    #[tokio::test]
    async fn the_shorter_of_two_deadlines_counts_and_what_is_held_is_never_given_up() {
        let (begun, longest) = (Instant::now(), Duration::from_millis(300));
        Deadline::of(&waiting("50m"), longest).passed().await;
        assert!(begun.elapsed() < longest);
        Deadline::of(&waiting("2H"), longest).passed().await;
        assert!(begun.elapsed() < Duration::from_secs(60), "the gateway's own limit");
        let held = Deadline::of(&waiting("10m"), longest);
        held.hold().unwrap();
        let passed = tokio::time::timeout(Duration::from_millis(100), held.passed()).await;
        assert!(passed.is_err() && held.hold().is_err());
    }
}
