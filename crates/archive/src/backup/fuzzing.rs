//! Body of a fuzz target: the statement of a backup and a list of destructions, as somebody hands them over. Any bytes must
//! come back.

use super::destroyed::DestroyedList;
use super::format::BackupStatement;
use voicelog_evidence::Digest;
use voicelog_evidence::note::{SigningKey, VerifierKey};

/// What stands in a sample for the hash of its lines, so that a damaged list is still one that was signed.
pub const HASH: &str = "HASH";

/// Reads both: as they are, and signed by the archive that they are held against. Tells whether it is one of the two.
pub fn read_papers(data: &[u8]) -> bool {
    let Ok(key) = SigningKey::from_seed("fuzz.example", [1; 32]) else {
        return false;
    };
    let verifier = key.verifier();
    if read_as(data, &verifier) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let (head, lines) = text.split_once("---\n").unwrap_or((text, ""));
    let head = head.replace(HASH, &Digest::of(lines.as_bytes()).to_string());
    let Ok(signed) = key.sign(&head) else {
        return false;
    };
    let list = format!("{signed}---\n{lines}");
    [signed, list]
        .iter()
        .any(|paper| read_as(paper.as_bytes(), &verifier))
}

fn read_as(bytes: &[u8], key: &VerifierKey) -> bool {
    let statement = BackupStatement::verify(bytes, key);
    let list = DestroyedList::read(bytes, key, None);
    if let Ok(list) = &list {
        let _report = list.report();
        let _burials = list.burials();
        let _log = list.log();
    }
    statement.is_ok() || list.is_ok()
}
