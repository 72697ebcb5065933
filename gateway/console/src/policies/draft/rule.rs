//! A cell of the matrix as rules of Cedar: what an officer chose, written to stand beside the rules that people wrote.
//!
//! Owns: the text of such rules, between two comments by which the cell is found again, so that choosing anew replaces what
//! was chosen before. Whether the rules are right is judged with all others, when the draft is checked.

use model::{DataClass, Form};
use policy::Functie;

/// Where in the matrix.
pub(super) struct Place {
    /// Id of the exchange.
    pub(super) exchange: String,
    /// Who sends.
    pub(super) from: Functie,
    /// Who receives.
    pub(super) to: Functie,
    /// What.
    pub(super) class: DataClass,
}

/// What shall hold there.
pub(super) struct Wish {
    /// In which form it passes; none for not at all.
    pub(super) form: Option<Form>,
    /// Only after this consent.
    pub(super) beroepsgeheim: bool,
    /// Only after this consent.
    pub(super) gezondheidsgegevens: bool,
    /// Why, for people.
    pub(super) nl: String,
    pub(super) en: String,
    pub(super) ground: String,
}

const BEGIN: &str = "// cel ";
const END: &str = "// einde cel";

impl Place {
    fn begin(&self) -> String {
        format!("{BEGIN}{} {} {} {}", self.exchange, self.from, self.to, self.class.name())
    }

    /// Whether something was chosen for this cell in a file.
    pub(super) fn is_chosen(&self, source: &str) -> bool {
        let begin = self.begin();
        source.lines().any(|line| line == begin)
    }

    /// Every cell for which something was chosen in a file.
    pub(super) fn chosen(source: &str) -> impl Iterator<Item = Place> {
        source.lines().filter_map(|line| {
            let mut words = line.strip_prefix(BEGIN)?.split(' ');
            let (exchange, from, to) = (words.next()?.to_owned(), words.next()?, words.next()?);
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            Some(Place { exchange, from, to, class: words.next()?.parse().ok()? })
        })
    }

    /// The file in which rules for this receiver stand.
    pub(super) fn file(&self) -> String {
        format!("rules/{}.cedar", self.to.kind)
    }

    /// The file without what was chosen for this cell before.
    pub(super) fn without(&self, source: &str) -> String {
        let begin = self.begin();
        let mut inside = false;
        let mut text = String::new();
        for line in source.lines() {
            inside |= line == begin;
            if !inside {
                text.push_str(line);
                text.push('\n');
            }
            inside &= line != END;
        }
        format!("{}\n", text.trim_end())
    }

    /// The rules by which the wish holds where `now` holds without them; empty when nothing has to be said. `forms`: those in
    /// which fields of this class can travel, the most revealing first. `number` keeps names apart.
    pub(super) fn rules(&self, wish: &Wish, now: Option<Form>, forms: &[Form], number: u64) -> String {
        let more: Vec<Form> =
            forms.iter().copied().filter(|form| wish.form.is_some_and(|wished| *form < wished)).collect();
        let mut rules = String::new();
        if wish.form.is_none() && now.is_some() {
            rules.push_str(&self.rule("forbid", "action in Action::\"doorgeven\"", wish, number));
        }
        if now.is_some_and(|now| more.contains(&now)) {
            let more: Vec<String> = more.iter().map(|form| format!("Action::\"{}\"", form.name())).collect();
            rules.push_str(&self.rule("forbid", &format!("action in [{}]", more.join(", ")), wish, number));
        }
        let conditional = wish.beroepsgeheim || wish.gezondheidsgegevens;
        if let Some(form) = wish.form
            && (now != Some(form) || conditional)
        {
            rules.push_str(&self.rule(
                "permit",
                &format!("action == Action::\"{}\"", form.name()),
                wish,
                number,
            ));
        }
        if rules.is_empty() { rules } else { format!("\n{}\n{rules}{END}\n", self.begin()) }
    }

    fn rule(&self, effect: &str, action: &str, wish: &Wish, number: u64) -> String {
        let id = self.id(effect, number);
        let (nl, en, ground) = (quoted(&wish.nl), quoted(&wish.en), quoted(&wish.ground));
        let mut when = vec![
            format!("context.uitwisseling == Uitwisseling::\"{}\"", self.exchange),
            format!("context.verzender in Functie::\"{}\"", self.from),
        ];
        let consents =
            [("beroepsgeheim", wish.beroepsgeheim), ("gezondheidsgegevens", wish.gezondheidsgegevens)];
        for (consent, _) in consents.iter().filter(|(_, asked)| effect == "permit" && *asked) {
            when.push(format!("context.{consent} == Toestemming::\"verleend\""));
        }
        format!(
            "@id(\"{id}\")\n@nl({nl})\n@en({en})\n@ground({ground})\n{effect} (\n  principal in Functie::\"{}\",\n  {action},\n  \
             resource in Dataklasse::\"{}\"\n) when {{\n  {}\n}};\n",
            self.to,
            self.class.name(),
            when.join(" &&\n  ")
        )
    }

    fn id(&self, effect: &str, number: u64) -> String {
        let not = if effect == "forbid" { "-niet" } else { "" };
        let id = format!("cel-{}-{}-{}-{number}{not}", self.exchange, self.to.role, self.class.name());
        let id = id.to_lowercase();
        if id.len() <= 64 { id } else { format!("cel-{number}{not}") }
    }
}

/// A text of Cedar. What cannot be seen becomes a space.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.trim().chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => quoted.push(' '),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            exchange: "X05".into(),
            from: "gemeente:klantmanager".parse().unwrap(),
            to: "rib:coach".parse().unwrap(),
            class: DataClass::FunctioneelUren,
        }
    }

    fn wish(form: Option<Form>) -> Wish {
        let text = "Zo \"gewenst\" \\ \n einde".to_owned();
        Wish {
            form,
            beroepsgeheim: false,
            gezondheidsgegevens: true,
            nl: text.clone(),
            en: text.clone(),
            ground: text,
        }
    }

    const FORMS: [Form; 3] = [Form::Vol, Form::Urenband, Form::JaNee];

    #[test]
    fn narrowing_forbids_what_reveals_more_and_permits_what_is_left() {
        let rules = place().rules(&wish(Some(Form::Urenband)), Some(Form::Vol), &FORMS, 2);
        assert!(rules.contains("forbid") && rules.contains("[Action::\"vol\"]"), "{rules}");
        assert!(rules.contains("permit") && rules.contains("== Action::\"urenband\""), "{rules}");
        assert_eq!(rules.matches("Toestemming").count(), 1, "a consent is asked by what permits: {rules}");
        let nothing = place().rules(&wish(None), Some(Form::Vol), &FORMS, 2);
        assert!(
            nothing.contains("action in Action::\"doorgeven\"") && !nothing.contains("permit"),
            "{nothing}"
        );
        assert_eq!(place().rules(&wish(None), None, &FORMS, 2), "", "nothing has to be said");
    }

    #[test]
    fn what_was_chosen_for_a_cell_is_replaced_and_nothing_else() {
        let written = "// van mensen\npermit (principal, action, resource);\n";
        let with = format!("{written}{}", place().rules(&wish(Some(Form::Vol)), None, &FORMS, 1));
        let other = Place { class: DataClass::Arbeid, ..place() };
        let both = format!("{with}{}", other.rules(&wish(Some(Form::Vol)), None, &FORMS, 2));
        assert_eq!(place().without(&with), written);
        let left = place().without(&both);
        assert!(left.contains("arbeid") && !left.contains("functioneel.uren"), "{left}");
        let chosen: Vec<DataClass> = Place::chosen(&both).map(|place| place.class).collect();
        assert_eq!(chosen, [DataClass::FunctioneelUren, DataClass::Arbeid]);
        assert!(place().is_chosen(&both) && !place().is_chosen(&left));
    }

    #[test]
    fn a_text_of_an_officer_cannot_end_its_own_quotes() {
        assert_eq!(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c d\"");
    }
}
