//! Signed notes (C2SP signed-note v1.0.0): text with Ed25519 signatures below it.

use crate::digest::{hkdf_sha256, sha256_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use std::fmt;
use std::str::FromStr;
use voicelog_model::Kind;
use zeroize::Zeroizing;

/// Largest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 1 << 20;
/// Most signatures that are read. The specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;
/// Signature type byte of Ed25519 over the note's text.
const ED25519: u8 = 0x01;
/// What a signature line starts with: em dash and space.
pub(crate) const SIGNATURE_MARK: &str = "\u{2014} ";

/// Why a note or key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`], or more signatures than [`SIGNATURES_MAX`].
    #[error("the note is too long or has too many signatures")]
    TooLong,
    /// Not text, or with control characters.
    #[error("the note is not plain text: control character or no UTF-8 at byte {at}")]
    NotPlainText {
        /// The first byte that is wrong.
        at: usize,
    },
    /// Without text, blank line or signature.
    #[error("the note is malformed: {0}")]
    Malformed(&'static str),
    /// A key name that is empty or holds a space or plus sign.
    #[error("a key name is empty or holds a space, a control character or a plus sign")]
    KeyName,
    /// Text that is no verifier key of the Ed25519 type.
    #[error("this is no verifier key: {0}")]
    VerifierKey(&'static str),
    /// Text that is no key of a witness.
    #[error("this is no key of a witness: {0}")]
    CosignerKey(&'static str),
    /// No signature by the key.
    #[error("the note is not signed by the key `{0}`")]
    Unsigned(String),
    /// A signature by the key that does not hold.
    #[error("the signature by the key `{0}` does not hold: text or signature was changed")]
    BadSignature(String),
}

impl NoteError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::BadSignature(_) => Kind::Corrupt,
            _ => Kind::Invalid,
        }
    }
}

/// A key that signs notes. Its secret part is wiped from memory when it is dropped.
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// From a name, such as `example.com/archive`, and 32 random bytes.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        })
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 32 secret bytes for another use, drawn from the secret part (HKDF-SHA-256).
    pub(crate) fn draw(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let seed = Zeroizing::new(self.key.to_bytes());
        Zeroizing::new(hkdf_sha256(&seed, info))
    }

    /// The key that others verify with.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        let key = self.key.verifying_key();
        VerifierKey {
            id: key_id(&self.name, ED25519, key.as_bytes()),
            name: self.name.clone(),
            key,
        }
    }

    /// Signs a text, which ends in a newline, and gives the note.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let mut bytes = self.verifier().id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&signature);
        Ok(format!(
            "{text}\n{SIGNATURE_MARK}{} {}\n",
            self.name,
            STANDARD.encode(bytes)
        ))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, secret)", self.name)
    }
}

/// A key that verifies notes. Its text form is a C2SP vkey.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
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

    /// Checks that the note has a good signature by this key, and none by it that is bad; gives
    /// the note's text. Signatures by other keys are not looked at.
    pub fn verify<'a>(&self, note: &Note<'a>) -> Result<&'a str, NoteError> {
        let mut signed = false;
        for signature in &note.signatures {
            if signature.name != self.name || signature.key_id != self.id {
                continue;
            }
            let good = <[u8; 64]>::try_from(signature.bytes.as_slice()).is_ok_and(|bytes| {
                let bytes = ed25519_dalek::Signature::from_bytes(&bytes);
                self.key.verify_strict(note.text.as_bytes(), &bytes).is_ok()
            });
            if !good {
                return Err(NoteError::BadSignature(self.name.clone()));
            }
            signed = true;
        }
        if signed {
            Ok(note.text)
        } else {
            Err(NoteError::Unsigned(self.name.clone()))
        }
    }
}

impl VerifierKey {
    /// Like [`Self::verify`], for notes that nobody else signs: any other signature line is
    /// refused too, so that every byte of the note is accounted for.
    pub fn verify_alone<'a>(&self, note: &Note<'a>) -> Result<&'a str, NoteError> {
        let text = self.verify(note)?;
        match note.signatures.as_slice() {
            [_only] => Ok(text),
            _ => Err(NoteError::Malformed("it has more than one signature")),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = vec![ED25519];
        material.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id,
            STANDARD.encode(material)
        )
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;
    /// Reads a vkey; its id must be the one that its name and key give.
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let bad = NoteError::VerifierKey;
        let (name, rest) = text.split_once('+').ok_or(bad("no plus sign"))?;
        let (id, material) = rest.split_once('+').ok_or(bad("one plus sign only"))?;
        check_name(name)?;
        let material = STANDARD.decode(material).map_err(|_| bad("not base64"))?;
        let Some((&ED25519, key)) = material.split_first() else {
            return Err(bad("not of the Ed25519 type"));
        };
        let key = <[u8; 32]>::try_from(key).map_err(|_| bad("not 32 bytes"))?;
        let expected = key_id(name, ED25519, &key);
        if id != format!("{expected:08x}") {
            return Err(bad("its id is not that of its name and key"));
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key)
            .map_err(|_| bad("not a point on the curve"))?;
        Ok(Self {
            name: name.to_owned(),
            id: expected,
            key,
        })
    }
}

/// A note, read but not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Its id.
    pub key_id: u32,
    /// The signature proper.
    pub bytes: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Reads a note. Only what [`SigningKey::sign`] or another writer of the specification makes
    /// is accepted, byte for byte.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|error| NoteError::NotPlainText {
            at: error.valid_up_to(),
        })?;
        check_characters(note)?;
        // The text ends at the last empty line.
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or(NoteError::Malformed("no blank line"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("no newline at the end"))?;
        let signatures: Vec<_> = lines
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map(NoteSignature::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::TooLong);
        }
        let text = note
            .get(..=text.len())
            .ok_or(NoteError::Malformed("no text"))?;
        check_text(text)?;
        Ok(Self { text, signatures })
    }

    /// The text, newline included. Nothing vouches for it until a key verified it.
    #[must_use]
    pub const fn unverified_text(&self) -> &'a str {
        self.text
    }

    /// The signatures, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("a signature line");
        let rest = line.strip_prefix(SIGNATURE_MARK).ok_or(malformed.clone())?;
        let (name, encoded) = rest.split_once(' ').ok_or(malformed.clone())?;
        check_name(name)?;
        let decoded = STANDARD.decode(encoded).map_err(|_| malformed.clone())?;
        match decoded.split_first_chunk::<4>() {
            Some((key_id, bytes)) if !bytes.is_empty() => Ok(Self {
                name: name.to_owned(),
                key_id: u32::from_be_bytes(*key_id),
                bytes: bytes.to_vec(),
            }),
            _ => Err(malformed),
        }
    }
}

/// Id of a key: the start of a hash over its name, its type and itself.
pub(crate) fn key_id(name: &str, kind: u8, key: &[u8; 32]) -> u32 {
    let [a, b, c, d, ..] = sha256_of(&[name.as_bytes(), b"\n", &[kind], key]);
    u32::from_be_bytes([a, b, c, d])
}

pub(crate) fn check_name(name: &str) -> Result<(), NoteError> {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(wrong) {
        Err(NoteError::KeyName)
    } else {
        Ok(())
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    check_characters(text)?;
    if !text.ends_with('\n') {
        return Err(NoteError::Malformed("the text does not end in a newline"));
    }
    Ok(())
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    match text.bytes().position(|byte| byte < 0x20 && byte != b'\n') {
        Some(at) => Err(NoteError::NotPlainText { at }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the specification.
    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_verifies() {
        let key: VerifierKey = VKEY.parse().unwrap();
        assert_eq!(key.to_string(), VKEY);
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(key.verify(&note).unwrap(), "This is an example message.\n");
    }

    #[test]
    fn a_changed_bit_anywhere_in_a_note_is_seen() {
        let key: VerifierKey = VKEY.parse().unwrap();
        for at in 0..NOTE.len() {
            for bit in 0..8 {
                let mut bytes = NOTE.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let verified = Note::parse(&bytes).and_then(|note| key.verify(&note).map(drop));
                assert!(verified.is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_signature_by_another_key_changes_nothing() {
        let own = SigningKey::from_seed("example.com/log", [1; 32]).unwrap();
        let same_name = SigningKey::from_seed("example.com/log", [2; 32]).unwrap();
        let text = "with\n\nan empty line\n";
        let first = own.sign(text).unwrap();
        let second = same_name.sign(text).unwrap();
        let both = format!(
            "{first}{}",
            second.strip_prefix(&format!("{text}\n")).unwrap()
        );
        let note = Note::parse(both.as_bytes()).unwrap();
        assert_eq!(note.signatures().len(), 2);
        assert_eq!(own.verifier().verify(&note), Ok(text));
        assert!(own.verifier().verify_alone(&note).is_err());
        assert_eq!(same_name.verifier().verify(&note), Ok(text));
        let note = Note::parse(second.as_bytes()).unwrap();
        let unsigned = NoteError::Unsigned("example.com/log".into());
        assert_eq!(own.verifier().verify(&note), Err(unsigned));
    }

    #[test]
    fn a_bad_signature_beside_a_good_one_refuses_the_note() {
        let key = SigningKey::from_seed("k", [1; 32]).unwrap();
        let good = key.sign("a\n").unwrap();
        let other = key.sign("b\n").unwrap();
        let both = format!("{good}{}", other.strip_prefix("b\n\n").unwrap());
        let note = Note::parse(both.as_bytes()).unwrap();
        assert_eq!(
            key.verifier().verify(&note),
            Err(NoteError::BadSignature("k".into()))
        );
    }

    #[test]
    fn keys_that_are_not_what_they_say_are_refused() {
        for (from, to) in [
            ("+530d903a", "+530d903b"),
            ("+530d903a", "+530D903A"),
            ("+530d903a", ""),
            ("example", "examplf"),
            ("+Aeky", "+Beky"),
            ("3U2k", "3U2"),
            ("3U2k", "3U2k="),
            ("example.com/foo", ""),
        ] {
            assert!(
                VKEY.replace(from, to).parse::<VerifierKey>().is_err(),
                "{from} to {to}"
            );
        }
        for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
            assert!(SigningKey::from_seed(name, [0; 32]).is_err());
        }
    }

    #[test]
    fn text_that_cannot_be_a_note_is_not_signed() {
        let key = SigningKey::from_seed("k", [1; 32]).unwrap();
        for text in ["", "no newline", "tab\there\n", "return\r\n", "null\0\n"] {
            assert!(key.sign(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies(text in "[^\u{0}-\u{1f}]{0,40}(\n[^\u{0}-\u{1f}]{0,9}){0,4}\n", seed in any::<[u8; 32]>()) {
            let key = SigningKey::from_seed("example.com/log", seed).unwrap();
            let signed = key.sign(&text).unwrap();
            let vkey: VerifierKey = key.verifier().to_string().parse().unwrap();
            let note = Note::parse(signed.as_bytes()).unwrap();
            prop_assert_eq!(vkey.verify(&note).unwrap(), text);
        }

        #[test]
        fn no_bytes_make_it_panic(text in "\\PC*(\n\n\u{2014} [a-z]+ [A-Za-z0-9+/=]*\n)?") {
            let _ignored = Note::parse(text.as_bytes());
            let _ignored = text.parse::<VerifierKey>();
        }
    }
}
