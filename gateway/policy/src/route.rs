//! The hot path: from a situation to what was compiled for it, by look-ups alone.
//!
//! Owns: the tables that a call is resolved with, and the exact reason where there is no route. Nothing is decided
//! here; `enumeration` decided everything when the bundle was loaded.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;
use model::{Consent, Consents, MessageType, Oin, Purpose, Reason, Refusal, Role};

use crate::compiled::Compiled;
use crate::decision::state_index;
use crate::enumeration::Route;
use crate::organisations::Registry;
use crate::world::{PartyIndex, World};

/// One document on its way from someone to someone, with all that was resolved before a rule is asked.
#[derive(Debug, Clone)]
pub struct Situation {
    /// Type of the document.
    pub message: MessageType,
    /// Who sends, in which role.
    pub sender: (Oin, Role),
    /// Who is to receive, in which role.
    pub receiver: (Oin, Role),
    /// What for.
    pub purpose: Purpose,
    /// The client's consents towards this receiver for this purpose, at this moment.
    pub consents: Consents,
    /// Whether an escape is open.
    pub spoed: bool,
}

/// The hashing need not withstand an attacker: only the bundle puts anything in.
type Map<K, V> = HashMap<K, V, FixedState>;

/// Where calls are looked up.
#[derive(Debug)]
pub(crate) struct Routes {
    /// Organisation → its roles, each with its party.
    organisations: Map<Oin, Arc<[(Role, PartyIndex)]>>,
    /// Sender and receiver → what they exchange.
    between: Map<(PartyIndex, PartyIndex), Vec<Entry>>,
    messages: HashSet<MessageType>,
    purposes: HashSet<Purpose>,
}

#[derive(Debug)]
struct Entry {
    message: MessageType,
    purpose: Purpose,
    outcomes: Box<[Result<Arc<Compiled>, Reason>]>,
}

impl Routes {
    pub(crate) fn new(registry: &Registry, world: &World, routes: &[Route]) -> Routes {
        let mut of_kind: BTreeMap<_, Vec<(Role, PartyIndex)>> = BTreeMap::new();
        let mut of_organisation: BTreeMap<Oin, Vec<(Role, PartyIndex)>> = BTreeMap::new();
        for (index, party) in world.parties.iter().enumerate() {
            let roles = match party.organisation {
                Some(oin) => of_organisation.entry(oin).or_default(),
                None => of_kind.entry(&party.functie.kind).or_default(),
            };
            roles.push((party.functie.role.clone(), index));
        }
        let of_kind: BTreeMap<_, Arc<[_]>> =
            of_kind.into_iter().map(|(kind, roles)| (kind, roles.into())).collect();
        let organisations = registry.organisations.values().filter_map(|organisation| {
            let own = of_organisation.get(&organisation.oin).map(|roles| roles.as_slice().into());
            Some((organisation.oin, own.or_else(|| of_kind.get(&organisation.kind).cloned())?))
        });
        let mut between: Map<_, Vec<Entry>> = Map::default();
        for route in routes {
            between.entry((route.from, route.to)).or_default().push(Entry {
                message: route.exchange.message.clone(),
                purpose: route.exchange.purpose.clone(),
                outcomes: route.outcomes.clone().into(),
            });
        }
        Routes {
            organisations: organisations.collect(),
            between,
            messages: routes.iter().map(|route| route.exchange.message.clone()).collect(),
            purposes: routes.iter().map(|route| route.exchange.purpose.clone()).collect(),
        }
    }

    /// What was compiled for a situation, or exactly why there is nothing.
    pub(crate) fn find(&self, situation: &Situation) -> Result<Arc<Compiled>, Refusal> {
        let entry = match (self.party(&situation.sender), self.party(&situation.receiver)) {
            (Some(from), Some(to)) => self.between.get(&(from, to)).and_then(|entries| {
                entries
                    .iter()
                    .find(|entry| entry.purpose == situation.purpose && entry.message == situation.message)
            }),
            _ => None,
        };
        let Some(entry) = entry else { return Err(self.why_not(situation).into()) };
        match entry.outcomes.get(state_index(situation.consents, situation.spoed)) {
            Some(Ok(compiled)) => Ok(compiled.clone()),
            Some(Err(reason)) => Err((*reason).into()),
            None => Err(Reason::ExchangeNotDeclared.into()),
        }
    }

    /// One situation for every route between registered organisations.
    pub(crate) fn situations(&self) -> Vec<Situation> {
        let mut who: BTreeMap<PartyIndex, (Oin, Role)> = BTreeMap::new();
        for (oin, roles) in &self.organisations {
            for (role, party) in roles.iter() {
                let first = who.entry(*party).or_insert_with(|| (*oin, role.clone()));
                first.0 = first.0.min(*oin);
            }
        }
        let mut situations = Vec::new();
        for ((from, to), entries) in &self.between {
            let (Some(sender), Some(receiver)) = (who.get(from), who.get(to)) else { continue };
            situations.extend(entries.iter().map(|entry| Situation {
                message: entry.message.clone(),
                sender: sender.clone(),
                receiver: receiver.clone(),
                purpose: entry.purpose.clone(),
                consents: Consents::both(Consent::Verleend),
                spoed: false,
            }));
        }
        situations
    }

    /// How long one look-up takes on average, by the caller's clock.
    pub(crate) fn time(&self, clock: &dyn Fn() -> Duration) -> Duration {
        const ROUNDS: u32 = 200;
        let situations = self.situations();
        let start = clock();
        for _ in 0..ROUNDS {
            for situation in &situations {
                // Kept from the optimiser, which would see that nobody looks at the answer.
                let _ = std::hint::black_box(self.find(std::hint::black_box(situation)));
            }
        }
        let times = ROUNDS.saturating_mul(u32::try_from(situations.len()).unwrap_or(u32::MAX));
        clock().saturating_sub(start).checked_div(times).unwrap_or_default()
    }

    fn party(&self, (oin, role): &(Oin, Role)) -> Option<PartyIndex> {
        self.organisations.get(oin)?.iter().find(|(known, _)| known == role).map(|(_, party)| *party)
    }

    /// Which part of the situation is not known, the caller's own parts first.
    fn why_not(&self, situation: &Situation) -> Reason {
        if !self.organisations.contains_key(&situation.sender.0) {
            Reason::OrganisationUnknown
        } else if self.party(&situation.sender).is_none() {
            Reason::RoleNotAllowed
        } else if !self.messages.contains(&situation.message) {
            Reason::TypeUnknown
        } else if !self.purposes.contains(&situation.purpose) {
            Reason::PurposeUnknown
        } else if self.party(&situation.receiver).is_none() {
            Reason::ReceiverUnknown
        } else if situation.sender.1 == Role::systeem() {
            Reason::RoleRequired
        } else {
            Reason::ExchangeNotDeclared
        }
    }
}
