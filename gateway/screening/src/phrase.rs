//! Layer 6 and 7, reading: the small language of phrases and guards.
//!
//! Owns: what a pattern may say and what it may cost. `a|b` alternatives, `@set`, `%list`, `?` optional, `*` any
//! word, `#` a number, `$` the end of a clause, `^` with a capital, `!` in capitals, `..3` up to three words between, `~3` the same but no new
//! clause, `&3` the same in either order (the lexicon makes two patterns of it), `+x` the forms of the verb x, `{…}` the words that the finding or the guard covers. Next: `matcher` runs the compiled elements.

/// One step of a pattern, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A word that is one of these.
    Word(Choice),
    /// Up to so many words; `tight` stops at a comma and at a new clause.
    Gap { most: u8, tight: bool },
    /// The end of a clause: nothing, a comma or a full stop comes next.
    End,
}

/// The words a step may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Choice {
    /// Words, `@set` and `%list`.
    pub(crate) options: Vec<String>,
    /// Any word will do.
    pub(crate) any: bool,
    /// Any number will do.
    pub(crate) number: bool,
    pub(crate) optional: bool,
    pub(crate) marked: bool,
    pub(crate) capital: bool,
    pub(crate) capitals: bool,
}

/// How many ways a matcher may have to try at one place.
const MOST_WAYS: usize = 1200;
/// How many steps a pattern may have.
pub(crate) const MOST_STEPS: usize = 16;

/// Reads a pattern; the error says what is wrong with it.
pub(crate) fn parse(pattern: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    let mut marking = false;
    let mut ways = 1usize;
    for word in pattern.split_whitespace() {
        let step = step(word, &mut marking)?;
        match &step {
            Step::Gap { most, .. } => ways = ways.saturating_mul(usize::from(*most) + 1),
            Step::Word(choice) if choice.optional => ways = ways.saturating_mul(2),
            Step::Word(_) | Step::End => {}
        }
        steps.push(step);
    }
    let certain =
        |step: &Step| matches!(step, Step::Word(choice) if !choice.optional && !choice.options.is_empty());
    match steps.as_slice() {
        _ if marking => Err("a `{` is not closed"),
        _ if ways > MOST_WAYS => Err("too many gaps and optional words; make the pattern more exact"),
        _ if steps.len() > MOST_STEPS => Err("a pattern has at most 16 steps"),
        _ if !steps.iter().any(certain) => Err("a pattern needs at least one word that is not optional"),
        [first, .., last] if is_loose(first) || is_loose(last) => {
            Err("a pattern does not begin or end with a gap or an optional word")
        }
        _ => Ok(steps),
    }
}

fn is_loose(step: &Step) -> bool {
    match step {
        Step::Gap { .. } => true,
        Step::Word(choice) => choice.optional,
        Step::End => false,
    }
}

fn step(word: &str, marking: &mut bool) -> Result<Step, &'static str> {
    if word == "$" {
        return Ok(Step::End);
    }
    for (sign, tight) in [("..", false), ("~", true)] {
        if let Some(most) = word.strip_prefix(sign) {
            let most: u8 = most.parse().map_err(|_| "a gap is `..` or `~` and a number up to 9")?;
            return if most <= 9 { Ok(Step::Gap { most, tight }) } else { Err("a gap is at most 9 words") };
        }
    }
    let mut choice = Choice::default();
    let mut rest = word;
    if let Some(inner) = rest.strip_prefix('{') {
        *marking = true;
        rest = inner;
    }
    choice.marked = *marking;
    if let Some(inner) = rest.strip_suffix('}') {
        *marking = false;
        rest = inner;
    }
    if let Some(inner) = rest.strip_suffix('?') {
        choice.optional = true;
        rest = inner;
    }
    if let Some(inner) = rest.strip_prefix('^') {
        choice.capital = true;
        rest = inner;
    }
    if let Some(inner) = rest.strip_prefix('!') {
        choice.capitals = true;
        rest = inner;
    }
    match rest {
        "" => return Err("a step is empty"),
        "*" => choice.any = true,
        "#" => choice.number = true,
        _ => {
            choice.options = rest.split('|').map(str::to_owned).collect();
            if choice.options.iter().any(String::is_empty) {
                return Err("an alternative is empty");
            }
        }
    }
    Ok(Step::Word(choice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_could_be_slow_or_says_nothing_is_refused() {
        for bad in [
            "",
            "..3",
            "* *",
            "een? twee?",
            "a ..9 b ..9 c ..9 d ..9 e",
            "a ..x b",
            "..2 a",
            "{a b",
            "a||b",
            "a ~12 b",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_says_what_it_covers() {
        let steps = parse("aanvraag ~4 {in behandeling}").unwrap();
        let marked: Vec<bool> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Word(choice) => Some(choice.marked),
                Step::Gap { .. } | Step::End => None,
            })
            .collect();
        assert_eq!(marked, [false, true, true]);
    }
}
