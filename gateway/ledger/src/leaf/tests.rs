use super::*;
use crate::DeliveryId;
use model::{DataClass, Form, Reason};

pub(crate) fn party(number: u8, role: &str) -> Party {
    Party { oin: format!("0000009900000000{number:03}0").parse().unwrap(), role: role.parse().unwrap() }
}

pub(crate) fn exchange(millis: i64, seed: u8) -> ExchangeId {
    ExchangeId::new(Timestamp::from_unix_millis(millis), [seed; 10])
}

/// A record with every optional part in it.
pub(crate) fn sent() -> Leaf {
    let mut delivery = Delivery::new(party(4, "coach"), Decision::Delivered);
    delivery.delivery = Some(DeliveryId([7; 16]));
    delivery.digest = Some(Digest([8; 32]));
    delivery.consents = Some(model::Consents::both(model::Consent::Verleend));
    delivery.passed.push(Passed { class: DataClass::FunctioneelUren, form: Form::Urenband, count: 2 });
    let rule = Some("geen-medisch-buiten-medisch".parse().unwrap());
    delivery.withheld.push(Withheld { class: Some(DataClass::MedischDiagnose), count: 3, rule });
    delivery.withheld.push(Withheld { class: None, count: 1, rule: None });
    let mut back = Delivery::new(party(1, "klantmanager"), Decision::Returned);
    back.reason = Some(Reason::TextHeldBack);
    let rule = "verslaving-middel".parse().unwrap();
    let field = "toelichtingen.tekst".parse().unwrap();
    back.held_back.push(HeldBack { field, class: Some(DataClass::MedischVerslaving), rule });
    let carried = Carried {
        from: Some(party(3, "behandelaar")),
        terms: Terms {
            declared: Some("X01".parse().unwrap()),
            contract: Some("werkfit.v1".parse().unwrap()),
            message: Some("werkfit.v1.MedischVerslag".parse().unwrap()),
            purpose: Some("re-integratie".parse().unwrap()),
            grondslag: Some(Grondslag::WettelijkeTaak),
            spoed: true,
            opens: None,
        },
        reason: None,
        to: vec![delivery, back],
    };
    Leaf {
        v: Version::default(),
        time: Timestamp::from_unix_millis(1_795_000_000_123),
        exchange: exchange(1_795_000_000_100, 1),
        trace: Some(Trace {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([2; 8]),
            parent_span_id: Some(SpanId([3; 8])),
        }),
        bundle: BundleRef { number: 12, digest: Digest([5; 32]) },
        activity: Some("https://register.example/werkfit/aanmelding/3".into()),
        client: Some(ClientLink { key: KeyId([6; 16]), link: Digest([7; 32]), seal: Some(Digest([8; 32])) }),
        event: Event::Sent(carried),
    }
}

/// One record of every kind.
pub(crate) fn all_kinds() -> Vec<Leaf> {
    let Event::Sent(carried) = sent().event else { unreachable!() };
    let one = Carried { to: carried.to[..1].to_vec(), ..carried.clone() };
    let refused = Carried { from: None, reason: Some(Reason::CertificateRefused), ..Carried::default() };
    let coach = party(4, "coach");
    let text = carried.to[1].held_back[0].clone();
    let events = vec![
        sent().event,
        Event::HandedOut(one.clone()),
        Event::Acknowledged(one.clone()),
        Event::Refused(refused),
        Event::Expired(Carried { reason: Some(Reason::Expired), ..one.clone() }),
        Event::Ask(one),
        Event::Consent(ConsentChange {
            by: coach.clone(),
            kind: ConsentKind::Beroepsgeheim,
            state: model::Consent::Verleend,
            receiver: coach.clone(),
            purpose: "re-integratie".parse().unwrap(),
            until: Some(Timestamp::from_unix_millis(1_810_000_000_000)),
        }),
        Event::Erased(Erasure {
            by: party(1, "klantmanager"),
            ground: "avg-17-1-b".parse().unwrap(),
            reason: Some(Reason::RetentionDuty),
            until: Some(Timestamp::from_unix_millis(1_810_000_000_000)),
        }),
        Event::Bundle(BundleChange {
            approvals: 2,
            widens: true,
            ..BundleChange::new(Act::Activated, sent().bundle)
        }),
        Event::Access(Access { by: party(9, "auditor"), what: "export-ldv".parse().unwrap(), records: 41 }),
        Event::Release(Release {
            by: party(9, "privacy-officer"),
            to: coach,
            delivery: DeliveryId([7; 16]),
            text,
            ground: "gecontroleerd".parse().unwrap(),
            also: Vec::new(),
            step: ReleaseStep::Released,
        }),
        Event::Change(ChangeStep {
            by: party(9, "officer"),
            change: exchange(1_795_000_000_100, 12),
            step: StepKind::Propose,
            difference: Some(Digest([5; 32])),
            proposed: Some(ProposedBundle {
                from: sent().bundle,
                to: sent().bundle,
                widens: true,
                undoes: Some(Digest([6; 32])),
            }),
            reason: Some(Reason::RequestInvalid),
        }),
        Event::Escape(Escape {
            by: party(3, "behandelaar"),
            reason: "gevaar_voor_client".parse().unwrap(),
            until: Timestamp::from_unix_millis(1_795_000_003_600),
        }),
        Event::Traject(TrajectChange {
            by: party(1, "klantmanager"),
            phase: Some(3),
            parties: vec![party(1, "klantmanager").oin, party(4, "coach").oin],
        }),
    ];
    (1..)
        .zip(events)
        .map(|(number, event)| {
            let client = sent().client.map(|link| ClientLink { key: KeyId([number; 16]), ..link });
            Leaf { exchange: exchange(1_795_000_000_100, number), client, event, ..sent() }
        })
        .collect()
}

#[test]
fn every_kind_of_record_comes_back_whole() {
    let kinds: Vec<Kind> = all_kinds().iter().map(Leaf::kind).collect();
    assert_eq!(kinds, Kind::ALL);
    for leaf in all_kinds() {
        let bytes = leaf.to_bytes().unwrap();
        assert_eq!(Leaf::from_bytes(&bytes).unwrap(), leaf, "{}", leaf.kind());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(&format!("\"event\":{{\"{}\":", leaf.kind())), "{text}");
    }
}

/// `VELDWACHT_FREEZE=v3 cargo test -p ledger freeze` writes the examples of a new version; they are never changed.
#[test]
fn freeze() {
    let Ok(version) = std::env::var("VELDWACHT_FREEZE") else { return };
    let testdata = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let folder = testdata.join(format!("record-{version}"));
    std::fs::create_dir(&folder).expect("frozen examples are never changed");
    let mut sums = String::new();
    for leaf in all_kinds() {
        let (name, bytes) = (format!("{}.json", leaf.kind()), leaf.to_bytes().unwrap());
        sums.push_str(&format!("{}  record-{version}/{name}\n", Digest::of(&bytes)));
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    std::fs::write(testdata.join(format!("SHA256SUMS-{version}")), sums).unwrap();
}

#[test]
fn a_record_is_the_same_bytes_every_time_and_comes_back_whole() {
    let bytes = sent().to_bytes().unwrap();
    assert!(bytes.starts_with(br#"{"v":2,"time":1795000000123,"exchange":""#));
    let back = Leaf::from_bytes(&bytes).unwrap();
    assert_eq!(back, sent());
    assert_eq!(back.to_bytes().unwrap(), bytes);
}

#[test]
fn a_record_that_does_not_fit_an_entry_is_refused() {
    let mut leaf = sent();
    let Event::Sent(carried) = &mut leaf.event else { unreachable!() };
    let one = carried.to[0].clone();
    carried.to = vec![one; 300];
    assert!(matches!(leaf.to_bytes(), Err(LeafError::TooLong { bytes }) if bytes > MAX_LEAF));
}

#[test]
fn a_record_of_another_version_or_with_unknown_keys_is_told_apart() {
    let text = String::from_utf8(sent().to_bytes().unwrap()).unwrap();
    let newer = text.replacen("\"v\":2", "\"v\":3", 1);
    assert_eq!(Leaf::from_bytes(newer.as_bytes()), Err(LeafError::OtherVersion { version: 3 }));
    let extra = text.replacen("\"v\":2", "\"v\":2,\"name\":\"x\"", 1);
    assert_eq!(Leaf::from_bytes(extra.as_bytes()), Err(LeafError::Malformed));
    assert_eq!(Leaf::from_bytes(b"hello"), Err(LeafError::Malformed));
}

#[test]
fn a_sealed_part_is_never_printed() {
    let sealed = SealedPart {
        user: Some("j.jansen".into()),
        client: vec![ClientIdentifier { kind: "bsn".into(), value: "999990019".into() }],
        responsible: None,
        reason: None,
        delivered: Vec::new(),
    };
    let shown = format!("{sealed:?} {:?}", sealed.client);
    assert!(!shown.contains("jansen") && !shown.contains("99999"), "{shown}");
    assert!(SealedPart::from_bytes(&sealed.to_bytes().unwrap()).unwrap() == sealed);
}

proptest::proptest! {
    #[test]
    fn a_record_with_any_byte_changed_is_read_or_refused(
        at in proptest::prelude::any::<proptest::sample::Index>(), byte: u8,
    ) {
        let mut bytes = sent().to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(leaf) = Leaf::from_bytes(&bytes) {
            proptest::prop_assert_eq!(Leaf::from_bytes(&leaf.to_bytes().unwrap()).unwrap(), leaf);
        }
    }

    #[test]
    fn any_bytes_are_a_record_or_are_refused_without_being_shown(bytes: Vec<u8>, text in "[a-z]{8,20}") {
        proptest::prop_assert!(Leaf::from_bytes(&bytes).is_err());
        let error = Leaf::from_bytes(format!("{{\"v\":1,\"{text}\":\"{text}\"}}").as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?}");
        proptest::prop_assert!(!shown.contains(&text));
    }
}
