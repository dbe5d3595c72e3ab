//! One call with a thread of its own: what the demo and the tests use.

use crate::call::Call;
use crate::error::SimError;
use crate::metadata::Participant;
use crate::pace::{self, Anchor, Lateness};
use crate::plan::CallPlan;
use crate::random::Names;
use crate::report::{Answer, CallReport, Outcome};
use crate::rtp::Sent;
use crate::sdp::{AnsweredStream, Direction};
use crate::signalling::{Signalling, open_media};
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often signalling is looked at between two packets.
const TICK: Duration = Duration::from_millis(4);

/// What one stream does at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// SDP label.
    pub label: String,
    /// Whether packets are being sent.
    pub flows: bool,
    /// Counts so far.
    pub sent: Sent,
    /// What the server said last about this stream.
    pub remote: Option<AnsweredStream>,
}

/// What a call does at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallStatus {
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// The call as the `Replaces` header of another names it (RFC 3891), once it is answered.
    pub named: String,
    /// Its streams.
    pub streams: Vec<StreamStatus>,
}

impl CallStatus {
    /// Whether every stream flows.
    #[must_use]
    pub fn flows(&self) -> bool {
        !self.streams.is_empty() && self.streams.iter().all(|stream| stream.flows)
    }
}

#[derive(Debug)]
enum Command {
    HangUp,
    Direction(Direction, Sender<u16>),
    Participants(Vec<Participant>, Sender<u16>),
}

type Shared = Arc<(Mutex<CallStatus>, Condvar)>;

/// A call in progress. Dropping it hangs up without waiting.
#[derive(Debug)]
pub struct RunningCall {
    answer: Answer,
    call_id: String,
    shared: Shared,
    commands: Sender<Command>,
    thread: JoinHandle<CallReport>,
}

/// Places a call and waits for its answer.
///
/// # Errors
/// [`SimError::Refused`] for a final answer of 300 or more; [`SimError::NoAnswer`],
/// [`SimError::BadAnswer`], [`SimError::Unreachable`] if there was none that can be used.
pub fn place(plan: &CallPlan) -> Result<RunningCall, SimError> {
    plan.check()?;
    let server = plan.server;
    let signalling = Signalling::open(server, plan.transport, plan.tls.as_ref())?;
    let local = signalling.local();
    let open = |_| open_media(local.ip(), server);
    let sockets: Vec<UdpSocket> = plan.streams.iter().map(open).collect::<Result<_, _>>()?;
    let port = |socket: &UdpSocket| socket.local_addr().map(|address| address.port());
    let ports: io::Result<Vec<u16>> = sockets.iter().map(port).collect();
    let ports = ports.map_err(|source| SimError::Socket { server, source })?;
    let names = Names::from_system()?;
    let call = Call::start(plan, local, &ports, names, Anchor::take(), pace::now());
    let call_id = call.call_id().to_owned();
    let shared = Shared::default();
    let (commands, received) = mpsc::channel();
    let mut driver = Driver {
        call,
        signalling,
        sockets,
        shared: Arc::clone(&shared),
        commands: received,
        waiting: VecDeque::new(),
        direction: None,
        participants: None,
        lateness: Lateness::default(),
    };
    let thread = std::thread::Builder::new()
        .name("src-sim".to_owned())
        .spawn(move || {
            driver.run();
            driver.call.report(driver.lateness)
        })
        .map_err(|source| SimError::Thread { source })?;
    let status = wait(&shared, None, |s| s.answer.is_some() || s.outcome.is_some());
    match (status.answer, status.outcome) {
        (Some(answer), _) => Ok(RunningCall {
            answer,
            call_id,
            shared,
            commands,
            thread,
        }),
        (None, outcome) => Err(failed(server, outcome.unwrap_or(Outcome::NoAnswer))),
    }
}

fn failed(server: SocketAddr, outcome: Outcome) -> SimError {
    match outcome {
        Outcome::Refused {
            status,
            reason,
            retry_after,
        } => SimError::Refused {
            status,
            reason,
            retry_after,
        },
        Outcome::BadAnswer { why } => SimError::BadAnswer { why },
        Outcome::Unreachable { why } => SimError::Unreachable { server, why },
        Outcome::NoAnswer | Outcome::Ended { .. } => SimError::NoAnswer {
            server,
            method: "INVITE",
        },
    }
}

/// Waits until `wanted` holds or the time is up; gives the status at that moment.
fn wait(
    shared: &Shared,
    within: Option<Duration>,
    mut wanted: impl FnMut(&CallStatus) -> bool,
) -> CallStatus {
    let (status, changed) = &**shared;
    let guard = status.lock().unwrap_or_else(PoisonError::into_inner);
    let guard = match within {
        None => changed
            .wait_while(guard, |status| !wanted(status))
            .unwrap_or_else(PoisonError::into_inner),
        Some(within) => {
            changed
                .wait_timeout_while(guard, within, |status| !wanted(status))
                .unwrap_or_else(PoisonError::into_inner)
                .0
        }
    };
    guard.clone()
}

impl RunningCall {
    /// The server's answer to the INVITE.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }

    /// SIP `Call-ID`.
    #[must_use]
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// What the call does now.
    #[must_use]
    pub fn status(&self) -> CallStatus {
        wait(&self.shared, None, |_| true)
    }

    /// Waits until `wanted` holds, at most `within`. Says whether it came about.
    #[must_use]
    pub fn wait_for(&self, within: Duration, mut wanted: impl FnMut(&CallStatus) -> bool) -> bool {
        let status = wait(&self.shared, Some(within), &mut wanted);
        wanted(&status)
    }

    /// Stops sending and tells the server (re-INVITE, `a=inactive`), once no other request is in
    /// the way. Gives its final status.
    ///
    /// # Errors
    /// [`SimError::Ended`] if the call is over or ends meanwhile.
    pub fn pause(&self) -> Result<u16, SimError> {
        self.command(|reply| Command::Direction(Direction::Inactive, reply))
    }

    /// Sends again, once the server agrees (re-INVITE, `a=sendonly`). Gives its final status.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub fn resume(&self) -> Result<u16, SimError> {
        self.command(|reply| Command::Direction(Direction::SendOnly, reply))
    }

    /// Tells the server who takes part now (UPDATE with a full snapshot). Gives its final status.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub fn update_metadata(&self, participants: &[Participant]) -> Result<u16, SimError> {
        self.command(|reply| Command::Participants(participants.to_vec(), reply))
    }

    /// Hangs up (BYE) and gives the report.
    ///
    /// # Errors
    /// [`SimError::Ended`] if the call's thread is gone.
    pub fn hang_up(self) -> Result<CallReport, SimError> {
        // A call that has just ended by itself takes no command; its report is the same.
        let _already_ended = self.commands.send(Command::HangUp).is_err();
        self.finish()
    }

    /// Waits until the call ends: by its plan, or because the server hangs up.
    ///
    /// # Errors
    /// As [`Self::hang_up`].
    pub fn finish(self) -> Result<CallReport, SimError> {
        // `commands` lives on until the thread has ended: without it, it would hang up at once.
        let Self {
            commands, thread, ..
        } = self;
        let report = thread.join().map_err(|_| SimError::Ended);
        drop(commands);
        report
    }

    fn command(&self, command: impl FnOnce(Sender<u16>) -> Command) -> Result<u16, SimError> {
        let (reply, answer) = mpsc::channel();
        let sent = self.commands.send(command(reply));
        sent.map_err(|_| SimError::Ended)?;
        answer.recv().map_err(|_| SimError::Ended)
    }
}

/// The thread of one call.
struct Driver {
    call: Call,
    signalling: Signalling,
    sockets: Vec<UdpSocket>,
    shared: Shared,
    commands: Receiver<Command>,
    waiting: VecDeque<Command>,
    direction: Option<Sender<u16>>,
    participants: Option<Sender<u16>>,
    lateness: Lateness,
}

impl Driver {
    fn run(&mut self) {
        loop {
            let now = pace::now();
            self.take_commands();
            self.take_messages();
            self.call.on_time(now);
            let sockets = &self.sockets;
            self.call
                .send_due(pace::now(), &mut self.lateness, &mut |stream, to, bytes| {
                    if let Some(socket) = sockets.get(stream) {
                        // What the kernel does not take is a loss on the way, like any other.
                        let _lost = socket.send_to(bytes, to).is_err();
                    }
                });
            self.send_messages();
            self.give_replies();
            self.publish();
            if self.call.is_over() {
                return;
            }
            let tick = now + TICK;
            let due = self.call.media_due().map_or(tick, |due| due.min(tick));
            pace::wait_until(due);
        }
    }

    fn take_commands(&mut self) {
        let now = pace::now();
        loop {
            match self.commands.try_recv() {
                Ok(Command::HangUp) | Err(TryRecvError::Disconnected) => {
                    self.call.dialog().hang_up(now);
                    break;
                }
                Ok(command) => self.waiting.push_back(command),
                Err(TryRecvError::Empty) => break,
            }
        }
        // One at a time and in order: a request of the server in between goes first.
        while let Some(command) = self.waiting.pop_front() {
            if !self.call.dialog().is_talking() {
                // Dropping the command tells whoever asked that the call has ended.
                continue;
            }
            if let Some(command) = self.try_command(command, now) {
                self.waiting.push_front(command);
                return;
            }
        }
    }

    /// Carries out a command, or gives it back if it has to wait.
    fn try_command(&mut self, command: Command, now: Instant) -> Option<Command> {
        let dialog = self.call.dialog();
        match command {
            Command::HangUp => dialog.hang_up(now),
            Command::Direction(direction, reply) => {
                if !dialog.set_wish(direction, now) {
                    return Some(Command::Direction(direction, reply));
                }
                self.direction = Some(reply);
            }
            Command::Participants(participants, reply) => {
                if !dialog.update_participants(&participants, now) {
                    return Some(Command::Participants(participants, reply));
                }
                self.participants = Some(reply);
            }
        }
        None
    }

    fn take_messages(&mut self) {
        let now = pace::now();
        let call = &mut self.call;
        let received = self.signalling.receive(|message| {
            if message.header("call-id") == Some(call.call_id()) {
                call.receive(message, now);
            }
        });
        if let Err(error) = received {
            self.transport_failed(&error);
        }
    }

    fn send_messages(&mut self) {
        for bytes in self.call.dialog().take_outgoing() {
            if let Err(error) = self.signalling.send(&bytes) {
                self.transport_failed(&error);
                return;
            }
        }
    }

    fn transport_failed(&mut self, error: &io::Error) {
        // Over UDP a refused port may be a server that restarts; a connection does not come back.
        let for_good = error.kind() != io::ErrorKind::ConnectionRefused;
        let now = pace::now();
        self.call
            .transport_failed(&error.to_string(), for_good, now);
    }

    fn give_replies(&mut self) {
        if let Some(status) = self.call.direction_reply.take()
            && let Some(reply) = self.direction.take()
        {
            tell(&reply, status);
        }
        if let Some(status) = self.call.metadata_reply.take()
            && let Some(reply) = self.participants.take()
        {
            tell(&reply, status);
        }
    }

    fn publish(&self) {
        let streams = self
            .call
            .streams()
            .map(|(label, flows, sent, remote)| StreamStatus {
                label: label.to_owned(),
                flows,
                sent: sent.clone(),
                remote: remote.cloned(),
            });
        let status = CallStatus {
            named: self.call.named(),
            answer: self.call.answer().cloned(),
            outcome: self.call.outcome().cloned(),
            streams: streams.collect(),
        };
        let (shared, changed) = &*self.shared;
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = status;
        changed.notify_all();
    }
}

/// Whoever asked may have stopped waiting.
fn tell(reply: &Sender<u16>, status: u16) {
    let _gone = reply.send(status).is_err();
}
