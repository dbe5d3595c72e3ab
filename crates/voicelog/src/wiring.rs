//! Puts the rooms together: data folder, storage, law, archive.

use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::{BadInput, Context, house, webhooks};
use anyhow::{Context as _, Result};
use std::path::PathBuf;
use std::sync::Arc;
use voicelog_archive::{Archive, Lines, Parts, random};
use voicelog_law::Rulebook;
use voicelog_model::Timestamp;
use voicelog_store::{Access, ArchiveId, LocalStore};

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
    if !layout.exists() {
        let id = ArchiveId(random::bytes()?);
        folder
            .secrets(&id.to_string())
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
    open(
        folder,
        config,
        Access::Write(voicelog_store::blobs::Options::default()),
        now,
    )
}

/// Opens the archive that a command works on, beside a server that may be running.
pub(crate) fn visit(context: &Context, now: Timestamp) -> Result<Arc<Archive>> {
    let config = config(context, now)?;
    let folder = DataFolder::open(&config.storage.data)
        .map_err(|error| anyhow::Error::new(BadInput(error.to_string())))?;
    open(&folder, &config, Access::Read, now)
}

/// Opens the archive for a command that deletes; refuses while a server runs.
pub(crate) fn work(context: &Context, now: Timestamp) -> Result<(Arc<Archive>, std::fs::File)> {
    let config = config(context, now)?;
    let folder = DataFolder::open(&config.storage.data)
        .map_err(|error| anyhow::Error::new(BadInput(error.to_string())))?;
    let lock = folder
        .lock("destroy in its pages (it looks for terms that ended by itself), or stop it first")?;
    let access = Access::Write(voicelog_store::blobs::Options::default());
    Ok((open(&folder, &config, access, now)?, lock))
}

fn open(
    folder: &DataFolder,
    config: &Config,
    access: Access,
    now: Timestamp,
) -> Result<Arc<Archive>> {
    let store = LocalStore::open(&folder.layout(), access)
        .with_context(|| format!("cannot open the archive in `{}`", folder.root().display()))?;
    let archive_id = voicelog_store::Index::archive(&store.index).to_string();
    let secrets = folder.secrets(&archive_id)?;
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
        lines: Lines::new(config.lines.clone()),
    });
    archive.subscribe(webhooks::subscriptions(&config.webhooks)?);
    Ok(Arc::new(archive))
}

/// Where the server's data lies, for messages.
pub(crate) fn data_path(config: &Config) -> PathBuf {
    std::path::absolute(&config.storage.data).unwrap_or_else(|_error| config.storage.data.clone())
}
