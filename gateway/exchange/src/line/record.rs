//! record: what was decided becomes true, durably, in one commit: the record and the sealed projections.
//!
//! Owns: turning a decision into the public record – names and counts, never values – and its sealed part. Nothing
//! before this step has changed anything; nothing after it happens without its proof. A crash here means: either
//! the whole commit is there after a restart, or nothing of it, and nobody was told.

use fields::Account;
use identity::Actor;
use journal::{Commit, CommitError, Document, Journal, Recorded};
use ledger::{
    BundleRef, Carried, ClientIdentifier, Decision, Delivery, Digest, Event, HeldBack, Leaf, Party, Passed,
    SealedPart, Terms, Trace, Version, Withheld,
};
use model::{Bsn, ExchangeId, MessageType, Oin, Purpose, Reason, Refusal, Timestamp};
use policy::{Compiled, NO_CLASS};

use crate::line::screen::Screened;
use crate::rules::Rules;

/// What was decided for one receiver.
pub(crate) struct Outcome {
    pub(crate) receiver: Party,
    pub(crate) decided: Result<Screened, Refusal>,
    /// What is kept of a projection that came back.
    pub(crate) kept: Option<Kept>,
}

/// A projection that waits for officers instead of its receiver.
pub(crate) struct Kept {
    pub(crate) document: Vec<u8>,
    pub(crate) expires: Timestamp,
}

/// When, under which exchange id, in which trace, under which rules a decision was made.
pub(crate) struct Circumstances<'a> {
    pub(crate) now: Timestamp,
    pub(crate) exchange: ExchangeId,
    pub(crate) trace: Option<Trace>,
    pub(crate) rules: &'a Rules,
}

impl Circumstances<'_> {
    /// A record of an event in these circumstances.
    pub(crate) fn leaf(&self, activity: Option<String>, event: Event) -> Leaf {
        let proven = self.rules.proven();
        let bundle = BundleRef { number: proven.number(), digest: Digest(proven.digest().0) };
        let (v, time, exchange, trace) = (Version::default(), self.now, self.exchange, self.trace);
        Leaf { v, time, exchange, trace, bundle, activity, client: None, event }
    }
}

/// Writes a commit, or says in a refusal why that is not possible.
pub(crate) async fn write(journal: &Journal, commit: Commit) -> Result<Recorded, Refusal> {
    journal.commit(commit).await.map_err(|error| {
        if !matches!(error, CommitError::ExchangeIdReused) {
            tracing::error!(%error, "a commit was not recorded");
        }
        error.reason().into()
    })
}

/// What identifies people in a record: who did it, and about whom.
pub(crate) fn sealed(actor: Option<&Actor>, client: Option<&Bsn>) -> SealedPart {
    let identifier = |bsn: &Bsn| ClientIdentifier { kind: "bsn".to_owned(), value: bsn.expose().to_owned() };
    let mut sealed = SealedPart::default();
    sealed.user = actor.and_then(Actor::user).map(|user| user.expose().to_owned());
    sealed.client = client.map(identifier).into_iter().collect();
    sealed
}

/// What went, or did not go, from a sender to each receiver.
pub(crate) fn carried(
    from: Option<Party>,
    message: Option<&MessageType>,
    purpose: Option<&Purpose>,
    outcomes: &[Outcome],
) -> Carried {
    let compiled = outcomes.iter().find_map(|outcome| outcome.decided.as_ref().ok()).map(Screened::compiled);
    let package = message.and_then(|message| message.as_str().rsplit_once('.')).map(|(package, _)| package);
    let terms = Terms {
        declared: compiled.and_then(|compiled| compiled.exchange.id.parse().ok()),
        contract: package.and_then(|package| package.parse().ok()),
        message: message.cloned(),
        purpose: purpose.cloned(),
        grondslag: compiled.map(|compiled| compiled.exchange.grondslag),
        spoed: false,
        opens: None,
    };
    Carried { from, terms, reason: None, to: outcomes.iter().map(delivery).collect() }
}

/// Who may have something, and what was compiled for them.
pub(crate) fn receivers(outcomes: &[Outcome]) -> impl Iterator<Item = (&Oin, &Compiled)> {
    let passed = outcomes.iter().filter_map(|outcome| outcome.decided.as_ref().ok());
    passed.map(|screened| (&screened.receiver().oin, &**screened.compiled()))
}

/// The processing activity of whatever passed.
pub(crate) fn activity(outcomes: &[Outcome]) -> Option<String> {
    let passed = outcomes.iter().find_map(|outcome| outcome.decided.as_ref().ok());
    passed.map(|screened| screened.compiled().exchange.activity.to_string())
}

/// The projections to seal, each for its receiver.
pub(crate) fn documents(outcomes: &[Outcome], now: Timestamp) -> Vec<Document> {
    let passed = outcomes.iter().filter_map(|outcome| outcome.decided.as_ref().ok());
    let document = |screened: &Screened| {
        let days = i64::from(screened.compiled().exchange.collect_within_days);
        Document {
            to: screened.receiver().clone(),
            bytes: screened.document().to_vec(),
            expires: now.plus_seconds(days.saturating_mul(86_400)),
        }
    };
    let held = outcomes.iter().filter_map(|outcome| {
        let Kept { document, expires } = outcome.kept.as_ref()?;
        Some(Document { to: outcome.receiver.clone(), bytes: document.clone(), expires: *expires })
    });
    passed.map(document).chain(held).collect()
}

fn delivery(outcome: &Outcome) -> Delivery {
    match &outcome.decided {
        Ok(screened) => {
            let mut delivery = Delivery::new(outcome.receiver.clone(), Decision::Delivered);
            (delivery.consents, delivery.phase) = (screened.consents(), screened.phase());
            delivery.passed = passed(screened.account());
            delivery.withheld = withheld(screened.account(), screened.compiled());
            delivery
        }
        Err(refusal) => refused(outcome.receiver.clone(), refusal),
    }
}

/// A receiver that gets nothing, and why.
pub(crate) fn refused(receiver: Party, refusal: &Refusal) -> Delivery {
    let returned = matches!(refusal.reason, Reason::TextHeldBack | Reason::TextUnscreenable);
    let mut delivery = Delivery::new(receiver, if returned { Decision::Returned } else { Decision::Refused });
    delivery.reason = Some(refusal.reason);
    if returned {
        delivery.held_back = refusal.violations.iter().filter_map(held_back).collect();
    }
    delivery
}

fn held_back(violation: &model::FieldViolation) -> Option<HeldBack> {
    // The public record names the field without its place in a list: how many there are is the client's.
    let field = violation.field.split('.').map(|name| name.split('[').next().unwrap_or_default());
    Some(HeldBack {
        field: field.collect::<Vec<_>>().join(".").parse().ok()?,
        class: violation.class,
        rule: violation.rule.as_deref()?.parse().ok()?,
    })
}

fn passed(account: &Account) -> Vec<Passed> {
    let cells = account.passed().map(|(class, form, count)| Passed { class, form, count });
    cells.collect()
}

/// What was withheld, by class, each with a rule that withholds it.
fn withheld(account: &Account, compiled: &Compiled) -> Vec<Withheld> {
    let rule = |class| {
        let mut cells = compiled.cells.iter().filter(|cell| cell.form.is_none());
        cells.find(|cell| cell.subject.or(cell.class) == Some(class)).map(|cell| cell.rule.clone())
    };
    let classified =
        account.withheld().map(|(class, count)| Withheld { class: Some(class), count, rule: rule(class) });
    let unknown = account.unclassified().saturating_add(account.unknown());
    let without_class =
        (unknown > 0).then(|| Withheld { class: None, count: unknown, rule: NO_CLASS.parse().ok() });
    classified.chain(without_class).collect()
}
