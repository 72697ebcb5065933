//! Whose bundle is taken: the signers of the configuration, and the highest numbers that were accepted before.
//!
//! Owns: reading public keys, and the file `bundle.seen` in the data folder, by which an old bundle cannot come back. What
//! is signed, and how many signatures are enough, is `policy`'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::Name;
use policy::{Digest, Keys, Proven, Seen, Signers, Trust};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Signing};
use crate::failure::{Doing, Failure, Outcome};

const SEEN: &str = "bundle.seen";
/// An Ed25519 key as SubjectPublicKeyInfo (RFC 8410): twelve bytes of header, then the key.
const SPKI_HEADER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a configuration takes for a bundle.
pub(crate) fn of(config: &Config) -> Outcome<Trust> {
    let Some(signers) = &config.signers else { return Ok(Trust::Draft) };
    Ok(Trust::Signed(Keys {
        policies: people(&signers.policies)?,
        guardrails: people(&signers.guardrails)?,
        seen: read_seen(&config.data)?,
    }))
}

fn people(signing: &Signing) -> Outcome<Signers> {
    let mut keys = BTreeMap::new();
    for path in &signing.keys {
        keys.insert(name_of(path)?, public_key(path)?);
    }
    Ok(Signers { threshold: signing.threshold, keys })
}

/// The name of a key: that of its file, without `.pub.pem` or `.key.pem`.
pub(crate) fn name_of(path: &Path) -> Outcome<Name> {
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    file.split('.').next().unwrap_or_default().parse().wrong(path.display())
}

fn public_key(path: &Path) -> Outcome<[u8; 32]> {
    let spki = SubjectPublicKeyInfoDer::from_pem_file(path).wrong(path.display())?;
    let key = spki.strip_prefix(&SPKI_HEADER).and_then(|key| key.try_into().ok());
    key.ok_or_else(|| Failure::Use(format!("{}: not an Ed25519 public key", path.display())))
}

#[derive(Serialize, Deserialize, Default)]
struct SeenFile {
    bundle: Option<(u64, String)>,
    guardrails: Option<(u64, String)>,
}

fn read_seen(data: &Path) -> Outcome<Seen> {
    let path = data.join(SEEN);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Seen::default()),
        Err(error) => return Err(Failure::Reach(format!("{}: {error}", path.display()))),
    };
    let file: SeenFile = serde_json::from_str(&text).wrong(path.display())?;
    let one = |seen: Option<(u64, String)>| match seen {
        None => Ok(None),
        Some((number, digest)) => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(digest, &mut bytes).wrong(path.display())?;
            Ok(Some((number, Digest(bytes))))
        }
    };
    Ok(Seen { bundle: one(file.bundle)?, guardrails: one(file.guardrails)? })
}

/// Remembers that a bundle was accepted. A crash before the rename forgets it, and the next start accepts it again.
pub(crate) fn remember(data: &Path, proven: &Proven) -> Outcome {
    let seen = proven.seen();
    let one = |seen: Option<(u64, Digest)>| seen.map(|(number, digest)| (number, digest.to_string()));
    let file = SeenFile { bundle: one(seen.bundle), guardrails: one(seen.guardrails) };
    let text = serde_json::to_string(&file).unreachable(SEEN)?;
    std::fs::create_dir_all(data).unreachable(data.display())?;
    let (draft, path): (PathBuf, PathBuf) = (data.join("bundle.seen.new"), data.join(SEEN));
    std::fs::write(&draft, text).unreachable(draft.display())?;
    std::fs::File::open(&draft).and_then(|file| file.sync_all()).unreachable(draft.display())?;
    std::fs::rename(&draft, &path).unreachable(path.display())
}
