//! One frame of the journal: `length · crc32c · index · durable · payload`, padded to 8 bytes.
//!
//! Owns: the bytes of a frame and the check that they are whole. `durable` is the index below which everything
//! had been flushed when this frame was written: a broken frame that a later one calls durable is damage, not
//! a torn tail. What the payload means is `entry`; where frames stand is `segment`.

/// Bytes before the payload: length u32, crc u32, index u64, durable u64, all little-endian.
pub(crate) const HEADER: usize = 24;

/// Frames start at multiples of this.
pub(crate) const ALIGNMENT: usize = 8;

/// A payload whose checksum has begun, so that the one writer thread need not read it again.
#[derive(Debug)]
pub(crate) struct Payload {
    bytes: Vec<u8>,
    crc: u32,
}

impl Payload {
    pub(crate) fn new(bytes: Vec<u8>) -> Payload {
        let crc = crc32c::crc32c(&bytes);
        Payload { bytes, crc }
    }

    /// The length of the whole frame with its padding.
    pub(crate) fn frame_len(&self) -> usize {
        padded(self.bytes.len())
    }

    /// Appends the frame to `batch`.
    pub(crate) fn write(&self, index: u64, durable: u64, batch: &mut Vec<u8>) {
        let length = self.bytes.len() as u32; // INVARIANT: the writer admits no payload over a segment (< 4 GiB).
        let header = Header { length, index, durable };
        batch.extend_from_slice(&length.to_le_bytes());
        batch.extend_from_slice(&header.seal(self.crc).to_le_bytes());
        batch.extend_from_slice(&index.to_le_bytes());
        batch.extend_from_slice(&durable.to_le_bytes());
        batch.extend_from_slice(&self.bytes);
        batch.resize(batch.len().next_multiple_of(ALIGNMENT), 0);
    }
}

/// The length of a frame with this many bytes of payload.
pub(crate) fn padded(payload: usize) -> usize {
    (HEADER + payload).next_multiple_of(ALIGNMENT)
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) length: u32,
    pub(crate) index: u64,
    pub(crate) durable: u64,
}

impl Header {
    /// Reads a header and its checksum. `None` when there are too few bytes or nothing but zeros: the end.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Header, u32)> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (index, rest) = rest.split_first_chunk::<8>()?;
        let (durable, _) = rest.split_first_chunk::<8>()?;
        let header = Header {
            length: u32::from_le_bytes(*length),
            index: u64::from_le_bytes(*index),
            durable: u64::from_le_bytes(*durable),
        };
        let empty = header.length == 0 && header.index == 0 && header.durable == 0 && *crc == [0; 4];
        (!empty).then_some((header, u32::from_le_bytes(*crc)))
    }

    /// The length of the whole frame with its padding.
    pub(crate) fn frame_len(&self) -> usize {
        padded(self.length as usize)
    }

    fn seal(&self, payload_crc: u32) -> u32 {
        let mut tail = [0; 20];
        let (length, rest) = tail.split_at_mut(4);
        let (index, durable) = rest.split_at_mut(8);
        length.copy_from_slice(&self.length.to_le_bytes());
        index.copy_from_slice(&self.index.to_le_bytes());
        durable.copy_from_slice(&self.durable.to_le_bytes());
        crc32c::crc32c_append(payload_crc, &tail)
    }
}

/// What stands at one place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole frame.
    Frame(Header, &'a [u8]),
    /// Zeros, or the end of the bytes: nothing was written here.
    End,
    /// Bytes that are not a whole frame.
    Broken,
}

/// Looks at the frame that begins at the start of `bytes`.
pub(crate) fn look(bytes: &[u8]) -> Found<'_> {
    let Some((header, crc)) = Header::read(bytes) else {
        return if bytes.iter().take(HEADER).all(|byte| *byte == 0) { Found::End } else { Found::Broken };
    };
    let payload = bytes.get(HEADER..HEADER.saturating_add(header.length as usize));
    match payload {
        Some(payload) if header.seal(crc32c::crc32c(payload)) == crc => Found::Frame(header, payload),
        _ => Found::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8], index: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Payload::new(payload.to_vec()).write(index, index, &mut bytes);
        bytes
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        for length in [1, 7, 8, 9, 1000] {
            let payload = vec![0xab; length];
            let bytes = frame(&payload, 7);
            assert_eq!(bytes.len() % ALIGNMENT, 0);
            assert_eq!(bytes.len(), padded(length));
            let header = Header { length: length as u32, index: 7, durable: 7 };
            assert_eq!(look(&bytes), Found::Frame(header, &payload));
        }
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_seen() {
        let bytes = frame(b"payload!", 3);
        for bit in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(look(&broken), Found::Broken, "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_the_end_and_half_a_frame_is_broken() {
        assert_eq!(look(&[0; 64]), Found::End);
        assert_eq!(look(&[]), Found::End);
        let bytes = frame(b"some payload", 0);
        assert_eq!(look(&bytes[..HEADER + 4]), Found::Broken);
        assert_eq!(look(&bytes[..5]), Found::Broken);
    }
}
