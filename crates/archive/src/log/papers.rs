//! What a bundle has besides the recording: the page that checks it, whom the archive names, and a
//! timestamp of its log.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use std::sync::Arc;
use voicelog_evidence::bundle::{Papers, StampedProof};
use voicelog_evidence::checkpoint::{Checkpoint, TlogProof};
use voicelog_evidence::sheet::Printer;
use voicelog_evidence::tlog::{self, Spans};
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::index::TimestampRow;

/// Whoever has a checkpoint stamped by an authority, when a copy is given that no stamp covers yet.
pub trait Stamper: std::fmt::Debug + Send + Sync {
    /// The authority's moment, and its token (RFC 3161) over the checkpoint.
    ///
    /// Errors: why there is none to be had in reasonable time.
    fn stamp(
        &self,
        checkpoint: &Checkpoint,
        now: Timestamp,
    ) -> Result<(Timestamp, Vec<u8>), String>;
}

/// What this installation gives along with each bundle.
#[derive(Debug, Clone, Default)]
pub struct BundlePapers {
    /// The page with which a person checks it, offline.
    pub verifier_page: Option<&'static [u8]>,
    /// Whoever puts the statement of completeness on paper.
    pub printer: Option<Arc<dyn Printer>>,
    /// The log, its witnesses and how many must sign (C2SP tlog-policy).
    pub policy: Option<String>,
    /// Certificates of the timestamping authority (PEM).
    pub timestamp_anchors: Option<String>,
    /// Who asks that authority.
    pub stamper: Option<Arc<dyn Stamper>>,
}

/// Whether an authority is asked where nothing is stamped yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stamping {
    /// It is.
    Now,
    /// What is kept is enough.
    Kept,
}

/// A stamped checkpoint that has a recording.
pub(crate) struct Stamped {
    proof: TlogProof,
    token: Vec<u8>,
}

impl Archive {
    /// Says what is given along with each bundle.
    #[must_use]
    pub fn with_papers(mut self, papers: BundlePapers) -> Self {
        self.papers = papers;
        self
    }

    /// Whether each copy that is given should bring a timestamp.
    #[must_use]
    pub fn asks_for_timestamps(&self) -> bool {
        self.papers.stamper.is_some()
    }

    pub(crate) fn papers_with<'a>(&'a self, stamped: Option<&'a Stamped>) -> Papers<'a> {
        Papers {
            verifier_page: self.papers.verifier_page,
            printer: self.papers.printer.as_deref(),
            policy: self.papers.policy.as_deref(),
            timestamp: stamped.map(|stamped| StampedProof {
                proof: &stamped.proof,
                token: &stamped.token,
                anchors: self.papers.timestamp_anchors.as_deref(),
            }),
        }
    }

    /// The first stamped checkpoint that has a leaf. Where none was stamped yet, it is asked for; without an
    /// authority, or where it does not answer, there is none.
    pub(crate) fn stamped(
        &self,
        index: u64,
        id: RecordingId,
        stamping: Stamping,
        now: Timestamp,
    ) -> Result<Option<Stamped>, ArchiveError> {
        let found = self.stamped_before(index, id)?;
        let (None, Some(stamper), Stamping::Now) = (&found, &self.papers.stamper, stamping) else {
            return Ok(found);
        };
        let Some((checkpoint, note)) = self.newest_checkpoint()? else {
            return Ok(None);
        };
        let (at, token) = match stamper.stamp(&checkpoint, now) {
            Ok(stamped) => stamped,
            Err(why) => {
                tracing::warn!("a copy goes without a timestamp: {why}");
                return Ok(None);
            }
        };
        self.keep_timestamp(&TimestampRow {
            size: checkpoint.size,
            at,
            checkpoint: note.into_bytes(),
            token,
        })?;
        self.stamped_before(index, id)
    }

    fn stamped_before(&self, index: u64, id: RecordingId) -> Result<Option<Stamped>, ArchiveError> {
        let row = self.index.timestamp_over(index);
        let Some(row) = row.doing("looking for a timestamp")? else {
            return Ok(None);
        };
        let hashes =
            tlog::stored_inclusion_proof(&self.tree(), index, row.size, &mut Spans::new())?;
        let checkpoint = String::from_utf8(row.checkpoint);
        let checkpoint = checkpoint.map_err(|_text| ArchiveError::Corrupt {
            what: format!("the timestamp over {id}"),
        })?;
        Ok(Some(Stamped {
            proof: TlogProof {
                index,
                hashes,
                checkpoint,
            },
            token: row.token,
        }))
    }
}
