//! `veldwacht.exchange.v1`: send, collect, receipts.
//!
//! Owns: nothing but the way in and out. `Send` walks the line; `Collect` hands its stream to `collect`.

use std::sync::Arc;

use journal::Criteria;
use ledger::{Event, Kind, Party};
use model::{ExchangeId, Reason, Refusal};
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::exchange_service_server::ExchangeService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::ask::TRANSACTION;
use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::{Refused, party};
use crate::services::collect;
use crate::status::{detail, status};

/// The service on a gateway.
pub(crate) struct Exchange(pub(crate) Arc<Gateway>);

#[tonic::async_trait]
impl ExchangeService for Exchange {
    async fn send(
        &self,
        request: Request<wire::SendRequest>,
    ) -> Result<Response<wire::SendResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let (exchange, ended) = self.0.send(arrived).await;
        let mut told = ended
            .map(Response::new)
            .map_err(|Refused { refusal, answer }| status(&refusal, answer.iter().map(detail).collect()));
        let metadata = match &mut told {
            Ok(response) => response.metadata_mut(),
            Err(status) => status.metadata_mut(),
        };
        if let Ok(value) = exchange.to_string().parse() {
            metadata.insert(TRANSACTION, value);
        }
        told
    }

    type CollectStream = ReceiverStream<Result<wire::CollectResponse, Status>>;

    async fn collect(
        &self,
        request: Request<Streaming<wire::CollectRequest>>,
    ) -> Result<Response<Self::CollectStream>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        collect::start(Arc::clone(&self.0), arrived).await.map(Response::new)
    }

    async fn get_receipt(
        &self,
        request: Request<wire::GetReceiptRequest>,
    ) -> Result<Response<wire::GetReceiptResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let told = |refusal| status(&refusal, Vec::new());
        let actor = self.0.identified(&arrived, None).await.map_err(told)?;
        let (entry, proof) = match self.receipt(&party(&actor), &arrived.message.exchange_id).await {
            Ok(found) => found,
            Err(refusal) => return Err(told(self.0.recorded(&arrived, refusal).await)),
        };
        Ok(Response::new(wire::GetReceiptResponse { proof, entry: entry.into() }))
    }
}

impl Exchange {
    /// The record of an exchange that the caller took part in, and its receipt.
    async fn receipt(&self, caller: &Party, exchange: &str) -> Result<(Vec<u8>, String), Refusal> {
        let exchange: ExchangeId = exchange.parse().map_err(|_| Reason::ExchangeIdInvalid)?;
        let criteria = Criteria { exchange: Some(exchange), kind: Some(Kind::Sent), ..Criteria::default() };
        let found = self.0.journal().search(&criteria, None, 1);
        let found = found.map_err(|error| self.0.unreadable(&error))?;
        let index = *found.first().ok_or(Reason::NotFound)?;
        let leaf = self.0.recorded_leaf(index)?;
        let Event::Sent(carried) = &leaf.event else { return Err(Reason::NotFound.into()) };
        let takes_part =
            carried.from.as_ref() == Some(caller) || carried.to.iter().any(|delivery| delivery.to == *caller);
        if !takes_part {
            return Err(Reason::NotFound.into());
        }
        self.0.proof(index).await
    }
}
