//! One pass over the files of a log, from the records up to the root.
//!
//! Owns: the comparison of what is stored with what is computed, and the judgement which of the two is wrong:
//! the hash that covers both, one level up, decides. Holds one tile a level, whatever the size of the log.

use super::{Damage, Damaged};
use crate::Digest;
use crate::HASH_BYTES;
use crate::source::{FileFault, Found, TileSource, read_hashes, read_tile};
use crate::tile::{self, Content, TILE_WIDTH, Tile};
use crate::tree::{Frontier, leaf_hash, root_of};

/// Compares every file of a log of `size` records, and their root with `signed`. Gives the number of files.
pub(super) fn walk(
    source: &impl TileSource,
    size: u64,
    signed: &Digest,
    visit: &mut dyn FnMut(u64, &[u8]),
) -> Result<u64, Damaged> {
    let mut walk = Walk { source, size, levels: vec![Level::default()], found: Damaged::default(), files: 0 };
    let mut open = None;
    for index in 0..size.div_ceil(TILE_WIDTH) {
        open = walk.leaves(index, visit)?;
    }
    for level in 1..walk.levels.len() {
        walk.compare_level(level);
    }
    walk.judge_root(signed, open);
    if walk.found.damage.is_empty() { Ok(walk.files) } else { Err(walk.found) }
}

struct Walk<'s, S> {
    source: &'s S,
    size: u64,
    /// The tile of each level that is being filled: at 0 only the last, partial one.
    levels: Vec<Level>,
    found: Damaged,
    files: u64,
}

#[derive(Default)]
struct Level {
    /// How many tiles of this level are complete.
    complete: u64,
    hashes: Vec<Digest>,
}

/// The records of one bundle by their hashes, each with the offset at which it stands.
struct Bundle {
    path: String,
    hashes: Vec<Digest>,
    offsets: Vec<usize>,
    is_whole: bool,
}

/// A difference in the last, partial tile, which only the root can judge.
struct Open {
    bundle: Bundle,
    path: String,
    stored: Vec<Digest>,
}

impl<S: TileSource> Walk<'_, S> {
    /// Reads one bundle and its tile of leaf hashes, and takes up what is right of them. Gives the difference
    /// that nothing but the root can judge.
    fn leaves(&mut self, index: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<Option<Open>, Damaged> {
        let of = |content| Tile::of_size(content, index, self.size);
        let (Some(entries), Some(hashes)) = (of(Content::Entries), of(Content::Hashes(0))) else {
            return Ok(None);
        };
        let found = read_tile(self.source, entries);
        let stored = read_hashes(self.source, hashes);
        self.files += 2;
        let mut open = None;
        let believed = match (found, stored) {
            (Ok(found), Ok((path, stored))) => {
                let bundle = parse_bundle(entries, &found);
                if bundle.is_whole && bundle.hashes == stored {
                    visit_all(entries, &found, visit);
                    stored
                } else {
                    self.judge(entries, bundle, path, stored, &mut open)
                }
            }
            (Err(fault), Ok((_, stored))) => {
                self.found.push(fault);
                stored
            }
            (Ok(found), Err(fault)) => {
                self.found.push(fault);
                let bundle = parse_bundle(entries, &found);
                if !bundle.is_whole {
                    self.found.push(cut(entries, &bundle));
                    return Err(std::mem::take(&mut self.found));
                }
                bundle.hashes
            }
            (Err(fault), Err(other)) => {
                self.found.push(fault);
                self.found.push(other);
                return Err(std::mem::take(&mut self.found));
            }
        };
        self.take_leaves(hashes, believed);
        Ok(open)
    }

    fn take_leaves(&mut self, tile: Tile, hashes: Vec<Digest>) {
        if tile.is_full() {
            self.take(1, root_of(&hashes));
        } else if let Some(last) = self.levels.first_mut() {
            last.hashes = hashes;
        }
    }

    /// Adds a hash to a level; a tile that is full by it is compared and hashed upward.
    fn take(&mut self, level: usize, hash: Digest) {
        if self.levels.len() == level {
            self.levels.push(Level::default());
        }
        let Some(filling) = self.levels.get_mut(level) else { return };
        filling.hashes.push(hash);
        if filling.hashes.len() as u64 == TILE_WIDTH {
            self.compare_level(level);
            if let Some(filled) = self.levels.get_mut(level) {
                let root = root_of(&filled.hashes);
                filled.hashes.clear();
                filled.complete += 1;
                self.take(level + 1, root);
            }
        }
    }

    /// Compares what has been gathered of a level's tile with the file.
    fn compare_level(&mut self, level: usize) {
        let Some(Level { complete, hashes }) = self.levels.get(level) else { return };
        let content = Content::Hashes(u8::try_from(level).unwrap_or(u8::MAX));
        let (tile, computed) = (Tile::of_size(content, *complete, self.size), hashes);
        let Some(tile) = tile.filter(|_| !computed.is_empty()) else { return };
        self.files += 1;
        match read_hashes(self.source, tile) {
            Err(fault) => self.found.push(fault),
            Ok((path, stored)) if stored != *computed => {
                self.found.push(wrong_hash(tile, level, path, &stored, computed));
            }
            Ok(_) => {}
        }
    }

    /// Bundle and leaf hashes differ: the hash over them, one level up, says which of them is right.
    fn judge(
        &mut self,
        tile: Tile,
        bundle: Bundle,
        path: String,
        stored: Vec<Digest>,
        open: &mut Option<Open>,
    ) -> Vec<Digest> {
        if !tile.is_full() {
            let believed = if bundle.is_whole { bundle.hashes.clone() } else { stored.clone() };
            *open = Some(Open { bundle, path, stored });
            return believed;
        }
        let parent = Tile::of_size(Content::Hashes(1), tile.index / TILE_WIDTH, self.size);
        let parent = parent.and_then(|parent| read_hashes(self.source, parent).ok());
        let place = (tile.index % TILE_WIDTH) as usize;
        let parent = parent.and_then(|(_, hashes)| hashes.get(place).copied());
        if bundle.is_whole && parent == Some(root_of(&bundle.hashes)) {
            self.found.push(wrong_hash(tile, 0, path, &stored, &bundle.hashes));
            return bundle.hashes;
        }
        self.found.push(wrong_record(tile, &bundle, &stored));
        if parent != Some(root_of(&stored)) {
            // The level above fits neither: both are named, and the records are what the root will judge.
            self.found.push(wrong_hash(tile, 0, path, &stored, &bundle.hashes));
            if bundle.is_whole {
                return bundle.hashes;
            }
        }
        stored
    }

    /// Compares the root, and lets it judge what is still open.
    fn judge_root(&mut self, signed: &Digest, open: Option<Open>) {
        let computed = self.root();
        let Some(Open { bundle, path, stored }) = open else {
            if computed != *signed {
                self.found.push(Damage::Root { computed, signed: *signed });
            }
            return;
        };
        let index = self.size / TILE_WIDTH;
        let Some(tile) = Tile::of_size(Content::Entries, index, self.size) else { return };
        if bundle.is_whole && computed == *signed {
            self.found.push(wrong_hash(tile, 0, path, &stored, &bundle.hashes));
            return;
        }
        self.found.push(wrong_record(tile, &bundle, &stored));
        self.take_leaves(tile, stored);
        let computed = self.root();
        if computed != *signed {
            self.found.push(Damage::Root { computed, signed: *signed });
        }
    }

    /// The root over all levels: the full subtrees of each, highest level first.
    fn root(&self) -> Digest {
        let mut peaks = Vec::new();
        for level in self.levels.iter().rev() {
            let mut frontier = Frontier::new();
            level.hashes.iter().for_each(|hash| frontier.push(*hash));
            peaks.extend_from_slice(frontier.peaks());
        }
        // INVARIANT: one peak for each bit of the size, since each level holds its eight bits of it.
        Frontier::from_peaks(self.size, peaks).unwrap_or_default().root()
    }
}

fn parse_bundle(tile: Tile, found: &Found) -> Bundle {
    let width = usize::from(tile.width);
    let (mut hashes, mut offsets) = (Vec::with_capacity(width), Vec::with_capacity(width));
    let mut end = 0;
    for entry in tile::entries(&found.bytes).take(width) {
        match entry {
            Ok((offset, entry)) => {
                hashes.push(leaf_hash(entry));
                offsets.push(offset);
                end = offset + 2 + entry.len();
            }
            Err(_) => break,
        }
    }
    let is_substitute = found.path != tile.to_string();
    let is_whole = hashes.len() == width && (is_substitute || end == found.bytes.len());
    offsets.push(end);
    Bundle { path: found.path.clone(), hashes, offsets, is_whole }
}

fn visit_all(tile: Tile, found: &Found, visit: &mut dyn FnMut(u64, &[u8])) {
    let first = tile.index * TILE_WIDTH;
    let entries = tile::entries(&found.bytes).take(usize::from(tile.width));
    (first..).zip(entries.flatten()).for_each(|(index, (_, entry))| visit(index, entry));
}

fn cut(tile: Tile, bundle: &Bundle) -> FileFault {
    let offset = bundle.offsets.last().copied().unwrap_or_default() as u64;
    FileFault::Length { path: bundle.path.clone(), offset, width: tile.width }
}

/// The first record of a bundle that is not what the stored hashes say.
fn wrong_record(tile: Tile, bundle: &Bundle, stored: &[Digest]) -> Damage {
    let first = tile.index * TILE_WIDTH;
    let differs = |place: &usize| bundle.hashes.get(*place) != stored.get(*place);
    let width = usize::from(tile.width);
    let is_other = width > 1 && (0..width).all(|place| differs(&place)) && bundle.is_whole;
    match (0..width).find(differs) {
        _ if is_other => Damage::Bundle { path: bundle.path.clone(), first, last: first + width as u64 - 1 },
        Some(place) if place < bundle.hashes.len() => {
            let offset = bundle.offsets.get(place).copied().unwrap_or_default() as u64;
            Damage::Record { path: bundle.path.clone(), offset, index: first + place as u64 }
        }
        _ => Damage::File(cut(tile, bundle)),
    }
}

/// The first hash of a tile that is not what is computed from below.
fn wrong_hash(tile: Tile, level: usize, path: String, stored: &[Digest], computed: &[Digest]) -> Damage {
    let differs = |place: &usize| stored.get(*place) != computed.get(*place);
    let width = stored.len().min(computed.len());
    if width > 1 && (0..width).all(|place| differs(&place)) {
        return Damage::Tile { path };
    }
    let place = (0..width).find(differs).unwrap_or(width) as u64;
    let covers = 1u64.checked_shl(8 * level as u32).unwrap_or(u64::MAX);
    let first = (tile.index * TILE_WIDTH + place).saturating_mul(covers);
    let last = first.saturating_add(covers - 1);
    Damage::Hash { path, offset: place * HASH_BYTES as u64, first, last }
}
