//! `voicelog simulate`: test calls, as a telephone system would place them.

use crate::{BadInput, Context, Ended, print};
use anyhow::Result;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use voicelog_src_sim::{SimulateOptions, simulate};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the recording server listens for SIP over UDP.
    #[arg(long)]
    server: SocketAddr,
    /// The line to call.
    #[arg(long)]
    line: String,
    /// How many calls at once.
    #[arg(long, default_value_t = 1)]
    calls: usize,
    /// How long each call lasts.
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// Address of the first participant.
    #[arg(long)]
    from: Option<String>,
    /// Address of the second participant.
    #[arg(long)]
    to: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let options = SimulateOptions {
        server: args.server,
        line: args.line.clone(),
        calls: args.calls,
        duration: Duration::from_secs(args.seconds),
        from: args.from.clone(),
        to: args.to.clone(),
    };
    let report = simulate(&options)
        .map_err(|error| anyhow::Error::new(BadInput(voicelog_model::error::chain(&error).to_string())))?;
    if args.json {
        print::json(&json!({
            "calls": report.calls,
            "answered": report.answered,
            "refused": report.refused,
            "packets": report.packets,
            "bytes": report.bytes,
        }))?;
    } else {
        print::line(report.text(context.lang));
    }
    Ok(if report.answered == report.calls { Ended::Done } else { Ended::Failed })
}
