//! The texts of a held delivery in which something was found: what an officer has to read to decide, and nothing else of it.
//!
//! Owns: walking the document by its contract, and screening it again under the rules of this moment. What comes out is shown
//! to one officer, after its record; it is never kept.

use model::{FieldKind, Purpose, Reason, Refusal};
use policy::{Compiled, Situation};
use prost_reflect::{DynamicMessage, Value};
use screening::{Finding, Screened, Screener};

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
        let proven = self.proven();
        let waiting = &held.waiting;
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
        let screener = self.screener();
        let mut walk = Walk { compiled: &compiled, screener: &screener, found: Vec::new() };
        walk.message(&document, "", "");
        Ok(walk.found)
    }
}

impl HeldText {
    /// The places that were found.
    pub fn findings(&self) -> &[Finding] {
        &self.screened.findings
    }
}

struct Walk<'a> {
    compiled: &'a Compiled,
    screener: &'a Screener,
    found: Vec<HeldText>,
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
                let screened = self.screener.screen(text, self.compiled.screen_against);
                if !screened.is_clean() {
                    self.found.push(HeldText { field: place.to_owned(), text: text.clone(), screened });
                }
            }
            _ => {}
        }
    }

    fn is_text(&self, path: &str) -> bool {
        let mut texts = self.compiled.cells.iter().filter(|cell| cell.kind == FieldKind::Tekst);
        texts.any(|cell| cell.path.as_str() == path)
    }
}
