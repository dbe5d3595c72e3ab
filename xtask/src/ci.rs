//! The steps of a full check, and the shorter commands that are one of them.

use crate::{install, island, metadata::Metadata, shell, tidy, verifier, walls};
use anyhow::{Context as _, bail};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long each parser gets damaged input in every run of the tests.
const FUZZ_SECONDS: u32 = 20;

/// `cargo xtask ci`: the quick and the likely to fail first.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut times = Vec::new();
    step(&mut times, "fmt", || cargo(&["fmt", "--all", "--check"]))?;
    step(&mut times, "walls", walls::run)?;
    step(&mut times, "tidy", tidy::run)?;
    step(&mut times, "clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    step(&mut times, "docs", docs)?;
    step(&mut times, "test", test)?;
    step(&mut times, "island", island::run)?;
    step(&mut times, "verifier", verifier::run)?;
    println!("\nall steps passed:");
    for (name, time) in &times {
        println!("  {name:8} {:>5} s", time.as_secs());
    }
    Ok(())
}

/// `cargo xtask docs`.
pub(crate) fn docs() -> anyhow::Result<()> {
    let arguments = ["doc", "--workspace", "--no-deps", "--quiet"];
    let mut command = shell::command("cargo", &arguments);
    shell::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// `cargo xtask test`: everything, from units to the whole system.
///
/// The tests of the whole system start the released program, one test at a time: some of them
/// measure time, and two cores are not many.
pub(crate) fn test() -> anyhow::Result<()> {
    install::what_tests_need()?;
    cargo(&["test", "--workspace", "--exclude", "voicelog-tests"])?;
    cargo(&["test", "--package", "voicelog-tests", "--lib"])?;
    fuzz_for(FUZZ_SECONDS)?;
    cargo(&["build", "--release", "--package", "voicelog"])?;
    shell::run(&mut whole_system(&[])?)?;
    pages()
}

/// The tests of the whole system against the released program, one at a time.
fn whole_system(arguments: &[&str]) -> anyhow::Result<Command> {
    let program = Metadata::of_workspace()?
        .target_directory
        .join("release/voicelog");
    let common = ["test", "--package", "voicelog-tests", "--test", "it", "--"];
    let mut command = shell::command("cargo", &common);
    command.arg("--test-threads=1").args(arguments);
    command.env("VOICELOG_BIN", program);
    Ok(command)
}

/// `cargo xtask crash [N] [--seed S]`: the test with 50 kills, with more of them.
pub(crate) fn crash(arguments: &[String]) -> anyhow::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (kills, seed) = match words.as_slice() {
        [] => ("1000", "1"),
        [kills] => (*kills, "1"),
        ["--seed", seed] => ("1000", *seed),
        [kills, "--seed", seed] => (*kills, *seed),
        _ => bail!("cargo xtask crash [N] [--seed S]"),
    };
    for number in [kills, seed] {
        number
            .parse::<u64>()
            .with_context(|| format!("`{number}` is no number"))?;
    }
    cargo(&["build", "--release", "--package", "voicelog"])?;
    let mut command = whole_system(&["crash", "--nocapture"])?;
    command
        .env("VOICELOG_KILLS", kills)
        .env("VOICELOG_SEED", seed);
    shell::run(&mut command)
}

/// `cargo xtask sim [--seeds N] [--from S]`: the test with 200 lives, with more of them.
pub(crate) fn sim(arguments: &[String]) -> anyhow::Result<()> {
    let (mut seeds, mut from) = ("5000", "1");
    for pair in arguments.chunks(2) {
        match pair {
            [option, value] if option == "--seeds" => seeds = value,
            [option, value] if option == "--from" => from = value,
            _ => bail!("cargo xtask sim [--seeds N] [--from S]"),
        }
    }
    for number in [seeds, from] {
        number
            .parse::<u64>()
            .with_context(|| format!("`{number}` is no number"))?;
    }
    let common = ["test", "--release", "--package", "voicelog-archive"];
    let mut command = shell::command("cargo", &common);
    command
        .args(["--test", "it", "--", "simulation::", "--nocapture"])
        .env("VOICELOG_SIM_SEEDS", seeds)
        .env("VOICELOG_SIM_FROM", from);
    shell::run(&mut command)
}

/// `cargo xtask pages`: every page in a real browser, held against an accessibility checker.
pub(crate) fn pages() -> anyhow::Result<()> {
    cargo(&["build", "--package", "voicelog-web", "--example", "pages"])?;
    let built = Metadata::of_workspace()?.target_directory;
    let folder = shell::root().join("tests/pages");
    // Their versions are in the lock file beside them, with hashes; none may run anything itself.
    let fetch = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    shell::run(shell::command("npm", &fetch).current_dir(&folder))?;
    let mut check = shell::command("node", &["check.mjs", "--serve"]);
    shell::run(
        check
            .arg(built.join("debug/examples/pages"))
            .current_dir(&folder),
    )?;
    // A talk in a room, in two browsers that hear speech, against the program.
    cargo(&["build", "--release", "--package", "voicelog"])?;
    let mut talk = shell::command("node", &["room.mjs", "--voicelog"]);
    shell::run(
        talk.arg(built.join("release/voicelog"))
            .current_dir(&folder),
    )
}

/// `cargo xtask fuzz-smoke`.
pub(crate) fn fuzz_smoke() -> anyhow::Result<()> {
    fuzz_for(0)
}

/// Every parser against damage from a fixed seed: thousands of inputs, and so many seconds at least.
fn fuzz_for(seconds: u32) -> anyhow::Result<()> {
    let arguments = ["test", "--package", "voicelog-tests", "--test", "fuzz"];
    let mut command = shell::command("cargo", &arguments);
    shell::run(command.env("VOICELOG_FUZZ_SECONDS", seconds.to_string()))
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    shell::run(&mut shell::command("cargo", arguments))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took is told to the person who waits for it"
)]
fn step(
    times: &mut Vec<(&'static str, Duration)>,
    name: &'static str,
    run: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    println!("\n── {name}");
    let started = Instant::now();
    run().with_context(|| format!("step {name} failed"))?;
    times.push((name, started.elapsed()));
    Ok(())
}
