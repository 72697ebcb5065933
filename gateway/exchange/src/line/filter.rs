//! filter: the bytes that this receiver may have, and an account of them by class.
//!
//! Owns: running the plan, and telling a sender in the gateway's words why bytes were refused. Next: `screen`.

use std::sync::Arc;

use fields::{Account, Malformed, PseudonymKey};
use ledger::Party;
use model::{Consents, Reason, Refusal};
use policy::Compiled;

use crate::line::authorise::Authorised;
use crate::line::offer::at;

/// A projection that policy allows. Its texts have not been screened.
pub(crate) struct Filtered {
    authorised: Authorised,
    document: Vec<u8>,
    /// Boxed, for it is large and goes through many hands.
    account: Box<Account>,
}

impl Filtered {
    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        self.authorised.compiled()
    }

    pub(crate) fn receiver(&self) -> &Party {
        self.authorised.receiver()
    }

    pub(crate) fn consents(&self) -> Option<Consents> {
        self.authorised.consents()
    }

    pub(crate) fn phase(&self) -> Option<u8> {
        self.authorised.phase()
    }

    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    fn is_empty(&self) -> bool {
        self.account.passed().next().is_none() && self.account.texts().is_empty()
    }
}

/// Projects a document for the receiver that was authorised. One of which nothing is left does not go.
pub(crate) fn filter(
    authorised: Authorised,
    document: &[u8],
    key: &PseudonymKey,
) -> Result<Filtered, Refusal> {
    let filtered = project(authorised, document, key)?;
    if filtered.is_empty() { Err(Reason::NothingMayPass.into()) } else { Ok(filtered) }
}

/// Projects a message of a call: one that was empty from the start may go.
pub(crate) fn filter_message(
    authorised: Authorised,
    message: &[u8],
    key: &PseudonymKey,
) -> Result<Filtered, Refusal> {
    let filtered = project(authorised, message, key)?;
    if filtered.is_empty() && !message.is_empty() { Err(Reason::NothingMayPass.into()) } else { Ok(filtered) }
}

fn project(authorised: Authorised, document: &[u8], key: &PseudonymKey) -> Result<Filtered, Refusal> {
    let (mut output, mut account) = (Vec::new(), Box::new(Account::new()));
    let plan = &authorised.compiled().plan;
    plan.filter(document, key, &mut output, &mut account).map_err(|found| malformed(&found))?;
    Ok(Filtered { authorised, document: output, account })
}

/// Says where a document stops being one, never what stands there.
pub(crate) fn malformed(found: &Malformed) -> Refusal {
    at(Reason::DocumentMalformed, "document", &found.to_string())
}
