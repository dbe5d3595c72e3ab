//! `voicelog retention`: terms that end.

use super::show;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use voicelog_casework::{Asked, retention};
use voicelog_model::{Clock, Language, Timestamp};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Which recordings are due. Nothing is destroyed.
    Preview {
        /// Until this moment (RFC 3339); now if left out.
        #[arg(long)]
        until: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Destroy what is due, if the law permits it. The server must be stopped; it does this itself.
    Run {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    match args {
        Args::Preview { until, json } => {
            let until = match until {
                Some(text) => text
                    .parse::<Timestamp>()
                    .map_err(|error| anyhow::Error::new(BadInput(error.to_string())))?,
                None => now,
            };
            preview(context, until, now, *json)
        }
        Args::Run { json } => sweep(context, now, *json),
    }
}

fn preview(context: &Context, until: Timestamp, now: Timestamp, as_json: bool) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let due = retention::preview(&archive, until)?;
    if as_json {
        let rows: Vec<_> = due
            .iter()
            .map(|row| json!({ "id": row.id, "retain_until": row.retain_until }))
            .collect();
        print::json(&rows)?;
        return Ok(Ended::Done);
    }
    for row in &due {
        let until = row
            .retain_until
            .map(|moment| moment.to_string())
            .unwrap_or_default();
        print::line(format!("{}  {until}  {}", row.id, row.line));
    }
    let number = due.len() as u64;
    print::line(match context.lang {
        Language::Nl => print::count(
            number,
            "opname wordt vernietigd als de wet het toestaat.",
            "opnamen worden vernietigd als de wet het toestaat.",
        ),
        Language::En => print::count(
            number,
            "recording will be destroyed if the law permits.",
            "recordings will be destroyed if the law permits.",
        ),
    });
    Ok(Ended::Done)
}

fn sweep(context: &Context, now: Timestamp, as_json: bool) -> Result<Ended> {
    let (archive, _lock) = wiring::work(context, now)?;
    let swept = retention::run(&archive, now)?;
    let mut ended = Ended::Done;
    let mut rows = Vec::new();
    let lang = context.lang;
    let mut destroyed = 0;
    for one in &swept {
        let (word, said) = match &one.outcome {
            Ok(Asked::Given(_)) => {
                destroyed += 1;
                (
                    "destroyed".to_owned(),
                    lang.pick("vernietigd", "destroyed").to_owned(),
                )
            }
            Ok(Asked::Refused { decision, .. }) => {
                if ended == Ended::Done {
                    ended = Ended::Refused;
                }
                let outcome = decision.outcome();
                (
                    outcome.as_str().to_owned(),
                    show::outcome(outcome, lang).to_owned(),
                )
            }
            Err(error) => {
                ended = Ended::Failed;
                let why = voicelog_model::error::chain(error).to_string();
                let failed = lang.pick("mislukt", "failed");
                (format!("failed: {why}"), format!("{failed}: {why}"))
            }
        };
        rows.push((one.id, word, said));
    }
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(id, word, _said)| json!({ "id": id, "outcome": word }))
            .collect();
        print::json(&rows)?;
    } else {
        for (id, _word, said) in rows {
            print::line(format!("{id}  {said}"));
        }
        let due = swept.len();
        print::line(match context.lang {
            Language::Nl => format!("Termijn voorbij: {due}; vernietigd: {destroyed}."),
            Language::En => format!("Terms that ended: {due}; destroyed: {destroyed}."),
        });
    }
    Ok(ended)
}
