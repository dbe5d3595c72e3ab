//! Copies of a part whose archive lies, and signs the lie: what it shows cannot be silenced, moved or
//! called something else.

use crate::fixture::{Parts, signed_again, verifier};
use crate::part::{copy, excerpt, file, redaction, samples, without};
use voicelog_evidence::part::{LeftOut, Scope, SoundInstead, Window};
use voicelog_evidence::verify::Check;
use voicelog_evidence::{canonical_json, from_canonical, verify};
use voicelog_model::StreamNumber;

/// What is broken when the archive signs another scope.
fn lie(copy: &[u8], change: impl FnOnce(&mut Scope)) -> Vec<(Check, String)> {
    let lying = signed_again(copy, |files| {
        let file = files
            .iter_mut()
            .find(|(name, _)| name == "scope.json")
            .unwrap();
        let mut scope: Scope = from_canonical(&file.1).unwrap();
        change(&mut scope);
        file.1 = canonical_json(&scope).unwrap();
    });
    let report = verify(&lying, Some(&verifier()));
    report
        .broken()
        .map(|finding| {
            (
                finding.check,
                format!("{}: {}", finding.place, finding.text_en),
            )
        })
        .collect()
}

fn is_scope(broken: &[(Check, String)]) -> bool {
    let says =
        |(check, said): &(Check, String)| *check == Check::Scope && said.starts_with("scope.json");
    broken.iter().any(says)
}

/// Whether the scope is broken, and for that reason.
fn is_for(broken: &[(Check, String)], why: &str) -> bool {
    is_scope(broken) && broken.iter().any(|(_, said)| said.contains(why))
}

#[test]
fn an_archive_that_lies_about_what_it_left_out_is_caught() {
    let parts = Parts::new(2, 200);
    let copy = copy(&parts, &without(vec![redaction(&[1], 1_000, 1_200)]));
    type Change = fn(&mut Scope);
    let lies: [(&str, Change); 12] = [
        ("less is said to be left out", |scope| {
            scope.streams[0].left_out[0].leaf_count -= 1
        }),
        ("nothing is said to be left out", |scope| {
            scope.streams[0].left_out.clear()
        }),
        ("it is another stream's", |scope| {
            scope.redactions[0].streams = vec![StreamNumber(2)]
        }),
        ("it was another time", |scope| {
            scope.streams[0].left_out[0].start_us += 1_000_000;
            scope.streams[0].left_out[0].end_us += 1_000_000;
        }),
        ("it was a shorter time", |scope| {
            scope.streams[0].left_out[0].end_us -= 1_000;
        }),
        ("it was beyond the end of the call", |scope| {
            scope.streams[0].left_out[0].end_us = 60_000_000;
        }),
        ("there is no reason", |scope| {
            scope.streams[0].left_out[0].redactions.clear()
        }),
        ("it is outside of an excerpt that is none", |scope| {
            scope.streams[0].left_out[0].is_outside = true;
        }),
        ("a reason without words", |scope| {
            scope.redactions[0].reason = " ".into()
        }),
        ("more was asked for than was done", |scope| {
            scope.redactions[0].end_us += 500_000
        }),
        ("a packet is heard twice", |scope| {
            let last = *scope.streams[0].placed.last().unwrap();
            scope.streams[0].placed.last_mut().unwrap().first = last.first - 1;
        }),
        ("a stream is not told of", |scope| {
            scope.streams.pop();
        }),
    ];
    for (what, change) in lies {
        let broken = lie(&copy, change);
        assert!(is_scope(&broken), "{what}: {broken:?}");
    }
    // Moved sound is sound that does not follow, however little it was moved.
    let broken = lie(&copy, |scope| scope.streams[0].placed[1].tick += 80);
    assert!(is_scope(&broken), "{broken:?}");
    assert!(
        lie(&copy, |_| {}).is_empty(),
        "signing again alone is no lie"
    );
}

#[test]
fn what_is_shown_is_heard_whatever_time_is_said_to_be_left_out() {
    let parts = Parts::new(1, 200);
    for sound in [SoundInstead::Silence, SoundInstead::Tone] {
        let mut asked = redaction(&[1], 2_000, 2_200);
        asked.sound = sound;
        let copy = copy(&parts, &without(vec![asked]));
        let broken = lie(&copy, |scope| {
            scope.streams[0].left_out[0].start_us = 500_000;
            scope.streams[0].left_out[0].end_us = 3_500_000;
        });
        // The sound in the copy is still the one that follows: nothing of it is laid over what is shown.
        assert!(
            broken.iter().all(|(check, _)| *check != Check::Sound),
            "{broken:?}"
        );
        let muted = signed_again(&copy, |files| {
            for (name, bytes) in files.iter_mut() {
                let mut scope: Scope = match name.as_str() {
                    "audio/1.wav" | "audio/all.wav" => {
                        let length = bytes.len();
                        bytes[length - 16_000..length - 8_000].fill(0);
                        continue;
                    }
                    "scope.json" => from_canonical(bytes).unwrap(),
                    _ => continue,
                };
                scope.streams[0].left_out[0].end_us = 3_900_000;
                *bytes = canonical_json(&scope).unwrap();
            }
        });
        let report = verify(&muted, Some(&verifier()));
        let broken = report.broken().map(|finding| finding.place.as_str());
        let broken: Vec<_> = broken.collect();
        assert!(broken.contains(&"audio/1.wav"), "{broken:?}");
    }
}

#[test]
fn what_is_shown_cannot_be_left_without_a_place() {
    let parts = Parts::new(1, 200);
    let copy = copy(&parts, &without(vec![redaction(&[1], 2_000, 2_200)]));
    let silenced = |says_so: bool| {
        lie(&copy, |scope| {
            let stream = &mut scope.streams[0];
            let at = stream.placed.iter().position(|one| one.first > 30).unwrap();
            stream.placed[at - 1].count -= 10;
            if says_so {
                stream.left_out[0].start_us -= 200_000;
            }
        })
    };
    let unsaid = silenced(false);
    assert!(is_scope(&unsaid), "{unsaid:?}");
    let said = silenced(true);
    assert!(is_for(&said, "shown without a place"), "{said:?}");
}

#[test]
fn what_lies_within_an_excerpt_is_not_outside_of_it() {
    let parts = Parts::new(1, 200);
    let mut plan = excerpt(1_000, 3_000);
    plan.redactions = vec![redaction(&[1], 1_500, 1_600)];
    let copy = copy(&parts, &plan);
    let broken = lie(&copy, |scope| {
        let within = |left: &&mut LeftOut| !left.is_outside;
        let left = scope.streams[0].left_out.iter_mut().find(within).unwrap();
        left.is_outside = true;
        left.redactions.clear();
        scope.redactions.clear();
    });
    assert!(is_for(&broken, "not said to be left out"), "{broken:?}");
    // Nor by moving the excerpt over what is not shown.
    let broken = lie(&copy, |scope| {
        scope.excerpt = Some(Window {
            start_us: 500_000,
            end_us: 3_000_000,
        });
    });
    assert!(is_scope(&broken), "{broken:?}");
}

#[test]
fn what_was_said_at_one_time_is_not_shown_as_of_another() {
    let parts = Parts::new(1, 2_000);
    let copy = copy(&parts, &excerpt(30_000, 32_000));
    let earlier_us = 25_000_000;
    let broken = lie(&copy, |scope| {
        scope.excerpt = Some(Window {
            start_us: 30_000_000 - earlier_us,
            end_us: 32_000_000 - earlier_us,
        });
        let stream = &mut scope.streams[0];
        for placing in &mut stream.placed {
            placing.tick -= earlier_us * 8 / 1_000;
        }
        stream.left_out[0].end_us -= earlier_us;
        stream.left_out[1].start_us -= earlier_us;
    });
    assert!(is_for(&broken, "did not arrive"), "{broken:?}");
    assert_eq!(samples(&file(&copy, "audio/1.wav")).len(), 16_000);
}

#[test]
fn what_is_left_out_for_one_reason_is_told_of_once_and_not_in_a_thousand_pieces() {
    let parts = Parts::new(1, 200);
    let copy = copy(&parts, &without(vec![redaction(&[1], 1_000, 2_000)]));
    let broken = lie(&copy, |scope| {
        let left_out = &mut scope.streams[0].left_out;
        let whole = left_out[0].clone();
        left_out.clear();
        for leaf in 0..whole.leaf_count {
            left_out.push(LeftOut {
                first_leaf: whole.first_leaf + leaf,
                leaf_count: 1,
                ..whole.clone()
            });
        }
    });
    assert!(is_scope(&broken), "{broken:?}");
}
