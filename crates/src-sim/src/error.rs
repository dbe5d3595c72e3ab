//! What can go wrong with a simulated call.

use std::io;
use std::net::SocketAddr;
use voicelog_model::Kind;

/// Why a call or a load did not come about.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// What was asked cannot be done.
    #[error("the plan cannot be carried out: {why}")]
    BadPlan {
        /// What is wrong with it.
        why: String,
    },
    /// The system gave no socket.
    #[error("cannot open a socket towards {server}")]
    Socket {
        /// Who we wanted to reach.
        server: SocketAddr,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The system gave no thread.
    #[error("cannot start a thread for the call")]
    Thread {
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom {
        /// The system's word.
        #[source]
        source: getrandom::Error,
    },
    /// The connection broke or nobody listens.
    #[error("cannot reach {server}: {why}")]
    Unreachable {
        /// Who we wanted to reach.
        server: SocketAddr,
        /// What the system said.
        why: String,
    },
    /// No final answer came in time.
    #[error("no final answer to {method} from {server}")]
    NoAnswer {
        /// Who was asked.
        server: SocketAddr,
        /// The SIP method.
        method: &'static str,
    },
    /// The server said no.
    #[error("the server refused the call: {status} {reason}")]
    Refused {
        /// SIP status code, 300 to 699.
        status: u16,
        /// The reason phrase as sent.
        reason: String,
        /// Seconds after which it says to try again, if it says so.
        retry_after: Option<u32>,
    },
    /// The server said yes in a way that cannot be used.
    #[error("the server's answer cannot be used: {why}")]
    BadAnswer {
        /// What is wrong with it.
        why: String,
    },
    /// The call is over, so this cannot be done in it any more.
    #[error("the call has ended")]
    Ended,
}

impl SimError {
    /// The kind of trouble.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::BadPlan { .. } => Kind::Invalid,
            Self::Socket { .. } | Self::Thread { .. } | Self::NoRandom { .. } => Kind::Exhausted,
            Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::Refused { .. } => {
                Kind::Unavailable
            }
            Self::BadAnswer { .. } => Kind::Corrupt,
            Self::Ended => Kind::Conflict,
        }
    }

    /// What a person can do about it, in English.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::BadPlan { .. } => "change the option that is named",
            Self::Socket { .. } | Self::Thread { .. } => {
                "look at the limits on open files and threads (ulimit -n, ulimit -u)"
            }
            Self::NoRandom { .. } => "look at the system's random source",
            Self::Unreachable { .. } | Self::NoAnswer { .. } => {
                "check that the server runs and that address, port and transport are right"
            }
            Self::Refused { .. } => "the server's log and its decision on this call say why",
            Self::BadAnswer { .. } => "compare the server's SDP with RFC 7866 §7",
            Self::Ended => "place a new call",
        }
    }
}
