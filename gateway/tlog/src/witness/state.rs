//! What a witness remembers: one small file a log, replaced as a whole, durable before anything is cosigned.
//!
//! Owns: the folder `seen/` and the form of its files, version 1: the form's name, origin, size, root, and a digest of
//! these lines, for a file that is read wrong would let a log start anew. `evidence/` keeps what two-faced logs signed.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ledger::witness::Seen;
use ledger::{Digest, KeyName};

use super::WitnessError;

const FORM: &str = "veldwacht-witness/v1";

/// More signed proof of misbehaviour than this is not needed.
const EVIDENCE: usize = 100;

pub(super) struct State {
    folder: PathBuf,
    seen: HashMap<KeyName, Seen>,
    /// Keeps a second witness off this folder.
    _lock: File,
}

impl State {
    pub(super) fn open(folder: &Path) -> Result<State, WitnessError> {
        for name in ["seen", "evidence"] {
            fs::create_dir_all(folder.join(name))?;
        }
        sync(folder)?;
        let lock = file(&folder.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another witness uses this folder"))?;
        let mut seen = HashMap::new();
        for entry in fs::read_dir(folder.join("seen"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                fs::remove_file(path)?; // a crash left it; it had no name yet, and nothing was cosigned on it
                continue;
            }
            let damaged = || WitnessError::Damaged { file: path.display().to_string() };
            let text = fs::read_to_string(&path).map_err(|_| damaged())?;
            let (origin, state) = read(&text).ok_or_else(damaged)?;
            if path.file_name() != Some(name_of(&origin).as_ref()) {
                return Err(damaged());
            }
            seen.insert(origin, state);
        }
        Ok(State { folder: folder.to_owned(), seen, _lock: lock })
    }

    pub(super) fn seen(&self, origin: &KeyName) -> Option<Seen> {
        self.seen.get(origin).copied()
    }

    /// Durable when it returns. On an error it is not known what is on disk; what is in memory stays the smaller one,
    /// which at worst lets the log ask once more.
    pub(super) fn remember(&mut self, origin: &KeyName, state: Seen) -> io::Result<()> {
        if self.seen(origin) == Some(state) {
            return Ok(());
        }
        let below = self.folder.join("seen");
        let (name, temporary) = (below.join(name_of(origin)), below.join("next.tmp"));
        let mut next = file(&temporary)?;
        next.set_len(0)?;
        next.write_all(write(origin, state).as_bytes())?;
        next.sync_all()?;
        fs::rename(temporary, name)?;
        sync(&below)?;
        self.seen.insert(origin.clone(), state);
        Ok(())
    }

    /// Keeps a signed request that contradicts what was cosigned. Gives the name of the file.
    pub(super) fn keep_evidence(&self, body: &[u8]) -> io::Result<String> {
        let below = self.folder.join("evidence");
        let path = below.join(Digest::of(body).to_string());
        if !path.exists() && fs::read_dir(&below)?.count() < EVIDENCE {
            file(&path)?.write_all(body)?;
            sync(&below)?;
        }
        Ok(path.display().to_string())
    }
}

/// Origins have slashes; their digests do not.
fn name_of(origin: &KeyName) -> String {
    Digest::of(origin.as_str().as_bytes()).to_string()
}

fn write(origin: &KeyName, state: Seen) -> String {
    let lines = format!("{FORM}\n{origin}\n{}\n{}\n", state.size, state.root);
    format!("{lines}{}\n", Digest::of(lines.as_bytes()))
}

fn read(text: &str) -> Option<(KeyName, Seen)> {
    let mut lines = text.lines();
    let (form, origin, size, root) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
    let (origin, state): (KeyName, Seen) =
        (origin.parse().ok()?, Seen { size: size.parse().ok()?, root: root.parse().ok()? });
    (form == FORM && text == write(&origin, state)).then_some((origin, state))
}

fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
