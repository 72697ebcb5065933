//! Moments as people read them: RFC 3339 in UTC for machines, the wall clock in the Netherlands for people.
//!
//! Owns: that conversion. Knows the rule for Dutch summer time as the EU has it since 1996, so that no time
//! zone database is needed. What time it is, callers say.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use model::Timestamp;

/// Central European time and its summer time: last Sundays of March and October (directive 2000/84/EC).
static NETHERLANDS: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC));

const DAY_SECONDS: i64 = 86_400;

/// `2026-11-22T07:12:00.123Z`; moments outside the years that exist become the epoch.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    instant(time).to_string()
}

/// The wall clock in the Netherlands.
pub fn wall_clock(time: Timestamp) -> DateTime {
    NETHERLANDS.to_datetime(instant(time))
}

/// Which day it is in the Netherlands at this moment, counted from 1970-01-01; days before that are the first one.
pub fn day_number(time: Timestamp) -> u32 {
    let instant = instant(time);
    let seconds = instant.as_second() + i64::from(NETHERLANDS.to_offset(instant).seconds());
    u32::try_from(seconds.div_euclid(DAY_SECONDS)).unwrap_or(0)
}

/// The moment at which a day begins in the Netherlands; none for a day that no clock has.
pub fn midnight(day: Date) -> Option<Timestamp> {
    at_clock(day, 0)
}

/// The moment at which the clock in the Netherlands strikes this hour of a day; none for what no clock has.
pub fn at_clock(day: Date, hour: i8) -> Option<Timestamp> {
    let clock = day.to_datetime(Time::new(hour, 0, 0, 0).ok()?);
    let moment = NETHERLANDS.to_ambiguous_timestamp(clock).compatible().ok()?;
    Some(Timestamp::from_unix_millis(moment.as_millisecond()))
}

/// `22-11-2026 08:12`, as it is written in the Netherlands.
pub(crate) fn dutch(time: Timestamp) -> String {
    let clock = wall_clock(time);
    let (day, month, year) = (clock.day(), clock.month(), clock.year());
    format!("{day:02}-{month:02}-{year:04} {:02}:{:02}", clock.hour(), clock.minute())
}

fn instant(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(time.unix_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_in_the_netherlands_knows_summer_time() {
        let at = |text: &str| {
            Timestamp::from_unix_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
        };
        assert_eq!(dutch(at("2026-11-22T07:12:00Z")), "22-11-2026 08:12");
        assert_eq!(dutch(at("2026-03-29T00:59:00Z")), "29-03-2026 01:59");
        assert_eq!(dutch(at("2026-03-29T01:00:00Z")), "29-03-2026 03:00");
        assert_eq!(dutch(at("2026-10-25T01:00:00Z")), "25-10-2026 02:00");
        assert_eq!(rfc3339(at("2026-11-22T07:12:00.123Z")), "2026-11-22T07:12:00.123Z");
    }

    #[test]
    fn a_moment_that_no_calendar_has_is_no_panic() {
        for millis in [i64::MIN, i64::MAX] {
            assert_eq!(rfc3339(Timestamp::from_unix_millis(millis)), "1970-01-01T00:00:00Z");
        }
    }

    #[test]
    fn a_day_begins_by_the_clock_in_the_netherlands_and_the_days_of_the_change_are_23_and_25_hours() {
        let begins = |text: &str| midnight(text.parse().unwrap()).unwrap();
        assert_eq!(rfc3339(begins("2026-11-22")), "2026-11-21T23:00:00Z");
        assert_eq!(rfc3339(begins("2026-07-01")), "2026-06-30T22:00:00Z");
        let hours = |from, until| (begins(until).unix_millis() - begins(from).unix_millis()) / 3_600_000;
        assert_eq!((hours("2026-03-29", "2026-03-30"), hours("2026-10-25", "2026-10-26")), (23, 25));
        assert_eq!(wall_clock(begins("2026-03-29")).to_string(), "2026-03-29T00:00:00");
    }

    #[test]
    fn a_moment_is_in_the_day_that_begins_at_its_midnight_also_when_the_clock_changes() {
        for day in ["1970-01-02", "2026-03-29", "2026-10-25", "2026-12-31", "2028-02-29"] {
            let day: Date = day.parse().unwrap();
            let begins = midnight(day).unwrap();
            let number = day_number(begins);
            let since = day.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
            assert_eq!(i64::from(number), i64::from(since), "{day}");
            assert_eq!(day_number(begins.plus_seconds(-1)), number - 1);
            assert_eq!(day_number(midnight(day.tomorrow().unwrap()).unwrap().plus_seconds(-1)), number);
        }
        assert_eq!(day_number(Timestamp::from_unix_millis(i64::MIN)), 0);
    }

    #[test]
    fn the_clock_strikes_an_hour_once_a_day_whatever_the_season() {
        let at = |day: &str, hour| rfc3339(at_clock(day.parse().unwrap(), hour).unwrap());
        assert_eq!(at("2026-07-01", 6), "2026-07-01T04:00:00Z");
        assert_eq!(at("2026-03-29", 6), "2026-03-29T04:00:00Z");
        assert_eq!(at("2026-10-25", 6), "2026-10-25T05:00:00Z");
        assert_eq!(at_clock("2026-07-01".parse().unwrap(), 24), None);
    }
}
