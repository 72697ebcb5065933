//! What a receiver could infer of what was withheld: a test for each way to tell. What remains: `INFERENCE.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::{Duration, Instant};

use fields::{Account, Limits, MalformedKind, Plan, PseudonymKey, Rule};
use model::{DataClass, FieldKind, Form};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor};

/// Fields named `g…` are withheld; `j…` pass as yes or no.
const CONTRACT: &str = r#"
    syntax = "proto3";
    package l;
    import "google/protobuf/any.proto";
    message Dossier {
      string naam = 1;
      string geheim = 2;
      Deel deel = 3;
      repeated Deel delen = 4;
      repeated Geheim geheimen = 5;
      oneof keuze { string k1 = 6; string g2 = 7; Deel k3 = 8; Geheim g4 = 9; }
      map<string, string> geheugen = 10;
      repeated string ja_lijst = 11;
      repeated int32 ja_getallen = 12;
      google.protobuf.Any bijlage = 13;
      int32 getal = 14;
      repeated int32 geheime_getallen = 15;
      string ja_tekst = 16;
    }
    message Deel { string naam = 1; string geheim = 2; Deel deel = 3; }
    message Geheim { string tekst = 1; repeated Geheim nog = 2; }
"#;

fn contract() -> MessageDescriptor {
    let file = protox::file::File::from_source("l.proto", CONTRACT).unwrap();
    let mut pool = DescriptorPool::global();
    pool.add_file_descriptor_proto(file.file_descriptor_proto().clone()).unwrap();
    pool.get_message_by_name("l.Dossier").unwrap()
}

fn rule(field: &FieldDescriptor) -> (FieldKind, Rule) {
    let class = DataClass::Arbeid;
    let of_map = field.parent_message().is_map_entry();
    match field.name() {
        name if name.starts_with('g') && name != "getal" || field.parent_message().name() == "Geheim" => {
            (FieldKind::Waarde, Rule::Withhold { class: Some(DataClass::MedischDiagnose) })
        }
        name if name.starts_with("ja_") => (FieldKind::Waarde, Rule::Pass { class, form: Form::JaNee }),
        _ if of_map => (FieldKind::Waarde, Rule::Withhold { class: None }),
        _ => (FieldKind::Waarde, Rule::Pass { class, form: Form::Vol }),
    }
}

struct Filter {
    contract: MessageDescriptor,
    plan: Plan,
    key: PseudonymKey,
}

impl Filter {
    fn new() -> Filter {
        let contract = contract();
        let plan = Plan::compile(&contract, &mut |field| rule(field), Limits::default()).unwrap();
        let key = PseudonymKey::for_receiver(&[3; 32], &"00000099000000001000".parse().unwrap());
        Filter { contract, plan, key }
    }

    fn of_text(&self, text: &str) -> Vec<u8> {
        let message = DynamicMessage::parse_text_format(self.contract.clone(), text).expect(text);
        self.of_bytes(&prost::Message::encode_to_vec(&message))
    }

    fn of_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        self.plan.filter(bytes, &self.key, &mut output, &mut Account::new()).unwrap();
        output
    }
}

fn block(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(payload.len()).unwrap()];
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn the_size_of_what_is_withheld_leaves_no_trace_in_any_length() {
    let filter = Filter::new();
    let with = |len: usize| {
        let geheim = "x".repeat(len);
        filter.of_text(&format!(
            "naam: 'n' geheim: '{geheim}' deel {{ naam: 'a' geheim: '{geheim}' deel {{ geheim: '{geheim}' }} }}
             delen {{ geheim: '{geheim}' naam: 'b' }}"
        ))
    };
    for len in [1, 90, 126, 127, 128, 129, 200, 16_382, 16_384, 40_000] {
        assert_eq!(with(len), with(0), "{len}");
    }
}

#[test]
fn how_many_elements_are_withheld_leaves_no_trace() {
    let filter = Filter::new();
    let with = |count: usize| {
        let geheimen = "geheimen { tekst: 't' nog { tekst: 'u' } } ".repeat(count);
        let getallen = "geheime_getallen: 7 ".repeat(count);
        let geheugen: String =
            (0..count).map(|key| format!("geheugen {{ key: '{key}' value: 'v' }} ")).collect();
        filter.of_text(&format!("naam: 'n' {geheimen} {getallen} {geheugen}"))
    };
    for count in [1, 2, 100] {
        assert_eq!(with(count), with(0));
    }
}

#[test]
fn a_form_that_says_whether_there_is_any_does_not_say_how_many() {
    let filter = Filter::new();
    let one = filter.of_text("ja_lijst: 'F32.1' ja_getallen: 4");
    assert_eq!(
        filter.of_text("ja_lijst: 'F41' ja_lijst: '' ja_lijst: 'Z73' ja_getallen: [0, 9, 300, -1]"),
        one
    );
    assert_ne!(filter.of_text(""), one);
    assert_eq!(filter.of_text("ja_tekst: 'kort'"), filter.of_text("ja_tekst: 'een heel lange tekst'"));
}

#[test]
fn whether_something_withheld_is_there_leaves_no_trace() {
    let filter = Filter::new();
    let without = filter.of_text("naam: 'n' deel { naam: 'a' } delen {} getal: 1");
    for with in [
        "naam: 'n' geheim: 'g' deel { naam: 'a' } delen {} getal: 1",
        "naam: 'n' deel { naam: 'a' geheim: 'g' } delen { geheim: 'g' } getal: 1",
        "naam: 'n' deel { naam: 'a' } delen {} geheimen {} getal: 1 geheime_getallen: 0",
        "naam: 'n' deel { naam: 'a' } delen {} getal: 1 geheugen { key: 'k' value: 'v' }",
    ] {
        assert_eq!(filter.of_text(with), without, "{with}");
    }
}

#[test]
fn which_withheld_member_a_oneof_holds_and_whether_it_holds_one_leaves_no_trace() {
    let filter = Filter::new();
    let unset = filter.of_text("naam: 'n'");
    assert_eq!(filter.of_text("naam: 'n' g2: 'g'"), unset);
    assert_eq!(filter.of_text("naam: 'n' g4 { tekst: 'g' }"), unset);
    // a kept member that was overwritten does not come back to life, wherever its pieces stand
    let overwritten = [block(1, b"n"), block(6, b"k"), block(7, b"g")].concat();
    assert_eq!(filter.of_bytes(&overwritten), unset);
    let overwritten = [block(8, &block(1, b"a")), block(1, b"n"), block(9, b"")].concat();
    assert_eq!(filter.of_bytes(&overwritten), unset);
    let pieces =
        [block(8, &block(1, b"a")), block(9, b""), block(8, &block(2, b"g")), block(1, b"n")].concat();
    assert_eq!(filter.of_bytes(&pieces), filter.of_text("naam: 'n' k3 {}"));
}

#[test]
fn where_something_withheld_stood_leaves_no_trace_in_the_order_of_the_rest() {
    let filter = Filter::new();
    let (naam, geheim, getal) = (block(1, b"n"), block(2, b"g"), vec![14 << 3, 5]);
    let plain = filter.of_bytes(&[naam.clone(), getal.clone()].concat());
    for order in [[&geheim, &naam, &getal], [&naam, &geheim, &getal], [&naam, &getal, &geheim]] {
        assert_eq!(filter.of_bytes(&order.map(Vec::as_slice).concat()), plain);
    }
    // a message that comes in pieces, one of them all withheld, arrives as one
    let whole = filter.of_bytes(&block(3, &block(1, b"a")));
    assert_eq!(filter.of_bytes(&[block(3, &block(2, b"g")), block(3, &block(1, b"a"))].concat()), whole);
    assert_eq!(filter.of_bytes(&[block(3, &block(1, b"a")), block(3, &block(2, b"g"))].concat()), whole);
}

#[test]
fn the_name_of_a_withheld_type_does_not_pass_in_an_any() {
    let filter = Filter::new();
    let any = |name: &str, value: &[u8]| {
        block(13, &[block(1, format!("type.googleapis.com/{name}").as_bytes()), block(2, value)].concat())
    };
    let nothing = block(13, b"");
    for name in ["l.Geheim", "l.Onbekend", "google.protobuf.StringValue"] {
        assert_eq!(filter.of_bytes(&any(name, &block(1, b"x"))), nothing, "{name}");
    }
    let deel = filter.of_bytes(&any("l.Deel", &[block(1, b"a"), block(2, b"g")].concat()));
    assert_eq!(deel, any("l.Deel", &block(1, b"a")));
}

#[test]
fn nothing_travels_in_bits_that_a_parser_does_not_look_at() {
    let filter = Filter::new();
    let plain = filter.of_bytes(&[14 << 3, 5]);
    let padded_value = [14 << 3, 0x85, 0x80, 0x80, 0];
    let padded_key = [(14 << 3) | 0x80, 0x80, 0, 5];
    let upper_bits = [14 << 3, 0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
    let unknown_field = [14 << 3, 5, 0xf8, 0x7f, 9];
    for hidden in [&padded_value[..], &padded_key, &upper_bits, &unknown_field] {
        assert_eq!(filter.of_bytes(hidden), plain, "{hidden:02x?}");
    }
    let padded_length = [1 << 3 | 2, 0x81, 0x80, 0, b'n'];
    assert_eq!(filter.of_bytes(&padded_length), block(1, b"n"));
}

#[test]
fn a_refusal_holds_no_value_and_does_not_depend_on_who_receives() {
    let filter = Filter::new();
    let contract = &filter.contract;
    let withhold = (FieldKind::Waarde, Rule::Withhold { class: None });
    let nothing = Plan::compile(contract, &mut |_| withhold, Limits::default()).unwrap();
    let pass = Rule::Pass { class: DataClass::Arbeid, form: Form::Vol };
    let all = Plan::compile(contract, &mut |_| (FieldKind::Waarde, pass), Limits::default()).unwrap();
    let broken = [
        block(5, &block(1, b"diagnose\xff")),
        block(5, &[1 << 3 | 2, 100, b'd']),
        [block(2, b"diagnose"), vec![3]].concat(),
        [block(1, b"diagnose"), vec![14 << 3 | 5, 1]].concat(),
        [block(10, &block(1, b"diagnose")), vec![0]].concat(),
    ];
    for bytes in broken {
        let refused = [&filter.plan, &nothing, &all].map(|plan| {
            let (mut output, mut account) = (vec![1, 2, 3], Account::new());
            let refused = plan.filter(&bytes, &filter.key, &mut output, &mut account).unwrap_err();
            assert!(output.is_empty() && account == Account::new());
            refused
        });
        assert_eq!(refused[0], refused[1]);
        assert_eq!(refused[0], refused[2]);
        let told = format!("{} {:?}", refused[0], refused[0]);
        assert!(!told.contains("diag"), "{told}");
    }
}

#[test]
fn an_account_tells_classes_and_counts_and_never_a_value() {
    let filter = Filter::new();
    let bytes = [block(1, b"Noor"), block(2, b"F32.1"), block(6, b"k")].concat();
    let (mut output, mut account) = (Vec::new(), Account::new());
    filter.plan.filter(&bytes, &filter.key, &mut output, &mut account).unwrap();
    assert_eq!(account.withheld().collect::<Vec<_>>(), [(DataClass::MedischDiagnose, 1)]);
    assert_eq!(account.passed().collect::<Vec<_>>(), [(DataClass::Arbeid, Form::Vol, 2)]);
    let told = format!("{account:?} {:?} {}", filter.plan.explain(&bytes).unwrap(), filter.plan);
    assert!(!told.contains("Noor") && !told.contains("F32"), "{told}");
}

#[test]
fn a_message_is_refused_for_its_size_before_anything_in_it_is_read() {
    let filter = Filter::new();
    let limits = Limits { bytes: 10, ..Limits::default() };
    let plan = Plan::compile(&filter.contract, &mut |field| rule(field), limits).unwrap();
    let refused = plan.filter(&[0xff; 11], &filter.key, &mut Vec::new(), &mut Account::new()).unwrap_err();
    assert_eq!((refused.offset, refused.kind), (0, MalformedKind::Size));
}

/// What is withheld is read as carefully as what passes, so the time a pass takes says little about how much it
/// withheld. Wide bounds: this guards against skipping, not against noise.
#[test]
fn the_time_a_pass_takes_follows_the_bytes_and_not_the_share_withheld() {
    let filter = Filter::new();
    let inner = block(1, b"een tekst van enige lengte");
    let fill = |number: u8| {
        let mut bytes = Vec::new();
        (0..20_000).for_each(|_| bytes.extend(block(number, &inner)));
        bytes
    };
    let time = |bytes: &[u8]| {
        let (mut output, mut account) = (Vec::new(), Account::new());
        let runs = (0..15).map(|_| {
            let start = Instant::now();
            filter.plan.filter(bytes, &filter.key, &mut output, &mut account).unwrap();
            start.elapsed()
        });
        runs.min().unwrap_or(Duration::ZERO).as_secs_f64()
    };
    let (kept, withheld) = (time(&fill(4)), time(&fill(5)));
    assert!(kept < withheld * 4.0 && withheld < kept * 4.0, "kept {kept} s, withheld {withheld} s");
}
