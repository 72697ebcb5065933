//! Who acts: an organisation, in a role, perhaps a person, perhaps for one purpose only.
//!
//! Owns: the proof that a role was asserted by a key that may assert it, or that it is `systeem`, which needs no
//! assertion and may nearly nothing. The person behind it (user, BIG number) is sealed: no `Display`, a blank
//! `Debug`, wiped when dropped; it is for the sealed part of the record only. Next: `policy`.

use std::fmt;

use model::{Name, Oin, Purpose, Reason, Refusal, Role, Timestamp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::assertion::{self, AssertionRules};
use crate::peer::Peer;
use crate::refuse;
use crate::registry::Registry;
use crate::replay::{ReplayMemory, Seen};

macro_rules! sealed {
    ($type:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $type(String);

        impl $type {
            /// The text. Personal data: for the sealed part of a record, never for a message or a log line.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    };
}

sealed!(User, "The person who acts, as their organisation knows them (`sub` of the assertion).");
sealed!(BigNumber, "Number of a care professional in the BIG register: 11 digits.");

/// A user's name is at most this many bytes.
const MAX_USER_BYTES: usize = 256;
/// A `jti` is at most this many bytes; a UUID has 36.
const MAX_JTI_BYTES: usize = 128;

/// Who acts. Only to be had from a peer.
#[derive(Debug)]
pub struct Actor {
    oin: Oin,
    role: Role,
    user: Option<User>,
    big: Option<BigNumber>,
    purpose: Option<Purpose>,
    spoed: Option<Name>,
    until: Timestamp,
}

impl Actor {
    /// Someone of this peer's organisation, by a role assertion (JWT in compact form, without `Bearer`).
    ///
    /// The memory is asked last, so that only a token that is good in everything else takes room in it.
    ///
    /// # Errors
    /// `ASSERTION_INVALID`, `ASSERTION_EXPIRED`, `ASSERTION_NOT_BOUND`, `ROLE_NOT_ALLOWED`, `ASSERTION_REPLAYED`,
    /// or `BUSY` when the memory is full; with the claim that is wrong.
    pub fn from_assertion(
        token: &str,
        peer: &Peer,
        registry: &Registry,
        now: Timestamp,
        rules: &AssertionRules,
        memory: &mut dyn ReplayMemory,
    ) -> Result<Actor, Refusal> {
        let (claims, key) = assertion::verify(token, peer, registry, now, rules)?;
        let no = |field, description| refuse(Reason::AssertionInvalid, field, description);
        let role: Role =
            claims.role.parse().map_err(|_| no("role", "not a role's name: a-z, 0-9, `_`, `-`, `.`"))?;
        if !key.roles.contains(&role) {
            return Err(Reason::RoleNotAllowed.into());
        }
        let purpose = claims.purpose.as_deref().map(str::parse).transpose();
        let purpose = purpose.map_err(|_| no("purpose", "not a purpose's name: a-z, 0-9, `_`, `-`, `.`"))?;
        let spoed = claims.spoed.as_deref().map(str::parse).transpose();
        let spoed = spoed.map_err(|_| no("spoed", "not a reason's name: a-z, 0-9, `_`, `-`, `.`"))?;
        if claims.sub.trim().is_empty() || claims.sub.len() > MAX_USER_BYTES {
            return Err(no("sub", "the user who acts: 1 to 256 bytes"));
        }
        let big = claims.big.map(BigNumber);
        match &big {
            Some(number) if !is_big(number.expose()) => return Err(no("big", "not a BIG number: 11 digits")),
            None if registry.demands_big(&role) => return Err(no("big", "this role needs a BIG number")),
            _ => {}
        }
        if claims.jti.is_empty() || claims.jti.len() > MAX_JTI_BYTES {
            return Err(no("jti", "an id of 1 to 128 bytes, another for every assertion"));
        }
        let until = Timestamp::from_unix_millis(claims.exp.saturating_mul(1000))
            .plus_seconds(rules.clock_skew_seconds);
        match memory.remember(peer.oin(), &claims.jti, until, now) {
            Seen::First => {}
            Seen::Again => return Err(Reason::AssertionReplayed.into()),
            Seen::Full => return Err(Reason::Busy.into()),
        }
        Ok(Actor { oin: peer.oin(), role, user: Some(User(claims.sub)), big, purpose, spoed, until })
    }

    /// A system that shows no assertion: the role `systeem`, nobody, no purpose.
    pub fn system(peer: &Peer) -> Actor {
        Actor {
            oin: peer.oin(),
            role: Role::systeem(),
            user: None,
            big: None,
            purpose: None,
            spoed: None,
            until: peer.expires(),
        }
    }

    /// The organisation.
    pub fn oin(&self) -> Oin {
        self.oin
    }

    /// The role.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The person, if an assertion named one.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The person's BIG number, if the assertion has one.
    pub fn big(&self) -> Option<&BigNumber> {
        self.big.as_ref()
    }

    /// The only purpose for which this actor may act, if the assertion names one.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// Why this is an emergency, if the assertion says that it is. Whether that counts is the bundle's to say.
    pub fn spoed(&self) -> Option<&Name> {
        self.spoed.as_ref()
    }

    /// Until when this actor may act: the assertion's end with the allowed difference of clocks, or the end of the
    /// system's certificate. A stream that lasts longer needs a new actor.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

fn is_big(text: &str) -> bool {
    text.len() == 11
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte != b'0')
}
