//! The sockets that media arrives on: one pair for each stream, RTP on an even port and RTCP on
//! the odd one above it (RFC 3550 §11).
//!
//! A port of its own for each stream, because the offer does not promise from which address a
//! client sends: on a shared port two calls could be mixed up.

use crate::pace::{self, Tick};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// What we ask the kernel to hold for a socket between two sweeps, in bytes. A packet of G.711
/// occupies well under 1 kB there, so this is seconds of media: enough for a slow answer of the
/// law, during which nothing is read.
const RECEIVE_BUFFER_BYTES: usize = 256 * 1024;

/// How often any free pair is tried before we say that there is none. Other programs take ports
/// too, so one try is not enough.
const FREE_PAIR_TRIES: usize = 64;

/// Streams of a call, as nearly every client sends them: one for each side.
const PAIRS_OF_CALL: usize = 2;

/// How long we wait for the kernel to begin stamping arrivals; it takes some milliseconds.
const STAMPS_WAIT: Duration = Duration::from_secs(1);

/// The sockets of one media stream.
#[derive(Debug)]
pub(crate) struct PortPair {
    /// RTP; its port is what the SDP answer names.
    pub(crate) rtp: UdpSocket,
    /// RTCP, one port higher.
    pub(crate) rtcp: UdpSocket,
    /// The address that RTP is bound to.
    pub(crate) address: SocketAddr,
}

/// No port for a media stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortsError {
    /// Every pair of the range is in use.
    #[error("no free pair of media ports")]
    NoneFree,
    /// The system gives no socket.
    #[error("cannot open a media socket")]
    Socket(#[source] io::Error),
}

/// Hands out pairs of ports, round and round, so that a port that was just given back rests as
/// long as it can: late packets of the last call must not meet the next one.
#[derive(Debug)]
pub(crate) struct MediaPorts {
    address: IpAddr,
    range: RangeInclusive<u16>,
    next: u16,
    /// The last call found no pair: until one is free again it is looked each time.
    was_short: bool,
    /// Held and never read: see [`stamping`].
    _stamping: Option<UdpSocket>,
}

impl MediaPorts {
    /// Ports of `address`. The range `0..=0` stands for whatever the system has free. From here on
    /// the kernel stamps what arrives on any port, for as long as this lives.
    pub(crate) fn new(address: IpAddr, range: RangeInclusive<u16>) -> Self {
        let next = first_even(*range.start());
        let stamping = stamping(address)
            .inspect_err(|error| {
                tracing::warn!(
                    %error,
                    "the first packets may bear the moment at which they were read, not that of arrival"
                );
            })
            .ok();
        Self {
            address,
            range,
            next,
            was_short: false,
            _stamping: stamping,
        }
    }

    /// Binds a free pair.
    pub(crate) fn bind(&mut self) -> Result<PortPair, PortsError> {
        let bound = if self.range == (0..=0) {
            self.bind_any()
        } else {
            self.bind_next()
        };
        self.was_short |= matches!(bound, Err(PortsError::NoneFree));
        bound
    }

    /// Pairs in the range; nothing where the system chooses.
    pub(crate) fn pairs(range: &RangeInclusive<u16>) -> Option<usize> {
        let first = first_even(*range.start());
        let ports = usize::from(range.end().saturating_sub(first)) + 1;
        (*range != (0..=0)).then_some(ports / 2)
    }

    /// Whether one more call of two streams finds its ports, while so many pairs are known to be in use.
    /// Asks the system only where the range is nearly used up, or was.
    pub(crate) fn has_room(&mut self, in_use: usize) -> bool {
        let Some(pairs) = Self::pairs(&self.range) else {
            return true;
        };
        if in_use + PAIRS_OF_CALL <= pairs && !self.was_short {
            return true;
        }
        // Looking moves nothing: who is next stays next.
        let next = self.next;
        let found: Vec<_> = (0..PAIRS_OF_CALL)
            .map_while(|_| self.bind_next().ok())
            .collect();
        self.next = next;
        self.was_short = found.len() < PAIRS_OF_CALL;
        !self.was_short
    }

    fn bind_any(&self) -> Result<PortPair, PortsError> {
        for _try in 0..FREE_PAIR_TRIES {
            let rtp = open(self.address, 0).map_err(PortsError::Socket)?;
            let port = rtp.local_addr().map_err(PortsError::Socket)?.port();
            // An odd port becomes the upper half: the system then rarely gives it again at once.
            if !port.is_multiple_of(2) {
                continue;
            }
            if let Some(pair) = self.complete(rtp, port)? {
                return Ok(pair);
            }
        }
        Err(PortsError::NoneFree)
    }

    fn bind_next(&mut self) -> Result<PortPair, PortsError> {
        let (first, last) = (first_even(*self.range.start()), *self.range.end());
        let pairs = usize::from(last.saturating_sub(first)).div_ceil(2);
        for _try in 0..pairs {
            let port = self.next;
            let following = port.saturating_add(2);
            let is_whole = port.checked_add(1).is_some_and(|rtcp| rtcp <= last);
            self.next = if following >= last { first } else { following };
            if !is_whole {
                self.next = first;
                continue;
            }
            let rtp = match open(self.address, port) {
                Ok(rtp) => rtp,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
                Err(error) => return Err(PortsError::Socket(error)),
            };
            if let Some(pair) = self.complete(rtp, port)? {
                return Ok(pair);
            }
        }
        Err(PortsError::NoneFree)
    }

    /// Binds the upper port; `None` if somebody else has it.
    fn complete(&self, rtp: UdpSocket, port: u16) -> Result<Option<PortPair>, PortsError> {
        let Some(upper) = port.checked_add(1) else {
            return Ok(None);
        };
        match open(self.address, upper) {
            Ok(rtcp) => Ok(Some(PortPair {
                rtp,
                rtcp,
                address: SocketAddr::new(self.address, port),
            })),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
            Err(error) => Err(PortsError::Socket(error)),
        }
    }
}

const fn first_even(port: u16) -> u16 {
    if port.is_multiple_of(2) {
        port
    } else {
        port.saturating_add(1)
    }
}

/// A socket that never blocks, that holds seconds of media, and whose packets carry the kernel's
/// arrival time.
fn open(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(address, port))?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    // Less than asked (net.core.rmem_max) is no error: the sweep comes every 60 ms.
    setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES)?;
    Ok(socket)
}

/// A socket that keeps the kernel stamping.
///
/// Linux stamps packets at arrival only while a socket anywhere asks for it, and begins some time
/// after the first one does; what comes earlier gets the moment at which it is read. So one socket
/// is open always, and this returns when a packet sent to itself bears an earlier moment.
fn stamping(address: IpAddr) -> io::Result<UdpSocket> {
    let socket = open(address, 0)?;
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(STAMPS_WAIT / 10))?;
    // Only itself is heard: nobody else can fill it.
    socket.connect(socket.local_addr()?)?;
    let deadline = Tick::now().plus(STAMPS_WAIT);
    while Tick::now() < deadline {
        socket.send(&[0])?;
        let sent = pace::kernel_micros();
        if stamp(&socket)?.is_some_and(|stamp| sent.is_some_and(|sent| stamp < sent)) {
            return Ok(socket);
        }
    }
    let why = "the kernel does not stamp packets when they arrive";
    Err(io::Error::new(io::ErrorKind::TimedOut, why))
}

/// Reads one datagram and gives its moment on the kernel's clock.
fn stamp(socket: &UdpSocket) -> io::Result<Option<i64>> {
    let mut byte = [0; 1];
    let mut slots = [IoSliceMut::new(&mut byte)];
    let mut room = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let flags = MsgFlags::empty();
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut slots, Some(&mut room), flags)?;
    Ok(message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(at) => pace::micros_of(at.tv_sec(), at.tv_nsec()),
        _ => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn the_first_packet_on_a_new_port_bears_the_moment_of_its_arrival() {
        let mut ports = MediaPorts::new(LOCAL, 0..=0);
        assert!(ports._stamping.is_some());
        let pair = ports.bind().unwrap();
        let before = pace::kernel_micros();
        pair.rtcp.send_to(&[0], pair.address).unwrap();
        let after = pace::kernel_micros();
        let stamp = stamp(&pair.rtp).unwrap();
        assert!((before..=after).contains(&stamp));
    }

    #[test]
    fn rtp_is_even_and_rtcp_is_the_port_above() {
        let mut ports = MediaPorts::new(LOCAL, 0..=0);
        let pairs: Vec<_> = (0..20).map(|_| ports.bind().unwrap()).collect();
        let mut seen = BTreeSet::new();
        for pair in &pairs {
            let rtp = pair.rtp.local_addr().unwrap().port();
            assert_eq!(rtp % 2, 0);
            assert_eq!(pair.address.port(), rtp);
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), rtp + 1);
            assert!(seen.insert(rtp));
        }
    }

    #[test]
    fn a_range_is_used_up_to_its_last_pair_and_then_says_so() {
        // Three pairs somewhere free; another test may hold a port, so look for a place.
        let place = (30_001..60_000).step_by(8).find(|start| {
            let mut ports = MediaPorts::new(LOCAL, *start..=start + 6);
            let held: Vec<_> = (0..3).map_while(|_| ports.bind().ok()).collect();
            held.len() == 3
        });
        let start = place.unwrap();
        let mut ports = MediaPorts::new(LOCAL, start..=start + 6);
        let mut held: Vec<_> = (0..3).map(|_| ports.bind().unwrap()).collect();
        let used: BTreeSet<_> = held.iter().map(|pair| pair.address.port()).collect();
        assert_eq!(used, BTreeSet::from([start + 1, start + 3, start + 5]));
        assert!(matches!(ports.bind(), Err(PortsError::NoneFree)));
        let freed = held.remove(1).address.port();
        assert_eq!(ports.bind().unwrap().address.port(), freed);
    }

    #[test]
    fn there_is_room_for_a_call_while_two_pairs_are_free_and_again_when_they_are_given_back() {
        let place = (30_002..60_000).step_by(10).find(|start| {
            let mut ports = MediaPorts::new(LOCAL, *start..=start + 7);
            let held: Vec<_> = (0..4).map_while(|_| ports.bind().ok()).collect();
            held.len() == 4
        });
        let start = place.unwrap();
        assert_eq!(MediaPorts::pairs(&(start..=start + 7)), Some(4));
        let mut ports = MediaPorts::new(LOCAL, start..=start + 7);
        let mut held: Vec<_> = (0..2).map(|_| ports.bind().unwrap()).collect();
        assert!(ports.has_room(2), "two of four are free");
        held.push(ports.bind().unwrap());
        assert!(!ports.has_room(3), "one is no call");
        // Somebody else's ports are not known to us: what was found is believed.
        assert!(!ports.has_room(0));
        held.clear();
        assert!(ports.has_room(0));
        assert!(MediaPorts::new(LOCAL, 0..=0).has_room(usize::MAX));
    }

    #[test]
    fn a_range_too_small_for_a_pair_gives_none_and_ends() {
        for range in [5_001..=5_001, 5_000..=5_000, u16::MAX..=u16::MAX] {
            let mut ports = MediaPorts::new(LOCAL, range);
            assert!(matches!(ports.bind(), Err(PortsError::NoneFree)));
        }
    }
}
