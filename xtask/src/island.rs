//! `cargo xtask island`: the script of the pages on which a talk in a room is recorded.
//!
//! It is TypeScript in `crates/web/island`. What is built of it is committed, so that nobody needs
//! Node to build voicelog; here it is made once more and compared, and its parts are tested in Node.

use crate::{install, shell};
use anyhow::{Context as _, bail};
use std::io::Write as _;
use std::process::Stdio;

/// Bytes of the script, compressed, at most.
const COMPRESSED_MAX: usize = 25_000;

pub(crate) fn run() -> anyhow::Result<()> {
    install::what_tests_need()?;
    let folder = shell::root().join("crates/web/island");
    // Versions are in the lock file, with hashes; none may run anything itself.
    let fetch = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    shell::run(shell::command("npm", &fetch).current_dir(&folder))?;
    let steps: [&[&str]; 3] = [
        &["node_modules/typescript/bin/tsc", "--noEmit"],
        &["build.mjs", "--check"],
        &[
            "--test",
            "tests/frames.test.mjs",
            "tests/sending.test.mjs",
            "tests/upload.test.mjs",
            "tests/notice.test.mjs",
        ],
    ];
    for arguments in steps {
        shell::run(shell::command("node", arguments).current_dir(&folder))?;
    }
    weigh()
}

/// A telephone on a weak network fetches this before anybody can be recorded.
fn weigh() -> anyhow::Result<()> {
    let script = std::fs::read(shell::root().join("crates/web/assets/room.js"))?;
    let mut gzip = shell::command("gzip", &["-c"]);
    let mut child = gzip.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("gzip takes no input")?;
    let writing = std::thread::spawn(move || input.write_all(&script));
    let compressed = child.wait_with_output()?.stdout.len();
    if !matches!(writing.join(), Ok(Ok(()))) || compressed == 0 {
        bail!("gzip did not compress the script");
    }
    if compressed > COMPRESSED_MAX {
        bail!("room.js is {compressed} bytes compressed; at most {COMPRESSED_MAX}");
    }
    Ok(())
}
