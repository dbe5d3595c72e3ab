//! Cosignatures of witnesses (C2SP tlog-cosignature v1.0.0, Ed25519): somebody else says that this was
//! the largest consistent log that he had seen at that moment.

use crate::note::{Note, NoteError, SIGNATURE_MARK, check_name, key_id};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use std::fmt;
use std::str::FromStr;
use voicelog_model::Timestamp;

/// Type byte of a cosigner's key.
const COSIGNATURE_V1: u8 = 0x04;
/// Moment (8) and signature (64).
const COSIGNATURE_BYTES: usize = 72;

/// What is signed: the moment in whole seconds before the text of the checkpoint.
fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// A key that cosigns. Its secret part is wiped from memory when it is dropped.
pub struct Cosigner {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({}, secret)", self.name)
    }
}

impl Cosigner {
    /// From a name, such as `witness.example/w1`, and 32 random bytes. They must be of no other signer:
    /// the message does not tell whose it is.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        })
    }

    /// The key that others verify with.
    #[must_use]
    pub fn verifier(&self) -> CosignerKey {
        CosignerKey::new(&self.name, self.key.verifying_key())
    }

    /// The signature line, with its newline, under the text of a checkpoint.
    #[must_use]
    pub fn cosign(&self, text: &str, at: Timestamp) -> String {
        let seconds = u64::try_from(at.micros().div_euclid(1_000_000)).unwrap_or(0);
        let signature = self.key.sign(&message(seconds, text)).to_bytes();
        let bytes = [
            &self.verifier().id.to_be_bytes()[..],
            &seconds.to_be_bytes(),
            &signature,
        ]
        .concat();
        format!("{SIGNATURE_MARK}{} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// A witness's key. Its text form is a C2SP vkey of type 0x04.
#[derive(Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl CosignerKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        Self {
            name: name.to_owned(),
            id: key_id(name, COSIGNATURE_V1, key.as_bytes()),
            key,
        }
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key proper.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// When this witness signed the note, if it did.
    ///
    /// Errors: [`NoteError::BadSignature`] if a line with its name and id does not hold.
    pub fn verify(&self, note: &Note<'_>) -> Result<Option<Timestamp>, NoteError> {
        let mut signed = None;
        for line in note.signatures() {
            if line.name != self.name || line.key_id != self.id {
                continue;
            }
            let at = self
                .moment_of(&line.bytes, note.unverified_text())
                .ok_or_else(|| NoteError::BadSignature(self.name.clone()))?;
            signed = signed.max(Some(at));
        }
        Ok(signed)
    }

    fn moment_of(&self, bytes: &[u8], text: &str) -> Option<Timestamp> {
        let bytes: &[u8; COSIGNATURE_BYTES] = bytes.try_into().ok()?;
        let (moment, signature) = bytes.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*moment);
        // No moment at all is for parts of a tree, which are not known here.
        let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
        if micros == 0 {
            return None;
        }
        let signature = ed25519_dalek::Signature::from_bytes(signature.try_into().ok()?);
        let message = message(seconds, text);
        let is_good = self.key.verify_strict(&message, &signature).is_ok();
        is_good.then(|| Timestamp::from_micros(micros))
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[COSIGNATURE_V1], &self.key.as_bytes()[..]].concat();
        let material = STANDARD.encode(material);
        write!(f, "{}+{:08x}+{material}", self.name, self.id)
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for CosignerKey {
    type Err = NoteError;

    /// Reads a vkey; its id must be the one that its name and key give.
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let bad = NoteError::CosignerKey;
        let (name, rest) = text.split_once('+').ok_or(bad("no plus sign"))?;
        let (id, material) = rest.split_once('+').ok_or(bad("one plus sign only"))?;
        check_name(name)?;
        let material = STANDARD.decode(material).map_err(|_| bad("not base64"))?;
        let Some((&COSIGNATURE_V1, key)) = material.split_first() else {
            return Err(bad("not of the type for cosignatures with Ed25519"));
        };
        let key = <[u8; 32]>::try_from(key).map_err(|_| bad("not 32 bytes"))?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key)
            .map_err(|_| bad("not a point on the curve"))?;
        let read = Self::new(name, key);
        if id == format!("{:08x}", read.id) {
            Ok(read)
        } else {
            Err(bad("its id is not that of its name and key"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::note::SigningKey;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn signed() -> (String, Cosigner) {
        let log = SigningKey::from_seed("example.com/log", [1; 32]).unwrap();
        let note = Checkpoint::sign(3, [9; 32], &log).unwrap();
        (note, Cosigner::from_seed("example.com/w", [2; 32]).unwrap())
    }

    #[test]
    fn a_cosignature_verifies_with_its_moment() {
        let (note, witness) = signed();
        let text = Note::parse(note.as_bytes())
            .unwrap()
            .unverified_text()
            .to_owned();
        let both = format!("{note}{}", witness.cosign(&text, at(1_679_315_147)));
        let note = Note::parse(both.as_bytes()).unwrap();
        let key: CosignerKey = witness.verifier().to_string().parse().unwrap();
        assert_eq!(key.verify(&note), Ok(Some(at(1_679_315_147))));
        let other = Cosigner::from_seed("example.com/w", [3; 32]).unwrap();
        assert_eq!(other.verifier().verify(&note), Ok(None));
    }

    #[test]
    fn the_message_is_the_one_of_the_specification() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let expected = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(message(1_679_315_147, text), expected.as_bytes());
    }

    #[test]
    fn a_changed_bit_anywhere_in_the_line_is_no_signature() {
        let (note, witness) = signed();
        let text = Note::parse(note.as_bytes())
            .unwrap()
            .unverified_text()
            .to_owned();
        let line = witness.cosign(&text, at(1_700_000_000));
        for byte in 0..line.len() {
            for bit in 0..8 {
                let mut changed = line.clone().into_bytes();
                changed[byte] ^= 1 << bit;
                let both = [note.as_bytes(), &changed].concat();
                let verified = Note::parse(&both).and_then(|note| witness.verifier().verify(&note));
                assert!(!matches!(verified, Ok(Some(_))), "byte {byte} bit {bit}");
            }
        }
        let none = format!("{note}{}", witness.cosign(&text, at(0)));
        let none = Note::parse(none.as_bytes()).unwrap();
        assert!(
            witness.verifier().verify(&none).is_err(),
            "without a moment"
        );
    }

    #[test]
    fn a_key_of_a_log_is_no_key_of_a_witness() {
        let log = SigningKey::from_seed("example.com/log", [1; 32]).unwrap();
        assert!(log.verifier().to_string().parse::<CosignerKey>().is_err());
        let witness = Cosigner::from_seed("example.com/log", [1; 32]).unwrap();
        let text = witness.verifier().to_string();
        assert!(text.parse::<crate::note::VerifierKey>().is_err());
        assert!(
            text.replace("+04", "+05")
                .replace('+', "-")
                .parse::<CosignerKey>()
                .is_err()
        );
    }
}
