//! `veldwacht.consent.v1`: the client's two consents, granted, withdrawn and listed.
//!
//! Owns: parsing, who may bring a consent in (the senders of the bundle's exchange X07), and its record. A withdrawal is a
//! record like any other: whoever decides after its commit sees it.

use std::sync::Arc;

use identity::Actor;
use journal::Commit;
use ledger::{ConsentChange, ConsentKind, Event, Party};
use model::{Bsn, Consent, Purpose, Reason, Refusal, Timestamp};
use proto::veldwacht::consent::v1 as wire;
use proto::veldwacht::consent::v1::consent_service_server::ConsentService;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::authorise::CONSENT_EXCHANGE;
use crate::line::offer::at;
use crate::line::party;
use crate::line::record::{self, Circumstances};
use crate::status::told;

/// A consent lasts at most two years; then the client is asked again.
const LONGEST_SECONDS: i64 = 2 * 366 * 86_400;

/// The service on a gateway.
pub(crate) struct Consents(pub(crate) Arc<Gateway>);

/// What a consent covers, parsed.
struct Scope {
    client: Bsn,
    receiver: Party,
    purpose: Purpose,
}

#[tonic::async_trait]
impl ConsentService for Consents {
    async fn grant(
        &self,
        request: Request<wire::GrantRequest>,
    ) -> Result<Response<wire::GrantResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let kinds = arrived.message.kinds.clone();
        let parsed = scope(&arrived.message.client_bsn, arrived.message.scope.as_ref()).and_then(|scope| {
            let until = until(arrived.message.expires_at.as_ref(), arrived.now)?;
            Ok((scope, kinds_of(&kinds, false)?, until))
        });
        let index = match self.allowed(&arrived, parsed).await {
            Ok((actor, (scope, kinds, until))) => {
                self.change(&arrived, &actor, &scope, &kinds, Consent::Verleend, Some(until)).await
            }
            Err(refusal) => Err(refusal),
        };
        let record_index = index.map_err(told)?;
        Ok(Response::new(wire::GrantResponse { record_index }))
    }

    async fn withdraw(
        &self,
        request: Request<wire::WithdrawRequest>,
    ) -> Result<Response<wire::WithdrawResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let kinds = arrived.message.kinds.clone();
        let parsed = scope(&arrived.message.client_bsn, arrived.message.scope.as_ref())
            .and_then(|scope| Ok((scope, kinds_of(&kinds, true)?)));
        let index = match self.allowed(&arrived, parsed).await {
            Ok((actor, (scope, kinds))) => {
                self.change(&arrived, &actor, &scope, &kinds, Consent::Geweigerd, None).await
            }
            Err(refusal) => Err(refusal),
        };
        let record_index = index.map_err(told)?;
        Ok(Response::new(wire::WithdrawResponse { record_index }))
    }

    async fn list(
        &self,
        request: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let parsed = client(&arrived.message.client_bsn);
        let (actor, client) = self.allowed(&arrived, parsed).await.map_err(told)?;
        let consents = self.listed(&client, arrived.now).map_err(told)?;
        let count = u64::try_from(consents.len()).unwrap_or(u64::MAX);
        self.0.record_access(&arrived, &actor, "consents", count).await.map_err(told)?;
        Ok(Response::new(wire::ListResponse { consents }))
    }
}

impl Consents {
    /// Whoever may bring in consents, with what was parsed; else a record of the refusal.
    async fn allowed<M, T>(
        &self,
        arrived: &Arrived<M>,
        parsed: Result<T, Refusal>,
    ) -> Result<(Arc<Actor>, T), Refusal> {
        let rules = self.0.rules();
        let exchange = rules.proven().exchanges().find(|exchange| &*exchange.id == CONSENT_EXCHANGE);
        let senders = exchange.map(|exchange| exchange.from.as_slice()).unwrap_or_default();
        let needed: Vec<(&str, &str)> =
            senders.iter().map(|sender| (sender.kind.as_str(), sender.role.as_str())).collect();
        let actor = self.0.identified(arrived, Some(&needed)).await?;
        match parsed {
            Ok(parsed) => Ok((actor, parsed)),
            Err(refusal) => {
                self.0.record_refusal(arrived, &refusal).await?;
                Err(refusal)
            }
        }
    }

    /// Records the change, one record a kind; the index of the last.
    async fn change<M>(
        &self,
        arrived: &Arrived<M>,
        actor: &Actor,
        scope: &Scope,
        kinds: &[ConsentKind],
        state: Consent,
        until: Option<Timestamp>,
    ) -> Result<u64, Refusal> {
        if let Err(late) = arrived.deadline().hold() {
            return Err(self.0.recorded(arrived, late).await);
        }
        let rules = self.0.rules();
        let commit = |kind: &ConsentKind| {
            let change = ConsentChange {
                by: party(actor),
                kind: *kind,
                state,
                receiver: scope.receiver.clone(),
                purpose: scope.purpose.clone(),
                until,
            };
            let exchange = self.0.new_exchange_id(arrived.now);
            let circumstances =
                Circumstances { now: arrived.now, exchange, trace: arrived.trace, rules: &rules };
            Commit {
                client: Some(self.0.journal().pseudonym(&scope.client)),
                sealed: record::sealed(Some(actor), Some(&scope.client)),
                ..Commit::of(circumstances.leaf(None, Event::Consent(change)))
            }
        };
        let (commits, gateway): (Vec<Commit>, _) = (kinds.iter().map(commit).collect(), Arc::clone(&self.0));
        // A task of its own: a caller that leaves halfway does not leave one consent changed and the other not.
        let all = tokio::spawn(async move {
            let mut index = 0;
            for commit in commits {
                index = record::write(gateway.journal(), commit).await?.index();
            }
            Ok(index)
        });
        all.await.unwrap_or_else(|_| Err(Reason::LogUnavailable.into()))
    }

    fn listed(&self, client: &Bsn, now: Timestamp) -> Result<Vec<wire::Consent>, Refusal> {
        let journal = self.0.journal();
        let changes = journal.consent_changes(journal.pseudonym(client));
        let mut current: Vec<wire::Consent> = Vec::new();
        for record in changes.map_err(|error| self.0.unreadable(&error))?.iter() {
            let change = &record.change;
            let expired = change.state == Consent::Verleend && change.until.is_some_and(|until| until <= now);
            let state = if expired { Consent::Onbekend } else { change.state };
            let consent = wire::Consent {
                kind: kind_number(change.kind),
                scope: Some(wire::Scope {
                    receiver_oin: change.receiver.oin.to_string(),
                    receiver_role: change.receiver.role.to_string(),
                    purpose: change.purpose.to_string(),
                }),
                state: state.name().to_owned(),
                since: Some(seconds(record.time)),
                expires_at: change.until.map(seconds),
            };
            current.retain(|earlier| earlier.kind != consent.kind || earlier.scope != consent.scope);
            current.push(consent);
        }
        Ok(current)
    }
}

fn client(text: &str) -> Result<Bsn, Refusal> {
    text.parse().map_err(|_| at(Reason::ClientInvalid, "client_bsn", "9 digits that pass the elfproef"))
}

fn scope(bsn: &str, scope: Option<&wire::Scope>) -> Result<Scope, Refusal> {
    let client = client(bsn)?;
    let scope = scope.ok_or_else(|| at(Reason::RequestInvalid, "scope", "say what the consent covers"))?;
    let receiver = scope.receiver_oin.parse().ok().zip(scope.receiver_role.parse().ok());
    let (oin, role) = receiver
        .ok_or_else(|| at(Reason::ReceiverUnknown, "scope.receiver_oin", "an OIN of 20 digits and a role"))?;
    let purpose = scope.purpose.parse();
    let purpose =
        purpose.map_err(|_| at(Reason::PurposeUnknown, "scope.purpose", "a purpose of the bundle"))?;
    Ok(Scope { client, receiver: Party { oin, role }, purpose })
}

/// The kinds that are meant; with `all_if_empty`, both when none is named.
fn kinds_of(kinds: &[i32], all_if_empty: bool) -> Result<Vec<ConsentKind>, Refusal> {
    if kinds.is_empty() && all_if_empty {
        return Ok(vec![ConsentKind::Beroepsgeheim, ConsentKind::Gezondheidsgegevens]);
    }
    let kind = |number: &i32| match wire::Kind::try_from(*number) {
        Ok(wire::Kind::Beroepsgeheim) => Some(ConsentKind::Beroepsgeheim),
        Ok(wire::Kind::Gezondheidsgegevens) => Some(ConsentKind::Gezondheidsgegevens),
        _ => None,
    };
    let parsed: Option<Vec<ConsentKind>> = kinds.iter().map(kind).collect();
    let parsed = parsed.filter(|parsed| (1..=2).contains(&parsed.len()));
    parsed.ok_or_else(|| at(Reason::RequestInvalid, "kinds", "which of the two consents, each at most once"))
}

fn kind_number(kind: ConsentKind) -> i32 {
    match kind {
        ConsentKind::Beroepsgeheim => wire::Kind::Beroepsgeheim as i32,
        ConsentKind::Gezondheidsgegevens => wire::Kind::Gezondheidsgegevens as i32,
    }
}

fn until(expires: Option<&prost_types::Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let until = expires.map(|expires| Timestamp::from_unix_millis(expires.seconds.saturating_mul(1000)));
    let fits = |until: &Timestamp| *until > now && *until <= now.plus_seconds(LONGEST_SECONDS);
    until
        .filter(fits)
        .ok_or_else(|| at(Reason::RequestInvalid, "expires_at", "in the future, at most two years away"))
}

fn seconds(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.unix_seconds(), nanos: 0 }
}
