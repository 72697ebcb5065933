//! The words of a difference in meaning, which `policy` tells in English with names between marks of code.

use super::Language;

/// What a difference is called in English, and in Dutch; the longest first, so that none is cut by another.
const PHRASES: [(&str, &str); 15] = [
    ("words that screening knows", "woorden die de poort leest"),
    ("minutes that an escape lasts", "minuten dat een noodgeval duurt"),
    ("what it asks of the traject", "wat het van het traject vraagt"),
    ("phases in which it fits", "fasen waarin het past"),
    ("days to collect within", "dagen om op te halen"),
    ("processing activity", "verwerkingsactiviteit"),
    ("days of retention", "dagen bewaren"),
    ("not registered", "niet ingeschreven"),
    ("emergency yes", "bij spoed"),
    ("emergency no", "zonder spoed"),
    ("nothing", "niets"),
    ("always", "altijd"),
    (" for `", " voor `"),
    (", by `", ", door `"),
    (" as ", " als "),
];

/// A part of a difference, in the language of the page and without the marks.
pub(crate) fn difference(text: &str, language: Language) -> String {
    let mut told = text.to_owned();
    if language == Language::Nl {
        for (en, nl) in PHRASES {
            told = told.replace(en, nl);
        }
        told = told.replace(" or ", " of ");
    }
    told.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_the_language_of_the_page_and_names_stay_what_they_are() {
        let cell = "functioneel.uren as vol, by `rib-uren`";
        assert_eq!(difference(cell, Language::Nl), "functioneel.uren als vol, door rib-uren");
        assert_eq!(difference(cell, Language::En), "functioneel.uren as vol, by rib-uren");
        assert_eq!(
            difference("beroepsgeheim onbekend or verleend", Language::Nl),
            "beroepsgeheim onbekend of verleend"
        );
    }
}
