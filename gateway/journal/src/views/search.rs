//! The search view: which records have an attribute, as sets of 256 records, the entry bundles of the log.
//!
//! Owns: the attributes of a record and the answer to "which records have all of these". An attribute with few
//! values has a set for each value; one with many (client, user, exchange) a mark for each record, so that a
//! record costs no key of its own: looking for a mark reads eight bytes for every record there is.

use std::collections::BTreeMap;
use std::io;

use ledger::{Carried, Decision, Event, Kind, Leaf};
use model::{ClientPseudonym, DataClass, ExchangeId, Oin, Timestamp};

use super::layer::{Bits, Young, has};
use super::{Seen, Views, key};

const CLIENT: u8 = b'c';
const USER: u8 = b'u';
const EXCHANGE: u8 = b'x';
const ORGANISATION: u8 = b'o';
const CLASS: u8 = b'k';
const DECISION: u8 = b'd';
const KIND: u8 = b'e';
const DAY: u8 = b't';

/// The attributes with many values: a record has a mark for each.
pub(super) const MARKED: [u8; 3] = [CLIENT, USER, EXCHANGE];

const DAY_MILLIS: i64 = 86_400_000;

/// What to look for; a record is found when it has all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// The client: [`crate::Journal::pseudonym`].
    pub client: Option<ClientPseudonym>,
    /// The user: [`crate::Journal::user_mark`].
    pub user: Option<[u8; 16]>,
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// An organisation that takes part, as sender, receiver or actor.
    pub organisation: Option<Oin>,
    /// A class of which something passed, was withheld or was held back.
    pub class: Option<DataClass>,
    /// A decision for some receiver.
    pub decision: Option<Decision>,
    /// The kind of record.
    pub kind: Option<Kind>,
    /// From this moment on, to the day.
    pub from: Option<Timestamp>,
    /// Up to this moment, to the day.
    pub until: Option<Timestamp>,
}

/// Marks every attribute of a record.
pub(super) fn add(young: &mut Young<'_>, seen: &Seen<'_>) {
    let (page, at) = (young.page(seen.index), seen.index % 256);
    if let Some(client) = seen.ties.client {
        page.mark(CLIENT, at, shorten(&client.0));
    }
    if let Some(user) = seen.ties.user {
        page.mark(USER, at, shorten(&user));
    }
    page.mark(EXCHANGE, at, shorten(seen.leaf.exchange.as_bytes()));
    page.bit(KIND, &[seen.leaf.kind() as u8], at);
    page.bit(DAY, &day(seen.leaf.time).to_be_bytes(), at);
    each_organisation(seen.leaf, &mut |oin| page.bit(ORGANISATION, oin.as_str().as_bytes(), at));
    for to in carried(&seen.leaf.event).into_iter().flat_map(|carried| &carried.to) {
        page.bit(DECISION, &[to.decision as u8], at);
        let classes = to.passed.iter().map(|passed| Some(passed.class));
        let classes = classes.chain(to.withheld.iter().map(|withheld| withheld.class));
        for class in classes.chain(to.held_back.iter().map(|held| held.class)).flatten() {
            page.bit(CLASS, &[class as u8], at);
        }
    }
}

impl Views {
    /// The records that meet all criteria, oldest first, after the record `after`, at most `limit`.
    pub(crate) fn search(&self, wanted: &Criteria, after: Option<u64>, limit: usize) -> io::Result<Vec<u64>> {
        let sets = self.sets(wanted)?;
        let Some((first, others)) = sets.split_first() else {
            let from = after.map_or(0, |after| after + 1);
            return Ok((from..self.next()).take(limit).collect());
        };
        let all = first.iter().flat_map(|(bundle, bits)| {
            let bits = others.iter().fold(*bits, |bits, other| meet(bits, other.get(bundle)));
            (0..256u64).filter(move |at| has(&bits, *at)).map(move |at| bundle * 256 + at)
        });
        let next = self.next();
        let all = all.filter(|index| *index < next && after.is_none_or(|after| *index > after));
        Ok(all.take(limit).collect())
    }

    /// The records that meet all criteria, newest first, before the record `before`, at most `limit`.
    pub(crate) fn search_back(&self, wanted: &Criteria, before: u64, limit: usize) -> io::Result<Vec<u64>> {
        let end = before.min(self.next());
        let sets = self.sets(wanted)?;
        let Some((first, others)) = sets.split_first() else {
            return Ok((0..end).rev().take(limit).collect());
        };
        let all = first.iter().rev().flat_map(|(bundle, bits)| {
            let bits = others.iter().fold(*bits, |bits, other| meet(bits, other.get(bundle)));
            (0..256u64).rev().filter(move |at| has(&bits, *at)).map(move |at| bundle * 256 + at)
        });
        Ok(all.filter(|index| *index < end).take(limit).collect())
    }

    fn sets(&self, wanted: &Criteria) -> io::Result<Vec<BTreeMap<u64, Bits>>> {
        let mut sets = Vec::new();
        let mut want = |attribute, value: Option<&[u8]>| -> io::Result<()> {
            if let Some(value) = value {
                sets.push(self.store.bits(&key::attribute(attribute, value))?);
            }
            Ok(())
        };
        want(ORGANISATION, wanted.organisation.as_ref().map(|oin| oin.as_str().as_bytes()))?;
        want(CLASS, wanted.class.map(|class| [class as u8]).as_ref().map(|class| class.as_slice()))?;
        want(DECISION, wanted.decision.map(|no| [no as u8]).as_ref().map(|no| no.as_slice()))?;
        want(KIND, wanted.kind.map(|kind| [kind as u8]).as_ref().map(|kind| kind.as_slice()))?;
        let marks = [
            (EXCHANGE, wanted.exchange.map(|exchange| *exchange.as_bytes())),
            (CLIENT, wanted.client.map(|client| client.0)),
            (USER, wanted.user),
        ];
        for (attribute, value) in marks {
            if let Some(value) = value {
                sets.push(self.store.marked(attribute, shorten(&value))?);
            }
        }
        if wanted.from.is_some() || wanted.until.is_some() {
            sets.push(self.days(wanted.from, wanted.until)?);
        }
        Ok(sets)
    }

    fn days(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> io::Result<BTreeMap<u64, Bits>> {
        let mut united: BTreeMap<u64, Bits> = BTreeMap::new();
        let (from, until) = (from.map_or(0, day), until.map_or(u32::MAX, day));
        let prefix = key::attribute(DAY, &from.to_be_bytes());
        let stem = prefix.get(..prefix.len().saturating_sub(4)).unwrap_or_default();
        self.store.turn_page();
        for (key, bits) in self.store.scan(stem, None, usize::MAX)? {
            let at =
                key.get(stem.len()..).and_then(|rest| rest.first_chunk()).map(|at| u32::from_be_bytes(*at));
            let bundle = key.last_chunk().map(|bundle| u64::from_be_bytes(*bundle));
            if let (Some(at), Some(bundle)) = (at, bundle)
                && (from..=until).contains(&at)
            {
                let set = united.entry(bundle).or_default();
                set.iter_mut().zip(&bits).for_each(|(set, bits)| *set |= bits);
            }
        }
        Ok(united)
    }
}

/// Eight bytes of a pseudonym or an id. Those of an exchange id are its random end, which senders choose: who
/// needs to be sure compares the record itself.
fn shorten(value: &[u8; 16]) -> [u8; 8] {
    value.last_chunk().copied().unwrap_or_default()
}

fn meet(bits: Bits, other: Option<&Bits>) -> Bits {
    let mut met = [0; 32];
    let pairs = bits.iter().zip(other.unwrap_or(&[0; 32]));
    met.iter_mut().zip(pairs).for_each(|(met, (one, two))| *met = one & two);
    met
}

/// The day of a moment, counted from 1970; days before that are day 0.
fn day(time: Timestamp) -> u32 {
    u32::try_from(time.unix_millis().div_euclid(DAY_MILLIS)).unwrap_or(0)
}

fn carried(event: &Event) -> Option<&Carried> {
    match event {
        Event::Sent(carried)
        | Event::HandedOut(carried)
        | Event::Acknowledged(carried)
        | Event::Refused(carried)
        | Event::Expired(carried)
        | Event::Ask(carried) => Some(carried),
        _ => None,
    }
}

/// Every organisation that a record names.
fn each_organisation(leaf: &Leaf, visit: &mut dyn FnMut(&Oin)) {
    match &leaf.event {
        Event::Consent(change) => [&change.by.oin, &change.receiver.oin].into_iter().for_each(visit),
        Event::Traject(change) => change.parties.iter().chain([&change.by.oin]).for_each(visit),
        Event::Erased(erasure) => visit(&erasure.by.oin),
        Event::Access(access) => visit(&access.by.oin),
        Event::Bundle(change) => change.by.iter().for_each(|by| visit(&by.oin)),
        Event::Change(step) => visit(&step.by.oin),
        Event::Escape(escape) => visit(&escape.by.oin),
        Event::Release(release) => [&release.by.oin, &release.to.oin].into_iter().for_each(visit),
        event => carried(event).into_iter().for_each(|carried| {
            let parties = carried.from.iter().chain(carried.to.iter().map(|to| &to.to));
            parties.for_each(|party| visit(&party.oin));
        }),
    }
}
