//! Record bytes, Merkle tree, notes, proofs and their verification: what an auditor's own tool links.
//!
//! Owns: the public record (`leaf`), the tree over records (`tree`, `proof`), the files that publish them
//! (`tile`), what is signed about them (`note`, `checkpoint`), and every answer that can be read from them
//! (`export`, `inzage`, `sample`). Never does: I/O, clocks, randomness; keys, time and bytes are arguments.
//! Who writes the files and seals the identifying part is `journal`.

mod census;
mod checkpoint;
mod digest;
mod export;
mod inzage;
mod leaf;
mod moment;
mod note;
mod proof;
mod receipt;
mod receivers;
mod reconcile;
mod sample;
mod source;
mod tile;
mod tree;
mod trust;
mod verify;
pub mod witness;

pub use census::Census;
pub use checkpoint::Checkpoint;
pub use digest::{DeliveryId, Digest, KeyId, SpanId, TraceId};
pub use export::{Format, Producer, Record};
pub use inzage::{Inzage, InzageEvent, InzageReceiver, Organisation, inzage};
pub use leaf::{
    Access, Act, BundleChange, BundleRef, Carried, ChangeStep, ClientLink, ConsentChange, ConsentKind,
    Decision, Delivery, Erasure, Escape, Event, HeldBack, Kind, Label, Leaf, LeafError, MAX_LEAF, Party,
    Passed, ProposedBundle, Release, ReleaseStep, StepKind, Terms, Trace, TrajectChange, Version, Withheld,
    traject_between,
};
pub use leaf::{ClientIdentifier, DeliveredBytes, SealedPart};
pub use moment::{at_clock, day_number, midnight, wall_clock};
pub use note::{Algorithm, KeyName, MAX_SIGNATURES, Note, NoteError, NoteSigner, Signature, VerifierKey};
pub use proof::{
    ProofError, prove_consistency, prove_inclusion, tree_root, verify_consistency, verify_inclusion,
};
pub use receipt::{Proven, Receipt, ReceiptError};
pub use receivers::{Receiver, Receivers, receivers};
pub use reconcile::{Claim, Reconciled, reconcile};
pub use sample::{Risk, RiskRules, Risky, risks, sample};
pub use source::{FileFault, Nodes, TileSource, Unreadable, read_entry};
pub use tile::{
    Content, CutShort, HASH_BYTES, TILE_WIDTH, Tile, TooLong, encode_entries, encode_hashes, entries, hashes,
    hashes_at, tiles_to_publish,
};
pub use tree::{Frontier, empty_root, leaf_hash, node_hash, root_of};
pub use trust::{Trust, TrustError, Trusted, Untrusted};
pub use verify::{Damage, Damaged, Verified, read_checkpoint, verify, verify_growth, verify_records};
