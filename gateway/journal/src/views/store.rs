//! Views as they are stored: what is young in memory, what is older in sled, read as one.
//!
//! Owns: the layers and their order. New changes go to `young`; when that is large or old it is frozen and put
//! into sled as one batch, with the index of the record after the last one in the same batch. What was
//! never put into sled, or lost by it, is replayed from the journal: sled's flush is not trusted with anything.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::key;
use super::page::Page;

/// A set of 256 records: those of one entry bundle of the published log.
pub(crate) type Bits = [u8; 32];

/// A mark of eight bytes for each record of a bundle; zeros where there is none.
pub(crate) type Marks = [[u8; 8]; 256];

#[derive(Clone)]
enum Change {
    Put(Vec<u8>),
    Delete,
    /// These bits are set, whatever else is.
    Bits(Bits),
    /// These marks are there, whatever else is.
    Marks(Box<Marks>),
}

type Layer = BTreeMap<Vec<u8>, Change>;

#[derive(Default)]
struct Layers {
    young: Layer,
    /// The sets of the bundle that is being filled; go to `young` when it is full, and are always read with it.
    page: Page,
    frozen: Option<Arc<Layer>>,
    /// Records from here on have all their changes in `frozen` or `young`.
    frozen_from: u64,
    /// Records from here on have all their changes in `young`.
    young_from: u64,
    /// The record that comes next.
    next: u64,
}

/// The views' store. One thread changes it; any may read.
pub(crate) struct Store {
    layers: RwLock<Layers>,
    sled: sled::Db,
    /// Where sled's files stand, and how much room there must be beside them before more is put into it.
    room: Option<(PathBuf, u64)>,
}

/// Key of the index of the record that comes next, and of the form of the keys.
const NEXT: &[u8] = b"\0next";
const FORM: &[u8] = b"\0form";
const FORM_VERSION: &[u8] = b"5";

impl Store {
    /// Opens the store. One that does not open, is of another form, or has seen records that the journal does
    /// not hold, is made anew: it can lose nothing that the journal does not have.
    pub(crate) fn open(folder: Option<&Path>, journal_end: u64, reserve: u64) -> io::Result<Store> {
        let opened = open_sled(folder).and_then(|sled| {
            let fine = usable(&sled, journal_end)?;
            Ok((sled, fine))
        });
        let sled = match (opened, folder) {
            (Ok((sled, true)), _) => sled,
            (opened, Some(folder)) => {
                tracing::warn!("the views are not usable and are built again from the journal");
                drop(opened);
                std::fs::remove_dir_all(folder)?;
                open_sled(Some(folder))?
            }
            (Ok((sled, false)), None) => sled,
            (Err(error), None) => return Err(error),
        };
        sled.insert(FORM, FORM_VERSION)?;
        sled.flush()?; // else it is written later, when there may be no room
        let next = read_next(&sled)?;
        let layers = Layers { frozen_from: next, young_from: next, next, ..Layers::default() };
        let room = folder.map(|folder| (folder.to_owned(), reserve));
        Ok(Store { layers: RwLock::new(layers), sled, room })
    }

    /// The first record whose changes are not in here yet.
    pub(crate) fn next(&self) -> u64 {
        self.read().next
    }

    /// How many keys wait in memory.
    pub(crate) fn young(&self) -> usize {
        let layers = self.read();
        layers.young.len() + layers.frozen.as_ref().map_or(0, |frozen| frozen.len())
    }

    /// Makes the changes of some records, all at once for readers. `next` is the record after them.
    pub(crate) fn change<R>(&self, next: u64, change: impl FnOnce(&mut Young<'_>) -> R) -> R {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let from = layers.young_from;
        let Layers { young, page, .. } = &mut *layers;
        let result = change(&mut Young { layer: young, page, from });
        layers.next = layers.next.max(next);
        result
    }

    /// For those who read sets: what the page holds stands in the layer as well.
    fn settle_page(&self) {
        if !self.read().page.is_empty() {
            let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
            let Layers { young, page, .. } = &mut *layers;
            turn(young, page);
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let layers = self.read();
        let upper = layers.young.get(key).or_else(|| layers.frozen.as_ref().and_then(|layer| layer.get(key)));
        match upper {
            Some(Change::Put(value)) => Ok(Some(value.clone())),
            Some(Change::Delete) => Ok(None),
            Some(Change::Bits(_) | Change::Marks(_)) | None => {
                Ok(self.sled.get(key)?.map(|value| value.to_vec()))
            }
        }
    }

    /// Keys and values that begin with `prefix`, in order, after the key `after`, at most `limit`.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.settle_page();
        let layers = self.read();
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let none = Layer::new();
        let frozen = layers.frozen.as_deref().unwrap_or(&none).range::<[u8], _>((from, Bound::Unbounded));
        let young = layers.young.range::<[u8], _>((from, Bound::Unbounded));
        let mut upper = over(young, frozen).take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let mut found = Vec::new();
        let lower = self.sled.range::<&[u8], _>((from, Bound::Unbounded));
        for pair in lower {
            let (key, value) = pair?;
            if !key.starts_with(prefix) || found.len() >= limit {
                break;
            }
            while let Some((above, change)) = upper.next_if(|(above, _)| above.as_slice() < key.as_ref()) {
                push(&mut found, above, change, None);
            }
            match upper.next_if(|(above, _)| above.as_slice() == key.as_ref()) {
                Some((above, change)) => push(&mut found, above, change, Some(&value)),
                None => found.push((key.to_vec(), value.to_vec())),
            }
        }
        while found.len() < limit
            && let Some((key, change)) = upper.next()
        {
            push(&mut found, key, change, None);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The bit sets of every key that begins with `prefix`, by the number at the end of the key.
    pub(crate) fn bits(&self, prefix: &[u8]) -> io::Result<BTreeMap<u64, Bits>> {
        self.settle_page();
        let layers = self.read();
        let mut all: BTreeMap<u64, Bits> = BTreeMap::new();
        let mut add = |key: &[u8], bits: &[u8]| {
            let number = key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number));
            unite(all.entry(number).or_default(), bits);
        };
        for layer in layers.frozen.as_deref().into_iter().chain([&layers.young]) {
            let range = layer.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
            for (key, change) in range.take_while(|(key, _)| key.starts_with(prefix)) {
                if let Change::Bits(bits) = change {
                    add(key, bits);
                }
            }
        }
        for pair in self.sled.scan_prefix(prefix) {
            let (key, value) = pair?;
            add(&key, &value);
        }
        Ok(all)
    }

    /// Which records have this mark, among the keys that begin with `prefix`: reads one key for every bundle.
    pub(crate) fn marked(&self, prefix: &[u8], wanted: [u8; 8]) -> io::Result<BTreeMap<u64, Bits>> {
        self.settle_page();
        let layers = self.read();
        let mut all: BTreeMap<u64, Bits> = BTreeMap::new();
        let mut look = |key: &[u8], marks: &[[u8; 8]]| {
            for (at, _) in marks.iter().enumerate().filter(|(_, mark)| **mark == wanted) {
                let number = key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number));
                set(all.entry(number).or_default(), at as u64);
            }
        };
        for layer in layers.frozen.as_deref().into_iter().chain([&layers.young]) {
            let range = layer.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
            for (key, change) in range.take_while(|(key, _)| key.starts_with(prefix)) {
                if let Change::Marks(marks) = change {
                    look(key, marks.as_slice());
                }
            }
        }
        for pair in self.sled.scan_prefix(prefix) {
            let (key, value) = pair?;
            look(&key, value.as_chunks().0);
        }
        Ok(all)
    }

    /// Puts what is young aside, to be settled. False when something is aside already, or nothing is young.
    pub(crate) fn freeze(&self) -> bool {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        if layers.frozen.is_some() || layers.young_from == layers.next {
            return false;
        }
        let Layers { young, page, .. } = &mut *layers;
        turn(young, page);
        layers.frozen = Some(Arc::new(std::mem::take(&mut layers.young)));
        layers.frozen_from = layers.young_from;
        layers.young_from = layers.next;
        true
    }

    /// Whether sled can be given more. One write without room and it answers nothing any more, until a new start: before
    /// that, what is young stays in memory. The journal takes no more than its prepared segments meanwhile.
    pub(crate) fn has_room(&self) -> bool {
        let Some((folder, reserve)) = &self.room else { return true };
        rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= *reserve)
    }

    /// Puts what is aside into sled. On an error it stays aside, and is still read.
    pub(crate) fn settle(&self) -> io::Result<()> {
        let (frozen, from, next) = {
            let layers = self.read();
            (layers.frozen.clone(), layers.frozen_from, layers.young_from)
        };
        let Some(frozen) = frozen else { return Ok(()) };
        let mut batch = sled::Batch::default();
        for (key, change) in frozen.iter() {
            match change {
                Change::Put(value) => batch.insert(key.as_slice(), value.as_slice()),
                Change::Delete => batch.remove(key.as_slice()),
                Change::Bits(_) | Change::Marks(_) => {
                    let bundle = key.last_chunk().map_or(0, |bundle| u64::from_be_bytes(*bundle));
                    // A bundle that began with this layer has nothing in sled.
                    let old = if bundle * 256 < from { self.sled.get(key)? } else { None };
                    batch.insert(key.as_slice(), change.over(old.as_deref().unwrap_or_default()));
                }
            }
        }
        batch.insert(NEXT, &next.to_be_bytes());
        self.sled.apply_batch(batch)?;
        self.layers.write().unwrap_or_else(PoisonError::into_inner).frozen = None;
        Ok(())
    }

    /// Asks sled to write what it has; only saves work at the next start.
    pub(crate) fn flush(&self) {
        if let Err(error) = self.sled.flush() {
            tracing::warn!(%error, "the views could not be flushed; the next start builds on the journal");
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layer that takes changes.
pub(crate) struct Young<'a> {
    layer: &'a mut Layer,
    page: &'a mut Page,
    from: u64,
}

impl Young<'_> {
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.layer.insert(key, Change::Put(value));
    }

    /// Deletes a key that the record `born` had put: one that is young never reaches sled at all.
    pub(crate) fn delete(&mut self, key: Vec<u8>, born: u64) {
        if born >= self.from {
            self.layer.remove(&key);
        } else {
            self.layer.insert(key, Change::Delete);
        }
    }

    /// The page of the bundle in which a record stands. Records come in order.
    pub(crate) fn page(&mut self, index: u64) -> &mut Page {
        if self.page.bundle() != index / 256 {
            turn(self.layer, self.page);
            self.page.begin(index / 256);
        }
        self.page
    }
}

/// Puts what a page holds into a layer.
fn turn(layer: &mut Layer, page: &mut Page) {
    for (attribute, value, more) in page.bits() {
        let key = in_bundle(key::attribute(attribute, value), page.bundle());
        if let Change::Bits(bits) = layer.entry(key).or_insert(Change::Bits([0; 32])) {
            unite(bits, more);
        }
    }
    for (attribute, more) in page.marks() {
        let key = in_bundle(key::marks(attribute), page.bundle());
        let change = layer.entry(key).or_insert_with(|| Change::Marks(Box::new([[0; 8]; 256])));
        if let Change::Marks(marks) = change {
            marks
                .iter_mut()
                .zip(more)
                .filter(|(_, more)| **more != [0; 8])
                .for_each(|(mark, more)| *mark = *more);
        }
    }
    page.clear();
}

impl Change {
    /// The value of bits or marks, over what is in sled.
    fn over(&self, below: &[u8]) -> Vec<u8> {
        match self {
            Change::Bits(bits) => {
                let mut united = *bits;
                unite(&mut united, below);
                united.to_vec()
            }
            Change::Marks(marks) => {
                let mut all = marks.clone();
                for (mark, below) in all.iter_mut().zip(below.as_chunks().0) {
                    if *mark == [0; 8] {
                        *mark = *below;
                    }
                }
                all.as_flattened().to_vec()
            }
            Change::Put(value) => value.clone(),
            Change::Delete => Vec::new(),
        }
    }
}

fn in_bundle(mut prefix: Vec<u8>, bundle: u64) -> Vec<u8> {
    prefix.extend_from_slice(&bundle.to_be_bytes());
    prefix
}

pub(super) fn set(bits: &mut Bits, at: u64) {
    if let Some(byte) = bits.get_mut((at / 8) as usize) {
        *byte |= 1 << (at % 8);
    }
}

/// Two layers in the order of their keys; where both have a key, the upper one counts.
fn over<'l>(
    upper: impl Iterator<Item = (&'l Vec<u8>, &'l Change)>,
    lower: impl Iterator<Item = (&'l Vec<u8>, &'l Change)>,
) -> impl Iterator<Item = (&'l Vec<u8>, &'l Change)> {
    let (mut upper, mut lower) = (upper.peekable(), lower.peekable());
    std::iter::from_fn(move || match (upper.peek(), lower.peek()) {
        (Some((above, _)), Some((below, _))) if below < above => lower.next(),
        (Some((above, _)), Some((below, _))) if below == above => {
            lower.next();
            upper.next()
        }
        (Some(_), _) => upper.next(),
        (None, _) => lower.next(),
    })
}

fn push(found: &mut Vec<(Vec<u8>, Vec<u8>)>, key: &[u8], change: &Change, below: Option<&[u8]>) {
    if !matches!(change, Change::Delete) {
        found.push((key.to_vec(), change.over(below.unwrap_or_default())));
    }
}

fn unite(bits: &mut Bits, more: &[u8]) {
    bits.iter_mut().zip(more).for_each(|(bits, more)| *bits |= more);
}

fn open_sled(folder: Option<&Path>) -> io::Result<sled::Db> {
    let config = sled::Config::new()
        .cache_capacity(32 << 20)
        .flush_every_ms(Some(1000))
        .mode(sled::Mode::HighThroughput);
    let config = match folder {
        Some(folder) => config.path(folder),
        None => config.temporary(true),
    };
    // sled panics on some damage instead of saying so.
    std::panic::catch_unwind(AssertUnwindSafe(|| config.open()))
        .map_err(|_| io::Error::other("sled gave up on its files"))?
        .map_err(io::Error::from)
}

fn usable(sled: &sled::Db, journal_end: u64) -> io::Result<bool> {
    let known = sled.get(FORM)?.is_none_or(|form| form == FORM_VERSION);
    Ok(known && read_next(sled)? <= journal_end)
}

fn read_next(sled: &sled::Db) -> io::Result<u64> {
    let next = sled.get(NEXT)?;
    Ok(next.and_then(|next| next.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
}
