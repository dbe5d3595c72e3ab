//! `voicelog list`, `show`, `play`, `export` and `destroy`.

use super::show;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use voicelog_archive::{ArchiveError, RecordingFilter, RecordingSummary, State};
use voicelog_casework::disclosure::{self, Recipient};
use voicelog_casework::{Asked, listening, retention};
use voicelog_law::Decision;
use voicelog_model::{Clock, Kind, Language, RecordingId, error};
use voicelog_store::durable;

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// How many at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Id of the recording.
    id: RecordingId,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlayArgs {
    /// Id of the recording.
    id: RecordingId,
    /// The WAV file to write.
    #[arg(short, long, value_name = "FILE.wav")]
    output: PathBuf,
    /// Why you must hear it. It is part of the decision, and logged.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Id of the recording.
    id: RecordingId,
    /// The bundle to write.
    #[arg(short, long, value_name = "BUNDLE.zip")]
    output: PathBuf,
    /// Who gets it: court, data_subject, guardian, lawyer, judge, ap or afm.
    #[arg(long = "for", value_name = "RECIPIENT")]
    recipient: Recipient,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DestroyArgs {
    /// Id of the recording.
    id: RecordingId,
    /// Destroy it although the chosen term still runs.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn row(summary: &RecordingSummary) -> serde_json::Value {
    json!({
        "id": summary.id,
        "state": summary.state.as_str(),
        "line": summary.line,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "verdict": summary.verdict.map(voicelog_evidence::timeline::Verdict::as_str),
        "retain_until": summary.retain_until,
        "destroyed_at": summary.destroyed_at,
    })
}

pub(crate) fn list(args: &ListArgs, context: &Context) -> Result<Ended> {
    let archive = wiring::visit(context, SystemClock::default().now())?;
    let (recordings, _next) = archive.list(
        &RecordingFilter::default(),
        None,
        usize::try_from(args.limit)?,
    )?;
    if args.json {
        print::json(&recordings.iter().map(row).collect::<Vec<_>>())?;
        return Ok(Ended::Done);
    }
    for recording in &recordings {
        let verdict = recording
            .verdict
            .map_or("", |verdict| show::verdict(verdict, context.lang));
        print::line(format!(
            "{}  {}  {:24}  {:16}  {verdict}",
            recording.id,
            recording.started_at,
            voicelog_web::state(recording.state, context.lang),
            recording.line
        ));
    }
    if recordings.is_empty() {
        print::say(
            context.lang,
            "Er zijn nog geen opnamen.",
            "There are no recordings yet.",
        );
    }
    Ok(Ended::Done)
}

pub(crate) fn show(args: &ShowArgs, context: &Context) -> Result<Ended> {
    let archive = wiring::visit(context, SystemClock::default().now())?;
    let detail = archive.detail(args.id).map_err(bad_id)?;
    if args.json {
        let decisions: Vec<_> = detail
            .decisions
            .iter()
            .map(|kept| {
                json!({
                    "id": kept.id,
                    "at": kept.at,
                    "action": kept.action,
                    "decision": kept.decision.to_json(context.lang),
                })
            })
            .collect();
        print::json(&json!({
            "recording": row(&detail.summary),
            "decisions": decisions,
            "timeline": detail.timeline,
            "manifest": detail.manifest,
            "log_index": detail.log_index,
            "certificate": detail.certificate,
        }))?;
        return Ok(Ended::Done);
    }
    let summary = &detail.summary;
    print::line(format!(
        "{}  {}  {}",
        summary.id,
        summary.started_at,
        voicelog_web::state(summary.state, context.lang)
    ));
    for kept in &detail.decisions {
        print::line(format!(
            "{}  {}",
            kept.at,
            voicelog_web::question(kept.action, context.lang)
        ));
        show::decision(&kept.decision, context.lang, "  ");
    }
    if let Some(timeline) = &detail.timeline {
        show::timeline(timeline, context.lang, "");
    }
    if let Some(index) = detail.log_index {
        print::line(match context.lang {
            Language::Nl => format!("regel {index} in het logboek"),
            Language::En => format!("leaf {index} of the log"),
        });
    }
    if let Some(certificate) = &detail.certificate {
        print::line(certificate);
    }
    Ok(Ended::Done)
}

pub(crate) fn play(args: &PlayArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let asked = listening::open(&archive, args.id, &args.reason, now).map_err(bad_id)?;
    archive.sequence()?;
    match asked {
        Asked::Given(session) => {
            write(&args.output, session.wav())?;
            Ok(Ended::Done)
        }
        Asked::Refused { decision, .. } => refused(&decision, context),
    }
}

pub(crate) fn export(args: &ExportArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    match disclosure::bundle(&archive, args.id, args.recipient, now).map_err(bad_id)? {
        Asked::Given(bundle) => {
            write(&args.output, &bundle)?;
            Ok(Ended::Done)
        }
        Asked::Refused { decision, .. } => refused(&decision, context),
    }
}

pub(crate) fn destroy(args: &DestroyArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let (archive, _lock) = wiring::work(context, now)?;
    let summary = archive.summary(args.id).map_err(bad_id)?;
    if !args.yes
        && summary.state == State::Sealed
        && let Some(until) = retention::term_runs_until(&summary, now)
    {
        return Err(BadInput(format!(
            "the chosen term of {} runs until {until}, and nothing was destroyed. Only a statute or a hold would forbid it now, and the archive knows of no request, claim or court case that it was not told of. Say --yes to destroy it before its term",
            args.id
        ))
        .into());
    }
    match retention::destroy(&archive, args.id, now).map_err(bad_id)? {
        Asked::Given(destroyed) => {
            if args.json {
                print::json(&json!({
                    "id": destroyed.id,
                    "objects": destroyed.objects,
                    "bytes": destroyed.bytes,
                    "certificate": destroyed.certificate,
                }))?;
            } else {
                print::line(destroyed.certificate);
            }
            Ok(Ended::Done)
        }
        Asked::Refused { decision, .. } => refused(&decision, context),
    }
}

fn refused(decision: &Decision, context: &Context) -> Result<Ended> {
    print::json(&decision.to_json(context.lang))?;
    Ok(Ended::Refused)
}

/// An id that is not there is bad input; all else is a failure.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn bad_id(error: ArchiveError) -> anyhow::Error {
    if error.kind() == Kind::NotFound {
        anyhow::Error::new(BadInput(error.to_string()))
    } else {
        // What happened first, then what to do about it.
        let (why, help) = (error::chain(&error).to_string(), error.help());
        anyhow::anyhow!("{why}; {help}")
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    durable::replace(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
