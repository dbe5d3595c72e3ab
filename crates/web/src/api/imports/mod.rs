//! Files that are sent piece by piece and go on where they were cut off: tus 1.0.0 (<https://tus.io/protocols/resumable-upload>),
//! core, creation, expiration, termination, and checksum with SHA-256. What of it is not there: `design/import.md`.
//!
//! The same handlers answer programs, at `/v1/imports`, and the script of the page, at `/import/uploads`.

mod body;
mod words;

pub(crate) use words::in_words;

use crate::app::{Desk, Shared};
use crate::pages::who;
use crate::trouble::Trouble;
use crate::visitor::{self, Visitor};
use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use voicelog_archive::FILE_BYTES_MAX;
use voicelog_casework::Asked;
use voicelog_casework::importing::{
    Begun, Owner, Place, Progress, UploadId, UploadRefused, Uploads,
};
use voicelog_model::{Language, Pii, Timestamp};

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

/// Where programs send files.
pub(crate) const FOR_PROGRAMS: &str = "/v1/imports";
/// Where the script of the page sends them.
pub(crate) const FOR_SCRIPT: &str = "/import/uploads";

/// Who sends.
pub(crate) struct Sender {
    pub(crate) owner: Owner,
    pub(crate) lang: Language,
}

impl<S: Send + Sync> FromRequestParts<S> for Sender {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Trouble> {
        let known = &parts.extensions;
        Ok(match known.get::<Visitor>() {
            Some(visitor) => Self {
                owner: Owner::Account(who(visitor)?.account.clone()),
                lang: visitor.lang,
            },
            None => Self {
                owner: Owner::Program,
                lang: known.get::<Language>().copied().unwrap_or_default(),
            },
        })
    }
}

/// The upload that a path names. Whatever is no name of one is not found.
pub(crate) fn upload_id(text: &str) -> Result<UploadId, Trouble> {
    text.parse().map_err(|()| Trouble::not_found())
}

/// Around each of these: the version is held against ours, and said. What a browser was made to send by another site has no
/// such field: a form cannot have one, and for a script it asks us first, which we never allow.
pub(crate) async fn around(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_page = request.extensions().get::<Visitor>().is_some();
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let said = headers.get(RESUMABLE);
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_own = matches!(site, None | Some(b"same-origin"));
    let mut response = if is_page && changes && (said.is_none() || !is_own) {
        Trouble::form().into_response()
    } else if said != Some(&VERSION) && (changes || *request.method() == Method::HEAD) {
        Trouble::new(StatusCode::PRECONDITION_FAILED)
            .saying(
                "Stuur `Tus-Resumable: 1.0.0` mee.",
                "Send `Tus-Resumable: 1.0.0` along.",
            )
            .into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, VERSION);
    headers.insert("tus-version", VERSION);
    response
}

/// What is possible here.
pub(crate) async fn options() -> Response {
    let can = [
        (
            HeaderName::from_static("tus-extension"),
            HeaderValue::from_static("creation,expiration,termination,checksum"),
        ),
        (
            HeaderName::from_static("tus-max-size"),
            HeaderValue::from(FILE_BYTES_MAX),
        ),
        (
            HeaderName::from_static("tus-checksum-algorithm"),
            HeaderValue::from_static("sha256"),
        ),
    ];
    (StatusCode::NO_CONTENT, can).into_response()
}

/// When an upload goes, as HTTP writes moments (RFC 9110 §5.6.7).
fn http_date(at: Timestamp) -> String {
    at.to_jiff()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

fn placed(headers: &mut HeaderMap, place: Place) {
    headers.insert(OFFSET, HeaderValue::from(place.offset));
    headers.insert(LENGTH, HeaderValue::from(place.byte_len));
    if let Ok(expires) = HeaderValue::try_from(http_date(place.expires_at)) {
        headers.insert(EXPIRES, expires);
    }
}

/// A number in a field, in digits alone.
fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// Asks the uploads something, off the async threads.
async fn ask<T: Send + 'static>(
    desk: &Desk,
    question: impl FnOnce(&Uploads) -> Result<T, UploadRefused> + Send + 'static,
) -> Result<T, Trouble> {
    let uploads = Arc::clone(&desk.app.uploads);
    desk.ask(move |_archive, _now| question(&uploads)).await
}

/// What `Upload-Metadata` says: the facts, and who asks. Other pairs are passed over, the name of the file among them.
#[derive(Debug, Default)]
struct Said {
    facts: Option<Map<String, Value>>,
    asked_by: Option<String>,
}

impl Said {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut said = Self::default();
        let Some(field) = headers.get("upload-metadata") else {
            return Some(said);
        };
        for pair in field.to_str().ok()?.split(',') {
            let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
            let value = || STANDARD.decode(value.trim()).ok();
            match key {
                "facts" if said.facts.is_none() => {
                    said.facts = Some(voicelog_law::strict_object(&value()?)?);
                }
                "asked_by" if said.asked_by.is_none() => {
                    said.asked_by = Some(String::from_utf8(value()?).ok()?);
                }
                "facts" | "asked_by" => return None,
                _other => {}
            }
        }
        Some(said)
    }
}

/// Asks the law, and makes room for a file.
pub(crate) async fn create(
    State(desk): State<Shared>,
    Sender { owner, lang }: Sender,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let byte_len = number(&headers, LENGTH).ok_or_else(|| {
        Trouble::invalid(
            "`Upload-Length` zegt hoeveel bytes het bestand heeft; dat moet vooraf bekend zijn.",
            "`Upload-Length` says how many bytes the file has; that has to be known beforehand.",
        )
    })?;
    let wrong = || {
        Trouble::invalid(
            "`Upload-Metadata` heeft `facts`: de feiten als JSON-object, in base64 (RFC 4648).",
            "`Upload-Metadata` has `facts`: the facts as a JSON object, in base64 (RFC 4648).",
        )
    };
    let said = Said::read(&headers).ok_or_else(wrong)?;
    let facts = said.facts.ok_or_else(wrong)?;
    let (asker, base) = match &owner {
        Owner::Account(name) => (Pii::new(name.clone()), FOR_SCRIPT),
        Owner::Program => {
            let name = said.asked_by.unwrap_or_default();
            (super::keeping::somebody(&name, "asked_by")?, FOR_PROGRAMS)
        }
    };
    let begun = ask(&desk, move |uploads| {
        uploads.begin(owner, asker, facts, byte_len)
    })
    .await?;
    match begun {
        Begun::Upload(id, place) => {
            let location = [(header::LOCATION, format!("{base}/{id}"))];
            let mut response = (StatusCode::CREATED, location).into_response();
            placed(response.headers_mut(), place);
            Ok(response)
        }
        Begun::Refused { id, decision } => {
            let body = json!({ "id": id, "decision": decision.to_json(lang) });
            Ok((StatusCode::FORBIDDEN, Json(body)).into_response())
        }
    }
}

/// How far it is, in the head alone.
pub(crate) async fn head(
    State(desk): State<Shared>,
    Sender { owner, .. }: Sender,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = upload_id(&id)?;
    let place = ask(&desk, move |uploads| uploads.place(&owner, id)).await?;
    let mut response = StatusCode::OK.into_response();
    placed(response.headers_mut(), place);
    Ok(response)
}

/// What became of it, for programs and for the script.
pub(crate) async fn show(
    State(desk): State<Shared>,
    Sender { owner, lang }: Sender,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = upload_id(&id)?;
    let progress = ask(&desk, move |uploads| uploads.progress(&owner, id)).await?;
    let body = match progress {
        Progress::Receiving(place) => json!({
            "state": "receiving",
            "offset": place.offset,
            "length": place.byte_len,
            "expiresAt": place.expires_at,
        }),
        Progress::Working => json!({ "state": "working" }),
        Progress::Ended(end) => match &*end {
            Ok(Asked::Given(taken)) => {
                let state = match taken.decision {
                    Some(_) => "imported",
                    None => "known",
                };
                json!({ "state": state, "recording": taken.id, "import": taken.told })
            }
            Ok(Asked::Refused { id, decision }) => {
                json!({ "state": "refused", "id": id, "decision": decision.to_json(lang) })
            }
            Err(error) => json!({ "state": "failed", "detail": in_words(error, lang) }),
        },
    };
    Ok(Json(body).into_response())
}

/// Takes the next bytes in.
pub(crate) async fn send(
    State(desk): State<Shared>,
    Sender { owner, .. }: Sender,
    Path(id): Path<String>,
    headers: HeaderMap,
    mut body: Body,
) -> Result<Response, Trouble> {
    let taken = take(&desk, owner, &id, &headers, &mut body).await;
    if taken.is_err() {
        body::pass(&mut body).await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    placed(response.headers_mut(), taken?);
    Ok(response)
}

async fn take(
    desk: &Shared,
    owner: Owner,
    id: &str,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Place, Trouble> {
    let id = upload_id(id)?;
    let content_type = visitor::field(headers, header::CONTENT_TYPE).unwrap_or("");
    if content_type.trim() != "application/offset+octet-stream" {
        return Err(Trouble::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).saying(
            "Stuur de bytes als `application/offset+octet-stream`.",
            "Send the bytes as `application/offset+octet-stream`.",
        ));
    }
    let offset = number(headers, OFFSET).ok_or_else(|| {
        Trouble::invalid(
            "`Upload-Offset` zegt bij welke byte dit begint.",
            "`Upload-Offset` says at which byte this begins.",
        )
    })?;
    let checksum = body::checksum_in(headers)?;
    let by = owner.clone();
    let writing = ask(desk, move |uploads| uploads.write(&by, id, offset)).await?;
    let length = number(headers, header::CONTENT_LENGTH);
    body::take(writing, body, length, checksum).await?;
    ask(desk, move |uploads| uploads.place(&owner, id)).await
}

/// Gives it up.
pub(crate) async fn cancel(
    State(desk): State<Shared>,
    Sender { owner, .. }: Sender,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    let id = upload_id(&id)?;
    ask(&desk, move |uploads| uploads.cancel(&owner, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
