//! Which records an auditor looks at: a sample that anyone can draw again, and the ones that stand out; serves
//! `log sample`.
//!
//! **The draw.** For i = 0, 1, 2, …: take the first eight bytes, big-endian, of
//! SHA-256(`veldwacht/sample/v1\n` ‖ seed ‖ `\n` ‖ size in decimal ‖ `\n` ‖ i in decimal) as a number. If it is at
//! least ⌊(2⁶⁴ − 1) ∕ size⌋ · size, pass it by, so that every record is equally likely. Otherwise the record at that
//! number modulo size is drawn, unless it was before. Stop at n records. The seed has to be published after the
//! checkpoint of that size was signed: then neither side could steer the draw.

mod risk;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::Digest;

pub use risk::{Risk, RiskRules, Risky, risks};

/// Draws `n` of the records of a log of `size`, in the order of the log; all of them when there are no more.
pub fn sample(seed: &str, size: u64, n: u64) -> Vec<u64> {
    if n >= size {
        return (0..size).collect();
    }
    let fair = (u64::MAX / size) * size;
    let draws = (0u64..).map(|counter| draw(seed, size, counter)).filter(|number| *number < fair);
    let mut drawn = BTreeSet::new();
    for number in draws {
        if drawn.len() as u64 == n {
            break;
        }
        drawn.insert(number % size);
    }
    drawn.into_iter().collect()
}

fn draw(seed: &str, size: u64, counter: u64) -> u64 {
    let text = format!("veldwacht/sample/v1\n{seed}\n{size}\n{counter}");
    let Digest([a, b, c, d, e, f, g, h, ..]) = Digest::of(text.as_bytes());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
