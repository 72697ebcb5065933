//! Data classes (gegevenscategorieën): what policies speak about, instead of fields.
//!
//! Owns: the closed list of classes, their hierarchy by dotted name, and sets of them. The meaning of each
//! class stands in `proto/veldwacht/klasse.proto`; who may have it, in `policies/`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

macro_rules! classes {
    ($($variant:ident = $number:literal, $name:literal, $doc:literal;)*) => {
        /// One data class. Numbers are those of the protobuf enum `veldwacht.Klasse`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        #[repr(u8)]
        pub enum DataClass { $(#[doc = $doc] $variant = $number,)* }

        impl DataClass {
            /// Every class, in the order of its number.
            pub const ALL: &'static [DataClass] = &[$(DataClass::$variant,)*];

            /// The dotted name, `medisch.diagnose`.
            pub const fn name(self) -> &'static str {
                match self { $(DataClass::$variant => $name,)* }
            }

            /// The class with this number in the protobuf enum `veldwacht.Klasse`; 0 and unknown numbers are none.
            pub const fn from_number(number: i32) -> Option<DataClass> {
                match number { $($number => Some(DataClass::$variant),)* _ => None }
            }
        }
    };
}

classes! {
    Organisatie = 1, "organisatie", "traject id, phase, dates, IDO roles, reference numbers";
    Persoon = 2, "persoon", "name, contact, age, date of birth";
    PersoonBsn = 3, "persoon.bsn", "BSN";
    Sociaal = 4, "sociaal", "uitkering soort and duur, household";
    SociaalSchulden = 5, "sociaal.schulden", "debts, arrangements";
    SociaalHuisvesting = 6, "sociaal.huisvesting", "housing, eviction";
    Arbeid = 7, "arbeid", "education, CV, wishes, wep, jobcoaching, uitval code";
    Voortgang = 8, "voortgang", "tussendoelen, progress, outcome";
    FunctioneelBeperking = 9, "functioneel.beperking", "functionele beperkingen, draagkracht, percentage arbeidsongeschikt";
    FunctioneelUren = 10, "functioneel.uren", "hours a day and a week";
    FunctioneelAanpassing = 11, "functioneel.aanpassing", "needed adaptations and facilities";
    MedischDiagnose = 12, "medisch.diagnose", "diagnosis and codes, suspected ones too, IQ, LVB";
    MedischKlacht = 13, "medisch.klacht", "complaints, symptoms, pain";
    MedischBehandeling = 14, "medisch.behandeling", "treatment, appointments, admission, who treats";
    MedischMedicatie = 15, "medisch.medicatie", "medication";
    MedischVerslaving = 16, "medisch.verslaving", "substance use, addiction care";
    Strafrechtelijk = 17, "strafrechtelijk", "detention, police, victim or witness";
    Derden = 18, "derden", "child, partner, family";
    Overtuiging = 19, "overtuiging", "religion, belief";
    Onderzoek = 20, "onderzoek", "research pseudonym, arm";
    Tekst = 21, "tekst", "any free text; carries a second class for its subject";
}

impl DataClass {
    /// Whether this class is `group` or lies below it: `medisch.diagnose` is within `medisch`.
    pub fn is_within(self, group: &str) -> bool {
        self.name().strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Whether the class is one of `medisch.*`.
    pub fn is_medical(self) -> bool {
        self.is_within("medisch")
    }
}

impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DataClass {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = DataClass::ALL.iter().copied().find(|class| class.name() == text);
        found.ok_or(Invalid { what: "data class", expected: "a dotted name such as `medisch.diagnose`" })
    }
}

impl TryFrom<String> for DataClass {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<DataClass> for &'static str {
    fn from(class: DataClass) -> &'static str {
        class.name()
    }
}

/// How one field of a contract is classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Classification {
    /// The class of the field; `Tekst` for free text.
    pub class: DataClass,
    /// For free text: the class of what the text is about. The text passes only if both classes do.
    pub subject: Option<DataClass>,
}

/// A set of data classes, as one machine word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClassSet(u32);

impl ClassSet {
    /// No class at all.
    pub const EMPTY: ClassSet = ClassSet(0);

    /// Every class there is.
    pub fn all() -> ClassSet {
        DataClass::ALL.iter().copied().collect()
    }

    /// Every class within `group`, such as `medisch`.
    pub fn within(group: &str) -> ClassSet {
        DataClass::ALL.iter().copied().filter(|class| class.is_within(group)).collect()
    }

    /// Adds one class.
    pub fn insert(&mut self, class: DataClass) {
        self.0 |= 1 << class as u8;
    }

    /// Takes one class away.
    pub fn remove(&mut self, class: DataClass) {
        self.0 &= !(1 << class as u8);
    }

    /// Whether the class is in the set.
    pub const fn contains(self, class: DataClass) -> bool {
        self.0 & (1 << class as u8) != 0
    }

    /// Whether there is no class in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes that are in either set.
    pub const fn union(self, other: ClassSet) -> ClassSet {
        ClassSet(self.0 | other.0)
    }

    /// The classes of the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = DataClass> {
        DataClass::ALL.iter().copied().filter(move |class| self.contains(*class))
    }
}

impl FromIterator<DataClass> for ClassSet {
    fn from_iter<I: IntoIterator<Item = DataClass>>(classes: I) -> ClassSet {
        let mut set = ClassSet::EMPTY;
        classes.into_iter().for_each(|class| set.insert(class));
        set
    }
}

impl fmt::Debug for ClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(DataClass::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_found_by_its_name_and_by_its_number() {
        for class in DataClass::ALL {
            assert_eq!(class.name().parse(), Ok(*class));
            assert_eq!(DataClass::from_number(*class as i32), Some(*class));
        }
        assert_eq!(DataClass::from_number(0), None);
        assert!("medisch".parse::<DataClass>().is_err(), "a group is not a class");
    }

    #[test]
    fn a_group_holds_its_classes_and_no_name_that_merely_starts_alike() {
        assert_eq!(ClassSet::within("medisch").iter().count(), 5);
        assert!(DataClass::PersoonBsn.is_within("persoon"));
        assert!(!DataClass::PersoonBsn.is_within("perso"));
        assert!(!DataClass::Persoon.is_within("persoon.bsn"));
    }
}
