//! `veldwacht collect`: what waits for a receiver, printed and acknowledged.

use std::io::Write;

use model::Purpose;
use policy::Proven;
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::collect_request::Act;
use proto::veldwacht::exchange::v1::collect_response::Event;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::cli;
use crate::client::{Acting, Client, told};
use crate::commands::send::{acting, connect, contracts};
use crate::document;
use crate::failure::{Doing, Outcome};

/// Collects until nothing waits, or for as long as it is followed.
pub(crate) async fn run(collect: &cli::Collect, out: &mut impl Write) -> Outcome {
    let proven = contracts(collect.bundle.as_deref())?;
    let caller = connect(&collect.caller).await?;
    let acting = acting(&collect.caller)?;
    let stream = Collecting::start(&caller, &acting, collect.purpose.as_ref(), collect.follow).await?;
    let mut stream = stream.map_err(|status| told(&status))?;
    while let Some(delivery) = stream.next().await? {
        let told = json(&delivery, &proven)?;
        let text = if collect.json { told.to_string() } else { format!("{told:#}") };
        writeln!(out, "{text}").unreachable("standard output")?;
        // Whoever follows reads each delivery when it comes, not when the stream ends.
        out.flush().unreachable("standard output")?;
        if collect.ack {
            stream.acknowledge(&delivery.delivery_id).await?;
        } else {
            stream.leave();
        }
    }
    Ok(())
}

/// A stream of deliveries.
pub(crate) struct Collecting {
    acts: Option<mpsc::Sender<wire::CollectRequest>>,
    answers: tonic::Streaming<wire::CollectResponse>,
}

impl Collecting {
    pub(crate) async fn start(
        client: &Client,
        acting: &Acting,
        purpose: Option<&Purpose>,
        follow: bool,
    ) -> Outcome<Result<Collecting, tonic::Status>> {
        let (acts, requests) = mpsc::channel(64);
        let start = wire::CollectRequest { act: Some(Act::Start(wire::Start { follow })) };
        acts.send(start).await.unreachable("the stream")?;
        let request = client.asserted(ReceiverStream::new(requests), acting, purpose)?;
        let started = client.exchange().collect(request).await;
        Ok(started.map(|answers| Collecting { acts: Some(acts), answers: answers.into_inner() }))
    }

    /// The next delivery; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Outcome<Option<wire::Delivery>> {
        loop {
            match self.answers.message().await.map_err(|status| told(&status))? {
                Some(wire::CollectResponse { event: Some(Event::Delivery(delivery)) }) => {
                    return Ok(Some(delivery));
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    pub(crate) async fn acknowledge(&mut self, delivery_id: &str) -> Outcome {
        let acknowledge = wire::Acknowledge { delivery_id: delivery_id.to_owned() };
        let act = wire::CollectRequest { act: Some(Act::Acknowledge(acknowledge)) };
        match &self.acts {
            Some(acts) => acts.send(act).await.unreachable("the stream"),
            None => Ok(()),
        }
    }

    /// Says that nothing will be acknowledged, so that the stream ends by itself.
    pub(crate) fn leave(&mut self) {
        self.acts = None;
    }
}

/// A delivery as JSON, its document by its contract.
pub(crate) fn json(delivery: &wire::Delivery, proven: &Proven) -> Outcome<Value> {
    let message = delivery.message_type.parse().ok().and_then(|message| proven.message(&message));
    let document = message.map(|message| document::to_json(&delivery.document, &message)).transpose()?;
    let sender = delivery.sender.clone().unwrap_or_default();
    Ok(json!({ "delivery": delivery.delivery_id, "exchange": delivery.exchange_id,
               "sender": format!("{}:{}", sender.oin, sender.role), "purpose": delivery.purpose,
               "type": delivery.message_type, "record": delivery.record_index, "document": document }))
}
