//! The matrix as people read it: for a purpose, class by receiver, each cell with its form and its rule.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use model::{DataClass, Form, Purpose};
use oversight::Act;
use policy::{MatrixRow, Proven};

use super::shell;
use crate::audit::{Choice, choices};
use crate::form::Form as Query;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::{show, words};

/// One exchange from one sender: a table.
pub(super) struct Table {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) from: String,
    pub(super) receivers: Vec<String>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    pub(super) cells: Vec<Cell>,
}

pub(super) struct Cell {
    pub(super) class: &'static str,
    pub(super) text: &'static str,
    pub(super) needs: &'static str,
    /// The number of the rule in the list below; 0 for none.
    pub(super) rule: usize,
    /// It is not what is in force.
    pub(super) changed: bool,
    /// Where it can be changed, and what that is called.
    pub(super) edit: Option<(String, String)>,
}

/// A rule as the list below the tables shows it.
pub(super) struct Rule {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) sentence: String,
    pub(super) ground: String,
    pub(super) guardrail: bool,
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
    let told = told(&proven, &query, &visitor, None);
    made(&Matrix {
        purposes: told.purposes,
        tables: told.tables,
        rules: told.rules,
        shell: shell(&visitor, visitor.words().policies.matrix),
    })
}

/// The matrix of a bundle for one purpose, told.
pub(super) struct Told {
    pub(super) purposes: Vec<Choice>,
    pub(super) tables: Vec<Table>,
    pub(super) rules: Vec<Rule>,
}

/// The draft whose cells can be changed, and the rules in force.
pub(super) struct Draft<'a> {
    pub(super) id: u64,
    pub(super) running: &'a Proven,
}

/// Tells the matrix for the purpose that was asked for, or the first one.
pub(super) fn told(proven: &Proven, query: &Query, visitor: &Visitor, draft: Option<&Draft<'_>>) -> Told {
    let mut purposes: Vec<&Purpose> = proven.exchanges().map(|exchange| &exchange.purpose).collect();
    purposes.sort_by_key(|purpose| show::purpose(purpose, proven, visitor.language));
    purposes.dedup();
    let chosen = query.parsed::<Purpose>("purpose").filter(|wanted| purposes.contains(&wanted));
    let chosen = chosen.or_else(|| purposes.first().map(|first| (*first).clone()));
    let rows = chosen.as_ref().map(|purpose| proven.matrix(Some(purpose), None)).unwrap_or_default();
    let running = draft.zip(chosen.as_ref());
    let running =
        running.map(|(draft, purpose)| draft.running.matrix(Some(purpose), None)).unwrap_or_default();
    let mut rules = Rules { known: Vec::new() };
    let mut cells = Cells { rules: &mut rules, draft: draft.map(|draft| (draft.id, running)), visitor };
    let tables = tables(&rows, &mut cells, proven, visitor);
    let chosen = chosen.map_or_else(String::new, |purpose| purpose.to_string());
    Told {
        purposes: choices(purposes, &chosen, |purpose| {
            (purpose.to_string(), show::purpose(purpose, proven, visitor.language))
        }),
        tables,
        rules: rules.told(&rows, proven, visitor),
    }
}

/// What a cell is told with.
struct Cells<'a> {
    rules: &'a mut Rules,
    /// The draft, and the rows of what is in force.
    draft: Option<(u64, Vec<MatrixRow>)>,
    visitor: &'a Visitor,
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

fn tables(rows: &[MatrixRow], cells: &mut Cells<'_>, proven: &Proven, visitor: &Visitor) -> Vec<Table> {
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
            rows: rows_of(&columns, cells, visitor),
        });
    }
    tables
}

fn rows_of(columns: &[&[MatrixRow]], told: &mut Cells<'_>, visitor: &Visitor) -> Vec<Row> {
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
            cells: cells.iter().map(|row| told.cell(row.as_ref())).collect(),
        });
    }
    rows
}

impl Cells<'_> {
    fn cell(&mut self, row: Option<&MatrixRow>) -> Cell {
        let (t, language) = (&self.visitor.words().policies, self.visitor.language);
        let rule = row.and_then(|row| row.rule.as_ref()).map_or(0, |rule| self.rules.number(rule.as_str()));
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
            Some(form @ Form::Vol) => ("full", words::form(form, language)),
            Some(form) => ("part", words::form(form, language)),
        };
        let (changed, edit) = match (&self.draft, row.filter(|_| rule > 0)) {
            (Some((id, running)), Some(row)) => {
                (is_changed(row, running), Some(edit(*id, row, self.visitor)))
            }
            _ => (false, None),
        };
        Cell { class, text, needs, rule, changed, edit }
    }
}

fn is_changed(row: &MatrixRow, running: &[MatrixRow]) -> bool {
    let same_place = |other: &&MatrixRow| {
        (&other.exchange, &other.sender, &other.receiver, other.class)
            == (&row.exchange, &row.sender, &row.receiver, row.class)
    };
    let was = running.iter().find(same_place);
    was.is_none_or(|was| (was.form, was.needs) != (row.form, row.needs))
}

/// The address at which a cell is changed, and a name for it.
fn edit(draft: u64, row: &MatrixRow, visitor: &Visitor) -> (String, String) {
    let mut at = form_urlencoded::Serializer::new(format!("/policies/drafts/{draft}/cell?"));
    at.append_pair("exchange", &row.exchange);
    at.append_pair("from", &row.sender.to_string());
    at.append_pair("to", &row.receiver.to_string());
    at.append_pair("class", row.class.name());
    let name = format!(
        "{}: {}, {}",
        visitor.words().policies.cell_change,
        words::class(row.class, visitor.language),
        show::plain(&row.receiver.to_string())
    );
    (at.finish(), name)
}
