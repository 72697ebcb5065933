//! A word that an officer adds: one line more in the lexicon of a draft.
//!
//! Owns: the file that such words stand in, and what may stand in a line of it. Whether the lexicon can be used is judged when
//! the draft is checked.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect};
use model::DataClass;
use oversight::Act;
use screening::default_against;

use super::empty;
use crate::audit::{Choice, choices};
use crate::fault::Fault;
use crate::pages::{App, Typed, Who};
use crate::policies::draft;
use crate::policies::drafts::Saved;
use crate::shell::{Answer, page as made};
use crate::visitor::Visitor;
use crate::{show, words};

/// Where the words of officers stand.
const FILE: &str = "lexicon/termen-eigen.tsv";
/// What that file begins with.
const HEAD: &str = "# Woorden van privacy officers.\n# term\tklasse\tbron\tkenmerken\n";
/// The longest word, in characters.
const LONGEST: usize = 60;

/// The part of the page in which a word is added.
pub(super) struct Adding {
    pub(super) term: String,
    pub(super) classes: Vec<Choice>,
    pub(super) kinds: Vec<Choice>,
    pub(super) drafts: Vec<Choice>,
    pub(super) wrong: Option<String>,
}

/// The kinds of words, by what the lexicon calls them.
pub(super) fn kinds(visitor: &Visitor, chosen: &str) -> Vec<Choice> {
    let t = &visitor.words().policies;
    let all = [
        ("", t.term_plain),
        ("werkwoord", t.term_verb),
        ("naam", t.term_name),
        ("hoofdletters", t.term_capitals),
        ("vast", t.term_fixed),
    ];
    choices(all, chosen, |(kind, label)| ((*kind).to_owned(), (*label).to_owned()))
}

/// Adds a word to a draft, or begins one with it.
pub(in crate::policies) async fn add(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let t = &visitor.words().policies;
    let (term, kind) = (form.get("term"), form.get("kind"));
    let class = form.parsed::<DataClass>("class").filter(|class| default_against().contains(*class));
    let is_kind = kinds(&visitor, "").iter().any(|known| known.value == kind);
    let Some(class) = class.filter(|_| is_kind && is_term(term)) else {
        let mut page = empty(&console, &visitor, &form)?;
        page.add.wrong = Some(t.term_wrong.to_owned());
        return made(&page);
    };
    let screened = console.oversight().screener().screen(term, default_against());
    if screened.findings.iter().any(|finding| finding.class == class) {
        let mut page = empty(&console, &visitor, &form)?;
        page.add.wrong = Some(show::fill(t.term_known, &[words::class(class, visitor.language)]));
        return made(&page);
    }
    let id = match form.parsed::<u64>("draft") {
        Some(id) => id,
        None => {
            let (title, running) = (show::fill(t.term_title, &[term]), console.oversight().proven().digest());
            draft::new(&console, &visitor, &title, running, false).await?
        }
    };
    let known = console.drafts.get(id).map_err(draft::broken)?.ok_or(Fault::NotFound)?;
    let files = draft::files(&console, &visitor, &known).await?;
    let before =
        files.get(FILE).map_or_else(|| HEAD.to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned());
    let (line, me) = (line(term, class, kind), visitor.operator.name().clone());
    let saved = console.drafts.change(id, None, |draft| {
        let text = draft.files.entry(FILE.to_owned()).or_insert(before);
        text.push_str(&line);
        draft.signatures.clear();
        draft.last = me;
    });
    match saved.map_err(draft::broken)? {
        Saved::Kept => {
            let file: String = form_urlencoded::byte_serialize(FILE.as_bytes()).collect();
            Ok(Redirect::to(&format!("/policies/drafts/{id}?file={file}&check=yes#outcome")).into_response())
        }
        _ => Err(Fault::NotFound),
    }
}

/// Words as people write them, on one line: nothing that would make two columns, or a comment, of it.
fn is_term(term: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || " -'.’".contains(character);
    !term.is_empty() && term.chars().count() <= LONGEST && term.chars().all(allowed)
}

fn line(term: &str, class: DataClass, kind: &str) -> String {
    let line = format!("{term}\t{}\teigen\t{kind}", class.name());
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_line_of_the_lexicon_and_nothing_else() {
        assert_eq!(
            line("fibromyalgie", DataClass::MedischDiagnose, ""),
            "fibromyalgie\tmedisch.diagnose\teigen\n"
        );
        assert!(is_term("ziekte van Bechterew") && is_term("burn-out"));
        for wrong in ["", "a\tb", "a\nb", "# a", "<script>", "a|b", &"a".repeat(61)] {
            assert!(!is_term(wrong), "{wrong:?}");
        }
    }
}
