//! `voicelog law document`: a document from the rulebook, with the answers filled in.

use crate::{Context, Ended, print};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use voicelog_law::{Document, DocumentError, DocumentText, Particulars, ParticularsError, Style};
use voicelog_model::{Language, Timestamp};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which document; all are listed if left out.
    name: Option<String>,
    /// The facts (JSON), or `-` for standard input; `voicelog law facts` prints their schema.
    facts: Option<PathBuf>,
    /// What the law does not ask for (JSON): the organisation, whom to turn to, a date …
    #[arg(long, value_name = "PARTICULARS")]
    with: Option<PathBuf>,
    /// For this moment or day; now if left out.
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// With the house rules in this folder.
    #[arg(long, value_name = "DIR")]
    house: Option<PathBuf>,
    /// Plain text instead of an HTML page.
    #[arg(long)]
    text: bool,
    /// Write to this file.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The list as JSON, with the particulars of each document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, now: Timestamp, context: &Context) -> Result<Ended> {
    let at = args
        .at
        .as_deref()
        .map(|at| super::moment("--at", at, context.lang))
        .transpose()?;
    let at = at.unwrap_or(now);
    let lang = context.lang;
    super::known(at, context)?;
    let Some(name) = &args.name else {
        let all = DocumentText::all(lang, at)?;
        return list(&all, args.json, lang);
    };
    let failed = |error: DocumentError| match error {
        DocumentError::Text { .. } => anyhow::Error::new(error),
        other => super::bad(format!("{} ({})", other.in_language(lang), other.help())),
    };
    let text = DocumentText::load(name, lang, at).map_err(failed)?;
    let Some(facts) = &args.facts else {
        return Err(super::bad(
            lang.pick(
                "noem ook het bestand met feiten; `voicelog law ask --save` maakt er een",
                "name the facts file too; `voicelog law ask --save` makes one",
            )
            .to_owned(),
        ));
    };
    let (facts, rulebook) = super::facts_at(facts, at, args.house.as_deref(), context)?;
    let particulars = args
        .with
        .as_deref()
        .map(|path| particulars(path, lang))
        .transpose()?;
    let made = text.make(&rulebook, &facts, &particulars.unwrap_or_default(), at);
    match made {
        Ok(document) => put(&document, args, lang),
        Err(error) if error.is_refusal() => {
            print::line(error.in_language(lang));
            Ok(Ended::Refused)
        }
        Err(error) => Err(failed(error)),
    }
}

fn particulars(path: &Path, lang: Language) -> Result<Particulars> {
    let wrong = |error: ParticularsError| {
        let why = error.in_language(lang);
        super::bad(format!("`{}`: {why}", path.display()))
    };
    Particulars::parse(&super::read(path, lang)?).map_err(wrong)
}

fn put(document: &Document, args: &Args, lang: Language) -> Result<Ended> {
    let page = if args.text {
        document.to_text()
    } else {
        document.to_html(Style::Inside)
    };
    match &args.out {
        None => print::line(page.trim_end()),
        Some(path) => {
            voicelog_store::durable::replace(path, page.as_bytes())
                .with_context(|| format!("cannot write `{}`", path.display()))?;
            print::line(lang.pick(
                &format!("Het document staat in {}.", path.display()),
                &format!("The document is in {}.", path.display()),
            ));
        }
    }
    Ok(Ended::Done)
}

fn list(all: &[DocumentText], as_json: bool, lang: Language) -> Result<Ended> {
    if as_json {
        let documents: Vec<_> = all.iter().map(|text| described(text, lang)).collect();
        print::json(&json!(documents))?;
    } else {
        for text in all {
            print::line(format!("{:18} {}", text.name(), text.about()));
        }
    }
    Ok(Ended::Done)
}

fn described(text: &DocumentText, lang: Language) -> Value {
    let asked = text.particulars();
    let particulars = asked
        .iter()
        .map(|particular| json!({ "id": particular.id, "label": particular.label.pick(lang) }));
    json!({
        "name": text.name(),
        "title": text.title(),
        "about": text.about(),
        "version": text.version(),
        "particulars": particulars.collect::<Vec<_>>(),
    })
}
