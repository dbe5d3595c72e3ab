//! What changes between two days: which rules begin, end or change, which statutory terms do, and
//! what that does in ordinary situations.
//!
//! Nothing is decided here: the same question is put to the rules of both days, for the same
//! moment, and the answers are laid side by side.

mod effects;

use crate::decision::{Outcome, Status};
use crate::purposes::{PURPOSES, Purpose};
use crate::rulebook::{Rule, Rulebook, RulebookError, Version, Versions};
use crate::terms::{self, Bound, StatutoryTerm};
use crate::text::Text;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use voicelog_model::{Action, Language, Timestamp};

/// What happens to a rule or a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It comes into force.
    Begins,
    /// It is in force no more.
    Ends,
    /// A new version takes its place.
    Changes,
}

/// A rule that begins, ends or changes on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// The day, as a full-date.
    pub day: String,
    /// Id of the rule.
    pub rule: String,
    /// What happens to it.
    pub change: Change,
    /// Whose rule it is, and whether its source was read.
    pub status: Status,
    /// The articles of the version that begins, or of the one that ends.
    pub articles: Vec<String>,
    /// Its text.
    pub text: Text,
}

/// A statutory term that begins, ends or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermChange {
    /// Its name.
    pub name: &'static str,
    /// What happens to it.
    pub change: Change,
    /// Whether it is the shortest time of keeping, and not the longest.
    pub is_floor: bool,
    /// The sector for which it is.
    pub sector: &'static str,
    /// The purpose for which it is; nothing for all.
    pub purpose: Option<&'static str>,
    /// How long it was: an ISO 8601 duration.
    pub before: Option<&'static str>,
    /// How long it will be.
    pub after: Option<&'static str>,
    /// Its article.
    pub article: &'static str,
}

/// What belongs to a purpose changes: basis, notice, how long, who may listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeChange {
    /// The day, as a full-date.
    pub day: &'static str,
    /// What happens to it: it begins or changes.
    pub change: Change,
    /// As it was.
    pub before: Option<Purpose>,
    /// As it will be.
    pub after: Purpose,
}

/// A change in the answers, in all situations in which it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerChange {
    /// The act.
    pub action: Action,
    /// Who records, and for which purpose.
    pub situations: Vec<(&'static str, &'static str)>,
    /// What is assumed besides: the facts that differ from the ordinary situation.
    pub assumed: Map<String, Value>,
    /// The outcome by the rules of the first day and by those of the second.
    pub outcomes: (Outcome, Outcome),
    /// The reasons that come, go, or read otherwise.
    pub reasons: Vec<(Change, Text)>,
    /// The duties that come, go, or read otherwise.
    pub duties: Vec<(Change, Text)>,
}

/// What changes between two days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The first day, as a full-date.
    pub from: String,
    /// The second.
    pub to: String,
    /// The rules that change, by day.
    pub rules: Vec<RuleChange>,
    /// The statutory terms that do.
    pub terms: Vec<TermChange>,
    /// The purposes to which something else belongs.
    pub purposes: Vec<PurposeChange>,
    /// What that does.
    pub answers: Vec<AnswerChange>,
}

impl Rulebook {
    /// What changes from the day of this rulebook to a later moment, house rules included.
    ///
    /// # Errors
    /// As [`Rulebook::on`].
    pub fn preview(&self, to: Timestamp) -> Result<Preview, RulebookError> {
        let then = self.on(to)?;
        let (from, until) = (self.day(), then.day());
        let rules = rules_between(self.versions(), &from, &until);
        Ok(Preview {
            terms: terms_between(terms::STATUTORY, &from, &until),
            purposes: purposes_between(PURPOSES, &from, &until),
            answers: effects::between(self, &then),
            from,
            to: until,
            rules,
        })
    }
}

/// Every change of a rule after one day and up to another.
fn rules_between(versions: &Versions, from: &str, to: &str) -> Vec<RuleChange> {
    let mut changes = Vec::new();
    let mut before = versions.in_force(from).rules;
    let days = versions.days_of_change().into_iter();
    for day in days.filter(|day| day.as_str() > from && day.as_str() <= to) {
        let after = versions.in_force(&day).rules;
        changes.extend(differing(&before, &after).map(|(change, rule)| RuleChange {
            day: day.clone(),
            rule: rule.id.clone(),
            change,
            status: rule.status,
            articles: rule.articles.clone(),
            text: rule.text.clone(),
        }));
        before = after;
    }
    changes
}

/// The rules that differ between two days, each as it begins or as it was.
fn differing<'v>(
    before: &BTreeMap<&'v str, &'v Version>,
    after: &BTreeMap<&'v str, &'v Version>,
) -> impl Iterator<Item = (Change, &'v Rule)> {
    let ended = before.iter().filter(|(id, _)| !after.contains_key(*id));
    let ended = ended.map(|(_, (rule, _))| (Change::Ends, &**rule));
    let begun = after
        .iter()
        .filter_map(|(id, (rule, _))| match before.get(id) {
            None => Some((Change::Begins, &**rule)),
            Some((known, _)) if known.cedar != rule.cedar => Some((Change::Changes, &**rule)),
            Some(_) => None,
        });
    let mut all: Vec<_> = ended.chain(begun).collect();
    all.sort_by(|left, right| left.1.id.cmp(&right.1.id));
    all.into_iter()
}

/// The statutory terms that differ between two days.
fn terms_between(table: &'static [StatutoryTerm], from: &str, to: &str) -> Vec<TermChange> {
    let of = |day: &str| -> BTreeMap<&'static str, &'static StatutoryTerm> {
        let known = table.iter().filter(|term| {
            let mut in_force = terms::in_force(table, day);
            in_force.any(|other| std::ptr::eq(other, *term))
        });
        known.map(|term| (term.name, term)).collect()
    };
    let (before, after) = (of(from), of(to));
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let change = |name: &&&'static str| {
        let (was, will) = (before.get(**name), after.get(**name));
        let term = will.or(was)?;
        let change = match (was, will) {
            (None, _) => Change::Begins,
            (_, None) => Change::Ends,
            (Some(was), Some(will)) if std::ptr::eq(*was, *will) => return None,
            _ => Change::Changes,
        };
        Some(TermChange {
            name: term.name,
            change,
            is_floor: term.bound == Bound::Floor,
            sector: term.sector,
            purpose: term.purpose,
            before: was.map(|term| term.length),
            after: will.map(|term| term.length),
            article: term.article,
        })
    };
    names.iter().filter_map(change).collect()
}

/// The purposes of which a version begins after one day and up to another.
fn purposes_between(table: &[Purpose], from: &str, to: &str) -> Vec<PurposeChange> {
    let begins = table
        .iter()
        .filter(|row| row.valid_from > from && row.valid_from <= to);
    let mut changes: Vec<_> = begins
        .map(|after| {
            let earlier = table
                .iter()
                .filter(|row| row.name == after.name && row.valid_from < after.valid_from);
            let before = earlier.max_by_key(|row| row.valid_from).copied();
            PurposeChange {
                day: after.valid_from,
                change: before.map_or(Change::Begins, |_| Change::Changes),
                before,
                after: *after,
            }
        })
        .collect();
    changes.sort_by_key(|change| change.day);
    changes
}

impl Preview {
    /// Whether nothing changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.terms.is_empty() && self.purposes.is_empty()
    }

    /// For programs, with texts in one language.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Value {
        let rules = self.rules.iter().map(|rule| {
            json!({
                "day": rule.day, "rule": rule.rule, "change": rule.change,
                "status": rule.status, "articles": rule.articles,
                "text": rule.text.pick(language),
            })
        });
        let terms = self.terms.iter().map(|term| {
            json!({
                "name": term.name, "change": term.change,
                "bound": if term.is_floor { "floor" } else { "ceiling" },
                "sector": term.sector, "purpose": term.purpose,
                "before": term.before, "after": term.after, "article": term.article,
            })
        });
        let purposes = self.purposes.iter().map(|purpose| {
            json!({
                "day": purpose.day, "change": purpose.change,
                "before": purpose.before.map(|before| before.to_json(language)),
                "after": purpose.after.to_json(language),
            })
        });
        let texts = |texts: &[(Change, Text)]| -> Vec<Value> {
            let one = |(change, text): &(Change, Text)| json!({"change": change, "text": text.pick(language)});
            texts.iter().map(one).collect()
        };
        let effects = self.answers.iter().map(|effect| {
            let pairs = effect.situations.iter();
            let situations = pairs
                .map(|(recorder, purpose)| json!({"recorder_type": recorder, "purpose": purpose}));
            json!({
                "action": effect.action,
                "situations": situations.collect::<Vec<_>>(),
                "assumed": effect.assumed,
                "outcome_before": effect.outcomes.0, "outcome_after": effect.outcomes.1,
                "reasons": texts(&effect.reasons), "duties": texts(&effect.duties),
            })
        });
        json!({
            "from": self.from, "to": self.to,
            "rules": rules.collect::<Vec<_>>(),
            "terms": terms.collect::<Vec<_>>(),
            "purposes": purposes.collect::<Vec<_>>(),
            "answers": effects.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: StatutoryTerm = StatutoryTerm {
        name: "orders",
        bound: Bound::Floor,
        sector: "finance_investment",
        purpose: Some("wettelijke_plicht"),
        runs_from: terms::RunsFrom::Creation,
        length: "P5Y",
        article: "Wet 1",
        valid_from: "2026-01-01",
        valid_until: None,
    };
    const TABLE: &[StatutoryTerm] = &[
        FLOOR,
        StatutoryTerm {
            length: "P7Y",
            valid_from: "2028-01-01",
            valid_until: Some("2029-12-31"),
            ..FLOOR
        },
        StatutoryTerm {
            name: "calls",
            bound: Bound::Ceiling,
            length: "P2M",
            valid_from: "2027-01-01",
            ..FLOOR
        },
    ];

    fn changes(from: &str, to: &str) -> Vec<(&'static str, Change, Option<&'static str>)> {
        let changes = terms_between(TABLE, from, to).into_iter();
        changes
            .map(|change| (change.name, change.change, change.after))
            .collect()
    }

    #[test]
    fn what_belongs_to_a_purpose_changes_on_its_day() {
        let now = *crate::purposes::purpose("klacht").unwrap();
        let later = Purpose {
            valid_from: "2028-01-01",
            basis: &["f"],
            ..now
        };
        let table = [now, later];
        assert_eq!(purposes_between(&table, "2027-01-01", "2027-12-31"), []);
        let changes = purposes_between(&table, "2027-01-01", "2028-01-01");
        let [change] = changes.as_slice() else {
            panic!("{changes:?}");
        };
        assert_eq!((change.before, change.after), (Some(now), later));
        assert_eq!(change.change, Change::Changes);
    }

    #[test]
    fn a_statutory_term_begins_changes_and_ends_on_its_days() {
        assert_eq!(changes("2026-02-01", "2026-12-31"), []);
        assert_eq!(
            changes("2026-02-01", "2028-01-01"),
            [
                ("calls", Change::Begins, Some("P2M")),
                ("orders", Change::Changes, Some("P7Y"))
            ]
        );
        assert_eq!(
            changes("2028-02-01", "2030-01-01"),
            [("orders", Change::Ends, None)]
        );
    }
}
