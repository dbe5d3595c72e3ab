//! The Session Recording Server (RFC 7866) as a state machine: SIP, SDP, rs-metadata.
//!
//! A client (a telephone exchange or a session border controller) sends an INVITE for each
//! conversation that is to be recorded; [`Endpoint`] tells the caller what is offered, the caller
//! decides, and the endpoint does the rest of the talking. Everything goes in through
//! [`Endpoint::handle`] and comes out of [`Endpoint::poll`], so every call flow is a test with
//! simulated time.
//!
//! **Invariant:** there is no socket, no clock and no random source in here: bytes, time and a
//! seed are parameters. Nothing is logged. Addresses, names and Call-IDs leave this crate as
//! [`voicelog_model::Pii`] or as bytes to send, and no `Debug` shows them.
//!
//! **Invariant:** no input makes it panic, and one call's bad input never touches another call.
//!
//! It does not decide whether a conversation may be recorded, and no RTP passes through it: packets
//! are read by [`voicelog_model::rtp`] and sorted by the recorder, which takes their protection off
//! with [`srtp`]. Not here either, on purpose: our own offer to an INVITE without one.
//!
//! The design is in `design/srs.md`.
#![deny(missing_docs)]

mod api;
mod body;
mod context;
mod counters;
mod diversion;
mod endpoint;
pub mod fuzzing;
mod ids;
mod limits;
pub mod metadata;
mod multipart;
mod peer;
mod quirk;
mod sdp;
mod session;
mod session_id;
mod sip;
pub mod srtp;
mod timers;
mod transaction;

pub use api::{
    Activity, Command, Config, EndCause, Event, Input, LocalDirection, Offer, OfferedStream,
    Output, Refusal, Refused, SessionKey, StreamActivity, StreamAnswer,
};
pub use counters::{Counted, Counters};
pub use endpoint::Endpoint;
pub use metadata::Metadata;
pub use peer::{Peer, Transport};
pub use quirk::Quirk;
pub use sdp::Direction;
pub use session_id::session_uuids;
pub use sip::framer::{Frame, FramingError, PONG, StreamFramer};
