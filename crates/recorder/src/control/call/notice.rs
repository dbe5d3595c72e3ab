//! The notice of the line: waiting until it was heard, and what follows.

use super::Call;
use crate::control::Hands;
use crate::media::{Attention, MediaCommand};
use crate::shared::CallState;
use std::sync::Arc;
use voicelog_archive::NoticeState;
use voicelog_archive::journal::JournalEvent;
use voicelog_archive::notice::Hearing;
use voicelog_archive::timeline::NoticeHearing;
use voicelog_model::Timestamp;

/// How much later than the notice ended it may be heard of, in microseconds, and media that waited
/// still be kept from its beginning. Behind that the memory no longer holds all of it.
const LATE_MICROS: i64 = 4_000_000;

/// What is known of the notice in a call.
#[derive(Debug, Default)]
pub(super) struct CallNotice {
    is_awaited: bool,
    /// Media waits in memory until it was heard.
    holds_media: bool,
    within_micros: i64,
    /// When the facts changed for another reason.
    changed_at: Option<Timestamp>,
    /// When it began: from there on media that waited may be kept, if the law permits it because of
    /// the notice. The law was not asked yet.
    back: Option<Timestamp>,
    /// The same, and the law is being asked.
    asked: Option<Timestamp>,
}

impl CallNotice {
    /// Whether media is asked for although the call waits.
    pub(super) const fn wants_media(&self) -> bool {
        self.is_awaited && self.holds_media
    }

    /// Whether nothing is left that media waits for.
    pub(super) const fn is_settled(&self) -> bool {
        self.holds_media && !self.is_awaited && self.back.is_none() && self.asked.is_none()
    }

    /// The law is being asked.
    pub(super) const fn ask(&mut self) {
        self.asked = self.back.take();
    }

    /// The law has answered: from when on media that waited may be kept if it permits.
    pub(super) const fn answered(&mut self) -> Option<Timestamp> {
        self.asked.take()
    }

    /// Whether it was heard, and what waited for it in memory may be kept once the law permits it.
    pub(super) const fn has_media(&self) -> bool {
        self.back.is_some()
    }

    /// The law did not answer; it is asked again.
    pub(super) const fn not_answered(&mut self, back: Option<Timestamp>) {
        if self.back.is_none() {
            self.back = back;
        }
    }

    /// The facts changed for another reason: what the law says next, it does not say because of the
    /// notice alone.
    pub(super) const fn other_change(&mut self, at: Timestamp) {
        self.changed_at = Some(at);
        (self.back, self.asked) = (None, None);
    }
}

impl Call {
    /// Looks for the notice of the line, if it has one.
    pub(super) fn await_notice(&mut self, opened: &voicelog_archive::Call, hands: &Hands<'_>) {
        let Some(notice) = &opened.line.notice else {
            return;
        };
        self.notice = CallNotice {
            is_awaited: true,
            holds_media: !notice.keep_before,
            within_micros: i64::from(notice.within_seconds) * 1_000_000,
            ..CallNotice::default()
        };
        let Some(sound) = hands.sounds.get(&opened.line.name) else {
            tracing::error!(recording = %opened.id, line = %opened.line.name, "the notice of the line is not there to be looked for, so it is never heard");
            return;
        };
        let streams = self.streams.iter().map(|stream| stream.media.clone());
        hands
            .ear
            .look(opened.id, Arc::clone(sound), streams.collect());
        let reach = i64::try_from(sound.reach_us()).unwrap_or(i64::MAX);
        let memory = self
            .notice
            .holds_media
            .then(|| reach.saturating_add(LATE_MICROS + 1_000_000));
        hands.media(
            self.thread,
            MediaCommand::Attend(opened.id, Attention::Listen(memory)),
        );
    }

    /// The notice was heard.
    pub(in crate::control) fn on_notice_heard(&mut self, hearing: Hearing, hands: &mut Hands<'_>) {
        let Hearing { stream, found } = hearing;
        let (Some(id), Some(started), None) = (self.id, self.started_at, self.ended) else {
            return;
        };
        if !self.notice.is_awaited {
            return;
        }
        let start = found.start.max(started);
        let length_us = u64::try_from(found.end.micros_since(start)).unwrap_or(0);
        let hearing = NoticeHearing {
            stream,
            length_us,
            similarity_permille: found.similarity_permille,
        };
        let state = NoticeState::Heard {
            at: start,
            from_us: u64::try_from(start.micros_since(started)).unwrap_or(0),
            hearing,
        };
        self.settle_notice(hands);
        if !hands.archive.set_notice(id, state) {
            return;
        }
        hands.shared.count("notice_heard");
        tracing::info!(recording = %id, %stream, similarity = found.similarity_permille, "the notice was heard");
        let event = JournalEvent::NoticeHeard {
            stream,
            length_us,
            similarity_permille: found.similarity_permille,
        };
        self.note(start, event, hands);
        let is_in_time = hands.now.micros_since(found.end) <= LATE_MICROS;
        if self.notice.holds_media && !self.is_begun && is_in_time {
            // What the facts were before they changed last, the law is not asked about.
            self.notice.back = Some(start.max(self.notice.changed_at.unwrap_or(start)));
        }
        self.ask_soon(hands);
    }

    /// Gives the notice up once its time is over.
    pub(super) fn mind_notice(&mut self, hands: &mut Hands<'_>) {
        let waited = self
            .started_at
            .map(|started| hands.now.micros_since(started));
        if self.notice.is_awaited && waited.is_some_and(|micros| micros > self.notice.within_micros)
        {
            self.miss_notice("notice_missed", hands);
        }
    }

    /// Nobody could listen. What was not heard was not said.
    pub(in crate::control) fn on_not_listened(&mut self, hands: &mut Hands<'_>) {
        if self.notice.is_awaited && self.ended.is_none() {
            tracing::error!(recording = ?self.id, "too much is to be listened to, or a decoder failed: this call's notice counts as not heard");
            self.miss_notice("notice_not_listened", hands);
        }
    }

    fn miss_notice(&mut self, what: &'static str, hands: &mut Hands<'_>) {
        let Some(id) = self.id else {
            return;
        };
        self.settle_notice(hands);
        if self.notice.holds_media {
            hands.media(self.thread, MediaCommand::Attend(id, Attention::Forget));
        }
        if !hands.archive.set_notice(id, NoticeState::Missed {}) {
            return;
        }
        hands.shared.count(what);
        tracing::info!(recording = %id, "the notice was not heard");
        self.note(hands.now, JournalEvent::NoticeMissed {}, hands);
        if self.state == CallState::Waiting {
            self.align(hands);
        }
        self.ask_soon(hands);
    }

    /// Listens no more. What waits in memory stays until the law has answered.
    fn settle_notice(&mut self, hands: &Hands<'_>) {
        self.notice.is_awaited = false;
        if let Some(id) = self.id {
            hands.ear.forget(id);
            hands.media(self.thread, MediaCommand::Attend(id, Attention::Over));
        }
    }

    /// Has the law asked, after the question that is under way.
    pub(super) fn ask_soon(&mut self, hands: &mut Hands<'_>) {
        if self.is_asking {
            self.changed_at.get_or_insert(hands.now);
        } else {
            self.ask_again(hands.now, hands);
        }
    }
}
