//! `veldwacht.traject.v1`: a client's traject, as the organisations in it state it.
//!
//! Owns: parsing, who may state what (`[traject]` of the bundle), and its record. Only who takes part in a traject states its
//! phase; that an organisation has sent or received something about a client gives it no traject. What decides reads
//! these records back (`line::authorise`).

use std::sync::Arc;

use identity::Actor;
use journal::{Commit, TrajectRecord};
use ledger::{Event, TrajectChange, traject_between};
use model::{Bsn, Oin, Reason, Refusal, Timestamp};
use policy::Functie;
use proto::veldwacht::traject::v1 as wire;
use proto::veldwacht::traject::v1::traject_service_server::TrajectService;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::offer::at;
use crate::line::party;
use crate::line::record::{self, Circumstances};
use crate::rules::Rules;
use crate::status::told;

/// The most organisations in one traject, the own one included.
const MOST_PARTIES: usize = 17;

/// The service on a gateway.
pub(crate) struct Trajects(pub(crate) Arc<Gateway>);

#[tonic::async_trait]
impl TrajectService for Trajects {
    async fn open(
        &self,
        request: Request<wire::OpenRequest>,
    ) -> Result<Response<wire::OpenResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let rules = self.0.rules();
        let opened = self.allowed(&arrived, &rules.proven().trajects().opened_by).await.map_err(told)?;
        let wire::OpenRequest { client_bsn, party_oins, phase } = &arrived.message;
        let change = client(client_bsn).and_then(|client| {
            let phase =
                if *phase == 0 { rules.proven().trajects().first() } else { Some(phase_of(&rules, *phase)?) };
            let parties = parties(&rules, &opened, party_oins)?;
            Ok((client, TrajectChange { by: party(&opened), phase, parties }))
        });
        let record_index = self.state(&arrived, &opened, &rules, change).await.map_err(told)?;
        Ok(Response::new(wire::OpenResponse { record_index }))
    }

    async fn enter(
        &self,
        request: Request<wire::EnterRequest>,
    ) -> Result<Response<wire::EnterResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let rules = self.0.rules();
        let actor = self.allowed(&arrived, &rules.proven().trajects().told_by).await.map_err(told)?;
        let wire::EnterRequest { client_bsn, phase, party_oin } = &arrived.message;
        let change = client(client_bsn).and_then(|client| {
            let phase = Some(phase_of(&rules, *phase)?);
            let parties = self.own(&rules, &actor, &client, party_oin, arrived.now)?.parties;
            Ok((client, TrajectChange { by: party(&actor), phase, parties }))
        });
        let record_index = self.state(&arrived, &actor, &rules, change).await.map_err(told)?;
        Ok(Response::new(wire::EnterResponse { record_index }))
    }

    async fn end(&self, request: Request<wire::EndRequest>) -> Result<Response<wire::EndResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let rules = self.0.rules();
        let actor = self.allowed(&arrived, &rules.proven().trajects().told_by).await.map_err(told)?;
        let wire::EndRequest { client_bsn, party_oin } = &arrived.message;
        let change = client(client_bsn).and_then(|client| {
            let parties = self.own(&rules, &actor, &client, party_oin, arrived.now)?.parties;
            Ok((client, TrajectChange { by: party(&actor), phase: None, parties }))
        });
        let record_index = self.state(&arrived, &actor, &rules, change).await.map_err(told)?;
        Ok(Response::new(wire::EndResponse { record_index }))
    }

    async fn list(
        &self,
        request: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let rules = self.0.rules();
        let trajects = rules.proven().trajects();
        let may = [trajects.opened_by.as_slice(), &trajects.told_by].concat();
        let actor = self.allowed(&arrived, &may).await.map_err(told)?;
        let listed = client(&arrived.message.client_bsn)
            .and_then(|client| self.listed(&rules, &actor.oin(), &client, arrived.now));
        let trajects = match listed {
            Ok(listed) => listed,
            Err(refusal) => return Err(told(self.0.recorded(&arrived, refusal).await)),
        };
        let count = u64::try_from(trajects.len()).unwrap_or(u64::MAX);
        self.0.record_access(&arrived, &actor, "trajects", count).await.map_err(told)?;
        Ok(Response::new(wire::ListResponse { trajects }))
    }
}

impl Trajects {
    /// Whoever acts, in one of these functies; else a record of the refusal.
    async fn allowed<M>(&self, arrived: &Arrived<M>, may: &[Functie]) -> Result<Arc<Actor>, Refusal> {
        let needed: Vec<(&str, &str)> =
            may.iter().map(|functie| (functie.kind.as_str(), functie.role.as_str())).collect();
        self.0.identified(arrived, Some(&needed)).await
    }

    /// Records a statement, or why there is none. The index of its record.
    async fn state<M>(
        &self,
        arrived: &Arrived<M>,
        actor: &Actor,
        rules: &Rules,
        change: Result<(Bsn, TrajectChange), Refusal>,
    ) -> Result<u64, Refusal> {
        let (client, change) = match arrived.deadline().hold().and(change) {
            Ok(change) => change,
            Err(refusal) => return Err(self.0.recorded(arrived, refusal).await),
        };
        let exchange = self.0.new_exchange_id(arrived.now);
        let circumstances = Circumstances { now: arrived.now, exchange, trace: arrived.trace, rules };
        let commit = Commit {
            client: Some(self.0.journal().pseudonym(&client)),
            sealed: record::sealed(Some(actor), Some(&client)),
            ..Commit::of(circumstances.leaf(None, Event::Traject(change)))
        };
        Ok(record::write(self.0.journal(), commit).await?.index())
    }

    /// The active traject of the actor's own organisation with this client: the one with `other` in it, or the newest.
    fn own(
        &self,
        rules: &Rules,
        actor: &Actor,
        client: &Bsn,
        other: &str,
        now: Timestamp,
    ) -> Result<TrajectChange, Refusal> {
        let own = actor.oin();
        let other = match other {
            "" => own,
            oin => oin.parse().map_err(|_| at(Reason::ReceiverUnknown, "party_oin", "20 digits"))?,
        };
        let stated = self.stated(client)?;
        let stated = stated.iter().map(|record| (record.time, &record.change));
        let found = traject_between(stated, &own, &other, rules.proven().trajects().days, now);
        let takes_part = |found: &&TrajectChange| [own, other].iter().all(|oin| found.parties.contains(oin));
        found.filter(takes_part).cloned().ok_or_else(|| Reason::TrajectNotYours.into())
    }

    fn stated(&self, client: &Bsn) -> Result<Arc<[TrajectRecord]>, Refusal> {
        let journal = self.0.journal();
        journal.trajects(journal.pseudonym(client)).map_err(|error| self.0.unreadable(&error))
    }

    /// The newest statement about each traject in which an organisation takes part.
    fn listed(
        &self,
        rules: &Rules,
        own: &Oin,
        client: &Bsn,
        now: Timestamp,
    ) -> Result<Vec<wire::Traject>, Refusal> {
        let (stated, days) = (self.stated(client)?, rules.proven().trajects().days);
        let own = stated.iter().filter(|record| record.change.parties.contains(own));
        Ok(own.map(|record| traject(rules, record, days, now)).collect())
    }
}

fn traject(rules: &Rules, record: &TrajectRecord, days: u32, now: Timestamp) -> wire::Traject {
    let TrajectChange { by, phase, parties } = &record.change;
    let lasts = now <= record.time.plus_seconds(i64::from(days).saturating_mul(86_400));
    let phase = phase.filter(|_| lasts);
    let title = phase.and_then(|phase| rules.proven().trajects().phase(phase));
    wire::Traject {
        party_oins: parties.iter().map(ToString::to_string).collect(),
        phase: phase.map_or(0, u32::from),
        phase_nl: title.map(|title| title.nl.to_string()).unwrap_or_default(),
        phase_en: title.map(|title| title.en.to_string()).unwrap_or_default(),
        since: Some(prost_types::Timestamp { seconds: record.time.unix_seconds(), nanos: 0 }),
        by_oin: by.oin.to_string(),
        by_role: by.role.to_string(),
    }
}

fn client(text: &str) -> Result<Bsn, Refusal> {
    text.parse().map_err(|_| at(Reason::ClientInvalid, "client_bsn", "9 digits that pass the elfproef"))
}

fn phase_of(rules: &Rules, number: u32) -> Result<u8, Refusal> {
    let phase = u8::try_from(number).ok().filter(|phase| rules.proven().trajects().phase(*phase).is_some());
    phase.ok_or_else(|| at(Reason::RequestInvalid, "phase", "a phase that the bundle declares"))
}

/// The own organisation and the others, each registered, sorted.
fn parties(rules: &Rules, actor: &Actor, others: &[String]) -> Result<Vec<Oin>, Refusal> {
    let registered = |text: &String| {
        let oin: Option<Oin> = text.parse().ok().filter(|oin| rules.proven().organisation(oin).is_some());
        oin.ok_or_else(|| {
            at(Reason::ReceiverUnknown, "party_oins", "registered organisations, 20 digits each")
        })
    };
    let mut parties: Vec<Oin> = others.iter().map(registered).collect::<Result<_, Refusal>>()?;
    parties.push(actor.oin());
    parties.sort();
    parties.dedup();
    if !(2..=MOST_PARTIES).contains(&parties.len()) {
        let wanted = "at least one other organisation, and at most 16";
        return Err(at(Reason::RequestInvalid, "party_oins", wanted));
    }
    Ok(parties)
}
