//! Samples with a list to work through: what was drawn, what was looked at, and what was remarked about it.
//!
//! Owns: the files of these lists, beside the journal, one a sample, each written whole or not at all. A list can be drawn
//! again by anyone from its seed and size; only ticks and remarks are new. A restart loses nothing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use model::{Name, Timestamp};
use serde::{Deserialize, Serialize};

/// A sample and how far it was looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkList {
    /// Its name: when it was drawn, in milliseconds.
    pub(crate) id: u64,
    /// From what it was drawn.
    pub(crate) seed: String,
    /// Over how many records.
    pub(crate) size: u64,
    /// Who drew it.
    pub(crate) by: Name,
    /// When.
    pub(crate) at: Timestamp,
    /// What was drawn, in the order of the log.
    pub(crate) items: Vec<WorkItem>,
}

/// One record of a sample.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkItem {
    /// Which record.
    pub(crate) index: u64,
    /// Who looked at it, once someone did.
    pub(crate) done: Option<Name>,
    /// What was remarked.
    pub(crate) remark: String,
}

/// What an auditor says of a record.
pub(crate) struct Note {
    /// Who looked at it; none when it is not looked at.
    pub(crate) done: Option<Name>,
    /// What is remarked.
    pub(crate) remark: String,
    /// The remark that stood there when this one was written.
    pub(crate) was: String,
}

impl WorkItem {
    /// Who looked first stays; a remark that someone else wrote meanwhile stays beside this one.
    fn take(&mut self, Note { done, remark, was }: Note) {
        self.done = done.map(|by| self.done.take().unwrap_or(by));
        let overtaken = self.remark != was && self.remark != remark && !self.remark.is_empty();
        self.remark = if overtaken && remark != was {
            format!("{} | {remark}", self.remark)
        } else if overtaken {
            self.remark.clone()
        } else {
            remark
        };
    }
}

/// All lists.
pub(crate) struct WorkLists {
    folder: PathBuf,
    /// Held while a list is read, changed and written.
    lock: Mutex<()>,
}

impl WorkLists {
    /// The lists in this folder; it is made with the first one.
    pub(crate) fn new(folder: PathBuf) -> WorkLists {
        WorkLists { folder, lock: Mutex::default() }
    }

    /// Every list, the newest first.
    pub(crate) fn all(&self) -> io::Result<Vec<WorkList>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut lists = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                lists.push(serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)?);
            }
        }
        lists.sort_by_key(|list: &WorkList| std::cmp::Reverse(list.id));
        Ok(lists)
    }

    /// One list.
    pub(crate) fn get(&self, id: u64) -> io::Result<Option<WorkList>> {
        match fs::read(self.path(id)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a new list.
    pub(crate) fn put(&self, list: &WorkList) -> io::Result<()> {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(list)
    }

    /// Ticks a record off, or takes the tick back, with a remark. Two auditors at once each keep what they did.
    pub(crate) fn note(&self, id: u64, index: u64, note: Note) -> io::Result<bool> {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut list) = self.get(id)? else { return Ok(false) };
        let Some(item) = list.items.iter_mut().find(|item| item.index == index) else { return Ok(false) };
        item.take(note);
        self.write(&list).map(|()| true)
    }

    fn write(&self, list: &WorkList) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let (path, draft) = (self.path(list.id), self.folder.join(format!("{}.new", list.id)));
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(list).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_auditors_on_one_record_neither_loses_a_remark_or_a_tick() {
        let name = |name: &str| name.parse::<Name>().unwrap();
        let mut item = WorkItem { index: 7, done: None, remark: String::new() };
        let note = |by: Option<&str>, remark: &str, was: &str| Note {
            done: by.map(name),
            remark: remark.to_owned(),
            was: was.to_owned(),
        };
        item.take(note(Some("auditor-1"), "klopt", ""));
        item.take(note(Some("auditor-2"), "vraag gesteld", ""));
        assert_eq!(item.remark, "klopt | vraag gesteld");
        assert_eq!(item.done, Some(name("auditor-1")), "who looked first");
        item.take(note(Some("auditor-2"), "", ""));
        assert_eq!(item.remark, "klopt | vraag gesteld", "who wrote nothing wipes nothing out");
        item.take(note(None, "", "klopt | vraag gesteld"));
        assert_eq!((item.remark.as_str(), &item.done), ("", &None), "who saw it may take it away");
    }
}
