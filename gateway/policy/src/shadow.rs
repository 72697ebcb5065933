//! A draft in the shadow of the running bundle: the old one decides, the new one is only compared.
//!
//! Owns: the comparison for one situation, by field and form. It sees no document, so there is nothing of the payload
//! that could be kept.

use model::{FieldPath, Form, Reason};

use crate::proven::Proven;
use crate::route::Situation;

/// What a draft would have done otherwise in one situation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shadow {
    /// The same.
    Same,
    /// One of the two refuses; each side's reason, none = it does not refuse.
    Refusal {
        /// The running bundle.
        running: Option<Reason>,
        /// The draft.
        draft: Option<Reason>,
    },
    /// Some fields would pass in another form, or not, or after all: as it is, and as it would be.
    Fields(Vec<(FieldPath, Option<Form>, Option<Form>)>),
}

/// Compares what two bundles do in one situation.
pub fn shadow(running: &Proven, draft: &Proven, situation: &Situation) -> Shadow {
    let (running, draft) = match (running.compiled(situation), draft.compiled(situation)) {
        (Ok(running), Ok(draft)) => (running, draft),
        (running, draft) => {
            let reason = |outcome: Result<_, model::Refusal>| outcome.err().map(|refusal| refusal.reason);
            let (running, draft) = (reason(running.map(drop)), reason(draft.map(drop)));
            return if running == draft { Shadow::Same } else { Shadow::Refusal { running, draft } };
        }
    };
    let form = |cells: &[crate::Cell], path: &FieldPath| {
        cells.iter().find(|cell| cell.path == *path).and_then(|cell| cell.form)
    };
    let mut paths: Vec<&FieldPath> =
        running.cells.iter().chain(draft.cells.iter()).map(|cell| &cell.path).collect();
    paths.sort();
    paths.dedup();
    let forms =
        paths.into_iter().map(|path| (path.clone(), form(&running.cells, path), form(&draft.cells, path)));
    let differing: Vec<_> = forms.filter(|(_, was, is)| was != is).collect();
    if differing.is_empty() { Shadow::Same } else { Shadow::Fields(differing) }
}
