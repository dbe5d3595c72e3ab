//! The formats that let a stranger check a recording without our server.
//!
//! From the chunk that is sealed while the call goes on to the bundle that a judge verifies
//! offline: journal, segment, timeline, trees, manifest, transparency log, notes, bundle. Each
//! format has a version number, and a reader refuses a version that it does not know. The bytes
//! are described in `design/evidence-format.md`, so completely that another verifier can be
//! written from that document alone.
//!
//! **Invariant:** nothing here reads a clock, draws a random number, opens a file or a socket, or
//! knows how storage works: bytes, times and random bytes come in as parameters. And nothing here
//! trusts what it reads: every length is bounded, and every claim is computed again.
#![deny(missing_docs)]
#![deny(clippy::float_arithmetic)]

mod aead;
pub mod audio;
pub mod audit;
pub mod bundle;
pub mod canonical;
pub mod certificate;
pub mod checkpoint;
pub mod completeness;
pub mod cosignature;
pub mod digest;
pub mod fuzzing;
pub mod hashing;
pub mod inventory;
pub mod journal;
pub mod key;
pub mod manifest;
pub mod note;
pub mod original;
pub mod part;
pub mod policy;
pub mod receipt;
mod rsa;
pub mod sealing;
pub mod segment;
pub mod senders;
pub mod sheet;
pub mod timeline;
pub mod timestamp;
pub mod tlog;
pub mod tree;
pub mod vcon;
pub mod verify;
mod wire;
pub mod witness;
pub mod zip;

pub use bundle::{BundleInput, Salt};
pub use canonical::{canonical_json, from_canonical};
pub use certificate::{
    Certificate, CopyGiven, DestroyedRecording, DestructionGround, DestructionStatement,
};
pub use checkpoint::{Checkpoint, TlogProof};
pub use digest::Digest;
pub use inventory::{Inventory, InventoryBuilder};
pub use journal::{
    Cause, ChunkBuilder, ChunkReader, Ground, JournalEvent, PacketKind, Record, RecordRef,
    decode_chunk,
};
pub use key::{DataKey, KeyEncryptionKey};
pub use manifest::{Manifest, Provenance, SegmentEntry, StreamEntry};
pub use note::{Note, SigningKey, VerifierKey};
pub use segment::{Segment, SegmentError, SegmentReader, SegmentWriter, Tail};
pub use senders::{SenderClaim, SenderClaims};
pub use timeline::{
    Interval, IntervalKind, StreamTimeline, Timeline, TimelineBuilder, Verdict, describe,
};
pub use tlog::{CompactRange, Leaf, LeafKind};
pub use tree::{StreamTree, StreamTreeBuilder};
pub use verify::{Finding, Report, Severity, verify};
