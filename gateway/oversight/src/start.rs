//! Which bundle a gateway starts on.
//!
//! Owns: that the log decides it. The bundle of the configuration is the first one, of a gateway that never had another;
//! from then on a bundle comes in by a change only. Whatever moment a crash chose between the record of an activation and
//! the swap, this reads the record and takes that bundle.

use journal::{Commit, Journal, ReadError};
use ledger::{Act, BundleChange, Digest, Event, Leaf, Version};
use model::{ExchangeId, Timestamp};
use policy::{Files, Trust, digest_of_all};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::oversight::bundle_ref;
use crate::shelf::{Shelf, ShelfError, last_activated};
use crate::steps::{Bundle, NotLoaded, load};

/// Why a gateway has no bundle to start on. It never starts on an older one instead.
#[derive(Debug, thiserror::Error)]
pub enum NoStart {
    /// The log cannot be read or written.
    #[error("the log does not say which bundle decides: {0}")]
    Log(#[from] ReadError),
    /// The first bundle could not be recorded.
    #[error("the first bundle cannot be recorded: {0}")]
    Unrecorded(String),
    /// The data folder.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// It is not on the shelf.
    #[error(
        "the log says that bundle {number} ({digest}) decides, and it is not there; restore `bundles` from a backup"
    )]
    Missing {
        /// Its number.
        number: u64,
        /// Its digest.
        digest: Digest,
    },
    /// It does not load any more.
    #[error("bundle {number} does not load: {why}")]
    NotLoaded {
        /// Its number, 0 for the first one.
        number: u64,
        /// Why.
        why: NotLoaded,
    },
}

/// The bundle to start on, loaded. `configured`: the bundle that the configuration names, for the first start.
///
/// # Errors
/// [`NoStart`], in words.
pub async fn start(
    journal: &Journal,
    shelf: &Shelf,
    trust: &Trust,
    configured: Files,
    now: Timestamp,
) -> Result<Bundle, NoStart> {
    let Some(about) = last_activated(journal)? else {
        return first(journal, shelf, trust, configured, now).await;
    };
    let digest = policy::Digest(about.digest.0);
    let is_configured = digest_of_all(&configured) == digest;
    let files = match shelf.get(digest)? {
        Some(files) => files,
        None if is_configured => configured,
        None => return Err(NoStart::Missing { number: about.number, digest: about.digest }),
    };
    let bundle = load(&files, trust).map_err(|why| NoStart::NotLoaded { number: about.number, why })?;
    tracing::info!(number = about.number, digest = %digest, "starting on the bundle that was activated last");
    if !is_configured {
        tracing::warn!(
            "the bundle of the configuration is another one; it changes nothing until it is proposed and activated"
        );
    }
    Ok(bundle)
}

async fn first(
    journal: &Journal,
    shelf: &Shelf,
    trust: &Trust,
    files: Files,
    now: Timestamp,
) -> Result<Bundle, NoStart> {
    let bundle = load(&files, trust).map_err(|why| NoStart::NotLoaded { number: 0, why })?;
    shelf.put(&files)?;
    let about = bundle_ref(&bundle.proven);
    let mut random = [0; 10];
    let unrecorded = |error: &dyn std::fmt::Display| NoStart::Unrecorded(error.to_string());
    SystemRandom::new().fill(&mut random).map_err(|error| unrecorded(&error))?;
    let leaf = Leaf {
        v: Version::default(),
        time: now,
        exchange: ExchangeId::new(now, random),
        trace: None,
        bundle: about,
        activity: None,
        client: None,
        event: Event::Bundle(BundleChange::new(Act::Activated, about)),
    };
    journal.commit(Commit::of(leaf)).await.map(drop).map_err(|error| unrecorded(&error))?;
    tracing::info!(
        number = about.number,
        "starting on the bundle of the configuration: there was none before"
    );
    Ok(bundle)
}

#[cfg(test)]
mod tests;
