//! A testee of the protobuf conformance runner: the filter stands between parsing and serialising.
//!
//! `testee PROTOS` answers the runner: everything passes, so what comes out must be what a parser would have written,
//! but for what the filter never lets through (unknown fields, groups). With `RECORD=F` it keeps each payload.
//! `testee PROTOS drop TYPE NUMBER` reads payloads, withholds that one field, and writes what is left: `tests/conformance`
//! compares that with Python. `testee PROTOS descriptors` writes the contracts. Payloads are framed by a length.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write, stdin, stdout};

use fields::{Account, Limits, Plan, PseudonymKey, Rule};
use model::{DataClass, FieldKind, Form};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};

const PASS: (FieldKind, Rule) = (FieldKind::Waarde, Rule::Pass { class: DataClass::Arbeid, form: Form::Vol });
const WITHHOLD: (FieldKind, Rule) = (FieldKind::Waarde, Rule::Withhold { class: None });

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut compiler = protox::Compiler::new([&arguments[0]]).unwrap();
    let files = [
        "conformance/conformance",
        "google/protobuf/test_messages_proto3",
        "google/protobuf/test_messages_proto2",
    ];
    compiler.include_imports(true).open_files(files.map(|file| format!("{file}.proto"))).unwrap();
    let pool = compiler.descriptor_pool();
    match arguments.get(1).map(String::as_str) {
        None => answer(&pool),
        Some("descriptors") => stdout().write_all(&compiler.encode_file_descriptor_set()).unwrap(),
        Some("drop") => drop_one(&pool, &arguments[2], arguments[3].parse().unwrap()),
        Some(other) => panic!("no mode is called {other}"),
    }
}

fn key() -> PseudonymKey {
    PseudonymKey::for_receiver(&[0; 32], &"00000099000000001000".parse().unwrap())
}

/// The next payload: four bytes of length, then so many bytes.
fn read_frame() -> Option<Vec<u8>> {
    let mut len = [0; 4];
    stdin().read_exact(&mut len).ok()?;
    let mut frame = vec![0; u32::from_le_bytes(len) as usize];
    stdin().read_exact(&mut frame).ok()?;
    Some(frame)
}

fn write_frame(frame: &[u8]) {
    stdout().write_all(&(frame.len() as u32).to_le_bytes()).unwrap();
    stdout().write_all(frame).unwrap();
    stdout().flush().unwrap();
}

fn plan(pool: &DescriptorPool, name: &str, without: Option<u32>) -> Plan {
    let root = pool.get_message_by_name(name).expect(name);
    let mut rule_of = |field: &prost_reflect::FieldDescriptor| match without {
        Some(number) if field.parent_message() == &root && field.number() == number => WITHHOLD,
        _ => PASS,
    };
    Plan::compile(&root, &mut rule_of, Limits::default()).unwrap()
}

fn answer(pool: &DescriptorPool) {
    let (request, response) = ("conformance.ConformanceRequest", "conformance.ConformanceResponse");
    let (request, response) =
        (pool.get_message_by_name(request).unwrap(), pool.get_message_by_name(response).unwrap());
    let mut plans: HashMap<String, Plan> = HashMap::new();
    let mut record = std::env::var("RECORD")
        .ok()
        .map(|file| File::options().append(true).create(true).open(file).unwrap());
    while let Some(frame) = read_frame() {
        let request = DynamicMessage::decode(request.clone(), frame.as_slice()).unwrap();
        let name = request.get_field_by_name("message_type").unwrap().as_str().unwrap().to_owned();
        let asked = request.get_field_by_name("requested_output_format").unwrap().as_enum_number().unwrap();
        let payload = request.has_field_by_name("protobuf_payload");
        let mut response = DynamicMessage::new(response.clone());
        if !payload || asked != 1 || pool.get_message_by_name(&name).is_none() {
            response.set_field_by_name("skipped", Value::String("protobuf in, protobuf out".into()));
        } else {
            let payload = request.get_field_by_name("protobuf_payload").unwrap().as_bytes().unwrap().clone();
            if let Some(record) = &mut record {
                for part in [name.as_bytes(), &payload] {
                    record.write_all(&(part.len() as u32).to_le_bytes()).unwrap();
                    record.write_all(part).unwrap();
                }
            }
            let plan = plans.entry(name.clone()).or_insert_with(|| plan(pool, &name, None));
            let mut output = Vec::new();
            match plan.filter(&payload, &key(), &mut output, &mut Account::new()) {
                Ok(()) => response.set_field_by_name("protobuf_payload", Value::Bytes(output.into())),
                Err(error) => response.set_field_by_name("parse_error", Value::String(error.to_string())),
            }
        }
        write_frame(&response.encode_to_vec());
    }
}

/// Answers each payload with one byte, 1 if it passed, and then what is left of it.
fn drop_one(pool: &DescriptorPool, name: &str, number: u32) {
    let plan = plan(pool, name, Some(number));
    while let Some(payload) = read_frame() {
        let mut output = Vec::new();
        let passed = plan.filter(&payload, &key(), &mut output, &mut Account::new()).is_ok();
        output.insert(0, u8::from(passed));
        write_frame(&output);
    }
}
