//! vCon: the recording in the form in which other programs exchange conversations (IETF draft
//! vcon-core, syntax 0.4.0), signed as JWS (RFC 7515).
//!
//! It says nothing new. Everything in it but the lawful basis follows from the other documents of a bundle,
//! so a verifier makes it again and compares. What we emit, and why, is in `design/evidence-format.md`,
//! "vCon".
//!
//! **Invariant:** people are named by pseudonym only, as everywhere in a bundle.

mod basis;
mod certificate;
mod dialogs;
pub mod import;
mod jws;
mod parties;
mod payload;
mod signer;
mod standalone;
mod uuid;

pub use basis::{Basis, LegalBasis};
pub use jws::VconError;
pub use signer::{Algorithm, ArchiveSigner, Sign, SignError, es256_of_der, is_consistent};
pub use standalone::{Profile, Vcon, from_bundle};

pub(crate) use certificate::is_signed_by;
pub(crate) use dialogs::Bodies;
pub(crate) use jws::{Signed, sign};
pub(crate) use payload::{Payload, Source, payload};
