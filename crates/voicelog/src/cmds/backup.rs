//! `voicelog backup` and `voicelog restore`.

use crate::clock::SystemClock;
use crate::data_folder::DataFolder;
use crate::secrets_file::{self, Drawn, SecretsFile};
use crate::{BadInput, Context, Ended, limited, print, wiring};
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use voicelog_archive::Archive;
use voicelog_archive::backup::{
    Backup, BackupError, BackupKey, DestroyedList, RestoreInput, Restored, Unpacked,
};
use voicelog_archive::keys::{MASTER_MARK, Master};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::note::VerifierKey;
use voicelog_model::{Clock, Kind, Language, RecordingId};
use voicelog_store::{
    Access, Blobs as _, Index as _, Layout, LocalStore, SqliteIndex, durable, index::LogRows as _,
};

/// A list of destructions that is read at most: 4 GiB.
const LIST_BYTES_MAX: u64 = 4 << 30;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Make a backup in a folder, or bring the one that is there up to date. The server may run.
    Create {
        /// The folder: empty, or a backup of this archive.
        folder: PathBuf,
        /// Change the key of backups, and write the archive's secrets with the new one into this file.
        /// Copies of former backups cannot be opened any more. Keep the file apart from the backup.
        #[arg(long, value_name = "FILE")]
        with_secrets: Option<PathBuf>,
        /// Make a new backup in a folder whose own is gone. Not where a disk is only not mounted.
        #[arg(long)]
        anew: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read every file of a backup and hold it against its signed list.
    Verify {
        /// The folder.
        folder: PathBuf,
        /// The archive's secrets, where the archive itself is not here.
        #[arg(long, value_name = "FILE")]
        secrets: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the list of what was destroyed, which a restore applies first.
    Destroyed {
        /// The file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// With the log from this place on, counted from 0, and with what it did not tell of before; with all if left out.
        /// Enough for a backup of a log of that size, or of a later one.
        #[arg(long, default_value_t = 0)]
        since: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The folder of the archive that is made: empty, or not there.
    into: PathBuf,
    /// The backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The archive's secrets, as `backup create --with-secrets` wrote them.
    #[arg(long, value_name = "FILE")]
    secrets: PathBuf,
    /// A list of destructions that is newer than the backup. May be given several times.
    #[arg(long, value_name = "FILE")]
    destroyed: Vec<PathBuf>,
    /// A checkpoint of the log that somebody kept.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Go on although entries of the log that somebody has seen are lost; the log says so.
    #[arg(long)]
    accept_lost_entries: bool,
    /// Go back to the moment of the backup, where there is no newer list and no checkpoint: what was
    /// destroyed since comes back, and whoever kept a newer checkpoint can show that the log was written anew.
    #[arg(long, conflicts_with_all = ["destroyed", "checkpoint"])]
    as_of_backup: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    match args {
        Args::Create {
            folder,
            with_secrets,
            anew,
            json,
        } => create(folder, with_secrets.as_deref(), (*anew, *json), context),
        Args::Verify {
            folder,
            secrets,
            json,
        } => verify(folder, secrets.as_deref(), *json, context),
        Args::Destroyed {
            output,
            since,
            json,
        } => destroyed(output, *since, *json, context),
    }
}

/// What is wrong with what was given is bad input; all else a failure.
fn told(lang: Language) -> impl Fn(BackupError) -> anyhow::Error {
    move |error| match error.kind() {
        Kind::Invalid | Kind::Conflict | Kind::Corrupt
            if !matches!(error, BackupError::Archive(_) | BackupError::Store(_)) =>
        {
            BadInput(error.in_language(lang)).into()
        }
        _ => anyhow::anyhow!("{}", error.in_language(lang)),
    }
}

fn data_folder(context: &Context) -> Result<DataFolder> {
    let config = wiring::config(context, SystemClock::default().now())?;
    DataFolder::open(&config.storage.data).map_err(|error| BadInput(error.to_string()).into())
}

/// One backup at a time.
fn only_one(folder: &DataFolder) -> Result<File> {
    let path = folder.root().join("backup.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    if file.try_lock().is_err() {
        bail!("a backup of this archive is being made; wait until it is done");
    }
    Ok(file)
}

fn create(
    target: &Path,
    with_secrets: Option<&Path>,
    (anew, as_json): (bool, bool),
    context: &Context,
) -> Result<Ended> {
    let now = SystemClock::default().now();
    let folder = data_folder(context)?;
    let _only_one = only_one(&folder)?;
    bring_home_what_a_crash_left(&folder)?;
    let archive = wiring::visit(context, now)?;
    if !anew && archive.backup_vanished(target)? {
        return Err(BadInput(format!(
            "a backup was made in `{}`, and there is none any more: look whether its disk is mounted. Nothing was written; if it is gone for good, say --anew",
            target.display()
        ))
        .into());
    }
    // What can be refused is refused before a key is changed for it.
    let prepared = archive.prepare_backup(target).map_err(told(context.lang))?;
    let key = key_for(&archive, &folder, with_secrets)?;
    let created = prepared.create(&key, now).map_err(told(context.lang))?;
    if let Some(file) = with_secrets {
        secrets_file::forget_former(&folder, key.epoch)?;
        // The backup from before is no more, so what only that needed goes.
        let (name, master) = (archive.store_name(), archive.told_master()?);
        secrets_file::pack_in_use(&folder, &name, master.as_deref(), file)?;
        archive.note_kept_secrets()?;
    }
    let ended = match created.damaged.is_empty() {
        true => Ended::Done,
        false => Ended::Failed,
    };
    if as_json {
        print::json(&json!({
            "backup": created.statement,
            "copied": created.copied,
            "kept": created.kept,
            "removed": created.removed,
            "damaged": created.damaged,
        }))?;
        return Ok(ended);
    }
    let (objects, copied) = (created.statement.objects, created.copied);
    let (size, epoch) = (created.statement.log_size, key.epoch);
    print::line(match context.lang {
        Language::Nl => format!(
            "Back-up gemaakt: {}, {copied} daarvan nieuw; logboek tot plaats {size}; sleutel {epoch}.",
            print::count(objects, "bestand met opnamen", "bestanden met opnamen")
        ),
        Language::En => format!(
            "Backup made: {}, {copied} of them new; log up to place {size}; key {epoch}.",
            print::count(objects, "file of recordings", "files of recordings")
        ),
    });
    if with_secrets.is_none() {
        print::say(
            context.lang,
            "Terugzetten kan alleen met de geheimen van het archief. Met --with-secrets BESTAND schrijft u die weg, en zijn oudere back-ups niet meer te openen.",
            "It can be restored only with the archive's secrets. --with-secrets FILE writes them, and ends older backups.",
        );
    }
    for line in &created.damaged {
        print::line(format!("✘ {line}"));
    }
    if !created.damaged.is_empty() {
        print::say(
            context.lang,
            "LET OP: dit klopt niet in het archief zelf. De back-up houdt wat hij ervan heeft. Kijk met `voicelog check --level hash`.",
            "NOTE: this is wrong in the archive itself. The backup keeps what it has of it. Look with `voicelog check --level hash`.",
        );
    }
    Ok(ended)
}

/// After a crash, and until a server starts, bytes of objects lie in the spool alone: a backup would copy
/// the objects without them.
fn bring_home_what_a_crash_left(folder: &DataFolder) -> Result<()> {
    let Ok(_lock) = folder.lock("") else {
        // A server is running, and did that when it started.
        return Ok(());
    };
    let access = Access::Write(voicelog_store::blobs::Options::default());
    let store = LocalStore::open(&folder.layout(), access)
        .context("cannot bring to its place what a crash left behind")?;
    store.blobs.settle()?;
    Ok(())
}

/// The key that the backup is sealed under. With a file of secrets it is a new one, which is in that file
/// before it is anywhere else.
fn key_for(
    archive: &Archive,
    folder: &DataFolder,
    with_secrets: Option<&Path>,
) -> Result<BackupKey> {
    let present = secrets_file::backup_key(folder)?;
    let Some(file) = with_secrets else {
        return match present {
            Some(key) => Ok(key),
            None => Drawn::next(folder)?.keep(folder),
        };
    };
    let name = archive.store_name();
    match present {
        // Nothing is sealed under it yet.
        Some(key) if key.epoch == 1 && archive.last_backup()?.is_none() => {
            secrets_file::pack(folder, &name, None, file)?;
            Ok(key)
        }
        _ => {
            let drawn = Drawn::next(folder)?;
            // With the former key as well, as long as the backup that is there needs it.
            secrets_file::pack(folder, &name, Some(&drawn), file)?;
            drawn.keep(folder)
        }
    }
}

/// Opens a backup with these secrets alone. How many data keys were not tried, and what does not open.
fn open_with(backup: &Backup, secrets: &SecretsFile) -> (u64, Vec<String>) {
    let key = match secrets.backup_key(backup.statement().epoch) {
        Ok(key) => key,
        Err(error) => return (0, vec![error.to_string()]),
    };
    let given: Vec<_> = secrets.given_key().into_iter().collect();
    let master = secrets.master();
    let master = master.as_ref().map(|master| -> &dyn Master { master });
    let trial = backup.try_opening(&key, &given, master);
    let wrong = trial.wrong.iter().map(ToString::to_string);
    (trial.untried, wrong.collect())
}

/// Where the archive of a backup is here too: whether its master key was changed since the secrets were written.
fn older_than_archive(secrets: &SecretsFile, backup: &Backup, context: &Context) -> Option<String> {
    let index = data_folder(context).ok()?.layout().index;
    let index = SqliteIndex::open(&index).ok()?;
    if index.archive().to_string() != backup.statement().store {
        return None;
    }
    let now = index.log_mark(MASTER_MARK).ok()??;
    let kept = secrets.master()?.name().ok()?;
    if now == kept.as_bytes() {
        return None;
    }
    Some(
        context
            .lang
            .pick(
                "de hoofdsleutel van het archief is veranderd nadat deze geheimen zijn weggeschreven: maak een back-up met `voicelog backup create MAP --with-secrets BESTAND`",
                "the master key of the archive was changed after these secrets were written: make a backup with `voicelog backup create FOLDER --with-secrets FILE`",
            )
            .to_owned(),
    )
}

fn verify(from: &Path, secrets: Option<&Path>, as_json: bool, context: &Context) -> Result<Ended> {
    let bad = |error: anyhow::Error| anyhow::Error::new(BadInput(format!("{error:#}")));
    let secrets = secrets.map(SecretsFile::read).transpose().map_err(bad)?;
    let key = if let Some(secrets) = &secrets {
        // What it cannot try without a master key, it says.
        secrets.must_be_complete(true).map_err(bad)?;
        secrets.verifier()?
    } else {
        let folder = data_folder(context)?;
        let text = std::fs::read_to_string(folder.root().join("log.vkey"))
            .context("cannot read `log.vkey`")?;
        text.trim().parse().context("`log.vkey` is no key")?
    };
    let backup = Backup::open(from, &key).map_err(told(context.lang))?;
    let found = backup.verify();
    let mut wrong: Vec<String> = found.wrong.iter().map(ToString::to_string).collect();
    let is_tried = secrets.is_some();
    let trial = secrets.as_ref().map(|secrets| open_with(&backup, secrets));
    let (untried, closed) = trial.unwrap_or_default();
    wrong.extend(closed);
    wrong.extend(secrets.and_then(|secrets| older_than_archive(&secrets, &backup, context)));
    if as_json {
        print::json(&json!({
            "backup": backup.statement(),
            "files": found.files,
            "bytes": found.bytes,
            "opened": is_tried,
            "keys_untried": untried,
            "wrong": wrong,
        }))?;
    } else {
        for line in &wrong {
            print::line(format!("✘ {line}"));
        }
        let (files, at) = (found.files, backup.statement().made_at);
        if wrong.is_empty() {
            print::line(match context.lang {
                Language::Nl => format!(
                    "✔ De back-up van {at} is heel: {}.",
                    print::count(files, "bestand", "bestanden")
                ),
                Language::En => format!(
                    "✔ The backup of {at} is whole: {}.",
                    print::count(files, "file", "files")
                ),
            });
            if untried > 0 {
                print::line(match context.lang {
                    Language::Nl => format!(
                        "! Het register gaat open. Van {untried} opnamen is de sleutel niet geprobeerd: de hoofdsleutel zit niet in dit bestand. Bewaar die apart."
                    ),
                    Language::En => format!(
                        "! The index opens. The keys of {untried} recordings were not tried: the master key is not in this file. Keep it elsewhere."
                    ),
                });
            } else if is_tried {
                print::say(
                    context.lang,
                    "✔ Hij gaat open met deze geheimen: het register en de sleutel van elke opname.",
                    "✔ It opens with these secrets: the index and the key of every recording.",
                );
            }
        }
    }
    Ok(if wrong.is_empty() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn destroyed(output: &Path, since: u64, as_json: bool, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let (list, report) = archive
        .destroyed_list(since, now)
        .map_err(told(context.lang))?;
    durable::replace(output, &list)
        .with_context(|| format!("cannot write `{}`", output.display()))?;
    let (count, size) = (report.destructions, report.log_size);
    if as_json {
        print::json(&json!({
            "file": output, "destructions": count,
            "log_from": report.log_from, "log_size": size,
        }))?;
    } else {
        print::line(match context.lang {
            Language::Nl => format!(
                "{}; logboek tot plaats {size}",
                print::count(count, "vernietiging", "vernietigingen")
            ),
            Language::En => format!(
                "{}; log up to place {size}",
                print::count(count, "destruction", "destructions")
            ),
        });
    }
    Ok(Ended::Done)
}

/// Refuses a folder in which there is anything, and says what it is where that can be told.
fn must_be_empty(into: &Path, backup: &Backup, context: &Context) -> Result<()> {
    let mut entries = match std::fs::read_dir(into) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot look into `{}`", into.display()));
        }
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let layout = Layout::in_folder(into);
    let there = layout
        .exists()
        .then(|| SqliteIndex::open(&layout.index).ok());
    let why = match there.flatten() {
        None => String::new(),
        Some(index) if index.archive().to_string() != backup.statement().store => {
            let what = context
                .lang
                .pick(": er staat een ander archief", ": it holds another archive");
            what.to_owned()
        }
        Some(index) => {
            let (here, there) = (index.log_head()?.size, backup.statement().log_size);
            let age = match context.lang {
                _ if there >= here => "",
                Language::Nl => ", en is dus ouder",
                Language::En => ", which is older",
            };
            match context.lang {
                Language::Nl => format!(
                    ": dit archief staat er, met {here} regels in zijn logboek; de back-up heeft er {there}{age}"
                ),
                Language::En => format!(
                    ": it holds this archive, with {here} entries in its log; the backup has {there}{age}"
                ),
            }
        }
    };
    let place = into.display().to_string();
    Err(told(context.lang)(BackupError::NotEmpty { place, why }))
}

fn read_list(path: &Path, key: &VerifierKey, context: &Context) -> Result<DestroyedList> {
    let place = path.display();
    let bytes = limited::read(path, LIST_BYTES_MAX).map_err(|error| {
        BadInput(match error.kind() {
            ErrorKind::FileTooLarge => format!("`{place}` is too long for a list"),
            _ => format!("cannot read `{place}`: {error}"),
        })
    })?;
    DestroyedList::read(&bytes, key, path.to_str()).map_err(told(context.lang))
}

pub(crate) fn restore(args: &RestoreArgs, context: &Context) -> Result<Ended> {
    let bad = |error: anyhow::Error| anyhow::Error::new(BadInput(format!("{error:#}")));
    let secrets = SecretsFile::read(&args.secrets).map_err(bad)?;
    let config = wiring::config(context, SystemClock::default().now())?;
    secrets
        .must_be_complete(config.keys.master.is_some())
        .map_err(bad)?;
    let key = secrets.verifier()?;
    let backup = Backup::open(&args.from, &key).map_err(told(context.lang))?;
    must_be_empty(&args.into, &backup, context)?;
    let has_newer = !args.destroyed.is_empty() || args.checkpoint.is_some();
    if !has_newer && !args.as_of_backup {
        let at = backup.statement().made_at;
        return Err(BadInput(match context.lang {
            Language::Nl => format!(
                "zo gaat het archief terug naar {at}: wat sindsdien is vernietigd, zou terugkomen, en het logboek zou met andere regels verdergaan dan het had; wie een nieuwere stand bewaarde, kan dat aantonen. Geef de nieuwste lijst met --destroyed (`voicelog backup destroyed` schrijft die), of een stand van het logboek die iemand bewaarde met --checkpoint; is er geen van beide, geef dan --as-of-backup"
            ),
            Language::En => format!(
                "this would go back to {at}: what was destroyed since would come back, and the log would go on with other entries than it had, which whoever kept a newer checkpoint can show. Give the newest list with --destroyed (`voicelog backup destroyed` writes it), or a checkpoint that somebody kept with --checkpoint; if there is neither, say --as-of-backup"
            ),
        })
        .into());
    }
    let lists = args
        .destroyed
        .iter()
        .map(|path| read_list(path, &key, context));
    let lists = lists.collect::<Result<Vec<_>>>()?;
    let known = match &args.checkpoint {
        None => None,
        Some(path) => {
            let bytes = super::log::read_limited(path)?;
            let known = Checkpoint::verify(&bytes, &key).map_err(|error| {
                BadInput(format!(
                    "`{}` is no checkpoint of this archive: {error}",
                    path.display()
                ))
            })?;
            Some(known)
        }
    };
    let input = RestoreInput {
        backup,
        lists,
        known,
        accept_lost_entries: args.accept_lost_entries,
    };
    match fill(&input, &secrets, &args.into, context.lang) {
        Ok((unpacked, restored)) => report(&unpacked, &restored, &input, args, context),
        Err(error) => {
            // It was empty: what is there now is ours, and no archive, unless it got its name.
            if !Layout::in_folder(&args.into).exists() {
                clear(&args.into);
            }
            Err(error)
        }
    }
}

/// Takes away what a restore that failed has written.
fn clear(into: &Path) {
    if let Ok(entries) = std::fs::read_dir(into.join("secrets")) {
        for entry in entries.flatten() {
            if let Err(_left) = durable::shred(&entry.path()) {}
        }
    }
    for name in ["blobs", "keys", "secrets"] {
        if let Err(_left) = std::fs::remove_dir_all(into.join(name)) {}
    }
    for name in [
        "index.restoring",
        "index.restoring-wal",
        "index.restoring-shm",
        "log.vkey",
    ] {
        if let Err(_left) = std::fs::remove_file(into.join(name)) {}
    }
}

fn fill(
    input: &RestoreInput,
    secrets: &SecretsFile,
    into: &Path,
    lang: Language,
) -> Result<(Unpacked, Restored)> {
    let now = SystemClock::default().now();
    let key = secrets.backup_key(input.backup.statement().epoch);
    let key = key.map_err(|error| BadInput(error.to_string()))?;
    let folder = DataFolder::create(into)?;
    let layout = folder.layout();
    // The index gets its name last: before that, nothing here is an archive.
    let unfinished = Layout {
        index: into.join("index.restoring"),
        ..layout.clone()
    };
    let unpacked = input.unpack(&unfinished, &key).map_err(told(lang))?;
    secrets.unpack(&folder)?;
    let archive = wiring::open_unfinished(&folder, &unfinished, now)?;
    let restored = archive.settle_in(input, now).map_err(told(lang))?;
    drop(archive);
    std::fs::rename(&unfinished.index, &layout.index).context("cannot name the index")?;
    durable::sync_folder(folder.root())?;
    Ok((unpacked, restored))
}

fn say_what_failed(damaged: &[String], unfinished: &[(RecordingId, String)], lang: Language) {
    for line in damaged {
        print::line(format!("✘ {line}"));
    }
    if !damaged.is_empty() {
        print::say(
            lang,
            "LET OP: deze bestanden zijn beschadigd in de back-up en niet teruggezet. De rest is er.",
            "NOTE: these files are damaged in the backup and were not restored. The rest is there.",
        );
    }
    for (id, why) in unfinished {
        print::line(format!("✘ {id}: {why}"));
    }
    if !unfinished.is_empty() {
        print::say(
            lang,
            "LET OP: de vernietiging hiervan was begonnen en is nu niet gelukt. De server gaat ermee verder als hij start.",
            "NOTE: the destruction of these had begun and did not succeed now. The server goes on with it when it starts.",
        );
    }
}

/// Tells what came of it. The archive is there, whatever becomes of telling so.
fn report(
    unpacked: &Unpacked,
    restored: &Restored,
    input: &RestoreInput,
    args: &RestoreArgs,
    context: &Context,
) -> Result<Ended> {
    let damaged: Vec<String> = unpacked.damaged.iter().map(ToString::to_string).collect();
    let ended = match damaged.is_empty() && restored.unfinished.is_empty() {
        true => Ended::Done,
        false => Ended::Failed,
    };
    if args.json {
        print::json(&json!({
            "backup": input.backup.statement(),
            "objects": unpacked.objects,
            "keys": unpacked.keys,
            "left_out": unpacked.left_out,
            "tombstones": restored.buried,
            "log_size": restored.log_size,
            "log_caught_up": restored.caught_up,
            "log_lost": restored.lost,
            "holds": restored.holds,
            "damaged": damaged,
            "unfinished": restored.unfinished,
        }))?;
        return Ok(ended);
    }
    let (objects, buried, size) = (unpacked.objects, restored.buried, restored.log_size);
    print::line(match context.lang {
        Language::Nl => format!(
            "Teruggezet: {}. Vernietigd na de back-up, en niet teruggekomen: {buried}. Het logboek gaat verder na plaats {size}.",
            print::count(objects, "bestand met opnamen", "bestanden met opnamen")
        ),
        Language::En => format!(
            "Restored: {}. Destroyed after the backup, and not come back: {buried}. The log goes on after place {size}.",
            print::count(objects, "file of recordings", "files of recordings")
        ),
    });
    if restored.holds > 0 {
        let holds = restored.holds;
        print::line(match context.lang {
            Language::Nl => {
                format!("Vernietigingsstops van na de back-up, weer van kracht: {holds}.")
            }
            Language::En => {
                format!("Holds that were placed after the backup, and stand again: {holds}.")
            }
        });
    }
    say_what_failed(&damaged, &restored.unfinished, context.lang);
    if restored.lost > 0 {
        let lost = restored.lost;
        print::line(match context.lang {
            Language::Nl => {
                format!("LET OP: {lost} plaatsen van het logboek zijn weg; het logboek zegt dat.")
            }
            Language::En => format!("NOTE: {lost} entries of the log are lost; the log says so."),
        });
    }
    print::say(
        context.lang,
        "Kijk met `voicelog check --level hash` of alles klopt.",
        "See with `voicelog check --level hash` that everything holds.",
    );
    Ok(ended)
}
