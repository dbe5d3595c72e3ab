//! The offer that we make where the client makes none (RFC 3261 §13.2.1).

use super::{Direction, MediaLine, format};
use voicelog_model::{Codec, Format};

/// What we would take, the preferred first: what can be heard, then what is kept and not heard, then
/// what comes beside the sound.
const FORMATS: [(u8, &str); 8] = [
    (8, "PCMA"),
    (0, "PCMU"),
    (9, "G722"),
    (96, "opus/48000/2"),
    (18, "G729"),
    (3, "GSM"),
    (13, "CN"),
    (101, "telephone-event"),
];

/// Lines of sound with these labels, as though the client had offered to send them.
pub(crate) fn proposed(labels: Vec<Option<String>>) -> Vec<MediaLine> {
    let formats = FORMATS.iter().filter_map(|(payload_type, encoding)| {
        Some(Format {
            codec: Codec::read(encoding)?,
            payload_type: *payload_type,
            parameters: None,
        })
    });
    let usable: Vec<_> = formats.collect();
    let line = |label| MediaLine {
        media: "audio".to_owned(),
        protocol: "RTP/AVP".to_owned(),
        formats: format::numbers(&usable),
        // Not known yet, and not refused.
        port: 9,
        label,
        direction: Direction::SendOnly,
        is_held: false,
        has_rtcp_mux: false,
        remote: None,
        usable: usable.clone(),
        crypto: None,
        key_fault: None,
        refused: None,
    };
    labels.into_iter().map(line).collect()
}
