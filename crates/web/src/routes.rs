//! Every address, who may ask for it, and who answers. One table: the router is built from it,
//! the tests walk it, and the API's description is held against it.

use crate::app::{App, Desk, Shared};
use crate::{api, assets, frame, pages, tiles};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post, put};
use std::sync::Arc;
use voicelog_model::limits::HTTP_BODY_BYTES_MAX;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anybody.
    Anyone,
    /// Who is signed in.
    SignedIn,
    /// Programs that send the API's token.
    Program,
    /// Who is in the talk of the address: its host, or a guest by the cookie that they got.
    InRoom,
}

/// One address.
struct Route {
    audience: Audience,
    methods: &'static [&'static str],
    path: &'static str,
    handler: MethodRouter<Shared>,
}

const fn route(
    audience: Audience,
    methods: &'static [&'static str],
    path: &'static str,
    handler: MethodRouter<Shared>,
) -> Route {
    Route {
        audience,
        methods,
        path,
        handler,
    }
}

/// What anybody may open: the law's interview, the way in, and what every page needs.
fn doors() -> Vec<Route> {
    use Audience::Anyone;
    use pages::{authority, health, interview, invitation, login, setup};
    const GET: &[&str] = &["GET"];
    const POST: &[&str] = &["POST"];
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        route(Anyone, GET, "/assets/style.css", get(assets::style)),
        route(
            Anyone,
            GET,
            "/assets/document.css",
            get(assets::document_style),
        ),
        route(Anyone, GET, "/assets/icon.svg", get(assets::icon)),
        route(Anyone, GET, "/assets/room.js", get(assets::room_script)),
        route(
            Anyone,
            GET,
            "/assets/capture.js",
            get(assets::capture_script),
        ),
        route(Anyone, GET, "/assets/import.js", get(assets::import_script)),
        route(Anyone, GET, "/healthz", get(health::short)),
        route(
            Anyone,
            BOTH,
            "/setup/{token}",
            get(setup::form).post(setup::claim),
        ),
        route(
            Anyone,
            BOTH,
            "/invitation/{token}",
            get(invitation::form).post(invitation::claim),
        ),
        route(
            Anyone,
            BOTH,
            interview::DUTCH,
            get(interview::dutch).post(interview::dutch_answer),
        ),
        route(
            Anyone,
            BOTH,
            interview::ENGLISH,
            get(interview::english).post(interview::english_answer),
        ),
        route(Anyone, GET, "/authority", get(authority::show)),
        route(
            Anyone,
            GET,
            "/authority/voicelog.crt",
            get(authority::certificate),
        ),
        route(Anyone, BOTH, "/login", get(login::form).post(login::enter)),
        route(Anyone, POST, "/logout", post(login::leave)),
    ]
}

fn pages() -> Vec<Route> {
    use Audience::SignedIn;
    use pages::{asking, copying, health, importing, log, player, receipt, recording, recordings};
    const GET: &[&str] = &["GET"];
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        route(SignedIn, GET, "/", get(recordings::list)),
        route(SignedIn, GET, "/recordings/{id}", get(recording::show)),
        route(
            SignedIn,
            BOTH,
            "/recordings/{id}/listen",
            get(asking::listen_form).post(asking::listen),
        ),
        route(
            SignedIn,
            GET,
            "/recordings/{id}/listen/{token}",
            get(player::show),
        ),
        route(
            SignedIn,
            GET,
            "/recordings/{id}/listen/{token}/audio.wav",
            get(player::sound),
        ),
        route(
            SignedIn,
            BOTH,
            "/recordings/{id}/copy",
            get(copying::form).post(copying::copy),
        ),
        route(
            SignedIn,
            GET,
            "/recordings/{id}/receipt",
            get(receipt::show),
        ),
        route(
            SignedIn,
            BOTH,
            "/import",
            get(importing::start).post(importing::answer),
        ),
        route(SignedIn, GET, "/import/{id}", get(importing::end)),
        route(SignedIn, GET, "/log", get(log::show)),
        route(SignedIn, GET, "/health", get(health::show)),
        route(
            SignedIn,
            &["POST"],
            "/health/clock",
            post(health::confirm_clock),
        ),
    ]
}

/// The end of recordings, and what stands against it, for people.
fn endings() -> Vec<Route> {
    use Audience::SignedIn;
    use pages::{asking, declaration, holds, proposals, retention};
    const GET: &[&str] = &["GET"];
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        route(
            SignedIn,
            BOTH,
            "/recordings/{id}/destroy",
            get(asking::destroy_form).post(asking::destroy),
        ),
        route(
            SignedIn,
            BOTH,
            "/recordings/{id}/propose",
            get(proposals::propose_form).post(proposals::propose),
        ),
        route(
            SignedIn,
            BOTH,
            "/proposals/{id}",
            get(proposals::show).post(proposals::answer),
        ),
        route(
            SignedIn,
            BOTH,
            "/recordings/{id}/hold",
            get(holds::place_form).post(holds::place),
        ),
        route(
            SignedIn,
            GET,
            "/recordings/{id}/declaration",
            get(declaration::show),
        ),
        route(
            SignedIn,
            GET,
            "/retention/declaration",
            get(declaration::of_period),
        ),
        route(SignedIn, GET, "/holds", get(holds::list)),
        route(SignedIn, GET, "/retention", get(retention::show)),
        route(
            SignedIn,
            BOTH,
            "/holds/{id}/release",
            get(holds::release_form).post(holds::release),
        ),
    ]
}

/// Talks in a room, for people.
fn talks() -> Vec<Route> {
    use Audience::{Anyone, InRoom, SignedIn};
    use pages::{copy_links, joining, minutes, requests_in_room, rooms};
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        route(
            SignedIn,
            BOTH,
            "/rooms",
            get(rooms::list).post(rooms::start),
        ),
        route(
            InRoom,
            BOTH,
            "/rooms/{id}",
            get(rooms::show).post(rooms::act),
        ),
        route(InRoom, &["POST"], "/rooms/{id}/copy", post(rooms::copy)),
        route(
            InRoom,
            BOTH,
            "/rooms/{id}/minutes",
            get(minutes::show).post(minutes::act),
        ),
        route(
            InRoom,
            &["POST"],
            "/rooms/{id}/minutes/copy",
            post(minutes::copy),
        ),
        route(
            InRoom,
            BOTH,
            "/rooms/{id}/requests",
            get(requests_in_room::show).post(requests_in_room::answer),
        ),
        route(
            Anyone,
            BOTH,
            "/join",
            get(joining::form).post(joining::code),
        ),
        route(
            Anyone,
            BOTH,
            "/join/{code}",
            get(joining::invitation).post(joining::enter),
        ),
        route(
            Anyone,
            BOTH,
            "/copy",
            get(copy_links::form).post(copy_links::code),
        ),
        route(
            Anyone,
            BOTH,
            "/copy/{code}",
            get(copy_links::show).post(copy_links::fetch),
        ),
    ]
}

/// Citizens who ask whether they may record.
fn requests() -> Vec<Route> {
    use Audience::SignedIn;
    use pages::requests;
    const GET: &[&str] = &["GET"];
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        route(
            SignedIn,
            BOTH,
            "/requests",
            get(requests::show).post(requests::answer),
        ),
        route(SignedIn, GET, "/requests/{id}", get(requests::refused)),
        route(
            SignedIn,
            GET,
            "/requests/{id}/letter",
            get(requests::letter),
        ),
    ]
}

/// Who has an account.
fn people() -> Vec<Route> {
    use Audience::SignedIn;
    use pages::accounts;
    const POST: &[&str] = &["POST"];
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        route(
            SignedIn,
            BOTH,
            "/accounts",
            get(accounts::list).post(accounts::invite),
        ),
        route(
            SignedIn,
            POST,
            "/accounts/invitations/{id}/withdraw",
            post(accounts::withdraw),
        ),
        route(SignedIn, POST, "/accounts/end", post(accounts::end)),
        route(
            SignedIn,
            BOTH,
            "/accounts/password",
            get(accounts::password_form).post(accounts::change_password),
        ),
    ]
}

/// What programs ask and say of calls in progress.
fn calls() -> Vec<Route> {
    use Audience::Program;
    const GET: &[&str] = &["GET"];
    vec![
        route(Program, GET, "/v1/calls", get(api::calls::list)),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/facts",
            post(api::calls::say),
        ),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/consent",
            post(api::consent::tell),
        ),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/pause",
            post(api::pauses::pause),
        ),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/resume",
            post(api::pauses::resume),
        ),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/keep",
            post(api::keeping::keep),
        ),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/private",
            post(api::private::begin),
        ),
        route(
            Program,
            &["POST"],
            "/v1/calls/{id}/private/end",
            post(api::private::end),
        ),
    ]
}

/// Copies, and the end of recordings with what stands against it, for programs.
fn givings_and_endings() -> Vec<Route> {
    use Audience::Program;
    const GET: &[&str] = &["GET"];
    vec![
        route(
            Program,
            &["POST"],
            "/v1/recordings/{id}/copies",
            post(api::copies::make),
        ),
        route(
            Program,
            GET,
            "/v1/recordings/{id}/declaration",
            get(api::declarations::of_recording),
        ),
        route(
            Program,
            GET,
            "/v1/declarations",
            get(api::declarations::of_period),
        ),
        route(
            Program,
            &["POST"],
            "/v1/recordings/{id}/holds",
            post(api::holds::place),
        ),
        route(Program, GET, "/v1/holds", get(api::holds::list)),
        route(
            Program,
            &["POST"],
            "/v1/holds/{id}/release",
            post(api::holds::release),
        ),
    ]
}

fn programs() -> Vec<Route> {
    use Audience::Program;
    const GET: &[&str] = &["GET"];
    let mut routes = calls();
    routes.extend(givings_and_endings());
    routes.extend(uploads(
        Program,
        api::imports::FOR_PROGRAMS,
        "/v1/imports/{id}",
    ));
    routes.extend(vec![
        route(Program, GET, "/v1/openapi.json", get(api::description)),
        route(Program, GET, "/v1/recordings", get(api::recordings::list)),
        route(
            Program,
            GET,
            "/v1/recordings/{id}",
            get(api::recordings::show),
        ),
        route(
            Program,
            GET,
            "/v1/recordings/{id}/receipt",
            get(api::recordings::receipt),
        ),
        route(
            Program,
            &["POST"],
            "/v1/law/decisions",
            post(api::law::decide),
        ),
        route(
            Program,
            &["POST"],
            "/v1/law/documents/{name}",
            post(api::law::document),
        ),
        route(Program, GET, "/v1/law/facts", get(api::law::schema)),
        route(Program, GET, "/v1/law/rules/{id}", get(api::law::rule)),
        route(
            Program,
            &["POST"],
            "/v1/expected",
            post(api::expected::hold_against)
                .layer(DefaultBodyLimit::max(api::expected::BYTES_MAX)),
        ),
        route(Program, GET, "/v1/checkpoint", get(api::checkpoint)),
        route(Program, GET, "/v1/health", get(api::health)),
        route(
            Program,
            &["POST"],
            "/v1/clock/confirm",
            post(api::clock::confirm),
        ),
        route(Program, GET, "/v1/metrics", get(api::metrics::show)),
    ]);
    routes
}

/// Files that are sent piece by piece: the same for programs and for the script of the page.
fn uploads(audience: Audience, all: &'static str, one: &'static str) -> Vec<Route> {
    use api::imports::{around, cancel, create, head, options, send, show};
    let whole = post(create).options(options);
    let piece = get(show).head(head).patch(send).delete(cancel);
    vec![
        route(
            audience,
            &["POST", "OPTIONS"],
            all,
            whole.layer(from_fn(around)),
        ),
        route(
            audience,
            &["GET", "HEAD", "PATCH", "DELETE"],
            one,
            piece.layer(from_fn(around)),
        ),
    ]
}

/// Those of the script.
fn uploads_of_script() -> Vec<Route> {
    uploads(
        Audience::SignedIn,
        api::imports::FOR_SCRIPT,
        "/import/uploads/{id}",
    )
}

/// What the devices of those in a talk ask and hand over.
fn devices() -> Vec<Route> {
    use Audience::InRoom;
    use api::rooms::{self, CHUNK_BODY_MAX};
    const GET: &[&str] = &["GET"];
    const POST: &[&str] = &["POST"];
    vec![
        route(InRoom, GET, "/rooms/{id}/state", get(rooms::state)),
        route(InRoom, GET, "/rooms/{id}/notice", get(rooms::notice)),
        route(InRoom, POST, "/rooms/{id}/choice", post(rooms::choose)),
        route(InRoom, POST, "/rooms/{id}/acts", post(rooms::act)),
        route(InRoom, POST, "/rooms/{id}/tracks", post(rooms::open_track)),
        route(InRoom, GET, "/rooms/{id}/tracks/{track}", get(rooms::track)),
        route(
            InRoom,
            &["PUT"],
            "/rooms/{id}/tracks/{track}/chunks/{chunk}",
            put(rooms::chunk).layer(DefaultBodyLimit::max(CHUNK_BODY_MAX)),
        ),
        route(
            InRoom,
            POST,
            "/rooms/{id}/tracks/{track}/end",
            post(rooms::end_track),
        ),
    ]
}

/// What machines of strangers fetch, the same for everybody: no language, no cookie, no page.
fn files() -> Vec<Route> {
    use Audience::Anyone;
    const GET: &[&str] = &["GET"];
    vec![
        route(Anyone, GET, "/log/checkpoint", get(tiles::checkpoint)),
        route(Anyone, GET, "/log/tile/{*path}", get(tiles::tile)),
    ]
}

/// Every address with its methods and who may ask: for tests and documents.
#[must_use]
pub fn table() -> Vec<(Audience, &'static str, &'static str)> {
    doors()
        .into_iter()
        .chain(pages())
        .chain(endings())
        .chain(people())
        .chain(talks())
        .chain(requests())
        .chain(programs())
        .chain(devices())
        .chain(uploads_of_script())
        .chain(files())
        .flat_map(|route| {
            route
                .methods
                .iter()
                .map(move |method| (route.audience, *method, route.path))
        })
        .collect()
}

/// Builds the whole room.
pub fn router(app: App) -> Router {
    let desk: Shared = Arc::new(Desk::new(app));
    let guard = |route: Route| match route.audience {
        Audience::Anyone => (route.path, route.handler),
        Audience::SignedIn => (route.path, route.handler.layer(from_fn(frame::signed_in))),
        Audience::Program => {
            let token = from_fn_with_state(Arc::clone(&desk), frame::with_token);
            (route.path, route.handler.layer(token))
        }
        Audience::InRoom => {
            let seat = from_fn_with_state(Arc::clone(&desk), frame::in_room);
            (route.path, route.handler.layer(seat))
        }
    };
    let mut for_people = Router::new();
    let pages = doors().into_iter().chain(pages());
    let others = endings().into_iter().chain(people());
    let others = others.chain(talks()).chain(requests());
    for (path, handler) in pages.chain(others).map(guard) {
        for_people = for_people.route(path, handler);
    }
    // An address that does not exist is told only to who is signed in, as one that does.
    let nowhere = get(frame::nowhere)
        .fallback(frame::nowhere)
        .layer(from_fn(frame::signed_in));
    let for_people = for_people
        .fallback_service(nowhere.with_state(()))
        .layer(from_fn(frame::forms))
        .layer(from_fn_with_state(Arc::clone(&desk), frame::around_page));
    let mut for_programs = Router::new();
    for (path, handler) in programs().into_iter().map(guard) {
        for_programs = for_programs.route(path, handler);
    }
    let no_such = get(frame::nowhere).fallback(frame::nowhere);
    let token = from_fn_with_state(Arc::clone(&desk), frame::with_token);
    let for_programs = for_programs
        .route("/v1/{*rest}", no_such.layer(token))
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&desk), frame::around_api));
    let mut for_devices = Router::new();
    for (path, handler) in devices().into_iter().map(guard) {
        for_devices = for_devices.route(path, handler);
    }
    let for_devices = for_devices
        .layer(DefaultBodyLimit::max(api::rooms::JSON_BODY_MAX))
        .layer(from_fn(frame::by_own_script))
        .layer(from_fn_with_state(Arc::clone(&desk), frame::around_room));
    let mut for_uploads = Router::new();
    for (path, handler) in uploads_of_script().into_iter().map(guard) {
        for_uploads = for_uploads.route(path, handler);
    }
    let for_uploads = for_uploads.layer(from_fn_with_state(Arc::clone(&desk), frame::around_room));
    let mut for_strangers = Router::new();
    for (path, handler) in files().into_iter().map(guard) {
        for_strangers = for_strangers.route(path, handler);
    }
    let for_strangers =
        for_strangers.layer(from_fn_with_state(Arc::clone(&desk), frame::around_file));
    for_people
        .merge(for_programs)
        .merge(for_devices)
        .merge(for_uploads)
        .merge(for_strangers)
        .with_state(desk)
}
