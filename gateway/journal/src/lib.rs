//! The durable log on disk: segments, sealed payloads, key ring, views, and what is published of it.
//!
//! Owns: the data folder. One frame holds a record with everything that became true with it; whoever commits is
//! answered when it is flushed, and has a [`Recorded`] to show for it. Everything else here can be made again
//! from the frames and the key ring: the views in sled, the tiles in `log/`. Never does: decide. What may be sent,
//! collected, erased or shown is asked of `policy` and `exchange` first.
//!
//! Reading order: `commit` → `journal` → `writer` → `applier`; then `frame`, `segment`, `entry` for the bytes.

mod applier;
mod backup;
mod check;
mod claims;
mod commit;
mod compact;
mod disk;
mod entry;
mod erase;
mod error;
mod frame;
mod journal;
mod keys;
mod mailbox;
mod publish;
mod read;
mod seal;
mod segment;
mod segments;
mod views;
mod writer;

pub use backup::{BackupError, backup, restore};
pub use check::{Checked, check};
pub use commit::{Commit, Document, Recorded};
pub use compact::Compacted;
pub use disk::{Disk, DiskFile, RealDisk};
pub use erase::{EraseError, Erased, Erasure};
pub use error::{CommitError, Damage, OpenError, ReadError};
pub use journal::{Journal, Options, Prepared, Ready};
pub use mailbox::{Cursor, Waiting};
pub use publish::{
    LogFiles, LogKey, PublishError, Published, PublishedLog, Publisher, PublisherThread, last_signed,
};
pub use read::Opened;
pub use seal::{SealError, told};
pub use views::{ConsentRecord, Criteria, Figures, Flow, TrajectRecord};
