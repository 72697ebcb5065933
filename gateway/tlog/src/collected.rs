//! Cosignatures as they come in: beside which checkpoint, and which one to show.
//!
//! Owns: the last checkpoints that were published, with what witnesses said of each. A log grows faster than its
//! witnesses answer, so the newest checkpoint is mostly not cosigned yet: shown is the newest one with a quorum. When
//! no quorum comes for a while the newest is shown as it is, and readers with a trust file refuse it: that is theirs to
//! decide, and it is told here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ledger::{KeyName, Note, Signature};

use crate::standing::{Standing, Standings};

/// So many checkpoints wait for answers.
const KEPT: usize = 32;

/// So long a checkpoint with a quorum is shown while newer ones get none.
const STALE: Duration = Duration::from_secs(30);

struct Kept {
    note: Note,
    witnesses: BTreeSet<(KeyName, [u8; 4])>,
}

struct Inner {
    kept: Vec<Kept>,
    /// The newest with a quorum, and when it got it.
    agreed: Option<(Note, Instant)>,
    told: bool,
}

/// What witnesses said of the last checkpoints.
pub struct Collected {
    quorum: usize,
    inner: Mutex<Inner>,
    pub(crate) standings: Standings,
}

impl Collected {
    /// Wants so many witnesses beside each checkpoint; 0 for none.
    pub fn new(quorum: usize) -> Collected {
        let inner = Mutex::new(Inner { kept: Vec::new(), agreed: None, told: false });
        Collected { quorum, inner, standings: Standings::default() }
    }

    /// How many witnesses have to cosign a checkpoint.
    pub fn quorum(&self) -> usize {
        self.quorum
    }

    /// How each witness does that is asked.
    pub fn standings(&self) -> Vec<Standing> {
        self.standings.all()
    }

    /// Takes note of a checkpoint that was published.
    pub fn publish(&self, note: &Note) {
        let mut inner = self.lock();
        if inner.kept.iter().all(|kept| kept.note.text() != note.text()) {
            inner.kept.push(Kept { note: note.clone(), witnesses: BTreeSet::new() });
            let extra = inner.kept.len().saturating_sub(KEPT);
            inner.kept.drain(..extra);
        }
    }

    /// Adds cosignatures, verified, of a checkpoint with this text. True when it has a quorum by now.
    pub fn add(&self, text: &str, cosignatures: &[Signature]) -> bool {
        let (quorum, mut inner) = (self.quorum, self.lock());
        let Some(at) = inner.kept.iter().position(|kept| kept.note.text() == text) else { return false };
        let Some(kept) = inner.kept.get_mut(at) else { return false };
        for line in cosignatures {
            kept.note.signatures.retain(|known| known.name != line.name || known.id != line.id);
            kept.note.signatures.push(line.clone());
            kept.witnesses.insert((line.name.clone(), line.id));
        }
        let agreed = kept.witnesses.len() >= quorum;
        if agreed {
            let note = kept.note.clone();
            inner.kept.drain(..at); // older ones are of no use any more
            inner.agreed = Some((note, Instant::now()));
            if std::mem::take(&mut inner.told) {
                tracing::info!("a quorum of witnesses cosigns again");
            }
        }
        agreed
    }

    /// The checkpoint to show; none when the published file is as good.
    pub fn note(&self) -> Option<Note> {
        let mut inner = self.lock();
        if self.quorum == 0 {
            return None;
        }
        match &inner.agreed {
            Some((note, since)) if since.elapsed() < STALE || inner.kept.len() <= 1 => Some(note.clone()),
            agreed => {
                if agreed.is_some() && !std::mem::replace(&mut inner.told, true) {
                    tracing::error!(
                        quorum = self.quorum,
                        "no quorum of witnesses has cosigned for half a minute: the checkpoint is shown without"
                    );
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
