//! One run of a stream: packets of one source whose timestamps tell one time.
//!
//! Within a run the sender's clock says where each packet belongs; our clock says where the run
//! as a whole belongs, and how far the two drift apart. A packet's media ended at the latest when
//! it arrived, so the smallest delay between the two clocks is the best estimate of their offset.

/// Media from which the offset of the two clocks is estimated, and after which it is estimated
/// anew.
const WINDOW_SECONDS: u64 = 10;
/// A delay that grows by more than this, and stays, is a hole in the sender's time: 100 ms.
pub(super) const SHIFT_MICROS: i64 = 100_000;
/// Media after which a longer delay counts as staying.
const SHIFT_SECONDS: u64 = 2;
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

/// A stretch of a run, as long as its ticks on the sender's clock, and `extra_us` more.
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

/// Sound as it arrives. Ticks are units of the sender's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sound {
    pub(super) timestamp: u32,
    pub(super) ticks: u32,
    pub(super) marker: bool,
    /// Microseconds from the start of the call.
    pub(super) arrived_us: i64,
}

/// A run while its packets come in, in order.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Ticks a second.
    rate: u32,
    pieces: Vec<Piece>,
    /// Ticks up to the end of the last packet.
    position: u64,
    next_timestamp: u32,
    last_samples: u64,
    /// Comfort noise was the last to be heard of.
    is_silent: bool,
    /// Numbers that are missing between the run before and this one; `None` where its source did
    /// not send the run before.
    missing_before: Option<u64>,
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
    /// Starts with the first packet of sound; `missing_before` it are numbers of the same
    /// source, if that sent the run before.
    pub(super) fn start(rate: u32, first: &Sound, missing_before: Option<u64>) -> Self {
        let mut run = Self {
            rate,
            pieces: Vec::new(),
            position: 0,
            next_timestamp: first.timestamp,
            last_samples: u64::from(first.ticks),
            is_silent: false,
            missing_before,
            first_arrival_us: first.arrived_us,
            last_arrival_us: first.arrived_us,
            lost: 0,
            shifted_us: 0,
            offset_us: i64::MAX,
            window_us: [None, None],
            window_start: 0,
            rising: None,
        };
        // Numbers missing before the first packet of a run lie outside it.
        run.sound(first);
        run
    }

    /// How many pieces it has so far.
    pub(super) const fn kept(&self) -> usize {
        self.pieces.len()
    }

    /// Numbers are missing before the next packet.
    pub(super) const fn lose(&mut self, packets: u64) {
        self.lost += packets;
    }

    /// Comfort noise: what was missing was missing before it, and silence follows.
    pub(super) fn silence(&mut self, timestamp: u32, arrived_us: i64) {
        let hole = self.believable_hole(timestamp, arrived_us);
        let stepped = timestamp.wrapping_sub(self.next_timestamp).cast_signed();
        if hole == 0 && stepped != 0 {
            // It comes from a time that is over, or that cannot be.
            return;
        }
        self.hole(hole, false, arrived_us);
        self.is_silent = true;
        self.next_timestamp = timestamp;
        self.last_arrival_us = self.last_arrival_us.max(arrived_us);
    }

    /// The next packet of sound.
    pub(super) fn sound(&mut self, sound: &Sound) {
        let Sound {
            timestamp,
            ticks,
            marker,
            arrived_us,
        } = *sound;
        let samples = u64::from(ticks);
        let between = (self.last_arrival_us, arrived_us);
        let hole = self.believable_hole(timestamp, arrived_us);
        self.hole(hole, marker, arrived_us);
        self.is_silent = false;
        self.position += samples;
        let offset_us = arrived_us
            .saturating_sub(self.micros(self.position))
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
        self.next_timestamp = timestamp.wrapping_add(ticks);
        self.last_samples = samples;
        self.last_arrival_us = self.last_arrival_us.max(arrived_us);
    }

    /// A hole in the sender's time: loss where numbers are missing, else silence. Where the sender
    /// was silent by its own words (comfort noise before it, or the marker bit behind it), the
    /// numbers that are missing explain no more of it than they can have held.
    fn hole(&mut self, ticks: u64, marker: bool, arrived_us: i64) {
        let lost = std::mem::take(&mut self.lost);
        if ticks == 0 {
            return;
        }
        let held = if lost > 0 && (self.is_silent || marker) {
            lost.saturating_mul(self.last_samples).min(ticks)
        } else if lost > 0 {
            ticks
        } else {
            0
        };
        self.position += ticks;
        let between = (self.last_arrival_us, arrived_us);
        let piece = |kind, samples, lost| Piece {
            kind,
            samples,
            extra_us: 0,
            packets: 0,
            lost,
            between,
        };
        let loss = piece(PieceKind::Loss, held, lost);
        let silence = piece(PieceKind::Silence, ticks - held, 0);
        // The marker says that silence came last; otherwise comfort noise says that it came first.
        let pieces = if marker {
            [loss, silence]
        } else {
            [silence, loss]
        };
        for piece in pieces.into_iter().filter(|piece| piece.samples > 0) {
            self.push(piece);
        }
    }

    /// Ticks by which the sender's clock jumped, as far as our clock can believe it.
    fn believable_hole(&self, timestamp: u32, arrived_us: i64) -> u64 {
        let jumped = timestamp.wrapping_sub(self.next_timestamp).cast_signed();
        let room_us = arrived_us.saturating_sub(self.last_arrival_us).max(0) + JUMP_MICROS;
        let counted = self.lost.saturating_mul(self.last_samples);
        [u64::try_from(jumped).unwrap_or(0), counted]
            .into_iter()
            .find(|samples| *samples > 0 && self.micros(*samples) <= room_us)
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
        if let Some(last) = self.pieces.last_mut()
            && (last.kind, piece.kind) == (PieceKind::Silence, PieceKind::Silence)
        {
            // Comfort noise that is said again goes on.
            last.samples += piece.samples;
            last.between.1 = piece.between.1;
            return;
        }
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
        if self.position - self.window_start >= WINDOW_SECONDS * u64::from(self.rate) {
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
        if self.position - rising.since < SHIFT_SECONDS * u64::from(self.rate)
            || self.pieces.len() >= PIECES_MAX
        {
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

    /// How long its last packet of sound lasts, in microseconds.
    pub(super) fn packet_us(&self) -> i64 {
        self.micros(self.last_samples)
    }

    /// Length of the run in ticks of the sender's clock.
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

    /// Ticks a second.
    pub(super) const fn rate(&self) -> u32 {
        self.rate
    }

    /// Numbers that are missing between the run before and this one; `None` where its source did
    /// not send the run before.
    pub(super) const fn missing_before(&self) -> Option<u64> {
        self.missing_before
    }

    /// Microseconds of so many ticks, rounded down.
    pub(super) fn micros(&self, ticks: u64) -> i64 {
        micros(ticks, self.rate)
    }
}

/// Microseconds of so many ticks of a clock, rounded down.
pub(super) fn micros(ticks: u64, rate: u32) -> i64 {
    let micros = u128::from(ticks) * 1_000_000 / u128::from(rate.max(1));
    i64::try_from(micros).unwrap_or(i64::MAX)
}
