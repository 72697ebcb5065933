//! What a finding is called: the list that told it and the layer that saw it, `diagnose-psychisch.spelfout`.
//!
//! Owns: the names, made once a lexicon and only handed out afterwards. A rule never names a term: rules stand in the
//! public log.

use std::collections::HashMap;

use model::Name;

/// Which layer fired; the last part of a finding's rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Word,
    Compound,
    Typo,
    Disguise,
    Phrase,
    Code,
}

impl Layer {
    /// Every layer, in the order of the enum.
    const ALL: [Layer; 6] =
        [Layer::Word, Layer::Compound, Layer::Typo, Layer::Disguise, Layer::Phrase, Layer::Code];

    const fn name(self) -> &'static str {
        match self {
            Layer::Word => "woord",
            Layer::Compound => "samenstelling",
            Layer::Typo => "spelfout",
            Layer::Disguise => "vermomd",
            Layer::Phrase => "zin",
            Layer::Code => "code",
        }
    }
}

/// Rule names by number of their list, and layer.
#[derive(Default)]
pub(crate) struct Rules {
    names: Vec<[Name; Layer::ALL.len()]>,
    numbers: HashMap<Name, u16>,
}

impl Rules {
    /// The number of a list's rules.
    pub(crate) fn number(&mut self, list: &Name) -> u16 {
        if let Some(number) = self.numbers.get(list) {
            return *number;
        }
        let number = self.names.len() as u16;
        // a list with so long a name that no layer fits behind it is named alone: its findings must not be lost
        self.names.push(
            Layer::ALL
                .map(|layer| format!("{list}.{}", layer.name()).parse().unwrap_or_else(|_| list.clone())),
        );
        self.numbers.insert(list.clone(), number);
        number
    }

    /// The rule of a list for a layer.
    pub(crate) fn name(&self, number: u16, layer: Layer) -> Option<&Name> {
        self.names.get(usize::from(number)).and_then(|names| names.get(layer as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_too_long_a_name_keeps_it_as_its_rule() {
        let longest = (1..).map(|length| "x".repeat(length)).take_while(|name| name.parse::<Name>().is_ok());
        let list: Name = longest.last().unwrap().parse().unwrap();
        let short: Name = "klachten".parse().unwrap();
        let mut rules = Rules::default();
        let numbers = (rules.number(&list), rules.number(&short));
        assert_eq!(rules.number(&list), numbers.0, "numbered once");
        for layer in Layer::ALL {
            assert_eq!(rules.name(numbers.0, layer), Some(&list));
        }
        let named = rules.name(numbers.1, Layer::Typo).map(Name::as_str);
        assert_eq!(named, Some("klachten.spelfout"));
    }
}
