//! Plain framing: the original as a bundle carries it, one file for each stream and one for the
//! events, easy to read in any language.
//!
//! Every record carries its index in the journal, so that the files together give the journal
//! back in its order, and a missing record shows. The same framing is what the leaves of a
//! stream's tree hash. Format: `design/evidence-format.md`, "Original".

use crate::canonical::{canonical_json, from_canonical};
use crate::journal::{EVENT_BYTES_MAX, JournalEvent, PacketKind, RecordRef};
use crate::wire::Reader;
use voicelog_model::limits::RTP_PACKET_BYTES_MAX;
use voicelog_model::{Kind, StreamNumber, Timestamp};

/// What an original file starts with.
pub const MAGIC: [u8; 8] = *b"VLOG-ORG";
/// Version of the framing that is written.
pub const VERSION: u16 = 1;
/// Magic, version and stream.
pub const HEADER_BYTES: usize = 8 + 2 + 2;
/// Bytes of a record besides its content.
pub const RECORD_HEADER_BYTES: usize = 8 + 8 + 1 + 4;
/// The stream number in the header of the file of events. No media stream has it.
pub const EVENTS: StreamNumber = StreamNumber(0);

const KIND_EVENT: u8 = 0;
const KIND_RTP: u8 = 1;
const KIND_RTCP: u8 = 2;

/// Why an original cannot be read, or an event not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginalError {
    /// Another kind of file.
    #[error("this is no original file")]
    NotAnOriginal,
    /// Written by a newer voicelog.
    #[error("original has version {0}, which this program does not know")]
    Version(u16),
    /// It is the file of another stream.
    #[error("original is of stream {found}, not of stream {expected}")]
    Stream {
        /// The stream that was asked for.
        expected: StreamNumber,
        /// The stream in its header.
        found: StreamNumber,
    },
    /// Damaged, or not what a writer makes.
    #[error("original is malformed at byte {at}: {what}")]
    Malformed {
        /// Where reading stopped.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// An event that has no canonical JSON.
    #[error("an event holds a number out of range")]
    EventUnwritable,
}

impl OriginalError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::EventUnwritable => Kind::Invalid,
            Self::NotAnOriginal
            | Self::Version(_)
            | Self::Stream { .. }
            | Self::Malformed { .. } => Kind::Corrupt,
        }
    }
}

/// The header of the file of a stream, or of [`EVENTS`].
#[must_use]
pub fn header(stream: StreamNumber) -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_be_bytes(), &stream.0.to_be_bytes()].concat()
}

/// Frames one packet: index, arrival, kind, length, the packet itself.
#[must_use]
pub fn packet_frame_header(
    index: u64,
    arrived: Timestamp,
    kind: PacketKind,
    packet: &[u8],
) -> [u8; RECORD_HEADER_BYTES] {
    let kind = match kind {
        PacketKind::Rtp => KIND_RTP,
        PacketKind::Rtcp => KIND_RTCP,
    };
    frame_header(index, arrived, kind, packet.len())
}

/// Appends a record to the bytes of its file.
pub fn put_record(
    index: u64,
    record: RecordRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), OriginalError> {
    match record {
        RecordRef::Packet {
            arrived,
            kind,
            bytes,
            ..
        } => {
            out.extend_from_slice(&packet_frame_header(index, arrived, kind, bytes));
            out.extend_from_slice(bytes);
        }
        RecordRef::Event { at, event } => {
            let json = canonical_json(event).map_err(|_| OriginalError::EventUnwritable)?;
            out.extend_from_slice(&frame_header(index, at, KIND_EVENT, json.len()));
            out.extend_from_slice(&json);
        }
    }
    Ok(())
}

/// Reads the packets of one stream with their indices, which grow. They borrow from `bytes`.
pub fn read_packets(
    stream: StreamNumber,
    bytes: &[u8],
) -> Result<Vec<(u64, RecordRef<'_>)>, OriginalError> {
    read(stream, bytes, |frame| {
        let kind = match frame.kind {
            KIND_RTP => PacketKind::Rtp,
            KIND_RTCP => PacketKind::Rtcp,
            KIND_EVENT => return Err(WRONG_FILE),
            _ => return Err(UNKNOWN_KIND),
        };
        let Frame {
            index,
            time: arrived,
            content: bytes,
            ..
        } = frame;
        Ok((
            index,
            RecordRef::Packet {
                stream,
                arrived,
                kind,
                bytes,
            },
        ))
    })
}

/// Reads the events with their indices, which grow.
pub fn read_events(bytes: &[u8]) -> Result<Vec<(u64, Timestamp, JournalEvent)>, OriginalError> {
    read(EVENTS, bytes, |frame| match frame.kind {
        KIND_EVENT => {
            let event =
                from_canonical(frame.content).map_err(|_| "an event is not canonical JSON")?;
            Ok((frame.index, frame.time, event))
        }
        KIND_RTP | KIND_RTCP => Err(WRONG_FILE),
        _ => Err(UNKNOWN_KIND),
    })
}

const WRONG_FILE: &str = "a record stands in the wrong file";
const UNKNOWN_KIND: &str = "the kind of a record is unknown";
const CUT: &str = "it ends within a record";

/// One record as it is framed.
struct Frame<'a> {
    index: u64,
    time: Timestamp,
    kind: u8,
    content: &'a [u8],
}

fn read<'a, T>(
    stream: StreamNumber,
    bytes: &'a [u8],
    record: impl Fn(Frame<'a>) -> Result<T, &'static str>,
) -> Result<Vec<T>, OriginalError> {
    let mut reader = Reader::new(bytes);
    if reader.array() != Some(MAGIC) {
        return Err(OriginalError::NotAnOriginal);
    }
    match reader.u16().ok_or(OriginalError::NotAnOriginal)? {
        VERSION => {}
        other => return Err(OriginalError::Version(other)),
    }
    let found = StreamNumber(reader.u16().ok_or(OriginalError::NotAnOriginal)?);
    if found != stream {
        return Err(OriginalError::Stream {
            expected: stream,
            found,
        });
    }
    let mut records = Vec::new();
    let mut last = None;
    while !reader.is_empty() {
        let at = reader.at();
        let malformed = |what| OriginalError::Malformed { at, what };
        let frame = read_frame(&mut reader).map_err(malformed)?;
        if last.is_some_and(|last| frame.index <= last) {
            return Err(malformed("an index does not grow"));
        }
        last = Some(frame.index);
        records.push(record(frame).map_err(malformed)?);
    }
    Ok(records)
}

fn frame_header(
    index: u64,
    time: Timestamp,
    kind: u8,
    byte_len: usize,
) -> [u8; RECORD_HEADER_BYTES] {
    // Packets and events are far below 4 GiB: the journal bounds both.
    let byte_len = u32::try_from(byte_len).unwrap_or(u32::MAX).to_be_bytes();
    let parts = [
        &index.to_be_bytes()[..],
        &time.micros().to_be_bytes(),
        &[kind],
        &byte_len,
    ];
    let mut header = [0; RECORD_HEADER_BYTES];
    let mut rest = header.as_mut_slice();
    for part in parts {
        // Whole parts, not bytes: this is done for every packet.
        if let Some((place, after)) = std::mem::take(&mut rest).split_at_mut_checked(part.len()) {
            place.copy_from_slice(part);
            rest = after;
        }
    }
    header
}

fn read_frame<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>, &'static str> {
    let index = reader.u64().ok_or(CUT)?;
    let time = Timestamp::from_micros(reader.i64().ok_or(CUT)?);
    let kind = reader.u8().ok_or(CUT)?;
    let byte_len = usize::try_from(reader.u32().ok_or(CUT)?).unwrap_or(usize::MAX);
    let max = if kind == KIND_EVENT {
        EVENT_BYTES_MAX
    } else {
        RTP_PACKET_BYTES_MAX
    };
    if byte_len > max {
        return Err("a length is too large");
    }
    let content = reader.take(byte_len).ok_or(CUT)?;
    Ok(Frame {
        index,
        time,
        kind,
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Record;

    fn read(stream: StreamNumber, bytes: &[u8]) -> Result<Vec<(u64, Record)>, OriginalError> {
        let owned = |(index, record): (u64, RecordRef<'_>)| (index, record.to_record());
        read_packets(stream, bytes).map(|packets| packets.into_iter().map(owned).collect())
    }

    fn sample() -> (Vec<u8>, Vec<(u64, Record)>) {
        let packet = |kind, micros, bytes: &[u8]| Record::Packet {
            stream: StreamNumber(3),
            arrived: Timestamp::from_micros(micros),
            kind,
            bytes: bytes.to_vec(),
        };
        let records = vec![
            (1, packet(PacketKind::Rtp, 10, b"media")),
            (2, packet(PacketKind::Rtcp, -1, b"")),
            (9, packet(PacketKind::Rtp, 30, b"more")),
        ];
        let mut bytes = header(StreamNumber(3));
        for (index, record) in &records {
            put_record(*index, record.as_view(), &mut bytes).unwrap();
        }
        (bytes, records)
    }

    #[test]
    fn what_is_framed_is_read() {
        let (bytes, records) = sample();
        assert_eq!(bytes.len(), HEADER_BYTES + 3 * RECORD_HEADER_BYTES + 9);
        assert_eq!(read(StreamNumber(3), &bytes).unwrap(), records);
        let mut events = header(EVENTS);
        let at = Timestamp::from_micros(5);
        let event = JournalEvent::CallStarted {};
        put_record(0, RecordRef::Event { at, event: &event }, &mut events).unwrap();
        assert_eq!(read_events(&events).unwrap(), [(0, at, event)]);
        assert!(read_events(&bytes).is_err());
    }

    #[test]
    fn what_no_writer_makes_is_refused() {
        let (bytes, _) = sample();
        assert_eq!(
            read(StreamNumber(2), &bytes),
            Err(OriginalError::Stream {
                expected: StreamNumber(2),
                found: StreamNumber(3)
            })
        );
        for cut in 0..bytes.len() {
            let whole = [12, 38, 59].contains(&cut);
            assert_eq!(
                read(StreamNumber(3), &bytes[..cut]).is_ok(),
                whole,
                "cut at {cut}"
            );
        }
        let change = |at: usize, to: u8| {
            let mut changed = bytes.clone();
            changed[at] = to;
            read(StreamNumber(3), &changed).unwrap_err()
        };
        assert_eq!(change(9, 2), OriginalError::Version(2));
        assert_eq!(change(0, 0), OriginalError::NotAnOriginal);
        let malformed = |at, what| OriginalError::Malformed { at, what };
        assert_eq!(change(45, 1), malformed(38, "an index does not grow"));
        assert_eq!(
            change(28, 3),
            malformed(12, "the kind of a record is unknown")
        );
        assert_eq!(
            change(28, 0),
            malformed(12, "a record stands in the wrong file")
        );
        assert_eq!(change(29, 1), malformed(12, "a length is too large"));
    }
}
