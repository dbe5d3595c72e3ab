//! Media threads: every 60 ms one wakes up, reads all sockets it has, and sleeps again.
//!
//! Waking up once for each packet is what recording costs elsewhere; the sweep is what it costs
//! here. In it there is no lock, no message and no new memory per packet. Each call's journal is
//! handed to the writer every 300 ms ([`limits::CHUNK_MILLIS`]), a third of the calls at a time,
//! so that the writer has something to do every 100 ms and never a heap.
//!
//! **Invariant:** after a refusal, and while recording is paused, nothing of a packet but its first
//! byte leaves the kernel, or its header where keys are listened for; what waited there for the
//! answer is read to see when it arrived, and kept only if a permit was held and no pause. While the
//! answer is awaited no journal goes to the writer, so that what was read a moment too late can be
//! taken out of it. Where the notice of the line is awaited, or somebody may still ask to keep the
//! call, it waits in memory that no writer sees.

mod acting;
mod counts;
mod cut;
mod doubted;
mod intake;
mod keys;
mod loss;
mod pauses;
mod receive;
mod reports;
mod room;
mod session;
mod source;
mod stream;
mod terms;
#[cfg(test)]
mod tests;
mod waiting;
mod wanted;

pub(crate) use acting::HeardKey;
pub use counts::MediaCounts;
pub(crate) use counts::SharedCounts;
pub(crate) use keys::Listening;
pub use pauses::PauseStatus;
pub(crate) use pauses::{PauseOrder, PrivateOrder};
pub(crate) use reports::OwnName;
pub(crate) use room::Room;
pub(crate) use session::{Dated, MediaSession};
pub(crate) use stream::StreamMedia;
pub(crate) use terms::StreamTerms;
pub(crate) use waiting::LookBack;

use crate::chunks::Chunks;
use crate::guard::{contained_in, mishap};
use crate::pace::Tick;
use crate::signalling::{Notice, Notices};
use crate::steps::Steps;
use crate::writer::WriterHandle;
use receive::{Receiver, SweepTime};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Commands, RecvTimeoutError, Sender};
use std::time::Duration;
use voicelog_archive::journal::{Cause, PrivateEnd, ResumedBy};
use voicelog_archive::notice::EarHandle;
use voicelog_model::{Clock, RecordingId, StreamNumber, Timestamp, limits};
use voicelog_srs::srtp::MasterKey;

/// How often all sockets are read.
const SWEEP: Duration = Duration::from_millis(60);
/// How often control sockets are read: RTCP comes every few seconds (RFC 3550 §6.2).
const SWEEPS_PER_CONTROL: u64 = 8;
/// In how many groups the journals are handed to the writer.
const GROUPS: u64 = 3;
/// How often one group is handed over.
const GROUP: Duration = Duration::from_millis(limits::CHUNK_MILLIS / GROUPS);

/// What call control tells a media thread.
#[derive(Debug)]
pub(crate) enum MediaCommand {
    /// A call with its sockets. Nothing is read until the law has answered.
    Add(Box<MediaSession>),
    /// The client added a stream.
    AddStream(RecordingId, Box<StreamMedia>),
    /// A stream became another one.
    ChangeStream(RecordingId, Box<StreamTerms>),
    /// The client says anew where the media of a stream comes from.
    MoveStream(RecordingId, StreamNumber, SocketAddr),
    /// The client protects a stream with another key.
    Rekey(RecordingId, StreamNumber, MasterKey),
    /// The law is being asked: leave what arrives where it is.
    Hold(RecordingId),
    /// A permit is held.
    Keep {
        /// Which recording.
        id: RecordingId,
        /// From when on.
        from: Timestamp,
        /// For the journal.
        events: Vec<Dated>,
        /// The facts have changed since it was asked for: hold on until the next answer.
        is_stale: bool,
        /// What waits in memory belongs to it from then on; otherwise it is dropped.
        with_waiting: bool,
        /// Who asked to keep the call, and hears from when on it is kept.
        asked: Vec<Sender<Option<KeepAnswer>>>,
    },
    /// Tell from when on the call is kept.
    TellKept(RecordingId, Sender<Option<KeepAnswer>>),
    /// What is done about the notice of the line, and about what waits in memory.
    Attend(RecordingId, Attention),
    /// No permit from `since` on.
    Close {
        /// Which recording.
        id: RecordingId,
        /// From when on.
        since: Timestamp,
        /// For the journal.
        events: Vec<Dated>,
        /// If the events do not say why.
        cause: Option<Cause>,
    },
    /// Something for the journal.
    Events(RecordingId, Vec<Dated>),
    /// Keys to listen for from now on, and how long a pause by key lasts at most, in microseconds.
    Listen(RecordingId, Vec<(StreamNumber, Listening)>, i64),
    /// Keep nothing from now on, until the order's time is over. Says what came of it.
    Pause(RecordingId, PauseOrder, Sender<Option<PauseStatus>>),
    /// It is a private call. Says since when.
    Private(
        RecordingId,
        PrivateOrder,
        Option<Sender<Option<PrivateAnswer>>>,
    ),
    /// It is no longer one. Says whether it was.
    PrivateOver(
        RecordingId,
        PrivateEnd,
        PrivateOrder,
        Option<Sender<Option<PrivateAnswer>>>,
    ),
    /// Go on after a pause. Says whether there was one.
    Resume(RecordingId, Sender<Option<bool>>),
    /// The media of this recording cannot go on.
    Fail(RecordingId, Cause),
    /// The call is over: take in what arrived until then, and tell the writer.
    End(RecordingId, Timestamp, Vec<Dated>),
}

/// What came of asking to keep a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAnswer {
    /// It is kept, from this moment on.
    Kept {
        /// The beginning of what is kept, before the request where something was held.
        from: Timestamp,
    },
    /// The law does not permit it now. It is kept from the moment on at which the law does.
    NotPermitted,
    /// Its line keeps every call that may be recorded.
    EveryCall,
}

/// What came of saying that a call is private, or is no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateAnswer {
    /// It is private: nothing that arrives is kept.
    Private {
        /// Since when.
        since: Timestamp,
    },
    /// It is no longer private.
    Over,
    /// It was not private.
    NotPrivate,
    /// Somebody else said that it is private, and only they can say that it is not.
    AnotherPerson,
}

/// What is done about the notice of the line, and about what waits in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attention {
    /// It is awaited: somebody listens to what comes. While no permit is held that waits in memory
    /// for so many microseconds, or is thrown away.
    Listen(Option<i64>),
    /// The law permits to record, and nobody has asked to keep the call: what comes waits in memory.
    LookBack(LookBack),
    /// It was heard, or is given up: nobody listens any more.
    Over,
    /// What waits in memory is dropped.
    Forget,
}

/// One media thread.
pub(crate) struct MediaThread {
    clock: Arc<dyn Clock>,
    commands: Commands<MediaCommand>,
    writer: WriterHandle,
    ear: EarHandle,
    notices: Notices,
    room: Arc<Room>,
    /// Whether it was said that what waits takes all its room.
    said_full: bool,
    receiver: Receiver,
    calls: BTreeMap<RecordingId, Place>,
    added: u64,
    steps: Steps,
}

struct Place {
    group: u64,
    session: Box<MediaSession>,
}

impl MediaThread {
    /// A thread that is not running yet.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        commands: Commands<MediaCommand>,
        writer: WriterHandle,
        ear: EarHandle,
        notices: Notices,
        room: Arc<Room>,
    ) -> Self {
        Self {
            clock,
            commands,
            writer,
            ear,
            notices,
            room,
            said_full: false,
            receiver: Receiver::new(),
            calls: BTreeMap::new(),
            added: 0,
            steps: Steps::default(),
        }
    }

    /// Runs until nobody can send a command any more; what is in memory then goes to the writer.
    pub(crate) fn run(mut self) {
        let mut next_sweep = Tick::now();
        let mut next_group = next_sweep;
        let (mut sweeps, mut groups) = (0_u64, 0_u64);
        while self.obey_until(next_sweep) {
            if self.calls.is_empty() {
                // Nothing to sweep: sleep until there is.
                self.steps.forget();
                let Ok(command) = self.commands.recv() else {
                    return;
                };
                self.obey(command);
                next_sweep = Tick::now();
                continue;
            }
            self.sweep(sweeps.is_multiple_of(SWEEPS_PER_CONTROL));
            sweeps = sweeps.wrapping_add(1);
            let now = Tick::now();
            if now >= next_group {
                self.hand_over(Some(groups % GROUPS));
                groups = groups.wrapping_add(1);
                next_group = following(next_group, GROUP, now);
            }
            next_sweep = following(next_sweep, SWEEP, now);
        }
        self.hand_over(None);
    }

    /// Carries out commands until the deadline. False when nobody can send any more.
    fn obey_until(&mut self, deadline: Tick) -> bool {
        loop {
            match self.commands.recv_timeout(deadline.since(Tick::now())) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
            if Tick::now() >= deadline {
                return true;
            }
        }
    }

    fn obey(&mut self, command: MediaCommand) {
        let time = SweepTime::read(&*self.clock);
        match command {
            MediaCommand::Add(session) => {
                let group = self.added % GROUPS;
                self.added = self.added.wrapping_add(1);
                self.calls.insert(session.id(), Place { group, session });
            }
            MediaCommand::AddStream(id, stream) => {
                self.with(id, |session, _| session.add_stream(*stream));
            }
            MediaCommand::ChangeStream(id, terms) => {
                self.with(id, |session, _| session.change_stream(*terms, time.now));
            }
            MediaCommand::MoveStream(id, number, offered) => {
                self.with(id, |session, _| session.move_stream(number, offered));
            }
            MediaCommand::Rekey(id, number, key) => {
                self.with(id, |session, _| session.rekey_stream(number, &key));
            }
            MediaCommand::Hold(id) => self.with(id, |session, _| session.hold()),
            MediaCommand::Keep {
                id,
                from,
                events,
                is_stale,
                with_waiting,
                asked,
            } => self.with(id, |session, _| {
                if with_waiting {
                    session.release(from, events, is_stale);
                } else {
                    session.keep(from, events, is_stale);
                }
                for done in asked {
                    tell_kept(session, done);
                }
            }),
            MediaCommand::Attend(id, what) => {
                let room = Arc::clone(&self.room);
                self.with(id, |session, _| session.attend(what, &room));
            }
            MediaCommand::Close {
                id,
                since,
                events,
                cause,
            } => self.with(id, |session, receiver| {
                session.close(receiver, time, since, events, cause);
            }),
            MediaCommand::Events(id, events) => {
                self.with(id, |session, _| session.push_events(events));
            }
            MediaCommand::Listen(id, all, micros) => {
                self.with(id, |session, _| session.listen(&all, micros));
            }
            wish @ (MediaCommand::TellKept(..)
            | MediaCommand::Pause(..)
            | MediaCommand::Resume(..)
            | MediaCommand::Private(..)
            | MediaCommand::PrivateOver(..)) => self.grant(time, wish),
            MediaCommand::Fail(id, cause) => self.with(id, |session, _| session.fail(cause)),
            MediaCommand::End(id, at, events) => self.end(time, id, at, events),
        }
    }

    fn end(&mut self, time: SweepTime, id: RecordingId, at: Timestamp, events: Vec<Dated>) {
        let Some(Place { mut session, .. }) = self.calls.remove(&id) else {
            return;
        };
        let receiver = &mut self.receiver;
        let mut before = Chunks::default();
        let last = contained_in(id, "ending media", || {
            session.hand_over_released(&mut before);
            session.end(receiver, time, at, events.clone())
        });
        // How it ended is told all the same, and what is lost.
        let last = last.or_else(|| {
            contained_in(id, "ending media after a mistake", || {
                session.fail(Cause::Overload);
                session.hand_over_released(&mut before);
                session.end(receiver, time, at, events)
            })
        });
        self.writer.write(before);
        match last.flatten() {
            Some(last) => self.writer.end(id, last),
            // There may be a writer all the same, where a mistake was made as it began.
            None => self.writer.give_up(id),
        }
    }

    /// What somebody waits to hear of.
    fn grant(&mut self, time: SweepTime, wish: MediaCommand) {
        match wish {
            MediaCommand::TellKept(id, done) => {
                self.with(id, |session, _| tell_kept(session, done));
            }
            // Who asked may have given up waiting.
            MediaCommand::Pause(id, order, done) => self.with(id, |session, receiver| {
                if let Err(_gone) = done.send(session.pause(receiver, time, order)) {}
            }),
            MediaCommand::Resume(id, done) => self.with(id, |session, _| {
                if let Err(_gone) = done.send(Some(session.resume(time, ResumedBy::Program))) {}
            }),
            MediaCommand::Private(id, order, done) => self.with(id, |session, receiver| {
                let since = session.begin_private(receiver, time, order);
                tell(done, since.map(|since| PrivateAnswer::Private { since }));
            }),
            MediaCommand::PrivateOver(id, reason, order, done) => self.with(id, |session, _| {
                session.end_private(time, reason, order);
                tell(done, Some(PrivateAnswer::Over));
            }),
            // The others are none, and do not come here.
            _ => {}
        }
    }

    fn with(&mut self, id: RecordingId, act: impl FnOnce(&mut MediaSession, &mut Receiver)) {
        // A command for a call that has just ended is no error.
        let Some(place) = self.calls.get_mut(&id) else {
            return;
        };
        let done = contained_in(id, "obeying for media", || {
            mishap(id, "obeying");
            act(&mut place.session, &mut self.receiver);
        });
        if done.is_none() {
            give_up(&mut place.session, &self.notices);
        }
    }

    fn sweep(&mut self, with_control: bool) {
        let (mut time, step) = self.steps.look(|| {
            let time = SweepTime::read(&*self.clock);
            (time.now, time)
        });
        if let Some(by_us) = step {
            time.set_since(by_us);
        }
        for (id, place) in &mut self.calls {
            let swept = contained_in(*id, "reading media", || {
                if let Some(by_us) = step {
                    place.session.on_clock_step(time.now, by_us);
                    self.notices.send(Notice::ClockStepped(*id, by_us));
                }
                place.session.sweep(&mut self.receiver, time, with_control);
            });
            if swept.is_none() {
                give_up(&mut place.session, &self.notices);
            }
            for heard in place.session.take_heard() {
                self.notices.send(Notice::Key(*id, heard));
            }
        }
    }

    /// Hands the journals of one group, or of all, to the writer. If the writer is behind they
    /// stay here, each up to its bound, and the next round tries again.
    fn hand_over(&mut self, group: Option<u64>) {
        let has_room = group.is_none() || self.writer.has_room();
        let now = self.clock.now();
        let mut chunks = Chunks::default();
        for (id, place) in &mut self.calls {
            if group.is_some_and(|group| place.group != group || place.session.is_held()) {
                continue;
            }
            let handed_over = contained_in(*id, "handing media over", || {
                let is_put_by = place.session.put_waiting_by(now);
                if let Some(chunk) = place.session.overheard(is_put_by, has_room)
                    && !self.ear.chunk(*id, chunk)
                {
                    place.session.attend(Attention::Over, &self.room);
                    self.notices.send(Notice::NotListened(*id));
                }
                if has_room {
                    place.session.hand_over(now, &mut chunks);
                }
            });
            if handed_over.is_none() {
                give_up(&mut place.session, &self.notices);
            }
        }
        self.writer.write(chunks);
        self.mind_room();
    }

    /// Drops the oldest that waits, of whatever call, until what is left has room.
    fn mind_room(&mut self) {
        if !self.room.is_overfull() {
            self.said_full = false;
            return;
        }
        if !std::mem::replace(&mut self.said_full, true) {
            tracing::warn!(
                "media that waits in memory takes all of sip.waiting_mib; the oldest is dropped"
            );
            self.notices.send(Notice::WaitingRoomFull);
        }
        let calls = &mut self.calls;
        let oldest = calls.iter();
        let oldest = oldest.filter_map(|(id, place)| Some((place.session.oldest_waiting()?, *id)));
        self.room.make(oldest.collect(), |id| {
            let session = &mut calls.get_mut(&id)?.session;
            session.drop_oldest_waiting();
            session.oldest_waiting()
        });
    }
}

/// A mistake of ours was met in a call: nothing more of it is kept, and call control ends it.
fn give_up(session: &mut MediaSession, notices: &Notices) {
    let id = session.id();
    // What it had can be what the mistake was about. Then there is less to tell, and it ends as well.
    contained_in(id, "letting go of media", || session.fail(Cause::Overload));
    notices.send(Notice::MediaFailed(id, Cause::Overload));
}

fn tell_kept(session: &MediaSession, done: Sender<Option<KeepAnswer>>) {
    let kept = session.kept_from().map(|from| KeepAnswer::Kept { from });
    tell(Some(done), kept);
}

fn tell<T>(done: Option<Sender<Option<T>>>, what: Option<T>) {
    // Who asked may have given up waiting.
    if let Some(Err(_gone)) = done.map(|done| done.send(what)) {}
}

/// The next moment of a regular beat; beats that were missed are left out, not caught up with.
fn following(last: Tick, beat: Duration, now: Tick) -> Tick {
    let next = last.plus(beat);
    if next > now { next } else { now.plus(beat) }
}
