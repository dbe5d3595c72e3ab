//! `voicelog verify`: an evidence bundle, without server or archive. A vCon is told of by `verify_vcon`.

use crate::{BadInput, Context, Ended, print};
use anyhow::Result;
use serde_json::json;
use std::path::{Path, PathBuf};
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::part::Redaction;
use voicelog_evidence::policy::Policy;
use voicelog_evidence::timestamp::Anchors;
use voicelog_evidence::verify::{self, Fact, Finding, Outcome, Report, Trust};
use voicelog_model::{Language, limits};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle; or a vCon (JSON), of which it is told what it says and what of that holds.
    bundle: PathBuf,
    /// The public key of the archive's log (text, or a file that holds it). Without it the key in
    /// the bundle speaks for itself, and the answer says so.
    #[arg(long)]
    log_key: Option<String>,
    /// Which witnesses must have signed the log (a C2SP tlog-policy file). Without it their lines are
    /// not looked at.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Certificates under which a timestamp of the log is believed (PEM). Without them those in the bundle
    /// speak for themselves, and the answer says so.
    #[arg(long, value_name = "FILE")]
    tsa_anchor: Option<PathBuf>,
    /// What somebody kept when the recording was made: whether the log still says the same of it.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    if super::verify_vcon::is_one(&args.bundle) {
        return super::verify_vcon::run(&args.bundle, args.json, context.lang);
    }
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
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let anchors = args.tsa_anchor.as_deref().map(read_anchors).transpose()?;
    let receipt = args.receipt.as_deref().map(super::receipt::read);
    let receipt = receipt.transpose()?;
    let trust = Trust {
        key: trusted.as_ref(),
        policy: policy.as_ref(),
        anchors: anchors.as_ref(),
        receipt: receipt.as_ref(),
    };
    let report = verify::verify_with(&bytes, &trust);
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
        print::line(report.conclusion(context.lang));
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
    let outcome = report.outcome();
    let copy = |outcome: &Outcome| {
        let plan = outcome.part.as_ref();
        let redactions = plan.map_or(&[][..], |plan| &plan.redactions);
        let redaction = |one: &Redaction| json!({ "streams": one.streams, "start_us": one.start_us, "end_us": one.end_us });
        json!({
            "is_whole": plan.is_none(),
            "excerpt": plan.and_then(|plan| plan.excerpt),
            "redactions": redactions.iter().map(redaction).collect::<Vec<_>>(),
        })
    };
    json!({
        "holds": report.holds(),
        "conclusion_nl": report.conclusion(Language::Nl),
        "conclusion_en": report.conclusion(Language::En),
        "verdict": outcome.map(|outcome| outcome.verdict),
        "copy": outcome.map(copy),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "facts": report.facts.iter().map(fact).collect::<Vec<_>>(),
    })
}

/// Reads a policy from a file.
pub(crate) fn read_policy(path: &Path) -> Result<Policy> {
    let read = super::log::read_limited(path)?;
    Policy::parse(&read).map_err(|why| BadInput(format!("`{}`: {why}", path.display())).into())
}

fn read_anchors(path: &Path) -> Result<Anchors> {
    let bad = |what: String| BadInput(format!("--tsa-anchor `{}`: {what}", path.display()));
    let pem = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    Anchors::from_pem(&pem).map_err(|error| bad(error.to_string()).into())
}

pub(crate) fn read_key(text: &str) -> Result<VerifierKey> {
    let from_file = std::fs::read_to_string(text);
    let key = from_file.as_deref().unwrap_or(text).trim();
    key.parse().map_err(|error| {
        anyhow::Error::new(BadInput(format!(
            "--log-key is neither a file nor a key: {error}"
        )))
    })
}
