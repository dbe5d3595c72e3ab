//! The pages of the interview.

use crate::pages::interview::{DUTCH, ENGLISH};
use crate::view::badge::Shape;
use crate::view::decision::{DecisionView, DutyView};
use crate::view::document::Offer;
use crate::view::page::Page;
use crate::visitor::Visitor;
use askama::Template;
use voicelog_law::{Ask, Decision, Entry, EntryKind, Facts, Form, Given, Walk};
use voicelog_model::{DecisionId, Language};

/// One answer that can be chosen.
#[derive(Debug)]
pub(crate) struct ChoiceView {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) taken: bool,
}

/// One value to type.
#[derive(Debug)]
pub(crate) struct EntryView {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) value: String,
}

/// An answer that was given, to show and to send along.
#[derive(Debug)]
pub(crate) struct GivenView {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) asks: &'static str,
    pub(crate) answer: String,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    One,
    Several,
    Fields,
}

/// A question.
#[derive(Debug, Template)]
#[template(path = "interview_question.html")]
pub(crate) struct QuestionPage {
    pub(crate) p: Page,
    pub(crate) path: &'static str,
    pub(crate) other_path: &'static str,
    pub(crate) number: usize,
    pub(crate) key: String,
    pub(crate) asks: &'static str,
    pub(crate) because: &'static str,
    pub(crate) articles: Vec<String>,
    pub(crate) how: How,
    pub(crate) choices: Vec<ChoiceView>,
    pub(crate) entries: Vec<EntryView>,
    pub(crate) problem: Option<String>,
    pub(crate) may_be_unknown: bool,
    pub(crate) for_advice: bool,
    /// What the page says before the first question.
    pub(crate) lead: &'static str,
    pub(crate) given: Vec<GivenView>,
}

/// The answer.
#[derive(Debug, Template)]
#[template(path = "interview_answer.html")]
pub(crate) struct AnswerPage {
    pub(crate) p: Page,
    pub(crate) path: &'static str,
    pub(crate) other_path: &'static str,
    pub(crate) d: DecisionView,
    pub(crate) checklist: Vec<DutyView>,
    pub(crate) given: Vec<GivenView>,
    pub(crate) facts: String,
    /// The documents that go with it.
    pub(crate) documents: Vec<Offer>,
    pub(crate) has_more: bool,
    pub(crate) law_of: String,
}

/// Most articles named beside a question.
const ARTICLES_MAX: usize = 6;

pub(crate) const fn paths(lang: Language) -> (&'static str, &'static str) {
    match lang {
        Language::Nl => (DUTCH, ENGLISH),
        Language::En => (ENGLISH, DUTCH),
    }
}

pub(crate) fn frame(visitor: &Visitor) -> Page {
    let title = visitor.lang.pick(
        "Mag ik dit gesprek opnemen?",
        "May I record this conversation?",
    );
    Page {
        switch: paths(visitor.lang).1.to_owned(),
        ..visitor.page("interview", title)
    }
}

pub(crate) fn given(walk: &Walk, lang: Language) -> Vec<GivenView> {
    let view = |given: &Given| GivenView {
        key: given.key.clone(),
        text: given.answer.to_text(),
        asks: given.words.pick(lang),
        answer: given.answer_in(lang),
    };
    walk.given.iter().map(view).collect()
}

impl QuestionPage {
    pub(crate) fn new(visitor: &Visitor, walk: &Walk, ask: &Ask) -> Self {
        let lang = visitor.lang;
        let (path, other_path) = paths(lang);
        let given: Vec<_> = given(walk, lang)
            .into_iter()
            .filter(|given| given.key != ask.key)
            .collect();
        let place = walk.given.iter().position(|given| given.key == ask.key);
        let taken = |id: &str| ask.answer.as_ref().is_some_and(|answer| answer.has(id));
        let choices = ask.choices.iter().map(|choice| ChoiceView {
            id: choice.id,
            label: choice.label.pick(lang),
            taken: taken(choice.id),
        });
        let (how, entries) = match ask.question.form {
            Form::One(_) => (How::One, &[][..]),
            Form::Several(_) => (How::Several, &[][..]),
            Form::Fields(entries) => (How::Fields, entries),
        };
        Self {
            p: frame(visitor),
            path,
            other_path,
            number: place.unwrap_or(walk.given.len()) + 1,
            key: ask.key.clone(),
            asks: ask.words.pick(lang),
            because: ask.question.because.pick(lang),
            articles: ask.articles.iter().take(ARTICLES_MAX).cloned().collect(),
            how,
            choices: choices.collect(),
            entries: entries
                .iter()
                .map(|entry| entry_view(entry, ask, lang))
                .collect(),
            problem: ask.problem.as_ref().map(|text| text.pick(lang).to_owned()),
            may_be_unknown: ask.may_be_unknown(),
            for_advice: ask.is_for_advice(),
            lead: lang.pick(
                "Beantwoord een paar vragen en lees of het mag, waarom, en wat u dan moet doen. Er wordt niets bewaard.",
                "Answer a few questions and read whether you may, why, and what you then have to do. Nothing is stored.",
            ),
            given,
        }
    }
}

fn entry_view(entry: &Entry, ask: &Ask, lang: Language) -> EntryView {
    let hint = match entry.kind {
        EntryKind::Day | EntryKind::MomentOfDay => {
            lang.pick("Jaar-maand-dag: 2026-11-21", "Year-month-day: 2026-11-21")
        }
        EntryKind::Term => lang.pick(
            "P30D is 30 dagen, P6M is 6 maanden, P5Y is 5 jaar; unlimited is zonder einde",
            "P30D is 30 days, P6M is 6 months, P5Y is 5 years; unlimited is without end",
        ),
        EntryKind::Reference => lang.pick("Bijvoorbeeld: Bgfo 35", "For example: Bgfo 35"),
    };
    let value = ask
        .answer
        .as_ref()
        .and_then(|answer| answer.text_of(entry.id));
    EntryView {
        id: entry.id,
        label: entry.label.pick(lang),
        hint,
        value: value.unwrap_or_default().to_owned(),
    }
}

impl AnswerPage {
    pub(crate) fn new(
        visitor: &Visitor,
        walk: &Walk,
        facts: &Facts,
        decision: &Decision,
        documents: Vec<Offer>,
        has_more: bool,
    ) -> Self {
        let lang = visitor.lang;
        let (path, other_path) = paths(lang);
        let no_id = DecisionId::new(decision.at, [0; 10]);
        let mut view = DecisionView::new(no_id, decision.at, decision, lang);
        // Nothing is stored, so there is no decision to look up.
        view.id.clear();
        let checklist = std::mem::take(&mut view.duties);
        Self {
            p: frame(visitor),
            path,
            other_path,
            d: view,
            checklist,
            given: given(walk, lang),
            facts: serde_json::to_string_pretty(&facts.to_map()).unwrap_or_default(),
            documents,
            has_more,
            law_of: decision.rulebook.valid_from.clone(),
        }
    }
}
