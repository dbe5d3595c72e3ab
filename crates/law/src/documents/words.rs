//! Facts in words: how a value of a fact is said in a sentence, from a list per language.

use super::error::DocumentError;
use crate::facts::calendar;
use crate::facts::table::{Shape, definition};
use crate::interview::STAND_IN;
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeMap;
use voicelog_model::Language;

/// How values are said in one language.
#[derive(Debug, Clone)]
pub(super) struct Words {
    language: Language,
    by_key: BTreeMap<String, String>,
}

impl Words {
    /// Reads a list: one `key = words` per line.
    pub(super) fn parse(
        place: &str,
        text: &str,
        language: Language,
    ) -> Result<Self, DocumentError> {
        let mut by_key = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| DocumentError::Text {
                place: format!("{place}:{}", number + 1),
                why: why.to_owned(),
            };
            let (key, words) = line
                .split_once(" = ")
                .ok_or_else(|| wrong("a line is `key = words`"))?;
            let before = by_key.insert(key.trim().to_owned(), words.trim().to_owned());
            if before.is_some() {
                return Err(wrong("this key stands there twice"));
            }
        }
        Ok(Self { language, by_key })
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(String::as_str)
    }

    /// Every key.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(String::as_str)
    }

    /// What a fact is called.
    pub(super) fn label<'a>(&'a self, name: &'a str) -> &'a str {
        self.get(&format!("label.{name}")).unwrap_or(name)
    }

    /// A value in words, one for each item of a list; nothing where it says nothing that can be
    /// printed: `none`, an empty list, or what only stands in for a text that was not given.
    pub(super) fn say(&self, name: &str, form: Option<&str>, value: &Value) -> Vec<String> {
        let Some(shape) = shape_of(name) else {
            return Vec::new();
        };
        let items = match value {
            // Known to be empty is something to say, where there are words for it.
            Value::Array(items) if items.is_empty() => {
                let none = self.get(&format!("none.{name}"));
                return none.map(str::to_owned).into_iter().collect();
            }
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let items = items.iter();
        items
            .filter_map(|item| self.say_one(shape, name, form, item))
            .collect()
    }

    fn say_one(
        &self,
        shape: Shape,
        name: &str,
        form: Option<&str>,
        value: &Value,
    ) -> Option<String> {
        match (shape, value) {
            (Shape::Word(_) | Shape::Words(..), Value::String(word)) => {
                let form = form.map(|form| format!(":{form}")).unwrap_or_default();
                self.get(&format!("{name}{form}.{word}")).map(str::to_owned)
            }
            (Shape::Flag, Value::Bool(flag)) => self
                .get(if *flag { "yes" } else { "no" })
                .map(str::to_owned),
            (Shape::Share, Value::Number(share)) => {
                let percent = (share.as_f64()? * 1_000.0).round() / 10.0;
                let percent = percent.to_string();
                Some(match self.language {
                    Language::Nl => percent.replace('.', ",") + "%",
                    Language::En => percent + "%",
                })
            }
            (Shape::Whole(..), Value::Number(number)) => Some(number.to_string()),
            (_, Value::String(text)) if text == "none" || text == STAND_IN => None,
            (Shape::Term, Value::String(text)) => self.term(text),
            (Shape::Day, Value::String(text)) => Some(self.day(calendar::day(text)?)),
            (Shape::Moment | Shape::PastMoment, Value::String(text)) => {
                Some(self.day(calendar::day_of(calendar::moment(text)?)))
            }
            (_, Value::String(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// `P1Y6M` as "1 year and 6 months".
    fn term(&self, text: &str) -> Option<String> {
        if text == calendar::UNLIMITED {
            return self.get("term.unlimited").map(str::to_owned);
        }
        let span = calendar::term(text)?;
        let units = [
            (i64::from(span.get_years()), "year"),
            (i64::from(span.get_months()), "month"),
            (i64::from(span.get_weeks()), "week"),
            (i64::from(span.get_days()), "day"),
        ];
        let said = units.iter().filter(|(count, _)| *count > 0);
        let said: Option<Vec<String>> = said
            .map(|(count, unit)| {
                let number = if *count == 1 { "one" } else { "many" };
                Some(format!(
                    "{count} {}",
                    self.get(&format!("term.{unit}.{number}"))?
                ))
            })
            .collect();
        said.map(|said| self.join(&said))
    }

    /// A day in words: "21 november 2026".
    pub(super) fn day(&self, day: Date) -> String {
        let month = format!("month.{}", day.month());
        let month = self.get(&month).unwrap_or_default();
        format!("{} {month} {}", day.day(), day.year())
    }

    /// Several in one sentence: "a, b and c".
    pub(super) fn join(&self, items: &[String]) -> String {
        match items {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => {
                let and = self.get("and").unwrap_or(",");
                format!("{} {and} {last}", first.join(", "))
            }
        }
    }
}

/// The shape of a fact, or of a field of one (`lia.interest`).
pub(super) fn shape_of(name: &str) -> Option<Shape> {
    let (fact, field) = match name.split_once('.') {
        Some((fact, field)) => (fact, Some(field)),
        None => (name, None),
    };
    match (definition(fact)?.shape, field) {
        (Shape::Object(fields), Some(field)) => fields
            .iter()
            .find(|known| known.name == field)
            .map(|field| field.shape),
        (Shape::Object(_), None) | (_, Some(_)) => None,
        (shape, None) => Some(shape),
    }
}
