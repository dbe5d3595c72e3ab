//! The bundle's own documents: the signed list of files, and what opens the commitment.

use crate::audio::{Span, StreamAudio};
use crate::digest::{Digest, hex, unhex};
use crate::original::EVENTS;
use crate::tlog::Leaf;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use voicelog_model::{RecordingId, StreamNumber, Timestamp};

/// First line of the signed list of files: what it is, and its version.
const NOTE_LINE: &str = "voicelog-bundle/v1";
const OPENING_VERSION: u32 = 1;
const SPANS_VERSION: u32 = 1;

/// Names of the files in a bundle.
pub(crate) mod file {
    pub(crate) const NOTE: &str = "bundle.note";
    pub(crate) const README: &str = "README.txt";
    pub(crate) const RECIPE: &str = "recipe.txt";
    pub(crate) const VERIFIER: &str = "verify.html";
    pub(crate) const POLICY: &str = "policy.txt";
    pub(crate) const STAMPED: &str = "timestamp.tlog-proof";
    pub(crate) const STAMP: &str = "timestamp.tsr";
    pub(crate) const STAMP_ANCHORS: &str = "timestamp.pem";
    /// Those that are there only where the archive has them.
    pub(crate) const OPTIONAL: [&str; 6] = [
        VERIFIER,
        COMPLETENESS_PAPER,
        POLICY,
        STAMPED,
        STAMP,
        STAMP_ANCHORS,
    ];
    pub(crate) const MANIFEST: &str = "manifest.json";
    pub(crate) const OPENING: &str = "opening.json";
    pub(crate) const SCOPE: &str = "scope.json";
    pub(crate) const COMPLETENESS: &str = "completeness.json";
    pub(crate) const COMPLETENESS_PAGE: &str = "completeness.html";
    pub(crate) const COMPLETENESS_PAPER: &str = "completeness.pdf";
    pub(crate) const VCON: &str = "vcon.json";
    pub(crate) const DECISION: &str = "decision.json";
    pub(crate) const TIMELINE: &str = "timeline.json";
    pub(crate) const PROOF: &str = "checkpoint.tlog-proof";
    pub(crate) const KEY: &str = "archive.vkey";
    pub(crate) const EVENTS: &str = "original/events.journal";
    pub(crate) const ALL_SOUND: &str = "audio/all.wav";
    pub(crate) const MIXED_SOUND: &str = "audio/mixed.wav";
    pub(crate) const SPANS: &str = "audio/spans.json";
}

/// Name of the original of a stream, or of the events.
pub(crate) fn original_of(stream: StreamNumber) -> String {
    if stream == EVENTS {
        file::EVENTS.to_owned()
    } else {
        format!("original/{stream}.journal")
    }
}

/// Name of the tree of a stream, in a copy of a part.
pub(crate) fn tree_of(stream: StreamNumber) -> String {
    format!("original/{stream}.tree")
}

/// Name of the sound of a stream.
pub(crate) fn sound_of(stream: StreamNumber) -> String {
    format!("audio/{stream}.wav")
}

/// Name of the sound of a stream whose packets players take as they are.
pub(crate) fn ogg_of(stream: StreamNumber) -> String {
    format!("audio/{stream}.opus")
}

/// The file with the sound of a stream, as a bundle has it.
#[derive(Debug, Clone)]
pub(crate) struct StreamSound<'a> {
    pub(crate) stream: StreamNumber,
    pub(crate) name: String,
    pub(crate) is_ogg: bool,
    pub(crate) bytes: &'a [u8],
    /// Of the bytes, where somebody knows it already.
    pub(crate) sha512: Option<[u8; 64]>,
}

impl<'a> StreamSound<'a> {
    /// The one of that stream, of the files that there are.
    pub(crate) fn find(
        stream: StreamNumber,
        get: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Option<Self> {
        [(sound_of(stream), false), (ogg_of(stream), true)]
            .into_iter()
            .find_map(|(name, is_ogg)| {
                let bytes = get(&name)?;
                Some(Self {
                    stream,
                    name,
                    is_ogg,
                    bytes,
                    sha512: None,
                })
            })
    }
}

/// The text that the archive signs: which files, with which hashes. The lines of the files are
/// those that `sha256sum` prints and checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleNote {
    /// The recording.
    pub recording: RecordingId,
    /// When the bundle was made.
    pub made: Timestamp,
    /// It holds a part of the recording: `copy part`, and else `copy whole`.
    pub is_part: bool,
    /// Name and hash of every other file, in the order of the container.
    pub files: Vec<(String, Digest)>,
}

impl fmt::Display for BundleNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{NOTE_LINE}\nrecording {}\nmade {}\ncopy {}\n",
            self.recording,
            self.made,
            if self.is_part { "part" } else { "whole" }
        )?;
        for (name, digest) in &self.files {
            writeln!(f, "{}  {name}", digest.to_hex())?;
        }
        Ok(())
    }
}

impl BundleNote {
    /// Reads the text: exactly what [`fmt::Display`] writes. `None` for anything else, also for
    /// another version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != NOTE_LINE {
            return None;
        }
        let recording = lines.next()?.strip_prefix("recording ")?.parse().ok()?;
        let made = lines.next()?.strip_prefix("made ")?.parse().ok()?;
        let is_part = match lines.next()? {
            "copy whole" => false,
            "copy part" => true,
            _ => return None,
        };
        let file = |line: &str| {
            let (digits, name) = line.split_once("  ")?;
            Some((name.to_owned(), Digest::from_hex(digits).ok()?))
        };
        let files = lines.map(file).collect::<Option<_>>()?;
        let note = Self {
            recording,
            made,
            is_part,
            files,
        };
        // A moment has other spellings than the one that is written.
        (note.to_string() == text).then_some(note)
    }
}

/// 32 secret bytes that a bundle shows: 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unhex(&text).ok_or_else(|| {
            serde::de::Error::custom("a salt is 64 lower-case hexadecimal digits")
        })?;
        Ok(Self(bytes))
    }
}

/// What opens the commitment in the log and the leaves of the trees: canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Version of the format: 1.
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// Salt of the commitment.
    pub commitment_salt: Salt,
    /// Salt from which the salts of tree leaves come; none in a copy of a part.
    pub tree_salt: Option<Salt>,
    /// The leaf as the log holds it.
    pub leaf: Leaf,
}

impl Opening {
    /// An opening of the present version.
    #[must_use]
    pub const fn new(commitment_salt: [u8; 32], tree_salt: Option<Salt>, leaf: Leaf) -> Self {
        Self {
            version: OPENING_VERSION,
            commitment_salt: Salt(commitment_salt),
            tree_salt,
            leaf,
        }
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, OPENING_VERSION)
}

/// Where the sound is not simply what was sent: canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoundSpans {
    /// Version of the format: 1.
    #[serde(deserialize_with = "spans_version")]
    pub version: u32,
    /// The streams that have any, by number.
    pub streams: Vec<StreamSpans>,
}

/// Spans of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSpans {
    /// The stream.
    pub number: StreamNumber,
    /// Whether there is sound of it at all.
    pub has_sound: bool,
    /// The spans, in order.
    pub spans: Vec<Span>,
}

impl SoundSpans {
    /// What a bundle tells; `None` if it tells nothing, or is no bundle.
    #[must_use]
    pub fn in_bundle(bundle: &[u8]) -> Option<Self> {
        let entries = crate::zip::read(bundle).ok()?;
        let (_, bytes) = entries.into_iter().find(|(name, _)| *name == file::SPANS)?;
        crate::canonical::from_canonical(bytes).ok()
    }

    /// What is to be told of these streams; `None` if all of it is simply what was sent.
    #[must_use]
    pub fn of(streams: &[StreamAudio]) -> Option<Self> {
        let told = streams.iter().filter(|stream| !stream.spans.is_empty());
        let streams: Vec<_> = told
            .map(|stream| StreamSpans {
                number: stream.stream,
                has_sound: !stream.channels.is_empty(),
                spans: stream.spans.clone(),
            })
            .collect();
        (!streams.is_empty()).then_some(Self {
            version: SPANS_VERSION,
            streams,
        })
    }
}

fn spans_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, SPANS_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_files_has_one_spelling() {
        let note = BundleNote {
            recording: RecordingId::from_bytes([1; 16]),
            made: Timestamp::from_micros(0),
            is_part: true,
            files: vec![
                ("README.txt".into(), Digest([0xab; 32])),
                ("a/b".into(), Digest([0; 32])),
            ],
        };
        let text = note.to_string();
        assert_eq!(BundleNote::parse(&text), Some(note));
        for (from, to) in [
            ("bundle/v1", "bundle/v2"),
            ("  README", " README"),
            ("00.000000Z", "00Z"),
            ("recording ", "recording  "),
            ("abab", "ABAB"),
            ("b\n", "b"),
            ("copy part", "copy"),
        ] {
            assert_ne!(text.replace(from, to), text);
            assert_eq!(
                BundleNote::parse(&text.replace(from, to)),
                None,
                "{from} to {to}"
            );
        }
    }
}
