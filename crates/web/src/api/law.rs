//! The law for programs: facts in, decision out. Nothing is stored.

use crate::app::Shared;
use crate::trouble::Trouble;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use voicelog_law::{BeforeRulebook, Facts, FactsError, Rulebook, facts_schema};
use voicelog_model::{Language, Timestamp};

/// For when the decision is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct Moment {
    at: Option<String>,
}

fn unfit(nl: String, en: String) -> Trouble {
    Trouble::new(StatusCode::UNPROCESSABLE_ENTITY).saying(nl, en)
}

fn wrong_facts(error: &FactsError) -> Trouble {
    let findings = error.findings().iter().map(|finding| {
        let text = &finding.text;
        (finding.place.clone(), text.nl.clone(), text.en.clone())
    });
    let (nl, en) = (
        error.in_language(Language::Nl),
        error.in_language(Language::En),
    );
    unfit(nl, en).with_findings(findings.collect())
}

/// Decides one act on the facts sent.
pub(crate) async fn decide(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Query(moment): Query<Moment>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let at = match &moment.at {
        None => desk.now(),
        Some(text) => text.parse::<Timestamp>().map_err(|_no_moment| {
            unfit(
                "`at` is een moment zoals 2026-11-21T10:02:00Z.".to_owned(),
                "`at` is a moment such as 2026-11-21T10:02:00Z.".to_owned(),
            )
        })?,
    };
    let before = BeforeRulebook::TEXT;
    Rulebook::knows_the_law_of(at)
        .map_err(|_before| unfit(before.nl.to_owned(), before.en.to_owned()))?;
    let facts = Facts::parse(&body, at).map_err(|error| wrong_facts(&error))?;
    let kept = desk.app.archive.rulebook();
    let decision = tokio::task::spawn_blocking(move || {
        if kept.is_in_force(at) {
            return Ok(voicelog_law::decide(&kept, &facts, at));
        }
        let rulebook = kept.on(at)?;
        Ok::<_, voicelog_law::RulebookError>(voicelog_law::decide(&rulebook, &facts, at))
    })
    .await
    .map_err(|stopped| Trouble::internal(&stopped))?
    .map_err(|error| Trouble::internal(&error))?;
    Ok(Json(decision.to_json(lang)).into_response())
}

/// The JSON Schema of facts.
pub(crate) async fn schema() -> Response {
    Json(facts_schema()).into_response()
}

/// One rule in force.
pub(crate) async fn rule(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let rulebook = desk.app.archive.rulebook();
    let rule = rulebook.rule(&id).ok_or_else(Trouble::not_found)?;
    let body = json!({
        "id": rule.id,
        "articles": rule.articles,
        "kind": rule.kind,
        "status": rule.status,
        "validFrom": rule.valid_from,
        "text": lang.pick(&rule.text_nl, &rule.text_en),
        "cedar": rule.cedar,
        "rulebook": rulebook.reference(),
    });
    Ok(Json(body).into_response())
}
