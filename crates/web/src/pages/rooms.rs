//! Talks in a room: starting one, its page for host and guest, and what they see and get when it is over.
//!
//! What people do here is sent as a form, so that it works without script; the script sends the same to the addresses
//! in `api::rooms`. Whose seat it is the guard found out.

use crate::app::{Desk, Shared};
use crate::assets;
use crate::frame::{Island, html};
use crate::pages::{copying, requests_in_room, who};
use crate::trouble::Trouble;
use crate::view::copy_links::LaterView;
use crate::view::room_news;
use crate::view::rooms::{
    EndedPage, GroundView, KindView, OpenView, RoomPage, RoomsPage, StartForm, Terms, path,
};
use crate::view::when;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use voicelog_archive::Line;
use voicelog_casework::Asked;
use voicelog_casework::disclosure::{PartRequest, Recipient};
use voicelog_casework::receipt::receipt;
use voicelog_law::{FactWords, purpose};
use voicelog_model::{Language, Pii};
use voicelog_room::{Act, Choice, EndedBy, Phase, Presence, Seat, State as Talk};

/// Characters of an answer that is typed.
const ANSWER_CHARACTERS_MAX: usize = 1_000;

/// A new talk, as the form sends it.
#[derive(Deserialize)]
pub(crate) struct NewTalk {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    other_way: String,
}

/// Whether a talk of that kind is an employer's about own staff: then why, and what else was considered, is asked.
fn is_of_employer(line: &Line) -> bool {
    line.facts.get("recorder_type").and_then(Value::as_str) == Some("employer")
}

fn kind_view(line: &Line, lang: Language) -> KindView {
    let word = line.facts.get("purpose").and_then(Value::as_str);
    KindView {
        name: line.name.clone(),
        title: match line.title.as_str() {
            "" => line.name.clone(),
            title => title.to_owned(),
        },
        purpose: word
            .and_then(purpose)
            .map(|purpose| purpose.called.pick(lang)),
        is_of_employer: is_of_employer(line),
    }
}

pub(crate) async fn list(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    list_with(&desk, &visitor, StartForm::default())
}

fn list_with(desk: &Desk, visitor: &Visitor, form: StartForm) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let open = desk.app.rooms.of_host(&who(visitor)?.account);
    let status = match form.missing.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = RoomsPage {
        p: visitor.page_at(
            "/rooms",
            "rooms",
            lang.pick("Gesprek in de kamer", "Talk in the room"),
        ),
        kinds: desk
            .app
            .archive
            .lines()
            .rooms()
            .map(|line| kind_view(line, lang))
            .collect(),
        open: open.iter().map(|talk| OpenView::new(talk, lang)).collect(),
        form,
    };
    html(status, &page)
}

fn typed(text: &str) -> String {
    text.trim().chars().take(ANSWER_CHARACTERS_MAX).collect()
}

pub(crate) async fn start(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(talk): Form<NewTalk>,
) -> Result<Response, Trouble> {
    let account = who(&visitor)?.account.clone();
    let line = desk.app.archive.lines().room(&talk.kind);
    let line = line.ok_or_else(Trouble::not_found)?;
    let mut form = StartForm {
        kind: talk.kind,
        name: typed(&talk.name),
        why: typed(&talk.why),
        other_way: typed(&talk.other_way),
        missing: Vec::new(),
    };
    if is_of_employer(&line) {
        let asked = [("why", &form.why), ("other_way", &form.other_way)];
        let missing = asked.iter().filter(|(_, answer)| answer.is_empty());
        form.missing = missing.map(|(field, _)| *field).collect();
    }
    if !form.missing.is_empty() {
        return list_with(&desk, &visitor, form);
    }
    let rooms = Arc::clone(&desk.app.rooms);
    let id = desk
        .ask(move |_archive, _now| {
            let weighing = is_of_employer(&line).then(|| weighing(&form.why, &form.other_way));
            rooms.open_weighed(&form.kind, &account, Some(&form.name), weighing)
        })
        .await?;
    Ok(Redirect::to(&path(id)).into_response())
}

/// What an employer answers, as the weighing of interests that goes to the law and stays with its decision.
fn weighing(why: &str, other_way: &str) -> Map<String, Value> {
    let mut weighing = Map::new();
    weighing.insert("interest".to_owned(), json!(why));
    weighing.insert("alternatives_considered".to_owned(), json!([other_way]));
    weighing
}

/// What everybody is told about a talk of this kind.
pub(crate) fn terms(
    desk: &Desk,
    lang: Language,
    line: Option<&Line>,
    title: &str,
    host: Option<String>,
) -> Terms {
    let nothing = Map::new();
    let facts = line.map_or(&nothing, |line| &line.facts);
    let words = FactWords::load(lang, desk.now()).ok();
    let organisation = desk.app.config.organisation.trim();
    Terms {
        organisation: (!organisation.is_empty()).then(|| organisation.to_owned()),
        ..Terms::new(title, host, facts, words.as_ref(), lang)
    }
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Trouble> {
    let talk = desk.app.rooms.state(&seat)?;
    page(&desk, &visitor, &seat, &talk, None).await
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    seat: &Seat,
    talk: &Talk,
    problem: Option<Trouble>,
) -> Result<Response, Trouble> {
    if talk.phase == Phase::Ended {
        return ended(desk, visitor, seat, talk, Vec::new()).await;
    }
    let line = desk.app.archive.lines().room(&talk.kind);
    let host = talk.parties.first().and_then(|host| host.name.clone());
    let terms = terms(desk, visitor.lang, line.as_deref(), &talk.title, host);
    let frame = visitor.page_at(&path(talk.id), "rooms", talk.title.clone());
    let mut page = RoomPage::new(frame, talk, terms, &desk.app.config.public_url);
    let status = problem
        .as_ref()
        .map_or(StatusCode::OK, |trouble| trouble.status);
    let has_requests = requests_in_room::is_of_official(desk, talk);
    page.requests = has_requests.then(|| room_news::requests(talk, visitor.lang));
    page.problem = problem.map(|trouble| trouble.detail(visitor.lang).to_owned());
    let mut response = html(status, &page)?;
    response.extensions_mut().insert(Island::Recorder);
    Ok(response)
}

async fn ended(
    desk: &Desk,
    visitor: &Visitor,
    seat: &Seat,
    talk: &Talk,
    refused: Vec<GroundView>,
) -> Result<Response, Trouble> {
    let id = talk.id;
    let receipt = match &talk.fingerprint {
        Some(_) => desk.ask(move |archive, _now| receipt(archive, id)).await?,
        None => None,
    };
    let status = match refused.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::FORBIDDEN,
    };
    let title = visitor
        .lang
        .pick("De opname is afgelopen", "The recording has ended");
    let page = EndedPage {
        p: visitor.page_at(&path(id), "rooms", title),
        id: id.to_string(),
        is_host: seat.is_host,
        title: talk.title.clone(),
        recorded: when::length(talk.recorded_us),
        was_recorded: talk.started_at.is_some(),
        has_failed: talk.ended_by == Some(EndedBy::Failure),
        was_too_long: talk.ended_by == Some(EndedBy::Length),
        minutes: room_news::minutes(talk, visitor.lang),
        words: talk.fingerprint.as_ref().map(|print| print.words.clone()),
        digest: talk.fingerprint.as_ref().map(|print| print.digest.clone()),
        receipt,
        later: desk
            .app
            .rooms
            .own_link(seat)?
            .map(|link| LaterView::new(&link, &desk.app.config.public_url, visitor.lang)),
        refused,
        script: assets::room_script_path(),
    };
    let mut response = html(status, &page)?;
    response.extensions_mut().insert(Island::Recorder);
    Ok(response)
}

/// What somebody does, without script.
#[derive(Deserialize)]
pub(crate) struct Done {
    choice: Option<Choice>,
    act: Option<Act>,
}

pub(crate) async fn act(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
    Form(done): Form<Done>,
) -> Result<Response, Trouble> {
    let (rooms, by) = (Arc::clone(&desk.app.rooms), seat.clone());
    let did = desk
        .ask(move |_archive, _now| match (done.choice, done.act) {
            (Some(choice), _) => rooms.choose(&by, choice),
            (None, Some(act)) => rooms.act(&by, act),
            (None, None) => Ok(()),
        })
        .await;
    let talk = desk.app.rooms.state(&seat)?;
    match did {
        Ok(()) => Ok(Redirect::to(&path(talk.id)).into_response()),
        // It does not fit how things stand: the page says so, and how they stand.
        Err(trouble) if trouble.status.is_client_error() => {
            page(&desk, &visitor, &seat, &talk, Some(trouble)).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// The copy, for whoever was in the talk. The law is asked, and it is logged.
pub(crate) async fn copy(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Trouble> {
    let talk = desk.app.rooms.state(&seat)?;
    if talk.fingerprint.is_none() {
        return page(&desk, &visitor, &seat, &talk, None).await;
    }
    let asker = match visitor.signed_in.as_ref().filter(|_| seat.is_host) {
        Some(signed_in) => signed_in.account.clone(),
        // A guest has no account: who they are in the recording is what is known of them.
        None => seat.party.clone(),
    };
    // What was said before they came or after they left is between the others.
    let Some(there) = desk.app.rooms.presence(&seat)? else {
        return ended(&desk, &visitor, &seat, &talk, vec![not_there(visitor.lang)]).await;
    };
    let part = (there != Presence::default()).then(|| PartRequest {
        start_us: there.from_us,
        end_us: there.to_us,
        redactions: Vec::new(),
    });
    let recipient = Recipient::DataSubject;
    let (copied, send) = copying::ask_for(&desk, talk.id, recipient, Pii::new(asker), part).await?;
    match copied? {
        Asked::Given(copy) => Ok(send(copy)),
        Asked::Refused { decision, .. } => {
            let refused = GroundView::of(&decision, visitor.lang);
            ended(&desk, &visitor, &seat, &talk, refused).await
        }
    }
}

/// Why somebody who was not there gets no copy.
fn not_there(lang: Language) -> GroundView {
    let text = lang.pick(
        "U was er niet bij toen er werd opgenomen. Wat de anderen zeiden, is van hen.",
        "You were not there while it was recorded. What the others said is theirs.",
    );
    GroundView {
        text: text.to_owned(),
        articles: Vec::new(),
    }
}
