//! What happens to a bundle that somebody changed.

use crate::fixture::{Parts, archive_key, inventory, logged, verifier};
use voicelog_evidence::bundle::{self, BundleError};
use voicelog_evidence::verify::{Check, Trust, is_bundle, verify_by};
use voicelog_evidence::{Digest, JournalEvent, Record, Report, SigningKey, Verdict, verify, zip};
use voicelog_model::{DecisionId, Language};

/// The places of what is broken.
fn places(report: &Report) -> Vec<String> {
    report
        .broken()
        .map(|finding| finding.place.clone())
        .collect()
}

fn checks(report: &Report) -> Vec<Check> {
    report.broken().map(|finding| finding.check).collect()
}

#[test]
fn every_single_changed_byte_is_found_and_named() {
    let bundle = Parts::new(1, 1).bundle();
    let extents = extents(&bundle);
    let key = verifier();
    let check = |at: usize| {
        let mut changed = bundle.clone();
        changed[at] ^= 1 << (at % 8);
        let report = verify(&changed, Some(&key));
        assert!(!report.holds(), "byte {at}");
        let within = extents
            .iter()
            .find(|(_, start, end)| (*start..*end).contains(&at));
        let place = within.map_or("ZIP", |(name, ..)| name);
        let places = places(&report);
        assert!(
            places.iter().any(|found| found == place),
            "byte {at}: {places:?}"
        );
    };
    // Some ten thousand verifications: two at a time.
    std::thread::scope(|scope| {
        scope.spawn(|| (0..bundle.len()).step_by(2).for_each(check));
        scope.spawn(|| (1..bundle.len()).step_by(2).for_each(check));
    });
}

#[test]
fn a_broken_bundle_is_still_one_and_what_it_says_is_marked_as_unproven() {
    let bundle = Parts::new(1, 1).bundle();
    let mut changed = bundle.clone();
    changed[bundle.len() / 2] ^= 1;
    let claims = "NIET:";
    let lines = |bundle: &[u8]| verify(bundle, Some(&verifier())).lines(Language::Nl);
    let said = lines(&changed);
    let mark = said.iter().position(|line| line.ends_with(claims)).unwrap();
    let verdict = said.iter().position(|line| line.contains("oordeel:"));
    assert!(verdict.unwrap() > mark, "{said:#?}");
    assert!(!lines(&bundle).iter().any(|line| line.ends_with(claims)));
    changed[0] ^= 1;
    assert!(is_bundle(&changed) && is_bundle(&bundle[..200]));
    let other = zip::write(&[("letter.txt", b"Dear sir")]).unwrap();
    for file in [&b""[..], b"this is no bundle", &other] {
        assert!(!is_bundle(file));
    }
}

/// Where the content of each file stands in the container.
fn extents(bundle: &[u8]) -> Vec<(String, usize, usize)> {
    let start = bundle.as_ptr().addr();
    let files = zip::read(bundle).unwrap();
    files
        .iter()
        .map(|(name, content)| {
            let at = content.as_ptr().addr() - start;
            ((*name).to_owned(), at, at + content.len())
        })
        .collect()
}

/// The bundle with the content of one file changed and the container made right again.
pub(crate) fn repacked(bundle: &[u8], name: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let files = zip::read(bundle).unwrap();
    let changed: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(found, content)| {
            let mut content = content.to_vec();
            if *found == name {
                change(&mut content);
            }
            (*found, content)
        })
        .collect();
    let entries: Vec<_> = changed
        .iter()
        .map(|(name, content)| (*name, content.as_slice()))
        .collect();
    zip::write(&entries).unwrap()
}

#[test]
fn a_change_behind_a_mended_container_is_named_by_its_file() {
    let bundle = Parts::new(2, 6).bundle();
    let key = verifier();
    let names: Vec<_> = zip::read(&bundle)
        .unwrap()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(names.len(), 18);
    for name in &names {
        let length = zip::read(&bundle)
            .unwrap()
            .iter()
            .find(|(found, _)| found == name)
            .unwrap()
            .1
            .len();
        for at in (0..length).step_by(length.div_ceil(40)).chain([length - 1]) {
            let changed = repacked(&bundle, name, |content| content[at] ^= 1);
            let report = verify(&changed, Some(&key));
            assert!(
                places(&report).contains(name),
                "{name} byte {at}: {:?}",
                places(&report)
            );
        }
        for change in [
            |content: &mut Vec<u8>| content.push(b'\n'),
            |content: &mut Vec<u8>| content.truncate(1),
        ] {
            let report = verify(&repacked(&bundle, name, change), Some(&key));
            assert!(places(&report).contains(name), "{name}");
        }
    }
}

#[test]
fn a_file_that_is_missing_added_or_moved_is_named() {
    let bundle = Parts::new(2, 6).bundle();
    let files = zip::read(&bundle).unwrap();
    for at in 0..files.len() {
        let mut fewer = files.clone();
        let (name, _) = fewer.remove(at);
        let report = verify(&zip::write(&fewer).unwrap(), Some(&verifier()));
        assert!(places(&report).iter().any(|place| place == name), "{name}");
        let mut moved = files.clone();
        moved.swap(at, (at + 1) % files.len());
        let report = verify(&zip::write(&moved).unwrap(), Some(&verifier()));
        assert!(!report.holds(), "{name} moved");
    }
    let more = [files.clone(), vec![("audio/extra.wav", &b"x"[..])]].concat();
    let report = verify(&zip::write(&more).unwrap(), Some(&verifier()));
    assert!(places(&report).contains(&"audio/extra.wav".to_owned()));
}

#[test]
fn a_bundle_signed_by_another_key_is_refused_by_who_knows_the_right_one() {
    let forger = SigningKey::from_seed("archief.example/opnamen", [0x99; 32]).unwrap();
    let bundle = Parts::new(1, 6).bundle_signed_by(&forger);
    let report = verify(&bundle, Some(&verifier()));
    assert!(checks(&report).contains(&Check::Key) && checks(&report).contains(&Check::Signature));
    // Without that knowledge the log still gives it away: its checkpoint is signed by the archive.
    assert!(checks(&verify(&bundle, None)).contains(&Check::Log));
}

#[test]
fn a_second_signature_on_the_list_is_refused() {
    let bundle = Parts::new(1, 3).bundle();
    let other = SigningKey::from_seed("somebody.example", [0x77; 32]).unwrap();
    let twice = repacked(&bundle, "bundle.note", |content| {
        let text = String::from_utf8(content.clone()).unwrap();
        let (body, _) = text.rsplit_once("\n\n").unwrap();
        let second = other.sign(&format!("{body}\n")).unwrap();
        content.extend_from_slice(&second.as_bytes()[body.len() + 2..]);
    });
    let report = verify(&twice, Some(&verifier()));
    assert_eq!(checks(&report), [Check::Signature]);
}

/// Takes the third packet out, and states everything anew, signed by the archive itself.
pub(crate) fn rewritten() -> Parts {
    let mut parts = Parts::new(1, 8);
    let third = parts
        .records
        .iter()
        .enumerate()
        .filter(|(_, record)| matches!(record, Record::Packet { .. }))
        .nth(2)
        .map(|(at, _)| at)
        .unwrap();
    parts.records.remove(third);
    parts.inventory = inventory(&parts.records);
    let timeline = parts.inventory.timeline.to_bytes().unwrap();
    parts.manifest.streams = parts.inventory.stream_entries();
    parts.manifest.record_count = parts.inventory.record_count;
    parts.manifest.events_sha256 = parts.inventory.events_sha256;
    parts.manifest.timeline_sha256 = Digest::of(&timeline);
    parts
}

#[test]
fn even_the_archive_cannot_rewrite_what_it_logged() {
    let parts = rewritten();
    let report = verify(&parts.bundle(), Some(&verifier()));
    assert_eq!(
        checks(&report),
        [Check::Log],
        "{:#?}",
        report.broken().collect::<Vec<_>>()
    );
    assert_eq!(places(&report), ["opening.json"]);
}

#[test]
fn a_leaf_that_is_not_in_the_log_is_no_proof() {
    let mut parts = rewritten();
    let (leaf, _) = logged(&parts.manifest);
    parts.leaf = leaf;
    let report = verify(&parts.bundle(), Some(&verifier()));
    assert_eq!(places(&report), ["checkpoint.tlog-proof"]);
}

#[test]
fn claims_that_the_original_does_not_bear_are_named() {
    let claim = |change: fn(&mut Parts)| {
        let mut parts = Parts::new(2, 6);
        change(&mut parts);
        (parts.leaf, parts.proof) = logged(&parts.manifest);
        checks(&verify(
            &parts.bundle_signed_by(&archive_key()),
            Some(&verifier()),
        ))
    };
    assert_eq!(claim(|_| ()), []);
    let log = |parts: &mut Parts| parts.manifest.verdict = Verdict::Whole;
    assert_eq!(claim(log), [Check::Timeline]);
    assert_eq!(
        claim(|parts| parts.manifest.streams[1].root = Digest([0; 32])),
        [Check::Original]
    );
    assert_eq!(
        claim(|parts| parts.manifest.streams[0].packets += 1),
        [Check::Original]
    );
    assert_eq!(
        claim(|parts| parts.manifest.streams[0].party = None),
        [Check::Original]
    );
    assert_eq!(
        claim(|parts| parts.manifest.record_count += 1),
        [Check::Original]
    );
    assert_eq!(
        claim(|parts| parts.manifest.events_sha256 = Digest([0; 32])),
        [Check::Original]
    );
    assert_eq!(
        claim(|parts| parts.manifest.rulebook_hash = Digest([0; 32])),
        [Check::Decision]
    );
    assert_eq!(
        claim(|parts| parts.decision = b"{}".to_vec()),
        [Check::Decision]
    );
    let shifted = claim(|parts| parts.inventory.timeline.streams[0].intervals[0].end_us += 1);
    assert_eq!(shifted, [Check::Timeline, Check::Timeline]);
}

#[test]
fn no_bundle_is_made_of_documents_that_disagree() {
    let refused = |change: fn(&mut Parts)| {
        let mut parts = Parts::new(1, 6);
        change(&mut parts);
        match bundle::build(&parts.input(), &archive_key()) {
            Ok(bundle) => {
                assert!(verify(&bundle, Some(&verifier())).holds());
                ""
            }
            Err(BundleError::Disagree(what)) => what,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(refused(|_| ()), "");
    assert_eq!(
        refused(|parts| parts.decision = b"{}".to_vec()),
        "the decision"
    );
    assert_eq!(
        refused(|parts| parts.manifest.rulebook_hash = Digest([0; 32])),
        "the decision"
    );
    let other = |parts: &mut Parts| parts.inventory.timeline.stray_packets += 1;
    assert_eq!(refused(other), "the timeline");
    let other = |parts: &mut Parts| parts.manifest.record_count += 1;
    assert_eq!(refused(other), "the entry in the log");
}

#[test]
fn no_bundle_is_made_with_more_events_than_a_reader_takes() {
    let mut parts = Parts::new(1, 6);
    let long = Record::Event {
        at: parts.manifest.call_ended,
        event: JournalEvent::NotPermitted {
            decision: DecisionId::from_bytes([1; 16]),
            outcome: "x".repeat(60_000),
            reasons: Vec::new(),
        },
    };
    parts.records.extend(std::iter::repeat_n(long, 1_200));
    let refused = bundle::build(&parts.input(), &archive_key());
    assert!(matches!(refused, Err(BundleError::TooManyEvents(_))));
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    for bytes in [
        &b""[..],
        b"PK",
        &[0; 1000],
        &zip::write(&[]).unwrap(),
        &zip::write(&[("a", b"b")]).unwrap(),
    ] {
        let report = verify(bytes, None);
        assert!(!report.holds());
        assert!(report.broken().count() > 0);
    }
}

#[test]
fn whoever_does_the_jobs_the_answer_is_the_same_and_what_nobody_did_is_no_proof() {
    let bundle = Parts::new(2, 6).bundle();
    let trust = Trust::default();
    let alone = verify(&bundle, None);
    let beside = verify_by(&bundle, &trust, &|jobs| {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(job);
            }
        });
    });
    assert_eq!(beside.lines(Language::En), alone.lines(Language::En));
    assert!(alone.holds());
    let undone = verify_by(&bundle, &trust, &|jobs| drop(jobs));
    let broken: Vec<_> = undone.broken().map(|found| found.place.as_str()).collect();
    assert!(broken.contains(&"original/"), "{broken:?}");
    assert!(broken.contains(&"audio/1.wav"), "{broken:?}");
}
