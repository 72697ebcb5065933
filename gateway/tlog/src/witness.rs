//! Being a witness (C2SP tlog-witness): `POST /add-checkpoint` for the logs that it watches.
//!
//! Owns: the order of an answer. The rule is `ledger::witness::consider`; what was seen is remembered in `state`, durably
//! and only if nothing else was remembered meanwhile; then it cosigns. A crash before remembering costs the log one
//! more request; there is no moment at which a cosignature is out and not remembered.

mod state;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use ledger::witness::{Answer, Seen, consider};
use ledger::{Algorithm, KeyName, NoteSigner, VerifierKey};
use model::Timestamp;
use ring::signature::Ed25519KeyPair;

use crate::site::{Site, set, text};
use state::State;

/// What time it is.
type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Why there is no witness, or no answer from it.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// What it remembers cannot be read or written.
    #[error("what this witness has seen cannot be read or written: {0}")]
    Disk(#[from] std::io::Error),
    /// What it remembers is not what it wrote.
    #[error(
        "`{file}` is not what this witness wrote: without it a log could show it another history; restore it"
    )]
    Damaged {
        /// Which file.
        file: String,
    },
    /// The key.
    #[error("the witness's key is not an Ed25519 key in PKCS #8")]
    Key,
}

/// A witness.
pub struct WitnessSite {
    name: KeyName,
    pair: Ed25519KeyPair,
    logs: Vec<VerifierKey>,
    /// One decision at a time: what is compared must be what is swapped.
    state: Mutex<State>,
    clock: Clock,
}

impl WitnessSite {
    /// A witness with this name and key (PKCS #8), for these logs, that remembers in `folder`.
    ///
    /// # Errors
    /// [`WitnessError`]; a witness does not start when it cannot know what it has seen.
    pub fn open(
        folder: &Path,
        name: KeyName,
        pkcs8: &[u8],
        logs: Vec<VerifierKey>,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Result<WitnessSite, WitnessError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| WitnessError::Key)?;
        let state = Mutex::new(State::open(folder)?);
        Ok(WitnessSite { name, pair, logs, state, clock })
    }

    /// What others check its cosignatures with.
    pub fn verifier(&self) -> VerifierKey {
        NoteSigner::new(&self.name, &self.pair).verifier(Algorithm::CosignatureV1)
    }

    /// What it has seen of a log.
    pub fn seen(&self, origin: &KeyName) -> Option<Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).seen(origin)
    }

    fn add_checkpoint(&self, body: &[u8]) -> Result<Answer, WitnessError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = match consider(body, &self.logs, |origin| state.seen(origin)) {
            Ok(grown) => grown,
            Err(Answer::Inconsistent) => {
                let kept = state.keep_evidence(body)?;
                tracing::error!(
                    evidence = kept,
                    "a log signed what is not consistent with what was cosigned before"
                );
                return Ok(Answer::Inconsistent);
            }
            Err(no) => return Ok(no),
        };
        state.remember(grown.origin(), grown.after())?;
        let signer = NoteSigner::new(&self.name, &self.pair);
        Ok(grown.cosign(&signer, (self.clock)()))
    }
}

impl Site for WitnessSite {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.uri().path() != "/add-checkpoint" {
            return text(StatusCode::NOT_FOUND, "a witness has `POST /add-checkpoint` and nothing else");
        }
        if request.method() != Method::POST {
            return text(StatusCode::METHOD_NOT_ALLOWED, "a checkpoint is posted");
        }
        match self.add_checkpoint(request.body()) {
            Ok(answer) => {
                let mut response = Response::new(answer.body().into());
                *response.status_mut() = StatusCode::from_u16(answer.status()).unwrap_or_default();
                set(&mut response, answer.content_type(), "no-store");
                response
            }
            Err(error) => {
                tracing::error!(%error, "nothing was cosigned");
                text(StatusCode::INTERNAL_SERVER_ERROR, "this witness cannot remember, so it does not cosign")
            }
        }
    }
}
