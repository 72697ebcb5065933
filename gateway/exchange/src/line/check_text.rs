//! Checking a text beforehand: screening without a document, for the readers it is meant for.
//!
//! Owns: which classes a text to a receiver may not tell of when no client is named, and turning findings into places
//! in the text. Decides by the same bundle and screener as `screen`; carries nothing, records nothing.

use ledger::Party;
use model::{ClassSet, Consent, Consents, FieldKind, MessageType, Purpose, Reason, Refusal};
use policy::{Compiled, Situation};
use proto::veldwacht::exchange::v1 as exchange;
use proto::veldwacht::screening::v1 as wire;
use screening::{Finding, LONGEST_TEXT, Screener};

use crate::gateway::Gateway;
use crate::line::offer::{self, at, check_receivers};
use crate::line::screen::SAY_OTHERWISE;
use crate::rules::Rules;

/// The class and the start of the rule of a text that cannot be screened.
const UNSCREENABLE: &str = "niet-te-screenen";

/// What may be read of a text by one receiver.
enum Readable {
    /// The field does not pass: it is not read at all.
    Withheld,
    /// Whatever tells nothing of these classes.
    Without(ClassSet),
}

impl Gateway {
    /// What a text says that each receiver may not have.
    pub(crate) fn check_text(
        &self,
        sender: &Party,
        purpose: Option<&Purpose>,
        request: &wire::CheckTextRequest,
    ) -> Result<wire::CheckTextResponse, Refusal> {
        let rules = self.rules();
        let purpose = purpose.ok_or(Reason::RoleRequired)?;
        let message = request.message_type.parse::<MessageType>();
        let message = message.map_err(|_| at(Reason::TypeUnknown, "message_type", "a full protobuf name"))?;
        let receivers: Vec<Option<Party>> = request.receivers.iter().map(offer::party).collect();
        check_receivers(&receivers)?;
        if request.text.len() > LONGEST_TEXT {
            return Err(at(Reason::DocumentTooLarge, "text", &format!("at most {LONGEST_TEXT} bytes")));
        }
        let mut checked = Vec::with_capacity(receivers.len());
        for receiver in receivers.iter().flatten() {
            let readable = readable(&rules, sender, receiver, &message, purpose, &request.field);
            checked.push(answer(receiver, readable, &request.text, rules.screener())?);
        }
        Ok(wire::CheckTextResponse { checked })
    }
}

/// What a receiver may read, whatever the client consented to: a text that is clean now stays so when the document goes.
fn readable(
    rules: &Rules,
    sender: &Party,
    receiver: &Party,
    message: &MessageType,
    purpose: &Purpose,
    field: &str,
) -> Result<Readable, Refusal> {
    let mut against = ClassSet::EMPTY;
    let (mut decided, mut passes) = (None, false);
    for consents in states_of_consent() {
        let situation = Situation {
            message: message.clone(),
            sender: (sender.oin, sender.role.clone()),
            receiver: (receiver.oin, receiver.role.clone()),
            purpose: purpose.clone(),
            consents,
            spoed: false,
        };
        match rules.proven().compiled(&situation) {
            Ok(compiled) => {
                against = against.union(compiled.screen_against);
                passes |= field_passes(&compiled, field)?;
                decided = Some(Ok(()));
            }
            Err(refusal) => decided = decided.or(Some(Err(refusal))),
        }
    }
    decided.unwrap_or_else(|| Err(Reason::NothingMayPass.into()))?;
    Ok(if passes { Readable::Without(against) } else { Readable::Withheld })
}

/// Every state, with both consents first: the refusal that is told is the one that no consent would mend.
fn states_of_consent() -> impl Iterator<Item = Consents> {
    const STATES: [Consent; 3] = [Consent::Verleend, Consent::Onbekend, Consent::Geweigerd];
    STATES.into_iter().flat_map(|beroepsgeheim| {
        STATES.map(|gezondheidsgegevens| Consents { beroepsgeheim, gezondheidsgegevens })
    })
}

fn field_passes(compiled: &Compiled, field: &str) -> Result<bool, Refusal> {
    let mut texts = compiled.cells.iter().filter(|cell| cell.kind == FieldKind::Tekst);
    if field.is_empty() {
        return Ok(texts.any(|cell| cell.form.is_some()));
    }
    let cell = texts.find(|cell| cell.path.as_str() == field);
    let cell = cell.ok_or_else(|| at(Reason::RequestInvalid, "field", "a text of this message type"))?;
    Ok(cell.form.is_some())
}

fn answer(
    receiver: &Party,
    readable: Result<Readable, Refusal>,
    text: &str,
    screener: &Screener,
) -> Result<wire::CheckedText, Refusal> {
    let mut checked = wire::CheckedText {
        receiver: Some(exchange::Party { oin: receiver.oin.to_string(), role: receiver.role.to_string() }),
        ..Default::default()
    };
    match readable {
        // What is wrong with the question itself is no matter of one receiver.
        Err(refusal) if !refusal.violations.is_empty() => return Err(refusal),
        Err(Refusal { reason, .. }) => {
            checked.refused =
                Some(exchange::Refused { reason: reason.name().into(), advice: reason.advice().into() });
        }
        Ok(Readable::Withheld) => checked.withheld = true,
        Ok(Readable::Without(against)) => checked.findings = findings(text, against, screener),
    }
    Ok(checked)
}

fn findings(text: &str, against: ClassSet, screener: &Screener) -> Vec<wire::TextFinding> {
    let screened = screener.screen(text, against);
    let found = screened.findings.iter().map(|finding| told(finding, text, screener));
    let all = |why: screening::Unscreenable| wire::TextFinding {
        start: 0,
        end: short(text.chars().count()),
        start_byte: 0,
        end_byte: short(text.len()),
        class: model::DataClass::Tekst.name().into(),
        rule: format!("{UNSCREENABLE}.{}", why.name()),
        advice_nl: why.advice().0.into(),
        advice_en: why.advice().1.into(),
    };
    found.chain(screened.unscreenable.map(all)).collect()
}

fn told(finding: &Finding, text: &str, screener: &Screener) -> wire::TextFinding {
    let (start, end) = finding.code_points(text);
    let advice = screener.advice(finding.class);
    wire::TextFinding {
        start: short(start),
        end: short(end),
        start_byte: short(finding.start),
        end_byte: short(finding.end),
        class: finding.class.name().into(),
        rule: finding.rule.to_string(),
        advice_nl: advice.map_or(SAY_OTHERWISE, |advice| &advice.nl).into(),
        advice_en: advice.map_or(SAY_OTHERWISE, |advice| &advice.en).into(),
    }
}

fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
