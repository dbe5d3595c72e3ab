//! A second person: somebody asks to destroy and may not do so alone, and a colleague confirms or declines.

use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::asking::refused;
use crate::pages::{recording_id, who};
use crate::trouble::Trouble;
use crate::view::asking::What;
use crate::view::proposals::{PersonView, ProposalPage, ProposalView, ProposePage};
use crate::view::when::When;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use voicelog_archive::{ArchiveError, ProposalState};
use voicelog_casework::{Asked, retention};
use voicelog_model::{Pii, ProposalId, RecordingId};

fn proposal_id(text: &str) -> Result<ProposalId, Trouble> {
    text.parse().map_err(|_no_id| Trouble::not_found())
}

/// What somebody wants of a proposal, and why.
#[derive(Deserialize)]
pub(crate) struct Said {
    #[serde(default)]
    answer: String,
    #[serde(default)]
    reason: String,
}

async fn propose_page(
    desk: &Desk,
    visitor: &Visitor,
    id: RecordingId,
    is_missing: bool,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let (summary, is_needed, standing) = desk
        .ask(move |archive, now| {
            let open = archive.proposals_opened(id)?;
            let mut standing = open.iter().map(|open| &open.proposal);
            let standing = standing.find(|one| is_standing(one.state(now)));
            let is_needed = archive.needs_second_person(id, now)?;
            Ok::<_, ArchiveError>((archive.summary(id)?, is_needed, standing.map(|one| one.id)))
        })
        .await?;
    if let Some(standing) = standing {
        return Ok(Redirect::to(&format!("/proposals/{standing}")).into_response());
    }
    let title = lang.pick("Voorleggen aan een collega", "Put it to a colleague");
    let term = retention::term_runs_until(&summary, desk.now());
    let view = ProposePage {
        p: visitor.page_at(&format!("/recordings/{id}/propose"), "recordings", title),
        id: id.to_string(),
        started: When::new(summary.started_at, lang),
        term_runs_until: term.map(|until| When::new(until, lang)),
        is_needed,
        reason_missing: is_missing,
    };
    let status = match is_missing {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    html(status, &view)
}

pub(crate) const fn is_standing(state: ProposalState) -> bool {
    matches!(state, ProposalState::Open | ProposalState::Confirmed)
}

pub(crate) async fn propose_form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    propose_page(&desk, &visitor, recording_id(&id)?, false).await
}

pub(crate) async fn propose(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Said>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    if form.reason.trim().is_empty() {
        return propose_page(&desk, &visitor, id, true).await;
    }
    let by = Pii::new(who(&visitor)?.account.clone());
    let proposed = desk
        .ask(move |archive, now| {
            match archive.propose(id, &Pii::new(form.reason), &by, now) {
                // Somebody else was first: the form leads there.
                Err(error) if error.is_proposed_already() => Ok(None),
                other => other.map(Some),
            }
        })
        .await?;
    match proposed {
        Some(proposal) => {
            tracing::info!(recording = %id, proposal = %proposal.id, "proposed for destruction");
            Ok(Redirect::to(&format!("/proposals/{}", proposal.id)).into_response())
        }
        None => propose_page(&desk, &visitor, id, false).await,
    }
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    id: ProposalId,
    is_missing: bool,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let own = who(visitor)?.account.clone();
    let (open, summary, accounts, now) = desk
        .ask(move |archive, now| {
            let open = archive.proposal_opened(id)?;
            let summary = archive.summary(open.proposal.recording)?;
            Ok::<_, ArchiveError>((open, summary, archive.list_accounts()?, now))
        })
        .await?;
    let proposer = open.details.as_ref().map(|details| details.by.expose());
    let is_own = proposer == Some(&own);
    let person = |name: &str| {
        let account = accounts.iter().find(|account| account.name == name);
        PersonView {
            name: name.to_owned(),
            invited_by: account.and_then(|account| account.invited_by.clone()),
            has_ended: account.is_none_or(|account| account.ended.is_some()),
        }
    };
    let title = lang.pick("Voorstel om te vernietigen", "Proposal to destroy");
    let view = ProposalPage {
        p: visitor.page_at(&format!("/proposals/{id}"), "recordings", title),
        recording: summary.id.to_string(),
        started: When::new(summary.started_at, lang),
        term_runs_until: retention::term_runs_until(&summary, now).map(|at| When::new(at, lang)),
        proposer: proposer.map(|name| person(name)),
        you: person(&own),
        is_own,
        proposal: ProposalView::new(&open, now, lang),
        reason_missing: is_missing,
    };
    let status = match is_missing {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    html(status, &view)
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    page(&desk, &visitor, proposal_id(&id)?, false).await
}

pub(crate) async fn answer(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Said>,
) -> Result<Response, Trouble> {
    let id = proposal_id(&id)?;
    let by = Pii::new(who(&visitor)?.account.clone());
    if form.answer == "confirm" {
        return confirm(&desk, &visitor, id, by).await;
    }
    if form.reason.trim().is_empty() {
        return page(&desk, &visitor, id, true).await;
    }
    let declined = desk
        .ask(move |archive, now| archive.decline(id, &Pii::new(form.reason), &by, now))
        .await?;
    let recording = declined.recording;
    tracing::info!(%recording, proposal = %id, "a proposal to destroy was declined");
    Ok(Redirect::to(&format!("/recordings/{recording}")).into_response())
}

async fn confirm(
    desk: &Desk,
    visitor: &Visitor,
    id: ProposalId,
    by: Pii<String>,
) -> Result<Response, Trouble> {
    let (recording, asked) = desk
        .ask(move |archive, now| {
            let recording = archive.proposal_opened(id)?.proposal.recording;
            Ok::<_, ArchiveError>((recording, retention::confirm(archive, id, &by, now)?))
        })
        .await?;
    match asked {
        Asked::Given(_destroyed) => {
            tracing::info!(%recording, "destroyed on request, confirmed by a second person");
            desk.playing.close_recording(recording);
            Ok(Redirect::to(&format!("/recordings/{recording}")).into_response())
        }
        Asked::Refused {
            id: decision_id,
            decision,
        } => {
            refused(
                desk,
                visitor,
                recording,
                decision_id,
                &decision,
                What::Destroy,
            )
            .await
        }
    }
}
