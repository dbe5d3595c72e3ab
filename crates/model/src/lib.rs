//! The nouns of voicelog: ids, parties, times, purposes of an act, `Pii<T>`, limits, error kinds.
//!
//! One dictionary for the whole house (see `glossary.md`). It knows no format, no rule and no
//! storage.
//!
//! **Invariant:** nothing here opens a socket, reads a clock or draws a random number: time and
//! random bytes come in as parameters.
#![deny(missing_docs)]

pub mod action;
pub mod codec;
pub mod error;
pub mod ids;
pub mod language;
pub mod limits;
pub mod media;
pub mod party;
pub mod pii;
pub mod rtcp;
pub mod rtp;
pub mod scope;
pub mod time;

pub use action::Action;
pub use codec::Codec;
pub use error::Kind;
pub use ids::{BackupId, DecisionId, DestructionId, HoldId, InvitationId, ProposalId, RecordingId};
pub use language::Language;
pub use media::{Format, MediaStream, StreamNumber};
pub use party::Party;
pub use pii::Pii;
pub use scope::Scope;
pub use time::{Clock, SimClock, Timestamp};
