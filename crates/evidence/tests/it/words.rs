//! What a bundle says to people, and what of it was checked.

use crate::fixture::{Parts, signed_again, verifier};
use crate::part::{assert_holds, copy, excerpt, file, redaction, samples, without};
use voicelog_evidence::verify::{Check, Severity};
use voicelog_evidence::{Finding, Timeline, Verdict, canonical_json, from_canonical, verify};
use voicelog_model::Language;

const WORDS: [&str; 3] = ["README.txt", "recipe.txt", "completeness.html"];

#[test]
fn words_that_are_not_those_of_this_program_are_told_as_unchecked() {
    let parts = Parts::new(2, 60);
    for bundle in [parts.bundle(), copy(&parts, &excerpt(200, 900))] {
        let severity = |bundle: &[u8], name: &str| {
            let report = verify(bundle, Some(&verifier()));
            assert!(report.holds());
            let about = |found: &&Finding| found.check == Check::Files && found.place == name;
            report
                .findings
                .iter()
                .find(about)
                .map(|found| found.severity)
        };
        for name in WORDS {
            assert_eq!(severity(&bundle, name), Some(Severity::Ok), "{name}");
            let reworded = signed_again(&bundle, |files| {
                let file = files.iter_mut().find(|(found, _)| found == name);
                file.unwrap().1.extend(b"All is well.");
            });
            assert_eq!(severity(&reworded, name), Some(Severity::Warning), "{name}");
        }
    }
}

#[test]
fn it_is_told_how_much_is_left_out_in_fact_and_not_only_what_was_asked() {
    let parts = Parts::new(2, 200);
    let bundle = copy(&parts, &without(vec![redaction(&[1], 1_010, 1_020)]));
    let said = verify(&bundle, Some(&verifier()))
        .lines(Language::En)
        .join("\n");
    // Five packets.
    assert!(
        said.contains("sound that is left out: stream 1: 0.100 s in all; from 00:00.9 to 00:01.1"),
        "{said}"
    );
    assert!(
        said.contains("asked to be left out: from 00:01 to 00:01.1, stream 1:"),
        "{said}"
    );
    assert!(!said.contains("left out: stream 2"), "{said}");
    let page = String::from_utf8(file(&bundle, "completeness.html")).unwrap();
    assert!(page.contains("stream 1: 0.100 s in all"), "{page}");
    assert!(page.contains("stroom 1: in totaal 0,100 s"), "{page}");
}

#[test]
fn the_last_sentence_says_whether_it_holds_and_whether_the_conversation_is_whole() {
    let parts = Parts::new(2, 60);
    let gap = Parts::new(1, 0).bundle();
    let part = copy(&parts, &excerpt(200, 900));
    let broken = signed_again(&parts.bundle(), |files| files.truncate(9));
    // The page says the same: it is compared by what stands in its source.
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../verifier/src/check/conclusion.ts"
    );
    let page = std::fs::read_to_string(page).unwrap();
    for (bundle, verdict, nl, en) in [
        (
            parts.bundle(),
            Some(Verdict::WholeWithDeclaredGaps),
            "De bundel klopt. Er ontbreken stukken, en van elk stuk staat er waarom.",
            "The bundle holds. Parts are missing, and for each part it says why.",
        ),
        (
            gap,
            Some(Verdict::UndeclaredGap),
            "De bundel klopt, maar er ontbreekt iets zonder verklaring.",
            "The bundle holds, but something is missing and nothing explains it.",
        ),
        (
            part.clone(),
            Some(Verdict::WholeWithDeclaredGaps),
            "Deze kopie klopt. Ook in de hele opname ontbreken stukken, en van elk stuk staat er waarom.",
            "This copy holds. Parts are missing from the whole recording too, and for each part it says why.",
        ),
        (
            broken,
            None,
            "Deze bundel klopt niet. Vertrouw de inhoud niet.",
            "This bundle does not hold. Do not trust what is in it.",
        ),
    ] {
        let report = verify(&bundle, Some(&verifier()));
        assert_eq!(report.outcome().map(|outcome| outcome.verdict), verdict);
        assert_eq!(report.conclusion(Language::Nl), nl);
        assert_eq!(report.conclusion(Language::En), en);
        assert!(page.contains(nl) && page.contains(en), "{en}");
    }
    let report = verify(&part, Some(&verifier()));
    let plan = report.outcome().unwrap().part.clone();
    assert_eq!(plan, Some(excerpt(200, 900)));
}

#[test]
fn only_what_is_shown_is_drawn_as_sound() {
    let parts = Parts::new(1, 200);
    let drawn = |bundle: &[u8]| {
        let page = String::from_utf8(file(bundle, "completeness.html")).unwrap();
        let svg = page.split("preserveAspectRatio").nth(1).unwrap();
        let rects = svg
            .split("</svg>")
            .next()
            .unwrap()
            .split("<rect class=\"")
            .skip(1);
        let class = |rect: &str| rect.split('"').next().unwrap().to_owned();
        rects.map(class).collect::<Vec<_>>()
    };
    assert_eq!(
        drawn(&parts.bundle()),
        ["gap", "edge", "media", "gap", "media", "edge"]
    );
    let excerpt = copy(&parts, &excerpt(1_000, 3_000));
    assert_eq!(drawn(&excerpt), ["absent", "media", "absent"]);
    let redacted = copy(&parts, &without(vec![redaction(&[1], 2_000, 2_500)]));
    assert_eq!(
        drawn(&redacted),
        [
            "gap", "edge", "media", "gap", "media", "absent", "media", "edge"
        ]
    );
}

#[test]
fn a_vcon_that_cannot_be_made_of_the_other_files_is_named() {
    let bundle = Parts::new(1, 5).bundle();
    let lying = signed_again(&bundle, |files| {
        let decision = files.iter_mut().find(|(name, _)| name == "decision.json");
        // As deep as a document may be, so that none can hold it.
        let mut deep = serde_json::json!({});
        for _ in 0..126 {
            deep = serde_json::json!({ "a": deep });
        }
        decision.unwrap().1 = canonical_json(&deep).unwrap();
    });
    let report = verify(&lying, Some(&verifier()));
    let broken = report
        .broken()
        .map(|found| (found.check, found.place.as_str()));
    let broken: Vec<_> = broken.collect();
    assert!(
        broken.contains(&(Check::Decision, "decision.json")),
        "{broken:?}"
    );
    assert!(broken.contains(&(Check::Vcon, "vcon.json")), "{broken:?}");
}

#[test]
fn streams_that_no_recording_can_have_are_refused() {
    let refused = |change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::new(2, 12);
        change(&mut parts);
        (parts.leaf, parts.proof) = crate::fixture::logged(&parts.manifest);
        let report = verify(&parts.bundle(), Some(&verifier()));
        let broken = report
            .broken()
            .map(|found| (found.check, found.place.clone()));
        broken.collect::<Vec<_>>()
    };
    let named = (Check::Original, "manifest.json".to_owned());
    let zero = refused(&|parts| parts.manifest.streams[0].number.0 = 0);
    assert_eq!(zero.first(), Some(&named));
    let many = refused(&|parts| {
        let stream = parts.manifest.streams[1].clone();
        parts.manifest.streams = vec![stream; 17];
    });
    assert_eq!(many.first(), Some(&named));
    assert_ne!(refused(&|_| {}).first(), Some(&named));
}

#[test]
fn what_few_players_play_is_there_in_one_channel_too() {
    assert!(file(&Parts::new(2, 12).bundle(), "audio/mixed.wav").is_empty());
    let bundle = Parts::new(3, 60).bundle();
    assert_holds(&bundle);
    let alone = [1, 2, 3].map(|number| samples(&file(&bundle, &format!("audio/{number}.wav"))));
    let mixed = samples(&file(&bundle, "audio/mixed.wav"));
    assert_eq!(mixed.len(), alone[0].len());
    for (at, sample) in mixed.iter().enumerate() {
        let sum: i32 = alone.iter().map(|one| i32::from(one[at])).sum();
        assert_eq!(i32::from(*sample), sum.clamp(-32_768, 32_767), "{at}");
    }
    let silent = signed_again(&bundle, |files| {
        let mixed = files.iter_mut().find(|(name, _)| name == "audio/mixed.wav");
        mixed.unwrap().1[1_000..].fill(0);
    });
    let report = verify(&silent, Some(&verifier()));
    let broken: Vec<_> = report.broken().map(|found| found.place.as_str()).collect();
    assert_eq!(broken, ["audio/mixed.wav"]);
    // Of a part as of the whole.
    let part = copy(&Parts::new(3, 60), &excerpt(200, 900));
    assert_holds(&part);
    assert_eq!(
        samples(&file(&part, "audio/mixed.wav")),
        mixed[1_600..7_200]
    );
}

#[test]
fn a_timeline_that_cannot_be_is_refused_in_words_and_not_in_a_crash() {
    const MOST: u64 = (1 << 53) - 1;
    let parts = Parts::new(2, 60);
    let wrong: [fn(&mut Timeline); 4] = [
        |timeline| {
            let interval = &mut timeline.streams[0].intervals[1];
            (interval.start_us, interval.end_us) = (interval.end_us, interval.start_us);
        },
        |timeline| {
            for stream in &mut timeline.streams {
                (stream.packets, stream.late, stream.duplicates) = (MOST, MOST, MOST);
            }
            timeline.streams = vec![timeline.streams[0].clone(); 2_100];
        },
        |timeline| {
            let interval = &mut timeline.streams[0].intervals[1];
            (interval.end_us, interval.samples) = (MOST, MOST);
            timeline.streams[0].intervals = vec![interval.clone(); 2_100];
        },
        |timeline| timeline.call_ended = timeline.call_started.plus_micros(-1),
    ];
    for bundle in [
        parts.bundle(),
        copy(&parts, &excerpt(200, 900)),
        copy(&parts, &without(vec![redaction(&[1], 500, 700)])),
    ] {
        for change in wrong {
            let lying = signed_again(&bundle, |files| {
                let file = files.iter_mut().find(|(name, _)| name == "timeline.json");
                let bytes = &mut file.unwrap().1;
                let mut timeline: Timeline = from_canonical(bytes).unwrap();
                change(&mut timeline);
                *bytes = canonical_json(&timeline).unwrap();
            });
            let report = verify(&lying, Some(&verifier()));
            let broken = report.broken().map(|found| found.check);
            assert!(broken.into_iter().any(|check| check == Check::Timeline));
        }
    }
}
