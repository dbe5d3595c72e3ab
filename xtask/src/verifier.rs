//! `cargo xtask verifier`: the second verifier, `verify.html`, against the program.
//!
//! It is TypeScript, written from `design/evidence-format.md` alone. The built file is committed, so
//! that nobody needs Node to build voicelog; here it is made once more and compared. Then both
//! verifiers get bundles of every kind, whole and parts, damaged and lying, in Node and in Chromium:
//! the same verdict, the same parts named. Some hundreds are made by a test of `voicelog-evidence`,
//! which can also lie with the archive's own key; the others by Node, from the document.

use crate::{install, metadata::Metadata, shell};
use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// How many random calls are made into bundles, besides what is damaged on purpose.
const CALLS: &str = "60";

/// Builds the program and does the rest of it.
pub(crate) fn run() -> anyhow::Result<()> {
    install::what_tests_need()?;
    let built = Metadata::of_workspace()?.target_directory;
    make_bundles()?;
    let build = ["build", "--release", "--package", "voicelog"];
    shell::run(&mut shell::command("cargo", &build))?;
    let folder = folder();
    fetch_packages(&folder)?;
    node(&folder, &["node_modules/typescript/bin/tsc", "--noEmit"])?;
    node(&folder, &["build.mjs", "--check"])?;
    let tests = ["unit", "part", "signed", "page"].map(|name| format!("tests/{name}.test.mjs"));
    node(
        &folder,
        &["--test", &tests[0], &tests[1], &tests[2], &tests[3]],
    )?;
    let made = built.join("tmp/verifiers");
    compare(&folder, &made)?;
    compare(&folder, &built.join("tmp/receipts"))?;
    let tampered = built.join("verifier-tampered");
    let program = built.join("release/voicelog");
    make_tampered(&folder, &program, &made, &tampered)?;
    compare(&folder, &tampered)
}

/// Where it is.
pub(crate) fn folder() -> PathBuf {
    shell::root().join("verifier")
}

/// Fetches what its tests need. Versions are in the lock file, with hashes; none may run anything itself.
pub(crate) fn fetch_packages(folder: &Path) -> anyhow::Result<()> {
    let fetch = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    shell::run(shell::command("npm", &fetch).current_dir(folder))
}

/// Bundles with the report of the program beside each, lies of the archive itself among them.
fn make_bundles() -> anyhow::Result<()> {
    let test = ["test", "--package", "voicelog-evidence", "--test", "it"];
    shell::run(shell::command("cargo", &test).args(["--", "for_the_other_verifier"]))
}

/// Holds both verifiers against each other over all bundles of a folder.
fn compare(folder: &Path, bundles: &Path) -> anyhow::Result<()> {
    let mut compare = shell::command("node", &["tests/compare.mjs"]);
    shell::run(compare.arg(bundles).arg("--browser").current_dir(folder))
}

/// Bundles of every kind, and beside each what the program says of it.
fn make_tampered(folder: &Path, program: &Path, made: &Path, into: &Path) -> anyhow::Result<()> {
    if into.exists() {
        std::fs::remove_dir_all(into)
            .with_context(|| format!("cannot empty {}", into.display()))?;
    }
    let golden: PathBuf = shell::root().join("crates/evidence/tests/vectors/bundle/v1/call.zip");
    let mut make = shell::command("node", &["tests/tamper.mjs", "--calls", CALLS]);
    make.arg("--voicelog").arg(program);
    make.arg("--base").arg(&golden);
    for part in ["redacted.zip", "excerpt-redacted.zip"] {
        make.arg("--part").arg(made.join(part));
    }
    make.arg("--into").arg(into);
    shell::run(make.current_dir(folder))
}

fn node(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    shell::run(shell::command("node", arguments).current_dir(folder))
}
