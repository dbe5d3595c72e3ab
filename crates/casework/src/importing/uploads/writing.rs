//! Whoever sends to an upload: one at a time.

use super::{Desk, State, UploadId, UploadRefused};
use std::io::ErrorKind;
use std::sync::Arc;
use voicelog_archive::{ArchiveError, Spool};

/// The right to send to an upload. When it is dropped another one may.
#[derive(Debug)]
pub struct Writing {
    desk: Arc<Desk>,
    id: UploadId,
    /// There until it is dropped.
    spool: Option<Spool>,
    offset: u64,
    byte_len: u64,
}

impl Writing {
    pub(super) const fn new(
        desk: Arc<Desk>,
        id: UploadId,
        spool: Spool,
        offset: u64,
        byte_len: u64,
    ) -> Self {
        Self {
            desk,
            id,
            spool: Some(spool),
            offset,
            byte_len,
        }
    }

    /// Bytes that are on the disk.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that are still to come.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.byte_len - self.offset
    }

    /// Takes the next bytes; they are on the disk when this returns. It blocks.
    ///
    /// # Errors
    /// More than were said to come, no room, or the upload was given up meanwhile. None of them is kept then.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), UploadRefused> {
        if bytes.len() as u64 > self.left() {
            return Err(UploadRefused::TooLarge(self.byte_len));
        }
        let free = self.desk.archive.free_bytes()?;
        if free
            < self
                .desk
                .settings
                .keep_free
                .saturating_add(bytes.len() as u64)
        {
            return Err(ArchiveError::NoRoom(self.byte_len).into());
        }
        let spool = self.spool.as_mut().ok_or(UploadRefused::NotFound)?;
        spool.push(bytes).map_err(|error| match error.kind() {
            ErrorKind::StorageFull => ArchiveError::NoRoom(self.byte_len).into(),
            _ => UploadRefused::Disk(error),
        })?;
        let expires_at = self.desk.expiry();
        let mut uploads = self.desk.uploads();
        let upload = uploads.get_mut(&self.id);
        let upload = upload.ok_or(UploadRefused::NotFound)?;
        self.offset += bytes.len() as u64;
        (upload.offset, upload.expires_at) = (self.offset, expires_at);
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut uploads = self.desk.uploads();
        // Where it was given up, the spool goes with this.
        let (Some(upload), Some(_)) = (uploads.get_mut(&self.id), &self.spool) else {
            return;
        };
        if let Some(spool) = self.spool.take() {
            upload.state = State::Idle(spool);
        }
        if self.offset == self.byte_len {
            drop(uploads);
            // Once the server stops nobody takes anything in.
            let _is_stopping = self.desk.whole.send(Some(self.id));
        }
    }
}
