//! Tiles: the files in which a log is published (C2SP tlog-tiles v0.1).
//!
//! Owns: their names, which of them a size needs, and their contents: hashes of 32 bytes, or entries with a
//! length of 16 bits. Reading and writing files is `journal`'s; reading them into answers is `source`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use model::Invalid;

use crate::{Digest, MAX_LEAF};

/// How many hashes or entries a full tile has.
pub const TILE_WIDTH: u64 = 256;

/// How many bytes a hash has.
pub const HASH_BYTES: usize = 32;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Hashes of one level: 0 for leaves, each next for full tiles of the one below. At most 63.
    Hashes(u8),
    /// The records themselves: an entry bundle.
    Entries,
}

/// One tile, by what it holds and where it stands. `Display` is its path below the log's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its number within the level.
    pub index: u64,
    /// How much it holds: 1 to 256, 256 when it is full.
    pub width: u16,
}

impl Tile {
    /// The tile of a log of `size` records with this content and number; none where the log has none.
    pub fn of_size(content: Content, index: u64, size: u64) -> Option<Tile> {
        let level = match content {
            Content::Hashes(level) => level,
            Content::Entries => 0,
        };
        let hashes = hashes_at(level, size);
        let from = index.checked_mul(TILE_WIDTH)?;
        let width = hashes.checked_sub(from).filter(|rest| *rest > 0)?.min(TILE_WIDTH);
        Some(Tile { content, index, width: width as u16 })
    }

    /// Whether it holds all it ever will.
    pub fn is_full(self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The same tile when it is full: what may be there in place of a partial one.
    pub fn full(self) -> Tile {
        Tile { width: TILE_WIDTH as u16, ..self }
    }
}

/// How many hashes level `level` has in a log of `size` records: ⌊size / 256^level⌋.
pub fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// Every tile that a log must have got when it has grown from `old` to `new` records: hashes and entries, full
/// ones and the partial ones of the new size.
pub fn tiles_to_publish(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..8).map(Content::Hashes);
    levels.chain([Content::Entries]).flat_map(move |content| {
        let level = match content {
            Content::Hashes(level) => level,
            Content::Entries => 0,
        };
        let (had, has) = (hashes_at(level, old), hashes_at(level, new));
        let indexes = if had < has { had / TILE_WIDTH..has.div_ceil(TILE_WIDTH) } else { 0..0 };
        indexes.filter_map(move |index| Tile::of_size(content, index, new))
    })
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}")?,
            Content::Entries => f.write_str("tile/entries")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (place, group) in groups.iter().enumerate().rev() {
            write!(f, "/{}{group:03}", if place == 0 { "" } else { "x" })?;
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = Invalid;

    /// Reads a path below the log's prefix, in its one form: no other spelling of the same tile is taken.
    fn from_str(path: &str) -> Result<Tile, Invalid> {
        let tile = parse_path(path).filter(|tile| tile.to_string() == path);
        tile.ok_or(Invalid { what: "tile path", expected: "`tile/<level or entries>/x001/234[.p/<width>]`" })
    }
}

fn parse_path(path: &str) -> Option<Tile> {
    let (path, width) = match path.split_once(".p/") {
        Some((path, width)) => (path, width.parse().ok().filter(|width| (1..256).contains(width))?),
        None => (path, TILE_WIDTH as u16),
    };
    let (content, number) = path.strip_prefix("tile/")?.split_once('/')?;
    let content = match content {
        "entries" => Content::Entries,
        level => Content::Hashes(level.parse().ok().filter(|level| *level < 64)?),
    };
    let mut index: u64 = 0;
    for group in number.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let digits: u64 = digits.parse().ok().filter(|_| digits.len() == 3)?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    Some(Tile { content, index, width })
}

/// The bytes of an entry bundle.
///
/// # Errors
/// When an entry is longer than 65,535 bytes.
pub fn encode_entries<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, TooLong> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TooLong { bytes: entry.len() })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// An entry that no bundle can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {bytes} bytes does not fit: at most {MAX_LEAF}")]
pub struct TooLong {
    /// How long it is.
    pub bytes: usize,
}

/// The entries of a bundle, one after the other, each with the offset at which its length stands.
/// Stops with an error where the bytes end in the middle of an entry.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = Result<(usize, &[u8]), CutShort>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(offset..).filter(|rest| !rest.is_empty())?;
        let at = offset;
        let entry = rest
            .split_first_chunk::<2>()
            .and_then(|(length, rest)| rest.get(..usize::from(u16::from_be_bytes(*length))));
        offset = entry.map_or(bytes.len(), |entry| at + 2 + entry.len());
        Some(entry.map(|entry| (at, entry)).ok_or(CutShort { offset: at }))
    })
}

/// A bundle that ends in the middle of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entry at byte {offset} is cut short")]
pub struct CutShort {
    /// Where that entry begins.
    pub offset: usize,
}

/// The bytes of a tile of hashes.
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile; what is left over at the end is not looked at.
pub fn hashes(bytes: &[u8]) -> impl Iterator<Item = Digest> {
    bytes.as_chunks::<HASH_BYTES>().0.iter().map(|hash| Digest(*hash))
}
