//! Media that waits in memory: until the notice of its line was heard, or until somebody asks to keep
//! the call. It is never written: it becomes part of the journal from some moment on, or is wiped.

use super::counts::MediaCounts;
use super::room::Room;
use super::session::Dated;
use std::collections::VecDeque;
use std::sync::Arc;
use voicelog_archive::journal::{ChunkBuilder, ChunkReader, JournalEvent, PacketKind, RecordRef};
use voicelog_model::{StreamNumber, Timestamp};
use zeroize::Zeroizing;

/// What waits of one call for its notice at most, in bytes: more than a minute of two streams of
/// G.711. Beyond, the oldest is dropped.
const NOTICE_BYTES_MAX: usize = 2 << 20;
/// What waits for somebody to ask, in bytes for each second and stream: twice what G.711 takes, and
/// enough for every codec but L16.
const LOOK_BACK_BYTES_A_SECOND: usize = 20_000;
/// A chunk of what was released; the next one begins when it is this long.
const CHUNK_BYTES: usize = 64 << 10;

/// What waits for somebody to ask to keep the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LookBack {
    /// From when on it may be held: what arrived earlier is not.
    pub(crate) from: Timestamp,
    /// For how long, in microseconds.
    pub(crate) reach: i64,
}

/// What waits of one call.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What arrives now.
    pub(super) journal: ChunkBuilder,
    /// What arrived before, with the moment at which it was put by.
    chunks: VecDeque<(Timestamp, Zeroizing<Vec<u8>>)>,
    bytes: usize,
    bytes_max: usize,
    /// How long it waits at most, in microseconds.
    reach: i64,
    /// It waits for somebody to ask, from this moment on.
    look_back: Option<Timestamp>,
    /// Since when nothing of it was dropped.
    whole_since: Timestamp,
    /// What came of the packets.
    pub(super) counts: MediaCounts,
    room: Arc<Room>,
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
    pub(super) fn new(reach: i64, room: Arc<Room>) -> Self {
        Self {
            journal: ChunkBuilder::new(),
            chunks: VecDeque::new(),
            bytes: 0,
            bytes_max: NOTICE_BYTES_MAX,
            reach,
            look_back: None,
            whole_since: Timestamp::from_micros(i64::MIN),
            counts: MediaCounts::default(),
            room,
        }
    }

    /// Nothing yet, for somebody to ask for.
    pub(super) fn for_look_back(look_back: LookBack, streams: usize, room: Arc<Room>) -> Self {
        let LookBack { from, reach } = look_back;
        let mut waiting = Self::new(reach, room);
        (waiting.look_back, waiting.whole_since) = (Some(from), from);
        waiting.make_room_for(streams);
        waiting
    }

    /// So many streams wait: each has its part of the bytes.
    pub(super) fn make_room_for(&mut self, streams: usize) {
        if self.look_back.is_some() {
            let seconds = usize::try_from(self.reach / 1_000_000).unwrap_or(0) + 1;
            self.bytes_max = streams.max(1) * seconds * LOOK_BACK_BYTES_A_SECOND;
        }
    }

    /// What arrived before is not taken in.
    pub(super) fn from(&self) -> Timestamp {
        self.look_back
            .unwrap_or_else(|| Timestamp::from_micros(i64::MIN))
    }

    /// Drops what waits for somebody to ask, and begins again: the clock was set, so that nobody can
    /// tell how far back it reaches, or the call is a private one.
    pub(super) fn start_anew(&mut self, now: Timestamp) {
        if self.look_back.is_some() {
            (self.look_back, self.whole_since) = (Some(now), now);
            drop(Zeroizing::new(std::mem::take(&mut self.journal).take()));
            while self.drop_front() {}
            self.whole_since = now;
        }
    }

    /// RTP packets that wait, those included that were dropped for being old.
    pub(super) const fn packets(&self) -> u64 {
        self.counts.kept
    }

    /// Puts by what arrived since the last time. Whether there was anything.
    pub(super) fn put_by(&mut self, now: Timestamp) -> bool {
        let is_anything = self.close(now);
        while let Some(at) = self.oldest()
            && (now.micros_since(at) > self.reach || self.bytes > self.bytes_max)
        {
            self.drop_front();
        }
        is_anything
    }

    /// The same, and drops nothing for it: what is released next needs no more room.
    pub(super) fn close(&mut self, now: Timestamp) -> bool {
        if self.journal.is_empty() {
            return false;
        }
        // A new buffer each time, as long as what is in it: the old one is wiped when it is dropped.
        let mut journal = std::mem::take(&mut self.journal);
        let chunk = Zeroizing::new(Zeroizing::new(journal.take()).to_vec());
        self.bytes += chunk.len();
        self.room.take(chunk.len());
        self.chunks.push_back((now, chunk));
        true
    }

    /// A copy of what was put by last.
    pub(super) fn newest(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.chunks.back().map(|(_, chunk)| chunk.clone())
    }

    /// When the oldest that is there was put by.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.chunks.front().map(|(at, _)| *at)
    }

    /// Drops the oldest. Whether there was any.
    pub(super) fn drop_front(&mut self) -> bool {
        let Some((at, oldest)) = self.chunks.pop_front() else {
            return false;
        };
        self.bytes -= oldest.len();
        self.room.give_back(oldest.len());
        self.whole_since = self.whole_since.max(at);
        true
    }

    /// From when on it is there, at `wanted` at the earliest.
    pub(super) fn whole_from(&self, wanted: Timestamp) -> Timestamp {
        self.whole_since.max(wanted)
    }

    /// What arrived from that moment on and was put by, behind these events; the rest is wiped.
    pub(super) fn release(self, from: Timestamp, events: &[Dated]) -> Released {
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

impl Drop for Waiting {
    fn drop(&mut self) {
        self.room.give_back(self.bytes);
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
        let room = Arc::new(Room::new(usize::MAX));
        fill(Waiting::new(reach, room), packets)
    }

    fn fill(mut waiting: Waiting, packets: u16) -> Waiting {
        for number in 0..packets {
            let arrived = at(i64::from(number) * 20);
            let packet = packet(number);
            let (stream, kind) = (StreamNumber(1), PacketKind::Rtp);
            let pushed = waiting.journal.push_packet(stream, arrived, kind, &packet);
            pushed.unwrap();
            waiting.counts.kept += 1;
            if number % 15 == 14 {
                assert!(waiting.put_by(arrived) && waiting.newest().is_some());
            }
        }
        waiting
    }

    /// The same, and the law has answered.
    fn put_by(mut waiting: Waiting) -> Waiting {
        waiting.close(at(0));
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
        let released = put_by(waiting(700, 60 * SECOND)).release(at(2_000), &[permitted, later]);
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
        let released = put_by(waiting).release(at(0), &[]);
        let oldest = times(&released)[0];
        assert!(at(60_000).micros_since(oldest) <= 6 * SECOND);
    }

    #[test]
    fn however_much_comes_the_memory_is_bounded() {
        let waiting = waiting(20_000, i64::MAX);
        assert!(waiting.bytes <= NOTICE_BYTES_MAX);
        assert_eq!(waiting.packets(), 20_000);
    }

    #[test]
    fn events_are_kept_also_where_no_packet_waits() {
        let event = (at(0), JournalEvent::NoticeMissed {});
        let room = Arc::new(Room::new(0));
        let released = Waiting::new(SECOND, room).release(at(0), &[event]);
        assert_eq!(times(&released), [at(0)]);
    }

    #[test]
    fn a_look_back_of_g711_fits_with_room_to_spare_and_gives_its_memory_back() {
        let room = Arc::new(Room::new(usize::MAX));
        let (from, reach) = (at(0), 30 * SECOND);
        let look_back = LookBack { from, reach };
        let waiting = Waiting::for_look_back(look_back, 1, Arc::clone(&room));
        let waiting = fill(waiting, 5_000);
        let a_second = room.used() / 30;
        assert!(
            (8_000..10_000).contains(&a_second),
            "{a_second} bytes a second"
        );
        assert_eq!((waiting.bytes, waiting.packets()), (room.used(), 5_000));
        // The last packet came at 99.98 s; of 300 ms each, whole chunks are there.
        let from = waiting.whole_from(at(69_980));
        assert!(at(69_980).micros_since(from).abs() <= SECOND / 2);
        drop(waiting);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_was_dropped_moves_the_beginning_of_what_is_whole() {
        let room = Arc::new(Room::new(usize::MAX));
        let (from, reach) = (at(0), 60 * SECOND);
        let mut waiting = Waiting::for_look_back(LookBack { from, reach }, 1, room);
        waiting = fill(waiting, 100);
        assert_eq!(waiting.whole_from(at(-5_000)), at(0));
        // The first chunk was put by with packet 14.
        assert_eq!(waiting.oldest(), Some(at(280)));
        assert!(waiting.drop_front());
        assert_eq!(waiting.whole_from(at(0)), at(280));
        waiting.start_anew(at(3_600_000));
        assert_eq!((waiting.bytes, waiting.from()), (0, at(3_600_000)));
        assert_eq!(waiting.whole_from(at(0)), at(3_600_000));
    }

    #[test]
    fn what_is_said_to_be_whole_is_also_where_the_room_is_full_when_it_is_released() {
        let room = Arc::new(Room::new(usize::MAX));
        let (from, reach) = (at(0), 60 * SECOND);
        let mut waiting = Waiting::for_look_back(LookBack { from, reach }, 1, room);
        // A chunk is 15 packets; of the last one, ten came since the law was asked.
        waiting.bytes_max = 5 * 15 * 182;
        let mut waiting = fill(waiting, 160);
        assert!(waiting.bytes + 10 * 180 > waiting.bytes_max);
        waiting.close(at(0));
        let whole_from = waiting.whole_from(at(0));
        let released = waiting.release(whole_from, &[]);
        let first = times(&released)[0];
        assert!(first.micros_since(whole_from) <= 20_000, "{released:?}");
        assert_eq!(times(&released).last(), Some(&at(159 * 20)));
    }
}
