//! A `SendRequest`, parsed at the border into the nouns of the model.
//!
//! Owns: what a request must hold to be understood at all, and the limits on it. What can be read of a bad request
//! is kept in `About`, so that its refusal is recorded as fully as it can be. Next: `authorise`.

use bytes::Bytes;
use ledger::Party;
use model::{Bsn, ExchangeId, FieldViolation, Invalid, MessageType, Reason, Refusal};
use proto::veldwacht::exchange::v1 as wire;

/// The most receivers of one document.
pub(crate) const MAX_RECEIVERS: usize = 32;

/// What is known of a request, good or bad: enough to record it.
pub(crate) struct About {
    pub(crate) exchange: ExchangeId,
    pub(crate) client: Option<Bsn>,
    pub(crate) message: Option<MessageType>,
    pub(crate) receivers: Vec<Party>,
}

/// A document for receivers, as its sender offered it.
pub(crate) struct Offer {
    /// None for a document that is about no client.
    pub(crate) client: Option<Bsn>,
    pub(crate) message: MessageType,
    pub(crate) document: Bytes,
    /// What comes back because of a text is kept for an officer to release.
    pub(crate) hold: bool,
}

/// Parses a request. `named` is what its metadata call the exchange, `fresh` the id of one that has no name, or a bad one.
pub(crate) fn parse(
    request: wire::SendRequest,
    named: Option<Result<ExchangeId, Invalid>>,
    fresh: ExchangeId,
    limit: usize,
) -> (About, Result<Offer, Refusal>) {
    let exchange = exchange_id(&request.exchange_id, named);
    let client = match request.client_bsn.as_str() {
        "" => Ok(None),
        text => text.parse::<Bsn>().map(Some),
    };
    let message = request.message_type.parse::<MessageType>();
    let receivers: Vec<Option<Party>> = request.receivers.iter().map(party).collect();
    let about = About {
        exchange: exchange.as_ref().ok().copied().flatten().unwrap_or(fresh),
        client: client.clone().ok().flatten(),
        message: message.clone().ok(),
        receivers: receivers.iter().flatten().take(MAX_RECEIVERS).cloned().collect(),
    };
    let offer = || {
        exchange?;
        if !request.descriptor_set.is_empty() {
            return Err(at(Reason::DescriptorNotBelieved, "descriptor_set", "leave it out"));
        }
        let client =
            client.map_err(|_| at(Reason::ClientInvalid, "client_bsn", "9 digits that pass the elfproef"))?;
        let message = message.map_err(|_| at(Reason::TypeUnknown, "message_type", "a full protobuf name"))?;
        check_receivers(&receivers)?;
        if request.document.len() > limit {
            let description = format!("at most {limit} bytes");
            return Err(at(Reason::DocumentTooLarge, "document", &description));
        }
        Ok(Offer { client, message, document: request.document, hold: request.hold_for_release })
    };
    (about, offer())
}

/// The id in the request, or else in its metadata; both must be the same.
fn exchange_id(
    text: &str,
    named: Option<Result<ExchangeId, Invalid>>,
) -> Result<Option<ExchangeId>, Refusal> {
    let no = |field, description| at(Reason::ExchangeIdInvalid, field, description);
    let named = named.transpose().map_err(|_| no("fsc-transaction-id", "a UUIDv7, or nothing"))?;
    if text.is_empty() {
        return Ok(named);
    }
    let own = text.parse().map_err(|_| no("exchange_id", "a UUIDv7, or nothing"))?;
    match named {
        Some(named) if named != own => {
            Err(no("fsc-transaction-id", "another than `exchange_id`; leave one out"))
        }
        _ => Ok(Some(own)),
    }
}

/// Whether there are as many as there may be, each readable and there once.
pub(crate) fn check_receivers(receivers: &[Option<Party>]) -> Result<(), Refusal> {
    if receivers.is_empty() || receivers.len() > MAX_RECEIVERS {
        return Err(at(Reason::RequestInvalid, "receivers", &format!("1 to {MAX_RECEIVERS} receivers")));
    }
    for (index, receiver) in receivers.iter().enumerate() {
        let place = format!("receivers[{index}]");
        let Some(receiver) = receiver else {
            return Err(at(Reason::ReceiverUnknown, &place, "an OIN of 20 digits and a role of the bundle"));
        };
        let twice = receivers.iter().take(index).flatten().any(|earlier| earlier == receiver);
        if twice {
            return Err(at(Reason::RequestInvalid, &place, "stands there twice"));
        }
    }
    Ok(())
}

/// A party of a request, if both its parts can be read.
pub(crate) fn party(party: &wire::Party) -> Option<Party> {
    Some(Party { oin: party.oin.parse().ok()?, role: party.role.parse().ok()? })
}

/// A refusal of one place in a request.
pub(crate) fn at(reason: Reason, field: &str, description: &str) -> Refusal {
    let (field, description) = (field.to_owned(), description.to_owned());
    Refusal::at(reason, vec![FieldViolation { field, description, class: None, rule: None, span: None }])
}
