//! Making a document: which clauses are there, and what stands in their open places.

use super::condition::Situation;
use super::error::DocumentError;
use super::made::{Block, Clause, Document, ListKind, Note, Piece, Section};
use super::particulars::{self, Particulars};
use super::template::{BlockText, ClauseText, Form, Part, SectionText, Slot, Template};
use super::{DocumentText, Source};
use crate::decision::{Decision, Reason, ReasonKind};
use crate::facts::values::Values;
use crate::facts::{Facts, calendar, name};
use crate::purposes;
use crate::rulebook::{Asked, Does, Part as Set, Rulebook};
use serde_json::Value;
use std::collections::BTreeSet;
use voicelog_model::Timestamp;

/// The section of what is said aloud.
const SPOKEN: &str = "spoken";

/// What a document is made from.
struct Maker<'a> {
    text: &'a DocumentText,
    rulebook: &'a Rulebook,
    facts: &'a Facts,
    filled: Values,
    particulars: &'a Particulars,
    at: Timestamp,
    /// The rules that hold for these facts.
    holding: BTreeSet<String>,
    notes: Vec<Note>,
    assumed: Vec<String>,
    wanting: Vec<(String, String)>,
    blanks: usize,
    /// How many numbered items the section has so far.
    steps: usize,
}

/// Makes the document, with the decision on the act that it speaks of.
pub(super) fn document(
    text: &DocumentText,
    rulebook: &Rulebook,
    facts: &Facts,
    particulars: &Particulars,
    at: Timestamp,
) -> Result<Document, DocumentError> {
    let decision = crate::decide_without_unknown(rulebook, facts, at);
    refused(text, &decision)?;
    let filled = facts.filled();
    let mut maker = Maker {
        holding: holding(rulebook, &decision, &filled, at),
        text,
        rulebook,
        facts,
        filled,
        particulars,
        at,
        notes: Vec::new(),
        assumed: Vec::new(),
        wanting: Vec::new(),
        blanks: 0,
        steps: 0,
    };
    let Source { template, .. } = &text.source;
    let sections = maker.sections(template);
    // What is to be said aloud is what such a text is for: without it the rest is none.
    let lacks_words = template.sections.iter().any(|section| section.id == SPOKEN)
        && !sections.iter().any(|section| section.id == SPOKEN);
    if sections.is_empty() || lacks_words {
        return Err(DocumentError::NothingToSay {
            name: text.name.to_owned(),
        });
    }
    if !maker.wanting.is_empty() {
        return Err(DocumentError::Wanting {
            name: text.name.to_owned(),
            what: maker.wanting,
        });
    }
    Ok(Document {
        name: text.name.to_owned(),
        language: text.language,
        title: template.title.clone(),
        version: text.version.to_owned(),
        hash: text.hash.clone(),
        at,
        day: text.source.words.day(calendar::day_of(at)),
        rulebook: rulebook.reference().clone(),
        outcome: decision.outcome,
        act: act_in_words(&text.source, &decision),
        warnings: refusing(&decision)
            .filter(|reason| !template.cures.contains(&reason.rule))
            .map(|reason| reason.text.pick(text.language).to_owned())
            .collect(),
        says_it_happens: template.says_it_happens,
        sections,
        notes: maker.notes,
        assumed: maker.assumed,
        blanks: maker.blanks,
    })
}

/// The reasons for which an act is not permitted; none where it is.
fn refusing(decision: &Decision) -> impl Iterator<Item = &Reason> {
    let reasons = decision.reasons.iter();
    reasons.filter(|reason| reason.kind != ReasonKind::Permit)
}

fn act_in_words(source: &Source, decision: &Decision) -> String {
    let key = format!("{}.{}", name::REQUESTED_ACTION, decision.action);
    source.words.get(&key).unwrap_or_default().to_owned()
}

/// Refuses a document that would mislead.
fn refused(text: &DocumentText, decision: &Decision) -> Result<(), DocumentError> {
    let Template {
        refused,
        but_not,
        cures,
        ..
    } = &text.source.template;
    let reasons: Vec<_> = refusing(decision)
        .filter(|reason| refused.iter().any(|kind| kind == reason.kind.as_str()))
        .filter(|reason| !but_not.contains(&reason.rule) && !cures.contains(&reason.rule))
        .map(|reason| (reason.text.clone(), reason.articles.clone()))
        .collect();
    if decision.is_permitted() || reasons.is_empty() {
        return Ok(());
    }
    Err(DocumentError::Refused {
        name: text.name.to_owned(),
        reasons,
    })
}

/// The ids of the rules that hold: what the decision says, and besides what it keeps to itself.
fn holding(
    rulebook: &Rulebook,
    decision: &Decision,
    facts: &Values,
    at: Timestamp,
) -> BTreeSet<String> {
    let mut holding: BTreeSet<String> = decision
        .reasons
        .iter()
        .map(|reason| reason.rule.clone())
        .collect();
    let asked = Asked::new(decision.action, facts.clone(), at);
    for set in [Set::Gates, Set::Duties, Set::Advice] {
        let (rules, _) = rulebook.holding(&asked, set);
        holding.extend(rules.iter().map(|rule| rule.id.clone()));
    }
    holding
}

impl Maker<'_> {
    fn sections(&mut self, template: &Template) -> Vec<Section> {
        let sections = template.sections.iter();
        sections
            .filter_map(|section| self.section(section))
            .collect()
    }

    fn section(&mut self, text: &SectionText) -> Option<Section> {
        self.steps = 0;
        let mut clauses = Vec::new();
        for clause in &text.clauses {
            if self.is_there(clause) {
                clauses.push(self.clause(clause));
            }
        }
        (!clauses.is_empty()).then(|| Section {
            id: text.id.clone(),
            heading: text.heading.clone(),
            clauses,
        })
    }

    fn is_there(&self, clause: &ClauseText) -> bool {
        let situation = Situation {
            facts: &self.filled,
            particulars: self.particulars,
            at: self.at,
        };
        let follows = &clause.follows;
        (follows.is_empty() || follows.iter().any(|rule| self.holding.contains(rule)))
            && clause.when.iter().all(|when| when.holds(&situation))
    }

    fn clause(&mut self, text: &ClauseText) -> Clause {
        let holding = text
            .follows
            .iter()
            .filter(|rule| self.holding.contains(*rule))
            .cloned();
        let rules: Vec<String> = holding.chain(text.cites.iter().cloned()).collect();
        let notes = rules.iter().filter_map(|rule| self.note(rule)).collect();
        let mut blocks = Vec::new();
        for block in &text.blocks {
            self.block(block, &mut blocks);
        }
        Clause {
            id: text.id.clone(),
            blocks,
            notes,
        }
    }

    /// The number of a rule among the notes; nothing if it is not in force.
    fn note(&mut self, rule: &str) -> Option<usize> {
        if let Some(known) = self.notes.iter().find(|note| note.rule == rule) {
            return Some(known.number);
        }
        let found = self.rulebook.by_id(rule)?;
        // Whether a duty is met rests on what the duty rests on.
        if let Does::Mark { duty, .. } = &found.does {
            return self.note(duty);
        }
        let number = self.notes.len() + 1;
        self.notes.push(Note {
            number,
            rule: rule.to_owned(),
            articles: found.articles.clone(),
            status: found.status,
        });
        Some(number)
    }

    fn block(&mut self, text: &BlockText, blocks: &mut Vec<Block>) {
        let items = self.items(text);
        match text.form {
            Form::Paragraph => blocks.extend(items.into_iter().map(Block::Paragraph)),
            Form::Said => blocks.extend(items.into_iter().map(Block::Said)),
            Form::Row => {
                let mut pieces: Vec<_> = items.into_iter().flatten().collect();
                unlabelled(&text.label, &mut pieces);
                match blocks.last_mut() {
                    Some(Block::Rows(rows)) => rows.push((text.label.clone(), pieces)),
                    _ => blocks.push(Block::Rows(vec![(text.label.clone(), pieces)])),
                }
            }
            Form::Bullet => listed(ListKind::Bullets, items, blocks),
            Form::Step => {
                let first = self.steps + 1;
                self.steps += items.len();
                match blocks.last_mut() {
                    Some(Block::List(ListKind::Steps(_), list)) => list.extend(items),
                    _ => blocks.push(Block::List(ListKind::Steps(first), items)),
                }
            }
            Form::Tick => listed(ListKind::Ticks, items, blocks),
        }
    }

    /// The block's line; several where it is nothing but a list that a fact gives.
    fn items(&mut self, text: &BlockText) -> Vec<Vec<Piece>> {
        let is_item = matches!(text.form, Form::Bullet | Form::Step | Form::Tick);
        if let ([Part::Slot(slot)], true) = (text.parts.as_slice(), is_item) {
            let values = self.values(slot);
            if !values.is_empty() {
                let items = values.into_iter();
                return items.map(|value| vec![Piece::Filled(value)]).collect();
            }
        }
        let mut pieces: Vec<_> = text.parts.iter().map(|part| self.piece(part)).collect();
        one_full_stop(&mut pieces);
        vec![pieces]
    }

    fn piece(&mut self, part: &Part) -> Piece {
        match part {
            Part::Words(words) => Piece::Words(words.clone()),
            Part::Today => Piece::Filled(self.text.source.words.day(calendar::day_of(self.at))),
            Part::Articles(rule) => Piece::Words(
                self.rulebook
                    .by_id(rule)
                    .map(|rule| rule.articles.join("; "))
                    .unwrap_or_default(),
            ),
            Part::Rule(rule) => Piece::Words(
                self.rulebook
                    .by_id(rule)
                    .map(|rule| rule.text.pick(self.text.language).to_owned())
                    .unwrap_or_default(),
            ),
            Part::Document(name) => {
                let other = DocumentText::load(name, self.text.language, self.at);
                let title = other.map(|other| other.title().to_owned());
                let document = self.text.source.words.get("document").unwrap_or_default();
                Piece::Words(format!("{document} “{}”", title.unwrap_or_default()))
            }
            Part::Space(lines) => {
                self.blanks += 1;
                Piece::Blank {
                    label: String::new(),
                    lines: *lines,
                }
            }
            Part::Slot(slot) => {
                let values = self.values(slot);
                if values.is_empty() {
                    self.blank(slot)
                } else {
                    Piece::Filled(self.text.source.words.join(&values))
                }
            }
        }
    }

    fn blank(&mut self, slot: &Slot) -> Piece {
        let label = match particulars::find(&slot.name) {
            Some(particular) => particular.label.pick(self.text.language),
            None => self.text.source.words.label(&slot.name),
        }
        .to_owned();
        if slot.required {
            self.wanting.push((slot.name.clone(), label.clone()));
        }
        self.blanks += 1;
        Piece::Blank {
            label,
            lines: slot.lines,
        }
    }

    /// Who listens for the purpose, where nobody named other people.
    fn listeners(&mut self, asked: &particulars::Particular) -> Option<String> {
        let purpose = self
            .filled
            .word(name::PURPOSE)
            .and_then(purposes::purpose)?;
        // The last row stands for what is not settled: there nobody listens yet.
        if asked.id != "listeners" || purpose.name == "overig" {
            return None;
        }
        let language = self.text.language;
        let who = purpose.listeners.pick(language).to_owned();
        self.assume(asked.label.pick(language), &who);
        Some(who)
    }

    /// Remembers what was taken though nobody said it.
    fn assume(&mut self, label: &str, value: &str) {
        let assumed = format!("{label}: {value}");
        if !self.assumed.contains(&assumed) {
            self.assumed.push(assumed);
        }
    }

    /// What stands at a place; nothing where nobody said it.
    fn values(&mut self, slot: &Slot) -> Vec<String> {
        let words = &self.text.source.words;
        if let Some(particular) = particulars::find(&slot.name) {
            let given = self.particulars.get(particular.id);
            let day = |text: &str| match particular.kind {
                particulars::ParticularKind::Day => {
                    calendar::day(text).map_or_else(|| text.to_owned(), |day| words.day(day))
                }
                _ => text.to_owned(),
            };
            let listeners = || self.listeners(particular);
            return given.map(day).or_else(listeners).into_iter().collect();
        }
        let (name, field) = match slot.name.split_once('.') {
            Some((name, field)) => (name, Some(field)),
            None => (slot.name.as_str(), None),
        };
        let value: Option<&Value> = match field {
            Some(field) => self.filled.field(name, field),
            None => self.filled.value(name),
        };
        let said = value
            .map(|value| words.say(&slot.name, slot.form.as_deref(), value))
            .unwrap_or_default();
        if !said.is_empty() && !self.facts.has(name) {
            let (label, value) = (words.label(name).to_owned(), words.join(&said));
            self.assume(&label, &value);
        }
        said
    }
}

/// Adds items to the list before them, if it is of the same kind.
fn listed(kind: ListKind, items: Vec<Vec<Piece>>, blocks: &mut Vec<Block>) {
    match blocks.last_mut() {
        Some(Block::List(known, list)) if *known == kind => list.extend(items),
        _ => blocks.push(Block::List(kind, items)),
    }
}

/// Where a value ends in a full stop, the text's own is left out: "Voorbeeld B.V."
fn one_full_stop(pieces: &mut [Piece]) {
    let mut ended = false;
    for piece in pieces {
        if let (Piece::Words(words), true) = (&mut *piece, ended)
            && let Some(rest) = words.strip_prefix('.')
        {
            *words = rest.to_owned();
        }
        ended = matches!(piece, Piece::Filled(value) if value.ends_with(['.', '?', '!']));
    }
}

/// What a row's own label says need not stand beside its open place once more.
fn unlabelled(row: &str, pieces: &mut [Piece]) {
    for piece in pieces {
        if let Piece::Blank { label, .. } = piece
            && label.to_lowercase() == row.to_lowercase()
        {
            label.clear();
        }
    }
}
