//! Append-only objects: the ciphertext of recordings.

mod file;
mod key;

#[doc(hidden)]
pub use file::cut_power;
pub use file::{Faults, FileBlobs, Options, Recovered, RecoveredObject, Step};
pub use key::check_key;

use crate::StoreError;
use std::fmt::Debug;

/// Largest object in bytes: a segment with room for its framing.
pub const OBJECT_BYTES_MAX: u64 = 2 * voicelog_model::limits::SEGMENT_BYTES_MAX;

/// Handle of an object that is being written. It means nothing after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub(crate) u64);

/// One object as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobEntry {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub len: u64,
}

/// Something that lies among the objects and should not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// Path inside the store, made printable.
    pub path: String,
    /// Its length in bytes; 0 for what is not a file.
    pub len: u64,
    /// Why it is unknown.
    pub why: UnknownBecause,
}

/// Why something is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownBecause {
    /// Its name cannot be a key.
    NotAKey,
    /// It is neither file nor folder.
    NotAFile,
    /// The caller does not know this key.
    NotReferred,
}

/// Append-only objects by key, such as `rec/<id>/000001.seg`.
///
/// A key is up to 200 characters of `a-z 0-9 / . -`, in parts that are neither empty nor start
/// with a dot. All calls may come from any thread; `append` is cheap enough for the one thread
/// that writes for all calls.
pub trait Blobs: Send + Sync + Debug {
    /// Starts an object that does not exist yet.
    ///
    /// Durable after the next [`Blobs::commit`]. Errors: [`StoreError::Exists`], a key that is
    /// not allowed, no room.
    fn create(&self, key: &str) -> Result<BlobId, StoreError>;

    /// Adds bytes at the end; gives the object's new length. Readers see them at once; they are
    /// durable after the next [`Blobs::commit`].
    ///
    /// On an error nothing was added: the object keeps its former length, and other objects go on.
    fn append(&self, blob: BlobId, bytes: &[u8]) -> Result<u64, StoreError>;

    /// Makes everything appended so far, to all objects, durable: one write and one `fdatasync`
    /// however many objects there are. Calls from several threads share the work.
    ///
    /// On an error nothing is lost and nothing new is promised: the next commit tries again.
    fn commit(&self) -> Result<(), StoreError>;

    /// Ends an object: commits, then closes it for good. Gives its final length.
    ///
    /// On an error the object stays open and sealing can be tried again.
    fn seal(&self, blob: BlobId) -> Result<u64, StoreError>;

    /// The whole object. Errors: [`StoreError::NotFound`].
    fn read(&self, key: &str) -> Result<Vec<u8>, StoreError>;

    /// `len` bytes of the object from byte `at` on; fewer where it ends before. Errors:
    /// [`StoreError::NotFound`].
    fn read_part(&self, key: &str, at: u64, len: usize) -> Result<Vec<u8>, StoreError>;

    /// The object's length in bytes. Errors: [`StoreError::NotFound`].
    fn len(&self, key: &str) -> Result<u64, StoreError>;

    /// All objects whose key starts with `prefix`, sorted by key.
    fn list(&self, prefix: &str) -> Result<Vec<BlobEntry>, StoreError>;

    /// Deletes an object and every copy of its bytes that storage holds, durably. What is not
    /// there is deleted already.
    ///
    /// Errors: [`StoreError::State`] while the object is being written.
    fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// The same for many at once. On an error any of them may be deleted already. Without any it makes durable what was
    /// deleted before, also by a process that was killed on the way.
    fn delete_all(&self, keys: &[String]) -> Result<(), StoreError> {
        keys.iter().try_for_each(|key| self.delete(key))
    }

    /// Cuts an object that is not being written to `len` bytes: recovery takes away a torn tail. Never makes
    /// it longer. What is left is durable, name and all, whoever appended it.
    fn truncate(&self, key: &str, len: u64) -> Result<(), StoreError>;

    /// Opening after a crash found this object being written: the length up to which it was
    /// committed. Bytes beyond it may be anything. None for every other object, which was sealed,
    /// or of which nothing was ever committed.
    fn promised_len(&self, key: &str) -> Option<u64>;

    /// Bytes that can still be written.
    fn free_bytes(&self) -> Result<u64, StoreError>;

    /// Everything that lies among the objects and is no object, or has a key that `is_known`
    /// denies. Nothing is deleted: an unknown file is an alarm for a person.
    fn list_unknown(&self, is_known: &dyn Fn(&str) -> bool) -> Result<Vec<Unknown>, StoreError>;

    /// Brings everything into its final place and waits for it, so that nothing is left to
    /// recover: the last act of an orderly shutdown.
    fn settle(&self) -> Result<(), StoreError>;

    /// What went wrong in the background since the store was opened, if anything did. Data is
    /// still safe then, but the disk needs a person.
    fn trouble(&self) -> Option<String>;

    /// From now on, behave as if the process had been killed: nothing more is committed or
    /// settled, not even when this is dropped. For tests.
    #[doc(hidden)]
    fn abandon(&self) {}
}
