//! What waits in memory, of one call: for the notice of its line, or for somebody who asks to keep it.

use super::super::Attention;
use super::super::receive::{Receiver, SweepTime};
use super::super::room::Room;
use super::super::waiting::Waiting;
use super::{Dated, MediaSession, dropped, overloaded};
use crate::chunks::Chunks;
use std::sync::Arc;
use voicelog_archive::journal::{Cause, JournalEvent};
use voicelog_model::Timestamp;
use zeroize::Zeroizing;

impl MediaSession {
    /// A permit is held from `from` on, the first, and what waited since then belongs to it.
    /// Where it is not all there any more, the journal says so, and the permit begins later.
    pub(crate) fn release(&mut self, mut from: Timestamp, mut events: Vec<Dated>, is_stale: bool) {
        let Some(mut waiting) = self.waiting.take().filter(|_| !self.is_failed) else {
            return self.keep(from, events, is_stale);
        };
        waiting.close(from);
        let whole_from = waiting.whole_from(from);
        if whole_from > from {
            begin_later(&mut events, from, whole_from);
            from = whole_from;
        }
        events.append(&mut self.early);
        events.sort_by_key(|(at, _)| *at);
        let packets = waiting.packets();
        let released = waiting.release(from, &events);
        self.counts.without_permit += packets.saturating_sub(released.counts.kept);
        self.counts.waiting = 0;
        self.counts.add(&released.counts);
        self.counts.heard |= released.counts.heard;
        self.released = released.chunks;
        // What is in doubt stays that: it is kept, or wiped, as soon as that is settled.
        self.begin(from, Vec::new(), is_stale);
    }

    /// Somebody listens for the notice of the line, or nobody does any more.
    pub(crate) fn attend(&mut self, what: Attention, room: &Arc<Room>) {
        match what {
            Attention::Listen(memory) => {
                self.is_listened_to = true;
                let memory = memory.filter(|_| !self.is_begun);
                self.waiting = memory.map(|reach| Waiting::new(reach, Arc::clone(room)));
            }
            Attention::LookBack(look_back) if !self.is_begun && !self.is_failed => {
                self.forget_waiting();
                let (streams, room) = (self.streams.len(), Arc::clone(room));
                self.waiting = Some(Waiting::for_look_back(look_back, streams, room));
            }
            Attention::LookBack(_) => {}
            Attention::Over => self.is_listened_to = false,
            Attention::Forget => self.forget_waiting(),
        }
    }

    /// Drops what waits in memory.
    pub(super) fn forget_waiting(&mut self) {
        if self.from.is_none() {
            for stream in &mut self.streams {
                self.counts.without_permit += stream.doubted.take().len() as u64;
            }
        }
        if let Some(waiting) = self.waiting.take() {
            self.counts.without_permit += waiting.packets();
            self.counts.waiting = 0;
        }
    }

    /// From when on the call is kept, once it is.
    pub(crate) const fn kept_from(&self) -> Option<Timestamp> {
        self.kept_from
    }

    /// Puts by what waits in memory. Whether there was anything.
    pub(crate) fn put_waiting_by(&mut self, now: Timestamp) -> bool {
        let waiting = self.waiting.as_mut();
        waiting.is_some_and(|waiting| waiting.put_by(now))
    }

    /// When the oldest that waits was put by, if anything was.
    pub(crate) fn oldest_waiting(&self) -> Option<Timestamp> {
        self.waiting.as_ref().and_then(Waiting::oldest)
    }

    /// Drops the oldest that waits.
    pub(crate) fn drop_oldest_waiting(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.drop_front();
        }
    }

    /// What came since the last time, for whoever listens. `is_put_by`: something that waits was put
    /// by since; `is_handed_over`: the journal goes to the writer next.
    pub(crate) fn overheard(
        &self,
        is_put_by: bool,
        is_handed_over: bool,
    ) -> Option<Zeroizing<Vec<u8>>> {
        if !self.is_listened_to {
            return None;
        }
        match &self.waiting {
            Some(waiting) if is_put_by => waiting.newest(),
            None if is_handed_over && !self.journal.is_empty() => {
                Some(Zeroizing::new(self.journal.plaintext().to_vec()))
            }
            Some(_) | None => None,
        }
    }

    /// Adds the chunks of what had waited.
    pub(crate) fn hand_over_released(&mut self, chunks: &mut Chunks) {
        for chunk in self.released.drain(..) {
            chunks.push(self.id, &chunk);
        }
    }

    /// What waits for somebody to ask is not for anybody once the call is private.
    pub(super) fn mind_private(&mut self, was_private: bool) {
        if let Some(since) = self.pauses.private().filter(|_since| !was_private)
            && let Some(waiting) = &mut self.waiting
        {
            waiting.start_anew(since);
        }
    }

    /// Puts what arrived into memory, where it waits.
    pub(super) fn put_by(&mut self, receiver: &mut Receiver, time: SweepTime, with_control: bool) {
        let Some(from) = self.waiting.as_ref().map(Waiting::from) else {
            return;
        };
        self.read(receiver, time, (from, None), with_control);
        let dropped = dropped(time.now, Cause::Overload, overloaded(&mut self.streams));
        if let Some(waiting) = &mut self.waiting {
            self.counts.waiting = waiting.packets();
            self.counts.take_all_but_kept(&mut waiting.counts);
            for (at, event) in dropped {
                if let Err(error) = waiting.journal.push_event(at, &event) {
                    tracing::error!(recording = %self.id, %error, "an event of the journal is lost");
                }
            }
        }
    }
}

/// A permit that was to begin at `wanted` begins at `from`, since nothing before is there any more.
fn begin_later(events: &mut Vec<Dated>, wanted: Timestamp, from: Timestamp) {
    for (at, event) in &mut *events {
        if matches!(event, JournalEvent::Permitted { .. }) {
            *at = (*at).max(from);
        }
    }
    let by_us = u64::try_from(from.micros_since(wanted)).unwrap_or(0);
    events.push((from, JournalEvent::LookBackCut { by_us }));
}
