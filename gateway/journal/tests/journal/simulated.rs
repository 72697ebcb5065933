//! A disk in memory that fails when told to, and forgets what was not flushed when the power is cut.
//!
//! Files and names are kept twice: as a running process sees them, and as they would be found after a power
//! cut. In between, sectors of 512 bytes that were written but not flushed survive or not, at random; names survive
//! in the order they were made, up to some point of each folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Disk, DiskFile};

const SECTOR: usize = 512;

/// What a failing step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not done.
    Failed,
    /// It is done, and says that it is not.
    FailedButPersisted,
    /// It is not done, and nothing is any more.
    PowerOff,
    /// No room: only writes that make a file longer fail, until told otherwise.
    Full,
}

#[derive(Clone, Default)]
struct Content {
    now: Vec<u8>,
    flushed: Vec<u8>,
    unflushed: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Node {
    File(usize),
    Folder,
}

#[derive(Clone)]
enum Naming {
    Put(PathBuf, Node),
    Gone(PathBuf),
}

#[derive(Clone, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<PathBuf, Node>,
    flushed_names: BTreeMap<PathBuf, Node>,
    unflushed_names: Vec<Naming>,
    steps: u64,
    fault: Option<(u64, Fault)>,
    /// Which step failed.
    failed: Option<String>,
}

/// The disk.
#[derive(Clone, Default)]
pub(crate) struct Simulated(Arc<Mutex<State>>);

struct OpenFile(Simulated, usize, PathBuf);

impl Simulated {
    /// The same content on another disk.
    pub(crate) fn copy(&self) -> Simulated {
        let mut state = self.lock().clone();
        (state.steps, state.fault, state.failed) = (0, None, None);
        Simulated(Arc::new(Mutex::new(state)))
    }

    /// Fails at the `step`th step from now.
    pub(crate) fn fail_at(&self, step: u64, fault: Fault) {
        let mut state = self.lock();
        state.fault = Some((state.steps + step, fault));
    }

    pub(crate) fn heal(&self) {
        self.lock().fault = None;
    }

    /// Which step failed, if one did.
    pub(crate) fn failed(&self) -> Option<String> {
        self.lock().failed.clone()
    }

    /// What is left after a power cut.
    pub(crate) fn after_power_cut(&self, seed: u64) -> Simulated {
        let old = self.lock();
        let mut random = Random(seed);
        let mut names = old.flushed_names.clone();
        let mut stopped = std::collections::BTreeSet::new();
        for naming in &old.unflushed_names {
            let (Naming::Put(path, _) | Naming::Gone(path)) = naming;
            let folder = path.parent().unwrap().to_owned();
            if stopped.contains(&folder) || random.next().is_multiple_of(2) {
                stopped.insert(folder);
                continue;
            }
            match naming {
                Naming::Put(path, node) => names.insert(path.clone(), *node),
                Naming::Gone(path) => names.remove(path),
            };
        }
        let alive = |path: &PathBuf| {
            path.ancestors()
                .skip(1)
                .filter(|folder| folder.parent().is_some())
                .all(|folder| names.contains_key(folder))
        };
        let names: BTreeMap<_, _> =
            names.iter().filter(|(path, _)| alive(path)).map(|(path, node)| (path.clone(), *node)).collect();
        let files: Vec<Content> = old.files.iter().map(|file| survive(file, &mut random)).collect();
        let state = State { files, flushed_names: names.clone(), names, ..State::default() };
        Simulated(Arc::new(Mutex::new(state)))
    }

    /// The bytes of every file, by name: to change them, or to look for something in them.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.lock();
        let files = state.names.iter().filter_map(|(path, node)| match node {
            Node::File(file) => Some((path.clone(), state.files[*file].now.clone())),
            Node::Folder => None,
        });
        files.collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts a step and does it, unless it is the one that fails.
    fn step<T>(
        &self,
        what: impl FnOnce() -> String,
        grows: bool,
        does: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.lock();
        state.steps += 1;
        let steps = state.steps;
        let fault = state.fault.filter(|(at, fault)| match fault {
            Fault::Failed | Fault::FailedButPersisted => steps == *at,
            Fault::PowerOff => steps >= *at,
            Fault::Full => steps >= *at && grows,
        });
        let Some((_, fault)) = fault else { return does(&mut state) };
        let what = what();
        state.failed.get_or_insert(what);
        if fault == Fault::FailedButPersisted {
            does(&mut state)?;
        }
        Err(io::Error::other("the test says no"))
    }
}

fn survive(file: &Content, random: &mut Random) -> Content {
    let mut left = file.flushed.clone();
    for (from, to) in &file.unflushed {
        if left.len() < *to && !random.next().is_multiple_of(3) {
            left.resize(*to, 0);
        }
        let mut at = *from;
        while at < *to {
            let end = ((at / SECTOR + 1) * SECTOR).min(*to);
            if random.next().is_multiple_of(2) && end <= left.len() && end <= file.now.len() {
                left[at..end].copy_from_slice(&file.now[at..end]);
            }
            at = end;
        }
    }
    Content { now: left.clone(), flushed: left, unflushed: Vec::new() }
}

impl Disk for Simulated {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let folders: Vec<PathBuf> = dir.ancestors().map(Path::to_owned).collect();
        for folder in folders.into_iter().rev().filter(|folder| folder.parent().is_some()) {
            if !state.names.contains_key(&folder) {
                state.names.insert(folder.clone(), Node::Folder);
                state.unflushed_names.push(Naming::Put(folder, Node::Folder));
            }
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
    }

    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let open = |file| -> Arc<dyn DiskFile> { Arc::new(OpenFile(self.clone(), file, path.to_owned())) };
        if !create {
            return match self.lock().names.get(path) {
                Some(Node::File(file)) => Ok(open(*file)),
                _ => Err(io::ErrorKind::NotFound.into()),
            };
        }
        let file = self.step(
            || format!("create {path:?}"),
            true,
            |state| {
                let file = state.files.len();
                state.files.push(Content::default());
                state.names.insert(path.to_owned(), Node::File(file));
                state.unflushed_names.push(Naming::Put(path.to_owned(), Node::File(file)));
                Ok(file)
            },
        )?;
        Ok(open(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(
            || format!("rename to {to:?}"),
            false,
            |state| {
                let node = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
                state.names.insert(to.to_owned(), node);
                state.unflushed_names.push(Naming::Put(to.to_owned(), node));
                state.unflushed_names.push(Naming::Gone(from.to_owned()));
                Ok(())
            },
        )
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(
            || format!("remove {path:?}"),
            false,
            |state| {
                state.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
                state.unflushed_names.push(Naming::Gone(path.to_owned()));
                Ok(())
            },
        )
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(
            || format!("flush names of {dir:?}"),
            false,
            |state| {
                let of_dir = |path: &PathBuf| path.parent() == Some(dir);
                let (flush, keep) =
                    std::mem::take(&mut state.unflushed_names).into_iter().partition(|naming| {
                        let (Naming::Put(path, _) | Naming::Gone(path)) = naming;
                        of_dir(path)
                    });
                state.unflushed_names = keep;
                let flush: Vec<Naming> = flush;
                for naming in flush {
                    match naming {
                        Naming::Put(path, node) => state.flushed_names.insert(path, node),
                        Naming::Gone(path) => state.flushed_names.remove(&path),
                    };
                }
                Ok(())
            },
        )
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }
}

impl DiskFile for OpenFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.0.lock();
        let rest = state.files[self.1].now.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        let grows = to > self.0.lock().files[self.1].now.len();
        self.0.step(
            || format!("write {} bytes to {:?}", bytes.len(), self.2),
            grows,
            |state| {
                let content = &mut state.files[self.1];
                content.now.resize(content.now.len().max(to), 0);
                content.now[from..to].copy_from_slice(bytes);
                content.unflushed.push((from, to));
                Ok(())
            },
        )
    }

    fn sync(&self) -> io::Result<()> {
        self.0.step(
            || format!("flush {:?}", self.2),
            false,
            |state| {
                let content = &mut state.files[self.1];
                content.flushed = content.now.clone();
                content.unflushed.clear();
                Ok(())
            },
        )
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().files[self.1].now.len() as u64)
    }
}

/// A small generator (SplitMix64), so that every failing case can be played again from its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
