//! The archive: the only room where law, evidence and store meet.
//!
//! It asks the law, writes, reads, holds, destroys, recovers and checks. Order of writing: key,
//! row, blob, and at the end row with leaf, checkpoint; of destroying: key, blobs, row with leaf,
//! checkpoint, certificate. The code quotes the numbered invariants of `design/archive.md`.
//!
//! **Invariant:** no byte is kept, read, given away or destroyed without a [`Permit`], and only
//! the gate in this crate makes one.
#![deny(missing_docs)]

mod access;
mod address;
mod again;
mod archive;
pub mod call;
mod carry;
pub mod check;
mod choose;
mod consent;
pub mod conversation;
mod country;
mod destroy;
mod draw;
mod error;
mod finish;
mod foresee;
mod gate;
mod heard;
mod keep;
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
mod rules;
mod running;
mod secrets;
mod tail;
mod writer;

pub use access::{Access, Came};
pub use again::Again;
pub use archive::{Archive, Parts};
pub use call::{About, Call, Candidate, OfferedCall, OfferedParty, SAYABLE_FACTS};
pub use choose::ChosenRule;
pub use consent::{Consent, ConsentBy, Saying};
pub use conversation::{Conversation, Link, LinkKind};
pub use destroy::{Continued, Destroyed};
pub use draw::{Draw, OneIn, Sample};
pub use error::ArchiveError;
pub use finish::Finished;
pub use keep::{KeepAsked, KeepRequest, KeepState};
pub use known::{KnownCall, Number};
pub use line::{CalledInVain, LINE_NOT_SET_UP, Line, Lines, NotALine, Rule, WhenRefused};
pub use news::{News, NewsKind, Subscription};
pub use notice::NoticeState;
pub use permit::{Answer, Permit, Refusal, Verdict, act};
pub use private::{PrivateCall, PrivateSaid};
pub use read::{Detail, OpenRecording, RecordingSummary, StoredDecision, Trace};
pub use ready::Readiness;
pub use recover::Recovery;
pub use report::{CallReport, StreamReport};
pub use secrets::Secrets;
pub use voicelog_evidence::audio::{AudioError, describe_span};
pub use voicelog_evidence::{bundle::StreamSpans, journal, timeline};
pub use voicelog_store::index::{
    Account, Accounts, Cursor, DiaryEntry, LeafRow, Login, MessageRow, OutboxCount, Part,
    RecordingFilter, State, TermCursor,
};
pub use writer::RecordingWriter;
