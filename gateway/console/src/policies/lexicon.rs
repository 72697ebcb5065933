//! Trying a sentence: what the screener in force reads in it, marked in place.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use oversight::Act;
use screening::{Finding, default_against};

use super::shell;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made, sentence};
use crate::words;

/// A piece of a text, marked when something was found in it.
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) marked: bool,
}

impl Part {
    pub(crate) fn plain(text: &str) -> Part {
        Part { text: text.to_owned(), marked: false }
    }
}

/// A text in pieces: what findings point at is marked. Places that overlap are marked as one.
pub(crate) fn marked(text: &str, findings: &[Finding]) -> Vec<Part> {
    let mut places: Vec<(usize, usize)> =
        findings.iter().map(|finding| (finding.start, finding.end)).collect();
    places.sort_unstable();
    let (mut parts, mut at) = (Vec::new(), 0);
    let mut push = |from: usize, to: usize, marked| {
        if let Some(piece) = text.get(from..to).filter(|piece| !piece.is_empty()) {
            parts.push(Part { text: piece.to_owned(), marked });
        }
    };
    for (start, end) in places {
        if end <= at {
            continue;
        }
        push(at, start.max(at), false);
        push(start.max(at), end, true);
        at = end;
    }
    push(at, text.len(), false);
    parts
}

struct Found {
    text: String,
    class: &'static str,
    rule: String,
    advice: String,
}

#[derive(Template)]
#[template(path = "lexicon.html")]
struct Page {
    shell: Shell,
    text: String,
    tried: bool,
    parts: Vec<Part>,
    found: Vec<Found>,
    unscreenable: Option<String>,
}

/// The form.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let shell = shell(&visitor, visitor.words().policies.lexicon);
    made(&Page {
        shell,
        text: String::new(),
        tried: false,
        parts: Vec::new(),
        found: Vec::new(),
        unscreenable: None,
    })
}

/// The form with what was found.
pub(super) async fn tried(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let text = form.raw("text");
    let screener = console.oversight().screener();
    let screened = screener.screen(text, default_against());
    let language = visitor.language;
    let found = screened.findings.iter().map(|finding| Found {
        text: text.get(finding.start..finding.end).unwrap_or_default().to_owned(),
        class: words::class(finding.class, language),
        rule: finding.rule.to_string(),
        advice: screener
            .advice(finding.class)
            .map_or_else(String::new, |advice| language.pick(&advice.nl, &advice.en).to_owned()),
    });
    let unscreenable = screened.unscreenable.map(|why| {
        let (nl, en) = why.advice();
        sentence(language.pick(nl, en))
    });
    made(&Page {
        text: text.to_owned(),
        tried: !text.trim().is_empty(),
        parts: marked(text, &screened.findings),
        found: found.collect(),
        unscreenable,
        shell: shell(&visitor, visitor.words().policies.lexicon),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_text_comes_back_once_whatever_overlaps() {
        let finding = |start, end| Finding {
            start,
            end,
            class: model::DataClass::MedischDiagnose,
            rule: "x".parse().unwrap(),
        };
        let text = "cliënt heeft een depressie.";
        for findings in [
            vec![],
            vec![finding(18, 27)],
            vec![finding(0, 7), finding(3, 12), finding(5, 7)],
            vec![finding(0, text.len())],
        ] {
            let parts = marked(text, &findings);
            assert_eq!(parts.iter().map(|part| part.text.as_str()).collect::<String>(), text);
            assert_eq!(parts.iter().any(|part| part.marked), !findings.is_empty());
        }
    }
}
