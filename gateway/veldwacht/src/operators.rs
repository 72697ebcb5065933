//! The operators' console, wired: its listener beside the gateway's, on the same certificate, log and oversight.

use std::sync::Arc;
use std::time::Duration;

use console::{Console, Setup, Shadowed, Watched, Witness};
use exchange::Gateway;
use exchange::door::Guard;
use ledger::Producer;
use oversight::Oversight;
use tlog::Collected;
use tokio::net::TcpListener;

use crate::commands::vault::oin_of;
use crate::config::Config;
use crate::failure::{Doing, Outcome};

/// A console that is ready to serve.
pub(crate) struct Operators {
    pub(crate) console: Arc<Console>,
    pub(crate) listener: TcpListener,
}

impl Operators {
    /// Binds the listener of the configuration; none when it has no console.
    pub(crate) async fn open(
        config: &Config,
        gateway: &Arc<Gateway>,
        oversight: &Arc<Oversight>,
        collected: Arc<Collected>,
    ) -> Outcome<Option<Operators>> {
        let Some(wanted) = &config.console else { return Ok(None) };
        let listener = TcpListener::bind(wanted.listen).await.unreachable(wanted.listen)?;
        let publisher = gateway.publisher();
        let console = Console::new(Setup {
            oversight: Arc::clone(oversight),
            log: publisher.files(),
            published: publisher.published(),
            verifier: publisher.verifier(),
            producer: Producer {
                oin: oin_of(&config.tls.certificate)?,
                name: config.log.origin.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                activity: format!("https://{}/verwerkingsactiviteit", config.log.origin),
            },
            witnesses: witnesses(collected),
            shadow: shadow(Arc::clone(gateway)),
            idle: Duration::from_secs(60 * u64::from(wanted.idle_minutes)),
        });
        Ok(Some(Operators { console, listener }))
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve(self, guard: Arc<Guard>) {
        let tls = Arc::new(move || guard.operators_tls());
        console::serve(self.console, self.listener, tls, std::future::pending()).await;
    }
}

/// How the witnesses do, for a page.
fn witnesses(collected: Arc<Collected>) -> Watched {
    Arc::new(move || {
        let standings = collected.standings().into_iter();
        let witness = |one: tlog::Standing| Witness {
            name: one.name.to_string(),
            cosigned: one.cosigned,
            trouble: one.trouble,
        };
        (collected.quorum(), standings.map(witness).collect())
    })
}

/// What the draft in the shadow would have done otherwise, for a page.
fn shadow(gateway: Arc<Gateway>) -> console::Shadow {
    Arc::new(move || {
        let shadow = gateway.shadow()?;
        let (decisions, differences) = shadow.told();
        let differences = differences.into_iter().map(|(found, count)| (found.place, found.what, count));
        Some(Shadowed { number: shadow.number(), decisions, differences: differences.collect() })
    })
}
