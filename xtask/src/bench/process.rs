//! A process that is measured: started on a core of its own, read from `/proc`.

use crate::shell;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Clock ticks a second in `/proc/PID/stat`: fixed in the interface of Linux to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used so far, all its threads together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor seconds, user and system.
    pub(crate) cpu_seconds: f64,
    /// Largest resident set so far, in bytes.
    pub(crate) peak_bytes: f64,
}

/// The cores that measured process and sender run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    pub(crate) measured: usize,
    pub(crate) sender: usize,
}

impl Cores {
    /// Two different cores if there are two.
    pub(crate) fn of_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().is_ok_and(|count| count.get() > 1))
    }

    pub(crate) fn new(are_apart: bool) -> Self {
        Self {
            measured: 0,
            sender: usize::from(are_apart),
        }
    }

    pub(crate) const fn are_apart(self) -> bool {
        self.measured != self.sender
    }
}

/// A command that runs on one core. `taskset` is in every Debian and Ubuntu.
pub(crate) fn pinned(core: usize, program: &std::path::Path) -> anyhow::Result<Command> {
    if !shell::is_installed("taskset") {
        bail!("`taskset` is not here: install the package util-linux");
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    Ok(command)
}

/// What the process has used so far.
pub(crate) fn usage(child: &Child) -> anyhow::Result<Usage> {
    // `taskset` becomes the program it starts, so the id is that of the program.
    let folder = format!("/proc/{}", child.id());
    let stat = read(&format!("{folder}/stat"))?;
    let status = read(&format!("{folder}/status"))?;
    Ok(Usage {
        cpu_seconds: cpu_seconds(&stat).context("cannot make sense of /proc/PID/stat")?,
        peak_bytes: peak_bytes(&status).context("cannot make sense of /proc/PID/status")?,
    })
}

/// The largest resident set of this process itself so far, in bytes.
pub(crate) fn own_peak_bytes() -> anyhow::Result<f64> {
    peak_bytes(&read("/proc/self/status")?).context("cannot make sense of /proc/self/status")
}

/// Processor seconds of this thread so far: the first number of `schedstat`, in nanoseconds.
pub(crate) fn own_thread_seconds() -> anyhow::Result<f64> {
    let text = read("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next();
    let nanoseconds: Option<f64> = nanoseconds.and_then(|number| number.parse().ok());
    Ok(nanoseconds.context("cannot make sense of /proc/thread-self/schedstat")? / 1e9)
}

/// Processor seconds of each kind of thread that is alive now, the largest first. Threads of one
/// name count together.
pub(crate) fn cpu_by_thread(child: &Child) -> anyhow::Result<Vec<(String, f64)>> {
    let folder = format!("/proc/{}/task", child.id());
    let mut seconds: BTreeMap<String, f64> = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).context("the measured process is gone")? {
        let path = entry?.path().join("stat");
        // A thread may have ended since the folder was read.
        let Ok(stat) = std::fs::read_to_string(path) else {
            continue;
        };
        let name = stat
            .split_once('(')
            .and_then(|(_, rest)| rest.rsplit_once(')'));
        if let (Some((name, _)), Some(used)) = (name, cpu_seconds(&stat)) {
            *seconds.entry(name.to_owned()).or_default() += used;
        }
    }
    let mut seconds: Vec<_> = seconds.into_iter().collect();
    seconds.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Ok(seconds)
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("the measured process is gone ({path})"))
}

/// Fields 14 and 15; the program's name before them may hold blanks and brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn peak_bytes(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Waits until a process uses no more than a fiftieth of a core, so that what it still does after
/// the last packet is counted too.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark waits for another process; there is nothing to wait on but time"
)]
pub(crate) fn wait_until_idle(child: &Child, patience: Duration) -> anyhow::Result<Usage> {
    const LOOK_EVERY: Duration = Duration::from_millis(500);
    const IDLE_SECONDS: f64 = 0.01;
    let until = Instant::now() + patience;
    let mut before = usage(child)?;
    loop {
        std::thread::sleep(LOOK_EVERY);
        let now = usage(child)?;
        let used = now.cpu_seconds - before.cpu_seconds;
        if used <= IDLE_SECONDS || Instant::now() >= until {
            return Ok(now);
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_brackets() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("nonsense"), None);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(
            peak_bytes("VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\n"),
            Some(2_097_152.0)
        );
        assert_eq!(peak_bytes("VmPeak:\t 9 kB\n"), None);
    }

    #[test]
    fn this_machine_tells_about_a_process() {
        let mut child = Command::new("sleep").arg("5").spawn().unwrap();
        let usage = usage(&child).unwrap();
        assert_eq!(cpu_by_thread(&child).unwrap().len(), 1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(usage.cpu_seconds < 1.0 && usage.peak_bytes > 0.0);
    }
}
