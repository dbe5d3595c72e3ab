//! New epochs, data keys wrapped again, epochs destroyed, another master key.
//!
//! Every step is durable before the next, and each can be done again from the start: a crash leaves more keys than are
//! needed, never fewer.

use super::record::{self, By, EpochRecord};
use super::{KeysError, Master};
use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use std::collections::BTreeMap;
use voicelog_evidence::key::{self, KeyEncryptionKey};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::{StoreError, Turn};

/// What wrapping data keys again came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rewrapped {
    /// The epoch that all of them are under now.
    pub epoch: u32,
    /// Data keys that were wrapped again.
    pub moved: u64,
    /// Recordings of which a key does not open, with why. Its epoch stays.
    pub stuck: Vec<(RecordingId, String)>,
    /// Epochs that nothing is under any more, and that are gone.
    pub destroyed: Vec<u32>,
    /// The epoch of the key that lay in the open is one that nothing is under any more. Whoever has its file
    /// destroys it, and then calls [`Archive::tell_retired`].
    pub given_unused: Option<u32>,
}

/// Name of the setting that says which epochs were over before the archive was restored.
const FLOOR: &str = "keys/epoch-floor";

/// Name of the setting with the master key that the file of secrets was written with.
const KEPT_SECRETS: &str = "keys/kept-secrets";
/// What the log was told of the master key last, by this name of a mark.
pub const MASTER_MARK: &str = "master";

/// Under which name of a mark the log was told that an epoch was destroyed.
fn retired_mark(epoch: u32) -> String {
    format!("retired-{epoch}")
}

/// Tries to change one record before somebody else is said to be at it.
const TRIES: usize = 8;

impl Archive {
    /// Makes an epoch: data keys of new recordings come under it from now on. Those of others stay where they are
    /// until [`Archive::rewrap`].
    ///
    /// Errors: another command is at work on the keys; the master key does not open the newest epoch; the recovery set
    /// is not one that this master key vouches for.
    pub fn new_epoch(&self, now: Timestamp) -> Result<u32, ArchiveError> {
        let _turn = self.key_turn("voicelog keys rotate")?;
        let master = self.secrets.epoch_keys.master()?;
        self.sign_those_of(master)?;
        // A master key that does not open what is there is the wrong one. Where nothing is left to open, the log says.
        match self.newest_epoch() {
            Ok((_newest, Some(newest))) => drop(newest.open(master)?),
            Ok((_, None)) | Err(ArchiveError::Keys(KeysError::NoEpochs)) => {}
            Err(ArchiveError::Keys(KeysError::NotVouched)) if self.is_told(master)? => {}
            Err(error) => return Err(error),
        }
        let set = self.confirmed_set()?;
        for epoch in self.free_numbers()? {
            let kek = KeyEncryptionKey::new(epoch, random::bytes()?);
            let mut record = EpochRecord::new(&kek, now);
            record.put_under(&kek, master)?;
            if let Some(set) = &set {
                record.put_under_set(&kek, set)?;
            }
            // What cannot be opened again must not wrap anything.
            record.open(master)?;
            if self.swap(&record::name_of(epoch), None, record)? {
                self.secrets.epoch_keys.remember(&kek);
                self.tell_created(&kek, now)?;
                return Ok(epoch);
            }
        }
        Err(KeysError::NoNumber.into())
    }

    /// Numbers that no epoch of this archive has or had, as far as it and its log know, the lowest first. What a stranger
    /// put there uses up its own number and no other.
    fn free_numbers(&self) -> Result<impl Iterator<Item = u32>, ArchiveError> {
        let given = self.secrets.epoch_keys.given_key();
        let newest = self.epochs()?.ours.last().map_or(0, |record| record.epoch);
        let given = given.map_or(0, KeyEncryptionKey::epoch);
        let mut highest = newest.max(given).max(self.epoch_floor()?);
        while let Some(next) = highest.checked_add(1)
            && self.log_knows(next)?
        {
            highest = next;
        }
        Ok((highest..=u32::MAX).skip(1))
    }

    pub(super) fn log_knows(&self, epoch: u32) -> Result<bool, ArchiveError> {
        let mark = self.index.log_mark(&format!("epoch-{epoch}"));
        Ok(mark.doing("reading the log")?.is_some())
    }

    /// Whether the log was told that this epoch was destroyed.
    pub(super) fn is_retired(&self, epoch: u32) -> Result<bool, ArchiveError> {
        let mark = self.index.log_mark(&retired_mark(epoch));
        Ok(mark.doing("reading the log")?.is_some())
    }

    /// Epochs up to this number were in use before the archive was restored, and may not be used any more.
    fn epoch_floor(&self) -> Result<u32, ArchiveError> {
        let kept = self.index.setting(FLOOR).doing("reading a setting")?;
        let text = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Takes from the leaves of the log, as others kept it, how far the epochs were when this archive was restored from
    /// an older copy: the copy brought epochs back that may be over.
    pub(crate) fn raise_epoch_floor(
        &self,
        leaves: impl Iterator<Item = Leaf>,
    ) -> Result<(), ArchiveError> {
        let of_epochs =
            leaves.filter(|leaf| matches!(leaf.kind, LeafKind::KeyCreated | LeafKind::KeyRetired));
        let told = of_epochs.filter_map(|leaf| leaf.object.strip_prefix("epoch-")?.parse().ok());
        let told: u32 = told.max().unwrap_or(0);
        let here = self.newest_epoch().map_or(0, |(newest, _record)| newest);
        if told > here.max(self.epoch_floor()?) {
            let floor = told.to_string();
            let kept = self.index.set_setting(FLOOR, floor.as_bytes());
            kept.doing("noting which epochs are over")?;
        }
        Ok(())
    }

    /// Whether the newest epoch is one that was over before the archive was restored from an older copy: then a new one
    /// has to be made before anything is recorded.
    pub fn is_epoch_over(&self) -> Result<bool, ArchiveError> {
        Ok(self.newest_epoch()?.0 <= self.epoch_floor()?)
    }

    /// The turn to change the keys above the data keys.
    pub(super) fn key_turn(&self, who: &str) -> Result<Turn, ArchiveError> {
        self.keys.turn(who, false).doing("changing the keys")
    }

    /// Signs the epochs from before records were signed.
    pub(super) fn sign_epochs(&self) -> Result<(), ArchiveError> {
        let verifier = self.secrets.signing_key.verifier();
        let Ok(master) = self.secrets.epoch_keys.master() else {
            return Ok(());
        };
        let is_unsigned = |record: &EpochRecord| !record.is_signed(&verifier);
        if self.epochs()?.ours.iter().any(is_unsigned) {
            let _turn = self.key_turn("voicelog serve")?;
            self.sign_those_of(master)?;
        }
        Ok(())
    }

    /// Signs what the master key opens and that is not signed.
    fn sign_those_of(&self, master: &dyn Master) -> Result<(), ArchiveError> {
        let verifier = self.secrets.signing_key.verifier();
        for record in self.epochs()?.ours {
            if !record.is_signed(&verifier) && record.open(master).is_ok() {
                let before = record.to_bytes()?;
                self.swap(&record::name_of(record.epoch), Some(&before), record)?;
            }
        }
        Ok(())
    }

    pub(super) fn wrapped_keys(&self) -> Result<Vec<(RecordingId, Vec<u8>)>, ArchiveError> {
        let mut found = Vec::new();
        for id in self.keys.list().doing("listing keys")? {
            match self.keys.get(id) {
                Ok(wrapped) => found.push((id, wrapped)),
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error).doing("reading a data key"),
            }
        }
        Ok(found)
    }

    /// How many data keys are under each epoch.
    pub(super) fn data_keys_by_epoch(&self) -> Result<BTreeMap<u32, u64>, ArchiveError> {
        let mut counts = BTreeMap::new();
        for (_id, wrapped) in self.wrapped_keys()? {
            // One that names no epoch is under none.
            if let Ok(epoch) = key::wrapped_epoch(&wrapped) {
                *counts.entry(epoch).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Wraps every data key again under the newest epoch, then destroys the epochs that nothing is under any more:
    /// with them everything that copies of the older wrapped keys could open. May run beside a server, and again
    /// after a crash.
    pub fn rewrap(&self, now: Timestamp) -> Result<Rewrapped, ArchiveError> {
        let _turn = self.key_turn("voicelog keys rewrap")?;
        if let Ok(master) = self.secrets.epoch_keys.master() {
            self.sign_those_of(master)?;
        }
        let (newest, record) = self.newest_epoch()?;
        if record.is_none() {
            return Err(KeysError::NoEpochs.into());
        }
        let kek = self
            .epoch_key(newest)
            .map_err(|_error| KeysError::NoMaster)?;
        let mut done = Rewrapped {
            epoch: newest,
            ..Rewrapped::default()
        };
        for (id, wrapped) in self.wrapped_keys()? {
            let is_there = key::wrapped_epoch(&wrapped) == Ok(newest) && !key::is_sealed(&wrapped);
            if is_there {
                continue;
            }
            match self.open_data_key(id, &wrapped) {
                Ok(data_key) => {
                    let again = key::wrap(&kek, &data_key, id, random::bytes()?);
                    // False: it was destroyed meanwhile, and stays so.
                    let moved = self.keys.replace(id, &wrapped, &again);
                    done.moved += u64::from(moved.doing("wrapping a data key again")?);
                }
                Err(error) => {
                    let why = voicelog_model::error::chain(&error).to_string();
                    done.stuck.push((key::owner_of_key(id).0, why));
                }
            }
        }
        self.destroy_unused(newest, &mut done)?;
        self.tell_retired(&[], now)?;
        Ok(done)
    }

    /// Destroys the epochs before the newest that no data key is under. New ones come under the newest since it has a
    /// record, so what is not there now will not be.
    fn destroy_unused(&self, newest: u32, done: &mut Rewrapped) -> Result<(), ArchiveError> {
        let wrapped = self.wrapped_keys()?;
        let names_none = |(_id, wrapped): &(_, Vec<u8>)| key::wrapped_epoch(wrapped).is_err();
        if wrapped.iter().any(names_none) {
            // It may be under any of them.
            return Ok(());
        }
        let under = self.data_keys_by_epoch()?;
        let is_unused = |epoch: u32| epoch < newest && !under.contains_key(&epoch);
        for record in self.epochs()?.ours {
            if is_unused(record.epoch) {
                self.keys
                    .destroy_record(&record::name_of(record.epoch))
                    .doing("destroying the key of an epoch")?;
                done.destroyed.push(record.epoch);
            }
        }
        let given = self.secrets.epoch_keys.given_key();
        done.given_unused = given
            .map(KeyEncryptionKey::epoch)
            .filter(|epoch| is_unused(*epoch));
        Ok(())
    }

    /// Tells the log of every epoch that it was told of, and that is gone. `gone` is one that lay in the open, and
    /// whose file was just destroyed.
    pub fn tell_retired(&self, gone: &[u32], now: Timestamp) -> Result<(), ArchiveError> {
        let newest = self.epochs()?.ours.last().map(|record| record.epoch);
        let Some(newest) = newest else {
            return Ok(());
        };
        // By name: one that is damaged was not destroyed.
        let numbers = self.epoch_numbers()?;
        let given = self.secrets.epoch_keys.given_key();
        let given = given.map(KeyEncryptionKey::epoch);
        for epoch in 1..newest {
            let is_here =
                numbers.contains(&epoch) || (given == Some(epoch) && !gone.contains(&epoch));
            let object = format!("epoch-{epoch}");
            let created = self.index.log_mark(&object).doing("reading the log")?;
            if let (false, Some(fingerprint)) = (is_here, created) {
                let fingerprint = String::from_utf8_lossy(&fingerprint).into_owned();
                let mark = retired_mark(epoch);
                self.tell_once(&mark, LeafKind::KeyRetired, &object, &fingerprint, now)?;
            }
        }
        Ok(())
    }

    /// Puts every epoch under another master key, and then takes it from under all others. `former` is the one that
    /// opens them now; after a crash both do, and this is done again.
    pub fn change_master(&self, new: &dyn Master, now: Timestamp) -> Result<u64, ArchiveError> {
        let _turn = self.key_turn("voicelog keys rotate --master")?;
        let former = self.secrets.epoch_keys.master()?;
        let mut epochs = Vec::new();
        // Until the last of them opens with the new one, all of them open with the former.
        for record in self.epochs()?.ours {
            let kek = record.open(former).or_else(|_other| record.open(new))?;
            self.change_record(record.epoch, |record| record.put_under(&kek, new))?;
            epochs.push(record.epoch);
        }
        if epochs.is_empty() {
            return Err(KeysError::NoEpochs.into());
        }
        self.hand_over_set(former, new)?;
        self.only_under(new, &epochs, now)?;
        Ok(epochs.len() as u64)
    }

    /// Takes these epochs from under all master keys but this one, once it is sure that this one opens all of them.
    pub(super) fn only_under(
        &self,
        master: &dyn Master,
        epochs: &[u32],
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let mut records = self.epochs()?.ours;
        records.retain(|record| epochs.contains(&record.epoch));
        for record in &records {
            record.open(master)?;
        }
        let kept = By::Master(master.name().map_err(KeysError::from)?);
        for record in &records {
            self.change_record(record.epoch, |record| {
                let slots = &mut record.slots;
                slots.retain(|slot| matches!(slot.by, By::Recovery(_)) || slot.by == kept);
                Ok(())
            })?;
        }
        self.set_only_under(master)?;
        self.tell_master(master, now)
    }

    /// Notes that the archive's secrets were written into a file, with the master key of now.
    pub fn note_kept_secrets(&self) -> Result<(), ArchiveError> {
        let told = self.told_master()?.unwrap_or_default();
        let kept = self.index.set_setting(KEPT_SECRETS, told.as_bytes());
        kept.doing("noting the file of secrets")
    }

    /// Whether the master key was changed since the archive's secrets were last written into a file: the file, and the
    /// backups that were made with it, need the former one.
    pub fn are_kept_secrets_old(&self) -> Result<bool, ArchiveError> {
        let kept = self.index.setting(KEPT_SECRETS);
        let kept = kept.doing("reading a setting")?;
        let told = self.told_master()?.unwrap_or_default();
        Ok(kept.is_some_and(|kept| kept != told.as_bytes()))
    }

    /// Whether this is the master key that everything is under, as the log was told.
    fn is_told(&self, master: &dyn Master) -> Result<bool, ArchiveError> {
        let name = master.name().map_err(KeysError::from)?;
        Ok(self.told_master()? == Some(name))
    }

    /// The name of the master key that everything is under, as the log was told.
    pub fn told_master(&self) -> Result<Option<String>, ArchiveError> {
        let told = self.index.log_mark(MASTER_MARK).doing("reading the log")?;
        Ok(told.and_then(|name| String::from_utf8(name).ok()))
    }

    /// Changes the record of an epoch, whoever else changes it at the same time.
    pub(super) fn change_record(
        &self,
        epoch: u32,
        change: impl Fn(&mut EpochRecord) -> Result<(), KeysError>,
    ) -> Result<(), ArchiveError> {
        let name = record::name_of(epoch);
        for _try in 0..TRIES {
            let bytes = match self.keys.record(&name) {
                // It was destroyed meanwhile.
                Err(StoreError::NotFound { .. }) => return Ok(()),
                other => other.doing("reading the key of an epoch")?,
            };
            let before = EpochRecord::from_bytes(&name, &bytes)?;
            let mut after = before.clone();
            change(&mut after)?;
            if after == before || self.swap(&name, Some(&bytes), after)? {
                return Ok(());
            }
        }
        Err(KeysError::Busy.into())
    }

    /// Keeps a record, with the archive's signature.
    fn swap(
        &self,
        name: &str,
        before: Option<&[u8]>,
        mut after: EpochRecord,
    ) -> Result<bool, ArchiveError> {
        after.sign(&self.secrets.signing_key)?;
        self.keys
            .swap_record(name, before, &after.to_bytes()?)
            .doing("keeping the key of an epoch")
    }

    /// Tells the log of an epoch by the fingerprint of its key.
    pub(crate) fn tell_created(
        &self,
        kek: &KeyEncryptionKey,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let epoch = format!("epoch-{}", kek.epoch());
        let fingerprint = kek.fingerprint().to_string();
        self.tell_once(&epoch, LeafKind::KeyCreated, &epoch, &fingerprint, now)
    }

    /// Tells the log of the newest epoch, and of the master key that wraps it. Nothing of what this process cannot
    /// open: whoever made it told it.
    pub(crate) fn tell_of_keys(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let (newest, record) = self.newest_epoch()?;
        if let Ok(kek) = self.epoch_key(newest) {
            self.tell_created(&kek, now)?;
        }
        match self.secrets.epoch_keys.master() {
            // The former one opens nothing any more. A token that is away is told of when it is back.
            Ok(master) if record.is_some_and(|record| record.open(master).is_ok()) => {
                self.tell_master(master, now)
            }
            _ => Ok(()),
        }
    }

    fn tell_master(&self, master: &dyn Master, now: Timestamp) -> Result<(), ArchiveError> {
        let name = master.name().map_err(KeysError::from)?;
        self.tell_once(MASTER_MARK, LeafKind::KeyCreated, "master", &name, now)
    }
}
