//! `veldwacht.policy.v1`: what operators do with policy, over the door that everyone uses.
//!
//! Owns: translation. Who calls is `operator`'s affair; what may be done, by whom, and its
//! record, are `oversight`'s.

use std::sync::Arc;

use model::{Consents, ExchangeId, Reason, Refusal};
use oversight::{Act, Change, Oversight, Which};
use policy::{Diff, Situation};
use proto::veldwacht::policy::v1 as wire;
use proto::veldwacht::policy::v1::policy_service_server::PolicyService;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;
use crate::line::offer::at;
use crate::status::told;

/// The service on a gateway.
pub(crate) struct Policy {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) oversight: Arc<Oversight>,
}

#[tonic::async_trait]
impl PolicyService for Policy {
    async fn get_running(
        &self,
        request: Request<wire::GetRunningRequest>,
    ) -> Result<Response<wire::GetRunningResponse>, Status> {
        let (who, _) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let history = self.oversight.history(&who).await.map_err(told)?;
        let proven = self.oversight.proven();
        let reference = |found: &ledger::BundleRef| wire::BundleRef {
            number: found.number,
            digest: found.digest.to_string(),
        };
        Ok(Response::new(wire::GetRunningResponse {
            running: Some(wire::BundleRef { number: proven.number(), digest: proven.digest().to_string() }),
            name: proven.name().to_string(),
            history: history.iter().map(reference).collect(),
        }))
    }

    async fn get_bundle(
        &self,
        request: Request<wire::GetBundleRequest>,
    ) -> Result<Response<wire::GetBundleResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let which = which(message.which).map_err(told)?;
        let files = self.oversight.files(&who, which).await.map_err(told)?.into_iter().collect();
        Ok(Response::new(wire::GetBundleResponse { bundle: Some(wire::Bundle { files }) }))
    }

    async fn check(
        &self,
        request: Request<wire::CheckRequest>,
    ) -> Result<Response<wire::CheckResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let which = which(message.which).map_err(told)?;
        let proven = match self.oversight.prove(&who, which).await {
            Ok(proven) => proven,
            Err(refusal) if refusal.reason == Reason::BundleRefused => {
                let problems = refusal.violations.into_iter();
                let problem = |found: model::FieldViolation| wire::Problem {
                    place: found.field,
                    what: found.description,
                };
                let problems = problems.map(problem).collect();
                return Ok(Response::new(wire::CheckResponse { problems, ..Default::default() }));
            }
            Err(refusal) => return Err(told(refusal)),
        };
        let report = proven.report();
        Ok(Response::new(wire::CheckResponse {
            proven: report.is_complete(),
            bundle: Some(wire::BundleRef { number: proven.number(), digest: proven.digest().to_string() }),
            report: report.to_string(),
            problems: Vec::new(),
            decisions: report.decisions,
            rules: report.rules as u64,
            routes: report.routes as u64,
        }))
    }

    async fn matrix(
        &self,
        request: Request<wire::MatrixRequest>,
    ) -> Result<Response<wire::MatrixResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let which = which(message.which).map_err(told)?;
        let (purpose, role) = (
            optional(&message.purpose, "purpose").map_err(told)?,
            optional(&message.role, "role").map_err(told)?,
        );
        let proven = self.oversight.prove(&who, which).await.map_err(told)?;
        let rows = proven.matrix(purpose.as_ref(), role.as_ref());
        let row = |row: policy::MatrixRow| wire::MatrixRow {
            purpose: row.purpose.to_string(),
            sender: row.sender.to_string(),
            role: row.role.to_string(),
            class: row.class.name().to_owned(),
            form: row.form.map(|form| form.name().to_owned()).unwrap_or_default(),
            rule: row.rule.map(|rule| rule.to_string()).unwrap_or_default(),
            sentence_nl: row.sentence.as_ref().map(|sentence| sentence.nl.to_string()).unwrap_or_default(),
            sentence_en: row.sentence.as_ref().map(|sentence| sentence.en.to_string()).unwrap_or_default(),
        };
        Ok(Response::new(wire::MatrixResponse { rows: rows.into_iter().map(row).collect() }))
    }

    async fn diff(
        &self,
        request: Request<wire::DiffRequest>,
    ) -> Result<Response<wire::DiffResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let (from, to) = (which(message.from).map_err(told)?, which(message.to).map_err(told)?);
        let diff = self.oversight.difference(&who, from, to).await.map_err(told)?;
        Ok(Response::new(difference(diff)))
    }

    async fn simulate(
        &self,
        request: Request<wire::SimulateRequest>,
    ) -> Result<Response<wire::SimulateResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let which = which(message.which.clone()).map_err(told)?;
        let situation = situation(&message).map_err(told)?;
        let simulated = self.oversight.simulate(&who, which, &situation, &message.document).await;
        let field = |field: policy::SimulatedField| wire::SimulatedField {
            path: field.path,
            class: field.class.map(|class| class.name().to_owned()).unwrap_or_default(),
            before: field.before.to_string(),
            after: field.after.map(|value| value.to_string()).unwrap_or_default(),
            screened: field.screened,
            rule: field.rule.to_string(),
            sentence_nl: field.sentence.nl.to_string(),
            sentence_en: field.sentence.en.to_string(),
        };
        let fields = simulated.map_err(told)?.fields.into_iter().map(field).collect();
        Ok(Response::new(wire::SimulateResponse { fields }))
    }

    async fn test(
        &self,
        request: Request<wire::TestRequest>,
    ) -> Result<Response<wire::TestResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let which = which(message.which).map_err(told)?;
        let trial = self.oversight.test(&who, which).await.map_err(told)?;
        let passed = trial.passed();
        let tests = trial.tests.into_iter().map(|test| wire::Tested {
            file: test.file,
            exchange: test.exchange,
            name: test.name,
            failures: test.failures,
        });
        let untested = trial.untested.iter().map(ToString::to_string).collect();
        Ok(Response::new(wire::TestResponse { tests: tests.collect(), untested, passed }))
    }

    async fn replay(
        &self,
        request: Request<wire::ReplayRequest>,
    ) -> Result<Response<wire::ReplayResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let which = which(message.which).map_err(told)?;
        let replay = self.oversight.replay(&who, which).await.map_err(told)?;
        let refused = replay.refused.into_iter();
        let changed = |table: std::collections::BTreeMap<(Arc<str>, model::DataClass), u64>| {
            let row = |((exchange, class), deliveries): ((Arc<str>, model::DataClass), u64)| wire::Changed {
                exchange: exchange.to_string(),
                class: class.name().to_owned(),
                deliveries,
            };
            table.into_iter().map(row).collect()
        };
        Ok(Response::new(wire::ReplayResponse {
            deliveries: replay.deliveries,
            unchanged: replay.unchanged,
            refused: refused
                .map(|(reason, deliveries)| wire::Refused { reason: reason.to_owned(), deliveries })
                .collect(),
            lost: changed(replay.lost),
            gained: changed(replay.gained),
        }))
    }

    async fn get_shadow(
        &self,
        request: Request<wire::GetShadowRequest>,
    ) -> Result<Response<wire::GetShadowResponse>, Status> {
        self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let Some(shadow) = self.gateway.shadow() else {
            return Ok(Response::new(wire::GetShadowResponse::default()));
        };
        let (decisions, differences) = shadow.told();
        let difference = |(difference, count): (crate::Difference, u64)| wire::Difference {
            place: difference.place,
            what: difference.what,
            count,
        };
        let differences = differences.into_iter().map(difference).collect();
        Ok(Response::new(wire::GetShadowResponse { draft: shadow.number(), decisions, differences }))
    }

    async fn list_escapes(
        &self,
        request: Request<wire::ListEscapesRequest>,
    ) -> Result<Response<wire::ListEscapesResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::Search, request).await?;
        let most = if message.most == 0 { 100 } else { message.most as usize };
        let found = self.oversight.escapes(&who, most).await.map_err(told)?;
        let escapes = found.into_iter().filter_map(escape).collect();
        Ok(Response::new(wire::ListEscapesResponse { escapes }))
    }

    async fn list_changes(
        &self,
        request: Request<wire::ListChangesRequest>,
    ) -> Result<Response<wire::ListChangesResponse>, Status> {
        let (who, _) = self.gateway.operator(&self.oversight, Act::LookAtPolicy, request).await?;
        let changes = self.oversight.changes(&who).await.map_err(told)?;
        Ok(Response::new(wire::ListChangesResponse { changes: changes.iter().map(change).collect() }))
    }

    async fn propose(
        &self,
        request: Request<wire::ProposeRequest>,
    ) -> Result<Response<wire::ProposeResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ChangePolicy, request).await?;
        let files = message.bundle.unwrap_or_default().files.into_iter().collect();
        let proposed = self.oversight.propose(&who, files).await.map_err(told)?;
        Ok(Response::new(wire::ProposeResponse { change: Some(change(&proposed)) }))
    }

    async fn rollback(
        &self,
        request: Request<wire::RollbackRequest>,
    ) -> Result<Response<wire::RollbackResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ChangePolicy, request).await?;
        let files = message.bundle.unwrap_or_default().files.into_iter().collect();
        let proposed = self.oversight.rollback(&who, files).await.map_err(told)?;
        Ok(Response::new(wire::RollbackResponse { change: Some(change(&proposed)) }))
    }

    async fn approve(
        &self,
        request: Request<wire::ApproveRequest>,
    ) -> Result<Response<wire::ApproveResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ChangePolicy, request).await?;
        let difference = message.difference.parse();
        let difference = difference.map_err(|_| {
            told(at(Reason::RequestInvalid, "difference", "64 hexadecimal digits, as `Diff` tells"))
        })?;
        let id = change_id(&message.change).map_err(told)?;
        let approved = self.oversight.approve(&who, id, difference).await.map_err(told)?;
        Ok(Response::new(wire::ApproveResponse { change: Some(change(&approved)) }))
    }

    async fn reject(
        &self,
        request: Request<wire::RejectRequest>,
    ) -> Result<Response<wire::RejectResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ChangePolicy, request).await?;
        let id = change_id(&message.change).map_err(told)?;
        let rejected = self.oversight.reject(&who, id).await.map_err(told)?;
        Ok(Response::new(wire::RejectResponse { change: Some(change(&rejected)) }))
    }

    async fn activate(
        &self,
        request: Request<wire::ActivateRequest>,
    ) -> Result<Response<wire::ActivateResponse>, Status> {
        let (who, message) = self.gateway.operator(&self.oversight, Act::ChangePolicy, request).await?;
        let id = change_id(&message.change).map_err(told)?;
        let activated = self.oversight.activate(&who, id).await.map_err(told)?;
        Ok(Response::new(wire::ActivateResponse { change: Some(change(&activated)) }))
    }
}

fn which(which: Option<wire::Which>) -> Result<Which, Refusal> {
    use wire::which::Which as Is;
    match which.and_then(|which| which.which) {
        None => Ok(Which::Running),
        Some(Is::Draft(bundle)) => Ok(Which::Draft(bundle.files.into_iter().collect())),
        Some(Is::Change(id)) => change_id(&id).map(Which::Change),
        Some(Is::Digest(digest)) => digest
            .parse()
            .map(Which::Shelved)
            .map_err(|_| at(Reason::RequestInvalid, "which.digest", "64 hexadecimal digits")),
    }
}

fn change_id(text: &str) -> Result<ExchangeId, Refusal> {
    text.parse()
        .map_err(|_| at(Reason::RequestInvalid, "change", "the id of a change, as `ListChanges` tells"))
}

fn optional<T: std::str::FromStr>(text: &str, field: &str) -> Result<Option<T>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| at(Reason::RequestInvalid, field, "a name of the bundle, or nothing"))
}

fn situation(message: &wire::SimulateRequest) -> Result<Situation, Refusal> {
    let party = |oin: &str, role: &str| Some((oin.parse().ok()?, role.parse().ok()?));
    let wrong = |field: &str, what: &str| at(Reason::RequestInvalid, field, what);
    let consent = match message.consent.as_str() {
        "" => model::Consent::Onbekend,
        text => text.parse().map_err(|_| wrong("consent", "verleend, geweigerd or onbekend"))?,
    };
    Ok(Situation {
        message: message.message_type.parse().map_err(|_| wrong("message_type", "a full protobuf name"))?,
        sender: party(&message.sender_oin, &message.sender_role)
            .ok_or_else(|| wrong("sender_oin", "an OIN of 20 digits and a role"))?,
        receiver: party(&message.receiver_oin, &message.receiver_role)
            .ok_or_else(|| wrong("receiver_oin", "an OIN of 20 digits and a role"))?,
        purpose: message.purpose.parse().map_err(|_| wrong("purpose", "a purpose of the bundle"))?,
        consents: Consents::both(consent),
        spoed: message.spoed,
    })
}

fn difference(diff: Diff) -> wire::DiffResponse {
    let (widens, digest) = (diff.widens(), diff.digest().to_string());
    let cell = |cell: policy::Change| wire::Cell {
        widens: cell.widens,
        place: cell.place,
        what: cell.what,
        before: cell.before,
        after: cell.after,
        states: cell.states,
    };
    wire::DiffResponse { cells: diff.changes.into_iter().map(cell).collect(), widens, digest }
}

fn escape(opened: journal::Opened) -> Option<wire::Escape> {
    let ledger::Event::Escape(escape) = opened.leaf.event else { return None };
    Some(wire::Escape {
        record_index: opened.index,
        called_at: opened.leaf.time.unix_seconds(),
        until: escape.until.unix_seconds(),
        exchange_id: opened.leaf.exchange.to_string(),
        oin: escape.by.oin.to_string(),
        role: escape.by.role.to_string(),
        reason: escape.reason.to_string(),
        user: opened.sealed.and_then(|sealed| sealed.user.clone()).unwrap_or_default(),
    })
}

fn change(change: &Change) -> wire::Change {
    let (approval, proposed) = (&change.approval, change.approval.proposed());
    wire::Change {
        id: change.id.to_string(),
        proposed_at: change.at.unix_seconds(),
        state: approval.state().name().to_owned(),
        from: Some(wire::BundleRef { number: change.from, digest: proposed.from.to_string() }),
        to: Some(wire::BundleRef { number: proposed.number, digest: proposed.to.to_string() }),
        difference: proposed.diff.to_string(),
        widens: proposed.widens,
        undoes: proposed.undoes.map(|digest| digest.to_string()).unwrap_or_default(),
        author: approval.author().to_string(),
        approvers: approval.approvers().map(ToString::to_string).collect(),
        needed: u32::try_from(approval.needed()).unwrap_or(u32::MAX),
    }
}
