//! The protobuf wire format, as far as a filter needs it: varints, keys, and whole values of one field.
//!
//! Owns: strict reading (each refusal has its kind) and canonical writing. Knows no descriptors and no rules.

use crate::malformed::MalformedKind;

/// The wire types that exist beside groups.
pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LEN: u8 = 2;
pub(crate) const FIXED32: u8 = 5;

/// The highest field number there is.
pub(crate) const MAX_NUMBER: u64 = (1 << 29) - 1;

/// A varint: its value, and where it ends.
pub(crate) fn varint(input: &[u8], at: usize) -> Result<(u64, usize), MalformedKind> {
    let mut value = 0;
    for (index, byte) in input.get(at..).unwrap_or_default().iter().take(10).enumerate() {
        if index == 9 && *byte > 1 {
            return Err(MalformedKind::Varint);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Ok((value, at + index + 1));
        }
    }
    Err(MalformedKind::Varint)
}

/// How many bytes a varint takes, written without padding.
pub(crate) const fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Writes a varint without padding into the start of `to`; how many bytes it took.
pub(crate) fn write_varint(mut value: u64, to: &mut [u8; 10]) -> usize {
    let len = varint_len(value);
    for byte in to.iter_mut().take(len) {
        *byte = (value as u8 & 0x7f) | 0x80;
        value >>= 7;
    }
    if let Some(last) = to.get_mut(len - 1) {
        *last &= 0x7f;
    }
    len
}

/// Appends a varint without padding.
pub(crate) fn push_varint(value: u64, to: &mut Vec<u8>) {
    let mut bytes = [0; 10];
    let len = write_varint(value, &mut bytes);
    to.extend(bytes.iter().take(len));
}

/// The key of a field: its number and wire type.
pub(crate) const fn key(number: u32, wire: u8) -> u64 {
    (number as u64) << 3 | wire as u64
}

/// One field as it stands on the wire.
#[derive(Clone, Copy)]
pub(crate) struct Raw {
    pub(crate) number: u32,
    pub(crate) wire: u8,
    /// Where its value starts; for `LEN` the payload, past the length.
    pub(crate) value: usize,
    /// One past its last byte.
    pub(crate) end: usize,
    /// The value of a varint; 0 for other wire types.
    pub(crate) varint: u64,
    /// Whether key and length are written without padding.
    pub(crate) canonical: bool,
}

/// Reads the field at `at`, which must end at `end` or before.
pub(crate) fn field(input: &[u8], at: usize, end: usize) -> Result<Raw, MalformedKind> {
    let input = input.get(..end).unwrap_or_default();
    let (key, value) = varint(input, at)?;
    let (number, wire) = (key >> 3, (key & 7) as u8);
    if number == 0 || number > MAX_NUMBER {
        return Err(MalformedKind::FieldNumber);
    }
    let canonical = varint_len(key) == value - at;
    let mut raw = Raw { number: number as u32, wire, value, end: value, varint: 0, canonical };
    match wire {
        VARINT => (raw.varint, raw.end) = varint(input, value)?,
        FIXED64 => raw.end = value + 8,
        FIXED32 => raw.end = value + 4,
        LEN => {
            let (len, start) = varint(input, value)?;
            raw.canonical &= varint_len(len) == start - value;
            raw.value = start;
            raw.end = usize::try_from(len).ok().and_then(|len| start.checked_add(len)).unwrap_or(usize::MAX);
        }
        3 | 4 => return Err(MalformedKind::Group),
        _ => return Err(MalformedKind::WireType),
    }
    if raw.end > end { Err(MalformedKind::Length) } else { Ok(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_varint_reads_back_as_it_was_written() {
        for value in (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            push_varint(value, &mut bytes);
            assert_eq!(bytes.len(), varint_len(value));
            assert_eq!(varint(&bytes, 0), Ok((value, bytes.len())));
            assert_eq!(varint(&bytes[..bytes.len() - 1], 0), Err(MalformedKind::Varint));
        }
    }

    #[test]
    fn a_varint_over_ten_bytes_or_over_64_bits_is_refused() {
        let mut bytes = [0xff; 11];
        bytes[10] = 0;
        assert_eq!(varint(&bytes, 0), Err(MalformedKind::Varint));
        bytes[9] = 1;
        assert_eq!(varint(&bytes, 0), Ok((u64::MAX, 10)));
        bytes[9] = 2;
        assert_eq!(varint(&bytes, 0), Err(MalformedKind::Varint));
    }
}
