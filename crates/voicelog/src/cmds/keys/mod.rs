//! `voicelog keys`: which keys there are, another epoch, another master key, the recovery set.

mod recovery;
mod sheets;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::master::Source;
use crate::print::{self, Tone, tone};
use crate::{BadInput, Context, Ended, key_ring, wiring};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::fs::File;
use std::sync::Arc;
use voicelog_archive::Archive;
use voicelog_archive::keys::{EpochKeys, EpochState, KeyState, RecoveryState, Rewrapped};
use voicelog_model::{Clock, Language, Timestamp};
use voicelog_store::Access;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a new epoch: the keys of new recordings come under it. The server may run.
    Rotate {
        /// Then wrap the keys of all recordings again under it, and destroy the epochs before.
        #[arg(long)]
        rewrap: bool,
        /// No new epoch, but another master key: put all epochs under this one, and under no other any more.
        #[arg(long, value_name = "PLACE", conflicts_with = "rewrap")]
        master: Option<Source>,
    },
    /// Wrap the keys of all recordings again under the newest epoch, and destroy the epochs before.
    /// Goes on where it was after a crash.
    Rewrap,
    /// Finish recordings that a server with only the public key could not. The server must be stopped.
    Finish,
    /// Three sheets of paper, of which two make up for a master key that was lost.
    #[command(subcommand)]
    Recovery(recovery::Command),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    match &args.command {
        None => list(args.json, context, now),
        Some(Command::Rotate {
            master: Some(new), ..
        }) => change_master(new, args.json, context, now),
        Some(Command::Rotate { rewrap, .. }) => rotate(*rewrap, args.json, context, now),
        Some(Command::Rewrap) => {
            let keys = Opened::with_master(context, now)?;
            rewrap(&keys, None, args.json, context, now)
        }
        Some(Command::Finish) => finish(args.json, context, now),
        Some(Command::Recovery(command)) => recovery::run(command, args.json, context, now),
    }
}

/// What these commands work with: the archive, opened with its master key.
struct Opened {
    archive: Arc<Archive>,
    folder: DataFolder,
    config: Config,
    /// Held where no server may run beside.
    _lock: Option<File>,
}

fn folder_of(config: &Config) -> Result<DataFolder> {
    DataFolder::open(&config.storage.data)
        .map_err(|error| anyhow::Error::new(BadInput(error.to_string())))
}

impl Opened {
    /// An archive that has epochs; the server may run.
    fn with_master(context: &Context, now: Timestamp) -> Result<Self> {
        let config = wiring::config(context, now)?;
        let folder = folder_of(&config)?;
        if !folder.has_epochs()? {
            bail!(
                "this archive has no master key yet; stop the server and run `voicelog keys rotate` once"
            );
        }
        let master = key_ring::master(&folder, &config).open()?;
        let epoch_keys = EpochKeys::under(master, folder.given_key()?);
        let archive = wiring::open(&folder, &config, epoch_keys, Access::Read, now)?;
        wiring::must_not_be_behind(&archive, now)?;
        Ok(Self {
            archive,
            folder,
            config,
            _lock: None,
        })
    }

    /// The same, or the first time in an archive whose key lies in the open: then without a server, which would go on
    /// with that key.
    fn for_an_epoch(context: &Context, now: Timestamp) -> Result<Self> {
        let config = wiring::config(context, now)?;
        let folder = folder_of(&config)?;
        if folder.has_epochs()? {
            return Self::with_master(context, now);
        }
        let lock = folder.lock("stop it for the first epoch of this archive; it is needed once")?;
        let master = key_ring::master(&folder, &config).open_or_make()?;
        let epoch_keys = EpochKeys::under(master, folder.given_key()?);
        let archive = wiring::open(&folder, &config, epoch_keys, Access::Read, now)?;
        wiring::must_not_be_behind(&archive, now)?;
        Ok(Self {
            archive,
            folder,
            config,
            _lock: Some(lock),
        })
    }
}

fn rotate(also_rewrap: bool, as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let keys = Opened::for_an_epoch(context, now)?;
    let epoch = keys
        .archive
        .new_epoch(now)
        .context("cannot make an epoch; nothing was changed")?;
    if also_rewrap {
        return rewrap(&keys, Some(epoch), as_json, context, now);
    }
    keys.archive.sequence()?;
    if as_json {
        print::json(&json!({ "epoch": epoch }))?;
        return Ok(Ended::Done);
    }
    print::line(match context.lang {
        Language::Nl => format!(
            "Tijdvak {epoch} is gemaakt: de sleutels van nieuwe opnamen komen eronder. Met `voicelog keys rewrap` komen die van alle andere er ook onder."
        ),
        Language::En => format!(
            "Epoch {epoch} was made: the keys of new recordings come under it. `voicelog keys rewrap` puts those of all others under it as well."
        ),
    });
    Ok(Ended::Done)
}

fn rewrap(
    keys: &Opened,
    made: Option<u32>,
    as_json: bool,
    context: &Context,
    now: Timestamp,
) -> Result<Ended> {
    let mut done = keys
        .archive
        .rewrap(now)
        .context("stopped on the way; run `voicelog keys rewrap` to go on")?;
    if let Some(epoch) = done.given_unused {
        keys.folder.forget_given_key()?;
        keys.archive.tell_retired(&[epoch], now)?;
        done.destroyed.insert(0, epoch);
    }
    keys.archive.sequence()?;
    if as_json {
        print::json(&rewrapped_json(&done, made))?;
    } else {
        tell_rewrapped(&done, context.lang);
    }
    Ok(if done.stuck.is_empty() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn rewrapped_json(done: &Rewrapped, made: Option<u32>) -> Value {
    let stuck = done
        .stuck
        .iter()
        .map(|(id, why)| json!({ "recording": id, "why": why }));
    json!({
        "epoch": done.epoch,
        "made": made,
        "rewrapped": done.moved,
        "destroyed": done.destroyed,
        "stuck": stuck.collect::<Vec<_>>(),
    })
}

fn tell_rewrapped(done: &Rewrapped, lang: Language) {
    let (epoch, moved) = (done.epoch, done.moved);
    print::line(match lang {
        Language::Nl => {
            let keys = print::count(moved, "sleutel", "sleutels");
            format!("{keys} opnieuw ingepakt onder tijdvak {epoch}.")
        }
        Language::En => {
            let keys = print::count(moved, "key", "keys");
            format!("{keys} wrapped again under epoch {epoch}.")
        }
    });
    for epoch in &done.destroyed {
        print::line(match lang {
            Language::Nl => format!("Tijdvak {epoch} is vernietigd."),
            Language::En => format!("Epoch {epoch} was destroyed."),
        });
    }
    for (id, why) in &done.stuck {
        print::warn(match lang {
            Language::Nl => format!("voicelog: de sleutel van {id} gaat niet open: {why}"),
            Language::En => format!("voicelog: the key of {id} does not open: {why}"),
        });
    }
}

fn change_master(new: &Source, as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let keys = Opened::with_master(context, now)?;
    let master = new.open_or_make()?;
    let epochs = keys
        .archive
        .change_master(&*master, now)
        .context("nothing was lost. Keep both master keys: between them they open everything; run the same command again")?;
    keys.archive.sequence()?;
    if as_json {
        print::json(&json!({ "master": master.name()?, "epochs": epochs }))?;
        return Ok(Ended::Done);
    }
    tell_odd(&keys.archive.key_state()?.odd, context.lang);
    let is_told = keys.config.keys.master.as_ref() == Some(new);
    print::line(match context.lang {
        Language::Nl => format!("Alles ligt nu onder hoofdsleutel {}.", master.name()?),
        Language::En => format!("Everything is under master key {} now.", master.name()?),
    });
    if !is_told {
        print::line(match context.lang {
            Language::Nl => format!(
                "Zet in de configuratie, onder [keys], master = \"{new}\" (met al wat u erbij opgaf), en start de server opnieuw. Dit archief heeft de vorige hoofdsleutel niet meer nodig, back-ups van eerder wel. Maak eerst een nieuwe: `voicelog backup create MAP --with-secrets BESTAND`. Vernietig hem daarna."
            ),
            Language::En => format!(
                "Set in the configuration, under [keys], master = \"{new}\" (with all that you gave), and start the server again. This archive needs the former master key no more, but earlier backups do. Make a new one first: `voicelog backup create FOLDER --with-secrets FILE`. Then destroy it."
            ),
        });
    }
    Ok(Ended::Done)
}

fn finish(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let config = wiring::config(context, now)?;
    let folder = folder_of(&config)?;
    let _lock = folder.lock("stop it first; it records nothing meanwhile")?;
    let master = key_ring::master(&folder, &config).open()?;
    let epoch_keys = EpochKeys::under(master, folder.given_key()?);
    let access = Access::Write(voicelog_store::blobs::Options::default());
    let archive = wiring::open(&folder, &config, epoch_keys, access, now)?;
    wiring::must_not_be_behind(&archive, now)?;
    let recovery = archive.recover(now)?;
    crate::server::tell_of_recovery(&archive, &recovery, now).context("cannot queue messages")?;
    let finished = [recovery.interrupted.as_slice(), &recovery.closed].concat();
    for (id, why) in &recovery.damaged {
        print::warn(format!(
            "voicelog: {id} could not be taken to its end: {why}"
        ));
    }
    if as_json {
        let damaged: Vec<_> = recovery.damaged.iter().map(|(id, _why)| id).collect();
        print::json(&json!({ "finished": finished, "damaged": damaged }))?;
    } else {
        let count = finished.len() as u64;
        print::line(match context.lang {
            Language::Nl => format!("{} afgemaakt.", print::count(count, "opname", "opnamen")),
            Language::En => format!(
                "{} finished.",
                print::count(count, "recording", "recordings")
            ),
        });
    }
    Ok(if recovery.damaged.is_empty() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn list(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let state = archive.key_state()?;
    if as_json {
        print::json(&state_json(&state))?;
    } else {
        tell_state(&state, context.lang);
    }
    let is_wrong = state.data_keys_lost > 0
        || !state.odd.is_empty()
        || matches!(state.recovery, RecoveryState::Foreign(_));
    Ok(if is_wrong { Ended::Failed } else { Ended::Done })
}

fn state_json(state: &KeyState) -> Value {
    let epochs = state.epochs.iter().map(|epoch| {
        json!({
            "epoch": epoch.epoch,
            "since": epoch.created_at,
            "data_keys": epoch.data_keys,
            "newest": epoch.is_newest,
            "masters": epoch.masters,
            "in_the_open": epoch.created_at.is_none(),
            "recovery": epoch.is_under_set,
        })
    });
    json!({
        "epochs": epochs.collect::<Vec<_>>(),
        "data_keys_lost": state.data_keys_lost,
        "odd": state.odd,
        "recovery": recovery_json(&state.recovery),
    })
}

fn recovery_json(state: &RecoveryState) -> Value {
    match state {
        RecoveryState::None => json!({ "state": state.as_str() }),
        RecoveryState::NotConfirmed(set) | RecoveryState::Foreign(set) => {
            json!({ "state": state.as_str(), "set": set.name, "created_at": set.created_at })
        }
        RecoveryState::Confirmed { set, waiting } => json!({
            "state": state.as_str(),
            "set": set.name,
            "created_at": set.created_at,
            "confirmed_at": set.confirmed_at,
            "waiting": waiting.as_ref().map(|set| set.name.clone()),
        }),
    }
}

fn tell_state(state: &KeyState, lang: Language) {
    for epoch in &state.epochs {
        print::line(epoch_line(epoch, lang));
    }
    if state.data_keys_lost > 0 {
        let count = state.data_keys_lost;
        print::warn(match lang {
            Language::Nl => format!(
                "voicelog: {} zonder tijdvak: niemand kan ze openen; zet de nieuwste back-up terug in een lege map (`voicelog restore`), met de nieuwste vernietigingslijst",
                print::count(count, "sleutel ligt", "sleutels liggen")
            ),
            Language::En => format!(
                "voicelog: {} under no epoch: nobody can open them; restore the newest backup into an empty folder (`voicelog restore`) with the newest list of destructions",
                print::count(count, "key is", "keys are")
            ),
        });
    }
    tell_odd(&state.odd, lang);
    tell_recovery(&state.recovery, lang);
}

fn tell_odd(odd: &[String], lang: Language) {
    for name in odd {
        print::warn(match lang {
            Language::Nl => format!(
                "voicelog: `keys/records/{name}` is beschadigd, weg of niet (meer) van dit archief; er gebeurt niets mee. Zoek uit wie in die map kan schrijven"
            ),
            Language::En => format!(
                "voicelog: `keys/records/{name}` is damaged, gone or not (any more) of this archive; nothing is done with it. Find out who can write in that folder"
            ),
        });
    }
}

fn epoch_line(epoch: &EpochState, lang: Language) -> String {
    let (number, keys) = (epoch.epoch, epoch.data_keys);
    let since = epoch.created_at.map(|at| at.to_string());
    let masters = epoch.masters.join(", ");
    let line = match lang {
        Language::Nl => {
            let since = since.map_or_else(|| "ligt open".to_owned(), |at| format!("sinds {at}"));
            let keys = print::count(keys, "opname", "opnamen");
            let newest = if epoch.is_newest { ", nieuwste" } else { "" };
            format!("Tijdvak {number} ({since}{newest}): {keys}")
        }
        Language::En => {
            let since = since.map_or_else(|| "in the open".to_owned(), |at| format!("since {at}"));
            let keys = print::count(keys, "recording", "recordings");
            let newest = if epoch.is_newest { ", newest" } else { "" };
            format!("Epoch {number} ({since}{newest}): {keys}")
        }
    };
    if masters.is_empty() {
        line
    } else {
        format!("{line}; {masters}")
    }
}

fn tell_recovery(state: &RecoveryState, lang: Language) {
    let text = match (state, lang) {
        (RecoveryState::None, Language::Nl) => tone(
            Tone::Bad,
            "Er is geen herstelset: wie de hoofdsleutel kwijtraakt, raakt elke opname kwijt. Maak er een met `voicelog keys recovery create`.",
        ),
        (RecoveryState::None, Language::En) => tone(
            Tone::Bad,
            "There is no recovery set: who loses the master key loses every recording. Make one with `voicelog keys recovery create`.",
        ),
        (RecoveryState::NotConfirmed(set), Language::Nl) => tone(
            Tone::Bad,
            &format!(
                "Herstelset {} telt nog niet: typ twee bladen over met `voicelog keys recovery confirm`.",
                set.name
            ),
        ),
        (RecoveryState::NotConfirmed(set), Language::En) => tone(
            Tone::Bad,
            &format!(
                "Recovery set {} does not count yet: type two sheets back with `voicelog keys recovery confirm`.",
                set.name
            ),
        ),
        (RecoveryState::Foreign(set), Language::Nl) => tone(
            Tone::Bad,
            &format!(
                "Herstelset {} is niet de laatste die met deze hoofdsleutel is bevestigd: iemand kan hem er neergelegd hebben. Maak een nieuwe met `voicelog keys recovery create`.",
                set.name
            ),
        ),
        (RecoveryState::Foreign(set), Language::En) => tone(
            Tone::Bad,
            &format!(
                "Recovery set {} is not the last that was confirmed with this master key: somebody may have put it there. Make a new one with `voicelog keys recovery create`.",
                set.name
            ),
        ),
        (RecoveryState::Confirmed { set, .. }, _) => {
            let since = set
                .confirmed_at
                .map(|at| at.to_string())
                .unwrap_or_default();
            match lang {
                Language::Nl => format!("Herstelset {} telt sinds {since}.", set.name),
                Language::En => format!("Recovery set {} counts since {since}.", set.name),
            }
        }
    };
    print::line(text);
}
