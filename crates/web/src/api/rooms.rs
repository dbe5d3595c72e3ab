//! Talks in a room, for the devices of those who are in one: state, choices, acts, tracks and chunks
//! (`design/room.md`, "Addresses").

use crate::app::Shared;
use crate::trouble::Trouble;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use voicelog_room::{
    Act, CHUNK_BYTES_MAX, Choice, ChunkRefused, Hash, RoomError, Rooms, Seat, Taken, TrackPlace,
};

/// Bytes of a chunk that are taken in: one more than it may have, so that one too large is seen to be.
pub(crate) const CHUNK_BODY_MAX: usize = CHUNK_BYTES_MAX + 1;
/// Bytes of what else is sent here.
pub(crate) const JSON_BODY_MAX: usize = 4_096;
/// How long a question for a newer state, or for the disk, waits.
const WAIT: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    after: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    choice: Choice,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acted {
    act: Act,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTrack {
    codec: String,
    payload_type: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndOfTrack {
    chunks: u32,
    chain: String,
}

/// The state; waits for one that is newer than the one that is known.
pub(crate) async fn state(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    Query(After { after }): Query<After>,
) -> Result<Response, Trouble> {
    let rooms = &desk.app.rooms;
    let mut changes = rooms.changes(&seat)?;
    // It waits no longer than that, changed or not.
    let newer = tokio::time::timeout(WAIT, changes.wait_for(|now| *now > after)).await;
    // It holds the version, which nobody can raise until it goes.
    drop(newer);
    shown(rooms, &seat)
}

fn shown(rooms: &Rooms, seat: &Seat) -> Result<Response, Trouble> {
    Ok(Json(rooms.state(seat)?).into_response())
}

/// The WAV file of the notice, for the device that plays it.
pub(crate) async fn notice(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Trouble> {
    let file = desk.app.rooms.notice(&seat)?.ok_or_else(|| {
        Trouble::new(StatusCode::NOT_FOUND).saying(
            "Bij dit soort gesprek hoort geen melding.",
            "This kind of talk has no notice.",
        )
    })?;
    let head = [(header::CONTENT_TYPE, "audio/wav")];
    Ok((head, Bytes::from_owner(file)).into_response())
}

pub(crate) async fn choose(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let Chosen { choice } = read(
        &body,
        "`choice`: `agreed`, `rather_not` of `records_too`",
        "`choice`: `agreed`, `rather_not` or `records_too`",
    )?;
    done(&desk, seat, move |rooms, seat| rooms.choose(seat, choice)).await
}

pub(crate) async fn act(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let Acted { act } = read(
        &body,
        "`act`: `start`, `pause`, `resume`, `withdraw`, `object`, `leave`, `close_door`, `renew_code` of `end`",
        "`act`: `start`, `pause`, `resume`, `withdraw`, `object`, `leave`, `close_door`, `renew_code` or `end`",
    )?;
    done(&desk, seat, move |rooms, seat| rooms.act(seat, act)).await
}

/// Does what may wait for the law and the disk, and answers with the state.
async fn done(
    desk: &Shared,
    seat: Seat,
    act: impl FnOnce(&Rooms, &Seat) -> Result<(), RoomError> + Send + 'static,
) -> Result<Response, Trouble> {
    let (rooms, by) = (Arc::clone(&desk.app.rooms), seat.clone());
    desk.ask(move |_archive, _now| act(&rooms, &by)).await?;
    shown(&desk.app.rooms, &seat)
}

pub(crate) async fn open_track(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let NewTrack {
        codec,
        payload_type,
    } = read(
        &body,
        "`codec` en `payload_type`",
        "`codec` and `payload_type`",
    )?;
    let place = desk.app.rooms.open_track(&seat, &codec, payload_type)?;
    Ok((StatusCode::CREATED, Json(place)).into_response())
}

pub(crate) async fn track(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    Path((_id, number)): Path<(String, String)>,
) -> Result<Json<TrackPlace>, Trouble> {
    Ok(Json(desk.app.rooms.track(&seat, number_in(&number)?)?))
}

/// Takes a chunk, and answers once it is on the disk.
pub(crate) async fn chunk(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    Path((_id, track, number)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Trouble> {
    let (track, number) = (number_in(&track)?, number_in(&number)?);
    let body = body.map_err(|rejection| unread(&rejection))?;
    let digest = digest_in(&headers).ok_or_else(|| {
        Trouble::invalid(
            "Stuur `Content-Digest: sha-256=:…:` mee (RFC 9530).",
            "Send `Content-Digest: sha-256=:…:` along (RFC 9530).",
        )
        .coded("digest-missing", None)
    })?;
    let rooms = &desk.app.rooms;
    let next = match rooms.take_chunk(&seat, track, number, digest, &body)? {
        Taken::OnDisk(next) => next,
        Taken::Waits(told) => match tokio::time::timeout(WAIT, told).await {
            Ok(Ok(next)) => next,
            Ok(Err(_)) | Err(_) => {
                let next = rooms.track(&seat, track)?.next;
                let why = "the chunk is not on the disk yet";
                return Err(ChunkRefused::Busy { why, next }.into());
            }
        },
    };
    let version = *rooms.changes(&seat)?.borrow();
    // It may have become more, meanwhile; this one's turn is over.
    let next = next.max(number.saturating_add(1));
    Ok(Json(json!({ "next": next, "version": version })).into_response())
}

/// A body that was not read to its end: larger than a chunk, or cut off.
fn unread(rejection: &BytesRejection) -> Trouble {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ChunkRefused::TooLarge.into(),
        status => Trouble::new(status),
    }
}

pub(crate) async fn end_track(
    State(desk): State<Shared>,
    Extension(seat): Extension<Seat>,
    Path((_id, number)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<TrackPlace>, Trouble> {
    let EndOfTrack { chunks, chain } = read(
        &body,
        "`chunks` en `chain` (64 hexadecimale cijfers)",
        "`chunks` and `chain` (64 hexadecimal digits)",
    )?;
    let chain = Hash::from_hex(&chain).ok_or_else(|| {
        Trouble::invalid(
            "`chain` is 64 hexadecimale cijfers.",
            "`chain` is 64 hexadecimal digits.",
        )
    })?;
    let number = number_in(&number)?;
    Ok(Json(
        desk.app.rooms.end_track(&seat, number, chunks, chain)?,
    ))
}

fn read<T: DeserializeOwned>(body: &[u8], nl: &str, en: &str) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|_text| {
        Trouble::invalid(
            format!("Stuur een JSON-object met {nl}."),
            format!("Send a JSON object with {en}."),
        )
    })
}

/// A number in an address; what is none leads nowhere.
fn number_in<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    let is_plain = !text.starts_with('+');
    let number = text.parse().ok().filter(|_| is_plain);
    number.ok_or_else(Trouble::not_found)
}

/// The `sha-256` of `Content-Digest` (RFC 9530): a dictionary of byte sequences between colons.
fn digest_in(headers: &HeaderMap) -> Option<Hash> {
    let field = headers.get(HeaderName::from_static("content-digest"))?;
    let mut members = field.to_str().ok()?.split(',');
    let value = members.find_map(|member| member.trim().strip_prefix("sha-256="))?;
    let text = value.strip_prefix(':')?.strip_suffix(':')?;
    let bytes = STANDARD.decode(text).ok()?;
    bytes.try_into().ok().map(Hash)
}

impl From<RoomError> for Trouble {
    fn from(error: RoomError) -> Self {
        let en = error.to_string();
        let not_now = |why: &str| {
            Self::new(StatusCode::CONFLICT)
                .saying(in_dutch(why), format!("Not now: {why}."))
                .coded("not-now", None)
        };
        match error {
            RoomError::NotFound => Self::not_found(),
            RoomError::NoSuchKind | RoomError::NoSuchCode => {
                Self::new(StatusCode::NOT_FOUND).saying(
                    "Deze code is niet in gebruik, of niet meer. Vraag wie u uitnodigde om een nieuwe.",
                    "This code is not in use, or not any more. Ask whoever invited you for a new one.",
                )
            }
            RoomError::Full(what) => Self::new(StatusCode::CONFLICT)
                .saying(
                    format!("Er kan er niet nog een bij ({}).", full_in_dutch(what)),
                    format!("There is no room for more {what}."),
                )
                .coded("full", None),
            RoomError::NotNow(why) => not_now(why),
            RoomError::HostOnly => Self::new(StatusCode::FORBIDDEN).saying(
                "Dit kan alleen degene die het gesprek begon.",
                "Only who started the talk can do this.",
            ),
            RoomError::Codec => Self::new(StatusCode::UNPROCESSABLE_ENTITY).saying(
                "Een apparaat stuurt opus/48000/2 als 111, of L16/48000 als 112.",
                "A device sends opus/48000/2 as 111, or L16/48000 as 112.",
            ),
            RoomError::Busy(_) | RoomError::Gone => {
                let mut trouble = Self::new(StatusCode::SERVICE_UNAVAILABLE).retry_after(2);
                trouble.cause = Some(en);
                trouble
            }
            RoomError::Archive(error) => error.into(),
        }
    }
}

/// Why something is not possible now. The words are those of the registry of talks.
fn in_dutch(why: &str) -> String {
    let nl = match why {
        "the talk is over" => "het gesprek is afgelopen",
        "you have left the talk" => "u bent weggegaan uit het gesprek",
        "there is nothing to pause" => "er valt niets te pauzeren",
        "that you record too was refused" => "dat u ook opneemt, is geweigerd",
        "on consent everybody has to sign" => {
            "dit berust op toestemming, dus iedereen die erbij was moet tekenen; het verslag is niet bewaard"
        }
        "there are no minutes yet" => "er is nog geen verslag",
        "the minutes are kept already" => "het verslag is al bewaard",
        "somebody wrote another version meanwhile" => "iemand schreef intussen een andere versie",
        "minutes have some text, 64 kB at most" => "een verslag heeft tekst, hoogstens 64 kB",
        "a remark has some text, 2,000 bytes at most" => {
            "een opmerking heeft tekst, hoogstens 2.000 tekens"
        }
        "nobody has signed the minutes" => "niemand heeft het verslag ondertekend",
        "nobody asks to record too" => "niemand vraagt om ook op te nemen",
        "it is not paused" => "het is niet gepauzeerd",
        "the law does not permit it any more" => "het mag volgens de wet niet meer",
        "the talk can be started once everybody chose and the law permits it" => {
            "beginnen kan als iedereen gekozen heeft en het volgens de wet mag"
        }
        _ => "opnemen kan alleen wie in het gesprek is, terwijl het wordt opgenomen",
    };
    format!("Dit kan nu niet: {nl}.")
}

fn full_in_dutch(what: &str) -> &'static str {
    match what {
        "talks" => "gesprekken",
        "participants" => "deelnemers",
        "pauses" => "pauzes",
        "changes of mind" => "andere keuzes",
        _ => "apparaten die opnemen",
    }
}

impl From<ChunkRefused> for Trouble {
    fn from(refused: ChunkRefused) -> Self {
        let en = format!("{refused}.");
        let (status, code, next, nl) = match refused {
            ChunkRefused::NotFound => return Self::not_found(),
            ChunkRefused::Digest => (
                StatusCode::BAD_REQUEST,
                "digest-mismatch",
                None,
                "Content-Digest is niet die van de inhoud.".to_owned(),
            ),
            ChunkRefused::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "chunk-too-large",
                None,
                format!("Een stuk heeft hoogstens {CHUNK_BYTES_MAX} bytes."),
            ),
            ChunkRefused::Differs { next } => (
                StatusCode::CONFLICT,
                "chunk-differs",
                Some(next),
                "Dit stuk is al bevestigd, en was een ander.".to_owned(),
            ),
            ChunkRefused::OutOfTurn { next } => (
                StatusCode::CONFLICT,
                "chunk-out-of-turn",
                Some(next),
                format!("Eerst komt stuk {next}."),
            ),
            ChunkRefused::Malformed { next, .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "chunk-malformed",
                Some(next),
                "Dit stuk heeft niet de vorm die het moet hebben.".to_owned(),
            ),
            ChunkRefused::Ended { next } => (
                StatusCode::GONE,
                "track-ended",
                Some(next),
                "Dit spoor is afgesloten.".to_owned(),
            ),
            ChunkRefused::Busy { next, .. } => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE)
                    .saying(
                        "Dit kan nu niet worden bewaard. Bewaar het zelf en probeer het zo opnieuw.",
                        "This cannot be kept now. Keep it and try again in a moment.",
                    )
                    .coded("busy", Some(next))
                    .retry_after(2);
            }
        };
        Self::new(status).saying(nl, en).coded(code, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_digest_is_read_as_rfc_9530_writes_it() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-digest", HeaderValue::from_str(text).unwrap());
            digest_in(&headers)
        };
        let right = format!("sha-256=:{}:", STANDARD.encode([7; 32]));
        assert_eq!(of(&right), Some(Hash([7; 32])));
        assert_eq!(of(&format!("sha-512=:AAAA:, {right}")), Some(Hash([7; 32])));
        for wrong in [
            "",
            "sha-256=",
            "sha-256=::",
            "sha-256=:AAAA:",
            "sha-256=AAAA",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
