//! The bundles in the data folder: every one that was proposed, whole, by its digest.
//!
//! Owns: writing one so that a crash leaves all of it or nothing (temporary file, fsync, rename, fsync of the folder), and
//! reading it back only when its digest is still the one it is filed under. Which of them decides stands in the log, and
//! nowhere else: a crash between record and swap is mended by reading the log again (`start`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use journal::{Criteria, Journal, ReadError};
use ledger::{BundleRef, Event, Kind, Leaf};
use policy::{Digest, Files, digest_of_all};

/// Why a bundle was not stored or found.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The disk.
    #[error("{path}: {error}")]
    Disk {
        /// Which file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file is not what it was.
    #[error("{0}: this is not the bundle that was stored under this digest; restore it from a backup")]
    Damaged(String),
}

/// A folder of bundles.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf in this folder, which is made when it is not there.
    ///
    /// # Errors
    /// [`ShelfError::Disk`].
    pub fn open(folder: &Path) -> Result<Shelf, ShelfError> {
        fs::create_dir_all(folder).map_err(|error| disk(folder, error))?;
        Ok(Shelf { folder: folder.to_owned() })
    }

    /// Stores a bundle: durable when this returns. Storing one again replaces its signatures.
    ///
    /// # Errors
    /// [`ShelfError::Disk`]; what was there before is still there.
    pub fn put(&self, files: &Files) -> Result<Digest, ShelfError> {
        let digest = digest_of_all(files);
        let path = self.path(digest);
        let draft = path.with_extension("new");
        let written = (|| {
            let mut file = File::create(&draft)?;
            file.write_all(&encode(files)?)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.folder)?.sync_all()
        })();
        written.map(|()| digest).map_err(|error| disk(&path, error))
    }

    /// Reads a bundle; none when it was never stored.
    ///
    /// # Errors
    /// [`ShelfError::Damaged`] when its content is not that of its digest.
    pub fn get(&self, digest: Digest) -> Result<Option<Files>, ShelfError> {
        let path = self.path(digest);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(&path, error)),
        };
        let files = decode(&bytes).filter(|files| digest_of_all(files) == digest);
        files.map(Some).ok_or_else(|| ShelfError::Damaged(path.display().to_string()))
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}.bundle"))
    }
}

/// The bundle that decides by the log: the last one that a record says was activated, or rolled back to.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn last_activated(journal: &Journal) -> Result<Option<BundleRef>, ReadError> {
    let criteria = Criteria { kind: Some(Kind::Bundle), ..Criteria::default() };
    for index in journal.search(&criteria, None, usize::MAX)?.into_iter().rev() {
        let leaf = Leaf::from_bytes(&journal.record(index)?);
        if let Ok(Event::Bundle(change)) = leaf.map(|leaf| leaf.event)
            && change.holds()
        {
            return Ok(Some(change.about));
        }
    }
    Ok(None)
}

fn disk(path: &Path, error: io::Error) -> ShelfError {
    ShelfError::Disk { path: path.display().to_string(), error }
}

/// One JSON object, name → bytes in hexadecimal or text: an officer can look into it with any tool.
fn encode(files: &Files) -> io::Result<Vec<u8>> {
    let readable: BTreeMap<&str, Content<'_>> =
        files.iter().map(|(name, bytes)| (name.as_str(), Content::of(bytes))).collect();
    serde_json::to_vec_pretty(&readable).map_err(io::Error::other)
}

fn decode(bytes: &[u8]) -> Option<Files> {
    let readable: BTreeMap<String, Content<'_>> = serde_json::from_slice(bytes).ok()?;
    readable.into_iter().map(|(name, content)| Some((name, content.bytes()?))).collect()
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content<'a> {
    Text(std::borrow::Cow<'a, str>),
    Hex(String),
}

impl Content<'_> {
    fn of(bytes: &[u8]) -> Content<'_> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.into()),
            Err(_) => Content::Hex(hex::encode(bytes)),
        }
    }

    fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Content::Text(text) => Some(text.into_owned().into_bytes()),
            Content::Hex(text) => hex::decode(text).ok(),
        }
    }
}
