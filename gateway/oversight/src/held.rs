//! Held texts: a delivery that says more than its receiver may know, kept sealed until two officers agree to release it.
//!
//! Owns: the queue, who may do what with it in which order – one officer proposes, another one confirms or refuses –, and the
//! limits that no officer can lift. A held delivery waits in its receiver's mailbox like any other: nothing has to stop it,
//! for the second filter at collecting screens it again and refuses. A confirmed release is what that filter asks for
//! ([`release_of`]). Erasure, withdrawal and expiry reach it as they reach every delivery that waits.

mod limits;
pub(crate) mod texts;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

use identity::Operator;
use journal::{Criteria, Journal, Opened, ReadError, Waiting};
use ledger::{Decision, DeliveryId, Event, HeldBack, Kind, Label, Leaf, Release, ReleaseStep};
use model::{ClassSet, Reason, Refusal, Timestamp};

use crate::looks::Look;
use crate::oversight::{Oversight, Permitted, unreadable};
use crate::rights::Act;

pub use limits::is_releasable;
pub use texts::HeldText;

/// The most deliveries that a queue shows at once.
const MOST_SHOWN: usize = 500;

/// A delivery that is held.
#[derive(Debug, Clone)]
pub struct Held {
    /// What waits: sender, receiver, type, when it expires.
    pub waiting: Waiting,
    /// The places that were found, as the public record names them.
    pub places: Vec<HeldBack>,
    /// How far it came.
    pub state: State,
}

/// How far a held delivery came.
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody proposed anything.
    Waiting,
    /// An officer proposed to release it: another one decides.
    Proposed {
        /// Who; none when the client was erased.
        by: Option<String>,
        /// Why, as a code.
        ground: Label,
    },
    /// It may be collected.
    Released,
    /// It stays held until it expires.
    Refused,
}

impl State {
    /// The name in answers.
    pub const fn name(&self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Proposed { .. } => "proposed",
            State::Released => "released",
            State::Refused => "refused",
        }
    }
}

impl fmt::Debug for State {
    /// Without who proposed it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What of the log was looked through for held deliveries, and those that were found: a log of ten million records is not
/// read anew at every look.
#[derive(Default)]
pub(crate) struct Queue {
    /// How many records there were then, and the last of them that was opened.
    size: u64,
    until: Option<u64>,
    deliveries: HashMap<DeliveryId, Came>,
}

/// What came back, and when it was sent.
#[derive(Clone)]
struct Came {
    places: Vec<HeldBack>,
    sent: Timestamp,
}

/// Proof that two officers released a delivery. Only the log makes it.
pub struct Released(());

/// Whether a confirmed release of this delivery stands in the log.
///
/// # Errors
/// When the log cannot be read: then nothing is released.
pub fn release_of(journal: &Journal, waiting: &Waiting) -> Result<Option<Released>, ReadError> {
    Ok((state(journal, waiting)? == State::Released).then_some(Released(())))
}

impl Oversight {
    /// What is held, oldest first.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`, recorded; or the log cannot be read.
    pub async fn held(&self, who: &Operator) -> Result<Vec<Held>, Refusal> {
        self.may(who, Act::ReleaseText).await?;
        self.find_held()?;
        let (journal, now) = (self.journal(), self.now());
        let seen = self.queue.lock().unwrap_or_else(PoisonError::into_inner).deliveries.clone();
        let mut held = Vec::new();
        for (delivery, Came { places, sent }) in seen {
            let waiting = journal.delivery(&delivery).map_err(|error| unreadable(&error))?;
            let Some(waiting) = waiting.filter(|waiting| waiting.expires > now) else {
                // Collected, expired or erased. What was sent just now may be on its way to the mailbox.
                if sent.plus_seconds(60) < now {
                    self.queue.lock().unwrap_or_else(PoisonError::into_inner).deliveries.remove(&delivery);
                }
                continue;
            };
            let state = state(journal, &waiting).map_err(|error| unreadable(&error))?;
            held.push(Held { waiting, places, state });
        }
        held.sort_by_key(|held| held.waiting.index);
        held.truncate(MOST_SHOWN);
        Ok(held)
    }

    /// Looks through what was recorded since the last time for deliveries that are held. The first time takes a while on a long
    /// log: a door calls it when it opens.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn find_held(&self) -> Result<(), Refusal> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let size = self.journal().size();
        if queue.size == size {
            return Ok(());
        }
        // What was sent before the longest time that anything waits has expired.
        let longest = self.proven().exchanges().map(|exchange| exchange.collect_within_days).max();
        let days = i64::from(longest.unwrap_or_default()) + 1;
        let criteria = Criteria {
            kind: Some(Kind::Sent),
            decision: Some(Decision::Returned),
            from: Some(self.now().plus_seconds(-86_400 * days)),
            ..Criteria::default()
        };
        let journal = self.journal();
        let found = journal.search(&criteria, queue.until, usize::MAX).map_err(|error| unreadable(&error))?;
        for index in found {
            let record = journal.record(index).map_err(|error| unreadable(&error))?;
            queue.until = Some(index);
            // A record of another version has nothing that waits.
            let Ok(leaf) = Leaf::from_bytes(&record) else { continue };
            let Event::Sent(carried) = leaf.event else { continue };
            let returned = carried.to.into_iter().filter(|to| to.decision == Decision::Returned);
            for (delivery, places) in returned.filter_map(|to| Some((to.delivery?, to.held_back))) {
                queue.deliveries.insert(delivery, Came { places, sent: leaf.time });
            }
        }
        queue.size = size;
        Ok(())
    }

    /// One held delivery, opened: the texts in which something is found. Recorded before they are shown.
    ///
    /// # Errors
    /// `NOT_FOUND` when it does not wait any more, `ERASED` when its client was erased, and whatever forbids the exchange
    /// now, such as a consent that is gone: then nobody needs to read it either.
    pub async fn open_held(
        &self,
        who: &Operator,
        delivery: DeliveryId,
    ) -> Result<(Held, Vec<HeldText>), Refusal> {
        self.may(who, Act::ReleaseText).await?;
        let held = self.one_held(delivery)?;
        let document = self.journal().open_document(&held.waiting).map_err(|error| unreadable(&error))?;
        let texts = self.held_texts(&held, &document)?;
        self.look(who, Look::HeldText, 1, Some(held.waiting.client), None).await?;
        Ok((held, texts))
    }

    /// Releases a held delivery: the first officer proposes, another one confirms.
    ///
    /// # Errors
    /// `RELEASE_NOT_ALLOWED` when no officer may release this, `FOUR_EYES` to the one who proposed.
    pub async fn release(
        self: &Arc<Self>,
        who: &Operator,
        delivery: DeliveryId,
        ground: Label,
    ) -> Result<State, Refusal> {
        self.decide(who, delivery, ground, true).await
    }

    /// Keeps a delivery held, for good. Any officer may; it takes one.
    ///
    /// # Errors
    /// As [`Oversight::release`].
    pub async fn refuse_release(
        self: &Arc<Self>,
        who: &Operator,
        delivery: DeliveryId,
        ground: Label,
    ) -> Result<State, Refusal> {
        self.decide(who, delivery, ground, false).await
    }

    async fn decide(
        self: &Arc<Self>,
        who: &Operator,
        delivery: DeliveryId,
        ground: Label,
        release: bool,
    ) -> Result<State, Refusal> {
        let permitted = self.permit(who, Act::ReleaseText).await?;
        // One decision at a time: two officers who propose at once do not make a release together by accident.
        let _turn = self.changes.lock().await;
        match self.next_step(&permitted, delivery, release) {
            Ok((held, step)) => self.take_step(&permitted, held, step, ground).await,
            Err(refusal) => Err(self.refused(&permitted, refusal).await),
        }
    }

    /// What follows for this officer on where the delivery is.
    fn next_step(
        &self,
        who: &Permitted,
        delivery: DeliveryId,
        release: bool,
    ) -> Result<(Held, ReleaseStep), Refusal> {
        let held = self.one_held(delivery)?;
        let proven = self.proven();
        let Waiting { to, terms, .. } = &held.waiting;
        let classes: ClassSet = held.places.iter().filter_map(|place| place.class).collect();
        let step = match (&held.state, release) {
            (State::Released | State::Refused, _) => return Err(Reason::NotFound.into()),
            (_, false) => ReleaseStep::Refused,
            (_, true) if !is_releasable(&proven, to, terms.spoed, classes) => {
                return Err(Reason::ReleaseNotAllowed.into());
            }
            (State::Waiting, true) => ReleaseStep::Proposed,
            (State::Proposed { by, .. }, true) if by.as_deref() == Some(who.name.as_str()) => {
                return Err(Reason::FourEyes.into());
            }
            (State::Proposed { .. }, true) => ReleaseStep::Released,
        };
        Ok((held, step))
    }

    /// Durable when this returns: from then on the receiver may collect it, or never.
    async fn take_step(
        &self,
        who: &Permitted,
        held: Held,
        step: ReleaseStep,
        ground: Label,
    ) -> Result<State, Refusal> {
        let Held { waiting, mut places, .. } = held;
        if places.is_empty() {
            return Err(Reason::NotFound.into());
        }
        let text = places.remove(0);
        let (by, to, delivery) = (who.by.clone(), waiting.to.clone(), waiting.delivery);
        let event =
            Event::Release(Release { by, to, delivery, text, ground: ground.clone(), also: places, step });
        let leaf = Leaf { exchange: waiting.exchange, ..self.leaf(event) };
        self.commit(who, leaf, Some(waiting.client)).await?;
        if step == ReleaseStep::Released {
            self.setup.in_force.released(&waiting.to, waiting.delivery);
        }
        Ok(match step {
            ReleaseStep::Proposed => State::Proposed { by: Some(who.name.to_string()), ground },
            ReleaseStep::Released => State::Released,
            ReleaseStep::Refused => State::Refused,
        })
    }

    fn one_held(&self, delivery: DeliveryId) -> Result<Held, Refusal> {
        let journal = self.journal();
        let waiting = journal.delivery(&delivery).map_err(|error| unreadable(&error))?;
        let now: Timestamp = self.now();
        let waiting = waiting.filter(|waiting| waiting.expires > now).ok_or(Reason::NotFound)?;
        let sent = journal.open_record(waiting.index).map_err(|error| unreadable(&error))?;
        let Event::Sent(carried) = sent.leaf.event else { return Err(Reason::NotFound.into()) };
        let returned = carried.to.into_iter().find(|to| to.delivery == Some(delivery));
        let returned = returned.filter(|to| to.decision == Decision::Returned).ok_or(Reason::NotFound)?;
        let state = state(journal, &waiting).map_err(|error| unreadable(&error))?;
        Ok(Held { waiting, places: returned.held_back, state })
    }
}

/// What the log says of a held delivery.
fn state(journal: &Journal, waiting: &Waiting) -> Result<State, ReadError> {
    let criteria =
        Criteria { exchange: Some(waiting.exchange), kind: Some(Kind::Release), ..Criteria::default() };
    let mut states: HashMap<DeliveryId, State> = HashMap::new();
    for index in journal.search(&criteria, None, usize::MAX)? {
        let Opened { leaf, sealed, .. } = journal.open_record(index)?;
        let Event::Release(release) = leaf.event else { continue };
        let state = match release.step {
            ReleaseStep::Proposed => {
                State::Proposed { by: sealed.and_then(|sealed| sealed.user.clone()), ground: release.ground }
            }
            ReleaseStep::Released => State::Released,
            ReleaseStep::Refused => State::Refused,
        };
        states.insert(release.delivery, state);
    }
    Ok(states.remove(&waiting.delivery).unwrap_or(State::Waiting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_proposed_a_release_is_never_printed() {
        let proposed = State::Proposed { by: Some("bram".into()), ground: "vals-alarm".parse().unwrap() };
        assert_eq!(format!("{proposed:?}"), "proposed");
    }
}
