//! The texts of a held delivery in which something was found: what an officer has to read to decide, and nothing else of it.
//!
//! Owns: walking a document by its contract, and screening it again under the rules of this moment. What comes out is shown
//! to one officer, after its record; it is never kept. `past` walks documents too, and shows no text of them.

use journal::Waiting;
use model::{ClassSet, FieldKind, Purpose, Reason, Refusal};
use policy::{Compiled, Situation};
use prost_reflect::{DynamicMessage, Value};
use screening::{Finding, Screened};

use crate::held::Held;
use crate::oversight::{Oversight, unreadable};

/// A text in which something was found.
pub struct HeldText {
    /// Where it stands, with indexes: `tussendoelen[1].toelichting`.
    pub field: String,
    /// All of it.
    pub text: String,
    /// What was found, and whether it could be judged at all.
    pub screened: Screened,
}

impl Oversight {
    /// The texts of a held delivery in which something is found now.
    pub(crate) fn held_texts(&self, held: &Held, document: &[u8]) -> Result<Vec<HeldText>, Refusal> {
        let (against, texts) = self.texts(&held.waiting, document)?;
        let screener = self.screener();
        let screened = texts.into_iter().map(|Text { field, text }| {
            let screened = screener.screen(&text, against);
            HeldText { field, text, screened }
        });
        Ok(screened.filter(|text| !text.screened.is_clean()).collect())
    }

    /// Every free text of a delivery that waits, and what its receiver may not read about now.
    pub(crate) fn texts(&self, waiting: &Waiting, document: &[u8]) -> Result<(ClassSet, Vec<Text>), Refusal> {
        let proven = self.proven();
        let (Some(sender), Some(message), Some(purpose)) =
            (&waiting.from, &waiting.terms.message, &waiting.terms.purpose)
        else {
            return Err(Reason::NotFound.into());
        };
        let purpose: &Purpose = purpose;
        let consents = self.journal().consents(waiting.client, &waiting.to, purpose, self.now());
        let situation = Situation {
            message: message.clone(),
            sender: (sender.oin, sender.role.clone()),
            receiver: (waiting.to.oin, waiting.to.role.clone()),
            purpose: purpose.clone(),
            consents: consents.map_err(|error| unreadable(&error))?,
            spoed: false,
        };
        let compiled = proven.compiled(&situation)?;
        let contract = proven.message(message).ok_or(Reason::TypeUnknown)?;
        let document = DynamicMessage::decode(contract, document).map_err(|_| Reason::DocumentMalformed)?;
        let mut walk = Walk { compiled: &compiled, found: Vec::new() };
        walk.message(&document, "", "");
        Ok((compiled.screen_against, walk.found))
    }
}

impl HeldText {
    /// The places that were found.
    pub fn findings(&self) -> &[Finding] {
        &self.screened.findings
    }
}

/// A free text of a document; never kept, printed or logged.
pub(crate) struct Text {
    /// Where it stands, with indexes.
    pub(crate) field: String,
    pub(crate) text: String,
}

struct Walk<'a> {
    compiled: &'a Compiled,
    found: Vec<Text>,
}

impl Walk<'_> {
    /// `place` has indexes, `path` has none.
    fn message(&mut self, message: &DynamicMessage, place: &str, path: &str) {
        for (field, value) in message.fields() {
            let dot = if path.is_empty() { "" } else { "." };
            let (place, path) =
                (format!("{place}{dot}{}", field.name()), format!("{path}{dot}{}", field.name()));
            self.value(value, &place, &path);
        }
    }

    fn value(&mut self, value: &Value, place: &str, path: &str) {
        match value {
            Value::Message(inner) => self.message(inner, place, path),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{place}[{index}]"), path);
                }
            }
            Value::String(text) if self.is_text(path) => {
                self.found.push(Text { field: place.to_owned(), text: text.clone() });
            }
            _ => {}
        }
    }

    fn is_text(&self, path: &str) -> bool {
        let mut texts = self.compiled.cells.iter().filter(|cell| cell.kind == FieldKind::Tekst);
        texts.any(|cell| cell.path.as_str() == path)
    }
}
