//! The unsigned vCon, made from the documents of a bundle.

use super::basis::{self, Basis};
use super::dialogs::{Bodies, Dialogs};
use super::jws::VconError;
use super::parties::{ARCHIVE, Parties, put_list};
use super::standalone::Profile;
use super::uuid::Named;
use crate::bundle::StreamSound;
use crate::canonical::{CanonicalError, canonical_json, canonical_json_with_micros};
use crate::part::{Scope, SoundInstead};
use crate::timeline::Timeline;
use serde_json::{Map, Value, json};
use voicelog_model::{RecordingId, Timestamp};

/// Syntax of the draft that is written.
const SYNTAX: &str = "0.4.0";
const REDACTION_MAP: &str = "redaction_map";
const JSON: &str = "application/json";

/// What a vCon is made from.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    pub(crate) recording: RecordingId,
    /// Name of the archive: that of its key.
    pub(crate) archive: &'a str,
    pub(crate) timeline: &'a Timeline,
    /// The decision under which it began.
    pub(crate) decision: &'a Value,
    /// Of a copy of a part.
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) basis: Option<&'a Basis>,
    /// The sound of each stream that has any, by number.
    pub(crate) sounds: Vec<StreamSound<'a>>,
    /// When the recording came into the log.
    pub(crate) logged: Timestamp,
    /// When the bundle was made.
    pub(crate) made: Timestamp,
    pub(crate) profile: Profile,
    pub(crate) bodies: Bodies,
}

/// An unsigned vCon, and its uuid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) uuid: String,
}

/// Makes it. The same source gives the same bytes.
pub(crate) fn payload(source: &Source<'_>) -> Result<Payload, VconError> {
    let whole = Named {
        recording: source.recording,
        archive: source.archive,
        is_compatible: source.profile == Profile::Compat,
    };
    let parties = Parties::of(source.timeline);
    let dialogs = Dialogs::of(source, &parties);
    if source.profile == Profile::Compat && dialogs.values.is_empty() {
        return Err(VconError::NoSound);
    }
    let mut vcon = Map::new();
    let uuid = match source.scope {
        None => whole.whole(),
        Some(scope) => {
            let redacted = json!({ "uuid": whole.whole().to_string(), "type": "audio" });
            vcon.insert("redacted".to_owned(), redacted);
            let scope = canonical_json(scope).map_err(VconError::Form)?;
            whole.part(&scope, source.made)
        }
    };
    let uuid = uuid.to_string();
    let created = source.scope.map_or(source.logged, |_part| source.made);
    let basis = source.basis.map(|_there| json!(basis::PURPOSE));
    let map = source.scope.map(|_part| json!(REDACTION_MAP));
    put_list(
        &mut vcon,
        "extensions",
        basis.into_iter().chain(map).collect(),
    );
    for (name, value) in [
        ("vcon", json!(SYNTAX)),
        ("uuid", json!(uuid)),
        ("created_at", json!(created)),
        ("updated_at", json!(source.made)),
        ("parties", parties.value(source.archive)),
        ("attachments", Value::Array(attachments(source, &dialogs)?)),
        ("dialog", Value::Array(dialogs.values)),
    ] {
        vcon.insert(name.to_owned(), value);
    }
    let bytes = canonical_json_with_micros(&Value::Object(vcon)).map_err(VconError::Form)?;
    Ok(Payload { bytes, uuid })
}

fn attachments(source: &Source<'_>, dialogs: &Dialogs) -> Result<Vec<Value>, VconError> {
    let shape = |error| VconError::Form(CanonicalError::Shape(error));
    let started = source.timeline.call_started;
    let mut attachments = Vec::new();
    if let Some(basis) = source.basis {
        let body = basis.body(started).map_err(shape)?;
        let mut basis = attachment(basis::PURPOSE, started, None, body);
        // Readers of before -02 look for it under this name.
        if let Some(members) = basis.as_object_mut() {
            members.insert("type".to_owned(), json!(basis::PURPOSE));
        }
        attachments.push(basis);
    }
    let timeline = serde_json::to_value(source.timeline).map_err(shape)?;
    let ended = source.timeline.call_ended;
    attachments.push(attachment(
        "timeline",
        ended,
        Some("timeline.json"),
        timeline,
    ));
    let decision = source.decision.clone();
    attachments.push(attachment(
        "decision",
        started,
        Some("decision.json"),
        decision,
    ));
    if let Some(scope) = source.scope {
        let map = redaction_map(scope, dialogs);
        attachments.push(attachment(REDACTION_MAP, source.made, None, map));
    }
    Ok(attachments)
}

/// With all that the drafts -03 and -04 want of one.
fn attachment(purpose: &str, start: Timestamp, filename: Option<&str>, body: Value) -> Value {
    let mut attachment = Map::new();
    for (name, value) in [
        ("purpose", json!(purpose)),
        ("start", json!(start)),
        ("party", json!(ARCHIVE)),
        // The call; in the profile for today's readers, its first recording.
        ("dialog", json!(0)),
        ("mediatype", json!(JSON)),
        ("encoding", json!("json")),
        ("body", body),
    ] {
        attachment.insert(name.to_owned(), value);
    }
    if let Some(filename) = filename {
        attachment.insert("filename".to_owned(), json!(filename));
    }
    Value::Object(attachment)
}

/// What is not heard in a copy of a part, where, and why.
fn redaction_map(scope: &Scope, dialogs: &Dialogs) -> Value {
    let passages = scope.streams.iter().flat_map(|stream| {
        let dialog = dialogs.place(stream.number);
        stream.left_out.iter().map(move |left_out| {
            json!({
                "stream": stream.number,
                "dialog": dialog,
                "start_us": left_out.start_us,
                "end_us": left_out.end_us,
                "is_outside": left_out.is_outside,
                "redactions": left_out.redactions,
            })
        })
    });
    let redactions = scope.redactions.iter().map(|redaction| {
        let method = match redaction.sound {
            SoundInstead::Tone => "tone",
            SoundInstead::Silence => "silence",
        };
        json!({
            "streams": redaction.streams,
            "start_us": redaction.start_us,
            "end_us": redaction.end_us,
            "reason": redaction.reason,
            "legal_ground": redaction.legal_ground,
            "decided_by": redaction.decided_by,
            "method": method,
        })
    });
    json!({
        "excerpt": scope.excerpt,
        "redactions": redactions.collect::<Vec<_>>(),
        "passages": passages.collect::<Vec<_>>(),
    })
}
