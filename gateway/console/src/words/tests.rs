use std::path::Path;

use super::*;

fn everything() -> Vec<(&'static str, &'static str, &'static str)> {
    [Shell::ALL, Overview::ALL, Policies::ALL, Audit::ALL, Held::ALL, Inzage::ALL].concat()
}

#[test]
fn no_text_is_empty_or_left_in_the_other_language() {
    // The same word in both languages, and meant so.
    let alike = [
        "FSC logging (Logius)",
        "Authorization Decision Log",
        "Document (JSON)",
        "Record {}",
        "records",
        "Veldwacht",
        "privacy officer",
        "auditor",
        "Audit",
        "OIN",
        "Checkpoint",
        "Console",
        "Status",
        "Export",
        "Diagnose",
        "Trace",
        "Index",
        "nl",
        "en",
    ];
    for (key, nl, en) in everything() {
        assert!(!nl.trim().is_empty() && !en.trim().is_empty(), "{key} is empty");
        let same = nl == en && !alike.contains(&nl) && nl.chars().any(char::is_alphabetic);
        assert!(!same, "{key} is the same in both languages: {nl}");
        assert_eq!(nl.matches("{}").count(), en.matches("{}").count(), "{key} has other places to fill");
    }
}

#[test]
fn no_page_has_a_text_of_its_own() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        let text = without_markup(&page);
        let word =
            text.split_whitespace().find(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
        assert_eq!(word, None, "{} has a text that no language knows", path.display());
    }
}

/// What is left of a template without tags, expressions and comments.
fn without_markup(page: &str) -> String {
    let mut left = page.to_owned();
    for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<", ">")] {
        while let Some(start) = left.find(open) {
            let end =
                left[start..].find(close).unwrap_or_else(|| panic!("{open} is not closed")) + close.len();
            left.replace_range(start..start + end, " ");
        }
    }
    left.replace("&nbsp;", " ")
        .replace("&middot;", " ")
        .replace("&rarr;", " ")
        .replace("&larr;", " ")
        .replace("&times;", " ")
        .replace("&check;", " ")
        .replace("&minus;", " ")
}

#[test]
fn every_reason_class_form_and_kind_has_words_in_both_languages() {
    for reason in model::Reason::ALL {
        let (nl, en) = (super::reason(*reason, Language::Nl), super::reason(*reason, Language::En));
        assert!(!nl.is_empty() && nl != en, "{reason}");
    }
    for kind in ledger::Kind::ALL {
        assert_ne!(super::kind(*kind, Language::Nl), kind.name(), "{} has no words", kind.name());
    }
    for class in model::DataClass::ALL {
        assert!(!super::class(*class, Language::Nl).is_empty());
        assert!(!super::class(*class, Language::En).is_empty());
    }
}
