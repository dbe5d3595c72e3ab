//! `voicelog import`: a sound file that somebody already has.

use super::law::{moment, read};
use super::recordings::{asker, bad_id, refused};
use super::show;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;
use voicelog_archive::SoundFile;
use voicelog_casework::Asked;
use voicelog_casework::importing::{self, Imported};
use voicelog_casework::moment::moment as in_words;
use voicelog_model::{Clock as _, Language};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file: WAV, MP3, AAC, M4A, Ogg, FLAC, WebM or AMR. What it is its bytes say, not its name.
    file: PathBuf,
    /// The facts (JSON), or `-` for standard input: who recorded, who took part, who was told, where the file comes from.
    /// `voicelog law facts` prints their schema, and `voicelog law ask --save` writes them.
    #[arg(long, value_name = "FACTS.json")]
    facts: PathBuf,
    /// When it was recorded, where the facts do not say so: 2026-11-21T10:00:00Z. The dates of the file itself are not
    /// believed.
    #[arg(long, value_name = "MOMENT")]
    recorded_at: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let name = args.facts.display();
    let text = read(&args.facts, context.lang)?;
    let Some(mut facts) = voicelog_law::strict_object(&text) else {
        let what = format!("`{name}` holds no facts: a JSON object, in which no name stands twice");
        return Err(BadInput(what).into());
    };
    if let Some(at) = &args.recorded_at {
        let at = moment("--recorded-at", at, context.lang)?;
        facts.insert("recorded_at".to_owned(), json!(at));
    }
    // Before the archive is opened: what is wrong with the file is told beside a running server as well.
    let file = SoundFile::open(&args.file).map_err(bad_id)?;
    let config = wiring::config(context, now)?;
    let what_to_do = "send the file by its page /import, put it into a folder that it watches ([[import.folder]]), or stop it first";
    let (archive, _lock) = wiring::work_on(&config, what_to_do, now)?;
    let keep_free = config.storage.keep_free_mib << 20;
    let asked = importing::import(&archive, file, &facts, &asker(), keep_free, now);
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return Err(bad_id(error)),
    };
    archive.settle()?;
    match asked {
        Asked::Given(imported) if args.json => print::json(&imported.to_json())?,
        Asked::Given(imported) => tell(&imported, context.lang),
        Asked::Refused { decision, .. } => return refused(&decision, args.json, context),
    }
    Ok(Ended::Done)
}

fn tell(imported: &Imported, lang: Language) {
    let id = imported.id;
    let Some(new) = &imported.new else {
        print::line(match lang {
            Language::Nl => {
                format!("dit bestand is er al: het is opname {id}; er is niets twee keer bewaard")
            }
            Language::En => {
                format!("this file is here already: it is recording {id}; nothing was kept twice")
            }
        });
        return;
    };
    let (began, ended) = (
        in_words(new.recorded.0, lang),
        in_words(new.recorded.1, lang),
    );
    let seconds = imported.file.contents.length_us / 1_000_000;
    let kind = imported.file.contents.kind.media_type();
    print::line(match lang {
        Language::Nl => {
            format!("{id}: ingelezen, {kind}, {seconds} seconden, van {began} tot {ended}")
        }
        Language::En => {
            format!("{id}: imported, {kind}, {seconds} seconds, from {began} to {ended}")
        }
    });
    if let Some(until) = new.retain_until {
        let until = in_words(until, lang);
        print::line(match lang {
            Language::Nl => format!("de bewaartermijn loopt tot {until}"),
            Language::En => format!("its term runs until {until}"),
        });
    }
    if imported.file.contents.heard.is_none() {
        print::say(
            lang,
            "Let op: dit geluid kan hier niet worden afgespeeld. Het is bewaard zoals het is, en `voicelog export --original` geeft het terug.",
            "Note: this sound cannot be played here. It is kept as it is, and `voicelog export --original` gives it back.",
        );
    }
    show::duties(&new.decision, lang, "");
}
