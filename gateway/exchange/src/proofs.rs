//! What the published log answers: checkpoint, receipts, consistency.
//!
//! Owns: waiting until a record that was asked for is published. Reads the very files that everyone else reads.

use std::time::Duration;

use ledger::{FileFault, Nodes, ProofError, Receipt, ReceiptError, prove_consistency};
use model::{Reason, Refusal};

use crate::gateway::Gateway;

/// How long a proof of a fresh record is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Gateway {
    /// The newest checkpoint, signed.
    pub(crate) fn checkpoint(&self) -> String {
        self.publisher().published().borrow().note.to_string()
    }

    /// A record and its receipt, once it is published.
    pub(crate) async fn proof(&self, index: u64) -> Result<(Vec<u8>, String), Refusal> {
        if index >= self.journal().size() {
            return Err(Reason::NotFound.into());
        }
        let mut published = self.publisher().published();
        let is_in = published.wait_for(|published| published.checkpoint.size > index);
        let waited = tokio::time::timeout(PATIENCE, is_in).await;
        if !matches!(waited, Ok(Ok(_))) {
            return Err(Reason::Busy.into());
        }
        let receipt = Receipt::make(&self.publisher().files(), index).map_err(|error| unprovable(&error))?;
        let entry = receipt.record.clone().unwrap_or_default();
        Ok((entry, receipt.to_string()))
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
