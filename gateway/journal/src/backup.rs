//! Backup and restore: a copy of the data folder that is checked before anyone relies on it.
//!
//! Owns: the order of copying, which makes a copy of a running gateway's folder consistent: first the published log,
//! then the journal, which only grows, and last the key ring, which knows at least every key of both. The
//! views are not copied: they are built again. Nor are the master secret and the log's signing key: they are
//! kept elsewhere, or the copy would open itself.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::Trust;

use crate::check::{Checked, check};
use crate::disk::{Folder, RealDisk};
use crate::error::Damage;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something in the folder that would be written to.
    #[error("the folder to write to is not empty: give a new one")]
    NotEmpty,
    /// There is nothing in the folder that would be read.
    #[error("the folder to copy holds no journal")]
    NoJournal,
    /// The copy is not whole.
    #[error("the copy is not whole: {}", damage.first().map(Damage::to_string).unwrap_or_default())]
    Damaged {
        /// What is wrong with it.
        damage: Vec<Damage>,
    },
    /// The disk said no.
    #[error("the copy could not be made: {0}")]
    Disk(#[from] io::Error),
}

/// Copies a data folder, of a gateway that may be running, to a new folder, and checks the copy.
///
/// An erasure that comes later is not made in the copy: let copies grow no older than erasure may wait.
///
/// # Errors
/// See [`BackupError`].
pub fn backup(data: &Path, to: &Path, trust: &Trust) -> Result<Checked, BackupError> {
    if !data.join("journal").is_dir() {
        return Err(BackupError::NoJournal);
    }
    let is_new = match std::fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_new {
        return Err(BackupError::NotEmpty);
    }
    let (from, into) = (folder(data)?, folder(to)?);
    copy_file(&from, &into, "log", "checkpoint")?;
    copy_folder(&from, &into, Path::new("log"))?;
    copy_folder(&from, &into, Path::new("journal"))?;
    copy_folder(&from, &into, Path::new("keys"))?;
    check(to, trust).map_err(|damage| BackupError::Damaged { damage })
}

/// Puts a backup in place of a data folder that is not there, and checks it before and after. Whether the copy is
/// the newest is for the witnesses to say, when the gateway starts.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(from: &Path, data: &Path, trust: &Trust) -> Result<Checked, BackupError> {
    if !from.join("journal").is_dir() {
        return Err(BackupError::NoJournal);
    }
    check(from, trust).map_err(|damage| BackupError::Damaged { damage })?;
    backup(from, data, trust)
}

fn folder(path: &Path) -> io::Result<Folder> {
    Folder::new(Arc::new(RealDisk), path.to_owned())
}

fn copy_folder(from: &Folder, to: &Folder, below: &Path) -> io::Result<()> {
    let mut folders: Vec<PathBuf> = vec![below.to_owned()];
    while let Some(below) = folders.pop() {
        let Some(name) = below.to_str() else { continue };
        for file in from.list_inside(name)? {
            let path = below.join(&file);
            if from.path().join(&path).is_dir() {
                folders.push(path);
            } else if !file.ends_with(".tmp") {
                copy_file(from, to, name, &file)?;
            }
        }
    }
    Ok(())
}

/// Copies one file in pieces, unless it is there already; one that has gone meanwhile is not needed any more.
fn copy_file(from: &Folder, to: &Folder, below: &str, name: &str) -> io::Result<()> {
    let path = format!("{below}/{name}");
    if to.path().join(&path).exists() {
        return Ok(());
    }
    let source = match from.open(&path) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    to.make_inside(below)?;
    let target = to.create(&format!("{path}.tmp"))?;
    let mut piece = vec![0; 1 << 20];
    let mut offset = 0;
    loop {
        let read = source.read_at(&mut piece, offset)?;
        if read == 0 {
            break;
        }
        target.write_at(piece.get(..read).unwrap_or_default(), offset)?;
        offset += read as u64;
    }
    target.sync()?;
    to.put(&format!("{path}.tmp"), &path)
}
