//! The signed form: JWS in its general JSON serialization (RFC 7515 §7.2.1), with one signature.

use super::certificate::is_signed_by;
use super::signer::{Algorithm, Sign, SignError};
use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use voicelog_model::Kind;

/// Most certificates in a chain.
const CERTIFICATES_MAX: usize = 10;

/// Why a vCon cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum VconError {
    /// A part of it cannot be written or read as JSON.
    #[error("the vCon is not in its form")]
    Form(#[source] CanonicalError),
    /// Not the signed form that is written here.
    #[error("the signed form of the vCon is not right: {0}")]
    Signed(&'static str),
    /// The first certificate has no key for the algorithm, or the signature is not by it.
    #[error("the signature of the vCon does not hold under the certificate in it")]
    Signature,
    /// The key does not sign.
    #[error("cannot sign the vCon")]
    Sign(#[source] SignError),
    /// What it is made from lacks a document, or has one that cannot be read.
    #[error("`{0}` is missing in the bundle, or cannot be read")]
    Bundle(&'static str),
    /// Today's common readers have no word for a call without sound.
    #[error("a recording without sound has no vCon for the profile compat; take the profile core")]
    NoSound,
}

impl VconError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Form(_) | Self::Signed(_) | Self::NoSound => Kind::Invalid,
            Self::Signature | Self::Bundle(_) => Kind::Corrupt,
            Self::Sign(_) => Kind::Unavailable,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct General {
    payload: String,
    signatures: [Signature; 1],
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    header: Header,
    protected: String,
    signature: String,
}

/// What is not signed: vcon-core wants the chain here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// RFC 7515 §4.1.6: base64, not base64url.
    x5c: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected {
    alg: String,
    uuid: String,
}

/// Signs an unsigned vCon: canonical JSON.
pub(crate) fn sign(payload: &[u8], uuid: &str, signer: &dyn Sign) -> Result<Vec<u8>, VconError> {
    let protected = Protected {
        alg: signer.algorithm().as_str().to_owned(),
        uuid: uuid.to_owned(),
    };
    let protected = canonical_json(&protected).map_err(VconError::Form)?;
    let protected = URL_SAFE_NO_PAD.encode(protected);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let signature = signer
        .sign(&signing_input(&protected, &payload))
        .map_err(VconError::Sign)?;
    let chain = signer.certificates().iter();
    let signed = General {
        payload,
        signatures: [Signature {
            header: Header {
                x5c: chain
                    .map(|certificate| STANDARD.encode(certificate))
                    .collect(),
            },
            protected,
            signature: URL_SAFE_NO_PAD.encode(signature),
        }],
    };
    canonical_json(&signed).map_err(VconError::Form)
}

/// RFC 7515 §5.1, step 5.
fn signing_input(protected: &str, payload: &str) -> Vec<u8> {
    format!("{protected}.{payload}").into_bytes()
}

/// A signed vCon that was read. Nothing is believed yet.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The unsigned vCon.
    pub(crate) payload: Vec<u8>,
    /// The uuid in the protected header.
    pub(crate) uuid: String,
    algorithm: Algorithm,
    certificate: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    /// Reads exactly what [`sign`] writes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, VconError> {
        let general: General = from_canonical(bytes).map_err(VconError::Form)?;
        let [signature] = general.signatures;
        let decoded = |text: &str, what| {
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_text| VconError::Signed(what))
        };
        let protected = decoded(&signature.protected, "the protected header is no base64url")?;
        let protected: Protected = from_canonical(&protected).map_err(VconError::Form)?;
        let chain = signature.header.x5c;
        if !(1..=CERTIFICATES_MAX).contains(&chain.len()) {
            return Err(VconError::Signed("it has no certificate, or too many"));
        }
        let chain = chain.iter().map(|text| STANDARD.decode(text));
        let chain: Vec<_> = chain
            .collect::<Result<_, _>>()
            .map_err(|_text| VconError::Signed("a certificate is no base64"))?;
        let [certificate, ..] = chain.as_slice() else {
            return Err(VconError::Signed("it has no certificate"));
        };
        Ok(Self {
            payload: decoded(&general.payload, "the payload is no base64url")?,
            uuid: protected.uuid,
            algorithm: Algorithm::from_name(&protected.alg)
                .ok_or(VconError::Signed("neither ES256 nor RS256"))?,
            certificate: certificate.clone(),
            message: signing_input(&signature.protected, &general.payload),
            signature: decoded(&signature.signature, "the signature is no base64url")?,
        })
    }

    /// Whether the signature holds under the first certificate. Whose certificate that is, nothing in the
    /// vCon can say.
    pub(crate) fn verify(&self) -> Result<(), VconError> {
        let (message, signature) = (&self.message, &self.signature);
        let holds = is_signed_by(&self.certificate, self.algorithm, message, signature);
        holds.then_some(()).ok_or(VconError::Signature)
    }
}
