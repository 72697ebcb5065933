//! What a value means: the scalar types of protobuf, their wire types, and the one way to write each value.
//!
//! Owns: canonical values. Parsers cut a number down to its type without a word; a filter that copies would let
//! bits through that no receiver sees but every receiver has. So what is not canonical is written again.

use prost_reflect::Kind;

use crate::malformed::MalformedKind;
use crate::wire::{self, FIXED32, FIXED64, LEN, VARINT};

/// The type of a field, or of one element of a repeated field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Scalar {
    Bool,
    /// Also enums: a varint that is cut to 32 bits and extended by its sign.
    Int32,
    Uint32,
    Sint32,
    Int64,
    Uint64,
    Sint64,
    Fixed32,
    Sfixed32,
    Float,
    Fixed64,
    Sfixed64,
    Double,
    Text,
    Bytes,
    Message,
}

impl Scalar {
    pub(crate) fn of(kind: &Kind) -> Scalar {
        match kind {
            Kind::Bool => Scalar::Bool,
            Kind::Int32 | Kind::Enum(_) => Scalar::Int32,
            Kind::Uint32 => Scalar::Uint32,
            Kind::Sint32 => Scalar::Sint32,
            Kind::Int64 => Scalar::Int64,
            Kind::Uint64 => Scalar::Uint64,
            Kind::Sint64 => Scalar::Sint64,
            Kind::Fixed32 => Scalar::Fixed32,
            Kind::Sfixed32 => Scalar::Sfixed32,
            Kind::Float => Scalar::Float,
            Kind::Fixed64 => Scalar::Fixed64,
            Kind::Sfixed64 => Scalar::Sfixed64,
            Kind::Double => Scalar::Double,
            Kind::String => Scalar::Text,
            Kind::Bytes => Scalar::Bytes,
            Kind::Message(_) => Scalar::Message,
        }
    }

    /// The wire type of one value.
    pub(crate) const fn wire(self) -> u8 {
        match self {
            Scalar::Fixed32 | Scalar::Sfixed32 | Scalar::Float => FIXED32,
            Scalar::Fixed64 | Scalar::Sfixed64 | Scalar::Double => FIXED64,
            Scalar::Text | Scalar::Bytes | Scalar::Message => LEN,
            _ => VARINT,
        }
    }

    /// The one varint that a standard writer uses for what a standard parser reads here.
    pub(crate) const fn canonical(self, value: u64) -> u64 {
        match self {
            Scalar::Bool => (value != 0) as u64,
            Scalar::Int32 => value as i32 as i64 as u64,
            Scalar::Uint32 | Scalar::Sint32 => value as u32 as u64,
            _ => value,
        }
    }
}

/// One element of a packed run.
pub(crate) struct Element {
    /// The canonical varint, or the bits of a fixed number.
    pub(crate) bits: u64,
    /// One past its last byte.
    pub(crate) end: usize,
    /// Whether it is written in the canonical way.
    pub(crate) canonical: bool,
}

/// Reads the element at `at` of a packed run that ends where `input` ends.
pub(crate) fn element(scalar: Scalar, input: &[u8], at: usize) -> Result<Element, MalformedKind> {
    let width = match scalar.wire() {
        FIXED32 => 4,
        FIXED64 => 8,
        _ => {
            let (value, end) = wire::varint(input, at)?;
            let bits = scalar.canonical(value);
            return Ok(Element {
                bits,
                end,
                canonical: bits == value && end - at == wire::varint_len(value),
            });
        }
    };
    let bytes = input.get(at..at + width).ok_or(MalformedKind::Length)?;
    Ok(Element { bits: fixed(bytes), end: at + width, canonical: true })
}

/// The bits of a fixed number of 4 or 8 bytes.
pub(crate) fn fixed(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// Appends one value, canonical bits as `Element` has them.
pub(crate) fn push(scalar: Scalar, bits: u64, to: &mut Vec<u8>) {
    match scalar.wire() {
        FIXED32 => to.extend_from_slice(&(bits as u32).to_le_bytes()),
        FIXED64 => to.extend_from_slice(&bits.to_le_bytes()),
        _ => wire::push_varint(bits, to),
    }
}
