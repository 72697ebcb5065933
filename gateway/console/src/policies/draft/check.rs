//! What a draft is worth: what is wrong with it and where, which lines and which meaning it changes, and what of the past would
//! have gone otherwise.
//!
//! Nothing is judged here: proving, comparing and replaying is `policy`'s, by way of `oversight`; words are `screening`'s.

use model::{Reason, Refusal};
use oversight::{Which, lexicon};
use policy::{Diff, Files, Proven, Replay};
use screening::Screener;
use similar::{ChangeTag, TextDiff};

use super::{Page, files};
use crate::fault::Fault;
use crate::policies::drafts::Draft;
use crate::visitor::Visitor;
use crate::{Console, show};

/// So many changes of meaning are shown; the count says how many there are.
const SHOWN: usize = 300;
/// So many lines around one that is wrong.
const AROUND: usize = 2;

/// Something that is wrong, in its place.
pub(super) struct Wrong {
    pub(super) place: String,
    pub(super) what: String,
    /// The file, and the lines around the place where it is known: number, text, whether it is the one.
    pub(super) file: Option<String>,
    pub(super) lines: Vec<(usize, String, bool)>,
}

/// The lines of a file that differ: mark, text.
pub(super) struct Changed {
    pub(super) file: String,
    pub(super) lines: Vec<(&'static str, String)>,
}

/// One thing that would change.
pub(in crate::policies) struct Change {
    pub(in crate::policies) widens: bool,
    pub(in crate::policies) place: String,
    pub(in crate::policies) what: String,
    pub(in crate::policies) before: String,
    pub(in crate::policies) after: String,
    pub(in crate::policies) states: String,
}

/// What would have gone otherwise, of all that was delivered: a sentence, and a line for each kind.
pub(in crate::policies) struct Past {
    pub(in crate::policies) summary: String,
    pub(in crate::policies) lines: Vec<String>,
}

/// What is to be said of a draft that proves itself.
pub(super) struct Meaning {
    pub(super) wider: usize,
    pub(super) total: usize,
    pub(super) changes: Vec<Change>,
    pub(super) past: Past,
    pub(super) statement: String,
}

/// Proves the draft, and says what it changes and would have changed.
pub(super) async fn check(
    console: &Console,
    visitor: &Visitor,
    draft: &Draft,
    page: &mut Page,
) -> Result<(), Fault> {
    let files = files(console, visitor, draft).await?;
    let (oversight, who) = (console.oversight(), &visitor.operator);
    let base = oversight.files(who, Which::Shelved(draft.base)).await?;
    page.checked = true;
    page.lines = draft.files.iter().map(|(name, text)| changed(name, base.get(name), text)).collect();
    page.lines.retain(|changed| !changed.lines.is_empty());
    if page.words {
        let words = lexicon(&files);
        let built = tokio::task::spawn_blocking(move || Screener::build(&words));
        if let Err(error) = built.await.map_err(|_| Fault::Broken)? {
            page.problems = vec![wrong("lexicon/".to_owned(), error.to_string(), &files)];
            return Ok(());
        }
    }
    let proven = match oversight.prove(who, Which::Draft(files.clone())).await {
        Ok(proven) => proven,
        Err(Refusal { violations, .. }) if !violations.is_empty() => {
            page.problems =
                violations.into_iter().map(|at| wrong(at.field, at.description, &files)).collect();
            return Ok(());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let difference = oversight.difference(who, Which::Running, Which::Draft(files.clone())).await?;
    let replay = oversight.replay(who, Which::Draft(files)).await?;
    let wider = difference.changes.iter().filter(|change| change.widens).count();
    let total = difference.changes.len();
    let changes = told(&difference, visitor);
    page.meaning =
        Some(Meaning { wider, total, changes, past: past(&replay, visitor), statement: statement(&proven) });
    Ok(())
}

/// A difference as a page tells it: what widens first.
pub(in crate::policies) fn told(difference: &Diff, visitor: &Visitor) -> Vec<Change> {
    let text = |text: &str| crate::words::difference(text, visitor.language);
    let mut changes: Vec<Change> = difference
        .changes
        .iter()
        .map(|change| Change {
            widens: change.widens,
            place: text(&change.place),
            what: text(&change.what),
            before: text(&change.before),
            after: text(&change.after),
            states: text(&change.states),
        })
        .collect();
    changes.sort_by_key(|change| !change.widens);
    changes.truncate(SHOWN);
    changes
}

/// What of the past would have gone otherwise.
pub(in crate::policies) fn past(replay: &Replay, visitor: &Visitor) -> Past {
    let (t, language) = (&visitor.words().policies, visitor.language);
    let class = |class| crate::words::class(class, language);
    let number = |count: u64| show::number(count, language);
    let why = |name: &str| {
        let reason = Reason::ALL.iter().find(|reason| reason.name() == name);
        reason.map_or_else(|| name.to_owned(), |reason| crate::words::reason(*reason, language).to_owned())
    };
    let refused = replay
        .refused
        .iter()
        .map(|(reason, count)| show::fill(t.would_refuse, &[&number(*count), &why(reason)]));
    let lost = replay.lost.iter().map(|((exchange, what), count)| {
        show::fill(t.would_lose, &[&number(*count), exchange, class(*what)])
    });
    let gained = replay.gained.iter().map(|((exchange, what), count)| {
        show::fill(t.would_gain, &[&number(*count), exchange, class(*what)])
    });
    Past {
        summary: show::fill(t.replay_count, &[&number(replay.deliveries), &number(replay.unchanged)]),
        lines: refused.chain(lost).chain(gained).collect(),
    }
}

/// What an officer signs (`policy::signature`): short, and readable by who signs it.
pub(super) fn statement(proven: &Proven) -> String {
    let (name, number) = (proven.name(), proven.number());
    let (files, matrix) = (proven.digest(), proven.matrix_digest());
    format!("veldwacht bundle v1\nname {name}\nnumber {number}\nfiles {files}\nmatrix {matrix}\n")
}

/// The lines of a file that differ from what it was.
fn changed(name: &str, before: Option<&Vec<u8>>, now: &str) -> Changed {
    let before = before.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let difference = TextDiff::from_lines(before.as_str(), now);
    let lines = difference.iter_all_changes().filter_map(|change| {
        let mark = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => "out",
            ChangeTag::Insert => "in",
        };
        Some((mark, change.value().trim_end().to_owned()))
    });
    Changed { file: name.to_owned(), lines: lines.collect() }
}

/// A problem with the lines that it is about, where its place tells.
fn wrong(place: String, what: String, files: &Files) -> Wrong {
    let (file, line) = place_of(&place, &what, files);
    let text =
        file.as_deref().and_then(|file| std::str::from_utf8(files.get(file)?).ok()).unwrap_or_default();
    let lines = line.map_or_else(Vec::new, |line| {
        let numbered = text.lines().zip(1_usize..).filter(|(_, number)| number.abs_diff(line) <= AROUND);
        numbered.map(|(text, number)| (number, text.to_owned(), number == line)).collect()
    });
    Wrong { place, what, file, lines }
}

/// The file and the line of a place: `rules/rib.cedar:12:3`, ``rules/rib.cedar, `rib-werk` ``, a rule's name, or, for the
/// lexicon, a file and a line in what is said of it.
fn place_of(place: &str, what: &str, files: &Files) -> (Option<String>, Option<usize>) {
    let (file, rest) = place.split_once([':', ',']).unwrap_or((place, ""));
    if files.contains_key(file) {
        let number = rest.split(':').next().and_then(|number| number.trim().parse().ok());
        let named = || line_of_rule(files.get(file)?, rest.trim().trim_matches('`'));
        return (Some(file.to_owned()), number.or_else(named));
    }
    if place == "lexicon/" {
        let file = what.split('`').nth(1).map(|file| format!("lexicon/{file}"));
        let line = what.split_once(" line ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        return (file.filter(|file| files.contains_key(file)), line);
    }
    let mut rules = files.iter().filter(|(name, _)| name.ends_with(".cedar"));
    let found = rules.find_map(|(name, bytes)| Some((name.clone(), line_of_rule(bytes, place)?)));
    found.map_or((None, None), |(file, line)| (Some(file), Some(line)))
}

fn line_of_rule(bytes: &[u8], name: &str) -> Option<usize> {
    let (rule, table) = (format!("@id(\"{name}\")"), format!("id = \"{name}\""));
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().position(|line| line.trim() == rule || line.trim().starts_with(&table)).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let rules = "// regels\n@id(\"rib-werk\")\npermit (\n  principal\n);\n";
        [
            ("rules/rib.cedar".to_owned(), rules.into()),
            ("lexicon/termen-eigen.tsv".to_owned(), "a\nb\n".into()),
        ]
        .into()
    }

    #[test]
    fn a_problem_is_shown_at_its_line_however_its_place_is_told() {
        for (place, what, line) in [
            ("rules/rib.cedar:3:1", "unexpected", 3),
            ("rules/rib.cedar, `rib-werk`", "x", 2),
            ("rib-werk", "x", 2),
            ("lexicon/", "`termen-eigen.tsv` line 2 has no class; x", 2),
        ] {
            let wrong = wrong(place.into(), what.into(), &files());
            assert_eq!(
                wrong.lines.iter().find(|(.., it)| *it).map(|(number, ..)| *number),
                Some(line),
                "{place}"
            );
        }
        let nowhere = wrong("assertions.toml".into(), "x".into(), &files());
        assert!(nowhere.file.is_none() && nowhere.lines.is_empty());
    }

    #[test]
    fn only_the_lines_that_differ_are_shown() {
        let changed = changed("a", Some(&b"een\ntwee\ndrie\n".to_vec()), "een\n2\ndrie\n");
        assert_eq!(changed.lines, [("out", "twee".to_owned()), ("in", "2".to_owned())]);
    }
}
