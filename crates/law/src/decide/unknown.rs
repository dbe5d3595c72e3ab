//! Which missing facts could still change the answer: what an interview has to ask.

use super::{Weighed, look, missing};
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
    let outcome = weighed.outcome(rulebook);
    facts
        .missing()
        .filter(|row| {
            counts(row.name)
                || facts
                    .trials(row.name)
                    .any(|trial| differs(rulebook, &trial, at, outcome))
        })
        .map(|row| row.name.to_owned())
        .collect()
}

/// Whether these facts have another outcome, looking no further than needed to know.
fn differs(rulebook: &Rulebook, facts: &Facts, at: Timestamp, outcome: Outcome) -> bool {
    let mut look = look(rulebook, facts, at);
    let gates = look.weighed.outcome(rulebook);
    if gates > outcome && !(gates.is_permitted() && outcome.is_permitted()) {
        return true;
    }
    look.weighed.missing = missing::that_matter(rulebook, facts, at, look.pending);
    match look.weighed.outcome(rulebook) {
        Outcome::Permitted if outcome.is_permitted() => {
            let asked = look.asked.as_ref();
            let duties = asked.map(|asked| rulebook.holding(asked, Part::Duties));
            let (duties, failures) = duties.unwrap_or_default();
            look.weighed.duties = duties;
            look.weighed.failures.extend(failures);
            look.weighed.outcome(rulebook) != outcome
        }
        found => found != outcome,
    }
}
