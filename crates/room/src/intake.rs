//! Taking in what devices record: a chunk becomes records of the journal, and is acknowledged once they are on the disk.

use crate::chunk::{CHUNK_BYTES_MAX, CHUNKS_MAX, Chunk, Frame, Hash, Mark};
use crate::error::{ChunkRefused, Malformed, RoomError};
use crate::rooms::{Rooms, Shared};
use crate::state::Choice;
use crate::talk::{Inner, Journal, Seat, Talk};
use crate::track::{OPUS, SAMPLES, Track, TrackPlace};
use crate::writer::Receipt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use voicelog_archive::journal::{Cause, ChunkBuilder, JournalError, JournalEvent, PacketKind};
use voicelog_model::{Codec, MediaStream, StreamNumber, Timestamp};

/// Devices that record at once, of one talk.
pub(crate) const OPEN_TRACKS_MAX: usize = 8;
/// Of these, those that one participant may have open: a telephone and a laptop.
const OWN_TRACKS_MAX: usize = 2;
/// Places that are left for the host, so that no guest keeps the one who started the talk from recording it.
const FOR_THE_HOST: usize = 1;
/// How much later than now a packet may claim to be captured: what two clocks can differ, 2 s.
const AHEAD_MICROS: i64 = 2_000_000;
/// Chunks of one track that may wait for the disk.
const IN_FLIGHT_MAX: u32 = 4;

/// A chunk that was taken, or had been.
#[derive(Debug)]
pub enum Taken {
    /// It is on the disk. The number of the next.
    OnDisk(u32),
    /// It will be once this tells so; where that tells nothing, nobody knows, and the device sends it again.
    Waits(oneshot::Receiver<u32>),
}

impl Rooms {
    /// Opens a track for a participant's device.
    ///
    /// # Errors
    ///
    /// Recording was not started, is over, or has as many tracks as it may; they have left; a codec that devices do not
    /// send.
    pub fn open_track(
        &self,
        seat: &Seat,
        codec: &str,
        payload_type: u8,
    ) -> Result<TrackPlace, RoomError> {
        self.shared.check_going_on()?;
        let codec = match (Codec::read(codec), payload_type) {
            (Some(codec @ Codec::Opus), OPUS) => codec,
            (
                Some(
                    codec @ Codec::L16 {
                        rate: 48_000,
                        channels: 1,
                    },
                ),
                SAMPLES,
            ) => codec,
            _ => return Err(RoomError::Codec),
        };
        let talk = self.shared.find(seat.talk)?;
        let now = self.shared.clock.now();
        let place = {
            let mut inner = talk.lock();
            let person = inner.people.get(seat.place).filter(|one| one.is_there());
            let records =
                seat.is_host || person.is_some_and(|one| one.choice == Some(Choice::RecordsToo));
            if inner.started.is_none() || inner.ended.is_some() || person.is_none() || !records {
                return Err(RoomError::NotNow(
                    "a track can be opened while the talk is being recorded, by the host or a guest who chose to record too",
                ));
            }
            if !inner.has_place_for_track_of(seat) {
                return Err(RoomError::Full("devices that record"));
            }
            let number = u16::try_from(inner.tracks.len() + 1).unwrap_or(u16::MAX);
            let number = StreamNumber(number);
            // Whose device it is, not whose voice: everybody in the room is heard.
            let stream = MediaStream {
                number,
                label: Some(seat.party.clone()),
                codec,
                payload_type,
                parameters: None,
                also: Vec::new(),
                party: None,
            };
            self.shared.listen_to(&talk, &inner, &stream);
            let event = JournalEvent::StreamAdded { stream };
            talk.note(&mut inner, &self.shared.writer, now, event);
            let track = Track::new(number, seat.place, payload_type, now);
            let place = track.place(now);
            inner.tracks.push(track);
            place
        };
        talk.changed();
        Ok(place)
    }

    /// Where a track of theirs is.
    ///
    /// # Errors
    ///
    /// It is somebody else's, or there is none.
    pub fn track(&self, seat: &Seat, number: u16) -> Result<TrackPlace, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let now = self.shared.clock.now();
        let mut inner = talk.lock();
        inner.heard_at = now;
        let place = inner.track_of(seat, number).ok_or(RoomError::NotFound)?;
        let track = inner.tracks.get(place).ok_or(RoomError::NotFound)?;
        Ok(track.place(now))
    }

    /// Takes chunk `number` of a track. `digest` is what the device says that the SHA-256 of the bytes is. Never waits for
    /// the disk.
    ///
    /// # Errors
    ///
    /// Why it was not taken; nothing that is held is touched then.
    pub fn take_chunk(
        &self,
        seat: &Seat,
        track: u16,
        number: u32,
        digest: Hash,
        bytes: &[u8],
    ) -> Result<Taken, ChunkRefused> {
        if bytes.len() > CHUNK_BYTES_MAX {
            return Err(ChunkRefused::TooLarge);
        }
        if Hash::of(bytes) != digest {
            return Err(ChunkRefused::Digest);
        }
        let shared = &self.shared;
        let talk = shared.find(seat.talk).map_err(|_| ChunkRefused::NotFound)?;
        let now = shared.clock.now();
        let mut inner = talk.lock();
        let place = inner.track_of(seat, track).ok_or(ChunkRefused::NotFound)?;
        inner.heard_at = now;
        let Some(held) = inner.tracks.get_mut(place) else {
            return Err(ChunkRefused::NotFound);
        };
        let next = held.durable;
        if let Some(known) = held.digests.get(number as usize) {
            if Some(known) != digest.0.first_chunk() {
                return Err(ChunkRefused::Differs { next });
            }
            return Ok(held.wait_for(number));
        }
        if !held.is_open {
            return Err(ChunkRefused::Ended { next });
        }
        if number != held.taken {
            return Err(ChunkRefused::OutOfTurn { next });
        }
        if number >= CHUNKS_MAX {
            // It has lasted as long as a track may; its device can open another.
            shared.conclude(&talk, &mut inner, place, now, Cause::Overload);
            drop(inner);
            talk.changed();
            return Err(ChunkRefused::Ended { next });
        }
        shared.check_room(held)?;
        let read = held.read(bytes, number, now);
        let chunk = read.map_err(|why| ChunkRefused::Malformed { why, next })?;
        let latest = chunk.frames.last().map_or(held.latest, Frame::captured);
        let latest_at = held.began.plus_micros(latest);
        if inner.asking_since.is_some_and(|since| latest_at >= since) {
            let why = "the law is being asked";
            return Err(ChunkRefused::Busy { why, next });
        }
        let journal = shared.journal_of(&talk, &mut inner, place, &chunk);
        shared.listen(&talk, &mut inner, &journal);
        let Some(held) = inner.tracks.get_mut(place) else {
            return Err(ChunkRefused::NotFound);
        };
        held.took(digest, latest, now);
        let receipt = Receipt {
            talk: Arc::clone(&talk),
            place,
            taken: held.taken,
            chain: digest,
        };
        let waits = held.wait_for(number);
        let was_news = inner.is_silence_news(now);
        shared.writer.write(talk.id, journal, Some(receipt));
        drop(inner);
        if was_news {
            talk.changed();
        }
        Ok(waits)
    }

    /// A device says that no more chunks of its track come.
    ///
    /// # Errors
    ///
    /// Not all that it has were taken, or they were others.
    pub fn end_track(
        &self,
        seat: &Seat,
        number: u16,
        chunks: u32,
        chain: Hash,
    ) -> Result<TrackPlace, ChunkRefused> {
        let shared = &self.shared;
        let talk = shared.find(seat.talk).map_err(|_| ChunkRefused::NotFound)?;
        let now = shared.clock.now();
        let (is_last, told) = {
            let mut inner = talk.lock();
            inner.heard_at = now;
            let place = inner.track_of(seat, number).ok_or(ChunkRefused::NotFound)?;
            let until = inner.ended.map_or(now, |(at, _)| at);
            let held = inner.tracks.get(place).ok_or(ChunkRefused::NotFound)?;
            let next = held.durable;
            if chunks != held.taken {
                return Err(ChunkRefused::OutOfTurn { next });
            }
            if chain != held.chain {
                return Err(ChunkRefused::Differs { next });
            }
            let told = held.place(now);
            if held.is_open {
                shared.conclude(&talk, &mut inner, place, until, Cause::Device);
            }
            (inner.ended.is_some() && inner.are_tracks_closed(), told)
        };
        talk.changed();
        if is_last {
            shared.keeper.wake();
        }
        Ok(TrackPlace {
            is_open: false,
            ..told
        })
    }
}

impl Inner {
    /// Whether one more track of theirs has a place.
    fn has_place_for_track_of(&self, seat: &Seat) -> bool {
        let open = self.tracks.iter().filter(|track| track.is_open);
        let own = open.clone().filter(|track| track.owner == seat.place);
        let kept_free = if seat.is_host { 0 } else { FOR_THE_HOST };
        own.count() < OWN_TRACKS_MAX
            && open.count() + kept_free < OPEN_TRACKS_MAX
            && self.tracks.len() + kept_free < voicelog_model::limits::STREAMS_MAX
    }

    /// The place of a track, if it is theirs.
    fn track_of(&self, seat: &Seat, number: u16) -> Option<usize> {
        let mut tracks = self.tracks.iter();
        tracks.position(|track| track.number.0 == number && track.owner == seat.place)
    }
}

impl Track {
    fn wait_for(&mut self, number: u32) -> Taken {
        if number < self.durable {
            return Taken::OnDisk(self.durable);
        }
        let (tell, told) = oneshot::channel();
        self.waiting.push((number, tell));
        Taken::Waits(told)
    }

    /// Reads a chunk that is the next one, and holds it against the clock.
    fn read<'b>(
        &self,
        bytes: &'b [u8],
        number: u32,
        now: Timestamp,
    ) -> Result<Chunk<'b>, Malformed> {
        let chunk = Chunk::read(bytes, number, self.chain, self.payload_type)?;
        if let (Some(first), Some(last)) = (chunk.frames.first(), chunk.frames.last()) {
            if self.began.plus_micros(last.captured()) > now.plus_micros(AHEAD_MICROS) {
                return Err(Malformed::FromTheFuture);
            }
            if first.captured() < self.latest {
                return Err(Malformed::BeforeTheLast);
            }
        }
        Ok(chunk)
    }

    fn took(&mut self, digest: Hash, latest: i64, now: Timestamp) {
        self.taken += 1;
        self.chain = digest;
        let Hash([a, b, c, d, ..]) = digest;
        self.digests.push([a, b, c, d]);
        (self.latest, self.heard_at) = (latest, now);
    }
}

impl Shared {
    /// Whether one more chunk can wait for the disk.
    fn check_room(&self, track: &Track) -> Result<(), ChunkRefused> {
        let why = if self.is_stopping.load(Ordering::Relaxed) {
            "the server is stopping"
        } else if !self.writer.has_room() {
            "the disk is full, or too slow"
        } else if track.taken - track.durable >= IN_FLIGHT_MAX {
            "chunks of this track wait for the disk"
        } else {
            return Ok(());
        };
        Err(ChunkRefused::Busy {
            why,
            next: track.durable,
        })
    }

    /// The records that a chunk brings. What was captured when nothing was to be kept is left out and counted.
    fn journal_of(
        &self,
        talk: &Talk,
        inner: &mut Inner,
        place: usize,
        chunk: &Chunk<'_>,
    ) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        let mut journal = ChunkBuilder::new();
        for frame in &chunk.frames {
            let Some(track) = inner.tracks.get_mut(place) else {
                break;
            };
            let at = track.began.plus_micros(frame.captured());
            match *frame {
                Frame::Packet { bytes, .. } => {
                    let is_stopped = track.stopped.is_some_and(|stopped| at >= stopped);
                    let start = at.plus_micros(-track.packet_micros());
                    let is_kept = inner.held.covers(start, at) && !is_stopped;
                    if !is_kept || track.interrupted.is_some() {
                        inner.not_kept += 1;
                        continue;
                    }
                    track.last_packet = Some(at);
                    push(&mut journal, &mut pieces, (track.number, at), bytes);
                }
                Frame::Mark {
                    mark: Mark::Interrupted { reason },
                    ..
                } => {
                    track.interrupted.get_or_insert((at, reason.into()));
                }
                Frame::Mark {
                    mark: Mark::Resumed {},
                    ..
                } => {
                    if let Some((from, cause)) = track.interrupted.take()
                        && matches!(inner.journal, Journal::Open)
                    {
                        // What came before goes before.
                        if !journal.is_empty() {
                            pieces.push(journal.take());
                        }
                        self.listen(talk, inner, &pieces);
                        talk.write(inner, &self.writer, std::mem::take(&mut pieces));
                        self.interrupted(talk, inner, place, (from, at), cause);
                    }
                }
            }
        }
        if !journal.is_empty() {
            pieces.push(journal.take());
        }
        pieces
    }
}

fn push(
    journal: &mut ChunkBuilder,
    pieces: &mut Vec<Vec<u8>>,
    (stream, at): (StreamNumber, Timestamp),
    packet: &[u8],
) {
    match journal.push_packet(stream, at, PacketKind::Rtp, packet) {
        Ok(()) => {}
        Err(JournalError::ChunkFull) => {
            pieces.push(journal.take());
            if let Err(error) = journal.push_packet(stream, at, PacketKind::Rtp, packet) {
                tracing::error!(%error, "a packet is not written");
            }
        }
        Err(error) => tracing::error!(%error, "a packet is not written"),
    }
}
