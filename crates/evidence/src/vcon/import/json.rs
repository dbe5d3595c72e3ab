//! JSON of strangers: in memory that its length bounds, and with one meaning.

use super::ImportError;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// Most values: lists, members and all else.
const VALUES_MAX: usize = 500_000;

/// Reads a document. A member twice, more than 127 levels, and anything behind it are refused.
pub(super) fn read(bytes: &[u8]) -> Result<Value, ImportError> {
    let left = Cell::new(VALUES_MAX);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Seed(&left)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        if left.get() == 0 {
            ImportError::TooMany
        } else {
            ImportError::Json {
                line: error.line(),
                column: error.column(),
            }
        }
    })
}

/// Reads a value, and counts down how many there may still be.
#[derive(Clone, Copy)]
struct Seed<'c>(&'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.0.get().saturating_sub(1);
        self.0.set(left);
        if left == 0 {
            return Err(de::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if all.insert(name, value).is_some() {
                return Err(de::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_is() {
        let text = br#"{"a":[1,-2,0.5,true,null,"x\n"],"b":{"c":{}}}"#;
        let expected: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn what_has_two_meanings_or_none_is_refused() {
        for text in [
            &b"{\"a\":1,\"a\":2}"[..],
            b"{\"x\":{\"a\":1,\"a\":1}}",
            b"{} {}",
            b"{\"a\":",
            b"",
            b"\xff",
            b"{\"a\":1e999}",
        ] {
            assert!(
                matches!(read(text), Err(ImportError::Json { .. })),
                "{text:?}"
            );
        }
        assert!(read("[".repeat(10_000).as_bytes()).is_err());
        assert!(read(format!("[{}0]", "0,".repeat(VALUES_MAX - 10)).as_bytes()).is_ok());
        let many = format!("[{}0]", "[],".repeat(VALUES_MAX));
        assert_eq!(read(many.as_bytes()), Err(ImportError::TooMany));
    }
}
