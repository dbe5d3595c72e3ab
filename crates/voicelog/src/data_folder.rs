//! The data folder: where things lie, the archive's own secrets, and the lock of the server.
//!
//! ```text
//! index.db            rows (no plaintext of anything personal)
//! blobs/              sealed media
//! keys/               wrapped data keys, one file per recording; keys/records: what is kept of the keys above them
//! secrets/            the archive's own keys; back these up apart from the rest
//! uploads/            files that are being sent, sealed under keys in memory; emptied at every start
//! server.lock         held while a server runs
//! log.vkey            the key that everybody may have, to check bundles and certificates
//! ```

use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Secrets, random};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_store::{FileKeys, Keys as _, Layout, durable};
use zeroize::Zeroizing;

const SECRET_BYTES: usize = 32;
/// The master key among the secrets.
pub(crate) const MASTER_KEY: &str = "master-key";
/// The key that wraps data keys in an archive that has no master key.
pub(crate) const GIVEN_KEY: &str = "key-encryption-key-0001";
pub(crate) const GIVEN_EPOCH: u32 = 1;

/// The secrets without which nothing is proven.
pub(crate) const NEEDED_SECRETS: [&str; 2] = ["signing-key", "decision-key"];

/// What the API's token begins with, so that whoever finds one knows what it is.
const API_TOKEN_START: &str = "vl_";
const API_TOKEN_CHARACTERS: usize = API_TOKEN_START.len() + 2 * SECRET_BYTES;

/// Whether the error says that nothing is there, rather than that we may not look.
fn no_archive(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// An open data folder.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    root: PathBuf,
}

impl DataFolder {
    /// Makes the folder if it is not there; readable by its owner alone.
    pub(crate) fn create(root: &Path) -> Result<Self> {
        for folder in [root.to_owned(), root.join("secrets")] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Opens a folder that must be there already.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let is_there = match std::fs::metadata(root.join("secrets")) {
            Ok(secrets) => secrets.is_dir(),
            Err(error) if no_archive(&error) => false,
            Err(error) => bail!(
                "cannot look into `{}` ({error}); run the command as the user that the server runs as",
                root.display()
            ),
        };
        if !is_there {
            bail!(
                "there is no voicelog archive in `{}`; give its folder with --data, or make one with `voicelog serve`",
                root.display()
            );
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the parts of the archive lie.
    pub(crate) fn layout(&self) -> Layout {
        Layout::in_folder(&self.root)
    }

    /// Takes the server's lock. One server at a time may write media into an archive. `what_to_do`
    /// is for whoever does not get it.
    pub(crate) fn lock(&self, what_to_do: &str) -> Result<File> {
        let path = self.root.join("server.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "a voicelog server is running on `{}`; {what_to_do}",
                self.root.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }

    /// Reads the archive's secrets, and makes them if the archive is new. `archive` is its id.
    pub(crate) fn secrets(&self, archive: &str, epoch_keys: EpochKeys) -> Result<Secrets> {
        let signing = self.secret("signing-key")?;
        let decision = self.secret("decision-key")?;
        let signing_key = SigningKey::from_seed(&format!("voicelog/{archive}"), *signing)
            .context("cannot use the archive's signing key")?;
        let vkey = self.root.join("log.vkey");
        if !vkey.exists() {
            durable::create(&vkey, format!("{}\n", signing_key.verifier()).as_bytes())
                .context("cannot write the public key of the log")?;
        }
        Ok(Secrets {
            epoch_keys,
            signing_key,
            decision_key: DataKey::from_random(*decision),
        })
    }

    /// The token of the API, made once. The file holds it as it is sent, for its owner alone.
    pub(crate) fn api_token(&self) -> Result<Zeroizing<String>> {
        let path = self.root.join("secrets").join("api-token");
        if !path.exists() {
            let secret = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
            let mut text = Zeroizing::new(String::with_capacity(API_TOKEN_CHARACTERS + 1));
            text.push_str(API_TOKEN_START);
            for byte in secret.iter() {
                write!(text, "{byte:02x}")?;
            }
            text.push('\n');
            durable::create(&path, text.as_bytes())
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let bytes = Zeroizing::new(
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?,
        );
        std::str::from_utf8(&bytes)
            .map(str::trim)
            .ok()
            .filter(|text| text.len() == API_TOKEN_CHARACTERS && text.starts_with(API_TOKEN_START))
            .map(|text| Zeroizing::new(text.to_owned()))
            .with_context(|| {
                format!(
                    "`{}` should hold one line, `{API_TOKEN_START}` and 64 hexadecimal digits; remove it, and the next start makes a new token",
                    path.display()
                )
            })
    }

    /// Where the master key is, if nobody says otherwise.
    pub(crate) fn master_path(&self) -> PathBuf {
        self.root.join("secrets").join(MASTER_KEY)
    }

    /// The key of an archive from before there were master keys, in the open, if it is still there.
    pub(crate) fn given_key(&self) -> Result<Option<KeyEncryptionKey>> {
        if !self.root.join("secrets").join(GIVEN_KEY).exists() {
            return Ok(None);
        }
        let key = self.secret(GIVEN_KEY)?;
        Ok(Some(KeyEncryptionKey::new(GIVEN_EPOCH, *key)))
    }

    /// Destroys that key: overwritten, then removed.
    pub(crate) fn forget_given_key(&self) -> Result<()> {
        let path = self.root.join("secrets").join(GIVEN_KEY);
        let overwritten = File::options()
            .write(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(&[0; SECRET_BYTES])?;
                file.sync_all()
            });
        overwritten.with_context(|| format!("cannot overwrite `{}`", path.display()))?;
        Ok(durable::remove(&path)?)
    }

    /// Whether there is an epoch under a master key.
    pub(crate) fn has_epochs(&self) -> Result<bool> {
        let keys = self.layout().keys;
        if !keys.exists() {
            return Ok(false);
        }
        let keys = FileKeys::open(&keys).context("cannot open the folder of keys")?;
        let records = keys.records().context("cannot list the keys of epochs")?;
        Ok(records.iter().any(|name| name.starts_with("epoch-")))
    }

    /// A secret of 32 bytes, made if the archive is new. If it is lost, a new one would leave
    /// recordings that nobody can open.
    fn secret(&self, name: &str) -> Result<Zeroizing<[u8; SECRET_BYTES]>> {
        let path = self.root.join("secrets").join(name);
        if !path.exists() {
            if self.layout().exists() {
                bail!(
                    "the secret `{}` is missing, but the archive exists; put it back from its backup",
                    path.display()
                );
            }
            let fresh = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
            durable::create(&path, fresh.as_slice())
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let bytes = Zeroizing::new(
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?,
        );
        let secret: [u8; SECRET_BYTES] = bytes
            .as_slice()
            .try_into()
            .with_context(|| format!("`{}` should hold 32 bytes", path.display()))?;
        Ok(Zeroizing::new(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_one_holds_the_lock_and_the_next_reads_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&root.path().join("data")).unwrap();
        let held = folder.lock("stop it first").unwrap();
        let error = folder.lock("use its pages").unwrap_err().to_string();
        assert!(
            error.contains("is running") && error.contains("use its pages"),
            "{error}"
        );
        drop(held);
        let path = folder.root().join("server.lock");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "for its owner alone");
    }

    #[test]
    fn a_folder_that_may_not_be_read_is_not_called_empty() {
        use std::io::{Error, ErrorKind};
        assert!(no_archive(&Error::from(ErrorKind::NotFound)));
        assert!(!no_archive(&Error::from(ErrorKind::PermissionDenied)));
        let root = tempfile::tempdir().unwrap();
        let error = DataFolder::open(&root.path().join("nowhere")).unwrap_err();
        assert!(error.to_string().contains("no voicelog archive"));
    }

    #[test]
    fn the_file_of_the_api_token_is_what_a_program_sends() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&root.path().join("data")).unwrap();
        let token = folder.api_token().unwrap();
        let path = folder.root().join("secrets/api-token");
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(kept, format!("{}\n", token.as_str()));
        assert_eq!(kept.trim().len(), API_TOKEN_CHARACTERS);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "for its owner alone");
        assert_eq!(folder.api_token().unwrap(), token, "made once");
        std::fs::remove_file(&path).unwrap();
        durable::create(&path, &[0xff; 32]).unwrap();
        let error = folder.api_token().unwrap_err().to_string();
        assert!(error.contains("remove it"), "{error}");
    }
}
