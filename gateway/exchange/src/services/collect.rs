//! A stream of deliveries to one receiver, with acknowledgements coming back.
//!
//! Owns: how long a stream lasts, and that a receiver who does not acknowledge is not flooded. What may go out is
//! decided delivery by delivery in `line::hand_out`.

use std::collections::VecDeque;
use std::sync::Arc;

use identity::Actor;
use journal::{Cursor, Waiting};
use ledger::{DeliveryId, Party};
use model::{Reason, Refusal, Timestamp};
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::collect_request::Act;
use proto::veldwacht::exchange::v1::collect_response::Event;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::door::spawn_in_turn;
use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::hand_out::HandedOut;
use crate::line::offer::at;
use crate::line::party;
use crate::status::status;

/// Deliveries that are looked up at a time.
const PAGE: usize = 64;

type Answers = ReceiverStream<Result<wire::CollectResponse, Status>>;
type Incoming = Streaming<wire::CollectRequest>;

/// Starts handing out, once the first request says so.
pub(crate) async fn start(gateway: Arc<Gateway>, arrived: Arrived<Incoming>) -> Result<Answers, Status> {
    let told = |refusal: Refusal| status(&refusal, Vec::new());
    let (arrived, mut incoming) = arrived.split();
    let actor = gateway.identified(&arrived, None).await.map_err(told)?;
    // A request that cannot be read is no `start` either.
    let first = incoming.message().await.ok().flatten();
    let Some(Act::Start(wire::Start { follow })) = first.and_then(|request| request.act) else {
        let refusal = at(Reason::RequestInvalid, "start", "the first request says `start`");
        return Err(told(gateway.recorded(&arrived, refusal).await));
    };
    let (to, turn) = (party(&actor), arrived.turn());
    let (answers, stream) = mpsc::channel(16);
    // Listen first, then look: nothing that arrives in between is missed.
    let (arrivals, releases) = (gateway.journal().arrivals(&to), gateway.releases());
    let collecting = Collecting {
        gateway,
        arrived,
        actor,
        to,
        follow,
        arrivals,
        releases,
        answers,
        cursor: None,
        released: VecDeque::new(),
        unacknowledged: 0,
        open: true,
    };
    spawn_in_turn(turn, collecting.run(incoming));
    Ok(ReceiverStream::new(stream))
}

struct Collecting {
    gateway: Arc<Gateway>,
    arrived: Arrived<()>,
    actor: Arc<Actor>,
    to: Party,
    follow: bool,
    arrivals: watch::Receiver<()>,
    /// What officers release while this stream follows.
    releases: broadcast::Receiver<(Party, DeliveryId)>,
    answers: mpsc::Sender<Result<wire::CollectResponse, Status>>,
    cursor: Option<Cursor>,
    /// Released deliveries that are to be looked at again.
    released: VecDeque<DeliveryId>,
    unacknowledged: usize,
    /// Whether the caller may still acknowledge.
    open: bool,
}

/// The receiver is gone; there is nobody to tell.
struct Gone;

impl Collecting {
    async fn run(mut self, mut incoming: Incoming) {
        let ended = self.hand_out_and_listen(&mut incoming).await;
        if let Err(Some(refusal)) = ended {
            let _ = self.answers.send(Err(status(&refusal, Vec::new()))).await; // who is gone needs no answer
        }
    }

    /// `Err(None)`: the receiver is gone.
    async fn hand_out_and_listen(&mut self, incoming: &mut Incoming) -> Result<(), Option<Refusal>> {
        loop {
            self.hand_out_waiting().await?;
            let nothing_to_wait_for = !self.follow && (!self.open || self.unacknowledged == 0);
            if nothing_to_wait_for
                || (!self.open && self.unacknowledged >= self.gateway.limits().unacknowledged)
            {
                return Ok(());
            }
            let (expiry, ends) = (self.until_expiry(), self.arrived.ends());
            tokio::select! {
                request = incoming.message(), if self.open => match request {
                    Ok(Some(request)) => self.take(request).await?,
                    Ok(None) => self.open = false,
                    Err(_) => return Err(None),
                },
                changed = self.arrivals.changed(), if self.follow => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                released = self.releases.recv(), if self.follow => match released {
                    Ok((to, delivery)) if to == self.to => self.released.push_back(delivery),
                    // Of another receiver; or missed, and found at the next call.
                    Ok(_) | Err(_) => {}
                },
                () = until(ends) => return Err(Some(Reason::DeadlineExceeded.into())),
                () = tokio::time::sleep(expiry) => return Err(Some(Reason::AssertionExpired.into())),
                () = self.answers.closed() => return Err(None),
            }
        }
    }

    /// How long the assertion still holds: who follows for longer comes again with a new one.
    fn until_expiry(&self) -> std::time::Duration {
        let left = self.actor.until().unix_millis().saturating_sub(self.gateway.now().unix_millis());
        std::time::Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    async fn hand_out_waiting(&mut self) -> Result<(), Option<Refusal>> {
        self.hand_out_released().await?;
        while self.unacknowledged < self.gateway.limits().unacknowledged {
            let found = self.gateway.journal().waiting(&self.to, self.cursor, PAGE);
            let found = found.map_err(|error| Some(self.gateway.unreadable(&error)))?;
            if found.is_empty() {
                return Ok(());
            }
            for waiting in found {
                self.cursor = Some(waiting.cursor());
                self.offer(waiting).await?;
                if self.unacknowledged >= self.gateway.limits().unacknowledged {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Looks again at what this stream passed over and officers released since.
    async fn hand_out_released(&mut self) -> Result<(), Option<Refusal>> {
        while self.unacknowledged < self.gateway.limits().unacknowledged {
            let Some(delivery) = self.released.pop_front() else { return Ok(()) };
            let found = self.gateway.journal().delivery(&delivery);
            let found = found.map_err(|error| Some(self.gateway.unreadable(&error)))?;
            let passed_over = |waiting: &Waiting| {
                waiting.to == self.to && self.cursor.is_some_and(|cursor| waiting.cursor() <= cursor)
            };
            if let Some(waiting) = found.filter(passed_over) {
                self.offer(waiting).await?;
            }
        }
        Ok(())
    }

    /// Hands out one delivery, if it is of the purpose of this stream and may go.
    async fn offer(&mut self, waiting: Waiting) -> Result<(), Option<Refusal>> {
        let purpose = self.actor.purpose();
        if purpose.is_some_and(|purpose| waiting.terms.purpose.as_ref() != Some(purpose)) {
            return Ok(());
        }
        let now = self.checked_now()?;
        let handed_out = self.gateway.hand_out(&self.actor, waiting, now).await.map_err(Some)?;
        if let Some(handed_out) = handed_out {
            self.unacknowledged += 1;
            self.tell(Event::Delivery(delivery(handed_out))).await.map_err(|Gone| None)?;
        }
        Ok(())
    }

    /// The time, if whoever started the stream may still act.
    fn checked_now(&self) -> Result<Timestamp, Option<Refusal>> {
        self.arrived.is_welcome().map_err(Some)?;
        let now = self.gateway.now();
        if now > self.actor.until() { Err(Some(Reason::AssertionExpired.into())) } else { Ok(now) }
    }

    async fn take(&mut self, request: wire::CollectRequest) -> Result<(), Option<Refusal>> {
        let Some(Act::Acknowledge(acknowledge)) = request.act else {
            return Err(Some(at(Reason::RequestInvalid, "act", "after `start` only `acknowledge`")));
        };
        let id = acknowledge.delivery_id.parse();
        let id = id.map_err(|_| {
            Some(at(Reason::RequestInvalid, "acknowledge.delivery_id", "as it was handed out"))
        })?;
        let now = self.checked_now()?;
        self.gateway.acknowledge(&self.actor, &self.to, id, now).await.map_err(Some)?;
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
        let acknowledged = wire::Acknowledged { delivery_id: acknowledge.delivery_id };
        self.tell(Event::Acknowledged(acknowledged)).await.map_err(|Gone| None)
    }

    async fn tell(&self, event: Event) -> Result<(), Gone> {
        self.answers.send(Ok(wire::CollectResponse { event: Some(event) })).await.map_err(|_| Gone)
    }
}

/// The moment at which the caller said that it would stop waiting; never, if it did not.
async fn until(ends: Option<tokio::time::Instant>) {
    match ends {
        Some(ends) => tokio::time::sleep_until(ends).await,
        None => std::future::pending().await,
    }
}

fn delivery(handed_out: HandedOut) -> wire::Delivery {
    let HandedOut { waiting, document, index } = handed_out;
    let text = |part: Option<String>| part.unwrap_or_default();
    let sent = waiting.sent.unix_millis();
    wire::Delivery {
        delivery_id: waiting.delivery.to_string(),
        exchange_id: waiting.exchange.to_string(),
        sender: waiting
            .from
            .map(|from| wire::Party { oin: from.oin.to_string(), role: from.role.to_string() }),
        purpose: text(waiting.terms.purpose.map(|purpose| purpose.to_string())),
        message_type: text(waiting.terms.message.map(|message| message.to_string())),
        sent_at: Some(prost_types::Timestamp {
            seconds: sent.div_euclid(1000),
            nanos: i32::try_from(sent.rem_euclid(1000)).unwrap_or_default() * 1_000_000,
        }),
        document: document.into(),
        record_index: index,
    }
}
