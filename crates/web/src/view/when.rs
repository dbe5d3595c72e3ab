//! Moments and lengths as people in the Netherlands read them.

use jiff::civil;
use voicelog_casework::moment;
use voicelog_model::{Language, Timestamp};

/// A moment in two forms: for machines (`datetime` attribute) and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// RFC 3339 in UTC.
    pub(crate) iso: String,
    /// `21 november 2026 11:02:00`.
    pub(crate) text: String,
    /// `21 november 2026`.
    pub(crate) day: String,
    /// `11:02`.
    pub(crate) clock: String,
}

impl When {
    /// The moment in Dutch local time.
    pub(crate) fn new(at: Timestamp, lang: Language) -> Self {
        Self {
            iso: at.to_string(),
            text: moment::moment(at, lang),
            day: moment::day(at, lang),
            clock: moment::clock(at),
        }
    }
}

/// The first moment of a day that a date field gave (`2026-11-21`), in Dutch local time.
pub(crate) fn day_start(text: &str) -> Option<Timestamp> {
    start_of(text.parse().ok()?)
}

/// The first moment after such a day.
pub(crate) fn day_end(text: &str) -> Option<Timestamp> {
    let day: civil::Date = text.parse().ok()?;
    start_of(day.tomorrow().ok()?)
}

/// The moment that a date field and a time field gave (`14:05`), in Dutch local time.
pub(crate) fn moment_of(day: &str, clock: &str) -> Option<Timestamp> {
    let (day, clock) = (day.parse::<civil::Date>().ok()?, clock.parse().ok()?);
    let zoned = day.to_datetime(clock).to_zoned(moment::zone()).ok()?;
    Some(Timestamp::from_jiff(zoned.timestamp()))
}

fn start_of(day: civil::Date) -> Option<Timestamp> {
    let zoned = day.to_zoned(moment::zone()).ok()?;
    Some(Timestamp::from_jiff(zoned.timestamp()))
}

/// A length as `1:02:03` or `2:03`, whole seconds rounded to the nearest.
pub(crate) fn length(micros: u64) -> String {
    let seconds = micros.saturating_add(500_000) / 1_000_000;
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

/// The length from one moment to a later one.
pub(crate) fn length_between(start: Timestamp, end: Timestamp) -> String {
    length(u64::try_from(end.micros_since(start)).unwrap_or(0))
}

/// A place in a recording as `00:07.250`, to the millisecond, as the timeline states it.
pub(crate) fn offset(micros: u64) -> String {
    let millis = micros / 1_000;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, rest) = (millis / 1_000 % 60, millis % 1_000);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}.{rest:03}")
    } else {
        format!("{minutes:02}:{seconds:02}.{rest:03}")
    }
}

/// A short length with its unit: `20 ms`, `1,3 s`, `2:03 min`.
pub(crate) fn span(micros: u64, lang: Language) -> String {
    let millis = micros / 1_000;
    if millis < 1_000 {
        return format!("{millis} ms");
    }
    if millis < 60_000 {
        let comma = lang.pick(",", ".");
        return format!("{}{comma}{} s", millis / 1_000, millis / 100 % 10);
    }
    let unit = if millis < 3_600_000 {
        "min"
    } else {
        lang.pick("uur", "h")
    };
    format!("{} {unit}", length(micros))
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64, lang: Language) -> String {
    let comma = lang.pick(",", ".");
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{}{comma}{} kB", count / 1_000, count / 100 % 10),
        1_000_000..1_000_000_000 => {
            format!("{}{comma}{} MB", count / 1_000_000, count / 100_000 % 10)
        }
        _ => format!(
            "{}{comma}{} GB",
            count / 1_000_000_000,
            count / 100_000_000 % 10
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_told_in_dutch_local_time_in_winter_and_in_summer() {
        let winter = When::new(at("2026-11-21T10:02:00Z"), Language::Nl);
        assert_eq!(winter.text, "21 november 2026 11:02:00");
        assert_eq!(winter.iso, "2026-11-21T10:02:00.000000Z");
        assert_eq!(
            When::new(at("2026-07-01T22:30:00Z"), Language::En).text,
            "2 July 2026 00:30:00"
        );
    }

    #[test]
    fn a_day_lasts_as_long_as_it_lasts_here() {
        let length =
            |day| day_end(day).unwrap().micros_since(day_start(day).unwrap()) / 3_600_000_000;
        assert_eq!(length("2026-11-21"), 24);
        assert_eq!(length("2026-10-25"), 25);
        assert_eq!(length("2026-03-29"), 23);
        assert_eq!(day_start("2026-11-21"), Some(at("2026-11-20T23:00:00Z")));
        assert_eq!(day_start("21-11-2026"), None);
        assert_eq!(day_start("2026-02-30"), None);
    }

    #[test]
    fn lengths_round_and_places_do_not() {
        assert_eq!(length(59_500_000), "1:00");
        assert_eq!(length(3_723_000_000), "1:02:03");
        assert_eq!(
            length_between(at("2026-11-21T10:02:00Z"), at("2026-11-21T10:01:00Z")),
            "0:00"
        );
        assert_eq!(offset(7_250_999), "00:07.250");
        assert_eq!(offset(3_600_000_000), "1:00:00.000");
        assert_eq!(span(20_000, Language::Nl), "20 ms");
        assert_eq!(span(1_340_000, Language::Nl), "1,3 s");
        assert_eq!(span(123_000_000, Language::En), "2:03 min");
        assert_eq!(bytes(1_234_567, Language::Nl), "1,2 MB");
    }
}
