//! Answers as people give them: chosen, typed, or "I do not know".

use super::question::{Entry, EntryKind, Question};
use crate::facts::calendar;
use crate::text::{Bilingual, Text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use voicelog_model::{Language, Timestamp};

/// An answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The ids of the choices taken; none is an answer too where several can be taken.
    Chosen(Vec<String>),
    /// What was typed, by id of the entry.
    Typed(BTreeMap<String, String>),
    /// "I do not know."
    NotKnown,
}

/// The answers so far, by id of the question. They have a text form, for a form on a page:
/// `question=choice,choice`, `question=~entry:text~entry:text`, `question=?`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<String, Answer>);

/// One question that was answered.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its name in the answers.
    pub key: String,
    /// The question.
    pub question: &'static Question,
    /// The words in which it was put.
    pub words: Bilingual,
    /// The answer.
    pub answer: Answer,
}

/// Longest text form of one answer, in bytes.
const TEXT_MAX: usize = 1_000;

impl Answer {
    /// Reads the text form; nothing if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        if text == "?" {
            return Some(Self::NotKnown);
        }
        if let Some(typed) = text.strip_prefix('~') {
            let entries = typed.split('~').map(|entry| {
                let (id, text) = entry.split_once(':')?;
                Some((id.to_owned(), text.to_owned()))
            });
            return entries.collect::<Option<_>>().map(Self::Typed);
        }
        let ids = text.split(',').filter(|id| !id.is_empty());
        Some(Self::Chosen(ids.map(str::to_owned).collect()))
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Chosen(ids) => ids.join(","),
            Self::NotKnown => "?".to_owned(),
            Self::Typed(texts) => texts
                .iter()
                .map(|(id, text)| format!("~{id}:{}", text.replace('~', "-")))
                .collect(),
        }
    }

    /// Whether a choice was taken.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        matches!(self, Self::Chosen(ids) if ids.iter().any(|taken| taken == id))
    }

    /// What was typed for an entry.
    #[must_use]
    pub fn text_of(&self, entry: &str) -> Option<&str> {
        match self {
            Self::Typed(texts) => texts.get(entry).map(String::as_str),
            _ => None,
        }
    }
}

impl Answers {
    /// The answer to a question.
    #[must_use]
    pub fn get(&self, question: &str) -> Option<&Answer> {
        self.0.get(question)
    }

    /// Sets the answer to a question.
    pub fn set(&mut self, question: &str, answer: Answer) {
        self.0.insert(question.to_owned(), answer);
    }

    /// Forgets the answer to a question.
    pub fn remove(&mut self, question: &str) {
        self.0.remove(question);
    }

    /// All of them, by id of the question.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.0.iter().map(|(id, answer)| (id.as_str(), answer))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Given {
    /// The answer in words.
    #[must_use]
    pub fn answer_in(&self, language: Language) -> String {
        match &self.answer {
            Answer::NotKnown => language.pick("weet ik niet", "I do not know").to_owned(),
            Answer::Typed(texts) => {
                let texts: Vec<_> = texts.values().map(String::as_str).collect();
                texts.join(", ")
            }
            Answer::Chosen(_) => {
                let choices = self.question.choices().iter();
                let taken: Vec<_> = choices
                    .filter(|choice| self.answer.has(choice.id))
                    .map(|choice| choice.label.pick(language))
                    .collect();
                if taken.is_empty() {
                    language.pick("geen van deze", "none of these").to_owned()
                } else {
                    taken.join("; ")
                }
            }
        }
    }
}

pub(super) fn choose_one() -> Text {
    Text::new("Kies één antwoord.", "Choose one answer.")
}

pub(super) fn choose_some() -> Text {
    Text::new("Kies er minstens één.", "Choose at least one.")
}

pub(super) fn no_choice(id: &str) -> Text {
    let shown: String = id.chars().take(40).collect();
    Text::new(
        format!("`{shown}` is hier geen antwoord. Kies er een uit de lijst."),
        format!("`{shown}` is no answer here. Choose one of the list."),
    )
}

/// What was typed, as the value of a fact.
pub(super) fn typed(entry: &Entry, text: &str, at: Timestamp) -> Result<Value, Text> {
    match entry.kind {
        EntryKind::Day => {
            let day = calendar::day(text).map(|_| json!(text));
            day.ok_or_else(not_a_day)
        }
        EntryKind::MomentOfDay => {
            let day = calendar::day(text).ok_or_else(not_a_day)?;
            let moment = calendar::start_of(day).ok_or_else(not_a_day)?;
            if moment > at {
                return Err(Text::new(
                    "Die dag is nog niet geweest.",
                    "That day has not been yet.",
                ));
            }
            Ok(json!(moment.to_string()))
        }
        EntryKind::Term => match text {
            "unlimited" => Ok(json!(text)),
            _ if calendar::term(text).is_some() => Ok(json!(text)),
            _ => Err(Text::new(
                "Noem een termijn, zoals P30D (30 dagen), P6M (6 maanden), P5Y (5 jaar) of unlimited (zonder einde).",
                "Give a term, such as P30D (30 days), P6M (6 months), P5Y (5 years) or unlimited (without end).",
            )),
        },
        EntryKind::Reference => Ok(json!(text)),
    }
}

fn not_a_day() -> Text {
    Text::new(
        "Dat is geen dag zoals 2026-11-21.",
        "That is not a day such as 2026-11-21.",
    )
}
