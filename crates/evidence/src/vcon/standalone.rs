//! A vCon by itself, with the sound in it, made from a bundle.

use super::basis::Basis;
use super::dialogs::Bodies;
use super::jws::{Signed, VconError, sign};
use super::payload::{Payload, Source, payload};
use super::signer::Sign;
use crate::bundle::{BundleNote, Opening, StreamSound, file};
use crate::canonical::from_canonical;
use crate::note::{Note, VerifierKey};
use crate::part::Scope;
use crate::timeline::Timeline;
use crate::zip;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// For whom the vCon is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Profile {
    /// As the draft has it.
    #[default]
    Core,
    /// What today's common readers take: no recording-set, and flat lists of parties.
    Compat,
}

impl Profile {
    /// Every profile, with its word on the command line.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Core, "core"), (Self::Compat, "compat")];
}

/// An unsigned vCon with the sound in it.
#[derive(Debug)]
pub struct Vcon(Payload);

impl Vcon {
    /// The unsigned form: JSON.
    #[must_use]
    pub fn unsigned(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The signed form: JWS in its general JSON serialization.
    pub fn signed(&self, signer: &dyn Sign) -> Result<Vec<u8>, VconError> {
        sign(&self.0.bytes, &self.0.uuid, signer)
    }
}

/// Makes a vCon from a bundle of our own making: nothing in it is verified.
pub fn from_bundle(bundle: &[u8], profile: Profile) -> Result<Vcon, VconError> {
    let read = zip::read(bundle).map_err(|_zip| VconError::Bundle("ZIP"))?;
    let files: BTreeMap<&str, &[u8]> = read.into_iter().collect();
    let note = files
        .get(file::NOTE)
        .and_then(|bytes| Note::parse(bytes).ok());
    let note = note.and_then(|note| BundleNote::parse(note.unverified_text()));
    let note = note.ok_or(VconError::Bundle(file::NOTE))?;
    let key = files
        .get(file::KEY)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    let key: Option<VerifierKey> = key.and_then(|text| text.trim_end().parse().ok());
    let key = key.ok_or(VconError::Bundle(file::KEY))?;
    let opening: Opening = document(&files, file::OPENING)?;
    let timeline: Timeline = document(&files, file::TIMELINE)?;
    let decision: Value = document(&files, file::DECISION)?;
    let scope: Option<Scope> = match files.get(file::SCOPE) {
        Some(_there) => Some(document(&files, file::SCOPE)?),
        None => None,
    };
    let bundled = files
        .get(file::VCON)
        .and_then(|bytes| Signed::parse(bytes).ok());
    let bundled = bundled.ok_or(VconError::Bundle(file::VCON))?;
    let bundled: Value =
        serde_json::from_slice(&bundled.payload).map_err(|_json| VconError::Bundle(file::VCON))?;
    let basis = Basis::in_payload(&bundled);
    let numbers = timeline.streams.iter().map(|stream| stream.stream.number);
    let sounds =
        numbers.filter_map(|number| StreamSound::find(number, |name| files.get(name).copied()));
    payload(&Source {
        recording: note.recording,
        archive: key.name(),
        timeline: &timeline,
        decision: &decision,
        scope: scope.as_ref(),
        basis: basis.as_ref(),
        sounds: sounds.collect(),
        logged: opening.leaf.at,
        made: note.made,
        profile,
        bodies: Bodies::Inline,
    })
    .map(Vcon)
}

fn document<T: DeserializeOwned + Serialize>(
    files: &BTreeMap<&str, &[u8]>,
    name: &'static str,
) -> Result<T, VconError> {
    let bytes = files.get(name).ok_or(VconError::Bundle(name))?;
    from_canonical(bytes).map_err(|_document| VconError::Bundle(name))
}
