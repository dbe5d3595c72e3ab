//! `voicelog expected`: is every call of the telephone system's own list recorded?

use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::Result;
use std::path::{Path, PathBuf};
use voicelog_casework::expected::{self, Found, Line, Report, Table};
use voicelog_model::{Clock, Language};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The list (CSV with the names of the columns on its first line), or `-` for standard input.
    ///
    /// It needs columns for the start (`answered_at`, `started_at`, `calldate` …), the seconds of
    /// talk or the end (`billsec`, `duration`, `ended_at` …), the caller (`caller`, `src`) and the
    /// callee (`callee`, `dst`); `id` or `uniqueid` is told back, and `line` is the name of the line
    /// that the recording client calls. Times without an offset are those
    /// of the Netherlands.
    list: PathBuf,
    /// How many seconds the clocks of the telephone system and of this server may differ.
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(i64).range(0..=600))]
    slack: i64,
    /// Tell no other system (webhooks): for a list that was looked at before.
    #[arg(long)]
    no_webhooks: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let lang = context.lang;
    let table = read(&args.list, lang)?;
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let report = expected::compare(&archive, table, args.slack * 1_000_000, now)?;
    report.note(&archive, now, !args.no_webhooks)?;
    if args.json {
        print::json(&report.to_json(lang))?;
    } else {
        in_words(&report, lang);
    }
    Ok(if report.has_alarms() {
        Ended::Failed
    } else if report.is_clean() {
        Ended::Done
    } else {
        Ended::Perhaps
    })
}

fn read(path: &Path, lang: Language) -> Result<Table> {
    let name = path.display();
    let bad = |why: String| anyhow::Error::new(BadInput(format!("`{name}`: {why}")));
    let read = if path.as_os_str() == "-" {
        Table::read(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| {
            let cannot = lang.pick("is niet te lezen", "cannot be read");
            bad(format!("{cannot}: {error}"))
        })?;
        Table::read(file)
    };
    read.map_err(|error| bad(error.in_language(lang)))
}

fn in_words(report: &Report, lang: Language) {
    for line in &report.lines {
        if line.found != Found::Recorded {
            print::line(line_in_words(line, lang));
        }
    }
    for (line, wrong) in &report.unreadable {
        let word = lang.pick("regel", "line");
        print::line(format!("{word} {line}: {}", wrong.text(lang)));
    }
    let calls = report.lines.len() as u64;
    let mut parts = vec![match lang {
        Language::Nl => print::count(calls, "gesprek", "gesprekken"),
        Language::En => print::count(calls, "call", "calls"),
    }];
    for found in Found::ALL {
        let count = report.count(found);
        if count > 0 {
            parts.push(format!("{count} {}", found.text(lang)));
        }
    }
    for (count, what) in [
        (
            report.unanswered,
            lang.pick("niet beantwoord", "not answered"),
        ),
        (
            report.unreadable.len() as u64,
            lang.pick("niet te lezen", "not readable"),
        ),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    print::line(parts.join("; "));
}

fn line_in_words(line: &Line, lang: Language) -> String {
    let word = lang.pick("regel", "line");
    let id = line.id.as_ref().map(|id| format!(" ({id})"));
    let mut text = format!(
        "{word} {}{}: {}",
        line.line,
        id.unwrap_or_default(),
        line.found.text(lang)
    );
    if matches!(line.found, Found::Short | Found::PartlyNotPermitted) {
        let seconds = |micros: i64| micros / 1_000_000;
        let (covered, length) = (seconds(line.covered_us), seconds(line.length_us));
        text.push_str(lang.pick(
            &format!(" ({covered} van {length} seconden)"),
            &format!(" ({covered} of {length} seconds)"),
        ));
    }
    if let Some(cause) = &line.cause {
        text.push_str("; ");
        text.push_str(&cause.text(lang));
    }
    for recording in &line.recordings {
        text.push_str(&format!(" [{recording}]"));
    }
    text
}
