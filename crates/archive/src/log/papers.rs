//! What a bundle has besides the recording: the page that checks it, whom the archive names, and a
//! timestamp of its log.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use std::sync::Arc;
use voicelog_evidence::bundle::{Papers, StampedProof};
use voicelog_evidence::checkpoint::TlogProof;
use voicelog_evidence::sheet::Printer;
use voicelog_evidence::tlog;
use voicelog_model::RecordingId;

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

    /// The first stamped checkpoint that has a leaf; none where none was stamped yet.
    pub(crate) fn stamped(
        &self,
        index: u64,
        id: RecordingId,
    ) -> Result<Option<Stamped>, ArchiveError> {
        let row = self.index.timestamp_over(index);
        let Some(row) = row.doing("looking for a timestamp")? else {
            return Ok(None);
        };
        let hashes = tlog::stored_inclusion_proof(&self.tree(), index, row.size)?;
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
