//! Which key wraps a new data key, and which opens an old one.

use super::record::{self, EpochRecord};
use super::{KeysError, Master};
use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use voicelog_evidence::key::{self, DataKey, KeyEncryptionKey, KeyError, owner_of_key};
use voicelog_evidence::sealing::OpeningKey;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::{Keys, StoreError};

/// What this process can do with the keys of epochs.
pub struct EpochKeys {
    /// The key of an archive from before there were records of epochs, in the open.
    given: Option<KeyEncryptionKey>,
    master: Option<Box<dyn Master>>,
    /// Those that were opened, so that a token is not asked for each recording.
    opened: Mutex<BTreeMap<u32, KeyEncryptionKey>>,
    /// The hash of the recovery set's record that the master key was found to vouch for, so that it is asked once.
    set_seen: Mutex<Option<[u8; 32]>>,
    /// Data keys that were sealed to a public key, of calls that are still being recorded: they are nowhere else.
    in_memory: Mutex<BTreeMap<RecordingId, DataKey>>,
}

impl EpochKeys {
    fn new(given: Option<KeyEncryptionKey>, master: Option<Box<dyn Master>>) -> Self {
        Self {
            given,
            master,
            opened: Mutex::default(),
            set_seen: Mutex::default(),
            in_memory: Mutex::default(),
        }
    }

    /// One key in the open, as in an archive that has no master key yet.
    #[must_use]
    pub fn given(key: KeyEncryptionKey) -> Self {
        Self::new(Some(key), None)
    }

    /// With a master key; `given` is the key from before there was one, if it is still there.
    #[must_use]
    pub fn under(master: Box<dyn Master>, given: Option<KeyEncryptionKey>) -> Self {
        Self::new(given, Some(master))
    }

    /// Without any key: new recordings are sealed to the public key of the newest epoch, and nothing opens.
    #[must_use]
    pub fn public_only() -> Self {
        Self::new(None, None)
    }

    /// The key from before there was a master key.
    pub(super) const fn given_key(&self) -> Option<&KeyEncryptionKey> {
        self.given.as_ref()
    }

    pub(super) fn master(&self) -> Result<&dyn Master, KeysError> {
        self.master.as_deref().ok_or(KeysError::NoMaster)
    }

    /// Whether this process has no key of any epoch, and never will.
    #[must_use]
    pub const fn is_public_only(&self) -> bool {
        self.given.is_none() && self.master.is_none()
    }

    pub(super) fn remembered(&self, epoch: u32) -> Option<KeyEncryptionKey> {
        let given = self.given.as_ref().filter(|kek| kek.epoch() == epoch);
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        given.or_else(|| opened.get(&epoch)).cloned()
    }

    pub(super) fn remember(&self, kek: &KeyEncryptionKey) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.insert(kek.epoch(), kek.clone());
    }

    /// Lets go of the keys of epochs that are gone.
    fn keep_only(&self, living: &[u32]) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|epoch, _kek| living.contains(epoch));
    }

    fn in_memory(&self, id: RecordingId) -> Option<DataKey> {
        let keys = self.in_memory.lock();
        keys.unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    pub(super) fn set_seen(&self) -> MutexGuard<'_, Option<[u8; 32]>> {
        self.set_seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the keys of a recording.
    pub(crate) fn forget(&self, id: RecordingId) {
        let keys = self.in_memory.lock();
        let mut keys = keys.unwrap_or_else(PoisonError::into_inner);
        keys.remove(&id);
        keys.remove(&key::sound_key_name(id));
    }

    fn keep_in_memory(&self, id: RecordingId, data_key: &DataKey) {
        let keys = self.in_memory.lock();
        keys.unwrap_or_else(PoisonError::into_inner)
            .insert(id, data_key.clone());
    }
}

impl fmt::Debug for EpochKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochKeys")
            .field("given", &self.given)
            .field("master", &self.master)
            .finish_non_exhaustive()
    }
}

/// What lies in the key store under the names of epochs.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    /// Those of this archive that were not destroyed before, the oldest first.
    pub(super) ours: Vec<EpochRecord>,
    /// Names of what is damaged, was put there by somebody who has not the archive's signing key, or was destroyed and
    /// put back: nothing is done with it.
    pub(super) odd: Vec<String>,
}

/// The name of the record of an epoch, and its key or why it does not open.
pub(super) type OpenedRecord = (String, Result<KeyEncryptionKey, KeysError>);

impl Archive {
    /// Every epoch that has a record. One that lacks the archive's signature is its own where the master key opens it.
    pub(super) fn epochs(&self) -> Result<Epochs, ArchiveError> {
        let mut found = Epochs::default();
        for epoch in self.epoch_numbers()? {
            match self.epoch_record(epoch)? {
                Some(Ok(record))
                    if (self.is_vouched(&record) || self.is_opened(&record))
                        && !self.is_retired(epoch)? =>
                {
                    found.ours.push(record);
                }
                Some(_odd) => found.odd.push(record::name_of(epoch)),
                // It was destroyed since.
                None => {}
            }
        }
        Ok(found)
    }

    /// The numbers that records of epochs go by, the lowest first.
    pub(super) fn epoch_numbers(&self) -> Result<Vec<u32>, ArchiveError> {
        let names = self.keys.records().doing("listing the keys of epochs")?;
        let numbers = names.iter().filter_map(|name| record::epoch_of(name));
        let mut numbers: Vec<u32> = numbers.collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The record of an epoch; nothing where there is none.
    pub(super) fn epoch_record(
        &self,
        epoch: u32,
    ) -> Result<Option<Result<EpochRecord, KeysError>>, ArchiveError> {
        let name = record::name_of(epoch);
        match self.keys.record(&name) {
            Ok(bytes) => Ok(Some(EpochRecord::from_bytes(&name, &bytes))),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(StoreError::Corrupt { .. }) => Ok(Some(Err(KeysError::Damaged(name)))),
            Err(error) => Err(error).doing("reading the key of an epoch"),
        }
    }

    /// The keys of all epochs, as two sheets open them, by the name of their record. Anybody can seal to a recovery set:
    /// what opens must be signed by the archive as well, or be the epoch that its log was told of.
    pub(super) fn epochs_under_set(
        &self,
        set: &OpeningKey,
    ) -> Result<Vec<OpenedRecord>, ArchiveError> {
        let mut found = Vec::new();
        for epoch in self.epoch_numbers()? {
            let Some(record) = self.epoch_record(epoch)? else {
                continue;
            };
            let name = record::name_of(epoch);
            let is_signed =
                |record: &EpochRecord| record.is_signed(&self.secrets.signing_key.verifier());
            let opened = record.and_then(|record| {
                record
                    .open_with_set(set)
                    .map(|kek| (is_signed(&record), kek))
            });
            let opened = match opened {
                Ok((false, kek)) if !self.log_knows_key(&kek)? => {
                    Err(KeysError::Damaged(name.clone()))
                }
                other => other.map(|(_is_signed, kek)| kek),
            };
            found.push((name, opened));
        }
        Ok(found)
    }

    /// Whether this is the key that the log was told of when its epoch was made.
    fn log_knows_key(&self, kek: &KeyEncryptionKey) -> Result<bool, ArchiveError> {
        let mark = self.index.log_mark(&format!("epoch-{}", kek.epoch()));
        let told = mark.doing("reading the log")?;
        Ok(told == Some(kek.fingerprint().to_string().into_bytes()))
    }

    /// Whether data keys may be sealed to the public key of a record: the archive signed it, or its key is in memory.
    /// The master key is not asked.
    pub(super) fn is_vouched(&self, record: &EpochRecord) -> bool {
        let remembered = self.secrets.epoch_keys.remembered(record.epoch);
        remembered.is_some_and(|kek| record.is_of(&kek))
            || record.is_signed(&self.secrets.signing_key.verifier())
    }

    fn is_opened(&self, record: &EpochRecord) -> bool {
        let master = self.secrets.epoch_keys.master();
        master.is_ok_and(|master| record.open(master).is_ok())
    }

    /// The epoch that new data keys come under, with its record, if it has one. What the archive does not vouch for is
    /// passed over, whatever number it goes by; so is what was destroyed and put back.
    pub(super) fn newest_epoch(&self) -> Result<(u32, Option<EpochRecord>), ArchiveError> {
        let numbers = self.epoch_numbers()?;
        self.secrets.epoch_keys.keep_only(&numbers);
        for epoch in numbers.iter().rev() {
            if let Some(Ok(record)) = self.epoch_record(*epoch)?
                && self.is_vouched(&record)
                && !self.is_retired(*epoch)?
            {
                return Ok((*epoch, Some(record)));
            }
        }
        match self.secrets.epoch_keys.given_key() {
            Some(given) => Ok((given.epoch(), None)),
            None if numbers.is_empty() => Err(KeysError::NoEpochs.into()),
            None => Err(KeysError::NotVouched.into()),
        }
    }

    /// The key of an epoch. Errors: it is not here, or only its public half is.
    pub(super) fn epoch_key(&self, epoch: u32) -> Result<KeyEncryptionKey, EpochKeyError> {
        let keys = &self.secrets.epoch_keys;
        if let Some(kek) = keys.remembered(epoch) {
            return Ok(kek);
        }
        let name = record::name_of(epoch);
        let bytes = match self.keys.record(&name) {
            Err(StoreError::NotFound { .. }) => return Err(KeyError::UnknownEpoch(epoch).into()),
            other => other.doing("reading the key of an epoch")?,
        };
        if keys.is_public_only() {
            return Err(KeyError::PublicOnly(epoch).into());
        }
        let record = EpochRecord::from_bytes(&name, &bytes).map_err(ArchiveError::from)?;
        let master = keys.master().map_err(ArchiveError::from)?;
        let kek = record.open(master).map_err(ArchiveError::from)?;
        keys.remember(&kek);
        Ok(kek)
    }

    /// Wraps a data key for the key store, under the newest epoch. Where its key is not in memory, the data key is
    /// sealed to its public key: the master key is not asked in a call, so a token that is gone, or slow, costs none.
    fn wrap_data_key(&self, id: RecordingId, data_key: &DataKey) -> Result<Wrapped, ArchiveError> {
        let (epoch, record) = self.newest_epoch()?;
        let bytes = match (self.secrets.epoch_keys.remembered(epoch), record) {
            (Some(kek), _) => key::wrap(&kek, data_key, id, random::bytes()?),
            (None, None) => return Err(KeysError::NoEpochs.into()),
            (None, Some(record)) => {
                let public = record.sealing_key()?;
                let sealed = key::wrap_sealed(epoch, &public, data_key, id, random::bytes()?);
                sealed.map_err(|_no_key| KeysError::Damaged(record::name_of(epoch)))?
            }
        };
        Ok(Wrapped { epoch, bytes })
    }

    /// Keeps a new data key. What wraps new keys may change at any moment, and the epoch before is destroyed once
    /// nothing is under it: so it is looked at again when the key is kept. Nothing was sealed with it until then.
    pub(crate) fn put_data_key(
        &self,
        id: RecordingId,
        data_key: &DataKey,
    ) -> Result<(), PutKeyError> {
        let mut wrapped = self.wrap_data_key(id, data_key)?;
        match self.keys.put(id, &wrapped.bytes) {
            Err(StoreError::Exists { .. }) => return Err(PutKeyError::Exists),
            other => other.doing("keeping the data key")?,
        }
        if key::is_sealed(&wrapped.bytes) {
            self.secrets.epoch_keys.keep_in_memory(id, data_key);
        }
        while self.newest_epoch()?.0 != wrapped.epoch {
            let again = self.wrap_data_key(id, data_key)?;
            let is_done = self.keys.replace(id, &wrapped.bytes, &again.bytes);
            wrapped = if is_done.doing("keeping the data key")? {
                again
            } else {
                // Whoever changes the epoch has wrapped it again already, from what was just put. Or it was destroyed.
                self.kept_data_key(id)?
            };
        }
        Ok(())
    }

    /// A data key as it lies there.
    fn kept_data_key(&self, id: RecordingId) -> Result<Wrapped, ArchiveError> {
        let bytes = match self.keys.get(id) {
            Err(StoreError::NotFound { .. }) => {
                let (id, _is_sound) = owner_of_key(id);
                self.secrets.epoch_keys.forget(id);
                return Err(ArchiveError::NoKey(id));
            }
            other => other.doing("keeping the data key")?,
        };
        let (id, _is_sound) = owner_of_key(id);
        let epoch = key::wrapped_epoch(&bytes);
        let epoch = epoch.map_err(|source| ArchiveError::Key { id, source })?;
        Ok(Wrapped { epoch, bytes })
    }

    /// The data key of a recording; or that of its sound, by its name.
    pub(crate) fn data_key(&self, id: RecordingId) -> Result<DataKey, ArchiveError> {
        if let Some(data_key) = self.secrets.epoch_keys.in_memory(id) {
            return Ok(data_key);
        }
        let wrapped = match self.keys.get(id) {
            Err(StoreError::NotFound { .. }) => {
                return Err(match owner_of_key(id) {
                    (id, false) => ArchiveError::NoKey(id),
                    (id, true) => ArchiveError::NoSoundKey(id),
                });
            }
            other => other.doing("reading the data key")?,
        };
        self.open_data_key(id, &wrapped)
    }

    pub(super) fn open_data_key(
        &self,
        id: RecordingId,
        wrapped: &[u8],
    ) -> Result<DataKey, ArchiveError> {
        let (owner, _is_sound) = owner_of_key(id);
        let of = |source| ArchiveError::Key { id: owner, source };
        let epoch = key::wrapped_epoch(wrapped).map_err(of)?;
        let kek = self.epoch_key(epoch).map_err(|error| error.of(owner))?;
        key::unwrap_key(&[kek], id, wrapped).map_err(of)
    }

    /// The data key of a recording, where there is one that this process can open.
    pub(crate) fn data_key_if_here(
        &self,
        id: RecordingId,
    ) -> Result<Option<DataKey>, ArchiveError> {
        match self.data_key(id) {
            Err(ArchiveError::NoKey(_)) => Ok(None),
            Err(error) if error.is_public_only() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Opens the newest epoch with the master key, so that nothing has to later on, and signs the records from before
    /// they were signed. Errors: what is in the way; calls are recorded all the same, under a public key that is signed.
    pub fn open_newest_epoch(&self) -> Result<(), ArchiveError> {
        self.sign_epochs()?;
        let (newest, _record) = self.newest_epoch()?;
        match self.epoch_key(newest) {
            Ok(_kek) => Ok(()),
            Err(EpochKeyError::Archive(error)) => Err(error),
            Err(EpochKeyError::Key(_)) => Err(KeysError::NoMaster.into()),
        }
    }

    /// Errors: nothing here can wrap a data key, so no call could be recorded.
    pub fn check_newest_epoch(&self) -> Result<(), ArchiveError> {
        self.newest_epoch().map(|_newest| ())
    }

    /// Makes the first epoch of an archive that has none and no data key either: a new one, or one whose making was cut
    /// off. Errors: there are data keys, so an epoch was there.
    pub fn ensure_epoch(&self, now: Timestamp) -> Result<(), ArchiveError> {
        match self.newest_epoch() {
            Err(ArchiveError::Keys(KeysError::NoEpochs)) => {}
            other => return other.map(|_newest| ()),
        }
        let keys = self.keys.list().doing("listing keys")?;
        if keys.is_empty() {
            self.new_epoch(now).map(|_epoch| ())
        } else {
            Err(KeysError::Damaged("epoch-*".to_owned()).into())
        }
    }

    /// Whether this process can open recordings. One that has only a public key can record.
    #[must_use]
    pub const fn can_open(&self) -> bool {
        !self.secrets.epoch_keys.is_public_only()
    }
}

/// The keys of all epochs that a master key opens: for whoever looks at an archive from outside.
pub fn open_epochs(
    keys: &dyn Keys,
    master: &dyn Master,
) -> Result<Vec<KeyEncryptionKey>, ArchiveError> {
    let names = keys.records().doing("listing the keys of epochs")?;
    let mut opened = Vec::new();
    for name in names.iter().filter(|name| record::epoch_of(name).is_some()) {
        let bytes = keys.record(name).doing("reading the key of an epoch")?;
        let record = EpochRecord::from_bytes(name, &bytes);
        opened.extend(record.and_then(|record| record.open(master)));
    }
    Ok(opened)
}

/// What a kept record says of an epoch: which one it is, and its key if there is a master key to open it. `None` for a
/// record of something else.
///
/// Errors: it is damaged, or another master key wrapped it.
pub(crate) fn epoch_in(
    name: &str,
    bytes: &[u8],
    master: Option<&dyn Master>,
) -> Result<Option<(u32, Option<KeyEncryptionKey>)>, KeysError> {
    let Some(epoch) = record::epoch_of(name) else {
        return Ok(None);
    };
    let record = EpochRecord::from_bytes(name, bytes)?;
    let kek = master.map(|master| record.open(master)).transpose()?;
    Ok(Some((epoch, kek)))
}

/// A data key as it is kept.
pub(crate) struct Wrapped {
    epoch: u32,
    bytes: Vec<u8>,
}

/// Why a data key was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutKeyError {
    #[error("there is a key already")]
    Exists,
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Why the key of an epoch is not here.
#[derive(Debug, thiserror::Error)]
pub(super) enum EpochKeyError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl EpochKeyError {
    /// The same, of one recording.
    pub(super) fn of(self, id: RecordingId) -> ArchiveError {
        match self {
            Self::Key(source) => ArchiveError::Key { id, source },
            Self::Archive(error) => error,
        }
    }
}
