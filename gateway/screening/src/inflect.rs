//! Layer 2: the forms of a term. Nouns get plurals and diminutives, adjectives their e, diagnoses their adjectives;
//! verbs their persons, past and participles.
//!
//! Owns: Dutch spelling of endings, generously: a form that no one writes costs one slot in a table. Forms
//! that would be other words are dealt with in the lexicon (flag `vast`). Takes plain ASCII words.

/// The forms of `word`, the word itself first.
pub(crate) fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return forms;
    }
    let is_vowel = |byte: &u8| b"aeiouy".contains(byte);
    let bytes = word.as_bytes();
    let tail: [u8; 3] =
        [bytes.len() - 3, bytes.len() - 2, bytes.len() - 1].map(|at| bytes.get(at).copied().unwrap_or(b' '));
    let mut add = |form: String| {
        if !forms.contains(&form) {
            forms.push(form);
        }
    };
    if let Some(stem) = word.strip_suffix('e') {
        // depressie, ziekte, psychose: plural in s, n or -en; adjective already there
        ["s", "n"].iter().for_each(|end| add([word, end].concat()));
        if word.ends_with("ie") {
            add([word, "en"].concat());
        }
        if word.ends_with("ste") || word.ends_with("sche") || word.ends_with("tieve") {
            add(stem.to_owned());
        }
        return forms;
    }
    ["s", "e", "en", "je", "jes"].iter().for_each(|end| add([word, end].concat()));
    match tail {
        // koorts-ig, angst: open syllable halves a double vowel (stoornis stays): gen-ees, psychoot, apneu
        [first, second, last] if first == second && is_vowel(&first) && !is_vowel(&last) => {
            if let Some(open) = word.get(..word.len() - 2) {
                let hard = word.get(word.len() - 1..).unwrap_or_default();
                let soft = match hard {
                    "s" => "z",
                    "f" => "v",
                    other => other,
                };
                for last in [hard, soft] {
                    ["e", "en"].iter().for_each(|end| add([open, last, end].concat()));
                }
            }
        }
        [first, second, last] if !is_vowel(&first) && is_vowel(&second) && !is_vowel(&last) => {
            let last = word.get(word.len() - 1..).unwrap_or_default();
            ["e", "en"].iter().for_each(|end| add([word, last, end].concat()));
        }
        _ => {}
    }
    if let Some(stem) = word.strip_suffix("ief") {
        ["ieve", "iever", "ieven", "iviteit"].iter().for_each(|end| add([stem, end].concat()));
    }
    if let Some(stem) = word.strip_suffix("um") {
        add([stem, "a"].concat());
    }
    if word.ends_with("heid") {
        add(format!("{}heden", word.strip_suffix("heid").unwrap_or(word)));
    }
    forms
}

/// The forms of the weak verb `infinitive`: persons, past, participles. Strong pasts stand in the lexicon by
/// themselves. With a prefix that stays (be-, ver-, her-, ont-) there is no ge-.
pub(crate) fn verb_forms(infinitive: &str) -> Vec<String> {
    let mut forms = vec![infinitive.to_owned(), [infinitive, "d"].concat(), [infinitive, "de"].concat()];
    let Some(root) = infinitive.strip_suffix("en").filter(|root| root.len() >= 2 && root.is_ascii()) else {
        return forms;
    };
    let voiceless = root.ends_with(['t', 'k', 'f', 's', 'p', 'x']) || root.ends_with("ch");
    let (dental, past) = if voiceless { ("t", "te") } else { ("d", "de") };
    let has_vowel = |rest: &str| rest.bytes().any(|byte| b"aeiouy".contains(&byte));
    let prefixed = ["be", "ver", "her", "ont", "ge", "er"]
        .iter()
        .any(|prefix| root.strip_prefix(prefix).is_some_and(has_vowel));
    // nobody hears from the spelling whether -eren is stressed: stotteren, dementeren
    let stressed = root.strip_suffix("er").map(|rest| [rest, "eer"].concat());
    for stem in [stem_of(root)].into_iter().chain(stressed) {
        let closed = |ending: &str| {
            if stem.ends_with(ending) { stem.clone() } else { [stem.as_str(), ending].concat() }
        };
        let participle = if prefixed { closed(dental) } else { ["ge", &closed(dental)].concat() };
        forms.extend([closed("t"), [stem.as_str(), past].concat(), [stem.as_str(), past, "n"].concat()]);
        forms.extend([[participle.as_str(), "e"].concat(), participle, stem]);
    }
    forms
}

/// The stem as it is written without -en: bev → beef, stopp → stop, brak → braak, tintel → tintel.
fn stem_of(root: &str) -> String {
    let bytes = root.as_bytes();
    let is_vowel = |byte: u8| b"aeiouy".contains(&byte);
    let at = |back: usize| {
        bytes.len().checked_sub(back).and_then(|index| bytes.get(index)).copied().unwrap_or(b' ')
    };
    let harden = |root: &str| match root.strip_suffix('v') {
        Some(rest) => format!("{rest}f"),
        None => root.strip_suffix('z').map_or_else(|| root.to_owned(), |rest| format!("{rest}s")),
    };
    let (before, vowel, last) = (at(3), at(2), at(1));
    if last == vowel && !is_vowel(last) {
        return root.get(..root.len() - 1).unwrap_or(root).to_owned();
    }
    let vowels = bytes.iter().filter(|byte| is_vowel(**byte)).count();
    // in tintelen and ademen the e before the last consonant is not stressed, and stays single
    let unstressed = vowel == b'e' && vowels > 1 && matches!(last, b'l' | b'r' | b'n' | b'm');
    let open = is_vowel(vowel)
        && !is_vowel(before)
        && !is_vowel(last)
        && vowel != b'i'
        && last != b'w'
        && !unstressed;
    if open {
        let long = format!("{}{}{}", root.get(..root.len() - 1).unwrap_or(root), vowel as char, last as char);
        return harden(&long);
    }
    harden(root)
}

#[cfg(test)]
mod tests {
    use super::{forms, verb_forms};

    #[test]
    fn a_verb_is_known_in_every_person_and_tense() {
        for (verb, expected) in [
            ("tintelen", &["tintelt", "tintelde", "getinteld", "tintelend"][..]),
            ("beven", &["beef", "beeft", "beefde", "beefden", "gebeefd"]),
            ("braken", &["braakt", "braakte", "gebraakt"]),
            ("hoesten", &["hoest", "hoestte", "gehoest"]),
            ("verkrampen", &["verkrampt", "verkrampte"]),
            ("herbeleven", &["herbeleeft", "herbeleefde", "herbeleefd"]),
            ("dementeren", &["dementeert", "dementeerde", "gedementeerd", "dementerende"]),
            ("kotsen", &["kotst", "kotste", "gekotst"]),
            ("snurken", &["snurkt", "gesnurkt"]),
            ("blowen", &["blowt", "geblowd"]),
        ] {
            let forms = verb_forms(verb);
            for form in expected {
                assert!(forms.iter().any(|known| known == form), "{verb}: {form} is not in {forms:?}");
            }
        }
    }

    #[test]
    fn a_term_is_known_in_the_forms_people_write() {
        for (term, expected) in [
            ("depressie", "depressies"),
            ("stoornis", "stoornissen"),
            ("depressief", "depressieve"),
            ("psychoot", "psychoten"),
            ("neuroloog", "neurologen"),
            ("psychotisch", "psychotische"),
            ("verslaafd", "verslaafde"),
            ("tumor", "tumoren"),
            ("kwetsbaarheid", "kwetsbaarheden"),
            ("therapeut", "therapeuten"),
            ("arts", "artsen"),
        ] {
            assert!(forms(term).iter().any(|form| form == expected), "{term}: {:?}", forms(term));
        }
    }
}
