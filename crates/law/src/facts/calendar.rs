//! Moments, days and terms. A term of days, weeks, months or years runs in Europe/Amsterdam.

use crate::text::Bilingual;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use voicelog_model::{Kind, Timestamp};

/// The word for a term without end.
pub(crate) const UNLIMITED: &str = "unlimited";
/// The zone in which Dutch terms run.
const ZONE: &str = "Europe/Amsterdam";
/// Longest term that we count with, in any unit.
const COUNT_MAX: i64 = 9_999;

/// An RFC 3339 date-time with an offset, in the strict spelling of §5.6.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let (stem, rest) = bytes.split_at_checked(shape.len())?;
    let fits = |pattern: &[u8], text: &[u8]| {
        pattern.len() == text.len()
            && pattern.iter().zip(text).all(|(want, is)| match want {
                b'd' => is.is_ascii_digit(),
                other => other == is,
            })
    };
    if !fits(shape, stem) {
        return None;
    }
    let offset = match rest.split_first() {
        Some((b'.', fraction)) => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            fraction.get(digits..).filter(|_| digits > 0)?
        }
        _ => rest,
    };
    if offset != b"Z" && !fits(b"+dd:dd", offset) && !fits(b"-dd:dd", offset) {
        return None;
    }
    // §5.6 has hours up to 23 and minutes up to 59; the calendar library takes more.
    let part = |range: std::ops::Range<usize>| offset.get(range).unwrap_or_default();
    if part(1..3) > b"23" || part(4..6) > b"59" {
        return None;
    }
    text.parse().ok()
}

/// An RFC 3339 full-date.
pub(crate) fn day(text: &str) -> Option<Date> {
    (text.len() == "2026-11-21".len())
        .then(|| text.parse().ok())
        .flatten()
}

/// A text stands for no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMoment {
    /// It is written otherwise, or no calendar has it.
    Unreadable,
    /// It is a day that lies beyond the moments that we count with.
    TooFar,
}

impl NoMoment {
    /// What is wrong and what would be right.
    #[must_use]
    pub const fn text(self) -> Bilingual {
        match self {
            Self::Unreadable => Bilingual {
                nl: "dit is geen dag (2026-11-21) en geen moment (2026-11-21T10:02:00Z)",
                en: "this is neither a day (2026-11-21) nor a moment (2026-11-21T10:02:00Z)",
            },
            Self::TooFar => Bilingual {
                nl: "deze dag ligt te ver weg; kies een dag tot en met 9999-12-30",
                en: "this day lies too far away; choose one up to 9999-12-30",
            },
        }
    }

    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(self) -> Kind {
        Kind::Invalid
    }
}

/// A moment, or a day, which counts from its beginning in the Netherlands.
///
/// # Errors
/// The text is neither, or the day lies too far away.
pub fn moment_or_day(text: &str) -> Result<Timestamp, NoMoment> {
    if let Some(moment) = moment(text) {
        return Ok(moment);
    }
    let day = text.get(..10).and_then(day);
    let begin = day.and_then(start_of);
    match (day, begin) {
        (Some(_), Some(begin)) if text.len() == 10 => Ok(begin),
        // A moment of that day has no place either.
        (Some(_), None) => Err(NoMoment::TooFar),
        _ => Err(NoMoment::Unreadable),
    }
}

/// The moment at which a day begins.
pub(crate) fn start_of(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::get(ZONE).ok()?)
        .ok()
        .map(|start| start.timestamp().to_string())
        .and_then(|text| text.parse().ok())
}

/// An ISO 8601 duration in years, months, weeks and days, in that order.
pub(crate) fn term(text: &str) -> Option<Span> {
    let mut rest = text.strip_prefix('P')?;
    let mut span = Span::new();
    let mut units = "YMWD".chars();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = rest.split_at_checked(unit_at)?;
        let count: i64 = digits.parse().ok().filter(|count| *count <= COUNT_MAX)?;
        let mut letters = after.chars();
        let unit = letters.next()?;
        // Each unit once, and only after the larger ones.
        units.find(|known| *known == unit)?;
        span = match unit {
            'Y' => span.try_years(count),
            'M' => span.try_months(count),
            'W' => span.try_weeks(count),
            _ => span.try_days(count),
        }
        .ok()?;
        rest = letters.as_str();
    }
    Some(span)
}

/// The moment at which a term that starts at `from` has run out.
pub(crate) fn after(from: Timestamp, term: Span) -> Option<Timestamp> {
    let zone = TimeZone::get(ZONE).ok()?;
    let end = from.to_jiff().to_zoned(zone).checked_add(term).ok()?;
    Some(Timestamp::from_jiff(end.timestamp()))
}

/// Whether `later` lies at most one month after `earlier`.
pub(crate) fn within_a_month(earlier: Date, later: Date) -> bool {
    earlier
        .checked_add(1.month())
        .is_ok_and(|limit| later <= limit)
}

/// The day it is in Amsterdam.
pub(crate) fn day_of(at: Timestamp) -> Date {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    at.to_jiff().to_zoned(zone).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_has_an_offset_and_the_letter_t() {
        for right in [
            "2026-11-21T10:02:00Z",
            "2026-11-21T10:02:00+01:00",
            "2026-11-21T10:02:00.25-05:00",
            "2026-11-21T10:02:00-23:59",
        ] {
            assert!(moment(right).is_some(), "{right}");
        }
        for wrong in [
            "2026-11-21",
            "2026-11-21T10:02:00",
            "2026-11-21 10:02:00Z",
            "2026-11-21T10:02Z",
            "2026-13-21T10:02:00Z",
            "2026-11-21T10:02:00.Z",
            "2026-11-21T10:02:00+0100",
            "2026-11-21T10:02:00+24:00",
            "2026-11-21T10:02:00-01:60",
            "2026-11-21T10:02:00Z[Europe/Amsterdam]",
        ] {
            assert!(moment(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_day_beyond_all_moments_is_told_from_what_is_no_day() {
        assert_eq!(moment_or_day("2026-11-21"), Ok(at("2026-11-20T23:00:00Z")));
        assert!(moment_or_day("9999-12-30").is_ok());
        assert_eq!(moment_or_day("9999-12-31"), Err(NoMoment::TooFar));
        for wrong in ["2026-11-31", "21-11-2026", "2026-11-21 10:02", "morgen", ""] {
            assert_eq!(moment_or_day(wrong), Err(NoMoment::Unreadable), "{wrong}");
        }
    }

    #[test]
    fn a_term_has_years_months_weeks_and_days_in_that_order() {
        for right in ["P5Y", "P2W", "P1Y6M", "P30D"] {
            assert!(term(right).is_some(), "{right}");
        }
        for wrong in [
            "", "P", "5Y", "P5", "PT5H", "P1D1Y", "P1Y1Y", "P-1Y", "P99999Y", "p5y",
        ] {
            assert!(term(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_term_runs_by_the_dutch_calendar() {
        // A month from the last of January ends on the last of February, at the same local hour.
        let end = after(at("2026-01-31T12:00:00+01:00"), term("P1M").unwrap()).unwrap();
        assert_eq!(end, at("2026-02-28T12:00:00+01:00"));
        // Over the change to summer time a day has 23 hours.
        let end = after(at("2026-03-28T12:00:00+01:00"), term("P1D").unwrap()).unwrap();
        assert_eq!(end, at("2026-03-29T12:00:00+02:00"));
    }

    #[test]
    fn the_day_is_the_one_in_amsterdam() {
        assert_eq!(day_of(at("2026-11-21T23:30:00Z")).to_string(), "2026-11-22");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in "[P0-9YMWDTZ:.+-]{0,30}") {
            let _ignored = (moment(&text), day(&text), term(&text));
        }
    }
}
