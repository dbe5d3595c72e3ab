//! Writing one chunk of the journal. Format: `design/evidence-format.md`, "Chunk".

use super::predict::{Difference, HEADER_BYTES, Header, SLOT_OTHER, Track, slot_of};
use super::{EVENT_BYTES_MAX, JournalError, JournalEvent, PacketKind};
use crate::canonical::canonical_json;
use crate::wire::{put_signed, put_varint};
use voicelog_model::limits::{CHUNK_BYTES_MAX, RTP_PACKET_BYTES_MAX};
use voicelog_model::{StreamNumber, Timestamp};

/// Version of the chunk format that is written.
pub(super) const VERSION: u8 = 1;
/// Version byte and base time.
pub(super) const PREAMBLE_BYTES: usize = 1 + 8;
/// Most bytes a record takes besides its packet or its JSON.
const RECORD_OVERHEAD_MAX: usize = 40;
/// What a new builder's buffer holds: 360 ms of two G.711 streams, since a chunk of 300 ms may
/// take in what a sweep brings late.
const BUFFER_BYTES: usize = 6 << 10;

/// The upper four bits of a record's tag byte.
pub(super) mod tag {
    pub(in super::super) const EVENT: u8 = 0x00;
    pub(in super::super) const RTP_WHOLE: u8 = 0x10;
    pub(in super::super) const RTCP_WHOLE: u8 = 0x20;
    pub(in super::super) const RTP_NEXT: u8 = 0x30;
    pub(in super::super) const RTP_DIFFERS: u8 = 0x40;
}

/// The bits of the byte that says in what a header differs.
pub(super) mod differs {
    pub(in super::super) const SECOND: u8 = 0x01;
    pub(in super::super) const SKIPPED: u8 = 0x02;
    pub(in super::super) const SHIFTED: u8 = 0x04;
    pub(in super::super) const LENGTH: u8 = 0x08;
}

/// Collects records into one chunk. Pushing a packet allocates nothing once the buffer has grown
/// to the size of a chunk; `clear` keeps the buffer, unless it grew far beyond.
#[derive(Debug)]
pub struct ChunkBuilder {
    bytes: Vec<u8>,
    tracks: [Option<Track>; SLOT_OTHER as usize],
    /// Time of the last record in microseconds.
    clock: i64,
}

impl Default for ChunkBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkBuilder {
    /// An empty chunk.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(BUFFER_BYTES),
            tracks: [None; SLOT_OTHER as usize],
            clock: 0,
        }
    }

    /// Whether nothing was pushed since the last `take` or `clear`.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes of the chunk so far.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The chunk so far, to be sealed without copying; `clear` afterwards.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.bytes
    }

    /// Starts the next chunk in the same buffer. What a slow disk made of it is given back.
    pub fn clear(&mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > 8 * BUFFER_BYTES {
            self.bytes.shrink_to(BUFFER_BYTES);
        }
        self.tracks = [None; SLOT_OTHER as usize];
    }

    /// The chunk; the next one starts in a new buffer.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let chunk = std::mem::take(&mut self.bytes);
        self.clear();
        chunk
    }

    /// Adds a packet. Errors leave the chunk as it was.
    pub fn push_packet(
        &mut self,
        stream: StreamNumber,
        arrived: Timestamp,
        kind: PacketKind,
        packet: &[u8],
    ) -> Result<(), JournalError> {
        if packet.len() > RTP_PACKET_BYTES_MAX {
            return Err(JournalError::PacketTooLong(packet.len()));
        }
        self.make_room(arrived, packet.len())?;
        let arrived = arrived.micros();
        let slot = slot_of(stream);
        let header = match kind {
            PacketKind::Rtp => packet
                .first_chunk::<HEADER_BYTES>()
                .map(|bytes| Header::read(*bytes)),
            PacketKind::Rtcp => None,
        };
        match (self.tracks.get_mut(usize::from(slot)), header) {
            (Some(place), Some(header)) => {
                push_media(
                    &mut self.bytes,
                    place,
                    slot,
                    self.clock,
                    arrived,
                    header,
                    packet,
                );
            }
            _ => push_whole(
                &mut self.bytes,
                stream,
                kind,
                arrived.wrapping_sub(self.clock),
                packet,
            ),
        }
        self.clock = arrived;
        Ok(())
    }

    /// Adds an event. Errors leave the chunk as it was.
    pub fn push_event(&mut self, at: Timestamp, event: &JournalEvent) -> Result<(), JournalError> {
        let json = canonical_json(event).map_err(|_| JournalError::EventUnwritable)?;
        if json.len() > EVENT_BYTES_MAX {
            return Err(JournalError::EventUnwritable);
        }
        self.make_room(at, json.len())?;
        self.bytes.push(tag::EVENT);
        put_signed(&mut self.bytes, at.micros().wrapping_sub(self.clock));
        put_varint(&mut self.bytes, json.len() as u64);
        self.bytes.extend_from_slice(&json);
        self.clock = at.micros();
        Ok(())
    }

    fn make_room(&mut self, time: Timestamp, content: usize) -> Result<(), JournalError> {
        if self.bytes.len() + PREAMBLE_BYTES + RECORD_OVERHEAD_MAX + content > CHUNK_BYTES_MAX {
            return Err(JournalError::ChunkFull);
        }
        if self.bytes.is_empty() {
            self.bytes.push(VERSION);
            self.bytes.extend_from_slice(&time.micros().to_be_bytes());
            self.clock = time.micros();
        }
        Ok(())
    }
}

/// A media packet of a stream that has a place, predicted where it can be.
fn push_media(
    out: &mut Vec<u8>,
    place: &mut Option<Track>,
    slot: u8,
    clock: i64,
    arrived: i64,
    header: Header,
    packet: &[u8],
) {
    let Some((track, difference)) = place
        .as_mut()
        .and_then(|track| track.difference(header).map(|found| (track, found)))
    else {
        let expected = place.as_ref().map_or(clock, |track| track.arrived);
        out.push(tag::RTP_WHOLE | slot);
        put_signed(out, arrived.wrapping_sub(expected));
        put_varint(out, packet.len() as u64);
        out.extend_from_slice(packet);
        *place = Some(Track::restart(
            place.as_ref(),
            header,
            packet.len(),
            arrived,
        ));
        return;
    };
    let late = arrived.wrapping_sub(track.arrival_of(header));
    if difference == Difference::default() && packet.len() == track.byte_len {
        out.push(tag::RTP_NEXT | slot);
        put_signed(out, late);
    } else {
        out.push(tag::RTP_DIFFERS | slot);
        put_signed(out, late);
        push_difference(out, difference, packet.len(), track.byte_len);
    }
    out.extend_from_slice(packet.get(HEADER_BYTES..).unwrap_or_default());
    track.follow(header, packet.len(), arrived);
}

fn push_difference(out: &mut Vec<u8>, difference: Difference, byte_len: usize, last_len: usize) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(
        flag(difference.second.is_some(), differs::SECOND)
            | flag(difference.skipped != 0, differs::SKIPPED)
            | flag(difference.shifted != 0, differs::SHIFTED)
            | flag(byte_len != last_len, differs::LENGTH),
    );
    out.extend(difference.second);
    if difference.skipped != 0 {
        put_signed(out, i64::from(difference.skipped));
    }
    if difference.shifted != 0 {
        put_signed(out, i64::from(difference.shifted));
    }
    if byte_len != last_len {
        put_varint(out, byte_len as u64);
    }
}

/// A packet stored as it is, without prediction.
fn push_whole(
    out: &mut Vec<u8>,
    stream: StreamNumber,
    kind: PacketKind,
    delta: i64,
    packet: &[u8],
) {
    let slot = slot_of(stream);
    out.push(
        slot | match kind {
            PacketKind::Rtp => tag::RTP_WHOLE,
            PacketKind::Rtcp => tag::RTCP_WHOLE,
        },
    );
    if slot == SLOT_OTHER {
        put_varint(out, u64::from(stream.0));
    }
    put_signed(out, delta);
    put_varint(out, packet.len() as u64);
    out.extend_from_slice(packet);
}
