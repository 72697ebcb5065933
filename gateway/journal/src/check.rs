//! Checking a data folder, offline and without any key but the log's public one: is every bit what it was?
//!
//! Owns: the walk over every frame, every seal, the key ring's form and the published log, and that journal and log
//! say the same. Opens nothing that is sealed, changes nothing, and can run beside a gateway.

use std::path::Path;
use std::sync::Arc;

use ledger::{Checkpoint, Digest, Event, Leaf, Trust};

use crate::disk::{Folder, RealDisk};
use crate::entry::Entry;
use crate::error::Damage;
use crate::publish::LogFiles;
use crate::segment::{Frames, START, Segment, Step};

/// What was found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How many records the journal holds.
    pub records: u64,
    /// The published log, if there is one.
    pub published: Option<Checkpoint>,
}

/// Names at most so many faults; the first ones say where to look.
const MOST: usize = 16;

/// Checks a data folder: journal, key ring and, against `trust`, the published log.
///
/// # Errors
/// Everything that is not what it was, by file, place and record. A torn tail is none: start-up cuts it.
pub fn check(folder: &Path, trust: &Trust) -> Result<Checked, Vec<Damage>> {
    let unread = |error| vec![Damage::unread("journal", &error)];
    let data = Folder::new(Arc::new(RealDisk), folder.to_owned()).map_err(unread)?;
    let mut walk = Walk::new(data.inside("journal").map_err(unread)?).map_err(unread)?;
    let mut damage = Vec::new();
    let published = published(&data, trust, &mut walk, &mut damage);
    while walk.next().is_some() {}
    let records = walk.index;
    damage.append(&mut walk.damage);
    match data.inside("keys").and_then(|keys| keys.read("ring")) {
        Ok(Some(bytes)) => damage.extend(crate::keys::check_form(&bytes).err()),
        Ok(None) if records == 0 => {}
        Ok(None) => damage.push(Damage::whole("keys/ring", "is missing, and with it every key")),
        Err(error) => damage.push(Damage::unread("keys/ring", &error)),
    }
    if published.as_ref().is_some_and(|checkpoint| checkpoint.size > records) {
        let what = "holds fewer records than were published";
        damage.push(Damage { file: "journal".into(), offset: 0, index: Some(records), what });
    }
    damage.truncate(MOST);
    if damage.is_empty() { Ok(Checked { records, published }) } else { Err(damage) }
}

/// A walk over the records of all segments: the hash of each, `None` for one that is not whole.
struct Walk {
    folder: Folder,
    names: Vec<String>,
    at: usize,
    current: Option<(Segment, Frames)>,
    index: u64,
    damage: Vec<Damage>,
}

impl Walk {
    fn new(folder: Folder) -> std::io::Result<Walk> {
        let mut names = folder.list()?;
        names.retain(|name| Segment::first_of(name).is_some());
        names.sort_unstable();
        Ok(Walk { folder, names, at: 0, current: None, index: 0, damage: Vec::new() })
    }

    fn open_next(&mut self) -> bool {
        let Some(name) = self.names.get(self.at) else { return false };
        self.at += 1;
        match Segment::open(&self.folder, name) {
            Ok(segment) => {
                let frames = segment.frames(START);
                self.current = Some((segment, frames));
            }
            Err(broken) => self.damage.push(broken),
        }
        true
    }

    /// The first record of the segment after the current one.
    fn next_first(&self) -> Option<u64> {
        self.names.get(self.at).and_then(|name| Segment::first_of(name))
    }

    /// Goes on behind a place where the current segment ends or breaks.
    fn leave(&mut self, segment: &Segment, offset: u64, frames: &mut Frames) {
        let next = self.next_first();
        let broken = match next {
            Some(next) => self.index < next,
            None => frames.later_calls_durable(offset, self.index).unwrap_or(true),
        };
        if broken {
            self.damage.push(segment.damage(offset, self.index, "has a broken or missing frame"));
        }
    }
}

impl Iterator for Walk {
    type Item = (u64, Option<Digest>);

    fn next(&mut self) -> Option<(u64, Option<Digest>)> {
        while self.damage.len() < MOST {
            let Some((segment, mut frames)) = self.current.take() else {
                if self.open_next() {
                    continue;
                }
                return None;
            };
            self.index = self.index.max(segment.first);
            let index = self.index;
            let offset = match frames.step() {
                Ok(Step::Frame(header, payload, offset)) if header.index == index => {
                    let hash = record_hash(payload);
                    if let Err(what) = hash {
                        self.damage.push(segment.damage(offset, index, what));
                    }
                    self.index += 1;
                    self.current = Some((segment, frames));
                    return Some((index, hash.ok()));
                }
                Ok(Step::Frame(_, _, offset) | Step::Broken(offset) | Step::End(offset)) => offset,
                Err(error) => {
                    self.damage.push(Damage::unread(&Segment::name(segment.first), &error));
                    continue;
                }
            };
            self.leave(&segment, offset, &mut frames);
        }
        None
    }
}

/// The hash of a frame's record, once everything that the record vouches for was compared with it.
fn record_hash(payload: &[u8]) -> Result<Digest, &'static str> {
    let entry = Entry::read(payload).ok_or("has a frame of another version")?;
    let leaf = Leaf::from_bytes(entry.record).map_err(|_| "has a record of another version")?;
    if let Some(sealed) = &entry.sealed {
        let vouched = leaf.client.and_then(|client| client.seal);
        if vouched != Some(Digest::seal(sealed.salt, sealed.ciphertext)) {
            return Err("has a sealed part that its record does not vouch for");
        }
    }
    for document in &entry.documents {
        let Event::Sent(carried) = &leaf.event else {
            return Err("has a document that belongs to no delivery");
        };
        let vouched = carried.to.iter().find(|to| to.delivery == Some(document.delivery));
        let seal = Digest::seal(document.sealed.salt, document.sealed.ciphertext);
        if vouched.and_then(|to| to.digest) != Some(seal) {
            return Err("has a document that its record does not vouch for");
        }
    }
    Ok(ledger::leaf_hash(entry.record))
}

/// Verifies the published log, and compares it with the journal on the way: both are read once, in order.
fn published(data: &Folder, trust: &Trust, walk: &mut Walk, damage: &mut Vec<Damage>) -> Option<Checkpoint> {
    let log = data.inside("log").ok()?;
    if matches!(log.read("checkpoint"), Ok(None)) {
        return None;
    }
    let mut differs = None;
    let mut own = walk.next();
    let verified = ledger::verify(&LogFiles::new(log), trust, &mut |index, record| {
        while own.is_some_and(|(at, _)| at < index) {
            own = walk.next();
        }
        let hash = own.filter(|(at, _)| *at == index).and_then(|(_, hash)| hash);
        if hash.is_some_and(|hash| hash != ledger::leaf_hash(record)) {
            differs.get_or_insert(index);
        }
    });
    if let Some(index) = differs {
        let what = "was published with another record than the journal holds";
        damage.push(Damage { file: "log".into(), offset: 0, index: Some(index), what });
    }
    match verified {
        Ok(verified) => Some(verified.checkpoint().clone()),
        Err(damaged) => {
            damage.extend(damaged.damage.iter().map(|fault| {
                tracing::error!(%fault, "the published log does not verify");
                Damage { file: format!("log: {fault}"), offset: 0, index: None, what: "does not verify" }
            }));
            None
        }
    }
}
