//! The evidence bundle: one ZIP file with which a stranger can check a recording, offline.
//!
//! It holds the original, what was stated of it, the sound that people listen to, and the proof
//! that the archive committed to all of it at the time. Contents and order:
//! `design/evidence-format.md`, "Bundle". [`crate::verify()`] checks it.

mod contents;
mod papers;
mod readme;

pub use contents::{BundleNote, Opening, Salt, SoundSpans, StreamSpans};
pub(crate) use contents::{StreamSound, file, ogg_of, original_of, sound_of, tree_of};
pub use papers::{Papers, StampedProof};
pub(crate) use readme::{recipe, text as readme};

use crate::audio::{
    AudioError, CHANNELS_PLAYED, Rendering, StreamAudio, decoder, is_wav_of, mixed, side_by_side,
    wav,
};
use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::checkpoint::TlogProof;
use crate::completeness::{Completeness, CompletenessInput};
use crate::digest::{Digest, sha256};
use crate::journal::Record;
use crate::manifest::{Manifest, Provenance};
use crate::note::{NoteError, SigningKey};
use crate::original::{self, EVENTS, OriginalError};
use crate::part::{self, Cut, PartError, Plan, Scope, Shown, both_titles};
use crate::timeline::Timeline;
use crate::tlog::{Leaf, LeafKind, commitment};
use crate::vcon::{self, ArchiveSigner, Basis, Bodies, Profile, Sign, VconError};
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
    /// What to show of it; all if there is none.
    pub part: Option<&'a Plan>,
    /// On which lawful basis it was made, as far as the archive knows.
    pub basis: Option<&'a Basis>,
    /// Who signs the vCon: the archive's own signer if there is none.
    pub vcon_signer: Option<&'a dyn Sign>,
    /// What it has besides.
    pub papers: Papers<'a>,
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
    /// The part cannot be cut out as planned.
    #[error("cannot make a copy of this part")]
    Part(#[source] PartError),
    /// The sound cannot be rendered or is too large.
    #[error("cannot render the sound")]
    Audio(#[source] AudioError),
    /// A document has no canonical form.
    #[error("cannot write a document of the bundle")]
    Document(#[source] CanonicalError),
    /// The list of files cannot be signed.
    #[error("cannot sign the bundle")]
    Note(#[source] NoteError),
    /// The vCon cannot be written or signed.
    #[error("cannot write the vCon")]
    Vcon(#[source] VconError),
    /// The statement cannot be put on paper.
    #[error("cannot print the statement of completeness: {0}")]
    Paper(String),
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
            Self::Paper(_) => Kind::Internal,
            Self::Original(error) => error.kind(),
            Self::Part(error) => error.kind(),
            Self::Audio(error) => error.kind(),
            Self::Document(error) => error.kind(),
            Self::Note(error) => error.kind(),
            Self::Vcon(error) => error.kind(),
            Self::Zip(error) => error.kind(),
        }
    }
}

/// Whether a bundle brings the moment at which an authority saw the log, by its own clock.
#[must_use]
pub fn is_stamped(bundle: &[u8]) -> bool {
    zip::read(bundle).is_ok_and(|files| files.iter().any(|(name, _)| *name == file::STAMP))
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
    let cut = input.part.map(|plan| {
        part::cut(input.records, input.timeline, &input.tree_salt, plan).map_err(BundleError::Part)
    });
    let cut = cut.transpose()?;
    let sounds = match &cut {
        None => sound_of_whole(input)?,
        Some(cut) => sound_of_part(input, cut)?,
    };
    let mut files = documents(input, key, cut.as_ref(), &sounds)?;
    files.extend(originals(input, cut.as_ref())?);
    let vcon = vcon(input, key, cut.as_ref(), &sounds)?;
    let place = files.iter().position(|(name, _)| name == file::MANIFEST);
    files.insert(place.unwrap_or(files.len()), (file::VCON.to_owned(), vcon));
    files.extend(sounds);
    let listed = files
        .iter()
        .map(|(name, bytes)| (name.clone(), Digest::of(bytes)))
        .collect();
    let note = BundleNote {
        recording: input.manifest.recording,
        made: input.made_at,
        is_part: cut.is_some(),
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

type NamedFile = (String, Vec<u8>);

/// The documents: everything but original and sound.
fn documents(
    input: &BundleInput<'_>,
    key: &SigningKey,
    cut: Option<&Cut<'_>>,
    sounds: &[NamedFile],
) -> Result<Vec<NamedFile>, BundleError> {
    let document = BundleError::Document;
    let tree_salt = cut.is_none().then_some(Salt(input.tree_salt));
    let opening = Opening::new(input.commitment_salt, tree_salt, input.leaf.clone());
    let part = cut.map(|cut| (&cut.scope, input.timeline.length_us()));
    let in_ogg = sounds.iter().any(|(name, _)| name.ends_with(".opus"));
    let readme = readme(input.manifest.recording, part, in_ogg).into_bytes();
    let manifest = input.manifest.to_bytes().map_err(document)?;
    let completeness = completeness(input, &manifest, cut)?;
    let page = completeness.page(input.timeline, cut.map(|cut| &cut.scope));
    let mut files = vec![(file::README, readme), (file::RECIPE, recipe().to_vec())];
    let verifier = input.papers.verifier_page;
    files.extend(verifier.map(|page| (file::VERIFIER, page.to_vec())));
    files.push((file::COMPLETENESS_PAGE, page.into_bytes()));
    files.extend(on_paper(input, &completeness, cut)?);
    files.extend([
        (
            file::COMPLETENESS,
            completeness.to_bytes().map_err(document)?,
        ),
        (file::MANIFEST, manifest),
        (file::OPENING, canonical_json(&opening).map_err(document)?),
    ]);
    if let Some(cut) = cut {
        let scope = canonical_json(&cut.scope).map_err(document)?;
        files.push((file::SCOPE, scope));
    }
    files.extend([
        (file::DECISION, input.decision.to_vec()),
        (file::TIMELINE, input.timeline.to_bytes().map_err(document)?),
        (file::PROOF, input.proof.to_string().into_bytes()),
        (file::KEY, format!("{}\n", key.verifier()).into_bytes()),
    ]);
    files.extend(input.papers.files());
    let named = files.into_iter();
    Ok(named
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect())
}

/// The statement on paper, where there is a printer.
fn on_paper(
    input: &BundleInput<'_>,
    said: &Completeness,
    cut: Option<&Cut<'_>>,
) -> Result<Option<(&'static str, Vec<u8>)>, BundleError> {
    let Some(printer) = input.papers.printer else {
        return Ok(None);
    };
    let scope = cut.map(|cut| &cut.scope);
    let sheets = said.sheets(input.timeline, scope);
    let paper = printer.print(&said.title(scope), input.made_at, &sheets);
    let paper = paper.map_err(BundleError::Paper)?;
    Ok(Some((file::COMPLETENESS_PAPER, paper)))
}

fn completeness(
    input: &BundleInput<'_>,
    manifest_bytes: &[u8],
    cut: Option<&Cut<'_>>,
) -> Result<Completeness, BundleError> {
    let events = input.records.iter().filter_map(|record| match record {
        Record::Event { event, .. } => Some(event),
        Record::Packet { .. } => None,
    });
    let input = CompletenessInput {
        manifest: input.manifest,
        manifest_bytes,
        timeline: input.timeline,
        scope: cut.map(|cut| &cut.scope),
        proof: input.proof,
    };
    Completeness::new(&input, events).ok_or(BundleError::Disagree("the proof"))
}

/// The vCon, signed: made last, since it has the hashes of the sound.
fn vcon(
    input: &BundleInput<'_>,
    key: &SigningKey,
    cut: Option<&Cut<'_>>,
    sounds: &[NamedFile],
) -> Result<Vec<u8>, BundleError> {
    let numbers = input
        .timeline
        .streams
        .iter()
        .map(|stream| stream.stream.number);
    let get = |name: &str| {
        let (_, bytes) = sounds.iter().find(|(there, _)| there == name)?;
        Some(bytes.as_slice())
    };
    let source = vcon::Source {
        recording: input.manifest.recording,
        archive: key.name(),
        timeline: input.timeline,
        decision: &from_canonical(input.decision).map_err(BundleError::Document)?,
        scope: cut.map(|cut| &cut.scope),
        basis: input.basis,
        sounds: numbers
            .filter_map(|number| StreamSound::find(number, get))
            .collect(),
        logged: input.leaf.at,
        made: input.made_at,
        profile: Profile::Core,
        bodies: Bodies::Beside,
    };
    let payload = vcon::payload(&source).map_err(BundleError::Vcon)?;
    let own = ArchiveSigner::new(key);
    let signer = input.vcon_signer.unwrap_or(&own);
    vcon::sign(&payload.bytes, &payload.uuid, signer).map_err(BundleError::Vcon)
}

/// The files of the original: events first, then the streams by number, each in a copy of a part with
/// its tree.
fn originals(
    input: &BundleInput<'_>,
    cut: Option<&Cut<'_>>,
) -> Result<Vec<NamedFile>, BundleError> {
    let streams = input
        .timeline
        .streams
        .iter()
        .map(|stream| stream.stream.number);
    let mut files: BTreeMap<StreamNumber, Vec<u8>> = streams
        .chain([EVENTS])
        .map(|number| (number, original::header(number)))
        .collect();
    let mut put = |index: u64, record: &Record| {
        let number = match record {
            Record::Packet { stream, .. } => *stream,
            Record::Event { .. } => EVENTS,
        };
        let file = files
            .get_mut(&number)
            .ok_or(BundleError::StrayPackets(number))?;
        original::put_record(index, record.as_view(), file).map_err(BundleError::Original)
    };
    for (index, record) in (0..).zip(input.records) {
        if cut.is_none() || matches!(record, Record::Event { .. }) {
            put(index, record)?;
        }
    }
    let shown = cut.iter().flat_map(|cut| cut.streams.values());
    for (index, record) in shown.flat_map(|stream| &stream.records) {
        put(*index, record)?;
    }
    match files.get(&EVENTS).map(Vec::len) {
        Some(byte_len) if byte_len > EVENTS_BYTES_MAX => {
            return Err(BundleError::TooManyEvents(byte_len));
        }
        _ => {}
    }
    let mut named = Vec::new();
    for (number, bytes) in files {
        named.push((original_of(number), bytes));
        if let Some(stream) = cut.and_then(|cut| cut.streams.get(&number)) {
            named.push((tree_of(number), stream.tree.clone()));
        }
    }
    Ok(named)
}

/// Whether a whole copy has the packets in Ogg in the place of WAV files: of an hour of two devices that is some 30 MB and
/// not 1.4 GB, and can be had while the people are still in the room.
pub(crate) fn goes_in_ogg(manifest: &Manifest, rendering: &Rendering<'_, '_>) -> bool {
    manifest.provenance == Provenance::Room && rendering.is_all_opus()
}

fn sound_of_whole(input: &BundleInput<'_>) -> Result<Vec<NamedFile>, BundleError> {
    let views = input.records.iter().map(Record::as_view);
    let rendering = Rendering::new(views, input.timeline).map_err(BundleError::Audio)?;
    if !goes_in_ogg(input.manifest, &rendering) {
        return sound_files(&rendering.render(&decoder), None);
    }
    let streams = rendering.in_ogg().into_iter();
    Ok(streams
        .map(|(number, bytes)| (ogg_of(number), bytes))
        .collect())
}

/// The sound of a part, made from what the copy has and from nothing else.
fn sound_of_part(input: &BundleInput<'_>, cut: &Cut<'_>) -> Result<Vec<NamedFile>, BundleError> {
    let timeline = input.timeline;
    let views = cut.streams.iter().map(|(number, stream)| {
        let views = stream.records.iter();
        let views: Vec<_> = views
            .map(|(index, record)| (*index, record.as_view()))
            .collect();
        let shown = Shown::read(*number, &stream.tree, &views)
            .map_err(|_unreadable| BundleError::Disagree("the tree of a stream in the copy"))?;
        Ok((*number, (views, shown)))
    });
    let views: BTreeMap<_, _> = views.collect::<Result<_, BundleError>>()?;
    let shown = |number| {
        views
            .get(&number)
            .map(|(views, tree)| (views.as_slice(), tree))
    };
    let events: Vec<_> = (0..)
        .zip(input.records)
        .filter_map(|(index, record)| match record {
            Record::Event { at, event } => Some((index, *at, event.clone())),
            Record::Packet { .. } => None,
        })
        .collect();
    // Nobody is given a copy that would not verify.
    let _far = part::check(&cut.scope, timeline, &events, shown)
        .map_err(|_fault| BundleError::Disagree("what a copy of this part would say of itself"))?;
    let rendering = Rendering::of_part(&cut.scope, timeline, shown).map_err(BundleError::Audio)?;
    sound_files(&rendering.render(&decoder), Some((&cut.scope, timeline)))
}

/// A file of the sound, before it is written.
pub(crate) enum SoundFile<'a> {
    Wav {
        channels: &'a [&'a [i16]],
        rate: u32,
        comment: Option<&'a str>,
    },
    Spans(Vec<u8>),
}

impl SoundFile<'_> {
    fn written(self) -> Result<Vec<u8>, AudioError> {
        match self {
            Self::Wav {
                channels,
                rate,
                comment,
            } => wav(channels, rate, comment),
            Self::Spans(bytes) => Ok(bytes),
        }
    }

    /// Whether a file is this one, byte for byte.
    pub(crate) fn is(&self, file: &[u8]) -> Result<bool, AudioError> {
        match self {
            Self::Wav {
                channels,
                rate,
                comment,
            } => is_wav_of(file, channels, *rate, *comment),
            Self::Spans(bytes) => Ok(bytes == file),
        }
    }
}

fn sound_files(
    streams: &[StreamAudio],
    part: Option<(&Scope, &Timeline)>,
) -> Result<Vec<NamedFile>, BundleError> {
    let mut files = Vec::new();
    each_sound_file(streams, part, &mut |name, file| {
        files.push((name.to_owned(), file.written()?));
        Ok(())
    })?;
    Ok(files)
}

/// The files of the sound: all streams side by side in one file, mixed in one where that has more channels
/// than players play, then each alone, then what is to
/// be told of them. A stream of which nothing can be heard has none.
pub(crate) fn each_sound_file(
    streams: &[StreamAudio],
    part: Option<(&Scope, &Timeline)>,
    each: &mut dyn FnMut(&str, SoundFile<'_>) -> Result<(), AudioError>,
) -> Result<(), BundleError> {
    let comment = part.map(|(scope, timeline)| both_titles(scope, timeline.length_us()));
    let comment = comment.as_deref();
    let mut wav = |name: &str, channels: &[&[i16]], rate| {
        let file = SoundFile::Wav {
            channels,
            rate,
            comment,
        };
        each(name, file).map_err(BundleError::Audio)
    };
    if let Some((rate, channels)) = side_by_side(streams) {
        let channels: Vec<&[i16]> = channels.iter().map(AsRef::as_ref).collect();
        wav(file::ALL_SOUND, &channels, rate)?;
        // Few players play more than two channels.
        if channels.len() > CHANNELS_PLAYED {
            wav(file::MIXED_SOUND, &[&mixed(&channels)], rate)?;
        }
    }
    for stream in streams.iter().filter(|stream| !stream.channels.is_empty()) {
        wav(
            &sound_of(stream.stream),
            &views(&stream.channels),
            stream.rate,
        )?;
    }
    if let Some(spans) = SoundSpans::of(streams) {
        let bytes = canonical_json(&spans).map_err(BundleError::Document)?;
        each(file::SPANS, SoundFile::Spans(bytes)).map_err(BundleError::Audio)?;
    }
    Ok(())
}

fn views(channels: &[Vec<i16>]) -> Vec<&[i16]> {
    channels.iter().map(Vec::as_slice).collect()
}
