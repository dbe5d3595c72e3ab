//! What a witness keeps: its key, and of each log the last checkpoint that it signed.

use crate::BadInput;
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use voicelog_archive::random;
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::cosignature::{Cosigner, CosignerKey};
use voicelog_evidence::note::{Note, VerifierKey};
use voicelog_evidence::witness::{AddCheckpoint, Refused};
use voicelog_model::Timestamp;
use voicelog_store::durable;
use zeroize::Zeroizing;

/// The folder of a witness, held by one process.
pub(super) struct State {
    folder: PathBuf,
    key: Cosigner,
    /// Held while a request is judged and kept: two at once could each be right and fork together.
    judging: Mutex<()>,
    _lock: File,
}

/// The name of a log's file: SHA-256 of its origin.
pub(super) fn hash_of(origin: &str) -> String {
    let digest = Sha256::digest(origin);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl State {
    /// Opens the folder; makes it, and the key, if it is new.
    pub(super) fn open(folder: &Path, name: Option<&str>) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let lock = lock(folder)?;
        let (seed_file, key_file) = (folder.join("witness-key"), folder.join("witness.vkey"));
        let bad = |what: String| anyhow::Error::new(BadInput(what));
        if !seed_file.exists() {
            let name = name.ok_or_else(|| {
                bad("a new witness needs a --name, such as getuige.voorbeeld.nl/w1".to_owned())
            })?;
            let seed = Zeroizing::new(random::bytes::<32>()?);
            let key = Cosigner::from_seed(name, *seed).map_err(|why| bad(why.to_string()))?;
            // The public part first: a key without it has no name, and is made anew.
            durable::replace(&key_file, format!("{}\n", key.verifier()).as_bytes())?;
            durable::create(&seed_file, seed.as_slice())?;
        }
        let public: CosignerKey = std::fs::read_to_string(&key_file)
            .with_context(|| format!("cannot read `{}`", key_file.display()))?
            .trim()
            .parse()
            .with_context(|| format!("`{}` is no key", key_file.display()))?;
        if name.is_some_and(|name| name != public.name()) {
            bail!(BadInput(format!(
                "this witness is called `{}`; leave --name out, or give another --state",
                public.name()
            )));
        }
        let seed = Zeroizing::new(std::fs::read(&seed_file)?);
        let seed: [u8; 32] = seed
            .as_slice()
            .try_into()
            .with_context(|| format!("`{}` should hold 32 bytes", seed_file.display()))?;
        let key = Cosigner::from_seed(public.name(), seed)?;
        if key.verifier() != public {
            bail!(
                "`{}` and `{}` do not belong together",
                seed_file.display(),
                key_file.display()
            );
        }
        Ok(Self {
            folder: folder.to_owned(),
            key,
            judging: Mutex::default(),
            _lock: lock,
        })
    }

    /// The witness's key in text.
    pub(super) fn key(&self) -> String {
        self.key.verifier().to_string()
    }

    fn file(&self, origin: &str) -> PathBuf {
        self.folder.join(format!("{}.checkpoint", hash_of(origin)))
    }

    /// The last checkpoint of a log, with the log's lines and this witness's.
    pub(super) fn last(&self, origin: &str) -> Result<Option<String>> {
        let path = self.file(origin);
        match std::fs::read_to_string(&path) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// Judges a request; what may be signed is on the disk before the signature is given.
    ///
    /// # Errors
    /// The folder cannot be read or written, or what it holds is damaged: then nothing is signed.
    pub(super) fn add(
        &self,
        request: &AddCheckpoint,
        logs: &[VerifierKey],
        now: Timestamp,
    ) -> Result<Result<String, Refused>> {
        // The lock guards no data that a panic could leave half changed.
        let _one_at_a_time = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = match request.origin() {
            Ok(origin) => origin,
            Err(refused) => return Ok(Err(refused)),
        };
        // Of a log that nobody named there is no file, whatever its name is.
        let kept = self.last(&origin)?;
        let last = kept.as_deref().map(read_kept).transpose()?;
        if let Err(refused) = request.judge(logs, last.as_ref()) {
            return Ok(Err(refused));
        }
        let note = Note::parse(request.checkpoint.as_bytes())?;
        let line = self.key.cosign(note.unverified_text(), now);
        let signed = logs.iter().find(|log| log.verify(&note).is_ok());
        let log_lines = log_lines(&request.checkpoint, signed);
        let kept = format!("{}\n{log_lines}{line}", note.unverified_text());
        durable::replace(&self.file(&origin), kept.as_bytes())?;
        Ok(Ok(line))
    }
}

/// The signature lines of the log itself: what others signed is not ours to hand on.
fn log_lines(checkpoint: &str, log: Option<&VerifierKey>) -> String {
    let Some((log, (text, lines))) = log.zip(checkpoint.rsplit_once("\n\n")) else {
        return String::new();
    };
    let holds = |line: &&str| {
        let alone = format!("{text}\n\n{line}");
        Note::parse(alone.as_bytes()).is_ok_and(|note| log.verify(&note).is_ok())
    };
    lines.split_inclusive('\n').filter(holds).collect()
}

fn read_kept(note: &str) -> Result<Checkpoint> {
    let note = Note::parse(note.as_bytes()).context("what was signed last is damaged")?;
    Checkpoint::parse_extended(note.unverified_text()).context("what was signed last is damaged")
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("witness.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("a witness is running on `{}` already", folder.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_evidence::note::SigningKey;
    use voicelog_evidence::tlog::{consistency_proof, leaf_hash, root_of};

    fn log() -> SigningKey {
        SigningKey::from_seed("example.com/log", [1; 32]).unwrap()
    }

    fn request(old: u8, new: u8, fork: u8) -> AddCheckpoint {
        let leaves: Vec<_> = (0..new).map(|n| leaf_hash(&[n, fork])).collect();
        let note = Checkpoint::sign(new.into(), root_of(&leaves), &log()).unwrap();
        AddCheckpoint {
            old: old.into(),
            proof: consistency_proof(&leaves, old.into(), new.into()).unwrap(),
            checkpoint: note,
        }
    }

    #[test]
    fn what_was_signed_is_known_after_a_restart_and_a_fork_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let logs = [log().verifier()];
        assert!(State::open(folder.path(), None).is_err(), "it needs a name");
        let state = State::open(folder.path(), Some("example.com/w")).unwrap();
        assert!(State::open(folder.path(), None).is_err(), "one at a time");
        let key: CosignerKey = state.key().parse().unwrap();
        state.add(&request(0, 5, 0), &logs, now).unwrap().unwrap();
        drop(state);

        let state = State::open(folder.path(), None).unwrap();
        assert_eq!(state.key(), key.to_string());
        let again = state.add(&request(0, 5, 0), &logs, now).unwrap();
        assert_eq!(again, Err(Refused::OtherSize(5)));
        let forked = state.add(&request(5, 9, 1), &logs, now).unwrap();
        assert_eq!(forked, Err(Refused::Inconsistent));
        let line = state.add(&request(5, 9, 0), &logs, now).unwrap().unwrap();
        let kept = state.last("example.com/log").unwrap().unwrap();
        assert!(kept.ends_with(&line));
        let note = Note::parse(kept.as_bytes()).unwrap();
        assert_eq!(key.verify(&note), Ok(Some(now)));
        assert!(log().verifier().verify(&note).is_ok());
        drop(state);
        assert!(State::open(folder.path(), Some("other")).is_err());
    }

    #[test]
    fn a_damaged_memory_signs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let state = State::open(folder.path(), Some("example.com/w")).unwrap();
        let logs = [log().verifier()];
        state.add(&request(0, 5, 0), &logs, now).unwrap().unwrap();
        let path = state.file("example.com/log");
        durable::replace(&path, b"").unwrap();
        assert!(state.add(&request(0, 5, 0), &logs, now).is_err());
    }
}
