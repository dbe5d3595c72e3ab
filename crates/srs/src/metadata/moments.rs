//! Moments in the metadata. They are claims, and nothing is reckoned with them; what is odd about
//! them is said, for whoever holds them against ours.

use crate::quirk::{Quirk, Quirks};

/// Before this year no product wrote metadata: a clock that says so was never set.
const YEAR_LEAST: u32 = 2000;

/// Says what is odd about a moment, which should be one of RFC 3339 (RFC 7865 §6.12).
pub(super) fn look_at(text: &str, quirks: &mut Quirks) {
    let Some((date, time)) = text.trim().split_once(['T', 't', ' ']) else {
        return;
    };
    let year = date.split('-').next().and_then(|year| year.parse().ok());
    if year.is_some_and(|year: u32| year < YEAR_LEAST) {
        quirks.add(Quirk::ClockNotSet);
    }
    let is_time = time.starts_with(|c: char| c.is_ascii_digit());
    if is_time && !time.contains(['Z', 'z', '+', '-']) {
        quirks.add(Quirk::TimeWithoutZone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_without_a_zone_and_a_clock_that_was_never_set_are_said() {
        let none: &[Quirk] = &[];
        for (text, said) in [
            ("2026-11-21T11:00:00Z", none),
            ("2026-11-21T11:00:00.5+01:00", none),
            (" 2026-11-21T11:00:00-0500\n", none),
            ("2026-11-21T11:00:00", &[Quirk::TimeWithoutZone]),
            ("2026-11-21 11:00:00.250", &[Quirk::TimeWithoutZone]),
            ("1970-05-13T00:00:01Z", &[Quirk::ClockNotSet]),
            (
                "1970-05-13T00:00:01",
                &[Quirk::ClockNotSet, Quirk::TimeWithoutZone],
            ),
            ("", none),
            ("yesterday", none),
        ] {
            let mut quirks = Quirks::default();
            look_at(text, &mut quirks);
            assert_eq!(quirks.as_slice(), said, "{text}");
        }
    }
}
