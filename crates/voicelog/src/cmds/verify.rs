//! `voicelog verify`: an evidence bundle, without server or archive. A vCon is told of by `verify_vcon`.

use crate::{BadInput, Context, Ended, limited, print};
use anyhow::Result;
use serde_json::json;
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::part::Redaction;
use voicelog_evidence::policy::Policy;
use voicelog_evidence::timestamp::{Anchors, is_policy};
use voicelog_evidence::verify::{self, Fact, Finding, Job, Outcome, Outline, Report, Trust};
use voicelog_model::{Language, limits};

/// Longest file of certificates and of a key, in bytes.
const ANCHORS_BYTES_MAX: u64 = 1 << 20;
const KEY_BYTES_MAX: u64 = 4_096;
/// More have nothing to do: a bundle has a few large files.
const THREADS_MAX: usize = 8;
/// What one thread reads at once.
const PIECE_BYTES: usize = 8 << 20;

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
    /// The policy that the timestamp must have been given under (an object identifier, in dots). Without it any is
    /// taken.
    #[arg(long, value_name = "OID")]
    tsa_policy: Option<String>,
    /// What somebody kept when the recording was made: whether the log still says the same of it.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let (mut file, _size) = open(&args.bundle)?;
    if super::verify_vcon::is_one(&mut file) {
        must_believe_nobody(args)?;
        return super::verify_vcon::run(&args.bundle, args.json, context.lang);
    }
    let Some(report) = checked(args)? else {
        return Err(BadInput(format!(
            "`{}` is no evidence bundle; give the ZIP file that `voicelog export` or the pages \
             made",
            args.bundle.display()
        ))
        .into());
    };
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

/// A vCon is in no log. Who names whom to believe wants to know what it cannot say.
fn must_believe_nobody(args: &Args) -> Result<()> {
    let given = [
        ("--log-key", args.log_key.is_some()),
        ("--policy", args.policy.is_some()),
        ("--tsa-anchor", args.tsa_anchor.is_some()),
        ("--tsa-policy", args.tsa_policy.is_some()),
        ("--receipt", args.receipt.is_some()),
    ];
    match given.into_iter().find(|(_name, is_given)| *is_given) {
        None => Ok(()),
        Some((name, _)) => Err(BadInput(format!(
            "`{}` is a vCon: it has no proof of a log, and {name} says nothing of it; ask for the bundle",
            args.bundle.display()
        ))
        .into()),
    }
}

/// What is found; nothing if it is no bundle. All else that was given is read first: it is small, and costs the least.
fn checked(args: &Args) -> Result<Option<Report>> {
    let trusted = args.log_key.as_deref().map(read_key).transpose()?;
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let anchors = args.tsa_anchor.as_deref().map(read_anchors).transpose()?;
    let receipt = args.receipt.as_deref().map(super::receipt::read);
    let receipt = receipt.transpose()?;
    if let Some(policy) = args.tsa_policy.as_deref().filter(|text| !is_policy(text)) {
        let what = "is no object identifier, as in 1.2.3.4.1";
        return Err(BadInput(format!("--tsa-policy `{policy}` {what}")).into());
    }
    let trust = Trust {
        key: trusted.as_ref(),
        policy: policy.as_ref(),
        anchors: anchors.as_ref(),
        stamp_policy: args.tsa_policy.as_deref(),
        receipt: receipt.as_ref(),
    };
    let (file, size) = open(&args.bundle)?;
    let unread = |error: io::Error| unreadable(&args.bundle, &error);
    let part = |range: Range<usize>| {
        let mut bytes = vec![0; range.len()];
        file.read_exact_at(&mut bytes, range.start as u64)?;
        Ok(bytes)
    };
    match verify::outline(size, part).map_err(unread)? {
        Outline::NoBundle => Ok(None),
        Outline::Broken(report) => Ok(Some(report)),
        Outline::Container => {
            let bytes = read_by_pieces(&file, size).map_err(unread)?;
            Ok(Some(verify::verify_by(&bytes, &trust, &many_hands)))
        }
    }
}

/// The first `size` bytes: whatever is written behind them meanwhile is not what was looked at. Reading is a third of the
/// work, so it is shared too.
fn read_by_pieces(file: &File, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    let failed = Mutex::new(Ok(()));
    let pieces = bytes.chunks_mut(PIECE_BYTES).enumerate();
    let jobs = pieces.map(|(number, piece)| -> Job<'_> {
        let failed = &failed;
        Box::new(move || {
            let read = file.read_exact_at(piece, (number * PIECE_BYTES) as u64);
            if read.is_err() {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = read;
            }
        })
    });
    many_hands(jobs.collect());
    let read = failed.into_inner();
    read.unwrap_or_else(PoisonError::into_inner)?;
    Ok(bytes)
}

/// Does jobs on as many threads as there are processors: who is done takes the next.
fn many_hands(jobs: Vec<Job<'_>>) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = Mutex::new(jobs.into_iter());
    let work = || {
        loop {
            // A thread that panicked held no job of the others.
            let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(job) = next else { break };
            job();
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(THREADS_MAX) {
            // Where there is no thread to be had, it takes longer.
            let _helper = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> anyhow::Error {
    BadInput(format!("cannot read `{}`: {why}", path.display())).into()
}

/// A file that may be a bundle by its kind and length.
fn open(path: &Path) -> Result<(File, usize)> {
    let unread = |error: io::Error| unreadable(path, &error);
    // Looked at before it is opened: that waits, where it is a pipe.
    let found = std::fs::metadata(path).map_err(unread)?;
    if !found.is_file() {
        return Err(unreadable(path, &"it is no regular file"));
    }
    let file = File::open(path).map_err(unread)?;
    let size = file.metadata().map_err(unread)?.len();
    match usize::try_from(size) {
        Ok(len) if size <= limits::BUNDLE_BYTES_MAX => Ok((file, len)),
        _ => Err(BadInput(format!(
            "`{}` is larger than a bundle can be (4 GiB)",
            path.display()
        ))
        .into()),
    }
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
    let pem = limited::read_text(path, ANCHORS_BYTES_MAX);
    let pem = pem.map_err(|error| bad(error.to_string()))?;
    Anchors::from_pem(&pem).map_err(|error| bad(error.to_string()).into())
}

pub(crate) fn read_key(text: &str) -> Result<VerifierKey> {
    let from_file = limited::read_text(Path::new(text), KEY_BYTES_MAX);
    let key = from_file.as_deref().unwrap_or(text).trim();
    key.parse().map_err(|error| {
        anyhow::Error::new(BadInput(format!(
            "--log-key is neither a file nor a key: {error}"
        )))
    })
}
