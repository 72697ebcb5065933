//! From the lexicon's lines to the tables that screening reads.
//!
//! Owns: which word gets which symbol, which forms a term has, at which word a phrase waits. Runs once a bundle,
//! well under 200 ms. Refuses a lexicon with a line that cannot work. Next: `screener` only reads the result.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use model::{DataClass, Name};

use crate::compound::{Compounds, Meaning};
use crate::inflect::{forms, verb_forms};
use crate::learned::Learned;
use crate::lexicon::{Case, Lexicon, LexiconError, Part, PartKind, Phrase, Term};
use crate::matcher::{Ask, Compiled, Element};
use crate::phrase::{self, Step};
use crate::rules::Rules;
use crate::symbols::{Anchor, Sense, Symbols};
use crate::typo::Typos;
use crate::vocabulary::{Table, WordHash};

mod intern;
mod tables;

use intern::{QuickHash, Word, Words};
use tables::Traits;

/// Everything that screening reads.
pub(crate) struct Built {
    pub(crate) vocabulary: Table,
    pub(crate) symbols: Symbols,
    pub(crate) phrases: Vec<Compiled>,
    pub(crate) compounds: Compounds,
    pub(crate) typos: Typos,
    pub(crate) learned: Option<Learned>,
    pub(crate) rules: Rules,
    pub(crate) code_word: u16,
    pub(crate) code_elsewhere: u16,
    pub(crate) code_rule: u16,
}

/// The sets of words that end a tight gap, and the set of words that do not single out a phrase.
const CLAUSE_SET: &str = "voegwoord";
const GUARD_SET: &str = "breuk";
const COMMON_SET: &str = "gewoon";
/// Sets that other layers read.
const FOREIGN_SET: &str = "vreemd";
const CODE_WORD_SET: &str = "codewoord";
const CODE_ELSEWHERE_SET: &str = "codeplek";
const ABBREVIATION_SET: &str = "afkorting";
const LOOSE_TAIL_SET: &str = "losse-staart";

struct Builder {
    words: Words,
    symbols: Symbols,
    sets: HashMap<String, u16, QuickHash>,
    /// Members of each named set.
    members: HashMap<String, Vec<Word>>,
    rules: Rules,
    compound_words: Vec<(PartKind, String, u32)>,
    meanings: Vec<Option<Meaning>>,
    misspelt: Vec<(Rc<str>, u32)>,
    phrases: Vec<Compiled>,
}

/// Builds the tables.
pub(crate) fn build(lexicon: &Lexicon) -> Result<Built, LexiconError> {
    let mut builder = Builder {
        words: Words::default(),
        symbols: Symbols::default(),
        sets: HashMap::default(),
        members: HashMap::new(),
        rules: Rules::default(),
        compound_words: Vec::new(),
        meanings: Vec::new(),
        misspelt: Vec::new(),
        phrases: Vec::new(),
    };
    let term_forms = builder.collect_members(lexicon);
    let common = builder.named_set(COMMON_SET);
    builder.symbols.set_common(common);
    let (clause, guard) = (builder.named_set(CLAUSE_SET), builder.named_set(GUARD_SET));
    builder.symbols.set_gap_ends(clause, guard);
    builder.add_members(FOREIGN_SET, &lexicon.foreign);
    for (term, forms) in lexicon.terms.iter().zip(term_forms) {
        builder.term(term, &forms)?;
    }
    for part in &lexicon.parts {
        builder.part(part);
    }
    let compounds = builder.compounds();
    let ordinary = || tables::ordinary(&lexicon.dutch, &compounds);
    // the word list is half of the work, and asks only for the parts of compounds: it is read beside all else
    let (ordinary, typos) = std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().spawn_scoped(scope, ordinary);
        for phrase in &lexicon.phrases {
            builder.phrase(phrase)?;
        }
        let typos = Typos::new(&builder.misspelt);
        let ordinary = match beside.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(ordinary)) => ordinary,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // no thread to be had
            Err(_) => ordinary(),
        };
        Ok((ordinary, typos))
    })?;
    Ok(builder.finish(lexicon, compounds, &ordinary, typos))
}

impl Builder {
    /// Of each set and list what is in it; returns the forms of every term of one word.
    fn collect_members(&mut self, lexicon: &Lexicon) -> Vec<Vec<Word>> {
        for (name, words) in &lexicon.sets {
            self.add_members(name, words);
        }
        let mut lists: BTreeMap<&Name, Vec<Word>> = BTreeMap::new();
        let mut forms_of_terms = Vec::with_capacity(lexicon.terms.len());
        for term in &lexicon.terms {
            let mut forms = Vec::new();
            if let [word] = split(&term.text).as_slice() {
                forms.extend(term_forms(term, word).iter().map(|form| self.words.add(form)));
                lists.entry(&term.list).or_default().extend(&forms);
            }
            forms_of_terms.push(forms);
        }
        for (list, mut members) in lists {
            // the list itself is a member: the symbol of compounds that no list has
            let name = format!("%{list}");
            members.push(self.words.add(&name));
            self.members.entry(name).or_default().extend(members);
        }
        forms_of_terms
    }

    fn add_members(&mut self, name: &str, words: &[String]) {
        let mut all = Vec::new();
        for word in words {
            match (word.strip_prefix('@').and_then(|name| self.members.get(name)), word.strip_prefix('+')) {
                (Some(members), _) => all.extend(members),
                (None, Some(verb)) => all.extend(verb_forms(verb).iter().map(|form| self.words.add(form))),
                (None, None) => all.push(self.words.add(word)),
            }
        }
        self.members.entry(name.to_owned()).or_default().extend(all);
    }

    /// The symbol of a word, which from now on is a word that means something.
    fn symbol(&mut self, word: Word) -> u32 {
        self.words.symbol(word, || self.symbols.add())
    }

    fn symbol_of(&mut self, word: &str) -> u32 {
        let word = self.words.add(word);
        self.symbol(word)
    }

    fn named_set(&mut self, name: &str) -> u16 {
        if let Some(set) = self.sets.get(name) {
            return *set;
        }
        let words = self.members.get(name).cloned().unwrap_or_default();
        let set = self.new_set(name, &words);
        self.sets.insert(name.to_owned(), set);
        set
    }

    fn new_set(&mut self, name: &str, words: &[Word]) -> u16 {
        let symbols: Vec<u32> = words.iter().map(|word| self.symbol(*word)).collect();
        let set = self.symbols.add_set(&symbols);
        self.sets.insert(name.to_owned(), set);
        set
    }

    fn term(&mut self, term: &Term, forms: &[Word]) -> Result<(), LexiconError> {
        let rule = self.rules.number(&term.list);
        let words = split(&term.text);
        let [word] = words.as_slice() else { return self.long_term(term, &words) };
        let list_symbol = self.symbol_of(&format!("%{}", term.list));
        for form in forms {
            let symbol = self.symbol(*form);
            if !term.silent {
                self.symbols.add_sense(symbol, Sense { class: term.class, rule, case: term.case });
            }
            if term.misspelt && !term.silent {
                self.misspelt.extend(self.words.spelling(*form).map(|word| (word, symbol)));
            }
        }
        if term.compounds && word.len() >= 3 {
            let meaning = Meaning { class: term.class, rule, symbol: list_symbol };
            self.compound_part(PartKind::Head, word, Some(meaning));
        }
        Ok(())
    }

    /// A term of several words is a phrase of those words, the last one in any of its forms.
    fn long_term(&mut self, term: &Term, words: &[String]) -> Result<(), LexiconError> {
        let Some((last, before)) = words.split_last() else { return Ok(()) };
        if term.silent {
            return Ok(());
        }
        let all = term_forms(term, last);
        let mut written =
            term.text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
        let pattern: Vec<String> = before
            .iter()
            .chain([&all.join("|")])
            .map(|word| format!("{}{word}", sign(term.case, written.next().unwrap_or_default())))
            .collect();
        let place = crate::lexicon::Place { file: format!("termen-{}.tsv", term.list), line: 0 };
        let phrase = Phrase {
            pattern: pattern.join(" "),
            class: Some(term.class),
            list: term.list.clone(),
            place,
            is_term: true,
        };
        self.phrase(&phrase)?;
        // written as one word too, when that is a word of its own
        let joined = before.concat() + last;
        if joined.len() >= 6 && term.case == Case::Any {
            let rule = self.rules.number(&term.list);
            let ends = term_forms(term, &joined);
            for form in ends {
                let word = self.words.add(&form);
                let symbol = self.symbol(word);
                self.symbols.add_sense(symbol, Sense { class: term.class, rule, case: Case::Any });
                if term.misspelt && before.len() == 1 {
                    self.misspelt.extend(self.words.spelling(word).map(|word| (word, symbol)));
                }
            }
        }
        Ok(())
    }

    fn part(&mut self, part: &Part) {
        let rule = self.rules.number(&part.list);
        let list_symbol = self.symbol_of("%samenstelling");
        let meaning = part.class.map(|class: DataClass| Meaning { class, rule, symbol: list_symbol });
        let word = split(&part.text).concat();
        let all = match part.kind {
            PartKind::LooseTail | PartKind::Tail | PartKind::Ending | PartKind::Free => forms(&word),
            PartKind::Head | PartKind::BroadHead | PartKind::Beginning | PartKind::FreeEnding => {
                vec![word]
            }
        };
        for form in all {
            if part.kind == PartKind::LooseTail {
                let word = self.words.add(&form);
                self.members.entry(LOOSE_TAIL_SET.to_owned()).or_default().push(word);
            }
            self.compound_part(part.kind, &form, meaning);
        }
    }

    fn compound_part(&mut self, kind: PartKind, word: &str, meaning: Option<Meaning>) {
        self.meanings.push(meaning);
        let number = self.meanings.len() as u32;
        self.compound_words.push((kind, word.to_owned(), number));
    }

    fn phrase(&mut self, phrase: &Phrase) -> Result<(), LexiconError> {
        let steps = phrase::parse(&phrase.pattern).map_err(|why| LexiconError::Line {
            file: phrase.place.file.clone(),
            line: phrase.place.line,
            why,
        })?;
        let rule = self.rules.number(&phrase.list);
        let mut elements = Vec::with_capacity(steps.len());
        let mut best: Option<(usize, usize)> = None;
        for (index, step) in steps.iter().enumerate() {
            let element = self.element(step, phrase)?;
            if let (Step::Word(_), false) = (step, element.optional) {
                let cost = self.symbols.commonness(element.ask);
                if best.is_none_or(|(_, least)| cost < least)
                    && !matches!(element.ask, Ask::Any | Ask::Number)
                {
                    best = Some((index, cost));
                }
            }
            elements.push(element);
        }
        // without braces all of the phrase counts
        if !elements.iter().any(|element| element.marked) {
            elements.iter_mut().for_each(|element| element.marked = true);
        }
        let number = self.phrases.len() as u32;
        if let Some((element, _)) = best
            && let Some(ask) = elements.get(element).map(|element| element.ask)
        {
            let needs = self.symbols.needs(&elements, element);
            self.symbols.add_anchor(ask, Anchor { phrase: number, element: element as u8, needs });
        }
        self.phrases.push(Compiled {
            elements: elements.into(),
            class: phrase.class,
            rule,
            is_term: phrase.is_term,
        });
        Ok(())
    }

    fn element(&mut self, step: &Step, phrase: &Phrase) -> Result<Element, LexiconError> {
        let choice = match step {
            Step::Gap { most, tight } => {
                let ask = Ask::Gap { most: *most, tight: *tight };
                return Ok(Element { ask, optional: false, marked: false, capital: false, capitals: false });
            }
            Step::End => {
                return Ok(Element {
                    ask: Ask::End,
                    optional: false,
                    marked: false,
                    capital: false,
                    capitals: false,
                });
            }
            Step::Word(choice) => choice,
        };
        let ask = match choice.options.as_slice() {
            _ if choice.any => Ask::Any,
            _ if choice.number => Ask::Number,
            [word] if !word.starts_with(['@', '%', '+']) => Ask::Symbol(self.symbol_of(word)),
            options => Ask::Set(self.choice_set(options, phrase)?),
        };
        let (optional, marked, capital, capitals) =
            (choice.optional, choice.marked, choice.capital, choice.capitals);
        Ok(Element { ask, optional, marked, capital, capitals })
    }

    fn choice_set(&mut self, options: &[String], phrase: &Phrase) -> Result<u16, LexiconError> {
        let name = options.join("|");
        if let Some(set) = self.sets.get(&name) {
            return Ok(*set);
        }
        let mut words = Vec::new();
        for option in options {
            let key = option.strip_prefix('@').unwrap_or(option);
            match self.members.get(key) {
                Some(members) if option.starts_with(['@', '%']) => words.extend(members),
                _ if option.starts_with(['@', '%']) => {
                    let (file, line) = (phrase.place.file.clone(), phrase.place.line);
                    return Err(LexiconError::UnknownSet { file, line, name: option.clone() });
                }
                _ => match option.strip_prefix('+') {
                    Some(verb) => words.extend(verb_forms(verb).iter().map(|form| self.words.add(form))),
                    None => words.push(self.words.add(option)),
                },
            }
        }
        Ok(self.new_set(&name, &words))
    }

    fn finish(
        mut self,
        lexicon: &Lexicon,
        compounds: Compounds,
        ordinary: &[(WordHash, u32)],
        typos: Typos,
    ) -> Built {
        let [foreign, dutch_function, code_word, code_elsewhere, loose_tail, abbreviation] =
            [FOREIGN_SET, COMMON_SET, CODE_WORD_SET, CODE_ELSEWHERE_SET, LOOSE_TAIL_SET, ABBREVIATION_SET]
                .map(|set| self.named_set(set));
        let code_rule = "codes".parse().map_or(0, |name| self.rules.number(&name));
        let learned_rule = "geleerd".parse().map_or(0, |name| self.rules.number(&name));
        let learned = lexicon.learned.as_ref().map(|file| Learned::new(file, learned_rule));
        self.symbols.seal();
        let traits = Traits { foreign, dutch_function, loose_tail, abbreviation };
        let vocabulary = self.vocabulary(ordinary, &compounds, &traits);
        Built {
            vocabulary,
            symbols: self.symbols,
            phrases: self.phrases,
            compounds,
            typos,
            learned,
            rules: self.rules,
            code_word,
            code_elsewhere,
            code_rule,
        }
    }
}

/// How a word of a term of several words must be written, as a sign of a pattern. Of a name, as the term itself is:
/// Reinier van Arkel, Erasmus MC.
fn sign(case: Case, written: &str) -> &'static str {
    let first_is_capital = written.chars().next().is_some_and(char::is_uppercase);
    match case {
        Case::Any => "",
        Case::Capitals => "!",
        Case::Capital if written.chars().count() > 1 && written.chars().all(char::is_uppercase) => "!",
        Case::Capital if first_is_capital => "^",
        Case::Capital => "",
    }
}

/// The forms in which the last word of a term counts.
fn term_forms(term: &Term, word: &str) -> Vec<String> {
    match (term.is_verb, term.inflects) {
        (true, _) => verb_forms(word),
        (false, true) => forms(word),
        (false, false) => vec![word.to_owned()],
    }
}

/// The words of a term, as tokens would be.
fn split(term: &str) -> Vec<String> {
    intern::fold(term)
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
