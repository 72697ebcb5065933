//! Whether bytes are UTF-8, quickly for the short strings that documents are made of.
//!
//! Owns: nothing but that question. What takes time in short strings is branches that cannot be foreseen, so there
//! are few of them: up to 63 bytes are looked at in one go, whatever the length. Two-byte letters (`ë`) are looked at
//! eight bytes at a time; anything else is left to the standard library.

use wide::u8x16;

/// How many bytes of a text are looked at in one go.
pub(crate) const BLOCK: usize = 48;

/// Whether the first `len` bytes of a block, fewer than it has, are ASCII. Whatever stands behind them does not count.
#[inline(always)]
pub(crate) fn is_ascii(block: &[u8; BLOCK], len: u8) -> bool {
    MASKS.get(usize::from(len)).is_some_and(|mask| high_bits(block) & mask == 0)
}

/// For each length, so many bits.
#[expect(clippy::indexing_slicing, reason = "at compile time, where a wrong index does not compile")]
const MASKS: [u64; BLOCK] = {
    let mut masks = [0; BLOCK];
    let mut len = 0;
    while len < BLOCK {
        masks[len] = !(u64::MAX << len);
        len += 1;
    }
    masks
};

/// The highest bit of each byte, that of the first one lowest.
#[inline(always)]
fn high_bits(block: &[u8; BLOCK]) -> u64 {
    let (blocks, _) = block.as_chunks::<16>();
    blocks.iter().rev().fold(0, |high, block| high << 16 | u64::from(u8x16::new(*block).to_bitmask()))
}

/// Whether `from..to` is UTF-8; false when it is not within the input.
#[inline(never)]
pub(crate) fn is_text(input: &[u8], from: u32, to: u32) -> bool {
    let (mut from, to) = (from as usize, to as usize);
    if to > input.len() {
        return false;
    }
    while from < to {
        let Some(block) = input.get(from..from + BLOCK).and_then(|block| block.first_chunk()) else { break };
        let len = BLOCK.min(to - from);
        match letters(block, high_bits(block) & !(u64::MAX << len), len) {
            Some(read) => from += read,
            None => break,
        }
    }
    from >= to || input.get(from..to).is_some_and(|rest| std::str::from_utf8(rest).is_ok())
}

/// How many of the first `len` bytes, whose high bits are given, are ASCII and two-byte letters: all of them, or all
/// but the last one if a letter starts there. Nothing, when there is anything else.
#[inline(always)]
fn letters(block: &[u8; BLOCK], mut high: u64, len: usize) -> Option<usize> {
    while high != 0 {
        let at = high.trailing_zeros() as usize;
        if at + 1 >= len {
            return (at > 0).then_some(at);
        }
        match block.get(at..at + 2) {
            Some([0xc2..=0xdf, 0x80..=0xbf]) => high &= !(3 << at),
            _ => return None,
        }
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_standard_library_at_every_length_and_place() {
        for len in 0..100 {
            for place in 0..=len {
                for (bad, behind) in [
                    (None, 0xff),
                    (Some(0x80), 0xff),
                    (Some(0xc3), 0xff),
                    (Some(0xc3), 0xa9),
                    (Some(0xff), 0xff),
                ] {
                    let mut bytes = vec![b'a'; 3 + len + 3];
                    if let (Some(bad), true) = (bad, place < len) {
                        bytes[3 + place] = bad;
                    }
                    bytes[2] = 0xff;
                    bytes[3 + len] = behind;
                    let expected = std::str::from_utf8(&bytes[3..3 + len]).is_ok();
                    assert_eq!(is_text(&bytes, 3, 3 + len as u32), expected, "{len} {place} {bad:?}");
                    let exact = &bytes[..3 + len];
                    assert_eq!(
                        is_text(exact, 3, 3 + len as u32),
                        expected,
                        "{len} {place} {bad:?}, at the end"
                    );
                }
            }
        }
        for text in ["é", "ë ï ü ÿ", "cliënt heeft vragen over scholing", "aé", "\u{80}\u{7ff}", "\u{800}"]
        {
            for before in 0..20 {
                let text = "x".repeat(before) + text;
                assert!(is_text(text.as_bytes(), 0, text.len() as u32), "{text}");
                for at in 0..text.len() {
                    for byte in [0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf5] {
                        let mut bytes = text.clone().into_bytes();
                        bytes[at] = byte;
                        let expected = std::str::from_utf8(&bytes).is_ok();
                        assert_eq!(is_text(&bytes, 0, bytes.len() as u32), expected, "{bytes:02x?}");
                    }
                }
            }
        }
        assert!(is_text("zo’n zin".as_bytes(), 0, "zo’n zin".len() as u32));
        assert!(!is_text(b"abc", 0, 40));
    }
}
