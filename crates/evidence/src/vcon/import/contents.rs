//! Parties, dialogs and lawful bases of an unsigned vCon.

use super::faults::{FaultKind, Faults};
use super::form::FoundSignature;
use super::{
    Content, Derived, DialogKind, HashState, Hashes, ImportError, ImportedBasis, ImportedDialog,
    ImportedGrant, ImportedParty, ImportedVcon, VCON_ENTRIES_MAX,
};
use crate::vcon::basis::{self, LegalBasis};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use voicelog_model::{Pii, Timestamp};

/// Longest text that is taken: a name, an address, a type.
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// Most channels, and most places that a list refers to.
const PLACES_MAX: usize = 1_000;
/// Extensions that are understood here.
const KNOWN: [&str; 2] = [basis::PURPOSE, "redaction_map"];
/// The whole document, as a place.
const WHOLE: &str = "vcon";

/// Reads an unsigned vCon.
pub(super) fn read(
    vcon: &Value,
    signatures: Vec<FoundSignature>,
) -> Result<ImportedVcon, ImportError> {
    // `must_support` until syntax 0.3.
    let critical = ["critical", "must_support"].into_iter();
    let mut critical = critical
        .filter_map(|name| vcon.get(name)?.as_array())
        .flatten();
    if critical.any(|name| !name.as_str().is_some_and(|name| KNOWN.contains(&name))) {
        return Err(ImportError::Critical);
    }
    let mut faults = Faults::default();
    let mut entries = |name: &str| entries(vcon, name, &mut faults);
    let (parties, dialogs, attachments) = (
        entries("parties"),
        entries("dialog"),
        entries("attachments"),
    );
    let uuid = text(vcon, "uuid");
    if uuid.is_none() {
        faults.add(WHOLE, FaultKind::Missing);
    }
    for (number, signature) in signatures.iter().enumerate() {
        if signature.uuid.is_some() && signature.uuid != uuid {
            faults.add(&format!("signature {number}"), FaultKind::Uuid);
        }
    }
    let created_at = moment(vcon, "created_at", WHOLE, true, &mut faults);
    let updated_at = moment(vcon, "updated_at", WHOLE, false, &mut faults);
    let mut reading = Reading {
        parties: parties.len(),
        dialogs: dialogs.len(),
        faults,
    };
    let party = |party: &Value| ImportedParty {
        name: text(party, "name").map(Pii::new),
        tel: text(party, "tel").map(Pii::new),
        sip: text(party, "sip").map(Pii::new),
        mailto: text(party, "mailto").map(Pii::new),
        role: text(party, "role"),
    };
    Ok(ImportedVcon {
        signatures,
        syntax: text(vcon, "vcon"),
        uuid,
        created_at,
        updated_at,
        derived: reading.derived(vcon),
        parties: parties.iter().map(party).collect(),
        dialogs: (0..)
            .zip(dialogs)
            .map(|(number, dialog)| reading.dialog(number, dialog))
            .collect(),
        bases: (0..)
            .zip(attachments)
            .filter_map(|(number, attachment)| reading.basis(number, attachment))
            .collect(),
        faults: reading.faults.0,
    })
}

/// A list of the document; empty where there is none. Each entry has to be an object.
fn entries<'v>(vcon: &'v Value, name: &str, faults: &mut Faults) -> &'v [Value] {
    let list = match vcon.get(name) {
        None | Some(Value::Null) => return &[],
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => {
            faults.add(WHOLE, FaultKind::Missing);
            return &[];
        }
    };
    if list.len() > VCON_ENTRIES_MAX {
        faults.add(WHOLE, FaultKind::TooMany);
    }
    list.get(..VCON_ENTRIES_MAX).unwrap_or(list)
}

fn text(value: &Value, name: &str) -> Option<String> {
    let text = value.get(name)?.as_str()?;
    let fits = text.chars().nth(TEXT_CHARACTERS_MAX).is_none();
    fits.then(|| text.to_owned())
}

fn moment(
    value: &Value,
    name: &str,
    place: &str,
    is_needed: bool,
    faults: &mut Faults,
) -> Option<Timestamp> {
    let Some(found) = value.get(name) else {
        if is_needed {
            faults.add(place, FaultKind::Missing);
        }
        return None;
    };
    let moment = found.as_str().and_then(|text| text.parse().ok());
    if moment.is_none() {
        faults.add(place, FaultKind::Moment);
    }
    moment
}

struct Reading {
    parties: usize,
    dialogs: usize,
    faults: Faults,
}

impl Reading {
    fn derived(&mut self, vcon: &Value) -> Option<Derived> {
        let of = |name: &str| {
            let found = vcon.get(name)?;
            let is_said = found.as_object().is_some_and(|object| !object.is_empty());
            is_said.then_some(found)
        };
        // `appended` until syntax 0.3.
        let amended = of("amended").or_else(|| of("appended"));
        let redacted = of("redacted");
        if amended.is_some() && redacted.is_some() {
            self.faults.add(WHOLE, FaultKind::Derived);
        }
        let from = redacted.or(amended)?;
        Some(Derived {
            uuid: text(from, "uuid"),
            is_redacted: redacted.is_some(),
        })
    }

    fn dialog(&mut self, number: usize, dialog: &Value) -> ImportedDialog {
        let place = format!("dialog {number}");
        let kind = match dialog.get("type").and_then(Value::as_str) {
            Some("recording") => DialogKind::Recording,
            Some("text") => DialogKind::Text,
            Some("recording-set") => DialogKind::RecordingSet,
            Some("transfer") => DialogKind::Transfer,
            Some("incomplete") => DialogKind::Incomplete,
            _ => DialogKind::Other,
        };
        let is_empty = dialog.as_object().is_some_and(serde_json::Map::is_empty);
        // An empty entry keeps the place of what was left out.
        if kind == DialogKind::Other && !is_empty {
            self.faults.add(&place, FaultKind::Missing);
        }
        let start = moment(dialog, "start", &place, !is_empty, &mut self.faults);
        let duration = dialog.get("duration").map(|value| {
            let seconds = value.as_f64();
            seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        });
        let duration_us = duration.flatten();
        let duration_us = duration_us.and_then(|duration| u64::try_from(duration.as_micros()).ok());
        if dialog.get("duration").is_some() && duration_us.is_none() {
            self.faults.add(&place, FaultKind::Moment);
        }
        let content = self.content(&place, dialog);
        let has_none = matches!(
            kind,
            DialogKind::RecordingSet | DialogKind::Transfer | DialogKind::Incomplete
        );
        if has_none && content != Content::None {
            self.faults.add(&place, FaultKind::Content);
        }
        let (parties, dialogs) = (self.parties, self.dialogs);
        ImportedDialog {
            kind,
            start,
            duration_us,
            heard: self.heard(&place, dialog.get("parties"), parties),
            // `mimetype` in syntax 0.0.1.
            mediatype: text(dialog, "mediatype").or_else(|| text(dialog, "mimetype")),
            filename: text(dialog, "filename").map(Pii::new),
            content,
            recordings: self
                .heard(&place, dialog.get("recordings"), dialogs)
                .concat(),
            recording_set: self
                .heard(&place, dialog.get("recording_set"), dialogs)
                .concat()
                .first()
                .copied(),
        }
    }

    /// Places in another list: one, several, or several for each channel, where null is nobody.
    fn heard(&mut self, place: &str, said: Option<&Value>, among: usize) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        let channels = match said {
            None | Some(Value::Null) => return all,
            Some(Value::Array(channels)) => channels.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let mut count = 0_usize;
        for channel in channels {
            let places = match channel {
                Value::Null => &[],
                Value::Array(places) => places.as_slice(),
                one => std::slice::from_ref(one),
            };
            count = count.saturating_add(1).saturating_add(places.len());
            if count > 2 * PLACES_MAX {
                self.faults.add(place, FaultKind::TooMany);
                break;
            }
            let found = places.iter().map(|place| {
                let place = place.as_u64().and_then(|place| usize::try_from(place).ok());
                place.filter(|place| *place < among)
            });
            let found: Vec<Option<usize>> = found.collect();
            if found.contains(&None) {
                self.faults.add(place, FaultKind::Dangling);
            }
            all.push(found.into_iter().flatten().collect());
        }
        all
    }

    fn content(&mut self, place: &str, dialog: &Value) -> Content {
        let hashes = hashes(dialog);
        let body = dialog.get("body").filter(|body| !is_nothing(body));
        let url = dialog.get("url").filter(|url| !is_nothing(url));
        match (body, url) {
            (Some(_), Some(_)) => {
                self.faults.add(place, FaultKind::Content);
                Content::None
            }
            (Some(body), None) => self.inline(place, dialog, body, &hashes),
            (None, Some(url)) => {
                let is_address = |url: &&str| {
                    let rest = url
                        .get(..8)
                        .filter(|start| start.eq_ignore_ascii_case("https://"));
                    rest.is_some() && url.len() > 8 && url.len() <= TEXT_CHARACTERS_MAX
                };
                let Some(url) = url.as_str().filter(is_address) else {
                    self.faults.add(place, FaultKind::Address);
                    return Content::None;
                };
                if hashes.is_empty() {
                    self.faults.add(place, FaultKind::Unhashed);
                }
                let url = Pii::new(url.to_owned());
                Content::External { url, hashes }
            }
            (None, None) if dialog.get("filename").is_some() && !hashes.is_empty() => {
                Content::Beside(hashes)
            }
            (None, None) => Content::None,
        }
    }

    fn inline(&mut self, place: &str, dialog: &Value, body: &Value, hashes: &Hashes) -> Content {
        let encoding = dialog.get("encoding").and_then(Value::as_str);
        let bytes = match (encoding, body) {
            (Some("base64url"), Value::String(text)) => {
                URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
            }
            (Some("none") | None, Value::String(text)) => Some(text.clone().into_bytes()),
            (Some("json"), Value::String(text)) => Some(text.clone().into_bytes()),
            (Some("json"), other) => serde_json::to_vec(other).ok(),
            _ => None,
        };
        let Some(bytes) = bytes else {
            self.faults.add(place, FaultKind::Encoding);
            return Content::None;
        };
        let hash = (!hashes.is_empty()).then(|| hashes.state_of(&bytes));
        if hash == Some(HashState::Broken) {
            self.faults.add(place, FaultKind::Hash);
        }
        Content::Inline {
            bytes: Pii::new(bytes),
            hash,
        }
    }

    fn basis(&mut self, number: usize, attachment: &Value) -> Option<ImportedBasis> {
        // By `type` in the first draft.
        let says = |name| {
            attachment
                .get(name)
                .is_some_and(|word| word == basis::PURPOSE)
        };
        if !says("purpose") && !says("type") {
            return None;
        }
        let body = attachment.get("body");
        // Older writers put the JSON into a text.
        let read = match body {
            Some(Value::String(text)) => super::json::read(text.as_bytes()).ok(),
            other => other.cloned(),
        };
        let basis = read.and_then(|body| basis_of(&body));
        if basis.is_none() {
            self.faults
                .add(&format!("attachment {number}"), FaultKind::Basis);
        }
        basis
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// `content_hash`, one or several; `alg` and `signature` in syntax 0.0.1.
fn hashes(dialog: &Value) -> Hashes {
    let mut all: Vec<String> = match dialog.get("content_hash") {
        Some(Value::Array(several)) => several
            .iter()
            .take(PLACES_MAX)
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    if let (Some("SHA-512"), Some(hash)) = (
        dialog.get("alg").and_then(Value::as_str),
        dialog.get("signature").and_then(Value::as_str),
    ) {
        all.push(format!("sha512-{hash}"));
    }
    Hashes(all)
}

/// The body of the attachment (draft vcon-lawful-basis-02), as far as it is used.
fn basis_of(body: &Value) -> Option<ImportedBasis> {
    let basis = LegalBasis::deserialize(body.get("lawful_basis")?).ok()?;
    let expires = match body.get("expiration")? {
        Value::Null => None,
        moment => Some(moment.as_str()?.parse().ok()?),
    };
    let grants = body.get("purpose_grants")?.as_array()?;
    let grant = |grant: &Value| {
        Some(ImportedGrant {
            purpose: text(grant, "purpose")?,
            is_granted: grant.get("granted")?.as_bool()?,
        })
    };
    let grants = grants.iter().take(VCON_ENTRIES_MAX).map(grant);
    Some(ImportedBasis {
        basis,
        expires,
        grants: grants.collect::<Option<_>>()?,
    })
}
