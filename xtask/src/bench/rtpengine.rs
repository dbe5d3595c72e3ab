//! rtpengine as a peer: what a telephone administrator would otherwise record with (Debian's
//! `rtpengine-daemon`, pcap recording in user space, forwarding off so that it only records).
//!
//! It neither encrypts nor chains nor syncs what it keeps. Calls are set up over its `ng` protocol
//! before anything is measured.

use super::process::{self, Cores, Usage};
use crate::shell;
use anyhow::{Context as _, bail};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What it is called, and the Debian package that brings it.
const PROGRAM: &str = "rtpengine";
/// How long it may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where a pcap file's first record starts, and what precedes each record's bytes.
const PCAP_HEADER_BYTES: usize = 24;
const PCAP_RECORD_BYTES: usize = 16;

/// Whether this machine has it.
pub(crate) fn is_installed() -> bool {
    shell::is_installed(PROGRAM)
}

/// A running rtpengine.
pub(crate) struct Rtpengine {
    child: Child,
    folder: PathBuf,
    control: UdpSocket,
    asked: u64,
}

impl Rtpengine {
    /// Starts it on one core, with its recordings in `folder`.
    pub(crate) fn start(folder: &Path, cores: Cores) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).context("cannot make a folder")?;
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind")?;
        let address = free.local_addr()?;
        drop(free);
        let log = std::fs::File::create(folder.join("messages.txt"))?;
        let child = process::pinned(cores.measured, Path::new(PROGRAM))?
            .args([
                "--foreground",
                "--log-stderr",
                "--log-level=4",
                "--table=-1",
            ])
            .args([
                "--interface=127.0.0.1",
                "--port-min=10000",
                "--port-max=60000",
            ])
            .args(["--recording-method=pcap", "--recording-format=raw"])
            .arg(format!("--listen-ng={address}"))
            .arg(format!("--recording-dir={}", folder.display()))
            // What it leaves behind when it falls over (a core file) belongs with its recordings.
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start rtpengine")?;
        let control = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind")?;
        control.connect(address).context("cannot connect")?;
        let mut engine = Self {
            child,
            folder: folder.to_owned(),
            control,
            asked: 0,
        };
        engine.wait_until_open()?;
        Ok(engine)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "another process opens its socket when it is ready; there is nothing to wait on but time"
    )]
    fn wait_until_open(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        self.control
            .set_read_timeout(Some(Duration::from_millis(200)))?;
        while self.ask(&[("command", "ping")], &[]).is_err() {
            if self.child.try_wait()?.is_some() || Instant::now() >= until {
                bail!("rtpengine does not answer; see its messages.txt");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.control.set_read_timeout(Some(PATIENCE))?;
        Ok(())
    }

    /// Sets up one call that is recorded and not forwarded; gives the ports of its two streams.
    pub(crate) fn call(&mut self, number: u32) -> anyhow::Result<[u16; 2]> {
        let id = format!("bench-{number}");
        let offer = [
            ("call-id", &*id),
            ("command", "offer"),
            ("from-tag", "a"),
            ("record call", "on"),
            ("sdp", &sdp(9_000)),
        ];
        let to_callee = port_of(&self.ask(&offer, &[])?)?;
        let answer = [
            ("call-id", &*id),
            ("command", "answer"),
            ("from-tag", "a"),
            ("sdp", &sdp(9_002)),
            ("to-tag", "b"),
        ];
        let to_caller = port_of(&self.ask(&answer, &[])?)?;
        let block = [("call-id", &*id), ("command", "block media")];
        self.ask(&block, &["all"])?;
        Ok([to_caller, to_callee])
    }

    /// One question and its answer (`ng`: a cookie, a blank, a bencoded dictionary). Flags
    /// come last.
    fn ask(&mut self, entries: &[(&str, &str)], flags: &[&str]) -> anyhow::Result<String> {
        self.asked += 1;
        let cookie = format!("{}_", self.asked);
        let mut question = format!("{cookie} d");
        for (name, value) in entries {
            put(&mut question, name);
            put(&mut question, value);
        }
        if !flags.is_empty() {
            put(&mut question, "flags");
            question.push('l');
            flags.iter().for_each(|flag| put(&mut question, flag));
            question.push('e');
        }
        question.push('e');
        self.control.send(question.as_bytes())?;
        let mut buffer = [0; 65_535];
        loop {
            let length = self.control.recv(&mut buffer)?;
            let said = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            // The answer to a question that was given up may still come.
            let Some(answer) = said.strip_prefix(&cookie) else {
                continue;
            };
            if answer.contains("6:result2:ok") || answer.contains("6:result4:pong") {
                return Ok(answer.to_owned());
            }
            bail!("rtpengine refused: {}", answer.trim());
        }
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        process::usage(&self.child)
    }

    /// What it has used when it is done with what it was given.
    pub(crate) fn usage_when_idle(&self) -> anyhow::Result<Usage> {
        process::wait_until_idle(&self.child, PATIENCE)
    }

    /// Stops it; gives the packets it kept and the bytes they take.
    pub(crate) fn stop(mut self) -> anyhow::Result<(u64, u64)> {
        shell::run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        self.child.wait().context("cannot wait for rtpengine")?;
        let (mut packets, mut bytes) = (0, 0);
        for entry in std::fs::read_dir(self.folder.join("pcaps"))? {
            let file = std::fs::read(entry?.path())?;
            packets += pcap_records(&file);
            bytes += file.len() as u64;
        }
        Ok((packets, bytes))
    }
}

impl Drop for Rtpengine {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let killed = self.child.kill().and_then(|()| self.child.wait());
            drop(killed);
        }
    }
}

/// A string of the `ng` protocol: its length, a colon, itself.
fn put(out: &mut String, text: &str) {
    let written = write!(out, "{}:{text}", text.len());
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

fn sdp(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )
}

fn port_of(answer: &str) -> anyhow::Result<u16> {
    let (_, rest) = answer.split_once("m=audio ").context("no media in it")?;
    let port = rest.split(' ').next().unwrap_or_default();
    port.parse().context("no port in it")
}

/// Whole records of a pcap file written on this machine.
fn pcap_records(file: &[u8]) -> u64 {
    let mut at = PCAP_HEADER_BYTES;
    let mut records = 0;
    while let Some(header) = file.get(at..at + PCAP_RECORD_BYTES) {
        let Some(length) = header.get(8..12).and_then(|bytes| bytes.try_into().ok()) else {
            break;
        };
        let length = usize::try_from(u32::from_ne_bytes(length)).unwrap_or(usize::MAX);
        at = at.saturating_add(PCAP_RECORD_BYTES).saturating_add(length);
        if at > file.len() {
            break;
        }
        records += 1;
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_pcap_file_are_counted_and_a_cut_one_is_not() {
        let mut file = vec![0; PCAP_HEADER_BYTES];
        for length in [5_u32, 0, 9] {
            file.extend_from_slice(&[0; 8]);
            file.extend_from_slice(&length.to_ne_bytes());
            file.extend_from_slice(&length.to_ne_bytes());
            file.extend(std::iter::repeat_n(7, usize::try_from(length).unwrap()));
        }
        assert_eq!(pcap_records(&file), 3);
        assert_eq!(pcap_records(&file[..file.len() - 1]), 2);
        assert_eq!(pcap_records(&[]), 0);
    }

    #[test]
    fn the_port_is_read_from_an_answer() {
        assert_eq!(port_of("3:sdp9:m=audio 20004 RTP/AVP 8").unwrap(), 20_004);
        assert!(port_of("d6:result2:oke").is_err());
    }
}
