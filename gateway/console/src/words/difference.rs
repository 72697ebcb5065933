//! The words of a difference in meaning, which `policy` tells in English with names between marks of code.

use super::Language;

/// What a whole part is called in English, and in Dutch.
const WHOLE: [(&str, &str); 17] = [
    ("words that screening knows", "woorden die de poort leest"),
    ("minutes that an escape lasts", "minuten dat een noodgeval duurt"),
    ("what it asks of the traject", "wat het van het traject vraagt"),
    (
        "days that a traject lasts after its last statement",
        "dagen dat een traject duurt na de laatste melding",
    ),
    ("who may open one", "wie er een mag openen"),
    ("who may state its phase", "wie de fase mag doorgeven"),
    ("phases in which it fits", "fasen waarin het past"),
    ("days to collect within", "dagen om op te halen"),
    ("processing activity", "verwerkingsactiviteit"),
    ("days of retention", "dagen bewaren"),
    ("not registered", "niet ingeschreven"),
    ("nothing", "niets"),
    ("always", "altijd"),
    ("emergencies", "noodgevallen"),
    ("trajects", "trajecten"),
    ("guardrails", "vangrails"),
    ("lexicon", "woordenlijst"),
];

/// What stands within a part, with what names it.
const WITHIN: [(&str, &str); 4] = [
    ("emergency yes", "bij spoed"),
    ("emergency no", "zonder spoed"),
    (" for `", " voor `"),
    (" or ", " of "),
];

/// A part of a difference, in the language of the page and without the marks.
pub(crate) fn difference(text: &str, language: Language) -> String {
    if let Some(told) = cell(text, language).or_else(|| texts(text, language)) {
        return told;
    }
    if language == Language::En {
        return text.replace('`', "");
    }
    if let Some((_, nl)) = WHOLE.iter().find(|(en, _)| *en == text) {
        return (*nl).to_owned();
    }
    if let Some(id) = text.strip_prefix("exchange ") {
        return format!("uitwisseling {id}");
    }
    let mut told = text.to_owned();
    for (en, nl) in WITHIN {
        told = told.replace(en, nl);
    }
    told.replace('`', "")
}

/// What passes at a place: its class, in which form, by which rule.
fn cell(text: &str, language: Language) -> Option<String> {
    let (what, rule) = text.split_once(", by `")?;
    let (class, form) = what.split_once(" as ")?;
    let class = super::class(class.parse().ok()?, language);
    let (form, by) = (super::form(form.parse().ok()?, language), language.pick("door", "by"));
    Some(format!("{class}: {form}, {by} {}", rule.trim_end_matches('`')))
}

/// A class that texts may tell of.
fn texts(text: &str, language: Language) -> Option<String> {
    let class = text.strip_prefix("what texts may tell of: ")?.parse().ok()?;
    let told = language.pick("waarover teksten mogen vertellen", "what texts may tell of");
    Some(format!("{told}: {}", super::class(class, language)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_the_language_of_the_page_and_names_stay_what_they_are() {
        let cell = "functioneel.uren as vol, by `rib-uren`";
        assert_eq!(difference(cell, Language::Nl), "Belastbaarheid in uren: volledig, door rib-uren");
        assert_eq!(difference(cell, Language::En), "Hours: in full, by rib-uren");
        let texts = "what texts may tell of: arbeid";
        assert_eq!(difference(texts, Language::Nl), "waarover teksten mogen vertellen: Werk en opleiding");
        assert_eq!(difference("exchange X05", Language::Nl), "uitwisseling X05");
        assert_eq!(difference("nothing", Language::Nl), "niets");
        assert_eq!(difference("`naam.nothing`", Language::Nl), "naam.nothing", "a name stays what it is");
        assert_eq!(
            difference("beroepsgeheim onbekend or verleend", Language::Nl),
            "beroepsgeheim onbekend of verleend"
        );
    }
}
