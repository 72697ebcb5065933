//! The Dutch word list as it is shipped: sorted and front-coded, one word a line.
//!
//! Owns: that format. A line is one character for how many letters the word shares with the one before (0–9, A–Z
//! for 10–35), then the rest of the word. Written by policies/lexicon/nederlands.py.

use crate::vocabulary::WordHash;

/// Calls `take` for every word, with its hash.
pub(crate) fn each(list: &str, mut take: impl FnMut(&[u8], WordHash)) {
    let mut word: Vec<u8> = Vec::with_capacity(64);
    // of every beginning of the word: most of a word's hash is known from the word before
    let mut hashes = vec![WordHash::EMPTY];
    let mut at_start = true;
    for &byte in list.as_bytes() {
        let shared = match byte {
            b'\n' => {
                take(&word, hashes.last().copied().unwrap_or(WordHash::EMPTY));
                at_start = true;
                continue;
            }
            _ if !at_start => {
                word.push(byte);
                hashes.push(hashes.last().copied().unwrap_or(WordHash::EMPTY).push(byte));
                continue;
            }
            b'0'..=b'9' => usize::from(byte - b'0'),
            b'A'..=b'Z' => usize::from(byte - b'A') + 10,
            _ => continue,
        };
        at_start = false;
        word.truncate(shared);
        hashes.truncate(shared + 1);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_word_is_what_it_shares_and_what_it_adds() {
        let mut words = Vec::new();
        super::each("0aan\n3bod\n2p\n0baan\n", |word, hash| {
            assert_eq!(hash, super::WordHash::of(word));
            words.push(String::from_utf8(word.to_vec()).unwrap());
        });
        assert_eq!(words, ["aan", "aanbod", "aap", "baan"]);
    }
}
