//! Call control: what happens to each call, from the offer to the end.
//!
//! It runs on the signalling thread and never waits: the law is asked by the deciders, media is
//! with the media threads, and the client is talked to by the SIP endpoint. Here their answers
//! meet.
//!
//! **Invariant:** media is kept only between an answer that permits it and the next moment at
//! which the facts change; an answer that fails to come is never a permission.

mod call;
mod offer;
#[cfg(test)]
mod tests;

use crate::decider::{DeciderHandle, Question, Reply};
use crate::finisher::FinisherHandle;
use crate::guard::contained;
use crate::media::{HeardKey, MediaCommand, PauseOrder, PauseStatus, StreamMedia, StreamTerms};
use crate::ports::MediaPorts;
use crate::shared::{CallState, Shared};
use call::{Call, CallStream, KeepDone, PrivateDone, RefusedStreams, Sockets};
use offer::StreamError;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use voicelog_archive::journal::{AskedBy, Cause, PrivateEnd};
use voicelog_archive::notice::{EarHandle, Hearing, Notice};
use voicelog_archive::{About, Archive, KeepRequest};
use voicelog_model::{MediaStream, Pii, RecordingId, Timestamp};
use voicelog_srs::srtp::{ControlProtector, Unprotector};
use voicelog_srs::{
    Activity, Command, Event, LocalDirection, Metadata, Offer, OfferedStream, SessionKey,
};

/// How long what our clock was held against counts for calls, in microseconds: a day.
const CLOCK_CHECK_COUNTS_US: i64 = 86_400 * 1_000_000;

/// What one call may use while something happens to it.
pub(super) struct Hands<'a> {
    pub(super) now: Timestamp,
    pub(super) media_address: IpAddr,
    pub(super) retry_after_seconds: u32,
    pub(super) pause_micros: i64,
    /// Packets of a stream, of a thousand, that may be lost without an alarm.
    pub(super) loss_permille: u64,
    pub(super) archive: &'a Archive,
    pub(super) shared: &'a Shared,
    pub(super) decider: &'a DeciderHandle,
    pub(super) finisher: &'a FinisherHandle,
    pub(super) ear: &'a EarHandle,
    pub(super) sounds: &'a BTreeMap<String, Arc<Notice>>,
    media: &'a [Sender<MediaCommand>],
    commands: &'a mut VecDeque<(SessionKey, Command)>,
}

impl Hands<'_> {
    /// Tells the media thread of a call.
    pub(super) fn media(&self, thread: usize, command: MediaCommand) {
        let is_sent = self
            .media
            .get(thread)
            .is_some_and(|thread| thread.send(command).is_ok());
        if !is_sent {
            tracing::error!("a media thread is gone");
        }
    }

    /// Tells the SIP endpoint.
    pub(super) fn command(&mut self, key: SessionKey, command: Command) {
        self.commands.push_back((key, command));
    }

    /// Shows the state of a call to whoever asks for the status.
    pub(super) fn show_state(&self, id: Option<RecordingId>, state: CallState) {
        if let Some(id) = id {
            self.shared.set_call_state(id, state);
        }
    }
}

/// What call control is made of.
pub(crate) struct Parts {
    pub(crate) archive: Arc<Archive>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) decider: DeciderHandle,
    pub(crate) finisher: FinisherHandle,
    pub(crate) ear: EarHandle,
    /// The sound of each line's notice, by the name of the line.
    pub(crate) sounds: BTreeMap<String, Arc<Notice>>,
    pub(crate) media: Vec<Sender<MediaCommand>>,
    pub(crate) ports: MediaPorts,
    pub(crate) media_address: IpAddr,
    pub(crate) retry_after_seconds: u32,
    pub(crate) loss_permille: u64,
    pub(crate) silent_micros: i64,
    /// How long a pause by key lasts at most.
    pub(crate) pause_micros: i64,
}

/// All calls.
pub(crate) struct Control {
    parts: Parts,
    calls: BTreeMap<SessionKey, Box<Call>>,
    by_recording: BTreeMap<RecordingId, SessionKey>,
    commands: VecDeque<(SessionKey, Command)>,
    offered: usize,
}

impl Control {
    /// No call yet.
    pub(crate) const fn new(parts: Parts) -> Self {
        Self {
            parts,
            calls: BTreeMap::new(),
            by_recording: BTreeMap::new(),
            commands: VecDeque::new(),
            offered: 0,
        }
    }

    /// Calls in progress, those included whose end waits for an answer of the law.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether the media of one more call finds ports.
    pub(crate) fn has_media_ports(&mut self) -> bool {
        let in_use = self.calls.values().map(|call| call.stream_count()).sum();
        self.parts.ports.has_room(in_use)
    }

    /// The next thing to tell the SIP endpoint.
    pub(crate) fn next_command(&mut self) -> Option<(SessionKey, Command)> {
        self.commands.pop_front()
    }

    /// Something happened to a session.
    pub(crate) fn on_event(&mut self, key: SessionKey, event: Event, now: Timestamp) {
        match event {
            Event::Offered(offer) => return self.on_offered(key, &offer, now),
            Event::StreamsChanged(offer) => self.on_streams_changed(key, &offer, now),
            Event::MetadataChanged(metadata) => self.on_metadata(key, &metadata, now),
            Event::DirectionChanged { streams } => {
                self.with(key, now, |call, hands| call.on_activities(&streams, hands));
            }
            // After our own `inactive` the client's answer says nothing about what it wants.
            Event::DirectionAgreed { direction, streams } => {
                self.with(key, now, |call, _| call.on_agreed());
                if direction == LocalDirection::Receive {
                    self.with(key, now, |call, hands| call.on_activities(&streams, hands));
                }
            }
            Event::ReinviteRefused { status, agreed } => {
                self.with(key, now, |call, hands| {
                    call.on_reinvite_refused(status, agreed, hands);
                });
            }
            Event::SnapshotRefused { status } => {
                let id = self.calls.get(&key).and_then(|call| call.id());
                tracing::warn!(recording = ?id, status, "the client did not tell again who takes part");
            }
            Event::ConnectionLost => {
                let id = self.calls.get(&key).and_then(|call| call.id());
                tracing::info!(recording = ?id, "the client's connection is lost; the call goes on");
            }
            Event::Ended { cause } => {
                self.with(key, now, |call, hands| call.on_ended(cause, hands));
            }
            Event::Answered | Event::OfferWithdrawn => {}
        }
        if let Some(call) = self.calls.get_mut(&key) {
            call.heard(now);
        }
    }

    /// The clients of these sessions have shown that they are there.
    pub(crate) fn on_heard(&mut self, sessions: &[SessionKey], now: Timestamp) {
        for key in sessions {
            self.with(*key, now, |call, hands| {
                call.heard(now);
                call.mind_wish(true, hands);
            });
        }
    }

    /// The law has answered, or could not.
    pub(crate) fn on_reply(&mut self, reply: Reply, now: Timestamp) {
        let key = reply.session;
        if let Some(call) = &reply.call
            && self.calls.contains_key(&key)
        {
            self.by_recording.insert(call.id, key);
            self.look_at_replaced(key);
        }
        self.with(key, now, |call, hands| call.on_reply(reply, hands));
    }

    /// What a call takes over from the one whose place it takes, as that is now.
    fn look_at_replaced(&mut self, key: SessionKey) {
        let call = self.calls.get(&key);
        let Some(from) = call.and_then(|call| call.takes_the_place_of()) else {
            return;
        };
        // One that has ended meanwhile was as it was when the other was offered.
        let known = self.known_of(Some(from));
        if let (Some(call), (pause, Some(before))) = (self.calls.get_mut(&key), known) {
            call.takes_over(from, pause, Some(before));
        }
    }

    /// The pause that a session is in, and what the archive knows of its call.
    fn known_of(
        &self,
        key: Option<SessionKey>,
    ) -> (Option<PauseStatus>, Option<Box<voicelog_archive::Call>>) {
        let call = key.and_then(|key| self.calls.get(&key));
        let id = call.and_then(|call| call.id());
        let known = id.and_then(|id| self.parts.archive.call(id));
        (call.and_then(|call| call.pause_now()), known.map(Box::new))
    }

    /// The facts of a call have changed.
    pub(crate) fn on_changed(&mut self, id: RecordingId, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, Call::on_changed);
        }
    }

    /// The media of a recording cannot go on.
    pub(crate) fn on_media_failed(&mut self, id: RecordingId, cause: Cause, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| call.on_media_failed(cause, hands));
        }
    }

    /// A key about consent was pressed.
    pub(crate) fn on_key(&mut self, id: RecordingId, heard: &HeardKey, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| call.on_key(heard, hands));
        }
    }

    /// The notice of its line was heard in a call.
    pub(crate) fn on_notice_heard(&mut self, id: RecordingId, hearing: Hearing, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| {
                call.on_notice_heard(hearing, hands);
            });
        }
    }

    /// A call could not be listened to.
    pub(crate) fn on_not_listened(&mut self, id: RecordingId, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, Call::on_not_listened);
        }
    }

    /// Pauses a call; the media thread says what came of it.
    pub(crate) fn pause(
        &mut self,
        id: RecordingId,
        order: PauseOrder,
        done: Sender<Option<PauseStatus>>,
        now: Timestamp,
    ) {
        // Without the call `done` is dropped, and whoever waits at its other end hears that.
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| call.pause(order, done, hands));
        }
    }

    /// Lets a paused call go on; the media thread says what came of it.
    pub(crate) fn resume(&mut self, id: RecordingId, done: Sender<Option<bool>>, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| call.resume(done, hands));
        }
    }

    /// Somebody asks to keep a call.
    pub(crate) fn request_keep(
        &mut self,
        id: RecordingId,
        request: KeepRequest,
        done: KeepDone,
        now: Timestamp,
    ) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| {
                call.request_keep(request, Some(done), hands);
            });
        }
    }

    /// A program says that a call is private.
    pub(crate) fn begin_private(
        &mut self,
        id: RecordingId,
        said_by: Pii<String>,
        done: PrivateDone,
        now: Timestamp,
    ) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| {
                call.begin_private(AskedBy::Program, said_by, Some(done), hands);
            });
        }
    }

    /// A program says that a call is no longer private.
    pub(crate) fn end_private(
        &mut self,
        id: RecordingId,
        said_by: &Pii<String>,
        reason: PrivateEnd,
        done: PrivateDone,
        now: Timestamp,
    ) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, hands| {
                call.end_private((AskedBy::Program, said_by), reason, Some(done), hands);
            });
        }
    }

    /// Our clock was set while a call was in progress.
    pub(crate) fn on_clock_step(&mut self, id: RecordingId, by_us: i64, now: Timestamp) {
        if let Some(key) = self.by_recording.get(&id) {
            self.with(*key, now, |call, _| call.on_clock_step(by_us));
        }
    }

    /// Once a second.
    pub(crate) fn on_tick(&mut self, now: Timestamp) {
        let silent_micros = self.parts.silent_micros;
        self.with_all(now, |call, hands| call.on_tick(silent_micros, hands));
    }

    /// Ends every call.
    pub(crate) fn end_all(&mut self, now: Timestamp) {
        self.with_all(now, |call, hands| {
            call.end(
                Cause::Shutdown,
                "the recording server is being stopped",
                hands,
            );
        });
    }

    fn with(
        &mut self,
        key: SessionKey,
        now: Timestamp,
        act: impl FnOnce(&mut Call, &mut Hands<'_>),
    ) {
        let mut hands = Hands {
            now,
            media_address: self.parts.media_address,
            retry_after_seconds: self.parts.retry_after_seconds,
            pause_micros: self.parts.pause_micros,
            loss_permille: self.parts.loss_permille,
            archive: &self.parts.archive,
            shared: &self.parts.shared,
            decider: &self.parts.decider,
            finisher: &self.parts.finisher,
            ear: &self.parts.ear,
            sounds: &self.parts.sounds,
            media: &self.parts.media,
            commands: &mut self.commands,
        };
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let done = contained("controlling a call", || act(call, &mut hands));
        if done.is_none() {
            call.abandon(&mut hands);
        }
        if done.is_none() || call.is_over() {
            if let Some(id) = call.id() {
                self.by_recording.remove(&id);
            }
            self.calls.remove(&key);
        }
    }

    fn with_all(&mut self, now: Timestamp, mut act: impl FnMut(&mut Call, &mut Hands<'_>)) {
        let keys: Vec<_> = self.calls.keys().copied().collect();
        for key in keys {
            self.with(key, now, &mut act);
        }
    }

    // --- Offers.

    fn on_offered(&mut self, key: SessionKey, offer: &Offer, now: Timestamp) {
        let (mut streams, mut sockets) = (Vec::new(), Vec::new());
        let mut refused = RefusedStreams::new();
        let metadata = offer.metadata.as_ref();
        let line = self.parts.archive.line(offer.request_user.expose());
        for offered in &offer.streams {
            let Some(media) = offer::media_stream(offered, metadata) else {
                let stream = offer::refused_stream(offered, metadata);
                refused.extend(stream.map(|stream| (offered.number, stream)));
                continue;
            };
            match self.open_stream(offered, media, line.keep_keys) {
                Ok((stream, media)) => {
                    streams.push(stream);
                    sockets.push(media);
                }
                Err(error) => {
                    if error.is_for_want_of_ports() {
                        self.parts.shared.count("refused_no_media_port");
                        tracing::error!(%error, "a call is turned away: widen sip.media_port_first to sip.media_port_last, or lower sip.calls_max");
                    } else {
                        tracing::error!(%error, "a call is turned away");
                    }
                    let command = Command::Reject {
                        status: 503,
                        reason: error.reason().to_owned(),
                        retry_after: Some(self.parts.retry_after_seconds),
                    };
                    return self.commands.push_back((key, command));
                }
            }
        }
        let media = streams.iter().map(|stream| stream.media.clone()).collect();
        let thread = self.offered % self.parts.media.len().max(1);
        self.offered = self.offered.wrapping_add(1);
        self.parts.shared.call_offered();
        let (pause, replaced) = self.known_of(offer.replaces);
        let mut about = About {
            replaces: offer.replaces.and_then(|key| self.calls.get(&key)?.id()),
            ..About::default()
        };
        offer::add_offer(&mut about, offer);
        let offered = Box::new(offer::call(offer, media, about.clone(), now));
        let mut call = Call::new(key, thread, streams, sockets, now);
        call.keep_keys(line.keep_keys);
        if let Some(from) = offer.replaces {
            call.takes_over(from, pause, replaced);
        }
        call.begins_without(refused);
        call.is_told(about, offer.metadata.as_ref());
        call.is_timed_by(self.parts.shared.clock_check(now, CLOCK_CHECK_COUNTS_US));
        if let Some(metadata) = &offer.metadata {
            call.note_senders(metadata);
        }
        self.calls.insert(key, Box::new(call));
        self.parts.decider.ask(Question::Open(key, offered));
    }

    /// A later offer: ports for what is new, other terms for what became another, and an answer for all.
    fn on_streams_changed(&mut self, key: SessionKey, offer: &Offer, now: Timestamp) {
        let (mut added, mut refused) = (Vec::new(), Vec::new());
        let metadata = offer.metadata.as_ref();
        for offered in &offer.streams {
            let Some(media) = offer::media_stream(offered, metadata) else {
                refused.extend(offer::refused_stream(offered, metadata));
                continue;
            };
            if offered.rtp_port.is_some() {
                continue;
            }
            match self.change_stream(key, offered, media.clone()) {
                Ok(stream) => added.push(stream),
                // The other streams are worth more than this one.
                Err(error) => {
                    tracing::error!(%error, "a stream is refused");
                    refused.push((media, Cause::Overload));
                }
            }
        }
        self.with(key, now, |call, hands| {
            call.hear(offer.metadata.as_ref(), hands, |about| {
                offer::add_offer(about, offer);
            });
            for (stream, sockets) in added {
                call.add_stream(stream, sockets, hands);
            }
            for (stream, cause) in refused {
                call.refuse_stream(stream, cause, hands);
            }
            for offered in &offer.streams {
                call.set_remote(offered.number, offered.remote.as_ref(), hands);
                call.set_key(offered.number, offered.key.as_ref(), hands);
                call.set_activity(offered.number, activity(offered), hands);
            }
            call.answer(hands);
            call.mind_hold(hands);
            call.mind_voices(hands);
        });
    }

    /// What a later offer says of a stream that is new or became another: with the ports that it has,
    /// or new ones.
    fn change_stream(
        &mut self,
        key: SessionKey,
        offered: &OfferedStream,
        media: MediaStream,
    ) -> Result<(CallStream, Sockets), StreamError> {
        let call = self.calls.get(&key);
        let keep_keys = call.is_some_and(|call| call.keeps_keys());
        let Some(rtp_port) = call.and_then(|call| call.port_of(offered.number)) else {
            let (stream, media) = self.open_stream(offered, media, keep_keys)?;
            return Ok((stream, Sockets::New(Box::new(media))));
        };
        let (mut stream, terms) = self.terms(offered, media, keep_keys)?;
        stream.rtp_port = rtp_port;
        Ok((stream, Sockets::Kept(Box::new(terms))))
    }

    /// Sockets for one stream.
    fn open_stream(
        &mut self,
        offered: &OfferedStream,
        media: MediaStream,
        keep_keys: bool,
    ) -> Result<(CallStream, StreamMedia), StreamError> {
        let ports = self.parts.ports.bind()?;
        let (mut stream, terms) = self.terms(offered, media, keep_keys)?;
        stream.rtp_port = ports.address.port();
        let sockets = StreamMedia::new(terms, ports, stream.remote);
        Ok((stream, sockets))
    }

    /// A stream, and what is agreed on about it, but for its port.
    fn terms(
        &self,
        offered: &OfferedStream,
        media: MediaStream,
        keep_keys: bool,
    ) -> Result<(CallStream, StreamTerms), StreamError> {
        let keys = offered.key.as_ref().map(offer::keys).transpose()?;
        let terms = StreamTerms::new(&media, keep_keys);
        let (terms, protector) = match &keys {
            None => (terms, None),
            Some((theirs, ours)) => {
                let unprotector = Unprotector::new(theirs).ok_or(StreamError::Key)?;
                let protector = ControlProtector::new(ours).ok_or(StreamError::Key)?;
                (terms.protected(theirs, unprotector), Some(protector))
            }
        };
        let rate = media.codec.clock_rate();
        let terms = terms.reporting(offer::own_name()?, rate, offered.has_rtcp_mux, protector);
        let stream = CallStream {
            rtp_port: 0,
            activity: activity(offered),
            remote: offered.remote.as_ref().map(|remote| *remote.expose()),
            keys,
            media,
        };
        Ok((stream, terms))
    }

    /// The client named other participants: the archive is told, which leads to the law being
    /// asked again.
    fn on_metadata(&mut self, key: SessionKey, metadata: &Metadata, now: Timestamp) {
        self.with(key, now, |call, hands| {
            call.hear(Some(metadata), hands, |about| {
                offer::add_metadata(about, metadata);
            });
        });
        let Some(id) = self.calls.get(&key).and_then(|call| call.id()) else {
            // Still being opened: the archive is told when it knows the call.
            return self.with(key, now, |call, hands| {
                call.keep_parties(offer::parties(metadata));
                call.on_senders(metadata, hands);
                call.mind_voices(hands);
            });
        };
        if !self
            .parts
            .archive
            .update_parties(id, offer::parties(metadata))
        {
            tracing::debug!(recording = %id, "metadata of a call that is over");
        }
        self.with(key, now, |call, hands| {
            call.on_senders(metadata, hands);
            call.mind_voices(hands);
            call.mind_reading(metadata, hands);
        });
    }
}

fn activity(offered: &OfferedStream) -> Activity {
    if offered.formats.is_empty() {
        Activity::Removed
    } else if offered.is_active() {
        Activity::Active
    } else {
        Activity::Inactive
    }
}
