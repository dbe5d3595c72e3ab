//! The payload types of a line: what each stands for, and which we answer (RFC 3551, RFC 3264 §6).

use voicelog_model::{Codec, Format};

/// Payload types of one line that are taken; real offers have a dozen.
const FORMATS_MAX: usize = 32;
/// Longest `a=fmtp` that is kept, in bytes.
const PARAMETERS_BYTES_MAX: usize = 256;
/// What we say of Opus: both channels and the repeated frames are of use to us (RFC 7587 §6.1).
/// What the client says there is what it can play itself, and would bind us to nothing.
const OPUS_PARAMETERS: &str = "stereo=1;useinbandfec=1";

/// What may come on a line: sound that can be played, other sound, then comfort noise and key
/// presses, each in the client's order. Nothing where there is no sound.
pub(super) fn usable(media: &sdp_types::Media) -> Vec<Format> {
    if media.port == 0 || !media.media.eq_ignore_ascii_case("audio") {
        return Vec::new();
    }
    let mut formats: Vec<Format> = Vec::new();
    for word in media.fmt.split_ascii_whitespace() {
        let Some(format) = word.parse().ok().and_then(|number| format(media, number)) else {
            continue;
        };
        let is_new = formats
            .iter()
            .all(|known| known.payload_type != format.payload_type);
        if is_new && formats.len() < FORMATS_MAX {
            formats.push(format);
        }
    }
    if !formats.iter().any(|format| format.codec.is_audio()) {
        return Vec::new();
    }
    // A stable sort: within each kind the client's order stays.
    formats.sort_by_key(|format| (!format.codec.is_audio(), !format.codec.is_playable()));
    formats
}

/// What `a=rtpmap` and `a=fmtp` say of a payload type; without a mapping, RFC 3551 §6. `None` for
/// a dynamic type that nothing maps: nobody could say what its packets are.
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
        parameters: of_payload_type(media, "fmtp", payload_type)
            .filter(|text| !text.is_empty() && text.len() <= PARAMETERS_BYTES_MAX)
            .map(str::to_owned),
    })
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
