//! Checkpoints (C2SP tlog-checkpoint v1.0.0) and proofs (C2SP tlog-proof v1, as of commit 5ba5ee8).

use crate::note::{Note, NoteError, SigningKey, VerifierKey};
use crate::tlog::{TlogError, verify_inclusion};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use voicelog_model::Kind;

/// First line of a proof.
const PROOF_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 leaves has no longer path.
const PROOF_HASHES_MAX: usize = 63;

/// Why a checkpoint or proof is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not the text of a checkpoint.
    #[error("this is no checkpoint: {0}")]
    Checkpoint(&'static str),
    /// Not the text of a proof.
    #[error("this is no proof: {0}")]
    Proof(&'static str),
    /// The note below it.
    #[error("the checkpoint's note does not verify")]
    Note(#[source] NoteError),
    /// The checkpoint is of another log.
    #[error("the checkpoint is of the log `{found}`, not of `{expected}`")]
    Origin {
        /// The log that was asked for.
        expected: String,
        /// The log that it names.
        found: String,
    },
    /// The leaf is not in the tree.
    #[error("the leaf is not in the log at this place")]
    Inclusion(#[source] TlogError),
}

impl CheckpointError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Checkpoint(_) | Self::Proof(_) | Self::Origin { .. } => Kind::Invalid,
            Self::Note(error) => error.kind(),
            Self::Inclusion(error) => error.kind(),
        }
    }
}

/// A log's name, size and root at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log, named as its key.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree over them.
    pub root: [u8; 32],
}

impl fmt::Display for Checkpoint {
    /// The text of the note: three lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }
}

impl Checkpoint {
    /// Signs the checkpoint with the log's key, whose name is the origin.
    pub fn sign(size: u64, root: [u8; 32], key: &SigningKey) -> Result<String, NoteError> {
        let checkpoint = Self {
            origin: key.name().to_owned(),
            size,
            root,
        };
        key.sign(&checkpoint.to_string())
    }

    /// Reads the text of a note: exactly what [`fmt::Display`] writes, so without extension lines.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let bad = CheckpointError::Checkpoint;
        let read = Self::parse_extended(text)?;
        if read.to_string() == text {
            Ok(read)
        } else {
            Err(bad("extension lines are not known here"))
        }
    }

    /// Reads the text of a note of any log: what stands behind the three lines is passed over.
    pub fn parse_extended(text: &str) -> Result<Self, CheckpointError> {
        let bad = CheckpointError::Checkpoint;
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(bad("no newline at the end"))?
            .split('\n');
        let origin = lines
            .next()
            .filter(|line| !line.is_empty())
            .ok_or(bad("no origin"))?;
        let size = lines.next().and_then(decimal).ok_or(bad("no size"))?;
        let root = lines.next().and_then(hash).ok_or(bad("no root"))?;
        if lines.any(str::is_empty) {
            return Err(bad("an empty line"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// Reads a signed checkpoint and believes it: signed by `key`, of the log of that name.
    pub fn verify(note: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note).map_err(CheckpointError::Note)?;
        let checkpoint = Self::parse(key.verify(&note).map_err(CheckpointError::Note)?)?;
        if checkpoint.origin == key.name() {
            return Ok(checkpoint);
        }
        Err(CheckpointError::Origin {
            expected: key.name().to_owned(),
            found: checkpoint.origin,
        })
    }
}

/// A proof that a leaf is in a log: its place, the way to the root, and the signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Hashes from the leaf's sibling upwards.
    pub hashes: Vec<[u8; 32]>,
    /// The signed checkpoint, as it is.
    pub checkpoint: String,
}

impl fmt::Display for TlogProof {
    /// The text of the proof, without the optional `extra` line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PROOF_LINE}\nindex {}\n", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl TlogProof {
    /// Reads the text of a proof: exactly what [`fmt::Display`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let bad = CheckpointError::Proof;
        let text = std::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(bad("no blank line"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(PROOF_LINE) {
            return Err(bad(
                "its first line is not that of a version that is known here",
            ));
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(bad("no index"))?;
        let hashes: Vec<_> = lines
            .map(|line| hash(line).ok_or(bad("a line is no hash")))
            .collect::<Result<_, _>>()?;
        if hashes.len() > PROOF_HASHES_MAX {
            return Err(bad("it has too many hashes"));
        }
        Ok(Self {
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that the leaf is in the log of `key`, under a checkpoint signed by it.
    pub fn verify(
        &self,
        leaf_hash: &[u8; 32],
        key: &VerifierKey,
    ) -> Result<Checkpoint, CheckpointError> {
        let checkpoint = Checkpoint::verify(self.checkpoint.as_bytes(), key)?;
        verify_inclusion(
            leaf_hash,
            self.index,
            checkpoint.size,
            &self.hashes,
            &checkpoint.root,
        )
        .map_err(CheckpointError::Inclusion)?;
        Ok(checkpoint)
    }
}

/// A decimal number in its only spelling.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

pub(crate) fn hash(line: &str) -> Option<[u8; 32]> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::{inclusion_proof, leaf_hash, root_of};

    fn key() -> SigningKey {
        SigningKey::from_seed("example.com/log", [9; 32]).unwrap()
    }

    fn sample() -> (TlogProof, [u8; 32]) {
        let hashes: Vec<_> = (0..11_u8).map(|leaf| leaf_hash(&[leaf])).collect();
        let checkpoint = Checkpoint::sign(11, root_of(&hashes), &key()).unwrap();
        let path = inclusion_proof(&hashes, 6, 11).unwrap();
        (
            TlogProof {
                index: 6,
                hashes: path,
                checkpoint,
            },
            hashes[6],
        )
    }

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let text = "example.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_string(), text);
        for (from, to) in [
            ("20852163", "020852163"),
            ("20852163", "+20852163"),
            ("q2I=", "q2I"),
            ("q2I=", "q2J="),
            ("example.com/behind-the-sofa\n", "\n"),
            ("q2I=\n", "q2I=\nextension\n"),
            ("q2I=\n", "q2I="),
        ] {
            assert!(
                Checkpoint::parse(&text.replace(from, to)).is_err(),
                "{from} to {to}"
            );
        }
    }

    #[test]
    fn a_proof_comes_back_from_its_text_and_holds() {
        let (proof, leaf) = sample();
        let text = proof.to_string();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 6\n"));
        assert_eq!(TlogProof::parse(text.as_bytes()).unwrap(), proof);
        assert_eq!(proof.verify(&leaf, &key().verifier()).unwrap().size, 11);
    }

    #[test]
    fn a_changed_bit_anywhere_in_a_proof_is_seen() {
        let (proof, leaf) = sample();
        let (text, verifier) = (proof.to_string(), key().verifier());
        for at in 0..text.len() {
            for bit in [0, 3, 5] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let holds =
                    TlogProof::parse(&bytes).and_then(|proof| proof.verify(&leaf, &verifier));
                assert!(holds.is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_checkpoint_of_another_log_is_refused() {
        let other = Checkpoint {
            origin: "example.com/other".into(),
            size: 0,
            root: [0; 32],
        };
        let note = key().sign(&other.to_string()).unwrap();
        assert!(matches!(
            Checkpoint::verify(note.as_bytes(), &key().verifier()),
            Err(CheckpointError::Origin { .. })
        ));
    }
}
