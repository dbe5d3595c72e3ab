//! `voicelog simulate`: test calls, as a telephone system would place them.

use crate::{BadInput, Context, Ended, print};
use anyhow::Result;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use voicelog_src_sim::{Offered, SimulateOptions, SrtpSuite, Transport, simulate};

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
    calls: u32,
    /// How long each call lasts.
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// Calls begun in a second at most.
    #[arg(long, default_value_t = 50)]
    calls_per_second: u32,
    /// Signal over TCP instead of UDP.
    #[arg(long)]
    tcp: bool,
    /// Address of the first participant; without it a Dutch number that nobody has.
    #[arg(long)]
    from: Option<String>,
    /// Address of the second participant; likewise.
    #[arg(long)]
    to: Option<String>,
    /// What the calls are sent in.
    #[arg(long, value_enum, default_value_t)]
    codec: SentCodec,
    /// Protect the calls with SRTP. Their keys are not secret; a server takes them without TLS
    /// only if it is told to (`sip.srtp_keys_without_tls`).
    #[arg(long, value_name = "SUITE", value_parser = suite)]
    srtp: Option<SrtpSuite>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The codecs that test calls can be sent in.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum SentCodec {
    /// A-law, or µ-law where the server wants that.
    #[default]
    G711,
    /// G.722, wideband.
    G722,
    /// Opus.
    Opus,
    /// Linear samples at 16 kHz.
    L16,
}

impl SentCodec {
    const fn offered(self) -> Offered {
        match self {
            Self::G711 => Offered::G711,
            Self::G722 => Offered::G722,
            Self::Opus => Offered::Opus,
            Self::L16 => Offered::L16,
        }
    }
}

/// A suite by its name in SDP.
fn suite(name: &str) -> Result<SrtpSuite, String> {
    let mut suites = SrtpSuite::ALL.into_iter();
    let found = suites.find(|suite| suite.as_str().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let names = SrtpSuite::ALL.map(SrtpSuite::as_str);
        format!("the suites are {}", names.join(", "))
    })
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let options = SimulateOptions {
        server: args.server,
        line: args.line.clone(),
        calls: args.calls,
        duration: Duration::from_secs(args.seconds),
        transport: if args.tcp {
            Transport::Tcp
        } else {
            Transport::Udp
        },
        calls_per_second: args.calls_per_second,
        from: args.from.clone(),
        to: args.to.clone(),
        offered: args.codec.offered(),
        srtp: args.srtp,
    };
    let report = simulate(&options).map_err(|error| {
        anyhow::Error::new(BadInput(voicelog_model::error::chain(&error).to_string()))
    })?;
    if args.json {
        print::json(&json!({
            "calls": report.calls,
            "answered": report.answered,
            "never_wanted": report.never_wanted,
            "refused": report.refused,
            "refused_because": report.refused_because,
            "received_from_the_start": report.received_from_the_start,
            "with_media": report.with_media,
            "unanswered": report.unanswered,
            "failed": report.failed,
            "ended_by_server": report.ended_by_server,
            "packets": report.packets,
            "payload_bytes": report.payload_bytes,
            "unsent": report.unsent,
            "late_packets": report.late_packets,
            "late_max_ms": report.late_max_ms,
            "answer_median_ms": report.answer_median_ms,
            "answer_max_ms": report.answer_max_ms,
            "took_ms": report.took_ms,
        }))?;
    } else {
        print::line(report.text(context.lang));
    }
    Ok(if report.answered == report.calls {
        Ended::Done
    } else {
        Ended::Failed
    })
}
