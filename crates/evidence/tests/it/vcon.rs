//! The vCon in a bundle, and by itself: held against the rules of the draft, and its signature against
//! openssl.

use crate::codecs::call_with;
use crate::fixture::{Parts, archive_key, recording, signed_again, verifier};
use crate::part::{copy, excerpt, redaction, without};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use voicelog_evidence::bundle;
use voicelog_evidence::vcon::{
    Algorithm, ArchiveSigner, Basis, LegalBasis, Profile, Sign, SignError, from_bundle,
};
use voicelog_evidence::verify::Check;
use voicelog_evidence::{IntervalKind, JournalEvent, Record, canonical_json, verify, zip};
use voicelog_model::StreamNumber;

pub(crate) fn file(bundle: &[u8], name: &str) -> Vec<u8> {
    let files = zip::read(bundle).unwrap();
    let (_, bytes) = files.iter().find(|(found, _)| *found == name).unwrap();
    bytes.to_vec()
}

fn decoded(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The unsigned vCon in a signed one.
fn payload(signed: &[u8]) -> Value {
    json_of(&decoded(&json_of(signed)["payload"]))
}

fn basis() -> Basis {
    Basis {
        basis: LegalBasis::PublicTask,
        purpose: "quality".into(),
        expires: Some("2027-05-21T00:00:00Z".parse().unwrap()),
    }
}

/// A bundle of a call of two streams, with a lawful basis.
pub(crate) fn bundle_with_basis() -> Vec<u8> {
    let parts = Parts::new(2, 12);
    let basis = basis();
    let input = bundle::BundleInput {
        basis: Some(&basis),
        ..parts.input()
    };
    bundle::build(&input, &archive_key()).unwrap()
}

/// The rules of the draft (vcon-core-03, and what -04 asks for of attachments) that hold for every vCon we
/// write: the schema's, and those that it does not have.
fn assert_conforms(vcon: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_time = |value: &Value| text(value).parse::<voicelog_model::Timestamp>().is_ok();
    assert_eq!(vcon["vcon"], "0.4.0");
    let uuid = text(&vcon["uuid"]);
    assert!(
        uuid.len() == 36 && uuid.chars().nth(14) == Some('8'),
        "{uuid}"
    );
    assert!(is_time(&vcon["created_at"]) && is_time(&vcon["updated_at"]));
    assert!(vcon.get("redacted").is_none() || vcon.get("amended").is_none());
    let parties = vcon["parties"].as_array().unwrap().len() as u64;
    let dialogs = vcon["dialog"].as_array().unwrap();
    let is_party = |value: &Value| value.as_u64().is_some_and(|place| place < parties);
    for (place, dialog) in dialogs.iter().enumerate() {
        assert!(is_time(&dialog["start"]), "{dialog}");
        assert!(
            dialog["duration"]
                .as_f64()
                .is_some_and(|seconds| seconds >= 0.0)
        );
        let listed = dialog.get("parties").and_then(Value::as_array).cloned();
        for entry in listed.unwrap_or_default() {
            let mixed = entry.as_array().is_some_and(|mix| mix.iter().all(is_party));
            assert!(is_party(&entry) || mixed, "{dialog}");
        }
        let content = ["body", "encoding", "url", "content_hash", "mediatype"];
        match dialog["type"].as_str() {
            Some("recording-set") => {
                assert!(content.iter().all(|name| dialog.get(*name).is_none()));
                for recording in dialog["recordings"].as_array().unwrap() {
                    let found = &dialogs[usize::try_from(recording.as_u64().unwrap()).unwrap()];
                    assert_eq!(found["type"], "recording");
                    assert_eq!(found["recording_set"], json!(place));
                }
            }
            Some("recording") => {
                assert!(dialog.get("recordings").is_none());
                assert_eq!(dialog["mediatype"], "audio/x-wav");
                let inline = dialog.get("body").is_some() && dialog["encoding"] == "base64url";
                let hash = text(&dialog["content_hash"]);
                assert!(
                    inline || hash.starts_with("sha512-") && hash.len() == 7 + 86,
                    "{hash}"
                );
            }
            other => panic!("{other:?}"),
        }
        for event in dialog
            .get("party_history")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            assert!(is_party(&event["party"]) && is_time(&event["time"]));
            assert!(["join", "drop", "hold", "unhold"].contains(&event["event"].as_str().unwrap()));
        }
    }
    for attachment in vcon["attachments"].as_array().unwrap() {
        assert!(is_time(&attachment["start"]) && is_party(&attachment["party"]));
        assert!(attachment["dialog"].as_u64().unwrap() < dialogs.len() as u64);
        assert_eq!(attachment["mediatype"], "application/json");
        assert_eq!(attachment["encoding"], "json");
        assert!(attachment["body"].is_object());
    }
}

#[test]
fn the_vcon_says_who_when_and_what_and_has_the_hashes_of_the_sound() {
    let bundle = bundle_with_basis();
    assert!(verify(&bundle, Some(&verifier())).holds());
    let signed = file(&bundle, "vcon.json");
    let vcon = payload(&signed);
    assert_conforms(&vcon);
    let names: Vec<&Value> = vcon["parties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| &party["name"])
        .collect();
    assert_eq!(names, ["archief.example/opnamen", "p1", "p2"]);
    assert_eq!(vcon["parties"][0]["type"], "organization");
    assert_eq!(vcon["extensions"], json!(["lawful_basis"]));
    let set = &vcon["dialog"][0];
    assert_eq!(set["type"], "recording-set");
    assert_eq!(
        (&set["duration"], &set["recordings"], &set["parties"]),
        (&json!(0.3), &json!([1, 2]), &json!([1, 2]))
    );
    for number in [1, 2] {
        let dialog = &vcon["dialog"][number];
        let name = format!("audio/{number}.wav");
        let hash = URL_SAFE_NO_PAD.encode(Sha512::digest(file(&bundle, &name)));
        assert_eq!(dialog["filename"], json!(name));
        assert_eq!(dialog["content_hash"], json!(format!("sha512-{hash}")));
        assert_eq!(dialog["parties"], json!([number]));
    }
    let attached = |place: usize| {
        (
            &vcon["attachments"][place]["purpose"],
            &vcon["attachments"][place]["body"],
        )
    };
    assert_eq!(
        attached(1),
        (
            &json!("timeline"),
            &json_of(&file(&bundle, "timeline.json"))
        )
    );
    assert_eq!(
        attached(2),
        (
            &json!("decision"),
            &json_of(&file(&bundle, "decision.json"))
        )
    );
    let protected = json_of(&decoded(&json_of(&signed)["signatures"][0]["protected"]));
    assert_eq!(protected, json!({ "alg": "ES256", "uuid": vcon["uuid"] }));
}

#[test]
fn the_lawful_basis_has_the_shape_of_its_draft() {
    let vcon = payload(&file(&bundle_with_basis(), "vcon.json"));
    let basis = &vcon["attachments"][0];
    assert_eq!(basis["purpose"], "lawful_basis");
    assert_eq!(basis["type"], "lawful_basis");
    let expected = json!({
        "lawful_basis": "public_task",
        "expiration": "2027-05-21T00:00:00.000000Z",
        "purpose_grants": [{
            "purpose": "quality", "granted": true, "granted_at": "2026-11-21T10:02:00.000000Z",
        }],
        "metadata": { "gdpr_article": "6(1)(e)" },
    });
    assert_eq!(basis["body"], expected);
    // Who knows of none says nothing.
    let without = payload(&file(&Parts::new(2, 12).bundle(), "vcon.json"));
    assert!(without.get("extensions").is_none());
    assert_eq!(without["attachments"].as_array().unwrap().len(), 2);
}

#[test]
fn a_copy_of_a_part_names_the_whole_and_says_where_what_is_missing() {
    let parts = Parts::new(2, 60);
    let whole = payload(&file(&parts.bundle(), "vcon.json"));
    let mut plan = excerpt(200, 900);
    plan.redactions = vec![redaction(&[1], 500, 700)];
    let bundle = copy(&parts, &plan);
    assert!(verify(&bundle, Some(&verifier())).holds());
    let vcon = payload(&file(&bundle, "vcon.json"));
    assert_conforms(&vcon);
    assert_ne!(vcon["uuid"], whole["uuid"]);
    assert_eq!(
        vcon["redacted"],
        json!({ "uuid": whole["uuid"], "type": "audio" })
    );
    // The set is the call, the recordings are the excerpt: what is between them is missing.
    assert_eq!(vcon["dialog"][0]["start"], whole["dialog"][0]["start"]);
    assert_eq!(
        vcon["dialog"][0]["duration"],
        whole["dialog"][0]["duration"]
    );
    assert_eq!(vcon["dialog"][1]["start"], "2026-11-21T10:02:00.200000Z");
    assert_eq!(vcon["dialog"][1]["duration"], json!(0.7));
    let map = vcon["attachments"].as_array().unwrap().last().unwrap();
    assert_eq!(map["purpose"], "redaction_map");
    let scope = json_of(&file(&bundle, "scope.json"));
    assert_eq!(map["body"]["excerpt"], scope["excerpt"]);
    let left_out: Vec<&Value> = scope["streams"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|stream| stream["left_out"].as_array().unwrap())
        .collect();
    let passages = map["body"]["passages"].as_array().unwrap();
    assert_eq!(passages.len(), left_out.len());
    for (passage, left_out) in passages.iter().zip(left_out) {
        for name in ["start_us", "end_us", "is_outside", "redactions"] {
            assert_eq!(passage[name], left_out[name]);
        }
        assert_eq!(passage["dialog"], passage["stream"]);
    }
    let told = &map["body"]["redactions"][0];
    assert_eq!(told["legal_ground"], scope["redactions"][0]["legal_ground"]);
    assert_eq!(told["method"], scope["redactions"][0]["sound"]);
}

#[test]
fn the_whole_has_one_uuid_for_ever_and_every_copy_of_a_part_its_own() {
    let parts = Parts::new(1, 60);
    let uuid = |bundle: &[u8]| payload(&file(bundle, "vcon.json"))["uuid"].clone();
    let later = bundle::BundleInput {
        made_at: parts.input().made_at.plus_micros(1),
        ..parts.input()
    };
    let later = bundle::build(&later, &archive_key()).unwrap();
    assert_eq!(uuid(&later), uuid(&parts.bundle()));
    let one = uuid(&copy(&parts, &excerpt(200, 900)));
    let other = uuid(&copy(&parts, &excerpt(200, 800)));
    let redacted = uuid(&copy(&parts, &without(vec![redaction(&[1], 500, 700)])));
    assert!(one != other && one != redacted && other != redacted);
}

/// A fresh folder for a test that runs openssl.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("vcon")
        .join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

fn openssl(folder: &Path, line: &str) -> Vec<u8> {
    let ran = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "openssl {line}: {said}");
    ran.stdout
}

/// Certificate, signing input and signature of a signed vCon, as files.
fn unpacked(signed: &[u8], folder: &Path) {
    let jws = json_of(signed);
    let signature = &jws["signatures"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let input = format!(
        "{}.{}",
        text(&signature["protected"]),
        text(&jws["payload"])
    );
    put(&folder.join("input"), input.as_bytes());
    let certificate = STANDARD
        .decode(text(&signature["header"]["x5c"][0]))
        .unwrap();
    put(&folder.join("certificate.der"), &certificate);
    put(&folder.join("signature"), &decoded(&signature["signature"]));
    openssl(
        folder,
        "x509 -inform der -in certificate.der -out certificate.pem",
    );
    let key = openssl(folder, "x509 -in certificate.pem -noout -pubkey");
    put(&folder.join("key.pem"), &key);
}

/// ECDSA-Sig-Value (RFC 3279 §2.2.3) of r and s.
fn as_der(signature: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        let zero = (bytes[start] >= 0x80).then_some(0);
        let digits: Vec<u8> = zero
            .into_iter()
            .chain(bytes[start..].iter().copied())
            .collect();
        [&[2, u8::try_from(digits.len()).unwrap()][..], &digits].concat()
    };
    let both = [number(&signature[..32]), number(&signature[32..])].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat()
}

#[test]
fn openssl_finds_the_archives_own_signature_and_certificate_right() {
    let folder = folder("es256");
    unpacked(&file(&Parts::new(1, 6).bundle(), "vcon.json"), &folder);
    let raw = std::fs::read(folder.join("signature")).unwrap();
    assert_eq!(raw.len(), 64);
    put(&folder.join("signature.der"), &as_der(&raw));
    openssl(
        &folder,
        "dgst -sha256 -verify key.pem -signature signature.der input",
    );
    openssl(
        &folder,
        "verify -CAfile certificate.pem -check_ss_sig certificate.pem",
    );
    let told = openssl(&folder, "x509 -in certificate.pem -noout -text");
    let told = String::from_utf8(told).unwrap();
    for words in [
        "CN = archief.example/opnamen",
        "Digital Signature",
        "prime256v1",
        "Dec 31 23:59:59 9999",
    ] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
}

/// A signer with an RSA key, whose key openssl has.
#[derive(Debug)]
struct OpensslSigner {
    folder: PathBuf,
    certificates: Vec<Vec<u8>>,
}

impl OpensslSigner {
    fn new(bits: u32) -> Self {
        let folder = folder(&format!("rsa-{bits}"));
        openssl(
            &folder,
            &format!(
                "req -x509 -newkey rsa:{bits} -nodes -keyout own.pem -out own.crt -subj /CN=opnamen.example -days 3650"
            ),
        );
        let certificate = openssl(&folder, "x509 -in own.crt -outform der");
        Self {
            folder,
            certificates: vec![certificate],
        }
    }
}

impl Sign for OpensslSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        put(&self.folder.join("message"), message);
        Ok(openssl(&self.folder, "dgst -sha256 -sign own.pem message"))
    }
}

fn bundle_by(signer: &dyn Sign) -> Vec<u8> {
    let parts = Parts::new(1, 6);
    let input = bundle::BundleInput {
        vcon_signer: Some(signer),
        ..parts.input()
    };
    bundle::build(&input, &archive_key()).unwrap()
}

#[test]
fn a_vcon_signed_with_the_organisations_own_rsa_key_holds_here_and_for_openssl() {
    let signer = OpensslSigner::new(2_048);
    let bundle = bundle_by(&signer);
    let report = verify(&bundle, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    let folder = folder("rs256");
    unpacked(&file(&bundle, "vcon.json"), &folder);
    openssl(
        &folder,
        "dgst -sha256 -verify key.pem -signature signature input",
    );
    // One bit of it.
    let changed = changed(&bundle, |jws| {
        let mut bytes = decoded(&jws["signatures"][0]["signature"]);
        bytes[100] ^= 1;
        jws["signatures"][0]["signature"] = json!(URL_SAFE_NO_PAD.encode(bytes));
    });
    assert_eq!(broken(&changed), [(Check::Vcon, "vcon.json".to_owned())]);
}

#[test]
fn an_rsa_key_that_is_too_small_is_not_believed() {
    let bundle = bundle_by(&OpensslSigner::new(1_024));
    assert_eq!(broken(&bundle), [(Check::Vcon, "vcon.json".to_owned())]);
}

fn broken(bundle: &[u8]) -> Vec<(Check, String)> {
    let report = verify(bundle, Some(&verifier()));
    report
        .broken()
        .map(|finding| (finding.check, finding.place.clone()))
        .collect()
}

/// The bundle with another vCon in it, listed and signed again by the archive.
fn changed(bundle: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    signed_again(bundle, |files| {
        let (_, bytes) = files
            .iter_mut()
            .find(|(name, _)| name == "vcon.json")
            .unwrap();
        let mut jws = json_of(bytes);
        change(&mut jws);
        *bytes = canonical_json(&jws).unwrap();
    })
}

/// Changes an unsigned vCon and a protected header.
pub(crate) type Lie = fn(&mut Value, &mut Value);

/// What an archive could sign that lies: another payload or header, with a signature that holds.
pub(crate) fn lying(bundle: &[u8], change: impl FnOnce(&mut Value, &mut Value)) -> Vec<u8> {
    changed(bundle, |jws| {
        let mut vcon = json_of(&decoded(&jws["payload"]));
        let mut header = json_of(&decoded(&jws["signatures"][0]["protected"]));
        change(&mut vcon, &mut header);
        // Not sorted anew: the members are in their order already.
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap());
        let (protected, payload) = (text(&header), text(&vcon));
        let signer = ArchiveSigner::new(&archive_key());
        let signature = signer
            .sign(format!("{protected}.{payload}").as_bytes())
            .unwrap();
        jws["payload"] = json!(payload);
        jws["signatures"][0]["protected"] = json!(protected);
        jws["signatures"][0]["signature"] = json!(URL_SAFE_NO_PAD.encode(signature));
    })
}

#[test]
fn a_vcon_that_says_something_else_than_the_bundle_is_broken_even_if_the_archive_signed_it() {
    let bundle = bundle_with_basis();
    assert_eq!(broken(&lying(&bundle, |_, _| ())), []);
    let lies: [Lie; 9] = [
        |vcon, _| vcon["dialog"][1]["content_hash"] = vcon["dialog"][2]["content_hash"].clone(),
        |vcon, _| vcon["dialog"][1]["parties"] = json!([2]),
        |vcon, _| vcon["dialog"][0]["duration"] = json!(0.2),
        |vcon, _| vcon["attachments"][1]["body"]["verdict"] = json!("whole"),
        |vcon, _| vcon["attachments"][2]["body"]["outcome"] = json!("permitted"),
        |vcon, _| vcon["parties"][1]["name"] = json!("Jan"),
        |vcon, _| vcon["uuid"] = json!(recording().to_string()),
        |vcon, _| vcon["attachments"][0]["body"]["lawful_basis"] = json!("because"),
        |_, header| header["uuid"] = json!(recording().to_string()),
    ];
    for lie in lies {
        assert_eq!(
            broken(&lying(&bundle, lie)),
            [(Check::Vcon, "vcon.json".to_owned())]
        );
    }
    let redacted = copy(
        &Parts::new(1, 60),
        &without(vec![redaction(&[1], 500, 700)]),
    );
    let lies: [Lie; 3] = [
        |vcon, _| vcon["attachments"][2]["body"]["passages"] = json!([]),
        |vcon, _| vcon["attachments"][2]["body"]["redactions"][0]["reason"] = json!("none"),
        |vcon, _| drop(vcon.as_object_mut().unwrap().remove("redacted")),
    ];
    for lie in lies {
        assert_eq!(
            broken(&lying(&redacted, lie)),
            [(Check::Vcon, "vcon.json".to_owned())]
        );
    }
}

#[test]
fn another_form_of_jws_is_refused() {
    let bundle = Parts::new(1, 6).bundle();
    let forms: [fn(&mut Value); 9] = [
        |jws| jws["parties"] = json!([]),
        |jws| jws["signatures"] = json!([]),
        |jws| {
            let one = jws["signatures"][0].clone();
            jws["signatures"].as_array_mut().unwrap().push(one);
        },
        |jws| jws["signatures"][0]["header"]["x5c"] = json!([]),
        |jws| jws["signatures"][0]["header"]["x5c"] = json!(["AAAA"]),
        |jws| jws["signatures"][0]["header"]["x5c"] = json!(["?"]),
        |jws| jws["signatures"][0]["header"]["alg"] = json!("none"),
        |jws| {
            jws["signatures"][0]["protected"] =
                json!(URL_SAFE_NO_PAD.encode(r#"{"alg":"none","uuid":""}"#))
        },
        |jws| jws["signatures"][0]["signature"] = json!(""),
    ];
    for (number, form) in forms.into_iter().enumerate() {
        assert_eq!(
            broken(&changed(&bundle, form)),
            [(Check::Vcon, "vcon.json".to_owned())],
            "form {number}"
        );
    }
}

#[test]
fn by_itself_the_vcon_has_the_sound_in_it() {
    let bundle = bundle_with_basis();
    let vcon = from_bundle(&bundle, Profile::Core).unwrap();
    let read = json_of(vcon.unsigned());
    assert_conforms(&read);
    let in_bundle = payload(&file(&bundle, "vcon.json"));
    assert_eq!(read["uuid"], in_bundle["uuid"]);
    assert_eq!(read["attachments"], in_bundle["attachments"]);
    for number in [1, 2] {
        let sound = decoded(&read["dialog"][number]["body"]);
        assert_eq!(sound, file(&bundle, &format!("audio/{number}.wav")));
    }
    let signed = vcon.signed(&ArchiveSigner::new(&archive_key())).unwrap();
    assert_eq!(decoded(&json_of(&signed)["payload"]), vcon.unsigned());
}

#[test]
fn for_todays_readers_there_is_no_set_and_the_parties_are_flat() {
    let bundle = bundle_with_basis();
    let vcon = from_bundle(&bundle, Profile::Compat).unwrap();
    let read = json_of(vcon.unsigned());
    assert_conforms(&read);
    let dialogs = read["dialog"].as_array().unwrap();
    assert_eq!(dialogs.len(), 2);
    for dialog in dialogs {
        assert_eq!(dialog["type"], "recording");
        assert!(dialog.get("recording_set").is_none());
        assert!(
            dialog["parties"]
                .as_array()
                .unwrap()
                .iter()
                .all(Value::is_u64)
        );
    }
    // It is another vCon than the one that has the set.
    assert_ne!(read["uuid"], payload(&file(&bundle, "vcon.json"))["uuid"]);
    let silent = from_bundle(&Parts::new(0, 0).bundle(), Profile::Compat);
    assert!(silent.unwrap_err().to_string().contains("without sound"));
}

#[test]
fn who_came_left_or_was_on_hold_and_whose_voices_were_mixed_is_told() {
    let mut parts = Parts::new(2, 12);
    let at = parts.manifest.call_started.plus_micros(100_000);
    let event = |event| Record::Event { at, event };
    let last = parts.records.len() - 1;
    let voice = JournalEvent::StreamVoice {
        stream: StreamNumber(2),
        label: None,
        parties: vec!["p2".into(), "p3".into()],
        rule: None,
    };
    let party = || "p3".to_owned();
    for told in [
        JournalEvent::PartyJoined { party: party() },
        voice,
        JournalEvent::PartyLeft { party: party() },
    ] {
        parts.records.insert(last, event(told));
    }
    let mut parts = Parts::of(&parts.records);
    // No event makes this kind yet; the format has it.
    parts.inventory.timeline.streams[0].intervals[3].kind = IntervalKind::Hold;
    let vcon = payload(&file(&parts.bundle(), "vcon.json"));
    assert_conforms(&vcon);
    assert_eq!(vcon["parties"][3], json!({ "name": "p3" }));
    assert_eq!(vcon["dialog"][2]["parties"], json!([2, 3]));
    let history = vcon["dialog"][0]["party_history"].as_array().unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|event| {
            (
                event["event"].as_str().unwrap(),
                event["party"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("hold", 1), ("drop", 3), ("join", 3), ("unhold", 1)]);
}

#[test]
fn a_stream_of_two_channels_has_a_party_for_each() {
    let bundle = Parts::of(&call_with("L16/8000/2")).bundle();
    let vcon = payload(&file(&bundle, "vcon.json"));
    assert_conforms(&vcon);
    assert_eq!(vcon["dialog"][2]["parties"], json!([2, 2]));
}
