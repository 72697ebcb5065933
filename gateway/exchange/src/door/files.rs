//! The files a door is made of, and noticing that they changed.
//!
//! Owns: reading them, and refusing a private key that others on the machine can read. The files are read again when
//! one of them changed; material that is not good is told and not taken, so a renewal that goes wrong halfway does not
//! close the door.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use identity::{Registry, RegistryError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateRevocationListDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::guard::{Guard, GuardError, Material};

/// Where the material stands. All PEM, but for the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The gateway's certificate, leaf first.
    pub certificate: PathBuf,
    /// Its private key; mode 0600 or stricter, or a systemd credential (`LoadCredential=`).
    pub key: PathBuf,
    /// Authorities that issue certificates of clients.
    pub authorities: PathBuf,
    /// Revocation lists; several files, each with one or more.
    pub revocation_lists: Vec<PathBuf>,
    /// `registry.toml`; key sets (JWKS) that it names stand beside it.
    pub registry: PathBuf,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It is not there, or not for us to read.
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The registry.
    #[error("{}: {error}", path.display())]
    Registry {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        error: RegistryError,
    },
    /// The files are readable, and do not make a door.
    #[error(transparent)]
    Guard(#[from] GuardError),
}

/// No file of a door is larger; a national revocation list has some megabytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

impl Files {
    /// Reads all of them.
    ///
    /// # Errors
    /// [`FilesError`], naming the file.
    pub fn read(&self) -> Result<Material, FilesError> {
        let mut revocation_lists = Vec::new();
        for path in &self.revocation_lists {
            revocation_lists.extend(pem::<CertificateRevocationListDer<'static>>(path)?);
        }
        let key = secret(&self.key)?;
        Ok(Material {
            certificates: pem(&self.certificate)?,
            key: PrivateKeyDer::from_pem_slice(&key)
                .map_err(|_| invalid(&self.key, "no private key in PEM; expected PKCS #8"))?,
            authorities: pem(&self.authorities)?,
            revocation_lists,
            registry: self.registry()?,
        })
    }

    fn registry(&self) -> Result<Registry, FilesError> {
        let text = text(&self.registry)?;
        let beside = self.registry.parent().unwrap_or(Path::new(""));
        let mut key_set = |name: &str| {
            // A name, not a path: a registry does not reach outside its folder.
            let plain = Path::new(name).file_name().is_some_and(|file| file == name);
            plain.then(|| text_of(&beside.join(name)))?
        };
        Registry::parse_with(&text, &mut key_set)
            .map_err(|error| FilesError::Registry { path: self.registry.clone(), error })
    }

    /// Loads them into the guard now, and again whenever one changed, looked at every `every`. Ends when the guard is
    /// gone. `told` hears of every reload, good or not.
    pub async fn watch(
        self,
        guard: std::sync::Weak<Guard>,
        every: Duration,
        told: Arc<dyn Fn(Result<(), FilesError>) + Send + Sync>,
    ) {
        let mut seen = self.stamps();
        loop {
            tokio::time::sleep(every).await;
            let Some(guard) = guard.upgrade() else { return };
            // Stamps first: a file that changes while it is read is read again at the next look.
            let stamps = self.stamps();
            if stamps == seen {
                continue;
            }
            seen = stamps;
            let files = self.clone();
            let read =
                tokio::task::spawn_blocking(move || guard.reload(files.read()?).map_err(FilesError::from));
            if let Ok(outcome) = read.await {
                told(outcome);
            }
        }
    }

    /// What tells that a file changed: its moment, size and inode. Everything in the registry's folder counts, for the
    /// sake of key sets.
    fn stamps(&self) -> Vec<Option<(SystemTime, u64, u64)>> {
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        };
        let named = [&self.certificate, &self.key, &self.authorities, &self.registry];
        let mut paths: Vec<PathBuf> = named.into_iter().chain(&self.revocation_lists).cloned().collect();
        let beside = self.registry.parent().and_then(|folder| fs::read_dir(folder).ok());
        let mut key_sets: Vec<PathBuf> =
            beside.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        key_sets.retain(|path| {
            path.extension().is_some_and(|extension| extension == "json" || extension == "jwks")
        });
        key_sets.sort();
        paths.extend(key_sets);
        paths.iter().map(|path| stamp(path)).collect()
    }
}

fn invalid(path: &Path, problem: &str) -> FilesError {
    FilesError::Invalid { path: path.to_owned(), problem: problem.to_owned() }
}

/// Wiped when dropped: one of these files is a key.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FilesError> {
    let unreadable = |error| FilesError::Unreadable { path: path.to_owned(), error };
    let file = fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > MAX_BYTES {
        return Err(invalid(path, "over 64 MB; this is not one of the files of a door"));
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn text_of(path: &Path) -> Option<String> {
    String::from_utf8(read(path).ok()?.to_vec()).ok()
}

fn text(path: &Path) -> Result<String, FilesError> {
    String::from_utf8(read(path)?.to_vec()).map_err(|_| invalid(path, "not UTF-8"))
}

fn pem<T: PemObject>(path: &Path) -> Result<Vec<T>, FilesError> {
    let found: Result<Vec<T>, _> = T::pem_slice_iter(&read(path)?).collect();
    let found = found.map_err(|_| invalid(path, "not PEM; a block is broken"))?;
    if found.is_empty() { Err(invalid(path, "nothing of the expected kind in it")) } else { Ok(found) }
}

/// Reads a secret: wiped when dropped, and refused when others on the machine can read its file.
///
/// # Errors
/// [`FilesError`], naming the file and never what is in it.
pub fn secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, FilesError> {
    private(path)?;
    read(path)
}

/// A key that others can read is no secret. Its group may, if that is root's: so systemd hands over credentials.
fn private(path: &Path) -> Result<(), FilesError> {
    let metadata =
        fs::metadata(path).map_err(|error| FilesError::Unreadable { path: path.to_owned(), error })?;
    let (group, others) = (metadata.permissions().mode() & 0o070, metadata.permissions().mode() & 0o007);
    if others == 0 && (group == 0 || group == 0o040 && metadata.gid() == 0) {
        return Ok(());
    }
    Err(invalid(
        path,
        "others on this machine can read this key; `chmod 600` it, and think of making a new one",
    ))
}
