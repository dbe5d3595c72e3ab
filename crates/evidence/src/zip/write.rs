//! Writing the one form.

use super::{ENTRIES_MAX, Entry, LOCAL_BYTES, ZipError, directory, is_name};
use std::collections::BTreeSet;

/// Writes a ZIP file with these entries, in this order.
pub fn write(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, ZipError> {
    if entries.len() > ENTRIES_MAX {
        return Err(ZipError::TooLarge);
    }
    let content: usize = entries
        .iter()
        .map(|(name, bytes)| LOCAL_BYTES + name.len() + bytes.len())
        .sum();
    let mut out = Vec::with_capacity(content + entries.len() * 80 + 22);
    let mut names = BTreeSet::new();
    let mut described = Vec::with_capacity(entries.len());
    for (name, bytes) in entries {
        if !is_name(name) || !names.insert(*name) {
            return Err(ZipError::Name((*name).to_owned()));
        }
        let entry = Entry {
            name,
            crc: crc32fast::hash(bytes),
            byte_len: u32::try_from(bytes.len()).map_err(|_| ZipError::TooLarge)?,
            offset: u32::try_from(out.len()).map_err(|_| ZipError::TooLarge)?,
        };
        entry.put_local(&mut out);
        out.extend_from_slice(bytes);
        described.push(entry);
    }
    let directory = directory(&described, out.len())?;
    out.extend_from_slice(&directory);
    if u32::try_from(out.len()).is_err() {
        return Err(ZipError::TooLarge);
    }
    Ok(out)
}
