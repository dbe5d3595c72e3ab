//! What the condition of a house rule speaks of: facts that exist, with values that they can have.

use super::Notes;
use crate::derived::{DERIVED, Of};
use crate::facts::countries::COUNTRIES;
use crate::facts::nearest;
use crate::facts::table::{Shape, definition, definitions};
use crate::rulebook::Condition;
use cedar_policy::Policy;
use serde_json::Value;

/// Adds every fact that does not exist and every value that is not listed.
pub(super) fn check(policy: &Policy, notes: &mut Notes<'_>) {
    if let Ok(json) = policy.to_json() {
        walk(&Condition::of_policy(&json), notes);
    }
}

fn walk(condition: &Condition, notes: &mut Notes<'_>) {
    match condition {
        Condition::Value(_) => {}
        Condition::Read(name, field) | Condition::Has(name, field) => {
            check_name(name, field.as_deref(), notes);
        }
        Condition::Not(inner) => walk(inner, notes),
        Condition::And(left, right)
        | Condition::Or(left, right)
        | Condition::Less(left, right)
        | Condition::LessOrEqual(left, right) => {
            walk(left, notes);
            walk(right, notes);
        }
        Condition::Equal(left, right)
        | Condition::Holds(left, right)
        | Condition::HoldsAny(left, right) => {
            check_values(left, right, notes);
            check_values(right, left, notes);
            walk(left, notes);
            walk(right, notes);
        }
        Condition::Other(parts) => {
            // `containsAll` and the like: a fact beside a list.
            if let [left, right] = parts.as_slice() {
                check_values(left, right, notes);
                check_values(right, left, notes);
            }
            parts.iter().for_each(|part| walk(part, notes));
        }
    }
}

/// Whether rules can read a name, or a field of it.
fn check_name(name: &str, field: Option<&str>, notes: &mut Notes<'_>) {
    let at = notes.piece.name(name);
    if DERIVED.iter().any(|derived| derived.name == name) {
        return;
    }
    let Some(row) = definition(name) else {
        let known = definitions()
            .map(|row| row.name)
            .chain(DERIVED.iter().map(|derived| derived.name));
        let (nl, en) = match nearest(name, known) {
            Some(near) => (
                format!("`{name}` is geen feit; bedoelt u `{near}`?"),
                format!("`{name}` is not a fact; did you mean `{near}`?"),
            ),
            None => (
                format!("`{name}` is geen feit; `voicelog law facts` noemt ze alle"),
                format!("`{name}` is not a fact; `voicelog law facts` names them all"),
            ),
        };
        return notes.add(at, &nl, &en);
    };
    match (row.shape, field) {
        (Shape::Share | Shape::Consents, _) => notes.add(
            at,
            &format!(
                "`{name}` kan een regel niet lezen; gebruik wat eruit volgt, zoals `all_agreed`"
            ),
            &format!("a rule can't read `{name}`; use what follows from it, such as `all_agreed`"),
        ),
        (Shape::Object(fields), Some(field)) => {
            if fields.iter().any(|known| known.name == field) {
                return;
            }
            let names = || fields.iter().map(|known| known.name);
            let all: Vec<_> = names().collect();
            let right = nearest(field, names()).map_or_else(|| all.join(", "), str::to_owned);
            notes.add(
                notes.piece.name(field),
                &format!("`{name}` heeft geen veld `{field}`; bedoelt u {right}?"),
                &format!("`{name}` has no field `{field}`; did you mean {right}?"),
            );
        }
        _ => {}
    }
}

/// A fact compared with values: each must be one that it can have.
fn check_values(fact: &Condition, values: &Condition, notes: &mut Notes<'_>) {
    let (Condition::Read(name, field), Condition::Value(value)) = (fact, values) else {
        return;
    };
    let Some(allowed) = allowed(name, field.as_deref()) else {
        return;
    };
    let near = field.as_deref().unwrap_or(name);
    let texts = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    };
    for text in texts.into_iter().filter(|text| !allowed.contains(text)) {
        let at = notes.piece.text_near(text, near);
        let place = field
            .as_ref()
            .map_or_else(|| name.clone(), |field| format!("{name}.{field}"));
        let (nl, en) = if allowed.len() > 60 {
            (
                "een landcode (ISO 3166-1) zoals NL, DE of GB, of ZZ".to_owned(),
                "a country code (ISO 3166-1) such as NL, DE or GB, or ZZ".to_owned(),
            )
        } else {
            let all = allowed.join(", ");
            match nearest(text, allowed.iter().copied()) {
                Some(word) => (
                    format!("bedoelt u `{word}`? Het kan zijn: {all}"),
                    format!("did you mean `{word}`? It can be: {all}"),
                ),
                None => (format!("het kan zijn: {all}"), format!("it can be: {all}")),
            }
        };
        notes.add(
            at,
            &format!("`{place}` kan niet `{text}` zijn; {nl}"),
            &format!("`{place}` can't be `{text}`; {en}"),
        );
    }
}

/// The words that a name can be or hold; nothing where there is no list of them.
fn allowed(name: &str, field: Option<&str>) -> Option<Vec<&'static str>> {
    if let Some(derived) = DERIVED.iter().find(|derived| derived.name == name) {
        return matches!(derived.of, Of::Word(_)).then(|| derived.words.to_vec());
    }
    let mut shape = definition(name)?.shape;
    if let (Shape::Object(fields), Some(field)) = (shape, field) {
        shape = fields.iter().find(|known| known.name == field)?.shape;
    }
    match shape {
        Shape::Word(words) | Shape::Words(words, _) => Some(words.to_vec()),
        Shape::Country | Shape::Countries => {
            Some(COUNTRIES.iter().copied().chain(["ZZ"]).collect())
        }
        _ => None,
    }
}
