//! `voicelog keys recovery`: sheets that are printed, typed back, and used when the master key is lost.

use super::{Opened, folder_of, sheets};
use crate::data_folder::DataFolder;
use crate::master::Source;
use crate::{BadInput, Context, Ended, key_ring, print, secrets_file, wiring};
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::io::{BufRead, IsTerminal as _};
use std::path::{Path, PathBuf};
use voicelog_archive::ArchiveError;
use voicelog_archive::keys::{
    EpochKeys, KeysError, SHEET_LINES, Sheet, key_of_sheets, secrets_under_set,
};
use voicelog_model::{Language, Timestamp};
use voicelog_store::{Access, FileKeys};
use zeroize::Zeroizing;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make three sheets, in files to be printed. The set counts once two of them were typed back.
    Create {
        /// An empty folder for the three files; destroy them once they are printed.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
    /// Type two of the sheets back: from then on the set counts.
    Confirm,
    /// The master key is lost: with two sheets, put everything under a new one. The server must be stopped.
    Use {
        /// The new master key; what `keys.master` in the configuration says, if left out.
        #[arg(long, value_name = "PLACE")]
        master: Option<Source>,
    },
}

pub(super) fn run(
    command: &Command,
    as_json: bool,
    context: &Context,
    now: Timestamp,
) -> Result<Ended> {
    match command {
        Command::Create { output } => create(output, as_json, context, now),
        Command::Confirm => confirm(as_json, context, now),
        Command::Use { master } => take_over(master.as_ref(), as_json, context, now),
    }
}

fn create(output: &Path, as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let keys = Opened::with_master(context, now)?;
    sheets::check_folder(output)?;
    let made = keys.archive.new_recovery_set(now)?;
    let archive = keys.archive.store_name();
    let files = sheets::write(output, &made, &archive, now)?;
    if as_json {
        print::json(&json!({ "set": made.name, "files": files }))?;
        return Ok(Ended::Done);
    }
    for file in &files {
        print::line(file.display());
    }
    print::say(
        context.lang,
        "Druk de drie bladen af, vernietig de bestanden, en geef elk blad aan iemand anders. De set telt pas als twee bladen zijn overgetypt: `voicelog keys recovery confirm`.",
        "Print the three sheets, destroy the files, and give each sheet to somebody else. The set counts only when two sheets were typed back: `voicelog keys recovery confirm`.",
    );
    Ok(Ended::Done)
}

fn confirm(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let keys = Opened::with_master(context, now)?;
    let [one, two] = two_sheets(context.lang)?;
    let secrets = secrets_file::pack_for_recovery(&keys.folder, &keys.archive.store_name())?;
    let set = keys.archive.confirm_recovery_set(&one, &two, &secrets, now);
    let set = set.map_err(|error| told(error, context.lang))?;
    keys.archive.sequence()?;
    if as_json {
        print::json(&json!({ "set": set.name, "confirmed_at": set.confirmed_at }))?;
        return Ok(Ended::Done);
    }
    print::line(match context.lang {
        Language::Nl => format!(
            "Herstelset {} telt vanaf nu. Een vorige set opent niets meer.",
            set.name
        ),
        Language::En => format!(
            "Recovery set {} counts from now on. A set before it opens nothing any more.",
            set.name
        ),
    });
    Ok(Ended::Done)
}

fn take_over(
    master: Option<&Source>,
    as_json: bool,
    context: &Context,
    now: Timestamp,
) -> Result<Ended> {
    let config = wiring::config(context, now)?;
    if !config.storage.data.join("keys").is_dir() {
        return Err(BadInput(format!(
            "there is no archive in `{}`: put back its folder, or restore a backup, first",
            config.storage.data.display()
        ))
        .into());
    }
    let folder = DataFolder::create(&config.storage.data)?;
    let _lock = folder.lock("stop it first")?;
    let [one, two] = two_sheets(context.lang)?;
    let key =
        key_of_sheets(&one, &two).map_err(|error| BadInput(error.in_language(context.lang)))?;
    let mut made = Vec::new();
    if secrets_file::is_any_missing(&folder) {
        let store = FileKeys::open(&folder.layout().keys)?;
        let secrets = secrets_under_set(&store, &key).map_err(|error| told(error, context.lang))?;
        made = secrets_file::unpack_missing(&folder, &secrets)?;
    }
    let source = match master {
        Some(source) => source.clone(),
        None => key_ring::master(&folder, &config),
    };
    let new = source.open_or_make()?;
    let folder = folder_of(&config)?;
    let epoch_keys = EpochKeys::public_only();
    let archive = wiring::open(&folder, &config, epoch_keys, Access::Read, now)?;
    wiring::must_not_be_behind(&archive, now)?;
    let recovered = archive.open_with_sheets(&one, &two, &*new, now);
    let recovered = recovered.map_err(|error| told(error, context.lang))?;
    archive.sequence()?;
    let ended = match recovered.closed.is_empty() {
        true => Ended::Done,
        false => Ended::Failed,
    };
    let name = new.name()?;
    if as_json {
        print::json(&json!({
            "master": name, "epochs": recovered.epochs, "closed": recovered.closed, "secrets": made,
        }))?;
        return Ok(ended);
    }
    for (record, why) in &recovered.closed {
        print::warn(match context.lang {
            Language::Nl => format!(
                "voicelog: `keys/records/{record}` gaat niet open met deze bladen, en blijft zoals het was: {why}"
            ),
            Language::En => format!(
                "voicelog: `keys/records/{record}` does not open with these sheets, and stays as it was: {why}"
            ),
        });
    }
    print::line(match context.lang {
        Language::Nl => format!(
            "Wat opengaat, ligt nu onder hoofdsleutel {name} ({source}). Twee bladen zijn nu gebruikt: maak een nieuwe herstelset."
        ),
        Language::En => format!(
            "What opens is under master key {name} now ({source}). Two sheets were used: make a new recovery set."
        ),
    });
    Ok(ended)
}

/// What was typed wrong is bad input; what is in the way is a failure.
fn told(error: ArchiveError, lang: Language) -> anyhow::Error {
    match error {
        ArchiveError::Keys(KeysError::Sheet(fault)) => BadInput(fault.in_language(lang)).into(),
        ArchiveError::Keys(KeysError::OtherSet | KeysError::NotUnderSet) => BadInput(
            lang.pick(
                "deze bladen zijn van een andere herstelset; `voicelog keys` noemt die welke telt",
                "these sheets are of another recovery set; `voicelog keys` names the one that counts",
            )
            .to_owned(),
        )
        .into(),
        other => anyhow::anyhow!("{}", voicelog_model::error::chain(&other)),
    }
}

/// Two sheets, typed or piped in, one after the other.
fn two_sheets(lang: Language) -> Result<[Sheet; 2]> {
    let mut input = std::io::stdin().lock();
    let is_typed = std::io::stdin().is_terminal();
    let mut read = |nl: &str, en: &str| -> Result<Sheet> {
        loop {
            if is_typed {
                print::say(lang, nl, en);
            }
            let text = sheet_text(&mut input)?;
            match Sheet::parse(&text) {
                Ok(sheet) => return Ok(sheet),
                Err(fault) if is_typed => print::warn(fault.in_language(lang)),
                Err(fault) => {
                    let which = lang.pick(nl, en);
                    bail!(BadInput(format!("{which} {}", fault.in_language(lang))));
                }
            }
        }
    };
    Ok([
        read(
            "Het eerste blad, vier regels:",
            "The first sheet, four lines:",
        )?,
        read(
            "Het tweede blad, vier regels:",
            "The second sheet, four lines:",
        )?,
    ])
}

/// The next four lines on which something stands.
fn sheet_text(input: &mut impl BufRead) -> Result<Zeroizing<String>> {
    const LINE_BYTES_MAX: usize = 256;
    let mut text = Zeroizing::new(String::with_capacity(SHEET_LINES * LINE_BYTES_MAX));
    let mut lines = 0;
    while lines < SHEET_LINES {
        let mut line = Zeroizing::new(String::with_capacity(LINE_BYTES_MAX));
        let count = input
            .read_line(&mut line)
            .context("cannot read the sheet")?;
        if count == 0 {
            break;
        }
        if count > LINE_BYTES_MAX {
            bail!(BadInput("this line is too long for a sheet".to_owned()));
        }
        if !line.trim().is_empty() {
            text.push_str(&line);
            lines += 1;
        }
    }
    Ok(text)
}
