//! The data folder of a gateway that is stopped, opened with its keys: what `log …` and `erase` read and write.
//!
//! Owns: opening it as the gateway would, and recording who did what there before anything is shown. The journal's own
//! lock keeps this off a gateway that runs. What is recorded here is published before the command ends.

use std::path::Path;
use std::sync::Arc;

use identity::Registry;
use journal::{Commit, Journal, Options, Publisher};
use ledger::{Access, BundleRef, Event, Leaf, Party, SealedPart, Version};
use model::{Bsn, ClientPseudonym, ExchangeId, Oin};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::assert;
use crate::cli::Keys;
use crate::config::Config;
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::{log_key, now, secret};

/// In which role the organisation that runs the gateway reads in it, unless told otherwise.
const OPERATOR: &str = "beheerder";

/// An open data folder, and who opened it.
pub(crate) struct Vault {
    pub(crate) journal: Arc<Journal>,
    pub(crate) config: Config,
    pub(crate) by: Party,
    user: Option<String>,
    /// The bundle of the last record: it still decides, for all that the log knows.
    bundle: BundleRef,
}

impl Vault {
    /// Opens what a configuration names. Fails while its gateway runs.
    pub(crate) fn open(keys: &Keys) -> Outcome<Vault> {
        let config = Config::read(&keys.config, std::env::vars())?;
        let by = match &keys.by {
            Some((oin, role)) => Party { oin: *oin, role: role.clone() },
            None => Party { oin: oin_of(&config.tls.certificate)?, role: OPERATOR.parse().wrong("--by")? },
        };
        if !config.data.join("journal").is_dir() {
            return Err(Failure::Use(format!("{}: there is no journal here", config.data.display())));
        }
        let options = Options::new(&config.data, secret(&config.secrets.master)?.to_vec());
        let journal = Journal::open(options).map_err(|error| {
            let data = config.data.display();
            Failure::Reach(format!("{data}: {error}; a gateway that runs has to be stopped first"))
        })?;
        let bundle = match journal.size().checked_sub(1) {
            Some(last) => journal.open_record(last).unreachable("the journal")?.leaf.bundle,
            None => return Err(Failure::Use(format!("{}: the journal is empty", config.data.display()))),
        };
        Ok(Vault { journal: Arc::new(journal), config, by, user: keys.user.clone(), bundle })
    }

    /// How the journal knows a client.
    pub(crate) fn client(&self, bsn: &str) -> Outcome<ClientPseudonym> {
        Ok(self.journal.pseudonym(&bsn.parse::<Bsn>().wrong("--client")?))
    }

    /// A record of an act of today.
    pub(crate) fn leaf(&self, event: Event) -> Outcome<Leaf> {
        let mut random = [0; 10];
        getrandom::fill(&mut random).unreachable("random bytes")?;
        let (v, time) = (Version::default(), now());
        let exchange = ExchangeId::new(time, random);
        Ok(Leaf { v, time, exchange, trace: None, bundle: self.bundle, activity: None, client: None, event })
    }

    /// The organisations by name.
    pub(crate) fn registry(&self) -> Outcome<Registry> {
        let path = &self.config.tls.registry;
        let text = std::fs::read_to_string(path).wrong(path.display())?;
        let beside = path.parent().unwrap_or(Path::new("."));
        Registry::parse_with(&text, &mut |name| std::fs::read_to_string(beside.join(name)).ok())
            .wrong(path.display())
    }

    /// The sealed part of such a record: the user.
    pub(crate) fn sealed(&self) -> SealedPart {
        let mut sealed = SealedPart::default();
        sealed.user = self.user.clone();
        sealed
    }

    /// Records that someone reads here, about a client if it is one's; before anything is shown.
    pub(crate) async fn note(&self, what: &str, records: u64, client: Option<ClientPseudonym>) -> Outcome {
        let what = what.parse().wrong(what)?;
        let leaf = self.leaf(Event::Access(Access { by: self.by.clone(), what, records }))?;
        let commit = Commit { client, sealed: self.sealed(), ..Commit::of(leaf) };
        self.journal.commit(commit).await.map(|_| ()).unreachable("the log")
    }

    /// Publishes what was recorded, and closes.
    pub(crate) fn close(self) -> Outcome {
        let key = log_key(&self.config)?;
        Publisher::open(self.journal, key, &[]).map(|_| ()).unreachable("the log")
    }
}

/// The organisation of a certificate in a file.
pub(crate) fn oin_of(path: &Path) -> Outcome<Oin> {
    let certificate = CertificateDer::from_pem_file(path).wrong(path.display())?;
    assert::oin_of(&certificate)
}
