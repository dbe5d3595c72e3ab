//! Which missing facts could still change the answer: what an interview has to ask.

use super::weigh;
use crate::decision::Outcome;
use crate::facts::Facts;
use crate::rulebook::Rulebook;
use voicelog_model::Timestamp;

/// The missing facts with a value that gives another outcome than `outcome`, each tried by
/// itself, in the order of the table.
pub(super) fn find(
    rulebook: &Rulebook,
    facts: &Facts,
    at: Timestamp,
    outcome: Outcome,
) -> Vec<String> {
    facts
        .missing()
        .filter(|row| {
            facts.trials(row.name).any(|trial| {
                let (weighed, _) = weigh(rulebook, &trial, at);
                weighed.outcome(rulebook) != outcome
            })
        })
        .map(|row| row.name.to_owned())
        .collect()
}
