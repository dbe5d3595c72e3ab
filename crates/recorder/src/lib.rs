//! The recorder: drives the SIP state machine of `srs` with real sockets, and hands media to the
//! archive.
//!
//! Five kinds of threads, each with one thing to wait for: signalling waits for the network,
//! deciders for the law, media threads for the next sweep, the ear for sound in which a notice may
//! be, writer and finisher for the disk. A packet's way is short: socket, sweep, journal of its call, chunk, writer. Nothing on it waits
//! for a lock, and nothing blocks it.
//!
//! **Invariant:** media is kept only while a permit is held, from the moment of the law's answer
//! on; an error is never a permission. And nothing that one call does (its client, its media, its
//! disk errors) costs another call a packet.
//!
//! Design: `design/recorder.md`.
#![deny(missing_docs)]

// Tests of the whole within the crate share their server with those over real sockets.
#[cfg(test)]
extern crate self as voicelog_recorder;

mod alarms;
mod chunks;
mod clock_check;
mod config;
mod control;
mod decider;
mod diary;
mod disk_watch;
mod finisher;
mod guard;
mod keep;
mod media;
mod pace;
mod pause;
mod ports;
mod private;
mod readiness;
mod recorder;
mod repeats;
mod shared;
mod signalling;
mod steps;
mod writer;

pub use alarms::{AlarmKey, StandingAlarm};
pub use clock_check::{ClockCheck, ClockCheckError, check_clock};
pub use config::{RecorderConfig, SipTls, StartError};
pub use keep::WishError;
pub use media::{KeepAnswer, MediaCounts, PauseStatus, PrivateAnswer};
pub use pause::PauseError;
pub use recorder::Recorder;
pub use shared::{CallState, CallStatus, Status, WhyNot};
