//! `voicelog check`: the archive against its invariants.

use crate::clock::SystemClock;
use crate::{Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use voicelog_archive::check::Level;
use voicelog_model::Clock;

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
            "segments": findings.segments,
            "bytes": findings.bytes,
            "leaves": findings.leaves,
            "wrong": wrong,
        }))?;
    } else {
        let counts = (
            findings.recordings,
            findings.segments,
            findings.bytes,
            findings.leaves,
        );
        let (recordings, segments, bytes, leaves) = counts;
        print::line(match context.lang {
            voicelog_model::Language::Nl => format!(
                "{recordings} opnamen, {segments} segmenten, {bytes} bytes gelezen, {leaves} regels in het logboek"
            ),
            voicelog_model::Language::En => format!(
                "{recordings} recordings, {segments} segments, {bytes} bytes read, {leaves} leaves in the log"
            ),
        });
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
