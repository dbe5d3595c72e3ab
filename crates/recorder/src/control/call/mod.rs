//! One call: what the law said of it, what the client wants, and what follows for its media.

mod carried;
mod hold;
mod keep;
mod keys;
mod law;
mod notice;
mod presence;
mod private;
mod refusals;
mod saying;
mod streams;
mod times;
mod voices;
mod watch;
mod wish;

pub(crate) use keep::KeepDone;
pub(crate) use private::PrivateDone;
pub(in crate::control) use streams::{RefusedStreams, Sockets};

use self::carried::Carried;
use self::hold::Hold;
use self::keep::CallKeep;
use self::keys::CallKeys;
use self::notice::CallNotice;
use self::presence::Presence;
use self::times::ClientTimes;
use self::voices::Voices;
use self::watch::Watch;
use self::wish::Wish;
use super::Hands;
use crate::clock_check::ClockCheck;
use crate::guard::contained;
use crate::media::{Dated, MediaCommand, SharedCounts, StreamMedia};
use crate::shared::CallState;
use std::net::SocketAddr;
use std::sync::Arc;
use voicelog_archive::journal::{Cause, Ground, JournalEvent};
use voicelog_archive::{About, News, NewsKind, OfferedParty, WhenRefused};
use voicelog_model::{MediaStream, Pii, RecordingId, StreamNumber, Timestamp};
use voicelog_srs::srtp::MasterKey;
use voicelog_srs::{
    Activity, Command, EndCause, LocalDirection, SessionKey, StreamActivity, StreamAnswer,
};

/// Events of a call without a recording that are kept at most; a client that holds and resumes
/// without end must not fill the memory.
const EVENTS_MAX: usize = 1_000;
/// A stream of the call.
#[derive(Debug)]
pub(in crate::control) struct CallStream {
    pub(in crate::control) media: MediaStream,
    pub(in crate::control) rtp_port: u16,
    pub(in crate::control) activity: Activity,
    /// Where the client says that its media comes from.
    pub(in crate::control) remote: Option<SocketAddr>,
    /// What protects the stream (SRTP): the client's key, and ours.
    pub(in crate::control) keys: Option<(MasterKey, MasterKey)>,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    key: SessionKey,
    /// Which media thread has it.
    thread: usize,
    id: Option<RecordingId>,
    state: CallState,
    offered_at: Timestamp,
    streams: Vec<CallStream>,
    refused: RefusedStreams,
    /// The sockets, until the archive has given the call its id.
    sockets: Vec<StreamMedia>,
    counts: Arc<SharedCounts>,
    when_refused: WhenRefused,
    keys: CallKeys,
    /// Packets that say which key was pressed are kept: its line says so.
    keep_keys: bool,
    hold: Hold,
    notice: CallNotice,
    keep: CallKeep,
    carried: Carried,
    /// It is a private call, and a key said so: the same person's key can take that back.
    is_private_by_key: bool,
    /// What the client was told last: to send, or not to.
    told: LocalDirection,
    /// What it refused of that.
    wish: Wish,
    /// When the call's interval starts, once we know how to answer.
    started_at: Option<Timestamp>,
    is_begun: bool,
    /// Participants that the client named before the archive knew the call.
    parties: Option<Vec<OfferedParty>>,
    /// The journal of a call that has no recording (yet).
    events: Vec<Dated>,
    /// Why it was last refused; `None` = not refused since it was permitted.
    grounds: Option<Vec<Ground>>,
    is_asking: bool,
    /// How much of what was said of consent has been looked through for refusals.
    sayings_seen: usize,
    /// Since when media waits for an answer.
    held_since: Option<Timestamp>,
    /// The first and the last change of the facts since then, which it waits for as well.
    later_changes: Option<(Timestamp, Timestamp)>,
    /// How often the archive had other facts to ask about, when this last looked.
    versions_seen: Option<u64>,
    /// When the facts changed while the law was being asked.
    changed_at: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    failures: u32,
    our_cause: Option<Cause>,
    ended: Option<(Timestamp, Cause)>,
    last_signal: Timestamp,
    watch: Watch,
    /// What the client told besides who takes part.
    about: About,
    presence: Presence,
    voices: Voices,
    times: ClientTimes,
    /// What our clock was held against last before the call.
    clock_check: Option<ClockCheck>,
}

impl Call {
    /// Streams that it has ports for.
    pub(in crate::control) fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// A call that was just offered and is being opened.
    pub(in crate::control) fn new(
        key: SessionKey,
        thread: usize,
        streams: Vec<CallStream>,
        sockets: Vec<StreamMedia>,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            thread,
            id: None,
            state: CallState::Asking,
            offered_at: now,
            streams,
            refused: RefusedStreams::new(),
            sockets,
            counts: Arc::new(SharedCounts::default()),
            when_refused: WhenRefused::Wait,
            keys: CallKeys::default(),
            keep_keys: false,
            hold: Hold::default(),
            notice: CallNotice::default(),
            keep: CallKeep::default(),
            carried: Carried::default(),
            is_private_by_key: false,
            told: LocalDirection::Inactive,
            wish: Wish::default(),
            started_at: None,
            is_begun: false,
            parties: None,
            events: Vec::new(),
            grounds: None,
            is_asking: true,
            sayings_seen: 0,
            held_since: None,
            later_changes: None,
            versions_seen: None,
            changed_at: None,
            retry_at: None,
            failures: 0,
            our_cause: None,
            ended: None,
            last_signal: now,
            watch: Watch::default(),
            about: About::default(),
            presence: Presence::default(),
            voices: Voices::default(),
            times: ClientTimes::default(),
            clock_check: None,
        }
    }

    pub(in crate::control) const fn id(&self) -> Option<RecordingId> {
        self.id
    }

    /// Whether everything is done and the call can be forgotten.
    pub(in crate::control) const fn is_over(&self) -> bool {
        self.ended.is_some() && !self.is_asking
    }

    /// The client showed that it is there.
    pub(in crate::control) fn heard(&mut self, now: Timestamp) {
        self.last_signal = now;
    }

    // --- The client.

    /// The client holds, resumes or removes streams.
    pub(in crate::control) fn on_activities(
        &mut self,
        activities: &[StreamActivity],
        hands: &mut Hands<'_>,
    ) {
        for now in activities {
            self.set_remote(now.number, now.remote.as_ref(), hands);
            self.set_key(now.number, now.key.as_ref(), hands);
            self.set_activity(now.number, now.activity, hands);
        }
        self.mind_hold(hands);
    }

    /// The key that the client says it protects a stream with.
    pub(in crate::control) fn set_key(
        &mut self,
        number: StreamNumber,
        key: Option<&MasterKey>,
        hands: &Hands<'_>,
    ) {
        let stream = self.streams.iter_mut().find(|s| s.media.number == number);
        let keys = stream.and_then(|stream| stream.keys.as_mut());
        let (Some((theirs, _)), Some(key)) = (keys, key) else {
            return;
        };
        if theirs == key {
            return;
        }
        *theirs = key.clone();
        match self.id {
            Some(id) => {
                tracing::info!(recording = %id, stream = %number, "the client changed its SRTP key");
                hands.media(self.thread, MediaCommand::Rekey(id, number, key.clone()));
            }
            None => {
                for sockets in self.sockets.iter_mut().filter(|s| s.number() == number) {
                    sockets.rekey(key);
                }
            }
        }
    }

    /// Where the client says that the media of a stream comes from. A client on hold may name
    /// none; the place it named before then stays.
    pub(in crate::control) fn set_remote(
        &mut self,
        number: StreamNumber,
        remote: Option<&Pii<SocketAddr>>,
        hands: &mut Hands<'_>,
    ) {
        let Some(offered) = remote.map(|remote| *remote.expose()) else {
            return;
        };
        let Some(stream) = self.streams.iter_mut().find(|s| s.media.number == number) else {
            return;
        };
        if stream.remote.replace(offered) == Some(offered) {
            return;
        }
        match self.id {
            Some(id) => hands.media(self.thread, MediaCommand::MoveStream(id, number, offered)),
            None => {
                for sockets in self.sockets.iter_mut().filter(|s| s.number() == number) {
                    sockets.move_to(offered);
                }
            }
        }
    }

    pub(in crate::control) fn set_activity(
        &mut self,
        number: StreamNumber,
        activity: Activity,
        hands: &mut Hands<'_>,
    ) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.media.number == number) else {
            return;
        };
        let was_active = stream.activity == Activity::Active;
        stream.activity = activity;
        match activity {
            Activity::Inactive if was_active => self.hold.stream(number, true),
            Activity::Inactive => {}
            Activity::Active | Activity::Removed => self.hold.stream(number, false),
        }
        let is_active = activity == Activity::Active;
        if self.started_at.is_some() && was_active != is_active {
            self.note(hands.now, activity_event(number, is_active), hands);
        }
    }

    /// Answers the pending offer.
    pub(in crate::control) fn answer(&mut self, hands: &mut Hands<'_>) {
        let direction = self.direction();
        self.told = direction;
        let streams = self
            .streams
            .iter()
            .map(|stream| StreamAnswer {
                number: stream.media.number,
                rtp_port: Some(stream.rtp_port),
                key: stream.keys.as_ref().map(|(_, ours)| ours.clone()),
            })
            .collect();
        let command = Command::Answer {
            media_address: hands.media_address,
            streams,
            direction,
        };
        hands.command(self.key, command);
    }

    /// The direction that fits what the law said last.
    ///
    /// Where what it waits for can come by key, a notice is awaited, or somebody may still ask to keep
    /// it, the client sends while the call waits; of the first only packets about keys are read, for
    /// the others it waits in memory. So it is while a key can say that a private call is one no
    /// longer. While the client itself holds, it is not told to stop: then it could not go on when the
    /// hold is over without our asking, and words would be lost.
    fn direction(&self) -> LocalDirection {
        match self.state {
            CallState::Recording => LocalDirection::Receive,
            CallState::Waiting | CallState::Stopped if self.keys.listen_while_waiting => {
                LocalDirection::Receive
            }
            CallState::Waiting | CallState::Stopped
                if self.is_private_by_key && self.keys.end_private =>
            {
                LocalDirection::Receive
            }
            CallState::Waiting if self.notice.wants_media() || self.keep.wants_media() => {
                LocalDirection::Receive
            }
            CallState::Stopped if self.hold.is_on() => LocalDirection::Receive,
            CallState::Asking | CallState::Waiting | CallState::Stopped => LocalDirection::Inactive,
        }
    }

    /// Tells the client to send, or not to, if that is news.
    fn align(&mut self, hands: &mut Hands<'_>) {
        let direction = self.direction();
        if self.ended.is_none() && std::mem::replace(&mut self.told, direction) != direction {
            let command = match direction {
                LocalDirection::Receive => Command::Receive,
                LocalDirection::Inactive => Command::Pause,
            };
            hands.command(self.key, command);
        }
    }

    /// The session is over.
    pub(in crate::control) fn on_ended(&mut self, cause: EndCause, hands: &mut Hands<'_>) {
        let cause = match cause {
            EndCause::ByRecordingClient | EndCause::Replaced | EndCause::Transport => {
                Cause::RecordingClient
            }
            EndCause::NoAck | EndCause::Timeout | EndCause::NotRefreshed => Cause::TimeOut,
            EndCause::ByUs => self.our_cause.unwrap_or(Cause::Operator),
        };
        self.ended = Some((hands.now, cause));
        if !self.is_asking {
            self.finish(hands.now, cause, hands);
        }
    }

    // --- Ourselves.

    /// Ends the session from our side.
    pub(in crate::control) fn end(&mut self, cause: Cause, reason: &str, hands: &mut Hands<'_>) {
        if self.our_cause.is_none() {
            self.our_cause = Some(cause);
            let reason = reason.to_owned();
            hands.command(self.key, Command::End { reason });
        }
    }

    /// A mistake of ours was met in it: what was kept is closed, the client is told, and nothing
    /// else that we know of it is believed.
    pub(in crate::control) fn abandon(&mut self, hands: &mut Hands<'_>) {
        let reason = "an internal error of the recording server".to_owned();
        hands.command(self.key, Command::End { reason });
        let finished = contained("letting go of a call", || {
            self.finish(hands.now, Cause::Overload, hands);
        });
        if finished.is_none() {
            hands.shared.call_finished();
        }
    }

    /// Our clock was set: the moments that are remembered are told on it as it is now.
    pub(in crate::control) fn on_clock_step(&mut self, by_us: i64) {
        let moments = [
            &mut self.started_at,
            &mut self.held_since,
            &mut self.changed_at,
            &mut self.retry_at,
        ];
        for moment in moments {
            *moment = moment.map(|at| at.plus_micros(by_us));
        }
        let moved = |at: Timestamp| at.plus_micros(by_us);
        let later = self.later_changes;
        self.later_changes = later.map(|(first, last)| (moved(first), moved(last)));
        self.ended = self.ended.map(|(at, cause)| (at.plus_micros(by_us), cause));
        self.last_signal = self.last_signal.plus_micros(by_us);
        self.keep.on_clock_step(by_us);
        self.wish.on_clock_step(by_us);
    }

    /// Its media cannot go on.
    pub(in crate::control) fn on_media_failed(&mut self, cause: Cause, hands: &mut Hands<'_>) {
        if let Some(id) = self.id {
            let news = News::new(NewsKind::Failed, hands.now, Some(id));
            hands.shared.tell(news.with("reason", "media_not_kept"));
            hands.media(self.thread, MediaCommand::Fail(id, cause));
        }
        self.end(cause, "the recording cannot go on", hands);
    }

    /// Once a second: asks again where there was no answer, and ends a call that is silent.
    pub(in crate::control) fn on_tick(&mut self, silent_micros: i64, hands: &mut Hands<'_>) {
        if self.ended.is_some() {
            return;
        }
        self.mind_patience(hands);
        self.mind_notice(hands);
        self.mind_wish(false, hands);
        if self.retry_at.is_some_and(|at| at <= hands.now) && !self.is_asking {
            self.ask_again(hands.now, hands);
        }
        self.watch_media(hands);
        let heard = self.counts.last_packet().max(Some(self.last_signal));
        if heard.is_some_and(|heard| hands.now.micros_since(heard) > silent_micros) {
            self.end(Cause::TimeOut, "nothing was heard for too long", hands);
        }
    }

    /// Says it when media does not come that should.
    fn watch_media(&mut self, hands: &Hands<'_>) {
        let Some(id) = self.id else {
            return;
        };
        let is_recording = self.state == CallState::Recording
            && self.counts.pause().is_none()
            && self.counts.private().is_none();
        let counts = self.counts.read();
        let streams = self.streams.iter();
        let active = streams.filter(|stream| is_recording && stream.activity == Activity::Active);
        // Who said goodbye (RTCP BYE) is not expected to be heard.
        let active = active.map(|stream| stream.media.number);
        let active = active.filter(|number| !counts.has_left(*number));
        let look = self.watch.look(&counts, active, hands.now);
        let loss = self.watch.look_at_loss(&counts, hands.loss_permille);
        let refused = is_recording && !self.refused.is_empty();
        let refused = self.watch.look_at_refused(refused);
        for look in [look, loss, refused] {
            saying::say(id, look, &counts, hands);
        }
    }

    fn reject(&mut self, status: u16, reason: &str, cause: Cause, hands: &mut Hands<'_>) {
        self.our_cause = Some(cause);
        // The client has its answer: what was said meanwhile changes nothing any more.
        self.changed_at = None;
        let retry_after = (status == 503).then_some(hands.retry_after_seconds);
        let command = Command::Reject {
            status,
            reason: reason.to_owned(),
            retry_after,
        };
        hands.command(self.key, command);
    }

    /// The first events of the journal. The call's interval starts where we know how to answer:
    /// what comes before is the client's time and ours to think, and no media is asked for in it.
    fn start(&mut self, at: Timestamp) {
        if self.started_at.is_some() {
            return;
        }
        self.started_at = Some(at);
        self.events.push((at, JournalEvent::CallStarted {}));
        let requested = self.carried.requested.take();
        self.events.extend(requested.map(|event| (at, event)));
        for stream in &self.streams {
            let event = JournalEvent::StreamAdded {
                stream: stream.media.clone(),
            };
            self.events.push((at, event));
            if stream.activity != Activity::Active {
                let event = activity_event(stream.media.number, false);
                self.events.push((at, event));
            }
        }
        self.note_first_voices(at);
        self.note_first_times(at);
        for (stream, cause) in self.refused.values() {
            let (stream, cause) = (stream.clone(), *cause);
            self.events
                .push((at, JournalEvent::StreamRefused { stream, cause }));
        }
    }

    /// Puts an event where the call's journal is.
    fn note(&mut self, at: Timestamp, event: JournalEvent, hands: &mut Hands<'_>) {
        match self.id {
            Some(id) if self.is_begun => {
                hands.media(self.thread, MediaCommand::Events(id, vec![(at, event)]));
            }
            _ if self.events.len() < EVENTS_MAX => self.events.push((at, event)),
            _ => {
                tracing::warn!(session = %self.key, "too many events before a permit; one is lost")
            }
        }
    }

    fn close_media(
        &self,
        since: Timestamp,
        events: Vec<Dated>,
        cause: Option<Cause>,
        hands: &mut Hands<'_>,
    ) {
        if let Some(id) = self.id {
            let command = MediaCommand::Close {
                id,
                since,
                events,
                cause,
            };
            hands.media(self.thread, command);
        }
    }

    fn finish(&mut self, at: Timestamp, cause: Cause, hands: &mut Hands<'_>) {
        self.start(at);
        // The client may have left while the law was still being asked.
        let at = at.max(self.started_at.unwrap_or(at));
        let ended = (at, JournalEvent::CallEnded { cause });
        let Some(id) = self.id else {
            // Never opened, so there is nothing to close.
            hands.shared.call_finished();
            return;
        };
        if self.state == CallState::Asking {
            tracing::info!(recording = %id, "call ended before it was answered");
        } else {
            tracing::info!(recording = %id, ?cause, "call ended");
        }
        // Nobody asks again about a call that is over: what waits for an answer is told as dropped.
        if let Some(since) = self
            .held_since
            .filter(|_| self.state == CallState::Recording)
        {
            self.close_media(since, Vec::new(), Some(Cause::Refusal), hands);
        }
        hands.shared.remove_call(id);
        hands.shared.clear_of_call(id, hands.now);
        hands.ear.forget(id);
        if self.is_begun {
            hands.media(self.thread, MediaCommand::End(id, at, vec![ended]));
        } else {
            hands.media(self.thread, MediaCommand::End(id, at, Vec::new()));
            let mut events = std::mem::take(&mut self.events);
            events.push(ended);
            hands.finisher.finish_unrecorded(id, events);
        }
    }
}

const fn activity_event(stream: StreamNumber, is_active: bool) -> JournalEvent {
    if is_active {
        JournalEvent::StreamResumed { stream }
    } else {
        let by = Cause::RecordingClient;
        JournalEvent::StreamPaused { stream, by }
    }
}
