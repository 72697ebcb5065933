//! `veldwacht.screening.v1`: what a text says that its readers may not have, before it is sent.
//!
//! Owns: the way in and out, and that a check leaves no trace: the text is neither kept nor recorded, for nothing
//! reaches anyone, and what someone wrote and thought better of is theirs. The answer comes from `line::check_text`.

use std::sync::Arc;

use proto::veldwacht::screening::v1 as wire;
use proto::veldwacht::screening::v1::screening_service_server::ScreeningService;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::party;
use crate::status::status;

/// The service on a gateway.
pub(crate) struct Screening(pub(crate) Arc<Gateway>);

#[tonic::async_trait]
impl ScreeningService for Screening {
    async fn check_text(
        &self,
        request: Request<wire::CheckTextRequest>,
    ) -> Result<Response<wire::CheckTextResponse>, Status> {
        let told = |refusal| status(&refusal, Vec::new());
        let arrived = Arrived::accept(request, self.0.now(), self.0.random_bytes());
        let actor = self.0.identified(&arrived, None).await.map_err(told)?;
        match self.0.check_text(&party(&actor), actor.purpose(), &arrived.message) {
            Ok(answer) => Ok(Response::new(answer)),
            Err(refusal) => Err(told(self.0.recorded(&arrived, refusal).await)),
        }
    }
}
