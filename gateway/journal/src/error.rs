//! What can go wrong, by whose fault it is. Nothing here holds a value of a document or a client.

use std::io;

use model::Reason;

/// A place on disk that is not what it should be. Says where, so that an operator can restore it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}` {what} (at byte {offset}{}): restore it from a backup, the gateway does not start without it",
    index.map(|index| format!(", record {index}")).unwrap_or_default())]
pub struct Damage {
    /// The file, relative to the data folder.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// Which record, when that is known.
    pub index: Option<u64>,
    /// What is wrong there.
    pub what: &'static str,
}

impl Damage {
    pub(crate) fn unread(file: &str, error: &io::Error) -> Damage {
        tracing::error!(file, %error, "a file of the journal cannot be read");
        Damage { file: file.to_owned(), offset: 0, index: None, what: "cannot be read" }
    }

    pub(crate) fn whole(file: &str, what: &'static str) -> Damage {
        Damage { file: file.to_owned(), offset: 0, index: None, what }
    }
}

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something that had been durable is not there any more, or is not whole.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The published log, or a witness, has seen more than this journal holds, or something else.
    #[error(
        "{what}: this journal is an older or another copy; restore the newest one, never publish from this"
    )]
    Stale {
        /// What contradicts the journal.
        what: String,
    },
    /// The master secret is not the one with which the keys were wrapped.
    #[error("the key ring cannot be opened with this master secret; give the file it was made with")]
    WrongMasterSecret,
    /// The disk said no.
    #[error("the data folder cannot be read or written: {0}")]
    Disk(#[from] io::Error),
    /// The views could not be opened, nor made again.
    #[error("the views cannot be opened, nor made again: {0}")]
    Views(String),
}

/// Why a commit was not recorded. Nothing of it will be found later, except after [`CommitError::Unavailable`]:
/// then it may or may not be there, and the same exchange id finds out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The queue is full.
    #[error("the journal is busy: try again shortly")]
    Busy,
    /// The log cannot be written; the outcome of this commit is not known.
    #[error("the journal cannot be written, so nothing passes: its operator must look at the disk")]
    Unavailable,
    /// There is no room for a next segment; nothing was written, and it works again when there is room.
    #[error("the disk is full: nothing is recorded until there is room")]
    DiskFull,
    /// The exchange id stands for another request already.
    #[error("this exchange id was used for another request: make a new one")]
    ExchangeIdReused,
    /// A delivery that is to be acknowledged or expired does not wait (any more).
    #[error("this delivery does not wait here: it was acknowledged before, expired, or is not yours")]
    NotWaiting,
    /// More than one frame can hold.
    #[error("the commit is too large: send smaller documents, or to fewer receivers at once")]
    TooLarge,
    /// The commit contradicts itself, such as a delivery without its receiver in the record.
    #[error("the commit is not consistent: {0}")]
    Inconsistent(&'static str),
}

impl CommitError {
    /// The reason as callers of the gateway get it.
    pub fn reason(&self) -> Reason {
        match self {
            CommitError::Busy => Reason::Busy,
            CommitError::ExchangeIdReused => Reason::ExchangeIdReused,
            CommitError::NotWaiting => Reason::NotFound,
            CommitError::TooLarge => Reason::DocumentTooLarge,
            CommitError::Unavailable | CommitError::DiskFull | CommitError::Inconsistent(_) => {
                Reason::LogUnavailable
            }
        }
    }
}

/// Why something that was recorded cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there, for this party.
    #[error("there is no such record or delivery")]
    NotFound,
    /// The client was erased: the key is gone.
    #[error("the client was erased; nothing is left to open")]
    Erased,
    /// It is there, but not whole.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk or the views said no.
    #[error("the journal cannot be read: {0}")]
    Disk(#[from] io::Error),
}

impl From<sled::Error> for ReadError {
    fn from(error: sled::Error) -> ReadError {
        ReadError::Disk(io::Error::other(error))
    }
}
