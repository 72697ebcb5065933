//! One case: a world and a message made of choices, filtered both ways, and everything that must hold of the result.

use std::cell::RefCell;

use fields::{Account, MalformedKind, PseudonymKey};
use prost_reflect::{DynamicMessage, Value};

use crate::bytes;
use crate::choices::Choices;
use crate::reference::{Reference, texts_to_screen};
use crate::world::{self, WORLDS, World};

/// What a case came to, so that a run can tell whether it tested anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Refused,
    Passed { bytes: usize },
}

thread_local! {
    /// Used over and over and never cleaned, as a gateway does.
    static USED: RefCell<(Vec<u8>, Account)> = RefCell::default();
}

pub(crate) fn key() -> PseudonymKey {
    PseudonymKey::for_receiver(&[9; 32], &"00000099000000001000".parse().unwrap())
}

/// Runs the case that these bytes stand for: two bytes say which world and whether the message is a long one, one how
/// to read the rest.
pub(crate) fn check(data: &[u8]) -> Case {
    let mut choices = Choices(data);
    let number = usize::from(choices.byte()) | usize::from(choices.byte()) << 8;
    let world = world::world(number % WORLDS);
    let long = number >> 13 == 5;
    if choices.once_in(8) {
        let raw = choices.0;
        compare(&world, raw)
    } else {
        let input = bytes::message(&mut choices, &world.root, long);
        compare(&world, &input)
    }
}

pub(crate) fn compare(world: &World, input: &[u8]) -> Case {
    let parsed = DynamicMessage::decode(world.root.clone(), input);
    let key = key();
    USED.with_borrow_mut(|(output, account)| {
        let filtered = world.plan.filter(input, &key, output, account);
        let mut unused = (Vec::new(), Account::new());
        let nothing = world.nothing.filter(input, &key, &mut unused.0, &mut unused.1);
        let kind = |no: fields::Malformed| no.kind;
        assert_eq!(
            filtered.map_err(kind),
            nothing.map_err(kind),
            "whether a message is valid depends on who receives it"
        );
        let explained = world.plan.explain(input).is_ok();
        let mut reference = Reference { world, clearing: true, broken_any: false };
        match (filtered, parsed) {
            (Err(malformed), parsed) => {
                assert!(
                    output.is_empty() && *account == Account::new(),
                    "something passed of a refused message"
                );
                if let Ok(parsed) = parsed {
                    reference.message(&parsed);
                    let stricter = match malformed.kind {
                        MalformedKind::Group | MalformedKind::Depth => true,
                        // prost-reflect reads a map whatever its wire type is, also one that is overwritten later
                        MalformedKind::WireType if is_number_of_a_map(world, input, malformed.offset) => true,
                        _ => has_map(&parsed),
                    };
                    // Of an `Any` that is overwritten later, we have read what no parser ever looks into.
                    let names_a_type = input.windows(22).any(|part| part == b"type.googleapis.com/w.");
                    let broken_any = reference.broken_any || names_a_type;
                    assert!(stricter || broken_any, "refused what a parser reads: {malformed}");
                }
                Case::Refused
            }
            (Ok(()), Err(error)) => panic!("passed what a parser refuses: {error}"),
            (Ok(()), Ok(parsed)) => {
                assert!(explained, "passed, but cannot be explained");
                let expected = reference.message(&parsed);
                let arrived =
                    DynamicMessage::decode(world.root.clone(), output.as_slice()).expect("output is valid");
                let mut plain = Reference { world, clearing: false, broken_any: false };
                assert_eq!(plain.message(&arrived), expected, "the receiver sees something else");
                assert!(!reference.broken_any && !plain.broken_any);
                check_texts(world, output, account, &arrived);
                check_again(world, output, account, &key);
                Case::Passed { bytes: output.len() }
            }
        }
    })
}

/// Whether the key of one byte at `offset` is that of a map, in any message type.
fn is_number_of_a_map(world: &World, input: &[u8], offset: usize) -> bool {
    let number = u32::from(input[offset] >> 3);
    let fields = world.root.parent_pool().all_messages().filter_map(|message| message.get_field(number));
    input[offset] < 0x80 && fields.into_iter().any(|field| field.is_map())
}

fn has_map(message: &DynamicMessage) -> bool {
    message.fields().any(|(_, value)| match value {
        Value::Map(_) => true,
        Value::Message(inner) => has_map(inner),
        Value::List(values) => values.iter().filter_map(Value::as_message).any(has_map),
        _ => false,
    })
}

/// Every text that must be screened is reported, and nothing else is.
fn check_texts(world: &World, output: &[u8], account: &Account, arrived: &DynamicMessage) {
    let mut reported = Vec::new();
    for text in account.texts() {
        reported
            .push(std::str::from_utf8(&output[text.start..text.end]).expect("a text is UTF-8").to_owned());
        assert!(world.plan.locate(output, text.start).is_some(), "a text that stands nowhere");
    }
    let mut expected = Vec::new();
    texts_to_screen(world, arrived, &mut expected);
    for text in expected {
        let index = reported.iter().position(|reported| *reported == text);
        reported.swap_remove(index.expect("a text passed unscreened"));
    }
}

/// Filtering the output changes nothing, and a fresh buffer gives the same as a used one.
fn check_again(world: &World, output: &[u8], account: &Account, key: &PseudonymKey) {
    let (mut again, mut told) = (Vec::new(), Account::new());
    world.plan.filter(output, key, &mut again, &mut told).expect("output is valid");
    assert_eq!(again, output, "a second pass changed something");
    assert_eq!(told.texts(), account.texts());
    assert!(told.passed().eq(account.passed()), "a second pass counts something else");
    assert_eq!((told.withheld().count(), told.unclassified()), (0, 0), "something withheld was still there");
}
