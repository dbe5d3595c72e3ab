//! `voicelog verify`: an evidence bundle, without server or archive.

use crate::{BadInput, Context, Ended, print};
use anyhow::Result;
use std::path::PathBuf;
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::verify::{self, Severity};
use voicelog_model::limits;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle.
    bundle: PathBuf,
    /// The public key of the archive's log (text, or a file that holds it). Without it the key in
    /// the bundle speaks for itself, and the answer says so.
    #[arg(long)]
    log_key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let path = args.bundle.display();
    let bad = |what: String| anyhow::Error::new(BadInput(what));
    let size = std::fs::metadata(&args.bundle)
        .map_err(|error| bad(format!("cannot read `{path}`: {error}")))?
        .len();
    if size > limits::BUNDLE_BYTES_MAX {
        return Err(bad(format!("`{path}` is larger than a bundle can be (4 GiB)")));
    }
    let bytes = std::fs::read(&args.bundle)
        .map_err(|error| bad(format!("cannot read `{path}`: {error}")))?;
    let trusted = args.log_key.as_deref().map(read_key).transpose()?;
    let report = verify::verify(&bytes, trusted.as_ref());
    if args.json {
        print::json(&report)?;
    } else {
        for finding in &report.findings {
            let mark = match finding.severity {
                Severity::Ok => "✔",
                Severity::Warning => "!",
                Severity::Broken => "✘",
            };
            let text = context.lang.pick(&finding.text_nl, &finding.text_en);
            print::line(format!("{mark} {}: {text}", finding.place));
        }
        if report.holds() {
            print::say(context.lang, "De bundel klopt.", "The bundle holds.");
        } else {
            print::say(context.lang, "De bundel klopt NIET.", "The bundle does NOT hold.");
        }
    }
    Ok(if report.holds() { Ended::Done } else { Ended::Failed })
}

fn read_key(text: &str) -> Result<VerifierKey> {
    let from_file = std::fs::read_to_string(text);
    let key = from_file.as_deref().unwrap_or(text).trim();
    key.parse().map_err(|error| {
        anyhow::Error::new(BadInput(format!("--log-key is neither a file nor a key: {error}")))
    })
}
