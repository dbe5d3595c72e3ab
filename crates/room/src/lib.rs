//! Talks in a room: people who sit together record what they say, each with a device of their own.
//!
//! The registry of open talks, what each of them chose, and the intake of what devices record: chunks of RTP packets that
//! become the journal of a recording like any other. It asks the law through the archive and keeps nothing without a
//! permit. It speaks no HTTP. Design: `design/room.md`.
//!
//! **Invariant:** what was captured while there was no permit, in a pause, or after somebody left, is not kept; and a
//! chunk is acknowledged only once it is on the disk.
//!
//! Locks: `acting` of a talk is held over the law and the disk by whoever changes it; `inner` never is, so a chunk waits for
//! no disk before it is queued. One thread writes for all talks; one closes them and looks at the clock; one listens for their
//! notices.
#![deny(missing_docs)]

mod acts;
pub mod chunk;
mod closing;
mod copies;
mod error;
mod gaps;
mod guard;
mod held;
mod intake;
mod keeper;
mod law;
mod minutes;
mod notice;
mod requests;
mod rooms;
mod state;
mod talk;
mod track;
mod words;
mod writer;

pub use acts::Act;
pub use chunk::{CHUNK_BYTES_MAX, Hash};
pub use copies::OwnLink;
pub use error::{ChunkRefused, Malformed, RoomError};
pub use intake::Taken;
pub use minutes::{KeptMinutes, Minutes, Remark, TEXT_BYTES_MAX};
pub use notice::PlayedNotice;
pub use requests::RequestAnswer;
pub use rooms::{Invitation, Kind, OpenTalk, Presence, Rooms};
pub use state::{
    Choice, Decision, EndedBy, Fingerprint, MinutesState, NoticeState, PartyState, Phase, Reason,
    Request, State, TrackState,
};
pub use talk::Seat;
pub use track::TrackPlace;
pub use words::typed_copy_code;
