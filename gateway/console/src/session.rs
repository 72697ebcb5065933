//! Sessions: what ties the forms of a visitor to the visitor.
//!
//! Owns: the random names of sessions and forms, and when they end. A session gives no rights: who someone is, is asked
//! of `oversight` at every request, by the certificate. Nothing of it outlives the process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Name, Timestamp};
use ring::digest::{SHA256, digest};

/// The certificates that someone showed: DER, leaf first.
pub(crate) type Presented = std::sync::Arc<Vec<Vec<u8>>>;

/// A session.
#[derive(Clone)]
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) operator: Name,
    /// What every form of it has to hold.
    pub(crate) token: String,
    /// The certificates it stands for, if they came by a one-time link and not by the connection.
    pub(crate) presented: Option<Presented>,
    seen: Timestamp,
}

/// All sessions, by the digest of their name: who reads this memory cannot take one over.
pub(crate) struct Sessions {
    idle: Duration,
    all: Mutex<HashMap<[u8; 32], Session>>,
}

/// At most so many at once; the one that was idle longest goes first.
const MOST: usize = 1_000;

impl Sessions {
    pub(crate) fn new(idle: Duration) -> Sessions {
        Sessions { idle, all: Mutex::default() }
    }

    /// The session of this name, if it has not ended.
    pub(crate) fn find(&self, name: &str, now: Timestamp) -> Option<Session> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(name);
        let session = all.get_mut(&key)?;
        let idle = now.unix_millis().saturating_sub(session.seen.unix_millis());
        if u128::try_from(idle).unwrap_or(0) > self.idle.as_millis() {
            all.remove(&key);
            return None;
        }
        session.seen = now;
        Some(session.clone())
    }

    /// A new session; gives its name, for a cookie.
    pub(crate) fn begin(
        &self,
        operator: Name,
        presented: Option<Presented>,
        now: Timestamp,
    ) -> Option<(String, Session)> {
        let name = random()?;
        let session = Session { operator, token: random()?, presented, seen: now };
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| *key)
        {
            all.remove(&oldest);
        }
        all.insert(key(&name), session.clone());
        Some((name, session))
    }

    /// Ends a session.
    pub(crate) fn end(&self, name: &str) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(name));
    }
}

/// 32 random bytes as text; none when the system has none, and then there is no session.
pub(crate) fn random() -> Option<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn key(name: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.iter_mut().zip(digest(&SHA256, name.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);

    #[test]
    fn a_session_ends_when_it_was_idle_and_lasts_while_it_is_used() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let (name, session) = sessions.begin("officer-1".parse().unwrap(), None, NOW).unwrap();
        for minute in 0..5 {
            assert_eq!(sessions.find(&name, NOW.plus_seconds(60 * minute)).unwrap().token, session.token);
        }
        assert!(sessions.find(&name, NOW.plus_seconds(60 * 5 + 1)).is_none());
        assert!(sessions.find(&name, NOW.plus_seconds(60 * 4)).is_none(), "it does not come back");
    }

    #[test]
    fn there_are_never_more_than_the_most_sessions_and_none_has_the_name_of_another() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let begin = |at| sessions.begin("officer-1".parse().unwrap(), None, NOW.plus_seconds(at)).unwrap().0;
        let first = begin(0);
        let rest: std::collections::BTreeSet<String> = (0..MOST as i64).map(|_| begin(1)).collect();
        assert_eq!(rest.len(), MOST);
        assert!(sessions.find(&first, NOW.plus_seconds(1)).is_none(), "the oldest made place");
    }
}
