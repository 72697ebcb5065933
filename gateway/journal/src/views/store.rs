//! Views as they are stored: what is young in memory, what is older in sled and in flat files, read as one.
//!
//! Owns: the layers and their order. New changes go to `young`; when that is large or old it is frozen and put into sled
//! as one batch, with the index of the record after the last one in the same batch; what is found by a number goes into
//! flat files before that. What was never put into sled, or lost by it, is replayed from the journal: sled's flush is not
//! trusted with anything.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::flat::Flat;
use super::key;
use super::layer::{Bits, Change, Layer, Marks, Young, amend, number, over, push, set, turn, unite};
use super::page::Page;
use super::search::MARKED;

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

impl Layers {
    /// The first record whose changes are not in sled.
    fn settled(&self) -> u64 {
        if self.frozen.is_some() { self.frozen_from } else { self.young_from }
    }
}

/// The views' store. One thread changes it; any may read.
pub(crate) struct Store {
    layers: RwLock<Layers>,
    sled: sled::Db,
    /// What is found by the number of a record or bundle does not go to sled: places, and each attribute's marks.
    places: Flat,
    marks: [(u8, Flat); MARKED.len()],
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
            let fine = usable(&sled, folder, journal_end)?;
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
        let (places, marks) = flats(folder)?;
        Ok(Store { layers: RwLock::new(layers), sled, places, marks, room })
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

    /// How many records are in the journal's views, and not in sled.
    pub(crate) fn behind(&self) -> u64 {
        let layers = self.read();
        layers.next.saturating_sub(layers.settled())
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

    /// For those who read what the search view keeps: what the page holds stands in the layer as well.
    pub(crate) fn turn_page(&self) {
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
            Some(Change::Bits(..) | Change::Marks(_)) | None => match key.first() {
                // A place is a hint: without one, looking takes longer.
                Some(&key::PLACE) => Ok(self.places.get(number(key)).unwrap_or_default()),
                _ => Ok(self.sled.get(key)?.map(|value| value.to_vec())),
            },
        }
    }

    /// Keys and values that begin with `prefix`, in order, after the key `after`, at most `limit`.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
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
                push(&mut found, above, &change, None);
            }
            match upper.next_if(|(above, _)| above.as_slice() == key.as_ref()) {
                Some((above, change)) => push(&mut found, above, &change, Some(&value)),
                None => found.push((key.to_vec(), value.to_vec())),
            }
        }
        while found.len() < limit
            && let Some((key, change)) = upper.next()
        {
            push(&mut found, key, &change, None);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The bit sets of every key that begins with `prefix`, by the number at the end of the key.
    pub(crate) fn bits(&self, prefix: &[u8]) -> io::Result<BTreeMap<u64, Bits>> {
        self.turn_page();
        let layers = self.read();
        let mut all: BTreeMap<u64, Bits> = BTreeMap::new();
        for pair in self.sled.scan_prefix(prefix) {
            let (key, value) = pair?;
            unite(all.entry(number(&key)).or_default(), &value);
        }
        for layer in layers.frozen.as_deref().into_iter().chain([&layers.young]) {
            let range = layer.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
            for (key, change) in range.take_while(|(key, _)| key.starts_with(prefix)) {
                if let Change::Bits(more, fewer) = change {
                    amend(all.entry(number(key)).or_default(), more, fewer);
                }
            }
        }
        Ok(all)
    }

    /// Which records have this mark of an attribute: looks at eight bytes for every record there is.
    pub(crate) fn marked(&self, attribute: u8, wanted: [u8; 8]) -> io::Result<BTreeMap<u64, Bits>> {
        self.turn_page();
        let layers = self.read();
        let mut all: BTreeMap<u64, Bits> = BTreeMap::new();
        let mut look = |bundle: u64, marks: &[[u8; 8]]| {
            for (at, _) in marks.iter().enumerate().filter(|(_, mark)| **mark == wanted) {
                set(all.entry(bundle).or_default(), at as u64);
            }
        };
        let prefix = key::marks(attribute);
        for layer in layers.frozen.as_deref().into_iter().chain([&layers.young]) {
            let range = layer.range::<[u8], _>((Bound::Included(prefix.as_slice()), Bound::Unbounded));
            for (key, change) in range.take_while(|(key, _)| key.starts_with(&prefix)) {
                if let Change::Marks(marks) = change {
                    look(number(key), marks.as_slice());
                }
            }
        }
        if let Some(flat) = self.flat(attribute) {
            flat.each(layers.settled().div_ceil(256), &mut |bundle, marks| {
                look(bundle, marks.as_chunks().0)
            })?;
        }
        Ok(all)
    }

    fn flat(&self, attribute: u8) -> Option<&Flat> {
        self.marks.iter().find(|(known, _)| *known == attribute).map(|(_, flat)| flat)
    }

    /// Puts what is young aside, to be settled, with the last changes that belong to it. False when something is aside
    /// already, or nothing is young.
    pub(crate) fn freeze(&self, last: impl FnOnce(&mut Young<'_>)) -> bool {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        if layers.frozen.is_some() || (layers.young_from == layers.next && layers.young.is_empty()) {
            return false;
        }
        let from = layers.young_from;
        let Layers { young, page, .. } = &mut *layers;
        turn(young, page);
        last(&mut Young { layer: young, page, from });
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
                Change::Put(value) if key.first() == Some(&key::PLACE) => {
                    self.places.put(number(key), value)?
                }
                Change::Put(value) => batch.insert(key.as_slice(), value.as_slice()),
                Change::Delete => batch.remove(key.as_slice()),
                Change::Bits(..) => {
                    // A bundle that began with this layer has nothing in sled.
                    let old = if number(key) * 256 < from { self.sled.get(key)? } else { None };
                    let value = change.over(old.as_deref().unwrap_or_default());
                    match (value.iter().all(|byte| *byte == 0), old) {
                        (false, _) => batch.insert(key.as_slice(), value),
                        (true, Some(_)) => batch.remove(key.as_slice()),
                        (true, None) => {}
                    }
                }
                Change::Marks(_) => {
                    let Some(flat) = key.get(1).and_then(|attribute| self.flat(*attribute)) else { continue };
                    let old = if number(key) * 256 < from { flat.get(number(key))? } else { None };
                    flat.put(number(key), &change.over(old.as_deref().unwrap_or_default()))?;
                }
            }
        }
        // What stands in flat files must be durable before sled says that it is there.
        std::iter::once(&self.places)
            .chain(self.marks.iter().map(|(_, flat)| flat))
            .try_for_each(Flat::sync)?;
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

fn usable(sled: &sled::Db, folder: Option<&Path>, journal_end: u64) -> io::Result<bool> {
    let known = sled.get(FORM)?.is_none_or(|form| form == FORM_VERSION);
    let next = read_next(sled)?;
    if !known || next > journal_end || folder.is_none() {
        return Ok(known && next <= journal_end);
    }
    let (places, marks) = flats(folder)?;
    // Every sixteenth record has a place; and a power cut may have torn what was written last of the last bundle.
    let whole = marks.iter().all(|(_, flat)| flat.get(next / 256).is_ok());
    Ok(whole && places.cells()? >= next.div_ceil(super::PLACES))
}

/// The flat files of views in a folder.
fn flats(folder: Option<&Path>) -> io::Result<(Flat, [(u8, Flat); MARKED.len()])> {
    let [client, user, exchange] = MARKED;
    let open = |name, width| Flat::open(folder, name, width);
    let marks = [
        (client, open("marks-of-clients", size_of::<Marks>())?),
        (user, open("marks-of-users", size_of::<Marks>())?),
        (exchange, open("marks-of-exchanges", size_of::<Marks>())?),
    ];
    Ok((open("places", 16)?, marks))
}

fn read_next(sled: &sled::Db) -> io::Result<u64> {
    let next = sled.get(NEXT)?;
    Ok(next.and_then(|next| next.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
}
