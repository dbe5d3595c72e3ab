//! Importing a file by a page: the interview asks what the law has to know, the law is asked, and only then a file is chosen
//! and sent. The answers travel in the form; nothing is kept of them but by the law's answer.

use super::interview::{field, read};
use super::who;
use crate::api::imports::{in_words, upload_id};
use crate::app::{Desk, Shared};
use crate::frame::{Island, html};
use crate::trouble::Trouble;
use crate::view::decision::DecisionView;
use crate::view::importing::{
    EndPage, EndView, MomentPage, RefusedImportPage, SendPage, StartPage, frame, question,
};
use crate::view::interview::given;
use crate::view::when;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_casework::Asked;
use voicelog_casework::importing::{Owner, Progress};
use voicelog_law::{
    Answer, Answers, Ask, Decision, Facts, Interview, Step, Walk, decide_without_unknown,
};
use voicelog_model::{DecisionId, Pii, Timestamp};

/// The question that the page has answered: what is to be done.
const ACT: &str = "act";

type Fields = Vec<(String, String)>;

/// What there is to show.
enum Shown {
    Question {
        walk: Walk,
        ask: Box<Ask>,
    },
    /// All is answered but when it was recorded.
    Moment {
        walk: Walk,
        wrong: bool,
    },
    Refused {
        id: DecisionId,
        decision: Box<Decision>,
    },
    Ready {
        walk: Walk,
        facts: Map<String, Value>,
        decision: Box<Decision>,
    },
}

pub(crate) async fn start(Extension(visitor): Extension<Visitor>) -> Result<Response, Trouble> {
    with_script(html(StatusCode::OK, &StartPage { p: frame(&visitor) })?)
}

/// The page runs the script that sends.
fn with_script(mut page: Response) -> Result<Response, Trouble> {
    page.extensions_mut().insert(Island::Uploader);
    Ok(page)
}

pub(crate) async fn answer(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    let asker = Pii::new(who(&visitor)?.account.clone());
    let text = |name| field(&fields, name).unwrap_or_default().to_owned();
    let (day, clock) = (text("day"), text("clock"));
    let has_pictures = field(&fields, "pictures").is_some();
    let lang = visitor.lang;
    match follow(&desk, fields, asker).await? {
        Shown::Question { walk, ask } => {
            let status = match ask.problem {
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
                None => StatusCode::OK,
            };
            html(status, &question(&visitor, &walk, &ask))
        }
        Shown::Moment { walk, wrong } => {
            let page = MomentPage {
                p: frame(&visitor),
                given: given(&walk, lang),
                day,
                clock,
                has_pictures,
                wrong,
            };
            let status = match wrong {
                true => StatusCode::UNPROCESSABLE_ENTITY,
                false => StatusCode::OK,
            };
            html(status, &page)
        }
        Shown::Refused { id, decision } => {
            let page = RefusedImportPage {
                p: frame(&visitor),
                d: DecisionView::new(id, decision.at, &decision, lang),
            };
            html(StatusCode::FORBIDDEN, &page)
        }
        Shown::Ready {
            walk,
            facts,
            decision,
        } => {
            let page = SendPage {
                p: frame(&visitor),
                given: given(&walk, lang),
                day,
                clock,
                d: foreseen(&decision, lang),
                facts: Value::Object(facts).to_string(),
            };
            with_script(html(StatusCode::OK, &page)?)
        }
    }
}

/// A decision that is not kept, so there is none to look up.
fn foreseen(decision: &Decision, lang: voicelog_model::Language) -> DecisionView {
    let no_id = DecisionId::new(decision.at, [0; 10]);
    let mut view = DecisionView::new(no_id, decision.at, decision, lang);
    view.id.clear();
    view
}

/// Works out what to show. One interview at a time, as for anybody.
async fn follow(desk: &Desk, fields: Fields, asker: Pii<String>) -> Result<Shown, Trouble> {
    let place = desk.interviews.acquire().await;
    let place = place.map_err(|closed| Trouble::internal(&closed))?;
    let archive = Arc::clone(&desk.app.archive);
    let now = desk.now();
    let shown = tokio::task::spawn_blocking(move || show(&archive, &fields, &asker, now));
    let shown = shown.await.map_err(|stopped| Trouble::internal(&stopped))?;
    drop(place);
    shown
}

fn show(
    archive: &Archive,
    fields: &Fields,
    asker: &Pii<String>,
    now: Timestamp,
) -> Result<Shown, Trouble> {
    let rulebook = archive.rulebook_at(now)?;
    let interview = Interview::new(&rulebook, now);
    let mut act = Answers::default();
    act.set(ACT, Answer::Chosen(vec!["import_file".to_owned()]));
    let mut sent = read(&interview, fields, act.clone());
    if sent.again.as_deref() == Some(ACT) {
        sent.again = None;
    }
    sent.answers
        .set(ACT, Answer::Chosen(vec!["import_file".to_owned()]));
    let again = sent.again.as_deref();
    let again = again.and_then(|key| interview.again(&sent.answers, key));
    let walk = interview.walk(&sent.answers);
    let facts = match (again, walk.step.clone()) {
        (Some(ask), _) => {
            let ask = Box::new(ask);
            return Ok(Shown::Question { walk, ask });
        }
        (None, Step::Ask(ask)) => return Ok(Shown::Question { walk, ask }),
        (None, Step::Done { facts, .. }) => facts,
    };
    if field(fields, "do") != Some("ask") {
        return Ok(Shown::Moment { walk, wrong: false });
    }
    let text = |name| field(fields, name).unwrap_or_default().trim();
    let moment = when::moment_of(text("day"), text("clock"));
    let Some(moment) = moment.filter(|moment| *moment <= now) else {
        return Ok(Shown::Moment { walk, wrong: true });
    };
    let mut facts = facts.to_map();
    facts.insert("recorded_at".to_owned(), json!(moment));
    if field(fields, "pictures").is_some() {
        facts.insert("media".to_owned(), json!(["audio", "image"]));
    }
    if let Some(answer) = archive.refuse_before_upload(&facts, asker, now)? {
        archive.sequence()?;
        return Ok(Shown::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        });
    }
    let checked = Facts::from_map(&facts, now).map_err(ArchiveError::Facts)?;
    let decision = Box::new(decide_without_unknown(&rulebook, &checked, now));
    Ok(Shown::Ready {
        walk,
        facts,
        decision,
    })
}

/// What came of a file that was sent.
pub(crate) async fn end(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = upload_id(&id)?;
    let lang = visitor.lang;
    let owner = Owner::Account(who(&visitor)?.account.clone());
    let uploads = Arc::clone(&desk.app.uploads);
    let progress = desk
        .ask(move |_archive, _now| uploads.progress(&owner, id))
        .await?;
    let (status, end) = match progress {
        Progress::Receiving(_) => (StatusCode::OK, EndView::Receiving),
        Progress::Working => (StatusCode::OK, EndView::Working),
        Progress::Ended(end) => match &*end {
            Ok(Asked::Given(taken)) => {
                let end = EndView::Taken {
                    id: taken.id.to_string(),
                    is_new: taken.decision.is_some(),
                    is_heard: taken.told.get("is_heard") == Some(&json!(true)),
                };
                (StatusCode::OK, end)
            }
            Ok(Asked::Refused { id, decision }) => {
                let page = RefusedImportPage {
                    p: frame(&visitor),
                    d: DecisionView::new(*id, decision.at, decision, lang),
                };
                return html(StatusCode::FORBIDDEN, &page);
            }
            Err(error) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                EndView::Failed(in_words(error, lang)),
            ),
        },
    };
    let p = frame(&visitor);
    html(status, &EndPage { p, end })
}
