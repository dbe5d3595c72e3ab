//! The data folder: where things lie, the archive's own secrets, and the lock of the server.
//!
//! ```text
//! index.db            rows (no plaintext of anything personal)
//! blobs/              sealed media
//! keys/               wrapped data keys, one file per recording
//! secrets/            the archive's own keys; back these up apart from the rest
//! server.lock         held while a server runs
//! log.vkey            the key that everybody may have, to check bundles and certificates
//! ```

use anyhow::{Context, Result, bail};
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use voicelog_archive::{Secrets, random};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_store::{Layout, durable};
use zeroize::Zeroizing;

const SECRET_BYTES: usize = 32;

/// What to do if a secret is not there although the archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// Say so: going on with another key would leave recordings that nobody can open.
    Refuse,
    /// A new one does no harm.
    MakeAnew,
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
        if !root.join("secrets").is_dir() {
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

    /// Takes the server's lock. One server at a time may write media into an archive.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.root.join("server.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "another voicelog server is using `{}`; stop it first, or give another folder",
                self.root.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }

    /// Reads the archive's secrets, and makes them if the archive is new. `archive` is its id.
    pub(crate) fn secrets(&self, archive: &str) -> Result<Secrets> {
        let kek = self.secret("key-encryption-key-0001", Lost::Refuse)?;
        let signing = self.secret("signing-key", Lost::Refuse)?;
        let decision = self.secret("decision-key", Lost::Refuse)?;
        let signing_key = SigningKey::from_seed(&format!("voicelog/{archive}"), *signing)
            .context("cannot use the archive's signing key")?;
        let vkey = self.root.join("log.vkey");
        if !vkey.exists() {
            durable::create(&vkey, format!("{}\n", signing_key.verifier()).as_bytes())
                .context("cannot write the public key of the log")?;
        }
        Ok(Secrets {
            key_encryption_key: KeyEncryptionKey::new(1, *kek),
            signing_key,
            decision_key: DataKey::from_random(*decision),
        })
    }

    /// The token of the API: made once, readable by the owner of the folder alone.
    pub(crate) fn api_token(&self) -> Result<Zeroizing<String>> {
        use std::fmt::Write;
        let secret = self.secret("api-token", Lost::MakeAnew)?;
        let mut text = Zeroizing::new(String::with_capacity(SECRET_BYTES * 2 + 3));
        text.push_str("vl_");
        for byte in secret.iter() {
            write!(text, "{byte:02x}")?;
        }
        Ok(text)
    }

    /// A secret of 32 bytes, made if the archive is new.
    fn secret(&self, name: &str, lost: Lost) -> Result<Zeroizing<[u8; SECRET_BYTES]>> {
        let path = self.root.join("secrets").join(name);
        if !path.exists() {
            if lost == Lost::Refuse && self.layout().exists() {
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
