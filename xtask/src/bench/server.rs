//! The whole server as the thing measured: started with a configuration of its own, loaded,
//! stopped, and what it left on disk counted.

use super::process::{self, Cores, Usage};
use crate::shell;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The line that the load calls.
pub(crate) const LINE: &str = "bench";
/// Longest that the server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// Limits that are not what is measured.
const ROOM: &str = "calls_max = 20000\nmedia_port_first = 10000\nmedia_port_last = 65000\n";

/// A line on which every call may be recorded at once.
const LINE_FACTS: &str = concat!(
    "\n[[line]]\nname = \"bench\"\n[line.facts]\n",
    include_str!("../../../ref/line-facts.toml")
);

/// A kind of talk in a room that may be recorded at once, with everybody's agreement.
const ROOM_FACTS: &str = concat!(
    "\n[[room]]\nname = \"room\"\n[room.facts]\nrecorder_type = \"company\"\n",
    "counterpart_types = [\"private_person\"]\npurpose = \"bewijs_overeenkomst\"\nlegal_basis = \"b\"\n",
    "dpia = \"not_required\"\nstaff_informed = \"each_call_signal\"\nor_status = \"no_or\"\nretention_term = \"P1Y\"\n"
);

/// A running server.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    program: PathBuf,
    pub(crate) sip: SocketAddr,
    pub(crate) http: SocketAddr,
}

impl Server {
    /// Starts `voicelog serve` on one core, with its data in `folder`.
    pub(crate) fn start(program: &Path, folder: &Path, cores: Cores) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).context("cannot make the data folder")?;
        let (sip, http) = (free_port()?, free_port()?);
        let config = folder.join("voicelog.toml");
        let data = folder.join("data");
        let text = format!(
            "[storage]\ndata = {:?}\n[sip]\nudp = \"{sip}\"\ntcp = \"{sip}\"\nsrtp_keys_without_tls = true\n{ROOM}[http]\naddress = \"{http}\"\n{LINE_FACTS}{ROOM_FACTS}",
            data.to_string_lossy()
        );
        write(&config, &text)?;
        let messages = std::fs::File::create(folder.join("messages.txt"))?;
        let child = process::pinned(cores.measured, program)?
            .args(["serve", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(messages.try_clone()?)
            .stderr(messages)
            .spawn()
            .context("cannot start the server")?;
        let mut server = Self {
            child,
            folder: folder.to_owned(),
            program: program.to_owned(),
            sip,
            http,
        };
        server.wait_until_open()?;
        Ok(server)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "another process opens its socket when it is ready; there is nothing to wait on but time"
    )]
    fn wait_until_open(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(self.sip).is_err() {
            if let Some(status) = self.child.try_wait()? {
                let messages = self.folder.join("messages.txt");
                let said = std::fs::read_to_string(messages).unwrap_or_default();
                bail!("the server ended with {status}: {}", said.trim());
            }
            if Instant::now() >= until {
                bail!("the server does not answer on {}", self.sip);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The one-time link with which the first account is made: its path.
    pub(crate) fn setup_path(&self) -> anyhow::Result<String> {
        let said = std::fs::read_to_string(self.folder.join("messages.txt"))?;
        let link = said.split_whitespace().find(|word| word.contains("/setup"));
        let path = link.and_then(|link| link.split_once("//")?.1.split_once('/'));
        let (_, path) = path.context("the server printed no link to begin")?;
        Ok(format!("/{path}"))
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        process::usage(&self.child)
    }

    /// What it has used when it is done with what it was given.
    pub(crate) fn usage_when_idle(&self) -> anyhow::Result<Usage> {
        process::wait_until_idle(&self.child, PATIENCE)
    }

    /// Which threads used how much of it.
    pub(crate) fn cpu_by_thread(&self) -> anyhow::Result<Vec<(String, f64)>> {
        process::cpu_by_thread(&self.child)
    }

    /// Stops it as an administrator would, and says what is on disk then.
    pub(crate) fn stop(mut self) -> anyhow::Result<OnDisk> {
        let pid = self.child.id().to_string();
        shell::run(Command::new("kill").args(["-TERM", &pid]))?;
        let status = self.child.wait().context("cannot wait for the server")?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        self.on_disk()
    }

    fn on_disk(&self) -> anyhow::Result<OnDisk> {
        let data = self.folder.join("data");
        let recordings = self.ask(&["list", "--json", "--limit", "1000000"])?;
        let recordings = recordings
            .as_array()
            .context("`voicelog list` printed no list")?;
        let mut packets = 0;
        for recording in recordings {
            let id = recording.get("id").and_then(Value::as_str);
            let id = id.context("`voicelog list` gave a recording without id")?;
            packets += packets_of(&self.ask(&["show", "--json", id])?)
                .with_context(|| format!("`voicelog show {id}` tells no packets"))?;
        }
        Ok(OnDisk {
            packets,
            segment_bytes: bytes_under(&data.join("blobs"))?,
            all_bytes: bytes_under(&data)?,
        })
    }

    /// Asks the program about the archive that was left.
    fn ask(&self, question: &[&str]) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.program);
        let command = command
            .args(question)
            .arg("--data")
            .arg(self.folder.join("data"));
        let text = shell::read(command)?;
        serde_json::from_str(&text).context("the program printed no JSON")
    }
}

/// RTP packets in the timeline of a recording.
fn packets_of(shown: &Value) -> Option<u64> {
    let streams = shown.get("timeline")?.get("streams")?.as_array()?;
    streams
        .iter()
        .map(|stream| stream.get("packets")?.as_u64())
        .sum()
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only after an error on the way: `stop` has waited for it.
        if matches!(self.child.try_wait(), Ok(None)) {
            let killed = self.child.kill().and_then(|()| self.child.wait());
            drop(killed);
        }
    }
}

/// What a stopped server left.
pub(crate) struct OnDisk {
    /// RTP packets in the timelines of all recordings.
    pub(crate) packets: u64,
    pub(crate) segment_bytes: u64,
    pub(crate) all_bytes: u64,
}

/// A port of loopback that is free for UDP and TCP now.
fn free_port() -> anyhow::Result<SocketAddr> {
    for _ in 0..100 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind")?;
        let address = listener.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port of loopback is free for UDP and TCP")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file for one run of the benchmark need not be durable"
)]
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn bytes_under(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        bytes += if path.is_dir() {
            bytes_under(&path)?
        } else {
            path.metadata()?.len()
        };
    }
    Ok(bytes)
}
