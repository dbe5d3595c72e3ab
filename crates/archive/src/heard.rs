//! Who was heard in a recording and had left before it ended.
//!
//! The law is asked about those who are there. A recording was made under one permit after another, and
//! holds everybody who took part under any of them: so whoever asks about the recording asks about
//! them all.

use crate::call::CONSENTS;
use crate::{Archive, ArchiveError};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use voicelog_model::{Action, DecisionId};
use voicelog_store::index::DecisionRow;

impl Archive {
    /// Adds to the facts of the governing permit what earlier permits of the recording counted: the
    /// countries of all, and the consent of whoever the later ones do not name.
    pub(crate) fn add_who_left(
        &self,
        rows: &[DecisionRow],
        governing: DecisionId,
        facts: &mut Map<String, Value>,
    ) -> Result<(), ArchiveError> {
        let asked = rows.iter().rev().filter(|row| row.action == Action::Record);
        for row in asked.skip_while(|row| row.id != governing).skip(1) {
            let decision = self.parse_decision(row)?;
            if self.refusal_of(row, &decision)?.is_none() {
                add(facts, self.open_facts(row)?.facts);
            }
        }
        Ok(())
    }
}

fn add(facts: &mut Map<String, Value>, mut earlier: Map<String, Value>) {
    let countries: BTreeSet<String> = [facts.get("countries"), earlier.get("countries")]
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|country| country.as_str().map(str::to_owned))
        .collect();
    facts.insert("countries".to_owned(), json!(countries));
    let Some(Value::Object(consents)) = earlier.remove(CONSENTS) else {
        return;
    };
    let counted = facts.entry(CONSENTS).or_insert_with(|| json!({}));
    if let Value::Object(counted) = counted {
        for (party, word) in consents {
            counted.entry(party).or_insert(word);
        }
    }
}
