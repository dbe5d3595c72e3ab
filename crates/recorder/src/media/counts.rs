//! What the media of one call came to, in numbers. The media thread writes them once a sweep,
//! anybody may read them.

use super::pauses::PauseStatus;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use voicelog_model::{StreamNumber, Timestamp};

/// Packets of one call, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaCounts {
    /// RTP packets kept.
    pub kept: u64,
    /// RTCP packets kept.
    pub control: u64,
    /// Arrived while no permit was held; not kept, and not read either where that can be known.
    pub without_permit: u64,
    /// From a source that the stream does not listen to.
    pub foreign: u64,
    /// No RTP, longer than we keep, or of a payload type that was not agreed.
    pub unusable: u64,
    /// Protected packets that do not fit the key (SRTP), or were changed on the way.
    pub not_authentic: u64,
    /// Protected packets that had come before.
    pub replayed: u64,
    /// Packets that say which key was pressed, left out.
    pub left_out: u64,
    /// Arrived while recording was paused on our side; not kept, and not read but for keys.
    pub paused: u64,
    /// Could not be kept: the disk was too slow or full.
    pub dropped: u64,
    /// Came while media waits in memory for the notice of the line.
    pub waiting: u64,
    /// How often another address took the place of the one that a stream came from.
    pub source_changes: u64,
    /// Which streams have ended by themselves (RTCP BYE) and not begun again, in the same way as
    /// the next.
    pub left: u64,
    /// Which streams have brought a packet: bit n for stream n. Streams beyond 63 count as heard.
    pub heard: u64,
    /// Packets of the worst stream that did not come, of a thousand, in the last whole ten seconds.
    pub loss_permille: u64,
    /// Payload type of the last packet that came and was not agreed on.
    pub unagreed: Option<u8>,
}

impl MediaCounts {
    /// Notes that a stream has brought a packet.
    pub(crate) fn hear(&mut self, stream: StreamNumber) {
        self.heard |= bit(stream);
        self.left &= !bit(stream);
    }

    /// Takes over what became of packets, but for those that were kept.
    pub(crate) fn take_all_but_kept(&mut self, other: &mut Self) {
        let kept = Self {
            kept: other.kept,
            ..Self::default()
        };
        let taken = Self {
            kept: 0,
            control: 0,
            left_out: 0,
            ..std::mem::replace(other, kept)
        };
        self.add(&taken);
    }

    /// Notes that the source of a stream says goodbye.
    pub(crate) fn leave(&mut self, stream: StreamNumber) {
        self.left |= bit(stream);
    }

    /// Whether the source of a stream has said goodbye, so that nothing more of it is to come.
    #[must_use]
    pub const fn has_left(&self, stream: StreamNumber) -> bool {
        self.left & bit(stream) != 0
    }

    /// Whether a stream has brought a packet.
    #[must_use]
    pub const fn has_heard(&self, stream: StreamNumber) -> bool {
        let bit = bit(stream);
        bit == 0 || self.heard & bit != 0
    }

    /// The sum of two calls.
    pub(crate) const fn add(&mut self, other: &Self) {
        // By name, so that one that is new is not forgotten. Which streams were heard, and what is
        // being lost now, is each call's own.
        let Self {
            kept,
            control,
            without_permit,
            foreign,
            unusable,
            dropped,
            left_out,
            not_authentic,
            replayed,
            left: _,
            paused,
            waiting,
            source_changes,
            heard: _,
            loss_permille: _,
            unagreed,
        } = *other;
        if unagreed.is_some() {
            self.unagreed = unagreed;
        }
        self.kept = self.kept.saturating_add(kept);
        self.control = self.control.saturating_add(control);
        self.without_permit = self.without_permit.saturating_add(without_permit);
        self.foreign = self.foreign.saturating_add(foreign);
        self.unusable = self.unusable.saturating_add(unusable);
        self.dropped = self.dropped.saturating_add(dropped);
        self.left_out = self.left_out.saturating_add(left_out);
        self.not_authentic = self.not_authentic.saturating_add(not_authentic);
        self.replayed = self.replayed.saturating_add(replayed);
        self.paused = self.paused.saturating_add(paused);
        self.waiting = self.waiting.saturating_add(waiting);
        self.source_changes = self.source_changes.saturating_add(source_changes);
    }
}

const fn bit(stream: StreamNumber) -> u64 {
    match 1_u64.checked_shl(stream.0 as u32) {
        Some(bit) => bit,
        None => 0,
    }
}

/// The shared side of the counts.
#[derive(Debug, Default)]
pub(crate) struct SharedCounts {
    kept: AtomicU64,
    control: AtomicU64,
    without_permit: AtomicU64,
    foreign: AtomicU64,
    unusable: AtomicU64,
    left_out: AtomicU64,
    not_authentic: AtomicU64,
    replayed: AtomicU64,
    paused: AtomicU64,
    waiting: AtomicU64,
    source_changes: AtomicU64,
    dropped: AtomicU64,
    left: AtomicU64,
    heard: AtomicU64,
    loss_permille: AtomicU64,
    /// One more than the payload type; 0 if there was none.
    unagreed: AtomicU64,
    /// Microseconds of the last packet; 0 if there was none.
    last_packet: AtomicI64,
    /// The pause that the call is in. Written when that changes, which is rare.
    pause: Mutex<Option<PauseStatus>>,
    is_paused: AtomicBool,
    /// Since when it is a private call, in microseconds; 0 = it is none.
    private: AtomicI64,
    /// How often media was told to wait for an answer of the law.
    holds: AtomicU64,
}

impl SharedCounts {
    /// Says that the media thread is about to be told to wait: from here on it reads nothing more.
    pub(crate) fn announce_hold(&self) {
        self.holds.fetch_add(1, Ordering::SeqCst);
    }

    /// How often that was said.
    pub(crate) fn holds(&self) -> u64 {
        self.holds.load(Ordering::SeqCst)
    }

    /// Shows the counts. Only the media thread of the call does this.
    pub(crate) fn publish(&self, counts: &MediaCounts, last_packet: Option<Timestamp>) {
        // Each number stands by itself, so no order among them is promised.
        self.kept.store(counts.kept, Ordering::Relaxed);
        self.control.store(counts.control, Ordering::Relaxed);
        self.without_permit
            .store(counts.without_permit, Ordering::Relaxed);
        self.foreign.store(counts.foreign, Ordering::Relaxed);
        self.unusable.store(counts.unusable, Ordering::Relaxed);
        self.left_out.store(counts.left_out, Ordering::Relaxed);
        self.not_authentic
            .store(counts.not_authentic, Ordering::Relaxed);
        self.replayed.store(counts.replayed, Ordering::Relaxed);
        self.paused.store(counts.paused, Ordering::Relaxed);
        self.waiting.store(counts.waiting, Ordering::Relaxed);
        self.source_changes
            .store(counts.source_changes, Ordering::Relaxed);
        self.dropped.store(counts.dropped, Ordering::Relaxed);
        self.left.store(counts.left, Ordering::Relaxed);
        self.heard.store(counts.heard, Ordering::Relaxed);
        self.loss_permille
            .store(counts.loss_permille, Ordering::Relaxed);
        let unagreed = counts.unagreed.map_or(0, |number| u64::from(number) + 1);
        self.unagreed.store(unagreed, Ordering::Relaxed);
        if let Some(at) = last_packet {
            self.last_packet.store(at.micros(), Ordering::Relaxed);
        }
    }

    /// The counts as they are now.
    pub(crate) fn read(&self) -> MediaCounts {
        MediaCounts {
            kept: self.kept.load(Ordering::Relaxed),
            control: self.control.load(Ordering::Relaxed),
            without_permit: self.without_permit.load(Ordering::Relaxed),
            foreign: self.foreign.load(Ordering::Relaxed),
            unusable: self.unusable.load(Ordering::Relaxed),
            left_out: self.left_out.load(Ordering::Relaxed),
            not_authentic: self.not_authentic.load(Ordering::Relaxed),
            replayed: self.replayed.load(Ordering::Relaxed),
            paused: self.paused.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            source_changes: self.source_changes.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            left: self.left.load(Ordering::Relaxed),
            heard: self.heard.load(Ordering::Relaxed),
            loss_permille: self.loss_permille.load(Ordering::Relaxed),
            unagreed: self
                .unagreed
                .load(Ordering::Relaxed)
                .checked_sub(1)
                .and_then(|number| u8::try_from(number).ok()),
        }
    }

    /// Shows whether recording is paused. Only the media thread of the call does this.
    pub(crate) fn publish_pause(&self, pause: Option<PauseStatus>) {
        // A sweep takes no lock while nothing changes.
        if pause.is_some() || self.is_paused.load(Ordering::Relaxed) {
            *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
            self.is_paused.store(pause.is_some(), Ordering::Relaxed);
        }
    }

    /// Shows since when it is a private call.
    pub(crate) fn publish_private(&self, since: Option<Timestamp>) {
        let micros = since.map_or(0, Timestamp::micros);
        self.private.store(micros, Ordering::Relaxed);
    }

    /// Since when it is a private call.
    pub(crate) fn private(&self) -> Option<Timestamp> {
        let micros = self.private.load(Ordering::Relaxed);
        (micros != 0).then(|| Timestamp::from_micros(micros))
    }

    /// The pause that the call is in.
    pub(crate) fn pause(&self) -> Option<PauseStatus> {
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the last packet of any kind arrived.
    pub(crate) fn last_packet(&self) -> Option<Timestamp> {
        let micros = self.last_packet.load(Ordering::Relaxed);
        (micros != 0).then(|| Timestamp::from_micros(micros))
    }
}
