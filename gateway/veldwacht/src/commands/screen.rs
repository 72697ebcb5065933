//! `veldwacht screen`: what a text says that may not be told.
//!
//! Owns: reading the text and printing findings, with places as Unicode code points. Prints no word of the text.

mod for_readers;

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

use model::DataClass;
use screening::{Screened, Screener};
use serde_json::{Value, json};

use crate::bundle;
use crate::cli;
use crate::failure::{Doing, Failure, Outcome};

/// Screens a file or standard input; the answer is no when there are findings, unless every line is its own text.
pub(crate) async fn run(screen: &cli::Screen, out: &mut impl Write) -> Outcome {
    if let Some(certificate) = &screen.certificate {
        return for_readers::run(screen, certificate, out).await;
    }
    let screener = screener(screen.lexicon.as_deref())?;
    if screen.lines { lines(screen, &screener, out) } else { whole(screen, &screener, out) }
}

/// Builds a screener from a folder, or from the shipped lexicon.
pub(crate) fn screener(folder: Option<&Path>) -> Outcome<Screener> {
    let files = match folder {
        Some(folder) => bundle::read_folder(folder)?,
        None => oversight::lexicon(&bundle::shipped()),
    };
    Screener::build(&files).wrong("the lexicon")
}

fn whole(screen: &cli::Screen, screener: &Screener, out: &mut impl Write) -> Outcome {
    let text = text_of(screen)?;
    let screened = screener.screen(&text, screening::default_against());
    for told in findings(&screened, &text, screener) {
        if screen.json {
            writeln!(out, "{}", told.json()).unreachable("standard output")?;
        } else {
            let Told { start, end, class, rule, advice } = &told;
            writeln!(out, "{start}-{end} {class} {rule} – {}", advice.0).unreachable("standard output")?;
        }
    }
    if screened.is_clean() { Ok(()) } else { Err(Failure::No) }
}

fn text_of(screen: &cli::Screen) -> Outcome<String> {
    let mut text = String::new();
    input(screen.file.as_ref())?.read_to_string(&mut text).wrong("the text has to be UTF-8")?;
    Ok(text)
}

fn lines(screen: &cli::Screen, screener: &Screener, out: &mut impl Write) -> Outcome {
    for (number, line) in input(screen.file.as_ref())?.lines().enumerate() {
        let line = line.wrong("the text has to be UTF-8")?;
        let screened = screener.screen(&line, screening::default_against());
        let found: Vec<Value> = findings(&screened, &line, screener).iter().map(Told::json).collect();
        writeln!(out, "{}", json!({ "line": number + 1, "findings": found }))
            .unreachable("standard output")?;
    }
    Ok(())
}

/// A finding as it is printed: places in Unicode code points.
struct Told {
    start: usize,
    end: usize,
    class: DataClass,
    rule: String,
    advice: (String, String),
}

impl Told {
    fn json(&self) -> Value {
        json!({ "start": self.start, "end": self.end, "class": self.class.name(), "rule": self.rule,
                "advice": { "nl": self.advice.0, "en": self.advice.1 } })
    }
}

/// The findings of a text. A text that cannot be screened is held back too: that is one finding, over all of it.
fn findings(screened: &Screened, text: &str, screener: &Screener) -> Vec<Told> {
    let found = screened.findings.iter().map(|finding| {
        let (start, end) = finding.code_points(text);
        let advice = screener.advice(finding.class);
        let advice = advice.map(|advice| (advice.nl.to_string(), advice.en.to_string())).unwrap_or_default();
        Told { start, end, class: finding.class, rule: finding.rule.to_string(), advice }
    });
    let unscreenable = screened.unscreenable.map(|why| Told {
        start: 0,
        end: text.chars().count(),
        class: DataClass::Tekst,
        rule: format!("niet-te-screenen.{}", why.name()),
        advice: (why.advice().0.to_owned(), why.advice().1.to_owned()),
    });
    found.chain(unscreenable).collect()
}

fn input(file: Option<&PathBuf>) -> Outcome<Box<dyn BufRead>> {
    match file {
        Some(path) if path.as_os_str() != "-" => {
            let file = std::fs::File::open(path).wrong(path.display())?;
            Ok(Box::new(std::io::BufReader::new(file)))
        }
        _ => Ok(Box::new(std::io::stdin().lock())),
    }
}
