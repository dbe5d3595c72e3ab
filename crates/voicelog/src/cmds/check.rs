//! `voicelog check`: the archive against its invariants.

use crate::clock::SystemClock;
use crate::{Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use voicelog_archive::check::{Findings, Level};
use voicelog_model::{Clock, Language};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How much is read: presence, size or hash.
    #[arg(long, default_value = "size")]
    level: Level,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let archive = wiring::visit(context, SystemClock::default().now())?;
    let findings = archive.check(args.level)?;
    let holds = findings.wrong.is_empty();
    if args.json {
        let wrong: Vec<_> = findings
            .wrong
            .iter()
            .map(|finding| {
                json!({
                    "invariant": finding.invariant,
                    "recording": finding.recording,
                    "what": finding.what,
                })
            })
            .collect();
        print::json(&json!({
            "holds": holds,
            "recordings": findings.recordings,
            "not_recorded": findings.not_recorded,
            "destroyed": findings.destroyed,
            "segments": findings.segments,
            "bytes": findings.bytes,
            "leaves": findings.leaves,
            "wrong": wrong,
        }))?;
    } else {
        print::line(counts(&findings, context.lang));
        for finding in &findings.wrong {
            let id = finding
                .recording
                .map(|id| format!("{id}: "))
                .unwrap_or_default();
            print::line(format!("✘ [{}] {id}{}", finding.invariant, finding.what));
        }
        if holds {
            print::say(context.lang, "✔ Alles klopt.", "✔ Everything holds.");
        }
    }
    Ok(if holds { Ended::Done } else { Ended::Failed })
}

/// What was looked at, in one line.
fn counts(findings: &Findings, lang: Language) -> String {
    let count = |number: u64, nl: (&str, &str), en: (&str, &str)| {
        let (one, several) = match lang {
            Language::Nl => nl,
            Language::En => en,
        };
        print::count(number, one, several)
    };
    [
        count(
            findings.recordings as u64,
            ("opname", "opnamen"),
            ("recording", "recordings"),
        ),
        count(
            findings.not_recorded as u64,
            ("gesprek zonder opname", "gesprekken zonder opname"),
            ("call without a recording", "calls without a recording"),
        ),
        count(
            findings.destroyed as u64,
            ("vernietigde opname", "vernietigde opnamen"),
            ("destroyed recording", "destroyed recordings"),
        ),
        count(
            findings.segments as u64,
            ("segment", "segmenten"),
            ("segment", "segments"),
        ),
        count(
            findings.bytes,
            ("byte gelezen", "bytes gelezen"),
            ("byte read", "bytes read"),
        ),
        count(
            findings.leaves,
            ("plaats in het logboek", "plaatsen in het logboek"),
            ("place in the log", "places in the log"),
        ),
    ]
    .join(", ")
}
