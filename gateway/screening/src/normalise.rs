//! Layer 1: one plain form for the many ways to write a word, with the way back to the original text.
//!
//! Owns: case, diacritics, compatibility forms, look-alikes of other scripts, invisible characters, hyphens at
//! line breaks. The plain text is 7-bit; the eighth bit of a letter says that it was upper case. Next: `token`.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// The eighth bit: this letter was upper case.
pub(crate) const UPPER: u8 = 0x80;
/// Stands for a letter that has no Latin look-alike.
pub(crate) const OTHER_LETTER: u8 = 0x1a;
/// Stands for a symbol, a pictogram or a control character.
pub(crate) const SYMBOL: u8 = 0x1b;

/// A text in plain form.
pub(crate) struct Plain {
    /// Lower case ASCII; see [`UPPER`].
    pub(crate) bytes: Vec<u8>,
    /// Where the distance to the original changes: (offset in `bytes`, offset in the original).
    shifts: Vec<(usize, usize)>,
    /// Letters of other scripts in the original, look-alikes included.
    pub(crate) other_letters: usize,
    /// Symbols and pictograms.
    pub(crate) symbols: usize,
    /// Control characters and replacement characters.
    pub(crate) controls: usize,
}

impl Plain {
    /// The plain form of `text`.
    pub(crate) fn of(text: &str) -> Plain {
        let mut plain = Plain {
            bytes: Vec::with_capacity(text.len() + 8),
            shifts: Vec::new(),
            other_letters: 0,
            symbols: 0,
            controls: 0,
        };
        let bytes = text.as_bytes();
        let mut at = 0;
        loop {
            let run = plain_run(bytes.get(at..).unwrap_or_default());
            plain.bytes.extend(run.iter().map(|byte| plain_byte(*byte)));
            at += run.len();
            let Some(&byte) = bytes.get(at) else { break };
            at = match byte {
                b'-' => plain.hyphen(bytes, at, 1),
                b'$' | b'@' if is_amid_letters(bytes, at) => {
                    plain.bytes.push(if byte == b'$' { b's' } else { b'a' });
                    at + 1
                }
                b'*' if is_amid_letters(bytes, at) => {
                    plain.skip_to(at + 1);
                    at + 1
                }
                _ if is_ascii_text(byte) => {
                    plain.bytes.push(plain_byte(byte));
                    at + 1
                }
                0..0x80 => plain.control(at),
                _ => plain.wide(text, at),
            };
        }
        plain
    }

    fn control(&mut self, at: usize) -> usize {
        self.controls += 1;
        self.bytes.push(SYMBOL);
        at + 1
    }

    /// A hyphen that only breaks a line disappears together with the break.
    fn hyphen(&mut self, bytes: &[u8], at: usize, width: usize) -> usize {
        let rest = bytes.get(at + width..).unwrap_or_default();
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (blank, after) = rest.split_at(space);
        let continues = after.first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte >= 0x80);
        let joined = self.bytes.last().is_some_and(|byte| (byte & !UPPER).is_ascii_lowercase());
        if blank.contains(&b'\n') && continues && joined {
            self.skip_to(at + width + space);
            at + width + space
        } else {
            self.replace(b"-", at, width)
        }
    }

    fn wide(&mut self, text: &str, at: usize) -> usize {
        let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) else { return at + 1 };
        let width = char.len_utf8();
        match char {
            'à'..='å' | 'À'..='Å' => self.letter(b'a', char, at, width),
            'è'..='ë' | 'È'..='Ë' => self.letter(b'e', char, at, width),
            'ì'..='ï' | 'Ì'..='Ï' => self.letter(b'i', char, at, width),
            'ò'..='ö' | 'Ò'..='Ö' | 'ø' | 'Ø' => self.letter(b'o', char, at, width),
            'ù'..='ü' | 'Ù'..='Ü' => self.letter(b'u', char, at, width),
            '\u{2018}'..='\u{201b}' | '\u{2032}' | '´' | '\u{2bc}' => self.replace(b"'", at, width),
            '\u{201c}'..='\u{201f}' | '«' | '»' => self.replace(b"\"", at, width),
            '\u{2010}' => self.hyphen(text.as_bytes(), at, width),
            '\u{2011}' => self.replace(b"-", at, width),
            '\u{2012}'..='\u{2015}' => self.replace(b",", at, width),
            '\u{2026}' => self.replace(b".", at, width),
            '\u{2022}' | '\u{b7}' | '\u{25cf}' | '\u{25aa}' => self.replace(b";", at, width),
            '\u{ad}' => self.soft_hyphen(text.as_bytes(), at, width),
            _ if is_invisible(char) => {
                self.skip_to(at + width);
                at + width
            }
            _ => self.rare(char, at, width),
        }
    }

    fn soft_hyphen(&mut self, bytes: &[u8], at: usize, width: usize) -> usize {
        let rest = bytes.get(at + width..).unwrap_or_default();
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let breaks = rest.get(..space).is_some_and(|blank| blank.contains(&b'\n'));
        let next = at + width + if breaks { space } else { 0 };
        self.skip_to(next);
        next
    }

    fn letter(&mut self, base: u8, char: char, at: usize, width: usize) -> usize {
        self.replace(&[if char.is_uppercase() { base | UPPER } else { base }], at, width)
    }

    /// NFKC's compatibility forms and everything else that is not met every day.
    fn rare(&mut self, char: char, at: usize, width: usize) -> usize {
        let mut out = Vec::with_capacity(4);
        let mut is_other = false;
        decompose_compatible(char, |part| match part {
            _ if is_combining_mark(part) => {}
            ' '..='~' => out.push(part as u8),
            _ if part.is_whitespace() => out.push(b' '),
            _ => match look_alike(part) {
                Some(latin) => {
                    is_other = true;
                    out.push(if part.is_uppercase() { latin.to_ascii_uppercase() } else { latin });
                }
                None if part.is_alphabetic() => {
                    is_other = true;
                    out.push(OTHER_LETTER);
                }
                None => out.push(SYMBOL),
            },
        });
        self.other_letters += usize::from(is_other);
        self.symbols += usize::from(out.contains(&SYMBOL) && !"€£§°±²³µ¼½¾×÷©®™→←".contains(char));
        self.controls += usize::from(char == '\u{fffd}' || char.is_control());
        for byte in &mut out {
            if byte.is_ascii_uppercase() {
                *byte = byte.to_ascii_lowercase() | UPPER;
            }
        }
        self.replace(&out, at, width)
    }

    fn replace(&mut self, out: &[u8], at: usize, width: usize) -> usize {
        if out.len() != width {
            self.shift(at);
        }
        self.bytes.extend_from_slice(out);
        if out.len() != width {
            self.shift(at + width);
        }
        at + width
    }

    fn skip_to(&mut self, original: usize) {
        self.shift(original);
    }

    fn shift(&mut self, original: usize) {
        let here = self.bytes.len();
        match self.shifts.last_mut() {
            Some(last) if last.0 == here => last.1 = original,
            _ => self.shifts.push((here, original)),
        }
    }

    /// The range of the original text that the range `start..end` of the plain bytes stands for.
    pub(crate) fn original(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        let mut from = self.locate(start);
        let mut to = self.locate(end.saturating_sub(1)) + 1;
        while from > 0 && !text.is_char_boundary(from) {
            from -= 1;
        }
        while to < text.len() && !text.is_char_boundary(to) {
            to += 1;
        }
        (from, to.min(text.len()))
    }

    fn locate(&self, offset: usize) -> usize {
        let next = self.shifts.partition_point(|shift| shift.0 <= offset);
        let (here, original) =
            next.checked_sub(1).and_then(|last| self.shifts.get(last)).copied().unwrap_or((0, 0));
        let exact = original + (offset - here);
        // a character that became more bytes than it had must not reach into its neighbour
        self.shifts.get(next).map_or(exact, |after| exact.min(after.1.saturating_sub(1)))
    }
}

/// A byte of ASCII text in plain form.
const fn plain_byte(byte: u8) -> u8 {
    if byte.is_ascii_uppercase() { byte ^ (UPPER | 0x20) } else { byte }
}

/// A character of ASCII that is written, or white space.
const fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

/// What `bytes` begins with that is plain whatever stands beside it: nearly all of a Dutch text. Looked at in pieces
/// of so many bytes that the compiler makes a few instructions of each.
fn plain_run(bytes: &[u8]) -> &[u8] {
    const PIECE: usize = 32;
    let is_plain = |byte: u8| is_ascii_text(byte) & !matches!(byte, b'-' | b'$' | b'@' | b'*');
    let all_plain = |piece: &&[u8]| piece.iter().fold(true, |all, byte| all & is_plain(*byte));
    let pieces = PIECE * bytes.chunks_exact(PIECE).take_while(all_plain).count();
    let rest = bytes.iter().skip(pieces).take_while(|byte| is_plain(**byte)).count();
    bytes.get(..pieces + rest).unwrap_or_default()
}

/// Whether letters (or more of the same sign) stand on both sides: depre$$ie.
fn is_amid_letters(bytes: &[u8], at: usize) -> bool {
    let counts = |index: Option<usize>| {
        let byte = index.and_then(|index| bytes.get(index)).copied().unwrap_or(b' ');
        byte.is_ascii_alphabetic() || byte == b'$'
    };
    counts(at.checked_sub(1)) && counts(at.checked_add(1))
}

fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        | '\u{180e}' | '\u{34f}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}')
        || is_combining_mark(char)
}

/// Letters of other scripts that look like a Latin one (after the confusables of Unicode TR 39).
fn look_alike(char: char) -> Option<u8> {
    const CYRILLIC_GREEK: &[(char, u8)] = &[
        ('а', b'a'),
        ('в', b'b'),
        ('с', b'c'),
        ('ԁ', b'd'),
        ('е', b'e'),
        ('ё', b'e'),
        ('һ', b'h'),
        ('н', b'h'),
        ('і', b'i'),
        ('ї', b'i'),
        ('ј', b'j'),
        ('к', b'k'),
        ('ӏ', b'l'),
        ('м', b'm'),
        ('о', b'o'),
        ('р', b'p'),
        ('ԛ', b'q'),
        ('г', b'r'),
        ('ѕ', b's'),
        ('т', b't'),
        ('ц', b'u'),
        ('ѵ', b'v'),
        ('ԝ', b'w'),
        ('х', b'x'),
        ('у', b'y'),
        ('ү', b'y'),
        ('α', b'a'),
        ('β', b'b'),
        ('ε', b'e'),
        ('η', b'n'),
        ('ι', b'i'),
        ('κ', b'k'),
        ('ν', b'v'),
        ('ο', b'o'),
        ('ρ', b'p'),
        ('σ', b'o'),
        ('τ', b't'),
        ('υ', b'u'),
        ('χ', b'x'),
        ('γ', b'y'),
        ('μ', b'u'),
        ('ω', b'w'),
        ('ı', b'i'),
        ('ł', b'l'),
        ('đ', b'd'),
        ('ħ', b'h'),
        ('ŧ', b't'),
        ('ɑ', b'a'),
        ('ɡ', b'g'),
        ('ɩ', b'i'),
        ('ʀ', b'r'),
        ('ɴ', b'n'),
        ('ʟ', b'l'),
        ('ᴀ', b'a'),
        ('ʙ', b'b'),
        ('ᴄ', b'c'),
        ('ᴅ', b'd'),
        ('ᴇ', b'e'),
        ('ɢ', b'g'),
        ('ʜ', b'h'),
        ('ɪ', b'i'),
        ('ᴊ', b'j'),
        ('ᴋ', b'k'),
        ('ᴍ', b'm'),
        ('ᴏ', b'o'),
        ('ᴘ', b'p'),
        ('ᴛ', b't'),
        ('ᴜ', b'u'),
        ('ᴠ', b'v'),
        ('ᴡ', b'w'),
        ('ʏ', b'y'),
        ('ᴢ', b'z'),
        ('ß', b's'),
        ('æ', b'e'),
        ('œ', b'e'),
    ];
    let lower = char.to_lowercase().next().unwrap_or(char);
    CYRILLIC_GREEK.iter().find(|(from, _)| *from == lower).map(|(_, latin)| *latin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        Plain::of(text).bytes.iter().map(|byte| (byte & !UPPER) as char).collect()
    }

    #[test]
    fn one_word_has_one_form() {
        for text in [
            "psychose",
            "PSYCHOSE",
            "psychóse",
            "psy\u{ad}chose",
            "psy\u{200b}chose",
            "рsусhоsе",
            "ｐｓｙｃｈｏｓｅ",
            "psy-\nchose",
            "psy\u{2010}\r\n  chose",
            "psycho\u{301}se",
            "psy*chose",
        ] {
            assert_eq!(plain(text), "psychose", "{text:?}");
        }
    }

    #[test]
    fn a_place_leads_back_to_the_original() {
        let text = "één psy\u{ad}\u{200b}chóse ﬂink";
        let plain = Plain::of(text);
        let found: Vec<u8> = plain.bytes.iter().map(|byte| byte & !UPPER).collect();
        let start = found.windows(8).position(|window| window == b"psychose").unwrap();
        let (from, to) = plain.original(text, start, start + 8);
        assert_eq!(text.get(from..to), Some("psy\u{ad}\u{200b}chóse"));
        let flink = found.windows(5).position(|window| window == b"flink").unwrap();
        let (from, to) = plain.original(text, flink, flink + 5);
        assert_eq!(text.get(from..to), Some("ﬂink"));
    }
}
