//! Publishing: from frames on disk to tiles, entry bundles and a signed checkpoint in `log/`.
//!
//! Owns: the folder `log/`. Everything is computed from the persisted bytes, written beside the critical path, and
//! named by one last rename of the checkpoint. A crash anywhere leaves files that the next run writes
//! again, with the same bytes: normal publishing and recovery are the same code.

mod edge;
mod files;
mod thread;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use ledger::{Algorithm, Checkpoint, KeyName, Note, NoteSigner, Signature, Tile, VerifierKey};
use ring::signature::Ed25519KeyPair;

use crate::disk::Folder;
use crate::entry::Entry;
use crate::error::{Damage, OpenError, ReadError};
use crate::journal::Journal;
use edge::Edge;
pub use files::LogFiles;
pub use thread::{Published, PublishedLog, PublisherThread};

const CHECKPOINT: &str = "checkpoint";

/// Records go into tiles in pieces of so many, so that a long backlog takes no memory.
const PIECE: u64 = 16_384;

/// The log's own signing key with its name, the origin.
pub struct LogKey {
    name: KeyName,
    pair: Ed25519KeyPair,
}

impl LogKey {
    /// A key from its PKCS#8 form.
    ///
    /// # Errors
    /// When the bytes are not an Ed25519 key.
    pub fn new(name: KeyName, pkcs8: &[u8]) -> Result<LogKey, model::Invalid> {
        let invalid = model::Invalid { what: "log key", expected: "an Ed25519 key as PKCS#8" };
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| invalid)?;
        Ok(LogKey { name, pair })
    }

    /// The origin.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What others verify with: the content of `log.vkey`.
    pub fn verifier(&self) -> VerifierKey {
        self.signer().verifier(Algorithm::Ed25519)
    }

    fn signer(&self) -> NoteSigner<'_> {
        NoteSigner::new(&self.name, &self.pair)
    }
}

/// The checkpoint that was last signed for a journal, with the files that it speaks of: what witnesses are asked about
/// before anything more is published. A log that has none yet gets an empty one.
///
/// # Errors
/// [`OpenError`] when it is not a checkpoint of this log.
pub fn last_signed(journal: &Journal, key: &LogKey) -> Result<(Checkpoint, Note, LogFiles), OpenError> {
    let log = journal.folder.inside("log")?;
    let (checkpoint, note) = match log.read(CHECKPOINT)? {
        Some(bytes) => read_own(&bytes, key)?,
        None => {
            let checkpoint = Checkpoint { origin: key.name.clone(), size: 0, root: ledger::empty_root() };
            let note = sign(&checkpoint, key)?;
            (checkpoint, note)
        }
    };
    Ok((checkpoint, note, LogFiles::new(log)))
}

/// Writes the log. There is one for a journal.
pub struct Publisher {
    journal: Arc<Journal>,
    key: LogKey,
    log: Folder,
    edge: Edge,
    note: Note,
    /// Whether the note stands in the folder.
    signed: bool,
    /// Folders of tiles that are known to be there.
    made: BTreeSet<String>,
}

impl Publisher {
    /// Takes up publishing where it stopped. `witnessed`: the latest checkpoints that witnesses have seen of this
    /// log, as far as they answer.
    ///
    /// # Errors
    /// [`OpenError::Stale`] when the published log, or a witness, has seen what this journal does not hold:
    /// then this is an old copy, and publishing from it would sign a second history.
    pub fn open(
        journal: Arc<Journal>,
        key: LogKey,
        witnessed: &[Checkpoint],
    ) -> Result<Publisher, OpenError> {
        let log = journal.folder.inside("log")?;
        let (edge, note, signed) = match log.read(CHECKPOINT)? {
            None => {
                let checkpoint = Checkpoint { origin: key.name.clone(), size: 0, root: ledger::empty_root() };
                (Edge::default(), sign(&checkpoint, &key)?, false)
            }
            Some(bytes) => {
                let (checkpoint, note) = read_own(&bytes, &key)?;
                let edge = Edge::load(&log, checkpoint.size)?;
                if edge.root() != checkpoint.root {
                    let what = "has tiles that do not lead to its checkpoint's root";
                    return Err(Damage::whole("log", what).into());
                }
                (edge, note, true)
            }
        };
        let mut publisher = Publisher { journal, key, log, edge, note, signed, made: BTreeSet::new() };
        publisher.compare_with_journal()?;
        let size = publisher.edge.size();
        publisher.write_tiles()?; // before anything is signed: what others have seen must be in here
        witnessed.iter().try_for_each(|seen| publisher.compare_with(seen, size))?;
        publisher.publish()?;
        Ok(publisher)
    }

    /// Publishes what has become durable: tiles and bundles first, each flushed, then the checkpoint. A crash
    /// before the checkpoint has its name leaves files that nobody is told of.
    ///
    /// # Errors
    /// When a file cannot be written or a frame cannot be read; nothing is signed then. The publisher goes on from
    /// the last checkpoint at the next call.
    pub fn publish(&mut self) -> Result<Checkpoint, PublishError> {
        let filled = self.write_tiles()?;
        let root = self.edge.root();
        let checkpoint = Checkpoint { origin: self.key.name.clone(), size: self.edge.size(), root };
        if checkpoint.to_string() != self.note.text() || !self.signed {
            let note = sign(&checkpoint, &self.key)?;
            self.log.replace(CHECKPOINT, note.to_string().as_bytes())?;
            (self.note, self.signed) = (note, true);
        }
        for tile in filled {
            files::remove_partials(&self.log, tile, &mut self.made)?; // the full tile is named by now, and spoken of
        }
        Ok(checkpoint)
    }

    /// Writes the tiles of everything that is durable; gives the ones that are full now.
    fn write_tiles(&mut self) -> Result<Vec<Tile>, PublishError> {
        let size = self.journal.size();
        let mut filled = Vec::new();
        while self.edge.size() < size {
            let mut edge = self.edge.clone();
            let (from, to) = (edge.size(), size.min(edge.size() + PIECE));
            let mut tiles = edge.start(to);
            let hint = self.journal.shared.views.place(from)?;
            self.journal.shared.segments.replay(from, to, hint, &mut |index, _, payload| {
                let entry = Entry::read(payload).ok_or(PublishError::NoRecord { index })?;
                edge.push(index, entry.record, &mut tiles).map_err(|_| PublishError::NoRecord { index })
            })?;
            if edge.size() != to {
                return Err(PublishError::NoRecord { index: edge.size() });
            }
            let files = tiles.finish(&edge);
            files::write(&self.log, &files, &mut self.made)?;
            filled.extend(files.iter().map(|(tile, _)| *tile).filter(|tile| tile.is_full()));
            self.edge = edge;
        }
        Ok(filled)
    }

    /// The signed checkpoint, with the cosignatures it has got.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Puts cosignatures of witnesses beside the log's own signature, if they are for the current checkpoint.
    /// The caller has verified them.
    ///
    /// # Errors
    /// When the file cannot be written; then the checkpoint stands as it was.
    pub fn cosign(&mut self, text: &str, cosignatures: Vec<Signature>) -> io::Result<bool> {
        if text != self.note.text() {
            return Ok(false);
        }
        let mut note = self.note.clone();
        for line in cosignatures {
            note.signatures.retain(|known| known.name != line.name || known.id != line.id);
            note.signatures.push(line);
        }
        self.log.replace(CHECKPOINT, note.to_string().as_bytes())?;
        self.note = note;
        Ok(true)
    }

    /// What others verify this log with.
    pub fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }

    /// The files of the log, to be served or verified.
    pub fn files(&self) -> LogFiles {
        LogFiles::new(self.log.clone())
    }

    /// The last published records must be those of the journal: an older or another journal differs there.
    fn compare_with_journal(&self) -> Result<(), OpenError> {
        let size = self.edge.size();
        if size > self.journal.size() {
            let what = format!("{size} records were published, the journal holds {}", self.journal.size());
            return Err(OpenError::Stale { what });
        }
        let recent = self.edge.recent();
        for (index, hash) in (size - recent.len() as u64..).zip(&recent) {
            match self.journal.record(index) {
                Ok(record) if ledger::leaf_hash(&record) == *hash => {}
                Ok(_) => {
                    let what = format!("record {index} was published, and the journal holds another one");
                    return Err(OpenError::Stale { what });
                }
                Err(ReadError::Damaged(damage)) => return Err(damage.into()),
                Err(error) => return Err(io::Error::other(error.to_string()).into()),
            }
        }
        Ok(())
    }

    /// What a witness has seen must be a beginning of this log.
    fn compare_with(&self, seen: &Checkpoint, published: u64) -> Result<(), OpenError> {
        let stale = |what| Err(OpenError::Stale { what });
        if seen.origin != self.key.name {
            return stale(format!("a witness speaks of the log {}", seen.origin));
        }
        // A witness is asked after the checkpoint is durable. Only a log folder that was lost has less, or none.
        if seen.size > self.edge.size() || (seen.size > published && published > 0) {
            return stale(format!("a witness has seen {} records, here are {published}", seen.size));
        }
        let files = self.files();
        let mut nodes = ledger::Nodes::new(&files, self.edge.size());
        match ledger::tree_root(seen.size, |level, index| nodes.node(level, index)) {
            Ok(root) if root == seen.root => Ok(()),
            Ok(_) => stale(format!("a witness has seen another root at {} records", seen.size)),
            Err(fault) => Err(io::Error::other(fault.to_string()).into()),
        }
    }
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A frame does not hold the record that it should.
    #[error("record {index} cannot be read from the journal, so nothing after it is published")]
    NoRecord {
        /// Which record.
        index: u64,
    },
    /// A frame is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk said no.
    #[error("the log cannot be written: {0}")]
    Disk(#[from] io::Error),
}

impl From<PublishError> for OpenError {
    fn from(error: PublishError) -> OpenError {
        match error {
            PublishError::Damaged(damage) => OpenError::Damaged(damage),
            PublishError::Disk(error) => OpenError::Disk(error),
            error @ PublishError::NoRecord { .. } => OpenError::Disk(io::Error::other(error.to_string())),
        }
    }
}

/// How many records the checkpoint in `log/` speaks of: so many were durable once.
pub(crate) fn published_size(folder: &Folder) -> Result<u64, OpenError> {
    let Some(bytes) = folder.inside("log")?.read(CHECKPOINT)? else { return Ok(0) };
    Ok(parse(&bytes)?.0.size)
}

fn parse(bytes: &[u8]) -> Result<(Checkpoint, Note), Damage> {
    let damaged = || Damage::whole("log/checkpoint", "is not a checkpoint");
    let note = Note::parse(bytes).map_err(|_| damaged())?;
    Ok((note.text().parse().map_err(|_| damaged())?, note))
}

fn read_own(bytes: &[u8], key: &LogKey) -> Result<(Checkpoint, Note), OpenError> {
    let (checkpoint, note) = parse(bytes)?;
    if checkpoint.origin != key.name {
        let what = format!("the published log is {}, the key is of {}", checkpoint.origin, key.name);
        return Err(OpenError::Stale { what });
    }
    note.verify([&key.verifier()])
        .map_err(|_| Damage::whole("log/checkpoint", "is not signed with this log's key"))?;
    Ok((checkpoint, note))
}

fn sign(checkpoint: &Checkpoint, key: &LogKey) -> io::Result<Note> {
    checkpoint.sign(&key.signer()).map_err(|error| io::Error::other(error.to_string()))
}
