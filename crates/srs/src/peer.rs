//! Where messages come from and go to.

use std::fmt;
use std::net::SocketAddr;

/// The transport of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// One datagram, one message.
    Udp,
    /// A byte stream; see [`crate::StreamFramer`].
    Tcp,
    /// The same inside TLS, taken off before the bytes come here (RFC 3261 §26.2.1).
    Tls,
}

impl Transport {
    /// As `Via` writes it.
    pub(crate) const fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

/// The other end of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// How it travels.
    pub transport: Transport,
    /// Address and port of the other side.
    pub address: SocketAddr,
    /// The connection, by the number that the caller gave it; `None` for UDP, and for TCP and TLS
    /// when there is none: the caller may open one to `address`.
    pub connection: Option<u64>,
}

impl fmt::Debug for Peer {
    /// Leaves the address out: a caller that wants it in its log writes it on purpose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Peer({:?}, connection {:?})",
            self.transport, self.connection
        )
    }
}
