//! The certificate of a destruction: who destroyed what and when, and that the log says so.
//!
//! It shows that the archive stated the destruction, when, and cannot take it back. It cannot show
//! that no copy exists elsewhere, and says so. Format: `design/evidence-format.md`, "Certificate".

use crate::bundle::Salt;
use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::checkpoint::{Checkpoint, CheckpointError, TlogProof};
use crate::digest::sha256;
use crate::note::{Note, NoteError, SigningKey, VerifierKey};
use crate::tlog::{Leaf, LeafKind, commitment};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use voicelog_model::{DecisionId, DestructionId, Kind, Language, RecordingId, Scope, Timestamp};

/// First line of a certificate: what it is, and its version.
const LINE: &str = "voicelog-destruction/v1";
const VERSION: u32 = 1;

/// What was destroyed, as canonical JSON. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestructionStatement {
    /// Version of the format: 1.
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// The destruction.
    pub destruction: DestructionId,
    /// The recording.
    pub recording: RecordingId,
    /// How much of it: left out where that is everything.
    #[serde(default, skip_serializing_if = "Scope::is_whole")]
    pub scope: Scope,
    /// The decision that permitted it.
    pub decision: DecisionId,
    /// When the key was destroyed: from then on nothing could be read. After a crash in that very
    /// moment, when it was found destroyed.
    pub key_destroyed_at: Timestamp,
    /// When everything else was deleted; later than the key only where a crash came between.
    pub completed_at: Timestamp,
    /// Wrapped keys destroyed: the data key, and that of the sound where it had one.
    pub keys: u32,
    /// Stored objects deleted.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What it was and why it could go, as far as that outlives it; none where it could not be read any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<DestroyedRecording>,
}

/// What is kept of a destroyed recording beside its id, so that the destruction can be accounted for: words
/// of the law, moments and articles. Nothing about anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestroyedRecording {
    /// When the call began.
    pub recorded_at: Timestamp,
    /// What it was recorded for: one word of the law's `purpose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The term that was chosen, of the sound where that alone was destroyed: an ISO 8601 duration, or `unlimited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_term: Option<String>,
    /// When that term ended, or would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
    /// Who recorded: one word of the law's `recorder_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder_type: Option<String>,
    /// The process in the selection list of a government body, as the line names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_type: Option<String>,
    /// Whether an account asked for the destruction; else the archive did it by itself when the term was over.
    pub asked_by_account: bool,
    /// Why the law let it be kept no longer; empty where it would have, and somebody asked to destroy it or the chosen
    /// term was over.
    pub grounds: Vec<DestructionGround>,
    /// Copies that were given before, oldest first. They are not destroyed by this.
    pub copies: Vec<CopyGiven>,
}

/// A rule by which a recording may not be kept any longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestructionGround {
    /// Its id in the rulebook.
    pub rule: String,
    /// The articles that it rests on.
    pub articles: Vec<String>,
}

/// A copy that was given before the destruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyGiven {
    /// When.
    pub at: Timestamp,
    /// The decision about it.
    pub decision: DecisionId,
    /// For whom, by role: one word of the law's `requester_role`, or `court`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
}

impl DestructionStatement {
    /// The hash that the leaf of the log commits to.
    pub fn sha256(&self) -> Result<[u8; 32], CanonicalError> {
        canonical_json(self).map(|bytes| sha256(&bytes))
    }

    /// The kind of leaf that says so. Of the sound alone it is one of its own: `destroyed` is the end of a recording.
    #[must_use]
    pub const fn leaf_kind(&self) -> LeafKind {
        match self.scope {
            Scope::Whole => LeafKind::Destroyed,
            Scope::Sound => LeafKind::SoundDestroyed,
        }
    }

    /// The version that is written.
    pub const VERSION: u32 = VERSION;
}

/// A certificate: the statement, and what shows that it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What was destroyed.
    pub statement: DestructionStatement,
    /// Salt of the commitment in the leaf: of this destruction alone.
    pub salt: [u8; 32],
    /// The leaf as the log holds it.
    pub leaf: Leaf,
    /// The proof that it is in the log.
    pub proof: TlogProof,
}

/// Why a certificate cannot be made, or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The note around it.
    #[error("the certificate's note does not verify")]
    Note(#[source] NoteError),
    /// Not the text of a certificate of a known version.
    #[error("this is no certificate: {0}")]
    Malformed(&'static str),
    /// A document in it.
    #[error("a document in the certificate is not canonical")]
    Document(#[source] CanonicalError),
    /// The leaf is about something else.
    #[error("the leaf in the certificate does not commit to its statement")]
    OtherLeaf,
    /// The proof in it.
    #[error("the certificate's proof does not hold")]
    Proof(#[source] CheckpointError),
}

impl CertificateError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Note(error) => error.kind(),
            Self::Malformed(_) | Self::Document(_) => Kind::Invalid,
            Self::OtherLeaf => Kind::Corrupt,
            Self::Proof(error) => error.kind(),
        }
    }
}

impl Certificate {
    /// The signed certificate.
    pub fn sign(&self, key: &SigningKey) -> Result<String, CertificateError> {
        key.sign(&self.text()?).map_err(CertificateError::Note)
    }

    /// Checks a signed certificate: signature, commitment, place in the log, checkpoint.
    pub fn verify(
        signed: &[u8],
        key: &VerifierKey,
    ) -> Result<(Self, Checkpoint), CertificateError> {
        let note = Note::parse(signed).map_err(CertificateError::Note)?;
        let text = key.verify_alone(&note).map_err(CertificateError::Note)?;
        let certificate = Self::parse(text)?;
        let statement_sha256 = certificate
            .statement
            .sha256()
            .map_err(CertificateError::Document)?;
        let leaf = &certificate.leaf;
        let committed = leaf.commitment == commitment(&certificate.salt, &statement_sha256);
        let recording = certificate.statement.recording.to_string();
        if !committed || leaf.kind != certificate.statement.leaf_kind() || leaf.object != recording
        {
            return Err(CertificateError::OtherLeaf);
        }
        let leaf_hash = leaf.hash().map_err(CertificateError::Document)?;
        let checkpoint = certificate
            .proof
            .verify(&leaf_hash, key)
            .map_err(CertificateError::Proof)?;
        Ok((certificate, checkpoint))
    }

    /// What the certificate says, for people.
    #[must_use]
    pub fn summary(&self, language: Language) -> String {
        let DestructionStatement {
            recording,
            scope,
            key_destroyed_at,
            objects,
            bytes,
            ..
        } = &self.statement;
        let what = match (language, scope) {
            (Language::Nl, Scope::Whole) => "Opname",
            (Language::Nl, Scope::Sound) => "Het geluid van opname",
            (Language::En, Scope::Whole) => "Recording",
            (Language::En, Scope::Sound) => "The sound of recording",
        };
        // Counted from one, as people do; the proof counts from zero. It comes from outside.
        let place = self.proof.index.saturating_add(1);
        let file = match (language, *objects == 1) {
            (Language::Nl, true) => "bestand",
            (Language::Nl, false) => "bestanden",
            (Language::En, true) => "file",
            (Language::En, false) => "files",
        };
        match language {
            Language::Nl => format!(
                "{what} {recording} is vernietigd: de sleutel op {key_destroyed_at}, daarna \
                 {objects} {file} ({bytes} bytes). Dit staat op plaats {place} in het logboek.",
            ),
            Language::En => format!(
                "{what} {recording} is destroyed: the key at {key_destroyed_at}, then \
                 {objects} {file} ({bytes} bytes). This is at place {place} in the log.",
            ),
        }
    }

    /// The text that is signed.
    fn text(&self) -> Result<String, CertificateError> {
        let json = |bytes: Result<Vec<u8>, CanonicalError>| {
            let bytes = bytes.map_err(CertificateError::Document)?;
            String::from_utf8(bytes).map_err(|_| CertificateError::Malformed("not UTF-8"))
        };
        let statement = json(canonical_json(&self.statement))?;
        let salt = json(canonical_json(&Salt(self.salt)))?;
        let leaf = json(self.leaf.to_bytes())?;
        let proof = STANDARD.encode(self.proof.to_string());
        Ok(format!(
            "{LINE}\n{}\n{}\n{LIMIT_NL}\n{LIMIT_EN}\nstatement {statement}\nsalt {salt}\nleaf \
             {leaf}\nproof {proof}\n",
            self.summary(Language::Nl),
            self.summary(Language::En),
        ))
    }

    /// Reads the text: exactly what is written for its content.
    fn parse(text: &str) -> Result<Self, CertificateError> {
        let bad = CertificateError::Malformed;
        let mut lines = text.split('\n');
        if lines.next() != Some(LINE) {
            return Err(bad(
                "its first line is not that of a version that is known here",
            ));
        }
        let mut field = |name: &str| {
            lines
                .find_map(|line| line.strip_prefix(name))
                .ok_or(bad("a line is missing"))
        };
        let document = CertificateError::Document;
        let statement = from_canonical(field("statement ")?.as_bytes()).map_err(document)?;
        let Salt(salt) = from_canonical(field("salt ")?.as_bytes()).map_err(document)?;
        let leaf = from_canonical(field("leaf ")?.as_bytes()).map_err(document)?;
        let proof = STANDARD
            .decode(field("proof ")?)
            .map_err(|_| bad("the proof is no base64"))?;
        let proof = TlogProof::parse(&proof).map_err(CertificateError::Proof)?;
        let certificate = Self {
            statement,
            salt,
            leaf,
            proof,
        };
        if certificate.text()? == text {
            Ok(certificate)
        } else {
            Err(bad("its text is not that of its content"))
        }
    }
}

const LIMIT_NL: &str = "Dit bewijst dat het archief de vernietiging verklaarde en dat niet kan \
    terugdraaien; niet dat er elders geen kopie is.";
const LIMIT_EN: &str = "This proves that the archive stated the destruction and cannot take that \
    back; not that there is no copy elsewhere.";

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::{inclusion_proof, leaf_hash, root_of};

    fn key() -> SigningKey {
        SigningKey::from_seed("example.com/archive", [3; 32]).unwrap()
    }

    fn sample() -> Certificate {
        let recording = RecordingId::from_bytes([1; 16]);
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let statement = DestructionStatement {
            version: VERSION,
            destruction: DestructionId::from_bytes([2; 16]),
            recording,
            scope: Scope::Whole,
            decision: DecisionId::from_bytes([3; 16]),
            key_destroyed_at: at,
            completed_at: at.plus_micros(5_000),
            keys: 1,
            objects: 3,
            bytes: 1_234_567,
            was: Some(DestroyedRecording {
                recorded_at: at.plus_micros(-1),
                purpose: Some("klacht".to_owned()),
                retention_term: None,
                retain_until: None,
                recorder_type: None,
                process_type: None,
                asked_by_account: true,
                grounds: Vec::new(),
                copies: Vec::new(),
            }),
        };
        let salt = [9; 32];
        let committed = commitment(&salt, &statement.sha256().unwrap());
        let leaf = Leaf::new(LeafKind::Destroyed, at, recording.to_string(), committed);
        let mut hashes: Vec<_> = (0..4_u8).map(|n| leaf_hash(&[n])).collect();
        hashes.push(leaf.hash().unwrap());
        let checkpoint = Checkpoint::sign(5, root_of(&hashes), &key()).unwrap();
        let path = inclusion_proof(&hashes, 4, 5).unwrap();
        Certificate {
            statement,
            salt,
            leaf,
            proof: TlogProof {
                index: 4,
                hashes: path,
                checkpoint,
            },
        }
    }

    #[test]
    fn a_certificate_verifies_and_comes_back() {
        let signed = sample().sign(&key()).unwrap();
        let (certificate, checkpoint) =
            Certificate::verify(signed.as_bytes(), &key().verifier()).unwrap();
        assert_eq!(certificate, sample());
        assert_eq!(checkpoint.size, 5);
        assert!(signed.contains("is vernietigd") && signed.contains("is destroyed"));
    }

    #[test]
    fn a_certificate_can_say_nothing_of_what_was_destroyed() {
        let mut bare = sample();
        bare.statement.was = None;
        let committed = commitment(&bare.salt, &bare.statement.sha256().unwrap());
        let (at, object) = (bare.leaf.at, bare.leaf.object.clone());
        bare.leaf = Leaf::new(LeafKind::Destroyed, at, object, committed);
        let checkpoint = Checkpoint::sign(1, root_of(&[bare.leaf.hash().unwrap()]), &key());
        bare.proof = TlogProof {
            index: 0,
            hashes: Vec::new(),
            checkpoint: checkpoint.unwrap(),
        };
        let signed = bare.sign(&key()).unwrap();
        assert!(!signed.contains("\"was\""));
        let (read, _) = Certificate::verify(signed.as_bytes(), &key().verifier()).unwrap();
        assert_eq!(read, bare);
    }

    /// The same of the sound alone, under a leaf of that kind.
    fn of_the_sound(kind: LeafKind) -> Certificate {
        let mut sound = sample();
        sound.statement.scope = Scope::Sound;
        let committed = commitment(&sound.salt, &sound.statement.sha256().unwrap());
        let (at, object) = (sound.leaf.at, sound.leaf.object.clone());
        sound.leaf = Leaf::new(kind, at, object, committed);
        let root = root_of(&[sound.leaf.hash().unwrap()]);
        sound.proof = TlogProof {
            index: 0,
            hashes: Vec::new(),
            checkpoint: Checkpoint::sign(1, root, &key()).unwrap(),
        };
        sound
    }

    #[test]
    fn a_certificate_of_the_sound_alone_says_so_and_has_a_leaf_of_its_own_kind() {
        let sound = of_the_sound(LeafKind::SoundDestroyed);
        let signed = sound.sign(&key()).unwrap();
        let (read, _) = Certificate::verify(signed.as_bytes(), &key().verifier()).unwrap();
        assert_eq!(read, sound);
        assert!(signed.contains("Het geluid van opname") && signed.contains("The sound of"));
        assert!(signed.contains("\"scope\":\"sound\""));
        // Neither kind of leaf passes for the other.
        let as_whole = of_the_sound(LeafKind::Destroyed).sign(&key()).unwrap();
        let mut whole = sample();
        whole.leaf.kind = LeafKind::SoundDestroyed;
        for wrong in [as_whole, whole.sign(&key()).unwrap()] {
            assert!(matches!(
                Certificate::verify(wrong.as_bytes(), &key().verifier()),
                Err(CertificateError::OtherLeaf)
            ));
        }
        // Everything is said by leaving the scope out.
        let named = sample().sign(&key()).unwrap();
        assert!(!named.contains("scope"));
    }

    #[test]
    fn a_changed_bit_anywhere_is_seen() {
        let signed = sample().sign(&key()).unwrap();
        let verifier = key().verifier();
        for at in 0..signed.len() {
            let mut bytes = signed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(Certificate::verify(&bytes, &verifier).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_leaf_of_something_else_is_refused_even_when_signed() {
        for change in 0..3 {
            let mut wrong = sample();
            match change {
                0 => wrong.leaf.kind = LeafKind::Recorded,
                1 => wrong.salt = [8; 32],
                _ => wrong.statement.objects = 4,
            }
            let signed = wrong.sign(&key()).unwrap();
            assert!(matches!(
                Certificate::verify(signed.as_bytes(), &key().verifier()),
                Err(CertificateError::OtherLeaf)
            ));
        }
        let mut elsewhere = sample();
        elsewhere.proof.index = 3;
        let signed = elsewhere.sign(&key()).unwrap();
        assert!(matches!(
            Certificate::verify(signed.as_bytes(), &key().verifier()),
            Err(CertificateError::Proof(_))
        ));
    }
}
