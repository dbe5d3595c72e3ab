//! Values that stand for all others when a missing fact is tried.

use super::table::{Definition, Shape};
use serde_json::{Value, json};

/// A few values of one fact: every word of a list, both flags, and for what has no end of values
/// those that its row names.
pub(crate) fn values(row: &Definition) -> Vec<Value> {
    if !row.trials.is_empty() {
        let values = row.trials.iter();
        return values
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect();
    }
    match row.shape {
        Shape::Word(known) => known.iter().map(|word| json!(word)).collect(),
        Shape::Words(known, least) => {
            let empty = (least == 0).then(|| json!([]));
            empty
                .into_iter()
                .chain(known.iter().map(|word| json!([word])))
                .collect()
        }
        Shape::Flag => vec![json!(true), json!(false)],
        Shape::Reference | Shape::Address => vec![json!("none"), json!("https://example.org/x")],
        Shape::Text => vec![json!("x")],
        Shape::Share => vec![json!(0.1)],
        // Their rows name values; the test below sees to it.
        Shape::Whole(..)
        | Shape::Countries
        | Shape::Country
        | Shape::Names(_)
        | Shape::Texts
        | Shape::Moment
        | Shape::PastMoment
        | Shape::Day
        | Shape::Term
        | Shape::LanguageTag
        | Shape::Consents
        | Shape::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::error::Findings;
    use crate::facts::{shape, table};

    #[test]
    fn every_fact_can_be_tried_with_values_that_its_row_allows() {
        for row in table::definitions() {
            let values = values(row);
            assert!(!values.is_empty(), "{} has no values to try", row.name);
            for value in values {
                let mut findings = Findings::default();
                shape::check(row.name, row.shape, &value, &mut findings);
                assert!(findings.is_empty(), "{}: {value} is not allowed", row.name);
            }
        }
    }
}
