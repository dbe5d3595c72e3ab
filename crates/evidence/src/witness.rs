//! What a log asks of a witness, and how a witness judges it (C2SP tlog-witness v1.0.0).

use crate::checkpoint::{Checkpoint, decimal, hash};
use crate::note::{Note, VerifierKey};
use crate::tlog::{EMPTY_ROOT, verify_consistency};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Most hashes in a request.
const HASHES_MAX: usize = 63;
/// What the answer to a wrong old size is written as.
pub const SIZE_TYPE: &str = "text/x.tlog.size";
/// Longest request that is read, in bytes: hashes, and a note with many signatures.
pub const REQUEST_BYTES_MAX: usize = 1 << 18;

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the log as the witness saw it last.
    pub old: u64,
    /// Hashes that show that the log only grew since.
    pub proof: Vec<[u8; 32]>,
    /// The checkpoint, a note.
    pub checkpoint: String,
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request cannot be read, or its old size is larger than the checkpoint's.
    #[error("the request is malformed")]
    Malformed,
    /// No log of that origin is known.
    #[error("the witness does not know this log")]
    UnknownLog,
    /// The log did not sign it.
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
    /// The witness saw a log of another size last.
    #[error("the witness saw the log at size {0} last")]
    OtherSize(u64),
    /// The log did not only grow: two different logs were shown.
    #[error("the checkpoint is not consistent with what the witness saw")]
    Inconsistent,
}

impl Refused {
    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::OtherSize(_) => 409,
            Self::Inconsistent => 422,
        }
    }
}

impl AddCheckpoint {
    /// Reads a request: exactly what [`fmt::Display`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(bytes).map_err(|_| Refused::Malformed)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Refused::Malformed)?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(Refused::Malformed)?;
        let proof: Vec<_> = lines
            .take(HASHES_MAX + 1)
            .map(|line| hash(line).ok_or(Refused::Malformed))
            .collect::<Result<_, _>>()?;
        if proof.len() > HASHES_MAX {
            return Err(Refused::Malformed);
        }
        Ok(Self {
            old,
            proof,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// The name of the log that the checkpoint says to be of, on which nothing may rest yet.
    pub fn origin(&self) -> Result<String, Refused> {
        let note = Note::parse(self.checkpoint.as_bytes()).map_err(|_| Refused::Malformed)?;
        let checkpoint =
            Checkpoint::parse_extended(note.unverified_text()).map_err(|_| Refused::Malformed)?;
        Ok(checkpoint.origin)
    }

    /// Judges the request: `logs` are the keys that the witness knows, `last` is what it cosigned last
    /// of this log. What comes back may be cosigned once it is kept.
    pub fn judge(
        &self,
        logs: &[VerifierKey],
        last: Option<&Checkpoint>,
    ) -> Result<Checkpoint, Refused> {
        let note = Note::parse(self.checkpoint.as_bytes()).map_err(|_| Refused::Malformed)?;
        let origin = self.origin()?;
        let mut keys = logs.iter().filter(|key| key.name() == origin).peekable();
        if keys.peek().is_none() {
            return Err(Refused::UnknownLog);
        }
        let text = keys
            .find_map(|key| key.verify(&note).ok())
            .ok_or(Refused::Unsigned)?;
        let now = Checkpoint::parse_extended(text).map_err(|_| Refused::Malformed)?;
        if self.old > now.size {
            return Err(Refused::Malformed);
        }
        let (size, root) = last.map_or((0, EMPTY_ROOT), |last| (last.size, last.root));
        if self.old != size {
            return Err(Refused::OtherSize(size));
        }
        if now.size == 0 && now.root != EMPTY_ROOT {
            return Err(Refused::Inconsistent);
        }
        verify_consistency(size, &root, now.size, &now.root, &self.proof)
            .map_err(|_| Refused::Inconsistent)?;
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;
    use crate::tlog::{consistency_proof, leaf_hash, root_of};

    fn leaves(count: u8, fork: u8) -> Vec<[u8; 32]> {
        (0..count)
            .map(|n| leaf_hash(&[n, if n > 4 { fork } else { 0 }]))
            .collect()
    }

    fn key() -> SigningKey {
        SigningKey::from_seed("example.com/log", [1; 32]).unwrap()
    }

    fn request(old: u8, new: u8, fork: u8) -> AddCheckpoint {
        let leaves = leaves(new, fork);
        AddCheckpoint {
            old: old.into(),
            proof: consistency_proof(&leaves, old.into(), new.into()).unwrap_or_default(),
            checkpoint: Checkpoint::sign(new.into(), root_of(&leaves), &key()).unwrap(),
        }
    }

    fn seen(count: u8) -> Checkpoint {
        Checkpoint {
            origin: "example.com/log".into(),
            size: count.into(),
            root: root_of(&leaves(count, 0)),
        }
    }

    #[test]
    fn a_log_that_only_grew_is_cosigned() {
        let logs = [key().verifier()];
        assert_eq!(request(0, 7, 0).judge(&logs, None), Ok(seen(7)));
        for old in 1..=20 {
            let judged = request(old, 20, 0).judge(&logs, Some(&seen(old)));
            assert_eq!(judged, Ok(seen(20)), "from {old}");
        }
    }

    #[test]
    fn each_refusal_has_its_status() {
        let logs = [key().verifier()];
        let last = seen(7);
        let judge = |request: AddCheckpoint| request.judge(&logs, Some(&last)).unwrap_err();
        assert_eq!(judge(request(7, 9, 1)), Refused::Inconsistent, "a fork");
        assert_eq!(
            judge(request(7, 7, 1)),
            Refused::Inconsistent,
            "the same size"
        );
        assert_eq!(judge(request(5, 9, 0)), Refused::OtherSize(7));
        assert_eq!(
            judge(request(0, 3, 0)),
            Refused::OtherSize(7),
            "rolled back"
        );
        assert_eq!(judge(request(9, 8, 0)), Refused::Malformed, "old above new");
        let extra = AddCheckpoint {
            proof: vec![[0; 32]],
            ..request(0, 3, 0)
        };
        assert_eq!(extra.judge(&logs, None), Err(Refused::Inconsistent));
        let other = SigningKey::from_seed("example.com/log", [2; 32]).unwrap();
        assert_eq!(
            request(0, 3, 0).judge(&[other.verifier()], None),
            Err(Refused::Unsigned)
        );
        let named = SigningKey::from_seed("example.com/other", [1; 32]).unwrap();
        assert_eq!(
            request(0, 3, 0).judge(&[named.verifier()], None),
            Err(Refused::UnknownLog)
        );
        let statuses = [400, 403, 404, 409, 422];
        let refusals = [
            Refused::Malformed,
            Refused::Unsigned,
            Refused::UnknownLog,
            Refused::OtherSize(7),
            Refused::Inconsistent,
        ];
        assert_eq!(refusals.map(Refused::status), statuses);
    }

    #[test]
    fn a_request_is_read_as_it_was_written_and_in_no_other_way() {
        let asked = request(3, 20, 0);
        let text = asked.to_string();
        assert_eq!(AddCheckpoint::parse(text.as_bytes()), Ok(asked));
        for (from, to) in [
            ("old 3", "old 03"),
            ("old 3", "old +3"),
            ("old 3", "new 3"),
            ("=\n", "\n"),
            ("\n\n", "\n"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_eq!(
                AddCheckpoint::parse(changed.as_bytes()),
                Err(Refused::Malformed),
                "{to}"
            );
        }
        let many = format!(
            "old 0\n{}\nx",
            format!("{}\n", STANDARD.encode([0; 32])).repeat(64)
        );
        assert_eq!(
            AddCheckpoint::parse(many.as_bytes()),
            Err(Refused::Malformed)
        );
    }
}
