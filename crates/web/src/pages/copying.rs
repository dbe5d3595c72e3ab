//! Giving a copy, or a copy of a part: for whom, with which duties, and what is left out of it.

use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::asking::{refused, without_recipient};
use crate::pages::{recording_id, who};
use crate::trouble::Trouble;
use crate::view::asking::{ForeseenView, What};
use crate::view::copying::{CopyPage, PartForm, StreamChoice};
use crate::view::when::When;
use crate::visitor::Visitor;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use voicelog_archive::ArchiveError;
use voicelog_casework::Asked;
use voicelog_casework::disclosure::{self, GivenCopy, PartRequest, Recipient, clock_text};
use voicelog_casework::memory::Made;
use voicelog_model::{Pii, RecordingId};

/// For whom a copy would be; left out until somebody was chosen.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    recipient: Option<String>,
}

/// First for whom; then the duties, before the copy is made. Only the form that is sent then asks
/// the law, and leaves its trace.
pub(crate) async fn form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let is_sent = wanted.recipient.is_some();
    let chosen = wanted.recipient.and_then(|word| word.parse().ok());
    let Some(recipient) = chosen else {
        return without_recipient(&desk, &visitor, id, is_sent).await;
    };
    page(&desk, &visitor, id, recipient, PartForm::default()).await
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    id: RecordingId,
    recipient: Recipient,
    form: PartForm,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let (detail, decision) = desk
        .ask(move |archive, now| {
            let decision = disclosure::foresee(archive, id, recipient, now)?;
            Ok::<_, ArchiveError>((archive.detail(id)?, decision))
        })
        .await?;
    let timeline = detail.timeline.as_ref();
    let streams = timeline.map_or(&[][..], |timeline| &timeline.streams);
    let path = format!("/recordings/{id}/copy?recipient={}", recipient.as_str());
    let status = match form.is_wrong() {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    let view = CopyPage {
        p: visitor.page_at(&path, "recordings", lang.pick("Kopie geven", "Give a copy")),
        id: id.to_string(),
        started: When::new(detail.summary.started_at, lang),
        length: timeline.map_or_else(String::new, |timeline| clock_text(timeline.length_us())),
        streams: streams
            .iter()
            .map(|one| StreamChoice::new(&one.stream, lang))
            .collect(),
        d: ForeseenView::new(recipient, &decision, lang),
        form,
    };
    html(status, &view)
}

/// A bundle that is being sent, with its place among those.
struct Sending {
    bundle: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Sending {
    fn as_ref(&self) -> &[u8] {
        &self.bundle
    }
}

/// A place among the copies that are sent; before one is made and put in the log, not after.
pub(crate) fn place(desk: &Desk) -> Result<OwnedSemaphorePermit, Trouble> {
    Arc::clone(&desk.sending)
        .try_acquire_owned()
        .map_err(|_all_taken| {
            Trouble::new(StatusCode::SERVICE_UNAVAILABLE)
                .saying(
                    "Er worden al kopieën verstuurd. Probeer het over een minuut opnieuw.",
                    "Other copies are being sent. Try again in a minute.",
                )
                .retry_after(60)
        })
}

/// What came of asking for a copy: it, or why a part fits no such recording.
type Copied = Result<Asked<GivenCopy>, ArchiveError>;

/// Asks for a copy; with a part that does not fit, the inner error.
pub(crate) async fn ask_for(
    desk: &Desk,
    id: RecordingId,
    recipient: Recipient,
    asker: Pii<String>,
    part: Option<PartRequest>,
) -> Result<(Copied, impl FnOnce(GivenCopy) -> Response + use<>), Trouble> {
    ask_in(place(desk)?, desk, id, recipient, asker, part).await
}

/// The same for who has a place already.
pub(crate) async fn ask_in(
    place: OwnedSemaphorePermit,
    desk: &Desk,
    id: RecordingId,
    recipient: Recipient,
    asker: Pii<String>,
    part: Option<PartRequest>,
) -> Result<(Copied, impl FnOnce(GivenCopy) -> Response + use<>), Trouble> {
    let command = format!("export {id} --for {}", recipient.as_str());
    let made = match part {
        Some(_) => Made::Part,
        None => Made::Bundle,
    };
    let copied = desk
        .open(
            id,
            made,
            &command,
            move |archive, now| match disclosure::bundle(
                archive,
                id,
                &asker,
                recipient,
                part.as_ref(),
                now,
            ) {
                Err(error) if disclosure::part_fault(&error).is_some() => Ok(Err(error)),
                Err(error) => Err(error),
                Ok(asked) => Ok(Ok(asked)),
            },
        )
        .await?;
    let send = move |copy: GivenCopy| {
        let file = format!("attachment; filename=\"voicelog-{id}.zip\"");
        let headers = [
            (header::CONTENT_TYPE, "application/zip".to_owned()),
            (header::CONTENT_DISPOSITION, file),
        ];
        let bytes = Bytes::from_owner(Sending {
            bundle: copy.bundle,
            _place: place,
        });
        (headers, Body::from(bytes)).into_response()
    };
    Ok((copied, send))
}

pub(crate) async fn copy(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let of = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let Ok(recipient) = of("recipient").parse::<Recipient>() else {
        return without_recipient(&desk, &visitor, id, true).await;
    };
    let mut form = PartForm::read(&fields);
    if !of("more").is_empty() {
        form.add_rows();
        return page(&desk, &visitor, id, recipient, form).await;
    }
    let Some(part) = form.request(visitor.lang) else {
        return page(&desk, &visitor, id, recipient, form).await;
    };
    let asker = Pii::new(who(&visitor)?.account.clone());
    let (copied, send) = ask_for(&desk, id, recipient, asker, part).await?;
    match copied {
        Ok(Asked::Given(copy)) => Ok(send(copy)),
        Ok(Asked::Refused {
            id: decision_id,
            decision,
        }) => refused(&desk, &visitor, id, decision_id, &decision, What::Copy).await,
        Err(error) => {
            let fault = disclosure::part_fault(&error);
            form.refused = fault.map(|text| text.pick(visitor.lang).to_owned());
            page(&desk, &visitor, id, recipient, form).await
        }
    }
}
