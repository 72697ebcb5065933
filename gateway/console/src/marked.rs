//! A text in pieces: what findings point at is marked, and every character comes back once.

use screening::Finding;

/// A piece of a text, marked when something was found in it.
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) marked: bool,
}

impl Part {
    pub(crate) fn plain(text: &str) -> Part {
        Part { text: text.to_owned(), marked: false }
    }
}

/// A text in pieces: what findings point at is marked. Places that overlap are marked as one.
pub(crate) fn marked(text: &str, findings: &[Finding]) -> Vec<Part> {
    let mut places: Vec<(usize, usize)> =
        findings.iter().map(|finding| (finding.start, finding.end)).collect();
    places.sort_unstable();
    let (mut parts, mut at) = (Vec::new(), 0);
    let mut push = |from: usize, to: usize, marked| {
        if let Some(piece) = text.get(from..to).filter(|piece| !piece.is_empty()) {
            parts.push(Part { text: piece.to_owned(), marked });
        }
    };
    for (start, end) in places {
        if end <= at {
            continue;
        }
        push(at, start.max(at), false);
        push(start.max(at), end, true);
        at = end;
    }
    push(at, text.len(), false);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_text_comes_back_once_whatever_overlaps() {
        let finding = |start, end| Finding {
            start,
            end,
            class: model::DataClass::MedischDiagnose,
            rule: "x".parse().unwrap(),
        };
        let text = "cliënt heeft een depressie.";
        for findings in [
            vec![],
            vec![finding(18, 27)],
            vec![finding(0, 7), finding(3, 12), finding(5, 7)],
            vec![finding(0, text.len())],
        ] {
            let parts = marked(text, &findings);
            assert_eq!(parts.iter().map(|part| part.text.as_str()).collect::<String>(), text);
            assert_eq!(parts.iter().any(|part| part.marked), !findings.is_empty());
        }
    }
}
