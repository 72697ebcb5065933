//! What oversight needs of the gateway, and no more: the rules in force, and who is at the door.
//!
//! Owns: the two traits. `exchange` implements them, so that oversight never depends on it.

use std::sync::Arc;

use identity::Operator;
use ledger::{DeliveryId, Party};
use model::{Refusal, Timestamp};
use policy::Proven;
use screening::Screener;

/// The rules in force: swapped whole, while calls in flight finish on those they started with.
pub trait InForce: Send + Sync {
    /// The bundle that decides now.
    fn proven(&self) -> Arc<Proven>;
    /// Its screener.
    fn screener(&self) -> Arc<Screener>;
    /// Puts another bundle in force for every call from now on. Cannot fail: everything that could was done before.
    fn put_in_force(&self, proven: Arc<Proven>, screener: Arc<Screener>);
    /// Two officers released a delivery, and its record is durable: a receiver who follows looks at it again.
    fn released(&self, to: &Party, delivery: DeliveryId);
}

/// Who knows the authorities, revocation lists and the registry of this moment.
pub trait Reception: Send + Sync {
    /// The operator who showed these certificates (DER, leaf first), if they still stand at this moment.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong.
    fn operator(&self, presented: &[&[u8]], now: Timestamp) -> Result<Operator, Refusal>;
}
