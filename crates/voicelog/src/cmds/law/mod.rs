//! `voicelog law`: ask the law about a facts file, and read its rules.

mod again;
mod ask;
mod breach;
mod document;
mod preview;
mod validate;

use super::show;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, house, print};
use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use voicelog_law::{
    BeforeRulebook, Decision, Facts, Forecast, Rulebook, in_brackets, moment_or_day, purposes,
};
use voicelog_model::{Clock, DecisionId, Language, Timestamp, limits};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Answer a few questions, and hear whether you may record, keep, share …
    ///
    /// Nothing is stored. Answers are numbers; `?` is "I do not know", `<` goes back, `!` tells why
    /// a question is asked, `q` stops.
    Ask {
        /// Write the facts to this file, for `voicelog law decide`.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// With the house rules in this folder.
        #[arg(long, value_name = "DIR")]
        house: Option<PathBuf>,
    },
    /// Decide about the act in a facts file.
    Decide {
        /// The facts (JSON), or `-` for standard input; `voicelog law facts` prints their schema.
        facts: PathBuf,
        /// For this moment or day; now if left out.
        #[arg(long, value_name = "DATE")]
        at: Option<String>,
        /// With the house rules in this folder.
        #[arg(long, value_name = "DIR")]
        house: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a rule, or the list of rules.
    Show {
        /// Id of the rule.
        rule: Option<String>,
        /// With the house rules in this folder.
        #[arg(long, value_name = "DIR")]
        house: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a decision of the archive again, by the rules of its moment, and compare.
    Again {
        /// Id of the decision, or of a recording: then the newest decision about it.
        id: DecisionId,
        /// Write its facts to this file, for `voicelog law decide`.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What changes between now and a later day: rules, statutory terms, answers.
    Preview {
        /// Until this day.
        #[arg(long, value_name = "DATE")]
        at: String,
        /// With the house rules in this folder.
        #[arg(long, value_name = "DIR")]
        house: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check a folder of house rules: mistakes, rules that can do nothing, contradictions.
    Validate {
        /// The folder with `*.cedar` files.
        folder: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a document from the rulebook: announcement, notice, letter; or list them.
    ///
    /// A draft with the answers filled in: what is not given becomes a line to fill in.
    Document(document::Args),
    /// Print the JSON Schema of a facts file.
    Facts,
    /// What belongs to each purpose: basis, notice, works council, listeners, how long.
    Purposes {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What a data breach asks of you, and until when.
    Breach(breach::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    match args {
        Args::Ask { save, house } => {
            let rulebook = house::rulebook(house.as_deref(), now, context)?;
            ask::run(&rulebook, save.as_deref(), now, context)
        }
        Args::Decide {
            facts,
            at,
            house,
            json,
        } => {
            let at = at
                .as_deref()
                .map(|at| moment("--at", at, context.lang))
                .transpose()?
                .unwrap_or(now);
            decide(facts, at, house.as_deref(), *json, context)
        }
        Args::Show { rule, house, json } => {
            let rulebook = house::rulebook(house.as_deref(), now, context)?;
            show_rule(&rulebook, rule.as_deref(), *json, context)
        }
        Args::Again { id, save, json } => again::run(*id, save.as_deref(), now, *json, context),
        Args::Preview { at, house, json } => {
            let rulebook = house::rulebook(house.as_deref(), now, context)?;
            preview::run(
                &rulebook,
                moment("--at", at, context.lang)?,
                *json,
                context.lang,
            )
        }
        Args::Validate { folder, json } => validate::run(folder, now, *json, context),
        Args::Document(args) => document::run(args, now, context),
        Args::Facts => {
            print::json(&voicelog_law::facts_schema())?;
            Ok(Ended::Done)
        }
        Args::Purposes { json } => list_purposes(*json, context),
        Args::Breach(args) => breach::run(args, now, context),
    }
}

fn list_purposes(as_json: bool, context: &Context) -> Result<Ended> {
    let lang = context.lang;
    if as_json {
        let all: Vec<_> = purposes().map(|purpose| purpose.to_json(lang)).collect();
        print::json(&json!(all))?;
        return Ok(Ended::Done);
    }
    let line = |nl, en, value: &str| print::line(format!("  {:22} {value}", lang.pick(nl, en)));
    let letters = |letters: &[&str]| match letters {
        [] => lang.pick("geen vaste", "none fixed").to_owned(),
        letters => letters.join(", "),
    };
    for purpose in purposes() {
        print::line(format!("{} ({})", purpose.name, purpose.called.pick(lang)));
        line("grondslag", "basis", &letters(purpose.basis));
        let of_government = letters(purpose.basis_of_government);
        line("grondslag overheid", "basis, government", &of_government);
        for (nl, en, text) in [
            ("melden", "notice", purpose.notice),
            ("ondernemingsraad", "works council", purpose.works_council),
            ("DPIA", "DPIA", purpose.assessment),
            ("ten minste", "at least", purpose.at_least),
            ("ten hoogste", "at most", purpose.at_most),
            ("wie luistert", "who listens", purpose.listeners),
            (
                "tegen een medewerker",
                "against an employee",
                purpose.against_staff,
            ),
        ] {
            line(nl, en, text.pick(lang));
        }
    }
    Ok(Ended::Done)
}

fn bad(what: String) -> anyhow::Error {
    anyhow::Error::new(BadInput(what))
}

/// A moment, or a day, which counts from its beginning in the Netherlands.
pub(crate) fn moment(option: &str, text: &str, lang: Language) -> Result<Timestamp> {
    moment_or_day(text)
        .map_err(|wrong| bad(format!("{option}: `{text}`: {}", wrong.text().pick(lang))))
}

/// Reads a file, or standard input for `-`; one byte more than may be, so that its reader says that
/// it is too much.
pub(crate) fn read(path: &Path, lang: Language) -> Result<Vec<u8>> {
    let name = path.display();
    let cannot_read = |error| {
        bad(lang
            .pick(
                &format!("`{name}` is niet te lezen: {error}"),
                &format!("cannot read `{name}`: {error}"),
            )
            .to_owned())
    };
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(cannot_read)?)
    };
    let mut bytes = Vec::new();
    source
        .take(limits::FACTS_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot_read)?;
    Ok(bytes)
}

/// Reads a facts file for a moment, with the rulebook of that moment.
fn facts_at(
    path: &Path,
    at: Timestamp,
    house: Option<&Path>,
    context: &Context,
) -> Result<(Facts, Rulebook)> {
    let name = path.display();
    let facts = Facts::parse(&read(path, context.lang)?, at)
        .map_err(|error| bad(format!("`{name}`: {}", error.in_language(context.lang))))?;
    known(at, context)?;
    Ok((facts, house::rulebook(house, at, context)?))
}

/// Whether the law of that moment is known to us.
fn known(at: Timestamp, context: &Context) -> Result<()> {
    let before = |_before| bad(format!("--at: {}", BeforeRulebook::TEXT.pick(context.lang)));
    Rulebook::knows_the_law_of(at).map_err(before)
}

fn decide(
    path: &Path,
    at: Timestamp,
    house: Option<&Path>,
    as_json: bool,
    context: &Context,
) -> Result<Ended> {
    let (facts, rulebook) = facts_at(path, at, house, context)?;
    let decision = voicelog_law::decide(&rulebook, &facts, at);
    if as_json {
        print::json(&decision.to_json(context.lang))?;
    } else {
        answer(&decision, context);
    }
    Ok(if decision.is_permitted() {
        Ended::Done
    } else {
        Ended::Refused
    })
}

/// Writes facts to a file that `voicelog law decide` takes.
fn save_facts(path: &Path, facts: &Map<String, Value>, context: &Context) -> Result<()> {
    let mut text = serde_json::to_string_pretty(facts)?;
    text.push('\n');
    voicelog_store::durable::replace(path, text.as_bytes())
        .with_context(|| format!("the facts could not be written to `{}`", path.display()))?;
    print::line(context.lang.pick(
        &format!("De feiten staan in {}.", path.display()),
        &format!("The facts are in {}.", path.display()),
    ));
    Ok(())
}

/// A whole answer for a person: decision, advice, how a court looks at it, which law.
fn answer(decision: &Decision, context: &Context) {
    let lang = context.lang;
    show::decision(decision, lang, "");
    for advice in &decision.advice {
        let house = if advice.is_of_house() {
            lang.pick(" (huisregel)", " (house rule)")
        } else {
            ""
        };
        print::line(format!("  ☞ {}{house}", advice.text.pick(lang)));
    }
    if decision.evidence.forecast != Forecast::NotApplicable {
        print::line(format!("  ⚖ {}", decision.evidence.text.pick(lang)));
    }
    let day = &decision.rulebook.valid_from;
    print::line(lang.pick(
        &format!("Dit is geen juridisch advies. Stand van de regels: {day}."),
        &format!("This is no legal advice. Rules up to {day}."),
    ));
}

fn show_rule(
    rulebook: &Rulebook,
    id: Option<&str>,
    as_json: bool,
    context: &Context,
) -> Result<Ended> {
    let Some(id) = id else {
        for rule in rulebook.rules() {
            print::line(format!("{:40} {}", rule.id, rule.articles.join("; ")));
        }
        return Ok(Ended::Done);
    };
    let Some(rule) = rulebook.rule(id) else {
        let distance = |rule: &str| strsim::damerau_levenshtein(id, rule);
        let ids = rulebook.rules().map(|rule| rule.id);
        let near = ids
            .min_by_key(|rule| distance(rule))
            .filter(|rule| distance(rule) <= rule.len() / 3);
        let lang = context.lang;
        return Err(bad(match near {
            Some(near) => lang
                .pick(
                    &format!("er is geen regel `{id}`; bedoelt u `{near}`?"),
                    &format!("there is no rule `{id}`; did you mean `{near}`?"),
                )
                .to_owned(),
            None => lang
                .pick(
                    &format!("er is geen regel `{id}`; `voicelog law show` noemt ze alle"),
                    &format!("there is no rule `{id}`; `voicelog law show` lists them all"),
                )
                .to_owned(),
        }));
    };
    if as_json {
        print::json(&json!({
            "id": rule.id,
            "articles": rule.articles,
            "kind": rule.kind,
            "status": rule.status,
            "valid_from": rule.valid_from,
            "valid_until": rule.valid_until,
            "text": context.lang.pick(&rule.text_nl, &rule.text_en),
            "cedar": rule.cedar,
        }))?;
    } else {
        print::line(format!("{}{}", rule.id, in_brackets(&rule.articles)));
        print::line(context.lang.pick(&rule.text_nl, &rule.text_en));
        print::line(&rule.cedar);
    }
    Ok(Ended::Done)
}
