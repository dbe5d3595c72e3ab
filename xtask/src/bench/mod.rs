//! `cargo xtask bench`: what the whole server costs, as ratios to the least work possible.
//!
//! What is measured and how is described for readers in `ref/performance.md`; this prints its
//! table. Floor and server get the same calls from the same sender, one after the other, in one
//! run, each alone on its core.

mod answerer;
mod browser;
pub(crate) mod floor;
pub(crate) mod law;
mod options;
mod process;
mod rooms;
mod rtpengine;
mod sealing;
mod server;
mod setup;
mod table;
mod verification;

use crate::{metadata::Metadata, shell};
use anyhow::{Context as _, bail};
use options::Options;
use process::Cores;
use rtpengine::Rtpengine;
use server::Server;
use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use voicelog_src_sim::{Load, LoadReport, SrtpSuite};

/// Calls that are over as soon as they began: what a call costs once weighs most in them.
const SHORT_CALL_SECONDS: u32 = 10;

/// Everything that one run of one peer says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) calls: u32,
    pub(crate) seconds: u32,
    pub(crate) cpu_seconds: f64,
    /// Peak of the resident set before the first call and at the end, in bytes.
    pub(crate) peak_before: f64,
    pub(crate) peak_after: f64,
    /// Packets that the sender put on the line, and that the peer kept.
    pub(crate) sent: u64,
    pub(crate) kept: u64,
    /// Bytes of payload sent, and bytes on disk for them.
    pub(crate) payload_bytes: u64,
    pub(crate) media_bytes: u64,
    /// All bytes in the data folder.
    pub(crate) all_bytes: u64,
    /// Lateness of the sender: what 999 of 1,000 packets stayed at or below, in milliseconds.
    pub(crate) late_ms: u64,
    /// Datagrams that the kernel would not take from the sender.
    pub(crate) unsent: u64,
    /// Processor seconds of the server by kind of thread.
    pub(crate) threads: Vec<(String, f64)>,
}

impl Measured {
    pub(crate) fn call_minutes(&self) -> f64 {
        f64::from(self.calls) * f64::from(self.seconds) / 60.0
    }

    pub(crate) fn cpu_per_call_minute(&self) -> f64 {
        self.cpu_seconds / self.call_minutes()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.kept)
    }
}

/// `cargo xtask bench`: builds, then starts itself anew, optimised, on the sender's core.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    // Said wrong is said now, not after the build.
    let options = Options::parse(arguments)?;
    if options.browser {
        return browser::measure();
    }
    let build = [
        "build",
        "--release",
        "--package",
        "voicelog",
        "--package",
        "xtask",
    ];
    shell::run(&mut shell::command("cargo", &build))?;
    let built = Metadata::of_workspace()?.target_directory.join("release");
    let cores = Cores::of_this_machine();
    let mut measure = process::pinned(cores.sender, &built.join("xtask"))?;
    let apart = if cores.are_apart() {
        "apart"
    } else {
        "together"
    };
    shell::run(measure.args(["measure", apart]).arg(&built).args(arguments))?;
    match options.quick || options.rooms || options.setup || options.verification {
        true => Ok(()),
        false => browser::measure(),
    }
}

/// The optimised half of `bench`: `xtask measure apart|together FOLDER [OPTION …]`.
pub(crate) fn measure(arguments: &[String]) -> anyhow::Result<()> {
    let (apart, rest) = arguments.split_first().context("apart or together?")?;
    let (built, rest) = rest.split_first().context("which folder?")?;
    let options = Options::parse(rest)?;
    allow_many_sockets()?;
    let bench = Bench {
        programs: PathBuf::from(built),
        folder: Path::new(built).join("bench"),
        runs: Cell::new(0),
        // Pinned as it is, this process sees one core only.
        cores: Cores::new(apart == "apart"),
    };
    if !bench.cores.are_apart() {
        println!("note: one core only; sender and server share it, and the numbers say little");
    }
    if options.verification {
        verification::measure(options.quick, &bench.programs)?.print();
        return Ok(());
    }
    if options.rooms {
        bench.rooms(options.seconds)?;
        return bench.clean();
    }
    if options.setup {
        bench.setup(options.calls)?;
        return bench.clean();
    }
    let floor = bench.floor(options.calls, options.seconds)?;
    let server = bench.server(options.calls, options.seconds, None)?;
    table::print(&floor, &server);
    let sealing = sealing::measure(options.calls, options.seconds)?;
    table::print_sealing(&server, sealing);
    match bench.rtpengine(options.calls, options.seconds)? {
        Some(rtpengine) => table::print_rtpengine(&server, &rtpengine),
        None => println!("rtpengine: not measured; install the package rtpengine-daemon"),
    }
    let suite = Some(SrtpSuite::AesCm128HmacSha1_80);
    let protected = bench.server(options.calls, options.seconds, suite)?;
    table::print_protected(&protected, &server);
    if !options.quick {
        let short = bench.server(options.calls, SHORT_CALL_SECONDS, None)?;
        table::print_short(&short, &floor);
        table::print_capacity(bench.capacity(&options)?);
        bench.setup(options.calls)?;
    }
    verification::measure(options.quick, &bench.programs)?.print();
    law::measure(bench.cores.measured, &bench.programs.join("xtask"))?;
    table::print_threads(&server);
    bench.clean()
}

struct Bench {
    programs: PathBuf,
    folder: PathBuf,
    /// Runs so far: each has a folder of its own.
    runs: Cell<u32>,
    cores: Cores,
}

impl Bench {
    fn clean(&self) -> anyhow::Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder).context("cannot remove what was recorded")?;
        }
        Ok(())
    }

    /// An empty folder. What the runs before left stays until the end: a file system that has just
    /// deleted thousands of files is slow to make new ones, and that is not what is measured.
    fn fresh_folder(&self) -> anyhow::Result<PathBuf> {
        if self.runs.get() == 0 {
            self.clean()?;
        }
        self.runs.set(self.runs.get() + 1);
        let folder = self.folder.join(self.runs.get().to_string());
        std::fs::create_dir_all(&folder).context("cannot make a folder")?;
        Ok(folder)
    }

    /// How fast calls are set up while others record.
    fn setup(&self, calls: u32) -> anyhow::Result<()> {
        let folder = self.fresh_folder()?;
        let server = Server::start(&self.programs.join("voicelog"), &folder, self.cores)?;
        let rounds = setup::measure(&server, calls)?;
        setup::print(calls, &rounds);
        server.stop().map(|_left| ())
    }

    /// Talks in a room, all at once.
    fn rooms(&self, seconds: u32) -> anyhow::Result<()> {
        let folder = self.fresh_folder()?;
        let server = Server::start(&self.programs.join("voicelog"), &folder, self.cores)?;
        rooms::measure(&server, seconds)?.print();
        server.stop().map(|_left| ())
    }

    /// The floor under a load.
    fn floor(&self, calls: u32, seconds: u32) -> anyhow::Result<Measured> {
        let file = self.fresh_folder()?.join("floor.bin");
        let mut child = process::pinned(self.cores.measured, &self.programs.join("xtask"))?
            .args(["floor", &(calls * 2).to_string()])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the floor")?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        output
            .read_line(&mut line)
            .context("the floor gave no ports")?;
        let ports: Result<Vec<u16>, _> = line.split_whitespace().map(str::parse).collect();
        let address = answerer::start(ports.context("the floor gave no ports")?)?;
        let before = process::usage(&child)?;
        let report = place(address, calls, seconds, None)?;
        let after = process::usage(&child)?;
        drop(child.stdin.take());
        let mut said = String::new();
        output
            .read_to_string(&mut said)
            .context("the floor said nothing")?;
        let status = child.wait().context("cannot wait for the floor")?;
        let kept = said
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        let Some(kept) = kept.filter(|_| status.success()) else {
            bail!("the floor ended with {status}");
        };
        let bytes = file.metadata().context("the floor left no file")?.len();
        let mut measured = of_report(calls, seconds, &report)?;
        measured.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
        (measured.peak_before, measured.peak_after) = (before.peak_bytes, after.peak_bytes);
        (measured.kept, measured.media_bytes, measured.all_bytes) = (kept, bytes, bytes);
        say("floor", &measured);
        Ok(measured)
    }

    /// The server under the same load, protected or not.
    fn server(
        &self,
        calls: u32,
        seconds: u32,
        srtp: Option<SrtpSuite>,
    ) -> anyhow::Result<Measured> {
        let folder = self.fresh_folder()?;
        let server = Server::start(&self.programs.join("voicelog"), &folder, self.cores)?;
        let before = server.usage_when_idle()?;
        let report = place(server.sip, calls, seconds, srtp)?;
        let after = server.usage_when_idle()?;
        let threads = server.cpu_by_thread()?;
        let left = server.stop()?;
        let mut measured = of_report(calls, seconds, &report)?;
        measured.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
        (measured.peak_before, measured.peak_after) = (before.peak_bytes, after.peak_bytes);
        measured.kept = left.packets;
        measured.threads = threads;
        (measured.media_bytes, measured.all_bytes) = (left.segment_bytes, left.all_bytes);
        say("server", &measured);
        Ok(measured)
    }

    /// rtpengine under the same load, if this machine has it.
    fn rtpengine(&self, calls: u32, seconds: u32) -> anyhow::Result<Option<Measured>> {
        if !rtpengine::is_installed() {
            return Ok(None);
        }
        let mut engine = Rtpengine::start(&self.fresh_folder()?, self.cores)?;
        let mut ports = Vec::new();
        for number in 0..calls {
            ports.extend(engine.call(number)?);
        }
        let address = answerer::start(ports)?;
        let before = engine.usage()?;
        let report = place(address, calls, seconds, None)?;
        let after = engine.usage_when_idle()?;
        let mut measured = of_report(calls, seconds, &report)?;
        measured.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
        (measured.peak_before, measured.peak_after) = (before.peak_bytes, after.peak_bytes);
        (measured.kept, measured.media_bytes) = engine.stop()?;
        say("rtpengine", &measured);
        Ok(Some(measured))
    }

    /// More and more calls, until something is lost or the sender cannot keep up.
    fn capacity(&self, options: &Options) -> anyhow::Result<Capacity> {
        let mut most = options.calls;
        let mut calls = options.calls;
        loop {
            calls = calls.saturating_add((calls / 2).max(1));
            let measured = self.server(calls, SHORT_CALL_SECONDS, None)?;
            let ended_by = if measured.lost() > 0 {
                EndedBy::Loss
            } else if measured.late_ms > 20 || measured.unsent > 0 {
                EndedBy::Sender
            } else {
                most = calls;
                continue;
            };
            return Ok(Capacity { most, ended_by });
        }
    }
}

/// How many calls at once were recorded without loss, and what ended the search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    /// At least the calls of the first run, which lost nothing or said so.
    pub(crate) most: u32,
    pub(crate) ended_by: EndedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Packets were lost.
    Loss,
    /// The sender was late; the server might do more.
    Sender,
}

fn place(
    address: SocketAddr,
    calls: u32,
    seconds: u32,
    srtp: Option<SrtpSuite>,
) -> anyhow::Result<LoadReport> {
    let duration = Duration::from_secs(seconds.into());
    let mut load = Load::new(address, server::LINE, calls, duration);
    // All calls are up together for most of the run.
    load.srtp = srtp;
    load.calls_per_second = (calls / 2).max(50);
    voicelog_src_sim::run(&load).context("the load could not be placed")
}

fn of_report(calls: u32, seconds: u32, report: &LoadReport) -> anyhow::Result<Measured> {
    let unanswered = report
        .calls
        .iter()
        .filter(|call| call.answer.is_none())
        .count();
    if unanswered > 0 {
        let outcome = report.calls.iter().find(|call| call.answer.is_none());
        let outcome = outcome.map(|call| &call.outcome);
        bail!("{unanswered} of {calls} calls were not answered; the first: {outcome:?}");
    }
    let streams = || report.calls.iter().flat_map(|call| &call.streams);
    Ok(Measured {
        calls,
        seconds,
        sent: streams().map(|stream| stream.sent.packets).sum(),
        payload_bytes: streams().map(|stream| stream.sent.payload_bytes).sum(),
        late_ms: report.lateness.percentile_ms(999),
        unsent: report.unsent,
        ..Measured::default()
    })
}

fn say(who: &str, measured: &Measured) {
    println!(
        "{who}: {} calls, {} packets sent, {} lost, {:.5} CPU s per call-minute, sender {} ms late",
        measured.calls,
        measured.sent,
        measured.lost(),
        measured.cpu_per_call_minute(),
        measured.late_ms,
    );
}

/// A socket for each stream is more than many systems allow a program at first.
fn allow_many_sockets() -> anyhow::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("cannot ask for the limit")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).context("cannot raise the limit of files")
}
