//! One call's media over real sockets, with the sweep and the commands called by hand.

mod changing;
mod packets;
mod permits;
mod reports;
mod waiting;

use super::intake::WAITING_BYTES_MAX;
use super::receive::{Receiver, SweepTime};
use super::session::{Dated, MediaSession};
use super::stream::StreamMedia;
use super::terms::StreamTerms;
use super::{Attention, Listening, LookBack, MediaCounts, OwnName, PauseOrder, Room, SharedCounts};
use crate::chunks::Chunks;
use crate::pace;
use crate::ports::MediaPorts;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use voicelog_archive::journal::{
    AskedBy, Cause, JournalEvent, KeyPacket, PacketKind, PauseReason, Record, ResumedBy,
    decode_chunk,
};
use voicelog_archive::line::{KeyAct, Sequence};
use voicelog_model::{
    Codec, DecisionId, Format, MediaStream, RecordingId, StreamNumber, Timestamp,
};
use voicelog_srs::srtp::{ControlProtector, MasterKey, Suite, Unprotector};

const SSRC: u32 = 0xdead_beef;

struct Bench {
    session: MediaSession,
    receiver: Receiver,
    shared: Arc<SharedCounts>,
    rtp: Vec<SocketAddr>,
    client: UdpSocket,
}

fn now() -> Timestamp {
    Timestamp::from_micros(pace::kernel_micros().unwrap())
}

/// Memory without end.
fn room() -> Arc<Room> {
    Arc::new(Room::new(usize::MAX))
}

fn format(payload_type: u8, encoding: &str) -> Format {
    Format {
        codec: Codec::read(encoding).unwrap(),
        payload_type,
        parameters: None,
    }
}

fn rtp(payload_type: u8, sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    bytes.extend_from_slice(&ssrc.to_be_bytes());
    bytes.extend_from_slice(&[0xd5; 160]);
    bytes
}

/// What the reports of the bench are protected with; its media is not.
fn our_key() -> MasterKey {
    MasterKey::of_random(Suite::AeadAes128Gcm, &[3; 64])
}

impl Bench {
    fn new(streams: u16) -> Self {
        Self::of(streams, &[format(8, "PCMA")], false)
    }

    fn of(streams: u16, formats: &[Format], keep_keys: bool) -> Self {
        let mut ports = MediaPorts::new([127, 0, 0, 1].into(), 0..=0);
        let shared = Arc::new(SharedCounts::default());
        let mut rtp = Vec::new();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let offered = client.local_addr().unwrap();
        let streams = (1..=streams)
            .map(|number| {
                let pair = ports.bind().unwrap();
                rtp.push(pair.address);
                let stream = MediaStream::of_formats(StreamNumber(number), formats).unwrap();
                let terms = StreamTerms::new(&stream, keep_keys);
                let protector = ControlProtector::new(&our_key());
                let own = OwnName::of_random([5; 20]);
                let terms = terms.reporting(own, 8_000, true, protector);
                StreamMedia::new(terms, pair, Some(offered))
            })
            .collect();
        let id = RecordingId::new(now(), [1; 10]);
        Self {
            session: MediaSession::new(id, streams, Arc::clone(&shared)),
            receiver: Receiver::new(),
            shared,
            rtp,
            client,
        }
    }

    /// A bench of one stream on which a key of the participant is listened for.
    fn listening() -> Self {
        let formats = [format(8, "PCMA"), format(101, "telephone-event/8000")];
        let mut bench = Self::of(1, &formats, false);
        let sequence = Sequence::try_from("1".to_owned()).unwrap();
        let listening = Listening {
            party: Some("p2".to_owned()),
            acts: Arc::new(vec![(sequence, KeyAct::Consent)]),
        };
        bench.session.listen(&[(StreamNumber(1), listening)], 0);
        bench
    }

    /// A bench of one stream of A-law whose packets are kept from now on.
    fn keeping() -> Self {
        let mut bench = Self::new(1);
        bench.keep();
        bench
    }

    /// The law permits, from now on.
    fn keep(&mut self) {
        self.session.keep(now(), Vec::new(), false);
    }

    /// The client says something: a packet of A-law with this number.
    fn say(&self, sequence: u16) {
        self.send(&rtp(8, sequence, SSRC));
    }

    fn send(&self, bytes: &[u8]) {
        self.client.send_to(bytes, self.rtp[0]).unwrap();
    }

    fn sweep(&mut self) {
        let time = SweepTime::of_kernel();
        self.session.sweep(&mut self.receiver, time, true);
    }

    fn close(&mut self, since: Timestamp, events: Vec<Dated>, cause: Option<Cause>) {
        let time = SweepTime::of_kernel();
        self.session
            .close(&mut self.receiver, time, since, events, cause);
    }

    fn pause(&mut self, millis: i64) {
        let order = PauseOrder {
            reason: PauseReason::CardData,
            by: AskedBy::Program,
            party: None,
            micros: millis * 1_000,
        };
        let time = SweepTime::of_kernel();
        let status = self.session.pause(&mut self.receiver, time, order);
        assert!(status.is_some());
    }

    fn resume(&mut self) -> bool {
        let time = SweepTime::of_kernel();
        self.session.resume(time, ResumedBy::Program)
    }

    /// What the writer would get now.
    fn handed_over(&mut self) -> Option<Vec<u8>> {
        let mut chunks = Chunks::default();
        self.session.hand_over(now(), &mut chunks);
        chunks.iter().next().map(|(_, chunk)| chunk.to_vec())
    }

    fn counts(&self) -> MediaCounts {
        self.shared.read()
    }

    fn end(mut self) -> Vec<Record> {
        let at = now();
        let ended = vec![(
            at,
            JournalEvent::CallEnded {
                cause: Cause::RecordingClient,
            },
        )];
        let last = self
            .session
            .end(&mut self.receiver, SweepTime::of_kernel(), at, ended);
        last.map_or_else(Vec::new, |chunk| decode_chunk(&chunk).unwrap())
    }
}

fn sequences(records: &[Record]) -> Vec<u16> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Packet {
                bytes,
                kind: PacketKind::Rtp,
                ..
            } => Some(u16::from_be_bytes([bytes[2], bytes[3]])),
            _ => None,
        })
        .collect()
}

fn events(records: &[Record]) -> Vec<&JournalEvent> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Event { event, .. } => Some(event),
            Record::Packet { .. } => None,
        })
        .collect()
}
