//! Layer 2: the forms of a term. Nouns get plurals and diminutives, adjectives their e, diagnoses their adjectives.
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
        ["s", "n"].iter().for_each(|end| add(format!("{word}{end}")));
        if word.ends_with("ie") {
            add(format!("{word}en"));
        }
        if word.ends_with("ste") || word.ends_with("sche") || word.ends_with("tieve") {
            add(stem.to_owned());
        }
        return forms;
    }
    ["s", "e", "en", "je", "jes"].iter().for_each(|end| add(format!("{word}{end}")));
    match tail {
        // koorts-ig, angst: open syllable halves a double vowel (stoornis stays): gen-ees, psychoot, apneu
        [first, second, last] if first == second && is_vowel(&first) && !is_vowel(&last) => {
            if let Some(open) = word.get(..word.len() - 2) {
                let soft = match last {
                    b's' => 'z',
                    b'f' => 'v',
                    other => other as char,
                };
                for last in [last as char, soft] {
                    ["e", "en"].iter().for_each(|end| add(format!("{open}{last}{end}")));
                }
            }
        }
        [first, second, last] if !is_vowel(&first) && is_vowel(&second) && !is_vowel(&last) => {
            ["e", "en"].iter().for_each(|end| add(format!("{word}{}{end}", last as char)));
        }
        _ => {}
    }
    if let Some(stem) = word.strip_suffix("ief") {
        ["ieve", "iever", "ieven", "iviteit"].iter().for_each(|end| add(format!("{stem}{end}")));
    }
    if let Some(stem) = word.strip_suffix("um") {
        add(format!("{stem}a"));
    }
    if word.ends_with("heid") {
        add(format!("{}heden", word.strip_suffix("heid").unwrap_or(word)));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::forms;

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
