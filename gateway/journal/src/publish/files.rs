//! The files of the published log: written so that a name never stands for half a file, read for serving.
//!
//! Owns: temporary names, the order of flushes and renames, and the folders of tiles.

use std::collections::BTreeSet;
use std::io;

use ledger::{Tile, TileSource, Unreadable};

use crate::disk::Folder;

/// A thread of its own for every so many files, and at most so many threads: the file system flushes together what is
/// asked for at once, so that a log under load is published as it grows.
const FILES_A_THREAD: usize = 8;
const THREADS: usize = 8;

/// Writes tiles: each as a temporary file that is flushed; then all get their names; then their folders are
/// flushed. A crash in between leaves temporary files, or names that no checkpoint speaks of yet.
/// `made`: the folders that are known to be there.
pub(super) fn write(log: &Folder, tiles: &[(Tile, Vec<u8>)], made: &mut BTreeSet<String>) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for (tile, _) in tiles {
        let path = tile.to_string();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folders.insert(folder.to_owned()) && !made.contains(folder) {
            log.make_inside(folder)?;
            made.insert(folder.to_owned());
        }
    }
    write_temporaries(log, tiles)?;
    for (tile, _) in tiles {
        log.name_temporary(&tile.to_string())?;
    }
    folders.iter().try_for_each(|folder| log.sync_inside(folder))
}

fn write_temporaries(log: &Folder, tiles: &[(Tile, Vec<u8>)]) -> io::Result<()> {
    let write = |tiles: &[(Tile, Vec<u8>)]| {
        tiles.iter().try_for_each(|(tile, bytes)| log.write_temporary(&tile.to_string(), bytes))
    };
    if tiles.len() <= FILES_A_THREAD {
        return write(tiles);
    }
    let share = tiles.len().div_ceil(THREADS).max(FILES_A_THREAD);
    std::thread::scope(|scope| {
        let threads: Vec<_> = tiles.chunks(share).map(|tiles| scope.spawn(move || write(tiles))).collect();
        let gave_up = |_| Err(io::Error::other("a thread gave up while tiles were written"));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(gave_up))
    })
}

/// Removes the partial tiles in whose place there is a full one now.
pub(super) fn remove_partials(log: &Folder, full: Tile, made: &mut BTreeSet<String>) -> io::Result<()> {
    let folder = format!("{full}.p");
    made.remove(&folder);
    for name in log.list_inside(&folder)? {
        log.remove_inside(&folder, &name)?;
    }
    Ok(())
}

/// The published files of a log, to be served or verified: paths as C2SP tlog-tiles has them.
#[derive(Clone)]
pub struct LogFiles(Folder);

impl LogFiles {
    pub(crate) fn new(log: Folder) -> LogFiles {
        LogFiles(log)
    }
}

impl LogFiles {
    /// The log in a folder of this machine.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn open(folder: &std::path::Path) -> io::Result<LogFiles> {
        Ok(LogFiles(Folder::new(std::sync::Arc::new(crate::disk::RealDisk), folder.to_owned())?))
    }
}

impl TileSource for LogFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        // Only the paths of a log lead to a file: never out of the folder, never to a temporary one.
        if path != super::CHECKPOINT && path.parse::<Tile>().is_err() {
            return Err(Unreadable::Missing);
        }
        match self.0.read(path) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(Unreadable::Missing),
            Err(error) => Err(Unreadable::Failed(error.kind().to_string())),
        }
    }
}
