//! A person who knows exactly the facts of a case, and answers what is asked by them.

use super::*;

pub(super) fn answer(facts: &Map<String, Value>, ask: &Ask) -> Answer {
    match ask.question.form {
        Form::One(_) => one(facts, ask),
        Form::Several(_) => several(facts, ask),
        Form::Fields(entries) => typed(facts, entries),
    }
}

fn value_of(settles: &Settles) -> Option<Value> {
    settles.1.and_then(|value| resolved(value, at()))
}

/// Whether all that a choice says is so.
fn agrees(facts: &Map<String, Value>, choice: &Choice) -> bool {
    let is_so = |settles: &Settles| {
        value_of(settles).is_none_or(|value| says(facts.get(settles.0), &value))
    };
    let opens = choice.opens;
    choice.sets.iter().all(is_so)
        && (opens.is_empty() || opens.iter().any(|fact| facts.contains_key(*fact)))
}

/// The choice that agrees and says most of what is known.
fn one(facts: &Map<String, Value>, ask: &Ask) -> Answer {
    let closeness = |settles: &Settles| match (facts.get(settles.0), value_of(settles)) {
        (Some(Value::Array(known)), Some(Value::Array(said))) => {
            100 - known.len().abs_diff(said.len())
        }
        (Some(_), Some(Value::Object(said))) => 1 + said.len(),
        (Some(_), Some(_)) => 1,
        _ => 0,
    };
    let denies = |settles: &Settles| settles.1.is_none() && facts.contains_key(settles.0);
    let rank = |choice: &&&Choice| {
        let said: usize = choice.sets.iter().map(closeness).sum();
        (said, !choice.sets.iter().any(denies))
    };
    let fitting = ask.choices.iter().filter(|choice| agrees(facts, choice));
    let found = fitting.rev().max_by_key(rank);
    found.map_or(Answer::NotKnown, |choice| {
        Answer::Chosen(vec![choice.id.to_owned()])
    })
}

/// The choices that agree; of those that are asked on only where something is out of the ordinary.
fn several(facts: &Map<String, Value>, ask: &Ask) -> Answer {
    let about = ask.question.facts();
    let nothing_known = !about.iter().any(|fact| facts.contains_key(*fact));
    if ask.may_be_unknown() && nothing_known {
        return Answer::NotKnown;
    }
    let differs = |settles: &Settles| {
        let known = facts.get(settles.0);
        known.is_some() && known != value_of(settles).as_ref()
    };
    let taken = ask.choices.iter().filter(|choice| {
        let is_plain = choice.opens.is_empty() || choice.otherwise.iter().any(differs);
        agrees(facts, choice) && is_plain
    });
    Answer::Chosen(taken.map(|choice| choice.id.to_owned()).collect())
}

fn typed(facts: &Map<String, Value>, entries: &[Entry]) -> Answer {
    let typed = entries.iter().filter_map(|entry| {
        let value = facts.get(entry.fact)?;
        let value = entry.field.map_or(Some(value), |field| value.get(field))?;
        let text = value.as_str()?;
        let text = match entry.kind {
            EntryKind::MomentOfDay => text.get(..10)?,
            _ => text,
        };
        Some((entry.id.to_owned(), text.to_owned()))
    });
    let typed: std::collections::BTreeMap<_, _> = typed.collect();
    if typed.is_empty() {
        Answer::NotKnown
    } else {
        Answer::Typed(typed)
    }
}

/// Whether a known value says what a choice says: a set holds it, an object has its fields.
fn says(known: Option<&Value>, said: &Value) -> bool {
    match (known, said) {
        (Some(Value::Array(known)), Value::Array(said)) => {
            said.iter().all(|item| known.contains(item)) && known.is_empty() == said.is_empty()
        }
        (Some(Value::Object(known)), Value::Object(said)) => said.iter().all(|(key, value)| {
            let is_own_text = value.is_array()
                || value
                    .as_str()
                    .is_some_and(|text| text.contains("interview"));
            let known = known.get(key);
            // A moment in the interview stands for any on the same side of now.
            let is_over = |end: &Value| {
                let end = end.as_str().and_then(|end| end.parse::<Timestamp>().ok());
                end.map(|end| end < at())
            };
            let is_same_side = |known| key == "end" && is_over(known) == is_over(value);
            known.is_some_and(|known| {
                is_own_text && known != "none" || known == value || is_same_side(known)
            })
        }),
        // A moment of the interview stands for any.
        (Some(known), said) => known == said || *said == json!(at().to_string()),
        (None, _) => false,
    }
}
