//! Cutting the bytes of a `FileDescriptorProto` down to what may be seen.
//!
//! Owns: that, on the wire: decoding into `prost_types` and back would lose our own options. Everything but messages,
//! enums, services and methods stays as it is.

use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};
use prost::{Message as _, bytes::Buf as _};

use super::Seen;

// Field numbers of google/protobuf/descriptor.proto.
const MESSAGES: u32 = 4;
const ENUMS: u32 = 5;
const SERVICES: u32 = 6;
const METHODS_OF_SERVICE: u32 = 2;

/// The file with its visible parts; none when it is no descriptor.
pub(super) fn file(bytes: &[u8], package: &str, seen: &Seen) -> Option<Vec<u8>> {
    let full = |name: &str| if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") };
    cut(bytes, |tag, part| {
        let name = match tag {
            MESSAGES | ENUMS | SERVICES => full(&name_of(part)?),
            _ => return Some(Part::Whole),
        };
        match tag {
            SERVICES if seen.has_service(&name) => Some(Part::Cut(service(part, &name, seen)?)),
            MESSAGES | ENUMS if seen.has_type(&name) => Some(Part::Whole),
            _ => Some(Part::Nothing),
        }
    })
}

fn service(bytes: &[u8], service: &str, seen: &Seen) -> Option<Vec<u8>> {
    cut(bytes, |tag, part| {
        let visible = tag != METHODS_OF_SERVICE || seen.has_method(&format!("{service}.{}", name_of(part)?));
        Some(if visible { Part::Whole } else { Part::Nothing })
    })
}

/// What becomes of one length-delimited field.
enum Part {
    Whole,
    Cut(Vec<u8>),
    Nothing,
}

/// Copies a message field by field, asking about every length-delimited one.
fn cut(bytes: &[u8], mut judge: impl FnMut(u32, &[u8]) -> Option<Part>) -> Option<Vec<u8>> {
    let (mut rest, mut out) = (bytes, Vec::with_capacity(bytes.len()));
    while rest.has_remaining() {
        let from = rest;
        let (tag, wire_type) = decode_key(&mut rest).ok()?;
        let part = if wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            let (part, after) = rest.split_at_checked(length)?;
            rest = after;
            judge(tag, part)?
        } else {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default()).ok()?;
            Part::Whole
        };
        match part {
            Part::Whole => out.extend_from_slice(from.get(..from.len() - rest.len())?),
            Part::Cut(part) => {
                encode_key(tag, WireType::LengthDelimited, &mut out);
                encode_varint(u64::try_from(part.len()).ok()?, &mut out);
                out.extend_from_slice(&part);
            }
            Part::Nothing => {}
        }
    }
    Some(out)
}

/// `name`, which is field 1 of messages, enums, services and methods alike.
fn name_of(bytes: &[u8]) -> Option<String> {
    const NAME: u32 = 1;
    let only = cut(bytes, |tag, _| Some(if tag == NAME { Part::Whole } else { Part::Nothing }))?;
    prost_types::ServiceDescriptorProto::decode(only.as_slice()).ok()?.name
}
