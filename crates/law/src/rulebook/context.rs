//! The facts as the rules see them: typed values, made without a detour through text.

use super::RuleFailure;
use crate::derived::{DERIVED, Of, Seen};
use crate::facts::name;
use crate::facts::values::Values;
use crate::terms::Terms;
use cedar_policy::{Context, RestrictedExpression};
use serde_json::Value;
use voicelog_model::Timestamp;

/// Facts with defaults, and everything derived from them.
pub(super) fn context(facts: &Values, at: Timestamp) -> Result<Context, RuleFailure> {
    let seen = Seen {
        facts,
        at,
        terms: Terms::of(facts, at),
    };
    let given = facts
        .iter()
        .filter(|(name, _)| *name != name::CONSENT_PER_PARTICIPANT)
        .filter_map(|(name, value)| Some((name.to_owned(), expression(value)?)));
    let derived = DERIVED.iter().map(|derived| {
        let value = match derived.of {
            Of::Flag(of) => RestrictedExpression::new_bool(of(&seen)),
            Of::Word(of) => RestrictedExpression::new_string(of(&seen).to_owned()),
        };
        (derived.name.to_owned(), value)
    });
    Context::from_pairs(given.chain(derived)).map_err(|error| RuleFailure {
        rule: None,
        why: error.to_string(),
    })
}

/// A value as rules see it; nothing for what they have no type for.
fn expression(value: &Value) -> Option<RestrictedExpression> {
    Some(match value {
        Value::Bool(flag) => RestrictedExpression::new_bool(*flag),
        Value::Number(number) => RestrictedExpression::new_long(number.as_i64()?),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Array(items) => RestrictedExpression::new_set(items.iter().filter_map(expression)),
        Value::Object(map) => {
            let fields = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), expression(value)?)));
            RestrictedExpression::new_record(fields).ok()?
        }
        Value::Null => return None,
    })
}
