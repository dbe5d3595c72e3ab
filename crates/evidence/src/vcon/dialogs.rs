//! The call, and the sound of each stream.

use super::parties::{Parties, put_list};
use super::payload::Source;
use super::standalone::Profile;
use crate::audio::OGG_CHANNELS_AT;
use crate::bundle::StreamSound;
use crate::digest::sha512;
use crate::part::Window;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use voicelog_model::StreamNumber;

/// As the draft spells it, and every reader takes it.
const WAV: &str = "audio/x-wav";
const OGG: &str = "audio/ogg";
/// Where a WAV file says how many channels it has.
const CHANNELS_AT: std::ops::Range<usize> = 22..24;

/// Where the sound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// In files beside the vCon: it has their names and hashes.
    Beside,
    /// In it.
    Inline,
}

/// The dialogs, and of each stream that has sound the place of its own.
pub(super) struct Dialogs {
    pub(super) values: Vec<Value>,
    places: Vec<(StreamNumber, u64)>,
}

impl Dialogs {
    pub(super) fn of(source: &Source<'_>, parties: &Parties<'_>) -> Self {
        let first = u64::from(source.profile == Profile::Core);
        let places: Vec<_> = (first..)
            .zip(&source.sounds)
            .map(|(place, sound)| (sound.stream, place))
            .collect();
        let mut values = Vec::new();
        if source.profile == Profile::Core {
            values.push(set(source, parties, &places));
        }
        for sound in &source.sounds {
            values.push(recording(source, parties, sound));
        }
        Self { values, places }
    }

    pub(super) fn place(&self, stream: StreamNumber) -> Option<u64> {
        let found = self.places.iter().find(|(number, _)| *number == stream);
        found.map(|(_, place)| *place)
    }
}

/// The whole call, of which the recordings are parts.
fn set(source: &Source<'_>, parties: &Parties<'_>, places: &[(StreamNumber, u64)]) -> Value {
    let timeline = source.timeline;
    let recordings: Vec<u64> = places.iter().map(|(_, place)| *place).collect();
    let mut dialog = Map::new();
    dialog.insert("type".to_owned(), json!("recording-set"));
    dialog.insert("start".to_owned(), json!(timeline.call_started));
    dialog.insert("duration".to_owned(), seconds(timeline.length_us()));
    dialog.insert("recordings".to_owned(), json!(recordings));
    let people = parties.people().into_iter().map(Value::from).collect();
    put_list(&mut dialog, "parties", people);
    put_list(&mut dialog, "party_history", parties.history(timeline));
    Value::Object(dialog)
}

fn recording(source: &Source<'_>, parties: &Parties<'_>, sound: &StreamSound<'_>) -> Value {
    let timeline = source.timeline;
    let whole = Window {
        start_us: 0,
        end_us: timeline.length_us(),
    };
    let window = source
        .scope
        .and_then(|scope| scope.excerpt)
        .unwrap_or(whole);
    let start_us = i64::try_from(window.start_us).unwrap_or(i64::MAX);
    let length_us = window.end_us.saturating_sub(window.start_us);
    let mediatype = if sound.is_ogg { OGG } else { WAV };
    let mut dialog = Map::new();
    dialog.insert("type".to_owned(), json!("recording"));
    let start = timeline.call_started.plus_micros(start_us);
    dialog.insert("start".to_owned(), json!(start));
    dialog.insert("duration".to_owned(), seconds(length_us));
    dialog.insert("mediatype".to_owned(), json!(mediatype));
    dialog.insert("filename".to_owned(), json!(sound.name));
    let stream = timeline
        .streams
        .iter()
        .find(|stream| stream.stream.number == sound.stream);
    let heard = stream.map_or_else(Vec::new, |stream| parties.heard_in(stream, timeline));
    let channels = match source.profile {
        Profile::Core => by_channel(&heard, channels(sound)),
        Profile::Compat => heard.into_iter().map(Value::from).collect(),
    };
    put_list(&mut dialog, "parties", channels);
    if source.profile == Profile::Core {
        dialog.insert("recording_set".to_owned(), json!(0));
    }
    match source.bodies {
        Bodies::Beside => {
            let hash = URL_SAFE_NO_PAD.encode(sound.sha512.unwrap_or_else(|| sha512(sound.bytes)));
            dialog.insert("content_hash".to_owned(), json!(format!("sha512-{hash}")));
        }
        Bodies::Inline => {
            dialog.insert(
                "body".to_owned(),
                json!(URL_SAFE_NO_PAD.encode(sound.bytes)),
            );
            dialog.insert("encoding".to_owned(), json!("base64url"));
        }
    }
    Value::Object(dialog)
}

/// The draft wants a list as long as there are channels; of one channel, all who are in the mix.
fn by_channel(heard: &[u64], channels: u16) -> Vec<Value> {
    match (heard, channels) {
        ([], _) => Vec::new(),
        (_, 0..=1) => heard.iter().copied().map(Value::from).collect(),
        ([one], _) => (0..channels).map(|_| json!(one)).collect(),
        _ => (0..channels).map(|_| json!(heard)).collect(),
    }
}

fn channels(sound: &StreamSound<'_>) -> u16 {
    if sound.is_ogg {
        return sound
            .bytes
            .get(OGG_CHANNELS_AT)
            .map_or(1, |count| (*count).into());
    }
    let bytes = sound
        .bytes
        .get(CHANNELS_AT)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(1, u16::from_le_bytes)
}

/// Microseconds as seconds, without a number that could be rounded on the way.
fn seconds(micros: u64) -> Value {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if rest == 0 {
        return json!(whole);
    }
    let text = format!("{whole}.{rest:06}");
    text.parse::<f64>().map_or(Value::Null, Value::from)
}
