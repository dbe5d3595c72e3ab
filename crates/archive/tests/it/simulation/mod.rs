//! Whole lives of an archive, each drawn from one seed: a clock that leaps, a disk that fails, processes that
//! die, power that is cut. After each recovery, what was acknowledged is held against what is there.

mod acts;
pub(crate) mod disk;
mod life;
mod model;

use life::Life;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Lives, unless `cargo xtask sim` says how many, and the first of them.
const SEEDS: u64 = 200;
/// Acts of one life.
const ACTS: usize = 26;

#[expect(
    clippy::disallowed_methods,
    reason = "how many lives are lived is the runner's choice"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// What some life has to come to; otherwise nothing is simulated.
const MUST_HAPPEN: [&str; 18] = [
    "begin",
    "append",
    "finish",
    "refuse",
    "hold",
    "release",
    "advance",
    "sweep",
    "destroy",
    "listen",
    "export",
    "excerpt",
    "rotate",
    "rewrap",
    "backup",
    "restore",
    "kill",
    "power cut",
];

/// Lives one life, and says what happened, until its end or until something did not hold.
fn outcome(seed: u64, acts: usize) -> Result<Vec<String>, (String, Vec<String>)> {
    let told = Mutex::new(Vec::new());
    let lived = catch_unwind(AssertUnwindSafe(|| Life::new(seed, &told).live(acts)));
    let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    lived.map(|()| told.clone()).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        (text.unwrap_or_default(), told)
    })
}

/// The same with as few acts as still fail.
fn report(seed: u64, failed: (String, Vec<String>)) -> String {
    let shorter = (1..ACTS).find_map(|acts| outcome(seed, acts).err().map(|found| (acts, found)));
    let (acts, (text, told)) = shorter.unwrap_or((ACTS, failed));
    let told = told.join("\n  ");
    format!("seed {seed}, {acts} acts:\n  {told}\n{text}")
}

#[test]
fn whatever_fails_in_a_life_drawn_from_a_seed_everything_acknowledged_holds_after_recovery() {
    let from = setting("VOICELOG_SIM_FROM").unwrap_or(1);
    let seeds = setting("VOICELOG_SIM_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let happened: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _lane in 0..lanes {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= seeds {
                        break;
                    }
                    if number % 100 == 99 {
                        println!("{} lives", number + 1);
                    }
                    match outcome(from + number, ACTS) {
                        Ok(told) => {
                            let mut happened = happened.lock().unwrap();
                            for what in told {
                                *happened.entry(what).or_default() += 1;
                            }
                        }
                        Err(found) => failed.lock().unwrap().push((from + number, found)),
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let numbers: Vec<_> = failed.iter().map(|(seed, _found)| *seed).collect();
    let told: Vec<_> = failed
        .into_iter()
        .take(3)
        .map(|(seed, found)| report(seed, found))
        .collect();
    assert!(
        numbers.is_empty(),
        "{} of {seeds} lives: seeds {numbers:?}\n{}\nagain: cargo xtask sim --from SEED --seeds 1",
        numbers.len(),
        told.join("\n\n")
    );
    let happened = happened.into_inner().unwrap();
    let counts = MUST_HAPPEN.map(|what| (what, happened.get(what).copied().unwrap_or(0)));
    println!("{seeds} lives, in which these were done: {counts:?}");
    let never = counts.iter().filter(|(_what, count)| *count == 0);
    let never: Vec<_> = never.collect();
    assert!(seeds < SEEDS || never.is_empty(), "never: {never:?}");
}
