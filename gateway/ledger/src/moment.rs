//! Moments as people read them: RFC 3339 in UTC for machines, the wall clock in the Netherlands for people.
//!
//! Owns: that conversion. Knows the rule for Dutch summer time as the EU has it since 1996, so that no time
//! zone database is needed. What time it is, callers say.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use model::Timestamp;

/// Central European time and its summer time: last Sundays of March and October (directive 2000/84/EC).
const NETHERLANDS: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// `2026-11-22T07:12:00.123Z`; moments outside the years that exist become the epoch.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    instant(time).to_string()
}

/// The wall clock in the Netherlands.
pub fn wall_clock(time: Timestamp) -> DateTime {
    let zone = TimeZone::posix(NETHERLANDS).unwrap_or(TimeZone::UTC);
    zone.to_datetime(instant(time))
}

/// The moment at which a day begins in the Netherlands; none for a day that no clock has.
pub fn midnight(day: Date) -> Option<Timestamp> {
    let zone = TimeZone::posix(NETHERLANDS).unwrap_or(TimeZone::UTC);
    let begins = day.to_zoned(zone).ok()?.timestamp();
    Some(Timestamp::from_unix_millis(begins.as_millisecond()))
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
}
