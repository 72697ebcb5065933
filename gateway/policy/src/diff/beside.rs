//! What reaches further without any cell changing: time limits, conditions, organisations, emergencies, the lexicon.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::Change;
use crate::exchanges::{Exchange, Traject};
use crate::proven::Proven;
use crate::trajects::Trajects;

/// Every change beside the cells.
pub(super) fn changes(old: &Proven, new: &Proven) -> Vec<Change> {
    let mut changes = Vec::new();
    organisations(old, new, &mut changes);
    for exchange in new.exchanges() {
        if let Some(before) = old.exchanges().find(|before| before.id == exchange.id) {
            settings(before, exchange, &mut changes);
        }
    }
    let (was, is) = (old.emergency(), new.emergency());
    if was.minutes != is.minutes {
        let widens = is.minutes > was.minutes;
        changes.push(change(widens, "emergencies", "minutes that an escape lasts", was.minutes, is.minutes));
    }
    let reasons = |proven: &Proven| -> BTreeSet<String> {
        proven.emergency().reasons.iter().map(|reason| reason.id.to_string()).collect()
    };
    let (was, is) = (reasons(old), reasons(new));
    changes.extend(is.difference(&was).map(|name| change(true, "emergencies", "reason", "-", name)));
    changes.extend(was.difference(&is).map(|name| change(false, "emergencies", "reason", name, "-")));
    trajects(old.trajects(), new.trajects(), &mut changes);
    let guardrails = |proven: &Proven| -> BTreeSet<String> {
        proven.rules().filter(|rule| rule.guardrail).map(|rule| rule.name.to_string()).collect()
    };
    // A guardrail less is protection less, even when no rule makes use of it today.
    let (was, is) = (guardrails(old), guardrails(new));
    changes.extend(was.difference(&is).map(|name| change(true, "guardrails", "guardrail", name, "-")));
    changes.extend(is.difference(&was).map(|name| change(false, "guardrails", "guardrail", "-", name)));
    if old.candidate.lexicon != new.candidate.lexicon {
        // Which words were lost is for the officer to read; until then it counts as wider.
        changes.push(change(
            true,
            "lexicon",
            "words that screening knows",
            old.candidate.lexicon,
            new.candidate.lexicon,
        ));
    }
    changes
}

fn organisations(old: &Proven, new: &Proven, changes: &mut Vec<Change>) {
    for organisation in new.organisations() {
        let before = old.organisation(&organisation.oin).map(|before| before.kind.to_string());
        if before.as_deref() != Some(organisation.kind.as_str()) {
            let (place, before) = (organisation.oin, before.unwrap_or_else(|| "not registered".to_owned()));
            changes.push(change(true, place, "organisation", before, &organisation.kind));
        }
    }
    for organisation in
        old.organisations().filter(|organisation| new.organisation(&organisation.oin).is_none())
    {
        changes.push(change(false, organisation.oin, "organisation", &organisation.kind, "not registered"));
    }
}

fn trajects(was: &Trajects, is: &Trajects, changes: &mut Vec<Change>) {
    if was.days != is.days {
        let what = "days that a traject lasts after its last statement";
        changes.push(change(is.days > was.days, "trajects", what, was.days, is.days));
    }
    for (what, was, is) in [
        ("who may open one", &was.opened_by, &is.opened_by),
        ("who may state its phase", &was.told_by, &is.told_by),
    ] {
        let fewer = was.iter().filter(|functie| !is.contains(functie));
        changes.extend(fewer.map(|functie| change(false, "trajects", what, functie, "-")));
        let more = is.iter().filter(|functie| !was.contains(functie));
        changes.extend(more.map(|functie| change(true, "trajects", what, "-", functie)));
    }
}

fn settings(was: &Exchange, is: &Exchange, changes: &mut Vec<Change>) {
    let place = format!("exchange {}", is.id);
    for (what, was, is) in [
        ("days to collect within", was.collect_within_days, is.collect_within_days),
        ("days of retention", was.retention_days, is.retention_days),
    ] {
        if was != is {
            changes.push(change(is > was, &place, what, was, is));
        }
    }
    if was.traject != is.traject {
        let (before, after) = (format!("{:?}", was.traject), format!("{:?}", is.traject));
        changes.push(change(
            is.traject != Traject::Active,
            &place,
            "what it asks of the traject",
            before,
            after,
        ));
    }
    if was.phases != is.phases {
        let fits = |phase: &u8| was.fits_phase(*phase);
        let wider = is.phases.is_empty() || !is.phases.iter().all(fits);
        let (before, after) = (format!("{:?}", was.phases), format!("{:?}", is.phases));
        changes.push(change(wider, &place, "phases in which it fits", before, after));
    }
    if was.grondslag != is.grondslag {
        changes.push(change(true, &place, "grondslag", was.grondslag, is.grondslag));
    }
    if was.activity != is.activity {
        changes.push(change(false, &place, "processing activity", &was.activity, &is.activity));
    }
}

fn change(
    widens: bool,
    place: impl Display,
    what: &str,
    before: impl Display,
    after: impl Display,
) -> Change {
    Change {
        widens,
        place: place.to_string(),
        what: what.to_owned(),
        before: before.to_string(),
        after: after.to_string(),
        states: "always".to_owned(),
    }
}
