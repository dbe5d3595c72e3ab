//! Which of the keys above the data keys a process gets.

use crate::config::{Config, RecorderKeys};
use crate::data_folder::{DataFolder, GIVEN_KEY};
use crate::master::Source;
use crate::print;
use anyhow::{Result, bail};
use voicelog_archive::keys::EpochKeys;

/// Where the master key is.
pub(crate) fn master(folder: &DataFolder, config: &Config) -> Source {
    let named = config.keys.master.clone();
    named.unwrap_or_else(|| Source::File(folder.master_path()))
}

/// Those of the server.
pub(crate) fn of_server(folder: &DataFolder, config: &Config) -> Result<EpochKeys> {
    if config.keys.recorder == RecorderKeys::Full {
        return under_master(folder, config);
    }
    if folder.given_key()?.is_some() {
        bail!(
            "keys.recorder = \"public\": the key of this archive still lies in the open (`secrets/{GIVEN_KEY}`); \
             run `voicelog keys rotate --rewrap` once"
        );
    }
    Ok(EpochKeys::public_only())
}

/// Those of a command. Beside a server that has only the public key, the master key may be elsewhere; one that is there
/// and cannot be used is named.
pub(crate) fn of_command(folder: &DataFolder, config: &Config) -> Result<EpochKeys> {
    if config.keys.recorder == RecorderKeys::Full {
        return under_master(folder, config);
    }
    let source = master(folder, config);
    if source.is_absent() {
        return Ok(EpochKeys::public_only());
    }
    if let Err(error) = source.open() {
        print::warn(format!(
            "voicelog: goes on with the public key alone, which opens nothing: {error:#}"
        ));
        return Ok(EpochKeys::public_only());
    }
    under_master(folder, config)
}

fn under_master(folder: &DataFolder, config: &Config) -> Result<EpochKeys> {
    let given = folder.given_key()?;
    match given {
        // An archive from before there were master keys, and the first `keys rotate`.
        Some(given) if !folder.has_epochs()? => Ok(EpochKeys::given(given)),
        given => Ok(EpochKeys::under(master(folder, config).open()?, given)),
    }
}
