//! The manifest: what one recording consists of. Its hash is what the log commits to.

use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::digest::Digest;
use crate::timeline::Verdict;
use serde::{Deserialize, Deserializer, Serialize};
use voicelog_model::{Codec, Format, Language, MediaStream, RecordingId, StreamNumber, Timestamp};

/// Version of the manifest format that is written.
pub const VERSION: u32 = 1;

/// How the original came to us, which decides how much its completeness can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Packets from a session recording client (RFC 7866).
    Phone,
    /// From a device in the room where people talked.
    Room,
    /// Taken over from a file that somebody else had.
    File,
}

impl Provenance {
    /// What it means, for people.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Phone => language.pick(
                "telefoon: elk pakket zoals het aankwam",
                "telephone: every packet as it arrived",
            ),
            Self::Room => language.pick(
                "ruimte: wat een apparaat in de ruimte opnam, zoals het aankwam",
                "room: what a device in the room recorded, as it arrived",
            ),
            Self::File => language.pick(
                "bestand: later overgenomen; wat er eerder mee gebeurde, is hier niet na te gaan",
                "file: taken over later; what happened to it before cannot be checked here",
            ),
        }
    }
}

/// What one recording consists of, as canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format: 1.
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// The recording.
    pub recording: RecordingId,
    /// How the original came to us.
    pub provenance: Provenance,
    /// Start of the timeline.
    pub call_started: Timestamp,
    /// End of the timeline.
    pub call_ended: Timestamp,
    /// Its streams, by number.
    pub streams: Vec<StreamEntry>,
    /// Its segments as stored, by number.
    pub segments: Vec<SegmentEntry>,
    /// Records in the journal: packets and events of all streams.
    pub record_count: u64,
    /// Hash of the file of events, `original/events.journal`.
    pub events_sha256: Digest,
    /// Hash of the timeline, canonical JSON.
    pub timeline_sha256: Digest,
    /// Hash of the decision under which the recording began, canonical JSON.
    pub decision_sha256: Digest,
    /// Hash of the rulebook that decided it.
    pub rulebook_hash: Digest,
    /// What the timeline's arithmetic says.
    pub verdict: Verdict,
    /// Program and version that wrote this.
    pub tool: String,
}

/// One stream of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamEntry {
    /// Number of the stream, from 1.
    pub number: StreamNumber,
    /// SDP label.
    pub label: Option<String>,
    /// Codec negotiated.
    pub codec: Codec,
    /// RTP payload type negotiated for it.
    pub payload_type: u8,
    /// As [`MediaStream::parameters`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// As [`MediaStream::also`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Format>,
    /// Pseudonym of the speaker.
    pub party: Option<String>,
    /// Root of the stream's tree.
    pub root: Digest,
    /// Leaves of the stream's tree.
    pub leaf_count: u64,
    /// RTP packets in the original.
    pub packets: u64,
    /// Bytes of their payload.
    pub payload_bytes: u64,
}

impl StreamEntry {
    /// The stream without what the recording says of it.
    #[must_use]
    pub fn media_stream(&self) -> MediaStream {
        MediaStream {
            number: self.number,
            label: self.label.clone(),
            codec: self.codec.clone(),
            payload_type: self.payload_type,
            parameters: self.parameters.clone(),
            also: self.also.clone(),
            party: self.party.clone(),
        }
    }
}

/// One segment as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentEntry {
    /// Number of the segment, from 1.
    pub number: u32,
    /// Bytes of its whole frames, header included.
    pub byte_len: u64,
    /// Hash of those bytes, which is the chain at their end.
    pub sha256: Digest,
}

impl Manifest {
    /// The bytes that are stored and hashed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical_json(self)
    }

    /// Reads a manifest; another version is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        from_canonical(bytes)
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    known_version(deserializer, VERSION)
}

/// Reads a version number and refuses every other than `known`.
pub(crate) fn known_version<'de, D: Deserializer<'de>>(
    deserializer: D,
    known: u32,
) -> Result<u32, D::Error> {
    let found = u32::deserialize(deserializer)?;
    if found == known {
        return Ok(found);
    }
    Err(serde::de::Error::custom(format_args!(
        "version {found} is not known to this program, which reads version {known}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let digest = Digest([7; 32]);
        Manifest {
            version: VERSION,
            recording: RecordingId::from_bytes([1; 16]),
            provenance: Provenance::Phone,
            call_started: Timestamp::from_micros(0),
            call_ended: Timestamp::from_micros(5_000_000),
            streams: vec![StreamEntry {
                number: StreamNumber(1),
                label: None,
                codec: Codec::Pcma,
                payload_type: 8,
                parameters: None,
                also: vec![],
                party: Some("p1".into()),
                root: digest,
                leaf_count: 50,
                packets: 250,
                payload_bytes: 40_000,
            }],
            segments: vec![SegmentEntry {
                number: 1,
                byte_len: 41_000,
                sha256: digest,
            }],
            record_count: 253,
            events_sha256: digest,
            timeline_sha256: digest,
            decision_sha256: digest,
            rulebook_hash: digest,
            verdict: Verdict::Whole,
            tool: "voicelog 0.1.0".into(),
        }
    }

    #[test]
    fn a_manifest_comes_back_from_its_bytes() {
        let bytes = sample().to_bytes().unwrap();
        assert_eq!(Manifest::from_bytes(&bytes).unwrap(), sample());
    }

    #[test]
    fn another_version_and_unknown_members_are_refused() {
        let text = String::from_utf8(sample().to_bytes().unwrap()).unwrap();
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"tool\":", "\"tokens\":1,\"tool\":"),
            ("\"provenance\":\"phone\"", "\"provenance\":\"moon\""),
            ("\"label\":null,", ""),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert!(Manifest::from_bytes(changed.as_bytes()).is_err(), "{to}");
        }
    }
}
