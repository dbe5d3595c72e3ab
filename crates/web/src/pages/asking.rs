//! Asking to listen, for a copy, for destruction. The gate answers; a refusal is shown whole.

use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::{recording_id, who};
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::asking::{AskingPage, RefusedPage, What, recipients};
use crate::view::decision::DecisionView;
use crate::view::holds::HoldView;
use crate::view::when::When;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use voicelog_archive::{ArchiveError, RecordingSummary};
use voicelog_casework::memory::Made;
use voicelog_casework::{Asked, listening, retention};
use voicelog_law::Decision;
use voicelog_model::{DecisionId, Language, Pii, RecordingId};

/// Longest reason, in characters.
const REASON_CHARACTERS_MAX: usize = 200;

/// What is missing from a form that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Nothing,
    Field,
}

const fn title(what: What, lang: Language) -> &'static str {
    match what {
        What::Listen => lang.pick("Beluisteren", "Listen"),
        What::Copy => lang.pick("Kopie geven", "Give a copy"),
        What::Destroy => lang.pick("Vernietigen", "Destroy"),
    }
}

async fn summary(desk: &Desk, id: RecordingId) -> Result<RecordingSummary, Trouble> {
    desk.ask(move |archive, _now| archive.summary(id)).await
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    id: RecordingId,
    what: What,
    missing: Missing,
) -> Result<Response, Trouble> {
    let summary = summary(desk, id).await?;
    let missing = missing == Missing::Field;
    let lang = visitor.lang;
    let term = retention::term_runs_until(&summary, desk.now());
    let view = AskingPage {
        p: visitor.page("recordings", title(what, visitor.lang)),
        id: id.to_string(),
        started: When::new(summary.started_at, visitor.lang),
        what,
        reason_missing: missing && what == What::Listen,
        recipient_missing: missing && what == What::Copy,
        confirm_missing: missing && what == What::Destroy,
        term_runs_until: term.map(|until| When::new(until, lang)),
        recipients: recipients(visitor.lang),
    };
    html(
        if missing {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        },
        &view,
    )
}

pub(crate) async fn refused(
    desk: &Desk,
    visitor: &Visitor,
    id: RecordingId,
    decision_id: DecisionId,
    decision: &Decision,
    what: What,
) -> Result<Response, Trouble> {
    let (summary, open, needs_second_person, now) = desk
        .ask(move |archive, now| {
            let (mut open, needs_second_person) = match what {
                What::Destroy => (
                    archive.holds_opened(id)?,
                    archive.needs_second_person(id, now)?,
                ),
                What::Listen | What::Copy => (Vec::new(), false),
            };
            open.retain(|open| open.hold.lifted_at.is_none());
            Ok::<_, ArchiveError>((archive.summary(id)?, open, needs_second_person, now))
        })
        .await?;
    let lang = visitor.lang;
    let holds = open.iter().map(|open| HoldView::new(open, now, lang));
    let path = format!("/recordings/{id}");
    let view = RefusedPage {
        p: visitor.page_at(
            &path,
            "recordings",
            lang.pick("Dat mag niet", "That is not permitted"),
        ),
        of_destruction: what == What::Destroy,
        needs_second_person,
        holds: holds.collect(),
        id: id.to_string(),
        started: When::new(summary.started_at, lang),
        d: DecisionView::new(decision_id, decision.at, decision, lang),
    };
    html(StatusCode::FORBIDDEN, &view)
}

pub(crate) async fn listen_form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    page(
        &desk,
        &visitor,
        recording_id(&id)?,
        What::Listen,
        Missing::Nothing,
    )
    .await
}

/// Why somebody must listen.
#[derive(Deserialize)]
pub(crate) struct Reason {
    #[serde(default)]
    reason: String,
}

pub(crate) async fn listen(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Reason>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let signed_in = who(&visitor)?;
    let (login, asker) = (signed_in.login, Pii::new(signed_in.account.clone()));
    let reason: String = form
        .reason
        .trim()
        .chars()
        .take(REASON_CHARACTERS_MAX)
        .collect();
    if reason.is_empty() {
        return page(&desk, &visitor, id, What::Listen, Missing::Field).await;
    }
    let said = reason.clone();
    let command = format!("play {id}");
    match desk
        .open(id, Made::Sound, &command, move |archive, now| {
            listening::open(archive, id, &asker, &said, now)
        })
        .await?
    {
        Asked::Given(sound) => {
            let token = Token::new(Desk::random()?);
            desk.playing
                .open(token.hash(), login, sound, reason, desk.now());
            let player = format!("/recordings/{id}/listen/{}", token.text());
            Ok(Redirect::to(&player).into_response())
        }
        Asked::Refused {
            id: decision_id,
            decision,
        } => refused(&desk, &visitor, id, decision_id, &decision, What::Listen).await,
    }
}

/// The page on which it is chosen for whom a copy is; `is_sent` where nobody was.
pub(crate) async fn without_recipient(
    desk: &Desk,
    visitor: &Visitor,
    id: RecordingId,
    is_sent: bool,
) -> Result<Response, Trouble> {
    let missing = match is_sent {
        true => Missing::Field,
        false => Missing::Nothing,
    };
    page(desk, visitor, id, What::Copy, missing).await
}

pub(crate) async fn destroy_form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    page(
        &desk,
        &visitor,
        recording_id(&id)?,
        What::Destroy,
        Missing::Nothing,
    )
    .await
}

/// What the form says of who is sure, and of who is sure although the term still runs.
const CONFIRMED: &str = "yes";
const CONFIRMED_BEFORE_TERM: &str = "before_term";

/// Whether the one who asks is sure.
#[derive(Deserialize)]
pub(crate) struct Sure {
    #[serde(default)]
    confirm: String,
}

pub(crate) async fn destroy(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Sure>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let asker = Pii::new(who(&visitor)?.account.clone());
    // Who confirmed a page without a term that runs did not confirm to cut one short.
    let term = retention::term_runs_until(&summary(&desk, id).await?, desk.now());
    let confirmed = match form.confirm.as_str() {
        CONFIRMED => term.is_none(),
        CONFIRMED_BEFORE_TERM => true,
        _ => false,
    };
    if !confirmed {
        return page(&desk, &visitor, id, What::Destroy, Missing::Field).await;
    }
    match desk
        .ask(move |archive, now| retention::destroy_for(archive, id, &asker, now))
        .await?
    {
        Asked::Given(_destroyed) => {
            tracing::info!(
                recording = %id,
                before_its_term = term.is_some(),
                "destroyed on request"
            );
            desk.playing.close_recording(id);
            Ok(Redirect::to(&format!("/recordings/{id}")).into_response())
        }
        Asked::Refused {
            id: decision_id,
            decision,
        } => refused(&desk, &visitor, id, decision_id, &decision, What::Destroy).await,
    }
}
