//! What every backend promises, as suites that are run against each.
//!
//! A suite is given a way to make fresh, empty stores, each with a guard that keeps whatever it
//! lies on. It asserts, and gives errors that should not have happened back to the test.

mod accounts;
mod blobs;
mod conversations;
mod copies;
mod copy_links;
mod destructions;
mod diary;
mod index;
mod keys;
mod log;
mod outbox;
mod proposals;
mod sound;

pub use blobs::{blobs, blobs_as_long_as_allowed};
pub use index::index;
pub use keys::keys;

use std::any::Any;
use voicelog_model::{DecisionId, DestructionId, RecordingId, Timestamp};

/// A fresh store and what must live as long as it does.
pub type Fresh<T> = (T, Box<dyn Any>);

/// A moment, in seconds after the start of the suite's little world.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
}

fn recording_id(number: u8) -> RecordingId {
    RecordingId::new(at(i64::from(number)), [number; 10])
}

fn decision_id(number: u8) -> DecisionId {
    DecisionId::new(at(i64::from(number)), [number; 10])
}

fn destruction_id(number: u8) -> DestructionId {
    DestructionId::new(at(i64::from(number)), [number; 10])
}
