//! Who calls a service for operators: a certificate without OIN, of someone who may do what the method does.
//!
//! Owns: that anyone else is refused, with a record, before the form of what they ask is looked at. What an operator may do,
//! and its record, are `oversight`'s.

use std::sync::Arc;

use identity::Operator;
use oversight::{Act, Oversight};
use tonic::{Request, Status};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::status::told;

impl Gateway {
    /// The operator who calls and may do this, and what they ask.
    pub(super) async fn operator<M>(
        &self,
        oversight: &Oversight,
        act: Act,
        request: Request<M>,
    ) -> Result<(Arc<Operator>, M), Status> {
        let arrived = Arrived::accept(request, self.now(), self.random_bytes());
        match arrived.operator() {
            Ok(operator) => {
                oversight.may(&operator, act).await.map_err(told)?;
                Ok((operator, arrived.message))
            }
            Err(refusal) => Err(told(self.recorded(&arrived, refusal).await)),
        }
    }
}
