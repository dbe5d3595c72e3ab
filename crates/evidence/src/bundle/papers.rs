//! What a bundle has besides, where the archive has it: the page that checks it, whom the archive names
//! as witnesses, and a moment by another clock.

use super::file;
use crate::checkpoint::TlogProof;
use crate::sheet::Printer;

/// What a bundle has besides. Nothing of it is needed to check the rest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Papers<'a> {
    /// The page with which a person checks the bundle.
    pub verifier_page: Option<&'a [u8]>,
    /// Whoever puts the statement of completeness on paper.
    pub printer: Option<&'a dyn Printer>,
    /// The log, its witnesses and how many must sign, as the archive says (C2SP tlog-policy).
    pub policy: Option<&'a str>,
    /// A timestamp of the log.
    pub timestamp: Option<StampedProof<'a>>,
}

/// The proof that the recording is in the log as it was when an authority stamped it (RFC 3161).
#[derive(Debug, Clone, Copy)]
pub struct StampedProof<'a> {
    /// The proof, whose checkpoint was stamped.
    pub proof: &'a TlogProof,
    /// The authority's answer, DER: its imprint is SHA-256 of the checkpoint's text.
    pub token: &'a [u8],
    /// Certificates under which it is to be trusted, as the archive says (PEM).
    pub anchors: Option<&'a str>,
}

impl Papers<'_> {
    /// The files that stand behind the archive's key.
    pub(super) fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut files = Vec::new();
        if let Some(policy) = self.policy {
            files.push((file::POLICY, policy.as_bytes().to_vec()));
        }
        if let Some(stamped) = &self.timestamp {
            files.push((file::STAMPED, stamped.proof.to_string().into_bytes()));
            files.push((file::STAMP, stamped.token.to_vec()));
            if let Some(anchors) = stamped.anchors {
                files.push((file::STAMP_ANCHORS, anchors.as_bytes().to_vec()));
            }
        }
        files
    }
}
