//! Whether a call on a line could be recorded at all, for an exchange that asks before it sends one.

use crate::call::CONSENTS;
use crate::{Archive, ArchiveError, Line, Rule};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use voicelog_law::Facts;
use voicelog_model::{Action, Timestamp};

/// Which lines could record a call now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// By the name of the line, in lower case.
    pub lines: BTreeMap<String, bool>,
    /// An address that names no line: the default line, if there is one.
    pub others: bool,
}

impl Archive {
    /// Asks of each line whether a call on it could be recorded: the law permits the most harmless
    /// one, in the line's own country, of people who agree to it. It is no answer about any call;
    /// nothing is kept, and no permit comes of it.
    ///
    /// # Errors
    ///
    /// When the index or the rules cannot be read: then no call could be taken up either.
    pub fn readiness(&self, now: Timestamp) -> Result<Readiness, ArchiveError> {
        // A call that cannot be written down is not recorded.
        self.diary(now, now, 1)?;
        let mut readiness = Readiness::default();
        for line in self.lines.iter() {
            let is_ready = self.could_record(line, now)?;
            readiness.others |= line.is_default && is_ready;
            let name = line.name.to_ascii_lowercase();
            readiness.lines.insert(name, is_ready);
        }
        Ok(readiness)
    }

    fn could_record(&self, line: &Line, now: Timestamp) -> Result<bool, ArchiveError> {
        let rulebook = self.rulebook_at(now)?;
        let rules = line.rules.iter().map(Some).chain([None]);
        let mut cases = rules.flat_map(|rule| [(rule, false), (rule, true)]);
        Ok(cases.any(|(rule, is_agreed)| {
            let facts = harmless(line, rule, is_agreed);
            // Facts that do not go together are an error at each call.
            let Ok(checked) = Facts::from_map(&facts, now) else {
                return false;
            };
            let decision = voicelog_law::decide_without_unknown(&rulebook, &checked, now);
            self.refusal(Action::Record, &decision).is_none()
        }))
    }
}

/// The facts of a call between two people of the line's country.
fn harmless(line: &Line, rule: Option<&Rule>, is_agreed: bool) -> Map<String, Value> {
    let mut facts = line.facts_under(rule);
    facts.insert("requested_action".into(), json!("record"));
    facts.entry("channel").or_insert_with(|| json!("phone"));
    facts.insert("countries".into(), json!([line.country]));
    if is_agreed {
        let given = json!({ "p1": "given", "p2": "given" });
        facts.insert(CONSENTS.to_owned(), given);
    }
    facts
}
