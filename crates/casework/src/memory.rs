//! What opening a whole recording costs in memory, about. Calls in progress run in the same
//! process: a recording that does not fit must be refused before it is read.

use voicelog_archive::timeline::StreamTimeline;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_model::{Codec, RecordingId};

/// What is made of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Sound to listen to.
    Sound,
    /// An evidence bundle.
    Bundle,
}

/// Bytes of memory for each stored byte: the records with what holds them (a packet of 20 ms has
/// 160 bytes of sound and about as many around it), and in a bundle the original as well.
const PER_STORED_BYTE: [u64; 2] = [3, 5];
/// Bytes of memory for each second of narrowband sound: samples (8,000 of 2 bytes), and the WAV file of
/// them; in a bundle the WAV file lies in the ZIP file as well.
const PER_STREAM_SECOND: [u64; 2] = [32_000, 48_000];

/// Bytes of memory that making this of a recording takes at its height, estimated from what is
/// stored, its length and its streams. 0 while it is not closed: then nothing is opened.
pub fn needed(archive: &Archive, id: RecordingId, made: Made) -> Result<u64, ArchiveError> {
    let Some(timeline) = archive.detail(id)?.timeline else {
        return Ok(0);
    };
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
    let [per_byte, per_second] = [PER_STORED_BYTE, PER_STREAM_SECOND].map(|of| match made {
        Made::Sound => of[0],
        Made::Bundle => of[1],
    });
    stored_bytes
        .saturating_mul(per_byte)
        .saturating_add(stream_seconds.saturating_mul(per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_two_streams_takes_some_hundred_megabytes_and_ten_hours_gigabytes() {
        // 50 packets of 172 bytes a second, and a few bytes around each.
        let hours = |hours: u64| (hours * 2 * 3_600 * 50 * 176, hours * 2 * 3_600);
        let (bytes, seconds) = hours(1);
        let sound = estimate(bytes, seconds, Made::Sound) >> 20;
        assert!((350..450).contains(&sound), "{sound} MiB");
        let (bytes, seconds) = hours(10);
        assert!(estimate(bytes, seconds, Made::Sound) > 3 << 30);
        assert!(estimate(bytes, seconds, Made::Bundle) > estimate(bytes, seconds, Made::Sound));
        assert_eq!(estimate(u64::MAX, 1, Made::Sound), u64::MAX);
    }
}
