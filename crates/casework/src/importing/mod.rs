//! Import: a sound file that somebody already has is offered to the archive. Design: `design/import.md`.

mod aside;
mod folder;
mod queue;
mod uploads;

pub use folder::{After, Folder, FolderSettings, MomentFrom, Scan};
pub use uploads::{
    Begun, Owner, Place, Progress, TakenIn, UPLOADS_OF_ONE_MAX, UploadId, UploadRefused,
    UploadSettings, Uploads, Writing,
};

use crate::Asked;
use serde_json::{Map, Value, json};
use voicelog_archive::{Archive, ArchiveError, Import, SoundFile, Verdict, timeline};
use voicelog_law::Decision;
use voicelog_model::{Pii, RecordingId, Timestamp};

/// A file that is in the archive.
#[derive(Debug)]
pub struct Imported {
    /// Its recording.
    pub id: RecordingId,
    /// What the file is.
    pub file: SoundFile,
    /// What came of it; nothing where it was there before.
    pub new: Option<New>,
}

/// What came of a file that was not there before.
#[derive(Debug)]
pub struct New {
    /// What the arithmetic of completeness says.
    pub verdict: timeline::Verdict,
    /// When its sound began and ended.
    pub recorded: (Timestamp, Timestamp),
    /// When the chosen term ends, if one was chosen.
    pub retain_until: Option<Timestamp>,
    /// The decision that permitted it, with its duties.
    pub decision: Box<Decision>,
}

impl Imported {
    /// What is to be told of it, for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let file = &self.file;
        let mut told = json!({
            "id": self.id,
            "is_new": self.new.is_some(),
            "type": file.contents.kind.media_type(),
            "bytes": file.byte_len,
            "sha256": file.sha256,
            "length_us": file.contents.length_us,
            "is_heard": file.contents.heard.is_some(),
        });
        if let (Some(new), Some(told)) = (&self.new, told.as_object_mut()) {
            told.insert("verdict".to_owned(), json!(new.verdict.as_str()));
            told.insert("recorded_at".to_owned(), json!(new.recorded.0));
            told.insert("ended_at".to_owned(), json!(new.recorded.1));
            told.insert("retain_until".to_owned(), json!(new.retain_until));
        }
        told
    }
}

/// Offers a file. `facts` has the names of a facts file, and says where it comes from and when it was recorded;
/// `keep_free` bytes are left on the disk for calls. One that is in the archive already is not kept twice, and the law is
/// not asked about it.
///
/// # Errors
/// The file is no sound file, or not whole; what is said of it does not fit; there is no room. Nothing is kept then.
pub fn import(
    archive: &Archive,
    file: SoundFile,
    facts: &Map<String, Value>,
    asker: &Pii<String>,
    keep_free: u64,
    now: Timestamp,
) -> Result<Asked<Imported>, ArchiveError> {
    archive.undo_imports(now);
    if let Some(id) = archive.recording_of_file(&file.sha256)? {
        return Ok(Asked::Given(Imported {
            id,
            file,
            new: None,
        }));
    }
    if archive.free_bytes()? < file.byte_len.saturating_add(keep_free) {
        return Err(ArchiveError::NoRoom(file.byte_len));
    }
    let import = Import::new(file, facts, now)?;
    let answer = archive.ask_to_import(&import, asker, now)?;
    let permit = match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(_) => {
            archive.sequence()?;
            return Ok(Asked::Refused {
                id: answer.id,
                decision: Box::new(answer.decision),
            });
        }
    };
    let taken = archive.import(permit, &import, now);
    // Whatever came of it is in the log.
    archive.sequence()?;
    let (id, new) = match taken {
        Ok(finished) => {
            let new = New {
                verdict: finished.verdict,
                recorded: (import.recorded_at, import.ended_at()),
                retain_until: archive.summary(finished.id)?.retain_until,
                decision: Box::new(answer.decision),
            };
            (finished.id, Some(new))
        }
        Err(ArchiveError::FileKnown(id)) => (id, None),
        Err(error) => return Err(error),
    };
    let file = import.file;
    Ok(Asked::Given(Imported { id, file, new }))
}
