//! The forms of a vCon: signed (JWS, general JSON serialization, RFC 7515 §7.2.1), encrypted, plain.

use super::super::certificate::is_signed_by;
use super::super::signer::Algorithm;
use super::{ImportError, json};
use crate::digest::Digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// How often a signed vCon may be signed anew.
const LAYERS_MAX: usize = 4;
/// Most signatures of one layer.
const SIGNATURES_MAX: usize = 10;

/// A signature that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSignature {
    /// SHA-256 of the first certificate that comes with it, if there is one. Whose it is, it does not prove.
    pub certificate: Option<Digest>,
    /// The uuid that it is for, where it says so.
    pub uuid: Option<String>,
    /// Whether it holds.
    pub state: SignatureState,
}

/// Whether a signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureState {
    /// Under the certificate that comes with it.
    Holds,
    /// It is not of this vCon, or not by that certificate's key.
    Broken,
    /// It cannot be checked here: another algorithm than ES256 and RS256, a certificate that lies elsewhere,
    /// or a header that has to be understood and is not known.
    Unchecked,
}

/// A vCon without its signatures.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) payload: Value,
    pub(super) signatures: Vec<FoundSignature>,
}

/// Takes the signatures off.
pub(super) fn open(bytes: &[u8]) -> Result<Opened, ImportError> {
    let mut payload = json::read(bytes)?;
    let mut signatures = Vec::new();
    for _layer in 0..=LAYERS_MAX {
        let has = |names: &[&str]| names.iter().any(|name| payload.get(name).is_some());
        let is_signed = has(&["payload", "signatures"]);
        let is_encrypted = has(&["ciphertext", "recipients"]);
        let is_plain = has(&["vcon", "parties", "dialog", "attachments", "analysis"]);
        match (is_signed, is_encrypted, is_plain) {
            (false, false, true) => {
                return Ok(Opened {
                    payload,
                    signatures,
                });
            }
            (true, false, false) => payload = unsigned(&payload, &mut signatures)?,
            (false, true, false) => return Err(ImportError::Encrypted),
            (false, false, false) => return Err(ImportError::NoVcon),
            _ => return Err(ImportError::Forms),
        }
    }
    Err(ImportError::Signed("it is signed over and over"))
}

/// What is signed in one layer.
fn unsigned(signed: &Value, found: &mut Vec<FoundSignature>) -> Result<Value, ImportError> {
    let wrong = ImportError::Signed;
    let payload = signed.get("payload").and_then(Value::as_str);
    let payload = payload.ok_or(wrong("it has no payload"))?;
    let signatures = signed.get("signatures").and_then(Value::as_array);
    let signatures = signatures.ok_or(wrong("it has no signatures"))?;
    if !(1..=SIGNATURES_MAX).contains(&signatures.len()) {
        return Err(wrong("it has no signature, or too many"));
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_text| wrong("the payload is no base64url"))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(wrong(
            "the payload is compressed (gzip), and is not read so",
        ));
    }
    found.extend(signatures.iter().map(|signature| judge(signature, payload)));
    json::read(&bytes)
}

fn judge(signature: &Value, payload: &str) -> FoundSignature {
    let text = |name| signature.get(name).and_then(Value::as_str);
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let protected = text("protected").unwrap_or_default();
    // RFC 7515 §5.2: a header that is no JSON makes the signature no signature.
    let header = decoded(protected).and_then(|bytes| json::read(&bytes).ok());
    let header = header.filter(Value::is_object);
    let unprotected = signature.get("header");
    let anywhere = |name: &str| {
        let own = header.as_ref().and_then(|header| header.get(name));
        own.or_else(|| unprotected?.get(name))
    };
    let chain = anywhere("x5c").and_then(Value::as_array);
    let first = chain.and_then(|chain| chain.first()?.as_str());
    let certificate = first.and_then(|text| STANDARD.decode(text).ok());
    let uuid = anywhere("uuid").and_then(Value::as_str).map(str::to_owned);
    let state = match (&header, text("signature").and_then(decoded)) {
        (Some(header), Some(signature)) => {
            let algorithm = header.get("alg").and_then(Value::as_str);
            let algorithm = algorithm.and_then(Algorithm::from_name);
            // RFC 7515 §4.1.11: what must be understood, and RFC 7797: another payload is signed.
            let is_plain = header.get("crit").is_none() && header.get("b64").is_none();
            match (algorithm, &certificate) {
                (Some(algorithm), Some(certificate)) if is_plain => {
                    let message = format!("{protected}.{payload}");
                    if is_signed_by(certificate, algorithm, message.as_bytes(), &signature) {
                        SignatureState::Holds
                    } else {
                        SignatureState::Broken
                    }
                }
                _ => SignatureState::Unchecked,
            }
        }
        _ => SignatureState::Broken,
    };
    FoundSignature {
        certificate: certificate.map(|certificate| Digest::of(&certificate)),
        uuid,
        state,
    }
}
