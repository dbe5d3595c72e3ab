//! `voicelog webhooks`: what waits for other systems, and what could not be brought to them.

use crate::clock::SystemClock;
use crate::{Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use voicelog_model::{Clock, Language};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Try what was given up once more, from now on for a day. The server that runs does it.
    #[arg(long)]
    again: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let revived = if args.again {
        archive.revive_messages(now)?
    } else {
        0
    };
    let counts = archive.outbox()?;
    let has_dead = counts.iter().any(|count| count.dead > 0);
    if args.json {
        let endpoints: Vec<_> = counts
            .iter()
            .map(|count| {
                json!({
                    "name": count.endpoint,
                    "waiting": count.waiting,
                    "given_up": count.dead,
                    "fault": count.fault,
                })
            })
            .collect();
        print::json(&json!({ "endpoints": endpoints, "tried_again": revived }))?;
    } else {
        for count in &counts {
            let (name, waiting, dead) = (&count.endpoint, count.waiting, count.dead);
            let fault = count.fault.as_ref();
            let fault = fault.map_or_else(String::new, |fault| format!(" ({fault})"));
            print::line(match context.lang {
                Language::Nl => format!("{name}: {waiting} wachten, {dead} opgegeven{fault}"),
                Language::En => format!("{name}: {waiting} waiting, {dead} given up{fault}"),
            });
        }
        if counts.is_empty() {
            print::say(
                context.lang,
                "Er wacht geen enkel bericht.",
                "No message is waiting.",
            );
        }
    }
    Ok(if has_dead { Ended::Failed } else { Ended::Done })
}
