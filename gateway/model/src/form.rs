//! Forms: how much of a field a receiver gets, and the kinds of field that decide which forms exist.
//!
//! Owns: the order from most to least revealing, total for every kind, so that two permitted forms always
//! have one winner. What a form does to bytes is `fields`; who gets which is `policy`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// The form in which a field travels, from most to least revealing. Nothing is the absence of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Form {
    /// As it is.
    Vol,
    /// A date becomes its year.
    Jaar,
    /// An age becomes a band of ten years, by its lower bound.
    Leeftijdsband,
    /// A postcode keeps its four digits.
    Postcode4,
    /// Hours become a band of eight, by its lower bound.
    Urenband,
    /// Present or not.
    JaNee,
    /// A pseudonym keyed per receiver, so that two receivers cannot join.
    Pseudoniem,
}

impl Form {
    /// Every form, most revealing first.
    pub const ALL: &'static [Form] = &[
        Form::Vol,
        Form::Jaar,
        Form::Leeftijdsband,
        Form::Postcode4,
        Form::Urenband,
        Form::JaNee,
        Form::Pseudoniem,
    ];

    /// The name that policies, records and the matrix use, `ja_nee`.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Vol => "vol",
            Form::Jaar => "jaar",
            Form::Leeftijdsband => "leeftijdsband",
            Form::Postcode4 => "postcode4",
            Form::Urenband => "urenband",
            Form::JaNee => "ja_nee",
            Form::Pseudoniem => "pseudoniem",
        }
    }

    /// Whether the form is one of those that `gegeneraliseerd` stands for.
    pub const fn is_generalised(self) -> bool {
        matches!(self, Form::Jaar | Form::Leeftijdsband | Form::Postcode4 | Form::Urenband)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Form {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Form::ALL.iter().copied().find(|form| form.name() == text);
        found.ok_or(Invalid { what: "form", expected: "`vol`, `jaar`, `ja_nee`, `pseudoniem` …" })
    }
}

/// What kind of value a field holds, as far as forms go. Numbers are those of the enum `veldwacht.Soort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Anything without a kind of its own.
    Waarde,
    /// A calendar date, as a string `YYYY-MM-DD`.
    Datum,
    /// An age in whole years, as an integer.
    Leeftijd,
    /// A Dutch postcode, as a string `1234 AB`.
    Postcode,
    /// Hours, as an integer or a floating-point number.
    Uren,
    /// Something that points at a person: BSN, client number. The only kind with pseudonyms.
    Identificatie,
    /// Free text: passes only screened.
    Tekst,
    /// A message: it passes as a container, and its fields are decided one by one.
    Bericht,
}

impl FieldKind {
    /// Every kind, in the order of its number.
    pub const ALL: &'static [FieldKind] = &[
        FieldKind::Waarde,
        FieldKind::Datum,
        FieldKind::Leeftijd,
        FieldKind::Postcode,
        FieldKind::Uren,
        FieldKind::Identificatie,
        FieldKind::Tekst,
        FieldKind::Bericht,
    ];

    /// The forms in which a field of this kind can travel at all, most revealing first.
    pub const fn forms(self) -> &'static [Form] {
        match self {
            FieldKind::Waarde => &[Form::Vol, Form::JaNee],
            FieldKind::Datum => &[Form::Vol, Form::Jaar, Form::JaNee],
            FieldKind::Leeftijd => &[Form::Vol, Form::Leeftijdsband, Form::JaNee],
            FieldKind::Postcode => &[Form::Vol, Form::Postcode4, Form::JaNee],
            FieldKind::Uren => &[Form::Vol, Form::Urenband, Form::JaNee],
            FieldKind::Identificatie => &[Form::Vol, Form::JaNee, Form::Pseudoniem],
            FieldKind::Tekst | FieldKind::Bericht => &[Form::Vol],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_every_kind_stand_in_one_strict_order() {
        for kind in FieldKind::ALL {
            assert!(kind.forms().windows(2).all(|pair| pair[0] < pair[1]), "{kind:?}");
        }
    }

    #[test]
    fn every_form_is_found_by_its_name() {
        for form in Form::ALL {
            assert_eq!(form.name().parse(), Ok(*form));
        }
    }
}
