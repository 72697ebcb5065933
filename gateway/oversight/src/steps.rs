//! The steps of a change of policy: propose, approve, reject, activate, and back again.
//!
//! Owns: the order within a step – may they, does it follow, is it on disk, then it counts – and loading bundles. What may
//! follow what is `policy::Approval`'s. A crash before the record means that nothing happened; a crash between the record
//! of an activation and the swap means that the next start swaps. Every step runs to its end, also when its caller has gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use identity::Operator;
use ledger::{Act as Done, BundleChange, BundleRef, ChangeStep, Digest, Event, ProposedBundle, StepKind};
use model::{ExchangeId, FieldViolation, Reason, Refusal};
use policy::{Files, LoadError, NotTaken, Proposed, Proven, Step, Trust, digest_of_all};
use screening::{LexiconError, Screener};

use crate::changes::Change;
use crate::oversight::{Oversight, Permitted, bundle_ref};
use crate::rights::Act;

/// A bundle that was proven, with its screener: ready to be put in force.
#[derive(Clone)]
pub struct Bundle {
    /// What passes.
    pub proven: Arc<Proven>,
    /// What texts say.
    pub screener: Arc<Screener>,
}

/// What was proposed was stored; somebody took it away.
pub(crate) const NOT_ON_THE_SHELF: &str = "the bundle is not on the shelf any more; restore it from a backup";

/// Why a bundle is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotLoaded {
    /// It does not prove itself, or is not signed by enough of the right people.
    #[error(transparent)]
    Bundle(#[from] LoadError),
    /// Its words cannot be used.
    #[error("the lexicon: {0}")]
    Lexicon(#[from] LexiconError),
}

/// Loads a bundle: proven, with its screener. Takes a while; not for a thread that serves.
///
/// # Errors
/// [`NotLoaded`], with every problem and its place.
pub fn load(files: &Files, trust: &Trust) -> Result<Bundle, NotLoaded> {
    let proven = Proven::load(files, trust)?;
    let screener = Screener::build(&lexicon(files))?;
    Ok(Bundle { proven: Arc::new(proven), screener: Arc::new(screener) })
}

/// The lexicon of a bundle: the files below `lexicon/`, by their name there.
pub fn lexicon(bundle: &Files) -> BTreeMap<String, Vec<u8>> {
    let below =
        |(name, bytes): (&String, &Vec<u8>)| Some((name.strip_prefix("lexicon/")?.to_owned(), bytes.clone()));
    bundle.iter().filter_map(below).collect()
}

impl Oversight {
    /// Proposes that a bundle takes the place of the one that runs. It is read, proven and stored first.
    ///
    /// # Errors
    /// `BUNDLE_REFUSED` with every problem; `NUMBER_NOT_HIGHER`. The running bundle goes on.
    pub async fn propose(self: &Arc<Self>, who: &Operator, files: Files) -> Result<Change, Refusal> {
        let who = self.permit(who, Act::ChangePolicy).await?;
        self.run(|this| async move { this.proposed(&who, files, None).await }).await
    }

    /// Proposes to go back to what ran before, published again under a higher number. A change like any other: what it
    /// needs depends on what it means.
    ///
    /// # Errors
    /// As [`Oversight::propose`], and `NOT_WHAT_WAS` when no bundle that ran compiles to this.
    pub async fn rollback(self: &Arc<Self>, who: &Operator, files: Files) -> Result<Change, Refusal> {
        let who = self.permit(who, Act::ChangePolicy).await?;
        self.run(|this| async move {
            let before = this.bundles().await?;
            this.proposed(&who, files, Some(before)).await
        })
        .await
    }

    /// Approves a change: this difference in meaning, and no other.
    ///
    /// # Errors
    /// Among others `OWN_CHANGE`, `OTHER_DIFFERENCE`, `NOT_SIMULATED`.
    pub async fn approve(
        self: &Arc<Self>,
        who: &Operator,
        change: ExchangeId,
        difference: policy::Digest,
    ) -> Result<Change, Refusal> {
        let who = self.permit(who, Act::ChangePolicy).await?;
        let step = Step::Approve { diff: difference };
        self.run(move |this| async move { this.step(&who, change, step).await }).await
    }

    /// Rejects a change, or takes it back.
    ///
    /// # Errors
    /// `CHANGE_OVER`, `NOT_FOUND`.
    pub async fn reject(self: &Arc<Self>, who: &Operator, change: ExchangeId) -> Result<Change, Refusal> {
        let who = self.permit(who, Act::ChangePolicy).await?;
        self.run(move |this| async move { this.step(&who, change, Step::Reject).await }).await
    }

    /// Puts an approved change in force, while calls are in flight: those finish on the bundle they started with.
    ///
    /// # Errors
    /// `TOO_FEW_APPROVERS`, `RUNS_SOMETHING_ELSE`, or `BUNDLE_REFUSED` with an alarm: the last good bundle goes on.
    pub async fn activate(self: &Arc<Self>, who: &Operator, change: ExchangeId) -> Result<Change, Refusal> {
        let who = self.permit(who, Act::ChangePolicy).await?;
        self.run(move |this| async move { this.activated(&who, change).await }).await
    }

    /// Every change, the newest first.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`.
    pub async fn changes(&self, who: &Operator) -> Result<Vec<Change>, Refusal> {
        self.permit(who, Act::LookAtPolicy).await?;
        Ok(self.changes.lock().await.list())
    }

    /// Runs a step to its end, whether or not whoever asked for it still waits.
    pub(crate) async fn run<T: Send + 'static, F: Future<Output = Result<T, Refusal>> + Send + 'static>(
        self: &Arc<Self>,
        step: impl FnOnce(Arc<Oversight>) -> F,
    ) -> Result<T, Refusal> {
        let step = tokio::spawn(step(Arc::clone(self)));
        step.await.unwrap_or_else(|_| Err(Reason::LogUnavailable.into()))
    }

    async fn proposed(
        &self,
        who: &Permitted,
        files: Files,
        before: Option<Vec<BundleRef>>,
    ) -> Result<Change, Refusal> {
        let mut changes = self.changes.lock().await;
        let running = self.proven();
        let (digest, trust) = (digest_of_all(&files), self.trust());
        let shelf = self.setup.shelf.clone();
        let judged = blocking(move || {
            let bundle = load(&files, &trust).map_err(|why| (0, refusal_of(&why)))?;
            let number = bundle.proven.number();
            let proposed = match before {
                None => Proposed::change(&running, &bundle.proven),
                Some(before) => back(&shelf, &before, &running, &bundle.proven),
            };
            let proposed = proposed.map_err(|why| (number, refused(why)))?;
            shelf.put(&files).map_err(|error| {
                tracing::error!(%error, "a proposed bundle could not be stored");
                (number, Refusal::from(Reason::LogUnavailable))
            })?;
            Ok((proposed, bundle_ref(&running)))
        });
        let (proposed, from) = match judged.await? {
            Ok(judged) => judged,
            Err((number, refusal)) => {
                let about = BundleRef { number, digest: Digest(digest.0) };
                return Err(self.bundle_refused(who, about, None, refusal).await);
            }
        };
        let kind = if proposed.undoes.is_some() { StepKind::Rollback } else { StepKind::Propose };
        let to = BundleRef { number: proposed.number, digest: Digest(proposed.to.0) };
        let undoes = proposed.undoes.map(|digest| Digest(digest.0));
        let mut leaf = self.leaf(Event::Refused(ledger::Carried::default()));
        let id = leaf.exchange;
        leaf.event = Event::Change(ChangeStep {
            by: who.by.clone(),
            change: id,
            step: kind,
            difference: Some(Digest(proposed.diff.0)),
            proposed: Some(ProposedBundle { from, to, widens: proposed.widens, undoes }),
            reason: None,
        });
        let event = policy::Event { at: leaf.time, by: who.name.clone(), step: Step::Propose(proposed) };
        self.commit(who, leaf, None).await?;
        changes.begin(id, from.number, &event).map_err(refused)?;
        changes.get(&id).cloned().ok_or_else(|| Reason::NotFound.into())
    }

    /// A step that changes nothing but where the change stands.
    pub(crate) async fn step(&self, who: &Permitted, id: ExchangeId, step: Step) -> Result<Change, Refusal> {
        let mut changes = self.changes.lock().await;
        let Some(mut change) = changes.get(&id).cloned() else {
            return Err(self.refused(who, Reason::NotFound.into()).await);
        };
        let (kind, difference) = match &step {
            Step::Approve { diff } => (StepKind::Approve, Some(Digest(diff.0))),
            Step::Reject => (StepKind::Reject, None),
            _ => (StepKind::Simulate, None),
        };
        let event = policy::Event { at: self.now(), by: who.name.clone(), step };
        let taken = change.approval.step(&event).err();
        let reason = taken.map(reason_of);
        let step =
            ChangeStep { by: who.by.clone(), change: id, step: kind, difference, proposed: None, reason };
        let mut leaf = self.leaf(Event::Change(step));
        leaf.time = event.at;
        self.commit(who, leaf, None).await?;
        match taken {
            Some(why) => Err(refused(why)),
            None => {
                changes.put(change.clone());
                Ok(change)
            }
        }
    }

    async fn activated(&self, who: &Permitted, id: ExchangeId) -> Result<Change, Refusal> {
        let mut changes = self.changes.lock().await;
        let Some(mut change) = changes.get(&id).cloned() else {
            return Err(self.refused(who, Reason::NotFound.into()).await);
        };
        let running = self.proven();
        let step = Step::Activate { running: running.digest() };
        let event = policy::Event { at: self.now(), by: who.name.clone(), step };
        if let Err(why) = change.approval.step(&event) {
            let (by, step, reason) = (who.by.clone(), StepKind::Activate, Some(reason_of(why)));
            let step = ChangeStep { by, change: id, step, difference: None, proposed: None, reason };
            self.record(who, Event::Change(step), None).await?;
            return Err(refused(why));
        }
        let proposed = change.approval.proposed().clone();
        let about = BundleRef { number: proposed.number, digest: Digest(proposed.to.0) };
        let bundle = match self.again(&proposed, &running).await? {
            Ok(bundle) => bundle,
            Err(refusal) => return Err(self.bundle_refused(who, about, Some(id), refusal).await),
        };
        let act = if proposed.undoes.is_some() { Done::RolledBack } else { Done::Activated };
        let approvals = u32::try_from(change.approval.approvers().count()).unwrap_or(u32::MAX);
        let done = BundleChange {
            approvals,
            widens: proposed.widens,
            by: Some(who.by.clone()),
            from: Some(bundle_ref(&running)),
            change: Some(id),
            ..BundleChange::new(act, about)
        };
        let mut leaf = self.leaf(Event::Bundle(done));
        (leaf.bundle, leaf.time) = (about, event.at);
        self.commit(who, leaf, None).await?;
        // A crash here: the record stands, and the next start takes this bundle.
        self.setup.in_force.put_in_force(bundle.proven, bundle.screener);
        tracing::info!(number = proposed.number, digest = %proposed.to, "another bundle decides from now on");
        changes.put(change.clone());
        Ok(change)
    }

    /// The bundle of a change, from the shelf, proven again: what is put in force is what was approved.
    async fn again(
        &self,
        proposed: &Proposed,
        running: &Arc<Proven>,
    ) -> Result<Result<Bundle, Refusal>, Refusal> {
        let (shelf, trust) = (self.setup.shelf.clone(), self.trust());
        let (proposed, running) = (proposed.clone(), Arc::clone(running));
        blocking(move || {
            let files = shelf.get(proposed.to).map_err(|error| gone(&error.to_string()))?;
            let files = files.ok_or_else(|| gone(NOT_ON_THE_SHELF))?;
            let bundle = load(&files, &trust).map_err(|why| refusal_of(&why))?;
            match Proposed::change(&running, &bundle.proven) {
                Ok(now) if now.diff == proposed.diff => Ok(bundle),
                Ok(_) => Err(refused(NotTaken::OtherDifference)),
                Err(why) => Err(refused(why)),
            }
        })
        .await
    }

    /// A bundle that is not taken: the last good one goes on, with an alarm.
    pub(crate) async fn bundle_refused(
        &self,
        who: &Permitted,
        about: BundleRef,
        change: Option<ExchangeId>,
        refusal: Refusal,
    ) -> Refusal {
        let first = refusal.violations.first().map(|found| format!("{}: {}", found.field, found.description));
        let why = first.unwrap_or_else(|| refusal.reason.advice().to_owned());
        tracing::error!(number = about.number, %why, "a bundle was refused; the running one goes on");
        let (by, reason) = (Some(who.by.clone()), Some(refusal.reason));
        let refused = BundleChange { by, change, reason, ..BundleChange::new(Done::Refused, about) };
        match self.record(who, Event::Bundle(refused), None).await {
            Ok(()) => refusal,
            Err(unwritten) => unwritten,
        }
    }

    /// Whose signatures make a bundle, and the number that the next one has to go beyond.
    fn trust(&self) -> Trust {
        match self.setup.trust.clone() {
            Trust::Signed(mut keys) => {
                keys.seen = self.proven().seen();
                Trust::Signed(keys)
            }
            draft => draft,
        }
    }
}

/// A rollback to the latest of the bundles before that means what `again` means.
fn back(
    shelf: &crate::shelf::Shelf,
    before: &[BundleRef],
    running: &Proven,
    again: &Proven,
) -> Result<Proposed, NotTaken> {
    for earlier in before.iter().rev().filter(|earlier| earlier.digest.0 != running.digest().0) {
        // What is damaged or was refused since is not what anyone goes back to.
        let Ok(Some(files)) = shelf.get(policy::Digest(earlier.digest.0)) else { continue };
        let Ok(earlier) = Proven::load(&files, &Trust::Draft) else { continue };
        match Proposed::rollback(running, &earlier, again) {
            Err(NotTaken::NotWhatWas) => {}
            decided => return decided,
        }
    }
    Err(NotTaken::NotWhatWas)
}

/// Runs what takes a while beside the threads that serve.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Reason::LogUnavailable.into())
}

/// Why a bundle is not taken, problem by problem.
pub fn refusal_of(why: &NotLoaded) -> Refusal {
    let violation = |field: &str, description: &str| FieldViolation {
        field: field.to_owned(),
        description: description.to_owned(),
        class: None,
        rule: None,
        span: None,
    };
    let violations = match why {
        NotLoaded::Bundle(error) => {
            error.problems.iter().map(|problem| violation(&problem.place, &problem.what)).collect()
        }
        NotLoaded::Lexicon(error) => vec![violation("lexicon", &error.to_string())],
    };
    Refusal::at(Reason::BundleRefused, violations)
}

pub(crate) fn not_loaded(why: NotLoaded) -> Refusal {
    refusal_of(&why)
}

pub(crate) fn gone(what: &str) -> Refusal {
    let (field, description) = ("shelf".to_owned(), what.to_owned());
    let violation = FieldViolation { field, description, class: None, rule: None, span: None };
    Refusal::at(Reason::BundleRefused, vec![violation])
}

pub(crate) fn refused(why: NotTaken) -> Refusal {
    reason_of(why).into()
}

fn reason_of(why: NotTaken) -> Reason {
    match why {
        NotTaken::OwnChange => Reason::OwnChange,
        NotTaken::ApprovedBefore => Reason::ApprovedBefore,
        NotTaken::OtherDifference => Reason::OtherDifference,
        NotTaken::NotSimulated => Reason::NotSimulated,
        NotTaken::TooFewApprovers => Reason::TooFewApprovers,
        NotTaken::RunsSomethingElse => Reason::RunsSomethingElse,
        NotTaken::Over => Reason::ChangeOver,
        NotTaken::NotAProposal => Reason::RequestInvalid,
        NotTaken::NumberNotHigher => Reason::NumberNotHigher,
        NotTaken::NotWhatWas => Reason::NotWhatWas,
        // The clock of the gateway went back; it is right again soon.
        NotTaken::BeforeTheLast => Reason::Busy,
    }
}
