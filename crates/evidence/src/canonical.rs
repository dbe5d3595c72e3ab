//! Canonical JSON: one value, one spelling (after RFC 8785).
//!
//! Members sorted by the bytes of their names, no white space, no member twice, strings in UTF-8
//! with the shortest escapes, and of the numbers whole ones only, within ±(2^53 − 1): that is what
//! every reader of JSON keeps exactly. Names are ASCII in every format of ours, so that sorting by
//! bytes is also RFC 8785's sorting by UTF-16 units; a name that is not is refused.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use std::collections::BTreeMap;
use voicelog_model::Kind;

/// Largest whole number that every reader of JSON keeps exactly (RFC 8785 §3.2.2.3).
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Why bytes are not canonical JSON of what was expected.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// Not JSON, or not of the expected shape.
    #[error("not the expected JSON")]
    Shape(#[source] serde_json::Error),
    /// Right value, wrong spelling.
    #[error("JSON is not in canonical form: it differs from byte {at} on")]
    Spelling {
        /// The first byte that differs.
        at: usize,
    },
    /// A number with a fraction, or beyond ±(2^53 − 1).
    #[error("a number is not whole or too large")]
    Number,
    /// A member's name that is not ASCII.
    #[error("the name of a member is not ASCII")]
    Name,
}

impl CanonicalError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Writes a value of ours.
///
/// Fails only where the value holds what canonical JSON has no spelling for: a fraction, a number
/// beyond ±(2^53 − 1), a map whose keys are no strings.
pub fn canonical_json(value: &impl Serialize) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(CanonicalError::Shape)?;
    let mut out = Vec::new();
    write(&value, write_number, &mut out)?;
    Ok(out)
}

/// As [`canonical_json`], for a format of others that counts seconds with a fraction: numbers may have up to
/// six decimals. RFC 8785 spells those as they are written down: no more digits than there are.
pub(crate) fn canonical_json_with_micros(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(value, write_micros, &mut out)?;
    Ok(out)
}

type WriteNumber = fn(&Number, &mut Vec<u8>) -> Result<(), CanonicalError>;

/// Reads canonical JSON: exactly the bytes that [`canonical_json`] writes for the value, so that
/// also a member that is missing, doubled or unknown is refused.
pub fn from_canonical<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes).map_err(CanonicalError::Shape)?;
    let written = canonical_json(&value)?;
    if written != bytes {
        let same = written
            .iter()
            .zip(bytes)
            .take_while(|(left, right)| left == right)
            .count();
        return Err(CanonicalError::Spelling { at: same });
    }
    Ok(value)
}

/// Written out here, not left to `serde_json`: another crate in the house may switch on a feature
/// of it that keeps members in another order.
fn write(value: &Value, number: WriteNumber, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::String(text) => write_text(text, out)?,
        Value::Number(value) => number(value, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                separate(place, out);
                write(item, number, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            out.push(b'{');
            for (place, (name, member)) in sorted.into_iter().enumerate() {
                if !name.is_ascii() {
                    return Err(CanonicalError::Name);
                }
                separate(place, out);
                write_text(name, out)?;
                out.push(b':');
                write(member, number, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn separate(place: usize, out: &mut Vec<u8>) {
    if place > 0 {
        out.push(b',');
    }
}

/// `serde_json` escapes what RFC 8785 §3.2.2.2 escapes, in the same way.
fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    serde_json::to_writer(out, text).map_err(CanonicalError::Shape)
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    let whole = number.as_i64().ok_or(CanonicalError::Number)?;
    if whole.unsigned_abs() > INTEGER_MAX {
        return Err(CanonicalError::Number);
    }
    out.extend_from_slice(whole.to_string().as_bytes());
    Ok(())
}

fn write_micros(number: &Number, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    let Some(value) = number.as_f64().filter(|_value| number.is_f64()) else {
        return write_number(number, out);
    };
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0');
    // Another value than the one that was meant: more decimals, or none at all.
    if text.parse() != Ok(value) || text.ends_with('.') {
        return Err(CanonicalError::Number);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        zebra: i64,
        apple: String,
        middle: Option<bool>,
    }

    #[test]
    fn seconds_are_written_with_the_decimals_that_they_have() {
        let spelled = |text: &str| {
            let value: Value = serde_json::from_str(text).unwrap();
            let bytes = canonical_json_with_micros(&value).ok()?;
            String::from_utf8(bytes).ok()
        };
        for kept in ["41", "0.3", "0.000001", "2467.123456", "86399.999999"] {
            assert_eq!(spelled(kept).as_deref(), Some(kept));
        }
        assert_eq!(spelled("1e-6").as_deref(), Some("0.000001"));
        for refused in ["0.0000001", "1.0", "9007199254740993", "1e300"] {
            assert_eq!(spelled(refused), None, "{refused}");
        }
    }

    #[test]
    fn members_are_sorted_and_nothing_is_spaced() {
        let sample = Sample {
            zebra: -5,
            apple: "é\n\u{1}".into(),
            middle: None,
        };
        let bytes = canonical_json(&sample).unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"apple":"é\n\u0001","middle":null,"zebra":-5}"#
        );
        assert_eq!(from_canonical::<Sample>(&bytes).unwrap(), sample);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let spellings = [
            r#"{"zebra":1,"apple":"a","middle":null}"#,
            r#"{"apple":"a", "middle":null,"zebra":1}"#,
            r#"{"apple":"\u0061","middle":null,"zebra":1}"#,
            r#"{"apple":"a","middle":null,"zebra":1,"zebra":1}"#,
            r#"{"apple":"a","middle":null,"zebra":1.0}"#,
            r#"{"apple":"a","middle":null,"zebra":1e0}"#,
            r#"{"apple":"a","middle":null,"zebra":9007199254740992}"#,
            r#"{"apple":"a","middle":null,"zebra":1,"extra":1}"#,
            r#"{"apple":"a","middle":null,"zebra":-0}"#,
            r#"{"apple":"a","zebra":1}"#,
            "{\"apple\":\"a\",\"middle\":null,\"zebra\":1}\n",
        ];
        for spelling in spellings {
            assert!(
                from_canonical::<Sample>(spelling.as_bytes()).is_err(),
                "{spelling}"
            );
        }
    }

    #[test]
    fn what_has_no_spelling_is_not_written() {
        assert!(matches!(canonical_json(&0.5), Err(CanonicalError::Number)));
        assert!(matches!(
            canonical_json(&u64::MAX),
            Err(CanonicalError::Number)
        ));
        assert!(canonical_json(&INTEGER_MAX).is_ok());
    }

    proptest! {
        #[test]
        fn writing_and_reading_are_inverse(text in any::<String>(), number in -(1_i64 << 53) + 1..1 << 53) {
            let sample = Sample { zebra: number, apple: text, middle: Some(true) };
            let bytes = canonical_json(&sample).unwrap();
            prop_assert_eq!(from_canonical::<Sample>(&bytes).unwrap(), sample);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ignored = from_canonical::<Value>(&bytes);
        }
    }
}
