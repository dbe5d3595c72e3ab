//! Listening to a recording that was opened under a permit: the page and the sound.

use crate::app::Shared;
use crate::frame::html;
use crate::pages::{recording_id, who};
use crate::playing::{Opened, OpenedBy};
use crate::range::{self, Part};
use crate::secret::Token;
use crate::sounding::Sounding;
use crate::trouble::Trouble;
use crate::view::player::{PartyView, PlayerPage};
use crate::view::timeline;
use crate::view::when::{When, length};
use crate::visitor::{self, Visitor};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::ops::Range;
use std::sync::Arc;
use voicelog_archive::{State as RecordingState, StreamSpans, describe_span};
use voicelog_model::{Language, RecordingId};

/// Spans of sound that are told on the page at most.
const SPANS_MAX: usize = 400;

/// The opened recording, if this visitor opened it, it is still open, and it still exists.
async fn opened(
    desk: &Shared,
    visitor: &Visitor,
    id: RecordingId,
    token: &str,
) -> Result<Option<(OpenedBy, Arc<Opened>)>, Trouble> {
    let login = who(visitor)?.login;
    let Some(token_hash) = Token::parse(token).map(|token| token.hash()) else {
        return Ok(None);
    };
    let by = OpenedBy {
        token_hash,
        login,
        id,
    };
    let Some(opened) = desk.playing.find(&by, desk.now()) else {
        return Ok(None);
    };
    // Another process may have destroyed it.
    let summary = desk.ask(move |archive, _now| archive.summary(id)).await?;
    if summary.state == RecordingState::Sealed {
        return Ok(Some((by, opened)));
    }
    desk.playing.close_recording(id);
    Ok(None)
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path((id, token)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let Some((_by, opened)) = opened(&desk, &visitor, id, &token).await? else {
        // Closed after a while: the reason has to be given again.
        return Ok(Redirect::to(&format!("/recordings/{id}/listen")).into_response());
    };
    let lang = visitor.lang;
    let call = &opened.sound.timeline;
    let (legend, streams) = timeline::view(call, lang);
    let view = PlayerPage {
        p: visitor.page(
            "recordings",
            lang.pick("Opname beluisteren", "Listen to the recording"),
        ),
        id: id.to_string(),
        started: When::new(call.call_started, lang),
        length: length(call.length_us()),
        sound: format!("/recordings/{id}/listen/{token}/audio.wav"),
        reason: opened.reason.clone(),
        parties: opened
            .sound
            .parties
            .iter()
            .map(|party| PartyView::new(party, lang))
            .collect(),
        spans: spans(&opened.sound.spans, lang),
        legend,
        streams,
    };
    html(StatusCode::OK, &view)
}

/// Where the sound is not simply what was sent, one line each.
fn spans(streams: &[StreamSpans], lang: Language) -> Vec<String> {
    let one = |stream: &StreamSpans, span| {
        let word = lang.pick("stroom", "stream");
        format!("{word} {}: {}", stream.number, describe_span(span, lang))
    };
    let all = streams
        .iter()
        .flat_map(|stream| stream.spans.iter().map(move |span| one(stream, span)));
    all.take(SPANS_MAX).collect()
}

pub(crate) async fn sound(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path((id, token)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let (by, opened) = opened(&desk, &visitor, id, &token)
        .await?
        .ok_or_else(Trouble::not_found)?;
    let total = opened.sound.byte_len();
    // There is no validator to compare with, so a conditional range is always the whole.
    let asked = if headers.contains_key(header::IF_RANGE) {
        None
    } else {
        visitor::field(&headers, header::RANGE)
    };
    Ok(sound_part(total, asked, |range| {
        Body::new(Sounding::new(desk, opened, by, range))
    }))
}

fn sound_part(
    total: usize,
    asked: Option<&str>,
    body: impl FnOnce(Range<usize>) -> Body,
) -> Response {
    let (status, body, range) = match range::part(asked, total) {
        Part::Whole => (StatusCode::OK, body(0..total), None),
        Part::Some(part) => {
            let (first, last) = (part.start, part.end.saturating_sub(1));
            let range = format!("bytes {first}-{last}/{total}");
            (StatusCode::PARTIAL_CONTENT, body(part), Some(range))
        }
        Part::Outside => {
            let range = format!("bytes */{total}");
            (
                StatusCode::RANGE_NOT_SATISFIABLE,
                Body::empty(),
                Some(range),
            )
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::ACCEPT_RANGES, "bytes"),
    ];
    let mut response = (status, headers, body).into_response();
    if let Some(value) = range.and_then(|range| range.parse().ok()) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(asked: Option<&str>) -> (u16, Option<String>, Option<String>) {
        let response = sound_part(10, asked, |_range| Body::empty());
        let field = |name| visitor::field(response.headers(), name).map(str::to_owned);
        (
            response.status().as_u16(),
            field(header::CONTENT_RANGE),
            field(header::ACCEPT_RANGES),
        )
    }

    #[test]
    fn a_part_says_which_part_it_is() {
        let bytes = Some("bytes".to_owned());
        assert_eq!(answer(None), (200, None, bytes.clone()));
        assert_eq!(
            answer(Some("bytes=2-4")),
            (206, Some("bytes 2-4/10".to_owned()), bytes.clone())
        );
        assert_eq!(
            answer(Some("bytes=-1")),
            (206, Some("bytes 9-9/10".to_owned()), bytes.clone())
        );
        assert_eq!(
            answer(Some("bytes=10-")),
            (416, Some("bytes */10".to_owned()), bytes)
        );
    }
}
