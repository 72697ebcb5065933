//! The ring's file: a header with the epoch's key under the master key, then entries of equal length.
//!
//! Owns: the bytes of `keys/ring`, version 1. Entries are appended (a torn one at the end is dropped: its key
//! still stands in its frame); an epoch's end replaces the whole file and overwrites the old one.

use std::io;
use std::sync::Arc;

use ledger::KeyId;
use model::ClientPseudonym;
use zeroize::Zeroizing;

use super::Wrapped;
use crate::DiskFile;
use crate::disk::{Folder, read_all};
use crate::error::{Damage, OpenError};
use crate::seal::{self, OVERHEAD, SealError};

/// A client's 64 secret bytes, sealed.
pub(crate) const WRAPPED: usize = 64 + OVERHEAD;

const NAME: &str = "ring";
const MAGIC: &[u8; 8] = b"veldwrng";
const VERSION: u32 = 1;
/// magic 8 · version 4 · crc 4 · epoch 8 · sealed (epoch key 32 ‖ index key 32).
const HEADER: usize = 24 + WRAPPED;
/// kind 4 · crc 4 · client 16 · id 16 · sealed secret; padded to 8.
const ENTRY: usize = (40 + WRAPPED).next_multiple_of(8);

/// The file, open for appending.
pub(super) struct RingFile {
    file: Arc<dyn DiskFile>,
    length: u64,
    index_key: Zeroizing<[u8; 32]>,
}

/// What the file says.
pub(super) struct Loaded {
    pub(super) file: RingFile,
    pub(super) epoch: u64,
    pub(super) epoch_key: Zeroizing<[u8; 32]>,
    pub(super) index_key: Zeroizing<[u8; 32]>,
    pub(super) keys: Vec<Wrapped>,
    pub(super) through: u64,
}

/// One entry of the file.
pub(super) enum Entry {
    Key(Wrapped),
    /// Every key of a frame below this record stands before this entry.
    Through(u64),
}

/// Reads the file, or makes the first one.
pub(super) fn load(folder: &Folder, master: &[u8; 32], new: bool) -> Result<Loaded, OpenError> {
    let broken = |_: SealError| io::Error::other("the random generator of this machine does not work");
    if folder.read(NAME)?.is_none() {
        if !new {
            return Err(Damage::whole("keys/ring", "is missing, and with it every key").into());
        }
        let epoch_key = Zeroizing::new(seal::random().map_err(broken)?);
        let index_key = Zeroizing::new(seal::random().map_err(broken)?);
        let first = header(master, 1, &epoch_key, &index_key).map_err(broken)?;
        folder.replace(NAME, &first)?;
    }
    let file = folder.open(NAME)?;
    let bytes = read_all(file.as_ref())?;
    let (epoch, sealed) = read_header(&bytes)?;
    let secrets =
        seal::open(master, &epoch.to_le_bytes(), sealed).map_err(|_| OpenError::WrongMasterSecret)?;
    let secrets: &[u8; 64] = secrets.first_chunk().ok_or(OpenError::WrongMasterSecret)?;
    let (epoch_key, index_key) = secrets.split_at(32);
    let copy = |half: &[u8]| Zeroizing::new(half.first_chunk::<32>().copied().unwrap_or_default());
    let (epoch_key, index_key) = (copy(epoch_key), copy(index_key));
    let (mut keys, mut through, mut length) = (Vec::new(), 0, HEADER as u64);
    for entry in bytes.get(HEADER..).unwrap_or_default().chunks_exact(ENTRY) {
        match Entry::read(entry, epoch) {
            Some(Entry::Key(wrapped)) => keys.push(wrapped),
            Some(Entry::Through(index)) => through = index,
            None => break,
        }
        length += ENTRY as u64;
    }
    cut(file.as_ref(), &bytes, length)?;
    let file = RingFile { file, length, index_key: index_key.clone() };
    Ok(Loaded { file, epoch, epoch_key, index_key, keys, through })
}

/// Whether the file has the form of a ring: what can be said without the master secret.
pub(crate) fn check_form(bytes: &[u8]) -> Result<(), Damage> {
    read_header(bytes)?;
    let entries = bytes.get(HEADER..).unwrap_or_default();
    let whole = entries.chunks_exact(ENTRY).take_while(|entry| Entry::read(entry, 0).is_some()).count();
    let rest = entries.get(whole * ENTRY..).unwrap_or_default();
    if rest.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    let offset = (HEADER + whole * ENTRY) as u64;
    Err(Damage { file: "keys/ring".into(), offset, index: None, what: "has a broken entry" })
}

/// Overwrites a torn end with zeros. Entries are appended in groups that end with `Through`, each flushed before
/// the next: when more than one group ends after the break, the break had been durable, and is damage.
fn cut(file: &dyn DiskFile, bytes: &[u8], from: u64) -> Result<(), OpenError> {
    let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let groups =
        rest.chunks_exact(ENTRY).filter(|entry| matches!(Entry::read(entry, 0), Some(Entry::Through(_))));
    if groups.count() > 1 {
        let what = "has a broken entry before later, durable ones";
        return Err(Damage { file: "keys/ring".into(), offset: from, index: None, what }.into());
    }
    if rest.iter().any(|byte| *byte != 0) {
        file.write_at(&vec![0; rest.len()], from)?;
        file.sync()?;
    }
    Ok(())
}

fn header(master: &[u8; 32], epoch: u64, key: &[u8; 32], index: &[u8; 32]) -> Result<Vec<u8>, SealError> {
    let secrets = Zeroizing::new([key.as_slice(), index.as_slice()].concat());
    let sealed = seal::seal(master, &epoch.to_le_bytes(), &secrets)?;
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&epoch.to_le_bytes()), &sealed);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&epoch.to_le_bytes());
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

fn read_header(bytes: &[u8]) -> Result<(u64, &[u8]), Damage> {
    let damaged = |what| Damage::whole("keys/ring", what);
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| damaged("is too short"))?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("is too short"))?;
    let (crc, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("is too short"))?;
    if magic != MAGIC {
        return Err(damaged("is not a key ring"));
    }
    if u32::from_le_bytes(*version) != VERSION {
        return Err(damaged("is of another version: use the gateway that wrote it"));
    }
    let body = rest.get(..8 + WRAPPED).ok_or_else(|| damaged("is too short"))?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
        return Err(damaged("has a damaged header"));
    }
    let (epoch, sealed) = body.split_first_chunk::<8>().ok_or_else(|| damaged("is too short"))?;
    Ok((u64::from_le_bytes(*epoch), sealed))
}

impl RingFile {
    /// Appends entries, durably. A crash tears the last ones; they are still in their frames.
    pub(super) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let bytes: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
        self.file.write_at(&bytes, self.length)?;
        self.file.sync()?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Puts the file of a new epoch in place of this one, and overwrites this one's secrets.
    pub(super) fn next_epoch(
        &self,
        folder: &Folder,
        master: &[u8; 32],
        epoch: u64,
        key: &[u8; 32],
        entries: &[Entry],
    ) -> Result<RingFile, super::RingError> {
        let mut bytes = header(master, epoch, key, &self.index_key)?;
        bytes.extend(entries.iter().flat_map(Entry::bytes));
        folder.replace(NAME, &bytes)?;
        // The old file has no name any more; what its blocks held must not outlive it either.
        self.file.write_at(&vec![0; usize::try_from(self.length).unwrap_or(HEADER)], 0)?;
        self.file.sync()?;
        let index_key = self.index_key.clone();
        Ok(RingFile { file: folder.open(NAME)?, length: bytes.len() as u64, index_key })
    }
}

impl Entry {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRY);
        match self {
            Entry::Key(wrapped) => {
                bytes.extend_from_slice(&1u32.to_le_bytes());
                bytes.extend_from_slice(&[0; 4]);
                bytes.extend_from_slice(&wrapped.client.0);
                bytes.extend_from_slice(&wrapped.id.0);
                bytes.extend_from_slice(&wrapped.secret);
            }
            Entry::Through(index) => {
                bytes.extend_from_slice(&2u32.to_le_bytes());
                bytes.extend_from_slice(&[0; 4]);
                bytes.extend_from_slice(&index.to_le_bytes());
            }
        }
        bytes.resize(ENTRY, 0);
        let crc = crc32c::crc32c(&bytes);
        if let Some(place) = bytes.get_mut(4..8) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        bytes
    }

    fn read(bytes: &[u8], epoch: u64) -> Option<Entry> {
        let (kind, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let sum =
            [kind.as_slice(), &[0; 4], rest].iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part));
        if sum != u32::from_le_bytes(*crc) {
            return None;
        }
        match u32::from_le_bytes(*kind) {
            1 => Wrapped::read(epoch, rest).map(Entry::Key),
            2 => rest.first_chunk().map(|index| Entry::Through(u64::from_le_bytes(*index))),
            _ => None,
        }
    }
}

impl Wrapped {
    /// Reads `client 16 · id 16 · sealed secret`.
    pub(crate) fn read(epoch: u64, bytes: &[u8]) -> Option<Wrapped> {
        let (client, rest) = bytes.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let secret = *rest.first_chunk()?;
        Some(Wrapped { epoch, client: ClientPseudonym(*client), id: KeyId(*id), secret })
    }
}

/// What a wrapped key is bound to, so that no client can be given another's.
fn about(epoch: u64, client: ClientPseudonym, id: KeyId) -> [u8; 40] {
    let mut about = [0; 40];
    let parts = epoch.to_le_bytes().into_iter().chain(client.0).chain(id.0);
    about.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    about
}

pub(super) fn wrap(
    epoch_key: &[u8; 32],
    epoch: u64,
    client: ClientPseudonym,
    id: KeyId,
    secret: &[u8; 64],
) -> Result<Wrapped, SealError> {
    let sealed = seal::seal(epoch_key, &about(epoch, client, id), secret)?;
    let secret = *sealed.first_chunk().ok_or(SealError)?;
    Ok(Wrapped { epoch, client, id, secret })
}

pub(super) fn unwrap(epoch_key: &[u8; 32], wrapped: &Wrapped) -> Result<Zeroizing<[u8; 64]>, SealError> {
    let about = about(wrapped.epoch, wrapped.client, wrapped.id);
    let secret = seal::open(epoch_key, &about, &wrapped.secret)?;
    secret.first_chunk().map(|secret| Zeroizing::new(*secret)).ok_or(SealError)
}
