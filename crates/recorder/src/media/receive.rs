//! Reading datagrams: one system call for all that waits on a socket, each with the kernel's
//! arrival time, into buffers that are made once.

use crate::pace;
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recv, recvmmsg,
};
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Clock, Timestamp, limits};

/// Datagrams read with one system call at most. A stream of G.711 brings one in a sweep; the rest
/// is room for what piled up while the law was asked.
const BATCH: usize = 16;

/// System calls on one socket in one sweep at most: a flood on one port must not keep the sweep
/// from the others. What is beyond waits in the kernel or is lost there.
const ROUNDS_MAX: usize = 32;

/// Clocks that differ less than this are the same clock, read at two moments.
const SAME_CLOCK_MICROS: i64 = 1_000;

/// How often both clocks are read until nothing came in between that would look like a difference.
const READINGS_MAX: u32 = 5;

/// One datagram.
#[derive(Debug)]
pub(crate) struct Datagram<'a> {
    /// Who sent it.
    pub(crate) from: SocketAddr,
    /// When it reached this machine.
    pub(crate) arrived: Timestamp,
    /// Its bytes, in the place where the kernel put them.
    pub(crate) bytes: &'a mut [u8],
    /// Whether it was longer than we keep ([`limits::RTP_PACKET_BYTES_MAX`]).
    pub(crate) is_cut: bool,
}

/// The moment of a sweep on our clock and on the kernel's, so that the kernel's arrival times can
/// be put on ours. They are the same clock in a server; tests and the demo move theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SweepTime {
    /// The moment on our clock.
    pub(crate) now: Timestamp,
    /// What to add to the kernel's microseconds; `None` if the kernel's clock cannot be read.
    ahead: Option<i64>,
}

impl SweepTime {
    /// This moment. Our clock is read between two readings of the kernel's, again if these are far
    /// apart: a thread that was put aside in between must not move the arrival times.
    pub(crate) fn read(clock: &dyn Clock) -> Self {
        Self::between(|| clock.now(), pace::kernel_micros)
    }

    fn between(
        mut ours: impl FnMut() -> Timestamp,
        mut kernel: impl FnMut() -> Option<i64>,
    ) -> Self {
        let mut reading = 1;
        loop {
            let (before, now, after) = (kernel(), ours(), kernel());
            let (Some(before), Some(after)) = (before, after) else {
                return Self { now, ahead: None };
            };
            let apart = after.saturating_sub(before);
            if (0..SAME_CLOCK_MICROS).contains(&apart) || reading == READINGS_MAX {
                let ahead = Some(ahead(now.micros(), before, after));
                return Self { now, ahead };
            }
            reading += 1;
        }
    }

    /// The moment of a kernel's clock that is ours as well.
    #[cfg(test)]
    pub(crate) fn of_kernel() -> Self {
        let ours = || Timestamp::from_micros(pace::kernel_micros().unwrap());
        Self::between(ours, pace::kernel_micros)
    }

    /// The same as if so much time had gone by.
    #[cfg(test)]
    pub(crate) fn later(self, micros: i64) -> Self {
        let now = self.now.plus_micros(micros);
        Self { now, ..self }
    }

    /// A kernel's arrival time on our clock; without one, the moment of the sweep.
    fn place(self, kernel: Option<i64>) -> Timestamp {
        match (kernel, self.ahead) {
            (Some(kernel), Some(ahead)) => Timestamp::from_micros(kernel.saturating_add(ahead)),
            _ => self.now,
        }
    }
}

/// How far our clock, read between two moments of the kernel's, is ahead of that.
const fn ahead(ours: i64, before: i64, after: i64) -> i64 {
    if ours < before.saturating_sub(SAME_CLOCK_MICROS) {
        ours.saturating_sub(before)
    } else if ours > after.saturating_add(SAME_CLOCK_MICROS) {
        ours.saturating_sub(after)
    } else {
        0
    }
}

/// The buffers of one media thread.
pub(crate) struct Receiver {
    headers: MultiHeaders<SockaddrStorage>,
    bytes: Box<[u8]>,
}

impl Receiver {
    /// Makes the buffers.
    pub(crate) fn new() -> Self {
        Self {
            headers: headers(),
            bytes: vec![0; BATCH * limits::RTP_PACKET_BYTES_MAX].into_boxed_slice(),
        }
    }

    /// Hands every datagram that waits on the socket to `each`, in the order of arrival.
    pub(crate) fn receive(
        &mut self,
        socket: &UdpSocket,
        time: SweepTime,
        mut each: impl FnMut(Datagram<'_>),
    ) -> Result<(), Errno> {
        for _round in 0..ROUNDS_MAX {
            match self.receive_batch(socket, time, &mut each) {
                Ok(count) if count == BATCH => {}
                Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive_batch(
        &mut self,
        socket: &UdpSocket,
        time: SweepTime,
        each: &mut impl FnMut(Datagram<'_>),
    ) -> Result<usize, Errno> {
        let mut rest = self.bytes.chunks_exact_mut(limits::RTP_PACKET_BYTES_MAX);
        let mut slots: [_; BATCH] =
            std::array::from_fn(|_slot| [IoSliceMut::new(rest.next().unwrap_or_default())]);
        let mut arrivals = [None; BATCH];
        let mut count = 0;
        let mut is_stamped = true;
        let results = recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            &mut slots,
            MsgFlags::MSG_DONTWAIT,
            None,
        )?;
        for (place, message) in arrivals.iter_mut().zip(results) {
            count += 1;
            let kernel = arrival(&message);
            is_stamped &= kernel.is_some();
            *place = sender(&message).map(|from| Arrival {
                from,
                arrived: time.place(kernel),
                length: message.bytes,
                is_cut: message.flags.contains(MsgFlags::MSG_TRUNC),
            });
        }
        let slots = self.bytes.chunks_exact_mut(limits::RTP_PACKET_BYTES_MAX);
        for (slot, arrival) in slots.zip(arrivals) {
            let Some(arrival) = arrival else {
                continue;
            };
            let length = arrival.length.min(slot.len());
            each(Datagram {
                from: arrival.from,
                arrived: arrival.arrived,
                bytes: slot.get_mut(..length).unwrap_or_default(),
                is_cut: arrival.is_cut,
            });
        }
        if !is_stamped {
            // The kernel writes the length of the control part back into the header, and the
            // wrapper keeps it: a header that once came back without a stamp never gets one again.
            self.headers = headers();
        }
        Ok(count)
    }
}

/// A datagram without its bytes.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    from: SocketAddr,
    arrived: Timestamp,
    length: usize,
    is_cut: bool,
}

/// Throws away what waits on a socket without reading it: one byte of each datagram is copied out
/// of the kernel, none of it is speech. Returns how many there were.
pub(crate) fn discard(socket: &UdpSocket) -> u64 {
    let mut first = [0; 1];
    let mut count = 0;
    while count < (BATCH * ROUNDS_MAX) as u64 {
        match recv(socket.as_raw_fd(), &mut first, MsgFlags::MSG_DONTWAIT) {
            Ok(_) => count += 1,
            Err(_nothing_left) => break,
        }
    }
    count
}

/// Largest packet about a key that is read, in bytes: header, some extension, one event.
const KEY_BYTES_MAX: usize = 64;

/// The fixed header of an RTP packet that is thrown away, and who sent it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passing {
    /// Who sent it.
    pub(crate) from: SocketAddr,
    /// RTP payload type, 0 to 127.
    pub(crate) payload_type: u8,
    /// Synchronisation source.
    pub(crate) ssrc: u32,
}

/// The same, but for packets of the payload types that are wanted: those are read, the others left
/// unread behind their fixed RTP header.
pub(crate) fn discard_but(
    socket: &UdpSocket,
    is_wanted: impl Fn(u8) -> bool,
    mut each: impl FnMut(Passing, Option<&mut [u8]>),
) -> u64 {
    let (mut header, mut whole) = ([0; 12], [0; KEY_BYTES_MAX]);
    let mut count = 0;
    while count < (BATCH * ROUNDS_MAX) as u64 {
        let Ok((length, _from)) = socket.peek_from(&mut header) else {
            break;
        };
        let [first, second, _, _, _, _, _, _, ssrc @ ..] = header;
        let payload_type = second & 0x7f;
        let is_rtp = length == header.len() && first >> 6 == 2 && !RtpPacket::is_rtcp(&header);
        let room = if is_rtp && is_wanted(payload_type) {
            KEY_BYTES_MAX
        } else {
            1
        };
        let Some(Ok((length, from))) = whole.get_mut(..room).map(|room| socket.recv_from(room))
        else {
            break;
        };
        count += 1;
        if is_rtp {
            let passing = Passing {
                from,
                payload_type,
                ssrc: u32::from_be_bytes(ssrc),
            };
            let read = whole.get_mut(..length);
            each(passing, read.filter(|_read| room == KEY_BYTES_MAX));
        }
    }
    count
}

fn headers() -> MultiHeaders<SockaddrStorage> {
    let room = nix::cmsg_space!(nix::sys::time::TimeSpec);
    MultiHeaders::preallocate(BATCH, Some(room))
}

fn arrival(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<i64> {
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(at) => pace::micros_of(at.tv_sec(), at.tv_nsec()),
        _ => None,
    })
}

fn sender(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<SocketAddr> {
    let address = message.address.as_ref()?;
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::from((v4.ip(), v4.port())));
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddr::from((v6.ip(), v6.port())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::MediaPorts;

    fn pair() -> (UdpSocket, UdpSocket) {
        let receiving = MediaPorts::new([127, 0, 0, 1].into(), 0..=0)
            .bind()
            .unwrap()
            .rtp;
        let sending = UdpSocket::bind("127.0.0.1:0").unwrap();
        sending.connect(receiving.local_addr().unwrap()).unwrap();
        (receiving, sending)
    }

    fn all(
        receiver: &mut Receiver,
        socket: &UdpSocket,
    ) -> Vec<(SocketAddr, Timestamp, Vec<u8>, bool)> {
        let mut seen = Vec::new();
        receiver
            .receive(socket, SweepTime::of_kernel(), |datagram| {
                let Datagram {
                    from,
                    arrived,
                    bytes,
                    is_cut,
                } = datagram;
                seen.push((from, arrived, bytes.to_vec(), is_cut));
            })
            .unwrap();
        seen
    }

    #[test]
    fn everything_that_waits_is_read_in_order_with_its_arrival_time() {
        let (receiving, sending) = pair();
        let before = pace::kernel_micros().unwrap();
        for number in 0..100_u8 {
            sending.send(&[number; 20]).unwrap();
        }
        let after = pace::kernel_micros().unwrap();
        let mut receiver = Receiver::new();
        let seen = all(&mut receiver, &receiving);
        assert_eq!(seen.len(), 100);
        let mut last = before;
        for (number, (from, arrived, bytes, is_cut)) in seen.into_iter().enumerate() {
            assert_eq!(from, sending.local_addr().unwrap());
            assert_eq!(bytes, [u8::try_from(number).unwrap(); 20]);
            assert!(!is_cut);
            assert!((last..=after).contains(&arrived.micros()));
            last = arrived.micros();
        }
        assert!(all(&mut receiver, &receiving).is_empty());
    }

    #[test]
    fn a_datagram_longer_than_we_keep_says_so() {
        let (receiving, sending) = pair();
        sending.send(&[1; limits::RTP_PACKET_BYTES_MAX]).unwrap();
        sending
            .send(&[2; limits::RTP_PACKET_BYTES_MAX + 1])
            .unwrap();
        sending.send(&[]).unwrap();
        let seen = all(&mut Receiver::new(), &receiving);
        let found: Vec<_> = seen
            .iter()
            .map(|(_, _, bytes, is_cut)| (bytes.len(), *is_cut))
            .collect();
        let max = limits::RTP_PACKET_BYTES_MAX;
        assert_eq!(found, [(max, false), (max, true), (0, false)]);
    }

    #[test]
    fn discarding_leaves_nothing_to_read() {
        let (receiving, sending) = pair();
        for _packet in 0..50 {
            sending.send(&[9; 172]).unwrap();
        }
        assert_eq!(discard(&receiving), 50);
        assert!(all(&mut Receiver::new(), &receiving).is_empty());
    }

    #[test]
    fn of_what_is_thrown_away_only_packets_of_wanted_types_are_read() {
        let (receiving, sending) = pair();
        let rtp = |payload_type: u8, payload: &[u8]| {
            let header = [0x80, payload_type, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
            [&header[..], payload].concat()
        };
        for bytes in [
            rtp(8, &[0xd5; 160]),
            rtp(101, &[7, 10, 0, 160]),
            rtp(0x80 | 101, &[8, 10, 0, 160]),
            vec![0x80],
            rtp(200, &[0; 20]),
            Vec::new(),
            rtp(101, &[0; 1_000]),
        ] {
            sending.send(&bytes).unwrap();
        }
        let mut seen = Vec::new();
        let count = discard_but(
            &receiving,
            |payload_type| payload_type == 101,
            |passing, read| {
                let packet = read.and_then(|bytes| RtpPacket::parse(bytes).ok());
                let payload = packet.map(|packet| (packet.payload.len(), packet.payload[0]));
                seen.push((passing.from, passing.payload_type, passing.ssrc, payload));
            },
        );
        assert_eq!(count, 7);
        let from = sending.local_addr().unwrap();
        let long = Some((KEY_BYTES_MAX - 12, 0));
        assert_eq!(
            seen,
            [
                (from, 8, 3, None),
                (from, 101, 3, Some((4, 7))),
                (from, 101, 3, Some((4, 8))),
                (from, 101, 3, long)
            ]
        );
        assert_eq!(discard(&receiving), 0);
    }

    #[test]
    fn arrival_times_follow_our_clock_when_it_is_not_the_kernels() {
        let ours = Timestamp::from_micros(5_000_000);
        let time = SweepTime::between(|| ours, || Some(1_000_000_000));
        assert_eq!(
            time.place(Some(1_000_000_000 - 7_000)),
            ours.plus_micros(-7_000)
        );
        assert_eq!(time.place(None), ours);
        let same = SweepTime::between(|| ours, || Some(5_000_000 - 3));
        assert_eq!(
            same.place(Some(4_999_000)),
            Timestamp::from_micros(4_999_000)
        );
        let unknown = SweepTime::between(|| ours, || None);
        assert_eq!(unknown.place(Some(7)), ours);
    }

    #[test]
    fn a_pause_between_two_clocks_does_not_move_what_arrived() {
        let read = |moments: &[i64]| {
            // Both are one clock; each reading takes the next moment of it.
            let next = std::cell::RefCell::new(moments.iter().copied());
            SweepTime::between(
                || Timestamp::from_micros(next.borrow_mut().next().unwrap()),
                || next.borrow_mut().next(),
            )
        };
        let arrived = Some(5_000_000);
        let paused = read(&[
            6_000_000, 6_080_000, 6_080_001, 6_080_002, 6_080_003, 6_080_004,
        ]);
        assert_eq!(paused.now, Timestamp::from_micros(6_080_003));
        assert_eq!(paused.place(arrived).micros(), 5_000_000);
        // However often it is put aside, one clock stays one clock.
        let moments: Vec<i64> = (0..15).map(|step| 6_000_000 + step * 50_000).collect();
        assert_eq!(read(&moments).place(arrived).micros(), 5_000_000);
    }
}
