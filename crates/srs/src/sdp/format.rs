//! The payload types of a line: what each stands for, and which we answer (RFC 3551, RFC 3264 §6).

use voicelog_model::{Codec, Format};

/// Payload types of one line that are taken; real offers have a dozen.
const FORMATS_MAX: usize = 32;
/// Longest `a=fmtp` that is kept, in bytes.
const PARAMETERS_BYTES_MAX: usize = 256;
/// What we say of Opus: both channels and the repeated frames are of use to us (RFC 7587 §6.1).
/// What the client says there is what it can play itself, and would bind us to nothing.
const OPUS_PARAMETERS: &str = "stereo=1;useinbandfec=1";

/// What may come on a line of sound: what can be played, other sound, then comfort noise and key
/// presses, each in the client's order. Nothing where there is no sound.
pub(super) fn usable(media: &sdp_types::Media) -> Vec<Format> {
    let types = || {
        let words = media.fmt.split_ascii_whitespace();
        words.filter_map(|word| word.parse().ok())
    };
    let mut formats = collect(types().filter_map(|number| format(media, number)));
    if !formats.iter().any(|format| format.codec.is_audio()) {
        // Kept, though nobody says what it is: that can still be found out, the call not repeated.
        let is_alone = types().nth(1).is_none();
        let unnamed = types().filter(|number| !has_name(media, *number));
        let unnamed = unnamed.filter(|number| is_alone || !is_like_keys(media, *number));
        let unnamed = unnamed.map(|payload_type| Format {
            codec: Codec::unnamed(),
            payload_type,
            parameters: parameters(media, payload_type),
        });
        formats = collect(formats.into_iter().chain(unnamed));
    }
    if !formats.iter().any(|format| format.codec.is_audio()) {
        return Vec::new();
    }
    // A stable sort: within each kind the client's order stays.
    formats.sort_by_key(|format| (!format.codec.is_audio(), !format.codec.is_playable()));
    formats
}

/// Each payload type once, as many as are taken.
fn collect(all: impl Iterator<Item = Format>) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for format in all {
        let is_new = formats
            .iter()
            .all(|known| known.payload_type != format.payload_type);
        if is_new && formats.len() < FORMATS_MAX {
            formats.push(format);
        }
    }
    formats
}

/// Whether something says what a payload type is. Those that would look like RTCP (RFC 5761 §4) are
/// never sound.
fn has_name(media: &sdp_types::Media, payload_type: u8) -> bool {
    payload_type > 127 || (64..=95).contains(&payload_type) || format(media, payload_type).is_some()
}

/// Whether a payload type without a name is rather one of key presses: what is taken for sound is kept,
/// and which keys were pressed must not be. Almost every telephone has 101 for them, and their events
/// are listed from 0 on (RFC 4733 §2.4.1).
fn is_like_keys(media: &sdp_types::Media, payload_type: u8) -> bool {
    let events = parameters(media, payload_type);
    payload_type == 101 || events.is_some_and(|events| events.starts_with("0-"))
}

/// What `a=rtpmap` and `a=fmtp` say of a payload type; without a mapping, RFC 3551 §6. `None` for
/// a type that nothing maps, or by no name that can be read.
fn format(media: &sdp_types::Media, payload_type: u8) -> Option<Format> {
    if payload_type > 127 {
        return None;
    }
    let codec = match of_payload_type(media, "rtpmap", payload_type) {
        Some(encoding) => Codec::read(encoding)?,
        None => Codec::of_static(payload_type)?,
    };
    Some(Format {
        codec,
        payload_type,
        parameters: parameters(media, payload_type),
    })
}

fn parameters(media: &sdp_types::Media, payload_type: u8) -> Option<String> {
    of_payload_type(media, "fmtp", payload_type)
        .filter(|text| !text.is_empty() && text.len() <= PARAMETERS_BYTES_MAX)
        .map(str::to_owned)
}

/// The value of an attribute whose first word is that payload type, without that word.
fn of_payload_type<'a>(
    media: &'a sdp_types::Media,
    name: &str,
    payload_type: u8,
) -> Option<&'a str> {
    media
        .attributes
        .iter()
        .filter(|attribute| attribute.attribute == name)
        .filter_map(|attribute| attribute.value.as_deref()?.trim().split_once([' ', '\t']))
        .find(|(number, _)| number.parse() == Ok(payload_type))
        .map(|(_, rest)| rest.trim())
}

/// The formats of `known` that the client offers again, in the order of its offer.
pub(super) fn common(known: &[Format], offered: &[Format]) -> Vec<Format> {
    let is_known = |format: &&Format| {
        known
            .iter()
            .any(|known| (known.payload_type, &known.codec) == (format.payload_type, &format.codec))
    };
    offered.iter().filter(is_known).cloned().collect()
}

/// What our `a=fmtp` says of a format: the client's own words, by which its packets are built.
pub(super) fn answered_parameters(format: &Format) -> Option<&str> {
    match format.codec {
        Codec::Opus => Some(OPUS_PARAMETERS),
        _ => format.parameters.as_deref(),
    }
}

/// The payload types as an `m=` line lists them.
pub(super) fn numbers(formats: &[Format]) -> String {
    let numbers: Vec<_> = formats
        .iter()
        .map(|format| format.payload_type.to_string())
        .collect();
    numbers.join(" ")
}
