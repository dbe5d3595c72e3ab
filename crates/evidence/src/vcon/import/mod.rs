//! vCons of others: what one says, and what of it holds.
//!
//! Takes the signed form (JWS) and the unsigned one, of syntax 0.4.0 and of the older ones that today's
//! programs write. Nothing is fetched: what lies elsewhere is told with its hash, and can be held against it.
//! Whose certificate signed, nothing in a vCon can say; who takes one in looks at it, or at who brought it.
//!
//! **Invariant:** any bytes come back as contents or as an error, in memory that grows with their number;
//! and what is wrong is told, never mended in silence. No fault holds anything that somebody said or is
//! called.

mod contents;
mod faults;
mod form;
mod json;

pub use faults::{Fault, FaultKind};
pub use form::{FoundSignature, SignatureState};

use super::basis::LegalBasis;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256, Sha512};
use voicelog_model::{Kind, Pii, Timestamp};

/// Most bytes of a vCon that is read.
pub const VCON_BYTES_MAX: usize = 256 << 20;
/// Most parties, dialogs and attachments that are read, of each.
pub const VCON_ENTRIES_MAX: usize = 1_000;

/// Why a vCon cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// More bytes than are read.
    #[error("the vCon has {0} bytes, and {VCON_BYTES_MAX} are read at most")]
    TooLarge(usize),
    /// No JSON, too deep, or a member twice: two readers could take it for two things.
    #[error("this is no JSON that has one meaning, at line {line}, column {column}")]
    Json {
        /// Where reading stopped.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// More values than any call has.
    #[error("it holds more values than a vCon is read with")]
    TooMany,
    /// No vCon in any of its forms.
    #[error(
        "this is no vCon: it has neither parties, dialogs or attachments, nor a signed payload"
    )]
    NoVcon,
    /// Signed, encrypted or plain, and more than one of these at once.
    #[error("it is in more than one form at once, so nobody can say what it says")]
    Forms,
    /// Encrypted.
    #[error("it is encrypted; decrypt it first")]
    Encrypted,
    /// The payload of the signed form cannot be read.
    #[error("its signed form is not right: {0}")]
    Signed(&'static str),
    /// It asks for an extension that has to be understood and is not known here.
    #[error("it must not be read by who does not know an extension that it names as critical")]
    Critical,
}

impl ImportError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::TooLarge(_) | Self::TooMany => Kind::Exhausted,
            _ => Kind::Invalid,
        }
    }
}

/// What a vCon says. Believe it as far as its signatures and faults let you.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedVcon {
    /// Its signatures, the outermost first; none in the unsigned form.
    pub signatures: Vec<FoundSignature>,
    /// Its syntax: `0.4.0`, or an older one.
    pub syntax: Option<String>,
    /// Its uuid, as it says.
    pub uuid: Option<String>,
    /// When it was made, as it says.
    pub created_at: Option<Timestamp>,
    /// When it was changed last, as it says.
    pub updated_at: Option<Timestamp>,
    /// What it is made from, where it says so.
    pub derived: Option<Derived>,
    /// Who took part.
    pub parties: Vec<ImportedParty>,
    /// What was said.
    pub dialogs: Vec<ImportedDialog>,
    /// On which lawful bases, as it says.
    pub bases: Vec<ImportedBasis>,
    /// What does not hold, or could not be read.
    pub faults: Vec<Fault>,
}

impl ImportedVcon {
    /// Whether it is signed, and every signature holds under the certificate that comes with it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let holds = |signature: &FoundSignature| signature.state == SignatureState::Holds;
        !self.signatures.is_empty() && self.signatures.iter().all(holds)
    }

    /// Whether nothing in it is known to be wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        let broken = |signature: &FoundSignature| signature.state == SignatureState::Broken;
        self.faults.is_empty() && !self.signatures.iter().any(broken)
    }
}

/// That a vCon is made from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Its uuid, where it is told.
    pub uuid: Option<String>,
    /// Something was left out of it; otherwise something was added.
    pub is_redacted: bool,
}

/// Somebody who took part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportedParty {
    /// What they are called.
    pub name: Option<Pii<String>>,
    /// Telephone number (RFC 3966).
    pub tel: Option<Pii<String>>,
    /// SIP address.
    pub sip: Option<Pii<String>>,
    /// Electronic mail.
    pub mailto: Option<Pii<String>>,
    /// What they are in the call (`agent`, `customer`), as the writer says.
    pub role: Option<String>,
}

/// What a dialog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialogKind {
    /// Sound or pictures.
    Recording,
    /// A written message.
    Text,
    /// A call of which other dialogs are parts.
    RecordingSet,
    /// The call was handed over.
    Transfer,
    /// Nobody was reached.
    Incomplete,
    /// Another word.
    Other,
}

/// A part of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedDialog {
    /// What it is.
    pub kind: DialogKind,
    /// When it began.
    pub start: Option<Timestamp>,
    /// How long it took, in microseconds.
    pub duration_us: Option<u64>,
    /// Who is heard: places among the parties. In a file of more than one channel each entry is a channel;
    /// in one of one channel all entries are heard in it.
    pub heard: Vec<Vec<usize>>,
    /// Its type (RFC 6838).
    pub mediatype: Option<String>,
    /// What its file is called. Never a path to write to.
    pub filename: Option<Pii<String>>,
    /// Where it is.
    pub content: Content,
    /// Of a set: the places of its recordings among the dialogs.
    pub recordings: Vec<usize>,
    /// The place of the set that it is of.
    pub recording_set: Option<usize>,
}

/// Where the sound or text of a dialog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nowhere.
    None,
    /// In the vCon.
    Inline {
        /// The bytes.
        bytes: Pii<Vec<u8>>,
        /// What its hashes say of it; none where there are none.
        hash: Option<HashState>,
    },
    /// In a file beside the vCon, of that name and with these hashes.
    Beside(Hashes),
    /// At an address. Nobody goes there; whoever has what lies there can hold it against the hashes.
    External {
        /// The address.
        url: Pii<String>,
        /// The hashes.
        hashes: Hashes,
    },
}

/// What hashes say of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashState {
    /// Every one that can be computed is that of the bytes, and there is one.
    Holds,
    /// One is of other bytes.
    Broken,
    /// None can be computed here.
    Unchecked,
}

/// Hashes as a vCon has them: `sha512-` and base64url.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes(Vec<String>);

impl Hashes {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they say of these bytes.
    #[must_use]
    pub fn state_of(&self, bytes: &[u8]) -> HashState {
        let mut state = HashState::Unchecked;
        for hash in &self.0 {
            let Some((name, text)) = hash.split_once('-') else {
                continue;
            };
            let computed = match name.to_ascii_lowercase().as_str() {
                "sha512" => Sha512::digest(bytes).to_vec(),
                "sha256" => Sha256::digest(bytes).to_vec(),
                _ => continue,
            };
            if URL_SAFE_NO_PAD.encode(computed) != text.trim_end_matches('=') {
                return HashState::Broken;
            }
            state = HashState::Holds;
        }
        state
    }
}

/// A lawful basis, as the vCon says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedBasis {
    /// The basis.
    pub basis: LegalBasis,
    /// Until when it may be kept; none where no end is told.
    pub expires: Option<Timestamp>,
    /// For what it may be used, and for what not.
    pub grants: Vec<ImportedGrant>,
}

/// A purpose that was allowed, or was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedGrant {
    /// For what.
    pub purpose: String,
    /// Whether it may be used for that.
    pub is_granted: bool,
}

/// Reads a vCon: JSON of at most [`VCON_BYTES_MAX`] bytes, signed or not.
pub fn read(bytes: &[u8]) -> Result<ImportedVcon, ImportError> {
    if bytes.len() > VCON_BYTES_MAX {
        return Err(ImportError::TooLarge(bytes.len()));
    }
    let opened = form::open(bytes)?;
    contents::read(&opened.payload, opened.signatures)
}
