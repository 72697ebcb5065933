//! Who calls a service for operators: a certificate without OIN, and no one else.
//!
//! Owns: that anyone else is refused, with a record. What an operator may do, and its record, are `oversight`'s.

use std::sync::Arc;

use identity::Operator;
use tonic::{Request, Status};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::status::told;

impl Gateway {
    /// The operator who calls, and what they ask.
    pub(super) async fn operator<M>(&self, request: Request<M>) -> Result<(Arc<Operator>, M), Status> {
        let arrived = Arrived::accept(request, self.now(), self.random_bytes());
        match arrived.operator() {
            Ok(operator) => Ok((operator, arrived.message)),
            Err(refusal) => Err(told(self.recorded(&arrived, refusal).await)),
        }
    }
}
