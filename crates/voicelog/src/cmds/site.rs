//! `voicelog site`: the pages about recording for the organisation's own website.

use crate::kinds::RoomKind;
use crate::{BadInput, Context, Ended, clock, house, print, wiring};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use voicelog_casework::site::{Site, SiteError, Sources, site};
use voicelog_law::Rulebook;
use voicelog_model::{Clock as _, Language, error::chain};
use voicelog_store::durable;

/// Where the interview of the law is in our pages, in Dutch; it leads to the English one.
const INTERVIEW: &str = "/mag-ik-opnemen";
/// In the folder: the paths of the files that were made, so that the next time those can go that are made no more.
const MADE: &str = ".voicelog-site.json";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder for the pages. Those of a former time are replaced, or removed; nothing else in it is touched.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = clock::SystemClock::default().now();
    let config = wiring::config(context, now)?;
    let law = Rulebook::embedded(now)?;
    let rulebook = house::rulebook(None, now, context)?;
    let public = config.http.public_url.as_deref();
    let interview = public.map(|url| format!("{url}{INTERVIEW}"));
    let talks: Vec<_> = config.rooms.iter().map(RoomKind::line).collect();
    let sources = Sources {
        organisation: &config.organisation,
        lines: config.lines.iter().chain(&talks).collect(),
        law: &law,
        rulebook: &rulebook,
        interview: interview.as_deref(),
        at: now,
    };
    let made = site(&sources, context.lang).map_err(|error| wrong(&error, context.lang))?;
    for file in &made.files {
        let path = args.output.join(&file.path);
        write(&path, &file.text)?;
    }
    let paths: Vec<&str> = made.files.iter().map(|file| file.path.as_str()).collect();
    remove_former(&args.output, &paths)?;
    write(&args.output.join(MADE), &json!(paths).to_string())?;
    tell(&made, args, interview.is_some(), context.lang)?;
    Ok(Ended::Done)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    durable::replace(path, text.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))
}

/// Removes what an earlier run made and this one does not. A list that cannot be read removes nothing.
fn remove_former(folder: &Path, made: &[&str]) -> Result<()> {
    let former = std::fs::read(folder.join(MADE)).unwrap_or_default();
    let former: Vec<String> = serde_json::from_slice(&former).unwrap_or_default();
    for path in former.iter().filter(|path| !made.contains(&path.as_str())) {
        let mut parts = Path::new(path).components();
        let is_below = parts.all(|part| matches!(part, Component::Normal(_)));
        if !is_below || !path.ends_with(".html") {
            continue;
        }
        match std::fs::remove_file(folder.join(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove the former `{path}`"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is wanting in the configuration, and what to write there.
fn wrong(error: &SiteError, lang: Language) -> anyhow::Error {
    let text = match error {
        SiteError::NoName => lang.pick(
            "de naam van de organisatie ontbreekt: zet [organisation] met name en contact in de configuratie (ref/config.md), en noem die met --config",
            "the name of the organisation is wanting: write [organisation] with name and contact in the configuration (ref/config.md), and name it with --config",
        ),
        SiteError::NothingRecorded => lang.pick(
            "er is geen lijn ingesteld, dus er valt niets te vertellen: zet een [[line]] in de configuratie",
            "no line is set up, so there is nothing to tell: write a [[line]] in the configuration",
        ),
        SiteError::Organisation(why) => {
            let why = why.in_language(lang);
            return BadInput(format!("[organisation]: {why}")).into();
        }
        other @ (SiteError::Facts(..) | SiteError::Text(_)) => {
            return BadInput(chain(other).to_string()).into();
        }
    };
    BadInput(text.to_owned()).into()
}

fn tell(made: &Site, args: &Args, has_interview: bool, lang: Language) -> Result<()> {
    if args.json {
        let paths: Vec<_> = made.files.iter().map(|file| &file.path).collect();
        let open: Vec<_> = made
            .open_places
            .iter()
            .map(|(path, count)| json!({ "path": path, "places": count }))
            .collect();
        let left_out: Vec<_> = made
            .left_out
            .iter()
            .map(|(name, why)| json!({ "line": name, "why": why }))
            .collect();
        return print::json(&json!({ "files": paths, "open_places": open, "left_out": left_out }));
    }
    let (count, folder) = (made.files.len(), args.output.display());
    print::line(match lang {
        Language::Nl => format!("{count} bestanden staan in {folder}. Begin bij index.html."),
        Language::En => format!("{count} files are in {folder}. Begin with index.html."),
    });
    for (path, places) in &made.open_places {
        print::line(match lang {
            Language::Nl => format!(
                "Nog in te vullen in {path}: {places} plaatsen. Zet ze in [organisation] of in de feiten van de lijn, of schrijf ze in het bestand."
            ),
            Language::En => format!(
                "To be filled in in {path}: {places} places. Write them in [organisation] or in the facts of the line, or in the file."
            ),
        });
    }
    for (name, why) in &made.left_out {
        print::line(match lang {
            Language::Nl => format!("Geen verklaring bij {name}: {why}"),
            Language::En => format!("No statement for {name}: {why}"),
        });
    }
    if !has_interview {
        print::say(
            lang,
            "De vragen “mag ik opnemen?” staan er niet bij: daarvoor moet http.public_url zeggen waar iedereen deze server bereikt.",
            "The questions “may I record?” are not among them: for that http.public_url must say where everybody reaches this server.",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_made_goes_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join("site").join(name);
        let outside = root.path().join("own.html");
        write(&outside, "own").unwrap();
        let all = [
            "index.html",
            "privacy-2.html",
            "en/privacy-2.html",
            "own.html",
        ];
        for name in all {
            write(&at(name), "text").unwrap();
        }
        let former = json!([
            "index.html",
            "privacy-2.html",
            "en/privacy-2.html",
            "../own.html"
        ]);
        write(&at(MADE), &former.to_string()).unwrap();
        remove_former(&at(""), &["index.html"]).unwrap();
        assert_eq!(
            all.map(|name| at(name).exists()),
            [true, false, false, true]
        );
        assert!(outside.exists());
        write(&at(MADE), "not a list").unwrap();
        remove_former(&at(""), &[]).unwrap();
        assert!(at("index.html").exists());
    }
}
