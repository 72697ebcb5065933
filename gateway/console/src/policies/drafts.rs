//! Drafts of policy: files of the bundle in force with what was changed in them, kept until they are proposed.
//!
//! Owns: their files beside the journal, one a draft, each written whole or not at all, and that two officers at once do
//! not overwrite each other: a change says which version it was made on. A restart loses nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use model::{Name, Timestamp};
use policy::Digest;
use serde::{Deserialize, Serialize};

/// A draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    /// Its name: when it was begun, in milliseconds.
    pub(crate) id: u64,
    /// What it is for.
    pub(crate) title: String,
    /// Who began it.
    pub(crate) by: Name,
    /// When.
    pub(crate) at: Timestamp,
    /// The bundle that it changes.
    pub(crate) base: Digest,
    /// It goes back to that bundle, which decided before.
    #[serde(default)]
    pub(crate) back: bool,
    /// Goes up with every change.
    pub(crate) version: u64,
    /// Who changed it last.
    pub(crate) last: Name,
    /// The files that differ.
    pub(crate) files: BTreeMap<String, String>,
    /// Signatures over it as it is: holder of the key → 64 bytes in hexadecimal.
    pub(crate) signatures: BTreeMap<Name, String>,
}

/// What came of a change.
pub(crate) enum Saved {
    /// It is kept.
    Kept,
    /// Someone else changed the draft in between: this is what it is now.
    Overtaken(Box<Draft>),
    /// There is no such draft.
    Gone,
}

/// All drafts.
pub(crate) struct Drafts {
    folder: PathBuf,
    /// Held while a draft is read, changed and written.
    lock: Mutex<()>,
}

impl Drafts {
    /// The drafts in this folder; it is made with the first one.
    pub(crate) fn new(folder: PathBuf) -> Drafts {
        Drafts { folder, lock: Mutex::default() }
    }

    /// Every draft, the newest first.
    pub(crate) fn all(&self) -> io::Result<Vec<Draft>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut drafts = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                drafts.push(serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)?);
            }
        }
        drafts.sort_by_key(|draft: &Draft| std::cmp::Reverse(draft.id));
        Ok(drafts)
    }

    /// One draft.
    pub(crate) fn get(&self, id: u64) -> io::Result<Option<Draft>> {
        match fs::read(self.path(id)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a new draft.
    pub(crate) fn begin(&self, draft: &Draft) -> io::Result<()> {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(draft)
    }

    /// Changes the draft that someone saw as this version; as any version, where a change is right beside every other.
    pub(crate) fn change(
        &self,
        id: u64,
        version: Option<u64>,
        change: impl FnOnce(&mut Draft),
    ) -> io::Result<Saved> {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut draft) = self.get(id)? else { return Ok(Saved::Gone) };
        if version.is_some_and(|version| version != draft.version) {
            return Ok(Saved::Overtaken(Box::new(draft)));
        }
        change(&mut draft);
        draft.version += 1;
        self.write(&draft).map(|()| Saved::Kept)
    }

    /// Lets go of a draft.
    pub(crate) fn end(&self, id: u64) -> io::Result<()> {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        fs::remove_file(self.path(id))
    }

    fn write(&self, draft: &Draft) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let (path, new) = (self.path(draft.id), self.folder.join(format!("{}.new", draft.id)));
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(draft).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}
