//! The law for programs: facts in, decision out. Nothing is stored.

use crate::app::Shared;
use crate::trouble::Trouble;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use voicelog_law::{
    BeforeRulebook, DocumentText, Facts, FactsError, Particulars, ParticularsError, Rulebook,
    Style, facts_schema, moment_or_day,
};
use voicelog_model::{Language, Timestamp};

/// For when the decision is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct Moment {
    at: Option<String>,
}

impl Moment {
    /// The moment asked for, or now; one whose law we know.
    fn at(&self, desk: &Shared) -> Result<Timestamp, Trouble> {
        let at = match &self.at {
            None => desk.now(),
            Some(text) => moment_or_day(text).map_err(|wrong| {
                let text = wrong.text();
                unfit(format!("`at`: {}", text.nl), format!("`at`: {}", text.en))
            })?,
        };
        let before = BeforeRulebook::TEXT;
        Rulebook::knows_the_law_of(at)
            .map_err(|_before| unfit(before.nl.to_owned(), before.en.to_owned()))?;
        Ok(at)
    }
}

pub(crate) fn unfit(nl: String, en: String) -> Trouble {
    Trouble::new(StatusCode::UNPROCESSABLE_ENTITY).saying(nl, en)
}

pub(crate) fn wrong_facts(error: &FactsError) -> Trouble {
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
    let at = moment.at(&desk)?;
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

/// A document from the rulebook, made from the facts and particulars sent: an HTML page.
pub(crate) async fn document(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Path(name): Path<String>,
    Query(moment): Query<Moment>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let at = moment.at(&desk)?;
    let order = Order::parse(&body, lang, at)?;
    let text = DocumentText::load(&name, order.lang, at).map_err(Trouble::from)?;
    let kept = desk.app.archive.rulebook();
    let page = tokio::task::spawn_blocking(move || {
        let other;
        let rulebook = if kept.is_in_force(at) {
            &*kept
        } else {
            other = kept.on(at).map_err(|error| Trouble::internal(&error))?;
            &other
        };
        let made = text.make(rulebook, &order.facts, &order.particulars, at);
        made.map(|document| document.to_html(Style::Inside))
            .map_err(Trouble::from)
    })
    .await
    .map_err(|stopped| Trouble::internal(&stopped))??;
    Ok(Html(page).into_response())
}

/// What a document is made from: `{"facts": …, "particulars": …, "lang": "nl"}`.
struct Order {
    facts: Facts,
    particulars: Particulars,
    lang: Language,
}

impl Order {
    fn parse(body: &[u8], lang: Language, at: Timestamp) -> Result<Self, Trouble> {
        let wrong = || {
            unfit(
                "De inhoud is één JSON-object met `facts`, en als u wilt `particulars` en `lang` (`nl` of `en`); geen andere sleutels en geen dubbele.".to_owned(),
                "The body is one JSON object with `facts`, and if you like `particulars` and `lang` (`nl` or `en`); no other keys and no double ones.".to_owned(),
            )
        };
        let mut body = voicelog_law::strict_object(body).ok_or_else(wrong)?;
        let mut object = |key: &str| match body.remove(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(wrong()),
        };
        let facts = object("facts")?.ok_or_else(wrong)?;
        let particulars = object("particulars")?.unwrap_or_default();
        let lang = match body.remove("lang") {
            None => lang,
            Some(Value::String(tag)) => tag.parse().map_err(|_other| wrong())?,
            Some(_) => return Err(wrong()),
        };
        if !body.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            facts: Facts::from_map(&facts, at).map_err(|error| wrong_facts(&error))?,
            particulars: Particulars::from_map(&particulars)
                .map_err(|error| wrong_particulars(&error))?,
            lang,
        })
    }
}

fn wrong_particulars(error: &ParticularsError) -> Trouble {
    let findings = error.findings().iter();
    let findings = findings.map(|(place, text)| (place.clone(), text.nl.clone(), text.en.clone()));
    unfit(
        error.in_language(Language::Nl),
        error.in_language(Language::En),
    )
    .with_findings(findings.collect())
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
