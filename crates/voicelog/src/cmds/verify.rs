//! `voicelog verify`: an evidence bundle, without server or archive.

use crate::{BadInput, Context, Ended, print};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::verify::{self, Fact, Finding, Report};
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
        return Err(bad(format!(
            "`{path}` is larger than a bundle can be (4 GiB)"
        )));
    }
    let bytes = std::fs::read(&args.bundle)
        .map_err(|error| bad(format!("cannot read `{path}`: {error}")))?;
    if !verify::is_bundle(&bytes) {
        return Err(bad(format!(
            "`{path}` is no evidence bundle; give the ZIP file that `voicelog export` or the pages \
             made"
        )));
    }
    let trusted = args.log_key.as_deref().map(read_key).transpose()?;
    let report = verify::verify(&bytes, trusted.as_ref());
    if args.json {
        print::json(&as_json(&report))?;
    } else {
        for line in report.lines(context.lang) {
            print::line(line);
        }
        print::say(
            context.lang,
            "(ok: klopt; !: let op; XX: klopt niet)",
            "(ok: holds; !: please note; XX: does not hold)",
        );
        if report.holds() {
            print::say(context.lang, "De bundel klopt.", "The bundle holds.");
        } else {
            print::say(
                context.lang,
                "De bundel klopt NIET.",
                "The bundle does NOT hold.",
            );
        }
    }
    Ok(if report.holds() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn as_json(report: &Report) -> serde_json::Value {
    let finding = |finding: &Finding| {
        json!({
            "check": format!("{:?}", finding.check),
            "severity": format!("{:?}", finding.severity),
            "place": finding.place,
            "text_nl": finding.text_nl,
            "text_en": finding.text_en,
        })
    };
    let fact = |fact: &Fact| {
        json!({
            "name_nl": fact.name_nl, "name_en": fact.name_en,
            "value_nl": fact.value_nl, "value_en": fact.value_en,
        })
    };
    json!({
        "holds": report.holds(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "facts": report.facts.iter().map(fact).collect::<Vec<_>>(),
    })
}

fn read_key(text: &str) -> Result<VerifierKey> {
    let from_file = std::fs::read_to_string(text);
    let key = from_file.as_deref().unwrap_or(text).trim();
    key.parse().map_err(|error| {
        anyhow::Error::new(BadInput(format!(
            "--log-key is neither a file nor a key: {error}"
        )))
    })
}
