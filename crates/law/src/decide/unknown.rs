//! Which missing facts could still change the answer: what an interview has to ask.

use super::{Reach, Weighed, look, missing};
use crate::decision::Outcome;
use crate::facts::Facts;
use crate::rulebook::{Does, Part, Rulebook};
use voicelog_model::Timestamp;

/// In the order of the table: the missing facts that count against the act by being missing, and
/// those with a value that, tried by itself, gives another outcome.
pub(super) fn find(
    rulebook: &Rulebook,
    facts: &Facts,
    at: Timestamp,
    weighed: &Weighed<'_>,
) -> Vec<String> {
    let counts = |name: &str| {
        let mut rules = weighed.missing.iter();
        rules.any(|rule| matches!(&rule.does, Does::Missing { fact, .. } if fact == name))
    };
    facts
        .missing()
        .filter(|row| {
            counts(row.name)
                || facts
                    .trials(row.name)
                    .any(|(_, trial)| differs(rulebook, &trial, at, weighed))
        })
        .map(|row| row.name.to_owned())
        .collect()
}

/// Whether these facts have another outcome, looking no further than needed to know.
fn differs(rulebook: &Rulebook, facts: &Facts, at: Timestamp, before: &Weighed<'_>) -> bool {
    let outcome = before.outcome(rulebook);
    let mut look = look(rulebook, facts, at, Reach::House);
    let gates = look.weighed.outcome(rulebook);
    let both_permitted = gates.is_permitted() && outcome.is_permitted();
    if gates > outcome && !both_permitted {
        return true;
    }
    if gates == outcome && !both_permitted && look.pending.is_empty() {
        return false;
    }
    if missing::still_gives(
        rulebook,
        facts,
        at,
        &look.pending,
        outcome,
        &before.witnesses,
    ) {
        return false;
    }
    look.weighed.missing = missing::that_matter(rulebook, facts, at, look.pending).rules;
    match look.weighed.outcome(rulebook) {
        Outcome::Permitted if outcome.is_permitted() => {
            let (duties, failures) = rulebook.holding(&look.asked, Part::Duties);
            look.weighed.duties = duties;
            look.weighed.failures.extend(failures);
            look.weighed.outcome(rulebook) != outcome
        }
        found => found != outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::weigh;

    #[test]
    fn the_short_way_finds_what_deciding_again_for_every_value_finds() {
        let at: Timestamp = "2026-11-21T10:02:00Z".parse().unwrap();
        let rulebook = Rulebook::embedded(at).unwrap();
        for text in [
            r#"{"requested_action":"record"}"#,
            r#"{"requested_action":"record","recorder_type":"journalist","channel":"phone",
                "participation":"participant","openness":"announced"}"#,
            r#"{"requested_action":"destroy","recorder_type":"government_body"}"#,
        ] {
            let facts = Facts::parse(text.as_bytes(), at).unwrap();
            let before = weigh(&rulebook, &facts, at).0;
            for name in [
                "recorder_type",
                "channel",
                "participation",
                "on_hold",
                "legal_hold",
            ] {
                for (value, trial) in facts.trials(name) {
                    let after = weigh(&rulebook, &trial, at).0.outcome(&rulebook);
                    let want = after != before.outcome(&rulebook);
                    let is = differs(&rulebook, &trial, at, &before);
                    assert_eq!(is, want, "{text} with {name} = {value}");
                }
            }
        }
    }
}
