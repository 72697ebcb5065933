//! Whether bytes are UTF-8, quickly for the short ASCII strings that documents are made of.
//!
//! Owns: nothing but that question. Anything outside ASCII is left to the standard library.

use crate::wire;

const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether `from..to` of the input is UTF-8; false when it is not within the input.
#[inline(always)]
pub(crate) fn is_text(input: &[u8], from: usize, to: usize) -> bool {
    let len = to.wrapping_sub(from);
    if len <= 8 {
        let mask = HIGH.unbounded_shr(64 - 8 * len as u32);
        return wire::word(input, from) & mask == 0 || is_utf8(input, from, to);
    }
    let Some(bytes) = input.get(from..to) else { return false };
    let high = if len <= 16 {
        either(bytes.first_chunk::<8>(), bytes.last_chunk::<8>(), |half| u64::from_ne_bytes(*half) & HIGH)
    } else if len <= 32 {
        either(bytes.first_chunk::<16>(), bytes.last_chunk::<16>(), high_of)
    } else if len <= 64 {
        either(bytes.first_chunk::<32>(), bytes.last_chunk::<32>(), high_of)
    } else {
        1
    };
    high == 0 || is_utf8(input, from, to)
}

/// The two ends of a text, which together are all of it.
#[inline(always)]
fn either<const N: usize>(first: Option<&[u8; N]>, last: Option<&[u8; N]>, of: fn(&[u8; N]) -> u64) -> u64 {
    match (first, last) {
        (Some(first), Some(last)) => of(first) | of(last),
        _ => 1,
    }
}

/// The high bits of all bytes.
#[inline(always)]
fn high_of<const N: usize>(bytes: &[u8; N]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(0, |high, word| high | u64::from_ne_bytes(*word)) & HIGH
}

#[inline(never)]
fn is_utf8(input: &[u8], from: usize, to: usize) -> bool {
    input.get(from..to).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok())
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
        assert!(is_text("zo’n zin".as_bytes(), 0, "zo’n zin".len()));
        assert!(!is_text(b"abc", 0, 40));
    }
}
