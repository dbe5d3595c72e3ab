//! Listening to a recording piece by piece: proven whole when it is opened, decrypted and decoded again
//! only where it is heard. Between, its sound is nowhere in memory.

use super::Known;
use crate::error::Doing;
use crate::import::{FilePlaces, FileSaid, FileSound, file_said};
use crate::permit::{Permit, act};
use crate::records::{ChunkOpener, ChunkPlace, Segments, records_of};
use crate::{Archive, ArchiveError, StreamSpans};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use voicelog_evidence::audio::{
    PacketPlace, WavLayout, WavLayoutBuilder, WavReader as PacketsReader,
};
use voicelog_evidence::journal::RecordRef;
use voicelog_evidence::key::DataKey;
use voicelog_evidence::timeline::Timeline;
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::{Party, RecordingId, Timestamp};
use voicelog_store::StoreError;
use voicelog_store::index::State;

/// Chunks that go from one thread to the other at once, some seconds of a call.
const BATCH_CHUNKS: usize = 16;
/// Batches that wait at most.
const BATCHES_MAX: usize = 16;

type Batch = Vec<(ChunkPlace, Vec<u8>)>;

/// A recording that may be listened to: a WAV file that is made as it is read, the channels of each stream in the
/// order of their numbers, gaps as silence of their true length.
#[derive(Debug)]
pub struct Playable {
    /// Which recording.
    pub id: RecordingId,
    /// Who took part.
    pub parties: Vec<Party>,
    /// What is heard, and what is not.
    pub timeline: Timeline,
    /// Where the sound is not simply what was sent, by stream; those that have any.
    pub spans: Vec<StreamSpans>,
    source: Heard,
}

/// Where the sound comes from.
#[derive(Debug)]
enum Heard {
    /// The packets of a conversation.
    Packets {
        layout: WavLayout,
        chunks: Vec<ChunkPlace>,
    },
    /// A file that was imported.
    File(FileSound),
}

/// A place in the WAV file of a recording that is made as it is read.
#[derive(Debug)]
pub struct WavReader(At);

#[derive(Debug)]
enum At {
    Packets(PacketsReader),
    /// Which byte comes next, and where to stop.
    File(usize, usize),
}

impl Playable {
    /// Bytes of the file.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        match &self.source {
            Heard::Packets { layout, .. } => layout.byte_len(),
            Heard::File(sound) => sound.byte_len(),
        }
    }

    /// About how many bytes of memory this takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match &self.source {
            Heard::Packets { layout, chunks } => {
                layout.held_bytes() + chunks.len() * size_of::<ChunkPlace>()
            }
            Heard::File(sound) => sound.held_bytes(),
        }
    }

    /// A range of the file, to be read with [`Archive::sound`].
    #[must_use]
    pub fn read(&self, range: Range<usize>) -> WavReader {
        WavReader(match &self.source {
            Heard::Packets { layout, .. } => At::Packets(layout.read(range)),
            Heard::File(sound) => {
                let end = range.end.min(sound.byte_len());
                At::File(range.start.min(end), end)
            }
        })
    }
}

impl Archive {
    /// Opens a recording to listen to it, and puts that it was listened to in the log. All of it is read, and
    /// held against its manifest, before anything of it is heard.
    ///
    /// Errors: [`ArchiveError::NotWhole`] if it is not what its manifest says; [`ArchiveError::Audio`] where there is media, and
    /// no decoder for any.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn play(
        &self,
        permit: Permit<act::Listen>,
        now: Timestamp,
    ) -> Result<Playable, ArchiveError> {
        let playable = self.playable(permit.recording)?;
        self.log_access(LeafKind::Listened, permit.recording, permit.decision, now)?;
        Ok(playable)
    }

    fn playable(&self, id: RecordingId) -> Result<Playable, ArchiveError> {
        let known = self.known_of(id)?;
        if let Some(said) = file_said(&known.manifest) {
            return self.playable_file(id, known, said);
        }
        let layout = WavLayoutBuilder::new(&known.timeline)?;
        // Side by side: one thread authenticates and decrypts, the other looks where the packets are. Whoever waits
        // to hear something waits half as long.
        let (send, receive) = sync_channel(BATCHES_MAX);
        let (segments, laid) = thread::scope(|scope| {
            let laying = thread::Builder::new()
                .name("sound-layout".to_owned())
                .spawn_scoped(scope, move || laid_out(id, layout, receive))
                .map_err(StoreError::io("start a thread for", id))
                .doing("opening the sound")?;
            let segments = self.read_in_batches(id, known.keys.of_segments(), &send);
            drop(send);
            let laid = laying.join();
            Ok::<_, ArchiveError>((segments, laid.unwrap_or_else(|panic| resume_unwind(panic))))
        })?;
        let (layout, chunks) = laid?;
        known.are_whole(&segments?)?;
        let layout = layout.finish()?;
        Ok(Playable {
            id,
            spans: layout.spans(),
            parties: known.parties,
            timeline: known.timeline,
            source: Heard::Packets { layout, chunks },
        })
    }

    fn playable_file(
        &self,
        id: RecordingId,
        known: Known,
        said: FileSaid,
    ) -> Result<Playable, ArchiveError> {
        let key = known.keys.of_segments();
        let (places, segments) = FilePlaces::read(self, id, key, said, |_bytes| ())?;
        known.are_whole(&segments)?;
        let sound = FileSound::new(self, id, key, places)?;
        Ok(Playable {
            id,
            spans: Vec::new(),
            parties: known.parties,
            timeline: known.timeline,
            source: Heard::File(sound),
        })
    }

    fn read_in_batches(
        &self,
        id: RecordingId,
        data_key: &DataKey,
        send: &SyncSender<Batch>,
    ) -> Result<Segments, ArchiveError> {
        let mut batch = Batch::new();
        let segments = self.read_chunks(id, data_key, |place, chunk| {
            batch.push((place, chunk.to_vec()));
            if batch.len() < BATCH_CHUNKS {
                return Ok(());
            }
            // The other thread ends early only with an error of its own, which is told instead of this one.
            send.send(std::mem::take(&mut batch))
                .map_err(|_ended| elsewhere(id))
        })?;
        send.send(batch).map_err(|_ended| elsewhere(id))?;
        Ok(segments)
    }

    /// The next bytes of the file; none at the end. Each chunk is authenticated again as the one that was read when the
    /// recording was opened.
    ///
    /// Errors: [`ArchiveError::Segment`] where it was changed since; [`ArchiveError::Destroyed`],
    /// [`ArchiveError::SoundDestroyed`] or [`ArchiveError::State`] once its destruction, or that of its sound, has begun.
    pub fn sound(
        &self,
        playable: &Playable,
        reader: &mut WavReader,
    ) -> Result<Vec<u8>, ArchiveError> {
        // A destruction that has begun may still have its keys: the key store failed, or the server was stopped.
        if self.row(playable.id)?.state != State::Sealed {
            return Err(self.wrong_state(playable.id, "heard"));
        }
        let keys = self.recording_keys(playable.id)?;
        let (id, key) = (playable.id, keys.into_that_of_segments());
        match (&playable.source, &mut reader.0) {
            (Heard::Packets { layout, chunks }, At::Packets(reader)) => {
                let mut opened = OpenChunks {
                    id,
                    chunks,
                    opener: ChunkOpener::new(self, id, key),
                    packets: BTreeMap::new(),
                };
                layout.next(reader, &mut |places| {
                    places.iter().map(|place| opened.packet(*place)).collect()
                })
            }
            (Heard::File(sound), At::File(at, end)) => {
                let made = sound.next(self, id, &key, (*at, *end))?;
                *at += made.len();
                Ok(made)
            }
            // A place in another recording.
            (Heard::Packets { .. } | Heard::File(_), _) => Err(elsewhere(id)),
        }
    }
}

/// Chunks that were opened for some seconds of sound: both sides of a conversation lie in the same.
struct OpenChunks<'a> {
    id: RecordingId,
    chunks: &'a [ChunkPlace],
    opener: ChunkOpener<'a>,
    /// By the number of the chunk, the packets in the places of its records. Each is asked for once.
    packets: BTreeMap<u32, Vec<Vec<u8>>>,
}

impl OpenChunks<'_> {
    fn packet(&mut self, place: PacketPlace) -> Result<Vec<u8>, ArchiveError> {
        let id = self.id;
        // What authenticates has the same records as when it was opened.
        let elsewhere = || elsewhere(id);
        let packets = match self.packets.entry(place.chunk) {
            Entry::Occupied(opened) => opened.into_mut(),
            Entry::Vacant(room) => {
                let lies = self.chunks.get(place.chunk as usize);
                let lies = lies.ok_or_else(elsewhere)?;
                let mut packets = Vec::new();
                records_of(id, self.opener.open(lies)?, &mut |record| {
                    packets.push(match record {
                        RecordRef::Packet { bytes, .. } => bytes.to_vec(),
                        RecordRef::Event { .. } => Vec::new(),
                    });
                })?;
                room.insert(packets)
            }
        };
        let packet = packets.get_mut(place.record as usize);
        packet.map(std::mem::take).ok_or_else(elsewhere)
    }
}

/// Looks where the packets of a recording are, until all its chunks came.
fn laid_out(
    id: RecordingId,
    mut layout: WavLayoutBuilder,
    receive: Receiver<Batch>,
) -> Result<(WavLayoutBuilder, Vec<ChunkPlace>), ArchiveError> {
    let mut chunks = Vec::new();
    for (lies, bytes) in receive.into_iter().flatten() {
        let mut place = PacketPlace {
            chunk: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
            record: 0,
        };
        chunks.push(lies);
        records_of(id, &bytes, &mut |record| {
            layout.push(record, place);
            place.record += 1;
        })?;
    }
    Ok((layout, chunks))
}

fn elsewhere(id: RecordingId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("the places of the packets of {id}"),
    }
}
