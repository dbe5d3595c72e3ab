//! The steps of a full check, and the shorter commands that are one of them.

use crate::{install, metadata::Metadata, shell, tidy, walls};
use anyhow::Context as _;
use std::time::{Duration, Instant};

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
    fuzz_smoke()?;
    cargo(&["build", "--release", "--package", "voicelog"])?;
    let program = Metadata::of_workspace()?
        .target_directory
        .join("release/voicelog");
    let arguments = [
        "test",
        "--package",
        "voicelog-tests",
        "--test",
        "it",
        "--",
        "--test-threads=1",
    ];
    let mut command = shell::command("cargo", &arguments);
    shell::run(command.env("VOICELOG_BIN", program))?;
    pages()
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
    )
}

/// `cargo xtask fuzz-smoke`.
pub(crate) fn fuzz_smoke() -> anyhow::Result<()> {
    cargo(&["test", "--package", "voicelog-tests", "--test", "fuzz"])
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
