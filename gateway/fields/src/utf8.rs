//! Whether bytes are UTF-8, quickly for the short strings that documents are made of.
//!
//! Owns: nothing but that question. What takes time in short strings is branches that cannot be foreseen, so there
//! are few of them: ASCII is looked at in whole blocks, two-byte letters (`ë`) eight bytes at a time. Anything else
//! is left to the standard library.

use crate::wire;

const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether `from..to` of the input is UTF-8; false when it is not within the input.
#[inline(always)]
pub(crate) fn is_text(input: &[u8], from: usize, to: usize) -> bool {
    let len = to.wrapping_sub(from);
    if let Some([low, high]) = MASKS.get(len) {
        // Whatever stands behind a short text is masked out; at the end of the input there is nothing to read.
        return match input.get(from..).and_then(|rest| rest.first_chunk::<16>()) {
            Some(block) => {
                let [first, second] = halves(block);
                first & low | second & high == 0 || is_utf8(input, from, to)
            }
            None => is_utf8(input, from, to),
        };
    }
    let Some(bytes) = input.get(from..to) else { return false };
    let ascii = if len <= 32 {
        both_ascii(bytes.first_chunk::<16>(), bytes.last_chunk::<16>())
    } else if len <= 64 {
        both_ascii(bytes.first_chunk::<32>(), bytes.last_chunk::<32>())
    } else {
        bytes.is_ascii()
    };
    ascii || is_utf8(input, from, to)
}

/// For each length up to 16, the high bits of so many bytes.
#[expect(clippy::indexing_slicing, reason = "at compile time, where a wrong index does not compile")]
const MASKS: [[u64; 2]; 17] = {
    let mut masks = [[0; 2]; 17];
    let mut len = 1;
    while len <= 16 {
        let low = if len < 8 { len } else { 8 };
        masks[len] =
            [HIGH.unbounded_shr(64 - 8 * low as u32), HIGH.unbounded_shr(64 - 8 * (len - low) as u32)];
        len += 1;
    }
    masks
};

#[inline(always)]
fn halves(block: &[u8; 16]) -> [u64; 2] {
    let bits = u128::from_le_bytes(*block);
    [bits as u64, (bits >> 64) as u64]
}

/// Whether the two ends of a text, which together are all of it, are ASCII.
#[inline(always)]
fn both_ascii<const N: usize>(first: Option<&[u8; N]>, last: Option<&[u8; N]>) -> bool {
    let high = |bytes: &[u8; N]| {
        let (words, _) = bytes.as_chunks::<8>();
        words.iter().fold(0, |high, word| high | u64::from_ne_bytes(*word))
    };
    match (first, last) {
        (Some(first), Some(last)) => (high(first) | high(last)) & HIGH == 0,
        _ => false,
    }
}

#[inline(never)]
fn is_utf8(input: &[u8], from: usize, to: usize) -> bool {
    input.get(from..to).is_some_and(|bytes| is_two_byte_text(bytes) || std::str::from_utf8(bytes).is_ok())
}

/// Whether bytes are ASCII and two-byte letters, and nothing else.
fn is_two_byte_text(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let last = wire::word(rest, 0);
    // The highest bit of each byte stands for the byte; the lowest byte comes first.
    let (mut wrong, mut before) = (0, 0);
    for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]) {
        let leads = word & (word << 1) & HIGH;
        let follows = word & !(word << 1) & HIGH;
        let longer = leads & (word << 2);
        let overlong = leads & !(word << 3 | word << 4 | word << 5 | word << 6);
        wrong |= longer | overlong | (follows ^ (leads << 8 | before));
        before = leads >> 56;
    }
    wrong | before == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_standard_library_at_every_length_and_place() {
        for len in 0..100 {
            for place in 0..=len {
                for bad in [None, Some(0x80), Some(0xc3), Some(0xff)] {
                    let mut bytes = vec![b'a'; 3 + len + 3];
                    if let (Some(bad), true) = (bad, place < len) {
                        bytes[3 + place] = bad;
                    }
                    bytes[2] = 0xff;
                    bytes[3 + len] = 0xff;
                    let expected = std::str::from_utf8(&bytes[3..3 + len]).is_ok();
                    assert_eq!(is_text(&bytes, 3, 3 + len), expected, "{len} {place} {bad:?}");
                    let exact = &bytes[..3 + len];
                    assert_eq!(is_text(exact, 3, 3 + len), expected, "{len} {place} {bad:?}, at the end");
                }
            }
        }
        for text in ["é", "ë ï ü ÿ", "cliënt heeft vragen over scholing", "aé", "\u{80}\u{7ff}", "\u{800}"]
        {
            for before in 0..20 {
                let text = "x".repeat(before) + text;
                assert!(is_text(text.as_bytes(), 0, text.len()), "{text}");
                for at in 0..text.len() {
                    for byte in [0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf5] {
                        let mut bytes = text.clone().into_bytes();
                        bytes[at] = byte;
                        let expected = std::str::from_utf8(&bytes).is_ok();
                        assert_eq!(is_text(&bytes, 0, bytes.len()), expected, "{bytes:02x?}");
                    }
                }
            }
        }
        assert!(is_text("zo’n zin".as_bytes(), 0, "zo’n zin".len()));
        assert!(!is_text(b"abc", 0, 40));
    }
}
