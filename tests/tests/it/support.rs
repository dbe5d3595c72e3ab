//! Starting the binary, talking to it, and taking it down again.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use voicelog_src_sim::{CallPlan, Payload, StreamPlan, speech};

/// The binary under test: `VOICELOG_BIN`, or the release build of this checkout.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runner says where the binary is"
)]
pub(crate) fn binary() -> PathBuf {
    let path = std::env::var("VOICELOG_BIN").map_or_else(
        |_not_set| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/voicelog"),
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "build it first: cargo build --release -p voicelog"
    );
    path
}

/// What the test runner says, if it says it.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the long tests run is the runner's choice"
)]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Starts the binary, to wait for later.
pub(crate) fn running(arguments: &[&str]) -> Child {
    Command::new(binary())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// Runs the binary to its end.
pub(crate) fn voicelog(arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs the binary and reads what it printed as JSON.
pub(crate) fn voicelog_json(arguments: &[&str]) -> Value {
    let output = voicelog(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("{arguments:?} printed no JSON ({error}): {errors}")
    })
}

pub(crate) const LINE: &str = "verkoop";

/// The facts of a line on which calls may be recorded.
pub(crate) const FACTS: &str = include_str!("../../../ref/line-facts.toml");

/// A server process with its folder.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) sip: SocketAddr,
    pub(crate) http: String,
    pub(crate) config: PathBuf,
    pub(crate) printed: Vec<String>,
    /// Arguments of `nsenter` that lead to where the server lives, if not here.
    pub(crate) enter: Option<Vec<String>>,
}

/// Writes a configuration with free ports into a folder.
pub(crate) fn write_config(folder: &Path, extra: &str) -> PathBuf {
    write_config_with(folder, extra, "", (0, 0))
}

/// As [`write_config`], with lines for `[sip]` and a range of media ports.
pub(crate) fn write_config_with(
    folder: &Path,
    extra: &str,
    sip_extra: &str,
    (first, last): (u16, u16),
) -> PathBuf {
    // One number for both: a port that is free for datagrams may be somebody's for connections.
    let sip = loop {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        if TcpListener::bind(address).is_ok() {
            break address;
        }
    };
    let text = format!(
        "{extra}\n[sip]\nudp = \"{sip}\"\ntcp = \"{sip}\"\nmedia_port_first = {first}\nmedia_port_last = {last}\n\
         drain_seconds = 20\n{sip_extra}\n\
         [http]\naddress = \"127.0.0.1:0\"\n[storage]\ndata = \"{}\"\nkeep_free_mib = 1\n\
         [[line]]\nname = \"{LINE}\"\nown_domains = [\"voorbeeld.example\", \"sipp.example\"]\n[line.facts]\n{FACTS}",
        folder.join("data").display()
    );
    let path = folder.join("voicelog.toml");
    write_file(&path, &text);
    path
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own file need not survive a power cut"
)]
pub(crate) fn write_file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

impl Server {
    /// Starts the server and waits until it listens.
    pub(crate) fn start(config: &Path) -> Self {
        let mut command = Command::new(binary());
        command.args([
            "serve",
            "--lang",
            "en",
            "--config",
            config.to_str().unwrap(),
        ]);
        Self::start_with(command, config)
    }

    /// As [`Self::start`], with what the server says to its operator in a file.
    pub(crate) fn start_logged(config: &Path, log: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" serve --lang en --config \"$1\" 2>\"$2\""]);
        command.arg(binary()).arg(config).arg(log);
        Self::start_with(command, config)
    }

    /// Memory that the server has now and has had at most, in KiB.
    pub(crate) fn memory_kib(&self) -> (u64, u64) {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            let number = line.split_whitespace().nth(1).unwrap();
            number.parse::<u64>().unwrap()
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// One recording as the API tells it. Quicker than a process of its own each time.
    pub(crate) fn recording(&self, id: &str) -> Value {
        let text = self.get(&format!("/v1/recordings/{id}"));
        serde_json::from_str(&text).unwrap()
    }

    /// What the server says of its health.
    pub(crate) fn health(&self) -> Value {
        serde_json::from_str(&self.get("/v1/health")).unwrap()
    }

    fn get(&self, path: &str) -> String {
        ureq::get(format!("{}{path}", self.http))
            .header("Authorization", &self.bearer())
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    }

    /// Asks the API to do something; it has to agree.
    pub(crate) fn post(&self, path: &str, body: &Value) {
        ureq::post(format!("{}{path}", self.http))
            .header("Authorization", &self.bearer())
            .send_json(body)
            .unwrap();
    }

    /// The same with a text for a body.
    pub(crate) fn post_text(&self, path: &str, body: &str) {
        ureq::post(format!("{}{path}", self.http))
            .header("Authorization", &self.bearer())
            .send(body)
            .unwrap();
    }

    pub(crate) fn bearer(&self) -> String {
        let token = self.config.with_file_name("data/secrets/api-token");
        format!("Bearer {}", std::fs::read_to_string(token).unwrap().trim())
    }

    /// The calls in progress, as the API tells them.
    pub(crate) fn calls(&self) -> Value {
        serde_json::from_str(&self.get("/v1/calls")).unwrap()
    }

    /// The events that the server has counted, by their word.
    pub(crate) fn events(&self) -> BTreeMap<String, u64> {
        self.counts("voicelog_events_total{event=\"")
    }

    /// The numbers of one metric, by the word of its label; `start` is all before that word.
    pub(crate) fn counts(&self, start: &str) -> BTreeMap<String, u64> {
        let text = self.get("/v1/metrics");
        let event = |line: &str| {
            let rest = line.strip_prefix(start)?;
            let (name, count) = rest.split_once("\"} ")?;
            Some((name.to_owned(), count.trim().parse().ok()?))
        };
        text.lines().filter_map(event).collect()
    }

    /// Starts the server by a command that becomes the server.
    pub(crate) fn start_with(mut command: Command, config: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (mut sip, mut http, mut printed) = (None, None, Vec::new());
        for line in BufReader::new(stdout).lines() {
            let line = line.unwrap();
            if let Some(address) = line.strip_prefix("SIP/UDP:") {
                sip = address.trim().parse().ok();
            }
            let pages = line.strip_prefix("HTTP:");
            if let Some(address) = pages.or_else(|| line.strip_prefix("HTTPS:")) {
                http = Some(address.trim().trim_end_matches('/').to_owned());
            }
            let ready = line.starts_with("Ready");
            printed.push(line);
            if ready {
                break;
            }
        }
        let sip = sip.unwrap_or_else(|| panic!("the server does not start: {printed:?}"));
        Self {
            child,
            sip,
            http: http.unwrap(),
            config: config.to_owned(),
            printed,
            enter: None,
        }
    }

    /// It lives in a network of its own: what follows goes there.
    pub(crate) fn enter_network(&mut self) {
        let mut enter = vec!["--target".to_owned(), self.child.id().to_string()];
        enter.push("--net".to_owned());
        if !is_root() {
            enter.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        self.enter = Some(enter);
    }

    /// Stops it as an operator does, and waits.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        signal(&self.child, nix::sys::signal::Signal::SIGTERM);
        self.child.wait().unwrap()
    }

    /// Kills it without any warning.
    pub(crate) fn kill(&mut self) {
        signal(&self.child, nix::sys::signal::Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    pub(crate) fn config(&self) -> &str {
        self.config.to_str().unwrap()
    }

    /// Runs another command on the server's archive; inside its mount namespace, if it has one.
    pub(crate) fn voicelog(&self, arguments: &[&str]) -> Output {
        let mut command = match &self.enter {
            None => Command::new(binary()),
            Some(enter) => {
                let mut command = Command::new("nsenter");
                command.args(enter).arg(binary());
                command
            }
        };
        let config = ["--config", self.config()];
        let arguments = arguments.iter().chain(&config);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// All recordings, newest first.
    pub(crate) fn list(&self) -> Vec<Value> {
        let output = self.voicelog(&["list", "--json", "--limit", "1000"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let listed: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no list ({error}): {errors}"));
        listed.as_array().unwrap().clone()
    }

    /// Waits until that many recordings are closed, and gives all.
    pub(crate) fn wait_for_closed(&self, count: usize) -> Vec<Value> {
        let deadline = now() + Duration::from_secs(20);
        loop {
            let rows = self.list();
            let closed = rows
                .iter()
                .filter(|row| row["state"] == "sealed" || row["state"] == "not_recorded")
                .count();
            if closed >= count {
                return rows;
            }
            assert!(
                now() < deadline,
                "{count} recordings should be closed: {rows:?}"
            );
            pause(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

fn signal(child: &Child, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// A call that goes on until somebody hangs up.
pub(crate) fn endless_call(server: SocketAddr) -> CallPlan {
    let mut plan = CallPlan::speech(server, LINE);
    plan.streams = vec![
        StreamPlan::new("1", Payload::looping(speech::AGENT)),
        StreamPlan::new("2", Payload::looping(speech::CUSTOMER)),
    ];
    plan
}

#[expect(
    clippy::disallowed_methods,
    reason = "deadlines of the tests themselves"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test runs in real time"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
