//! What operators may do – officers, auditors, beheerders –, each act checked and recorded once, before it takes effect.
//!
//! Owns: who may do what (`rights`), the bundles in the data folder (`shelf`), the changes of policy on their way
//! (`changes`), looking into the log (`looks`), and what another lexicon would have done (`past`). gRPC services, command line and console are doors to these
//! functions and decide nothing. Never does: see a document on its way, or decide what passes; what runs is put in force
//! through [`InForce`], which the gateway implements.

mod in_force;
mod oversight;
mod rights;

mod changes;
mod shelf;
mod start;
mod steps;

mod held;
mod looks;
mod past;
mod study;

pub use changes::{Change, OpenError};
pub use held::{Held, HeldText, Released, State, is_releasable, release_of};
pub use in_force::{InForce, Reception};
pub use looks::Look;
pub use oversight::{Clock, Oversight, Setup};
pub use past::{PastPlace, PastTexts};
pub use rights::{AUDITOR, Act, BEHEERDER, OFFICER};
pub use shelf::{Shelf, ShelfError};
pub use start::{NoStart, start};
pub use steps::{Bundle, NotLoaded, lexicon, load, refusal_of};
pub use study::{Which, deliveries};
