//! Whether a line is protected (SRTP), and with what (RFC 4568).
//!
//! A line that asks for protection gets it or is refused: it never becomes plain RTP.

use crate::peer::Transport;
use crate::srtp::sdes;

/// Whether a message may carry keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Nobody on the way can read it, or the network is trusted by who set us up.
    Private,
    /// Anybody on the way could have read the key.
    Open,
}

impl Secrecy {
    /// Of a message that came by this transport. Keys in the clear protect nothing (RFC 4568 §7):
    /// they are taken only where the configuration says that the network itself is trusted.
    pub(crate) fn of(transport: Transport, permits_open_keys: bool) -> Self {
        if transport == Transport::Tls || permits_open_keys {
            Self::Private
        } else {
            Self::Open
        }
    }
}

/// Why a protected line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// Its keys came by a way on which others can read them.
    Exposed,
    /// No `a=crypto` that we can use.
    NoneUsable,
}

/// What a line says of its protection.
pub(super) enum Protection {
    /// Plain RTP.
    Plain,
    /// With this key for what the client sends.
    Keyed(sdes::Crypto),
    /// It is to be protected and cannot be.
    Refused(KeyFault),
    /// A profile that we do not have.
    Unknown,
}

impl Protection {
    pub(super) fn of(media: &sdp_types::Media, secrecy: Secrecy) -> Self {
        let is = |profiles: [&str; 2]| {
            let mut profiles = profiles.iter();
            profiles.any(|profile| media.proto.eq_ignore_ascii_case(profile))
        };
        if is(["RTP/AVP", "RTP/AVPF"]) {
            return Self::Plain;
        }
        if !is(["RTP/SAVP", "RTP/SAVPF"]) {
            return Self::Unknown;
        }
        if secrecy == Secrecy::Open {
            return Self::Refused(KeyFault::Exposed);
        }
        let lines = media.attributes.iter().filter(|a| a.attribute == "crypto");
        let crypto = sdes::choose(lines.filter_map(|a| a.value.as_deref()));
        crypto.map_or(Self::Refused(KeyFault::NoneUsable), Self::Keyed)
    }
}
