//! Objects that fail on demand.

use super::Schedule;
use crate::blobs::Unknown;
use crate::{BlobEntry, BlobId, Blobs, StoreError};

/// Objects that fail on demand.
#[derive(Debug)]
pub struct FaultyBlobs {
    inner: Box<dyn Blobs>,
    schedule: Schedule,
}

impl FaultyBlobs {
    /// Wraps a backend.
    #[must_use]
    pub fn new(inner: Box<dyn Blobs>, schedule: Schedule) -> Self {
        Self { inner, schedule }
    }

    fn run<T>(
        &self,
        name: &'static str,
        act: impl FnOnce(&dyn Blobs) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.schedule
            .run(name, || self.inner.abandon(), || act(&*self.inner))
    }
}

impl Drop for FaultyBlobs {
    fn drop(&mut self) {
        // Another wrapper under the same schedule may have been the one that died.
        if self.schedule.is_dead() {
            self.inner.abandon();
        }
    }
}

impl Blobs for FaultyBlobs {
    fn create(&self, key: &str) -> Result<BlobId, StoreError> {
        self.run("create", |inner| inner.create(key))
    }

    fn append(&self, blob: BlobId, bytes: &[u8]) -> Result<u64, StoreError> {
        self.run("append", |inner| inner.append(blob, bytes))
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.run("commit", |inner| inner.commit())
    }

    fn seal(&self, blob: BlobId) -> Result<u64, StoreError> {
        self.run("seal", |inner| inner.seal(blob))
    }

    fn read(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.run("read", |inner| inner.read(key))
    }

    fn read_part(&self, key: &str, at: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        self.run("read", |inner| inner.read_part(key, at, len))
    }

    fn len(&self, key: &str) -> Result<u64, StoreError> {
        self.run("len", |inner| inner.len(key))
    }

    fn list(&self, prefix: &str) -> Result<Vec<BlobEntry>, StoreError> {
        self.run("list", |inner| inner.list(prefix))
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.run("delete", |inner| inner.delete(key))
    }

    fn delete_all(&self, keys: &[String]) -> Result<(), StoreError> {
        self.run("delete_all", |inner| inner.delete_all(keys))
    }

    fn truncate(&self, key: &str, len: u64) -> Result<(), StoreError> {
        self.run("truncate", |inner| inner.truncate(key, len))
    }

    fn promised_len(&self, key: &str) -> Option<u64> {
        self.inner.promised_len(key)
    }

    fn free_bytes(&self) -> Result<u64, StoreError> {
        self.run("free_bytes", |inner| inner.free_bytes())
    }

    fn list_unknown(&self, is_known: &dyn Fn(&str) -> bool) -> Result<Vec<Unknown>, StoreError> {
        self.run("list_unknown", |inner| inner.list_unknown(is_known))
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.run("settle", |inner| inner.settle())
    }

    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }

    fn abandon(&self) {
        self.inner.abandon();
    }
}
