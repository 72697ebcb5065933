//! Documents as people and programs write them: protobuf JSON, text format or bytes, and back to JSON.
//!
//! Owns: choosing the notation by the file's ending, and turning it into the bytes that the gateway takes. Errors
//! name the place, never what stood there.

use std::path::Path;

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};

use crate::failure::{Doing, Failure, Outcome};

/// Reads a document of this type: `.json` is protobuf JSON, `.txtpb` and `.textproto` text format, all else bytes.
pub(crate) fn read(path: &Path, message: &MessageDescriptor) -> Outcome<Vec<u8>> {
    let bytes = std::fs::read(path).wrong(path.display())?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "json" => from_json(&bytes, message).map_err(|why| wrong(path, &why)),
        "txtpb" | "textproto" => {
            let text = std::str::from_utf8(&bytes).wrong(path.display())?;
            let parsed = DynamicMessage::parse_text_format(message.clone(), text);
            let parsed = parsed
                .map_err(|_| wrong(path, &format!("it is not text format of {}", message.full_name())))?;
            Ok(parsed.encode_to_vec())
        }
        _ => Ok(bytes),
    }
}

/// The bytes of a document in protobuf JSON.
pub(crate) fn from_json(json: &[u8], message: &MessageDescriptor) -> Result<Vec<u8>, String> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let parsed = DynamicMessage::deserialize(message.clone(), &mut reader);
    // The parser's own text can repeat a value: only the place is told on.
    let place = |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
    let parsed = parsed.map_err(|error| {
        format!("at {} it is not protobuf JSON of {}", place(&error), message.full_name())
    })?;
    reader.end().map_err(|error| format!("at {} something follows the document", place(&error)))?;
    Ok(parsed.encode_to_vec())
}

/// A document as protobuf JSON, with the field names of the contract.
pub(crate) fn to_json(bytes: &[u8], message: &MessageDescriptor) -> Outcome<serde_json::Value> {
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let document = DynamicMessage::decode(message.clone(), bytes)
        .map_err(|_| Failure::Use(format!("the bytes are not a {}", message.full_name())))?;
    document.serialize_with_options(serde_json::value::Serializer, &options).wrong("the document as JSON")
}

fn wrong(path: &Path, why: &str) -> Failure {
    Failure::Use(format!("{}: {why}", path.display()))
}
