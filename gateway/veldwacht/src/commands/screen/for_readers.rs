//! `veldwacht screen --as … --to …`: what of a text its readers may not have, as the gateway would judge it.
//!
//! Owns: one call of `CheckText`, and printing what it says for each reader. Prints no word of the text.

use std::io::Write;
use std::path::Path;

use proto::veldwacht::exchange::v1::Party;
use proto::veldwacht::screening::v1 as wire;
use serde_json::{Value, json};

use crate::cli;
use crate::client::told;
use crate::commands::screen::text_of;
use crate::commands::send::{acting_as, connect_as};
use crate::failure::{Doing, Failure, Outcome};

/// Asks; the answer is no when some reader may not have all of it.
pub(crate) async fn run(screen: &cli::Screen, certificate: &Path, out: &mut impl Write) -> Outcome {
    let party =
        |(oin, role): &(model::Oin, model::Role)| Party { oin: oin.to_string(), role: role.to_string() };
    let request = wire::CheckTextRequest {
        text: text_of(screen)?,
        receivers: screen.to.iter().map(party).collect(),
        message_type: screen.message.as_ref().map(ToString::to_string).unwrap_or_default(),
        field: screen.field.clone(),
    };
    let caller = connect_as(certificate, &screen.how).await?;
    let acting = acting_as(certificate, &screen.how)?;
    let request = caller.asserted(request, &acting, screen.purpose.as_ref())?;
    let answer = caller.screening().check_text(request).await.map_err(|status| told(&status))?;
    let checked = answer.into_inner().checked;
    for reader in &checked {
        let text = if screen.json { as_json(reader).to_string() } else { words(reader) };
        writeln!(out, "{}", text.trim_end()).unreachable("standard output")?;
    }
    let may_go = |reader: &wire::CheckedText| reader.refused.is_none() && reader.findings.is_empty();
    if checked.iter().all(may_go) { Ok(()) } else { Err(Failure::No) }
}

fn as_json(reader: &wire::CheckedText) -> Value {
    let receiver = reader.receiver.clone().unwrap_or_default();
    let findings = reader.findings.iter().map(|found| {
        json!({ "start": found.start, "end": found.end, "start_byte": found.start_byte,
                "end_byte": found.end_byte, "class": found.class, "rule": found.rule,
                "advice": { "nl": found.advice_nl, "en": found.advice_en } })
    });
    let refused = reader.refused.as_ref().map(|no| json!({ "reason": no.reason, "advice": no.advice }));
    json!({ "receiver": receiver.oin, "role": receiver.role, "withheld": reader.withheld,
            "refused": refused, "findings": findings.collect::<Vec<_>>() })
}

fn words(reader: &wire::CheckedText) -> String {
    let receiver = reader.receiver.clone().unwrap_or_default();
    let mut text = format!("{}:{}", receiver.oin, receiver.role);
    match &reader.refused {
        Some(no) => text.push_str(&format!("\n  refused   {}: {}", no.reason, no.advice)),
        None if reader.withheld => text.push_str("\n  withheld  this reader does not get the field"),
        None if reader.findings.is_empty() => text.push_str("\n  may go"),
        None => {}
    }
    for found in &reader.findings {
        let wire::TextFinding { start, end, class, rule, advice_nl, .. } = found;
        text.push_str(&format!("\n  {start}–{end} {class} {rule}: {advice_nl}"));
    }
    text
}
