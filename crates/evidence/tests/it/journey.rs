//! From packets to a report.

use crate::fixture::{Parts, packet, recording, verifier};
use voicelog_evidence::audio::{decode_alaw, decode_ulaw};
use voicelog_evidence::verify::Check;
use voicelog_evidence::{IntervalKind, Severity, Verdict, describe, verify, zip};
use voicelog_model::Language;

#[test]
fn a_recording_verifies_with_the_key_from_another_source() {
    let bundle = Parts::new(2, 12).bundle();
    let report = verify(&bundle, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    assert_eq!(report.severity(), Severity::Ok);
    for check in [
        Check::Container,
        Check::Files,
        Check::Signature,
        Check::Key,
        Check::Original,
        Check::Timeline,
        Check::Sound,
        Check::Decision,
        Check::Log,
    ] {
        assert!(
            report.findings.iter().any(|finding| finding.check == check),
            "{check:?}"
        );
    }
}

#[test]
fn without_a_key_from_another_source_the_report_warns() {
    let report = verify(&Parts::new(1, 6).bundle(), None);
    assert!(report.holds());
    assert_eq!(report.severity(), Severity::Warning);
    let warning = report
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Warning);
    assert_eq!(warning.map(|finding| finding.check), Some(Check::Key));
}

#[test]
fn the_report_tells_a_reader_what_there_is() {
    let report = verify(&Parts::new(2, 12).bundle(), None);
    let dutch = report.lines(Language::Nl).join("\n");
    for words in [
        &recording().to_string(),
        "2 stromen, 22 pakketten",
        "volledig, met verklaarde onderbrekingen",
        "stroom 1: niet begonnen op 00:00 (0,040 s), geen toestemming (§ 201 StGB)",
        "pakketten kwijtgeraakt onderweg op 00:00 (0,020 s), 1 pakket",
        "6 plaatsen",
        "alleen door de bundel zelf genoemd",
    ] {
        assert!(dutch.contains(words), "{words} in\n{dutch}");
    }
    let english = report.lines(Language::En).join("\n");
    assert!(english.contains("not started at 00:00 (0.040 s), no consent (§ 201 StGB)"));
}

#[test]
fn the_timeline_and_the_sound_are_those_of_the_call() {
    let parts = Parts::new(2, 12);
    let timeline = &parts.inventory.timeline;
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    let kinds: Vec<_> = timeline.streams[0]
        .intervals
        .iter()
        .map(|interval| interval.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            IntervalKind::NotStarted,
            IntervalKind::AwaitingFirstPacket,
            IntervalKind::Media,
            IntervalKind::Loss,
            IntervalKind::Media,
            IntervalKind::AfterLastPacket
        ],
        "{:#?}",
        timeline.streams[0]
            .intervals
            .iter()
            .map(|i| describe(i, Language::En))
            .collect::<Vec<_>>()
    );
    let bundle = parts.bundle();
    let files = zip::read(&bundle).unwrap();
    let sound = |name: &str| {
        let (_, bytes) = files.iter().find(|(found, _)| *found == name).unwrap();
        let samples: Vec<i16> = bytes[44..]
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| i16::from_le_bytes(*pair))
            .collect();
        samples
    };
    // Call of 300 ms; the media starts at 40 ms, the third of 12 packets is silence.
    let samples = 300 * 8;
    for (stream, decode) in [(1, decode_alaw as fn(u8) -> i16), (2, decode_ulaw)] {
        let heard = sound(&format!("audio/{stream}.wav"));
        assert_eq!(heard.len(), samples);
        let sent: Vec<i16> = (0..12)
            .flat_map(|n| match n {
                2 => vec![0; 160],
                _ => packet(stream, n)[12..]
                    .iter()
                    .map(|byte| decode(*byte))
                    .collect(),
            })
            .collect();
        assert_eq!(heard[..320], [0; 320]);
        assert_eq!(heard[320..320 + sent.len()], sent);
        assert!(heard[320 + sent.len()..].iter().all(|sample| *sample == 0));
    }
    let both = sound("audio/all.wav");
    assert_eq!(both.len(), 2 * samples);
    let left: Vec<_> = both.iter().step_by(2).copied().collect();
    assert_eq!(left, sound("audio/1.wav"));
}

#[test]
fn a_call_that_was_never_recorded_has_a_bundle_too() {
    let mut parts = Parts::new(2, 0);
    parts.records.remove(4);
    let inventory = crate::fixture::inventory(&parts.records);
    parts.manifest.streams = inventory.stream_entries();
    parts.manifest.record_count = inventory.record_count;
    parts.manifest.events_sha256 = inventory.events_sha256;
    parts.manifest.verdict = inventory.timeline.verdict;
    let timeline = inventory.timeline.to_bytes().unwrap();
    parts.manifest.timeline_sha256 = voicelog_evidence::Digest::of(&timeline);
    parts.inventory = inventory;
    (parts.leaf, parts.proof) = crate::fixture::logged(&parts.manifest);
    assert_eq!(parts.manifest.verdict, Verdict::NotRecorded);
    let report = verify(&parts.bundle(), Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    assert!(
        report
            .lines(Language::En)
            .join("\n")
            .contains("not recorded: not permitted")
    );
}
