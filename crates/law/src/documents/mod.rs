//! Documents from the rulebook: an announcement, a notice, a letter, with the answers filled in.
//!
//! The texts are data (`crates/law/documents`): per document and language a file for each version,
//! in clauses that follow rules. A clause is there only where its rule holds for the facts, and it
//! can cite no article but those of its rules. What nobody said becomes a line to fill in.

mod condition;
mod embedded;
mod error;
mod fill;
mod html;
mod made;
mod particulars;
mod plain;
mod template;
#[cfg(test)]
mod tests;
mod words;

pub use error::DocumentError;
pub use html::{DOCUMENT_STYLE, Style};
pub use made::{Block, Clause, Document, ListKind, Note, Piece, Section};
pub use particulars::{Particular, ParticularKind, Particulars, ParticularsError};

use crate::facts::{Facts, name, nearest, shown};
use crate::interview::STAND_IN;
use crate::rulebook::Rulebook;
use condition::Situation;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use template::Template;
use voicelog_model::{Action, Language, Timestamp};
use words::Words;

/// What a text is read from.
#[derive(Debug, Clone)]
struct Source {
    template: Template,
    words: Words,
}

/// How facts are said in one language, in the words of the documents.
#[derive(Debug, Clone)]
pub struct FactWords(Words);

impl FactWords {
    /// The words that hold at `at`.
    ///
    /// # Errors
    /// A text of ours is wrong, which the tests of this crate catch.
    pub fn load(language: Language, at: Timestamp) -> Result<Self, DocumentError> {
        let file = words_file(language, at)?;
        Words::parse(file.path, file.text, language).map(Self)
    }

    /// What a fact is called; its name where there are no words for it.
    #[must_use]
    pub fn fact<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.label(name)
    }

    /// A value of a fact in words; as it stands in a facts file where there are none for it.
    #[must_use]
    pub fn value(&self, name: &str, value: &Value) -> String {
        match (self.0.say(name, None, value), value) {
            (said, _) if !said.is_empty() => self.0.join(&said),
            (_, Value::String(word)) => word.clone(),
            (_, other) => other.to_string(),
        }
    }
}

fn words_file(language: Language, at: Timestamp) -> Result<embedded::File, DocumentError> {
    let file = embedded::in_force(language, at).find(|file| file.name == WORDS);
    file.ok_or_else(|| DocumentError::Text {
        place: WORDS.to_owned(),
        why: "is not there".to_owned(),
    })
}

/// The text of a document in one language, in the version that holds at a moment.
#[derive(Debug, Clone)]
pub struct DocumentText {
    name: &'static str,
    language: Language,
    /// First day of the version.
    version: &'static str,
    hash: String,
    source: Source,
}

/// The name of the file with words, among the texts.
const WORDS: &str = "words";

impl DocumentText {
    /// The text with that name, in the version that holds at `at`.
    ///
    /// # Errors
    /// There is none; or a text of ours is wrong, which the tests of this crate catch.
    pub fn load(name: &str, language: Language, at: Timestamp) -> Result<Self, DocumentError> {
        let found = embedded::in_force(language, at).find(|file| file.name == name);
        let Some(file) = found.filter(|file| file.name != WORDS) else {
            let known = embedded::names().filter(|known| *known != WORDS);
            return Err(DocumentError::NoSuch {
                name: shown(name),
                near: nearest(name, known).map(str::to_owned),
            });
        };
        Self::read(&file, language, at)
    }

    /// Every text, in the order of the first day's names.
    ///
    /// # Errors
    /// A text of ours is wrong, which the tests of this crate catch.
    pub fn all(language: Language, at: Timestamp) -> Result<Vec<Self>, DocumentError> {
        embedded::in_force(language, at)
            .filter(|file| file.name != WORDS)
            .map(|file| Self::read(&file, language, at))
            .collect()
    }

    /// Those that go with these facts.
    ///
    /// # Errors
    /// As [`DocumentText::all`].
    pub fn fitting(
        facts: &Facts,
        language: Language,
        at: Timestamp,
    ) -> Result<Vec<Self>, DocumentError> {
        let mut all = Self::all(language, at)?;
        all.retain(|text| text.fits(facts, at));
        Ok(all)
    }

    fn read(
        file: &embedded::File,
        language: Language,
        at: Timestamp,
    ) -> Result<Self, DocumentError> {
        let words = words_file(language, at)?;
        let mut hasher = Sha256::new();
        for text in [file.text, words.text] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        Ok(Self {
            name: file.name,
            language,
            version: file.version,
            hash: crate::hash::text_of(hasher.finalize().as_slice()),
            source: Source {
                template: Template::parse(file.path, file.text)?,
                words: Words::parse(words.path, words.text, language)?,
            },
        })
    }

    /// Its name: `staff-notice`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.source.template.title
    }

    /// What it is for, in one sentence.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.source.template.about
    }

    /// First day of this version of the text, as a full-date.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// Whether it goes with these facts: their act, and who is who.
    #[must_use]
    pub fn fits(&self, facts: &Facts, at: Timestamp) -> bool {
        let filled = facts.filled();
        let situation = Situation {
            facts: &filled,
            particulars: &Particulars::default(),
            at,
        };
        let mut rows = self.source.template.fits.iter();
        rows.any(|row| row.iter().all(|condition| condition.holds(&situation)))
    }

    /// The particulars that it has a place for, each once.
    #[must_use]
    pub fn particulars(&self) -> Vec<&'static Particular> {
        let asked = |particular: &&Particular| {
            let mut slots = self.source.template.slots();
            slots.any(|slot| slot.name == particular.id)
        };
        particulars::ALL.iter().filter(asked).collect()
    }

    /// Those of them that a clause asks for which these facts leave in: what to ask a person.
    #[must_use]
    pub fn particulars_for(&self, facts: &Facts, at: Timestamp) -> Vec<&'static Particular> {
        let filled = facts.filled();
        let situation = Situation {
            facts: &filled,
            particulars: &Particulars::default(),
            at,
        };
        let clauses = self.source.template.clauses().map(|(_, clause)| clause);
        let there = clauses.filter(|clause| clause.when.iter().all(|when| when.holds(&situation)));
        let there: Vec<_> = there.collect();
        let mut asked = self.particulars();
        asked.retain(|particular| {
            let mut slots = there.iter().flat_map(|clause| clause.slots());
            slots.any(|slot| slot.name == particular.id)
        });
        asked
    }

    /// Makes the document: what it says of the act in the facts, as the rules are at `at`.
    ///
    /// Where the act is not permitted the document says so at its top, with the reasons; where it
    /// would mislead all the same it is not made.
    ///
    /// # Errors
    /// It is not for this situation, it would mislead, or what it may not leave open is wanting.
    pub fn make(
        &self,
        rulebook: &Rulebook,
        facts: &Facts,
        particulars: &Particulars,
        at: Timestamp,
    ) -> Result<Document, DocumentError> {
        if !self.fits(facts, at) {
            let fitting = Self::fitting(facts, self.language, at)?;
            return Err(DocumentError::DoesNotFit {
                name: self.name.to_owned(),
                fitting: fitting.iter().map(|text| text.name.to_owned()).collect(),
            });
        }
        let (facts, particulars) = with_reason(facts, particulars);
        fill::document(self, rulebook, &facts, &particulars, at)
    }
}

/// A government body's reason to refuse is a fact of the law (`weighty_reason`), and it is what a
/// letter says: whichever of the two was given stands for both.
fn with_reason(facts: &Facts, particulars: &Particulars) -> (Facts, Particulars) {
    let mut particulars = particulars.clone();
    let to_citizen = facts.action() == Action::RefuseRecording
        && facts.holds(name::COUNTERPART_TYPES, "government_body");
    if !to_citizen {
        return (facts.clone(), particulars);
    }
    let filled = facts.filled();
    let mut reason = Map::new();
    for (id, field) in [("reason", "text"), ("alternative", "alternative_offered")] {
        let fact = filled.field_word(name::WEIGHTY_REASON, field);
        if let Some(text) = fact.filter(|text| *text != STAND_IN) {
            particulars.set_if_missing(id, text);
        }
        if let Some(text) = particulars.get(id).or(fact) {
            reason.insert(field.to_owned(), json!(text));
        }
    }
    let told = facts.trial(name::WEIGHTY_REASON, &Value::Object(reason));
    (told.unwrap_or_else(|| facts.clone()), particulars)
}
