//! The gateway: what the steps of the line share.
//!
//! Owns: the rules in force, the journal and the clock. Holds no state of a call. Rules are
//! swapped whole; a call keeps those it started with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use fields::PseudonymKey;
use foldhash::fast::RandomState;
use journal::{Journal, PublisherThread, ReadError};
use ledger::{DeliveryId, Leaf, Party, TrajectChange, traject_between};
use model::{Bsn, ClientPseudonym, Consents, ExchangeId, Oin, Purpose, Reason, Refusal, Timestamp};
use oversight::InForce;
use policy::{Proven, Situation};
use screening::Screener;
use tokio::sync::broadcast;
use zeroize::Zeroizing;

use crate::door::Clock;
use crate::line::authorise::Facts;
use crate::proofs::Cosigned;
use crate::rules::Rules;
use crate::shadow::Shadow;

/// How much one call may ask.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest document, in bytes.
    pub document_bytes: usize,
    /// The most deliveries that are handed out on one stream before one is acknowledged.
    pub unacknowledged: usize,
    /// How long a call may take, a stream of deliveries excepted; a shorter deadline of the caller counts.
    pub call_time: Duration,
    /// Days that what came back is kept for an officer to release, when its sender asks for that.
    pub held_days: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        let call_time = Duration::from_secs(60);
        Limits { document_bytes: 4 << 20, unacknowledged: 256, call_time, held_days: 7 }
    }
}

/// A gateway, shared by all calls.
pub struct Gateway {
    rules: ArcSwap<Rules>,
    journal: Arc<Journal>,
    publisher: PublisherThread,
    pseudonym_secret: Zeroizing<[u8; 32]>,
    /// Derived from the secret when an organisation first receives something.
    pseudonym_keys: RwLock<HashMap<Oin, Arc<PseudonymKey>, RandomState>>,
    clock: Clock,
    limits: Limits,
    /// A draft that is compared, and decides nothing.
    shadow: ArcSwapOption<Shadow>,
    /// Refusals at collecting that stand in the log already, so that a receiver who polls does not fill it.
    told: Mutex<HashMap<DeliveryId, (Reason, u64)>>,
    /// Where a quorum of witnesses is wanted: what they have cosigned.
    witnessed: OnceLock<Cosigned>,
    /// Deliveries that officers release, for receivers who follow.
    releases: broadcast::Sender<(Party, DeliveryId)>,
}

/// So many releases may happen before a receiver who follows has looked; who misses one finds it at the next call.
const RELEASES: usize = 64;

/// At most so many refusals at collecting are remembered; beyond, one may be recorded twice.
const MOST_TOLD: usize = 100_000;

impl Gateway {
    /// A gateway on an open journal. `pseudonym_secret` keys the pseudonyms of all receivers: it must stay the same.
    pub fn new(
        rules: Rules,
        journal: Arc<Journal>,
        publisher: PublisherThread,
        pseudonym_secret: [u8; 32],
        clock: Clock,
        limits: Limits,
    ) -> Gateway {
        Gateway {
            rules: ArcSwap::from_pointee(rules),
            journal,
            publisher,
            pseudonym_secret: Zeroizing::new(pseudonym_secret),
            pseudonym_keys: RwLock::default(),
            clock,
            limits,
            shadow: ArcSwapOption::empty(),
            told: Mutex::default(),
            witnessed: OnceLock::new(),
            releases: broadcast::channel(RELEASES).0,
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// Puts other rules in force, for every call that starts from now on.
    pub fn replace_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// Compares a draft with the rules in force, from the next decision on; or compares none.
    pub fn compare_with(&self, draft: Option<Arc<Shadow>>) {
        self.shadow.store(draft);
    }

    /// The draft that is compared, if one is.
    pub fn shadow(&self) -> Option<Arc<Shadow>> {
        self.shadow.load_full()
    }

    /// Lets receipts carry the cosignatures of witnesses. The first to say so counts.
    pub fn show_cosigned(&self, cosigned: Cosigned) {
        let _ = self.witnessed.set(cosigned);
    }

    pub(crate) fn witnessed(&self) -> Option<&Cosigned> {
        self.witnessed.get()
    }

    /// The journal.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The published log.
    pub fn publisher(&self) -> &PublisherThread {
        &self.publisher
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The key of a receiver's pseudonyms. There are as many as organisations in the bundle.
    pub(crate) fn pseudonym_key(&self, receiver: &Oin) -> Arc<PseudonymKey> {
        if let Some(key) = self.pseudonym_keys.read().unwrap_or_else(PoisonError::into_inner).get(receiver) {
            return Arc::clone(key);
        }
        let key = Arc::new(PseudonymKey::for_receiver(&self.pseudonym_secret, receiver));
        let mut keys = self.pseudonym_keys.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(keys.entry(*receiver).or_insert(key))
    }

    /// How the journal knows a client; nobody, for what is about no client.
    pub(crate) fn pseudonym(&self, client: Option<&Bsn>) -> ClientPseudonym {
        client.map_or(ClientPseudonym::NOBODY, |bsn| self.journal.pseudonym(bsn))
    }

    pub(crate) fn new_exchange_id(&self, now: Timestamp) -> ExchangeId {
        ExchangeId::new(now, self.random_bytes())
    }

    pub(crate) fn random_bytes<const N: usize>(&self) -> [u8; N] {
        // The operating system's source does not fail once it has started; zeros would only make ids collide,
        // which the journal refuses.
        journal::told().unwrap_or_else(|error| {
            tracing::error!(%error, "the operating system gives no random bytes");
            [0; N]
        })
    }

    /// The record at this index.
    pub(crate) fn recorded_leaf(&self, index: u64) -> Result<Leaf, Refusal> {
        let bytes = self.journal.record(index).map_err(|error| self.unreadable(&error))?;
        Leaf::from_bytes(&bytes).map_err(|_| Reason::LogUnavailable.into())
    }

    /// What officers release from now on.
    pub(crate) fn releases(&self) -> broadcast::Receiver<(Party, DeliveryId)> {
        self.releases.subscribe()
    }

    /// Whether a refusal at collecting stands in the log already.
    pub(crate) fn is_told(&self, delivery: &DeliveryId, reason: Reason, rules: &Rules) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(delivery) == Some(&(reason, rules.proven().number()))
    }

    /// Remembers a refusal at collecting, once its record is durable.
    pub(crate) fn remember_told(&self, delivery: DeliveryId, reason: Reason, rules: &Rules) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        told.insert(delivery, (reason, rules.proven().number()));
    }

    /// What cannot be read is not handed out.
    pub(crate) fn unreadable(&self, error: &ReadError) -> Refusal {
        match error {
            ReadError::Erased => Reason::Erased.into(),
            ReadError::NotFound => Reason::NotFound.into(),
            error => {
                tracing::error!(%error, "the journal cannot be read");
                Reason::LogUnavailable.into()
            }
        }
    }
}

impl InForce for Gateway {
    fn proven(&self) -> Arc<Proven> {
        Arc::clone(self.rules().proven())
    }

    fn screener(&self) -> Arc<Screener> {
        Arc::clone(self.rules().screener())
    }

    fn put_in_force(&self, proven: Arc<Proven>, screener: Arc<Screener>) {
        self.replace_rules(Rules::new(proven, screener));
    }

    fn released(&self, to: &Party, delivery: DeliveryId) {
        let _ = self.releases.send((to.clone(), delivery)); // nobody follows
    }
}

impl Facts for Gateway {
    fn consents(
        &self,
        client: ClientPseudonym,
        receiver: &Party,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<Consents, Reason> {
        let consents = self.journal.consents(client, receiver, purpose, now);
        consents.map_err(|error| self.unreadable(&error).reason)
    }

    fn traject(
        &self,
        client: ClientPseudonym,
        one: &Oin,
        other: &Oin,
        days: u32,
        now: Timestamp,
    ) -> Result<Option<TrajectChange>, Reason> {
        let stated = self.journal.trajects(client).map_err(|error| self.unreadable(&error).reason)?;
        let stated = stated.iter().map(|record| (record.time, &record.change));
        Ok(traject_between(stated, one, other, days, now).cloned())
    }

    fn decides(&self, rules: &Rules, situation: &Situation) {
        if let Some(shadow) = &*self.shadow.load() {
            shadow.compare(rules.proven(), situation);
        }
    }
}
