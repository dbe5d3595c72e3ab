//! A file as packets of a journal: the next bytes of it in each, one after the other over the length of its sound.
//!
//! Format: `design/evidence-format.md`, "Imported file".

use crate::ArchiveError;
use voicelog_evidence::Digest;
use voicelog_model::{Codec, MediaStream, StreamNumber, Timestamp};
use voicelog_soundfile::{Kind, SoundFileError};

/// Units of time in a second, of the numbers in a packet.
pub(crate) const RATE: u32 = 48_000;
/// Bytes of the file in one packet at most.
const PAYLOAD_BYTES_MAX: u64 = 1_400;
/// How long a packet lasts at most: 150 ms. Beyond 200 ms the next one would not tell how long.
const TICKS_MAX: u64 = 7_200;
/// What names the packets of the stream (RFC 3551: a dynamic payload type), and its source.
const PAYLOAD_TYPE: u8 = 96;
const SOURCE: [u8; 4] = *b"file";
/// The one stream of an imported file.
pub(crate) const STREAM: StreamNumber = StreamNumber(1);

/// A header of RTP (RFC 3550 §5.1) without anything optional.
pub(super) const HEADER_BYTES: usize = 12;

/// How a file is cut into packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slices {
    bytes: u64,
    length_us: u64,
    ticks: u64,
    count: u64,
}

/// One packet of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// Where its bytes begin and end in the file.
    pub(super) start: u64,
    pub(super) end: u64,
    /// When its last moment is, after the start of the sound.
    pub(super) arrived_us: i64,
    pub(super) header: [u8; HEADER_BYTES],
}

impl Slices {
    /// Of a file so large, whose sound is so long.
    ///
    /// Errors: it cannot hold that much sound, or lasts no time for so many bytes.
    pub(super) fn new(bytes: u64, length_us: u64) -> Result<Self, ArchiveError> {
        let ticks = length_us
            .saturating_mul(u64::from(RATE))
            .div_ceil(1_000_000);
        // A packet by itself does not tell how long it lasts; two do.
        let least = bytes.div_ceil(PAYLOAD_BYTES_MAX).max(2);
        let count = least.max(ticks.div_ceil(TICKS_MAX));
        if count > bytes {
            let seconds = length_us / 1_000_000;
            return Err(SoundFileError::TooFewBytes { seconds, bytes }.into());
        }
        if count > ticks {
            return Err(SoundFileError::NoSound.into());
        }
        Ok(Self {
            bytes,
            length_us,
            ticks,
            count,
        })
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Slice> {
        (0..self.count).map(move |number| self.slice(number))
    }

    fn slice(self, number: u64) -> Slice {
        // Below 2^30 bytes, and 2^33 ticks.
        let of = |whole: u64, number: u64| {
            let part = (u128::from(whole) * u128::from(number)).div_ceil(u128::from(self.count));
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        // Rounded up, so that no packet lasts longer than the one before the last: that is how long the last counts.
        let [.., t0, t1, t2, t3] = of(self.ticks, number).to_be_bytes();
        let [.., s0, s1] = number.to_be_bytes();
        let [a, b, c, d] = SOURCE;
        let end_ticks = of(self.ticks, number + 1);
        let arrived_us = (end_ticks * 1_000_000 / u64::from(RATE)).min(self.length_us);
        Slice {
            start: of(self.bytes, number),
            end: of(self.bytes, number + 1),
            arrived_us: i64::try_from(arrived_us).unwrap_or(i64::MAX),
            header: [0x80, PAYLOAD_TYPE, s0, s1, t0, t1, t2, t3, a, b, c, d],
        }
    }
}

/// What is announced of the file: enough for a stranger to put it together again and to know what it is.
pub(super) fn stream(kind: Kind, byte_len: u64, sha256: Digest) -> Option<MediaStream> {
    let codec = Codec::read(&format!("{PREFIX}{}/{RATE}", kind.word()))?;
    let parameters = format!(
        "type={};size={byte_len};sha256={}",
        kind.media_type(),
        sha256.to_hex()
    );
    Some(MediaStream {
        number: STREAM,
        label: None,
        codec,
        payload_type: PAYLOAD_TYPE,
        parameters: Some(parameters),
        also: Vec::new(),
        party: None,
    })
}

/// What the names of these codecs begin with.
const PREFIX: &str = "file-";

/// What a stream says of the file that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSaid {
    pub(crate) kind: Kind,
    pub(crate) byte_len: u64,
    pub(crate) sha256: Digest,
}

impl FileSaid {
    /// None where the stream is of something else.
    pub(crate) fn of(codec: &Codec, parameters: Option<&str>) -> Option<Self> {
        let kind = Kind::of_word(codec.name().strip_prefix(PREFIX)?)?;
        let value = |name: &str| {
            let pairs = parameters?
                .split(';')
                .filter_map(|pair| pair.split_once('='));
            pairs
                .into_iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        Some(Self {
            kind,
            byte_len: value("size")?.parse().ok()?,
            sha256: Digest::from_hex(value("sha256")?).ok()?,
        })
    }
}

/// When a moment of the sound is.
pub(super) fn moment(start: Timestamp, after_us: i64) -> Timestamp {
    start.plus_micros(after_us)
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_evidence::digest::sha256;

    #[test]
    fn the_packets_put_together_are_the_file_and_lie_side_by_side_in_time() {
        for (bytes, length_us) in [
            (57_600_044, 3_600_000_000),
            (14_000_000, 3_600_000_000),
            (40_000, 60_000_000),
            (3_000, 1_000),
            (2, 150_000),
        ] {
            let slices = Slices::new(bytes, length_us).unwrap();
            let (mut at, mut before, mut sequence) = (0, 0, 0_u16);
            let mut last_tick = None;
            for slice in slices.iter() {
                assert_eq!(slice.start, at);
                assert!(slice.end > at && slice.end - at <= PAYLOAD_BYTES_MAX);
                assert!(slice.arrived_us > before || before == 0);
                let [_, _, s0, s1, t0, t1, t2, t3, ..] = slice.header;
                assert_eq!(u16::from_be_bytes([s0, s1]), sequence);
                let tick = u64::from(u32::from_be_bytes([t0, t1, t2, t3]));
                let lasts = tick - last_tick.unwrap_or(tick - u64::from(tick > 0));
                assert!(
                    last_tick.is_none() || (1..=9_600).contains(&lasts),
                    "{lasts}"
                );
                (at, before, last_tick) = (slice.end, slice.arrived_us, Some(tick));
                sequence = sequence.wrapping_add(1);
            }
            assert_eq!(at, bytes);
            let end = i64::try_from(length_us).unwrap();
            assert_eq!(before, end);
        }
    }

    #[test]
    fn more_sound_than_the_bytes_can_hold_is_no_file() {
        assert!(Slices::new(100, 3_600_000_000).is_err());
        assert!(
            Slices::new(100_000_000, 100).is_err(),
            "and the other way round"
        );
        assert!(Slices::new(1, 1_000).is_err());
    }

    #[test]
    fn what_a_stream_says_of_its_file_is_read_back() {
        let digest = Digest(sha256(b"file"));
        for kind in Kind::ALL {
            let stream = stream(kind, 1_234, digest).unwrap();
            let said = FileSaid::of(&stream.codec, stream.parameters.as_deref());
            let wanted = FileSaid {
                kind,
                byte_len: 1_234,
                sha256: digest,
            };
            assert_eq!(said, Some(wanted));
        }
        assert_eq!(FileSaid::of(&Codec::Pcma, None), None);
    }
}
