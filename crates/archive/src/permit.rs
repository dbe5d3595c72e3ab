//! Permits: values that only the gate can make and that an act consumes.
//!
//! Nothing is written, read, given away or destroyed without one, because the functions that do
//! so ask for it by value:
//!
//! ```compile_fail
//! use voicelog_archive::{Permit, act};
//! let permit = Permit::<act::Destroy> { }; // private fields: only the gate makes one
//! ```
//!
//! ```compile_fail
//! fn twice(archive: &voicelog_archive::Archive, permit: voicelog_archive::Permit<voicelog_archive::act::Destroy>) {
//!     let now = voicelog_model::Timestamp::default();
//!     let _first = archive.destroy(permit, now);
//!     let _second = archive.destroy(permit, now); // consumed: a permit is not Clone
//! }
//! ```
//!
//! ```compile_fail
//! fn of_the_sound(archive: &voicelog_archive::Archive, permit: voicelog_archive::Permit<voicelog_archive::act::DestroySound>) {
//!     let _destroyed = archive.destroy(permit, voicelog_model::Timestamp::default()); // the sound alone
//! }
//! ```
//!
//! ```compile_fail
//! fn other_act(archive: &voicelog_archive::Archive, permit: voicelog_archive::Permit<voicelog_archive::act::Listen>) {
//!     let _destroyed = archive.destroy(permit, voicelog_model::Timestamp::default()); // another act
//! }
//! ```

pub use crate::gate::requests::{RefusalSaid, RefusedRequest, request_facts};
use std::fmt;
use std::marker::PhantomData;
use voicelog_evidence::journal::Ground;
use voicelog_law::Decision;
use voicelog_model::{DecisionId, RecordingId};

/// The acts that need a permit, as types.
pub mod act {
    /// Make a recording.
    #[derive(Debug)]
    pub enum Record {}
    /// Take in a file that somebody has.
    #[derive(Debug)]
    pub enum Import {}
    /// Refuse a citizen that they record.
    #[derive(Debug)]
    pub enum Refuse {}
    /// Play a recording back.
    #[derive(Debug)]
    pub enum Listen {}
    /// Give a copy to a person recorded, a court or a supervisor.
    #[derive(Debug)]
    pub enum GiveCopy {}
    /// Destroy a recording.
    #[derive(Debug)]
    pub enum Destroy {}
    /// Destroy the sound of a recording and nothing else of it.
    #[derive(Debug)]
    pub enum DestroySound {}
}

/// Proof that the law was asked about this act on this recording, that it said yes, and that the
/// answer is on disk (INVARIANT 3).
pub struct Permit<A> {
    pub(crate) recording: RecordingId,
    pub(crate) decision: DecisionId,
    act: PhantomData<A>,
}

impl<A> Permit<A> {
    pub(crate) const fn new(recording: RecordingId, decision: DecisionId) -> Self {
        Self {
            recording,
            decision,
            act: PhantomData,
        }
    }

    /// The recording it holds for.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.recording
    }

    /// The decision it rests on.
    #[must_use]
    pub const fn decision(&self) -> DecisionId {
        self.decision
    }
}

impl<A> fmt::Debug for Permit<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({}, {})", self.recording, self.decision)
    }
}

/// The law's answer to one question, durable before it is returned.
#[derive(Debug)]
pub struct Answer<A> {
    /// Id under which the answer is kept.
    pub id: DecisionId,
    /// The answer with all its reasons.
    pub decision: Decision,
    /// Whether the act may happen now.
    pub verdict: Verdict<A>,
}

/// Whether the act may happen now. Exhaustive: there is no third way.
#[derive(Debug)]
pub enum Verdict<A> {
    /// It may.
    Permit(Permit<A>),
    /// It may not, or not yet.
    Refusal(Refusal),
}

/// Why an act may not happen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The law's reasons; or, where the law permits it under duties, the duties that must be met
    /// before the first sample and are not.
    pub grounds: Vec<Ground>,
    /// Where the law permits it and nobody has asked to keep the call yet: for how many seconds what
    /// comes may be held in memory. Nothing in every other case, and then nothing may be held.
    pub look_back_seconds: Option<u32>,
}

impl Refusal {
    /// For one reason that is not the law's.
    pub(crate) fn because(ground: Ground) -> Self {
        Self {
            grounds: vec![ground],
            look_back_seconds: None,
        }
    }
}
