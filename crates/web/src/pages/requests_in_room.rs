//! Somebody in a talk wants to record too, and the host is an official: the request, and its answer, for both.

use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::requests::{law_on, path as refusal_path};
use crate::pages::who;
use crate::trouble::Trouble;
use crate::view::requests::{Asked, Ending, InRoomView, RequestForm, RequestInRoomPage};
use crate::view::rooms::{name_of, path};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use std::sync::Arc;
use voicelog_archive::Verdict;
use voicelog_casework::moment::month_start;
use voicelog_model::{Language, Pii};
use voicelog_room::{Request, RequestAnswer, RoomError, Seat, State as Talk};

/// Whether the talk is one of a government body.
pub(crate) fn is_of_official(desk: &Desk, talk: &Talk) -> bool {
    let line = desk.app.archive.lines().room(&talk.kind);
    let facts = line.as_ref().map(|line| &line.facts);
    let word = facts.and_then(|facts| facts.get("recorder_type"));
    word.and_then(Value::as_str) == Some("government_body")
}

/// Whose request is answered next.
fn next(talk: &Talk) -> Option<&voicelog_room::PartyState> {
    let mut parties = talk.parties.iter();
    parties.find(|party| party.is_there && party.request == Some(Request::Asked))
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Trouble> {
    page(&desk, &visitor, &seat, RequestForm::default(), None).await
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    seat: &Seat,
    form: RequestForm,
    problem: Option<String>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let talk = desk.app.rooms.state(seat)?;
    let to = path(talk.id);
    let party = next(&talk).filter(|_| seat.is_host);
    let form = RequestForm {
        party: party.map_or_else(String::new, |party| party.id.clone()),
        ..form
    };
    let mut asked = Asked::new(format!("{to}/requests"), form, lang);
    if asked.is_wrong() {
        asked.law = law_on(desk, &asked.form.said(Some(talk.id)), lang).await?;
    }
    let status = match asked.is_wrong() || problem.is_some() {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    let view = RequestInRoomPage {
        p: visitor.page_at(
            &format!("{to}/requests"),
            "rooms",
            lang.pick("Zelf opnemen", "Recording yourself"),
        ),
        who: party.map(|party| name_of(&talk, party, lang)),
        requests: requests(&talk, seat, lang),
        talk: to,
        asked,
        problem,
    };
    html(status, &view)
}

/// The host sees all; a guest their own.
fn requests(talk: &Talk, seat: &Seat, lang: Language) -> Vec<InRoomView> {
    let own = |party: &&voicelog_room::PartyState| seat.is_host || party.id == seat.party;
    let view = |party: &voicelog_room::PartyState| {
        let request = party.request.clone()?;
        let (refused, reason, alternative) = match &request {
            Request::Refused {
                decision,
                reason,
                alternative,
            } => (
                seat.is_host.then(|| refusal_path(*decision)),
                reason.clone(),
                alternative.clone(),
            ),
            Request::Asked | Request::Allowed => (None, String::new(), String::new()),
        };
        Some(InRoomView {
            who: name_of(talk, party, lang),
            refused,
            reason,
            alternative,
            request,
        })
    };
    talk.parties.iter().filter(own).filter_map(view).collect()
}

pub(crate) async fn answer(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
    Form(form): Form<RequestForm>,
) -> Result<Response, Trouble> {
    if !seat.is_host {
        return Err(RoomError::HostOnly.into());
    }
    let lang = visitor.lang;
    let talk = desk.app.rooms.state(&seat)?;
    // Meanwhile they may have left or chosen otherwise, and somebody else have asked: nobody gets another's answer.
    if next(&talk).is_none_or(|party| party.id != form.party) {
        let problem = lang.pick(
            "Dit verzoek is er niet meer. Uw antwoord is aan niemand gegeven. Kijk hieronder wie nu iets vraagt.",
            "This request is gone. Your answer was given to nobody. Look below who asks something now.",
        );
        let mut answer = page(
            &desk,
            &visitor,
            &seat,
            RequestForm::default(),
            Some(problem.to_owned()),
        )
        .await?;
        *answer.status_mut() = StatusCode::CONFLICT;
        return Ok(answer);
    }
    let is_wrong = Asked::new(String::new(), form.clone(), lang).is_wrong();
    let Some((party, ending)) = next(&talk).zip(form.ending).filter(|_| !is_wrong) else {
        return page(&desk, &visitor, &seat, form, None).await;
    };
    let answer = match ending {
        Ending::Allow => RequestAnswer::Allow,
        Ending::Refuse => {
            let said = Box::new(form.said(Some(talk.id)));
            RequestAnswer::Refuse(said, month_start(desk.now(), 0))
        }
    };
    let asker = Pii::new(who(&visitor)?.account.clone());
    let (rooms, by, party) = (Arc::clone(&desk.app.rooms), seat.clone(), party.id.clone());
    let answered = desk
        .ask(move |_archive, _now| rooms.answer_request(&by, &party, answer, &asker))
        .await?;
    match answered {
        Some(answer) if matches!(answer.verdict, Verdict::Refusal(_)) => {
            Ok(Redirect::to(&refusal_path(answer.id)).into_response())
        }
        _ => Ok(Redirect::to(&format!("{}/requests", path(talk.id))).into_response()),
    }
}
