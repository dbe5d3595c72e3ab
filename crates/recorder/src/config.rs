//! What the recorder is told before it starts, and why it may not start.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use voicelog_archive::notice::Notice;
use voicelog_model::{Kind, limits};
use voicelog_tls::{TlsError, TlsFiles};

/// SIP over TLS (RFC 3261 §26.3.1).
#[derive(Debug, Clone)]
pub struct SipTls {
    /// Where it is listened for; port 0 = any free one.
    pub address: SocketAddr,
    /// Certificate and key.
    pub files: TlsFiles,
}

/// Settings of the recorder. `Default` listens nowhere and takes any free media port on loopback.
#[derive(Debug, Clone)]
pub struct RecorderConfig {
    /// Where SIP over UDP is listened for; port 0 = any free one.
    pub sip_udp: Option<SocketAddr>,
    /// Where SIP over TCP is listened for; port 0 = any free one.
    pub sip_tcp: Option<SocketAddr>,
    /// Where SIP over TLS is listened for, and with which certificate.
    pub sip_tls: Option<SipTls>,
    /// Host name or address that clients reach us by, for `Contact`. Without it, the address that
    /// the client called.
    pub contact_host: Option<String>,
    /// The address that media is sent to: the answers name it and the sockets are bound to it.
    pub media_address: IpAddr,
    /// Ports for media, two for each stream. `0..=0` = any free pair.
    pub media_ports: RangeInclusive<u16>,
    /// Whether calls that show no sign of SIPREC are taken too: everything that reaches the address
    /// is then a recording call, as from telephones with a built-in bridge.
    pub accept_without_siprec: bool,
    /// Whether SRTP keys are taken from messages that did not come over TLS: everybody on the way
    /// can read them then, so only for a network that is trusted as it is.
    pub srtp_keys_without_tls: bool,
    /// Calls in progress at most; further ones get 503.
    pub calls_max: usize,
    /// Free disk space in bytes below which no new call is taken.
    pub keep_free_bytes: u64,
    /// Free disk space in bytes below which there is an alarm.
    pub warn_free_bytes: u64,
    /// Packets of a stream, of a hundred, that may be lost in ten seconds without an alarm.
    pub loss_percent: u64,
    /// How long [`Recorder::drain`](crate::Recorder::drain) waits for calls to end by themselves,
    /// if its caller has no deadline of its own.
    pub drain: Duration,
    /// How long a call may be without any packet and any SIP message before we end it.
    pub silent_call: Duration,
    /// How long a recording may run before we end it.
    pub recording_max: Duration,
    /// What a client that is turned away is told to wait (RFC 3261 §20.33).
    pub retry_after: Duration,
    /// How long a pause lasts if nobody says otherwise and nobody ends it.
    pub pause: Duration,
    /// The longest pause that may be asked for.
    pub pause_max: Duration,
    /// Memory in bytes for media that waits, of all calls together: for a notice, or for somebody who
    /// asks to keep a call. Beyond, the oldest is dropped.
    pub waiting_bytes_max: usize,
    /// The sound of each line's notice, by the name of the line. A notice that a line looks for and
    /// that is not here is never heard.
    pub notices: BTreeMap<String, Arc<Notice>>,
    /// Threads that read media. One is enough for thousands of calls.
    pub media_threads: usize,
    /// Threads that ask the law: each question waits for the disk, so calls that come in together
    /// share that wait.
    pub decider_threads: usize,
}

impl Default for RecorderConfig {
    fn default() -> Self {
        Self {
            sip_udp: None,
            sip_tcp: None,
            sip_tls: None,
            contact_host: None,
            media_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            media_ports: 0..=0,
            accept_without_siprec: false,
            srtp_keys_without_tls: false,
            calls_max: limits::CALLS_MAX_DEFAULT,
            keep_free_bytes: 1 << 30,
            warn_free_bytes: 0,
            loss_percent: 5,
            drain: Duration::from_secs(30),
            silent_call: Duration::from_secs(3_600),
            recording_max: Duration::from_secs(limits::RECORDING_SECONDS_MAX),
            retry_after: Duration::from_secs(30),
            pause: Duration::from_secs(120),
            pause_max: Duration::from_secs(900),
            waiting_bytes_max: 512 << 20,
            notices: BTreeMap::new(),
            media_threads: 1,
            decider_threads: 8,
        }
    }
}

/// The recorder does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to listen on.
    #[error("no address to listen on for SIP")]
    NoAddress,
    /// The range of media ports holds no pair.
    #[error("the media ports {first} to {last} hold no even port with the odd one above it")]
    NoMediaPorts {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// An address cannot be bound.
    #[error("cannot listen on {address} ({transport})")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// `UDP`, `TCP`, `TLS` or `media`.
        transport: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate for TLS, its key or the issuers of clients cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A thread or the runtime of the signalling thread cannot be made.
    #[error("cannot start a thread of the recorder")]
    Thread(#[source] io::Error),
}

impl StartError {
    /// What kind of trouble it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoAddress | Self::NoMediaPorts { .. } | Self::Tls(_) => Kind::Invalid,
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                Kind::Conflict
            }
            Self::Listen { .. } => Kind::Invalid,
            Self::Thread(_) => Kind::Exhausted,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NoAddress => "set an address for UDP, TCP or TLS",
            Self::NoMediaPorts { .. } => {
                "give a range of two ports for each stream, such as 30000-39999, or 0-0 for any"
            }
            Self::Listen { .. } => {
                "see whether the address is this machine's, and whether another program has the port"
            }
            Self::Tls(error) => error.fault.help(),
            Self::Thread(_) => "see the limits of the service: threads, open files, memory",
        }
    }
}
