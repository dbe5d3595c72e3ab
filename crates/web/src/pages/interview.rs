//! The interview: may I record this conversation? For everybody, without signing in.
//!
//! Nothing is stored: the answers so far travel in the form, by POST, so that they stand in no
//! address, no history and no log of a proxy. Without script.

use crate::app::Shared;
use crate::frame::html;
use crate::pages::document::{Paper, Wanted};
use crate::trouble::Trouble;
use crate::view::document::{DocumentForm, Offer};
use crate::view::interview::{AnswerPage, QuestionPage};
use crate::visitor::Visitor;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use std::collections::BTreeMap;
use std::sync::Arc;
use voicelog_law::{
    Answer, Answers, Ask, Decision, DocumentText, Facts, Interview, Rulebook, Step, Walk,
};
use voicelog_model::{Language, Timestamp};

/// Address of the page in Dutch.
pub(crate) const DUTCH: &str = "/mag-ik-opnemen";
/// Address of the page in English.
pub(crate) const ENGLISH: &str = "/may-i-record";

/// A form, as its fields came: names repeat where several choices are taken.
type Fields = Vec<(String, String)>;

/// What a person asked for with the form.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) answers: Answers,
    /// A question that was answered before and shall be answered otherwise.
    pub(crate) again: Option<String>,
    /// Goes on with the questions for the advice.
    more: bool,
    /// A document that goes with the answer.
    document: Option<Wanted>,
}

/// What there is to show.
enum Shown {
    Question {
        walk: Walk,
        ask: Box<Ask>,
    },
    Answer {
        walk: Walk,
        facts: Box<Facts>,
        decision: Box<Decision>,
        documents: Vec<Offer>,
        has_more: bool,
    },
    Document {
        walk: Walk,
        paper: Paper,
    },
}

pub(crate) async fn dutch(
    desk: State<Shared>,
    visitor: Extension<Visitor>,
) -> Result<Response, Trouble> {
    page(desk, visitor, Language::Nl, Vec::new()).await
}

pub(crate) async fn english(
    desk: State<Shared>,
    visitor: Extension<Visitor>,
) -> Result<Response, Trouble> {
    page(desk, visitor, Language::En, Vec::new()).await
}

pub(crate) async fn dutch_answer(
    desk: State<Shared>,
    visitor: Extension<Visitor>,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    page(desk, visitor, Language::Nl, fields).await
}

pub(crate) async fn english_answer(
    desk: State<Shared>,
    visitor: Extension<Visitor>,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    page(desk, visitor, Language::En, fields).await
}

async fn page(
    State(desk): State<Shared>,
    Extension(mut visitor): Extension<Visitor>,
    lang: Language,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.lang = lang;
    let wants_facts = field(&fields, "do") == Some("facts");
    match follow(&desk, lang, fields).await? {
        Shown::Answer { facts, .. } if wants_facts => {
            let name = "attachment; filename=\"facts.json\"";
            let headers = [(header::CONTENT_DISPOSITION, name)];
            Ok((headers, Json(facts.to_map())).into_response())
        }
        Shown::Answer {
            walk,
            facts,
            decision,
            documents,
            has_more,
        } => html(
            StatusCode::OK,
            &AnswerPage::new(&visitor, &walk, &facts, &decision, documents, has_more),
        ),
        Shown::Document {
            paper: Paper::Made(page),
            ..
        } => Ok(Html(page).into_response()),
        Shown::Document {
            walk,
            paper:
                Paper::Form {
                    text,
                    asked,
                    typed,
                    wrong,
                },
        } => {
            let status = if wrong.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            let form = DocumentForm::new(&visitor, &walk, &text, &asked, &typed, &wrong);
            html(status, &form)
        }
        Shown::Question { walk, ask } => {
            let status = match ask.problem {
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
                None => StatusCode::OK,
            };
            html(status, &QuestionPage::new(&visitor, &walk, &ask))
        }
    }
}

/// Works out what to show. One interview at a time: it costs a core for a moment that calls may
/// need.
async fn follow(desk: &Shared, lang: Language, fields: Fields) -> Result<Shown, Trouble> {
    let place = desk
        .interviews
        .acquire()
        .await
        .map_err(|closed| Trouble::internal(&closed))?;
    let archive = Arc::clone(&desk.app.archive);
    let now = desk.now();
    let shown = tokio::task::spawn_blocking(move || {
        let rulebook = archive.rulebook_at(now)?;
        let interview = Interview::new(&rulebook, now);
        let sent = read(&interview, &fields, Answers::default());
        show(&interview, &rulebook, sent, lang, now)
    })
    .await
    .map_err(|stopped| Trouble::internal(&stopped))?;
    drop(place);
    shown
}

/// The question that comes next, the answer, or a document that goes with it.
fn show(
    interview: &Interview<'_>,
    rulebook: &Rulebook,
    sent: Sent,
    lang: Language,
    now: Timestamp,
) -> Result<Shown, Trouble> {
    let walk = interview.walk(&sent.answers);
    if let Some(ask) = sent
        .again
        .as_deref()
        .and_then(|key| interview.again(&sent.answers, key))
    {
        return Ok(Shown::Question {
            walk,
            ask: Box::new(ask),
        });
    }
    match (walk.step.clone(), sent.document) {
        (Step::Ask(ask), _) => Ok(Shown::Question { walk, ask }),
        (Step::Done { facts, .. }, Some(wanted)) => {
            let paper = wanted.paper(rulebook, &facts, lang, now)?;
            Ok(Shown::Document { walk, paper })
        }
        (Step::Done { mut more, .. }, None) if sent.more && !more.is_empty() => {
            Ok(Shown::Question {
                walk,
                ask: Box::new(more.remove(0)),
            })
        }
        (Step::Done { facts, more }, None) => {
            let fitting = DocumentText::fitting(&facts, lang, now);
            let fitting = fitting.map_err(|error| Trouble::internal(&error))?;
            Ok(Shown::Answer {
                decision: Box::new(voicelog_law::decide_without_unknown(rulebook, &facts, now)),
                walk,
                facts,
                documents: fitting.iter().map(Offer::new).collect(),
                has_more: !more.is_empty(),
            })
        }
    }
}

pub(crate) fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let mut named = fields.iter().filter(|(key, _)| key == name);
    named.next().map(|(_, value)| value.as_str())
}

/// Most answers that a form may carry; the interview has fewer questions.
const ANSWERS_MAX: usize = 64;

/// The answers so far with the one just given, and what was asked for. `answers` are those that nobody is asked for.
pub(crate) fn read(interview: &Interview<'_>, fields: &Fields, answers: Answers) -> Sent {
    let mut sent = Sent {
        answers,
        ..Sent::default()
    };
    let carried = fields
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("a.")?, value)));
    for (key, value) in carried.take(ANSWERS_MAX) {
        if let Some(answer) = Answer::parse(value) {
            sent.answers.set(key, answer);
        }
    }
    sent.more = field(fields, "more").is_some();
    let asked = field(fields, "ask").unwrap_or_default();
    match field(fields, "do").unwrap_or_default() {
        "next" => sent.answers.set(asked, given(fields)),
        "unknown" => sent.answers.set(asked, Answer::NotKnown),
        "back" => {
            if let Some(last) = interview.walk(&sent.answers).given.last() {
                sent.again = Some(last.key.clone());
                sent.answers.remove(&last.key);
            }
        }
        "more" => sent.more = true,
        "enough" => sent.more = false,
        other => {
            sent.again = other.strip_prefix("again:").map(str::to_owned);
            sent.document = Wanted::read(other, fields);
        }
    }
    sent
}

/// The answer to the question that was on the page. Whether it fits is the interview's to say.
fn given(fields: &Fields) -> Answer {
    let typed: BTreeMap<_, _> = fields
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("t.")?.to_owned(), value.clone())))
        .collect();
    if !typed.is_empty() {
        return Answer::Typed(typed);
    }
    let taken = fields.iter().filter(|(key, _)| key == "c");
    Answer::Chosen(taken.map(|(_, value)| value.clone()).collect())
}
