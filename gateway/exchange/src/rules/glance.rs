//! The client of a message at a glance: its BSNs, found by going from tag to tag.
//!
//! Owns: doing so for messages as everybody writes them. Whatever is unusual – a group, a oneof or an `Any` on the way, BSNs
//! that differ, bytes that end early – it leaves to the plan that `rules` has for it. So it decides nothing: what it finds,
//! the plan would find, in the time that it takes to read every value.

use std::collections::HashMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// So many messages may stand inside each other; the plan knows what to do with more.
const LEVELS: u8 = 32;
const ANY: &str = "google.protobuf.Any";

/// Where the BSNs of a message type may stand.
pub(super) struct Glance {
    /// By message type, the root first: the fields that lead to a BSN.
    messages: Vec<Vec<(u32, Leads)>>,
}

enum Leads {
    ToBsn,
    Into(usize),
}

impl Glance {
    /// Where the BSNs of this type stand; none where only the plan can tell.
    pub(super) fn new(root: &MessageDescriptor, is_bsn: &dyn Fn(&FieldDescriptor) -> bool) -> Option<Glance> {
        let mut places = HashMap::from([(root.full_name().to_owned(), 0)]);
        let mut types = vec![root.clone()];
        let mut next = 0;
        while let Some(message) = types.get(next).cloned() {
            for inner in message.fields().filter_map(|field| field.kind().as_message().cloned()) {
                places.entry(inner.full_name().to_owned()).or_insert_with(|| {
                    types.push(inner.clone());
                    types.len() - 1
                });
            }
            next += 1;
        }
        if places.contains_key(ANY) {
            return None;
        }
        // A text, that is: nothing else can be read as one.
        let is_bsn = |field: &FieldDescriptor| matches!(field.kind(), Kind::String) && is_bsn(field);
        let inner = |field: &FieldDescriptor| places.get(field.kind().as_message()?.full_name()).copied();
        // From the BSNs upwards, until nothing more leads to one.
        let mut lead = vec![false; types.len()];
        loop {
            let leads = |message: &MessageDescriptor| {
                let into = |field: &FieldDescriptor| {
                    inner(field).is_some_and(|inner| lead.get(inner) == Some(&true))
                };
                message.fields().any(|field| is_bsn(&field) || into(&field))
            };
            let more: Vec<bool> = types.iter().map(leads).collect();
            if more == lead {
                break;
            }
            lead = more;
        }
        let table = |message: &MessageDescriptor| {
            let leading = message.fields().filter_map(|field| match inner(&field) {
                Some(inner) => (lead.get(inner) == Some(&true)).then_some((field, Leads::Into(inner))),
                None => is_bsn(&field).then_some((field, Leads::ToBsn)),
            });
            leading.map(|(field, leads)| is_plain(&field).then_some((field.number(), leads))).collect()
        };
        Some(Glance { messages: types.iter().map(table).collect::<Option<_>>()? })
    }

    /// The one BSN in a message, if it holds any. `None` says that it takes the plan to tell.
    pub(super) fn of<'m>(&self, message: &'m [u8]) -> Option<Option<&'m [u8]>> {
        let mut found = None;
        self.walk(0, message, &mut found, LEVELS)?;
        Some(found)
    }

    fn walk<'m>(
        &self,
        message: usize,
        mut rest: &'m [u8],
        found: &mut Option<&'m [u8]>,
        levels: u8,
    ) -> Option<()> {
        let levels = levels.checked_sub(1)?;
        let fields = self.messages.get(message)?;
        while !rest.is_empty() {
            let (tag, after) = varint(rest)?;
            let (value, after) = match tag & 7 {
                0 => (None, varint(after)?.1),
                1 => (None, after.get(8..)?),
                2 => {
                    let (length, after) = varint(after)?;
                    let (value, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
                    (Some(value), after)
                }
                5 => (None, after.get(4..)?),
                _ => return None,
            };
            rest = after;
            let leads = fields.iter().find(|(number, _)| u64::from(*number) == tag >> 3);
            match (leads, value) {
                (None, _) => {}
                (Some((_, Leads::Into(inner))), Some(value)) => self.walk(*inner, value, found, levels)?,
                (Some((_, Leads::ToBsn)), Some(value)) if !value.is_empty() => match *found {
                    Some(other) if other != value => return None,
                    _ => *found = Some(value),
                },
                (Some(_), _) => return None,
            }
        }
        Some(())
    }
}

/// Whether a field stands for itself: not in a oneof, of which the last member counts, and not a group.
fn is_plain(field: &FieldDescriptor) -> bool {
    !field.is_group() && field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic())
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    if let Some((first, rest)) = bytes.split_first()
        && *first < 0x80
    {
        return Some((u64::from(*first), rest));
    }
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    // Ten bytes are for numbers under zero.
    let last = bytes.get(9).filter(|last| **last <= 1)?;
    Some((value | u64::from(*last) << 63, bytes.get(10..)?))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use fields::{Account, Limits, Plan, PseudonymKey, Rule};
    use model::{DataClass, FieldKind, Form};
    use proptest::prelude::*;
    use prost_reflect::DescriptorPool;
    use prost_types::field_descriptor_proto::{Label, Type};
    use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, OneofDescriptorProto};

    use super::*;

    fn field(name: &str, number: i32, kind: Type, of: Option<&str>) -> FieldDescriptorProto {
        FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            label: Some(if of.is_some() { Label::Repeated } else { Label::Optional } as i32),
            r#type: Some(kind as i32),
            type_name: of.map(str::to_owned),
            ..Default::default()
        }
    }

    fn message(name: &str, field: Vec<FieldDescriptorProto>) -> DescriptorProto {
        DescriptorProto { name: Some(name.to_owned()), field, ..Default::default() }
    }

    /// `Dossier { string bsn = 1; repeated Deel delen = 2; repeated Tekst teksten = 3; uint64 getal = 16; }`, where a
    /// `Deel` has a BSN and more of itself, and a `Tekst` leads to none.
    fn dossier(change: impl FnOnce(&mut DescriptorProto)) -> MessageDescriptor {
        let mut dossier = message(
            "Dossier",
            vec![
                field("bsn", 1, Type::String, None),
                field("delen", 2, Type::Message, Some(".Deel")),
                field("teksten", 3, Type::Message, Some(".Tekst")),
                field("getal", 16, Type::Uint64, None),
            ],
        );
        change(&mut dossier);
        let deel = vec![field("bsn", 3, Type::String, None), field("delen", 1, Type::Message, Some(".Deel"))];
        let tekst = message("Tekst", vec![field("tekst", 1, Type::String, None)]);
        let file = FileDescriptorProto {
            name: Some("dossier.proto".into()),
            syntax: Some("proto3".into()),
            message_type: vec![dossier, message("Deel", deel), tekst],
            ..Default::default()
        };
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_proto(file).unwrap();
        pool.get_message_by_name("Dossier").unwrap()
    }

    fn is_bsn(field: &FieldDescriptor) -> bool {
        field.name() == "bsn"
    }

    fn glance() -> &'static Glance {
        static GLANCE: LazyLock<Glance> = LazyLock::new(|| Glance::new(&dossier(|_| {}), &is_bsn).unwrap());
        &GLANCE
    }

    /// What the plan of `rules` finds: every BSN, or that it is no such message.
    fn by_plan(message: &[u8]) -> Option<Vec<Vec<u8>>> {
        static PLAN: LazyLock<Plan> = LazyLock::new(plan);
        let (mut found, mut account) = (Vec::new(), Account::new());
        PLAN.filter(message, &PseudonymKey::unused(), &mut found, &mut account).ok()?;
        Some(account.texts().iter().map(|text| found[text.start..text.end].to_vec()).collect())
    }

    fn plan() -> Plan {
        let mut rule_of = |field: &FieldDescriptor| {
            let class = DataClass::PersoonBsn;
            match field.kind() {
                Kind::Message(_) => (FieldKind::Bericht, Rule::Pass { class, form: Form::Vol }),
                _ if is_bsn(field) => (FieldKind::Tekst, Rule::Screen { class }),
                _ => (FieldKind::Waarde, Rule::Withhold { class: None }),
            }
        };
        Plan::compile(&dossier(|_| {}), &mut rule_of, Limits::default()).unwrap()
    }

    fn text(number: u8, text: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, u8::try_from(text.len()).unwrap()];
        field.extend(text);
        field
    }

    #[test]
    fn a_bsn_is_found_wherever_it_stands_and_nothing_else_is_read() {
        let deep = text(2, &text(1, &text(1, &text(3, b"999990019"))));
        let beside = [text(3, &text(1, b"\xff no text")), vec![0x80, 1, 0xff, 1], deep.clone()].concat();
        assert_eq!(glance().of(&deep), Some(Some(&b"999990019"[..])));
        assert_eq!(glance().of(&beside), Some(Some(&b"999990019"[..])));
        assert_eq!(glance().of(&[text(1, b"999990019"), deep].concat()), Some(Some(&b"999990019"[..])));
        assert_eq!(glance().of(&text(3, &text(1, b"999990019"))), Some(None), "a text is none");
        assert_eq!(glance().of(b""), Some(None));
    }

    #[test]
    fn what_is_unusual_is_left_to_the_plan() {
        let two = [text(1, b"999990019"), text(2, &text(3, b"999990020"))].concat();
        let too_deep = text(2, &(0..LEVELS).fold(text(3, b"999990019"), |inner, _| text(1, &inner)));
        for left in [&two[..], &two[..9], &text(1, b""), &[0x0b, 0x0c], &[0x08, 1], &too_deep] {
            assert_eq!(glance().of(left), None, "{left:?}");
        }
        let in_a_oneof = dossier(|dossier| {
            dossier.oneof_decl.push(OneofDescriptorProto { name: Some("een".into()), options: None });
            dossier.field[0].oneof_index = Some(0);
        });
        assert!(Glance::new(&in_a_oneof, &is_bsn).is_none());
    }

    /// Messages as they come, and what is hardly one.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let bsn =
            prop_oneof![4 => Just(b"999990019".to_vec()), 1 => "[0-9a-z]{0,10}".prop_map(String::into_bytes)];
        let leaf = prop_oneof![
            (prop_oneof![Just(1_u8), Just(3)], bsn).prop_map(|(number, bsn)| text(number, &bsn)),
            any::<u64>().prop_map(|number| [&[0x80, 1][..], &short(number)].concat()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            (1_u8..4, proptest::collection::vec(inner, 0..4)).prop_map(|(number, inner)| {
                let inner = inner.concat();
                text(number, &inner[..inner.len().min(120)])
            })
        })
    }

    fn short(mut number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn a_glance_finds_what_the_plan_finds(pieces in proptest::collection::vec(bytes(), 0..4)) {
            let message = pieces.concat();
            if let (Some(found), Some(expected)) = (glance().of(&message), by_plan(&message)) {
                let all_the_same = expected.iter().all(|bsn| Some(&bsn[..]) == found);
                prop_assert!(all_the_same && expected.is_empty() == found.is_none(), "{:?} {:?}", found, expected);
            }
        }
    }
}
