//! The workload of the field benchmarks: a nested dossier of any size, and what one receiver may have of it.
//!
//! Shared by the criterion bench here and by `veldwacht bench fields`. All of it is made up.

use std::sync::LazyLock;

use fields::{Limits, Plan, PlanError, Rule};
use model::{DataClass, FieldKind, Form};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

/// The contract as generated code.
#[path = "dossier_types.rs"]
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub(crate) mod types;

use types::*;

/// What the receiver may not have, by full name.
const WITHHELD: [&str; 12] = [
    "dossier.Persoon.bsn",
    "dossier.Persoon.gezin",
    "dossier.Adres.geheim",
    "dossier.Uitkering.grond",
    "dossier.Belastbaarheid.arts",
    "dossier.Item.oorzaak",
    "dossier.Contact.klacht",
    "dossier.Doel.belemmering",
    "dossier.Plek.reden_einde",
    "dossier.Dossier.diagnoses",
    "dossier.Dossier.medicatie",
    "dossier.Dossier.schulden",
];

static CONTRACT: LazyLock<Option<MessageDescriptor>> =
    LazyLock::new(|| compiled(include_str!("dossier.proto")));

fn compiled(source: &str) -> Option<MessageDescriptor> {
    let file = protox::file::File::from_source("dossier.proto", source).ok()?;
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_proto(file.file_descriptor_proto().clone()).ok()?;
    pool.get_message_by_name("dossier.Dossier")
}

/// The descriptor of a dossier.
pub(crate) fn contract() -> Option<&'static MessageDescriptor> {
    CONTRACT.as_ref()
}

/// The same, with so many more message types of 20 fields each, none of them in any dossier.
#[allow(dead_code)]
pub(crate) fn contract_with(more: usize) -> Option<MessageDescriptor> {
    let fields: String = (1..=20).map(|number| format!("string f{number} = {number};")).collect();
    let types: String = (0..more).map(|index| format!("message Meer{index} {{ {fields} }}\n")).collect();
    let held: String =
        (0..more).map(|index| format!("Meer{index} meer{index} = {};\n", 100 + index)).collect();
    let source = include_str!("dossier.proto");
    let source = source.replacen("message Dossier {", &format!("{types}message Dossier {{\n{held}"), 1);
    compiled(&source)
}

fn is_withheld(field: &FieldDescriptor) -> bool {
    WITHHELD.contains(&field.full_name())
}

/// What the receiver may have.
pub(crate) fn filtering(contract: &MessageDescriptor) -> Result<Plan, PlanError> {
    let mut rule_of = |field: &FieldDescriptor| {
        let class = DataClass::Persoon;
        match field {
            field if is_withheld(field) => (FieldKind::Waarde, Rule::Withhold { class: Some(class) }),
            field if field.name() == "verslag" => (FieldKind::Tekst, Rule::Screen { class }),
            _ => (FieldKind::Waarde, Rule::Pass { class, form: Form::Vol }),
        }
    };
    Plan::compile(contract, &mut rule_of, Limits::default())
}

/// Everything passes.
pub(crate) fn keeping(contract: &MessageDescriptor) -> Result<Plan, PlanError> {
    let pass = (FieldKind::Waarde, Rule::Pass { class: DataClass::Persoon, form: Form::Vol });
    Plan::compile(contract, &mut |_| pass, Limits::default())
}

/// The same as `filtering`, by hand on generated types.
pub(crate) fn clear(dossier: &mut Dossier) {
    if let Some(persoon) = &mut dossier.persoon {
        persoon.bsn.clear();
        persoon.gezin.clear();
        if let Some(adres) = &mut persoon.adres {
            adres.geheim.clear();
        }
    }
    if let Some(uitkering) = &mut dossier.uitkering {
        uitkering.grond.clear();
    }
    if let Some(belastbaarheid) = &mut dossier.belastbaarheid {
        belastbaarheid.arts.clear();
        belastbaarheid.items.iter_mut().for_each(|item| item.oorzaak.clear());
    }
    dossier.contacten.iter_mut().for_each(|contact| contact.klacht.clear());
    dossier.doelen.iter_mut().for_each(|doel| doel.belemmering.clear());
    if let Some(werk) = &mut dossier.werk {
        werk.plekken.iter_mut().for_each(|plek| plek.reden_einde.clear());
    }
    dossier.diagnoses.clear();
    dossier.medicatie.clear();
    dossier.schulden.clear();
}

/// The same as `filtering`, on reflected messages of one type. What is to be cleared is looked up once, not for every
/// message: so a competent program would do it.
pub(crate) struct Clearing {
    withheld: Vec<FieldDescriptor>,
    inside: Vec<(FieldDescriptor, Clearing)>,
}

impl Clearing {
    pub(crate) fn of(message: &MessageDescriptor) -> Clearing {
        let (withheld, kept): (Vec<_>, Vec<_>) = message.fields().partition(is_withheld);
        let inside = kept.into_iter().filter_map(|field| {
            let clearing = Clearing::of(field.kind().as_message()?);
            Some((field, clearing))
        });
        Clearing { withheld, inside: inside.collect() }
    }

    pub(crate) fn clear(&self, message: &mut DynamicMessage) {
        message.take_unknown_fields().for_each(drop);
        self.withheld.iter().for_each(|field| message.clear_field(field));
        for (field, inner) in self.inside.iter() {
            if !message.has_field(field) {
                continue;
            }
            match message.get_field_mut(field) {
                Value::Message(message) => inner.clear(message),
                Value::List(values) => {
                    values.iter_mut().filter_map(Value::as_message_mut).for_each(|value| inner.clear(value));
                }
                _ => {}
            }
        }
    }
}

/// How many fields stand on the wire of a dossier, at every depth.
pub(crate) fn count_fields(message: &DynamicMessage) -> usize {
    let of_value = |value: &Value| 1 + value.as_message().map_or(0, count_fields);
    let counts = message.fields().map(|(_, value)| match value {
        Value::List(values) => values.iter().map(of_value).sum(),
        value => of_value(value),
    });
    counts.sum()
}

/// A dossier of about so many bytes; always the same one.
pub(crate) fn dossier(bytes: usize) -> Dossier {
    let mut made = Made(bytes as u64 + 1);
    let mut dossier = made.start();
    while dossier.encoded_len() < bytes {
        // so that the length need not be computed for every piece of a large one
        for _ in 0..1 + bytes / 200_000 {
            made.extend(&mut dossier);
        }
    }
    dossier
}

/// Pseudo-random values.
struct Made(u64);

impl Made {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn moment(&mut self) -> i64 {
        1_700_000_000 + self.below(100_000_000) as i64
    }

    fn words(&mut self, count: u64) -> String {
        const WORDS: [&str; 32] = [
            "cliënt",
            "heeft",
            "vragen",
            "over",
            "scholing",
            "zij",
            "kan",
            "goed",
            "zelf",
            "plannen",
            "op",
            "maandag",
            "past",
            "dat",
            "niet",
            "altijd",
            "tillen",
            "werkt",
            "twee",
            "dagen",
            "in",
            "de",
            "week",
            "als",
            "magazijn",
            "medewerker",
            "en",
            "wil",
            "meer",
            "uren",
            "met",
            "begeleiding",
        ];
        let words: Vec<&str> =
            (0..count).filter_map(|_| WORDS.get(self.below(32) as usize).copied()).collect();
        words.join(" ")
    }

    fn start(&mut self) -> Dossier {
        Dossier {
            persoon: Some(Persoon {
                bsn: "999990019".into(),
                voornaam: "Noor".into(),
                achternaam: "de Vries-Jansen".into(),
                geboortedatum: "1980-02-29".into(),
                adres: Some(Adres {
                    straat: "Dorpsstraat".into(),
                    huisnummer: 12,
                    postcode: "1234 AB".into(),
                    plaats: "Voorbeeldstad".into(),
                    geheim: "blijf-van-mijn-lijfhuis".into(),
                }),
                telefoon: "0612345678".into(),
                email: "noor@voorbeeld.nl".into(),
                leeftijd: 46,
                gezin: "twee kinderen".into(),
            }),
            traject: Some(Traject {
                id: "TR-2026-00123".into(),
                opdrachtgever: "gemeente Voorbeeldstad".into(),
                fase: 3,
                begin: self.moment(),
                einde: self.moment(),
                met_behandeling: true,
                leden: vec!["coach".into(), "jobcoach".into(), "behandelaar".into()],
            }),
            uitkering: Some(Uitkering {
                soort: 2,
                sinds: "2024-05-01".into(),
                bedrag: 1_234.56,
                grond: "ziek uit dienst".into(),
            }),
            belastbaarheid: Some(Belastbaarheid {
                items: Vec::new(),
                uren_per_dag: 4,
                uren_per_week: 20,
                vastgesteld: self.moment(),
                arts: "dr. A. Arts".into(),
            }),
            werk: Some(Werk {
                opleiding: "mbo 2 logistiek".into(),
                wensen: vec!["buiten".into(), "vaste tijden".into()],
                rijbewijs: true,
                reisafstand: 25,
                plekken: Vec::new(),
            }),
            ..Dossier::default()
        }
    }

    fn extend(&mut self, dossier: &mut Dossier) {
        match self.below(9) {
            0 | 1 => {
                let contact = self.contact();
                dossier.contacten.push(contact);
            }
            2 | 3 => {
                let item = Item {
                    code: format!("{}.{}.{}", self.below(6), self.below(20), self.below(9)),
                    score: self.below(4) as i32,
                    toelichting: self.words(6),
                    oorzaak: self.words(4),
                };
                dossier.belastbaarheid.get_or_insert_default().items.push(item);
            }
            4 => dossier.diagnoses.push(Diagnose {
                code: format!("F{}.{}", self.below(99), self.below(9)),
                omschrijving: self.words(6),
                sinds: self.moment(),
                behandelaar: "GGZ".into(),
                vermoeden: self.below(2) == 1,
            }),
            5 => dossier.medicatie.push(Medicatie {
                middel: self.words(1),
                dosering: "20 mg".into(),
                vanaf: self.moment(),
                per_dag: 1 + self.below(3) as u32,
            }),
            6 => dossier.doelen.push(Doel {
                titel: self.words(4),
                voortgang: self.below(100) as i32,
                streefdatum: self.moment(),
                behaald: self.below(2) == 1,
                stappen: vec![self.words(4), self.words(5)],
                belemmering: self.words(4),
            }),
            7 => {
                let plek = Plek {
                    werkgever: self.words(1),
                    functie: self.words(3),
                    van: self.moment(),
                    tot: self.moment(),
                    uren: 16.0,
                    reden_einde: self.words(4),
                };
                dossier.werk.get_or_insert_default().plekken.push(plek);
            }
            _ => dossier.schulden.push(Schuld {
                schuldeiser: self.words(2),
                bedrag: 100.5,
                sinds: self.moment(),
            }),
        }
    }

    fn contact(&mut self) -> Contact {
        Contact {
            moment: self.moment(),
            kanaal: "telefoon".into(),
            met: "coach".into(),
            verslag: self.words(14),
            nagekomen: true,
            minuten: 5 + self.below(50) as i32,
            klacht: self.words(5),
        }
    }
}
