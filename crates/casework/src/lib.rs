//! Casework: what people ask of recordings. To listen, to get a copy, to have one destroyed when
//! its term ends.
//!
//! Processes with deadlines live here, and can be tested without HTTP or a telephone.
//!
//! **Invariant:** casework decides nothing. It gathers what the asker says, puts the question to
//! `archive`'s gate, and carries out the answer.
#![deny(missing_docs)]

pub mod certificate;
pub mod disclosure;
pub mod expected;
pub mod importing;
pub mod listening;
pub mod memory;
pub mod moment;
pub mod print;
pub mod receipt;
pub mod retention;
pub mod site;
pub mod vouching;
pub mod webhook;

pub use voicelog_archive::ArchiveError;

use voicelog_law::Decision;
use voicelog_model::DecisionId;

/// The answer to somebody who asked for something: the thing, or the law's refusal. Both are
/// answers; an error is neither.
#[derive(Debug)]
pub enum Asked<T> {
    /// Here it is.
    Given(T),
    /// The law refuses, with every reason.
    Refused {
        /// Id under which the decision is kept.
        id: DecisionId,
        /// The decision.
        decision: Box<Decision>,
    },
}

impl<T> Asked<T> {
    /// The same answer, with something else given.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Asked<U> {
        match self {
            Self::Given(given) => Asked::Given(make(given)),
            Self::Refused { id, decision } => Asked::Refused { id, decision },
        }
    }
}
