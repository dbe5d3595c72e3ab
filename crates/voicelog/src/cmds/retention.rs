//! `voicelog retention`: terms that end.

use super::show;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use voicelog_archive::{SoundTerms, TermRefusal, TermsPreview};
use voicelog_casework::Asked;
use voicelog_casework::moment::moment;
use voicelog_casework::retention::{self, SweepReason, Swept};
use voicelog_law::TermBound;
use voicelog_model::{Clock, Language, Scope, Timestamp};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// How many are due, what the law would refuse and what is held, with the reasons. Nothing is destroyed.
    Preview {
        /// Until this moment (RFC 3339); now if left out.
        #[arg(long)]
        until: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say that the clock of this machine is right, after it jumped or after a long stop. Until then nothing
    /// is destroyed. The log says so.
    ConfirmClock {
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
        Args::ConfirmClock { json } => confirm_clock(context, now, *json),
    }
}

fn confirm_clock(context: &Context, now: Timestamp, as_json: bool) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let seen = archive.confirm_clock(now)?;
    if as_json {
        print::json(&json!({ "clock": now, "seen_before": seen }))?;
        return Ok(Ended::Done);
    }
    let lang = context.lang;
    let before = seen.map_or_else(|| "-".to_owned(), |seen| moment(seen, lang));
    let now = moment(now, lang);
    print::line(match context.lang {
        Language::Nl => format!("Bevestigd: het is {now}. Daarvoor het laatst gezien: {before}."),
        Language::En => format!("Confirmed: it is {now}. Last seen before: {before}."),
    });
    Ok(Ended::Done)
}

fn preview(context: &Context, until: Timestamp, now: Timestamp, as_json: bool) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let found = retention::preview(&archive, until, now)?;
    if as_json {
        print::json(&value(&found, context.lang))?;
        return Ok(Ended::Done);
    }
    let lang = context.lang;
    for alike in &found.alike {
        let purpose = alike.purpose.as_deref().unwrap_or("-");
        let what = if alike.refusals.is_empty() {
            lang.pick("wordt vernietigd", "will be destroyed")
        } else {
            lang.pick(
                "blijft: de wet staat het niet toe",
                "stays: the law does not permit it",
            )
        };
        print::line(format!(
            "{:>9}  {}  {purpose}  {what}",
            alike.count, alike.line
        ));
        let term = retention::term_in_words(alike, found.until, lang);
        let name = lang.pick("bewaartermijn", "retention term");
        print::line(format!("{:>9}  {name}: {term}", ""));
        for refusal in &alike.refusals {
            let articles = refusal.articles.join("; ");
            print::line(format!(
                "{:>9}  {} ({articles})",
                "",
                refusal.text.pick(lang)
            ));
        }
    }
    for held in &found.held {
        let (count, ground) = (held.count, held.ground.text(lang));
        let review = moment(held.first_review, lang);
        print::line(match lang {
            Language::Nl => {
                format!("{count:>9}  vernietigingsstop: {ground}; eerst bekijken op {review}")
            }
            Language::En => {
                format!("{count:>9}  held: {ground}; first to be looked at on {review}")
            }
        });
    }
    let (destroyed, refused) = (found.destroyed(), found.refused());
    print::line(match lang {
        Language::Nl => format!("Te vernietigen: {destroyed}; de wet weigert: {refused}."),
        Language::En => format!("To be destroyed: {destroyed}; the law refuses: {refused}."),
    });
    print_rest(&found, lang);
    Ok(Ended::Done)
}

/// What is looked at later.
fn print_rest(found: &TermsPreview, lang: Language) {
    if found.put_off > 0 {
        let put_off = found.put_off;
        print::line(match lang {
            Language::Nl => format!("Eerder geweigerd, later opnieuw gevraagd: {put_off}."),
            Language::En => format!("Refused before, asked again later: {put_off}."),
        });
    }
    if found.unsorted > 0 {
        let unsorted = found.unsorted;
        print::line(match lang {
            Language::Nl => format!(
                "Nog niet bekeken: {unsorted}. Vraag het nog eens, of laat de server draaien."
            ),
            Language::En => {
                format!("Not looked at yet: {unsorted}. Ask again, or let the server run.")
            }
        });
    }
    let SoundTerms { held, put_off, .. } = found.sound;
    let sound = found.sound_to_go();
    if found.sound.all > 0 {
        print::line(match lang {
            Language::Nl => format!(
                "Alleen het geluid, waarvan de termijn voorbij is: {sound}; met een vernietigingsstop: {held}; eerder geweigerd: {put_off}. De wet wordt per opname gevraagd."
            ),
            Language::En => format!(
                "The sound alone, of which the term is over: {sound}; held: {held}; refused before: {put_off}. The law is asked about each."
            ),
        });
    }
    if let Some(next) = found.sound.next {
        let next = moment(next, lang);
        print::line(match lang {
            Language::Nl => format!("De eerstvolgende termijn van geluid eindigt op {next}."),
            Language::En => format!("The next term of sound ends on {next}."),
        });
    }
    if let Some(next) = found.next {
        let next = moment(next, lang);
        print::line(match lang {
            Language::Nl => format!("De eerstvolgende termijn eindigt op {next}."),
            Language::En => format!("The next term ends on {next}."),
        });
    }
}

fn value(found: &TermsPreview, lang: Language) -> serde_json::Value {
    let refusal = |one: &TermRefusal| json!({ "rule": one.rule, "articles": one.articles, "text": one.text.pick(lang) });
    let bound = |one: TermBound| json!({ "length": one.length, "article": one.article });
    let alike = found.alike.iter().map(|alike| {
        json!({
            "line": alike.line, "purpose": alike.purpose, "count": alike.count,
            "retention_term": alike.retention_term,
            "floor": alike.bounds.floor.map(bound),
            "ceiling": alike.bounds.ceiling.map(bound),
            "refusals": alike.refusals.iter().map(refusal).collect::<Vec<_>>(),
        })
    });
    let held = found.held.iter().map(|held| {
        json!({
            "ground": held.ground.as_str(), "count": held.count, "first_review": held.first_review,
        })
    });
    json!({
        "until": found.until,
        "destroyed": found.destroyed(),
        "refused": found.refused(),
        "alike": alike.collect::<Vec<_>>(),
        "held": held.collect::<Vec<_>>(),
        "put_off": found.put_off,
        "unsorted": found.unsorted,
        "sound": {
            "due": found.sound_to_go(), "held": found.sound.held, "put_off": found.sound.put_off,
            "next": found.sound.next,
        },
        "next": found.next,
    })
}

/// Does what is due: of recordings, and of what was said in refusals of requests.
fn do_sweep(context: &Context, now: Timestamp) -> Result<Vec<Swept>> {
    let months = wiring::config(context, now)?.retention.requests_months;
    let (archive, _lock) = wiring::work(context, now)?;
    archive.look_at_clock(now)?;
    let swept = retention::run(&archive, now)?;
    retention::forget_requests(&archive, months, now)?;
    Ok(swept)
}

fn sweep(context: &Context, now: Timestamp, as_json: bool) -> Result<Ended> {
    let swept = do_sweep(context, now)?;
    let mut ended = Ended::Done;
    let mut rows = Vec::new();
    let lang = context.lang;
    let mut destroyed = 0;
    for one in &swept {
        let (word, said) = match &one.outcome {
            Ok(Asked::Given(_)) => {
                destroyed += 1;
                match one.scope {
                    Scope::Whole => (
                        "destroyed".to_owned(),
                        lang.pick("vernietigd", "destroyed").to_owned(),
                    ),
                    Scope::Sound => (
                        "sound_destroyed".to_owned(),
                        lang.pick("geluid vernietigd", "sound destroyed").to_owned(),
                    ),
                }
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
        rows.push((one, word, said));
    }
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(one, word, _said)| {
                let (scope, reason) = (one.scope.as_str(), one.reason.as_str());
                json!({ "id": one.id, "scope": scope, "reason": reason, "outcome": word })
            })
            .collect();
        print::json(&rows)?;
    } else {
        for (one, _word, said) in rows {
            print::line(format!("{}  {said}", one.id));
        }
        let [ended, confirmed, continued] = [
            SweepReason::TermEnded,
            SweepReason::Confirmed,
            SweepReason::Continued,
        ]
        .map(|reason| swept.iter().filter(|one| one.reason == reason).count());
        print::line(match lang {
            Language::Nl => format!(
                "Termijn voorbij: {ended}; door twee mensen besloten: {confirmed}; al begonnen: {continued}; vernietigd: {destroyed}."
            ),
            Language::En => format!(
                "Terms that ended: {ended}; decided by two people: {confirmed}; begun before: {continued}; destroyed: {destroyed}."
            ),
        });
    }
    Ok(ended)
}
