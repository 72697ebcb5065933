//! Where the files of a log are read from, and the hashes and records in them.
//!
//! Owns: the one question that is asked of storage, and the answer's first checks: the right length, a full
//! tile in place of a partial one that was deleted. What is read here is not believed yet: `verify` and the
//! proofs check it against a signed root.

use std::collections::BTreeMap;

use crate::tile::{self, Content, HASH_BYTES, Tile};
use crate::tree::root_of;
use crate::{Digest, ProofError};

/// The files of a published log: a folder, a web server, a table in memory.
pub trait TileSource {
    /// The bytes at this path below the log's prefix: `checkpoint`, `tile/0/000`, `tile/entries/000.p/5`.
    ///
    /// # Errors
    /// [`Unreadable::Missing`] when there is no such file, [`Unreadable::Failed`] when it could not be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable>;
}

impl<S: TileSource + ?Sized> TileSource for &S {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        (**self).read(path)
    }
}

impl TileSource for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        self.get(path).cloned().ok_or(Unreadable::Missing)
    }
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// There is none.
    #[error("it is missing")]
    Missing,
    /// There may be one, but storage or network failed.
    #[error("it could not be read: {0}")]
    Failed(String),
}

/// What is wrong with a file of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// It could not be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        why: Unreadable,
    },
    /// It has another length than its name says, or ends in the middle of an entry.
    #[error("{path}: cut short or too long at byte {offset}: it must hold {width}")]
    Length {
        /// Which file.
        path: String,
        /// Where it ends or goes on.
        offset: u64,
        /// How many hashes or entries its name says.
        width: u16,
    },
    /// A proof that cannot be given.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// One tile as it was found: its path may be that of the full tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a tile; where a partial one is gone, the full one that replaced it.
pub(crate) fn read_tile(source: &impl TileSource, tile: Tile) -> Result<Found, FileFault> {
    let path = tile.to_string();
    let failed = |path: &str| {
        let path = path.to_owned();
        move |why| FileFault::Unreadable { path, why }
    };
    match source.read(&path) {
        Err(Unreadable::Missing) if !tile.is_full() => {
            let full = tile.full().to_string();
            let bytes = source.read(&full).map_err(|_| failed(&path)(Unreadable::Missing))?;
            Ok(Found { path: full, bytes })
        }
        Err(why) => Err(failed(&path)(why)),
        Ok(bytes) => Ok(Found { path, bytes }),
    }
}

/// Reads a tile of hashes: exactly as many as `tile` says.
pub(crate) fn read_hashes(source: &impl TileSource, tile: Tile) -> Result<(String, Vec<Digest>), FileFault> {
    let Found { path, bytes } = read_tile(source, tile)?;
    let wanted = usize::from(tile.width) * HASH_BYTES;
    let is_full = path != tile.to_string();
    let stored = if is_full { usize::from(tile.full().width) * HASH_BYTES } else { wanted };
    if bytes.len() != stored {
        let offset = bytes.len().min(stored) as u64;
        return Err(FileFault::Length { path, offset, width: tile.width });
    }
    Ok((path, tile::hashes(&bytes).take(usize::from(tile.width)).collect()))
}

/// The record at `index` of a log of `size` records, as it is stored.
///
/// # Errors
/// Which file is missing or malformed; [`ProofError::NoSuchLeaf`].
pub fn read_entry(source: &impl TileSource, index: u64, size: u64) -> Result<Vec<u8>, FileFault> {
    let tile = Tile::of_size(Content::Entries, index / tile::TILE_WIDTH, size);
    let tile = tile.filter(|_| index < size).ok_or(ProofError::NoSuchLeaf { index, size })?;
    let Found { path, bytes } = read_tile(source, tile)?;
    let place = (index % tile::TILE_WIDTH) as usize;
    let mut offset = 0;
    for entry in tile::entries(&bytes).take(place + 1).enumerate() {
        match entry {
            (at, Ok((_, entry))) if at == place => return Ok(entry.to_vec()),
            (_, Ok((at, entry))) => offset = at + 2 + entry.len(),
            (_, Err(cut)) => offset = cut.offset,
        }
    }
    Err(FileFault::Length { path, offset: offset as u64, width: tile.width })
}

/// The roots of full subtrees of a log of `size` records, read from its tiles; each tile is read once.
pub struct Nodes<'s, S> {
    source: &'s S,
    size: u64,
    read: BTreeMap<Tile, Vec<Digest>>,
}

impl<'s, S: TileSource> Nodes<'s, S> {
    /// The nodes of the log at this size.
    pub fn new(source: &'s S, size: u64) -> Nodes<'s, S> {
        Nodes { source, size, read: BTreeMap::new() }
    }

    /// The root of the `index`-th full subtree of 2^`level` leaves.
    ///
    /// # Errors
    /// Which file is missing or malformed; [`ProofError::NoSuchLeaf`] for a subtree that the log does not have.
    pub fn node(&mut self, level: u32, index: u64) -> Result<Digest, FileFault> {
        let absent = ProofError::NoSuchLeaf { index, size: self.size };
        let (tile_level, height) = ((level / 8) as u8, level % 8);
        let first = index.checked_shl(height).ok_or_else(|| absent.clone())?;
        let content = Content::Hashes(tile_level);
        let tile =
            Tile::of_size(content, first / tile::TILE_WIDTH, self.size).ok_or_else(|| absent.clone())?;
        let hashes = match self.read.entry(tile) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(read_hashes(self.source, tile)?.1),
        };
        let from = (first % tile::TILE_WIDTH) as usize;
        let hashes = hashes.get(from..from + (1 << height)).ok_or(absent)?;
        Ok(root_of(hashes))
    }
}
