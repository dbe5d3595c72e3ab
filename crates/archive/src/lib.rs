//! The archive: the only room where law, evidence and store meet.
//!
//! It asks the law, writes, reads, holds, destroys, recovers and checks. The orders of writing and of destroying, and the
//! numbered invariants that the code quotes, are in `design/archive.md`.
//!
//! **Invariant:** nothing is kept, read, given away or destroyed without a [`Permit`] of the gate here.
#![deny(missing_docs)]

mod access;
mod accounts;
mod address;
mod again;
mod archive;
pub mod backup;
pub mod call;
mod carry;
pub mod check;
mod consent;
pub mod conversation;
mod country;
mod error;
mod finish;
mod gate;
mod heard;
mod import;
mod keep;
pub mod keys;
mod known;
pub mod line;
mod log;
pub mod news;
pub mod notice;
pub mod odd;
pub mod permit;
mod private;
pub mod random;
mod read;
mod ready;
mod records;
mod recover;
mod report;
mod retention;
mod rules;
mod running;
mod secrets;
mod tail;
mod writer;

pub use access::{Access, Came};
pub use again::Again;
pub use archive::{Archive, Parts};
pub use call::{About, Call, Candidate, OfferedCall, OfferedParty, SAYABLE_FACTS};
pub use consent::{Consent, ConsentBy, Saying};
pub use conversation::{Conversation, Link, LinkKind};
pub use error::ArchiveError;
pub use finish::Finished;
pub use import::*;
pub use keep::{KeepAsked, KeepRequest, KeepState};
pub use known::{KnownCall, Number};
pub use line::{
    CalledInVain, ChosenRule, Draw, LINE_NOT_SET_UP, Line, Lines, NotALine, OneIn, Rule, Sample,
    WhenRefused,
};
pub use log::{BundlePapers, Stamper, Tile, TileKind};
pub use news::{News, NewsKind, Subscription};
pub use notice::NoticeState;
pub use permit::*;
pub use private::{PrivateCall, PrivateSaid};
pub use read::*;
pub use ready::Readiness;
pub use recover::Recovery;
pub use report::{CallReport, StreamReport};
pub use retention::*;
pub use secrets::Secrets;
pub use voicelog_evidence::{bundle::StreamSpans, journal, timeline};
pub use voicelog_store::index::{
    Account, Accounts, CopyLink, Cursor, DiaryEntry, EndedAccount, Invitation, LeafRow, Login,
    MessageRow, OutboxCount, Part, RecordingFilter, State, TermCursor, TimestampRow,
};
pub use writer::RecordingWriter;
