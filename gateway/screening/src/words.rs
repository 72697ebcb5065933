//! The Dutch word list as it is shipped: sorted and front-coded, one word a line.
//!
//! Owns: that format. A line is one character for how many letters the word shares with the one before (0–9, A–Z
//! for 10–35), then the rest of the word. Written by policies/lexicon/nederlands.py.

/// Calls `take` for every word.
pub(crate) fn each(list: &str, mut take: impl FnMut(&[u8])) {
    let mut word: Vec<u8> = Vec::with_capacity(64);
    for line in list.lines() {
        let Some((count, rest)) = line.as_bytes().split_first() else { continue };
        let shared = match count {
            b'0'..=b'9' => usize::from(count - b'0'),
            b'A'..=b'Z' => usize::from(count - b'A') + 10,
            _ => continue,
        };
        word.truncate(shared);
        word.extend_from_slice(rest);
        take(&word);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_word_is_what_it_shares_and_what_it_adds() {
        let mut words = Vec::new();
        super::each("0aan\n3bod\n2p\n0baan\n", |word| words.push(String::from_utf8(word.to_vec()).unwrap()));
        assert_eq!(words, ["aan", "aanbod", "aap", "baan"]);
    }
}
