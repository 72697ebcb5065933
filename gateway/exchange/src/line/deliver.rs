//! deliver: tell the sender what became of the document, with the proof in hand that it was recorded.
//!
//! Owns: the answer to a sender: from the record, so that a repeated request gets the first answer, with the places
//! in texts and the names of withheld fields from the decision beside it. Receivers collect in `hand_out`.

use std::sync::Arc;

use fields::Outcome as FieldOutcome;
use journal::Recorded;
use ledger::{Carried, Decision, Delivery, Event, Leaf};
use model::{Reason, Refusal};
use policy::{Cell, NO_CLASS};
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::outcome::Result as Told;

use crate::line::Refused;
use crate::line::offer::Offer;
use crate::line::record::Outcome;
use crate::line::screen::Screened;
use crate::rules::Rules;

/// A document whose record is durable.
pub(crate) struct Sent {
    pub(crate) recorded: Recorded,
    /// The record that stands in the log.
    pub(crate) leaf: Leaf,
    pub(crate) outcomes: Vec<Outcome>,
    /// Why all of it was refused, if it was.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) explain: bool,
    pub(crate) offer: Option<Offer>,
}

/// The answer, or the refusal when nobody gets anything.
pub(crate) fn answer(sent: Sent) -> Result<wire::SendResponse, Refused> {
    let carried = match &sent.leaf.event {
        Event::Sent(carried) | Event::Refused(carried) => carried,
        _ => return Err(Refused { refusal: Reason::LogUnavailable.into(), answer: None }),
    };
    let answer = wire::SendResponse {
        exchange_id: sent.recorded.exchange().to_string(),
        record_index: sent.recorded.index(),
        outcomes: carried.to.iter().map(|delivery| outcome(&sent, delivery)).collect(),
    };
    match why_not(&sent, carried) {
        None => Ok(answer),
        Some(refusal) if sent.refusal.is_some() => Err(Refused { refusal, answer: None }),
        Some(refusal) => Err(Refused { refusal, answer: Some(answer) }),
    }
}

/// The first no, when there is nothing but no.
fn why_not(sent: &Sent, carried: &Carried) -> Option<Refusal> {
    if carried.to.iter().any(|delivery| delivery.decision == Decision::Delivered) {
        return None;
    }
    let first = || sent.outcomes.iter().find_map(|outcome| outcome.decided.as_ref().err().cloned());
    let recorded = || carried.reason.unwrap_or(Reason::NothingMayPass).into();
    Some(sent.refusal.clone().or_else(first).unwrap_or_else(recorded))
}

fn outcome(sent: &Sent, delivery: &Delivery) -> wire::Outcome {
    let decided = sent.outcomes.iter().find(|outcome| outcome.receiver == delivery.to);
    let decided = decided.map(|outcome| outcome.decided.as_ref());
    let result = match (delivery.decision, decided) {
        (Decision::Delivered, decided) => {
            Told::Delivered(delivered(sent, delivery, decided.and_then(Result::ok)))
        }
        (Decision::Returned, Some(Err(refusal))) => Told::Returned(returned(sent, delivery, refusal)),
        _ => {
            let reason = delivery.reason.unwrap_or(Reason::NothingMayPass);
            Told::Refused(wire::Refused { reason: reason.name().into(), advice: reason.advice().into() })
        }
    };
    let receiver = wire::Party { oin: delivery.to.oin.to_string(), role: delivery.to.role.to_string() };
    wire::Outcome { receiver: Some(receiver), result: Some(result) }
}

fn delivered(sent: &Sent, delivery: &Delivery, screened: Option<&Screened>) -> wire::Delivered {
    let fresh = sent.recorded.deliveries().iter().find(|(to, _)| *to == delivery.to).map(|(_, id)| *id);
    let passed = delivery.passed.iter().map(|cell| wire::ClassCount {
        class: cell.class.name().into(),
        form: cell.form.name().into(),
        count: cell.count,
    });
    let by_field = screened.filter(|_| sent.explain).and_then(|screened| withheld_fields(sent, screened));
    wire::Delivered {
        delivery_id: delivery.delivery.or(fresh).map(|id| id.to_string()).unwrap_or_default(),
        passed: passed.collect(),
        withheld: by_field.unwrap_or_else(|| withheld_classes(sent, delivery)),
    }
}

fn withheld_classes(sent: &Sent, delivery: &Delivery) -> Vec<wire::Withheld> {
    let proven = sent.rules.proven();
    let withheld = delivery.withheld.iter().map(|cell| {
        let sentence =
            proven.rules().find(|rule| Some(&rule.name) == cell.rule.as_ref()).map(|rule| &rule.sentence);
        wire::Withheld {
            field: String::new(),
            class: cell.class.map(|class| class.name().to_owned()).unwrap_or_default(),
            reason_nl: sentence.map_or("Geen regel laat dit door.", |sentence| &sentence.nl).to_owned(),
            reason_en: sentence.map_or("No rule lets this pass.", |sentence| &sentence.en).to_owned(),
            rule: cell.rule.as_ref().map(ToString::to_string).unwrap_or_default(),
            count: cell.count,
        }
    });
    withheld.collect()
}

/// A second pass over the document that names what stayed behind.
fn withheld_fields(sent: &Sent, screened: &Screened) -> Option<Vec<wire::Withheld>> {
    let document = &sent.offer.as_ref()?.document;
    let compiled = screened.compiled();
    let explained = compiled.plan.explain(document).ok()?;
    let withheld = explained.into_iter().filter_map(|field| {
        let FieldOutcome::Withheld(why) = field.outcome else { return None };
        let cell: Option<&Cell> = compiled.cells.iter().find(|cell| cell.path.as_str() == field.path);
        Some(wire::Withheld {
            class: field.class.map(|class| class.name().to_owned()).unwrap_or_default(),
            reason_nl: cell.map_or("Geen contract kent dit veld.", |cell| &cell.sentence.nl).to_owned(),
            reason_en: cell.map_or(why, |cell| &cell.sentence.en).to_owned(),
            rule: cell.map_or(NO_CLASS, |cell| cell.rule.as_str()).to_owned(),
            count: u32::try_from(field.count).unwrap_or(u32::MAX),
            field: field.path,
        })
    });
    Some(withheld.collect())
}

fn returned(sent: &Sent, delivery: &Delivery, refusal: &Refusal) -> wire::Returned {
    let screener = sent.rules.screener();
    let findings = refusal.violations.iter().map(|found| {
        let advice = found.class.and_then(|class| screener.advice(class));
        let advice_nl = advice.map_or(found.description.clone(), |advice| advice.nl.to_string());
        let (start, end) = found.span.unwrap_or_default();
        wire::Finding {
            field: found.field.clone(),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
            class: found.class.map(|class| class.name().to_owned()).unwrap_or_default(),
            rule: found.rule.clone().unwrap_or_default(),
            advice_nl,
            advice_en: found.description.clone(),
        }
    });
    let fresh = sent.recorded.deliveries().iter().find(|(to, _)| *to == delivery.to).map(|(_, id)| *id);
    let held = delivery.delivery.or(fresh).map(|id| id.to_string()).unwrap_or_default();
    wire::Returned { findings: findings.collect(), held_delivery_id: held }
}
