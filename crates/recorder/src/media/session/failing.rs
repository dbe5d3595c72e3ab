//! A call whose media cannot go on: the disk refused it, or we made a mistake in it.

use super::super::cut::{cut, cut_chunk};
use super::{MediaSession, Mode, dropped};
use std::collections::BTreeMap;
use voicelog_archive::journal::{Cause, ChunkBuilder, PacketKind};
use voicelog_model::{StreamNumber, Timestamp};

impl MediaSession {
    /// Its media cannot go on. What was read and not handed over is lost, and what comes from now on is
    /// not kept; the journal says so, and why. Its events stay.
    pub(crate) fn fail(&mut self, cause: Cause) {
        if std::mem::replace(&mut self.is_failed, true) {
            return;
        }
        let from = self.from.take();
        self.mode = Mode::Closed;
        // Looked at only once nothing of it is held any more: it can be what went wrong.
        let mut journal = std::mem::replace(&mut self.journal, ChunkBuilder::new());
        let released = std::mem::take(&mut self.released);
        self.forget_waiting();
        let beginning = Timestamp::from_micros(i64::MIN);
        let mut out = cut(&mut journal, beginning);
        for mut chunk in released {
            out.extend(cut_chunk(&mut chunk, beginning));
            // Its beginning may be in it.
            if !chunk.is_empty() {
                self.released.push(chunk);
            }
        }
        self.journal = journal;
        let mut lost: BTreeMap<StreamNumber, u64> = BTreeMap::new();
        for (number, kind) in out {
            if kind == PacketKind::Rtcp {
                self.counts.control = self.counts.control.saturating_sub(1);
                continue;
            }
            self.counts.kept = self.counts.kept.saturating_sub(1);
            self.counts.dropped += 1;
            *lost.entry(number).or_default() += 1;
        }
        if let Some(from) = from {
            self.tell_closed(from);
            self.closed_cause = Some(cause);
        }
        if let Some(at) = self.last_packet {
            self.push_events(dropped(at, cause, lost.into_iter()));
        }
    }
}
