//! The one spelling of facts: RFC 8785 canonical JSON, with sets sorted.

use super::table::{Shape, definition};
use super::values::Values;
use serde_json::{Number, Value};

/// The canonical text of these facts.
pub(super) fn text(facts: &Values) -> String {
    let mut out = String::from("{");
    // The names are ASCII, so byte order is the order of UTF-16 code units (RFC 8785 §3.2.3).
    for (index, (name, value)) in facts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(name, &mut out);
        out.push(':');
        write_fact(definition(name).map(|row| row.shape), value, &mut out);
    }
    out.push('}');
    out
}

fn write_fact(shape: Option<Shape>, value: &Value, out: &mut String) {
    match (shape, value) {
        (Some(Shape::Words(..) | Shape::Countries | Shape::Names(_)), Value::Array(items)) => {
            let mut words: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            words.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
            write_list(words.into_iter().map(Value::from), out);
        }
        (Some(Shape::Object(fields)), Value::Object(map)) => {
            let shape_of = |key: &str| {
                let field = fields.iter().find(|field| field.name == key);
                field.map(|field| field.shape)
            };
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|left, right| left.0.encode_utf16().cmp(right.0.encode_utf16()));
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_fact(shape_of(key), value, out);
            }
            out.push('}');
        }
        (_, Value::Object(_)) => write_fact(Some(Shape::Object(&[])), value, out),
        (_, Value::Array(items)) => write_list(items.iter().cloned(), out),
        (_, Value::String(text)) => write_string(text, out),
        (_, Value::Number(number)) => write_number(number, out),
        (_, Value::Bool(true)) => out.push_str("true"),
        (_, Value::Bool(false)) => out.push_str("false"),
        (_, Value::Null) => out.push_str("null"),
    }
}

fn write_list(items: impl Iterator<Item = Value>, out: &mut String) {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_fact(None, &item, out);
    }
    out.push(']');
}

/// As ECMAScript writes it (RFC 8785 §3.2.2.3). Facts hold whole numbers of at most three digits
/// and one number between 0 and 1; below a millionth it takes an exponent.
fn write_number(number: &Number, out: &mut String) {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => out.push_str(&whole.to_string()),
        (None, Some(real)) if real.abs() < 1e-6 => out.push_str(&format!("{real:e}")),
        (None, Some(real)) => out.push_str(&real.to_string()),
        (None, None) => out.push_str(&number.to_string()),
    }
}

/// A string with the escapes of RFC 8785 §3.2.2.2.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_are_written_as_ecmascript_does() {
        let number = |text: &str| {
            let mut out = String::new();
            write_number(&serde_json::from_str(text).unwrap(), &mut out);
            out
        };
        assert_eq!(number("0.1"), "0.1");
        assert_eq!(number("1e-6"), "0.000001");
        assert_eq!(number("0.00000015"), "1.5e-7");
        assert_eq!(number("17"), "17");
        let mut out = String::new();
        write_string("a\"b\\\n\u{1}é", &mut out);
        assert_eq!(out, "\"a\\\"b\\\\\\n\\u0001é\"");
    }
}
