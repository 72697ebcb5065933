//! Whose bundle is taken: the signers of the configuration.
//!
//! Owns: reading public keys. What is signed, and how many signatures are enough, is `policy`'s; that an old bundle cannot
//! come back is `oversight`'s, which knows from the log what ran.

use std::collections::BTreeMap;
use std::path::Path;

use model::Name;
use policy::{Keys, Seen, Signers, Trust};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;

use crate::config::{Config, Signing};
use crate::failure::{Doing, Failure, Outcome};

/// An Ed25519 key as SubjectPublicKeyInfo (RFC 8410): twelve bytes of header, then the key.
const SPKI_HEADER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a configuration takes for a bundle.
pub(crate) fn of(config: &Config) -> Outcome<Trust> {
    let Some(signers) = &config.signers else { return Ok(Trust::Draft) };
    Ok(Trust::Signed(Keys {
        policies: people(&signers.policies)?,
        guardrails: people(&signers.guardrails)?,
        seen: Seen::default(),
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
