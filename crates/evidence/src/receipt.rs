//! A receipt: what somebody keeps of a recording, to see later whether the recording was rewritten.
//!
//! It is a proof of C2SP tlog-proof whose `extra` line has the leaf and the archive's key: short enough for
//! a QR code, and nothing in it is about anybody. Whoever has it can later hold a bundle against it.
//! Format: `design/evidence-format.md`, "Receipt".

use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::checkpoint::{Checkpoint, CheckpointError, TlogProof};
use crate::note::VerifierKey;
use crate::tlog::Leaf;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use voicelog_model::Kind;

const VERSION: u32 = 1;
/// Before the leaf, in the second line of the text.
const EXTRA: &str = "extra ";
/// Most bytes of a receipt: 63 hashes, and a checkpoint with many witnesses.
pub const RECEIPT_BYTES_MAX: usize = 64 << 10;

/// A leaf of the log, and the proof that it was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the log says.
    pub leaf: Leaf,
    /// The key of the log, as the receipt says.
    pub key: VerifierKey,
    /// That the log said so, and when it was how large.
    pub proof: TlogProof,
}

/// What stands in the line that is the application's own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    #[serde(deserialize_with = "version")]
    version: u32,
    key: String,
    leaf: Leaf,
}

/// Why a receipt is none, or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not the text of a receipt of a known version.
    #[error("this is no receipt: {0}")]
    Malformed(&'static str),
    /// What it says of the leaf.
    #[error("the leaf in the receipt is not canonical")]
    Leaf(#[source] CanonicalError),
    /// The proof in it.
    #[error("the receipt's proof does not hold")]
    Proof(#[source] CheckpointError),
}

impl ReceiptError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Malformed(_) | Self::Leaf(_) => Kind::Invalid,
            Self::Proof(error) => error.kind(),
        }
    }
}

impl Receipt {
    /// The text: one line longer than that of the proof.
    pub fn text(&self) -> Result<String, ReceiptError> {
        let extra = Extra {
            version: VERSION,
            key: self.key.to_string(),
            leaf: self.leaf.clone(),
        };
        let extra = canonical_json(&extra).map_err(ReceiptError::Leaf)?;
        let proof = self.proof.to_string();
        let parts = proof.split_once('\n');
        let (head, rest) = parts.ok_or(ReceiptError::Malformed("the proof has one line"))?;
        Ok(format!("{head}\n{EXTRA}{}\n{rest}", STANDARD.encode(extra)))
    }

    /// Reads the text: exactly what [`Self::text`] writes. Line ends of other systems, space around it and
    /// a byte order mark are what a text meets on its way, and taken away.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let bad = ReceiptError::Malformed;
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(bad("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
        let text = text
            .strip_prefix('\u{feff}')
            .unwrap_or(text)
            .replace("\r\n", "\n");
        let text = format!("{}\n", text.trim_matches([' ', '\t', '\r', '\n']));
        let mut lines = text.splitn(3, '\n');
        let (Some(head), Some(extra), Some(rest)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(bad("lines are missing"));
        };
        let extra = extra.strip_prefix(EXTRA);
        let extra = extra.ok_or(bad("its second line does not say what was logged"))?;
        let extra = STANDARD.decode(extra).map_err(|_| bad("no base64"))?;
        let extra: Extra = from_canonical(&extra).map_err(ReceiptError::Leaf)?;
        let key = extra.key.parse().map_err(|_| bad("the key is none"))?;
        let proof = TlogProof::parse(format!("{head}\n{rest}").as_bytes());
        Ok(Self {
            leaf: extra.leaf,
            key,
            proof: proof.map_err(ReceiptError::Proof)?,
        })
    }

    /// Checks that the leaf was in the log, under a checkpoint of `key`.
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, ReceiptError> {
        let hash = self.leaf.hash().map_err(ReceiptError::Leaf)?;
        self.proof.verify(&hash, key).map_err(ReceiptError::Proof)
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::note::SigningKey;
    use crate::tlog::{LeafKind, inclusion_proof, leaf_hash, root_of};
    use voicelog_model::Timestamp;

    fn key() -> SigningKey {
        SigningKey::from_seed("example.com/archive", [3; 32]).unwrap()
    }

    fn sample(others: usize) -> Receipt {
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let object = "01a20794-092f-7bfb-994c-4826559d83b5".to_owned();
        let leaf = Leaf::new(LeafKind::Recorded, at, object, Digest([7; 32]));
        let mut hashes: Vec<_> = (0..others).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        hashes.push(leaf.hash().unwrap());
        let size = hashes.len() as u64;
        let checkpoint = Checkpoint::sign(size, root_of(&hashes), &key()).unwrap();
        Receipt {
            leaf,
            key: key().verifier(),
            proof: TlogProof {
                index: size - 1,
                hashes: inclusion_proof(&hashes, size - 1, size).unwrap(),
                checkpoint,
            },
        }
    }

    #[test]
    fn a_receipt_comes_back_from_its_text_and_holds() {
        let text = sample(4).text().unwrap();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{text}");
        let receipt = Receipt::parse(text.as_bytes()).unwrap();
        assert_eq!(receipt, sample(4));
        assert_eq!(receipt.verify(&receipt.key).unwrap().size, 5);
    }

    #[test]
    fn a_text_that_went_by_mail_is_still_a_receipt() {
        let text = sample(4).text().unwrap();
        let mailed = format!("\u{feff}\r\n {}\r\n\r\n", text.replace('\n', "\r\n"));
        assert_eq!(Receipt::parse(mailed.as_bytes()).unwrap(), sample(4));
    }

    #[test]
    fn it_fits_a_qr_code_in_a_log_of_a_million() {
        // A QR code holds 2,953 bytes at most (ISO/IEC 18004).
        let mut receipt = sample(4);
        receipt.proof.hashes = vec![[9; 32]; 20];
        let length = receipt.text().unwrap().len();
        assert!(length < 2_000, "{length}");
    }

    #[test]
    fn a_changed_bit_anywhere_is_seen() {
        let text = sample(6).text().unwrap();
        let honest = key().verifier();
        for at in 0..text.len() {
            for bit in [0, 2, 6] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let read = Receipt::parse(&bytes);
                // The name of the key stands twice; what is signed is the other one.
                let holds = read
                    .is_ok_and(|receipt| receipt.key == honest && receipt.verify(&honest).is_ok());
                // The last line end is not part of what anybody signed.
                assert!(!holds || at + 1 == text.len(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_no_receipt_is_told() {
        for text in ["", "c2sp.org/tlog-proof@v1\nindex 3\n", "hello\nworld\n!\n"] {
            assert!(matches!(
                Receipt::parse(text.as_bytes()),
                Err(ReceiptError::Malformed(_))
            ));
        }
        let version = sample(1).text().unwrap();
        let extra = version.lines().nth(1).unwrap().strip_prefix(EXTRA).unwrap();
        let json = String::from_utf8(STANDARD.decode(extra).unwrap()).unwrap();
        let other = STANDARD.encode(json.replace("\"version\":1", "\"version\":2"));
        let other = version.replace(extra, &other);
        assert!(matches!(
            Receipt::parse(other.as_bytes()),
            Err(ReceiptError::Leaf(_))
        ));
    }
}
