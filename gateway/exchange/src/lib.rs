//! TLS, gRPC services, and the line that every message walks.
//!
//! Owns: the way of a message from the door to its receiver, in `line`. In reading order: the line, what its steps
//! share, the services that speak gRPC, the door. Generated types stay in `services` and at the line's two ends.

mod deadline;
mod gateway;
mod gathered;
mod line;
mod proofs;
mod rules;
mod shadow;

mod reflection;
mod services;
mod status;
mod streams;

pub mod ask;

pub mod door;
mod serve;

pub use gateway::{Gateway, Limits};
pub use gathered::{Driven, Driver, Gathered, gathered};
pub use proofs::Cosigned;
pub use rules::Rules;
pub use serve::serve;
pub use shadow::{Difference, Shadow};
