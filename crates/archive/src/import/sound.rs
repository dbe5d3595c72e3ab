//! An imported file read back: its bytes from anywhere, its sound, and the file itself.

use super::FileSaid;
use super::file::moved;
use crate::records::{ChunkOpener, ChunkPlace, Segments, records_of};
use crate::{Archive, ArchiveError};
use sha2::{Digest as _, Sha256};
use std::io::{Error, Read, Seek, SeekFrom};
use voicelog_evidence::Digest;
use voicelog_evidence::audio::{AudioError, wav_head};
use voicelog_evidence::journal::{PacketKind, RecordRef};
use voicelog_evidence::key::DataKey;
use voicelog_model::RecordingId;
use voicelog_model::rtp::RtpPacket;
use voicelog_soundfile::{Enclosed, Heard, Kind, Source, look, samples};

/// Most seconds of sound that are made at once: some files can be entered only from their start, so seldom.
const SECONDS_AT_ONCE: u64 = 10;
const SAMPLE_BYTES: usize = 2;

/// Where the bytes of an imported file lie, chunk by chunk, each with the byte of the file that it begins with.
#[derive(Debug)]
pub(crate) struct FilePlaces {
    said: FileSaid,
    chunks: Vec<(u64, ChunkPlace)>,
}

/// The payload of a record of the journal: the next bytes of the file.
fn payload(record: RecordRef<'_>) -> &[u8] {
    match record {
        RecordRef::Packet {
            kind: PacketKind::Rtp,
            bytes,
            ..
        } => RtpPacket::parse(bytes).map_or(&[], |packet| packet.payload),
        RecordRef::Packet { .. } | RecordRef::Event { .. } => &[],
    }
}

impl FilePlaces {
    /// Reads the whole of it, and holds it against what was said of it. `each` gets its bytes, in order.
    pub(crate) fn read(
        archive: &Archive,
        id: RecordingId,
        key: &DataKey,
        said: FileSaid,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(Self, Segments), ArchiveError> {
        let (mut chunks, mut at) = (Vec::new(), 0);
        let mut hasher = Sha256::new();
        let segments = archive.read_chunks(id, key, |place, chunk| {
            chunks.push((at, place));
            records_of(id, chunk, &mut |record| {
                let bytes = payload(record);
                hasher.update(bytes);
                each(bytes);
                at += bytes.len() as u64;
            })
        })?;
        if (at, Digest(hasher.finalize().into())) != (said.byte_len, said.sha256) {
            let what = "its packets are not the file that they say they are";
            return Err(ArchiveError::NotWhole { id, what });
        }
        Ok((Self { said, chunks }, segments))
    }

    fn open<'a>(
        &'a self,
        archive: &'a Archive,
        id: RecordingId,
        key: &DataKey,
    ) -> Box<dyn Source + 'a> {
        Box::new(FileBytes {
            places: self,
            id,
            opener: ChunkOpener::new(archive, id, key.clone()),
            at: 0,
            open: None,
        })
    }
}

/// The bytes of an imported file, decrypted a chunk at a time.
struct FileBytes<'a> {
    places: &'a FilePlaces,
    id: RecordingId,
    opener: ChunkOpener<'a>,
    at: u64,
    /// The number of the chunk that was opened last, and its part of the file.
    open: Option<(usize, Vec<u8>)>,
}

impl FileBytes<'_> {
    /// The bytes from the place on, up to the end of their chunk; none at the end.
    fn here(&mut self) -> Result<&[u8], ArchiveError> {
        let chunks = &self.places.chunks;
        let number = chunks
            .partition_point(|(start, _)| *start <= self.at)
            .saturating_sub(1);
        let Some((start, place)) = chunks.get(number) else {
            return Ok(&[]);
        };
        let open = match self.open.take() {
            Some(open) if open.0 == number => open,
            _ => {
                let mut bytes = Vec::new();
                let chunk = self.opener.open(place)?;
                records_of(self.id, chunk, &mut |record| bytes.extend(payload(record)))?;
                (number, bytes)
            }
        };
        let (_, bytes) = self.open.insert(open);
        let skipped = usize::try_from(self.at - start).unwrap_or(usize::MAX);
        Ok(bytes.get(skipped..).unwrap_or_default())
    }
}

impl Read for FileBytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let here = self.here().map_err(Error::other)?;
        let count = here.len().min(into.len());
        for (place, byte) in into.iter_mut().zip(here) {
            *place = *byte;
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for FileBytes<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = moved(self.at, self.places.said.byte_len, to)?;
        Ok(self.at)
    }
}

impl Source for FileBytes<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.places.said.byte_len)
    }
}

/// The sound of an imported file, as a WAV file that is made as it is read.
#[derive(Debug)]
pub(crate) struct FileSound {
    places: FilePlaces,
    heard: Heard,
    head: Vec<u8>,
    /// The sounds of a vCon: they lie in JSON, which cannot be entered in its midst.
    enclosed: Option<Enclosed>,
}

impl FileSound {
    /// Errors: [`AudioError::NothingDecodable`] where there is no decoder for it.
    pub(crate) fn new(
        archive: &Archive,
        id: RecordingId,
        key: &DataKey,
        places: FilePlaces,
    ) -> Result<Self, ArchiveError> {
        let mut open = || places.open(archive, id, key);
        let (found, enclosed) = match places.said.kind {
            Kind::Vcon => {
                let enclosed = Enclosed::read(open())?;
                (enclosed.contents.heard.clone(), Some(enclosed))
            }
            _ => (look(&mut open)?.heard, None),
        };
        let heard = found.ok_or_else(|| {
            AudioError::NothingDecodable(places.said.kind.word().to_ascii_uppercase())
        })?;
        let count = usize::try_from(heard.frames).unwrap_or(usize::MAX);
        let head = wav_head(heard.channels, count, heard.rate)?;
        Ok(Self {
            places,
            heard,
            head,
            enclosed,
        })
    }

    /// Bytes of the WAV file.
    pub(crate) fn byte_len(&self) -> usize {
        let frames = usize::try_from(self.heard.frames).unwrap_or(0);
        self.head.len() + frames * self.frame_bytes()
    }

    /// About how many bytes of memory this takes.
    pub(crate) fn held_bytes(&self) -> usize {
        let enclosed = self.enclosed.as_ref().map_or(0, Enclosed::held_bytes);
        enclosed + self.places.chunks.len() * size_of::<(u64, ChunkPlace)>()
    }

    const fn frame_bytes(&self) -> usize {
        self.heard.channels * SAMPLE_BYTES
    }

    /// Some of the bytes from `at` on, none behind `end`.
    pub(crate) fn next(
        &self,
        archive: &Archive,
        id: RecordingId,
        key: &DataKey,
        (at, end): (usize, usize),
    ) -> Result<Vec<u8>, ArchiveError> {
        if at >= end {
            return Ok(Vec::new());
        }
        if let Some(head @ [_, ..]) = self.head.get(at..) {
            return Ok(head.iter().take(end - at).copied().collect());
        }
        let (of, past) = (self.frame_bytes(), at - self.head.len());
        let first = (past / of) as u64;
        let most = first + SECONDS_AT_ONCE * u64::from(self.heard.rate);
        let last = (((end - self.head.len()).div_ceil(of)) as u64).min(most);
        let made = match &self.enclosed {
            Some(enclosed) => enclosed.samples(first..last)?,
            None => samples(
                &mut || self.places.open(archive, id, key),
                &self.heard,
                first..last,
            )?,
        };
        let bytes = made.iter().flat_map(|sample| sample.to_le_bytes());
        // Asked for from within a moment, or up to within one.
        let bytes = bytes.skip(past % of).take(end - at);
        Ok(bytes.collect())
    }
}

impl Archive {
    /// The file that a recording was imported from, byte for byte.
    pub(crate) fn imported_file(
        &self,
        id: RecordingId,
        key: &DataKey,
        said: FileSaid,
    ) -> Result<(Vec<u8>, Segments), ArchiveError> {
        let most = usize::try_from(said.byte_len).unwrap_or(usize::MAX);
        let mut file = Vec::new();
        file.try_reserve_exact(most)
            .map_err(|_room| ArchiveError::FileTooLarge(said.byte_len))?;
        let (_, segments) =
            FilePlaces::read(self, id, key, said, |bytes| file.extend_from_slice(bytes))?;
        Ok((file, segments))
    }
}
