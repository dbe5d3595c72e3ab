//! How long `verify.html` takes to check an hour's call in Chromium, opened from disk as a person opens it.
//!
//! `verifier/tests/hour.mjs` measures it. It runs on all cores: the page has helpers, and the browser processes of its own.

use crate::{shell, verifier};

/// Names under which Chromium is installed.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Measures and prints; says so where there is no browser to measure with.
pub(crate) fn measure() -> anyhow::Result<()> {
    let has_browser = BROWSERS.iter().any(|name| shell::is_installed(name));
    if !has_browser || !["node", "npm"].iter().all(|name| shell::is_installed(name)) {
        println!(
            "an hour's call in a browser: not measured; install the packages chromium, nodejs and npm"
        );
        return Ok(());
    }
    let folder = verifier::folder();
    verifier::fetch_packages(&folder)?;
    shell::run(shell::command("node", &["tests/hour.mjs"]).current_dir(folder))
}
