//! Pseudonyms keyed per receiver, so that two receivers cannot join what they have.
//!
//! Owns: the key of one receiver and the two shapes of a pseudonym, 32 hexadecimal digits and a 63-bit number.
//! A pseudonym carries a check under the same key: a document that is filtered twice (at sending and at collecting)
//! keeps the pseudonym of the first time, and nobody without the key can make a value that is left alone.

use std::fmt;

use model::{DataClass, Oin};
use ring::hmac;

/// The key under which one receiver gets its pseudonyms. Shows nothing of itself.
#[derive(Clone)]
pub struct PseudonymKey(hmac::Key);

/// How many bytes of a text pseudonym identify, and how many check.
const BODY: usize = 12;
const CHECK: usize = 4;
/// How many bits of a 63-bit pseudonym check.
const CHECK_BITS: u32 = 20;

impl PseudonymKey {
    /// The key of one receiver, from the gateway's secret: HMAC-SHA-256 over the receiver's OIN.
    pub fn for_receiver(secret: &[u8; 32], receiver: &Oin) -> PseudonymKey {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let mut context = hmac::Context::with_key(&secret);
        context.update(b"veldwacht/pseudonym/v1\0");
        context.update(receiver.as_str().as_bytes());
        PseudonymKey(hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref()))
    }

    /// For a plan that makes no pseudonyms.
    pub fn unused() -> PseudonymKey {
        PseudonymKey(hmac::Key::new(hmac::HMAC_SHA256, &[]))
    }

    /// The pseudonym of a text, 32 hexadecimal digits. One that this key made before stays as it is.
    pub(crate) fn text(&self, class: DataClass, value: &[u8]) -> [u8; 32] {
        if let Ok(own) = <[u8; 32]>::try_from(value)
            && self.made_text(class, &own)
        {
            return own;
        }
        self.spell(class, first(&self.mac(class, b"text", value)))
    }

    /// The pseudonym of a number: never 0, never negative. One that this key made before stays as it is.
    pub(crate) fn number(&self, class: DataClass, value: u64) -> u64 {
        let (body, check) = (value >> CHECK_BITS, value & ((1 << CHECK_BITS) - 1));
        if value >> 63 == 0 && body != 0 && self.check_number(class, body) == check {
            return value;
        }
        let drawn = u64::from_le_bytes(first(&self.mac(class, b"number", &value.to_le_bytes())));
        let body = (drawn >> (CHECK_BITS + 1)).max(1);
        body << CHECK_BITS | self.check_number(class, body)
    }

    fn made_text(&self, class: DataClass, text: &[u8; 32]) -> bool {
        let mut body = [0; BODY];
        for (byte, digits) in body.iter_mut().zip(text.chunks_exact(2)) {
            let value =
                std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let Some(value) = value else { return false };
            *byte = value;
        }
        self.spell(class, body) == *text
    }

    fn spell(&self, class: DataClass, body: [u8; BODY]) -> [u8; 32] {
        let check: [u8; CHECK] = first(&self.mac(class, b"text check", &body));
        let mut text = [0; 32];
        for (digits, byte) in text.chunks_exact_mut(2).zip(body.into_iter().chain(check)) {
            let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
            digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }

    fn check_number(&self, class: DataClass, body: u64) -> u64 {
        let drawn: [u8; 8] = first(&self.mac(class, b"number check", &body.to_le_bytes()));
        u64::from_le_bytes(drawn) & ((1 << CHECK_BITS) - 1)
    }

    fn mac(&self, class: DataClass, what: &[u8], value: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(class.name().as_bytes());
        context.update(b"\0");
        context.update(what);
        context.update(b"\0");
        context.update(value);
        context.sign()
    }
}

fn first<const N: usize>(tag: &hmac::Tag) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: DataClass = DataClass::PersoonBsn;

    fn keys() -> [PseudonymKey; 2] {
        ["00000099000000001000", "00000099000000002000"]
            .map(|oin| PseudonymKey::for_receiver(&[7; 32], &oin.parse().unwrap()))
    }

    #[test]
    fn two_receivers_cannot_join_their_pseudonyms() {
        let [one, other] = keys();
        assert_ne!(one.text(CLASS, b"999990019"), other.text(CLASS, b"999990019"));
        assert_ne!(one.number(CLASS, 999_990_019), other.number(CLASS, 999_990_019));
    }

    #[test]
    fn one_receiver_can_join_within_a_class_and_not_across() {
        let [key, _] = keys();
        assert_eq!(key.text(CLASS, b"999990019"), key.text(CLASS, b"999990019"));
        assert_ne!(key.text(CLASS, b"999990019"), key.text(CLASS, b"123456782"));
        assert_ne!(key.text(CLASS, b"999990019"), key.text(DataClass::Onderzoek, b"999990019"));
    }

    #[test]
    fn a_second_pass_keeps_the_pseudonym_and_another_receivers_pass_does_not() {
        let [key, other] = keys();
        for value in 0..200u64 {
            let number = key.number(CLASS, value);
            assert_eq!(key.number(CLASS, number), number);
            assert_ne!(other.number(CLASS, number), number);
            assert!(number > 0 && number >> 63 == 0);
            let text = key.text(CLASS, &value.to_le_bytes());
            assert_eq!(key.text(CLASS, &text), text);
            assert_ne!(other.text(CLASS, &text), text);
            assert_ne!(key.text(DataClass::Onderzoek, &text), text);
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", keys()[0]), "PseudonymKey(…)");
    }
}
