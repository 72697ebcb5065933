//! Which past texts another lexicon would have stopped: by hash and rule, never by content.
//!
//! Owns: the comparison of two lexicons over what can still be opened. Texts are not kept: only deliveries that wait in a
//! mailbox, held ones too, have a text to look at; of all others the answer says how many they are, and what the log knows:
//! which rules held texts back. No word of a text leaves this file. Looking is recorded before anything is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use identity::Operator;
use journal::{Criteria, ReadError, Waiting};
use ledger::{Decision, DeliveryId, Digest, Event, Kind};
use model::{ClassSet, DataClass, FieldViolation, Name, Reason, Refusal, Timestamp};
use screening::{Screened, Screener};

use crate::held::texts::Text;
use crate::looks::Look;
use crate::oversight::{Oversight, unreadable};
use crate::rights::Act;
use crate::steps::blocking;

/// The most deliveries that are opened at once, the newest first.
const MOST_OPENED: usize = 20_000;

/// A place at which two lexicons differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PastPlace {
    /// The record with which the text was sent.
    pub index: u64,
    /// The seal of its document, as that record has it.
    pub digest: Option<Digest>,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Where the text stands, with indexes.
    pub field: String,
    /// What it would be held for; none when it cannot be screened.
    pub class: Option<DataClass>,
    /// The list and layer that fire, or why it cannot be screened.
    pub rule: Name,
}

/// What another lexicon would have done with past texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastTexts {
    /// What it stops and the one that runs lets pass.
    pub stopped: Vec<PastPlace>,
    /// What it lets pass and the one that runs stops.
    pub freed: Vec<PastPlace>,
    /// Deliveries that were opened.
    pub opened: u64,
    /// Free texts in them.
    pub texts: u64,
    /// Deliveries of which no text can be read any more: collected, expired, erased. Of these nobody can tell.
    pub gone: u64,
    /// Deliveries that wait and were not opened, for there were too many.
    pub left: u64,
    /// What held texts back when they were sent, by the log: rule, and how often.
    pub on_record: BTreeMap<Name, u64>,
}

impl Oversight {
    /// Screens every past text that can still be opened with another lexicon (file name to content) beside the one that runs.
    /// Recorded, with the number of deliveries that were opened, before the outcome is shown.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`, recorded; `BUNDLE_REFUSED` with the line of the lexicon that is wrong; the log cannot be read.
    pub async fn past_texts(
        self: &Arc<Self>,
        who: &Operator,
        lexicon: BTreeMap<String, Vec<u8>>,
    ) -> Result<PastTexts, Refusal> {
        self.may(who, Act::ReleaseText).await?;
        let this = Arc::clone(self);
        let past = blocking(move || {
            let other = Screener::build(&lexicon).map_err(|error| wrong(&error))?;
            this.compare(&other)
        });
        let past = past.await??;
        self.look(who, Look::PastTexts, past.opened, None, None).await?;
        Ok(past)
    }

    fn compare(&self, other: &Screener) -> Result<PastTexts, Refusal> {
        let (journal, running, now) = (self.journal(), self.screener(), self.now());
        let mut past = PastTexts::default();
        let criteria = Criteria { kind: Some(Kind::Sent), ..Criteria::default() };
        let sent = journal.search(&criteria, None, usize::MAX).map_err(|error| unreadable(&error))?;
        for index in sent.into_iter().rev() {
            let opened = journal.open_record(index).map_err(|error| unreadable(&error))?;
            let Event::Sent(carried) = opened.leaf.event else { continue };
            for to in carried.to {
                for place in to.held_back {
                    *past.on_record.entry(place.rule).or_default() += 1;
                }
                let Some(delivery) = to.delivery.filter(|_| to.decision != Decision::Refused) else {
                    continue;
                };
                self.look_again(delivery, now, &running, other, &mut past)?;
            }
        }
        past.stopped.sort();
        past.freed.sort();
        Ok(past)
    }

    /// One delivery under both lexicons.
    fn look_again(
        &self,
        delivery: DeliveryId,
        now: Timestamp,
        running: &Screener,
        other: &Screener,
        past: &mut PastTexts,
    ) -> Result<(), Refusal> {
        let waiting = self.journal().delivery(&delivery).map_err(|error| unreadable(&error))?;
        let Some(waiting) = waiting.filter(|waiting| waiting.expires > now) else {
            past.gone += 1;
            return Ok(());
        };
        if past.opened as usize >= MOST_OPENED {
            past.left += 1;
            return Ok(());
        }
        let document = match self.journal().open_document(&waiting) {
            Ok(document) => document,
            Err(ReadError::Erased | ReadError::NotFound) => {
                past.gone += 1;
                return Ok(());
            }
            Err(error) => return Err(unreadable(&error)),
        };
        // What the rules of today forbid altogether goes to nobody: there is nothing to compare.
        let Ok((against, texts)) = self.texts(&waiting, &document) else {
            past.gone += 1;
            return Ok(());
        };
        past.opened += 1;
        for text in texts {
            past.texts += 1;
            let (before, after) = (found(running, &text, against), found(other, &text, against));
            let places = |found: &BTreeSet<Found>| -> Vec<PastPlace> {
                found.iter().map(|(class, rule)| place(&waiting, &text, *class, rule.clone())).collect()
            };
            match (before.is_empty(), after.is_empty()) {
                (true, false) => past.stopped.extend(places(&after)),
                (false, true) => past.freed.extend(places(&before)),
                // It is held, or it is not, whatever the lexicon.
                (true, true) | (false, false) => {}
            }
        }
        Ok(())
    }
}

/// The class and rule of a finding.
type Found = (Option<DataClass>, Name);

fn found(screener: &Screener, text: &Text, against: ClassSet) -> BTreeSet<Found> {
    let Screened { findings, unscreenable } = screener.screen(&text.text, against);
    let unscreenable = unscreenable.and_then(|why| Some((None, why.name().parse().ok()?)));
    findings.into_iter().map(|finding| (Some(finding.class), finding.rule)).chain(unscreenable).collect()
}

fn place(waiting: &Waiting, text: &Text, class: Option<DataClass>, rule: Name) -> PastPlace {
    let Waiting { index, digest, delivery, .. } = waiting.clone();
    PastPlace { index, digest, delivery, field: text.field.clone(), class, rule }
}

fn wrong(error: &screening::LexiconError) -> Refusal {
    let (field, description) = ("lexicon".to_owned(), error.to_string());
    let violation = FieldViolation { field, description, class: None, rule: None, span: None };
    Refusal::at(Reason::BundleRefused, vec![violation])
}
