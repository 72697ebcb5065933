//! Studying a bundle before it decides anything: its files, its proof, what it changes, what it would do.
//!
//! Owns: which bundle is meant, and that trying one that is proposed counts as its simulation, recorded before its outcome
//! is shown. What is proven, compared and simulated is `policy`'s. Nothing of a document is kept.

use std::sync::{Arc, PoisonError};

use identity::Operator;
use ledger::{BundleRef, Decision, Event, Kind, Leaf};
use model::{ExchangeId, Reason, Refusal};
use policy::{Diff, Files, Past, Proven, Replay, Simulation, Situation, Step, Trial, Trust, digest_of_all};

use crate::oversight::{Oversight, Permitted, unreadable};
use crate::rights::Act;
use crate::steps::{NOT_ON_THE_SHELF, blocking, gone, not_loaded};

/// So many bundles that were studied are kept.
const STUDIED: usize = 4;

/// Which bundle is meant.
#[derive(Clone, Default)]
pub enum Which {
    /// The one that decides now.
    #[default]
    Running,
    /// One that someone brings: it needs no signatures to be looked at.
    Draft(Files),
    /// That of a change.
    Change(ExchangeId),
    /// One on the shelf.
    Shelved(policy::Digest),
}

impl Which {
    fn act(&self) -> Act {
        match self {
            // What is tried on a change moves it.
            Which::Change(_) => Act::ChangePolicy,
            _ => Act::LookAtPolicy,
        }
    }
}

impl Oversight {
    /// The files of a bundle.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ROLE_NOT_ALLOWED`.
    pub async fn files(&self, who: &Operator, which: Which) -> Result<Files, Refusal> {
        let who = self.permit(who, Act::LookAtPolicy).await?;
        self.files_of(&who, which).await
    }

    /// A bundle, proven.
    ///
    /// # Errors
    /// `BUNDLE_REFUSED` with every problem; `NOT_FOUND`, `ROLE_NOT_ALLOWED`.
    pub async fn prove(&self, who: &Operator, which: Which) -> Result<Arc<Proven>, Refusal> {
        let who = self.permit(who, Act::LookAtPolicy).await?;
        self.proven_of(&who, which).await
    }

    /// What changes in meaning when `to` takes the place of `from`.
    ///
    /// # Errors
    /// As [`Oversight::prove`].
    pub async fn difference(&self, who: &Operator, from: Which, to: Which) -> Result<Diff, Refusal> {
        let who = self.permit(who, Act::LookAtPolicy).await?;
        let (from, to) = (self.proven_of(&who, from).await?, self.proven_of(&who, to).await?);
        blocking(move || Diff::between(&from, &to)).await
    }

    /// The tests beside the policies.
    ///
    /// # Errors
    /// As [`Oversight::prove`].
    pub async fn test(&self, who: &Operator, which: Which) -> Result<Trial, Refusal> {
        let who = self.permit(who, Act::LookAtPolicy).await?;
        let files = self.files_of(&who, which.clone()).await?;
        let proven = self.proven_of(&who, which).await?;
        blocking(move || policy::run_tests(&proven, &files)).await?.map_err(|error| not_loaded(error.into()))
    }

    /// What one receiver would get of a document, field by field.
    ///
    /// # Errors
    /// As [`Oversight::prove`]; the situation is refused, or the document is not valid.
    pub async fn simulate(
        self: &Arc<Self>,
        who: &Operator,
        which: Which,
        situation: &Situation,
        document: &[u8],
    ) -> Result<Simulation, Refusal> {
        let who = self.permit(who, which.act()).await?;
        let proven = self.proven_of(&who, which.clone()).await?;
        self.tried(who, which).await?;
        policy::rehearse(&proven, situation, document).map_err(|error| match error {
            policy::NotSimulated::Refused(refusal) => refusal,
            policy::NotSimulated::Malformed => Reason::DocumentMalformed.into(),
        })
    }

    /// A bundle over everything that was delivered before, by the metadata of the log.
    ///
    /// # Errors
    /// As [`Oversight::prove`].
    pub async fn replay(self: &Arc<Self>, who: &Operator, which: Which) -> Result<Replay, Refusal> {
        let who = self.permit(who, which.act()).await?;
        let proven = self.proven_of(&who, which.clone()).await?;
        self.tried(who, which).await?;
        let journal = Arc::clone(self.journal());
        let replayed = blocking(move || -> Result<Replay, journal::ReadError> {
            let mut past = Vec::new();
            for kind in [Kind::Sent, Kind::Ask] {
                let criteria = journal::Criteria { kind: Some(kind), ..journal::Criteria::default() };
                for index in journal.search(&criteria, None, usize::MAX)? {
                    // A record of another version says nothing that could be replayed.
                    if let Ok(leaf) = Leaf::from_bytes(&journal.record(index)?) {
                        past.extend(deliveries(&leaf));
                    }
                }
            }
            Ok(policy::replay(&proven, past))
        });
        replayed.await?.map_err(|error| unreadable(&error))
    }

    async fn tried(self: &Arc<Self>, who: Permitted, which: Which) -> Result<(), Refusal> {
        let Which::Change(change) = which else { return Ok(()) };
        self.run(move |this| async move { this.step(&who, change, Step::Simulate).await }).await.map(drop)
    }

    async fn files_of(&self, who: &Permitted, which: Which) -> Result<Files, Refusal> {
        let (number, digest, change) = match which {
            Which::Draft(files) => return Ok(files),
            Which::Running => (self.proven().number(), self.proven().digest(), None),
            Which::Shelved(digest) => (0, digest, None),
            Which::Change(id) => match self.changes.lock().await.get(&id).map(|change| &change.approval) {
                Some(approval) => (approval.proposed().number, approval.proposed().to, Some(id)),
                None => return Err(self.refused(who, Reason::NotFound.into()).await),
            },
        };
        let shelf = self.setup.shelf.clone();
        let why = match blocking(move || shelf.get(digest)).await? {
            Ok(Some(files)) => return Ok(files),
            // A digest that an operator made up.
            Ok(None) if number == 0 => return Err(self.refused(who, Reason::NotFound.into()).await),
            Ok(None) => gone(NOT_ON_THE_SHELF),
            Err(error) => gone(&error.to_string()),
        };
        let about = BundleRef { number, digest: ledger::Digest(digest.0) };
        Err(self.bundle_refused(who, about, change, why).await)
    }

    async fn proven_of(&self, who: &Permitted, which: Which) -> Result<Arc<Proven>, Refusal> {
        if matches!(which, Which::Running) {
            return Ok(self.proven());
        }
        let files = self.files_of(who, which).await?;
        let digest = digest_of_all(&files);
        if let Some(known) = self.studied(|known| known.iter().find(|one| one.digest() == digest).cloned()) {
            return Ok(known);
        }
        let loaded = blocking(move || Proven::load(&files, &Trust::Draft)).await?;
        let loaded = loaded.map(Arc::new).map_err(|error| not_loaded(error.into()))?;
        self.studied(|known| {
            known.truncate(STUDIED - 1);
            known.insert(0, Arc::clone(&loaded));
        });
        Ok(loaded)
    }

    fn studied<T>(&self, with: impl FnOnce(&mut Vec<Arc<Proven>>) -> T) -> T {
        with(&mut self.studied.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The deliveries of a record: what was sent, or answered. One without consents is of an exchange that asked for none.
pub fn deliveries(leaf: &Leaf) -> Vec<Past> {
    let (Event::Sent(carried) | Event::Ask(carried)) = &leaf.event else { return Vec::new() };
    let (Some(from), Some(message), Some(purpose)) =
        (&carried.from, &carried.terms.message, &carried.terms.purpose)
    else {
        return Vec::new();
    };
    let delivered = carried.to.iter().filter(|to| to.decision == Decision::Delivered);
    let past = delivered.map(|to| Past {
        situation: Situation {
            message: message.clone(),
            sender: (from.oin, from.role.clone()),
            receiver: (to.to.oin, to.to.role.clone()),
            purpose: purpose.clone(),
            consents: to.consents.unwrap_or_default(),
            spoed: carried.terms.spoed,
        },
        phase: to.phase,
        passed: to.passed.iter().map(|passed| (passed.class, passed.form)).collect(),
    });
    past.collect()
}
