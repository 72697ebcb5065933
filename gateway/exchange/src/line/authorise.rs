//! authorise: may this receiver have anything of this document, and what exactly.
//!
//! Owns: bringing together what a decision depends on – who, what, for what, in which state of consent and traject –
//! and asking the bundle, which decided long ago. Knows no bytes. Next: `filter`.

use std::sync::Arc;

use ledger::{Party, TrajectChange};
use model::{
    ClientPseudonym, Consent, Consents, MessageType, Name, Oin, Purpose, Reason, Refusal, Timestamp,
};
use policy::{Compiled, Escape, Situation, Traject};

use crate::line::offer::at;
use crate::rules::Rules;

/// The exchange of the bundle that says who may bring in a client's consent.
pub(crate) const CONSENT_EXCHANGE: &str = "X07";

/// Someone may have something: the plan says what.
pub(crate) struct Authorised {
    receiver: Party,
    compiled: Arc<Compiled>,
    consents: Consents,
    phase: Option<u8>,
}

impl Authorised {
    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }

    pub(crate) fn receiver(&self) -> &Party {
        &self.receiver
    }

    /// What was known of the client's consents, where the exchange asks for any.
    pub(crate) fn consents(&self) -> Option<Consents> {
        (!self.compiled.exchange.consents.is_empty()).then_some(self.consents)
    }

    /// The phase of the client's traject, where the exchange asks for one.
    pub(crate) fn phase(&self) -> Option<u8> {
        self.phase
    }
}

/// What the gateway knows of a client at this moment. Resolved before a decision, never by it.
pub(crate) trait Facts {
    /// The client's consents towards a receiver, for a purpose.
    fn consents(
        &self,
        client: ClientPseudonym,
        receiver: &Party,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<Consents, Reason>;
    /// The client's active traject between the two, or of one of them; `None` = there is none.
    fn traject(
        &self,
        client: ClientPseudonym,
        one: &Oin,
        other: &Oin,
        days: u32,
        now: Timestamp,
    ) -> Result<Option<TrajectChange>, Reason>;
    /// Is told of every situation that is decided: for a draft in the shadow of the rules.
    fn decides(&self, rules: &Rules, situation: &Situation);
}

/// What is asked, for one receiver.
pub(crate) struct Question<'a> {
    pub(crate) sender: &'a Party,
    pub(crate) receiver: &'a Party,
    pub(crate) message: &'a MessageType,
    pub(crate) purpose: &'a Purpose,
    pub(crate) client: ClientPseudonym,
    /// Whether an escape is open.
    pub(crate) spoed: bool,
    /// The phase of the client's traject when this was sent: what fitted then may be collected later. `None` = of now.
    pub(crate) phase_at_sending: Option<u8>,
    pub(crate) now: Timestamp,
}

/// Opens an escape for a reason of the bundle's list; nothing, where nobody calls it an emergency.
pub(crate) fn escape(
    rules: &Rules,
    reason: Option<&Name>,
    now: Timestamp,
) -> Result<Option<Escape>, Refusal> {
    let Some(reason) = reason else { return Ok(None) };
    let opened = rules.proven().emergency().open(reason, now);
    let listed = "one of the reasons that the bundle lists";
    opened.map(Some).map_err(|_| at(Reason::EmergencyNotAllowed, "authorization.spoed", listed))
}

/// Decides for one receiver.
pub(crate) fn authorise(
    rules: &Rules,
    facts: &dyn Facts,
    question: &Question<'_>,
) -> Result<Authorised, Refusal> {
    let Question { sender, receiver, client, now, .. } = *question;
    let consents = facts.consents(client, receiver, question.purpose, now)?;
    let situation = Situation {
        message: question.message.clone(),
        sender: (sender.oin, sender.role.clone()),
        receiver: (receiver.oin, receiver.role.clone()),
        purpose: question.purpose.clone(),
        consents,
        spoed: question.spoed,
    };
    facts.decides(rules, &situation);
    let compiled = rules.proven().compiled(&situation).map_err(|refusal| match refusal.reason {
        Reason::ConsentMissing if was_refused(consents) => Reason::ConsentWithdrawn.into(),
        _ => refusal,
    })?;
    let phase = match (compiled.exchange.traject, question.phase_at_sending) {
        (Traject::None | Traject::Opens, _) => None,
        (Traject::Active, Some(phase)) => Some(phase),
        (Traject::Active, None) => {
            let days = rules.proven().trajects().days;
            let traject = facts.traject(client, &sender.oin, &receiver.oin, days, now)?;
            traject.and_then(|traject| traject.phase)
        }
    };
    compiled.exchange.admits(phase)?;
    Ok(Authorised { receiver: receiver.clone(), compiled, consents, phase })
}

/// The phase in which what may pass opens a traject between its sender and a receiver; none where they have one.
pub(crate) fn opens<'r>(
    rules: &Rules,
    facts: &dyn Facts,
    client: ClientPseudonym,
    sender: &Oin,
    receivers: impl Iterator<Item = (&'r Oin, &'r Compiled)>,
    now: Timestamp,
) -> Result<Option<u8>, Refusal> {
    let trajects = rules.proven().trajects();
    for (receiver, _) in receivers.filter(|(_, compiled)| compiled.exchange.traject == Traject::Opens) {
        let known = facts.traject(client, sender, receiver, trajects.days, now)?;
        if !known.is_some_and(|known| [sender, receiver].iter().all(|oin| known.parties.contains(oin))) {
            return Ok(trajects.first());
        }
    }
    Ok(None)
}

fn was_refused(consents: Consents) -> bool {
    [consents.beroepsgeheim, consents.gezondheidsgegevens].contains(&Consent::Geweigerd)
}
