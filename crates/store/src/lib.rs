//! Storage: ciphertext, wrapped keys, ids, times and states, kept so that a power cut costs at
//! most what was not committed.
//!
//! Three traits, each with one backend and one conformance suite: [`Blobs`] (append-only
//! objects), [`Keys`] (wrapped data keys), [`Index`] (rows in domain verbs).
//!
//! **Invariant:** storage cannot decrypt. It depends on `model` alone, so no key, no rule and no
//! plaintext can reach it; what is personal comes in sealed and is wiped in place.
//!
//! The design, with its numbered promises: `design/store.md`.
#![deny(missing_docs)]

pub mod blobs;
#[doc(hidden)]
pub mod conformance;
pub mod durable;
mod error;
#[doc(hidden)]
pub mod faulty;
mod folder;
pub mod index;
pub mod keys;
mod sqlite;

pub use blobs::{BlobEntry, BlobId, Blobs, FileBlobs};
pub use error::StoreError;
pub use folder::{Access, ArchiveId, Layout, LocalStore};
pub use index::Index;
pub use keys::{FileKeys, Keys, Turn};
pub use sqlite::{SCHEMA_VERSION, Snapshot, SqliteIndex, adopt_copy, forget_snapshot, migrate};
