//! Walks the folder of objects.

use crate::StoreError;
use crate::blobs::{BlobEntry, Unknown, UnknownBecause, check_key};
use std::ffi::OsStr;
use std::fs::FileType;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// All objects whose key starts with `prefix`, sorted by key.
pub(super) fn list(objects: &Path, prefix: &str) -> Result<Vec<BlobEntry>, StoreError> {
    let whole = prefix.strip_suffix('/').unwrap_or(prefix);
    if !prefix.is_empty() {
        check_key(whole)?;
    }
    // Only the folder that the prefix leads into is walked.
    let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    walk(&objects.join(folder), &mut |path, kind, len| {
        if let Some(key) =
            key_of(objects, path).filter(|key| kind.is_file() && key.starts_with(prefix))
        {
            found.push(BlobEntry { key, len });
        }
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Everything under the root that is neither ours by name nor known to the caller.
pub(super) fn list_unknown(
    root: &Path,
    is_known: &dyn Fn(&str) -> bool,
) -> Result<Vec<Unknown>, StoreError> {
    let objects = root.join("objects");
    let mut found = Vec::new();
    walk(root, &mut |path, kind, len| {
        let why = if path.starts_with(&objects) {
            match (kind.is_file(), key_of(&objects, path)) {
                (false, _) => UnknownBecause::NotAFile,
                (true, None) => UnknownBecause::NotAKey,
                (true, Some(key)) if is_known(&key) => return,
                (true, Some(_)) => UnknownBecause::NotReferred,
            }
        } else if is_ours(root, path) {
            return;
        } else {
            UnknownBecause::NotAKey
        };
        let path = path.strip_prefix(root).unwrap_or(path);
        let path = path.to_string_lossy().escape_debug().to_string();
        found.push(Unknown { path, len, why });
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Whether a file beside the objects is one that the store makes.
fn is_ours(root: &Path, path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    match path.parent() {
        Some(parent) if parent == root => name == crate::folder::META_NAME,
        Some(parent) if parent == root.join("spool") => {
            name == super::writer::LOCK_NAME || super::spool::generation(name).is_some()
        }
        _ => false,
    }
}

fn key_of(objects: &Path, path: &Path) -> Option<String> {
    let key = path.strip_prefix(objects).ok()?.to_str()?;
    check_key(key).ok().map(|()| key.to_owned())
}

/// Visits everything below a folder that is not a folder itself; links are not followed. What
/// disappears meanwhile is left out.
fn walk(folder: &Path, visit: &mut dyn FnMut(&Path, FileType, u64)) -> Result<(), StoreError> {
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |error| StoreError::io("list", folder.display())(error);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(metadata) => {
                    let len = if metadata.is_file() {
                        metadata.len()
                    } else {
                        0
                    };
                    visit(&path, metadata.file_type(), len);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
    Ok(())
}
