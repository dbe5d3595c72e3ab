//! The least work that a recorder of RTP can do: the measure that the server is held against.
//!
//! One thread on one core. A UDP socket for each stream, all swept every 20 ms with one
//! `recvmmsg` each; payloads gathered for 500 ms, then sealed with AES-256-GCM, chained with
//! SHA-256, appended to one file; one `fdatasync` each 500 ms. No signalling, no law, no index,
//! no log, no arrival times from the kernel, no timeline: whatever the server spends above this
//! is what those cost.

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use anyhow::{Context as _, bail};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg, setsockopt, sockopt::RcvBuf};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{IoSliceMut, Read as _, Write as _};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SWEEP: Duration = Duration::from_millis(20);
const SEAL: Duration = Duration::from_millis(500);
/// Datagrams taken from one socket by one system call.
const BATCH: usize = 4;
const DATAGRAM_BYTES: usize = 2_048;
/// Streams of one call: their packets share a chunk.
const STREAMS_PER_CALL: usize = 2;
const SOCKET_BUFFER_BYTES: usize = 256 * 1024;
const RTP_HEADER_BYTES: usize = 12;

/// `xtask floor STREAMS FILE`: prints the ports, then records until its input ends, then prints
/// what it did.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [streams, file] = arguments else {
        bail!("usage: xtask floor STREAMS FILE");
    };
    let streams = streams.parse().context("STREAMS is a number")?;
    let mut floor = Floor::open(streams, file)?;
    let ports = floor.ports()?;
    println!("{}", ports.join(" "));
    std::io::stdout().flush().context("cannot print")?;
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    // Its input ends when the bench says so, or is gone.
    std::thread::spawn(move || {
        let mut ignored = Vec::new();
        let ended = std::io::stdin().read_to_end(&mut ignored);
        seen.store(ended.is_ok() || ended.is_err(), Ordering::SeqCst);
    });
    floor.record(&stop)?;
    println!("{} {} {}", floor.packets, floor.payload_bytes, floor.lost);
    Ok(())
}

struct Floor {
    sockets: Vec<UdpSocket>,
    /// One gathering buffer a call.
    chunks: Vec<Vec<u8>>,
    chains: Vec<[u8; 32]>,
    /// Sequence number expected next, for counting what never came.
    expected: Vec<Option<u16>>,
    cipher: Aes256Gcm,
    sealed: u64,
    file: File,
    out: Vec<u8>,
    packets: u64,
    payload_bytes: u64,
    lost: u64,
}

impl Floor {
    fn open(streams: usize, file: &str) -> anyhow::Result<Self> {
        let mut sockets = Vec::with_capacity(streams);
        for _ in 0..streams {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind")?;
            // The kernel caps it at what the machine allows; 20 ms need far less.
            setsockopt(&socket, RcvBuf, &SOCKET_BUFFER_BYTES).context("cannot size a buffer")?;
            sockets.push(socket);
        }
        let calls = streams.div_ceil(STREAMS_PER_CALL);
        Ok(Self {
            sockets,
            chunks: vec![Vec::new(); calls],
            chains: vec![[0; 32]; calls],
            expected: vec![None; streams],
            cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from([7; 32])),
            sealed: 0,
            file: File::create(file).with_context(|| format!("cannot make {file}"))?,
            out: Vec::new(),
            packets: 0,
            payload_bytes: 0,
            lost: 0,
        })
    }

    fn ports(&self) -> anyhow::Result<Vec<String>> {
        let one = |socket: &UdpSocket| {
            let address = socket.local_addr().context("a socket without address")?;
            Ok(address.port().to_string())
        };
        self.sockets.iter().map(one).collect()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark of wall-clock work: the machine's clock drives the sweep"
    )]
    fn record(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut sweep_at = started;
        let mut seal_at = started + SEAL;
        while !stop.load(Ordering::SeqCst) {
            self.sweep()?;
            if Instant::now() >= seal_at {
                self.seal()?;
                seal_at += SEAL;
            }
            sweep_at += SWEEP;
            std::thread::sleep(sweep_at.saturating_duration_since(Instant::now()));
        }
        self.sweep()?;
        self.seal()
    }

    fn sweep(&mut self) -> anyhow::Result<()> {
        let mut buffers = [[0_u8; DATAGRAM_BYTES]; BATCH];
        let mut headers = MultiHeaders::<()>::preallocate(BATCH, None);
        for stream in 0..self.sockets.len() {
            // A full batch means that more may be waiting.
            while self.take(stream, &mut buffers, &mut headers)? == BATCH {}
        }
        Ok(())
    }

    /// One system call on one socket; gives how many datagrams it brought.
    fn take(
        &mut self,
        stream: usize,
        buffers: &mut [[u8; DATAGRAM_BYTES]; BATCH],
        headers: &mut MultiHeaders<()>,
    ) -> anyhow::Result<usize> {
        let socket = self.sockets.get(stream).context("no such stream")?;
        let mut slices = buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let mut lengths = [0; BATCH];
        let count = match recvmmsg(socket.as_raw_fd(), headers, &mut slices, flags, None) {
            Ok(messages) => lengths
                .iter_mut()
                .zip(messages)
                .map(|(length, message)| *length = message.bytes)
                .count(),
            Err(Errno::EAGAIN) => 0,
            Err(error) => return Err(error).context("cannot receive"),
        };
        for (buffer, length) in buffers.iter().zip(lengths).take(count) {
            let datagram = buffer.get(..length).unwrap_or(buffer);
            self.keep(stream, datagram);
        }
        Ok(count)
    }

    fn keep(&mut self, stream: usize, datagram: &[u8]) {
        let Some((header, payload)) = datagram.split_at_checked(RTP_HEADER_BYTES) else {
            return;
        };
        let &[_, _, high, low, ..] = header else {
            return;
        };
        let sequence = u16::from_be_bytes([high, low]);
        if let Some(expected) = self.expected.get_mut(stream) {
            let missing = expected.map_or(0, |expected| sequence.wrapping_sub(expected));
            self.lost += u64::from(missing);
            *expected = Some(sequence.wrapping_add(1));
        }
        self.packets += 1;
        self.payload_bytes += u64::try_from(payload.len()).unwrap_or(0);
        if let Some(chunk) = self.chunks.get_mut(stream / STREAMS_PER_CALL) {
            // Which stream, and the low byte of the number: enough to put them in order again.
            chunk.push(u8::from(!stream.is_multiple_of(STREAMS_PER_CALL)));
            chunk.push(low);
            chunk.extend_from_slice(payload);
        }
    }

    fn seal(&mut self) -> anyhow::Result<()> {
        self.out.clear();
        for (chunk, chain) in self.chunks.iter_mut().zip(&mut self.chains) {
            if chunk.is_empty() {
                continue;
            }
            let mut nonce = [0; 12];
            let (_, counter) = nonce.split_at_mut(4);
            counter.copy_from_slice(&self.sealed.to_be_bytes());
            self.sealed += 1;
            let sealed = self
                .cipher
                .encrypt_in_place(&Nonce::from(nonce), chain.as_slice(), chunk);
            if sealed.is_err() {
                bail!("cannot seal");
            }
            let digest = Sha256::new()
                .chain_update(&chain)
                .chain_update(&chunk)
                .finalize();
            *chain = digest.into();
            let length = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            self.out.extend_from_slice(&length.to_be_bytes());
            self.out.extend_from_slice(chunk);
            chunk.clear();
        }
        self.file.write_all(&self.out).context("cannot append")?;
        self.file.sync_data().context("cannot sync")
    }
}
