//! What the published log answers: checkpoint, receipts, consistency.
//!
//! Owns: waiting until a record that was asked for is published. Reads the very files that everyone else reads.

use std::time::Duration;

use ledger::{Checkpoint, FileFault, Nodes, Note, ProofError, Receipt, ReceiptError, prove_consistency};
use model::{Reason, Refusal};

use crate::gateway::Gateway;

/// How long a proof of a fresh record is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long cosignatures of a published record are waited for, and how often they are looked for. On a busy log the newest
/// checkpoint never has them yet; the one before mostly does.
const COSIGNED: (Duration, Duration) = (Duration::from_millis(1500), Duration::from_millis(20));

/// The newest checkpoint that a quorum of witnesses has cosigned; none as long as there is none. It is known where the
/// witnesses are asked, outside of this crate.
pub type Cosigned = Box<dyn Fn() -> Option<Note> + Send + Sync>;

impl Gateway {
    /// The newest checkpoint, signed; where a quorum is wanted, the newest that has one.
    pub(crate) fn checkpoint(&self) -> String {
        let cosigned = self.witnessed().and_then(|cosigned| cosigned());
        cosigned
            .map_or_else(|| self.publisher().published().borrow().note.to_string(), |note| note.to_string())
    }

    /// A record and its receipt, once it is published.
    pub(crate) async fn proof(&self, index: u64) -> Result<(Vec<u8>, String), Refusal> {
        if index >= self.journal().size() {
            return Err(Reason::NotFound.into());
        }
        let mut published = self.publisher().published();
        let is_in = published.wait_for(|published| published.checkpoint.size > index);
        let is_in = tokio::time::timeout(PATIENCE, is_in).await.is_ok_and(|published| published.is_ok());
        if !is_in {
            return Err(Reason::Busy.into());
        }
        let files = self.publisher().files();
        let receipt = match self.cosigned(index).await {
            Some(note) => Receipt::make_at(&files, note, index),
            None => Receipt::make(&files, index),
        };
        let receipt = receipt.map_err(|error| unprovable(&error))?;
        let entry = receipt.record.clone().unwrap_or_default();
        Ok((entry, receipt.to_string()))
    }

    /// A checkpoint with this record in it that a quorum has cosigned. None where no quorum is wanted, or none comes in time:
    /// then the newest is shown as it is, and whether that is enough is for its reader to say.
    async fn cosigned(&self, index: u64) -> Option<Note> {
        let cosigned = self.witnessed()?;
        let covers = |note: &Note| note.text().parse().is_ok_and(|found: Checkpoint| found.size > index);
        let (patience, every) = COSIGNED;
        let looking = async {
            loop {
                match cosigned().filter(covers) {
                    Some(note) => return note,
                    None => tokio::time::sleep(every).await,
                }
            }
        };
        tokio::time::timeout(patience, looking).await.ok()
    }

    /// The proof that the log of `new` records begins with the log of `old` records.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Result<Vec<Vec<u8>>, Refusal> {
        let size = self.publisher().published().borrow().checkpoint.size;
        if new > size || old > new {
            return Err(Reason::NotFound.into());
        }
        let files = self.publisher().files();
        let mut nodes = Nodes::new(&files, size);
        let proof = prove_consistency::<FileFault>(old, new, |level, at| nodes.node(level, at));
        let hashes = proof.map_err(|fault| unprovable(&ReceiptError::File(fault)))?;
        Ok(hashes.iter().map(|hash| hash.0.to_vec()).collect())
    }
}

fn unprovable(error: &ReceiptError) -> Refusal {
    if matches!(error, ReceiptError::Proof(ProofError::Shrunk { .. })) {
        return Reason::NotFound.into();
    }
    tracing::error!(%error, "the published log does not prove a record");
    Reason::LogUnavailable.into()
}
