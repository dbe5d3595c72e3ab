//! `voicelog simulate`: test calls, as a telephone system would place them, and the verdict on
//! what came of them: an administrator's acceptance test.

mod archive;
mod tls;

use crate::clock::SystemClock;
use crate::print::Tone;
use crate::{BadInput, Context, Ended, print};
use anyhow::Result;
use archive::Books;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use voicelog_model::{Clock as _, Language};
use voicelog_src_sim::{
    Advice, Check, Dialect, Finding, Flow, LoadReport, Offered, Participant, Progress,
    SimulateOptions, SimulateReport, SrtpSuite, Transport, Verdict, Weather, judge, judge_archive,
    notice_in_alaw, run_with,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the recording server listens for SIP.
    #[arg(long)]
    server: SocketAddr,
    /// The line to call.
    #[arg(long)]
    line: String,
    /// How many calls; at least one of each dialect.
    #[arg(long, default_value_t = 1)]
    calls: u32,
    /// Calls in progress together at most; 0: all of them.
    #[arg(long, default_value_t = 0)]
    at_once: u32,
    /// Calls begun in a second at most.
    #[arg(long, default_value_t = 50, alias = "calls-per-second")]
    rate: u32,
    /// How long each call lasts.
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// How signalling travels.
    #[arg(long, value_enum, default_value_t)]
    transport: Way,
    #[command(flatten)]
    tls: tls::TlsArgs,
    /// Whose way of writing a call: plain, oracle, cube, nbr, broadworks, webex, metaswitch, avaya,
    /// ribbon, audiocodes, opensips, sems, netsapiens, pjsip, or `all` in turn.
    #[arg(long, default_value = "plain")]
    dialect: String,
    /// What happens in the middle of each call.
    #[arg(long, value_enum, default_value_t)]
    flow: Middle,
    /// Percent of the packets that are lost on purpose; 0.5 is one in two hundred.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    loss: f64,
    /// Percent of the packets that are sent twice.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    duplicate: f64,
    /// Percent of the packets that are sent after the one that follows.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    reorder: f64,
    /// Each packet waits so many milliseconds at most before it is sent.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter: u32,
    /// Which packets are lost, doubled and put out of order is the same for the same seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 95 of 100 calls must have their answer in so many milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    answer_within: u64,
    /// Address of the first participant; without it a Dutch number that nobody has.
    #[arg(long)]
    from: Option<String>,
    /// Address of the second participant; likewise.
    #[arg(long)]
    to: Option<String>,
    /// What the calls are sent in.
    #[arg(long, value_enum, default_value_t)]
    codec: SentCodec,
    /// A WAV file that is played at the start of each call, to one side: the notice of the line, for a line
    /// that looks for it.
    #[arg(long, value_name = "FILE")]
    notice: Option<PathBuf>,
    /// Protect the calls with SRTP. Their keys are not secret. Without `--transport tls` a server
    /// takes them only if it is told to (`sip.srtp_keys_without_tls`).
    #[arg(long, value_name = "SUITE", value_parser = suite)]
    srtp: Option<SrtpSuite>,
    /// Look in the archive over the API of the server at this address (`http://127.0.0.1:8080`).
    /// On the server's own machine `--config` or `--data` does the same without it.
    #[arg(long, value_name = "URL", requires = "token_file")]
    api: Option<String>,
    /// The file with the token of that API (`secrets/api-token` in its data folder).
    #[arg(long, value_name = "FILE", requires = "api")]
    token_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How signalling travels.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Way {
    /// Datagrams.
    #[default]
    Udp,
    /// One connection for all calls.
    Tcp,
    /// The same under TLS 1.2 or 1.3; needs `--tls-ca` or `--tls-fingerprint`.
    Tls,
}

/// What happens in the middle of a call.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Middle {
    /// Nothing.
    #[default]
    None,
    /// On hold from a third of the call to two thirds.
    Hold,
    /// At half of the call the second participant is somebody else.
    Transfer,
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
    /// G.729, without anything said in it: is it kept? It cannot be played here.
    G729,
}

impl SentCodec {
    const fn offered(self) -> Offered {
        match self {
            Self::G711 => Offered::G711,
            Self::G722 => Offered::G722,
            Self::Opus => Offered::Opus,
            Self::L16 => Offered::L16,
            Self::G729 => Offered::G729,
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
    let load = options(args)?.load();
    let books = Books::open(args, context)?;
    let began = SystemClock::default().now();
    let lang = context.lang;
    let report = run_with(&load, |progress| say(progress, load.calls, lang)).map_err(|error| {
        anyhow::Error::new(BadInput(voicelog_model::error::chain(&error).to_string()))
    })?;
    let found = match &books {
        Some(books) => {
            print::warn(lang.pick(
                "Kijken wat er in het archief staat …",
                "Looking at what the archive holds …",
            ));
            Some(books.wait_for(&report, &args.line, began)?)
        }
        None => None,
    };
    let within = Duration::from_millis(args.answer_within);
    let unrecorded = found.as_ref().map_or(&[][..], |found| &found.unrecorded);
    let mut verdict = Verdict {
        checks: judge(&report, within, unrecorded),
    };
    verdict.checks.extend(match &found {
        Some(found) => judge_archive(&report, &found.kept, unrecorded, args.notice.is_some()),
        None => vec![no_books()],
    });
    let passes = verdict.passes();
    if args.json {
        print::json(&as_json(&report, &verdict)?)?;
    } else {
        in_words(&report, &verdict, lang);
    }
    Ok(if passes { Ended::Done } else { Ended::Failed })
}

fn options(args: &Args) -> Result<SimulateOptions> {
    let bad = |why: String| anyhow::Error::new(BadInput(why));
    let dialects = match args.dialect.as_str() {
        "all" => Dialect::ALL.to_vec(),
        word => vec![
            word.parse()
                .map_err(|why| bad(format!("--dialect: {why}")))?,
        ],
    };
    let share = |name: &str, percent: f64| {
        let parts = (percent * 100.0).round();
        if !(0.0..=5_000.0).contains(&parts) {
            return Err(bad(format!("--{name}: a percentage from 0 to 50")));
        }
        // In range, as just seen; the standard library has no checked way to say so.
        format!("{parts:.0}")
            .parse::<u32>()
            .map_err(|error| bad(format!("--{name}: {error}")))
    };
    Ok(SimulateOptions {
        transport: match args.transport {
            Way::Udp => Transport::Udp,
            Way::Tcp => Transport::Tcp,
            Way::Tls => Transport::Tls,
        },
        tls: args.tls.client(args.transport)?,
        calls: args.calls,
        duration: Duration::from_secs(args.seconds),
        calls_per_second: args.rate,
        from: args.from.clone(),
        to: args.to.clone(),
        offered: args.codec.offered(),
        srtp: args.srtp,
        notice: args.notice.as_deref().map(notice).transpose()?,
        dialects,
        flow: match args.flow {
            Middle::None => Flow::Plain,
            Middle::Hold => Flow::Hold,
            Middle::Transfer => Flow::Transfer(vec![
                Participant::new(args.from.as_deref().unwrap_or("tel:+31200000000"), "Agent"),
                Participant::new("tel:+31200299999", "Collega"),
            ]),
        },
        at_once: args.at_once,
        weather: Weather {
            lost: share("loss", args.loss)?,
            duplicated: share("duplicate", args.duplicate)?,
            reordered: share("reorder", args.reorder)?,
            jitter_ms: args.jitter,
        },
        seed: args.seed,
        ..SimulateOptions::new(args.server, &args.line)
    })
}

/// The sound of a file, as it is sent.
fn notice(file: &Path) -> Result<Arc<[u8]>> {
    let (samples, rate) = crate::notices::sound(file).map_err(|error| {
        let name = file.display();
        anyhow::Error::new(BadInput(format!("--notice: `{name}`: {error:#}")))
    })?;
    Ok(notice_in_alaw(&samples, rate))
}

/// Where the calls stand, for whoever waits.
fn say(progress: Progress, calls: u32, lang: Language) {
    let Progress {
        begun,
        answered,
        over,
    } = progress;
    print::warn(match lang {
        Language::Nl => {
            format!("{begun} van {calls} begonnen, {answered} aangenomen, {over} voorbij")
        }
        Language::En => format!("{begun} of {calls} begun, {answered} answered, {over} over"),
    });
}

fn no_books() -> Check {
    let text = |nl: &str, en: &str| Advice {
        nl: nl.to_owned(),
        en: en.to_owned(),
    };
    Check::not_checked(
        "archive",
        text(
            "wat er bewaard is, is niet gecontroleerd: deze proef kan niet in het archief kijken",
            "what was kept was not checked: this test has no way to look into the archive",
        ),
        text(
            "Geef op de server zelf --config of --data; van een andere machine --api en --token-file.",
            "On the server itself give --config or --data; from another machine --api and --token-file.",
        ),
    )
}

fn as_json(report: &LoadReport, verdict: &Verdict) -> Result<Value> {
    let mut whole = serde_json::to_value(SimulateReport::of(report))?;
    if let Value::Object(members) = &mut whole {
        members.insert("verdict".to_owned(), json!(word(verdict)));
        members.insert("checks".to_owned(), json!(verdict.checks));
    }
    Ok(whole)
}

fn word(verdict: &Verdict) -> &'static str {
    if verdict.passes() { "pass" } else { "fail" }
}

fn in_words(report: &LoadReport, verdict: &Verdict, lang: Language) {
    print::line(SimulateReport::of(report).text(lang));
    for check in &verdict.checks {
        let (tone, mark) = match check.finding {
            Finding::Held => (Tone::Good, lang.pick("✔ goed      ", "✔ ok         ")),
            Finding::Failed => (Tone::Bad, lang.pick("✘ NIET GOED ", "✘ NOT OK     ")),
            Finding::NotChecked => (Tone::Strong, lang.pick("? niet gezien", "? not checked")),
        };
        print::line(format!(
            "{} {}",
            print::tone(tone, mark),
            check.seen.text(lang)
        ));
        if let Some(to_do) = &check.to_do {
            print::line(format!("    → {}", to_do.text(lang)));
        }
    }
    let unseen = verdict.count(Finding::NotChecked) > 0;
    let (tone, nl, en) = match (verdict.passes(), unseen) {
        (true, false) => (Tone::Good, "GESLAAGD", "PASS"),
        (true, true) => (
            Tone::Good,
            "GESLAAGD voor wat er te zien was",
            "PASS for what could be seen",
        ),
        (false, _) => (Tone::Bad, "NIET GESLAAGD", "FAIL"),
    };
    print::line(print::tone(tone, lang.pick(nl, en)));
}
