//! What goes into the endpoint and what comes out of it.

use crate::metadata::Metadata;
use crate::peer::Peer;
use crate::quirk::Quirk;
use crate::sdp::Direction;
use crate::srtp::MasterKey;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use voicelog_model::limits::CALLS_MAX_DEFAULT;
use voicelog_model::{Format, Pii, StreamNumber, Timestamp};

/// One recording session, from its INVITE on. Never used again for another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub(crate) u64);

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({})", self.0)
    }
}

/// What the endpoint is told once. Times are in microseconds.
#[derive(Debug, Clone)]
pub struct Config {
    /// Host name or address that clients reach us by, for `Contact` and `Via`. Without it, the
    /// local address of the message is used, or where that is a wildcard, the host that the
    /// client asked for.
    pub contact_host: Option<String>,
    /// What `Server` and `User-Agent` say.
    pub product: String,
    /// Take INVITEs that show no sign of being a recording session (RFC 7866).
    pub accept_without_siprec: bool,
    /// Take SRTP keys (`a=crypto`) from messages that did not come over TLS. Everybody on the way
    /// can read them then.
    pub srtp_keys_without_tls: bool,
    /// Sessions at once; beyond it, 503.
    pub sessions_max: usize,
    /// `Retry-After` when there are too many, in seconds.
    pub retry_after_seconds: u32,
    /// How long the caller may think about an offer before we refuse it with 500.
    pub answer_micros_max: i64,
    /// How long a session may last before we end it.
    pub session_micros_max: i64,
    /// T1 of RFC 3261 §17.1.1.1: the estimate of a round trip.
    pub t1_micros: i64,
    /// T2: the longest interval between retransmissions.
    pub t2_micros: i64,
    /// T4: how long a message may stay in the network.
    pub t4_micros: i64,
}

impl Default for Config {
    fn default() -> Self {
        let day = i64::try_from(voicelog_model::limits::RECORDING_SECONDS_MAX).unwrap_or(86_400);
        Self {
            contact_host: None,
            product: "voicelog".to_owned(),
            accept_without_siprec: false,
            srtp_keys_without_tls: false,
            sessions_max: CALLS_MAX_DEFAULT,
            retry_after_seconds: 30,
            answer_micros_max: 20_000_000,
            session_micros_max: day * 1_000_000,
            t1_micros: 500_000,
            t2_micros: 4_000_000,
            t4_micros: 5_000_000,
        }
    }
}

/// What happens to the endpoint.
pub enum Input<'a> {
    /// A datagram, or a message from [`crate::StreamFramer`].
    Message {
        /// When it arrived.
        now: Timestamp,
        /// Where it came from.
        from: Peer,
        /// The local address that it came in on.
        local: SocketAddr,
        /// The message.
        bytes: &'a [u8],
    },
    /// The moment of [`crate::Endpoint::next_timeout`] has come.
    Timeout {
        /// What time it is.
        now: Timestamp,
    },
    /// A TCP connection is gone.
    ConnectionClosed {
        /// When.
        now: Timestamp,
        /// Which one.
        connection: u64,
    },
    /// The caller wants something of a session.
    Command {
        /// When.
        now: Timestamp,
        /// Which one.
        session: SessionKey,
        /// What.
        command: Command,
    },
}

impl fmt::Debug for Input<'_> {
    /// Shows the length of a message only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message {
                now, from, bytes, ..
            } => {
                write!(f, "Message({now}, {from:?}, {} bytes)", bytes.len())
            }
            Self::Timeout { now } => write!(f, "Timeout({now})"),
            Self::ConnectionClosed { now, connection } => {
                write!(f, "ConnectionClosed({now}, {connection})")
            }
            Self::Command {
                now,
                session,
                command,
            } => {
                write!(f, "Command({now}, {session}, {command:?})")
            }
        }
    }
}

/// What we do with media, from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalDirection {
    /// `recvonly`: send us the media.
    Receive,
    /// `inactive`: do not (yet).
    Inactive,
}

/// The answer to one stream of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAnswer {
    /// Which one.
    pub number: StreamNumber,
    /// Where to send its RTP; `None` refuses the stream. Streams without a format are refused
    /// whatever is said here, and so are those that are not mentioned.
    pub rtp_port: Option<u16>,
    /// Our key for what we send on a stream that is protected (RTCP), of the suite of
    /// [`OfferedStream::key`]; without it such a stream is refused. A stream that was answered
    /// before keeps the key that it has.
    pub key: Option<MasterKey>,
}

/// What the caller wants of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Answers the pending offer ([`Event::Offered`] or [`Event::StreamsChanged`]) with 200.
    Answer {
        /// Where media is to be sent.
        media_address: IpAddr,
        /// Which streams are taken, and where.
        streams: Vec<StreamAnswer>,
        /// Whether media is wanted now.
        direction: LocalDirection,
    },
    /// Refuses the pending offer. Refusing the first one ends the session; refusing a later one
    /// leaves it as it was.
    Reject {
        /// SIP status, 400 to 699; another number becomes 500.
        status: u16,
        /// For the other side's administrator; no personal data.
        reason: String,
        /// Seconds after which it makes sense to try again.
        retry_after: Option<u32>,
    },
    /// Media is wanted from now on: re-INVITE with `recvonly`, unless that is already agreed.
    Receive,
    /// Media is not wanted for now: re-INVITE with `inactive`.
    Pause,
    /// Ends the session: BYE, or 480 where it was not answered yet.
    End {
        /// For the other side's administrator (RFC 3326); no personal data.
        reason: String,
    },
}

/// What comes out of the endpoint.
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// To whom.
        to: Peer,
        /// One message.
        bytes: Vec<u8>,
    },
    /// Something happened to a session.
    Event(SessionKey, Event),
}

impl fmt::Debug for Output {
    /// Shows the length of a message only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit { to, bytes } => write!(f, "Transmit({to:?}, {} bytes)", bytes.len()),
            Self::Event(session, event) => write!(f, "Event({session}, {event:?})"),
        }
    }
}

/// What happened to a session. The first is always `Offered`, the last always `Ended`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client wants a conversation recorded. Give `Answer` or `Reject`.
    Offered(Box<Offer>),
    /// The client acknowledged the answer: the session stands.
    Answered,
    /// The client changed its streams, so that the answer needs new ports or a new decision, or a line of
    /// sound is refused that was not. Give
    /// `Answer` (for all streams, the old ones too) or `Reject`. Until the answer media goes on as it was
    /// agreed before, and for a moment after it.
    StreamsChanged(Box<Offer>),
    /// The client took the offer of `StreamsChanged` back, or it was not answered in time.
    OfferWithdrawn,
    /// The client holds, resumes, moves or removes streams; already answered.
    DirectionChanged {
        /// All streams of the session as they are now.
        streams: Vec<StreamActivity>,
    },
    /// The direction last commanded is agreed with the client. Once for each `Receive` or `Pause`
    /// that is not overtaken or refused.
    DirectionAgreed {
        /// Our side.
        direction: LocalDirection,
        /// All streams of the session as the client answered.
        streams: Vec<StreamActivity>,
    },
    /// The client refused our re-INVITE (408: it did not answer). The session goes on as it was;
    /// what was wanted is given up, and may be commanded again.
    ReinviteRefused {
        /// The status it gave.
        status: u16,
        /// What is agreed with it since before.
        agreed: LocalDirection,
    },
    /// Metadata was lost or could not be read, we asked for all of it once more (RFC 7866 §9.2),
    /// and the client refused (408: it did not answer). What is known stays as it is.
    SnapshotRefused {
        /// The status it gave.
        status: u16,
    },
    /// The client told more about the conversation.
    MetadataChanged(Box<Metadata>),
    /// The TCP connection is gone. The session goes on; the client may come back on another one.
    /// If its media stops as well, end the session.
    ConnectionLost,
    /// The session is over. Nothing follows.
    Ended {
        /// Why.
        cause: EndCause,
    },
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// BYE or CANCEL of the client, or it said that it no longer knows the session.
    ByRecordingClient,
    /// The client never acknowledged our answer.
    NoAck,
    /// The connection was closed before there was an answer.
    Transport,
    /// Another session took its place; its [`Offer::replaces`] says so.
    Replaced,
    /// `Reject` or `End`.
    ByUs,
    /// The offer was not answered in time, or the session lasted longer than any may.
    Timeout,
    /// The session timer ran out: nobody refreshed the session in time (RFC 4028 §10).
    NotRefreshed,
}

/// What the client says of one stream in the course of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamActivity {
    /// Which stream.
    pub number: StreamNumber,
    /// How it is.
    pub activity: Activity,
    /// Where the client now says its media comes from, as in [`OfferedStream::remote`].
    pub remote: Option<Pii<SocketAddr>>,
    /// The client's key, as in [`OfferedStream::key`]. Another one than before takes its place.
    pub key: Option<MasterKey>,
}

/// The client's side of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activity {
    /// The client sends.
    Active,
    /// The client holds: `inactive`, `recvonly`, or the address 0.0.0.0.
    Inactive,
    /// Refused or removed: port 0 on either side.
    Removed,
}

/// What a client offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The session's Call-ID.
    pub call_id: Pii<String>,
    /// User part of the Request-URI: which service of ours is asked for. It can be a telephone
    /// number.
    pub request_user: Pii<String>,
    /// One for each `m=` line, in order.
    pub streams: Vec<OfferedStream>,
    /// Who takes part, if the client told.
    pub metadata: Option<Metadata>,
    /// The session that this one wants to replace (RFC 3891). It ends with [`EndCause::Replaced`]
    /// when this one is answered, and goes on if this one is refused.
    pub replaces: Option<SessionKey>,
    /// The ends of the conversation as the message itself names them (`Session-ID`, RFC 7989; see
    /// [`crate::session_uuids`]).
    pub session_ids: Vec<Pii<String>>,
    /// Whom the conversation was for before it was diverted, the first one first, as `Diversion`
    /// (RFC 5806) and `History-Info` (RFC 7044) of the INVITE tell: a claim.
    pub called_before: Vec<Pii<String>>,
    /// What was unusual about the message. Those of the metadata are with the metadata.
    pub quirks: Vec<Quirk>,
}

/// One `m=` line of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedStream {
    /// Its place, from 1.
    pub number: StreamNumber,
    /// Its label (RFC 4574); kept in the answer.
    pub label: Option<String>,
    /// What may come on it, the preferred format first; empty means that the stream will be
    /// refused.
    pub formats: Vec<Format>,
    /// What the client says of its direction.
    pub direction: Direction,
    /// The client holds the stream with the address 0.0.0.0.
    pub is_held: bool,
    /// RTCP shares the RTP port (RFC 5761): offered, and agreed in the answer.
    pub has_rtcp_mux: bool,
    /// Where the client says its media comes from: a claim, often wrong behind a NAT.
    pub remote: Option<Pii<SocketAddr>>,
    /// What protects what the client sends (SRTP, RFC 4568); `None` = nothing.
    pub key: Option<MasterKey>,
    /// The port that we gave it in an earlier answer, if it is not new and nothing about it has changed
    /// but direction, address and key. One that has become another may be answered with the same port.
    pub rtp_port: Option<u16>,
    /// Why it is refused although it has sound.
    pub refused: Option<Refused>,
}

/// A line of sound that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// What would come on it, as far as that can be read.
    pub formats: Vec<Format>,
}

/// Why a line of sound is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is protected in a way that we do not have, as DTLS-SRTP (RFC 5763).
    Protection,
    /// Its keys (RFC 4568) cannot be used, or came in the clear.
    Keys,
    /// Nothing of what it says can be read, or it has no port of its own (`bundle-only`, RFC 9143).
    Form,
}

impl OfferedStream {
    /// Whether the client says that media comes.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.direction.sends() && !self.is_held
    }
}
