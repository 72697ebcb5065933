//! `veldwacht.exchange.v1`: send, collect, receipts.
//!
//! Owns: nothing but the way in and out. `Send` walks the line; `Collect` hands its stream to `collect`.

use std::sync::Arc;

use journal::Criteria;
use ledger::{Event, Kind};
use model::{ExchangeId, Reason};
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::exchange_service_server::ExchangeService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

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
        match self.0.send(arrived).await {
            Ok(answer) => Ok(Response::new(answer)),
            Err(Refused { refusal, answer }) => Err(status(&refusal, answer.iter().map(detail).collect())),
        }
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
        let refuse = |reason: Reason| status(&reason.into(), Vec::new());
        let actor =
            self.0.identified(&arrived, None).await.map_err(|refusal| status(&refusal, Vec::new()))?;
        let exchange: ExchangeId =
            arrived.message.exchange_id.parse().map_err(|_| refuse(Reason::ExchangeIdInvalid))?;
        let criteria = Criteria { exchange: Some(exchange), kind: Some(Kind::Sent), ..Criteria::default() };
        let found = self.0.journal().search(&criteria, None, 1);
        let found = found.map_err(|error| status(&self.0.unreadable(&error), Vec::new()))?;
        let index = *found.first().ok_or_else(|| refuse(Reason::NotFound))?;
        let leaf = self.0.recorded_leaf(index).map_err(|refusal| status(&refusal, Vec::new()))?;
        let Event::Sent(carried) = &leaf.event else { return Err(refuse(Reason::NotFound)) };
        let caller = party(&actor);
        let takes_part =
            carried.from.as_ref() == Some(&caller) || carried.to.iter().any(|delivery| delivery.to == caller);
        if !takes_part {
            return Err(refuse(Reason::NotFound));
        }
        let (entry, proof) = self.0.proof(index).await.map_err(|refusal| status(&refusal, Vec::new()))?;
        Ok(Response::new(wire::GetReceiptResponse { proof, entry: entry.into() }))
    }
}
