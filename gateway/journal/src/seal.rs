//! Sealing: AES-256-GCM with a fresh random nonce, `nonce ‖ ciphertext ‖ tag`.
//!
//! Owns: the form of a sealed box and of random bytes. Which key seals what is `keys`; every box is bound to
//! what it belongs to by its additional data, so that none can be put in another's place.

use std::cell::RefCell;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Bytes that a box is longer than its content.
pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

/// The cipher or the random generator of the machine does not work, or a box is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed box cannot be made or opened with this key")]
pub struct SealError;

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

/// So many bytes are drawn from the machine at once, on each thread.
const DRAWN: usize = 4096;

thread_local! {
    /// What was drawn, and how much of it is left at its end.
    static LEFT: RefCell<(Box<[u8; DRAWN]>, usize)> = RefCell::new((Box::new([0; DRAWN]), 0));
}

/// Fresh random bytes that will be told: ids, salts and nonces, never keys. They are drawn from the machine many at a
/// time, for going there costs more than all that is done with them; none is given twice.
///
/// # Errors
/// The machine's source does not work.
pub fn told<const N: usize>() -> Result<[u8; N], SealError> {
    LEFT.with_borrow_mut(|(bytes, left)| {
        if *left < N {
            SystemRandom::new().fill(bytes.as_mut())?;
            *left = DRAWN;
        }
        *left = left.checked_sub(N).ok_or(SealError)?;
        let next = bytes.get_mut(*left..).and_then(|rest| rest.first_chunk_mut()).ok_or(SealError)?;
        Ok(std::mem::replace(next, [0; N]))
    })
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?))
}

/// Seals `plain`, bound to `about`.
pub(crate) fn seal(key: &[u8; 32], about: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_LEN] = told()?;
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
    fn no_bytes_are_told_twice() {
        let told: std::collections::HashSet<[u8; 12]> = (0..10_000).map(|_| told().unwrap()).collect();
        assert!(told.len() == 10_000 && !told.contains(&[0; 12]));
    }

    #[test]
    fn the_same_content_never_seals_to_the_same_box() {
        assert_ne!(seal(&[1; 32], b"", b"x").unwrap(), seal(&[1; 32], b"", b"x").unwrap());
    }
}
