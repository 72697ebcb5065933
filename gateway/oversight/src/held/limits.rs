//! What no officer can release: the limits of the data classes and of the guardrails, whatever two officers think of a text.
//!
//! Owns: those limits. A release is for a false alarm; where a mistake of two people would do most harm, or where the
//! choice is the client's, it is no way at all. Asked when a text is kept, at every step, and at collecting.

use ledger::Party;
use model::{ClassSet, DataClass};
use policy::Proven;

/// Kinds of organisations that read nothing medical or situational, not by mistake either.
const STRICT_KINDS: [&str; 3] = ["werkgever", "school", "onderzoeker"];
/// The group of roles that look for places with employers: what they know, an employer hears.
const ACQUISITION: &str = "acquisitie";
/// The group of roles under medical confidentiality.
const MEDICAL: &str = "medisch";

/// Who would read a text, as far as the limits care.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    kind: &'a str,
    acquires: bool,
    is_medical: bool,
    in_emergency: bool,
}

/// Whether officers may release what tells of these classes to this receiver. Never: anything medical or situational to
/// a werkgever, a school, a researcher or those who look for places; anything medical in an emergency; anything medical to
/// a medical role, for whom the client's two consents decide and no officer.
pub fn is_releasable(proven: &Proven, to: &Party, in_emergency: bool, classes: ClassSet) -> bool {
    let Some(organisation) = proven.organisation(&to.oin) else { return false };
    let is_in = |group| proven.is_in(&to.role, group);
    let reader = Reader {
        kind: organisation.kind.as_str(),
        acquires: is_in(ACQUISITION),
        is_medical: is_in(MEDICAL),
        in_emergency,
    };
    !classes.iter().any(|class| is_barred(reader, class))
}

fn is_barred(reader: Reader<'_>, class: DataClass) -> bool {
    let is_strict = reader.acquires || STRICT_KINDS.contains(&reader.kind);
    match class.is_medical() {
        true => is_strict || reader.is_medical || reader.in_emergency,
        false => is_strict && is_situational(class),
    }
}

fn is_situational(class: DataClass) -> bool {
    matches!(
        class,
        DataClass::SociaalSchulden
            | DataClass::SociaalHuisvesting
            | DataClass::Strafrechtelijk
            | DataClass::Derden
            | DataClass::Overtuiging
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const COACH: Reader<'_> = Reader { kind: "rib", acquires: false, is_medical: false, in_emergency: false };

    fn medical() -> impl Iterator<Item = DataClass> {
        DataClass::ALL.iter().copied().filter(|class| class.is_medical())
    }

    #[test]
    fn nothing_medical_or_situational_is_ever_released_to_a_werkgever_or_who_looks_for_places() {
        let strict = STRICT_KINDS.map(|kind| Reader { kind, ..COACH });
        for reader in strict.into_iter().chain([Reader { acquires: true, ..COACH }]) {
            for class in
                medical().chain(DataClass::ALL.iter().copied().filter(|class| is_situational(*class)))
            {
                assert!(is_barred(reader, class), "{reader:?} {class}");
                assert!(!is_barred(COACH, class), "{class}");
            }
        }
    }

    #[test]
    fn no_officer_decides_instead_of_the_clients_consents_or_in_an_emergency() {
        for class in medical() {
            assert!(is_barred(Reader { is_medical: true, ..COACH }, class), "{class}");
            assert!(is_barred(Reader { in_emergency: true, ..COACH }, class), "{class}");
        }
        assert!(!is_barred(Reader { is_medical: true, ..COACH }, DataClass::Derden));
    }
}
