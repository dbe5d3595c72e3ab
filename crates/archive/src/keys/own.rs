//! The keys that one recording has: its data key, and that of its sound where the sound can end before the rest.

use super::PutKeyError;
use crate::{Archive, ArchiveError, random};
use voicelog_evidence::key::{DataKey, sound_key_name};
use voicelog_model::RecordingId;

/// The keys of a recording, opened.
pub(crate) struct RecordingKeys {
    /// Seals what is known of the call; its salts are drawn from it.
    pub(crate) data: DataKey,
    sound: Option<DataKey>,
}

impl RecordingKeys {
    /// The key that segments are sealed under.
    pub(crate) fn of_segments(&self) -> &DataKey {
        self.sound.as_ref().unwrap_or(&self.data)
    }

    /// The same, without the other.
    pub(crate) fn into_that_of_segments(self) -> DataKey {
        self.sound.unwrap_or(self.data)
    }
}

impl Archive {
    /// The keys of a recording whose sound is still there. Whether it has one of its own stands in its row.
    pub(crate) fn recording_keys(&self, id: RecordingId) -> Result<RecordingKeys, ArchiveError> {
        let has_sound_key = self.row(id)?.has_sound_key;
        Ok(RecordingKeys {
            data: self.data_key(id)?,
            sound: match has_sound_key {
                true => Some(self.data_key(sound_key_name(id))?),
                false => None,
            },
        })
    }

    /// New keys, kept; those that an attempt to begin made are taken over. Tells whether the data key is new: then
    /// nothing was sealed yet.
    pub(crate) fn new_keys(
        &self,
        id: RecordingId,
        has_sound_key: bool,
    ) -> Result<(RecordingKeys, bool), ArchiveError> {
        let (data, is_new) = self.new_key(id)?;
        let sound = match has_sound_key {
            true => Some(self.new_key(sound_key_name(id))?.0),
            false => None,
        };
        Ok((RecordingKeys { data, sound }, is_new))
    }

    fn new_key(&self, name: RecordingId) -> Result<(DataKey, bool), ArchiveError> {
        let key = DataKey::from_random(random::bytes()?);
        match self.put_data_key(name, &key) {
            Ok(()) => Ok((key, true)),
            Err(PutKeyError::Exists) => Ok((self.data_key(name)?, false)),
            Err(PutKeyError::Archive(error)) => Err(error),
        }
    }
}
