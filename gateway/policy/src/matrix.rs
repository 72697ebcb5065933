//! The matrix: class × receiver for every exchange, as people read it and as approvals sign it.
//!
//! Owns: one row for every class on every route – the most that ever passes, and the rule that lets it – and the layouts
//! (table, csv, html). It reads what was compiled; it decides nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use model::{Consent, Consents, DataClass, FieldKind, Form, Name, Purpose, Role};
use serde::Serialize;

use crate::bundle::{Digest, Digester, Sentence};
use crate::compiled::{Cell, Compiled};
use crate::decision::{state_index, states};
use crate::enumeration::Route;
use crate::organisations::Functie;
use crate::proven::Proven;
use crate::world::World;

/// What of one class ever passes on one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// What for.
    pub purpose: Purpose,
    /// Who sends.
    pub sender: Functie,
    /// The receiver's role.
    pub role: Role,
    /// The class.
    pub class: DataClass,
    /// The most revealing form in which a field of the class passes; none = nothing passes.
    pub form: Option<Form>,
    /// The rule that decided; none = the document has no such field.
    pub rule: Option<Name>,
    /// The receiver in full.
    pub receiver: Functie,
    /// Id of the exchange.
    pub exchange: Arc<str>,
    /// What has to be the case: empty, consents that are needed, or `spoed`.
    pub needs: &'static str,
    /// What the rule says.
    pub sentence: Option<Sentence>,
}

impl Proven {
    /// The rows of the matrix, in the order of the bundle, narrowed to a purpose and a receiver's role if given.
    pub fn matrix(&self, purpose: Option<&Purpose>, role: Option<&Role>) -> Vec<MatrixRow> {
        let mut rows = Vec::new();
        for route in &self.candidate.routes {
            let parties = &self.candidate.world.parties;
            let (Some(from), Some(to)) = (parties.get(route.from), parties.get(route.to)) else { continue };
            let wanted = purpose.is_none_or(|purpose| *purpose == route.exchange.purpose)
                && role.is_none_or(|role| *role == to.functie.role);
            if wanted {
                rows.extend(
                    DataClass::ALL.iter().map(|class| row(route, &from.functie, &to.functie, *class)),
                );
            }
        }
        rows
    }
}

fn row(route: &Route, from: &Functie, to: &Functie, class: DataClass) -> MatrixRow {
    let compiled = route.outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
    let cells = compiled.flat_map(|compiled| cells_of(compiled, class));
    // The least of what passes comes first; where nothing does, any cell that says why.
    let most = cells.min_by_key(|cell| cell.form.map_or(usize::MAX, |form| form as usize));
    let form = most.and_then(|cell| cell.form);
    MatrixRow {
        purpose: route.exchange.purpose.clone(),
        sender: from.clone(),
        role: to.role.clone(),
        class,
        form,
        rule: most.map(|cell| cell.rule.clone()),
        receiver: to.clone(),
        exchange: route.exchange.id.clone(),
        needs: form.map_or("", |form| needs(route, class, form)),
        sentence: most.map(|cell| cell.sentence.clone()),
    }
}

fn cells_of(compiled: &Compiled, class: DataClass) -> impl Iterator<Item = &Cell> {
    compiled.cells.iter().filter(move |cell| cell.class == Some(class) && cell.kind != FieldKind::Bericht)
}

/// The least that has to be the case for this form.
fn needs(route: &Route, class: DataClass, form: Form) -> &'static str {
    let passes = |consents, spoed| {
        let outcome =
            route.outcomes.get(state_index(consents, spoed)).and_then(|outcome| outcome.as_ref().ok());
        outcome.is_some_and(|compiled| cells_of(compiled, class).any(|cell| cell.form == Some(form)))
    };
    let (yes, unknown) = (Consent::Verleend, Consent::Onbekend);
    let consents = |beroepsgeheim, gezondheidsgegevens| Consents { beroepsgeheim, gezondheidsgegevens };
    match () {
        () if passes(consents(unknown, unknown), false) => "",
        () if passes(consents(yes, unknown), false) => "beroepsgeheim",
        () if passes(consents(unknown, yes), false) => "gezondheidsgegevens",
        () if passes(consents(yes, yes), false) => "beroepsgeheim+gezondheidsgegevens",
        () => "spoed",
    }
}

/// The matrix as csv (RFC 4180): `purpose,sender,role,class,form,rule` and more behind those; `-` where nothing passes.
pub fn matrix_csv(rows: &[MatrixRow]) -> String {
    let mut text = String::from("purpose,sender,role,class,form,rule,receiver,exchange,needs\r\n");
    for row in rows {
        let MatrixRow { purpose, sender, role, class, receiver, exchange, needs, .. } = row;
        let (form, rule) = (form_name(row), rule_name(row));
        // No name in it can hold a comma or a quote. Writing to a String cannot fail.
        let _ =
            write!(text, "{purpose},{sender},{role},{class},{form},{rule},{receiver},{exchange},{needs}\r\n");
    }
    text
}

/// The matrix as text: one block for each route, one line for each class that its document has.
pub fn matrix_table(rows: &[MatrixRow]) -> String {
    let mut text = String::new();
    for block in blocks(rows) {
        let Some(first) = block.first() else { continue };
        let MatrixRow { exchange, purpose, sender, receiver, .. } = first;
        let _ = writeln!(text, "{exchange}  {purpose}: {sender} → {receiver}");
        for row in block.iter().filter(|row| row.rule.is_some()) {
            let needs = if row.needs.is_empty() { String::new() } else { format!(" [{}]", row.needs) };
            let sentence = row.sentence.as_ref().map_or("", |sentence| &sentence.nl);
            let (class, form, rule) = (row.class.name(), form_name(row), rule_name(row));
            let _ = writeln!(text, "  {class:<24}{form:<14}{rule:<32}{sentence}{needs}");
        }
    }
    text
}

/// The matrix as one HTML page that needs nothing else.
pub fn matrix_html(rows: &[MatrixRow]) -> String {
    let mut text = String::from(
        "<!doctype html>\n<html lang=\"nl\"><meta charset=\"utf-8\"><title>Matrix</title>\n<style>body{font:15px \
         system-ui;margin:2em}table{border-collapse:collapse;margin:0 0 2em}td,th{border:1px solid \
         #bbb;padding:.2em .6em;text-align:left}.no{color:#777}</style>\n",
    );
    for block in blocks(rows) {
        let Some(first) = block.first() else { continue };
        let MatrixRow { exchange, purpose, sender, receiver, .. } = first;
        let _ = writeln!(text, "<h2>{exchange} {purpose}: {sender} → {receiver}</h2>");
        text.push_str("<table><tr><th>klasse</th><th>vorm</th><th>regel</th><th>wat de regel zegt</th><th>what the rule says</th><th>nodig</th></tr>\n");
        for row in block.iter().filter(|row| row.rule.is_some()) {
            let style = if row.form.is_some() { "" } else { " class=\"no\"" };
            let (nl, en) = row.sentence.as_ref().map_or(("", ""), |sentence| (&sentence.nl, &sentence.en));
            let (class, form, rule, needs) = (row.class, form_name(row), rule_name(row), row.needs);
            let (nl, en) = (escaped(nl), escaped(en));
            let _ = writeln!(
                text,
                "<tr{style}><td>{class}</td><td>{form}</td><td>{rule}</td><td>{nl}</td><td>{en}</td><td>{needs}</td></tr>"
            );
        }
        text.push_str("</table>\n");
    }
    text
}

fn blocks(rows: &[MatrixRow]) -> impl Iterator<Item = &[MatrixRow]> {
    rows.chunk_by(|a, b| (&a.exchange, &a.sender, &a.receiver) == (&b.exchange, &b.sender, &b.receiver))
}

fn form_name(row: &MatrixRow) -> &'static str {
    row.form.map_or("-", Form::name)
}

fn rule_name(row: &MatrixRow) -> &str {
    row.rule.as_ref().map_or("-", Name::as_str)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The digest of everything that a bundle compiles to.
pub(crate) fn digest_of_matrix(world: &World, routes: &[Route]) -> Digest {
    let mut digester = Digester::new("veldwacht matrix v1");
    let party =
        |index: usize| world.parties.get(index).map(|party| party.uid.to_string()).unwrap_or_default();
    for route in routes {
        digester.part(route.exchange.id.as_bytes());
        digester.part(party(route.from).as_bytes());
        digester.part(party(route.to).as_bytes());
        for (_, outcome) in states().zip(&route.outcomes) {
            match outcome {
                Err(reason) => digester.part(reason.name().as_bytes()),
                Ok(compiled) => digest_of_compiled(&mut digester, compiled),
            }
        }
    }
    digester.finish()
}

fn digest_of_compiled(digester: &mut Digester, compiled: &Compiled) {
    digester.part(format!("{:?}", compiled.screen_against).as_bytes());
    for cell in compiled.cells.iter() {
        let class = cell.class.map_or("-", DataClass::name);
        let form = cell.form.map_or("-", Form::name);
        digester.part(format!("{} {class} {form} {}", cell.path, cell.rule).as_bytes());
    }
}
