//! Terms that end: what a sweep would find, counted before anything happens.
//!
//! The law is not asked about each recording. Recordings of which it would be told the same, but for the
//! moment of the call, are one group (`facts_key`); its answer about the oldest and about the newest of a
//! group is looked at, and where they differ, the moment at which it changes is looked for. Nothing is
//! kept or logged, and no permit comes of it.

use crate::error::Doing;
use crate::{Archive, ArchiveError, HoldGround};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::hmac_sha256;
use voicelog_law::{Decision, Facts, Rulebook, TermBounds, Text};
use voicelog_model::{Action, RecordingId, Scope, Timestamp};
use voicelog_store::index::{Hash, SoundTerms, State, TermGroup};

/// Recordings that are put into their groups in one transaction.
const SORTED_AT_ONCE: usize = 500;
/// Answers within one group at most: one that changes more often is told by its first ones.
const CHANGES_MAX: usize = 8;
/// How exactly the moment is found at which the answer changes, in microseconds: a second.
const EXACT_MICROS: i64 = 1_000_000;

/// Why the law would refuse to destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermRefusal {
    /// Id of the rule.
    pub rule: String,
    /// The articles it rests on.
    pub articles: Vec<String>,
    /// What it says, for people.
    pub text: Text,
}

/// Recordings of one line and purpose whose term is over, and what the law would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsAlike {
    /// The line.
    pub line: String,
    /// The purpose, one word of the law's `purpose`; none where the line names none.
    pub purpose: Option<String>,
    /// How many, without those that are held, and those that are asked about later.
    pub count: u64,
    /// The term that was chosen: an ISO 8601 duration, or `unlimited`.
    pub retention_term: Option<String>,
    /// The shortest and the longest that statutes let one choose.
    pub bounds: TermBounds,
    /// Why the law would refuse; empty where it would permit.
    pub refusals: Vec<TermRefusal>,
}

/// Recordings whose term is over and that are held, on one ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldCount {
    /// The ground.
    pub ground: HoldGround,
    /// How many. One that is held on two grounds counts for both.
    pub count: u64,
    /// The first review.
    pub first_review: Timestamp,
}

/// What a sweep would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsPreview {
    /// Terms that are over by this moment.
    pub until: Timestamp,
    /// What would be destroyed, and what the law would refuse, by line and purpose.
    pub alike: Vec<TermsAlike>,
    /// What is held.
    pub held: Vec<HeldCount>,
    /// How many the law refused to destroy before, and is asked about later than this.
    pub put_off: u64,
    /// How many are not in a group yet: a sweep puts them into theirs.
    pub unsorted: u64,
    /// The first term that ends after that moment.
    pub next: Option<Timestamp>,
    /// Recordings whose sound alone has to go by then. The law is asked about each when it goes.
    pub sound: SoundTerms,
}

impl TermsPreview {
    /// How many a sweep would destroy.
    #[must_use]
    pub fn destroyed(&self) -> u64 {
        let permitted = self.alike.iter().filter(|alike| alike.refusals.is_empty());
        permitted.map(|alike| alike.count).sum()
    }

    /// Recordings whose sound alone has to go, and that are neither held nor put off: the law is asked about each.
    #[must_use]
    pub const fn sound_to_go(&self) -> u64 {
        let sound = self.sound;
        sound.all.saturating_sub(sound.held + sound.put_off)
    }

    /// How many the law would refuse.
    #[must_use]
    pub fn refused(&self) -> u64 {
        let refused = self.alike.iter().filter(|alike| !alike.refusals.is_empty());
        refused.map(|alike| alike.count).sum()
    }
}

/// The law's answer about calls that began in an interval.
struct Span {
    from: Timestamp,
    to: Timestamp,
    refusals: Vec<TermRefusal>,
}

impl Archive {
    /// Puts sealed recordings that are in no group yet into theirs, at most so many. Tells how many.
    ///
    /// One whose facts do not open is left where it is; `check` names it.
    pub fn sort_terms(&self, most: usize) -> Result<usize, ArchiveError> {
        let (mut sorted, mut unreadable) = (0, 0);
        while sorted < most {
            let page = self
                .index
                .without_facts_key(unreadable, SORTED_AT_ONCE.min(most - sorted))
                .doing("looking for recordings")?;
            let mut keys = Vec::with_capacity(page.len());
            for id in &page {
                if let Ok(key) = self.facts_key(*id) {
                    keys.push((*id, key));
                }
            }
            if page.is_empty() {
                break;
            }
            // They stay at the head of the list, and must not keep the others.
            unreadable += page.len() - keys.len();
            self.index
                .set_facts_keys(&keys)
                .doing("sorting recordings")?;
            sorted += keys.len();
        }
        Ok(sorted)
    }

    /// What the law is told about a recording, but for its moment, as a keyed hash: without the archive's
    /// own key it tells nothing.
    fn facts_key(&self, id: RecordingId) -> Result<Hash, ArchiveError> {
        let row = self.row(id)?;
        let facts = self.recorded_facts(&row)?;
        let bytes = canonical_json(&json!({ "line": row.line, "facts": facts }))?;
        let key = self.secrets.decision_key.derive("facts key", &[]);
        Ok(hmac_sha256(&key, &[&bytes]))
    }

    /// The law refused to destroy this recording: it is no candidate again until then, or until its term
    /// changes or a hold on it is lifted.
    pub fn ask_again(
        &self,
        id: RecordingId,
        scope: Scope,
        at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let noted = self.index.ask_again(id, scope, at);
        noted.doing("putting a question off")
    }

    /// How often the law has refused to destroy a recording, or its sound.
    pub fn refused_destructions(&self, id: RecordingId, scope: Scope) -> Result<u32, ArchiveError> {
        let mut count = 0;
        for kept in self.index.decisions_of(id).doing("reading decisions")? {
            // One that came with a list of destructions has no facts, and was no refusal.
            let is_asked = kept.action == Action::Destroy && !kept.sealed_facts.is_empty();
            if is_asked && self.facts_of(kept.id)?.scope == scope {
                count += 1;
            }
        }
        Ok(count)
    }

    /// What a sweep would find of the terms that are over by `until`, with the law of `now`.
    pub fn preview_terms(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<TermsPreview, ArchiveError> {
        let groups = self.index.term_groups(until).doing("counting terms")?;
        let rulebook = self.rulebook_at(now)?;
        let mut alike: Vec<TermsAlike> = Vec::new();
        let mut put_off = 0;
        for group in &groups {
            let row = self.row(group.sample)?;
            if matches!(row.state, State::Destroying | State::Destroyed) {
                continue;
            }
            let facts = self.recorded_facts(&row)?;
            let word = |name: &str| facts.get(name).and_then(Value::as_str).map(str::to_owned);
            let (purpose, retention_term) = (word("purpose"), word("retention_term"));
            let checked = about(&facts, "keep", row.started_at, now)?;
            let bounds = TermBounds::of(&checked, now);
            for span in spans(&rulebook, &facts, group, now)? {
                let found = self
                    .index
                    .terms_of_group(&group.facts_key, until, span.from, span.to)
                    .doing("counting terms")?;
                let count = found.all.saturating_sub(found.held + found.put_off);
                put_off += found.put_off;
                let same = alike.iter_mut().find(|one| {
                    one.line == row.line
                        && one.purpose == purpose
                        && one.retention_term == retention_term
                        && one.bounds == bounds
                        && one.refusals == span.refusals
                });
                match same {
                    Some(one) => one.count += count,
                    None if count > 0 => alike.push(TermsAlike {
                        line: row.line.clone(),
                        purpose: purpose.clone(),
                        count,
                        retention_term: retention_term.clone(),
                        bounds,
                        refusals: span.refusals,
                    }),
                    None => {}
                }
            }
        }
        alike.sort_by(|a, b| (&a.line, &a.purpose).cmp(&(&b.line, &b.purpose)));
        Ok(TermsPreview {
            until,
            alike,
            held: self.held_counts(until)?,
            put_off,
            unsorted: self.index.unsorted_terms(until).doing("counting terms")?,
            next: self.index.next_term(until).doing("looking for a term")?,
            sound: self.index.sound_terms(until).doing("counting terms")?,
        })
    }

    fn held_counts(&self, until: Timestamp) -> Result<Vec<HeldCount>, ArchiveError> {
        let rows = self.index.held_terms(until).doing("counting holds")?;
        let mut counts: BTreeMap<HoldGround, HeldCount> = BTreeMap::new();
        for row in rows {
            let ground = HoldGround::of_word(&row.ground);
            let one = counts.entry(ground).or_insert(HeldCount {
                ground,
                count: 0,
                first_review: row.first_review,
            });
            one.count += row.count;
            one.first_review = one.first_review.min(row.first_review);
        }
        Ok(counts.into_values().collect())
    }
}

/// Why the law would refuse an act on a recording with these facts whose call began at a moment, and that
/// nothing holds; empty where it would permit it.
pub(super) fn refusals(
    rulebook: &Rulebook,
    facts: &Map<String, Value>,
    action: &str,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<Vec<TermRefusal>, ArchiveError> {
    let checked = about(facts, action, started_at, now)?;
    let decision = voicelog_law::decide_without_unknown(rulebook, &checked, now);
    Ok(if decision.is_permitted() {
        Vec::new()
    } else {
        reasons(&decision)
    })
}

/// The facts about an act on such a recording.
fn about(
    facts: &Map<String, Value>,
    action: &str,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<Facts, ArchiveError> {
    let mut facts = facts.clone();
    facts.insert("requested_action".into(), json!(action));
    facts.insert("recorded_at".into(), json!(started_at));
    facts.insert("recording_state".into(), json!("exists"));
    facts.insert("legal_hold".into(), json!({}));
    Facts::from_map(&facts, now).map_err(ArchiveError::Facts)
}

fn reasons(decision: &Decision) -> Vec<TermRefusal> {
    let reasons = decision.reasons().iter();
    reasons
        .map(|reason| TermRefusal {
            rule: reason.rule.clone(),
            articles: reason.articles.clone(),
            text: reason.text.clone(),
        })
        .collect()
}

/// The answers within a group, oldest call first. Where the answer about the oldest and about the newest
/// is the same, it counts for all: what changes it is how long ago a call was.
fn spans(
    rulebook: &Rulebook,
    facts: &Map<String, Value>,
    group: &TermGroup,
    now: Timestamp,
) -> Result<Vec<Span>, ArchiveError> {
    let ask = |at| refusals(rulebook, facts, "destroy", at, now);
    let last = ask(group.last_started)?;
    let mut spans = Vec::new();
    let mut from = group.first_started;
    while spans.len() + 1 < CHANGES_MAX {
        let here = ask(from)?;
        if here == last {
            break;
        }
        // The answer is `here` at `same`, and another at `other`.
        let (mut same, mut other) = (from, group.last_started);
        while other.micros() - same.micros() > EXACT_MICROS {
            let middle = same.plus_micros((other.micros() - same.micros()) / 2);
            if ask(middle)? == here {
                same = middle;
            } else {
                other = middle;
            }
        }
        spans.push(Span {
            from,
            to: other.plus_micros(-1),
            refusals: here,
        });
        from = other;
    }
    spans.push(Span {
        from,
        to: group.last_started,
        refusals: last,
    });
    Ok(spans)
}
