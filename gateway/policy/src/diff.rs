//! The difference in meaning between two bundles: cells that change, not lines. Widening is marked.
//!
//! Owns: comparing what two bundles compile to, route by route and state by state, and what else reaches further than
//! before. Approvals sign the digest of this, so that nobody approves a text that means something else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::{Form, Oin};
use serde::Serialize;

use crate::bundle::{Digest, Digester};
use crate::compiled::Compiled;
use crate::decision::states;
use crate::organisations::Functie;
use crate::proven::Proven;

mod beside;

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Whether more reaches someone than before.
    pub widens: bool,
    /// Where: exchange, sender, receiver; or the part of the bundle.
    pub place: String,
    /// What: a field with its class, or a setting.
    pub what: String,
    /// As it was.
    pub before: String,
    /// As it will be, and the rule that decides.
    pub after: String,
    /// In which states of consent and emergency.
    pub states: String,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The changes, narrowing first.
    pub changes: Vec<Change>,
}

impl Diff {
    /// What changes when `new` takes the place of `old`.
    pub fn between(old: &Proven, new: &Proven) -> Diff {
        let mut changes = beside::changes(old, new);
        for route in routes(old).union(&routes(new)) {
            compare_route(route, old, new, &mut changes);
        }
        changes.sort();
        Diff { changes }
    }

    /// Whether anything reaches further than before.
    pub fn widens(&self) -> bool {
        self.changes.iter().any(|change| change.widens)
    }

    /// What approvers sign.
    pub fn digest(&self) -> Digest {
        let mut digester = Digester::new("veldwacht diff v1");
        for Change { widens, place, what, before, after, states } in &self.changes {
            let widens = if *widens { "widens" } else { "narrows" };
            [widens, place, what, before, after, states]
                .into_iter()
                .for_each(|part| digester.part(part.as_bytes()));
        }
        digester.finish()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "nothing changes in meaning");
        }
        for Change { widens, place, what, before, after, states } in &self.changes {
            let mark = if *widens { "+ WIDER  " } else { "- narrower" };
            writeln!(f, "{mark} {place}: {what}: {before} → {after} ({states})")?;
        }
        let wider = self.changes.iter().filter(|change| change.widens).count();
        writeln!(f, "{} changes, {wider} of them widen; digest {}", self.changes.len(), self.digest())
    }
}

/// A route by names that mean the same in both bundles.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RouteName {
    message: String,
    purpose: String,
    from: (Functie, Option<Oin>),
    to: (Functie, Option<Oin>),
}

fn routes(proven: &Proven) -> BTreeSet<RouteName> {
    let party = |index: usize| {
        let party = proven.candidate.world.parties.get(index)?;
        Some((party.functie.clone(), party.organisation))
    };
    let named = proven.candidate.routes.iter().filter_map(|route| {
        let exchange = &route.exchange;
        let (message, purpose) = (exchange.message.to_string(), exchange.purpose.to_string());
        Some(RouteName { message, purpose, from: party(route.from)?, to: party(route.to)? })
    });
    named.collect()
}

/// The outcomes of a route; an organisation that this bundle does not name counts as any of its kind.
fn outcomes<'a>(name: &RouteName, proven: &'a Proven) -> Vec<Option<&'a Compiled>> {
    let is = |index: usize, (functie, organisation): &(Functie, Option<Oin>), exact: bool| {
        proven.candidate.world.parties.get(index).is_some_and(|party| {
            let own = if exact { party.organisation == *organisation } else { party.organisation.is_none() };
            party.functie == *functie && own
        })
    };
    let found =
        [(true, true), (true, false), (false, true), (false, false)].into_iter().find_map(|(from, to)| {
            proven.candidate.routes.iter().find(|route| {
                *route.exchange.message.as_str() == name.message
                    && *route.exchange.purpose.as_str() == name.purpose
                    && is(route.from, &name.from, from)
                    && is(route.to, &name.to, to)
            })
        });
    let outcomes = found.map(|route| route.outcomes.iter().map(|outcome| outcome.as_deref().ok()).collect());
    outcomes.unwrap_or_else(|| states().map(|_| None).collect())
}

/// What is seen at one place of a document: class and form, and the rule that decides.
type Seen<'a> = BTreeMap<String, (Option<Form>, &'a str, &'a str)>;

fn seen(compiled: Option<&Compiled>) -> Seen<'_> {
    let cells = compiled.into_iter().flat_map(|compiled| compiled.cells.iter());
    let mut seen: Seen<'_> = cells
        .map(|cell| {
            let class = cell.subject.or(cell.class).map_or("-", |class| class.name());
            (format!("`{}`", cell.path), (cell.form, class, cell.rule.as_str()))
        })
        .collect();
    // A class that texts may tell of is as good as a field.
    let told = compiled
        .filter(|compiled| compiled.cells.iter().any(|cell| cell.subject.is_some() && cell.form.is_some()));
    if let Some(compiled) = told {
        for class in model::DataClass::ALL.iter().filter(|class| !compiled.screen_against.contains(**class)) {
            seen.insert(
                "what texts may tell of: ".to_owned() + class.name(),
                (Some(Form::Vol), class.name(), "screening"),
            );
        }
    }
    seen
}

fn compare_route(name: &RouteName, old: &Proven, new: &Proven, changes: &mut Vec<Change>) {
    let mut grouped: BTreeMap<(bool, String, String, String), Vec<usize>> = BTreeMap::new();
    let pairs = outcomes(name, old).into_iter().zip(outcomes(name, new));
    for (state, (before, after)) in pairs.enumerate() {
        let same = matches!((before, after), (Some(a), Some(b)) if a.cells == b.cells && a.screen_against == b.screen_against);
        if same || (before.is_none() && after.is_none()) {
            continue;
        }
        let (before, after) = (seen(before), seen(after));
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for path in paths {
            let was = before.get(path).copied().unwrap_or((None, "", ""));
            let is = after.get(path).copied().unwrap_or((None, "", ""));
            if let Some((widens, before, after)) = compare(was, is) {
                grouped.entry((widens, path.clone(), before, after)).or_default().push(state);
            }
        }
    }
    let party = |(functie, organisation): &(Functie, Option<Oin>)| match organisation {
        Some(oin) => format!("{functie} ({oin})"),
        None => functie.to_string(),
    };
    let RouteName { message, purpose, from, to } = name;
    let place = format!("{message} for `{purpose}`, {} → {}", party(from), party(to));
    changes.extend(grouped.into_iter().map(|((widens, what, before, after), states)| Change {
        widens,
        place: place.clone(),
        what,
        before,
        after,
        states: words(&states),
    }));
}

/// Whether a cell changes, and whether more is seen than before. A change of class with the same form counts as wider:
/// what was decided about it was decided about something else.
fn compare(
    was: (Option<Form>, &str, &str),
    is: (Option<Form>, &str, &str),
) -> Option<(bool, String, String)> {
    let widens = match (was.0, is.0) {
        (None, None) => return None,
        (Some(was_form), Some(form)) if was_form == form && was.1 == is.1 => return None,
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (Some(was_form), Some(form)) => form <= was_form,
    };
    let text = |(form, class, rule): (Option<Form>, &str, &str)| match form {
        None => "nothing".to_owned(),
        Some(form) => format!("{class} as {form}, by `{rule}`"),
    };
    Some((widens, text(was), text(is)))
}

/// States in words: what all of them share.
fn words(indexes: &[usize]) -> String {
    let all: Vec<_> =
        states().enumerate().filter(|(index, _)| indexes.contains(index)).map(|(_, state)| state).collect();
    let distinct = |values: BTreeSet<String>, of: usize, name: &str| {
        (values.len() < of).then(|| format!("{name} {}", values.into_iter().collect::<Vec<_>>().join(" or ")))
    };
    let parts = [
        distinct(
            all.iter().map(|(consents, _)| consents.beroepsgeheim.to_string()).collect(),
            3,
            "beroepsgeheim",
        ),
        distinct(
            all.iter().map(|(consents, _)| consents.gezondheidsgegevens.to_string()).collect(),
            3,
            "gezondheidsgegevens",
        ),
        distinct(
            all.iter().map(|(_, spoed)| if *spoed { "yes" } else { "no" }.to_owned()).collect(),
            2,
            "emergency",
        ),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "always".to_owned() } else { parts.join(", ") }
}
