//! Message bytes as nobody should write them and everybody may: padded, split, doubled, out of order, cut off.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::choices::Choices;

/// A message of this type, nearly always valid. A long one goes on until the choices run out, and ends with enough
/// text that what stands before it is read as in the middle of a message.
pub(crate) fn message(choices: &mut Choices, of: &MessageDescriptor, long: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(choices, of, 0, &mut bytes);
    let of_text = of.fields().find(|field| field.kind() == Kind::String);
    while long && !choices.is_empty() && bytes.len() < 4096 {
        match &of_text {
            Some(field) if choices.once_in(2) => {
                let text = any_text(choices);
                block(choices, field.number(), &text, &mut bytes);
            }
            _ => write(choices, of, 0, &mut bytes),
        }
    }
    if let (true, Some(field)) = (long, of_text) {
        block(choices, field.number(), &[b'.'; 64], &mut bytes);
    }
    if choices.once_in(16) {
        for _ in 0..1 + choices.below(3) {
            let at = choices.number() as usize % bytes.len().max(1);
            let to = choices.byte();
            match choices.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, to),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = to;
                    }
                }
            }
        }
    }
    bytes
}

/// A text of up to 300 bytes with letters of any width in it, now and then not UTF-8.
fn any_text(choices: &mut Choices) -> Vec<u8> {
    let len = usize::from(choices.byte()) + choices.below(45);
    let mut text: Vec<u8> = b"een tekst van enige lengte ".iter().copied().cycle().take(len).collect();
    for _ in 0..choices.below(4) {
        let at = usize::from(choices.byte()) % (text.len() + 1);
        let letters: [&[u8]; 6] =
            ["ë".as_bytes(), "é".as_bytes(), "’".as_bytes(), "😀".as_bytes(), b"\xc3", b"\x80"];
        let letter = letters[if choices.once_in(16) { 4 + choices.below(2) } else { choices.below(4) }];
        text.splice(at..at, letter.iter().copied());
    }
    text
}

fn write(choices: &mut Choices, of: &MessageDescriptor, depth: usize, to: &mut Vec<u8>) {
    let fields: Vec<FieldDescriptor> = of.fields().collect();
    let is_any = of.full_name() == "google.protobuf.Any";
    while !choices.is_empty() && choices.below(6) != 0 && to.len() < 4096 {
        if is_any && choices.below(8) != 0 {
            any(choices, of, depth, to);
        } else if fields.is_empty() || choices.once_in(12) {
            unknown(choices, to);
        } else {
            let field = choices.pick(&fields).clone();
            one(choices, &field, depth, to);
        }
    }
}

/// A varint, now and then padded.
fn varint(choices: &mut Choices, mut value: u64, to: &mut Vec<u8>) {
    let padding = if choices.once_in(24) { 1 + choices.below(4) } else { 0 };
    let start = to.len();
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
    for _ in 0..padding.min(10 - (to.len() - start)) {
        *to.last_mut().unwrap() |= 0x80;
        to.push(0);
    }
}

fn key(choices: &mut Choices, number: u32, wire: u64, to: &mut Vec<u8>) {
    varint(choices, u64::from(number) << 3 | wire, to);
}

fn block(choices: &mut Choices, number: u32, payload: &[u8], to: &mut Vec<u8>) {
    key(choices, number, 2, to);
    varint(choices, payload.len() as u64, to);
    to.extend_from_slice(payload);
}

fn unknown(choices: &mut Choices, to: &mut Vec<u8>) {
    let number = match choices.below(4) {
        0 if choices.once_in(8) => 0,
        0 => 1 + choices.below(31) as u32,
        1 => choices.number() as u32 >> 3,
        _ => 1 + choices.byte() as u32 * 7,
    };
    match choices.below(8) {
        0..=2 => {
            key(choices, number, 0, to);
            let value = choices.number();
            varint(choices, value, to);
        }
        3 | 4 => {
            let payload = choices.take(5);
            block(choices, number, payload, to);
        }
        5 => {
            key(choices, number, 5, to);
            to.extend([1, 2, 3, 4]);
        }
        6 => {
            key(choices, number, 1, to);
            to.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        }
        _ if choices.below(4) != 0 => {}
        _ => {
            let wire = 3 + choices.below(5) as u64;
            key(choices, number, wire, to);
        }
    }
}

fn any(choices: &mut Choices, of: &MessageDescriptor, depth: usize, to: &mut Vec<u8>) {
    let types: Vec<MessageDescriptor> =
        of.parent_pool().all_messages().filter(|message| message.package_name() == "w").collect();
    let held = choices.pick(&types).clone();
    let url = match choices.below(8) {
        0 => "type.googleapis.com/w.Onbekend".to_owned(),
        1 => format!("voorbeeld.nl/{}", held.full_name()),
        2 => "type.googleapis.com/google.protobuf.StringValue".to_owned(),
        _ => format!("type.googleapis.com/{}", held.full_name()),
    };
    let mut value = Vec::new();
    write(choices, &held, depth + 1, &mut value);
    match choices.below(8) {
        0 => block(choices, 1, url.as_bytes(), to),
        1 => block(choices, 2, &value, to),
        2 => {
            block(choices, 2, &value, to);
            block(choices, 1, url.as_bytes(), to);
        }
        _ => {
            block(choices, 1, url.as_bytes(), to);
            block(choices, 2, &value, to);
        }
    }
}

fn one(choices: &mut Choices, field: &FieldDescriptor, depth: usize, to: &mut Vec<u8>) {
    let number = field.number();
    if choices.once_in(200) {
        key(choices, number, 5, to);
        to.extend([0, 0, 128, 63]);
        return;
    }
    match field.kind() {
        Kind::Message(of) => {
            let mut inner = Vec::new();
            if depth < 120 {
                write(choices, &of, depth + 1, &mut inner);
            }
            // the same message inside itself, up to past the limit
            if choices.once_in(40) && of.get_field(number).is_some_and(|own| own.kind() == field.kind()) {
                for _ in 0..choices.below(110) {
                    let mut outer = Vec::new();
                    block(choices, number, &inner, &mut outer);
                    inner = outer;
                }
            }
            block(choices, number, &inner, to);
        }
        Kind::String => {
            let texts: [&[u8]; 12] = [
                b"",
                b"1980-02-29",
                b"1980",
                b"1234 AB",
                b"999990019",
                b"kan niet tillen",
                "cli\u{eb}nt zegt \u{2018}nee\u{2019}".as_bytes(),
                b"een tekst die langer is dan vierenzestig tekens, zodat ook de lange weg wordt gelopen",
                b"caf\xe9",
                b"0123456789abcdef0123456789abcdef",
                b"zeven.7",
                b"acht is8",
            ];
            let text = *choices.pick(&texts);
            if text.is_ascii() || text.len() > 4 || choices.once_in(16) {
                block(choices, number, text, to);
            }
        }
        Kind::Bytes => {
            let len = choices.below(20);
            let payload = choices.take(len);
            block(choices, number, payload, to);
        }
        kind => {
            let packed = field.is_list() && choices.once_in(2) || choices.once_in(200);
            if packed {
                let mut run = Vec::new();
                for _ in 0..choices.below(6) {
                    scalar(choices, &kind, &mut run);
                }
                block(choices, number, &run, to);
            } else {
                let wire = match kind {
                    Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => 5,
                    Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => 1,
                    _ => 0,
                };
                key(choices, number, wire, to);
                scalar(choices, &kind, to);
            }
        }
    }
}

fn scalar(choices: &mut Choices, kind: &Kind, to: &mut Vec<u8>) {
    let value = match choices.below(8) {
        0 => 0,
        1 => 1,
        2 => 37,
        3 => 300,
        4 => u64::from(choices.number() as u32),
        5 => (choices.byte() as i8) as i64 as u64,
        6 => 1 << 32,
        _ => choices.number(),
    };
    match kind {
        Kind::Fixed32 | Kind::Sfixed32 => to.extend((value as u32).to_le_bytes()),
        Kind::Float => to.extend((value as i64 as f32 / 2.0).to_le_bytes()),
        Kind::Fixed64 | Kind::Sfixed64 => to.extend(value.to_le_bytes()),
        Kind::Double => {
            to.extend(if value == 300 { f64::NAN } else { value as i64 as f64 / 2.0 }.to_le_bytes())
        }
        _ => varint(choices, value, to),
    }
}
