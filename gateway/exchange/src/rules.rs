//! Everything that decides, in one piece that is swapped at once: the proven bundle and its screener.
//!
//! Owns: what is derived from a bundle, among it one plan a message type that finds the BSNs of a document. Calls in
//! flight finish on the rules they started with.

mod glance;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use fields::{Account, Limits, Plan, PseudonymKey, Rule};
use foldhash::fast::RandomState;
use model::{Bsn, DataClass, FieldKind, Form, MessageType, Reason, Refusal};
use policy::{Compiled, Proven};
use screening::Screener;

use crate::line::filter::malformed;
use crate::line::offer::at;
use glance::Glance;

/// What finds the BSNs of a message type.
struct ClientPlan {
    plan: Plan,
    /// For messages as everybody writes them.
    glance: Option<Glance>,
    /// Whether a message of this type can hold any.
    holds_bsn: bool,
}

/// A bundle in force.
pub struct Rules {
    proven: Arc<Proven>,
    screener: Arc<Screener>,
    /// Made when a message type is first sent; a bundle has few.
    clients: RwLock<HashMap<MessageType, Arc<ClientPlan>, RandomState>>,
    /// The plans of `clients` make no pseudonyms.
    no_key: PseudonymKey,
}

impl Rules {
    /// Takes a bundle that was proven, and the screener built from its lexicon.
    pub fn new(proven: impl Into<Arc<Proven>>, screener: impl Into<Arc<Screener>>) -> Rules {
        let (proven, screener) = (proven.into(), screener.into());
        Rules { proven, screener, clients: RwLock::default(), no_key: PseudonymKey::unused() }
    }

    /// The bundle.
    pub fn proven(&self) -> &Arc<Proven> {
        &self.proven
    }

    /// The screener.
    pub fn screener(&self) -> &Arc<Screener> {
        &self.screener
    }

    /// Whether the bytes are a document of this type, about this client: every BSN in it is the client's. Without a
    /// client there may be none.
    /// `compiled` is any decision about this message type: it knows the classes of the fields.
    pub(crate) fn check_document(
        &self,
        message: &MessageType,
        compiled: &Compiled,
        document: &[u8],
        client: Option<&Bsn>,
    ) -> Result<(), Refusal> {
        let clients = self.client_plan(message, || Ok(compiled))?;
        let (mut found, mut account) = (Vec::new(), Account::new());
        let filtered = clients.plan.filter(document, &self.no_key, &mut found, &mut account);
        filtered.map_err(|wrong| malformed(&wrong))?;
        let client = client.map(|bsn| bsn.expose().as_bytes());
        let same = |text: &fields::Text| client.is_some() && found.get(text.start..text.end) == client;
        if account.texts().iter().all(same) {
            Ok(())
        } else {
            Err(at(Reason::ClientMismatch, "document", "a field of class persoon.bsn holds another BSN"))
        }
    }

    /// The client whom a message is about: the one BSN in it, if it holds any. One that can hold none is not read.
    /// `compiled`: as in [`Rules::check_document`]; asked once a message type.
    pub(crate) fn client_of<C: std::ops::Deref<Target = Compiled>>(
        &self,
        message: &MessageType,
        compiled: impl FnOnce() -> Result<C, Refusal>,
        document: &[u8],
    ) -> Result<Option<Bsn>, Refusal> {
        let clients = self.client_plan(message, compiled)?;
        if !clients.holds_bsn {
            return Ok(None);
        }
        match clients.glance.as_ref().and_then(|glance| glance.of(document)) {
            Some(None) => return Ok(None),
            Some(Some(bsn)) => {
                let bsn = std::str::from_utf8(bsn).ok().and_then(|text| text.parse().ok());
                if bsn.is_some() {
                    return Ok(bsn);
                }
            }
            None => {}
        }
        let (mut found, mut account) = (Vec::new(), Account::new());
        let filtered = clients.plan.filter(document, &self.no_key, &mut found, &mut account);
        filtered.map_err(|wrong| malformed(&wrong))?;
        let Some((first, others)) = account.texts().split_first() else { return Ok(None) };
        let text = |place: &fields::Text| found.get(place.start..place.end);
        if others.iter().any(|other| text(other) != text(first)) {
            return Err(at(Reason::ClientMismatch, "message", "it holds the BSN of more than one client"));
        }
        let bsn = text(first).and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse().ok());
        bsn.map(Some).ok_or_else(|| at(Reason::ClientInvalid, "message", "9 digits that pass the elfproef"))
    }

    fn client_plan<C: std::ops::Deref<Target = Compiled>>(
        &self,
        message: &MessageType,
        compiled: impl FnOnce() -> Result<C, Refusal>,
    ) -> Result<Arc<ClientPlan>, Refusal> {
        if let Some(plan) = self.clients.read().unwrap_or_else(PoisonError::into_inner).get(message) {
            return Ok(Arc::clone(plan));
        }
        let plan = client_plan(&self.proven, message, &*compiled()?).ok_or(Reason::TypeUnknown)?;
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(clients.entry(message.clone()).or_insert(Arc::new(plan))))
    }
}

/// A plan that lets only BSNs through, and reports where they stand.
fn client_plan(proven: &Proven, message: &MessageType, compiled: &Compiled) -> Option<ClientPlan> {
    let root = proven.message(message)?;
    let cells = compiled.cells.iter();
    let holds_bsn =
        cells.filter(|cell| cell.class == Some(DataClass::PersoonBsn) && cell.kind != FieldKind::Bericht);
    let bsns: HashSet<(&str, u32)> = holds_bsn.map(|cell| (cell.message.as_str(), cell.number)).collect();
    let is_bsn = |field: &prost_reflect::FieldDescriptor| {
        bsns.contains(&(field.parent_message().full_name(), field.number()))
    };
    let mut rule_of = |field: &prost_reflect::FieldDescriptor| {
        let class = DataClass::PersoonBsn;
        if field.kind().as_message().is_some() {
            (FieldKind::Bericht, Rule::Pass { class, form: Form::Vol })
        } else if is_bsn(field) {
            (FieldKind::Tekst, Rule::Screen { class })
        } else {
            (FieldKind::Waarde, Rule::Withhold { class: None })
        }
    };
    let plan = Plan::compile(&root, &mut rule_of, Limits::default()).ok()?;
    Some(ClientPlan { plan, glance: Glance::new(&root, &is_bsn), holds_bsn: !bsns.is_empty() })
}
