//! The archive's secrets in one file, for a safe place that is not the backup's; and the key of backups,
//! which lies among them and is changed.

use crate::data_folder::{DataFolder, GIVEN_EPOCH, GIVEN_KEY, MASTER_KEY, NEEDED_SECRETS};
use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use voicelog_archive::backup::BackupKey;
use voicelog_archive::keys::{Master as _, MasterKey};
use voicelog_archive::random;
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::{SigningKey, VerifierKey};
use voicelog_store::durable;
use zeroize::{Zeroize as _, Zeroizing};

const VERSION: u32 = 1;
/// What the names of the keys of backups begin with; the number of the key follows.
const BACKUP_KEY: &str = "backup-key-";
const KEY_BYTES: usize = 32;
/// A file of secrets is small.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Every secret, by the name of its file, in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Packed {
    version: u32,
    archive: String,
    files: BTreeMap<String, String>,
}

impl Drop for Packed {
    fn drop(&mut self) {
        for text in self.files.values_mut() {
            text.zeroize();
        }
    }
}

/// Secrets that were read from such a file.
pub(crate) struct SecretsFile(Packed);

impl std::fmt::Debug for SecretsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretsFile").finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digits = (0..text.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// The number in the name of a key of backups.
fn epoch_of(name: &str) -> Option<u32> {
    name.strip_prefix(BACKUP_KEY)?.parse().ok()
}

/// Whether a secret can be called so.
fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    !name.is_empty() && name.chars().all(is_letter)
}

fn folder_of(folder: &DataFolder) -> PathBuf {
    folder.root().join("secrets")
}

fn key(epoch: u32, bytes: &[u8]) -> Option<BackupKey> {
    let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(bytes.try_into().ok()?);
    Some(BackupKey {
        epoch,
        key: DataKey::from_random(*bytes),
    })
}

/// The numbers of the keys of backups that are there, the newest last.
fn epochs(folder: &DataFolder) -> Result<Vec<u32>> {
    let entries = std::fs::read_dir(folder_of(folder)).context("cannot list the secrets")?;
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.context("cannot list the secrets")?.file_name();
        found.extend(name.to_str().and_then(epoch_of));
    }
    found.sort_unstable();
    Ok(found)
}

fn path_of(folder: &DataFolder, epoch: u32) -> PathBuf {
    folder_of(folder).join(format!("{BACKUP_KEY}{epoch:04}"))
}

/// The newest key of backups, if one was made.
pub(crate) fn backup_key(folder: &DataFolder) -> Result<Option<BackupKey>> {
    let Some(epoch) = epochs(folder)?.last().copied() else {
        return Ok(None);
    };
    let path = path_of(folder, epoch);
    let bytes = Zeroizing::new(
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?,
    );
    let key = key(epoch, &bytes);
    key.map(Some)
        .with_context(|| format!("`{}` should hold {KEY_BYTES} bytes", path.display()))
}

/// A key of backups that was drawn, and that nobody has yet.
pub(crate) struct Drawn {
    epoch: u32,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Drawn {
    /// The next key of backups, in memory. Packed and then kept, in this order, it is never known to this
    /// machine alone.
    pub(crate) fn next(folder: &DataFolder) -> Result<Self> {
        Ok(Self {
            epoch: epochs(folder)?.last().map_or(1, |newest| newest + 1),
            bytes: Zeroizing::new(random::bytes()?),
        })
    }

    /// Puts it among the archive's secrets. The one before stays until [`forget_former`].
    pub(crate) fn keep(&self, folder: &DataFolder) -> Result<BackupKey> {
        let path = path_of(folder, self.epoch);
        durable::create(&path, self.bytes.as_slice())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        key(self.epoch, self.bytes.as_slice()).context("cannot make a key")
    }
}

/// Destroys every key of backups but the newest: overwritten, then removed.
pub(crate) fn forget_former(folder: &DataFolder, newest: u32) -> Result<()> {
    for epoch in epochs(folder)?.into_iter().filter(|epoch| *epoch < newest) {
        let path = path_of(folder, epoch);
        durable::shred(&path).with_context(|| format!("cannot overwrite `{}`", path.display()))?;
    }
    Ok(())
}

/// Writes every secret of an archive into one file, for its owner alone, with a key that is not among them
/// yet. What the file held before is overwritten.
pub(crate) fn pack(
    folder: &DataFolder,
    archive: &str,
    drawn: Option<&Drawn>,
    to: &Path,
) -> Result<()> {
    let mut packed = every_secret(folder, archive)?;
    if let Some(drawn) = drawn {
        let name = format!("{BACKUP_KEY}{:04}", drawn.epoch);
        packed.files.insert(name, hex(drawn.bytes.as_slice()));
    }
    write(&packed, to)
}

/// The same without a former master key that still lies there: `master` is the name of the one in use, as far as it is
/// known.
pub(crate) fn pack_in_use(
    folder: &DataFolder,
    archive: &str,
    master: Option<&str>,
    to: &Path,
) -> Result<()> {
    let mut kept = SecretsFile(every_secret(folder, archive)?);
    let lying = kept.master().map(|lying| lying.name()).transpose()?;
    if let (Some(lying), Some(used)) = (lying, master)
        && lying != used
        && let Some(mut former) = kept.0.files.remove(MASTER_KEY)
    {
        former.zeroize();
    }
    write(&kept.0, to)
}

fn write(packed: &Packed, to: &Path) -> Result<()> {
    let text = Zeroizing::new(serde_json::to_vec_pretty(packed)?);
    durable::replace_secret(to, &text).with_context(|| format!("cannot write `{}`", to.display()))
}

fn every_secret(folder: &DataFolder, archive: &str) -> Result<Packed> {
    let mut packed = Packed {
        version: VERSION,
        archive: archive.to_owned(),
        files: BTreeMap::new(),
    };
    let entries = std::fs::read_dir(folder_of(folder)).context("cannot list the secrets")?;
    for entry in entries {
        let entry = entry.context("cannot list the secrets")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if !is_name(&name) {
            bail!(
                "`secrets/{name}` is no secret of voicelog: keep it outside that folder, so that the file of secrets can be read again"
            );
        }
        let bytes = std::fs::read(entry.path()).with_context(|| format!("cannot read `{name}`"))?;
        packed.files.insert(name, hex(&Zeroizing::new(bytes)));
    }
    Ok(packed)
}

/// The secrets that lie beside the keys of recordings, as bytes that a recovery set is given. What wraps the keys of
/// recordings is not among them: that is what the set makes anew.
pub(crate) fn pack_for_recovery(folder: &DataFolder, archive: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut packed = Packed {
        version: VERSION,
        archive: archive.to_owned(),
        files: BTreeMap::new(),
    };
    for name in NEEDED_SECRETS {
        let bytes = std::fs::read(folder_of(folder).join(name));
        let bytes = Zeroizing::new(bytes.with_context(|| format!("cannot read `{name}`"))?);
        packed.files.insert(name.to_owned(), hex(&bytes));
    }
    Ok(Zeroizing::new(serde_json::to_vec(&packed)?))
}

/// Whether a secret that a recovery set holds is not in the folder.
pub(crate) fn is_any_missing(folder: &DataFolder) -> bool {
    let folder = folder_of(folder);
    NEEDED_SECRETS
        .iter()
        .any(|name| !folder.join(name).exists())
}

/// Puts back those of them that are missing. Tells which. Anybody can seal to a recovery set: a signing key that is not
/// the one of this archive's log is refused.
pub(crate) fn unpack_missing(folder: &DataFolder, bytes: &[u8]) -> Result<Vec<String>> {
    let packed: Packed = serde_json::from_slice(bytes)
        .ok()
        .context("what the recovery set holds of the secrets is damaged")?;
    let packed = SecretsFile(packed);
    if let Ok(known) = std::fs::read_to_string(folder.root().join("log.vkey"))
        && packed.verifier()?.to_string() != known.trim()
    {
        bail!(
            "what the recovery set holds of the secrets is not of this archive: its signing key is not the one of `log.vkey`"
        );
    }
    let mut made = Vec::new();
    for name in NEEDED_SECRETS {
        let path = folder_of(folder).join(name);
        if path.exists() {
            continue;
        }
        let text = packed.0.files.get(name).and_then(|text| unhex(text));
        let secret =
            Zeroizing::new(text.with_context(|| format!("the recovery set holds no `{name}`"))?);
        durable::create(&path, &secret)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        made.push(name.to_owned());
    }
    Ok(made)
}

impl SecretsFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let place = path.display();
        let bytes =
            Zeroizing::new(std::fs::read(path).with_context(|| format!("cannot read `{place}`"))?);
        if bytes.len() > FILE_BYTES_MAX {
            bail!("`{place}` is no file of secrets: it is too long");
        }
        let packed: Packed = serde_json::from_slice(&bytes)
            .ok()
            .with_context(|| format!("`{place}` is no file of secrets of voicelog"))?;
        if packed.version != VERSION {
            bail!(
                "`{place}` is of version {}, which this program does not know",
                packed.version
            );
        }
        for (name, text) in &packed.files {
            if !is_name(name) || unhex(text).is_none() {
                bail!("`{place}` is damaged");
            }
        }
        Ok(Self(packed))
    }

    /// The key of backups with that number. Errors say which ones there are.
    pub(crate) fn backup_key(&self, wanted: u32) -> Result<BackupKey> {
        let found = self.0.files.get(&format!("{BACKUP_KEY}{wanted:04}"));
        let found = found.and_then(|text| key(wanted, &Zeroizing::new(unhex(text)?)));
        found.with_context(|| {
            let there = self.0.files.keys().filter_map(|name| epoch_of(name));
            let there: Vec<_> = there.map(|epoch| format!("key {epoch}")).collect();
            let there = match there.as_slice() {
                [] => "no key".to_owned(),
                some => some.join(", "),
            };
            format!(
                "the backup is sealed under key {wanted}, and these secrets hold {there}: it is from before or after a change of that key, and these secrets do not open it"
            )
        })
    }

    /// A secret of 32 bytes.
    fn secret(&self, name: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        let bytes = Zeroizing::new(unhex(self.0.files.get(name)?)?);
        bytes.as_slice().try_into().ok().map(Zeroizing::new)
    }

    /// The key that wraps data keys in an archive that has no master key yet.
    pub(crate) fn given_key(&self) -> Option<KeyEncryptionKey> {
        let bytes = self.secret(GIVEN_KEY)?;
        Some(KeyEncryptionKey::new(GIVEN_EPOCH, *bytes))
    }

    /// The master key, where it lies among the secrets.
    pub(crate) fn master(&self) -> Option<MasterKey> {
        self.secret(MASTER_KEY)
            .map(|bytes| MasterKey::from_random(*bytes))
    }

    /// Errors: a secret without which an archive cannot be opened is not here. A fresh one in its place would
    /// open nothing. A master key may be somewhere else.
    pub(crate) fn must_be_complete(&self, has_other_master: bool) -> Result<()> {
        let is_here = |name: &str| self.0.files.contains_key(name);
        let mut missing: Vec<_> = NEEDED_SECRETS
            .into_iter()
            .filter(|name| !is_here(name))
            .collect();
        if !has_other_master && !is_here(MASTER_KEY) && !is_here(GIVEN_KEY) {
            missing.push(MASTER_KEY);
        }
        if missing.is_empty() {
            return Ok(());
        }
        bail!(
            "the file of secrets lacks {}: without it nothing that was recorded can be opened or proven; look for another copy of the file{}",
            missing.join(", "),
            if missing.contains(&MASTER_KEY) {
                ", or say with --config where the master key is (keys.master)"
            } else {
                ""
            }
        )
    }

    /// The key that statements of the archive are verified with.
    pub(crate) fn verifier(&self) -> Result<VerifierKey> {
        let seed = self.0.files.get("signing-key").and_then(|text| unhex(text));
        let seed = seed.context("the file of secrets holds no signing key")?;
        let seed: [u8; KEY_BYTES] = Zeroizing::new(seed)
            .as_slice()
            .try_into()
            .context("the signing key in the file of secrets should hold 32 bytes")?;
        let key = SigningKey::from_seed(&format!("voicelog/{}", self.0.archive), seed)?;
        Ok(key.verifier())
    }

    /// Puts every secret into the folder of an archive that is being made again.
    pub(crate) fn unpack(&self, folder: &DataFolder) -> Result<()> {
        for (name, text) in &self.0.files {
            let bytes = Zeroizing::new(unhex(text).context("the file of secrets is damaged")?);
            let path = folder_of(folder).join(name);
            durable::create(&path, &bytes)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn wherever_a_change_of_the_key_is_cut_off_no_key_is_here_alone_and_the_backup_opens() {
        for steps in 0..=5 {
            let root = tempfile::tempdir().unwrap();
            let folder = DataFolder::create(&root.path().join("data")).unwrap();
            let file = root.path().join("safe");
            let first = Drawn::next(&folder).unwrap();
            pack(&folder, "archive", Some(&first), &file).unwrap();
            first.keep(&folder).unwrap();
            let mut sealed_under = 1;
            let next = Drawn::next(&folder).unwrap();
            if steps > 0 {
                pack(&folder, "archive", Some(&next), &file).unwrap();
            }
            if steps > 1 {
                next.keep(&folder).unwrap();
            }
            if steps > 2 {
                sealed_under = 2;
            }
            if steps > 3 {
                forget_former(&folder, 2).unwrap();
            }
            if steps > 4 {
                pack(&folder, "archive", None, &file).unwrap();
            }
            let safe = SecretsFile::read(&file).unwrap();
            let here = epochs(&folder).unwrap();
            for epoch in &here {
                assert!(safe.backup_key(*epoch).is_ok(), "after step {steps}");
            }
            assert!(here.contains(&sealed_under), "after step {steps}");
            // And the next change goes on from there.
            let again = Drawn::next(&folder).unwrap();
            pack(&folder, "archive", Some(&again), &file).unwrap();
            let newest = again.keep(&folder).unwrap().epoch;
            assert!(newest > sealed_under, "after step {steps}");
            let safe = SecretsFile::read(&file).unwrap();
            assert!(safe.backup_key(newest).is_ok() && safe.backup_key(sealed_under).is_ok());
        }
    }

    #[test]
    fn secrets_come_back_from_their_file_and_the_key_of_backups_changes_with_nothing_left_of_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&root.path().join("data")).unwrap();
        durable::create(&folder.root().join("secrets/signing-key"), &[7; 32]).unwrap();
        assert!(backup_key(&folder).unwrap().is_none());
        let file = root.path().join("safe");
        for epoch in [1, 2] {
            let drawn = Drawn::next(&folder).unwrap();
            let nowhere = root.path().join("nowhere/safe");
            assert!(pack(&folder, "archive", Some(&drawn), &nowhere).is_err());
            let newest = backup_key(&folder).unwrap().map_or(0, |key| key.epoch);
            assert_eq!(newest, epoch - 1, "what could not be packed is not kept");
            pack(&folder, "archive", Some(&drawn), &file).unwrap();
            let packed = SecretsFile::read(&file).unwrap();
            assert_eq!(packed.backup_key(epoch).unwrap().epoch, epoch);
            assert_eq!(drawn.keep(&folder).unwrap().epoch, epoch);
        }
        pack(&folder, "archive", None, &file).unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "for its owner alone");
        let both = SecretsFile::read(&file).unwrap();
        assert_eq!(both.backup_key(1).unwrap().epoch, 1);
        forget_former(&folder, 2).unwrap();
        assert_eq!(epochs(&folder).unwrap(), [2]);
        pack(&folder, "archive", None, &file).unwrap();
        let packed = SecretsFile::read(&file).unwrap();
        let gone = packed.backup_key(1).unwrap_err().to_string();
        assert!(
            gone.contains("under key 1, and these secrets hold key 2"),
            "{gone}"
        );
        let incomplete = packed.must_be_complete(false).unwrap_err().to_string();
        assert!(
            incomplete.contains("decision-key, master-key") && !incomplete.contains("signing"),
            "{incomplete}"
        );
        assert_eq!(packed.verifier().unwrap().name(), "voicelog/archive");
        let again = DataFolder::create(&root.path().join("again")).unwrap();
        packed.unpack(&again).unwrap();
        assert_eq!(
            std::fs::read(again.root().join("secrets/signing-key")).unwrap(),
            [7; 32]
        );
        assert!(!format!("{packed:?}").contains("0707"));
        let text = std::fs::read_to_string(&file).unwrap();
        for wrong in [
            text.replace("\"version\": 1", "\"version\": 2"),
            text.replace("signing-key", "../signing-key"),
            text.replacen("07", "0x", 1),
            String::new(),
        ] {
            durable::replace(&file, wrong.as_bytes()).unwrap();
            assert!(SecretsFile::read(&file).is_err(), "{wrong}");
        }
    }
}
