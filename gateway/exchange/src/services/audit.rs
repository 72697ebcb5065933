//! `veldwacht.audit.v1`: the log, for those who check it without its files.
//!
//! Owns: reading what is published, and recording who read which entry. The public records hold no person; still it
//! is known who looked.

use std::sync::Arc;

use proto::veldwacht::audit::v1 as wire;
use proto::veldwacht::audit::v1::audit_service_server::AuditService;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::status::told;

/// The service on a gateway.
pub(crate) struct Audit(pub(crate) Arc<Gateway>);

#[tonic::async_trait]
impl AuditService for Audit {
    async fn get_checkpoint(
        &self,
        request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        self.0.identified(&arrived, None).await.map_err(told)?;
        Ok(Response::new(wire::GetCheckpointResponse { checkpoint: self.0.checkpoint() }))
    }

    async fn get_entry(
        &self,
        request: Request<wire::GetEntryRequest>,
    ) -> Result<Response<wire::GetEntryResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let actor = self.0.identified(&arrived, None).await.map_err(told)?;
        let (entry, proof) = match self.0.proof(arrived.message.index).await {
            Ok(found) => found,
            Err(refusal) => return Err(told(self.0.recorded(&arrived, refusal).await)),
        };
        self.0.record_access(&arrived, &actor, "entry", 1).await.map_err(told)?;
        Ok(Response::new(wire::GetEntryResponse { entry, proof }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<wire::GetConsistencyProofRequest>,
    ) -> Result<Response<wire::GetConsistencyProofResponse>, Status> {
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        self.0.identified(&arrived, None).await.map_err(told)?;
        let wire::GetConsistencyProofRequest { old_size, new_size } = arrived.message;
        let hashes = match self.0.consistency(old_size, new_size) {
            Ok(hashes) => hashes,
            Err(refusal) => return Err(told(self.0.recorded(&arrived, refusal).await)),
        };
        Ok(Response::new(wire::GetConsistencyProofResponse { hashes }))
    }
}
