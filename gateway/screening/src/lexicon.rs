//! The lexicon as it stands in the bundle: lists of terms, phrases, guards, word sets, parts of compounds.
//!
//! Owns: the file formats, which are tab-separated lines that an officer can read and edit. Says which line is
//! wrong and why. What the lists mean for a text is decided in `build`. Formats: policies/lexicon/README.md.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use model::{DataClass, Name};

mod err;

pub use err::LexiconError;

/// Everything the files say, in file order.
#[derive(Default)]
pub(crate) struct Lexicon {
    /// `termen-*.tsv`
    pub(crate) terms: Vec<Term>,
    /// `zinnen-*.tsv` and `vrij-*.tsv`
    pub(crate) phrases: Vec<Phrase>,
    /// `verzamelingen.tsv`
    pub(crate) sets: Vec<(String, Vec<String>)>,
    /// `samenstellingen.tsv`
    pub(crate) parts: Vec<Part>,
    /// `advies.tsv`
    pub(crate) advice: Vec<(DataClass, String, String)>,
    /// `vreemd.tsv`: function words of other languages
    pub(crate) foreign: Vec<String>,
    /// `geleerd.tsv`
    pub(crate) learned: Option<Learned>,
    /// `nederlands.txt`: the Dutch word list, front-coded
    pub(crate) dutch: String,
}

/// How a term must be written to count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Case {
    /// In any case.
    Any,
    /// With a capital first letter.
    Capital,
    /// In capitals.
    Capitals,
}

/// One line of a list of terms.
pub(crate) struct Term {
    pub(crate) text: String,
    pub(crate) class: DataClass,
    /// The list: the file's name without `termen-` and `.tsv`.
    pub(crate) list: Name,
    pub(crate) case: Case,
    /// Whether plural, adjective and so on are made of it.
    pub(crate) inflects: bool,
    /// Whether it is a verb, and its forms are those of one.
    pub(crate) is_verb: bool,
    /// Whether compounds are made with it.
    pub(crate) compounds: bool,
    /// Whether misspellings of it are looked for.
    pub(crate) misspelt: bool,
    /// Says nothing by itself: a member of its list for phrases only.
    pub(crate) silent: bool,
}

/// One line of a list of phrases; without a class it is a guard.
pub(crate) struct Phrase {
    pub(crate) pattern: String,
    pub(crate) class: Option<DataClass>,
    pub(crate) list: Name,
    pub(crate) place: Place,
    /// A term of several words that became a phrase.
    pub(crate) is_term: bool,
}

/// Where a line stands, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// What a part does in a compound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PartKind {
    /// Left part that is told by a tail: rug + klachten.
    Head,
    /// Left part that is told only by a tail that tells by itself: hoofd + letsel, but not hoofd + groep.
    BroadHead,
    /// Right part after a head, in one word with it.
    Tail,
    /// Right part after a head, in one word or two.
    LooseTail,
    /// Right part that tells whatever stands before it.
    Ending,
    /// Left part that tells whatever stands after it.
    Beginning,
    /// A whole word that is no finding although its parts say so.
    Free,
    /// An ending of words that are no finding although their parts say so.
    FreeEnding,
}

/// One line of the list of parts.
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) kind: PartKind,
    /// None: the class of the other part.
    pub(crate) class: Option<DataClass>,
    pub(crate) list: Name,
}

/// What was learnt of words: how much each weighs for or against a sentence telling something.
pub(crate) struct Learned {
    /// What a sentence must weigh, for each root of the number of its words and their beginnings.
    pub(crate) threshold: NonZeroU16,
    pub(crate) class: DataClass,
    /// A weight, and the words and beginnings (`begi-`) that have it.
    pub(crate) weights: Vec<(i8, String)>,
}

impl Lexicon {
    /// Reads the files of a lexicon: name to content, with or without a leading folder. Markdown is skipped.
    pub(crate) fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Lexicon, LexiconError> {
        let mut lexicon = Lexicon::default();
        for (path, content) in files {
            let name = path.rsplit('/').next().unwrap_or(path);
            let text =
                std::str::from_utf8(content).map_err(|_| LexiconError::NotText { file: path.clone() })?;
            lexicon.read_file(name, text)?;
        }
        match lexicon {
            _ if lexicon.terms.is_empty() => Err(LexiconError::Missing { what: "termen-*.tsv" }),
            _ if lexicon.dutch.is_empty() => Err(LexiconError::Missing { what: "nederlands.txt" }),
            _ => Ok(lexicon),
        }
    }

    fn read_file(&mut self, name: &str, text: &str) -> Result<(), LexiconError> {
        let stem = name.strip_suffix(".tsv");
        let list = |prefix: &str| stem.and_then(|stem| stem.strip_prefix(prefix));
        if name.ends_with(".md") {
            Ok(())
        } else if name == "nederlands.txt" {
            self.dutch = text.to_owned();
            Ok(())
        } else if let Some(list) = list("termen-") {
            each_line(name, text, |line| self.terms.push_line(line, list))
        } else if let Some(list) = list("zinnen-") {
            each_line(name, text, |line| self.push_phrase(line, list, true))
        } else if let Some(list) = list("vrij-") {
            each_line(name, text, |line| self.push_phrase(line, list, false))
        } else if stem == Some("verzamelingen") {
            each_line(name, text, |line| {
                let words = line.column(1, "words")?.split_whitespace().map(str::to_owned).collect();
                self.sets.push((line.column(0, "name")?.to_owned(), words));
                Ok(())
            })
        } else if stem == Some("geleerd") {
            each_line(name, text, |line| self.push_learned(line))
        } else if stem == Some("samenstellingen") {
            each_line(name, text, |line| self.push_part(line))
        } else if stem == Some("advies") {
            each_line(name, text, |line| {
                let (nl, en) = (line.column(1, "advice in Dutch")?, line.column(2, "advice in English")?);
                self.advice.push((line.class(0)?, nl.to_owned(), en.to_owned()));
                Ok(())
            })
        } else if stem == Some("vreemd") {
            each_line(name, text, |line| {
                self.foreign.extend(line.column(1, "words")?.split_whitespace().map(str::to_owned));
                Ok(())
            })
        } else {
            Err(LexiconError::UnknownFile { file: name.to_owned() })
        }
    }

    fn push_phrase(&mut self, line: &Line<'_>, list: &str, tells: bool) -> Result<(), LexiconError> {
        let class = if tells { Some(line.class(1)?) } else { None };
        for pattern in both_orders(line.column(0, "pattern")?) {
            let (list, place) = (line.name(list)?, line.place());
            self.phrases.push(Phrase { pattern, class, list, place, is_term: false });
        }
        Ok(())
    }

    /// The threshold first, then weights.
    fn push_learned(&mut self, line: &Line<'_>) -> Result<(), LexiconError> {
        let (first, second) = (line.column(0, "weight")?, line.column(1, "words")?);
        if first == "drempel" {
            let threshold = second.parse().map_err(|_| line.wrong("the threshold is from 1 to 65535"))?;
            self.learned = Some(Learned { threshold, class: line.class(2)?, weights: Vec::new() });
            return Ok(());
        }
        let weight = first.parse().map_err(|_| line.wrong("a weight is from -128 to 127"))?;
        let learned = self.learned.as_mut().ok_or_else(|| line.wrong("`drempel` comes first"))?;
        learned.weights.push((weight, second.to_owned()));
        Ok(())
    }

    fn push_part(&mut self, line: &Line<'_>) -> Result<(), LexiconError> {
        let kind = match line.column(0, "kind")? {
            "kop" => PartKind::Head,
            "brede-kop" => PartKind::BroadHead,
            "staart" => PartKind::LooseTail,
            "vaste-staart" => PartKind::Tail,
            "eind" => PartKind::Ending,
            "begin" => PartKind::Beginning,
            "vrij" => PartKind::Free,
            "vrij-eind" => PartKind::FreeEnding,
            _ => {
                return Err(line.wrong(
                    "the kind is one of kop, brede-kop, staart, vaste-staart, eind, begin, vrij, vrij-eind",
                ));
            }
        };
        let class = if line.column(2, "class")? == "-" { None } else { Some(line.class(2)?) };
        let text = line.column(1, "part")?.to_owned();
        self.parts.push(Part { text, kind, class, list: line.name("samenstelling")? });
        Ok(())
    }
}

/// A pattern `a &3 b` stands for `a ~3 b` and `b ~3 a`: Dutch puts its verb in two places.
fn both_orders(pattern: &str) -> Vec<String> {
    let steps: Vec<&str> = pattern.split_whitespace().collect();
    let turns = |step: &&str| step.starts_with('&') && step.len() > 1;
    match steps.iter().position(turns) {
        Some(at) => {
            let gap =
                format!("~{}", steps.get(at).and_then(|step| step.strip_prefix('&')).unwrap_or_default());
            let (left, right) =
                (steps.get(..at).unwrap_or_default(), steps.get(at + 1..).unwrap_or_default());
            let joined = |first: &[&str], last: &[&str]| [first, &[gap.as_str()], last].concat().join(" ");
            vec![joined(left, right), joined(right, left)]
        }
        None => vec![pattern.to_owned()],
    }
}

trait PushLine {
    fn push_line(&mut self, line: &Line<'_>, list: &str) -> Result<(), LexiconError>;
}

impl PushLine for Vec<Term> {
    fn push_line(&mut self, line: &Line<'_>, list: &str) -> Result<(), LexiconError> {
        let flags = line.columns.get(3).copied().unwrap_or_default();
        let mut term = Term {
            text: line.column(0, "term")?.to_owned(),
            class: line.class(1)?,
            list: line.name(list)?,
            case: Case::Any,
            inflects: true,
            is_verb: false,
            compounds: true,
            misspelt: true,
            silent: false,
        };
        line.column(2, "source")?;
        for flag in flags.split_whitespace() {
            match flag {
                "hoofdletters" => {
                    (term.case, term.inflects, term.misspelt, term.compounds) =
                        (Case::Capitals, false, false, false)
                }
                "naam" => {
                    // inGeest and 's Heeren Loo: a name that begins with a small letter asks for no capital
                    let is_capital =
                        term.text.chars().find(|char| char.is_alphabetic()).is_some_and(char::is_uppercase);
                    let is_capital = is_capital || term.text.contains(' ');
                    let case = if is_capital { Case::Capital } else { Case::Any };
                    (term.case, term.inflects, term.compounds) = (case, false, false);
                }
                "vast" => (term.inflects, term.misspelt) = (false, false),
                "los" => term.compounds = false,
                "werkwoord" => (term.is_verb, term.compounds) = (true, false),
                "juist" => term.misspelt = false,
                "stil" => (term.silent, term.compounds, term.misspelt) = (true, false, false),
                _ => {
                    return Err(
                        line.wrong("a flag is one of hoofdletters, naam, vast, los, juist, stil, werkwoord")
                    );
                }
            }
        }
        self.push(term);
        Ok(())
    }
}

/// One line, split at tabs.
struct Line<'a> {
    file: &'a str,
    number: usize,
    columns: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn column(&self, index: usize, what: &'static str) -> Result<&'a str, LexiconError> {
        let column = self.columns.get(index).copied().filter(|column| !column.is_empty());
        column.ok_or_else(|| LexiconError::Column { file: self.file.to_owned(), line: self.number, what })
    }

    fn class(&self, index: usize) -> Result<DataClass, LexiconError> {
        self.column(index, "class")?.parse().map_err(|_| self.wrong("the class is not a data class"))
    }

    fn name(&self, text: &str) -> Result<Name, LexiconError> {
        text.parse().map_err(|_| self.wrong("the file's name is not a plain name"))
    }

    fn place(&self) -> Place {
        Place { file: self.file.to_owned(), line: self.number }
    }

    fn wrong(&self, why: &'static str) -> LexiconError {
        LexiconError::Line { file: self.file.to_owned(), line: self.number, why }
    }
}

fn each_line(
    file: &str,
    text: &str,
    mut take: impl FnMut(&Line<'_>) -> Result<(), LexiconError>,
) -> Result<(), LexiconError> {
    let lines =
        text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    for (index, line) in lines {
        take(&Line { file, number: index + 1, columns: line.split('\t').map(str::trim).collect() })?;
    }
    Ok(())
}
