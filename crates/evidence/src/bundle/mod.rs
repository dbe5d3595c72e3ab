//! The evidence bundle: one ZIP file with which a stranger can check a recording, offline.
//!
//! It holds the original, what was stated of it, the sound that people listen to, and the proof
//! that the archive committed to all of it at the time. Contents and order:
//! `design/evidence-format.md`, "Bundle". [`crate::verify()`] checks it.

mod contents;
mod readme;

pub use contents::{BundleNote, Opening, Salt, SoundSpans, StreamSpans};
pub(crate) use contents::{file, original_of, sound_of};

use crate::audio::{AudioError, StreamAudio, render, side_by_side, wav};
use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::checkpoint::TlogProof;
use crate::digest::{Digest, sha256};
use crate::journal::{Record, RecordRef};
use crate::manifest::Manifest;
use crate::note::{NoteError, SigningKey};
use crate::original::{self, EVENTS, OriginalError};
use crate::timeline::Timeline;
use crate::tlog::{Leaf, LeafKind, commitment};
use crate::zip::{self, ZipError};
use serde_json::Value;
use std::collections::BTreeMap;
use voicelog_model::{Kind, StreamNumber, Timestamp};

/// Most bytes of events in a bundle. A call has a few dozen events.
pub(crate) const EVENTS_BYTES_MAX: usize = 64 << 20;

/// What goes into a bundle.
#[derive(Debug, Clone, Copy)]
pub struct BundleInput<'a> {
    /// What the recording consists of.
    pub manifest: &'a Manifest,
    /// Its timeline.
    pub timeline: &'a Timeline,
    /// The decision that permitted it, canonical JSON.
    pub decision: &'a [u8],
    /// All records of its journal, in order.
    pub records: &'a [Record],
    /// [`crate::DataKey::commitment_salt`].
    pub commitment_salt: [u8; 32],
    /// [`crate::DataKey::tree_salt`].
    pub tree_salt: [u8; 32],
    /// The leaf of the log that commits to the manifest.
    pub leaf: &'a Leaf,
    /// The proof that it is in the log.
    pub proof: &'a TlogProof,
    /// When the bundle is made.
    pub made_at: Timestamp,
}

/// Why a bundle cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The journal has packets of streams that no event announced.
    #[error("the journal has packets of stream {0}, which is not announced")]
    StrayPackets(StreamNumber),
    /// A record cannot be framed.
    #[error("cannot write the original")]
    Original(#[source] OriginalError),
    /// The sound cannot be rendered or is too large.
    #[error("cannot render the sound")]
    Audio(#[source] AudioError),
    /// A document has no canonical form.
    #[error("cannot write a document of the bundle")]
    Document(#[source] CanonicalError),
    /// The list of files cannot be signed.
    #[error("cannot sign the bundle")]
    Note(#[source] NoteError),
    /// The container cannot be written.
    #[error("cannot write the container")]
    Zip(#[source] ZipError),
    /// More events than a reader takes.
    #[error("the journal has {0} bytes of events, and a bundle holds {EVENTS_BYTES_MAX} at most")]
    TooManyEvents(usize),
    /// Two documents of the recording say different things, so the bundle would not verify.
    #[error("{0} is not the one that belongs to the recording")]
    Disagree(&'static str),
}

impl BundleError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::StrayPackets(_) | Self::Disagree(_) => Kind::Corrupt,
            Self::TooManyEvents(_) => Kind::Exhausted,
            Self::Original(error) => error.kind(),
            Self::Audio(error) => error.kind(),
            Self::Document(error) => error.kind(),
            Self::Note(error) => error.kind(),
            Self::Zip(error) => error.kind(),
        }
    }
}

/// Makes a bundle, signed with the archive's key. The same input gives the same bytes.
///
/// Errors: [`BundleError::Disagree`] if decision, timeline and leaf are not those of the manifest:
/// nobody is given a bundle that cannot verify.
pub fn build(input: &BundleInput<'_>, key: &SigningKey) -> Result<Vec<u8>, BundleError> {
    check_agreement(input)?;
    pack(input, key)
}

/// Whether the manifest names the other documents, and the leaf the manifest.
fn check_agreement(input: &BundleInput<'_>) -> Result<(), BundleError> {
    let document = BundleError::Document;
    let manifest = input.manifest;
    let decision: Value = from_canonical(input.decision).map_err(document)?;
    let rulebook = decision.pointer("/rulebook/hash").and_then(Value::as_str);
    let same_rulebook = rulebook.is_none_or(|hash| hash == manifest.rulebook_hash.to_string());
    if Digest::of(input.decision) != manifest.decision_sha256 || !same_rulebook {
        return Err(BundleError::Disagree("the decision"));
    }
    let timeline = input.timeline.to_bytes().map_err(document)?;
    if Digest::of(&timeline) != manifest.timeline_sha256 {
        return Err(BundleError::Disagree("the timeline"));
    }
    let manifest_sha256 = sha256(&manifest.to_bytes().map_err(document)?);
    let leaf = input.leaf;
    if leaf.kind != LeafKind::Recorded
        || leaf.object != manifest.recording.to_string()
        || leaf.commitment != commitment(&input.commitment_salt, &manifest_sha256)
    {
        return Err(BundleError::Disagree("the entry in the log"));
    }
    Ok(())
}

/// As [`build`], but packs whatever it is given: for tests of what verifiers find.
#[doc(hidden)]
pub fn pack(input: &BundleInput<'_>, key: &SigningKey) -> Result<Vec<u8>, BundleError> {
    let recording = input.manifest.recording;
    let opening = Opening::new(input.commitment_salt, input.tree_salt, input.leaf.clone());
    let document = BundleError::Document;
    let mut files = vec![
        (
            file::README.to_owned(),
            readme::text(recording).into_bytes(),
        ),
        (
            file::MANIFEST.to_owned(),
            input.manifest.to_bytes().map_err(document)?,
        ),
        (
            file::OPENING.to_owned(),
            canonical_json(&opening).map_err(document)?,
        ),
        (file::DECISION.to_owned(), input.decision.to_vec()),
        (
            file::TIMELINE.to_owned(),
            input.timeline.to_bytes().map_err(document)?,
        ),
        (file::PROOF.to_owned(), input.proof.to_string().into_bytes()),
        (
            file::KEY.to_owned(),
            format!("{}\n", key.verifier()).into_bytes(),
        ),
    ];
    files.extend(originals(input)?);
    let views = input.records.iter().map(Record::as_view);
    files.extend(sound_files(
        &render(views, input.timeline).map_err(BundleError::Audio)?,
    )?);

    let listed = files
        .iter()
        .map(|(name, bytes)| (name.clone(), Digest::of(bytes)))
        .collect();
    let note = BundleNote {
        recording,
        made: input.made_at,
        files: listed,
    };
    let note = key.sign(&note.to_string()).map_err(BundleError::Note)?;
    let mut entries = vec![(file::NOTE, note.as_bytes())];
    entries.extend(
        files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
    zip::write(&entries).map_err(BundleError::Zip)
}

/// The files of the original: events first, then the streams by number.
fn originals(input: &BundleInput<'_>) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
    let streams = input
        .timeline
        .streams
        .iter()
        .map(|stream| stream.stream.number);
    let mut files: BTreeMap<StreamNumber, Vec<u8>> = streams
        .chain([EVENTS])
        .map(|number| (number, original::header(number)))
        .collect();
    for (index, record) in (0..).zip(input.records) {
        let number = match record {
            Record::Packet { stream, .. } => *stream,
            Record::Event { .. } => EVENTS,
        };
        let file = files
            .get_mut(&number)
            .ok_or(BundleError::StrayPackets(number))?;
        let view: RecordRef<'_> = record.as_view();
        original::put_record(index, view, file).map_err(BundleError::Original)?;
    }
    match files.get(&EVENTS).map(Vec::len) {
        Some(byte_len) if byte_len > EVENTS_BYTES_MAX => {
            return Err(BundleError::TooManyEvents(byte_len));
        }
        _ => {}
    }
    Ok(files
        .into_iter()
        .map(|(number, bytes)| (original_of(number), bytes))
        .collect())
}

/// The files of the sound: all streams side by side in one file, then each alone, then what is to
/// be told of them. A stream of which nothing can be heard has none.
pub(crate) fn sound_files(streams: &[StreamAudio]) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
    let mut files = Vec::new();
    if let Some((rate, channels)) = side_by_side(streams) {
        let bytes = wav(&views(&channels), rate).map_err(BundleError::Audio)?;
        files.push((file::ALL_SOUND.to_owned(), bytes));
    }
    for stream in streams.iter().filter(|stream| !stream.channels.is_empty()) {
        let bytes = wav(&views(&stream.channels), stream.rate).map_err(BundleError::Audio)?;
        files.push((sound_of(stream.stream), bytes));
    }
    if let Some(spans) = SoundSpans::of(streams) {
        let bytes = canonical_json(&spans).map_err(BundleError::Document)?;
        files.push((file::SPANS.to_owned(), bytes));
    }
    Ok(files)
}

fn views(channels: &[Vec<i16>]) -> Vec<&[i16]> {
    channels.iter().map(Vec::as_slice).collect()
}
