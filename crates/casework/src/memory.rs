//! What opening a whole recording costs in memory, about. Calls in progress run in the same
//! process: a recording that does not fit must be refused before it is read.

use voicelog_archive::timeline::StreamTimeline;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_evidence::Provenance;
use voicelog_model::limits::SEGMENT_BYTES_MAX;
use voicelog_model::{Codec, RecordingId};

/// What is made of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Sound to listen to.
    Sound,
    /// An evidence bundle of the whole.
    Bundle,
    /// One of a part.
    Part,
}

/// Bytes of memory for each stored byte of a bundle: the records with what holds them (a packet of 20 ms has
/// 160 bytes of sound and about as many around it), and the original as well.
const PER_STORED_BYTE: u64 = 5;
/// Bytes of memory for each second of narrowband sound in a bundle: samples (8,000 of 2 bytes), the WAV file of
/// them, and the ZIP file that it lies in.
const PER_STREAM_SECOND: u64 = 48_000;
/// Stored bytes for each byte that is held of a recording that is listened to: the place of each packet. Of Opus, which is
/// stored in few bytes, it is the most.
const STORED_PER_PLACE_BYTE: u64 = 2;

/// Bytes of memory that making this of a recording takes at its height, estimated from what is
/// stored, its length and its streams. 0 while it is not closed: then nothing is opened.
pub fn needed(archive: &Archive, id: RecordingId, made: Made) -> Result<u64, ArchiveError> {
    let detail = archive.detail(id)?;
    let Some(timeline) = detail.timeline else {
        return Ok(0);
    };
    let provenance = detail.manifest.map(|manifest| manifest.provenance);
    let mut streams = timeline.streams.iter();
    let is_opus = streams.all(|stream| stream.codecs() == [Codec::Opus]);
    if made == Made::Bundle && provenance == Some(Provenance::Room) && is_opus {
        // Its packets as they came, and not decoded.
        return Ok(estimate(archive.trace(id)?.bytes, 0, made));
    }
    // Side by side, all stand at the rate of the widest.
    let widest = timeline.streams.iter().map(width).max().unwrap_or(1);
    let streams = u64::try_from(timeline.streams.len()).unwrap_or(u64::MAX);
    let stream_seconds = (timeline.length_us() / 1_000_000 + 1)
        .saturating_mul(streams)
        .saturating_mul(widest);
    Ok(estimate(archive.trace(id)?.bytes, stream_seconds, made))
}

/// How many times as many samples as narrowband a stream has, at most.
fn width(stream: &StreamTimeline) -> u64 {
    let of = |codec: &Codec| match codec {
        Codec::G722 => 2,
        Codec::Opus => 12,
        Codec::L16 { rate, channels } => u64::from(rate.div_ceil(8_000)) * u64::from(*channels),
        _ => 1,
    };
    stream.codecs().iter().map(of).max().unwrap_or(1)
}

fn estimate(stored_bytes: u64, stream_seconds: u64, made: Made) -> u64 {
    match made {
        // While it is opened, a segment at a time.
        Made::Sound => stored_bytes
            .min(2 * SEGMENT_BYTES_MAX)
            .saturating_add(stored_bytes / STORED_PER_PLACE_BYTE),
        Made::Bundle | Made::Part => stored_bytes
            .saturating_mul(PER_STORED_BYTE)
            .saturating_add(stream_seconds.saturating_mul(PER_STREAM_SECOND)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_takes_a_hundred_megabytes_to_listen_to_and_some_hundred_to_copy() {
        // 50 packets of 172 bytes a second, and a few bytes around each.
        let hours = |hours: u64| (hours * 2 * 3_600 * 50 * 176, hours * 2 * 3_600);
        let (bytes, seconds) = hours(1);
        let mebibytes = |made| estimate(bytes, seconds, made) >> 20;
        assert!((80..100).contains(&mebibytes(Made::Sound)));
        assert!((600..1_000).contains(&mebibytes(Made::Bundle)));
        let (bytes, seconds) = hours(10);
        assert!(estimate(bytes, seconds, Made::Sound) < 512 << 20);
        assert!(estimate(bytes, seconds, Made::Bundle) > 3 << 30);
        assert_eq!(estimate(u64::MAX, 1, Made::Bundle), u64::MAX);
    }
}
