//! Many datagrams in one system call.

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

/// Datagrams handed to the kernel in one system call.
const BATCH: usize = 64;

/// Datagrams of one socket that go to the kernel together.
pub(crate) struct Batch {
    socket: UdpSocket,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    to: Vec<Option<SockaddrStorage>>,
    headers: MultiHeaders<SockaddrStorage>,
    unsent: u64,
}

impl Batch {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            bytes: Vec::new(),
            ends: Vec::with_capacity(BATCH),
            to: Vec::with_capacity(BATCH),
            headers: MultiHeaders::preallocate(BATCH, None),
            unsent: 0,
        }
    }

    /// Datagrams that the kernel did not take so far.
    pub(crate) const fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Adds a datagram; hands over a full batch.
    pub(crate) fn add(&mut self, to: SocketAddr, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        self.to.push(Some(to.into()));
        if self.ends.len() == BATCH {
            self.flush();
        }
    }

    /// Hands over what is there.
    pub(crate) fn flush(&mut self) {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let datagram = |(start, end): (usize, &usize)| {
            [IoSlice::new(
                self.bytes.get(start..*end).unwrap_or_default(),
            )]
        };
        let slices: Vec<[IoSlice<'_>; 1]> = starts.zip(&self.ends).map(datagram).collect();
        let mut done = 0;
        while let (Some(slices), Some(to)) = (slices.get(done..), self.to.get(done..))
            && !slices.is_empty()
        {
            let flags = MsgFlags::empty();
            let fd = self.socket.as_raw_fd();
            match sendmmsg(fd, &mut self.headers, slices, to, [], flags) {
                Ok(sent) => done += sent.count().max(1),
                Err(Errno::EINTR) => {}
                Err(_) => {
                    // The first of these is the one that failed: a loss on the way.
                    self.unsent += 1;
                    done += 1;
                }
            }
        }
        drop(slices);
        self.bytes.clear();
        self.ends.clear();
        self.to.clear();
    }
}
