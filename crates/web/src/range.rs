//! Which part of a file an HTTP `Range` field asks for (RFC 9110 §14).

use std::ops::Range;

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// 200 with everything: no range, one we do not speak, or several at once.
    Whole,
    /// 206 with these bytes.
    Some(Range<usize>),
    /// 416: the range lies outside.
    Outside,
}

/// Reads the field for a file of `len` bytes.
///
/// Several ranges in one request are answered with the whole file, as RFC 9110 §14.2 allows; a
/// field that is not well formed is ignored, as it asks.
pub(crate) fn part(field: Option<&str>, len: usize) -> Part {
    let Some(spec) = field.and_then(|field| field.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.split_once('-') else {
        return Part::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 || len == 0 {
                Part::Outside
            } else {
                Part::Some(len.saturating_sub(suffix)..len)
            }
        }
        (Some(first), None) if last.is_empty() => {
            if first < len {
                Part::Some(first..len)
            } else {
                Part::Outside
            }
        }
        (Some(first), Some(last)) if first <= last => {
            if first < len {
                Part::Some(first..last.saturating_add(1).min(len))
            } else {
                Part::Outside
            }
        }
        _ => Part::Whole,
    }
}

/// Digits only; more digits than fit mean a very large number.
fn number(text: &str) -> Option<usize> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_in_each_of_its_three_forms() {
        assert_eq!(part(Some("bytes=0-0"), 10), Part::Some(0..1));
        assert_eq!(part(Some("bytes=2-5"), 10), Part::Some(2..6));
        assert_eq!(part(Some("bytes=2-"), 10), Part::Some(2..10));
        assert_eq!(part(Some("bytes=-3"), 10), Part::Some(7..10));
        assert_eq!(part(Some("bytes=-30"), 10), Part::Some(0..10));
        assert_eq!(
            part(Some("bytes=2-99999999999999999999999"), 10),
            Part::Some(2..10)
        );
    }

    #[test]
    fn outside_the_file_is_said_and_nonsense_is_ignored() {
        for field in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(part(Some(field), 10), Part::Outside, "{field}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Outside);
        for field in [
            "bytes=5-2",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=0-1,4-5",
            "items=0-1",
            "bytes=+1-2",
        ] {
            assert_eq!(part(Some(field), 10), Part::Whole, "{field}");
        }
        assert_eq!(part(None, 10), Part::Whole);
    }

    #[test]
    fn no_range_of_any_file_reaches_outside_it() {
        for len in 0..6_usize {
            for first in 0..8 {
                for last in 0..8 {
                    for field in [
                        format!("bytes={first}-{last}"),
                        format!("bytes={first}-"),
                        format!("bytes=-{last}"),
                    ] {
                        if let Part::Some(range) = part(Some(&field), len) {
                            assert!(
                                range.start < range.end && range.end <= len,
                                "{field} of {len}"
                            );
                        }
                    }
                }
            }
        }
    }
}
