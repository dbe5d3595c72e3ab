//! From where the packets of one stream come.
//!
//! The offer names an address, which a client behind a NAT does not send from. So whoever comes
//! first is heard, but who is at the offered address is always believed before somebody who is
//! not. Otherwise anybody who finds the port could speak on the recording, or keep the client off
//! it. And who is not there is believed only after two seconds in which nobody better came: what
//! they send until then waits in memory, and is dropped if it was a stranger's.

use std::net::SocketAddr;
use voicelog_model::Timestamp;

/// How long a source must be silent before another one, no better than it, may take its place.
pub(crate) const SILENCE_MICROS: i64 = 2_000_000;

/// How long somebody who is not at the offered address is doubted, in microseconds: long enough for the
/// client to begin as well.
pub(crate) const DOUBT_MICROS: i64 = 2_000_000;

/// Whose packet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// From the source that this stream listens to.
    Own,
    /// From a source that takes the place of the one before.
    NewSource,
    /// From the source that this stream listens to for want of a better one, and that may still come.
    Unsure,
    /// From somebody else: counted and not kept.
    Foreign,
}

/// What a packet changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The same address goes on by another SSRC.
    Ssrc,
    /// The address before had fallen silent.
    Address,
    /// The address before fits the offer less well; `was_believed`: it was no longer doubted, and had
    /// never been where the client said that its media comes from.
    Better {
        /// What it sent was kept.
        was_believed: bool,
    },
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
    /// When it was first heard.
    since: Timestamp,
    /// It was never at an address that the client named.
    is_unnamed: bool,
    /// The client has named another address since, so that this one is not held against it.
    is_excused: bool,
}

impl Source {
    /// Whether a better one may still come. `offered`: whether the client named an address.
    fn is_doubted(&self, is_offered: bool, at: Timestamp) -> bool {
        is_offered && self.is_unnamed && at.micros_since(self.since) < DOUBT_MICROS
    }
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
    /// What the last packet changed, until somebody asks.
    change: Option<Change>,
    /// While packets went by, somebody came who fits the offer better.
    was_stranger: bool,
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
            let is_excused = true;
            self.current = Some(Source {
                fit,
                is_excused,
                ..source
            });
        }
    }

    /// Says whose packet this is, and remembers it.
    pub(crate) fn judge(&mut self, from: SocketAddr, ssrc: u32, at: Timestamp) -> Whose {
        let fit = self.fit(from);
        let is_offered = self.offered.is_some();
        let new = Source {
            address: from,
            fit,
            ssrc,
            heard: at,
            since: at,
            is_unnamed: fit != Fit::Exact,
            is_excused: false,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(new);
            return if new.is_doubted(is_offered, at) {
                Whose::Unsure
            } else {
                Whose::Own
            };
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
            if is_news {
                self.change = Some(Change::Ssrc);
            }
            return if current.is_doubted(is_offered, at) {
                Whose::Unsure
            } else if is_news {
                Whose::NewSource
            } else {
                Whose::Own
            };
        }
        if fit > current.fit || at.micros_since(current.heard) >= SILENCE_MICROS {
            let was_believed =
                current.is_unnamed && !current.is_excused && !current.is_doubted(is_offered, at);
            self.change = Some(if fit > current.fit {
                Change::Better { was_believed }
            } else {
                Change::Address
            });
            *current = new;
            self.changed = Some(at);
            if new.is_doubted(is_offered, at) {
                Whose::Unsure
            } else {
                Whose::NewSource
            }
        } else {
            Whose::Foreign
        }
    }

    /// A packet that is not kept goes by. Nothing of the source before was kept either, so its change
    /// is no news.
    pub(crate) fn pass_by(&mut self, from: SocketAddr, ssrc: u32, at: Timestamp) -> Whose {
        let whose = self.judge(from, ssrc, at);
        self.was_stranger |= matches!(self.change.take(), Some(Change::Better { .. }));
        whose
    }

    /// Whether it turned out since the last time, while packets went by, that the source before was not
    /// the client: what waited of it is not to be believed.
    pub(crate) const fn take_was_stranger(&mut self) -> bool {
        std::mem::replace(&mut self.was_stranger, false)
    }

    /// Whether a packet that is not kept may do something all the same, as a key does. Who has the key
    /// of a protected stream (`is_authentic`) is no stranger.
    pub(crate) fn may_act(
        &mut self,
        from: SocketAddr,
        ssrc: u32,
        at: Timestamp,
        is_authentic: bool,
    ) -> bool {
        match self.pass_by(from, ssrc, at) {
            Whose::Own | Whose::NewSource => true,
            Whose::Unsure => is_authentic,
            Whose::Foreign => false,
        }
    }

    /// What the packets judged since the last time changed; the last of it counts.
    pub(crate) const fn take_change(&mut self) -> Option<Change> {
        self.change.take()
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
                Whose::Unsure | Whose::Foreign => panic!("packet {packet} is lost"),
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
        let doubted = Some(Change::Better {
            was_believed: false,
        });
        assert_eq!(lock.judge(elsewhere(9), 9, at(0)), Whose::Unsure);
        assert_eq!(lock.judge(address(2), 7, at(10)), Whose::Unsure);
        assert_eq!(lock.take_change(), doubted);
        assert_eq!(lock.judge(elsewhere(9), 9, at(15)), Whose::Foreign);
        assert_eq!(lock.judge(address(1), 7, at(20)), Whose::NewSource);
        assert_eq!(lock.take_change(), doubted);
        assert_eq!(lock.judge(address(2), 7, at(25)), Whose::Foreign);
        // Also after a pause that somebody else has used.
        assert_eq!(lock.judge(elsewhere(9), 9, at(3_000)), Whose::Unsure);
        assert_eq!(lock.take_change(), Some(Change::Address));
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
    fn behind_a_nat_the_first_one_is_heard_when_nobody_better_came_for_two_seconds() {
        let mut lock = SourceLock::new(Some("10.0.0.7:4000".parse().unwrap()));
        assert_eq!(lock.judge(elsewhere(1), 7, at(0)), Whose::Unsure);
        assert_eq!(lock.judge(elsewhere(2), 8, at(20)), Whose::Foreign);
        assert_eq!(lock.judge(elsewhere(1), 7, at(1_999)), Whose::Unsure);
        assert_eq!(lock.judge(elsewhere(1), 7, at(2_000)), Whose::Own);
    }

    #[test]
    fn who_was_believed_and_gives_way_to_the_offered_address_was_somebody_else() {
        let mut lock = SourceLock::new(Some(address(1)));
        for packet in 0..=100 {
            lock.judge(elsewhere(9), 9, at(packet * 20));
        }
        assert_eq!(lock.judge(address(1), 7, at(2_020)), Whose::NewSource);
        let believed = Some(Change::Better { was_believed: true });
        assert_eq!(lock.take_change(), believed);
        // But not one who was at the address that was named before.
        lock.move_to(Some(elsewhere(3)));
        assert_eq!(lock.judge(elsewhere(3), 7, at(4_000)), Whose::NewSource);
        let named = Some(Change::Better {
            was_believed: false,
        });
        assert_eq!(lock.take_change(), named);
    }

    #[test]
    fn where_no_place_was_named_the_first_one_is_heard_at_once() {
        let mut lock = SourceLock::new(Some("0.0.0.0:4000".parse().unwrap()));
        assert_eq!(lock.judge(elsewhere(1), 7, at(0)), Whose::Own);
        assert_eq!(lock.judge(elsewhere(2), 8, at(20)), Whose::Foreign);
    }
}
