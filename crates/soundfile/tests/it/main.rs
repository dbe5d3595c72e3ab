//! Files made by other programs: what is said of them, and what is heard of them, held against those programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod hostile;
mod made;
mod support;
mod vcon;
