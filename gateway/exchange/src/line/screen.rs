//! screen: nothing that is said in words may tell this receiver what the fields may not.
//!
//! Owns: screening every text of a projection, and turning findings into places in the document. A hit sends the
//! document back to its sender for this receiver; a text is never cut. Next: `record`.

use std::sync::Arc;

use fields::Account;
use ledger::Party;
use model::{ClassSet, Consents, FieldViolation, Reason, Refusal};
use oversight::Released;
use policy::Compiled;
use screening::Screener;

use crate::line::filter::Filtered;

/// What to do about a finding whose class the lexicon gives no advice on.
pub(crate) const SAY_OTHERWISE: &str = "say what the client can and cannot do";

/// A projection that may leave.
pub(crate) struct Screened {
    filtered: Filtered,
}

impl Screened {
    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        self.filtered.compiled()
    }

    pub(crate) fn receiver(&self) -> &Party {
        self.filtered.receiver()
    }

    pub(crate) fn consents(&self) -> Option<Consents> {
        self.filtered.consents()
    }

    pub(crate) fn phase(&self) -> Option<u8> {
        self.filtered.phase()
    }

    pub(crate) fn document(&self) -> &[u8] {
        self.filtered.document()
    }

    pub(crate) fn account(&self) -> &Account {
        self.filtered.account()
    }
}

/// A projection that may not leave as it is, and why. Its bytes go nowhere but into a sealed box.
pub(crate) struct Stopped {
    filtered: Filtered,
    pub(crate) refusal: Refusal,
}

impl Stopped {
    pub(crate) fn document(&self) -> &[u8] {
        self.filtered.document()
    }

    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        self.filtered.compiled()
    }

    /// The classes that were found.
    pub(crate) fn classes(&self) -> ClassSet {
        self.refusal.violations.iter().filter_map(|found| found.class).collect()
    }

    /// What two officers released may leave after all. They saw the very bytes that this was filtered from: the record of
    /// the delivery vouches for them by digest.
    pub(crate) fn released(self, _: &Released) -> Screened {
        Screened { filtered: self.filtered }
    }
}

/// Screens every text of a projection.
pub(crate) fn screen(filtered: Filtered, screener: &Screener) -> Result<Screened, Box<Stopped>> {
    let against = filtered.compiled().screen_against;
    let mut violations = Vec::new();
    let mut unscreenable = false;
    if !against.is_empty() {
        for text in filtered.account().texts() {
            unscreenable |= screen_one(&filtered, text, against, screener, &mut violations);
        }
    }
    if violations.is_empty() {
        return Ok(Screened { filtered });
    }
    let reason = if unscreenable { Reason::TextUnscreenable } else { Reason::TextHeldBack };
    Err(Box::new(Stopped { filtered, refusal: Refusal::at(reason, violations) }))
}

/// Screens one text; says whether it could not be screened.
fn screen_one(
    filtered: &Filtered,
    place: &fields::Text,
    against: ClassSet,
    screener: &Screener,
    violations: &mut Vec<FieldViolation>,
) -> bool {
    let bytes = filtered.document().get(place.start..place.end).unwrap_or_default();
    // The filter refused anything that is not UTF-8; if that ever fails, the text counts as unscreenable.
    let Ok(text) = std::str::from_utf8(bytes) else {
        violations.push(violation(filtered, place, "niet-te-screenen", "not text", None));
        return true;
    };
    let screened = screener.screen(text, against);
    for finding in &screened.findings {
        let advice = screener.advice(finding.class).map_or(SAY_OTHERWISE, |advice| &advice.en);
        let span = Some(finding.code_points(text));
        let mut found = violation(filtered, place, finding.rule.as_str(), advice, span);
        found.class = Some(finding.class);
        violations.push(found);
    }
    if let Some(why) = screened.unscreenable {
        violations.push(violation(filtered, place, why.name(), why.advice().1, None));
    }
    screened.unscreenable.is_some()
}

fn violation(
    filtered: &Filtered,
    place: &fields::Text,
    rule: &str,
    description: &str,
    span: Option<(usize, usize)>,
) -> FieldViolation {
    let field = filtered.compiled().plan.locate(filtered.document(), place.start).unwrap_or_default();
    FieldViolation {
        field,
        description: description.to_owned(),
        class: None,
        rule: Some(rule.to_owned()),
        span,
    }
}
