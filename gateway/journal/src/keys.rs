//! The key ring: one random key for each client, wrapped by the key of the current epoch.
//!
//! Owns: the file `keys/ring` and what is in it; which key a client has; pseudonyms. A new key becomes durable
//! with the commit that first uses it (it stands, wrapped, in the same frame), and is then copied here off the
//! critical path. Erasing a client ends the epoch: the others are wrapped anew under a new epoch key, the old
//! file is overwritten, and every old wrap – also those in frames and in copies – is worth nothing.

mod file;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ledger::{KeyId, Version};
use model::{Bsn, ClientPseudonym};
use ring::hmac;
use zeroize::Zeroizing;

use crate::disk::Folder;
use crate::error::OpenError;
use crate::seal::{self, SealError};
use file::{Entry, RingFile};

pub(crate) use file::{WRAPPED, check_form};

/// The pseudonym under which stands the key for what concerns no client: refusals at the door, bundles.
pub(crate) const NOBODY: ClientPseudonym = ClientPseudonym::NOBODY;

/// A client's key: 32 bytes to link records, 32 to make the keys that seal them. Wiped from memory with its last user.
/// Its id stands in frames and in the ring, never in a record.
pub(crate) struct ClientKey {
    pub(crate) id: KeyId,
    pub(crate) client: ClientPseudonym,
    secret: Zeroizing<[u8; 64]>,
}

/// A client's key as it stands in a frame and in the ring's file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrapped {
    pub(crate) epoch: u64,
    pub(crate) client: ClientPseudonym,
    pub(crate) id: KeyId,
    pub(crate) secret: [u8; WRAPPED],
}

impl ClientKey {
    /// The key of [`ledger::Digest::link`].
    pub(crate) fn link(&self) -> &[u8; 32] {
        self.secret.first_chunk().unwrap_or(&[0; 32])
    }

    /// The key that seals what belongs to a record: made from the client's secret and the id that stands in the record,
    /// so that the id says nothing of the client. Records of version 1 were sealed under the secret itself.
    pub(crate) fn of_record(&self, v: Version, id: &KeyId) -> Zeroizing<[u8; 32]> {
        let secret = self.secret.last_chunk().unwrap_or(&[0; 32]);
        if v == Version::V1 {
            return Zeroizing::new(*secret);
        }
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
        context.update(b"veldwacht/record/v2");
        context.update(&id.0);
        Zeroizing::new(context.sign().as_ref().first_chunk().copied().unwrap_or_default())
    }
}

struct Inner {
    epoch: u64,
    epoch_key: Zeroizing<[u8; 32]>,
    clients: HashMap<ClientPseudonym, Arc<ClientKey>>,
    owners: HashMap<KeyId, ClientPseudonym>,
    /// Wraps that the file does not have yet: they stand in every frame that uses the key.
    fresh: HashMap<ClientPseudonym, Wrapped>,
    /// An erasure is under way: the file must not say that it has seen the tombstone before the key is gone.
    held: bool,
}

/// The keys of all clients.
pub(crate) struct KeyRing {
    folder: Folder,
    master: Zeroizing<[u8; 32]>,
    index: hmac::Key,
    /// Locked before `inner`, so that nobody waits for a flush who only wants a key.
    file: Mutex<RingFile>,
    inner: RwLock<Inner>,
}

impl KeyRing {
    /// Opens the ring, or makes an empty one where there is none. Also says from which record on the journal
    /// may hold keys that the ring's file does not.
    /// A journal that has records has a ring: with `new` false, a ring that is not there is damage.
    pub(crate) fn open(folder: Folder, master_secret: &[u8], new: bool) -> Result<(KeyRing, u64), OpenError> {
        let master = master_key(master_secret);
        let opened = file::load(&folder, &master, new)?;
        let mut inner = Inner {
            epoch: opened.epoch,
            epoch_key: opened.epoch_key,
            clients: HashMap::new(),
            owners: HashMap::new(),
            fresh: HashMap::new(),
            held: false,
        };
        for wrapped in &opened.keys {
            inner.unwrap(wrapped).map_err(|_| OpenError::WrongMasterSecret)?;
        }
        let index = hmac::Key::new(hmac::HMAC_SHA256, opened.index_key.as_slice());
        let (file, inner) = (Mutex::new(opened.file), RwLock::new(inner));
        Ok((KeyRing { folder, master, index, file, inner }, opened.through))
    }

    /// How this gateway's views know a client.
    pub(crate) fn pseudonym(&self, bsn: &Bsn) -> ClientPseudonym {
        ClientPseudonym(self.mark("bsn", bsn.expose().as_bytes()))
    }

    /// A keyed mark of something that must be found again, and not be read: a user, a request.
    pub(crate) fn mark(&self, what: &str, value: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(what.as_bytes());
        context.update(&[0]);
        context.update(value);
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// The client's key, a new one when there is none, with the wrap that must stand in a frame that uses it: none when the
    /// ring's file has it.
    pub(crate) fn key(
        &self,
        client: ClientPseudonym,
    ) -> Result<(Arc<ClientKey>, Option<Wrapped>), SealError> {
        if let Some(known) = self.read().known(client) {
            return Ok(known);
        }
        let mut inner = self.lock();
        if let Some(known) = inner.known(client) {
            return Ok(known); // another one was first
        }
        let id = KeyId(seal::random()?);
        let secret = Zeroizing::new(seal::random::<64>()?);
        let wrapped = file::wrap(&inner.epoch_key, inner.epoch, client, id, &secret)?;
        inner.fresh.insert(client, wrapped);
        Ok((inner.put(ClientKey { id, client, secret }), Some(wrapped)))
    }

    /// The key with this id, unless its client was erased.
    pub(crate) fn by_id(&self, id: &KeyId) -> Option<Arc<ClientKey>> {
        let inner = self.read();
        inner.owners.get(id).and_then(|client| inner.clients.get(client)).cloned()
    }

    /// Takes in a key that start-up finds in a frame. One of an ended epoch is in the file, or was erased.
    pub(crate) fn replay(&self, wrapped: &Wrapped) -> Result<(), SealError> {
        let mut inner = self.lock();
        if wrapped.epoch != inner.epoch || inner.owners.contains_key(&wrapped.id) {
            return Ok(());
        }
        inner.unwrap(wrapped)?;
        inner.fresh.insert(wrapped.client, *wrapped);
        Ok(())
    }

    /// Copies new keys to the ring's file: everything in frames below `through` is in it afterwards. The
    /// caller makes sure that those frames are durable. False while an erasure is under way.
    pub(crate) fn save(&self, through: u64) -> Result<bool, RingError> {
        let mut file = self.lock_file();
        let fresh: Vec<Wrapped> = {
            let inner = self.read();
            if inner.held {
                return Ok(false);
            }
            inner.fresh.values().copied().collect()
        };
        let through = [Entry::Through(through)];
        file.append(&fresh.iter().copied().map(Entry::Key).chain(through).collect::<Vec<_>>())?;
        let mut inner = self.lock();
        for saved in &fresh {
            if inner.fresh.get(&saved.client).is_some_and(|wrapped| wrapped.id == saved.id) {
                inner.fresh.remove(&saved.client);
            }
        }
        Ok(true)
    }

    /// Whether the file lacks a key.
    pub(crate) fn has_fresh(&self) -> bool {
        !self.read().fresh.is_empty()
    }

    /// From before the tombstone is committed until the epoch has ended, the file stays as it is: after a crash
    /// in between, start-up must find the tombstone again.
    pub(crate) fn hold(&self, held: bool) {
        self.lock().held = held;
    }

    /// Takes a client's key out of memory. It is not destroyed before the epoch ends.
    pub(crate) fn forget(&self, client: ClientPseudonym) {
        let mut inner = self.lock();
        if let Some(key) = inner.clients.remove(&client) {
            inner.owners.remove(&key.id);
            inner.fresh.remove(&client);
        }
    }

    /// Ends the epoch: destroys every key that was forgotten, and with the epoch's key every wrap there ever was.
    /// Everything in frames below `through` is in the new file.
    ///
    /// A crash before the new file has its name: start-up finds the tombstone and does it again. After: done.
    pub(crate) fn end_epoch(&self, through: u64) -> Result<(), RingError> {
        let mut file = self.lock_file();
        let mut inner = self.lock();
        let epoch = inner.epoch + 1;
        let epoch_key = Zeroizing::new(seal::random::<32>()?);
        let mut entries = Vec::with_capacity(inner.clients.len() + 1);
        for key in inner.clients.values() {
            let wrapped = file::wrap(&epoch_key, epoch, key.client, key.id, &key.secret)?;
            entries.push(Entry::Key(wrapped));
        }
        entries.push(Entry::Through(through));
        *file = file.next_epoch(&self.folder, &self.master, epoch, &epoch_key, &entries)?;
        inner.epoch = epoch;
        inner.epoch_key = epoch_key;
        inner.fresh.clear();
        inner.held = false;
        Ok(())
    }

    fn lock_file(&self) -> MutexGuard<'_, RingFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The client's key, if it has one, with its wrap if the file lacks it.
    fn known(&self, client: ClientPseudonym) -> Option<(Arc<ClientKey>, Option<Wrapped>)> {
        let key = self.clients.get(&client)?;
        let fresh = if self.fresh.is_empty() { None } else { self.fresh.get(&client) };
        Some((Arc::clone(key), fresh.filter(|wrapped| wrapped.id == key.id).copied()))
    }

    fn unwrap(&mut self, wrapped: &Wrapped) -> Result<(), SealError> {
        let secret = file::unwrap(&self.epoch_key, wrapped)?;
        self.put(ClientKey { id: wrapped.id, client: wrapped.client, secret });
        Ok(())
    }

    fn put(&mut self, key: ClientKey) -> Arc<ClientKey> {
        let key = Arc::new(key);
        self.owners.insert(key.id, key.client);
        self.clients.insert(key.client, Arc::clone(&key));
        key
    }
}

/// Why the ring could not be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RingError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// The master secret can have any length of 16 bytes or more; the cipher wants 32.
fn master_key(secret: &[u8]) -> Zeroizing<[u8; 32]> {
    let salt = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, b"veldwacht/keys/v1");
    let pseudorandom = salt.extract(secret);
    let mut key = Zeroizing::new([0; 32]);
    // INVARIANT: 32 bytes is the length of SHA-256, which HKDF always can give.
    let filled = pseudorandom.expand(&[b"master"], ring::hkdf::HKDF_SHA256).map(|okm| okm.fill(key.as_mut()));
    debug_assert!(matches!(filled, Ok(Ok(()))));
    key
}
