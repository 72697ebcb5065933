//! What a policy decided for one field, and how large a message may be.
//!
//! Owns: the vocabulary in which `policy` speaks to this crate. Never decides anything: who may have which
//! class is settled before a plan is compiled. A rule goes into `Plan::compile`.

use model::{DataClass, Form};

/// What was decided for one field of one message type. It holds wherever that type occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The field does not pass. A message is withheld whole, whatever is in it.
    Withhold {
        /// The class of the field; none when it is unclassified.
        class: Option<DataClass>,
    },
    /// The field passes in this form. A message passes as a container (`Form::Vol`): its own fields are
    /// decided one by one.
    Pass {
        /// The class of the field.
        class: DataClass,
        /// How much of it passes.
        form: Form,
    },
    /// Free text: it passes, and its range is reported so that it is screened before it leaves. On anything
    /// but a string this withholds, because nothing else can be screened.
    Screen {
        /// The class of what the text is about.
        class: DataClass,
    },
}

/// How much a sender may ask of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest message that is read, in bytes; at most [`Limits::MAX_BYTES`].
    pub bytes: usize,
    /// How many messages may stand inside each other below the root, at most 100.
    pub depth: usize,
}

impl Limits {
    /// 128 MiB. Pseudonyms are longer than what they stand for, up to twelve times with key and length: so no output
    /// gets longer than protobuf's own limit of 2³¹ − 1 bytes.
    pub const MAX_BYTES: usize = 128 << 20;
    /// The nesting that every common parser still reads.
    pub const MAX_DEPTH: usize = 100;
}

impl Default for Limits {
    /// 64 MiB and 100 levels.
    fn default() -> Limits {
        Limits { bytes: 64 << 20, depth: Limits::MAX_DEPTH }
    }
}
