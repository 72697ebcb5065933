//! `veldwacht serve`: the gateway, until it is told to stop.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use exchange::ask::Asks;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli;
use crate::config::Config;
use crate::failure::{Doing, Outcome};
use crate::gateway::{self, Ready};

/// Serves, or only says what is wrong with the configuration.
pub(crate) async fn run(serve: &cli::Serve, out: &mut impl Write) -> Outcome {
    let config = Config::read(&serve.config, std::env::vars())?;
    if serve.check {
        gateway::check(&config)?;
        return writeln!(out, "{}: everything is there", serve.config.display())
            .unreachable("standard output");
    }
    let ready = Ready::open(&config).await?;
    let address = ready.listener.local_addr().unreachable("the listener")?;
    writeln!(out, "listening on {address}").unreachable("standard output")?;
    out.flush().unreachable("standard output")?;
    let mut terminate = signal(SignalKind::terminate()).unreachable("signals")?;
    tokio::spawn(reload(serve.config.clone(), Arc::clone(&ready.asks)));
    ready
        .serve(async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        })
        .await
}

/// Reads the routes again at every SIGHUP. Calls under way go on; routes that cannot be used change nothing.
async fn reload(path: PathBuf, asks: Arc<Asks>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        let routes = Config::read(&path, std::env::vars()).and_then(|config| gateway::routes(&config));
        match routes {
            Ok(routes) => {
                asks.replace(routes);
                tracing::info!("the routes were read again");
            }
            Err(error) => tracing::error!(%error, "the routes cannot be used; the last good ones go on"),
        }
    }
}
