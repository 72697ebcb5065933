//! The matrix as people read it: for a purpose, class by receiver, each cell with its form and its rule.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use model::{DataClass, Form, Purpose};
use oversight::Act;
use policy::{MatrixRow, Proven};

use super::shell;
use crate::audit::{Choice, choices};
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::{show, words};

/// One exchange from one sender: a table.
struct Table {
    id: String,
    title: String,
    from: String,
    receivers: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    class: &'static str,
    name: &'static str,
    cells: Vec<Cell>,
}

struct Cell {
    class: &'static str,
    text: &'static str,
    needs: &'static str,
    /// The number of the rule in the list below; 0 for none.
    rule: usize,
}

/// A rule as the list below the tables shows it.
struct Rule {
    number: usize,
    name: String,
    sentence: String,
    ground: String,
    guardrail: bool,
}

#[derive(Template)]
#[template(path = "matrix.html")]
struct Matrix {
    shell: Shell,
    purposes: Vec<Choice>,
    tables: Vec<Table>,
    rules: Vec<Rule>,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who, Extension(query): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let proven = console.oversight().proven();
    let mut purposes: Vec<&Purpose> = proven.exchanges().map(|exchange| &exchange.purpose).collect();
    purposes.sort_by_key(|purpose| show::purpose(purpose, &proven, visitor.language));
    purposes.dedup();
    let chosen = query.parsed::<Purpose>("purpose").filter(|wanted| purposes.contains(&wanted));
    let chosen = chosen.or_else(|| purposes.first().map(|first| (*first).clone()));
    let rows = chosen.as_ref().map(|purpose| proven.matrix(Some(purpose), None)).unwrap_or_default();
    let mut rules = Rules { known: Vec::new() };
    let tables = tables(&rows, &mut rules, &proven, &visitor);
    let chosen = chosen.map_or_else(String::new, |purpose| purpose.to_string());
    made(&Matrix {
        purposes: choices(purposes, &chosen, |purpose| {
            (purpose.to_string(), show::purpose(purpose, &proven, visitor.language))
        }),
        tables,
        rules: rules.told(&rows, &proven, &visitor),
        shell: shell(&visitor, visitor.words().policies.matrix),
    })
}

/// The rules in the order in which cells first name them.
struct Rules {
    known: Vec<String>,
}

impl Rules {
    fn number(&mut self, name: &str) -> usize {
        let at = self.known.iter().position(|known| known == name);
        at.unwrap_or_else(|| {
            self.known.push(name.to_owned());
            self.known.len() - 1
        }) + 1
    }

    fn told(&self, rows: &[MatrixRow], proven: &Proven, visitor: &Visitor) -> Vec<Rule> {
        let told = self.known.iter().enumerate().map(|(at, name)| {
            let text = proven.rules().find(|text| text.name.as_str() == name);
            let cell = rows.iter().find(|row| row.rule.as_ref().is_some_and(|rule| rule.as_str() == name));
            let sentence = text.map(|text| &text.sentence).or(cell.and_then(|cell| cell.sentence.as_ref()));
            Rule {
                number: at + 1,
                name: name.clone(),
                sentence: sentence
                    .map_or_else(String::new, |said| visitor.language.sentence(said).to_owned()),
                ground: text.map_or_else(String::new, |text| text.ground.to_string()),
                guardrail: text.is_some_and(|text| text.guardrail),
            }
        });
        told.collect()
    }
}

fn tables(rows: &[MatrixRow], rules: &mut Rules, proven: &Proven, visitor: &Visitor) -> Vec<Table> {
    let language = visitor.language;
    let functie = |kind: &model::Name, role: &model::Role| {
        let kind = show::kind_of_organisation(kind, proven, language);
        format!("{kind}, {}", show::role(role, proven, language))
    };
    let mut tables = Vec::new();
    for of_sender in rows.chunk_by(|a, b| (&a.exchange, &a.sender) == (&b.exchange, &b.sender)) {
        let Some(first) = of_sender.first() else { continue };
        let columns: Vec<&[MatrixRow]> = of_sender.chunk_by(|a, b| a.receiver == b.receiver).collect();
        let exchange = proven.exchanges().find(|exchange| exchange.id == first.exchange);
        let title = exchange.map_or("", |exchange| language.pick(&exchange.nl, &exchange.en));
        tables.push(Table {
            id: first.exchange.to_string(),
            title: title.to_owned(),
            from: functie(&first.sender.kind, &first.sender.role),
            receivers: columns
                .iter()
                .filter_map(|column| column.first())
                .map(|row| functie(&row.receiver.kind, &row.receiver.role))
                .collect(),
            rows: rows_of(&columns, rules, visitor),
        });
    }
    tables
}

fn rows_of(columns: &[&[MatrixRow]], rules: &mut Rules, visitor: &Visitor) -> Vec<Row> {
    let mut rows = Vec::new();
    for class in DataClass::ALL {
        let of_class = |column: &&[MatrixRow]| column.iter().find(|row| row.class == *class).cloned();
        let cells: Vec<Option<MatrixRow>> = columns.iter().map(of_class).collect();
        // A class that the document does not have takes no row.
        if cells.iter().flatten().all(|row| row.rule.is_none()) {
            continue;
        }
        rows.push(Row {
            class: words::class(*class, visitor.language),
            name: class.name(),
            cells: cells.iter().map(|row| cell(row.as_ref(), rules, visitor)).collect(),
        });
    }
    rows
}

fn cell(row: Option<&MatrixRow>, rules: &mut Rules, visitor: &Visitor) -> Cell {
    let t = &visitor.words().policies;
    let rule = row.and_then(|row| row.rule.as_ref()).map_or(0, |rule| rules.number(rule.as_str()));
    let form = row.and_then(|row| row.form);
    let needs = match row.map_or("", |row| row.needs) {
        "" => "",
        "beroepsgeheim" => t.needs_beroepsgeheim,
        "gezondheidsgegevens" => t.needs_gezondheid,
        "spoed" => t.needs_spoed,
        _ => t.needs_both,
    };
    let (class, text) = match form {
        None if rule == 0 => ("none", t.no_field),
        None => ("none", t.nothing),
        Some(form @ Form::Vol) => ("full", words::form(form, visitor.language)),
        Some(form) => ("part", words::form(form, visitor.language)),
    };
    Cell { class, text, needs, rule }
}
