//! Screens general prose, a paragraph at a time, and prints every hit: each is a false one.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

mod shared;

use screening::{Screener, default_against};

fn main() {
    let screener = Screener::build(&shared::lexicon()).unwrap();
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).unwrap();
        let (mut words, mut hits, mut held) = (0, 0, 0);
        for paragraph in text.split("\n\n") {
            words += paragraph.split_whitespace().count();
            let found = screener.screen(paragraph, default_against());
            held += usize::from(found.unscreenable.is_some());
            for f in &found.findings {
                hits += 1;
                let from = paragraph[..f.start].char_indices().rev().nth(30).map_or(0, |c| c.0);
                let to = paragraph[f.end..].char_indices().nth(30).map_or(paragraph.len(), |c| f.end + c.0);
                println!(
                    "{}\t{}\t{}",
                    f.rule,
                    &paragraph[f.start..f.end].replace('\n', " "),
                    paragraph[from..to].replace('\n', " ")
                );
            }
        }
        println!(
            "{file}: {words} words, {hits} hits, {:.0} words a hit, {held} paragraphs unscreenable",
            words as f64 / hits as f64
        );
    }
}
