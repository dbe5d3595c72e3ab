//! The thread that takes in what was sent whole: one file after the other.

use super::{Desk, State, TakenIn, UploadId};
use crate::Asked;
use crate::importing::import;
use serde_json::{Map, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use voicelog_archive::{ArchiveError, FileBytes, SoundFile};
use voicelog_model::{Pii, error};

/// How often it is looked whether an upload has expired.
const LOOK: Duration = Duration::from_secs(30);

pub(super) fn work(desk: &Desk, next: &Receiver<Option<UploadId>>) {
    loop {
        match next.recv_timeout(LOOK) {
            Ok(Some(id)) => take_in(desk, id),
            Err(RecvTimeoutError::Timeout) => {
                desk.sweep();
                desk.archive.undo_imports(desk.clock.now());
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => return,
        }
        if desk.stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// What becomes of one that is whole. What was sent is removed, whatever came of it.
fn take_in(desk: &Desk, id: UploadId) {
    let mut uploads = desk.uploads();
    // It was given up, or its end came twice.
    let Some(upload) = uploads.get_mut(&id) else {
        return;
    };
    let spool = match std::mem::replace(&mut upload.state, State::Working) {
        State::Idle(spool) if upload.offset == upload.byte_len => spool,
        other => {
            upload.state = other;
            return;
        }
    };
    let (facts, asker) = (upload.facts.clone(), upload.asker.clone());
    drop(uploads);
    // A mistake of ours in one file must not leave those after it waiting for ever.
    let asked = catch_unwind(AssertUnwindSafe(|| {
        brought_in(desk, Arc::new(spool), &facts, &asker)
    }));
    let asked = asked.unwrap_or_else(|_panic| Err(ArchiveError::ImportBroke));
    if let Err(error) = &asked {
        tell(error);
    }
    let expires_at = desk.expiry();
    if let Some(upload) = desk.uploads().get_mut(&id) {
        upload.state = State::Ended(Arc::new(asked));
        upload.expires_at = expires_at;
        upload.facts.clear();
    }
}

fn brought_in(
    desk: &Desk,
    bytes: Arc<dyn FileBytes>,
    facts: &Map<String, Value>,
    asker: &Pii<String>,
) -> Result<Asked<TakenIn>, ArchiveError> {
    let file = SoundFile::of_bytes(bytes, &desk.stop)?;
    let keep_free = desk.settings.keep_free;
    let asked = import(
        &desk.archive,
        file,
        facts,
        asker,
        keep_free,
        desk.clock.now(),
    )?;
    // What it gives has the file, which goes here.
    Ok(asked.map(|imported| TakenIn {
        id: imported.id,
        told: imported.to_json(),
        decision: imported.new.map(|new| new.decision),
    }))
}

/// What is not the fault of the file, the operator reads.
fn tell(error: &ArchiveError) {
    if error.kind() != voicelog_model::Kind::Invalid {
        let error = error::chain(error);
        tracing::error!(%error, "a file that was sent could not be taken in");
    }
}
