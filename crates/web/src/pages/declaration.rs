//! The declaration of destruction: of one recording as a page, and of one or of all in a time as a file.

use crate::app::Shared;
use crate::frame::html;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use crate::view::declaration::DeclarationPage;
use crate::view::when::{day_end, day_start};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use voicelog_archive::Archive;
use voicelog_casework::certificate::{self, Declaration, DeclarationError};
use voicelog_model::Language;

/// In which form somebody wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    Pdf,
    Txt,
}

impl Form {
    /// The file.
    pub(crate) fn of(
        self,
        made: &Declaration,
        archive: &Archive,
        lang: Language,
    ) -> Result<Vec<u8>, DeclarationError> {
        match self {
            Self::Pdf => made.pdf(archive, lang),
            Self::Txt => Ok(made.text().into_bytes()),
        }
    }

    /// The file as an answer; `name` has no ending.
    pub(crate) fn response(self, bytes: Vec<u8>, name: &str) -> Response {
        let (kind, ending) = match self {
            Self::Pdf => ("application/pdf", "pdf"),
            Self::Txt => ("text/plain; charset=utf-8", "txt"),
        };
        let file = format!("attachment; filename=\"{name}.{ending}\"");
        let headers = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, file),
        ];
        (headers, bytes).into_response()
    }
}

/// A form that is none of the two gives the page.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    form: Option<Form>,
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let (id, lang) = (recording_id(&id)?, visitor.lang);
    if let Some(form) = wanted.form {
        let bytes = desk
            .ask(move |archive, now| {
                let made = certificate::of_recording(archive, id, now)?;
                form.of(&made, archive, lang)
            })
            .await?;
        return Ok(form.response(bytes, &format!("voicelog-{id}-destroyed")));
    }
    let (sheet, text) = desk
        .ask(move |archive, now| {
            let made = certificate::of_recording(archive, id, now)?;
            Ok::<_, DeclarationError>((made.sheet(archive, lang), made.text()))
        })
        .await?;
    let title = lang.pick("Verklaring van vernietiging", "Declaration of destruction");
    let path = format!("/recordings/{id}/declaration");
    let page = DeclarationPage {
        p: visitor.page_at(&path, "recordings", title),
        id: id.to_string(),
        body: certificate::html(&sheet),
        certificate: text,
    };
    html(StatusCode::OK, &page)
}

/// Days, both of them included, and the form.
#[derive(Deserialize)]
pub(crate) struct Days {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    form: Option<Form>,
}

pub(crate) async fn of_period(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(days): Query<Days>,
) -> Result<Response, Trouble> {
    let (Some(from), Some(to)) = (day_start(&days.from), day_end(&days.to)) else {
        return Err(DeclarationError::Period.into());
    };
    let (form, lang) = (days.form.unwrap_or(Form::Pdf), visitor.lang);
    let bytes = desk
        .ask(move |archive, now| {
            let made = certificate::of_period(archive, from, to, now)?;
            form.of(&made, archive, lang)
        })
        .await?;
    // Both were read as days: digits and dashes.
    let name = format!("voicelog-destroyed-{}-{}", days.from, days.to);
    Ok(form.response(bytes, &name))
}
