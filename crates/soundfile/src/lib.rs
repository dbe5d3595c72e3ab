//! Sound files that others made: what is in one, how long its sound lasts, and the samples of any part of it.
//!
//! Pure: bytes come from a source that the caller gives. What a file is, its bytes say and never its name. The
//! bytes are a stranger's: whatever they are, the answer is an error, and memory stays small. Design:
//! `design/import.md`.
#![deny(missing_docs)]

mod amr;
mod error;
mod hear;
mod kind;
mod look;
mod open;
mod pictures;
mod vcon;
mod whole;

pub use error::SoundFileError;
pub use hear::{Heard, samples};
pub use kind::Kind;
pub use look::{Contents, LENGTH_SECONDS_MAX, look};
pub use symphonia::core::io::MediaSource as Source;
pub use vcon::Enclosed;
