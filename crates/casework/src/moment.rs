//! Moments as people in the Netherlands read them: local time, the month as a word.

use jiff::ToSpan as _;
use jiff::Zoned;
use jiff::tz::TimeZone;
use voicelog_model::{Language, Timestamp};

const MONTHS: [(&str, &str); 12] = [
    ("januari", "January"),
    ("februari", "February"),
    ("maart", "March"),
    ("april", "April"),
    ("mei", "May"),
    ("juni", "June"),
    ("juli", "July"),
    ("augustus", "August"),
    ("september", "September"),
    ("oktober", "October"),
    ("november", "November"),
    ("december", "December"),
];

/// The time zone in which people are told moments.
#[must_use]
pub fn zone() -> TimeZone {
    // The zone data is built in; without it every moment would be told in UTC, never wrongly.
    TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC)
}

fn local(at: Timestamp) -> Zoned {
    at.to_jiff().to_zoned(zone())
}

/// `21 november 2026`.
#[must_use]
pub fn day(at: Timestamp, lang: Language) -> String {
    let local = local(at);
    let index = usize::try_from(local.month().saturating_sub(1)).unwrap_or(0);
    let month = MONTHS.get(index).map(|(nl, en)| lang.pick(nl, en));
    let month = month.unwrap_or_default();
    format!("{} {month} {}", local.day(), local.year())
}

/// `november 2026`.
#[must_use]
pub fn month(at: Timestamp, lang: Language) -> String {
    let day = day(at, lang);
    day.split_once(' ')
        .map_or_else(String::new, |(_day, month)| month.to_owned())
}

/// The first moment of the month that lies so many months before the one of `at`.
#[must_use]
pub fn month_start(at: Timestamp, before: i64) -> Timestamp {
    let first = local(at).first_of_month().and_then(|day| {
        let month = day.checked_sub(before.months())?;
        month.start_of_day()
    });
    first.map_or(at, |day| Timestamp::from_jiff(day.timestamp()))
}

/// `11:02`.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    let local = local(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// `21 november 2026 11:02:00`.
#[must_use]
pub fn moment(at: Timestamp, lang: Language) -> String {
    let (day, clock) = (day(at, lang), clock(at));
    format!("{day} {clock}:{:02}", local(at).second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_dutch_local_time_in_winter_and_in_summer() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let winter = at("2026-11-21T10:02:00Z");
        assert_eq!(moment(winter, Language::Nl), "21 november 2026 11:02:00");
        // The first of March begins in Amsterdam an hour before it does in UTC, the first of July two.
        assert_eq!(
            day(at("2027-02-28T23:00:00Z"), Language::Nl),
            "1 maart 2027"
        );
        assert_eq!(day(at("2026-06-30T22:00:00Z"), Language::En), "1 July 2026");
        assert_eq!(clock(at("2026-06-30T22:00:00Z")), "00:00");
    }
}
