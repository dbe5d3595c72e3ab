//! Links by which whoever took part in a talk fetches a copy later, in any browser.
//!
//! What is in a link is told to them once, and kept nowhere: the index has a keyed hash. Opening one gives nothing yet; the
//! copy is asked of the law like any other, and is an act in the log.

use crate::error::Doing as _;
use crate::{Archive, ArchiveError};
use voicelog_evidence::digest::hmac_sha256;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::index::{CopyLink, Hash};

/// How often one link gives a copy: a download may break off, and not for ever.
const USES: u64 = 10;

/// Somebody who gets a link.
#[derive(Debug)]
pub struct NewCopyLink {
    /// Pseudonym.
    pub party: String,
    /// What is in the link: 60 random bits or more.
    pub secret: String,
    /// For which part of the recording they were there, in microseconds from its beginning; each bound left out where it is
    /// that of the recording.
    pub part: (Option<u64>, Option<u64>),
}

impl Archive {
    /// Keeps links to a closed recording. They end then, or with its term if that is earlier: gives which.
    ///
    /// # Errors
    /// There is no such recording, or it is being destroyed.
    pub fn keep_copy_links(
        &self,
        id: RecordingId,
        links: &[NewCopyLink],
        end: Timestamp,
    ) -> Result<Timestamp, ArchiveError> {
        let term = self.row(id)?.retain_until;
        let expires_at = term.map_or(end, |term| term.min(end));
        let link = |new: &NewCopyLink| CopyLink {
            key: self.copy_key(&new.secret),
            recording: id,
            party: new.party.clone(),
            from_us: new.part.0,
            to_us: new.part.1,
            expires_at,
            uses_left: USES,
        };
        let links: Vec<CopyLink> = links.iter().map(link).collect();
        let kept = self.index.add_copy_links(&links);
        kept.doing("keeping links to a copy")?;
        Ok(expires_at)
    }

    /// What a link leads to; nothing where it leads nowhere (any more).
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn copy_link(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<CopyLink>, ArchiveError> {
        let found = self.index.copy_link(&self.copy_key(secret), now);
        found.doing("looking for a link to a copy")
    }

    /// The same when the copy is asked for, which counts.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn use_copy_link(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<CopyLink>, ArchiveError> {
        let found = self.index.use_copy_link(&self.copy_key(secret), now);
        found.doing("using a link to a copy")
    }

    /// Forgets links that have ended.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn forget_copy_links(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let forgotten = self.index.forget_copy_links(now);
        forgotten.doing("forgetting links to copies")
    }

    /// From the index alone nobody can find out what is in a link.
    fn copy_key(&self, secret: &str) -> Hash {
        let key = self.secrets.decision_key.derive("links to copies", &[]);
        hmac_sha256(&key, &[secret.as_bytes()])
    }
}
