//! How the demo is told: to people as a story, to programs as one JSON document.
//!
//! Owns: lay-out and colours (on a terminal only). The people in the demo do not exist; that is why their documents may
//! be printed here, and nowhere else.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;

use ledger::Verified;
use model::{Oin, Role};
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::outcome::Result as Told;
use serde_json::{Value, json};
use tonic_types::StatusExt as _;

use crate::commands::{collect, send};
use crate::demo::{Account, Stage};
use crate::failure::{Doing, Outcome};

/// Where the demo is told to.
pub(crate) trait Writer: Write {}
impl<W: Write> Writer for W {}

/// Tells as it happens, and keeps the account for programs.
pub(crate) struct Telling<'a, W> {
    out: &'a mut W,
    as_json: bool,
    colours: bool,
    account: Account,
    /// What each receiver of an exchange was told to get, by exchange and receiver.
    sent: BTreeMap<(String, String), wire::Delivered>,
}

impl<'a, W: Write> Telling<'a, W> {
    pub(crate) fn new(as_json: bool, out: &'a mut W) -> Telling<'a, W> {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Telling { out, as_json, colours, account: Account::default(), sent: BTreeMap::new() }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn line(&mut self, text: &str) -> Outcome {
        if self.as_json {
            return Ok(());
        }
        writeln!(self.out, "  {text}").unreachable("standard output")
    }

    pub(crate) fn heading(&mut self, text: &str) -> Outcome {
        if self.as_json {
            return Ok(());
        }
        let text = self.paint("1", text);
        writeln!(self.out, "{text}").unreachable("standard output")
    }

    pub(crate) fn scene(&mut self, text: &str) -> Outcome {
        self.heading(&format!("\n── {text}"))
    }

    /// What the gateway answered to a sender.
    pub(crate) fn sent(&mut self, stage: &Stage, answer: &wire::SendResponse) -> Outcome {
        for outcome in &answer.outcomes {
            let receiver = outcome.receiver.clone().unwrap_or_default();
            let who = who(stage, &receiver);
            match &outcome.result {
                Some(Told::Delivered(delivered)) => {
                    let key = (answer.exchange_id.clone(), format!("{}:{}", receiver.oin, receiver.role));
                    self.sent.insert(key, delivered.clone());
                }
                Some(Told::Returned(returned)) => self.returned(&who, &receiver, answer, returned)?,
                Some(Told::Refused(refused)) => {
                    let mark = self.paint("31", "geweigerd");
                    self.line(&format!("{who}: {mark} – {} ({})", refused.reason, refused.advice))?;
                    self.account
                        .refused
                        .push(json!({ "exchange": answer.exchange_id, "receiver": receiver.oin,
                        "role": receiver.role, "reason": refused.reason, "advice": refused.advice }));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn returned(
        &mut self,
        who: &str,
        receiver: &wire::Party,
        answer: &wire::SendResponse,
        returned: &wire::Returned,
    ) -> Outcome {
        let mark = self.paint("33", "terug naar de afzender");
        self.line(&format!("{who}: {mark}, er gaat niets van weg"))?;
        for found in &returned.findings {
            self.line(&format!(
                "    {} [teken {} tot {}] · {}",
                found.field, found.start, found.end, found.class
            ))?;
            self.line(&format!("      → {}", found.advice_nl))?;
        }
        let findings: Vec<Value> = returned.findings.iter().map(send::finding).collect();
        self.account.returned.push(json!({ "exchange": answer.exchange_id, "receiver": receiver.oin,
            "role": receiver.role, "findings": findings }));
        Ok(())
    }

    /// What a receiver got, and what stayed behind and why.
    pub(crate) fn received(
        &mut self,
        stage: &Stage,
        oin: &Oin,
        role: &Role,
        delivery: &wire::Delivery,
    ) -> Outcome {
        let told = collect::json(delivery, &stage.proven)?;
        let document = told.get("document").cloned().unwrap_or_default();
        let key = (delivery.exchange_id.clone(), format!("{oin}:{role}"));
        let delivered = self.sent.get(&key).cloned().unwrap_or_default();
        let passed: Vec<Value> = delivered.passed.iter().map(send::passed).collect();
        let withheld: Vec<Value> = delivered.withheld.iter().map(send::withheld).collect();
        let mark = self.paint("32", "ontvangt");
        self.line(&format!("{}, {role}, {mark}:", stage.name_of(oin)))?;
        for line in outline(&document) {
            self.line(&format!("    {line}"))?;
        }
        for (why, fields) in by_reason(&delivered.withheld) {
            let mark = self.paint("2", "niet:");
            self.line(&format!("    {mark} {} – {why}", fields.join(", ")))?;
        }
        self.account
            .deliveries
            .push(json!({ "exchange": delivery.exchange_id, "receiver": oin, "role": role,
            "passed": passed, "withheld": withheld, "document": document }));
        Ok(())
    }

    pub(crate) fn nothing_handed_out(&mut self, name: &str, role: &Role) -> Outcome {
        let mark = self.paint("31", "krijgt niets uitgereikt");
        self.line(&format!(
            "{name}, {role}, {mark}: de toestemming is ingetrokken, ook voor wat al klaarlag."
        ))?;
        self.account.refused.push(json!({ "receiver": name, "role": role, "reason": "CONSENT_WITHDRAWN",
            "advice": model::Reason::ConsentWithdrawn.advice() }));
        Ok(())
    }

    pub(crate) fn refused(&mut self, name: &str, role: &Role, status: &tonic::Status) -> Outcome {
        let reason =
            status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let mark = self.paint("31", "geweigerd");
        self.line(&format!("{name} als {role}: {mark} – {reason} ({})", status.message()))?;
        self.account.refused.push(json!({ "receiver": name, "role": role, "reason": reason,
            "advice": status.message() }));
        Ok(())
    }

    /// The end: the log, verified from its files.
    pub(crate) fn verified(&mut self, verified: &Verified, folder: &Path) -> Outcome {
        let checkpoint = verified.checkpoint();
        let root = hex::encode(checkpoint.root.0);
        if self.as_json {
            let log = json!({ "size": checkpoint.size, "root": root, "verified": true });
            return writeln!(self.out, "{}", self.account.json(&log)).unreachable("standard output");
        }
        self.scene("Het logboek, nagerekend uit de bestanden")?;
        let mark = self.paint("32", "klopt");
        self.line(&format!(
            "{} records, {mark}: elke uitwisseling en elke weigering staat erin.",
            checkpoint.size
        ))?;
        self.line(&format!("wortel {root}"))?;
        let folder = folder.display();
        self.line("Reken het zelf na:")?;
        self.line(&format!("    veldwacht log verify {folder}/log --key {folder}/log.vkey"))
    }

    /// The gateway stays up.
    pub(crate) fn serving(&mut self, address: &str, log: Option<&str>, folder: &Path) -> Outcome {
        self.scene("De poort blijft open")?;
        let folder = folder.display();
        if let Some(log) = log {
            let verify = format!(
                "veldwacht log verify {log} --key {folder}/log.vkey --ca {folder}/pki/gateway-ca.pem"
            );
            self.line(&format!("Het log voor iedereen: {verify}"))?;
        }
        self.line(&format!("{address}, met de certificaten in {folder}/pki. Stop met control-C."))
    }
}

impl<W: Write> Telling<'_, W> {
    /// How to come in at the console.
    pub(crate) fn console(&mut self, address: &str, links: &[(&str, String)]) -> Outcome {
        self.line(&format!("De console op https://{address}, met de certificaten in pki/operators,"))?;
        self.line("of op deze machine met een link die één keer werkt:")?;
        links.iter().try_for_each(|(who, link)| self.line(&format!("    {who:<12} {link}")))?;
        self.out.flush().unreachable("standard output")
    }
}

fn who(stage: &Stage, party: &wire::Party) -> String {
    let name = party.oin.parse().map(|oin| stage.name_of(&oin)).unwrap_or_default();
    format!("{name}, {}", party.role)
}

/// Withheld fields by the sentence that says why, in the order of the document.
fn by_reason(withheld: &[wire::Withheld]) -> Vec<(String, Vec<String>)> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for cell in withheld {
        let times = if cell.count > 1 { format!(" ×{}", cell.count) } else { String::new() };
        let field = format!("{}{times}", cell.field);
        match reasons.iter_mut().find(|(why, _)| *why == cell.reason_nl) {
            Some((_, fields)) => fields.push(field),
            None => reasons.push((cell.reason_nl.clone(), vec![field])),
        }
    }
    reasons
}

/// A value that is longer, in characters with its name, has a line of its own.
const LONG: usize = 60;

/// A document as lines: one for every message in it, its own fields beside each other.
fn outline(document: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    outline_into(document, "", &mut lines);
    lines
}

fn outline_into(value: &Value, name: &str, lines: &mut Vec<String>) {
    let Value::Object(members) = value else { return };
    let plain = members.iter().filter(|(_, value)| is_plain(value));
    let plain = plain.map(|(name, value)| format!("{name} {}", shown(value)));
    let (texts, short): (Vec<String>, Vec<String>) = plain.partition(|shown| shown.chars().count() > LONG);
    let prefix = if name.is_empty() { String::new() } else { format!("{name}: ") };
    if !short.is_empty() {
        lines.push(format!("{prefix}{}", short.join(" · ")));
    }
    lines.extend(texts.iter().map(|text| format!("{prefix}{text}")));
    for (inner, value) in members.iter().filter(|(_, value)| !is_plain(value)) {
        let path = if name.is_empty() { inner.clone() } else { format!("{name} › {inner}") };
        match value {
            Value::Array(items) => items.iter().for_each(|item| outline_into(item, &path, lines)),
            other => outline_into(other, &path, lines),
        }
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(is_plain),
        _ => true,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" | "),
        other => other.to_string(),
    }
}
