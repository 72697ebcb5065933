//! Prints what is found in many texts, one line a text: two builds that answer the same print the same.
//!
//! `cargo run --release -p screening --example findings -- [FILE of prose…] >before`, and `cmp` after a change. The
//! texts are the labelled sentences, what the fuzzer kept, texts made of both and maimed by chance (seeded), and the files.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

mod shared;

use std::io::Write;
use std::path::{Path, PathBuf};

use model::{ClassSet, DataClass};
use screening::{Screener, default_against};

fn main() {
    let lexicon = shared::lexicon();
    let screener = Screener::build(&lexicon).unwrap();
    let mut texts = Vec::new();
    for file in
        files(&shared::root().join("tests/data/screening")).filter(|file| file.extension().unwrap() == "tsv")
    {
        let text = std::fs::read_to_string(file).unwrap();
        texts.extend(text.lines().filter_map(|line| Some(line.rsplit_once('\t')?.1.replace("\\n", "\n"))));
    }
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/screen")) {
        texts.push(String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
    }
    for file in lexicon.iter().filter(|file| file.0.ends_with(".tsv")) {
        texts.extend(std::str::from_utf8(file.1).unwrap().lines().map(str::to_owned));
    }
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let whole = texts.clone();
    for round in 0..12 {
        for text in &whole {
            texts.push(maimed(text, round, &mut chance));
        }
    }
    for _ in 0..60 {
        texts
            .push((0..2000).map(|_| whole[chance.below(whole.len())].as_str()).collect::<Vec<_>>().join(" "));
    }
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(file).unwrap();
        texts.extend(text.split("\n\n").map(str::to_owned));
        texts.push(text.chars().take(1_000_000).collect());
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let medicine: ClassSet = [DataClass::MedischMedicatie].into_iter().collect();
    for (number, text) in texts.iter().enumerate() {
        for against in [default_against(), medicine] {
            let screened = screener.screen(text, against);
            write!(out, "{number} {} {:?}", text.len(), screened.unscreenable).unwrap();
            for finding in screened.findings {
                write!(out, " {}-{} {} {}", finding.start, finding.end, finding.class, finding.rule).unwrap();
            }
            writeln!(out).unwrap();
        }
    }
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter()
}

/// Numbers that look like chance and are the same every time (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// The text with some letters changed, in the way that this round does it.
fn maimed(text: &str, round: usize, chance: &mut Chance) -> String {
    const ODD: [&str; 24] = [
        "\u{ad}", "\u{200b}", "-\n", " ", "é", "Ï", "ß", "а", "е", "о", "р", "ﬁ", "½", "1", "3", "0", "$",
        "*", ".", "👍", "\u{301}", "ж", "\u{2019}", "\t",
    ];
    let mut out = String::new();
    let rate = [9, 30, 90][round % 3];
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if chance.below(rate) != 0 {
            out.push(char);
            continue;
        }
        match (round / 3, chance.below(4)) {
            (0, 0) => {}
            (0, 1) => out.extend([char, char]),
            (0, 2) => out.extend(chars.next().into_iter().chain([char])),
            (0, _) => out.push((b'a' + chance.below(26) as u8) as char),
            (1, 0) => out.extend(char.to_uppercase()),
            (1, 1) => out.extend([char, ' ']),
            (1, 2) => out.extend([char, '.', ' ']),
            (1, _) => out.extend([char, '-']),
            (2, _) => {
                out.push(char);
                out.push_str(ODD[chance.below(ODD.len())]);
            }
            (_, 0) => out.extend(text.chars().filter(|_| chance.below(3) == 0).take(12)),
            (_, 1) => out = out.to_uppercase(),
            (_, 2) => out.extend([' ', char, ' ']),
            (_, _) => out.extend([(b' ' + chance.below(95) as u8) as char, char]),
        }
    }
    out
}
