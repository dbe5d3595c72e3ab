//! One run of a stream: packets of one source whose timestamps tell one time.
//!
//! Within a run the sender's clock says where each packet belongs; our clock says where the run
//! as a whole belongs, and how far the two drift apart. A packet's media ended at the latest when
//! it arrived, so the smallest delay between the two clocks is the best estimate of their offset.

use super::sequence::Ordered;

/// Media from which the offset of the two clocks is estimated, and after which it is estimated
/// anew: 10 s at 8 kHz.
const WINDOW_SAMPLES: u64 = 80_000;
/// A delay that grows by more than this, and stays, is a hole in the sender's time: 100 ms.
pub(super) const SHIFT_MICROS: i64 = 100_000;
/// Media after which a longer delay counts as staying: 2 s at 8 kHz.
const SHIFT_SAMPLES: u64 = 16_000;
/// How much further the sender's clock may jump than ours: 2 s. Beyond, the jump is not believed.
const JUMP_MICROS: i64 = 2_000_000;
/// Drift up to one packet of 20 ms is not worth stretching media for.
const DRIFT_MICROS_MIN: i64 = 20_000;
/// Most pieces of one run; what comes after is one undeclared gap.
pub(super) const PIECES_MAX: usize = 100_000;

/// What a piece of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Media,
    Loss,
    Silence,
    /// Our clock went on and the sender's did not.
    Shift,
    /// What is beyond [`PIECES_MAX`].
    Uncounted,
}

/// A stretch of a run, as long as its samples on the sender's clock, and `extra_us` more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) samples: u64,
    pub(super) extra_us: i64,
    pub(super) packets: u64,
    pub(super) lost: u64,
    /// Arrival of the packets before and after, in microseconds.
    pub(super) between: (i64, i64),
}

/// A run while its packets come in, in order.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pieces: Vec<Piece>,
    /// Samples up to the end of the last packet.
    position: u64,
    next_timestamp: u32,
    last_samples: u64,
    first_arrival_us: i64,
    last_arrival_us: i64,
    /// Lost packets that no audio followed yet.
    lost: u64,
    /// Sum of all shifts.
    shifted_us: i64,
    /// Smallest offset in the first window: where the run starts by our clock.
    offset_us: i64,
    /// Smallest offset in the window before this one, and in this one.
    window_us: [Option<i64>; 2],
    window_start: u64,
    rising: Option<Rising>,
}

/// A longer delay that may stay.
#[derive(Debug, Clone, Copy)]
struct Rising {
    /// Index of the first piece that is delayed.
    piece: usize,
    since: u64,
    offset_us: i64,
    arrivals: (i64, i64),
}

impl Run {
    /// Starts with the first audio packet.
    pub(super) fn start<T>(first: &Ordered<T>) -> Self {
        let unit = &first.unit;
        let mut run = Self {
            pieces: Vec::new(),
            position: 0,
            next_timestamp: unit.timestamp,
            last_samples: u64::from(unit.samples),
            first_arrival_us: unit.arrived_us,
            last_arrival_us: unit.arrived_us,
            lost: 0,
            shifted_us: 0,
            offset_us: i64::MAX,
            window_us: [None, None],
            window_start: 0,
            rising: None,
        };
        // Numbers missing before the first packet of a run lie outside it.
        run.add_audio(unit.timestamp, u64::from(unit.samples), unit.arrived_us);
        run
    }

    /// Adds the next packet in order; those without audio only count.
    pub(super) fn add<T>(&mut self, ordered: &Ordered<T>) {
        self.lost += ordered.lost_before;
        let unit = &ordered.unit;
        if unit.samples > 0 {
            self.add_audio(unit.timestamp, u64::from(unit.samples), unit.arrived_us);
        }
    }

    fn add_audio(&mut self, timestamp: u32, samples: u64, arrived_us: i64) {
        let between = (self.last_arrival_us, arrived_us);
        let hole = self.believable_hole(timestamp, arrived_us);
        let lost = std::mem::take(&mut self.lost);
        if hole > 0 {
            let kind = if lost > 0 {
                PieceKind::Loss
            } else {
                PieceKind::Silence
            };
            self.position += hole;
            self.push(Piece {
                kind,
                samples: hole,
                extra_us: 0,
                packets: 0,
                lost,
                between,
            });
        }
        self.position += samples;
        let offset_us = arrived_us
            .saturating_sub(micros(self.position))
            .saturating_sub(self.shifted_us);
        let delayed = self
            .reference()
            .is_some_and(|least| offset_us.saturating_sub(least) > SHIFT_MICROS);
        let separate = delayed && self.rising.is_none();
        self.push_media(samples, separate, between);
        if delayed {
            self.rise(offset_us, samples, between);
        } else {
            self.rising = None;
            self.settle(offset_us);
        }
        self.next_timestamp = timestamp.wrapping_add(u32::try_from(samples).unwrap_or(u32::MAX));
        self.last_samples = samples;
        self.last_arrival_us = self.last_arrival_us.max(arrived_us);
    }

    /// Samples by which the sender's clock jumped, as far as our clock can believe it.
    fn believable_hole(&self, timestamp: u32, arrived_us: i64) -> u64 {
        let jumped = timestamp.wrapping_sub(self.next_timestamp).cast_signed();
        let room_us = arrived_us.saturating_sub(self.last_arrival_us).max(0) + JUMP_MICROS;
        let counted = self.lost.saturating_mul(self.last_samples);
        [u64::try_from(jumped).unwrap_or(0), counted]
            .into_iter()
            .find(|samples| *samples > 0 && micros(*samples) <= room_us)
            .unwrap_or(0)
    }

    fn push_media(&mut self, samples: u64, separate: bool, between: (i64, i64)) {
        if let Some(last) = self.pieces.last_mut()
            && last.kind == PieceKind::Media
            && !separate
        {
            last.samples += samples;
            last.packets += 1;
            return;
        }
        let kind = PieceKind::Media;
        self.push(Piece {
            kind,
            samples,
            extra_us: 0,
            packets: 1,
            lost: 0,
            between,
        });
    }

    fn push(&mut self, piece: Piece) {
        if self.pieces.len() < PIECES_MAX {
            return self.pieces.push(piece);
        }
        if let Some(last) = self.pieces.last_mut() {
            last.kind = PieceKind::Uncounted;
            last.samples += piece.samples;
            last.packets += piece.packets;
            last.lost += piece.lost;
        }
    }

    fn reference(&self) -> Option<i64> {
        let [before, now] = self.window_us;
        before.or(now)
    }

    /// A packet without unusual delay: it takes part in the estimate of the offset.
    fn settle(&mut self, offset_us: i64) {
        if self.window_start == 0 {
            self.offset_us = self.offset_us.min(offset_us);
        }
        let [before, now] = &mut self.window_us;
        *now = Some(now.map_or(offset_us, |least| least.min(offset_us)));
        if self.position - self.window_start >= WINDOW_SAMPLES {
            (*before, *now) = (*now, None);
            self.window_start = self.position;
        }
    }

    /// A packet with unusual delay: once that stays for long enough, it is a hole.
    fn rise(&mut self, offset_us: i64, samples: u64, arrivals: (i64, i64)) {
        let rising = self.rising.get_or_insert(Rising {
            piece: self.pieces.len().saturating_sub(1),
            since: self.position - samples,
            offset_us,
            arrivals,
        });
        rising.offset_us = rising.offset_us.min(offset_us);
        let rising = *rising;
        if self.position - rising.since < SHIFT_SAMPLES || self.pieces.len() >= PIECES_MAX {
            return;
        }
        let extra_us = rising
            .offset_us
            .saturating_sub(self.reference().unwrap_or(0));
        self.shifted_us = self.shifted_us.saturating_add(extra_us);
        let kind = PieceKind::Shift;
        let piece = Piece {
            kind,
            samples: 0,
            extra_us,
            packets: 0,
            lost: 0,
            between: rising.arrivals,
        };
        self.pieces.insert(rising.piece, piece);
        self.rising = None;
    }

    /// Where the run starts by our clock, in microseconds from the start of the call. Negative
    /// where the estimate lies before it.
    pub(super) const fn start_us(&self) -> i64 {
        self.offset_us
    }

    /// Arrivals of its first and last packet.
    pub(super) const fn arrivals(&self) -> (i64, i64) {
        (self.first_arrival_us, self.last_arrival_us)
    }

    /// Length of the run on the sender's clock.
    pub(super) const fn samples(&self) -> u64 {
        self.position
    }

    /// How much longer the run took by our clock, shifts not counted.
    pub(super) fn drift_us(&self) -> i64 {
        let [before, now] = self.window_us;
        let last = match (before, now) {
            (Some(before), Some(now)) => before.min(now),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => self.offset_us,
        };
        let drift = last.saturating_sub(self.offset_us);
        if drift.abs() > DRIFT_MICROS_MIN {
            drift
        } else {
            0
        }
    }

    /// Its pieces in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// Microseconds of samples at 8 kHz, the clock rate of every codec that is known here.
pub(super) fn micros(samples: u64) -> i64 {
    i64::try_from(samples)
        .unwrap_or(i64::MAX)
        .saturating_mul(125)
}
