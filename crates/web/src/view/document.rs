//! The form for the particulars of a document.

use crate::view::interview::{GivenView, frame, given, paths};
use crate::view::page::Page;
use crate::visitor::Visitor;
use askama::Template;
use serde_json::{Map, Value};
use voicelog_law::{DocumentText, Particular, ParticularKind, Text, Walk};
use voicelog_model::Language;

/// One particular to type.
#[derive(Debug)]
pub(crate) struct ParticularView {
    pub(crate) id: &'static str,
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) kind: ParticularKind,
    pub(crate) wrong: Option<String>,
}

/// A document that goes with the answers.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) about: String,
}

impl Offer {
    pub(crate) fn new(text: &DocumentText) -> Self {
        Self {
            name: text.name(),
            title: text.title().to_owned(),
            about: text.about().to_owned(),
        }
    }
}

/// The form.
#[derive(Debug, Template)]
#[template(path = "document_form.html")]
pub(crate) struct DocumentForm {
    pub(crate) p: Page,
    pub(crate) path: &'static str,
    pub(crate) other_path: &'static str,
    pub(crate) document: Offer,
    pub(crate) particulars: Vec<ParticularView>,
    /// What is wrong with no one field.
    pub(crate) problems: Vec<String>,
    pub(crate) is_wrong: bool,
    pub(crate) given: Vec<GivenView>,
}

impl DocumentForm {
    pub(crate) fn new(
        visitor: &Visitor,
        walk: &Walk,
        text: &DocumentText,
        asked: &[&Particular],
        typed: &Map<String, Value>,
        wrong: &[(String, Text)],
    ) -> Self {
        let lang = visitor.lang;
        let (path, other_path) = paths(lang);
        let known = |key: &str| asked.iter().any(|particular| particular.id == key);
        let problems = wrong.iter().filter(|(key, _)| !known(key));
        let problems = problems.map(|(_, text)| text.pick(lang).to_owned());
        Self {
            p: Page {
                title: text.title().to_owned(),
                ..frame(visitor)
            },
            path,
            other_path,
            document: Offer::new(text),
            problems: problems.collect(),
            is_wrong: !wrong.is_empty(),
            particulars: asked
                .iter()
                .map(|particular| view(particular, typed, wrong, lang))
                .collect(),
            given: given(walk, lang),
        }
    }
}

fn view(
    particular: &Particular,
    typed: &Map<String, Value>,
    wrong: &[(String, Text)],
    lang: Language,
) -> ParticularView {
    let label = particular.label.pick(lang);
    let mut letters = label.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let value = typed.get(particular.id).and_then(Value::as_str);
    let found = wrong.iter().find(|(key, _)| key == particular.id);
    ParticularView {
        id: particular.id,
        label: format!("{}{}", first.unwrap_or_default(), letters.as_str()),
        value: value.unwrap_or_default().to_owned(),
        kind: particular.kind,
        wrong: found.map(|(_, text)| text.pick(lang).to_owned()),
    }
}
