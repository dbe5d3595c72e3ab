//! From where the packets of one stream come.
//!
//! The offer does not bind a client to an address, so the first packet decides, and from then on
//! only its source is heard. Otherwise anybody who finds the port could speak on the recording.

use std::net::SocketAddr;
use voicelog_model::Timestamp;

/// How long a source must be silent before another one may take its place.
pub(crate) const SILENCE_MICROS: i64 = 2_000_000;

/// Whose packet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// From the source that this stream listens to.
    Own,
    /// From a source that takes the place of the one before.
    NewSource,
    /// From somebody else: counted and not kept.
    Foreign,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    address: SocketAddr,
    ssrc: u32,
    heard: Timestamp,
}

/// Holds on to one source: address, port and SSRC.
///
/// A packet from the same address with another SSRC is a client that starts its stream anew (RFC
/// 3550 §8.2), and not one packet of it is lost: it takes over at once. Two SSRCs that keep
/// sending in turn from one address do not: then the second one stays, as long as both are heard.
#[derive(Debug, Default)]
pub(crate) struct SourceLock {
    current: Option<Source>,
    /// When packets of two SSRCs last met, from the address that we listen to.
    conflict: Option<Timestamp>,
}

impl SourceLock {
    /// Says whose packet this is, and remembers it.
    pub(crate) fn judge(&mut self, from: SocketAddr, ssrc: u32, at: Timestamp) -> Whose {
        let Some(current) = &mut self.current else {
            self.current = Some(Source {
                address: from,
                ssrc,
                heard: at,
            });
            return Whose::Own;
        };
        if current.address == from && current.ssrc == ssrc {
            current.heard = at;
            return Whose::Own;
        }
        let is_silent = at.micros_since(current.heard) >= SILENCE_MICROS;
        let same_address = current.address == from;
        let first_conflict = self
            .conflict
            .is_none_or(|met| at.micros_since(met) >= SILENCE_MICROS);
        if same_address {
            self.conflict = Some(at);
        }
        if is_silent || (same_address && first_conflict) {
            *current = Source {
                address: from,
                ssrc,
                heard: at,
            };
            Whose::NewSource
        } else {
            Whose::Foreign
        }
    }

    /// Whether control packets from this address belong to the stream: same host, any port, since
    /// RTCP has a port of its own.
    pub(crate) fn is_host(&self, from: SocketAddr) -> bool {
        self.current
            .is_some_and(|source| source.address.ip() == from.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + millis * 1_000)
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_first_source_is_held_and_others_are_foreign() {
        let mut lock = SourceLock::default();
        assert_eq!(lock.judge(address(1), 7, at(0)), Whose::Own);
        assert_eq!(lock.judge(address(2), 7, at(10)), Whose::Foreign);
        assert_eq!(lock.judge(address(2), 8, at(20)), Whose::Foreign);
        assert_eq!(lock.judge(address(1), 7, at(30)), Whose::Own);
        assert!(lock.is_host(address(9)));
        assert!(!lock.is_host(SocketAddr::from(([127, 0, 0, 2], 1))));
    }

    #[test]
    fn another_source_takes_over_only_after_silence() {
        let mut lock = SourceLock::default();
        lock.judge(address(1), 7, at(0));
        assert_eq!(lock.judge(address(2), 9, at(1_999)), Whose::Foreign);
        assert_eq!(lock.judge(address(2), 9, at(2_000)), Whose::NewSource);
        assert_eq!(lock.judge(address(2), 9, at(2_020)), Whose::Own);
        assert_eq!(lock.judge(address(1), 7, at(2_040)), Whose::Foreign);
    }

    #[test]
    fn a_stream_that_starts_anew_from_the_same_address_loses_no_packet() {
        let mut lock = SourceLock::default();
        lock.judge(address(1), 7, at(0));
        assert_eq!(lock.judge(address(1), 8, at(20)), Whose::NewSource);
        assert_eq!(lock.judge(address(1), 8, at(40)), Whose::Own);
    }

    #[test]
    fn two_sources_that_send_in_turn_do_not_flap() {
        let mut lock = SourceLock::default();
        let mut changes = 0;
        for packet in 0..1_000 {
            let ssrc = 7 + u32::from(packet % 2 == 1);
            if lock.judge(address(1), ssrc, at(packet * 10)) == Whose::NewSource {
                changes += 1;
            }
        }
        assert_eq!(changes, 1);
    }
}
