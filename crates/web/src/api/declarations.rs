//! The declaration of destruction for programs.

use crate::app::Shared;
use crate::pages::declaration::Form;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use std::collections::BTreeMap;
use voicelog_casework::certificate;
use voicelog_model::{Language, Timestamp};

/// What can be asked for besides.
const PARAMETERS: &[&str] = &["form", "from", "to"];

#[derive(Default)]
struct Wishes {
    form: Option<Form>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

fn wishes(parameters: &BTreeMap<String, String>, known: &[&str]) -> Result<Wishes, Trouble> {
    let mut wishes = Wishes::default();
    for (name, value) in parameters {
        let wrong = |right: &str| {
            Trouble::invalid(
                format!("`{name}` is niet goed: verwacht {right}."),
                format!("`{name}` is wrong: expected {right}."),
            )
        };
        let moment = || {
            let read = value.parse::<Timestamp>();
            read.map_err(|_text| wrong("RFC 3339, 2026-11-21T10:02:00Z"))
        };
        match name.as_str() {
            "form" => {
                wishes.form = Some(match value.as_str() {
                    "pdf" => Form::Pdf,
                    "txt" => Form::Txt,
                    _ => return Err(wrong("pdf, txt")),
                });
            }
            "from" if known.contains(&"from") => wishes.from = Some(moment()?),
            "to" if known.contains(&"to") => wishes.to = Some(moment()?),
            other => return Err(super::calls::unknown_name(other, known)),
        }
    }
    Ok(wishes)
}

pub(crate) async fn of_recording(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Path(id): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let form = wishes(&parameters, &["form"])?.form.unwrap_or(Form::Pdf);
    let bytes = desk
        .ask(move |archive, now| {
            let made = certificate::of_recording(archive, id, now)?;
            form.of(&made, archive, lang)
        })
        .await?;
    Ok(form.response(bytes, &format!("voicelog-{id}-destroyed")))
}

pub(crate) async fn of_period(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Response, Trouble> {
    let wishes = wishes(&parameters, PARAMETERS)?;
    let (Some(from), Some(to)) = (wishes.from, wishes.to) else {
        return Err(certificate::DeclarationError::Period.into());
    };
    let form = wishes.form.unwrap_or(Form::Pdf);
    let bytes = desk
        .ask(move |archive, now| {
            let made = certificate::of_period(archive, from, to, now)?;
            form.of(&made, archive, lang)
        })
        .await?;
    Ok(form.response(bytes, "voicelog-destroyed"))
}
