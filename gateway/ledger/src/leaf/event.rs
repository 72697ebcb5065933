//! What a record can say happened: one variant a kind.
//!
//! Owns: the kinds and their fields, by name and count, never by value. A field that is not known (a refusal
//! before anyone was identified) is absent, not empty text.

use std::fmt;

use model::{Consent, Consents, DataClass, FieldPath, Form, Name, Purpose, Reason, Timestamp};
use serde::{Deserialize, Serialize};

use super::{BundleChange, ChangeStep, Label, Party, Terms, TrajectChange};
use crate::{DeliveryId, Digest};

macro_rules! events {
    ($($variant:ident($body:ty), $name:literal, $doc:literal;)*) => {
        /// What happened.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Event { $(#[doc = $doc] $variant($body),)* }

        /// The kind of a record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The name in records and exports.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
        }

        impl Event {
            /// The kind of what happened.
            pub const fn kind(&self) -> Kind {
                match self { $(Event::$variant(_) => Kind::$variant,)* }
            }
        }
    };
}

events! {
    Sent(Carried), "sent", "A document was sent: exactly one record an exchange, with every receiver in it.";
    HandedOut(Carried), "handed_out", "A delivery was collected: the second filter's answer.";
    Acknowledged(Carried), "acknowledged", "A receiver said that it has a delivery.";
    Refused(Carried), "refused", "A call was refused; `reason` says why.";
    Expired(Carried), "expired", "A delivery was never collected and is gone.";
    Ask(Carried), "ask", "A mediated call: the source is `from` and the asker `to`, as data flows in the reply.";
    Consent(ConsentChange), "consent", "A client's consent was given or withdrawn.";
    Erased(Erasure), "erased", "A client was erased, or erasure was refused: the tombstone.";
    Bundle(BundleChange), "bundle", "A bundle was activated, rolled back or refused.";
    Access(Access), "access", "Someone read in the log: inzage, export, sample, search.";
    Release(Release), "release", "An officer released a held text, four eyes.";
    Change(ChangeStep), "change", "A step in the life of a change of policy, taken or refused; activation is a `bundle` record.";
    Escape(Escape), "escape", "An emergency was called: for a time, consents are not waited for. Officers look at each.";
    Traject(TrajectChange), "traject", "A client's traject opened, came into another phase, or ended.";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that went, or did not go, from one party to others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// Who sent it; none when who was at the door could not be established.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Party>,
    /// On which terms.
    pub terms: Terms,
    /// Why all of it was refused or returned, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
    /// One for each receiver.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub to: Vec<Delivery>,
}

/// What one receiver gets, and what not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The receiver.
    pub to: Party,
    /// What was decided.
    pub decision: Decision,
    /// Why not, if not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
    /// What was known of the client's consents for this receiver and doel, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consents: Option<Consents>,
    /// The phase of the client's traject, when the exchange asked for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<u8>,
    /// Which delivery; none when there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery: Option<DeliveryId>,
    /// [`Digest::seal`] of the sealed payload. Never of the plain bytes: those can be guessed and tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
    /// What passed, by class and form.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub passed: Vec<Passed>,
    /// What was withheld.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub withheld: Vec<Withheld>,
    /// The texts that were held back.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub held_back: Vec<HeldBack>,
}

impl Delivery {
    /// A delivery with nothing in it yet.
    pub fn new(to: Party, decision: Decision) -> Delivery {
        let (passed, withheld, held_back) = (Vec::new(), Vec::new(), Vec::new());
        let (reason, consents, phase, delivery, digest) = (None, None, None, None, None);
        Delivery { to, decision, reason, consents, phase, delivery, digest, passed, withheld, held_back }
    }
}

/// What was decided for one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may have what stands under `passed`.
    Delivered,
    /// A text went back to the sender; nothing went out.
    Returned,
    /// Nothing may go.
    Refused,
}

impl Decision {
    /// The name in records and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Decision::Delivered => "delivered",
            Decision::Returned => "returned",
            Decision::Refused => "refused",
        }
    }
}

/// So many fields of one class passed in one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    /// The class.
    pub class: DataClass,
    /// The form.
    pub form: Form,
    /// How many fields.
    pub count: u32,
}

/// So many fields of one class did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The class; none for what has no class, which never passes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<DataClass>,
    /// How many fields.
    pub count: u32,
    /// The rule that decided; none for the default, which is no.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<Name>,
}

/// A text that says more than a receiver may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldBack {
    /// Where the text stands.
    pub field: FieldPath,
    /// What it says something of; none when it could not be screened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<DataClass>,
    /// Which entry of the lexicon fired, or why it could not be screened.
    pub rule: Name,
}

/// A consent that was given or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentChange {
    /// Through whom.
    pub by: Party,
    /// Which of the two legal acts.
    pub kind: ConsentKind,
    /// What holds from now on.
    pub state: Consent,
    /// For which receiver.
    pub receiver: Party,
    /// For which doel.
    pub purpose: Purpose,
    /// Until when, for a consent that was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Timestamp>,
}

/// Which of the two consents: neither stands in for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// Breaking the medisch beroepsgeheim.
    Beroepsgeheim,
    /// Processing of health data (AVG 9).
    Gezondheidsgegevens,
}

/// A client was erased, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// Who had it done.
    pub by: Party,
    /// On which ground, `avg-17-1-b`.
    pub ground: Name,
    /// Why it was refused; none when it was done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
    /// Until when a retention duty forbids it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Timestamp>,
}

/// Someone read in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Who.
    pub by: Party,
    /// What for: `inzage`, `export-ldv`, `sample`, `receivers`, `search`.
    pub what: Name,
    /// How many records were shown.
    pub records: u64,
}

/// An emergency, called by someone for a reason that the bundle lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escape {
    /// Who called it.
    pub by: Party,
    /// Why, from the bundle's list.
    pub reason: Name,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// A step towards the release of a delivery whose texts were held back: it takes two officers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// In which role; the officer stands in the sealed part.
    pub by: Party,
    /// To whom.
    pub to: Party,
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Which text.
    pub text: HeldBack,
    /// Why, as a code.
    pub ground: Label,
    /// The other places of the same delivery.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<HeldBack>,
    /// How far it came.
    #[serde(skip_serializing_if = "ReleaseStep::is_released", default)]
    pub step: ReleaseStep,
}

/// How far the release of a held delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseStep {
    /// One officer would release it; nothing goes out.
    Proposed,
    /// Another officer agreed: the receiver may have it.
    #[default]
    Released,
    /// It stays held, for good.
    Refused,
}

impl ReleaseStep {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            ReleaseStep::Proposed => "proposed",
            ReleaseStep::Released => "released",
            ReleaseStep::Refused => "refused",
        }
    }

    fn is_released(&self) -> bool {
        *self == ReleaseStep::Released
    }
}

impl Event {
    /// What was carried, for the kinds that carry something between parties.
    pub fn carried(&self) -> Option<&Carried> {
        match self {
            Event::Sent(carried)
            | Event::HandedOut(carried)
            | Event::Acknowledged(carried)
            | Event::Refused(carried)
            | Event::Expired(carried)
            | Event::Ask(carried) => Some(carried),
            Event::Consent(_)
            | Event::Erased(_)
            | Event::Bundle(_)
            | Event::Access(_)
            | Event::Release(_)
            | Event::Change(_)
            | Event::Escape(_)
            | Event::Traject(_) => None,
        }
    }

    /// Whose act it was: the sender, or for what a receiver does the receiver; none for the gateway's own acts and
    /// for callers who could not be identified.
    pub fn actor(&self) -> Option<&Party> {
        match self {
            Event::Sent(carried) | Event::Refused(carried) => carried.from.as_ref(),
            Event::HandedOut(carried) | Event::Acknowledged(carried) | Event::Ask(carried) => {
                carried.to.first().map(|delivery| &delivery.to)
            }
            Event::Expired(_) => None,
            Event::Bundle(change) => change.by.as_ref(),
            Event::Change(step) => Some(&step.by),
            Event::Escape(escape) => Some(&escape.by),
            Event::Consent(change) => Some(&change.by),
            Event::Traject(change) => Some(&change.by),
            Event::Erased(erasure) => Some(&erasure.by),
            Event::Access(access) => Some(&access.by),
            Event::Release(release) => Some(&release.by),
        }
    }
}
