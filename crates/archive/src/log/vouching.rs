//! Who else vouches for the log: checkpoints that witnesses signed, and timestamps of them.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::note::VerifierKey;
use voicelog_store::index::{CosignedRow, TimestampRow};

impl Archive {
    /// The key that checkpoints, bundles and certificates verify with.
    #[must_use]
    pub fn log_key(&self) -> VerifierKey {
        self.secrets.signing_key.verifier()
    }

    /// The newest checkpoint, read and as it is; `None` while the log is empty.
    pub fn newest_checkpoint(&self) -> Result<Option<(Checkpoint, String)>, ArchiveError> {
        let Some(note) = self.checkpoint()? else {
            return Ok(None);
        };
        let read = Checkpoint::verify(note.as_bytes(), &self.log_key());
        let read = read.map_err(|_note| ArchiveError::Corrupt {
            what: "the checkpoint of the log".to_owned(),
        })?;
        Ok(Some((read, note)))
    }

    /// The newest checkpoint that witnesses signed, with their lines.
    pub fn cosigned_checkpoint(&self) -> Result<Option<String>, ArchiveError> {
        let row = self.index.cosigned();
        let Some(row) = row.doing("reading the checkpoint with witnesses")? else {
            return Ok(None);
        };
        String::from_utf8(row.checkpoint)
            .map(Some)
            .map_err(|_text| ArchiveError::Corrupt {
                what: "the checkpoint with witnesses".to_owned(),
            })
    }

    /// Keeps a checkpoint of this log with the lines of its witnesses. The caller verified those. Who signed
    /// the same checkpoint before, and not this time, still has.
    ///
    /// Errors: [`ArchiveError::ForeignCheckpoint`] if this log never had that root at that size.
    pub fn keep_cosigned(&self, note: &str) -> Result<(), ArchiveError> {
        let read = self.own_checkpoint(note.as_bytes())?;
        let kept = self.cosigned_checkpoint()?;
        let note = kept.map_or_else(|| note.to_owned(), |kept| with_lines_of(note, &kept));
        self.index
            .set_cosigned(&CosignedRow {
                size: read.size,
                checkpoint: note.into_bytes(),
            })
            .doing("keeping the checkpoint with witnesses")
    }

    /// Keeps a timestamp of a checkpoint of this log. The caller verified it.
    pub fn keep_timestamp(&self, row: &TimestampRow) -> Result<(), ArchiveError> {
        self.own_checkpoint(&row.checkpoint)?;
        self.index.add_timestamp(row).doing("keeping the timestamp")
    }

    /// Timestamps of the log's checkpoints, the newest first.
    pub fn timestamps(&self, rows_max: usize) -> Result<Vec<TimestampRow>, ArchiveError> {
        self.index
            .timestamps(rows_max)
            .doing("reading the timestamps")
    }

    /// Reads a checkpoint that somebody kept, and holds it against this log as it is now.
    ///
    /// Errors: [`ArchiveError::ForeignCheckpoint`] if it is not signed by this log, or the log's
    /// beginning is another; [`ArchiveError::RolledBack`] if it is of a longer log than this.
    pub fn own_checkpoint(&self, note: &[u8]) -> Result<Checkpoint, ArchiveError> {
        let read = Checkpoint::verify(note, &self.log_key())
            .map_err(|error| ArchiveError::ForeignCheckpoint(Some(error)))?;
        let now = self.log_size()?;
        if read.size > now {
            return Err(ArchiveError::RolledBack {
                seen: read.size,
                now,
            });
        }
        if self.root_at(read.size)? == read.root {
            Ok(read)
        } else {
            Err(ArchiveError::ForeignCheckpoint(None))
        }
    }
}

/// A note with the signature lines that a kept one of the same text has besides.
fn with_lines_of(note: &str, kept: &str) -> String {
    let parts = |note: &str| {
        let (text, lines) = note.rsplit_once("\n\n")?;
        let lines = lines.lines().map(str::to_owned);
        Some((text.to_owned(), lines.collect::<Vec<_>>()))
    };
    let (Some((text, lines)), Some((kept_text, kept_lines))) = (parts(note), parts(kept)) else {
        return note.to_owned();
    };
    if text != kept_text {
        return note.to_owned();
    }
    let mut all = note.to_owned();
    for line in kept_lines {
        let is_there = lines.iter().any(|one| signer(one) == signer(&line));
        if !is_there {
            all.push_str(&line);
            all.push('\n');
        }
    }
    all
}

/// Who signed with a line: its name, and the beginning of its base64, which spells the id of the key.
fn signer(line: &str) -> (&str, &str) {
    let (name, signature) = line.rsplit_once(' ').unwrap_or((line, ""));
    (name, signature.get(..5).unwrap_or(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_a_checkpoint_before_still_has_when_another_signs_it_later() {
        let note = |lines: &str| format!("log\n5\nroot\n\n{lines}");
        let before = note("\u{2014} log AAAAAsig\n\u{2014} one BBBBBx\n\u{2014} two CCCCCx\n");
        let now = note("\u{2014} log AAAAAsig\n\u{2014} one BBBBBnewer\n");
        let kept = with_lines_of(&now, &before);
        assert_eq!(
            kept,
            note("\u{2014} log AAAAAsig\n\u{2014} one BBBBBnewer\n\u{2014} two CCCCCx\n")
        );
        let longer = now.replace("\n5\n", "\n6\n");
        assert_eq!(with_lines_of(&longer, &before), longer);
    }
}
