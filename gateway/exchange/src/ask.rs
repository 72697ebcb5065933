//! Asking: a source organisation's own gRPC service behind the gateway, filtered in both directions.
//!
//! Owns: which calls are asks, and their routes, swapped whole while calls go on. A call walks the same line as a
//! document, twice: `ask/call.rs` has its way from the first byte to the last, `ask/decide.rs` what each message may
//! carry, `ask/account.rs` its two records, `ask/upstream.rs` the way to the source. Here no type is known at compile
//! time: bytes are filtered by plan, and nothing of them is kept.

mod account;
mod call;
mod converse;
mod decide;
mod frames;
mod front;
mod health;
mod metadata;
mod reply;
mod route;
mod tls;
mod upstream;
mod voucher;

use std::sync::Arc;

use arc_swap::ArcSwap;

pub use route::{RouteConfig, RouteError, Routes, StatusPass, Streaming, Withheld};
pub use voucher::VoucherConfig;

pub(crate) use front::Front;
pub(crate) use metadata::TRANSACTION;

/// The routes in force.
#[derive(Default)]
pub struct Asks {
    routes: ArcSwap<Routes>,
}

impl Asks {
    /// Asks that are routed so. Must be called within a tokio runtime.
    pub fn new(routes: Routes) -> Arc<Asks> {
        let asks = Arc::new(Asks::default());
        asks.replace(routes);
        asks
    }

    /// Puts other routes in force. Calls under way end on the route that they began on.
    pub fn replace(&self, routes: Routes) {
        routes.watch();
        self.routes.store(Arc::new(routes));
    }

    pub(crate) fn routes(&self) -> Arc<Routes> {
        self.routes.load_full()
    }
}
