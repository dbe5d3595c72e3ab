//! From where the packets of one stream come.
//!
//! The offer names an address, which a client behind a NAT does not send from. So whoever comes
//! first is heard, but who is at the offered address is always believed before somebody who is
//! not. Otherwise anybody who finds the port could speak on the recording, or keep the client off
//! it.

use std::net::SocketAddr;
use voicelog_model::Timestamp;

/// How long a source must be silent before another one, no better than it, may take its place.
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

/// How well an address fits the offered one; later is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Another host, or none was offered.
    None,
    /// The host, another port.
    Host,
    /// Address and port.
    Exact,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    address: SocketAddr,
    fit: Fit,
    ssrc: u32,
    heard: Timestamp,
}

/// Holds on to one source address.
///
/// From that address every SSRC is heard: one that changes is a client that starts its stream anew
/// (RFC 3550 §8.2), and of two that send in turn nobody can say here which is the true one. Both
/// are kept then, and the timeline tells them apart.
#[derive(Debug, Default)]
pub(crate) struct SourceLock {
    offered: Option<SocketAddr>,
    current: Option<Source>,
    /// When the SSRC was last another one than in the packet before.
    changed: Option<Timestamp>,
}

impl SourceLock {
    /// Nobody heard yet; `offered` is where the client says that its media comes from.
    pub(crate) fn new(offered: Option<SocketAddr>) -> Self {
        let mut lock = Self::default();
        lock.move_to(offered);
        lock
    }

    /// The client says anew where its media comes from. Who is there is heard at once; until
    /// somebody comes the one before is.
    pub(crate) fn move_to(&mut self, offered: Option<SocketAddr>) {
        // An address of zeros is a hold and not a place (RFC 3264 §8.4).
        self.offered = offered.filter(|address| !address.ip().is_unspecified());
        if let Some(source) = self.current {
            let fit = self.fit(source.address);
            self.current = Some(Source { fit, ..source });
        }
    }

    /// Says whose packet this is, and remembers it.
    pub(crate) fn judge(&mut self, from: SocketAddr, ssrc: u32, at: Timestamp) -> Whose {
        let fit = self.fit(from);
        let Some(current) = &mut self.current else {
            self.current = Some(Source {
                address: from,
                fit,
                ssrc,
                heard: at,
            });
            return Whose::Own;
        };
        if current.address == from {
            let is_other = std::mem::replace(&mut current.ssrc, ssrc) != ssrc;
            current.heard = at;
            // Two that send in turn are one event, not one for each packet.
            let is_news = is_other
                && self
                    .changed
                    .is_none_or(|changed| at.micros_since(changed) >= SILENCE_MICROS);
            if is_other {
                self.changed = Some(at);
            }
            return if is_news {
                Whose::NewSource
            } else {
                Whose::Own
            };
        }
        if fit > current.fit || at.micros_since(current.heard) >= SILENCE_MICROS {
            *current = Source {
                address: from,
                fit,
                ssrc,
                heard: at,
            };
            self.changed = Some(at);
            Whose::NewSource
        } else {
            Whose::Foreign
        }
    }

    fn fit(&self, from: SocketAddr) -> Fit {
        match self.offered {
            Some(offered) if offered == from => Fit::Exact,
            Some(offered) if offered.ip() == from.ip() => Fit::Host,
            _ => Fit::None,
        }
    }

    /// The source that the stream listens to, if one was heard.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.current.map(|source| source.address)
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
    fn of_two_that_send_in_turn_from_one_address_nothing_is_lost_and_one_event_is_made() {
        let mut lock = SourceLock::default();
        let mut changes = 0;
        for packet in 0..1_000 {
            let ssrc = 7 + u32::from(packet % 2 == 1);
            match lock.judge(address(1), ssrc, at(packet * 10)) {
                Whose::Own => {}
                Whose::NewSource => changes += 1,
                Whose::Foreign => panic!("packet {packet} is lost"),
            }
        }
        assert_eq!(changes, 1);
    }

    fn elsewhere(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn who_is_at_the_offered_address_wins_over_whoever_came_first() {
        let mut lock = SourceLock::new(Some(address(1)));
        assert_eq!(lock.judge(elsewhere(9), 9, at(0)), Whose::Own);
        assert_eq!(lock.judge(address(2), 7, at(10)), Whose::NewSource);
        assert_eq!(lock.judge(elsewhere(9), 9, at(15)), Whose::Foreign);
        assert_eq!(lock.judge(address(1), 7, at(20)), Whose::NewSource);
        assert_eq!(lock.judge(address(2), 7, at(25)), Whose::Foreign);
        // Also after a pause that somebody else has used.
        assert_eq!(lock.judge(elsewhere(9), 9, at(3_000)), Whose::NewSource);
        assert_eq!(lock.judge(address(1), 7, at(3_020)), Whose::NewSource);
        assert_eq!(lock.judge(elsewhere(9), 9, at(3_040)), Whose::Foreign);
    }

    #[test]
    fn one_that_keeps_coming_does_not_keep_the_offered_address_off() {
        let mut lock = SourceLock::new(Some(address(1)));
        let mut lost = 0;
        for packet in 0..1_000 {
            if packet % 50 == 0 {
                lock.judge(elsewhere(9), 9, at(packet * 20));
            }
            if lock.judge(address(1), 7, at(packet * 20 + 5)) == Whose::Foreign {
                lost += 1;
            }
        }
        assert_eq!(lost, 0);
    }

    #[test]
    fn a_client_that_moves_is_heard_at_its_new_address_at_once() {
        let mut lock = SourceLock::new(Some(address(1)));
        assert_eq!(lock.judge(address(1), 7, at(0)), Whose::Own);
        lock.move_to(Some(elsewhere(9)));
        assert_eq!(lock.judge(address(1), 7, at(10)), Whose::Own);
        assert_eq!(lock.judge(elsewhere(9), 7, at(20)), Whose::NewSource);
        assert_eq!(lock.judge(address(1), 7, at(30)), Whose::Foreign);
        assert_eq!(lock.judge(elsewhere(9), 7, at(40)), Whose::Own);
    }

    #[test]
    fn behind_a_nat_and_on_hold_the_first_one_is_heard() {
        for offered in ["10.0.0.7:4000", "0.0.0.0:4000"] {
            let mut lock = SourceLock::new(Some(offered.parse().unwrap()));
            assert_eq!(lock.judge(elsewhere(1), 7, at(0)), Whose::Own);
            assert_eq!(lock.judge(elsewhere(2), 8, at(20)), Whose::Foreign);
        }
    }
}
