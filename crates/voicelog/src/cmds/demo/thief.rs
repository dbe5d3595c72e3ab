//! Somebody who has everything: a copy of the encrypted files from before the destruction, and
//! afterwards the whole disk with every key that is left on it.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use voicelog_archive::keys::{MasterKey, open_epochs};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey, unwrap_key};
use voicelog_evidence::segment::{CHAIN_START, SegmentReader};
use voicelog_model::RecordingId;
use voicelog_store::FileKeys;

/// Copies the first encrypted segment of a recording out of the data folder.
pub(crate) fn copy(data: &Path, id: RecordingId) -> Result<Vec<u8>> {
    let id = id.to_string();
    let segment = files(&data.join("blobs"))?
        .into_iter()
        .find(|path| {
            path.components()
                .any(|part| part.as_os_str() == id.as_str())
        })
        .context("there is no encrypted file to copy")?;
    std::fs::read(&segment).with_context(|| format!("cannot read `{}`", segment.display()))
}

/// Whether any key that is left on the disk opens the copy.
pub(crate) fn opens(data: &Path, id: RecordingId, segment: &[u8]) -> Result<bool> {
    let secrets = files(&data.join("secrets"))?;
    let mut raw: Vec<[u8; 32]> = Vec::new();
    for path in &secrets {
        raw.extend(<[u8; 32]>::try_from(std::fs::read(path)?));
    }
    // Every secret might be the key itself, or might unwrap one of the wrapped keys.
    let mut candidates: Vec<DataKey> = raw
        .iter()
        .map(|bytes| DataKey::from_random(*bytes))
        .collect();
    // Each may also be the key of an epoch, or the master key that opens the epochs.
    let mut epochs: Vec<_> = raw
        .iter()
        .map(|bytes| KeyEncryptionKey::new(1, *bytes))
        .collect();
    let keys = FileKeys::open(&data.join("keys"))?;
    for bytes in &raw {
        epochs.extend(open_epochs(&keys, &MasterKey::from_random(*bytes))?);
    }
    for path in files(&data.join("keys"))? {
        let wrapped = std::fs::read(&path)?;
        let owner = path
            .file_stem()
            .and_then(|name| name.to_str()?.parse().ok());
        for key in &epochs {
            for owner in [owner, Some(id)].into_iter().flatten() {
                candidates.extend(unwrap_key(std::slice::from_ref(key), owner, &wrapped));
            }
        }
    }
    let opens = |key: &DataKey| SegmentReader::start(key, id, 1, CHAIN_START, segment).is_ok();
    Ok(candidates.iter().any(opens))
}

/// Every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read `{}`", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}
