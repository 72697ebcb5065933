//! JSON as records have it: keys in the order of the structs, no white space.
//!
//! Owns: writing it. The bytes are those of `serde_json`, which also reads them; a gateway writes every record while its
//! caller waits, and knows more of its texts: nearly none has a character to escape, so one look at many bytes replaces
//! one look at each. Records hold no floats, bytes or maps; a value that would is refused rather than guessed at.

use serde::ser::{self, Error as _, Impossible, Serialize};
use serde_json::Error;

/// Appends a value to `out`.
///
/// # Errors
/// For a value of a kind that records do not have.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(&mut Json(out))
}

struct Json<'o>(&'o mut Vec<u8>);

/// A list or an object that is being written.
struct Open<'j, 'o> {
    json: &'j mut Json<'o>,
    begun: bool,
    /// What ends it.
    end: &'static [u8],
}

fn no_such<T>() -> Result<T, Error> {
    Err(Error::custom("records have no value of this kind"))
}

impl<'o> Json<'o> {
    fn text(&mut self, text: &str) -> Result<(), Error> {
        // All bytes are looked at, without a branch for each.
        let plain = |byte: &u8| (*byte >= 0x20) & (*byte != b'"') & (*byte != b'\\');
        if text.as_bytes().iter().fold(true, |all, byte| all & plain(byte)) {
            self.0.reserve(text.len() + 2);
            self.0.push(b'"');
            self.0.extend_from_slice(text.as_bytes());
            self.0.push(b'"');
            return Ok(());
        }
        serde_json::to_writer(&mut *self.0, text)
    }

    fn number(&mut self, number: u64) {
        let (mut digits, mut rest) = ([0; 20], number);
        let mut from = digits.len();
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            (rest, from) = (rest / 10, place);
            if rest == 0 {
                break;
            }
        }
        self.0.extend_from_slice(digits.get(from..).unwrap_or_default());
    }

    fn open<'j>(&'j mut self, begin: u8, end: &'static [u8]) -> Open<'j, 'o> {
        self.0.push(begin);
        Open { json: self, begun: false, end }
    }

    /// Begins the object of one key that says which variant it is.
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        self.0.push(b'{');
        self.text(name)?;
        self.0.push(b':');
        Ok(())
    }
}

impl<'j, 'o> ser::Serializer for &'j mut Json<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'j, 'o>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Open<'j, 'o>;
    type SerializeStructVariant = Open<'j, 'o>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        if value < 0 {
            self.0.push(b'-');
        }
        self.number(value.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.number(value);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Result<(), Error> {
        no_such()
    }

    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        no_such()
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        no_such()
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.0.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'j, 'o>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Impossible<(), Error>, Error> {
        no_such()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Impossible<(), Error>, Error> {
        no_such()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        no_such()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Impossible<(), Error>, Error> {
        no_such()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'j, 'o>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'j, 'o>, Error> {
        self.variant(variant)?;
        Ok(self.open(b'{', b"}}"))
    }
}

impl Open<'_, '_> {
    fn next(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.json.0.push(b',');
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.next();
        self.json.text(key)?;
        self.json.0.push(b':');
        value.serialize(&mut *self.json)
    }

    fn close(self) -> Result<(), Error> {
        self.json.0.extend_from_slice(self.end);
        Ok(())
    }
}

impl ser::SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Open<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that a record can be made of.
    #[derive(Debug, Clone, serde::Serialize)]
    enum Kinds {
        Unit,
        New(Vec<String>),
        Struct { text: String, number: i64, large: u64, none: Option<bool>, some: Option<Box<Kinds>> },
    }

    fn kinds() -> impl Strategy<Value = Kinds> {
        let leaf = prop_oneof![
            Just(Kinds::Unit),
            proptest::collection::vec(any::<String>(), 0..4).prop_map(Kinds::New)
        ];
        leaf.prop_recursive(3, 8, 1, |inner| {
            let parts = (any::<String>(), any::<i64>(), any::<u64>(), any::<Option<bool>>(), inner);
            parts.prop_map(|(text, number, large, none, inner)| Kinds::Struct {
                text,
                number,
                large,
                none,
                some: Some(Box::new(inner)),
            })
        })
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_serde_json(kinds in kinds(), odd in "[\\x00-\\x7f\\\\\"é]{0,40}") {
            for value in [kinds.clone(), Kinds::New(vec![odd])] {
                let mut bytes = Vec::new();
                write(&value, &mut bytes).unwrap();
                prop_assert_eq!(bytes, serde_json::to_vec(&value).unwrap());
            }
        }
    }

    #[test]
    fn what_records_do_not_hold_is_refused() {
        assert!(write(&1.5, &mut Vec::new()).is_err());
        assert!(write(&std::collections::BTreeMap::from([("a", 1)]), &mut Vec::new()).is_err());
    }
}
