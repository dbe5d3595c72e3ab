//! Packets of a stream of which it is not known yet whether they are the client's: they wait in
//! memory, and become part of the journal, each with the moment of its arrival, or are wiped.

use voicelog_model::Timestamp;
use zeroize::Zeroizing;

/// What waits of one stream at most, in bytes: two seconds of linear sound at 48 kHz.
const BYTES_MAX: usize = 256 << 10;

/// What waits of one stream.
#[derive(Debug, Default)]
pub(super) struct Doubted {
    packets: Vec<(Timestamp, Zeroizing<Vec<u8>>)>,
    bytes: usize,
}

impl Doubted {
    /// Puts a packet by. False if there is no room for it.
    pub(super) fn put_by(&mut self, arrived: Timestamp, packet: &[u8]) -> bool {
        let has_room = self.bytes + packet.len() <= BYTES_MAX;
        if has_room {
            self.bytes += packet.len();
            self.packets
                .push((arrived, Zeroizing::new(packet.to_vec())));
        }
        has_room
    }

    /// When the first of them arrived.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.packets.first().map(|(arrived, _)| *arrived)
    }

    /// Our clock was set: the same moments are meant.
    pub(super) fn on_clock_step(&mut self, by_us: i64) {
        for (arrived, _) in &mut self.packets {
            *arrived = arrived.plus_micros(by_us);
        }
    }

    /// All of them, in order; nothing waits any more.
    pub(super) fn take(&mut self) -> Vec<(Timestamp, Zeroizing<Vec<u8>>)> {
        self.bytes = 0;
        std::mem::take(&mut self.packets)
    }
}
