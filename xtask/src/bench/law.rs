//! How fast the law decides, beside the bare Cedar calls on the same policies and requests.
//!
//! The mix is every worked case of `crates/law/tests/cases`, round after round, in a process of its
//! own on one core, in processor time. The facts are read before the clock runs: a decision here is gates, duties,
//! advice and the answer with its texts, what a missing fact could change included.

use super::{process, table};
use crate::shell;
use anyhow::{Context as _, bail};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value};
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use voicelog_law::{BareCedar, Facts, Rulebook, decide_without_unknown};
use voicelog_model::{Action, Timestamp};

/// The day of the cases.
const AT: &str = "2026-11-21T10:02:00Z";
/// How long each thing is measured at least.
const MEASURE: Duration = Duration::from_secs(3);
const LOADS: usize = 7;

/// Starts the measuring process on its core; it prints its own rows.
pub(super) fn measure(core: usize, xtask: &Path) -> anyhow::Result<()> {
    let cases = shell::root().join("crates/law/tests/cases");
    shell::run(process::pinned(core, xtask)?.arg("decide").arg(cases))
}

/// `xtask decide FOLDER`: measures decisions about the cases in the folder.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [folder] = arguments else {
        bail!("usage: xtask decide FOLDER");
    };
    let at: Timestamp = AT.parse().context("the day of the cases")?;
    let (rulebook, load_seconds) = load(at)?;
    let cases = cases(Path::new(folder), at)?;
    let is_access = |facts: &&Facts| matches!(facts.action(), Action::Listen | Action::GiveCopy);
    let access: Vec<Facts> = cases.iter().filter(is_access).cloned().collect();
    println!("\n| | voicelog | bare Cedar | ratio |\n| --- | --- | --- | --- |");
    for (what, facts) in [("decisions", &cases), ("decisions on access", &access)] {
        print(what, &rulebook, facts, at)?;
    }
    println!(
        "| loading and validating the rulebook, ms | {load_seconds:.0} | | |",
        load_seconds = 1e3 * load_seconds
    );
    let peak = process::own_peak_bytes()? / 1e6;
    println!("| memory of a process that only decides, peak, MB | {peak:.1} | | |");
    Ok(())
}

/// The rulebook, and how long loading it took, the median of a few times.
fn load(at: Timestamp) -> anyhow::Result<(Rulebook, f64)> {
    let mut seconds = Vec::new();
    for _ in 1..LOADS {
        let begun = processor_time()?;
        black_box(Rulebook::embedded(at)?);
        seconds.push(processor_time()?.saturating_sub(begun));
    }
    let rulebook = Rulebook::embedded(at)?;
    Ok((rulebook, percentile(&mut seconds, 50).as_secs_f64()))
}

fn cases(folder: &Path, at: Timestamp) -> anyhow::Result<Vec<Facts>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).context("cannot list the cases")? {
        let path = entry?.path();
        let text =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let case: Map<String, Value> = serde_json::from_slice(&text)?;
        let facts = case.get("facts").and_then(Value::as_object);
        let facts = facts.with_context(|| format!("{} has no facts", path.display()))?;
        cases.push(Facts::from_map(facts, at)?);
    }
    Ok(cases)
}

/// One row for the speed, and one for the slowest of a hundred.
fn print(what: &str, rulebook: &Rulebook, facts: &[Facts], at: Timestamp) -> anyhow::Result<()> {
    let cedar = BareCedar::of(rulebook);
    let bare: Option<Vec<_>> = facts
        .iter()
        .map(|facts| cedar.question(facts, at))
        .collect();
    let bare = bare.context("a case can't be put to Cedar")?;
    let mut ours = timed(facts, |facts| {
        black_box(decide_without_unknown(rulebook, facts, at));
    })?;
    let mut least = timed(&bare, |question| {
        black_box(question.evaluate());
    })?;
    let (speed, most) = (per_second(&ours), per_second(&least));
    println!(
        "| {what} a second ({} cases) | {speed:.0} | {most:.0} | {:.2} |",
        facts.len(),
        most / speed
    );
    let mut row = |percent| {
        let [ours, least] =
            [&mut ours, &mut least].map(|times| 1e3 * percentile(times, percent).as_secs_f64());
        println!(
            "| {what}: {percent} of 100 take at most, ms | {ours:.3} | {least:.3} | {:.2} |",
            ours / least
        );
    };
    row(50);
    row(99);
    Ok(())
}

/// What this process has used of a processor: what others do on the machine does not count.
fn processor_time() -> anyhow::Result<Duration> {
    let used = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
    Ok(used.context("cannot read the clock of the process")?.into())
}

/// How long each call took, round after round.
fn timed<T>(items: &[T], call: impl Fn(&T)) -> anyhow::Result<Vec<Duration>> {
    items.iter().for_each(&call);
    let mut times = Vec::new();
    let until = processor_time()? + MEASURE;
    let mut begun = processor_time()?;
    while begun < until {
        for item in items {
            begun = processor_time()?;
            call(item);
            times.push(processor_time()?.saturating_sub(begun));
        }
    }
    Ok(times)
}

fn per_second(times: &[Duration]) -> f64 {
    let all: Duration = times.iter().sum();
    table::as_f64(times.len() as u64) / all.as_secs_f64()
}

/// What so many of a hundred stayed at or below.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_what_so_many_of_a_hundred_stay_at_or_below() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 99), Duration::from_millis(99));
        assert_eq!(percentile(&mut times, 50), Duration::from_millis(50));
        assert_eq!(percentile(&mut [], 99), Duration::ZERO);
    }
}
