//! Who asks for a page: the operator, what they may, and in which language they read.

use identity::Operator;
use model::Oin;
use oversight::Act;

use crate::words::{Language, Words};

/// Who asks.
pub(crate) struct Visitor {
    /// The operator, whose certificate was checked for this request.
    pub(crate) operator: Operator,
    /// What every form has to hold.
    pub(crate) token: String,
    /// The organisation that runs the gateway.
    pub(crate) gateway: Oin,
    /// In which language.
    pub(crate) language: Language,
    /// The page that is asked for, with its query.
    pub(crate) here: String,
}

impl Visitor {
    /// Whether they may: what they may not is not offered. The act itself is checked again by `oversight`.
    pub(crate) fn may(&self, act: Act) -> bool {
        act.allowed(&self.operator).is_ok()
    }

    /// The texts of pages.
    pub(crate) fn words(&self) -> &'static Words {
        self.language.words()
    }
}
