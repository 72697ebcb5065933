//! How things are written for people: moments, numbers, names of organisations and of roles.

use model::{Name, Oin, Purpose, Role, Timestamp};
use policy::{Proven, Titled};

use crate::words::Language;

/// `22 nov 2026, 08:12`, by the clock in the Netherlands.
pub(crate) fn moment(time: Timestamp, language: Language) -> String {
    let clock = ledger::wall_clock(time);
    format!("{}, {:02}:{:02}", date(time, language), clock.hour(), clock.minute())
}

/// `22 nov 2026`.
pub(crate) fn date(time: Timestamp, language: Language) -> String {
    let clock = ledger::wall_clock(time);
    format!("{} {} {}", clock.day(), month(clock.month(), language), clock.year())
}

/// `08:12:31`.
pub(crate) fn clock(time: Timestamp) -> String {
    let clock = ledger::wall_clock(time);
    format!("{:02}:{:02}:{:02}", clock.hour(), clock.minute(), clock.second())
}

/// `3 minuten geleden`: in the largest unit that is whole.
pub(crate) fn ago(time: Timestamp, now: Timestamp, language: Language) -> String {
    let seconds = (now.unix_millis() - time.unix_millis()).max(0) / 1000;
    let (count, nl, en) = match seconds {
        0..120 => (seconds, "seconden", "seconds"),
        120..7_200 => (seconds / 60, "minuten", "minutes"),
        7_200..172_800 => (seconds / 3_600, "uur", "hours"),
        _ => (seconds / 86_400, "dagen", "days"),
    };
    format!("{count} {} {}", language.pick(nl, en), language.pick("geleden", "ago"))
}

/// For `datetime=`: the same moment as machines write it.
pub(crate) fn machine(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.unix_millis()).unwrap_or_default().to_string()
}

pub(crate) fn month(month: i8, language: Language) -> &'static str {
    let nl = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"];
    let en = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let names = if language == Language::Nl { nl } else { en };
    usize::try_from(month - 1).ok().and_then(|month| names.get(month)).copied().unwrap_or("")
}

/// `12.345` in Dutch, `12,345` in English.
pub(crate) fn number(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(language.pick(".", ","));
        }
        text.push(digit);
    }
    text
}

/// A text with its places `{}` filled in, in order.
pub(crate) fn fill(text: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut parts = text.split("{}");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        filled.push_str(values.next().copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

/// The name of an organisation, or its number where the bundle does not know it.
pub(crate) fn organisation(oin: &Oin, proven: &Proven) -> String {
    proven.organisation(oin).map_or_else(|| oin.to_string(), |organisation| organisation.name.to_string())
}

/// What a role is called.
pub(crate) fn role(role: &Role, proven: &Proven, language: Language) -> String {
    titled(proven, Titled::Role(role), language).unwrap_or_else(|| plain(role.as_str()))
}

/// What a purpose is called.
pub(crate) fn purpose(purpose: &Purpose, proven: &Proven, language: Language) -> String {
    titled(proven, Titled::Purpose(purpose), language).unwrap_or_else(|| plain(purpose.as_str()))
}

/// What a kind of organisation is called.
pub(crate) fn kind_of_organisation(kind: &Name, proven: &Proven, language: Language) -> String {
    titled(proven, Titled::Kind(kind), language).unwrap_or_else(|| plain(kind.as_str()))
}

fn titled(proven: &Proven, of: Titled<'_>, language: Language) -> Option<String> {
    proven.title(of).map(|title| language.sentence(title).to_owned())
}

/// A name of the bundle as words.
pub(crate) fn plain(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_are_written_as_the_language_has_it() {
        assert_eq!(number(0, Language::Nl), "0");
        assert_eq!(number(1_234_567, Language::Nl), "1.234.567");
        assert_eq!(number(999, Language::En), "999");
        assert_eq!(number(12_000, Language::En), "12,000");
        let time = Timestamp::from_unix_millis(1_795_331_520_000);
        assert_eq!(moment(time, Language::Nl), "22 nov 2026, 08:12");
    }

    #[test]
    fn how_long_ago_is_told_in_whole_units_and_never_below_zero() {
        let ago = |seconds: i64| {
            super::ago(
                Timestamp::from_unix_millis(0),
                Timestamp::from_unix_millis(seconds * 1000),
                Language::Nl,
            )
        };
        assert_eq!(
            [ago(-5), ago(90), ago(150), ago(90_000), ago(200_000)],
            [
                "0 seconden geleden",
                "90 seconden geleden",
                "2 minuten geleden",
                "25 uur geleden",
                "2 dagen geleden"
            ]
        );
    }

    #[test]
    fn places_in_a_text_are_filled_in_order_and_a_value_is_never_a_place() {
        assert_eq!(fill("{} van {}", &["{}", "b"]), "{} van b");
        assert_eq!(fill("geen", &["a"]), "geen");
    }
}
