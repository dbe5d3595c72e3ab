//! vCons of others, and of our own making, as they are read.

use crate::fixture::{Parts, archive_key};
use crate::part::file;
use crate::vcon::bundle_with_basis;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use voicelog_evidence::Digest;
use voicelog_evidence::vcon::import::{
    Content, DialogKind, FaultKind, HashState, ImportError, ImportedVcon, SignatureState, read,
};
use voicelog_evidence::vcon::{ArchiveSigner, LegalBasis, Profile, Sign, from_bundle};
use voicelog_model::{Kind, Language};

const UUID: &str = "0199a3c0-0000-8000-8000-000000000001";

/// A vCon such as programs write today: syntax 0.4.0, sound in it.
fn vcon() -> Value {
    json!({
        "vcon": "0.4.0",
        "uuid": UUID,
        "created_at": "2026-11-21T10:00:00+01:00",
        "extensions": ["lawful_basis"],
        "parties": [{ "name": "Anna de Vries", "tel": "tel:+31201234567", "role": "customer" }, {}],
        "dialog": [
            { "type": "recording-set", "start": "2026-11-21T09:00:00Z", "duration": 2,
              "recordings": [1], "parties": [0, 1] },
            { "type": "recording", "start": "2026-11-21T09:00:00Z", "duration": 1.5,
              "parties": [0, [1, 0], null], "mediatype": "audio/x-wav", "filename": "call.wav",
              "recording_set": 0, "encoding": "base64url", "body": URL_SAFE_NO_PAD.encode(b"sound") },
        ],
        "attachments": [{
            "purpose": "lawful_basis", "start": "2026-11-21T09:00:00Z", "party": 0, "dialog": 0,
            "mediatype": "application/json", "encoding": "json",
            "body": { "lawful_basis": "consent", "expiration": null, "purpose_grants": [
                { "purpose": "quality", "granted": true, "granted_at": "2026-11-21T09:00:00Z" },
                { "purpose": "marketing", "granted": false } ] },
        }],
    })
}

fn bytes_of(vcon: &Value) -> Vec<u8> {
    serde_json::to_vec(vcon).unwrap()
}

fn hash_of(bytes: &[u8]) -> String {
    format!("sha512-{}", URL_SAFE_NO_PAD.encode(Sha512::digest(bytes)))
}

/// What is found where one thing is changed.
fn with(change: impl FnOnce(&mut Value)) -> Result<ImportedVcon, ImportError> {
    let mut vcon = vcon();
    change(&mut vcon);
    read(&bytes_of(&vcon))
}

fn faults(vcon: &ImportedVcon) -> Vec<(&str, FaultKind)> {
    let fault = vcon.faults.iter();
    fault
        .map(|fault| (fault.place.as_str(), fault.kind))
        .collect()
}

/// Signed as others do it: `uuid` in no header, and a header of its own.
fn signed(payload: &[u8], protected: &Value) -> Value {
    let signer = ArchiveSigner::new(&archive_key());
    let protected = URL_SAFE_NO_PAD.encode(bytes_of(protected));
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let signature = signer
        .sign(format!("{protected}.{payload}").as_bytes())
        .unwrap();
    let chain = signer.certificates().iter();
    let chain: Vec<String> = chain.map(|one| STANDARD.encode(one)).collect();
    json!({
        "payload": payload,
        "signatures": [{
            "header": { "x5c": chain },
            "protected": protected,
            "signature": URL_SAFE_NO_PAD.encode(signature),
        }],
    })
}

fn states(vcon: &ImportedVcon) -> Vec<SignatureState> {
    vcon.signatures.iter().map(|one| one.state).collect()
}

#[test]
fn who_took_part_what_was_said_and_on_which_basis_comes_out_of_it() {
    let vcon = read(&bytes_of(&vcon())).unwrap();
    assert!(vcon.holds() && !vcon.is_signed(), "{:?}", vcon.faults);
    assert_eq!(vcon.syntax.as_deref(), Some("0.4.0"));
    assert_eq!(vcon.uuid.as_deref(), Some(UUID));
    let made = vcon.created_at.map(|at| at.to_string());
    assert_eq!(made.as_deref(), Some("2026-11-21T09:00:00.000000Z"));
    assert_eq!(
        vcon.parties[0].name.as_ref().unwrap().expose(),
        "Anna de Vries"
    );
    assert_eq!(vcon.parties[0].role.as_deref(), Some("customer"));
    let [set, recording] = vcon.dialogs.as_slice() else {
        panic!("{:?}", vcon.dialogs);
    };
    assert_eq!(
        (&set.kind, &set.recordings[..]),
        (&DialogKind::RecordingSet, &[1][..])
    );
    assert_eq!(
        (set.duration_us, set.heard.concat()),
        (Some(2_000_000), vec![0, 1])
    );
    assert_eq!(recording.duration_us, Some(1_500_000));
    assert_eq!(recording.heard, [vec![0], vec![1, 0], vec![]]);
    assert_eq!(recording.recording_set, Some(0));
    let Content::Inline { bytes, hash: None } = &recording.content else {
        panic!("{:?}", recording.content);
    };
    assert_eq!(bytes.expose(), b"sound");
    let [basis] = vcon.bases.as_slice() else {
        panic!("{:?}", vcon.bases);
    };
    assert_eq!((basis.basis, basis.expires), (LegalBasis::Consent, None));
    let grants: Vec<_> = basis
        .grants
        .iter()
        .map(|grant| (grant.purpose.as_str(), grant.is_granted))
        .collect();
    assert_eq!(grants, [("quality", true), ("marketing", false)]);
    assert!(
        !format!("{vcon:?}").contains("Anna"),
        "no message shows who it was"
    );
}

#[test]
fn what_we_write_ourselves_is_read_with_its_sound_and_its_signature() {
    let bundle = bundle_with_basis();
    let signer = ArchiveSigner::new(&archive_key());
    for (profile, first) in [(Profile::Core, 1), (Profile::Compat, 0)] {
        let made = from_bundle(&bundle, profile).unwrap();
        let vcon = read(&made.signed(&signer).unwrap()).unwrap();
        assert!(vcon.is_signed() && vcon.holds(), "{:?}", vcon.faults);
        let certificate = Digest::of(&signer.certificates()[0]);
        assert_eq!(vcon.signatures[0].certificate, Some(certificate));
        assert_eq!(vcon.bases[0].basis, LegalBasis::PublicTask);
        for (number, dialog) in (1..).zip(&vcon.dialogs[first..]) {
            let Content::Inline { bytes, .. } = &dialog.content else {
                panic!("{dialog:?}");
            };
            assert_eq!(
                *bytes.expose(),
                file(&bundle, &format!("audio/{number}.wav"))
            );
        }
        let plain = read(made.unsigned()).unwrap();
        assert_eq!(
            (&plain.parties, &plain.dialogs),
            (&vcon.parties, &vcon.dialogs)
        );
    }
    // Of the one in a bundle the sound lies beside it, and is its own by the hash.
    let vcon = read(&file(&bundle, "vcon.json")).unwrap();
    assert!(vcon.is_signed() && vcon.holds());
    let Content::Beside(hashes) = &vcon.dialogs[1].content else {
        panic!("{:?}", vcon.dialogs[1]);
    };
    assert_eq!(
        hashes.state_of(&file(&bundle, "audio/1.wav")),
        HashState::Holds
    );
    assert_eq!(
        hashes.state_of(&file(&bundle, "audio/2.wav")),
        HashState::Broken
    );
}

#[test]
fn older_words_are_read_as_what_they_mean() {
    let sound = b"other sound";
    let hash = URL_SAFE_NO_PAD.encode(Sha512::digest(sound));
    let vcon = with(|vcon| {
        vcon["vcon"] = json!("0.0.1");
        vcon["group"] = json!([]);
        vcon["redacted"] = json!({});
        vcon["appended"] = json!({ "uuid": "before" });
        vcon["dialog"][1] = json!({
            "type": "recording", "start": "2026-11-21T09:00:00.000+0000", "duration": 3.0,
            "parties": 1, "mimetype": "audio/wav", "url": "https://example.com/call.wav",
            "alg": "SHA-512", "signature": hash,
        });
        let body = vcon["attachments"][0]["body"].to_string();
        vcon["attachments"][0] =
            json!({ "type": "lawful_basis", "encoding": "json", "body": body });
    });
    let vcon = vcon.unwrap();
    assert!(vcon.holds(), "{:?}", vcon.faults);
    let derived = vcon.derived.unwrap();
    assert_eq!(
        (derived.uuid.as_deref(), derived.is_redacted),
        (Some("before"), false)
    );
    assert_eq!(vcon.dialogs[1].mediatype.as_deref(), Some("audio/wav"));
    assert_eq!(vcon.dialogs[1].heard, [[1]]);
    let Content::External { url, hashes } = &vcon.dialogs[1].content else {
        panic!("{:?}", vcon.dialogs[1]);
    };
    assert_eq!(url.expose(), "https://example.com/call.wav");
    assert_eq!(hashes.state_of(sound), HashState::Holds);
    assert_eq!(hashes.state_of(b"something else"), HashState::Broken);
    assert_eq!(vcon.bases.len(), 1);
}

#[test]
fn a_hash_of_what_is_in_it_is_checked() {
    let inline = |hash: Value| {
        let vcon = with(|vcon| vcon["dialog"][1]["content_hash"] = hash).unwrap();
        let Content::Inline { hash, .. } = vcon.dialogs[1].content else {
            panic!("{:?}", vcon.dialogs[1]);
        };
        (hash, vcon.holds())
    };
    let right = hash_of(b"sound");
    assert_eq!(inline(json!(right)), (Some(HashState::Holds), true));
    let one_of_two = json!([right, hash_of(b"noise")]);
    assert_eq!(inline(one_of_two), (Some(HashState::Broken), false));
    let unknown = json!(["sha3-abc", "nothing"]);
    assert_eq!(inline(unknown), (Some(HashState::Unchecked), true));
}

#[test]
fn what_does_not_hold_is_told_with_its_place() {
    type Change = fn(&mut Value);
    let wrong: [(&str, FaultKind, Change); 17] = [
        ("vcon", FaultKind::Missing, |vcon| vcon["uuid"] = json!(7)),
        ("vcon", FaultKind::Missing, |vcon| {
            drop(vcon.as_object_mut().unwrap().remove("created_at"))
        }),
        ("vcon", FaultKind::Moment, |vcon| {
            vcon["updated_at"] = json!("yesterday")
        }),
        ("vcon", FaultKind::Missing, |vcon| {
            vcon["parties"] = json!("all of us")
        }),
        ("vcon", FaultKind::TooMany, |vcon| {
            vcon["parties"] = json!(vec![json!({}); 1_001])
        }),
        ("vcon", FaultKind::Derived, |vcon| {
            vcon["redacted"] = json!({ "uuid": "a" });
            vcon["amended"] = json!({ "uuid": "b" });
        }),
        ("dialog 1", FaultKind::Missing, |vcon| {
            vcon["dialog"][1]["type"] = json!("seance")
        }),
        ("dialog 1", FaultKind::Missing, |vcon| {
            drop(vcon["dialog"][1].as_object_mut().unwrap().remove("start"))
        }),
        ("dialog 1", FaultKind::Moment, |vcon| {
            vcon["dialog"][1]["duration"] = json!(-1)
        }),
        ("dialog 1", FaultKind::Moment, |vcon| {
            vcon["dialog"][1]["duration"] = json!(1e300)
        }),
        ("dialog 1", FaultKind::Dangling, |vcon| {
            vcon["dialog"][1]["parties"] = json!([0, 2])
        }),
        ("dialog 0", FaultKind::Dangling, |vcon| {
            vcon["dialog"][0]["recordings"] = json!([-1])
        }),
        ("dialog 1", FaultKind::Encoding, |vcon| {
            vcon["dialog"][1]["body"] = json!("!!!")
        }),
        ("dialog 1", FaultKind::Encoding, |vcon| {
            vcon["dialog"][1]["encoding"] = json!("base65")
        }),
        ("dialog 1", FaultKind::Content, |vcon| {
            vcon["dialog"][1]["url"] = json!("https://example.com/a")
        }),
        ("dialog 0", FaultKind::Content, |vcon| {
            vcon["dialog"][0]["body"] = json!("text");
            vcon["dialog"][0]["encoding"] = json!("none");
        }),
        ("attachment 0", FaultKind::Basis, |vcon| {
            vcon["attachments"][0]["body"]["lawful_basis"] = json!("because");
        }),
    ];
    for (place, kind, change) in wrong {
        let vcon = with(change).unwrap();
        assert_eq!(faults(&vcon)[0], (place, kind));
        assert!(!vcon.holds());
        assert_ne!(kind.text(Language::Nl), kind.text(Language::En));
    }
}

#[test]
fn what_lies_elsewhere_needs_an_address_that_is_one_and_a_hash() {
    for (url, hash, kind) in [
        ("http://example.com/a", Some("sha512-x"), FaultKind::Address),
        ("file:///etc/passwd", Some("sha512-x"), FaultKind::Address),
        ("https://example.com/a", None, FaultKind::Unhashed),
    ] {
        let vcon = with(|vcon| {
            vcon["dialog"][1] =
                json!({ "type": "recording", "start": "2026-11-21T09:00:00Z", "url": url });
            if let Some(hash) = hash {
                vcon["dialog"][1]["content_hash"] = json!(hash);
            }
        });
        assert_eq!(faults(&vcon.unwrap()), [("dialog 1", kind)], "{url}");
    }
    // What was left out keeps its place.
    assert!(
        with(|vcon| vcon["dialog"][0] = json!({}))
            .unwrap()
            .faults
            .iter()
            .all(|fault| fault.place != "dialog 0")
    );
}

#[test]
fn a_signature_is_checked_and_so_is_what_it_is_for() {
    let payload = bytes_of(&vcon());
    let es256 = json!({ "alg": "ES256" });
    let good = signed(&payload, &es256);
    let found = |signed: &Value| read(&bytes_of(signed)).unwrap();
    assert!(found(&good).is_signed() && found(&good).holds());

    let mut other = good.clone();
    let noisy = String::from_utf8(payload.clone())
        .unwrap()
        .replace("Anna", "Hans");
    other["payload"] = json!(URL_SAFE_NO_PAD.encode(noisy));
    assert_eq!(states(&found(&other)), [SignatureState::Broken]);
    assert!(!found(&other).holds() && !found(&other).is_signed());

    let mut second = good.clone();
    let broken = other["signatures"][0].clone();
    second["signatures"].as_array_mut().unwrap().push(broken);
    second["signatures"][1]["protected"] =
        json!(URL_SAFE_NO_PAD.encode(b"{\"alg\":\"ES256\",\"x\":1}"));
    assert_eq!(
        states(&found(&second)),
        [SignatureState::Holds, SignatureState::Broken]
    );
    assert!(!found(&second).is_signed());

    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES256", "crit": ["exp"], "exp": 1 }),
        json!({ "alg": "ES256", "b64": false }),
    ] {
        let found = found(&signed(&payload, &header));
        assert_eq!(states(&found), [SignatureState::Unchecked], "{header}");
        assert!(!found.is_signed());
    }
    let mut elsewhere = good.clone();
    elsewhere["signatures"][0]["header"] = json!({ "x5u": "https://example.com/chain.pem" });
    assert_eq!(states(&found(&elsewhere)), [SignatureState::Unchecked]);

    let other_uuid = json!({ "alg": "ES256", "uuid": "another" });
    let other_uuid = found(&signed(&payload, &other_uuid));
    assert_eq!(faults(&other_uuid), [("signature 0", FaultKind::Uuid)]);

    let again = signed(&bytes_of(&good), &es256);
    let again = found(&again);
    assert_eq!(states(&again), [SignatureState::Holds; 2]);
    assert_eq!(again.parties.len(), 2);
}

#[test]
fn what_is_no_vcon_or_more_than_one_is_refused_and_says_why() {
    let good = signed(&bytes_of(&vcon()), &json!({ "alg": "ES256" }));
    let mut both = good.clone();
    both["parties"] = json!([]);
    let mut endless = good.clone();
    for _ in 0..6 {
        endless = signed(&bytes_of(&endless), &json!({ "alg": "ES256" }));
    }
    let compressed = signed(&[0x1f, 0x8b, 8, 0], &json!({ "alg": "ES256" }));
    let mut unsigned = good;
    unsigned["signatures"] = json!([]);
    let critical = |name: &str| {
        let mut vcon = vcon();
        vcon[name] = json!(["time_travel"]);
        vcon
    };
    for (document, expected) in [
        (json!({ "a": 1 }), ImportError::NoVcon),
        (json!([]), ImportError::NoVcon),
        (
            json!({ "ciphertext": "x", "recipients": [] }),
            ImportError::Encrypted,
        ),
        (both, ImportError::Forms),
        (critical("critical"), ImportError::Critical),
        (critical("must_support"), ImportError::Critical),
    ] {
        assert_eq!(read(&bytes_of(&document)), Err(expected), "{document}");
    }
    for document in [endless, compressed, unsigned] {
        let error = read(&bytes_of(&document)).unwrap_err();
        assert!(matches!(error, ImportError::Signed(_)), "{error}");
        assert_eq!(error.kind(), Kind::Invalid);
    }
}

#[test]
fn a_cut_or_changed_vcon_comes_back_as_an_error_or_with_another_signature() {
    let bundle = Parts::new(1, 3).bundle();
    let vcon = file(&bundle, "vcon.json");
    for length in (0..vcon.len()).step_by(97) {
        assert!(read(&vcon[..length]).is_err(), "{length}");
    }
    for at in (0..vcon.len()).step_by(151) {
        let mut changed = vcon.clone();
        changed[at] ^= 4;
        let read = read(&changed);
        // In the chain only its first certificate counts, and of that the key.
        let certificate = read
            .as_ref()
            .ok()
            .and_then(|vcon| vcon.signatures.first()?.certificate);
        let same = certificate
            == Some(Digest::of(
                &ArchiveSigner::new(&archive_key()).certificates()[0],
            ));
        assert!(
            !(same && read.is_ok_and(|vcon| vcon.is_signed())),
            "byte {at}"
        );
    }
}
