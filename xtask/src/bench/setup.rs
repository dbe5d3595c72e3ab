//! Setting calls up: how long an exchange waits for its answer while many calls record, at more and
//! more new calls a second.

use super::server::{self, Server};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::time::Duration;
use voicelog_src_sim::{Load, LoadReport};

/// New calls a second that are tried, one after the other.
const RATES: [u32; 7] = [25, 50, 100, 200, 400, 700, 1_000];
/// How long each rate is kept up, in seconds.
const ROUND_SECONDS: u32 = 5;
/// How long the calls last that are set up.
const CALL: Duration = Duration::from_secs(1);
/// Slower answers than this are no service: the search ends there, in milliseconds.
const HOPELESS_MS: f64 = 2_000.0;

/// What came of one rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Calls begun in a second.
    pub(crate) rate: u32,
    pub(crate) unanswered: usize,
    /// Half of the answers, and 99 of 100, took at most so long, in milliseconds.
    pub(crate) half_ms: f64,
    pub(crate) most_ms: f64,
}

/// Sets calls up at each rate while `calls` others record.
pub(crate) fn measure(server: &Server, calls: u32) -> anyhow::Result<Vec<Round>> {
    let address = server.sip;
    let rounds = u32::try_from(RATES.len()).unwrap_or(u32::MAX);
    // Each round ends when its calls are over and their answers counted.
    let whole = Duration::from_secs(u64::from(rounds * (ROUND_SECONDS + 5) + 10));
    let mut others = Load::new(address, server::LINE, calls, whole);
    others.calls_per_second = (calls / 10).max(50);
    let others = std::thread::spawn(move || voicelog_src_sim::run(&others));
    let settled = Load::new(address, server::LINE, 20, Duration::from_secs(12));
    voicelog_src_sim::run(&settled).context("the first calls could not be placed")?;
    let mut all = Vec::new();
    for rate in RATES {
        let round = round(address, rate)?;
        all.push(round);
        if round.unanswered > 0 || round.most_ms > HOPELESS_MS {
            break;
        }
    }
    let Ok(ended) = others.join() else {
        anyhow::bail!("the sender of the other calls fell over");
    };
    ended.context("the other calls could not be placed")?;
    Ok(all)
}

fn round(address: SocketAddr, rate: u32) -> anyhow::Result<Round> {
    let mut load = Load::new(address, server::LINE, rate * ROUND_SECONDS, CALL);
    load.calls_per_second = rate;
    // Of the other calls' ports of media nothing is known here: another seed, other ids.
    load.seed = u64::from(rate) + 1_000;
    let report = voicelog_src_sim::run(&load).context("the calls could not be placed")?;
    Ok(of(rate, &report))
}

fn of(rate: u32, report: &LoadReport) -> Round {
    let answers = report.calls.iter().filter_map(|call| call.answer.as_ref());
    let mut waited: Vec<Duration> = answers.map(|answer| answer.waited).collect();
    waited.sort_unstable();
    let at = |part: usize| {
        let place = (waited.len() * part / 100).min(waited.len().saturating_sub(1));
        waited
            .get(place)
            .map_or(f64::INFINITY, |waited| waited.as_secs_f64() * 1_000.0)
    };
    Round {
        rate,
        unanswered: report.calls.len() - waited.len(),
        half_ms: at(50),
        most_ms: at(99),
    }
}

/// The rounds as a table.
pub(crate) fn print(calls: u32, rounds: &[Round]) {
    println!(
        "\n| new calls a second, {calls} others recording | half answered within, ms | 99 of 100 within, ms | unanswered |"
    );
    println!("| --- | --- | --- | --- |");
    for round in rounds {
        let Round {
            rate,
            unanswered,
            half_ms,
            most_ms,
        } = round;
        println!("| {rate} | {half_ms:.1} | {most_ms:.1} | {unanswered} |");
    }
}
