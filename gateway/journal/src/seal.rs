//! Sealing: AES-256-GCM with a fresh random nonce, `nonce ‖ ciphertext ‖ tag`.
//!
//! Owns: the form of a sealed box and of random bytes. Which key seals what is `keys`; every box is bound to
//! what it belongs to by its additional data, so that none can be put in another's place.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Bytes that a box is longer than its content.
pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

/// The cipher or the random generator of the machine does not work, or a box is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed box cannot be made or opened with this key")]
pub(crate) struct SealError;

impl From<ring::error::Unspecified> for SealError {
    fn from(_: ring::error::Unspecified) -> SealError {
        SealError
    }
}

/// Fresh random bytes from the machine.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

/// Random bytes for one commit, asked of the machine in one piece: ids, salts and nonces, which are all told.
pub(crate) struct Told {
    bytes: [u8; 128],
    used: usize,
}

impl Told {
    /// As many as an ordinary commit needs.
    pub(crate) fn draw() -> Result<Told, SealError> {
        Ok(Told { bytes: random()?, used: 0 })
    }

    /// The next ones; never the same twice.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], SealError> {
        let next = self.bytes.get(self.used..).and_then(|rest| rest.first_chunk()).copied();
        match next {
            Some(next) => {
                self.used += N;
                Ok(next)
            }
            None => random(),
        }
    }
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?))
}

/// Seals `plain`, bound to `about`.
pub(crate) fn seal(key: &[u8; 32], about: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    seal_with(random()?, key, about, plain)
}

/// As [`seal`], with a nonce that is used once.
pub(crate) fn seal_with(
    nonce: [u8; NONCE_LEN],
    key: &[u8; 32],
    about: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, body) = sealed.split_at_mut(NONCE_LEN);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = cipher(key)?.seal_in_place_separate_tag(nonce, Aad::from(about), body)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Opens what [`seal`] sealed; fails when a bit differs, of the box or of what it is bound to.
pub(crate) fn open(key: &[u8; 32], about: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
    let mut body = Zeroizing::new(body.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = cipher(key)?.open_in_place(nonce, Aad::from(about), &mut body)?.len();
    body.truncate(plain);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_opens_only_with_its_key_in_its_place_and_whole() {
        let sealed = seal(&[1; 32], b"here", b"content").unwrap();
        assert_eq!(sealed.len(), 7 + OVERHEAD);
        assert_eq!(open(&[1; 32], b"here", &sealed).unwrap().as_slice(), b"content");
        assert!(open(&[2; 32], b"here", &sealed).is_err());
        assert!(open(&[1; 32], b"there", &sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut broken = sealed.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&[1; 32], b"here", &broken).is_err());
        }
        assert!(open(&[1; 32], b"here", &sealed[..11]).is_err());
    }

    #[test]
    fn the_same_content_never_seals_to_the_same_box() {
        assert_ne!(seal(&[1; 32], b"", b"x").unwrap(), seal(&[1; 32], b"", b"x").unwrap());
    }
}
