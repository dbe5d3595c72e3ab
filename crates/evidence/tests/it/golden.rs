//! Bytes that were written once and must be read for ever.
//!
//! Each version of each format keeps its folder in `tests/vectors`, with the bundles of every kind, leaves of every kind, and a vCon by itself. Those files are frozen: none is ever changed or taken away, and
//! what is written differently is a new version with a folder of its own. A failing comparison leaves the present bytes
//! in the target folder and names the place.

use crate::codecs::{call_with, call_with_on};
use crate::fixture::{
    Parts, archive_key, chunk, data_key, logged, recording, records, segment, verifier,
};
use crate::part::{copy, excerpt, file, redaction, without};
use crate::vcon::bundle_with_basis;
use crate::vouched::{cosigned, policy};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use voicelog_evidence::bundle::{self, BundleInput, Papers, StampedProof};
use voicelog_evidence::key::{
    KeyEncryptionKey, open_bytes, seal_bytes, unwrap_key, wrap, wrap_sealed,
};
use voicelog_evidence::policy::Policy;
use voicelog_evidence::receipt::Receipt;
use voicelog_evidence::segment::CHAIN_START;
use voicelog_evidence::timestamp::Anchors;
use voicelog_evidence::tlog::{commitment, root_of};
use voicelog_evidence::vcon::{ArchiveSigner, Profile, from_bundle, import};
use voicelog_evidence::verify::{Check, Severity, Trust, verify_with};
use voicelog_evidence::{
    Cause, Certificate, Checkpoint, CopyGiven, DestroyedRecording, DestructionGround,
    DestructionStatement, Digest, JournalEvent, Leaf, LeafKind, Provenance, Record, SegmentReader,
    Tail, TlogProof, decode_chunk, verify, zip,
};
use voicelog_model::{DecisionId, DestructionId, Language, Scope, StreamNumber, Timestamp};

/// What a bundle says to people in words, which are not frozen.
const WORDS: [&str; 3] = ["README.txt", "recipe.txt", "completeness.html"];

fn is_golden(name: &str, written: &[u8], kept: &[u8]) {
    if written != kept {
        is_not_golden(name, written);
    }
}

fn is_not_golden(name: &str, written: &[u8]) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(written)
        .unwrap();
    panic!(
        "{name} is written differently now, and its format is frozen; the present bytes are in {}",
        path.display()
    );
}

/// A bundle is what it was, but for its words, their hashes in the signed list, and the signature over that.
fn is_golden_bundle(name: &str, written: &[u8], kept: &[u8]) {
    let frozen = |bundle| {
        let mut files = zip::read(bundle).unwrap();
        files.retain(|(name, _bytes)| !WORDS.contains(name) && *name != "bundle.note");
        files
    };
    let listed = |bundle| {
        let files = zip::read(bundle).unwrap();
        let (_name, note) = files
            .into_iter()
            .find(|(name, _bytes)| *name == "bundle.note")
            .unwrap();
        let lines = std::str::from_utf8(note).unwrap().lines();
        let is_of_words = |line: &str| WORDS.iter().any(|name| line.ends_with(name));
        lines
            .filter(|line| !is_of_words(line) && !line.starts_with('\u{2014}'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    if frozen(written) != frozen(kept) || listed(written) != listed(kept) {
        is_not_golden(name, written);
    }
}

fn frozen_files(folder: &Path, below: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            frozen_files(&entry.path(), &format!("{name}/"), found);
        } else if name != "SHA256SUMS" {
            let bytes = std::fs::read(entry.path()).unwrap();
            let digest = Digest::of(&bytes).to_string();
            found.insert(name, digest.trim_start_matches("sha256:").to_owned());
        }
    }
}

#[test]
fn nothing_that_was_frozen_is_changed_or_taken_away() {
    // What the archive writes besides is read and written by its own tests.
    for folder in ["tests/vectors", "../archive/tests/vectors"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut found = BTreeMap::new();
        frozen_files(&folder, "", &mut found);
        let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        let listed: BTreeMap<String, String> = sums
            .lines()
            .map(|line| line.split_once("  ").unwrap())
            .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
            .collect();
        assert_eq!(
            found, listed,
            "a frozen file never changes: another form is another version, and new files are added to SHA256SUMS"
        );
    }
}

#[test]
fn a_wrapped_key_and_a_sealed_column_are_opened_and_written_as_ever() {
    let (kek, id) = (KeyEncryptionKey::new(7, [5; 32]), recording());
    let wrapped = include_bytes!("../vectors/key/v1/wrapped.bin");
    is_golden(
        "wrapped.bin",
        &wrap(&kek, &data_key(), id, [4; 12]),
        wrapped,
    );
    let to_public = include_bytes!("../vectors/key/v2/wrapped.bin");
    let to = kek.opening_key().sealing_key();
    let written = wrap_sealed(7, &to, &data_key(), id, [3; 32]).unwrap();
    is_golden("wrapped-2.bin", &written, to_public);
    let keks = [kek];
    for kept in [wrapped.as_slice(), to_public] {
        let opened = unwrap_key(&keks, id, kept).unwrap();
        assert_eq!(opened.tree_salt(id), data_key().tree_salt(id));
    }
    let column = include_bytes!("../vectors/column/v1/sealed.bin");
    let plain = b"what a row says of people";
    let written = seal_bytes(&data_key(), "facts", id, [6; 12], plain);
    is_golden("sealed.bin", &written, column);
    assert_eq!(open_bytes(&data_key(), "facts", id, column).unwrap(), plain);
}

#[test]
fn a_chunk_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/journal/v1/call.chunk");
    is_golden("call.chunk", &chunk(&records(2, 12)), kept);
    assert_eq!(decode_chunk(kept).unwrap(), records(2, 12));
}

#[test]
fn a_segment_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/segment/v1/call.segment");
    let (written, chain) = segment(&records(2, 12));
    is_golden("call.segment", &written, kept);
    let opened = SegmentReader::open(&data_key(), recording(), 1, CHAIN_START, kept).unwrap();
    assert_eq!((opened.chain, opened.tail), (chain, Tail::Clean));
    assert_eq!(
        chain,
        Digest::of(kept).0,
        "the chain is what sha256sum says of the file"
    );
    let read: Vec<_> = opened
        .chunks
        .iter()
        .flat_map(|chunk| decode_chunk(chunk).unwrap())
        .collect();
    assert_eq!(read, records(2, 12));
}

/// A certificate of a destruction, whose leaf is the only one of the log.
fn certificate(scope: Scope) -> Certificate {
    let at = Timestamp::from_micros(1_830_000_000_000_000);
    let statement = DestructionStatement {
        scope,
        version: DestructionStatement::VERSION,
        destruction: DestructionId::from_bytes([2; 16]),
        recording: recording(),
        decision: DecisionId::from_bytes([3; 16]),
        key_destroyed_at: at,
        completed_at: at.plus_micros(5_000),
        keys: 1,
        objects: 3,
        bytes: 1_234_567,
        was: Some(DestroyedRecording {
            recorded_at: at.plus_micros(-31_536_000_000_000),
            purpose: Some("complaint_handling".to_owned()),
            retention_term: Some("P1Y".to_owned()),
            retain_until: Some(at),
            recorder_type: Some("municipality".to_owned()),
            process_type: None,
            asked_by_account: false,
            grounds: vec![DestructionGround {
                rule: "retention.end".to_owned(),
                articles: vec!["AVG art. 5 lid 1 onder e".to_owned()],
            }],
            copies: vec![CopyGiven {
                at: at.plus_micros(-86_400_000_000),
                decision: DecisionId::from_bytes([4; 16]),
                recipient: Some("data_subject".to_owned()),
            }],
        }),
    };
    let salt = [9; 32];
    let committed = commitment(&salt, &statement.sha256().unwrap());
    let kind = statement.leaf_kind();
    let leaf = Leaf::new(kind, at, recording().to_string(), committed);
    let hashes = [leaf.hash().unwrap()];
    Certificate {
        statement,
        salt,
        leaf,
        proof: TlogProof {
            index: 0,
            hashes: Vec::new(),
            checkpoint: Checkpoint::sign(1, root_of(&hashes), &archive_key()).unwrap(),
        },
    }
}

#[test]
fn a_certificate_of_version_1_is_read_and_written_as_ever() {
    let whole = include_bytes!("../vectors/certificate/v1/destroyed.txt").as_slice();
    let sound = include_bytes!("../vectors/certificate/v1/sound-destroyed.txt");
    for (name, scope, kept) in [
        ("destroyed.txt", Scope::Whole, whole),
        ("sound-destroyed.txt", Scope::Sound, sound),
    ] {
        let written = certificate(scope).sign(&archive_key()).unwrap();
        is_golden(name, written.as_bytes(), kept);
        let (read, _checkpoint) = Certificate::verify(kept, &verifier()).unwrap();
        assert_eq!(read, certificate(scope));
    }
}

#[test]
fn a_receipt_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/receipt/v1/receipt.txt");
    let Certificate { leaf, proof, .. } = certificate(Scope::Whole);
    let receipt = Receipt {
        leaf,
        key: verifier(),
        proof,
    };
    is_golden("receipt.txt", receipt.text().unwrap().as_bytes(), kept);
    assert_eq!(Receipt::parse(kept).unwrap(), receipt);
    assert_eq!(receipt.verify(&verifier()).unwrap().size, 1);
}

/// Every bundle that was frozen, by its name.
pub(crate) fn frozen_bundles() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/bundle/v1");
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn every_bundle_of_version_1_verifies_and_a_call_is_written_as_ever() {
    let kept = include_bytes!("../vectors/bundle/v1/call.zip");
    is_golden_bundle("call.zip", &Parts::new(2, 12).bundle(), kept);
    for (name, bundle) in frozen_bundles() {
        let report = verify(&bundle, Some(&verifier()));
        let broken: Vec<_> = report.broken().collect();
        assert!(report.holds(), "{name}: {broken:#?}");
    }
}

/// The usual call, whose second stream is Opus: SILK and CELT in turn, of bytes that anybody can draw again.
fn opus_call() -> Vec<Record> {
    with_opus_on(&[2], call_with("opus/48000/2"))
}

/// The same packets of noise on each of those streams.
fn with_opus_on(streams: &[u16], mut records: Vec<Record>) -> Vec<Record> {
    let (mut drawn, mut place) = (7_u32, 0_u32);
    for record in &mut records {
        let Record::Packet { stream, bytes, .. } = record else {
            continue;
        };
        if !streams.contains(&stream.0) {
            continue;
        }
        // Its number was made of the packet's place, from which the third is missing.
        let number = u16::from_be_bytes([bytes[2], bytes[3]]).wrapping_sub(65_534);
        bytes.truncate(12);
        bytes[4..8].copy_from_slice(&(u32::from(number) * 960).to_be_bytes());
        bytes.push(if place % 8 < 4 { 0x48 } else { 0xf8 });
        bytes.extend((0..60).map(|_| {
            drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            drawn.to_be_bytes()[0]
        }));
        place += 1;
    }
    records
}

#[test]
fn more_than_two_streams_and_opus_are_written_as_ever() {
    let three = include_bytes!("../vectors/bundle/v1/three-streams.zip");
    is_golden_bundle("three-streams.zip", &Parts::new(3, 12).bundle(), three);
    assert!(!file(three, "audio/mixed.wav").is_empty());
    let opus = include_bytes!("../vectors/bundle/v1/opus.zip");
    is_golden_bundle("opus.zip", &Parts::of(&opus_call()).bundle(), opus);
    let sound = file(opus, "audio/2.wav");
    let sound = sound.get(44..).unwrap();
    assert!(sound.iter().any(|byte| *byte != 0), "it is decoded");
}

/// A bundle whose log two witnesses signed, whom the archive names, and an authority stamped. The authority signs
/// differently each time, so its answer and its certificate are taken from where they are kept.
fn vouched(token: &[u8], anchors: &str) -> Vec<u8> {
    let mut parts = Parts::new(1, 12);
    let stamped = parts.proof.clone();
    parts.proof = cosigned(parts.proof, &[1, 3]);
    let policy = policy(2).to_string();
    let timestamp = StampedProof {
        proof: &stamped,
        token,
        anchors: Some(anchors),
    };
    let papers = Papers {
        policy: Some(&policy),
        timestamp: Some(timestamp),
        ..Papers::default()
    };
    let input = BundleInput {
        papers,
        ..parts.input()
    };
    bundle::build(&input, &archive_key()).unwrap()
}

#[test]
fn what_witnesses_and_an_authority_signed_holds_for_ever() {
    let kept = include_bytes!("../vectors/bundle/v1/vouched.zip");
    let pem = String::from_utf8(file(kept, "timestamp.pem")).unwrap();
    let written = vouched(&file(kept, "timestamp.tsr"), &pem);
    is_golden_bundle("vouched.zip", &written, kept);
    let key = verifier();
    let policy = Policy::parse(&file(kept, "policy.txt")).unwrap();
    let anchors = Anchors::from_pem(&pem).unwrap();
    let trust = Trust {
        key: Some(&key),
        policy: Some(&policy),
        anchors: Some(&anchors),
        ..Trust::default()
    };
    let report = verify_with(kept, &trust);
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    for check in [Check::Witnesses, Check::Timestamp] {
        let of: Vec<_> = report
            .findings
            .iter()
            .filter(|found| found.check == check)
            .collect();
        let is_ok = of.iter().all(|found| found.severity == Severity::Ok);
        assert!(is_ok && !of.is_empty(), "{of:#?}");
    }
}

#[test]
fn leaves_of_every_kind_are_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/leaf/v1/leaves.txt");
    let kinds = [
        LeafKind::Recorded,
        LeafKind::Refused,
        LeafKind::Permitted,
        LeafKind::Listened,
        LeafKind::Exported,
        LeafKind::Destroyed,
        LeafKind::ArchiveOpened,
        LeafKind::RulebookChanged,
        LeafKind::KeyCreated,
        LeafKind::KeyRetired,
        LeafKind::Paused,
        LeafKind::Transcribed,
        LeafKind::Shared,
        LeafKind::DestructionRefused,
        LeafKind::Held,
        LeafKind::Released,
        LeafKind::Restored,
        LeafKind::ClockConfirmed,
        LeafKind::SoundDestroyed,
        LeafKind::AccountMade,
        LeafKind::AccountEnded,
        LeafKind::Proposed,
        LeafKind::Confirmed,
        LeafKind::Declined,
    ];
    let at = Timestamp::from_micros(1_830_000_000_000_000);
    let leaves = kinds.map(|kind| {
        let object = match kind {
            LeafKind::ArchiveOpened => "archive".to_owned(),
            LeafKind::RulebookChanged => Digest([4; 32]).to_string(),
            LeafKind::KeyCreated | LeafKind::KeyRetired => "epoch-7".to_owned(),
            LeafKind::ClockConfirmed => "clock".to_owned(),
            LeafKind::AccountMade | LeafKind::AccountEnded => "account".to_owned(),
            // Each by its name: a further kind is to be put into the list above as well.
            LeafKind::Recorded
            | LeafKind::Refused
            | LeafKind::Permitted
            | LeafKind::Listened
            | LeafKind::Exported
            | LeafKind::Destroyed
            | LeafKind::SoundDestroyed
            | LeafKind::Paused
            | LeafKind::Transcribed
            | LeafKind::Shared
            | LeafKind::DestructionRefused
            | LeafKind::Held
            | LeafKind::Released
            | LeafKind::Restored
            | LeafKind::Proposed
            | LeafKind::Confirmed
            | LeafKind::Declined => recording().to_string(),
        };
        Leaf::new(kind, at, object, commitment(&[9; 32], &[8; 32]))
    });
    let lines = leaves.iter().map(|leaf| leaf.to_bytes().unwrap());
    let written: Vec<Vec<u8>> = lines.map(|line| [&line[..], b"\n"].concat()).collect();
    is_golden("leaves.txt", &written.concat(), kept);
    let read = kept
        .strip_suffix(b"\n")
        .unwrap()
        .split(|byte| *byte == b'\n');
    let read: Vec<Leaf> = read.map(|line| Leaf::from_bytes(line).unwrap()).collect();
    assert_eq!(read, leaves);
}

#[test]
fn a_vcon_by_itself_is_written_as_ever() {
    let bundle = bundle_with_basis();
    let core = from_bundle(&bundle, Profile::Core).unwrap();
    let compat = from_bundle(&bundle, Profile::Compat).unwrap();
    let key = archive_key();
    let signed = core.signed(&ArchiveSigner::new(&key)).unwrap();
    for (name, written, kept) in [
        (
            "core.json",
            core.unsigned(),
            include_bytes!("../vectors/vcon/0.4.0/core.json").as_slice(),
        ),
        (
            "compat.json",
            compat.unsigned(),
            include_bytes!("../vectors/vcon/0.4.0/compat.json").as_slice(),
        ),
        (
            "signed.json",
            &signed,
            include_bytes!("../vectors/vcon/0.4.0/signed.json").as_slice(),
        ),
    ] {
        is_golden(name, written, kept);
        let read = import::read(kept).unwrap();
        assert!(read.faults.is_empty(), "{name}: {:?}", read.faults);
    }
}

#[test]
fn copies_of_a_part_are_written_as_ever() {
    let parts = Parts::new(2, 60);
    let kept: [(&str, &[u8], _); 2] = [
        (
            "excerpt.zip",
            include_bytes!("../vectors/bundle/v1/excerpt.zip"),
            excerpt(200, 900),
        ),
        (
            "redacted.zip",
            include_bytes!("../vectors/bundle/v1/redacted.zip"),
            without(vec![redaction(&[1], 500, 700)]),
        ),
    ];
    for (name, kept, plan) in kept {
        is_golden_bundle(name, &copy(&parts, &plan), kept);
    }
}

/// A recording of two devices in a room, both of which sent Opus; the telephone rang on one, the other's page was loaded again.
fn opus_room() -> Parts {
    let mut records = with_opus_on(&[1, 2], call_with_on(&[1, 2], "opus/48000/2"));
    let end = records.pop().unwrap();
    let Record::Event { at, .. } = end else {
        panic!("a call ends with an event")
    };
    for (after, stream, by) in [(0, 1, Cause::DeviceCall), (5, 2, Cause::DeviceReloaded)] {
        let stream = StreamNumber(stream);
        let event = JournalEvent::StreamPaused { stream, by };
        let at = at.plus_micros((after - 10) * 1_000);
        records.push(Record::Event { at, event });
    }
    records.push(end);
    let mut parts = Parts::of(&records);
    parts.manifest.provenance = Provenance::Room;
    (parts.leaf, parts.proof) = logged(&parts.manifest);
    parts
}

#[test]
fn a_room_of_opus_has_its_packets_in_ogg_and_no_samples() {
    let kept = include_bytes!("../vectors/bundle/v1/room-opus.zip");
    let written = opus_room().bundle();
    is_golden_bundle("room-opus.zip", &written, kept);
    let names: Vec<_> = zip::read(&written)
        .unwrap()
        .into_iter()
        .map(|(name, _bytes)| name.to_owned())
        .filter(|name| name.starts_with("audio/"))
        .collect();
    assert_eq!(names, ["audio/1.opus", "audio/2.opus"]);
    assert!(verify(&written, Some(&verifier())).holds());
    let page = String::from_utf8(file(&written, "completeness.html")).unwrap();
    for words in ["de telefoon ging", "the page was loaded again"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_recording_of_the_room_and_one_from_a_file_are_written_and_told_as_ever() {
    let kept: [(&str, &[u8], _, _); 2] = [
        (
            "room.zip",
            include_bytes!("../vectors/bundle/v1/room.zip"),
            Provenance::Room,
            "room: what a device in the room recorded, as it arrived",
        ),
        (
            "file.zip",
            include_bytes!("../vectors/bundle/v1/file.zip"),
            Provenance::File,
            "file: taken over later; what happened to it before cannot be checked here",
        ),
    ];
    for (name, kept, provenance, told) in kept {
        let mut parts = Parts::new(2, 12);
        parts.manifest.provenance = provenance;
        (parts.leaf, parts.proof) = logged(&parts.manifest);
        let written = parts.bundle();
        is_golden_bundle(name, &written, kept);
        let page = file(&written, "completeness.html");
        assert!(String::from_utf8(page).unwrap().contains(told), "{name}");
        let said = verify(&written, Some(&verifier())).lines(Language::En);
        assert!(said.contains(&format!("    origin: {told}")), "{said:#?}");
    }
}
