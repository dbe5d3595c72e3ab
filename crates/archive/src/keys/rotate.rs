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
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::StoreError;

/// What wrapping data keys again came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rewrapped {
    /// The epoch that all of them are under now.
    pub epoch: u32,
    /// Data keys that were wrapped again.
    pub moved: u64,
    /// Data keys that do not open, with why. Their epoch stays.
    pub stuck: Vec<(RecordingId, String)>,
    /// Epochs that nothing is under any more, and that are gone.
    pub destroyed: Vec<u32>,
    /// The epoch of the key that lay in the open is one that nothing is under any more. Whoever has its file
    /// destroys it, and then calls [`Archive::tell_retired`].
    pub given_unused: Option<u32>,
}

/// Tries to change one record before somebody else is said to be at it.
const TRIES: usize = 8;

impl Archive {
    /// Makes an epoch: data keys of new recordings come under it from now on. Those of others stay where they are
    /// until [`Archive::rewrap`].
    pub fn new_epoch(&self, now: Timestamp) -> Result<u32, ArchiveError> {
        let master = self.secrets.epoch_keys.master()?;
        // A master key that does not open what is there is the wrong one.
        if let Some(newest) = self.epoch_records()?.last() {
            newest.open(master)?;
        }
        for _try in 0..TRIES {
            let epoch = self.highest_epoch()?.saturating_add(1);
            let kek = KeyEncryptionKey::new(epoch, random::bytes()?);
            let mut record = EpochRecord::new(&kek, now);
            record.put_under(&kek, master)?;
            if let Some(set) = self.confirmed_set()? {
                record.put_under_set(&kek, &set)?;
            }
            // What cannot be opened again must not wrap anything.
            record.open(master)?;
            if self.swap(&record::name_of(epoch), None, &record)? {
                self.secrets.epoch_keys.remember(&kek);
                self.tell_created(&kek, now)?;
                return Ok(epoch);
            }
        }
        Err(KeysError::Busy.into())
    }

    /// The highest number that any epoch has or had, as far as can be seen here.
    fn highest_epoch(&self) -> Result<u32, ArchiveError> {
        let records = self.epoch_records()?;
        let given = self.secrets.epoch_keys.given_key();
        let mut highest = records.last().map_or(0, |record| record.epoch);
        highest = highest.max(given.map_or(0, KeyEncryptionKey::epoch));
        for (_id, wrapped) in self.wrapped_keys()? {
            highest = highest.max(key::wrapped_epoch(&wrapped).unwrap_or(0));
        }
        Ok(highest)
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
                    done.stuck.push((id, why));
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
        for record in self.epoch_records()? {
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
        let records = self.epoch_records()?;
        let Some(newest) = records.last().map(|record| record.epoch) else {
            return Ok(());
        };
        let given = self.secrets.epoch_keys.given_key();
        let given = given.map(KeyEncryptionKey::epoch);
        for epoch in 1..newest {
            let is_here = records.iter().any(|record| record.epoch == epoch)
                || (given == Some(epoch) && !gone.contains(&epoch));
            let object = format!("epoch-{epoch}");
            let created = self.index.log_mark(&object).doing("reading the log")?;
            if let (false, Some(fingerprint)) = (is_here, created) {
                let fingerprint = String::from_utf8_lossy(&fingerprint).into_owned();
                let mark = format!("retired-{epoch}");
                self.tell_once(&mark, LeafKind::KeyRetired, &object, &fingerprint, now)?;
            }
        }
        Ok(())
    }

    /// Puts every epoch under another master key, and then takes it from under all others. `former` is the one that
    /// opens them now; after a crash both do, and this is done again.
    pub fn change_master(&self, new: &dyn Master, now: Timestamp) -> Result<u64, ArchiveError> {
        let former = self.secrets.epoch_keys.master()?;
        if self.epoch_records()?.is_empty() {
            return Err(KeysError::NoEpochs.into());
        }
        let mut changed = 0;
        // Until the last of them opens with the new one, all of them open with the former.
        for record in self.epoch_records()? {
            let kek = record.open(former).or_else(|_other| record.open(new))?;
            self.change_record(record.epoch, |record| record.put_under(&kek, new))?;
            changed += 1;
        }
        self.only_under(new, now)?;
        Ok(changed)
    }

    /// Takes every epoch from under all master keys but this one, once it is sure that this one opens all of them.
    pub(super) fn only_under(
        &self,
        master: &dyn Master,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let records = self.epoch_records()?;
        for record in &records {
            record.open(master)?;
        }
        let kept = By::Master(master.name());
        for record in &records {
            self.change_record(record.epoch, |record| {
                let slots = &mut record.slots;
                slots.retain(|slot| matches!(slot.by, By::Recovery(_)) || slot.by == kept);
                Ok(())
            })?;
        }
        self.tell_master(master, now)
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
            if after == before || self.swap(&name, Some(&bytes), &after)? {
                return Ok(());
            }
        }
        Err(KeysError::Busy.into())
    }

    fn swap(
        &self,
        name: &str,
        before: Option<&[u8]>,
        after: &EpochRecord,
    ) -> Result<bool, ArchiveError> {
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
        let (newest, _record) = self.newest_epoch()?;
        if let Ok(kek) = self.epoch_key(newest) {
            self.tell_created(&kek, now)?;
        }
        match self.secrets.epoch_keys.master() {
            Ok(master) if !self.epoch_records()?.is_empty() => self.tell_master(master, now),
            _ => Ok(()),
        }
    }

    fn tell_master(&self, master: &dyn Master, now: Timestamp) -> Result<(), ArchiveError> {
        self.tell_once(
            "master",
            LeafKind::KeyCreated,
            "master",
            &master.name(),
            now,
        )
    }
}
