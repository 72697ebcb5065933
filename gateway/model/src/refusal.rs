//! The word no: why something was refused, whose fault it is, and what to do about it.
//!
//! Owns: the closed list of reasons, each with its gRPC status and its advice. A refusal names fields, classes
//! and rules; it never holds a value. It goes into the log first, and then to the caller.

use serde::{Deserialize, Serialize};

use crate::DataClass;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller: a request that will be refused again unless it changes.
    Caller,
    /// The rules: policy, consent or purpose say no.
    Policy,
    /// This gateway: try again later, or call its operator.
    Gateway,
}

macro_rules! reasons {
    ($($variant:ident, $name:literal, $status:literal, $fault:ident, $advice:literal;)*) => {
        /// Why something was refused. Names are stable: callers match on them (`google.rpc.ErrorInfo.reason`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum Reason { $(#[doc = $advice] $variant,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The name in records and in `google.rpc.ErrorInfo.reason`.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name,)* }
            }

            /// The gRPC status code (numbers of google.rpc.Code).
            pub const fn status(self) -> i32 {
                match self { $(Reason::$variant => $status,)* }
            }

            /// Who has to act.
            pub const fn fault(self) -> Fault {
                match self { $(Reason::$variant => Fault::$fault,)* }
            }

            /// What is wrong and what to do, in lower case, without any value.
            pub const fn advice(self) -> &'static str {
                match self { $(Reason::$variant => $advice,)* }
            }
        }
    };
}

reasons! {
    // who is at the door (16 = UNAUTHENTICATED, 7 = PERMISSION_DENIED)
    CertificateRefused, "CERTIFICATE_REFUSED", 16, Caller, "the client certificate is not acceptable; renew it with clientAuth and your OIN in Subject.serialNumber";
    OrganisationUnknown, "ORGANISATION_UNKNOWN", 16, Caller, "no organisation with this OIN is registered here; ask the operator to register it";
    AssertionInvalid, "ASSERTION_INVALID", 16, Caller, "the role assertion is not valid; sign a new JWT (ES256 or EdDSA) with a registered key";
    AssertionExpired, "ASSERTION_EXPIRED", 16, Caller, "the role assertion has expired or is not valid yet; sign a new one of at most 5 minutes";
    AssertionReplayed, "ASSERTION_REPLAYED", 16, Caller, "this role assertion was used before; give every call its own jti";
    AssertionNotBound, "ASSERTION_NOT_BOUND", 16, Caller, "the role assertion is bound to another certificate; set cnf.x5t#S256 to this one";
    RoleNotAllowed, "ROLE_NOT_ALLOWED", 7, Caller, "this key may not assert this role; use a role that the registry lists for your organisation";
    RoleRequired, "ROLE_REQUIRED", 7, Caller, "a system without role assertion may not do this; send an assertion in `authorization`";
    // what is asked (3 = INVALID_ARGUMENT, 5 = NOT_FOUND, 8 = RESOURCE_EXHAUSTED)
    TypeUnknown, "TYPE_UNKNOWN", 3, Caller, "no contract has this message type; see the contracts of the bundle";
    ClientInvalid, "CLIENT_INVALID", 3, Caller, "the BSN is not 9 digits that pass the elfproef; check the client";
    ClientMismatch, "CLIENT_MISMATCH", 3, Caller, "the BSN in the document is not the BSN of the request; send one client at a time";
    ReceiverUnknown, "RECEIVER_UNKNOWN", 3, Caller, "a receiver is not registered with this OIN and role; check the receivers";
    PurposeUnknown, "PURPOSE_UNKNOWN", 3, Caller, "no exchange has this purpose; see the purposes of the bundle";
    ExchangeIdInvalid, "EXCHANGE_ID_INVALID", 3, Caller, "the exchange id is not a UUIDv7; leave it empty or make a new one";
    ExchangeIdReused, "EXCHANGE_ID_REUSED", 6, Caller, "this exchange id was used for another document; make a new one";
    DocumentTooLarge, "DOCUMENT_TOO_LARGE", 3, Caller, "the document is over the limit; send less";
    DocumentMalformed, "DOCUMENT_MALFORMED", 3, Caller, "the document is not a valid message of its type; serialise it again";
    RequestInvalid, "REQUEST_INVALID", 3, Caller, "the request is not complete; see the field violations";
    DescriptorNotBelieved, "DESCRIPTOR_NOT_BELIEVED", 3, Caller, "a sender's own descriptor is never used; contracts come with the bundle";
    NotFound, "NOT_FOUND", 5, Caller, "there is no such thing for you here";
    DeadlineExceeded, "DEADLINE_EXCEEDED", 4, Caller, "the time was over before anything was done; try again and wait longer";
    // what the rules say
    ExchangeNotDeclared, "EXCHANGE_NOT_DECLARED", 7, Policy, "no exchange allows this type from your role to this receiver for this purpose";
    NothingMayPass, "NOTHING_MAY_PASS", 7, Policy, "the policy lets nothing of this document pass to this receiver";
    ConsentMissing, "CONSENT_MISSING", 9, Policy, "this exchange needs a consent of the client that is not there; have it granted first";
    ConsentWithdrawn, "CONSENT_WITHDRAWN", 9, Policy, "the client has withdrawn the consent; what still waited is not handed out";
    EmergencyNotAllowed, "EMERGENCY_NOT_ALLOWED", 7, Policy, "this exchange has no emergency access; send it as usual";
    TrajectNotActive, "TRAJECT_NOT_ACTIVE", 9, Policy, "your organisation has no active traject with this client";
    PhaseNotFitting, "PHASE_NOT_FITTING", 9, Policy, "this exchange does not fit the phase of the client's traject; state the phase first if it has changed";
    TrajectNotYours, "TRAJECT_NOT_YOURS", 7, Policy, "only who the bundle names, and takes part in the traject, may state its phase";
    TextHeldBack, "TEXT_HELD_BACK", 9, Policy, "a text says more than the receiver may know; say what the client can and cannot do";
    TextUnscreenable, "TEXT_UNSCREENABLE", 9, Policy, "a text cannot be screened; write it in Dutch, as plain text";
    Expired, "EXPIRED", 9, Policy, "the delivery was not collected in time";
    Erased, "ERASED", 9, Policy, "the client was erased; nothing is left to hand out";
    RetentionDuty, "RETENTION_DUTY", 9, Policy, "a retention duty forbids erasure until it ends";
    // what may be done to the rules themselves (six, four and other eyes)
    BundleRefused, "BUNDLE_REFUSED", 3, Caller, "the bundle is not taken; the violations say why, and the running one goes on";
    OwnChange, "OWN_CHANGE", 7, Policy, "the author of a change never approves it; ask someone else";
    ApprovedBefore, "APPROVED_BEFORE", 9, Policy, "this officer approved the change already; another one has to";
    OtherDifference, "OTHER_DIFFERENCE", 9, Policy, "what was approved is not what this change means; look at the difference again";
    NotSimulated, "NOT_SIMULATED", 9, Policy, "the change has to be simulated first, on a document or on what was exchanged before";
    TooFewApprovers, "TOO_FEW_APPROVERS", 9, Policy, "a widening needs two approvers and a narrowing one; there are too few";
    RunsSomethingElse, "RUNS_SOMETHING_ELSE", 9, Policy, "the bundle that runs is not the one this change was compared with; propose it again";
    ChangeOver, "CHANGE_OVER", 9, Policy, "the change was activated or rejected; propose a new one";
    NumberNotHigher, "NUMBER_NOT_HIGHER", 9, Policy, "the number of the bundle is not higher than the highest one seen; publish it under a higher number";
    NotWhatWas, "NOT_WHAT_WAS", 9, Policy, "the bundle does not compile to one that ran before; a rollback publishes old content again";
    ReleaseNotAllowed, "RELEASE_NOT_ALLOWED", 7, Policy, "no officer may release this to this receiver; the sender has to say it otherwise";
    FourEyes, "FOUR_EYES", 7, Policy, "a release takes two officers; another one has to confirm it";
    // what this gateway cannot do now (8 = RESOURCE_EXHAUSTED, 14 = UNAVAILABLE)
    Busy, "BUSY", 8, Gateway, "the gateway is busy; try again after the delay it names";
    LogUnavailable, "LOG_UNAVAILABLE", 14, Gateway, "the log cannot be written, so nothing passes; try again later";
    UpstreamUnavailable, "UPSTREAM_UNAVAILABLE", 14, Gateway, "the source organisation's service does not answer; try again later";
    WithheldElsewhere, "WITHHELD_ELSEWHERE", 13, Gateway, "the source organisation's gateway let something through that may not come here; its operator has to look";
    UpstreamInvalid, "UPSTREAM_INVALID", 13, Gateway, "the source organisation's service answered with something that is not its contract";
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One place in a request or document, and what is wrong there. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldViolation {
    /// Path of the field, with indexes for repeated ones: `toelichtingen[2].tekst`.
    pub field: String,
    /// What is wrong and what to do.
    pub description: String,
    /// The class that may not pass there, if that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<DataClass>,
    /// The rule or lexicon entry that fired, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where in the text, as Unicode code points from its start: first and one past the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
}

/// A no, ready to be recorded and then told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", reason.advice())]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Where, as far as places are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<FieldViolation>,
}

impl Refusal {
    /// A refusal with these places.
    pub fn at(reason: Reason, violations: Vec<FieldViolation>) -> Refusal {
        Refusal { reason, violations }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Refusal {
        Refusal { reason, violations: Vec::new() }
    }
}
