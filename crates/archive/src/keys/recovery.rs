//! The recovery set: three sheets of paper, of which any two open the keys of all epochs when the master key is lost.
//!
//! The sheets hold a private key of their own, not the master key: so a master key that never leaves its token can have
//! one too, a new epoch comes under the set without the sheets, and what is on paper stays good when the master key
//! changes. It counts when two sheets were typed back.

use super::record::{Hex, set_name};
use super::shares::{self, SECRET_BYTES};
use super::{KeysError, Master, Sheet, SheetError};
use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::sealing::{self, OpeningKey, SealingKey};
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::Timestamp;
use voicelog_store::{Keys, StoreError};
use zeroize::Zeroizing;

const VERSION: u32 = 1;
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
}

impl SetRecord {
    fn read(keys: &dyn Keys, name: &str) -> Result<Option<Self>, ArchiveError> {
        let bytes = match keys.record(name) {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            other => other.doing("reading the recovery set")?,
        };
        let damaged = || KeysError::Damaged(name.to_owned());
        let record: Self = from_canonical(&bytes).map_err(|_text| damaged())?;
        if record.version != VERSION || record.public_key.0.len() != SECRET_BYTES {
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
    let [a, b, c, d, ..] = voicelog_evidence::digest::sha256(&key.0);
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
        self.secrets.epoch_keys.master()?;
        let secret = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
        let slope = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
        let public = OpeningKey::from_random(*secret).sealing_key();
        let record = SetRecord {
            version: VERSION,
            public_key: Hex(public.0.to_vec()),
            created_at: now,
            confirmed_at: None,
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
        let mut record = SetRecord::read(&*self.keys, WAITING)?.ok_or(KeysError::NoSet)?;
        if record.key() != public {
            return Err(KeysError::OtherSet.into());
        }
        let master = self.secrets.epoch_keys.master()?;
        let epochs = self.epoch_records()?;
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
        record.confirmed_at = Some(now);
        self.put_record(CONFIRMED, &canonical_json(&record)?)?;
        for epoch in &epochs {
            self.change_record(epoch.epoch, |record| {
                record.only_under_set(&public);
                Ok(())
            })?;
        }
        self.keys
            .destroy_record(WAITING)
            .doing("keeping the recovery set")?;
        self.tell_once("recovery", LeafKind::KeyCreated, "recovery", &name, now)?;
        Ok(record.told())
    }

    /// Opens every epoch with two sheets, and puts it under a new master key, and under no other: the one that was lost
    /// may be in somebody's hands.
    pub fn open_with_sheets(
        &self,
        one: &Sheet,
        two: &Sheet,
        new: &dyn Master,
        now: Timestamp,
    ) -> Result<u64, ArchiveError> {
        let key = key_of_sheets(one, two).map_err(KeysError::from)?;
        let mut opened = Vec::new();
        for epoch in self.epoch_records()? {
            opened.push(epoch.open_with_set(&key)?);
        }
        if opened.is_empty() {
            return Err(KeysError::NoEpochs.into());
        }
        for kek in &opened {
            self.change_record(kek.epoch(), |record| record.put_under(kek, new))?;
        }
        self.only_under(new, now)?;
        Ok(opened.len() as u64)
    }

    /// The public key of the set that counts.
    pub(super) fn confirmed_set(&self) -> Result<Option<SealingKey>, ArchiveError> {
        let record = SetRecord::read(&*self.keys, CONFIRMED)?;
        Ok(record.map(|record| record.key()))
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
