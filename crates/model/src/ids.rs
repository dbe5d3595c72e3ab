//! Typed ids. Each is a UUIDv7 made from a moment and random bytes that the caller passes in.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Bytes of randomness that go into one id.
pub const RANDOM_BYTES: usize = 10;

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {noun} id")]
pub struct ParseIdError {
    noun: &'static str,
    text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes an id (RFC 9562 UUIDv7) from a moment and random bytes.
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; RANDOM_BYTES]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(at.unix_millis(), &random).into_uuid())
            }

            /// The 16 bytes of the id.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// An id from its 16 bytes, as stored.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            /// Accepts the hyphenated form only, so that one id has one spelling.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let error = || ParseIdError { noun: $noun, text: text.chars().take(64).collect() };
                let uuid = Uuid::try_parse(text).map_err(|_| error())?;
                if uuid.hyphenated().to_string() == text { Ok(Self(uuid)) } else { Err(error()) }
            }
        }
    )*};
}

ids! {
    /// One conversation as we hold it: recorded, waiting or refused. (Dutch: opname.)
    RecordingId = "recording";
    /// One answer of the law, with its reasons.
    DecisionId = "decision";
    /// One destruction, from intent to certificate.
    DestructionId = "destruction";
    /// One hold on a recording.
    HoldId = "hold";
    /// One proposal to destroy, which a second person answers.
    ProposalId = "proposal";
    /// One invitation to make an account.
    InvitationId = "invitation";
    /// One backup of an archive.
    BackupId = "backup";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = RecordingId::new(Timestamp::from_micros(1_790_000_000_000_000), [7; 10]);
        let text = id.to_string();
        assert_eq!(text.parse::<RecordingId>().unwrap(), id);
        assert!(text.to_uppercase().parse::<RecordingId>().is_err());
        assert!(text.replace('-', "").parse::<RecordingId>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let early = RecordingId::new(Timestamp::from_micros(1_000_000), [255; 10]);
        let late = RecordingId::new(Timestamp::from_micros(2_000_000), [0; 10]);
        assert!(early < late);
    }
}
