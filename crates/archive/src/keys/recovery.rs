//! The recovery set: three sheets of paper, of which any two open the keys of all epochs when the master key is lost.
//!
//! The sheets hold a private key of their own, not the master key: so a master key that never leaves its token can have
//! one too, a new epoch comes under the set without the sheets, and what is on paper stays good when the master key
//! changes. It counts when two sheets were typed back.

use super::record::{By, Hex, Slot, opened_by, set_name};
use super::shares::{self, SECRET_BYTES};
use super::{KeysError, Master, MasterError, Sheet, SheetError};
use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::digest::sha256;
use voicelog_evidence::key::KeyEncryptionKey;
use voicelog_evidence::sealing::{self, OpeningKey, SealingKey};
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::Timestamp;
use voicelog_store::{Keys, StoreError};
use zeroize::Zeroizing;

/// In version 1 nothing bound it to the master key: such a set is made anew.
const VERSION: u32 = 2;
/// What the record's hash is wrapped for.
const BOUND: &str = "recovery-set";
/// The record of the set that counts.
const CONFIRMED: &str = "recovery";
/// The record of a set whose sheets were not typed back yet.
const WAITING: &str = "recovery-new";
/// The archive's other secrets, sealed to the set.
const SECRETS: &str = "recovery-secrets";
const SECRETS_INFO: &[u8] = b"voicelog/v1/recovery-secrets";

/// A recovery set, as far as the archive has it: its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySet {
    /// Its name, as it stands on the sheets.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When two of its sheets were typed back.
    pub confirmed_at: Option<Timestamp>,
}

/// Three new sheets. They are nowhere else: who does not print them has nothing.
#[derive(Debug)]
pub struct Sheets {
    /// The name of the set.
    pub name: String,
    /// The sheets 1, 2 and 3.
    pub sheets: Vec<Sheet>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetRecord {
    version: u32,
    public_key: Hex,
    created_at: Timestamp,
    confirmed_at: Option<Timestamp>,
    /// The hash of the rest, wrapped by the master key: else whoever can write here could have every further epoch
    /// sealed to himself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bound: Vec<Slot>,
}

/// What was opened with two sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Epochs that are under the new master key, and under no other.
    pub epochs: u64,
    /// Epochs that the sheets do not open, by the name of their record, with why. They are as they were.
    pub closed: Vec<(String, String)>,
}

impl SetRecord {
    fn read(keys: &dyn Keys, name: &str) -> Result<Option<Self>, ArchiveError> {
        let bytes = match keys.record(name) {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            other => other.doing("reading the recovery set")?,
        };
        let damaged = || KeysError::Damaged(name.to_owned());
        let record: Self = from_canonical(&bytes).map_err(|_text| damaged())?;
        if !(1..=VERSION).contains(&record.version) || record.public_key.0.len() != SECRET_BYTES {
            return Err(damaged().into());
        }
        Ok(Some(record))
    }

    fn key(&self) -> SealingKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(&self.public_key.0) {
            *to = *from;
        }
        SealingKey(key)
    }

    /// What is bound.
    fn hash(&self) -> Result<[u8; 32], ArchiveError> {
        let unbound = Self {
            bound: Vec::new(),
            ..self.clone()
        };
        Ok(sha256(&canonical_json(&unbound)?))
    }

    /// Binds it to a master key, beside those that it is bound to.
    fn bind(&mut self, master: &dyn Master) -> Result<(), ArchiveError> {
        let hash = self.hash()?;
        let by = By::Master(master.name().map_err(KeysError::from)?);
        let wrapped = master.wrap(BOUND, &hash).map_err(KeysError::from)?;
        self.bound.retain(|slot| slot.by != by);
        let wrapped = Hex(wrapped);
        self.bound.push(Slot { by, wrapped });
        Ok(())
    }

    /// Whether this master key vouches for it. Errors: it cannot be reached.
    fn is_bound(&self, master: &dyn Master) -> Result<bool, ArchiveError> {
        match opened_by(&self.bound, BOUND, master) {
            Ok(hash) => Ok(match hash {
                Some(hash) => *hash == self.hash()?,
                None => false,
            }),
            Err(MasterError::NotAuthentic) => Ok(false),
            Err(error) => Err(KeysError::from(error).into()),
        }
    }

    fn told(&self) -> RecoverySet {
        RecoverySet {
            name: set_name(&self.key()),
            created_at: self.created_at,
            confirmed_at: self.confirmed_at,
        }
    }
}

/// The private key that two sheets of one set give.
pub fn key_of_sheets(one: &Sheet, two: &Sheet) -> Result<OpeningKey, SheetError> {
    if one.set != two.set {
        return Err(SheetError::OtherSet);
    }
    if one.number == two.number {
        return Err(SheetError::Same);
    }
    let secret = shares::combine((one.number, &one.share), (two.number, &two.share));
    let bytes: Result<[u8; SECRET_BYTES], _> = secret.as_slice().try_into();
    let key = OpeningKey::from_random(bytes.map_err(|_length| SheetError::Mixed)?);
    if set_bytes(&key.sealing_key()) == one.set {
        Ok(key)
    } else {
        Err(SheetError::Mixed)
    }
}

/// What says on a sheet which set it is of.
fn set_bytes(key: &SealingKey) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&key.0);
    [a, b, c, d]
}

/// The secrets that the archive was opened with when the set was confirmed, opened with the key of two sheets:
/// for a machine that has the key store, and no secrets. The bytes are the caller's own.
pub fn secrets_under_set(
    keys: &dyn Keys,
    key: &OpeningKey,
) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    let sealed = match keys.record(SECRETS) {
        Err(StoreError::NotFound { .. }) => return Err(KeysError::NotUnderSet.into()),
        other => other.doing("reading what the recovery set opens")?,
    };
    let name = set_name(&key.sealing_key());
    key.open(SECRETS_INFO, name.as_bytes(), &sealed)
        .ok_or_else(|| KeysError::OtherSet.into())
}

impl Archive {
    /// Makes a set of three sheets. It takes the place of one that waits to be confirmed; one that counts goes on
    /// counting until this one does.
    pub fn new_recovery_set(&self, now: Timestamp) -> Result<Sheets, ArchiveError> {
        let _turn = self.key_turn("voicelog keys recovery create")?;
        self.secrets.epoch_keys.master()?;
        let secret = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
        let slope = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
        let public = OpeningKey::from_random(*secret).sealing_key();
        let record = SetRecord {
            version: VERSION,
            public_key: Hex(public.0.to_vec()),
            created_at: now,
            confirmed_at: None,
            bound: Vec::new(),
        };
        self.put_record(WAITING, &canonical_json(&record)?)?;
        let sheets = (1..=3).map(|number| {
            let mut share = [0; SECRET_BYTES];
            share.copy_from_slice(&shares::share(secret.as_slice(), slope.as_slice(), number));
            Sheet {
                set: set_bytes(&public),
                number,
                share,
            }
        });
        Ok(Sheets {
            name: set_name(&public),
            sheets: sheets.collect(),
        })
    }

    /// Two sheets were typed back: from now on the set counts. Every epoch comes under it, and `secrets` (the archive's
    /// other secrets, in a form of the caller's) with them; the set before counts no more.
    pub fn confirm_recovery_set(
        &self,
        one: &Sheet,
        two: &Sheet,
        secrets: &[u8],
        now: Timestamp,
    ) -> Result<RecoverySet, ArchiveError> {
        let key = key_of_sheets(one, two).map_err(KeysError::from)?;
        let public = key.sealing_key();
        let _turn = self.key_turn("voicelog keys recovery confirm")?;
        let mut record = SetRecord::read(&*self.keys, WAITING)?.ok_or(KeysError::NoSet)?;
        if record.key() != public {
            return Err(KeysError::OtherSet.into());
        }
        let master = self.secrets.epoch_keys.master()?;
        let epochs = self.epochs()?.ours;
        if epochs.is_empty() {
            return Err(KeysError::NoEpochs.into());
        }
        for epoch in &epochs {
            let kek = epoch.open(master)?;
            self.change_record(epoch.epoch, |record| record.put_under_set(&kek, &public))?;
        }
        let name = set_name(&public);
        let random = random::bytes()?;
        let sealed = sealing::seal(&public, SECRETS_INFO, name.as_bytes(), secrets, random);
        self.put_record(SECRETS, &sealed.map_err(|_no_key| KeysError::OtherSet)?)?;
        record.version = VERSION;
        record.confirmed_at = Some(now);
        record.bind(master)?;
        self.put_record(CONFIRMED, &canonical_json(&record)?)?;
        // While it still waits: cut off here, it can be confirmed again.
        self.tell_once(CONFIRMED, LeafKind::KeyCreated, CONFIRMED, &name, now)?;
        for epoch in &epochs {
            self.change_record(epoch.epoch, |record| {
                record.only_under_set(&public);
                Ok(())
            })?;
        }
        self.keys
            .destroy_record(WAITING)
            .doing("keeping the recovery set")?;
        Ok(record.told())
    }

    /// Opens what opens with two sheets, and puts it under a new master key, and under no other: the one that was lost
    /// may be in somebody's hands. What is damaged keeps nothing else closed.
    ///
    /// Errors: no epoch opens.
    pub fn open_with_sheets(
        &self,
        one: &Sheet,
        two: &Sheet,
        new: &dyn Master,
        now: Timestamp,
    ) -> Result<Recovered, ArchiveError> {
        let key = key_of_sheets(one, two).map_err(KeysError::from)?;
        let _turn = self.key_turn("voicelog keys recovery use")?;
        let (mut opened, mut closed) = (Vec::new(), Vec::new());
        for (name, outcome) in self.epochs_under_set(&key)? {
            match outcome {
                Ok(kek) => opened.push(kek),
                Err(why) => closed.push((name, why)),
            }
        }
        if opened.is_empty() {
            return Err(match closed.pop() {
                Some((_name, why)) => why,
                None => KeysError::NoEpochs,
            }
            .into());
        }
        for kek in &opened {
            self.change_record(kek.epoch(), |record| record.put_under(kek, new))?;
        }
        // Who has its sheets has the set: it is bound to the new key, as it was to the one that was lost.
        if let Some(mut record) = SetRecord::read(&*self.keys, CONFIRMED)?
            && record.key() == key.sealing_key()
        {
            record.version = VERSION;
            record.bound = Vec::new();
            record.bind(new)?;
            self.put_record(CONFIRMED, &canonical_json(&record)?)?;
        }
        let epochs: Vec<u32> = opened.iter().map(KeyEncryptionKey::epoch).collect();
        self.only_under(new, &epochs, now)?;
        let closed = closed
            .into_iter()
            .map(|(name, why)| (name, why.to_string()));
        Ok(Recovered {
            epochs: epochs.len() as u64,
            closed: closed.collect(),
        })
    }

    /// Binds the set that counts to another master key as well; [`Archive::only_under`] leaves that one alone.
    pub(super) fn hand_over_set(
        &self,
        former: &dyn Master,
        new: &dyn Master,
    ) -> Result<(), ArchiveError> {
        let Some(mut record) = SetRecord::read(&*self.keys, CONFIRMED)? else {
            return Ok(());
        };
        // One that nobody vouches for stays what it is.
        if record.is_bound(former)? {
            record.bind(new)?;
            self.put_record(CONFIRMED, &canonical_json(&record)?)?;
        }
        Ok(())
    }

    /// Takes the set from under every master key but this one.
    pub(super) fn set_only_under(&self, master: &dyn Master) -> Result<(), ArchiveError> {
        let Some(mut record) = SetRecord::read(&*self.keys, CONFIRMED)? else {
            return Ok(());
        };
        let kept = By::Master(master.name().map_err(KeysError::from)?);
        let is_other = |slot: &Slot| slot.by != kept;
        if record.bound.iter().any(is_other) && !record.bound.iter().all(is_other) {
            record.bound.retain(|slot| !is_other(slot));
            self.put_record(CONFIRMED, &canonical_json(&record)?)?;
        }
        Ok(())
    }

    /// The name of the set that counts, as the log was told.
    fn told_set(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.index.log_mark(CONFIRMED).doing("reading the log")
    }

    /// Whether the log was told of another set since: then somebody put a former one back.
    fn is_former_set(&self, record: &SetRecord) -> Result<bool, ArchiveError> {
        let name = set_name(&record.key());
        Ok(self.told_set()?.is_some_and(|told| told != name.as_bytes()))
    }

    /// The public key of the set that counts. Errors: the master key does not vouch for it, or it is a former one.
    pub(super) fn confirmed_set(&self) -> Result<Option<SealingKey>, ArchiveError> {
        let Some(record) = SetRecord::read(&*self.keys, CONFIRMED)? else {
            return Ok(None);
        };
        let is_bound = record.is_bound(self.secrets.epoch_keys.master()?)?;
        match is_bound && !self.is_former_set(&record)? {
            true => Ok(Some(record.key())),
            false => Err(KeysError::ForeignSet(set_name(&record.key())).into()),
        }
    }

    /// The name of the record of the set that counts, where the master key does not vouch for it, or where it is gone
    /// or a former one by what the log was told. A process that cannot ask the master key knows only the latter.
    pub(super) fn odd_recovery_set(&self) -> Result<Option<String>, ArchiveError> {
        let odd = || Ok(Some(CONFIRMED.to_owned()));
        let record = match SetRecord::read(&*self.keys, CONFIRMED) {
            Ok(Some(record)) => record,
            Ok(None) if self.told_set()?.is_some() => return odd(),
            Ok(None) => return Ok(None),
            Err(ArchiveError::Keys(KeysError::Damaged(_))) => return odd(),
            Err(error) => return Err(error),
        };
        if self.is_former_set(&record)? {
            return odd();
        }
        let Ok(master) = self.secrets.epoch_keys.master() else {
            return Ok(None);
        };
        // A server goes on with the former master key until its next start, and is no judge.
        let told = self.told_master()?;
        let is_of_now = |name: String| told.as_ref().is_none_or(|told| *told == name);
        if !master.name().is_ok_and(is_of_now) {
            return Ok(None);
        }
        let seen = sha256(&canonical_json(&record)?);
        let mut known = self.secrets.epoch_keys.set_seen();
        if *known == Some(seen) {
            return Ok(None);
        }
        match record.is_bound(master) {
            Ok(true) => *known = Some(seen),
            Ok(false) => return odd(),
            // The token is away.
            Err(ArchiveError::Keys(KeysError::Master(MasterError::Unavailable(_)))) => {}
            Err(ArchiveError::Keys(KeysError::Master(_))) => return odd(),
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// The set that counts, and the one that waits.
    pub(super) fn recovery_sets(
        &self,
    ) -> Result<(Option<RecoverySet>, Option<RecoverySet>), ArchiveError> {
        let read = |name| SetRecord::read(&*self.keys, name);
        let told = |record: Option<SetRecord>| record.map(|record| record.told());
        Ok((told(read(CONFIRMED)?), told(read(WAITING)?)))
    }

    fn put_record(&self, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        let before = match self.keys.record(name) {
            Err(StoreError::NotFound { .. }) => None,
            other => Some(other.doing("reading the recovery set")?),
        };
        let is_kept = self
            .keys
            .swap_record(name, before.as_deref(), bytes)
            .doing("keeping the recovery set")?;
        if is_kept {
            Ok(())
        } else {
            Err(KeysError::Busy.into())
        }
    }
}

#[cfg(test)]
#[path = "recovery_golden.rs"]
mod golden;
