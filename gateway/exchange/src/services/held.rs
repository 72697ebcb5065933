//! `veldwacht.oversight.v1`: held deliveries, for officers.
//!
//! Owns: translation. Who may do what in which order, and its record, are `oversight`'s.

use std::sync::Arc;

use ledger::{DeliveryId, HeldBack, Label};
use model::{Reason, Refusal, Timestamp};
use oversight::{Act, Held as HeldDelivery, HeldText, Oversight, PastPlace, PastTexts, State};
use proto::veldwacht::exchange::v1 as exchange;
use proto::veldwacht::oversight::v1 as wire;
use proto::veldwacht::oversight::v1::held_service_server::HeldService;
use screening::Screener;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;
use crate::line::offer::at;
use crate::line::screen::SAY_OTHERWISE;
use crate::status::told;

/// The service on a gateway.
pub(crate) struct Held {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) oversight: Arc<Oversight>,
}

#[tonic::async_trait]
impl HeldService for Held {
    async fn list(
        &self,
        request: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListResponse>, Status> {
        let (who, _) = self.gateway.operator(&self.oversight, Act::ReleaseText, request).await?;
        let held = self.oversight.held(&who).await.map_err(told)?;
        Ok(Response::new(wire::ListResponse { held: held.iter().map(delivery).collect() }))
    }

    async fn show(
        &self,
        request: Request<wire::ShowRequest>,
    ) -> Result<Response<wire::ShowResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ReleaseText, request).await?;
        let id = id(&message.delivery_id).map_err(told)?;
        let (held, texts) = self.oversight.open_held(&who, id).await.map_err(told)?;
        let screener = self.oversight.screener();
        let texts = texts.iter().map(|found| text(found, &screener)).collect();
        Ok(Response::new(wire::ShowResponse { held: Some(delivery(&held)), texts }))
    }

    async fn release(
        &self,
        request: Request<wire::ReleaseRequest>,
    ) -> Result<Response<wire::ReleaseResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ReleaseText, request).await?;
        let id = id(&message.delivery_id).map_err(told)?;
        let ground = ground(&message.ground).map_err(told)?;
        let state = self.oversight.release(&who, id, ground).await.map_err(told)?;
        Ok(Response::new(wire::ReleaseResponse { state: state.name().into() }))
    }

    async fn refuse(
        &self,
        request: Request<wire::RefuseRequest>,
    ) -> Result<Response<wire::RefuseResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ReleaseText, request).await?;
        let id = id(&message.delivery_id).map_err(told)?;
        let ground = ground(&message.ground).map_err(told)?;
        let state = self.oversight.refuse_release(&who, id, ground).await.map_err(told)?;
        Ok(Response::new(wire::RefuseResponse { state: state.name().into() }))
    }

    async fn would_stop(
        &self,
        request: Request<wire::WouldStopRequest>,
    ) -> Result<Response<wire::WouldStopResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ReleaseText, request).await?;
        let lexicon = message.lexicon.into_iter().collect();
        let past = self.oversight.past_texts(&who, lexicon).await.map_err(told)?;
        let PastTexts { stopped, freed, opened, texts, gone, left, on_record } = past;
        Ok(Response::new(wire::WouldStopResponse {
            stopped: stopped.iter().map(past_place).collect(),
            freed: freed.iter().map(past_place).collect(),
            opened,
            texts,
            gone,
            left,
            on_record: on_record.into_iter().map(|(rule, count)| (rule.to_string(), count)).collect(),
        }))
    }
}

fn id(text: &str) -> Result<DeliveryId, Refusal> {
    text.parse().map_err(|_| at(Reason::RequestInvalid, "delivery_id", "as `List` names it"))
}

fn ground(text: &str) -> Result<Label, Refusal> {
    text.parse().map_err(|_| at(Reason::RequestInvalid, "ground", "a code such as `vals-alarm`"))
}

fn delivery(held: &HeldDelivery) -> wire::HeldDelivery {
    let HeldDelivery { waiting, places, state } = held;
    let party =
        |party: &ledger::Party| exchange::Party { oin: party.oin.to_string(), role: party.role.to_string() };
    let (proposed_by, ground) = match state {
        State::Proposed { by, ground } => (by.clone().unwrap_or_default(), ground.as_str().to_owned()),
        _ => Default::default(),
    };
    wire::HeldDelivery {
        delivery_id: waiting.delivery.to_string(),
        exchange_id: waiting.exchange.to_string(),
        sender: waiting.from.as_ref().map(party),
        receiver: Some(party(&waiting.to)),
        purpose: waiting.terms.purpose.as_ref().map(ToString::to_string).unwrap_or_default(),
        message_type: waiting.terms.message.as_ref().map(ToString::to_string).unwrap_or_default(),
        sent_at: Some(moment(waiting.sent)),
        expires_at: Some(moment(waiting.expires)),
        state: state.name().into(),
        proposed_by,
        ground,
        places: places.iter().map(place).collect(),
    }
}

fn place(found: &HeldBack) -> wire::Place {
    wire::Place {
        field: found.field.to_string(),
        class: found.class.map(|class| class.name().to_owned()).unwrap_or_default(),
        rule: found.rule.to_string(),
    }
}

fn past_place(found: &PastPlace) -> wire::PastPlace {
    wire::PastPlace {
        index: found.index,
        digest: found.digest.map(|digest| digest.to_string()).unwrap_or_default(),
        delivery_id: found.delivery.to_string(),
        field: found.field.clone(),
        class: found.class.map(|class| class.name().to_owned()).unwrap_or_default(),
        rule: found.rule.to_string(),
    }
}

fn moment(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.unix_seconds(), nanos: 0 }
}

fn text(found: &HeldText, screener: &Screener) -> wire::HeldText {
    let short = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let findings = found.findings().iter().map(|finding| {
        let (start, end) = finding.code_points(&found.text);
        let advice = screener.advice(finding.class);
        exchange::Finding {
            field: found.field.clone(),
            start: short(start),
            end: short(end),
            class: finding.class.name().into(),
            rule: finding.rule.to_string(),
            advice_nl: advice.map_or(SAY_OTHERWISE, |advice| &advice.nl).into(),
            advice_en: advice.map_or(SAY_OTHERWISE, |advice| &advice.en).into(),
        }
    });
    let unscreenable = found.screened.unscreenable.map(|why| exchange::Finding {
        field: found.field.clone(),
        start: 0,
        end: short(found.text.chars().count()),
        class: String::new(),
        rule: why.name().into(),
        advice_nl: why.advice().0.into(),
        advice_en: why.advice().1.into(),
    });
    wire::HeldText {
        field: found.field.clone(),
        text: found.text.clone(),
        findings: findings.chain(unscreenable).collect(),
    }
}
