//! The folder on disk: what is secret is readable by its owner only, and a reader never sees half a file.
//!
//! Owns: modes and atomic replacement. A gateway may read these files while they are replaced.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::failure::{Doing, Outcome};

pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn create(path: &Path) -> Outcome<Folder> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .unreachable(format_args!("make {}", path.display()))?;
        Ok(Folder(path.to_owned()))
    }

    pub(super) fn open(path: &Path) -> Folder {
        Folder(path.to_owned())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(super) fn read(&self, name: &str) -> Outcome<String> {
        let path = self.path(name);
        fs::read_to_string(&path).wrong(format_args!("read {} (is this a development CA?)", path.display()))
    }

    /// Writes something that everyone may read.
    pub(super) fn write(&self, name: &str, text: &str) -> Outcome {
        self.replace(name, text, 0o644)
    }

    /// Writes a key: mode 0600 from its first byte on.
    pub(super) fn write_secret(&self, name: &str, text: &str) -> Outcome {
        self.replace(name, text, 0o600)
    }

    fn replace(&self, name: &str, text: &str, mode: u32) -> Outcome {
        let path = self.path(name);
        let doing = format!("write {}", path.display());
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).unreachable(&doing)?;
        }
        let draft = self.path(&format!("{name}.new"));
        // A draft that an earlier run left behind could have another mode.
        let _ = fs::remove_file(&draft);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&draft)
            .unreachable(&doing)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).unreachable(&doing)?;
        fs::rename(&draft, &path).unreachable(&doing)
    }
}
