//! Puts the rooms together: data folder, storage, law, archive.

use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::kinds::RoomKind;
use crate::vouching::Vouchers;
use crate::{BadInput, Context, clock, house, key_ring, print, vcon_signer, webhooks};
use anyhow::{Context as _, Result};
use std::path::PathBuf;
use std::sync::Arc;
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, Lines, Parts, random};
use voicelog_law::Rulebook;
use voicelog_model::Timestamp;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore, StoreError};

/// Reads the configuration that the command line names, with the house rules that it names.
pub(crate) fn config(context: &Context, now: Timestamp) -> Result<Config> {
    let mut config = Config::load(context.config.as_deref(), now)
        .map_err(|error| anyhow::Error::new(BadInput(format!("{error:#}"))))?;
    if let Some(data) = &context.data {
        config.storage.data.clone_from(data);
    }
    if let Some(folder) = &config.law.house_rules {
        let law = Rulebook::embedded(now)?;
        config.law.rules = Some(house::read(folder, &law, context.lang)?);
    }
    Ok(config)
}

/// Opens the archive in a folder, and makes it if it is new. For the server, which holds the lock.
pub(crate) fn create_or_open(
    folder: &DataFolder,
    config: &Config,
    now: Timestamp,
) -> Result<Arc<Archive>> {
    let layout = folder.layout();
    match voicelog_store::forget_snapshot(&layout.index) {
        // A backup is being made at this moment.
        Ok(()) | Err(StoreError::BeingCopied) => {}
        Err(error) => return Err(error).context("cannot take away what a backup left behind"),
    }
    if !layout.exists() {
        let id = ArchiveId(random::bytes()?);
        // What would fail, fails before there is an archive.
        key_ring::master(folder, config).open_or_make()?;
        folder
            .secrets(&id.to_string(), EpochKeys::public_only())
            .context("cannot make the archive's secrets")?;
        LocalStore::create(&layout, id, now).context("cannot make the archive")?;
    }
    if let Some(from) =
        voicelog_store::migrate(&layout.index, now).context("cannot bring the index up to date")?
    {
        tracing::info!(
            from,
            to = voicelog_store::SCHEMA_VERSION,
            "the index was brought up to date"
        );
    }
    if !folder.has_epochs()? && folder.given_key()?.is_none() {
        make_first_epoch(folder, config, now)?;
    }
    let access = Access::Write(voicelog_store::blobs::Options::default());
    let epoch_keys = key_ring::of_server(folder, config)?;
    let archive = open(folder, config, epoch_keys, access, now)?;
    if archive.can_open()
        && let Err(error) = archive.open_newest_epoch()
    {
        // Calls are recorded all the same, sealed to the public key.
        let error = voicelog_model::error::chain(&error).to_string();
        print::warn(format!("voicelog: no recording can be opened: {error}"));
    }
    if let Err(error) = archive.check_newest_epoch() {
        let help = error.help();
        return Err(error).context(format!("no call could be recorded; {help}"));
    }
    // Before the first entry of the log that is made here.
    if config.clock_was_ahead {
        archive.confirm_clock(now)?;
    } else {
        must_not_be_behind(&archive, now)?;
        archive.begin_to_watch_clock(now)?;
    }
    if archive.can_open() && archive.is_epoch_over()? {
        // Calls are recorded all the same, and it is an alarm.
        match archive.new_epoch(now) {
            Ok(epoch) => tracing::info!(epoch, "the archive was restored: an epoch was made anew"),
            Err(error) => print::warn(format!(
                "voicelog: cannot make a new epoch: {}",
                voicelog_model::error::chain(&error)
            )),
        }
    }
    archive.introduce(now).context("cannot write in the log")?;
    Ok(archive)
}

/// The first epoch of a new archive, also where the server itself will have only its public key.
fn make_first_epoch(folder: &DataFolder, config: &Config, now: Timestamp) -> Result<()> {
    let master = key_ring::master(folder, config).open_or_make()?;
    let archive = open(
        folder,
        config,
        EpochKeys::under(master, None),
        Access::Read,
        now,
    )?;
    archive
        .ensure_epoch(now)
        .context("cannot make the archive's first key")
}

/// Opens the archive that a command works on, beside a server that may be running.
pub(crate) fn visit(context: &Context, now: Timestamp) -> Result<Arc<Archive>> {
    let config = config(context, now)?;
    let folder = DataFolder::open(&config.storage.data)
        .map_err(|error| anyhow::Error::new(BadInput(error.to_string())))?;
    let epoch_keys = key_ring::of_command(&folder, &config)?;
    open(&folder, &config, epoch_keys, Access::Read, now)
}

/// The same for a command that writes in the log.
///
/// Errors: the clock lies behind the log; what it would write would seem to have been before what was.
pub(crate) fn act(context: &Context, now: Timestamp) -> Result<Arc<Archive>> {
    let archive = visit(context, now)?;
    must_not_be_behind(&archive, now)?;
    Ok(archive)
}

/// Refuses a clock that lies behind the log.
pub(crate) fn must_not_be_behind(archive: &Archive, now: Timestamp) -> Result<()> {
    archive.check_clock(now).map_err(|error| {
        let help = error.help();
        anyhow::anyhow!("{error}; {help}")
    })
}

/// Opens the archive for a command that deletes; refuses while a server runs.
pub(crate) fn work(context: &Context, now: Timestamp) -> Result<(Arc<Archive>, std::fs::File)> {
    let what_to_do =
        "destroy in its pages (it looks for terms that ended by itself), or stop it first";
    work_on(&config(context, now)?, what_to_do, now)
}

/// The same for a command that writes media; `what_to_do` is for whoever has a server running.
pub(crate) fn work_on(
    config: &Config,
    what_to_do: &str,
    now: Timestamp,
) -> Result<(Arc<Archive>, std::fs::File)> {
    let folder = DataFolder::open(&config.storage.data)
        .map_err(|error| anyhow::Error::new(BadInput(error.to_string())))?;
    let lock = folder.lock(what_to_do)?;
    let access = Access::Write(voicelog_store::blobs::Options::default());
    let epoch_keys = key_ring::of_command(&folder, config)?;
    let archive = open(&folder, config, epoch_keys, access, now)?;
    must_not_be_behind(&archive, now)?;
    Ok((archive, lock))
}

/// Opens an archive that is being restored: its index does not have its name yet.
pub(crate) fn open_unfinished(
    folder: &DataFolder,
    layout: &Layout,
    now: Timestamp,
) -> Result<Archive> {
    let access = Access::Write(voicelog_store::blobs::Options::default());
    let store = LocalStore::open(layout, access).context("cannot open what was restored")?;
    let archive_id = voicelog_store::Index::archive(&store.index).to_string();
    Ok(Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        // Nothing is opened with a data key while an archive is made again.
        secrets: folder.secrets(&archive_id, EpochKeys::public_only())?,
        rulebook: Rulebook::embedded(now).context("cannot load the rulebook")?,
        lines: Lines::new(Vec::new()),
    }))
}

pub(crate) fn open(
    folder: &DataFolder,
    config: &Config,
    epoch_keys: EpochKeys,
    access: Access,
    now: Timestamp,
) -> Result<Arc<Archive>> {
    let store = LocalStore::open(&folder.layout(), access)
        .with_context(|| format!("cannot open the archive in `{}`", folder.root().display()))?;
    let archive_id = voicelog_store::Index::archive(&store.index).to_string();
    let secrets = folder.secrets(&archive_id, epoch_keys)?;
    let mut rulebook = Rulebook::embedded(now).context("cannot load the rulebook")?;
    if let Some(rules) = &config.law.rules {
        rulebook = rulebook.with_house(rules)?;
    }
    let archive = Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets,
        rulebook,
        lines: Lines::new(config.lines.clone())
            .with_rooms(config.rooms.iter().map(RoomKind::line).collect()),
    });
    let papers = Vouchers::read(&config.log)?.papers(archive.log_key())?;
    let archive = archive.with_papers(papers);
    let archive = archive.with_uptime_clock(Box::new(clock::uptime));
    let archive = match vcon_signer::read(&config.vcon)? {
        Some(signer) => archive.with_vcon_signer(Box::new(signer)),
        None => archive,
    };
    archive.subscribe(webhooks::subscriptions(&config.webhooks)?);
    Ok(Arc::new(archive))
}

/// Where the server's data lies, for messages.
pub(crate) fn data_path(config: &Config) -> PathBuf {
    std::path::absolute(&config.storage.data).unwrap_or_else(|_error| config.storage.data.clone())
}
