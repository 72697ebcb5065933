//! `veldwacht serve`: the gateway, until it is told to stop.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use exchange::ask::{Asks, RouteConfig};
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
    if let Some(operators) = &ready.operators {
        let address = operators.listener.local_addr().unreachable("the console's listener")?;
        writeln!(out, "console on https://{address}").unreachable("standard output")?;
    }
    out.flush().unreachable("standard output")?;
    let mut terminate = signal(SignalKind::terminate()).unreachable("signals")?;
    tokio::spawn(reload(serve.config.clone(), Arc::clone(&ready.asks), Seen::of(&config)));
    ready
        .serve(async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        })
        .await
}

/// How often the configuration, and the files that routes name, are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What routes are made of: the configuration's own words, and when each file was last written.
#[derive(PartialEq)]
struct Seen {
    routes: Vec<RouteConfig>,
    written: Vec<Option<SystemTime>>,
}

impl Seen {
    fn of(config: &Config) -> Seen {
        let files = config.routes.iter().flat_map(|route| {
            let assertion = route.assertion.as_ref().map(|assertion| &assertion.key);
            [&route.authorities, &route.certificate, &route.key].into_iter().chain(assertion)
        });
        let written = files.map(|file| file.metadata().and_then(|data| data.modified()).ok());
        Seen { written: written.collect(), routes: config.routes.clone() }
    }
}

/// Takes other routes into use when their files change, and at every SIGHUP. Calls under way go on; routes that cannot be
/// used change nothing.
async fn reload(path: PathBuf, asks: Arc<Asks>, mut seen: Seen) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut told = None;
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            _ = look.tick() => false,
        };
        let routes = Config::read(&path, std::env::vars()).and_then(|config| {
            let now = Seen::of(&config);
            if !asked && now == seen {
                return Ok(None);
            }
            let routes = gateway::routes(&config)?;
            seen = now;
            Ok(Some(routes))
        });
        match routes {
            Ok(None) => told = None,
            Ok(Some(routes)) => {
                asks.replace(routes);
                tracing::info!("the routes were read again");
            }
            Err(error) => {
                let why = error.to_string();
                if told.as_ref() != Some(&why) {
                    tracing::error!(%error, "the routes cannot be used; the last good ones go on");
                }
                told = Some(why);
            }
        }
    }
}
