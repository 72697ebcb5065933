//! `veldwacht log witness`: cosigning other organisations' logs, until it is told to stop.
//!
//! Owns: the witness's key and name, made at the first start, and which logs it watches. What it answers and remembers is
//! `tlog`'s.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ledger::{KeyName, VerifierKey};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde_json::json;
use tlog::{Limits, Transport, WitnessSite};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::cli;
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::{now, secret};
use crate::public_log::server_of;

const KEY: &str = "witness.key";
const NAME: &str = "witness.name";

/// Serves as a witness.
pub(crate) async fn run(witness: &cli::Witness, out: &mut impl Write) -> Outcome {
    let state = &witness.state;
    std::fs::create_dir_all(state).unreachable(state.display())?;
    let name = name(state, witness.name.as_ref())?;
    let logs = logs(state, &witness.logs)?;
    let site =
        WitnessSite::open(state, name, &key(state)?, logs, Box::new(now)).unreachable(state.display())?;
    let vkey = state.join("witness.vkey");
    std::fs::write(&vkey, format!("{}\n", site.verifier())).unreachable(vkey.display())?;
    let transport = match (&witness.certificate, &witness.tls_key) {
        (Some(certificate), Some(key)) => {
            Transport::Tls(Arc::new(ArcSwap::from_pointee(server_of(certificate, key)?)))
        }
        _ if witness.listen.ip().is_loopback() => Transport::Plain,
        _ => {
            let why = "give --certificate and --tls-key; without them it listens on a loopback address only";
            return Err(Failure::Use(why.into()));
        }
    };
    let scheme = if matches!(transport, Transport::Plain) { "http" } else { "https" };
    let listener = TcpListener::bind(witness.listen).await.unreachable(witness.listen)?;
    let address = listener.local_addr().unreachable("the listener")?;
    let text = if witness.json {
        json!({ "listening": address.to_string(), "witness": site.verifier().to_string() }).to_string()
    } else {
        format!("witness {}, listening on {scheme}://{address}", site.verifier())
    };
    writeln!(out, "{text}").unreachable("standard output")?;
    out.flush().unreachable("standard output")?;
    let mut terminate = signal(SignalKind::terminate()).unreachable("signals")?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    tlog::serve(listener, transport, Arc::new(site), Limits::default(), stop).await;
    Ok(())
}

/// The name, which never changes: it is in every cosignature.
fn name(state: &Path, given: Option<&KeyName>) -> Outcome<KeyName> {
    let path = state.join(NAME);
    match (std::fs::read_to_string(&path), given) {
        (Ok(kept), given) => {
            let kept: KeyName = kept.trim().parse().wrong(path.display())?;
            if given.is_some_and(|given| *given != kept) {
                let why = format!(
                    "this witness is called {kept}; another name is another witness, in another folder"
                );
                return Err(Failure::Use(why));
            }
            Ok(kept)
        }
        (Err(_), Some(given)) => {
            std::fs::write(&path, format!("{given}\n")).unreachable(path.display())?;
            Ok(given.clone())
        }
        (Err(_), None) => {
            let given: KeyName = "witness.invalid".parse().wrong("--name")?;
            tracing::warn!("without --name this witness is called {given}: fit for a trial only");
            Ok(given)
        }
    }
}

/// The key, PKCS #8; made when there is none and nothing was ever cosigned.
fn key(state: &Path) -> Outcome<Zeroizing<Vec<u8>>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = state.join(KEY);
    if !path.exists() {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unreachable("random bytes")?;
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(made.as_ref()).and_then(|()| file.sync_all()))
            .unreachable(path.display())?;
    }
    secret(&path)
}

fn logs(state: &Path, given: &[String]) -> Outcome<Vec<VerifierKey>> {
    let kept = std::fs::read_to_string(state.join("logs")).unwrap_or_default();
    let mut texts: Vec<String> = kept.lines().map(str::to_owned).collect();
    for log in given {
        let path = Path::new(log);
        let text = if path.is_file() { std::fs::read_to_string(path).wrong(log)? } else { log.clone() };
        texts.push(text);
    }
    let texts =
        texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty() && !text.starts_with('#'));
    let logs = texts.map(str::parse).collect::<Result<Vec<VerifierKey>, _>>().wrong("--log")?;
    if logs.is_empty() {
        return Err(Failure::Use("name at least one log to watch: --log VKEY".into()));
    }
    Ok(logs)
}
