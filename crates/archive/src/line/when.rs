//! Times of the week and of the year, as a line's rules write them.
//!
//! A rule counts by the moment at which the call was offered, on the clock of the line's zone: so
//! a long call does not change rules at six o'clock, and a stranger gets the same answer later.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use voicelog_model::Timestamp;

/// A time zone by its name in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Default for Zone {
    fn default() -> Self {
        // The zone data is built in, and a test holds that it has this one.
        Self::try_from("Europe/Amsterdam".to_owned()).unwrap_or_else(|_none| Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        })
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match TimeZone::get(&name) {
            Ok(zone) => Ok(Self { name, zone }),
            Err(_unknown) => Err(format!(
                "no time zone is called {name:?}; give its name in the IANA database, such as \"Europe/Amsterdam\""
            )),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

/// A day of the week: `mon` to `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    const fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

/// Part of a day: `09:00-17:30`. One that ends before it begins runs past midnight and belongs to
/// the day on which it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from: Minute,
    to: Minute,
}

/// Minutes since midnight; 1440 = the midnight that ends the day.
type Minute = i32;
const DAY_MINUTES: Minute = 24 * 60;

impl TryFrom<String> for Hours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = || {
            format!(
                "{text:?} is no part of a day; write from and to as \"09:00-17:30\"; \"22:00-06:00\" runs past midnight"
            )
        };
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let from = minute(from.trim()).filter(|from| *from < DAY_MINUTES);
        let (from, to) = from.zip(minute(to.trim())).ok_or_else(wrong)?;
        if from == to {
            return Err(format!(
                "{text:?} ends where it begins; leave `hours` out for the whole day"
            ));
        }
        Ok(Self { from, to })
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        let [from, to] = [hours.from, hours.to].map(|at| format!("{:02}:{:02}", at / 60, at % 60));
        format!("{from}-{to}")
    }
}

fn minute(text: &str) -> Option<Minute> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: Minute| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = Minute::from_str(text).ok()?;
        (is_number && number <= most).then_some(number)
    };
    let at = number(hour, 24)? * 60 + number(minute, 59)?;
    (at <= DAY_MINUTES).then_some(at)
}

/// One day, or all days from one to another: `2026-12-25`, `2026-12-24/2026-12-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dates {
    first: Date,
    last: Date,
}

impl TryFrom<String> for Dates {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (first, last) = text.split_once('/').unwrap_or((&text, &text));
        let day = |text: &str| {
            let is_full = text.len() == "2026-12-25".len();
            text.parse::<Date>().ok().filter(|_day| is_full)
        };
        match (day(first), day(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(_), Some(_)) => Err(format!("{text:?} ends before it begins")),
            _ => Err(format!(
                "{text:?} is no day; write \"2026-12-25\", or \"2026-12-24/2026-12-26\" for several"
            )),
        }
    }
}

impl From<Dates> for String {
    fn from(dates: Dates) -> Self {
        if dates.first == dates.last {
            dates.first.to_string()
        } else {
            format!("{}/{}", dates.first, dates.last)
        }
    }
}

/// Whether a moment falls within these days, parts of days and dates; an empty list asks nothing.
pub(super) fn falls_within(
    at: Timestamp,
    zone: &Zone,
    (days, hours, dates): (&[Day], &[Hours], &[Dates]),
) -> bool {
    let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else {
        return false;
    };
    let local = moment.to_zoned(zone.zone.clone()).datetime();
    let (today, now) = (local.date(), minutes(local.time()));
    let is_day = |date: Date| {
        (days.is_empty() || days.iter().any(|day| day.weekday() == date.weekday()))
            && (dates.is_empty()
                || dates
                    .iter()
                    .any(|span| span.first <= date && date <= span.last))
    };
    if hours.is_empty() {
        return is_day(today);
    }
    hours.iter().any(|hours| {
        if hours.from < hours.to {
            return hours.from <= now && now < hours.to && is_day(today);
        }
        let began_today = hours.from <= now && is_day(today);
        let began_yesterday = now < hours.to && today.yesterday().is_ok_and(is_day);
        began_today || began_yesterday
    })
}

fn minutes(time: Time) -> Minute {
    Minute::from(time.hour()) * 60 + Minute::from(time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(text: &str) -> Result<Hours, String> {
        Hours::try_from(text.to_owned())
    }

    fn dates(text: &str) -> Result<Dates, String> {
        Dates::try_from(text.to_owned())
    }

    #[test]
    fn a_line_that_says_nothing_is_in_amsterdam() {
        assert_eq!(String::from(Zone::default()), "Europe/Amsterdam");
        let error = Zone::try_from("Europe/Amsterdm".to_owned()).unwrap_err();
        assert!(error.contains("Europe/Amsterdm"), "{error}");
    }

    #[test]
    fn office_hours_follow_the_clock_on_the_wall_in_summer_and_in_winter() {
        let zone = Zone::default();
        let office = [hours("09:00-17:30").unwrap()];
        let week = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
        for (moment, is_open) in [
            ("2026-07-01T06:59:59Z", false),
            ("2026-07-01T07:00:00Z", true),
            ("2026-12-01T07:59:59Z", false),
            ("2026-12-01T08:00:00Z", true),
            ("2026-12-01T16:29:59Z", true),
            ("2026-12-01T16:30:00Z", false),
            ("2026-12-05T10:00:00Z", false),
        ] {
            let found = falls_within(at(moment), &zone, (&week, &office, &[]));
            assert_eq!(found, is_open, "{moment}");
        }
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_began() {
        let zone = Zone::default();
        let night = [hours("22:00-06:00").unwrap()];
        let friday = [Day::Fri];
        for (moment, is_night) in [
            ("2026-12-04T20:59:59Z", false),
            ("2026-12-04T21:00:00Z", true),
            ("2026-12-05T04:59:59Z", true),
            ("2026-12-05T05:00:00Z", false),
            ("2026-12-04T03:00:00Z", false),
        ] {
            let found = falls_within(at(moment), &zone, (&friday, &night, &[]));
            assert_eq!(found, is_night, "{moment}");
        }
    }

    #[test]
    fn a_holiday_is_the_whole_day_where_the_line_is() {
        let zone = Zone::default();
        let christmas = [dates("2026-12-25/2026-12-26").unwrap()];
        for (moment, is_holiday) in [
            ("2026-12-24T22:59:59Z", false),
            ("2026-12-24T23:00:00Z", true),
            ("2026-12-26T22:59:59Z", true),
            ("2026-12-26T23:00:00Z", false),
        ] {
            let found = falls_within(at(moment), &zone, (&[], &[], &christmas));
            assert_eq!(found, is_holiday, "{moment}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_would_be_one() {
        for wrong in [
            "9-17",
            "09:00",
            "25:00-26:00",
            "24:00-06:00",
            "09:60-10:00",
            "+9:00-10:00",
        ] {
            assert!(hours(wrong).unwrap_err().contains("09:00-17:30"), "{wrong}");
        }
        assert!(
            hours("09:00-09:00")
                .unwrap_err()
                .contains("leave `hours` out")
        );
        assert_eq!(String::from(hours("18:00-24:00").unwrap()), "18:00-24:00");
        for wrong in ["25-12-2026", "2026-02-30", "2026-12-25T00:00", "kerst"] {
            assert!(dates(wrong).unwrap_err().contains("2026-12-25"), "{wrong}");
        }
        assert!(
            dates("2026-12-26/2026-12-25")
                .unwrap_err()
                .contains("before")
        );
    }
}
