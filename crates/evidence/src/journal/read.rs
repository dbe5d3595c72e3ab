//! Reading one chunk of the journal.

use super::chunk::{VERSION, differs, tag};
use super::predict::{Difference, HEADER_BYTES, Header, SLOT_OTHER, Track, slot_of};
use super::{EVENT_BYTES_MAX, JournalError, JournalEvent, PacketKind, Record, RecordRef};
use crate::canonical::from_canonical;
use crate::wire::Reader;
use voicelog_model::limits::{CHUNK_BYTES_MAX, RTP_PACKET_BYTES_MAX};
use voicelog_model::{StreamNumber, Timestamp};

/// Reads the records of one chunk, one at a time, into a buffer of its own.
#[derive(Debug)]
pub struct ChunkReader<'a> {
    reader: Reader<'a>,
    tracks: [Option<Track>; SLOT_OTHER as usize],
    clock: i64,
    packet: Vec<u8>,
    event: JournalEvent,
}

/// Reads all records of one chunk.
pub fn decode_chunk(chunk: &[u8]) -> Result<Vec<Record>, JournalError> {
    let mut reader = ChunkReader::new(chunk)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record.to_record());
    }
    Ok(records)
}

/// A packet read so far as its place and time.
struct Opened {
    stream: StreamNumber,
    arrived: i64,
    kind: PacketKind,
}

impl<'a> ChunkReader<'a> {
    /// Opens a chunk. It holds at least one record.
    pub fn new(chunk: &'a [u8]) -> Result<Self, JournalError> {
        if chunk.len() > CHUNK_BYTES_MAX {
            return Err(JournalError::ChunkTooLong(chunk.len()));
        }
        let mut reader = Reader::new(chunk);
        match reader.u8().ok_or(JournalError::Malformed {
            at: 0,
            what: "it is empty",
        })? {
            VERSION => {}
            other => return Err(JournalError::Version(other)),
        }
        let clock = reader.i64().ok_or(JournalError::Malformed {
            at: 1,
            what: "no base time",
        })?;
        if reader.is_empty() {
            return Err(JournalError::Malformed {
                at: reader.at(),
                what: "it holds no record",
            });
        }
        Ok(Self {
            reader,
            tracks: [None; SLOT_OTHER as usize],
            clock,
            packet: Vec::with_capacity(RTP_PACKET_BYTES_MAX),
            event: JournalEvent::CallStarted {},
        })
    }

    /// The next record; `None` after the last.
    pub fn next_record(&mut self) -> Result<Option<RecordRef<'_>>, JournalError> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let byte = self.byte("no tag")?;
        let (kind, slot) = (byte & 0xf0, byte & 0x0f);
        let opened = match kind {
            tag::EVENT if slot == 0 => {
                self.read_event()?;
                let at = Timestamp::from_micros(self.clock);
                return Ok(Some(RecordRef::Event {
                    at,
                    event: &self.event,
                }));
            }
            tag::RTP_WHOLE => self.read_whole(slot, PacketKind::Rtp)?,
            tag::RTCP_WHOLE => self.read_whole(slot, PacketKind::Rtcp)?,
            tag::RTP_NEXT => self.read_predicted(slot, false)?,
            tag::RTP_DIFFERS => self.read_predicted(slot, true)?,
            _ => return Err(self.malformed("the tag is unknown")),
        };
        self.clock = opened.arrived;
        let arrived = Timestamp::from_micros(opened.arrived);
        let Opened { stream, kind, .. } = opened;
        Ok(Some(RecordRef::Packet {
            stream,
            arrived,
            kind,
            bytes: &self.packet,
        }))
    }

    fn read_event(&mut self) -> Result<(), JournalError> {
        self.clock = self.clock.wrapping_add(self.signed()?);
        let byte_len = self.length(EVENT_BYTES_MAX)?;
        let json = self.bytes(byte_len)?;
        self.event =
            from_canonical(json).map_err(|_| self.malformed("an event is not canonical JSON"))?;
        Ok(())
    }

    fn read_whole(&mut self, slot: u8, kind: PacketKind) -> Result<Opened, JournalError> {
        let stream = if slot == SLOT_OTHER {
            let number = u16::try_from(self.varint()?)
                .map_err(|_| self.malformed("a stream number is too large"))?;
            StreamNumber(number)
        } else {
            StreamNumber(u16::from(slot) + 1)
        };
        if slot_of(stream) != slot {
            return Err(self.malformed("a stream number stands in the wrong place"));
        }
        let delta = self.signed()?;
        let byte_len = self.length(RTP_PACKET_BYTES_MAX)?;
        let bytes = self.bytes(byte_len)?;
        self.packet.clear();
        self.packet.extend_from_slice(bytes);
        let header = match kind {
            PacketKind::Rtp => bytes
                .first_chunk::<HEADER_BYTES>()
                .map(|first| Header::read(*first)),
            PacketKind::Rtcp => None,
        };
        let arrived = match (self.tracks.get_mut(usize::from(slot)), header) {
            (Some(place), Some(header)) => {
                let expected = place.as_ref().map_or(self.clock, |track| track.arrived);
                let arrived = expected.wrapping_add(delta);
                *place = Some(Track::restart(place.as_ref(), header, byte_len, arrived));
                arrived
            }
            _ => self.clock.wrapping_add(delta),
        };
        Ok(Opened {
            stream,
            arrived,
            kind,
        })
    }

    fn read_predicted(&mut self, slot: u8, differs: bool) -> Result<Opened, JournalError> {
        let Some(mut track) = self.tracks.get(usize::from(slot)).copied().flatten() else {
            return Err(self.malformed("a packet follows none of its stream"));
        };
        let late = self.signed()?;
        let (difference, byte_len) = if differs {
            self.read_difference(track.byte_len)?
        } else {
            (Difference::default(), track.byte_len)
        };
        let header = track.header_with(difference);
        let arrived = track.arrival_of(header).wrapping_add(late);
        let payload_len = byte_len
            .checked_sub(HEADER_BYTES)
            .ok_or_else(|| self.malformed("a packet is shorter than its header"))?;
        let payload = self.bytes(payload_len)?;
        self.packet.clear();
        self.packet.extend_from_slice(&header.write());
        self.packet.extend_from_slice(payload);
        track.follow(header, byte_len, arrived);
        if let Some(place) = self.tracks.get_mut(usize::from(slot)) {
            *place = Some(track);
        }
        Ok(Opened {
            stream: StreamNumber(u16::from(slot) + 1),
            arrived,
            kind: PacketKind::Rtp,
        })
    }

    fn read_difference(&mut self, last_len: usize) -> Result<(Difference, usize), JournalError> {
        let flags = self.byte("no flags")?;
        if flags & !(differs::SECOND | differs::SKIPPED | differs::SHIFTED | differs::LENGTH) != 0 {
            return Err(self.malformed("a flag is unknown"));
        }
        let set = |bit: u8| flags & bit != 0;
        let mut difference = Difference::default();
        if set(differs::SECOND) {
            difference.second = Some(self.byte("no second byte")?);
        }
        if set(differs::SKIPPED) {
            difference.skipped = i16::try_from(self.signed()?)
                .map_err(|_| self.malformed("too many sequence numbers are skipped"))?;
        }
        if set(differs::SHIFTED) {
            difference.shifted = i32::try_from(self.signed()?)
                .map_err(|_| self.malformed("a timestamp is shifted too far"))?;
        }
        let byte_len = if set(differs::LENGTH) {
            self.length(RTP_PACKET_BYTES_MAX)?
        } else {
            last_len
        };
        Ok((difference, byte_len))
    }

    fn length(&mut self, max: usize) -> Result<usize, JournalError> {
        usize::try_from(self.varint()?)
            .ok()
            .filter(|byte_len| *byte_len <= max)
            .ok_or_else(|| self.malformed("a length is too large"))
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, JournalError> {
        self.reader.u8().ok_or_else(|| self.malformed(what))
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], JournalError> {
        self.reader
            .take(count)
            .ok_or_else(|| self.malformed("it ends within a record"))
    }

    fn varint(&mut self) -> Result<u64, JournalError> {
        self.reader
            .varint()
            .ok_or_else(|| self.malformed("a number is cut or badly coded"))
    }

    fn signed(&mut self) -> Result<i64, JournalError> {
        self.reader
            .signed()
            .ok_or_else(|| self.malformed("a number is cut or badly coded"))
    }

    const fn malformed(&self, what: &'static str) -> JournalError {
        JournalError::Malformed {
            at: self.reader.at(),
            what,
        }
    }
}
