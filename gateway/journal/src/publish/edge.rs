//! The right edge of the tree: for each level the hashes of its last, partial tile, and the last partial bundle.
//!
//! Owns: how a record becomes hashes of every level, and which files that makes. At most 255 hashes a level and
//! 255 records are kept, whatever the size of the log.

use std::collections::BTreeMap;

use ledger::{Content, TooLong};
use ledger::{
    CutShort, Digest, Frontier, HASH_BYTES, MAX_LEAF, TILE_WIDTH, Tile, encode_entries, encode_hashes,
    entries, hashes, hashes_at, leaf_hash, root_of, tiles_to_publish,
};

use crate::disk::Folder;
use crate::error::{Damage, OpenError};

/// The last hashes of each level, and the last records.
#[derive(Clone, Default)]
pub(super) struct Edge {
    size: u64,
    levels: Vec<Vec<Digest>>,
    /// The hashes of the last full tile of level 0, while the partial one is empty or short.
    last_full: Vec<Digest>,
    records: Vec<Vec<u8>>,
}

/// The files of one growth, as they come about.
pub(super) struct Tiles {
    from: u64,
    to: u64,
    full: BTreeMap<Tile, Vec<u8>>,
}

impl Edge {
    /// Reads the edge of a published log from its files.
    pub(super) fn load(log: &Folder, size: u64) -> Result<Edge, OpenError> {
        let mut edge = Edge { size, ..Edge::default() };
        for level in (0..8).take_while(|level| hashes_at(*level, size) > 0) {
            let count = hashes_at(level, size);
            let tile = Tile::of_size(Content::Hashes(level), count / TILE_WIDTH, size);
            let level_hashes = match tile {
                Some(tile) => hashes(&read(log, tile, usize::from(tile.width) * HASH_BYTES)?).collect(),
                None => Vec::new(), // exactly full: the partial tile is empty
            };
            edge.levels.push(level_hashes);
        }
        if let Some(number) = (size / TILE_WIDTH).checked_sub(1) {
            let tile = Tile { content: Content::Hashes(0), index: number, width: TILE_WIDTH as u16 };
            edge.last_full = hashes(&read(log, tile, TILE_WIDTH as usize * HASH_BYTES)?).collect();
        }
        if let Some(bundle) = Tile::of_size(Content::Entries, size / TILE_WIDTH, size) {
            let bytes = read(log, bundle, 0)?;
            let records: Result<Vec<_>, CutShort> =
                entries(&bytes).take(usize::from(bundle.width)).map(|entry| Ok(entry?.1.to_vec())).collect();
            edge.records =
                records.map_err(|_| Damage::whole("log/tile/entries", "has a bundle that is cut short"))?;
        }
        let hashed: Vec<Digest> = edge.records.iter().map(|record| leaf_hash(record)).collect();
        if edge.levels.first().is_some_and(|hashes| *hashes != hashed) {
            return Err(Damage::whole("log/tile/0", "does not hold the hashes of the last records").into());
        }
        Ok(edge)
    }

    /// How many records the tree has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    pub(super) fn root(&self) -> Digest {
        // The peaks of the tree, largest first, are the peaks of each level's partial tile, highest level first.
        let mut peaks = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut frontier = Frontier::new();
            hashes.iter().for_each(|hash| frontier.push(*hash));
            peaks.extend_from_slice(frontier.peaks());
        }
        Frontier::from_peaks(self.size, peaks).map_or_else(ledger::empty_root, |tree| tree.root())
    }

    /// The hashes of the last records, up to 511 of them.
    pub(super) fn recent(&self) -> Vec<Digest> {
        let partial = self.levels.first().map_or(&[][..], Vec::as_slice);
        self.last_full.iter().chain(partial).copied().collect()
    }

    /// Begins to grow up to `to` records.
    pub(super) fn start(&self, to: u64) -> Tiles {
        Tiles { from: self.size, to, full: BTreeMap::new() }
    }

    /// Adds the next record.
    pub(super) fn push(&mut self, index: u64, record: &[u8], tiles: &mut Tiles) -> Result<(), TooLong> {
        if index != self.size || record.len() > MAX_LEAF {
            return Err(TooLong { bytes: record.len() });
        }
        self.records.push(record.to_vec());
        if self.records.len() as u64 == TILE_WIDTH {
            let bundle =
                encode_entries(self.records.drain(..).collect::<Vec<_>>().iter().map(Vec::as_slice))?;
            tiles.full.insert(full(Content::Entries, index / TILE_WIDTH), bundle);
        }
        self.size += 1;
        let mut hash = leaf_hash(record);
        for level in 0..8 {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { break };
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                break;
            }
            hash = root_of(hashes);
            let number = hashes_at(level, index) / TILE_WIDTH;
            tiles.full.insert(full(Content::Hashes(level), number), encode_hashes(hashes));
            let hashes = std::mem::take(hashes);
            if level == 0 {
                self.last_full = hashes;
            }
        }
        Ok(())
    }
}

impl Tiles {
    /// Every file that the log must have got: full tiles, and the partial ones of the new size.
    pub(super) fn finish(mut self, edge: &Edge) -> Vec<(Tile, Vec<u8>)> {
        let needed = tiles_to_publish(self.from, self.to);
        needed
            .filter_map(|tile| {
                let bytes = self.full.remove(&tile).or_else(|| edge.partial(tile.content))?;
                Some((tile, bytes))
            })
            .collect()
    }
}

impl Edge {
    fn partial(&self, content: Content) -> Option<Vec<u8>> {
        match content {
            Content::Hashes(level) => self.levels.get(usize::from(level)).map(|hashes| encode_hashes(hashes)),
            Content::Entries => encode_entries(self.records.iter().map(Vec::as_slice)).ok(),
        }
    }
}

fn full(content: Content, index: u64) -> Tile {
    Tile { content, index, width: TILE_WIDTH as u16 }
}

/// Reads a tile, or the full one in its place, of at least so many bytes.
fn read(log: &Folder, tile: Tile, length: usize) -> Result<Vec<u8>, OpenError> {
    for path in [tile.to_string(), tile.full().to_string()] {
        if let Some(mut bytes) = log.read(&path)?
            && bytes.len() >= length
        {
            if length > 0 {
                bytes.truncate(length);
            }
            return Ok(bytes);
        }
    }
    let file = format!("log/{tile}");
    Err(Damage { file, offset: 0, index: None, what: "is missing or cut short" }.into())
}
