//! What happens around every handler: the request's id, the visitor, the deadline, the error
//! page, the headers that keep a browser from doing what we never asked for.

use crate::api::problem;
use crate::app::{Desk, Shared};
use crate::cookie;
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::error::ErrorPage;
use crate::visitor::{self, Visitor};
use askama::Template;
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequest, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::time::Duration;
use voicelog_model::Language;
use voicelog_room::Seat;

/// Longest that a request may take until its answer begins. A bundle of a long call is the slowest.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// The same for a piece of a file that is sent, which takes as long as the line does. Where nothing comes for half a minute it
/// ends at once.
const PIECE_MAX: Duration = Duration::from_secs(3_600);
/// Largest form in bytes.
const FORM_BYTES_MAX: usize = 64 * 1_024;

/// Nothing may be loaded or run but our own style sheet, icon and sound; no script at all; no
/// other site may frame a page or get a form from it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same where a talk is recorded or a file is sent: our own script besides, which talks to us alone.
const POLICY_OF_ISLAND: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    media-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const PERMISSIONS_OF_RECORDER: &str = "camera=(), microphone=(self), geolocation=()";

/// On an answer: the page runs our script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Island {
    /// It reads the terms aloud.
    Reader,
    /// It sends a file.
    Uploader,
    /// It records.
    Recorder,
}

/// Fields that every answer carries.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (PERMISSIONS, "camera=(), microphone=(), geolocation=()"),
];

/// The version of the API, on each of its answers.
pub(crate) const API_VERSION: &str = "1.0.0";

/// Names one request, in the log and on the error page.
fn request_id() -> String {
    Desk::random::<6>().map_or_else(
        |_no_random| "000000000000".to_owned(),
        |bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}

/// Runs the handler under the deadline.
async fn answer(request: Request, next: Next) -> Response {
    let most = match *request.method() {
        Method::PATCH => PIECE_MAX,
        _ => ANSWER_MAX,
    };
    match tokio::time::timeout(most, next.run(request)).await {
        Ok(response) => response,
        Err(_late) => Trouble::new(StatusCode::SERVICE_UNAVAILABLE).into_response(),
    }
}

/// The trouble that a response carries or is: ours, or a refusal by the HTTP layer (no such
/// address, wrong method, unreadable form).
fn trouble_in(response: &Response) -> Option<Trouble> {
    if let Some(trouble) = response.extensions().get::<Trouble>() {
        return Some(trouble.clone());
    }
    let bare = match visitor::field(response.headers(), header::CONTENT_TYPE) {
        None => true,
        Some(content_type) => content_type.starts_with("text/plain"),
    };
    let failed = response.status().is_client_error() || response.status().is_server_error();
    (failed && bare).then(|| Trouble::new(response.status()))
}

/// Tells what the number on an error page belongs to. `route` is the address as the table has it,
/// so without ids and tokens.
fn tell_operator(trouble: &Trouble, request: &str, method: &Method, route: &str) {
    let status = trouble.status.as_u16();
    let said = trouble.title(Language::En);
    match &trouble.cause {
        Some(cause) => tracing::error!(request, status, %method, route, cause, "{said}"),
        None => tracing::info!(request, status, %method, route, "{said}"),
    }
}

/// The address as the table of routes has it.
fn route_of(request: &Request) -> String {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str)
        .to_owned()
}

/// Headers of the error that the new answer keeps.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    let kept = [header::ALLOW, header::WWW_AUTHENTICATE];
    let of_uploads = ["tus-resumable", "tus-version"].map(HeaderName::from_static);
    for name in kept.into_iter().chain(of_uploads) {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

fn retry_after(trouble: &Trouble, headers: &mut HeaderMap) {
    if let Some(seconds) = trouble.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Around every page.
pub(crate) async fn around_page(
    State(desk): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id();
    let (method, route) = (request.method().clone(), route_of(&request));
    desk.playing.sweep(desk.now());
    let (mut parts, body) = request.into_parts();
    let mut visitor = Visitor::stranger(&desk, &parts);
    let recognised = visitor.recognise(&desk, &parts.headers).await;
    parts.extensions.insert(visitor.clone());
    let mut response = match recognised {
        Ok(()) => answer(Request::from_parts(parts, body), next).await,
        Err(trouble) => trouble.into_response(),
    };
    if let Some(trouble) = trouble_in(&response) {
        tell_operator(&trouble, &id, &method, &route);
        let page = visitor.page_at("/", "", trouble.title(visitor.lang));
        let view = ErrorPage {
            detail: trouble.detail(visitor.lang).to_owned(),
            request: id,
            p: page,
        };
        let mut made =
            html(trouble.status, &view).unwrap_or_else(|_trouble| trouble.status.into_response());
        keep(response.headers(), made.headers_mut());
        retry_after(&trouble, made.headers_mut());
        response = made;
    }
    for cookie in visitor.cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    with_headers(&desk, response)
}

/// Around every file for machines: no cookie, which a cache would give to others, and no words.
pub(crate) async fn around_file(
    State(desk): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let (method, route) = (request.method().clone(), route_of(&request));
    let mut response = answer(request, next).await;
    if let Some(trouble) = trouble_in(&response) {
        tell_operator(&trouble, &request_id(), &method, &route);
        let mut made = trouble.status.into_response();
        keep(response.headers(), made.headers_mut());
        retry_after(&trouble, made.headers_mut());
        response = made;
    }
    with_headers(&desk, response)
}

/// Around every answer to a device in a room: who asks is worked out as for a page, and trouble is told as to a program.
pub(crate) async fn around_room(
    State(desk): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id();
    let (method, route) = (request.method().clone(), route_of(&request));
    let (mut parts, body) = request.into_parts();
    let mut visitor = Visitor::stranger(&desk, &parts);
    let recognised = visitor.recognise(&desk, &parts.headers).await;
    let lang = visitor.lang;
    parts.extensions.insert(visitor);
    let mut response = match recognised {
        Ok(()) => answer(Request::from_parts(parts, body), next).await,
        Err(trouble) => trouble.into_response(),
    };
    if let Some(trouble) = trouble_in(&response) {
        tell_operator(&trouble, &id, &method, &route);
        let mut made = problem::document(&trouble, &id, lang);
        keep(response.headers(), made.headers_mut());
        retry_after(&trouble, made.headers_mut());
        response = made;
    }
    with_headers(&desk, response)
}

/// Around every answer of the API.
pub(crate) async fn around_api(
    State(desk): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id();
    let (method, route) = (request.method().clone(), route_of(&request));
    let accept = visitor::field(request.headers(), header::ACCEPT_LANGUAGE);
    let lang = crate::lang::choose(None, None, accept);
    request.extensions_mut().insert(lang);
    let mut response = answer(request, next).await;
    if let Some(trouble) = trouble_in(&response) {
        tell_operator(&trouble, &id, &method, &route);
        let mut made = problem::document(&trouble, &id, lang);
        keep(response.headers(), made.headers_mut());
        retry_after(&trouble, made.headers_mut());
        response = made;
    }
    let headers = response.headers_mut();
    headers.insert("api-version", HeaderValue::from_static(API_VERSION));
    with_headers(&desk, response)
}

fn with_headers(desk: &Desk, mut response: Response) -> Response {
    let island = response.extensions().get::<Island>().copied();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if island.is_some() {
        let policy = HeaderValue::from_static(POLICY_OF_ISLAND);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if island == Some(Island::Recorder) {
        headers.insert(
            PERMISSIONS,
            HeaderValue::from_static(PERMISSIONS_OF_RECORDER),
        );
    }
    if desk.cookies.secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    // What is not said to be keepable is personal, or may be.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets only those who are signed in through. Others are led to the sign-in page, and from there
/// back to where they wanted to be.
pub(crate) async fn signed_in(
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    if visitor.signed_in.is_some() {
        return next.run(request).await;
    }
    let wanted = request
        .uri()
        .path_and_query()
        .map_or("/", |wanted| wanted.as_str());
    let comes_back = request.method() == Method::GET && wanted != "/";
    match visitor::safe_next(wanted).filter(|_| comes_back) {
        Some(next) => Redirect::to(&format!("/login?next={}", percent(next))).into_response(),
        None => Redirect::to("/login").into_response(),
    }
}

/// Lets only those through who are in the talk of the address: its host by their login, a guest by their cookie. To
/// others there is no such talk. Whose seat it is goes along with the request.
pub(crate) async fn in_room(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(seat) = seat_of(&desk, &visitor, &request) else {
        return Trouble::not_found().into_response();
    };
    request.extensions_mut().insert(seat);
    next.run(request).await
}

/// The seat of whoever asks in the talk whose id is the second part of the path.
fn seat_of(desk: &Desk, visitor: &Visitor, request: &Request) -> Option<Seat> {
    let id = request.uri().path().split('/').nth(2)?.parse().ok()?;
    let rooms = &desk.app.rooms;
    let host = visitor.signed_in.as_ref();
    let host = host.and_then(|signed_in| rooms.host_seat(id, &signed_in.account));
    host.or_else(|| {
        let token = cookie::read(request.headers(), desk.cookies.room).and_then(Token::parse)?;
        rooms.guest_seat(id, &token.hash())
    })
}

/// Lets nothing through that changes something and that another site can have made a browser send: a form has none of
/// these types, and whatever else has one a browser asks us about first.
pub(crate) async fn by_own_script(request: Request, next: Next) -> Response {
    match foreign(&request) {
        Some(trouble) => trouble.into_response(),
        None => next.run(request).await,
    }
}

/// Why a request may be another site's.
fn foreign(request: &Request) -> Option<Trouble> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let site = request.headers().get("sec-fetch-site");
    if !matches!(site.map(HeaderValue::as_bytes), None | Some(b"same-origin")) {
        return Some(Trouble::form());
    }
    let wanted = match *request.method() {
        Method::PUT => "application/octet-stream",
        _ => "application/json",
    };
    let content_type = visitor::field(request.headers(), header::CONTENT_TYPE).unwrap_or("");
    let (kind, _parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    (kind.trim() != wanted).then(|| Trouble::new(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// Percent-encodes a path for use in a query.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// What shows that a form is ours.
#[derive(Deserialize)]
struct FormToken {
    #[serde(default)]
    form_token: String,
}

/// Holds every request that can change something against the form token, before any handler
/// sees it, so that no handler can forget to.
pub(crate) async fn forms(
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        return next.run(request).await;
    }
    // Browsers say where a request comes from (Fetch Metadata); older ones say nothing.
    let site = request
        .headers()
        .get("sec-fetch-site")
        .map(HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return Trouble::form().into_response();
    }
    let (parts, body) = request.into_parts();
    // Of minutes each letter may be three in a form.
    let most = match parts.uri.path().ends_with("/minutes") {
        true => 4 * FORM_BYTES_MAX,
        false => FORM_BYTES_MAX,
    };
    let Ok(bytes) = to_bytes(body, most).await else {
        return Trouble::new(StatusCode::PAYLOAD_TOO_LARGE).into_response();
    };
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let carried = match Form::<FormToken>::from_request(copy, &()).await {
        Ok(Form(form)) => form.form_token,
        Err(_unreadable) => String::new(),
    };
    if !crate::secret::same(carried.as_bytes(), visitor.form_token.as_bytes()) {
        return Trouble::form().into_response();
    }
    next.run(Request::from_parts(parts, Body::from(bytes)))
        .await
}

/// Lets only requests with the API's token through.
pub(crate) async fn with_token(
    State(desk): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let given = visitor::field(request.headers(), header::AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| problem::token_hash(token.trim()));
    let known = desk.app.config.api_token_sha256;
    if given.is_some_and(|hash| crate::secret::same(&hash, &known)) {
        return next.run(request).await;
    }
    let mut response = Trouble::new(StatusCode::UNAUTHORIZED)
        .saying(
            "Stuur het token mee: `Authorization: Bearer …`.",
            "Send the token along: `Authorization: Bearer …`.",
        )
        .into_response();
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// A page.
pub(crate) fn html(status: StatusCode, view: &impl Template) -> Result<Response, Trouble> {
    let text = view.render().map_err(|error| Trouble::internal(&error))?;
    Ok((status, Html(text)).into_response())
}

/// Where no route leads.
pub(crate) async fn nowhere() -> Trouble {
    Trouble::not_found()
}
