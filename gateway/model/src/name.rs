//! Names that come from a bundle or a contract: roles, purposes, message types, field paths.
//!
//! Owns: their alphabets and lengths, so that a name can stand in a record, an error or a page as it is.
//! Which names exist is the bundle's business, not this file's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::Invalid;

macro_rules! names {
    ($($type:ident, $what:literal, $expected:literal, $valid:expr, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok($type(text.into())) } else { Err(Invalid { what: $what, expected: $expected }) }
            }
        }

        impl TryFrom<String> for $type {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($type), self.0)
            }
        }
    )*};
}

names! {
    Name, "name", "1 to 64 of a-z, 0-9, `_`, `-`, `.`", is_plain,
        "A plain name: a kind of organisation, a rule, a system.";
    Role, "role", "1 to 64 of a-z, 0-9, `_`, `-`, `.`", is_plain,
        "A role in which someone acts: `verzekeringsarts`, `coach`, `systeem`.";
    Purpose, "purpose", "1 to 64 of a-z, 0-9, `_`, `-`, `.`", is_plain,
        "A doel: what data is exchanged for.";
    MessageType, "message type", "a full protobuf name such as `werkfit.v1.MedischVerslag`", is_protobuf_name,
        "The full name of a protobuf message type, without a leading dot.";
    FieldPath, "field path", "protobuf field names joined by dots", is_protobuf_name,
        "Where a field stands in a message: names joined by dots, no indexes, no values.";
}

impl Role {
    /// The role of a system that shows no assertion.
    pub fn systeem() -> Role {
        Role("systeem".into())
    }
}

fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_protobuf_name(text: &str) -> bool {
    let is_part = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().next().is_some_and(|first| !first.is_ascii_digit())
    };
    text.len() <= 512 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_nothing_that_could_break_a_record_or_a_page() {
        for bad in ["", "Arts", "arts ", "a<b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<Role>().is_err(), "{bad}");
        }
        assert_eq!("verzekeringsarts".parse::<Role>().unwrap().as_str(), "verzekeringsarts");
    }

    #[test]
    fn a_message_type_is_a_full_protobuf_name() {
        assert!("werkfit.v1.MedischVerslag".parse::<MessageType>().is_ok());
        for bad in ["", ".werkfit", "werkfit..v1", "1a.b", "a.b ", "a/b"] {
            assert!(bad.parse::<MessageType>().is_err(), "{bad}");
        }
    }
}
