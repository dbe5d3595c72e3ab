//! What a packet holds, as far as the time of its stream goes.

use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Codec, Format, MediaStream};

/// What a packet holds. Ticks are units of its codec's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Sound that lasts so long: at least one tick.
    Sound(u32),
    /// Sound whose payload does not tell how long it lasts.
    Untold,
    /// From here on there is silence (RFC 3389).
    ComfortNoise,
    /// A key that is being pressed (RFC 4733 §2.3).
    Key(Pressing),
    /// Nothing that has a place in time.
    Nothing,
}

/// How long a key is being pressed, counted from the packet's timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pressing {
    pub(crate) ticks: u32,
    pub(crate) has_ended: bool,
}

/// Static payload types that count without having been announced, as some clients send them.
const UNANNOUNCED: [u8; 3] = [8, 0, 13];

/// Everything that packets of a stream can be: of two formats of one payload type the later counts.
pub(crate) fn known_formats(stream: &MediaStream) -> Vec<Format> {
    let unannounced = UNANNOUNCED.into_iter().filter_map(|payload_type| {
        Some(Format {
            codec: Codec::of_static(payload_type)?,
            payload_type,
            parameters: None,
        })
    });
    unannounced.chain(stream.formats()).collect()
}

/// What a packet of that format holds.
pub(crate) fn content(packet: &RtpPacket<'_>, format: &Format) -> Content {
    let payload = packet.payload;
    match &format.codec {
        _ if payload.is_empty() => Content::Nothing,
        Codec::ComfortNoise { .. } => Content::ComfortNoise,
        Codec::TelephoneEvent { .. } => pressing(payload).map_or(Content::Nothing, Content::Key),
        _ => match ticks(format, payload) {
            Some(ticks @ 1..) => Content::Sound(ticks),
            _ => Content::Untold,
        },
    }
}

/// The event block: event, end bit and volume, duration (RFC 4733 §2.3).
pub(crate) fn pressing(payload: &[u8]) -> Option<Pressing> {
    let [_event, second, high, low, ..] = *payload else {
        return None;
    };
    Some(Pressing {
        ticks: u32::from(u16::from_be_bytes([high, low])),
        has_ended: second & 0x80 != 0,
    })
}

/// How long a payload of sound lasts, where it tells.
pub(crate) fn ticks(format: &Format, payload: &[u8]) -> Option<u32> {
    let len = u32::try_from(payload.len()).ok()?;
    match &format.codec {
        // One byte a tick; in G.722 that byte holds two samples.
        Codec::Pcma | Codec::Pcmu | Codec::G722 => Some(len),
        Codec::L16 { channels, .. } => whole(len, u32::from(*channels) * 2, 1),
        Codec::Gsm => whole(len, 33, 160),
        Codec::G729 => match len % 10 {
            0 => Some(len / 10 * 80),
            // A frame of two bytes describes silence (annex B) and ends the packet.
            2 => Some((len / 10 + 1) * 80),
            _ => None,
        },
        Codec::Ilbc => match format.parameter("mode") {
            Some("20") => whole(len, 38, 160),
            _ => whole(len, 50, 240),
        },
        Codec::Amr => Some(amr_frames(format, payload)? * 160),
        Codec::AmrWb => Some(amr_frames(format, payload)? * 320),
        Codec::Opus => opus_ticks(payload),
        Codec::ComfortNoise { .. } | Codec::TelephoneEvent { .. } | Codec::Other(_) => None,
    }
}

/// So many whole frames of `frame` bytes, each of `ticks`.
fn whole(len: u32, frame: u32, ticks: u32) -> Option<u32> {
    len.is_multiple_of(frame).then(|| len / frame * ticks)
}

/// Frames by the table of contents (RFC 4867 §4.3.2, §4.4.2). Not with interleaving, checksums or
/// sorting, which are laid out in another way and hardly used.
fn amr_frames(format: &Format, payload: &[u8]) -> Option<u32> {
    let is_set = |name| format.parameter(name).is_some_and(|value| value != "0");
    if ["interleaving", "crc", "robust-sorting"]
        .into_iter()
        .any(is_set)
    {
        return None;
    }
    // Behind a request of 4 bits: entries of 6 bits, whose first says that another one follows.
    // Octet-aligned, each of them is filled up to 8 bits.
    let (first, step) = if is_set("octet-align") {
        (8, 8)
    } else {
        (4, 6)
    };
    let bits = payload.len() * 8;
    let mut frames = 0;
    for at in (first..bits).step_by(step) {
        frames += 1;
        let follows = payload
            .get(at / 8)
            .is_some_and(|byte| byte << (at % 8) & 0x80 != 0);
        if !follows {
            return Some(frames);
        }
    }
    None
}

/// Length of one frame in ticks of 48 kHz, and of the packet (RFC 6716 §3.1, §3.2).
pub(crate) fn opus_ticks(payload: &[u8]) -> Option<u32> {
    const LONGEST: u32 = 5_760;
    let (first, rest) = payload.split_first()?;
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    let ticks = frames * opus_frame_ticks(*first);
    (1..=LONGEST).contains(&ticks).then_some(ticks)
}

/// Length of a frame by the first byte of its packet.
const fn opus_frame_ticks(first: u8) -> u32 {
    let config = first >> 3;
    match config {
        0..=11 => match config % 4 {
            0 => 480,
            1 => 960,
            2 => 1_920,
            _ => 2_880,
        },
        12..=15 => 480 << (config % 2),
        _ => 120 << (config % 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn format(encoding: &str, parameters: Option<&str>) -> Format {
        Format {
            codec: Codec::read(encoding).unwrap(),
            payload_type: 96,
            parameters: parameters.map(str::to_owned),
        }
    }

    fn ticks_of(encoding: &str, parameters: Option<&str>, payload: &[u8]) -> Option<u32> {
        ticks(&format(encoding, parameters), payload)
    }

    #[test]
    fn a_payload_of_frames_lasts_as_long_as_its_frames() {
        for (encoding, parameters, len, ticks) in [
            ("PCMU", None, 160, Some(160)),
            ("G722", None, 160, Some(160)),
            ("L16/44100/2", None, 1_764, Some(441)),
            ("L16/16000", None, 3, None),
            ("GSM", None, 66, Some(320)),
            ("GSM", None, 65, None),
            ("G729", None, 20, Some(160)),
            ("G729", None, 12, Some(160)),
            ("G729", None, 2, Some(80)),
            ("G729", None, 15, None),
            ("iLBC", Some("mode=20"), 76, Some(320)),
            ("iLBC", Some("mode=30"), 50, Some(240)),
            ("iLBC", None, 38, None),
            ("EVS/16000", None, 33, None),
        ] {
            assert_eq!(
                ticks_of(encoding, parameters, &vec![0; len]),
                ticks,
                "{encoding} {len}"
            );
        }
    }

    #[test]
    fn a_table_of_contents_says_how_many_amr_frames_there_are() {
        // Request 15, then one entry of type 7 with nothing behind it.
        assert_eq!(ticks_of("AMR", None, &[0xf3, 0xc0, 0]), Some(160));
        // Two entries of 6 bits: the first says that another follows.
        assert_eq!(ticks_of("AMR", None, &[0xfb, 0xcf, 0x00]), Some(320));
        let aligned = Some("octet-align=1");
        assert_eq!(
            ticks_of("AMR-WB/16000", aligned, &[0xf0, 0xc4, 0x44, 0]),
            Some(640)
        );
        assert_eq!(
            ticks_of("AMR", aligned, &[0xf0, 0xc4]),
            None,
            "the table is cut off"
        );
        assert_eq!(
            ticks_of("AMR", Some("octet-align=1;crc=1"), &[0xf0, 0x44]),
            None
        );
    }

    #[test]
    fn the_first_bytes_of_opus_say_how_long_it_lasts() {
        for (bytes, ticks) in [
            (&[0x80, 0][..], Some(120)),
            (&[0x98, 0], Some(960)),
            (&[0x08, 0], Some(960)),
            (&[0x18, 0], Some(2_880)),
            (&[0x19, 0], Some(5_760)),
            (&[0x7b, 6, 0], Some(5_760)),
            (&[0x7b, 7, 0], None),
            (&[0x7b, 0, 0], None),
            (&[0x7b], None),
            (&[], None),
        ] {
            assert_eq!(opus_ticks(bytes), ticks, "{bytes:?}");
        }
    }

    #[test]
    fn an_event_block_says_how_long_the_key_is_down() {
        let down = pressing(&[5, 0x0a, 0x01, 0x40]).unwrap();
        assert_eq!((down.ticks, down.has_ended), (320, false));
        assert!(pressing(&[5, 0x8a, 0x01, 0x40]).unwrap().has_ended);
        assert_eq!(pressing(&[5, 0x8a, 0x01]), None);
    }

    proptest! {
        #[test]
        fn no_payload_makes_it_panic(
            payload in proptest::collection::vec(any::<u8>(), 0..80),
            codec in 0..12_usize,
            aligned in any::<bool>(),
        ) {
            let encodings = ["PCMA", "PCMU", "G722", "L16/8000/2", "GSM", "G729", "iLBC", "AMR",
                "AMR-WB/16000", "opus/48000/2", "CN", "telephone-event"];
            let format = format(encodings[codec], aligned.then_some("octet-align=1"));
            let lasts = ticks(&format, &payload).unwrap_or(0);
            prop_assert!(lasts <= 600_000);
        }
    }
}
