//! A citizen asks an official whether they may record. There are two endings: it is allowed; or it is refused, for this
//! weighty reason, with this offered instead, and then there is a letter.

use crate::app::{Desk, Shared};
use crate::assets;
use crate::frame::html;
use crate::pages::who;
use crate::trouble::Trouble;
use crate::view::decision;
use crate::view::requests::{
    AllowedPage, Asked, Ending, LawView, MonthView, RefusedPage, RefusedView, RequestForm,
    RequestsPage, columns,
};
use crate::view::when::When;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::{Map, Value, json};
use voicelog_archive::{Archive, ArchiveError, RefusalSaid, RefusedRequest, request_facts};
use voicelog_casework::moment::month_start;
use voicelog_law::{Decision, DocumentText, Facts, Particulars, Style};
use voicelog_model::{DecisionId, Pii, Timestamp};

/// Months that are counted on the page.
const MONTHS: i64 = 12;
/// Refusals of this month and the one before that are listed.
const LISTED_MAX: usize = 50;

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    page(&desk, &visitor, RequestForm::default()).await
}

async fn page(desk: &Desk, visitor: &Visitor, form: RequestForm) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let mut asked = Asked::new("/requests".to_owned(), form, lang);
    if asked.is_wrong() {
        asked.law = law_on(desk, &asked.form.said(None), lang).await?;
    }
    let (months, refused) = desk
        .ask(move |archive, now| {
            let (mut months, mut listed) = (Vec::new(), Vec::new());
            for before in 0..MONTHS {
                let month = month_start(now, before);
                let refused = archive.refused_requests(month)?;
                months.push(MonthView::new(month, &refused, lang));
                if before < 2 {
                    listed.extend(refused.iter().rev().map(|one| RefusedView::new(one, lang)));
                }
            }
            listed.truncate(LISTED_MAX);
            Ok::<_, ArchiveError>((months, listed))
        })
        .await?;
    let status = match asked.is_wrong() {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    let title = lang.pick(
        "Iemand wil ons gesprek opnemen",
        "Somebody asks to record our talk",
    );
    let page = RequestsPage {
        p: visitor.page_at("/requests", "requests", title),
        asked,
        columns: columns(lang),
        months: months.into_iter().filter(|month| month.total > 0).collect(),
        refused,
    };
    html(status, &page)
}

/// What the law says of a refusal in which something is missing. Nothing was refused yet, so nothing is kept.
pub(crate) async fn law_on(
    desk: &Desk,
    said: &RefusalSaid,
    lang: voicelog_model::Language,
) -> Result<Vec<decision::ReasonView>, Trouble> {
    let facts = request_facts(Some(said));
    let decided = desk
        .ask(move |archive, now| decided(archive, &facts, now))
        .await?;
    Ok(decision::reasons(&decided, lang))
}

fn decided(
    archive: &Archive,
    facts: &Map<String, Value>,
    now: Timestamp,
) -> Result<Decision, ArchiveError> {
    let facts = Facts::from_map(facts, now).map_err(ArchiveError::Facts)?;
    let rulebook = archive.rulebook_at(now)?;
    Ok(voicelog_law::decide_without_unknown(&rulebook, &facts, now))
}

pub(crate) async fn answer(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(form): Form<RequestForm>,
) -> Result<Response, Trouble> {
    let account = who(&visitor)?.account.clone();
    match form.ending {
        None => page(&desk, &visitor, form).await,
        Some(Ending::Allow) => allowed(&desk, &visitor).await,
        Some(Ending::Refuse) => {
            if Asked::new(String::new(), form.clone(), visitor.lang).is_wrong() {
                return page(&desk, &visitor, form).await;
            }
            let said = form.said(None);
            let answer = desk
                .ask(move |archive, now| {
                    archive.ask_to_refuse(&said, month_start(now, 0), &Pii::new(account), now)
                })
                .await?;
            Ok(Redirect::to(&path(answer.id)).into_response())
        }
    }
}

/// The page of a refusal.
pub(crate) fn path(id: DecisionId) -> String {
    format!("/requests/{id}")
}

async fn allowed(desk: &Desk, visitor: &Visitor) -> Result<Response, Trouble> {
    let facts = request_facts(None);
    let decided = desk
        .ask(move |archive, now| decided(archive, &facts, now))
        .await?;
    let title = visitor
        .lang
        .pick("De ander mag opnemen", "The other person may record");
    let page = AllowedPage {
        p: visitor.page_at("/requests", "requests", title),
        d: LawView::new(&decided, visitor.lang),
        has_talks: desk.app.archive.lines().rooms().next().is_some(),
    };
    html(StatusCode::OK, &page)
}

async fn refused_of(desk: &Desk, id: &str) -> Result<RefusedRequest, Trouble> {
    let id: DecisionId = id.parse().map_err(|_no_id| Trouble::not_found())?;
    let found = desk
        .ask(move |archive, _now| archive.request_refused(id))
        .await?;
    found.ok_or_else(Trouble::not_found)
}

pub(crate) async fn refused(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let refused = refused_of(&desk, &id).await?;
    let title = match refused.is_permitted {
        true => lang.pick("Geweigerd, met een brief", "Refused, with a letter"),
        false => lang.pick("Weigeren mag hier niet", "Refusing is not allowed here"),
    };
    let page = RefusedPage {
        p: visitor.page_at(&path(refused.id), "requests", title),
        id: refused.id.to_string(),
        at: When::new(refused.at, lang),
        is_permitted: refused.is_permitted,
        d: LawView::new(&refused.decision, lang),
        said: refused.said,
    };
    html(StatusCode::OK, &page)
}

/// The letter, in the language that was chosen for the citizen: to be printed or saved. Names are written in by hand, since
/// none are kept.
pub(crate) async fn letter(
    State(desk): State<Shared>,
    Extension(_visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let refused = refused_of(&desk, &id).await?;
    let Some(said) = refused.said.filter(|_| refused.is_permitted) else {
        return Err(Trouble::not_found());
    };
    let organisation = desk.app.config.organisation.trim().to_owned();
    let (facts, at) = (refused.facts, refused.at);
    let page = desk
        .ask(move |archive, _now| {
            let mut particulars = Map::new();
            if !organisation.is_empty() {
                particulars.insert("organisation".to_owned(), json!(organisation));
            }
            let particulars =
                Particulars::from_map(&particulars).map_err(|e| Trouble::internal(&e))?;
            let facts = Facts::from_map(&facts, at).map_err(|e| Trouble::internal(&e))?;
            let rulebook = archive.rulebook_at(at).map_err(Trouble::from)?;
            let text = DocumentText::load("refusal", said.lang, at).map_err(Trouble::from)?;
            let made = text.make(&rulebook, &facts, &particulars, at);
            let made = made.map_err(Trouble::from)?;
            Ok::<_, Trouble>(made.to_html(Style::At(assets::document_style_path())))
        })
        .await?;
    Ok(Html(page).into_response())
}
