//! What every example begins with: where the repository is, and its lexicon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a lexicon by name; `LEXICON` names the folder of another than the repository's.
pub(crate) fn lexicon() -> BTreeMap<String, Vec<u8>> {
    let folder = std::env::var_os("LEXICON").map_or_else(|| root().join("policies/lexicon"), PathBuf::from);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}
