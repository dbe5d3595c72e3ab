//! `voicelog law breach`: the clock of a data breach.

use super::{bad, moment};
use crate::{Context, Ended, print};
use anyhow::Result;
use serde_json::json;
use voicelog_law::{Breach, BreachDuty, BreachRisk, BreachRole, in_brackets};
use voicelog_model::Timestamp;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// When you became aware of the breach.
    #[arg(long, value_name = "MOMENT")]
    aware: String,
    /// The risk to the people concerned: unlikely, likely or high. Leave it out as long as nobody
    /// has judged it.
    #[arg(long, value_parser = risk)]
    risk: Option<BreachRisk>,
    /// What leaked is encrypted and nobody who got it has the key.
    #[arg(long)]
    unreadable: bool,
    /// You keep the recordings for another organisation.
    #[arg(long)]
    processor: bool,
    /// You are a financial undertaking under the Wft.
    #[arg(long)]
    financial_undertaking: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn risk(word: &str) -> Result<BreachRisk, String> {
    serde_json::from_value(json!(word)).map_err(|_unlisted| "unlikely, likely or high".to_owned())
}

pub(super) fn run(args: &Args, now: Timestamp, context: &Context) -> Result<Ended> {
    let aware_at = moment("--aware", &args.aware, context.lang)?;
    if aware_at > now {
        return Err(bad(format!("--aware: {aware_at} is later than now")));
    }
    let breach = Breach {
        aware_at,
        role: if args.processor {
            BreachRole::Processor
        } else {
            BreachRole::Controller
        },
        risk: args.risk,
        unreadable: args.unreadable.then_some(true),
        financial_undertaking: args.financial_undertaking,
    };
    let duties = breach.duties();
    if args.json {
        print::json(&json!({
            "outcome": Breach::OUTCOME,
            "breach": breach,
            "duties": duties.iter().map(|duty| as_json(duty, now, context)).collect::<Vec<_>>(),
        }))?;
    } else {
        for duty in &duties {
            print::line(line(duty, now, context));
        }
    }
    Ok(Ended::Done)
}

fn as_json(duty: &BreachDuty, now: Timestamp, context: &Context) -> serde_json::Value {
    let BreachDuty { duty: said, due } = duty;
    json!({
        "rule": said.rule, "who": said.who, "what": said.what, "by": said.by, "due": due,
        "overdue": duty.is_over(now), "articles": said.articles, "status": said.status,
        "text": said.text.pick(context.lang),
    })
}

/// As the clocks in the Netherlands show it, to the minute.
fn local(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap_or(jiff::tz::TimeZone::UTC);
    at.to_jiff()
        .to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M %Z")
        .to_string()
}

fn line(duty: &BreachDuty, now: Timestamp, context: &Context) -> String {
    let BreachDuty { duty: said, due } = duty;
    let until = due.map_or_else(String::new, |due| {
        let word = if duty.is_over(now) {
            context.lang.pick("TE LAAT sinds", "OVERDUE since")
        } else {
            context.lang.pick("uiterlijk", "at the latest")
        };
        format!(" ({word} {})", local(due))
    });
    let text = said.text.pick(context.lang);
    format!("  – {text}{until}{}", in_brackets(&said.articles))
}
