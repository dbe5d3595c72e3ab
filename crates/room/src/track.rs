//! A track: what one device of a participant records.

use crate::chunk::Hash;
use crate::state::TrackState;
use serde::Serialize;
use tokio::sync::oneshot;
use voicelog_archive::journal::Cause;
use voicelog_model::{StreamNumber, Timestamp};

/// After so long without anything, everybody sees that nothing comes: 10 s.
const SILENT_MICROS: i64 = 10_000_000;
/// After so long without anything, a track is taken to be interrupted: 90 s.
const INTERRUPTED_MICROS: i64 = 90_000_000;

/// Payload type of Opus, of which a packet lasts 20 ms.
pub(crate) const OPUS: u8 = 111;
/// Payload type of samples, of which a packet lasts 10 ms.
pub(crate) const SAMPLES: u8 = 112;

/// Where a track is: what its device has to know to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackPlace {
    /// Its number.
    pub track: u16,
    /// Microseconds since it began.
    pub now_us: i64,
    /// The first chunk that is not on the disk.
    pub next: u32,
    /// The chain after all that were taken: 64 hexadecimal digits.
    pub chain: String,
    /// Whether more can come.
    pub is_open: bool,
}

/// A track on the side of the server.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) number: StreamNumber,
    /// Place of its owner among the seats.
    pub(crate) owner: usize,
    pub(crate) began: Timestamp,
    pub(crate) payload_type: u8,
    /// Chunks that were taken.
    pub(crate) taken: u32,
    /// Of those, how many are on the disk.
    pub(crate) durable: u32,
    /// The chain after the last chunk taken.
    pub(crate) chain: Hash,
    /// The chain after the last chunk on the disk.
    pub(crate) durable_chain: Hash,
    /// The first four bytes of the digest of each: enough to tell a repetition from another chunk.
    pub(crate) digests: Vec<[u8; 4]>,
    /// Who waits for a chunk to be on the disk.
    pub(crate) waiting: Vec<(u32, oneshot::Sender<u32>)>,
    /// The latest frame, in microseconds since it began.
    pub(crate) latest: i64,
    /// The last packet that was kept.
    pub(crate) last_packet: Option<Timestamp>,
    /// Its device said that it records nothing since then, and why.
    pub(crate) interrupted: Option<(Timestamp, Cause)>,
    /// The time of the last event in the journal about this stream alone.
    pub(crate) last_change: Timestamp,
    /// What was captured from then on is not kept: its owner left, or it ended.
    pub(crate) stopped: Option<Timestamp>,
    pub(crate) is_open: bool,
    /// What is missing at its end is declared.
    pub(crate) is_concluded: bool,
    /// When something came, or it began.
    pub(crate) heard_at: Timestamp,
    /// What everybody was last told of its silence.
    pub(crate) told: Silence,
}

/// How quiet a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Silence {
    /// Something came lately.
    None,
    /// Nothing for ten seconds.
    Short,
    /// Nothing for ninety.
    Long,
}

impl Track {
    pub(crate) fn new(
        number: StreamNumber,
        owner: usize,
        payload_type: u8,
        began: Timestamp,
    ) -> Self {
        Self {
            number,
            owner,
            began,
            payload_type,
            taken: 0,
            durable: 0,
            chain: Hash::default(),
            durable_chain: Hash::default(),
            digests: Vec::new(),
            waiting: Vec::new(),
            latest: 0,
            last_packet: None,
            interrupted: None,
            last_change: began,
            stopped: None,
            is_open: true,
            is_concluded: false,
            heard_at: began,
            told: Silence::None,
        }
    }

    /// How long a packet lasts. Its moment is that of its last sample.
    pub(crate) const fn packet_micros(&self) -> i64 {
        match self.payload_type {
            SAMPLES => 10_000,
            _ => 20_000,
        }
    }

    pub(crate) fn silence(&self, now: Timestamp) -> Silence {
        match now.micros_since(self.heard_at) {
            _ if !self.is_open => Silence::None,
            INTERRUPTED_MICROS.. => Silence::Long,
            SILENT_MICROS.. => Silence::Short,
            _ => Silence::None,
        }
    }

    pub(crate) fn place(&self, now: Timestamp) -> TrackPlace {
        TrackPlace {
            track: self.number.0,
            now_us: now.micros_since(self.began),
            next: self.durable,
            chain: self.durable_chain.to_string(),
            is_open: self.is_open,
        }
    }

    pub(crate) fn state(&self, now: Timestamp) -> TrackState {
        let silent = now.micros_since(self.heard_at) / 1_000_000;
        let is_interrupted = self.interrupted.is_some() || self.silence(now) == Silence::Long;
        TrackState {
            track: self.number.0,
            is_open: self.is_open,
            is_interrupted: self.is_open && is_interrupted,
            silent_for_s: match self.is_open {
                true => u64::try_from(silent).unwrap_or(0),
                false => 0,
            },
        }
    }

    /// The first chunks up to that one are on the disk.
    pub(crate) fn is_on_disk(&mut self, taken: u32, chain: Hash) {
        if taken > self.durable {
            (self.durable, self.durable_chain) = (taken, chain);
        }
        let next = self.durable;
        for (number, waiting) in std::mem::take(&mut self.waiting) {
            if number < next {
                // Whoever stopped waiting asks again.
                let _is_gone = waiting.send(next);
            } else {
                self.waiting.push((number, waiting));
            }
        }
    }
}
