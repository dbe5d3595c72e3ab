//! House rules: what an organisation forbids or demands on top of the law, as dated Cedar policies
//! of its own.
//!
//! **Invariant:** a house rule never makes an answer less grave. Its gates only forbid and are
//! evaluated in a set of their own; it can't say that a duty of the law is met; and rules with a
//! mistake are not used at all, not even those beside it.

mod annotations;
mod condition;
mod fault;
mod limits;
mod pieces;
mod types;
mod warnings;

pub use fault::{HouseFaults, HouseFinding};

use crate::decision::HOUSE_PREFIX;
use crate::facts::nearest;
use crate::rulebook::rule::{self, Origin};
use crate::rulebook::{Rulebook, RulebookError, Version};
use crate::text::{BYTE_ORDER_MARK, Text};
use cedar_policy::{Policy, PolicyId, Schema};
use pieces::Piece;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most bytes of one file, and most rules in all. A house with more has other problems.
const FILE_BYTES_MAX: usize = 1 << 20;
const RULES_MAX: usize = 1_000;

/// The rules of an organisation, checked.
#[derive(Debug, Clone)]
pub struct HouseRules {
    versions: Arc<[Version]>,
    /// Where each stands, for what is said about it later.
    places: Arc<[Place]>,
    /// What holds for no facts at all, as Cedar found.
    impossible: Vec<HouseFinding>,
}

impl HouseRules {
    /// Reads the files of a house, given as name and content. `law` is the rulebook that they
    /// stand beside, of any day.
    ///
    /// # Errors
    /// Everything that is wrong with them, not only the first: text that is not Cedar, an unknown
    /// fact or value, a wrong type, a fact that is read without `has`, an annotation that is
    /// missing or unknown, two versions from one day, the id of a rule of the law, a mark for a
    /// duty that is not there, whatever would permit, a rule that is too deep or too long for
    /// Cedar's stack, one that reckons, and a control character.
    pub fn read(files: &[(String, String)], law: &Rulebook) -> Result<Self, HouseFaults> {
        let mut reading = Reading::new(law)?;
        for (name, text) in files {
            reading.file(name, text);
        }
        reading.finish()
    }

    /// How many rules there are, each version counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    pub(crate) fn versions(&self) -> Arc<[Version]> {
        Arc::clone(&self.versions)
    }
}

/// What is found in one rule, while it is read.
struct Notes<'a> {
    piece: &'a Piece<'a>,
    rule: Option<String>,
    law: &'a BTreeSet<String>,
    findings: Vec<HouseFinding>,
}

impl Notes<'_> {
    /// Adds a finding at a place in the rule, in bytes from its beginning.
    fn add(&mut self, at: usize, nl: &str, en: &str) {
        let finding = self.finding(at, nl, en);
        self.findings.push(finding);
    }

    fn finding(&self, at: usize, nl: &str, en: &str) -> HouseFinding {
        let (line, column) = self.piece.place(at);
        HouseFinding {
            file: self.piece.file.to_owned(),
            line,
            column,
            rule: self.rule.clone(),
            text: Text::new(nl, en),
        }
    }

    fn add_at_annotation(&mut self, name: &str, nl: &str, en: &str) {
        self.add(self.piece.annotation(name), nl, en);
    }

    /// Whether the law has a rule with this id, on whatever day.
    fn is_of_law(&self, id: &str) -> bool {
        self.law.contains(id)
    }
}

/// Files of house rules while they are read.
struct Reading {
    schema: Schema,
    law: BTreeSet<String>,
    versions: Vec<Version>,
    places: Vec<Place>,
    /// What all rules say of themselves, also those with a mistake in them.
    said: Vec<Said>,
    findings: Vec<HouseFinding>,
    impossible: Vec<HouseFinding>,
}

impl Reading {
    fn new(law: &Rulebook) -> Result<Self, HouseFaults> {
        let schema = crate::rulebook::schema();
        let schema = schema.map_err(|error| {
            HouseFaults::new(vec![finding_of_file(
                "",
                &error.to_string(),
                &error.to_string(),
            )])
        })?;
        Ok(Self {
            schema,
            law: law.versions().ids().map(str::to_owned).collect(),
            versions: Vec::new(),
            places: Vec::new(),
            said: Vec::new(),
            findings: Vec::new(),
            impossible: Vec::new(),
        })
    }

    fn file(&mut self, name: &str, text: &str) {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if text.len() > FILE_BYTES_MAX {
            return self.findings.push(finding_of_file(
                name,
                &format!(
                    "groter dan {FILE_BYTES_MAX} bytes; verdeel de regels over meer bestanden"
                ),
                &format!("larger than {FILE_BYTES_MAX} bytes; divide the rules over more files"),
            ));
        }
        let pieces = pieces::cut(name, text);
        if pieces.is_empty() {
            self.findings.push(finding_of_file(
                name,
                "er staat geen regel in dit bestand",
                "there is no rule in this file",
            ));
        }
        for piece in &pieces {
            if self.versions.len() >= RULES_MAX {
                return self.findings.push(finding_of_file(
                    name,
                    &format!("meer dan {RULES_MAX} regels"),
                    &format!("more than {RULES_MAX} rules"),
                ));
            }
            self.rule(piece);
        }
    }

    /// Reads one rule. It is kept only if nothing is wrong with it.
    fn rule(&mut self, piece: &Piece<'_>) {
        let is_plain = |id: &&str| !id.is_empty() && limits::control(id).is_none();
        let id = piece.annotation_text("id").filter(is_plain);
        self.said.extend(id.map(|id| Said::of(id, piece)));
        let mut notes = Notes {
            piece,
            rule: id.map(str::to_owned),
            law: &self.law,
            findings: Vec::new(),
        };
        limits::check(&mut notes);
        if !notes.findings.is_empty() {
            let findings = notes.findings;
            return self.findings.extend(findings);
        }
        let policy_id = PolicyId::new(id.unwrap_or("house"));
        match Policy::parse(Some(policy_id), piece.text) {
            Ok(policy) => {
                annotations::check(&policy, &mut notes);
                condition::check(&policy, &mut notes);
                let impossible = types::check(&self.schema, &policy, &mut notes);
                self.impossible.extend(impossible);
                if notes.findings.is_empty() {
                    match rule::read(piece.file, &policy, Origin::House) {
                        Ok(rule) => {
                            self.versions.push((Arc::new(rule), policy));
                            self.places.push(place_of(piece));
                        }
                        Err(error) => notes.add(0, &wrong_nl(&error), &error.to_string()),
                    }
                }
            }
            Err(error) => types::syntax(&error, &mut notes),
        }
        let findings = notes.findings;
        self.findings.extend(findings);
    }

    /// What can only be seen with all rules read: ids that are there twice, marks without a duty.
    fn finish(mut self) -> Result<HouseRules, HouseFaults> {
        let is_duty = |said: &&Said| said.kind == "duty";
        let duties: BTreeSet<&str> = self
            .said
            .iter()
            .filter(is_duty)
            .map(|said| said.id.as_str())
            .collect();
        let mut known: BTreeMap<(&str, &str), &Said> = BTreeMap::new();
        for said in &self.said {
            let (id, day) = (said.id.as_str(), said.valid_from.as_str());
            let first = *known.entry((id, day)).or_insert(said);
            if first.place != said.place && !day.is_empty() {
                let (file, line) = (&first.place.0, first.place.1);
                self.findings.push(finding_at(
                    &said.place,
                    id,
                    &format!("`{id}` van {day} staat er al: {file}:{line}; geef de nieuwe versie een andere dag of de regel een andere naam"),
                    &format!("`{id}` of {day} is there already: {file}:{line}; give the new version another day or the rule another name"),
                ));
            }
            let is_mark = ["met", "unmet"].contains(&said.kind.as_str());
            if is_mark && !said.duty.is_empty() && !duties.contains(said.duty.as_str()) {
                let (nl, en) = dangling(&said.duty, &duties, self.law.contains(&said.duty));
                self.findings.push(finding_at(&said.place, id, &nl, &en));
            }
        }
        if self.findings.is_empty() {
            Ok(HouseRules {
                versions: self.versions.into(),
                places: self.places.into(),
                impossible: self.impossible,
            })
        } else {
            Err(HouseFaults::new(self.findings))
        }
    }
}

/// What a rule says of itself, as far as other rules have to do with it.
struct Said {
    id: String,
    kind: String,
    valid_from: String,
    duty: String,
    place: Place,
}

impl Said {
    fn of(id: &str, piece: &Piece<'_>) -> Self {
        let text = |name| piece.annotation_text(name).unwrap_or_default().to_owned();
        Self {
            id: id.to_owned(),
            kind: text("kind"),
            valid_from: text("valid_from"),
            duty: text("duty"),
            place: place_of(piece),
        }
    }
}

/// File, line and column.
type Place = (String, usize, usize);

fn place_of(piece: &Piece<'_>) -> Place {
    let (line, column) = piece.place(0);
    (piece.file.to_owned(), line, column)
}

/// Why a mark speaks of no duty.
fn dangling(duty: &str, duties: &BTreeSet<&str>, is_of_law: bool) -> (String, String) {
    if is_of_law {
        return (
            format!(
                "`{duty}` is een plicht van de wet; of die is nagekomen, zegt een huisregel niet"
            ),
            format!(
                "`{duty}` is a duty of the law; whether that is met is not for a house rule to say"
            ),
        );
    }
    match nearest(duty, duties.iter().copied()) {
        Some(near) => (
            format!("er is geen plicht `{duty}`; bedoelt u `{near}`?"),
            format!("there is no duty `{duty}`; did you mean `{near}`?"),
        ),
        None => (
            format!(
                "er is geen plicht `{duty}` onder deze huisregels (kind `duty`, begint met `{HOUSE_PREFIX}`)"
            ),
            format!(
                "there is no duty `{duty}` among these house rules (kind `duty`, begins with `{HOUSE_PREFIX}`)"
            ),
        ),
    }
}

fn wrong_nl(error: &RulebookError) -> String {
    format!("deze regel kan niet worden gelezen: {error}")
}

fn finding_at(place: &Place, rule: &str, nl: &str, en: &str) -> HouseFinding {
    let (file, line, column) = place;
    HouseFinding {
        file: file.clone(),
        line: *line,
        column: *column,
        rule: Some(rule.to_owned()),
        text: Text::new(nl, en),
    }
}

fn finding_of_file(name: &str, nl: &str, en: &str) -> HouseFinding {
    HouseFinding {
        file: name.to_owned(),
        line: 1,
        column: 1,
        rule: None,
        text: Text::new(nl, en),
    }
}
