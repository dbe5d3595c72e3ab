//! `voicelog verify FILE.json`: a vCon, of this archive or of another program. What it says, and what of it holds.

use crate::{BadInput, Ended, print};
use anyhow::Result;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use voicelog_evidence::vcon::import::{
    Content, DialogKind, FoundSignature, HashState, ImportedDialog, ImportedParty, ImportedVcon,
    SignatureState, VCON_BYTES_MAX, read,
};
use voicelog_model::Language;

/// Whether a file begins as JSON does, and no ZIP.
pub(crate) fn is_one(file: &mut File) -> bool {
    let mut first = [0; 64];
    let read = file.read(&mut first).unwrap_or(0);
    let first = first.get(..read).unwrap_or_default();
    first.trim_ascii_start().first() == Some(&b'{')
}

pub(crate) fn run(path: &Path, as_json: bool, lang: Language) -> Result<Ended> {
    let place = path.display();
    let bad = |what: String| BadInput(format!("`{place}`: {what}"));
    let file = File::open(path).map_err(|error| bad(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(VCON_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| bad(error.to_string()))?;
    let vcon = read(&bytes).map_err(|error| bad(error.to_string()))?;
    if as_json {
        print::json(&value(&vcon))?;
    } else {
        tell(&vcon, lang);
    }
    Ok(if vcon.holds() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn tell(vcon: &ImportedVcon, lang: Language) {
    for (number, signature) in vcon.signatures.iter().enumerate() {
        let (mark, text) = of_signature(signature, lang);
        print::line(format!("{mark}  signature {number}: {text}"));
    }
    if vcon.signatures.is_empty() {
        let (nl, en) = (
            "!   niet ondertekend: iedereen kan dit geschreven of veranderd hebben",
            "!   not signed: anybody can have written or changed this",
        );
        print::say(lang, nl, en);
    }
    for fault in &vcon.faults {
        print::line(format!("XX  {}: {}", fault.place, fault.kind.text(lang)));
    }
    let fact = |nl: &str, en: &str, value: Option<String>| {
        if let Some(value) = value {
            print::line(format!("    {}: {value}", lang.pick(nl, en)));
        }
    };
    fact("syntaxis", "syntax", vcon.syntax.clone());
    fact("uuid", "uuid", vcon.uuid.clone());
    fact("gemaakt", "made", vcon.created_at.map(|at| at.to_string()));
    fact("afgeleid", "derived", derived(vcon, lang));
    for party in &vcon.parties {
        fact("deelnemer", "party", Some(of_party(party, lang)));
    }
    for dialog in &vcon.dialogs {
        fact("gesprek", "dialog", Some(of_dialog(dialog, lang)));
    }
    for basis in &vcon.bases {
        let word = serde_json::to_value(basis.basis).unwrap_or_default();
        let word = word.as_str().unwrap_or_default();
        let for_what = basis.grants.iter().map(|grant| match grant.is_granted {
            true => grant.purpose.clone(),
            false => format!("{} {}", lang.pick("niet:", "not:"), grant.purpose),
        });
        let for_what: Vec<String> = for_what.collect();
        let text = format!("{word} ({})", for_what.join(", "));
        fact(
            "grondslag, zegt de vCon",
            "basis, as the vCon says",
            Some(text),
        );
    }
    let (nl, en) = match vcon.holds() {
        true => (
            "Wat de vCon van zichzelf kan aantonen, klopt. Dat het gesprek volledig is of in een logboek staat, toont een vCon niet: vraag daarvoor de bundel.",
            "What the vCon can show of itself holds. That the conversation is whole, or in a log, a vCon does not show: ask for the bundle.",
        ),
        false => ("De vCon klopt NIET.", "The vCon does NOT hold."),
    };
    print::say(lang, nl, en);
}

fn of_signature(signature: &FoundSignature, lang: Language) -> (&'static str, String) {
    let (mark, nl, en) = match signature.state {
        SignatureState::Holds => (
            "ok",
            "klopt onder het certificaat dat erbij zit; van wie dat is, zegt de vCon niet",
            "holds under the certificate that comes with it; whose that is, the vCon does not say",
        ),
        SignatureState::Broken => (
            "XX",
            "hoort niet bij deze vCon, of niet bij dat certificaat",
            "is not of this vCon, or not of that certificate",
        ),
        SignatureState::Unchecked => (
            "! ",
            "kan hier niet worden nagegaan",
            "cannot be checked here",
        ),
    };
    let certificate = signature.certificate;
    let certificate = certificate.map_or_else(String::new, |digest| format!(" ({digest})"));
    (mark, format!("{}{certificate}", lang.pick(nl, en)))
}

fn derived(vcon: &ImportedVcon, lang: Language) -> Option<String> {
    let derived = vcon.derived.as_ref()?;
    let how = match derived.is_redacted {
        true => lang.pick("er is iets weggelaten uit", "something was left out of"),
        false => lang.pick("er is iets toegevoegd aan", "something was added to"),
    };
    let unknown = lang.pick("een andere vCon", "another vCon");
    Some(format!(
        "{how} {}",
        derived.uuid.as_deref().unwrap_or(unknown)
    ))
}

fn of_party(party: &ImportedParty, lang: Language) -> String {
    let said = [&party.name, &party.tel, &party.sip, &party.mailto];
    let said = said.into_iter().flatten().map(|one| one.expose().as_str());
    let mut all: Vec<&str> = said.chain(party.role.as_deref()).collect();
    if all.is_empty() {
        all.push(lang.pick("(niets bekend)", "(nothing known)"));
    }
    all.join(", ")
}

fn of_dialog(dialog: &ImportedDialog, lang: Language) -> String {
    let mut all = vec![kind(&dialog.kind).to_owned()];
    all.extend(dialog.start.map(|at| at.to_string()));
    all.extend(dialog.duration_us.map(|length| {
        let (seconds, tenths) = (length / 1_000_000, length / 100_000 % 10);
        format!("{seconds}.{tenths} s")
    }));
    all.extend(dialog.mediatype.clone());
    let content = match &dialog.content {
        Content::None => None,
        Content::Inline { bytes, hash } => {
            let state = match hash {
                Some(HashState::Holds) => lang.pick("de hash klopt", "its hash holds"),
                Some(HashState::Broken) => {
                    lang.pick("de hash klopt NIET", "its hash does NOT hold")
                }
                Some(HashState::Unchecked) | None => lang.pick("zonder hash", "without a hash"),
            };
            Some(format!("{} bytes, {state}", bytes.expose().len()))
        }
        Content::Beside(_) => Some(
            lang.pick("in een bestand ernaast", "in a file beside it")
                .to_owned(),
        ),
        Content::External { .. } => Some(lang.pick("ligt elders", "lies elsewhere").to_owned()),
    };
    all.extend(content);
    all.join(", ")
}

const fn kind(kind: &DialogKind) -> &'static str {
    match kind {
        DialogKind::Recording => "recording",
        DialogKind::Text => "text",
        DialogKind::RecordingSet => "recording-set",
        DialogKind::Transfer => "transfer",
        DialogKind::Incomplete => "incomplete",
        DialogKind::Other => "other",
    }
}

fn value(vcon: &ImportedVcon) -> Value {
    let signatures = vcon.signatures.iter().map(|one| {
        let state = match one.state {
            SignatureState::Holds => "holds",
            SignatureState::Broken => "broken",
            SignatureState::Unchecked => "unchecked",
        };
        json!({ "state": state, "certificate": one.certificate, "uuid": one.uuid })
    });
    let faults = vcon.faults.iter().map(|fault| {
        json!({
            "place": fault.place,
            "text_nl": fault.kind.text(Language::Nl), "text_en": fault.kind.text(Language::En),
        })
    });
    let dialogs = vcon.dialogs.iter().map(|dialog| {
        let bytes = match &dialog.content {
            Content::Inline { bytes, .. } => Some(bytes.expose().len()),
            _ => None,
        };
        json!({
            "type": kind(&dialog.kind), "start": dialog.start, "duration_us": dialog.duration_us,
            "parties": dialog.heard, "mediatype": dialog.mediatype, "bytes": bytes,
        })
    });
    let bases = vcon.bases.iter().map(|basis| {
        let grants = basis.grants.iter();
        let grants = grants.map(|one| json!({ "purpose": one.purpose, "granted": one.is_granted }));
        json!({
            "lawful_basis": basis.basis, "expires": basis.expires,
            "purposes": grants.collect::<Vec<_>>(),
        })
    });
    let derived = vcon.derived.as_ref();
    json!({
        "holds": vcon.holds(), "signed": vcon.is_signed(), "syntax": vcon.syntax, "uuid": vcon.uuid,
        "created_at": vcon.created_at, "updated_at": vcon.updated_at,
        "derived": derived.map(|one| json!({ "uuid": one.uuid, "redacted": one.is_redacted })),
        "signatures": signatures.collect::<Vec<_>>(), "faults": faults.collect::<Vec<_>>(),
        "parties": vcon.parties.len(), "dialogs": dialogs.collect::<Vec<_>>(),
        "bases": bases.collect::<Vec<_>>(),
    })
}
