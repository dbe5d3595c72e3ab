//! `Via`: which transaction a message belongs to and where its response goes (RFC 3261 §18.2,
//! RFC 3581).

use super::grammar;
use super::uri::{host_and_port, host_text};
use crate::peer::{Peer, Transport};
use std::net::SocketAddr;

/// The start of every branch that RFC 3261 §8.1.1.7 vouches for.
const MAGIC_COOKIE: &str = "z9hG4bK";

/// The topmost `Via` value.
pub(crate) struct Via {
    /// `SIP/2.0/UDP host:port`, as written.
    head: String,
    /// Parameters other than `received` and `rport`, as written.
    params: Vec<String>,
    /// Host in lower case.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    has_rport: bool,
    branch: Option<String>,
}

impl Via {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut pieces = grammar::split(value, ';');
        let head = pieces.next()?.trim();
        // sent-protocol may be written with spaces around its slashes.
        let sent_by = head.rsplit('/').next()?.trim_start();
        let (_, sent_by) = sent_by.split_once([' ', '\t'])?;
        let (host, port) = host_and_port(sent_by)?;
        let mut via = Self {
            head: head.to_owned(),
            params: Vec::new(),
            host: host.to_ascii_lowercase(),
            port,
            has_rport: false,
            branch: None,
        };
        for piece in pieces {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "rport" => via.has_rport = true,
                "received" | "" => {}
                name => {
                    if name == "branch" {
                        via.branch = Some(value.trim().to_owned());
                    }
                    via.params.push(piece.trim().to_owned());
                }
            }
        }
        Some(via)
    }

    /// The branch, if it identifies the transaction by itself.
    pub(crate) fn unique_branch(&self) -> Option<&str> {
        self.branch.as_deref().filter(|branch| {
            branch
                .get(..MAGIC_COOKIE.len())
                .is_some_and(|cookie| cookie.eq_ignore_ascii_case(MAGIC_COOKIE))
        })
    }

    /// The branch, whatever it is worth.
    pub(crate) fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// The value with what the server must add: `received` where the packet came from elsewhere
    /// than it says, and the port asked for by `rport`.
    pub(crate) fn stamped(&self, source: SocketAddr) -> String {
        let mut out = self.head.clone();
        for param in &self.params {
            out.push(';');
            out.push_str(param);
        }
        let says_so = self.host.parse() == Ok(source.ip());
        if self.has_rport || !says_so {
            out.push_str(";received=");
            out.push_str(&host_text(source.ip()).replace(['[', ']'], ""));
        }
        if self.has_rport {
            out.push_str(";rport=");
            out.push_str(&source.port().to_string());
        }
        out
    }

    /// Where the response goes (RFC 3261 §18.2.2, RFC 3581 §4).
    pub(crate) fn response_peer(&self, from: Peer) -> Peer {
        let mut peer = from;
        if from.transport == Transport::Udp && !self.has_rport {
            peer.address.set_port(self.port.unwrap_or(5_060));
        }
        peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn peer() -> Peer {
        Peer {
            transport: Transport::Udp,
            address: "192.0.2.7:40000".parse().unwrap(),
            connection: None,
        }
    }

    #[test]
    fn rport_is_filled_in_and_followed() {
        let via = Via::parse("SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKx").unwrap();
        assert_eq!(
            via.stamped(peer().address),
            "SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKx;received=192.0.2.7;rport=40000"
        );
        assert_eq!(via.response_peer(peer()).address.port(), 40_000);
        assert_eq!(via.unique_branch(), Some("z9hG4bKx"));
    }

    #[test]
    fn without_rport_the_response_goes_to_the_port_in_via() {
        let via = Via::parse("SIP / 2.0 / UDP  192.0.2.7 ;branch=1").unwrap();
        assert_eq!(
            via.response_peer(peer()).address.to_string(),
            "192.0.2.7:5060"
        );
        assert_eq!(
            via.stamped(peer().address),
            "SIP / 2.0 / UDP  192.0.2.7;branch=1"
        );
        assert_eq!(via.unique_branch(), None);
    }

    #[test]
    fn a_claimed_received_is_replaced() {
        let via = Via::parse("SIP/2.0/UDP h:5060;received=1.2.3.4;branch=z9hG4bKx").unwrap();
        assert_eq!(
            via.stamped(peer().address),
            "SIP/2.0/UDP h:5060;branch=z9hG4bKx;received=192.0.2.7"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(SIP/2.0/UDP )?\\PC{0,40}") {
            if let Some(via) = Via::parse(&text) {
                let _ = (via.stamped(peer().address), via.unique_branch().is_some());
            }
        }
    }
}
