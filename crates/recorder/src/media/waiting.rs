//! Media that waits in memory until the notice of its line was heard. It is never written: it
//! becomes part of the journal from the notice on, or is wiped.

use super::counts::MediaCounts;
use super::session::Dated;
use std::collections::VecDeque;
use voicelog_archive::journal::{ChunkBuilder, ChunkReader, JournalEvent, PacketKind, RecordRef};
use voicelog_model::{StreamNumber, Timestamp};
use zeroize::Zeroizing;

/// What waits of one call at most, in bytes: more than a minute of two streams of G.711. Beyond,
/// the oldest is dropped.
const BYTES_MAX: usize = 2 << 20;
/// A chunk of what was released; the next one begins when it is this long.
const CHUNK_BYTES: usize = 64 << 10;

/// What waits of one call.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What arrives now.
    pub(super) journal: ChunkBuilder,
    /// What arrived before, with the moment at which it was put by.
    chunks: VecDeque<(Timestamp, Zeroizing<Vec<u8>>)>,
    bytes: usize,
    /// How long it waits at most, in microseconds.
    reach: i64,
    /// What came of the packets.
    pub(super) counts: MediaCounts,
}

/// What became of what waited.
#[derive(Debug, Default)]
pub(super) struct Released {
    /// Chunks for the journal, in order.
    pub(super) chunks: Vec<Vec<u8>>,
    /// Packets in it, and streams that they are of.
    pub(super) counts: MediaCounts,
}

impl Waiting {
    /// Nothing yet; what is older than `reach` microseconds is dropped.
    pub(super) fn new(reach: i64) -> Self {
        Self {
            journal: ChunkBuilder::new(),
            chunks: VecDeque::new(),
            bytes: 0,
            reach,
            counts: MediaCounts::default(),
        }
    }

    /// RTP packets that wait, those included that were dropped for being old.
    pub(super) const fn packets(&self) -> u64 {
        self.counts.kept
    }

    /// Puts by what arrived since the last time, and gives a copy of it.
    pub(super) fn put_by(&mut self, now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
        if self.journal.is_empty() {
            return None;
        }
        // A new buffer each time: the old one is wiped when it is dropped.
        let mut journal = std::mem::take(&mut self.journal);
        let chunk = Zeroizing::new(journal.take());
        self.bytes += chunk.len();
        self.chunks.push_back((now, chunk.clone()));
        while let Some((at, oldest)) = self.chunks.front()
            && (now.micros_since(*at) > self.reach || self.bytes > BYTES_MAX)
        {
            self.bytes -= oldest.len();
            self.chunks.pop_front();
        }
        Some(chunk)
    }

    /// What arrived from that moment on, behind these events; the rest is wiped.
    pub(super) fn release(mut self, from: Timestamp, events: &[Dated]) -> Released {
        self.put_by(from);
        let mut released = Released::default();
        let mut journal = ChunkBuilder::new();
        let mut events = events.iter().peekable();
        for (_, chunk) in &self.chunks {
            let Ok(mut records) = ChunkReader::new(chunk) else {
                continue;
            };
            while let Ok(Some(record)) = records.next_record() {
                if record.time() < from {
                    continue;
                }
                while let Some((at, event)) = events.next_if(|(at, _)| *at <= record.time()) {
                    put_event(&mut journal, *at, event);
                }
                match record {
                    RecordRef::Packet {
                        stream,
                        arrived,
                        kind,
                        bytes,
                    } => {
                        if journal.push_packet(stream, arrived, kind, bytes).is_ok() {
                            count(&mut released.counts, stream, kind);
                        }
                    }
                    RecordRef::Event { at, event } => {
                        let is_key = matches!(event, JournalEvent::KeyLeftOut { .. });
                        released.counts.left_out += u64::from(is_key);
                        put_event(&mut journal, at, event);
                    }
                }
                if journal.byte_len() > CHUNK_BYTES {
                    released.chunks.push(journal.take());
                }
            }
        }
        for (at, event) in events {
            put_event(&mut journal, *at, event);
        }
        released.chunks.push(journal.take());
        released.chunks.retain(|chunk| !chunk.is_empty());
        released
    }
}

fn put_event(journal: &mut ChunkBuilder, at: Timestamp, event: &JournalEvent) {
    if let Err(error) = journal.push_event(at, event) {
        tracing::error!(%error, "an event of the journal is lost");
    }
}

fn count(counts: &mut MediaCounts, stream: StreamNumber, kind: PacketKind) {
    match kind {
        PacketKind::Rtp => {
            counts.kept += 1;
            counts.hear(stream);
        }
        PacketKind::Rtcp => counts.control += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_archive::journal::{Record, decode_chunk};

    const SECOND: i64 = 1_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000 * SECOND + millis * 1_000)
    }

    fn packet(number: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 8];
        packet.extend(number.to_be_bytes());
        packet.extend((u32::from(number) * 160).to_be_bytes());
        packet.extend([7; 164]);
        packet
    }

    /// Packets of 20 ms, put by as media threads do.
    fn waiting(packets: u16, reach: i64) -> Waiting {
        let mut waiting = Waiting::new(reach);
        for number in 0..packets {
            let arrived = at(i64::from(number) * 20);
            let packet = packet(number);
            let (stream, kind) = (StreamNumber(1), PacketKind::Rtp);
            let pushed = waiting.journal.push_packet(stream, arrived, kind, &packet);
            pushed.unwrap();
            waiting.counts.kept += 1;
            if number % 15 == 14 {
                assert!(waiting.put_by(arrived).is_some());
            }
        }
        waiting
    }

    fn times(released: &Released) -> Vec<Timestamp> {
        let chunks = released.chunks.iter();
        let records = chunks.flat_map(|chunk| decode_chunk(chunk).unwrap());
        records.map(|record| record.as_view().time()).collect()
    }

    #[test]
    fn what_arrived_from_the_moment_on_is_released_to_the_packet_behind_its_events() {
        let permitted = (at(2_000), JournalEvent::CallStarted {});
        let later = (at(2_050), JournalEvent::NoticeMissed {});
        let released = waiting(700, 60 * SECOND).release(at(2_000), &[permitted, later]);
        assert_eq!(released.counts.kept, 600);
        assert!(released.counts.has_heard(StreamNumber(1)));
        let first = decode_chunk(&released.chunks[0]).unwrap();
        assert!(matches!(first[0], Record::Event { .. }));
        assert!(matches!(first[1], Record::Packet { arrived, .. } if arrived == at(2_000)));
        assert!(matches!(first[4], Record::Event { at: told, .. } if told == at(2_050)));
        let times = times(&released);
        assert_eq!((times.len(), times.last()), (602, Some(&at(699 * 20))));
        assert!(times.is_sorted() && released.chunks.len() > 1);
    }

    #[test]
    fn what_is_older_than_it_may_be_is_dropped_however_long_the_call_waits() {
        let waiting = waiting(3_000, 5 * SECOND);
        assert!(waiting.bytes < 6 * 50 * 200, "{}", waiting.bytes);
        let released = waiting.release(at(0), &[]);
        let oldest = times(&released)[0];
        assert!(at(60_000).micros_since(oldest) <= 6 * SECOND);
    }

    #[test]
    fn however_much_comes_the_memory_is_bounded() {
        let waiting = waiting(20_000, i64::MAX);
        assert!(waiting.bytes <= BYTES_MAX);
        assert_eq!(waiting.packets(), 20_000);
    }

    #[test]
    fn events_are_kept_also_where_no_packet_waits() {
        let event = (at(0), JournalEvent::NoticeMissed {});
        let released = Waiting::new(SECOND).release(at(0), &[event]);
        assert_eq!(times(&released), [at(0)]);
    }
}
