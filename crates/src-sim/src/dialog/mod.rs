//! The signalling of one recording session from the client's side (RFC 7866 §6.1, RFC 3261), as a
//! state machine: messages and moments go in, messages and events come out.
//!
//! **Invariant:** opens no socket and reads no clock. Requests of ours all go to the address in the
//! plan, as through an outbound proxy.

mod client;
mod server;

use crate::dialect::Dialect;
use crate::message::{self, Message, Start};
use crate::metadata::{Metadata, Participant};
use crate::plan::Belongs;
use crate::random::Names;
use crate::sdp::{AnsweredStream, Direction, LocalMedia};
use client::{Asked, ClientTransaction};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Round-trip estimate: first retransmission over UDP (RFC 3261 §17.1.1.1, Timer A and E).
pub(crate) const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions other than of INVITE.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// When a transaction without an answer is given up (64 × T1, Timer B and F).
pub(crate) const GIVE_UP: Duration = Duration::from_secs(32);

/// The methods that we answer.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";

/// How signalling travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// Datagrams, with retransmission.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// A connection under TLS.
    Tls,
}

impl Transport {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The parameter of a SIP URI that says it (RFC 3261 §19.1.1).
    const fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
        }
    }
}

/// What tells a server, in the middle of a call, who takes part now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToldBy {
    /// A re-INVITE with SDP and metadata.
    Reinvite,
    /// An UPDATE with both.
    UpdateWithOffer,
    /// An UPDATE whose body is the metadata and nothing else.
    Update,
}

/// Which side did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// This client.
    Client,
    /// The recording server.
    Server,
}

/// What the driver of a dialog is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The call stands; the answer is in [`Dialog::remote`].
    Answered { status: u16 },
    /// The call was refused.
    Refused {
        status: u16,
        reason: String,
        retry_after: Option<u32>,
    },
    /// The call was answered, but not so that it can be used; it is being ended.
    BadAnswer { why: String },
    /// No answer to the INVITE came in time.
    NoAnswer,
    /// Where media goes may have changed.
    Media { by: Side },
    /// A re-INVITE of ours has its final answer.
    DirectionReply { status: u16 },
    /// An UPDATE of ours has its final answer.
    MetadataReply { status: u16 },
    /// The call is over. `status` is the answer to our BYE, if there was one.
    Ended { by: Side, status: Option<u16> },
}

/// Who we are and whom we call.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) server: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) transport: Transport,
    /// User part of the request URI: which line of the server.
    pub(crate) line: String,
    /// The product whose way of writing is followed.
    pub(crate) dialect: Dialect,
    /// By what it says that the call belongs with others.
    pub(crate) belongs: Belongs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Inviting,
    /// We want to give up and wait for a provisional answer to cancel, or for the final one.
    Cancelling,
    Talking,
    /// Our BYE is on its way.
    Leaving,
    Over,
}

/// A 2xx of ours to the server's INVITE that has no ACK yet (RFC 3261 §13.3.1.4).
#[derive(Debug)]
struct Unacknowledged {
    cseq: u32,
    bytes: Vec<u8>,
    next: Instant,
    interval: Duration,
    gives_up: Instant,
    /// The server's INVITE had no offer: its ACK brings the answer to ours.
    awaits_answer: bool,
}

/// One recording session.
#[derive(Debug)]
pub(crate) struct Dialog {
    identity: Identity,
    names: Names,
    call_id: String,
    tag: String,
    /// `To` as it must be sent: with the server's tag once there is one.
    to: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
    phase: Phase,
    media: LocalMedia,
    metadata: Metadata,
    remote: Vec<AnsweredStream>,
    /// How many `m=` lines the server's last description had.
    remote_lines: usize,
    /// What we want: `SendOnly`, or `Inactive` while paused.
    wish: Direction,
    /// Whether our own direction lets media flow now.
    sending: bool,
    transactions: Vec<ClientTransaction>,
    /// The ACK of the last INVITE of ours, for when its answer comes again.
    acknowledged: Option<(u32, Vec<u8>)>,
    /// The last request served and the answer, for when it comes again.
    served: Option<(u32, String, Vec<u8>)>,
    unacknowledged: Option<Unacknowledged>,
    /// When to try a re-INVITE again after glare (491).
    again_at: Option<Instant>,
    snapshot_wanted: bool,
    outgoing: Vec<Vec<u8>>,
    events: Vec<Event>,
}

impl Dialog {
    /// A session that has not begun; [`Self::start`] sends the INVITE.
    pub(crate) fn new(
        identity: Identity,
        mut names: Names,
        media: LocalMedia,
        metadata: Metadata,
    ) -> Self {
        let (line, server) = (&identity.line, identity.server);
        let parameter = identity.transport.parameter();
        let target = format!("sip:{line}@{server}{parameter}");
        let to = format!("<sip:{line}@{server}>");
        Self {
            call_id: format!("{}@{}", names.token(), identity.local.ip()),
            tag: names.token(),
            identity,
            names,
            to,
            target,
            routes: Vec::new(),
            cseq: 0,
            phase: Phase::Inviting,
            media,
            metadata,
            remote: Vec::new(),
            remote_lines: 0,
            wish: Direction::SendOnly,
            sending: true,
            transactions: Vec::new(),
            acknowledged: None,
            served: None,
            unacknowledged: None,
            again_at: None,
            snapshot_wanted: false,
            outgoing: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.identity.dialect
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The dialog as a `Replaces` header names it (RFC 3891 §6.1): with the tags as the server sees them.
    pub(crate) fn named(&self) -> String {
        let theirs = message::parameter(&self.to, "tag").unwrap_or_default();
        format!("{};to-tag={theirs};from-tag={}", self.call_id, self.tag)
    }

    /// What the server said last about each stream, in the order of ours.
    pub(crate) fn remote(&self) -> &[AnsweredStream] {
        &self.remote
    }

    /// How many `m=` lines its last description had.
    pub(crate) const fn remote_lines(&self) -> usize {
        self.remote_lines
    }

    /// Whether both sides want media on this stream to flow now.
    pub(crate) fn flows(&self, stream: usize) -> bool {
        let takes = self
            .remote
            .get(stream)
            .is_some_and(AnsweredStream::receives);
        self.phase == Phase::Talking && self.sending && takes
    }

    pub(crate) const fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking)
    }

    /// Whether our BYE is on its way.
    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(self.phase, Phase::Leaving)
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Messages to send, oldest first.
    pub(crate) fn take_outgoing(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    /// What happened, oldest first.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Takes in a message that belongs to this call.
    pub(crate) fn receive(&mut self, message: &Message, now: Instant) {
        match &message.start {
            Start::Response { status, reason } => self.response(message, *status, reason, now),
            Start::Request { method, .. } => self.request(message, method, now),
        }
        self.send_snapshot(now);
    }

    /// Does what is due: retransmissions, giving up, trying again.
    pub(crate) fn on_time(&mut self, now: Instant) {
        self.client_timers(now);
        self.server_timers(now);
        if self.again_at.is_some_and(|at| now >= at) && self.phase == Phase::Talking {
            self.again_at = None;
            self.reinvite(now);
        }
        self.send_snapshot(now);
    }

    /// Ends the call, whatever its state: CANCEL before the answer, BYE after it.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        match self.phase {
            Phase::Inviting => self.cancel(now),
            Phase::Talking => {
                self.phase = Phase::Leaving;
                self.ask(Asked::Bye, "BYE", &[], b"", now);
            }
            Phase::Cancelling | Phase::Leaving | Phase::Over => {}
        }
    }

    /// Everything is off: the transport is gone.
    pub(crate) fn break_off(&mut self, by: Side) {
        if self.phase != Phase::Over {
            self.end(by, None);
        }
    }

    /// Pauses or resumes: a re-INVITE with the new direction. False if it can't be asked now.
    pub(crate) fn set_wish(&mut self, wish: Direction, now: Instant) -> bool {
        let free = self.phase == Phase::Talking
            && !self.is_waiting(Asked::Direction)
            && self.unacknowledged.is_none()
            && self.again_at.is_none();
        if free {
            self.wish = wish;
            if wish == Direction::Inactive {
                // A client that pauses stops at once; it resumes when the server agrees.
                self.sending = false;
            }
            self.reinvite(now);
        }
        free
    }

    /// Tells the server who takes part now. False if it can't be asked now.
    pub(crate) fn update_participants(
        &mut self,
        participants: &[Participant],
        now: Instant,
    ) -> bool {
        let free = self.phase == Phase::Talking && !self.is_waiting(Asked::Metadata);
        if free {
            self.metadata
                .set_participants(&mut self.names, participants);
            self.send_metadata(now);
        }
        free
    }

    /// The same, with a request of this kind.
    pub(crate) fn tell_participants(
        &mut self,
        participants: &[Participant],
        by: ToldBy,
        now: Instant,
    ) {
        self.metadata
            .set_participants(&mut self.names, participants);
        self.tell_by(by, now);
    }

    /// As the product does it.
    fn send_metadata(&mut self, now: Instant) {
        if let Some(by) = self.identity.dialect.told_by().last() {
            self.tell_by(*by, now);
        }
    }

    /// The full snapshot that the server asked for (RFC 7866 §9.2), once we are free to send it.
    fn send_snapshot(&mut self, now: Instant) {
        let free = self.phase == Phase::Talking && !self.is_waiting(Asked::Metadata);
        if self.snapshot_wanted && free {
            self.snapshot_wanted = false;
            self.send_metadata(now);
        }
    }

    fn end(&mut self, by: Side, status: Option<u16>) {
        self.phase = Phase::Over;
        self.transactions.clear();
        self.unacknowledged = None;
        self.again_at = None;
        self.events.push(Event::Ended { by, status });
    }

    /// Writes our next description.
    fn describe(&mut self, lines_wanted: usize) -> String {
        self.media.version = self.media.version.wrapping_add(1);
        self.media.write(lines_wanted)
    }

    /// Every description of the server goes through here.
    fn take_description(&mut self, body: &[u8], by: Side) -> Result<(), String> {
        let mut streams = crate::sdp::read(body, &self.media.formats)?;
        self.remote_lines = streams.len();
        if streams.len() < self.media.streams.len() {
            return Err("its SDP has fewer m= lines than ours".to_owned());
        }
        streams.truncate(self.media.streams.len());
        for (local, remote) in self.media.streams.iter().zip(&streams) {
            let offered = local.key.as_ref().map(|key| key.suite().as_str());
            if remote.address.is_some() && remote.srtp.as_deref() != offered {
                return Err("it answered with another protection than we offered".to_owned());
            }
        }
        for (local, remote) in self.media.streams.iter_mut().zip(&streams) {
            local.open = remote.address.is_some();
        }
        self.remote = streams;
        self.events.push(Event::Media { by });
        Ok(())
    }

    /// Our `Contact`, with the mark of a recording client (RFC 7866 §6.1.1).
    fn contact(&self) -> String {
        let transport = self.identity.transport.parameter();
        let mark = self.identity.dialect.style().contact;
        format!("<sip:src@{}{transport}>{mark}", self.identity.local)
    }

    fn from(&self) -> String {
        format!("<sip:src@{}>;tag={}", self.identity.local, self.tag)
    }

    fn via(&self, branch: &str) -> String {
        let (transport, local) = (self.identity.transport.as_str(), self.identity.local);
        format!("SIP/2.0/{transport} {local};branch={branch};rport")
    }

    /// Writes a request of ours; `to` and the rest are those of the dialog unless given.
    fn write_request(&self, request: &Request<'_>) -> Vec<u8> {
        let via = self.via(request.branch);
        let (from, contact) = (self.from(), self.contact());
        let cseq = format!("{} {}", request.cseq, request.method);
        let mut headers = vec![("Via", via.as_str()), ("Max-Forwards", "70")];
        headers.extend(self.routes.iter().map(|route| ("Route", route.as_str())));
        headers.extend([
            ("From", from.as_str()),
            ("To", request.to),
            ("Call-ID", self.call_id.as_str()),
            ("CSeq", cseq.as_str()),
        ]);
        if request.method != "CANCEL" {
            headers.push(("Contact", contact.as_str()));
        }
        headers.extend_from_slice(request.headers);
        headers.push(("User-Agent", USER_AGENT));
        let start = format!("{} {} SIP/2.0", request.method, self.target);
        message::write(&start, &headers, request.body)
    }
}

const USER_AGENT: &str = concat!("voicelog-simulate/", env!("CARGO_PKG_VERSION"));

/// One request to write.
struct Request<'a> {
    method: &'a str,
    cseq: u32,
    branch: &'a str,
    to: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

#[cfg(test)]
mod tests;
