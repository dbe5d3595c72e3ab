//! What is kept of an epoch: canonical JSON in the key store, under the name `epoch-` and the number.

use super::{KeysError, Master, MasterError, vouch};
use crate::random;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::digest::hmac_sha256;
use voicelog_evidence::key::KeyEncryptionKey;
use voicelog_evidence::note::{SigningKey, VerifierKey};
use voicelog_evidence::sealing::{self, OpeningKey, SealingKey};
use voicelog_model::Timestamp;
use zeroize::Zeroizing;

/// In version 1 it had no signature.
const VERSION: u32 = 2;
/// How the names of these records begin.
const NAME: &str = "epoch-";
/// What the key of an epoch is sealed to a recovery set for.
const RECOVERY_INFO: &[u8] = b"voicelog/v1/recovery";

/// Bytes, in JSON as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|two| two.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        let bytes: Option<Vec<u8>> = digits.collect();
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("no hexadecimal digits"))
    }
}

/// Who can open the key of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// The master key of that name.
    Master(String),
    /// The recovery set with that public key, by its [`set_name`].
    Recovery(String),
}

/// The key of the epoch, wrapped for one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slot {
    pub(super) by: By,
    pub(super) wrapped: Hex,
}

/// One epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EpochRecord {
    pub(super) version: u32,
    pub(super) epoch: u32,
    pub(super) created_at: Timestamp,
    pub(super) public_key: Hex,
    pub(super) slots: Vec<Slot>,
    /// The archive's, over the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// Under which name the record of an epoch is kept.
pub(super) fn name_of(epoch: u32) -> String {
    format!("{NAME}{epoch:04}")
}

/// The epoch that a record of this name is of.
pub(super) fn epoch_of(name: &str) -> Option<u32> {
    let epoch = name.strip_prefix(NAME)?.parse().ok()?;
    Some(epoch).filter(|epoch| name_of(*epoch) == name)
}

/// A recovery set by its public key, shortened.
pub(super) fn set_name(key: &SealingKey) -> String {
    let drawn = hmac_sha256(&[0; 32], &[b"voicelog/v1/recovery-set", &key.0]);
    let hex = voicelog_evidence::Digest(drawn).to_hex();
    format!("set-{}", hex.chars().take(8).collect::<String>())
}

/// What a master key opens among these: what is under its name first, then the rest, since a token can have gone by another
/// name. Nothing where another one wrapped all of them.
pub(super) fn opened_by(
    slots: &[Slot],
    context: &str,
    master: &dyn Master,
) -> Result<Option<Zeroizing<[u8; 32]>>, MasterError> {
    let by = By::Master(master.name()?);
    let (own, others): (Vec<&Slot>, Vec<&Slot>) = slots
        .iter()
        .filter(|slot| matches!(slot.by, By::Master(_)))
        .partition(|slot| slot.by == by);
    for slot in own.into_iter().chain(others) {
        match master.unwrap(context, &slot.wrapped.0) {
            Ok(key) => return Ok(Some(key)),
            Err(MasterError::NotAuthentic | MasterError::Unclear(_)) if slot.by != by => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What the wrapping of an epoch's key is bound to.
fn context(epoch: u32) -> String {
    format!("epoch-key/{epoch}")
}

impl EpochRecord {
    /// A new epoch, that nobody can open yet.
    pub(super) fn new(kek: &KeyEncryptionKey, created_at: Timestamp) -> Self {
        Self {
            version: VERSION,
            epoch: kek.epoch(),
            created_at,
            public_key: Hex(kek.opening_key().sealing_key().0.to_vec()),
            slots: Vec::new(),
            signature: None,
        }
    }

    pub(super) fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, KeysError> {
        let damaged = || KeysError::Damaged(name.to_owned());
        let record: Self = from_canonical(bytes).map_err(|_text| damaged())?;
        let is_known = match record.version {
            1 => record.signature.is_none(),
            VERSION => record.signature.is_some(),
            _ => false,
        };
        if !is_known || name_of(record.epoch) != name {
            return Err(damaged());
        }
        Ok(record)
    }

    /// What is signed.
    fn body(&self) -> Result<Vec<u8>, KeysError> {
        let unsigned = Self {
            signature: None,
            ..self.clone()
        };
        unsigned.to_bytes()
    }

    /// Puts the archive's signature beneath it, as it is now.
    pub(super) fn sign(&mut self, key: &SigningKey) -> Result<(), KeysError> {
        self.version = VERSION;
        self.signature = Some(vouch::sign(key, &name_of(self.epoch), &self.body()?)?);
        Ok(())
    }

    /// Whether the archive signed it, as it is now.
    pub(super) fn is_signed(&self, key: &VerifierKey) -> bool {
        match (&self.signature, self.body()) {
            (Some(line), Ok(body)) => vouch::is_signed(key, &name_of(self.epoch), &body, line),
            _ => false,
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, KeysError> {
        canonical_json(self).map_err(|_text| KeysError::Damaged(name_of(self.epoch)))
    }

    /// The public key, which data keys are sealed to.
    pub(super) fn sealing_key(&self) -> Result<SealingKey, KeysError> {
        let bytes: Result<[u8; 32], _> = self.public_key.0.as_slice().try_into();
        bytes
            .map(SealingKey)
            .map_err(|_length| KeysError::Damaged(name_of(self.epoch)))
    }

    /// Lets a master key open it. What the same key had wrapped goes.
    pub(super) fn put_under(
        &mut self,
        kek: &KeyEncryptionKey,
        master: &dyn Master,
    ) -> Result<(), KeysError> {
        let wrapped = master.wrap(&context(self.epoch), kek.expose())?;
        // A key that wraps and does not open would cost what is there already.
        self.checked(&master.unwrap(&context(self.epoch), &wrapped)?)?;
        self.put(By::Master(master.name()?), wrapped);
        Ok(())
    }

    /// Lets a recovery set open it.
    pub(super) fn put_under_set(
        &mut self,
        kek: &KeyEncryptionKey,
        set: &SealingKey,
    ) -> Result<(), KeysError> {
        let random = random::bytes().map_err(MasterError::unavailable)?;
        let aad = context(self.epoch);
        let sealed = sealing::seal(set, RECOVERY_INFO, aad.as_bytes(), kek.expose(), random)
            .map_err(|_key| KeysError::OtherSet)?;
        self.put(By::Recovery(set_name(set)), sealed);
        Ok(())
    }

    /// Takes it from under every other recovery set.
    pub(super) fn only_under_set(&mut self, set: &SealingKey) {
        let kept = By::Recovery(set_name(set));
        self.slots
            .retain(|slot| matches!(slot.by, By::Master(_)) || slot.by == kept);
    }

    fn put(&mut self, by: By, wrapped: Vec<u8>) {
        self.slots.retain(|slot| slot.by != by);
        let wrapped = Hex(wrapped);
        self.slots.push(Slot { by, wrapped });
    }

    /// Opens it with a master key.
    pub(super) fn open(&self, master: &dyn Master) -> Result<KeyEncryptionKey, KeysError> {
        match opened_by(&self.slots, &context(self.epoch), master)? {
            Some(key) => self.checked(&key),
            None => Err(KeysError::OtherMaster {
                epoch: self.epoch,
                master: master.name()?,
            }),
        }
    }

    /// Opens it with the key that two sheets of a recovery set give.
    pub(super) fn open_with_set(&self, key: &OpeningKey) -> Result<KeyEncryptionKey, KeysError> {
        let by = By::Recovery(set_name(&key.sealing_key()));
        let slot = self.slots.iter().find(|slot| slot.by == by);
        let slot = slot.ok_or(KeysError::NotUnderSet)?;
        let aad = context(self.epoch);
        let damaged = || KeysError::Damaged(name_of(self.epoch));
        let opened = key
            .open(RECOVERY_INFO, aad.as_bytes(), &slot.wrapped.0)
            .ok_or_else(damaged)?;
        let kek: [u8; 32] = opened.as_slice().try_into().map_err(|_| damaged())?;
        self.checked(&Zeroizing::new(kek))
    }

    /// Whether this is the key of the epoch.
    pub(super) fn is_of(&self, kek: &KeyEncryptionKey) -> bool {
        kek.epoch() == self.epoch
            && self
                .sealing_key()
                .is_ok_and(|key| key == kek.opening_key().sealing_key())
    }

    /// A public key that somebody swapped would have what is recorded sealed to him.
    fn checked(&self, key: &Zeroizing<[u8; 32]>) -> Result<KeyEncryptionKey, KeysError> {
        let kek = KeyEncryptionKey::new(self.epoch, **key);
        if self.is_of(&kek) {
            Ok(kek)
        } else {
            Err(KeysError::Damaged(name_of(self.epoch)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MasterKey;
    use super::*;

    fn kek() -> KeyEncryptionKey {
        KeyEncryptionKey::new(3, [9; 32])
    }

    fn archive_key() -> SigningKey {
        SigningKey::from_seed("voicelog/test", [2; 32]).unwrap()
    }

    #[test]
    fn what_the_archive_did_not_sign_and_what_was_changed_since_is_not_its_own() {
        let mut record = EpochRecord::new(&kek(), Timestamp::from_micros(1));
        let verifier = archive_key().verifier();
        assert!(
            !record.is_signed(&verifier),
            "from before there were signatures"
        );
        record.sign(&archive_key()).unwrap();
        assert!(record.is_signed(&verifier));
        let stranger = SigningKey::from_seed("voicelog/test", [9; 32]).unwrap();
        assert!(!record.is_signed(&stranger.verifier()));
        let mut moved = record.clone();
        moved.epoch = 4;
        let mut swapped = record.clone();
        swapped.public_key = Hex(OpeningKey::from_random([5; 32]).sealing_key().0.to_vec());
        let mut added = record.clone();
        added
            .put_under(&kek(), &MasterKey::from_random([1; 32]))
            .unwrap();
        for changed in [moved, swapped, added] {
            assert!(!changed.is_signed(&verifier), "{changed:?}");
        }
        let stripped = EpochRecord {
            signature: None,
            ..record
        };
        let bytes = stripped.to_bytes().unwrap();
        assert!(
            EpochRecord::from_bytes("epoch-0003", &bytes).is_err(),
            "version 2 has one"
        );
    }

    #[test]
    fn an_epoch_opens_with_each_key_that_it_was_put_under_and_with_no_other() {
        let [one, two] = [[1; 32], [2; 32]].map(MasterKey::from_random);
        let set = OpeningKey::from_random([7; 32]);
        let mut record = EpochRecord::new(&kek(), Timestamp::from_micros(1));
        record.put_under(&kek(), &one).unwrap();
        record.put_under(&kek(), &one).unwrap();
        record.put_under_set(&kek(), &set.sealing_key()).unwrap();
        record.sign(&archive_key()).unwrap();
        let bytes = record.to_bytes().unwrap();
        let record = EpochRecord::from_bytes("epoch-0003", &bytes).unwrap();
        assert_eq!(record.slots.len(), 2);
        assert_eq!(record.open(&one).unwrap().expose(), &[9; 32]);
        assert_eq!(record.open_with_set(&set).unwrap().expose(), &[9; 32]);
        assert!(matches!(
            record.open(&two),
            Err(KeysError::OtherMaster { epoch: 3, .. })
        ));
        let other = OpeningKey::from_random([8; 32]);
        assert!(record.open_with_set(&other).is_err());
        assert!(EpochRecord::from_bytes("epoch-0004", &bytes).is_err());
    }

    #[test]
    fn a_record_that_was_changed_does_not_open() {
        let master = MasterKey::from_random([1; 32]);
        let mut record = EpochRecord::new(&kek(), Timestamp::from_micros(1));
        record.put_under(&kek(), &master).unwrap();
        for at in 0..record.slots[0].wrapped.0.len() {
            let mut changed = record.clone();
            changed.slots[0].wrapped.0[at] ^= 1;
            assert!(changed.open(&master).is_err(), "byte {at}");
        }
        let mut swapped = record.clone();
        swapped.public_key = Hex(OpeningKey::from_random([5; 32]).sealing_key().0.to_vec());
        assert!(matches!(swapped.open(&master), Err(KeysError::Damaged(_))));
        let mut moved = record;
        moved.epoch = 4;
        assert!(moved.open(&master).is_err(), "it is bound to its number");
    }
}
