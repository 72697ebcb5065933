//! Layer 5, codes: ICD-10, DSM-IV, ATC, CAS, ICPC.
//!
//! Owns: the shape of each code and what must stand near a short one before it counts, since pallets, rooms and paper
//! sizes have the same shape. The words that make or break a code are sets of the lexicon.

use model::DataClass;

use crate::matcher::Membership;
use crate::token::{Break, Token};

/// A code that was found: first and last token, and its class.
pub(crate) struct Code {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) class: DataClass,
}

/// The sets of the lexicon that codes are judged by.
pub(crate) struct CodeSets {
    /// Words that announce a code: code, ICD, verzekeringsarts.
    pub(crate) announce: u16,
    /// Words whose number only looks like a code: versie, artikel, hal.
    pub(crate) elsewhere: u16,
}

/// How many letters and digits the shapes of codes have.
const SHORTEST: usize = 3;
const LONGEST: usize = 7;
/// How many words away an announcement may stand.
const REACH: usize = 6;

/// The code at token `at`, which has digits.
pub(crate) fn code_at(
    tokens: &[Token],
    at: usize,
    plain: &[u8],
    members: &impl Membership,
    sets: &CodeSets,
) -> Option<Code> {
    let token = tokens.get(at).filter(|token| (SHORTEST..=LONGEST).contains(&token.len()))?;
    let sign = |byte: u8| if byte.is_ascii_digit() { b'9' } else { b'a' };
    let shape: Vec<u8> = token.letters(plain).map(sign).collect();
    let decimals = tokens.get(at + 1).filter(|next| {
        let dot = plain.get(token.end as usize) == Some(&b'.') && next.start == token.end + 1;
        dot && next.before == Break::Joined && next.has_digits() && !next.has_letters()
    });
    let near = |from: usize, to: usize, set: u16| {
        tokens
            .get(from..to.min(tokens.len()))
            .unwrap_or_default()
            .iter()
            .any(|token| members.is_in(token.symbol, set))
    };
    let elsewhere = || near(at.saturating_sub(2), at + 2, sets.elsewhere);
    let announced = || near(at.saturating_sub(REACH), at + REACH, sets.announce);
    let code = |last: usize, class: DataClass| Some(Code { first: at, last, class });
    let diagnosis = DataClass::MedischDiagnose;
    match (shape.as_slice(), decimals.map(Token::len)) {
        (b"a99", Some(1 | 2)) if !elsewhere() => code(at + 1, diagnosis),
        (b"a99aa99", _) => code(at, DataClass::MedischMedicatie),
        (b"a99aa", _) if announced() => code(at, DataClass::MedischMedicatie),
        (b"a99" | b"a999" | b"a9999", _) if announced() && !elsewhere() => code(at, diagnosis),
        (b"999", Some(1 | 2)) if announced() && !elsewhere() => code(at + 1, diagnosis),
        _ => None,
    }
}
