//! Bundles, whole and tampered with, and what this verifier says of each: for the other one, which is
//! written from the document alone and must say the same (`cargo xtask verifier`).
//!
//! They are left in the target's folder for temporary files, in `verifiers`: `NAME.zip`, and
//! `NAME.zip.json` with `holds`, what is `broken` (`check`, `place`), and the sentence that it comes to. `archive.vkey` is the key to
//! check them with. `receipts` has receipts beside its bundles, made by `receipts.rs`.

use crate::codecs::call_with;
use crate::fixture::{Parts, archive_key, logged, signed_again, verifier};
use crate::golden::frozen_bundles;
use crate::networks::turns;
use crate::part::{bad_call, copy, excerpt, redaction, without};
use crate::tamper::{repacked, rewritten};
use crate::vcon::{Lie, lying};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use voicelog_evidence::part::{Redaction, Scope, SoundInstead};
use voicelog_evidence::{
    Digest, LeafKind, Report, SigningKey, Verdict, canonical_json, from_canonical, verify, zip,
};
use voicelog_model::Language;

type Bundles = BTreeMap<String, Vec<u8>>;

/// Bundles that hold.
fn whole() -> Bundles {
    let many: Vec<(u8, u16)> = (0..200_u16)
        .map(|n| (u8::try_from(n * 37 % 251).unwrap(), n * 131 % 3_000))
        .collect();
    let tone = Redaction {
        sound: SoundInstead::Tone,
        ..redaction(&[1, 2], 500, 700)
    };
    let mut both = excerpt(300, 1_500);
    both.redactions = vec![tone.clone(), redaction(&[2], 900, 950)];
    let parts = Parts::new(2, 100);
    let bundles = [
        ("two-streams", Parts::new(2, 12).bundle()),
        ("one-stream", Parts::new(1, 60).bundle()),
        ("three-streams", Parts::new(3, 12).bundle()),
        ("no-packet", Parts::new(1, 0).bundle()),
        ("no-stream", Parts::new(0, 0).bundle()),
        ("bad-network", Parts::of(&bad_call(&many)).bundle()),
        ("undecodable", Parts::of(&call_with("EVS/16000")).bundle()),
        ("turns-redacted", turns_redacted()),
        ("linear", Parts::of(&call_with("L16/8000")).bundle()),
        ("wideband", Parts::of(&call_with("G722")).bundle()),
        ("excerpt", copy(&parts, &excerpt(300, 1_500))),
        (
            "redacted",
            copy(&parts, &without(vec![redaction(&[1], 500, 700), tone])),
        ),
        ("excerpt-redacted", copy(&parts, &both)),
        (
            "bad-network-redacted",
            copy(
                &Parts::of(&bad_call(&many)),
                &without(vec![redaction(&[1], 400, 900)]),
            ),
        ),
        (
            "wideband-redacted",
            copy(
                &Parts::of(&call_with("G722")),
                &without(vec![redaction(&[2], 100, 150)]),
            ),
        ),
    ];
    bundles
        .into_iter()
        .map(|(name, bundle)| (name.to_owned(), bundle))
        .collect()
}

/// A copy of a part of a call in which two senders took turns, and what was sent last was not heard.
fn turns_redacted() -> Vec<u8> {
    copy(
        &Parts::of(&turns()),
        &without(vec![redaction(&[1], 1_000, 1_300)]),
    )
}

/// One byte of each file: in a container that is wrong then, and in one that was made right again.
fn flipped(name: &str, bundle: &[u8], out: &mut Bundles) {
    let files: Vec<(String, usize)> = zip::read(bundle)
        .unwrap()
        .iter()
        .map(|(file, content)| {
            (
                (*file).to_owned(),
                content.as_ptr().addr() - bundle.as_ptr().addr() + content.len() / 2,
            )
        })
        .collect();
    for (file, middle) in files {
        let mut changed = bundle.to_vec();
        changed[middle] ^= 0x10;
        let said = file.replace('/', "_");
        out.insert(format!("{name}-flip-{said}"), changed);
        let mended = repacked(bundle, &file, |content| {
            let middle = content.len() / 2;
            content[middle] ^= 0x10;
        });
        out.insert(format!("{name}-mended-{said}"), mended);
        let listed = signed_again(bundle, |files| {
            if let Some((_, content)) = files.iter_mut().find(|(found, _)| *found == file) {
                let middle = content.len() / 2;
                content[middle] ^= 0x10;
            }
        });
        if file != "bundle.note" {
            out.insert(format!("{name}-listed-{said}"), listed);
        }
    }
}

/// Files that are gone, doubled, moved, cut off or added.
fn rearranged(name: &str, bundle: &[u8], out: &mut Bundles) {
    let files = zip::read(bundle).unwrap();
    for at in 0..files.len() {
        let said = files[at].0.replace('/', "_");
        let mut fewer = files.clone();
        fewer.remove(at);
        out.insert(
            format!("{name}-without-{said}"),
            zip::write(&fewer).unwrap(),
        );
        let mut swapped = files.clone();
        swapped.swap(at, (at + 1) % files.len());
        out.insert(
            format!("{name}-swapped-{said}"),
            zip::write(&swapped).unwrap(),
        );
        let cut = repacked(bundle, files[at].0, |content| {
            content.truncate(content.len() / 2)
        });
        out.insert(format!("{name}-cut-{said}"), cut);
    }
    let more = [files, vec![("audio/extra.wav", &b"x"[..])]].concat();
    out.insert(format!("{name}-more"), zip::write(&more).unwrap());
    for (what, length) in [("half", bundle.len() / 2), ("last-byte", bundle.len() - 1)] {
        out.insert(
            format!("{name}-truncated-{what}"),
            bundle[..length].to_vec(),
        );
    }
    out.insert(format!("{name}-trailing"), [bundle, b"\0"].concat());
    out.insert(format!("{name}-leading"), [b"\0", bundle].concat());
}

/// What an archive could sign that lies.
fn lies(out: &mut Bundles) {
    let mut lie = |name: &str, change: fn(&mut Parts)| {
        let mut parts = Parts::new(2, 12);
        change(&mut parts);
        (parts.leaf, parts.proof) = logged(&parts.manifest);
        out.insert(format!("lie-{name}"), parts.bundle());
    };
    lie("verdict", |parts| parts.manifest.verdict = Verdict::Whole);
    lie("root", |parts| {
        parts.manifest.streams[1].root = Digest([0; 32])
    });
    lie("packets", |parts| parts.manifest.streams[0].packets += 1);
    lie("party", |parts| parts.manifest.streams[0].party = None);
    lie("record-count", |parts| parts.manifest.record_count += 1);
    lie("events", |parts| {
        parts.manifest.events_sha256 = Digest([0; 32])
    });
    lie("rulebook", |parts| {
        parts.manifest.rulebook_hash = Digest([0; 32])
    });
    lie("decision", |parts| parts.decision = b"{}".to_vec());
    lie("timeline", |parts| {
        parts.inventory.timeline.streams[0].intervals[0].end_us += 1
    });
    lie("stream-zero", |parts| {
        parts.manifest.streams[0].number.0 = 0
    });
    lie("many-streams", |parts| {
        let stream = parts.manifest.streams[1].clone();
        parts.manifest.streams.extend((3..=17).map(|number| {
            let mut stream = stream.clone();
            stream.number.0 = number;
            stream
        }));
    });
    lie("started", |parts| {
        parts.manifest.call_started = parts.manifest.call_ended
    });
    let parts = rewritten();
    out.insert("lie-rewritten".to_owned(), parts.bundle());
    let mut parts = rewritten();
    (parts.leaf, _) = logged(&parts.manifest);
    out.insert("lie-leaf".to_owned(), parts.bundle());
    let mut parts = Parts::new(1, 12);
    parts.leaf.kind = LeafKind::Exported;
    out.insert("lie-leaf-kind".to_owned(), parts.bundle());
    let forger = SigningKey::from_seed("archief.example/opnamen", [0x99; 32]).unwrap();
    let forged = Parts::new(1, 12).bundle_signed_by(&forger);
    out.insert("lie-forged".to_owned(), forged);
    lies_of_parts(out);
    lies_of_vcons(out);
}

/// vCons that the archive signed, and that say something else than the bundle they are in.
fn lies_of_vcons(out: &mut Bundles) {
    let bundle = Parts::new(2, 12).bundle();
    let redacted = copy(
        &Parts::new(2, 100),
        &without(vec![redaction(&[1], 500, 700)]),
    );
    let lies: [(&str, &[u8], Lie); 7] = [
        ("hash", &bundle, |vcon, _| {
            vcon["dialog"][1]["content_hash"] = vcon["dialog"][2]["content_hash"].clone();
        }),
        ("uuid", &bundle, |vcon, _| {
            vcon["uuid"] = "00000000-0000-8000-8000-000000000000".into();
        }),
        ("header-uuid", &bundle, |_, header| {
            header["uuid"] = "00000000-0000-8000-8000-000000000000".into();
        }),
        ("timeline", &bundle, |vcon, _| {
            vcon["attachments"][0]["body"]["verdict"] = "whole".into();
        }),
        ("decision", &bundle, |vcon, _| {
            vcon["attachments"][1]["body"]["outcome"] = "permitted".into();
        }),
        ("passages", &redacted, |vcon, _| {
            vcon["attachments"][2]["body"]["passages"] = Value::Array(Vec::new());
        }),
        ("not-redacted", &redacted, |vcon, _| {
            drop(vcon.as_object_mut().unwrap().remove("redacted"));
        }),
    ];
    for (name, bundle, lie) in lies {
        out.insert(format!("lie-vcon-{name}"), lying(bundle, lie));
    }
}

/// A copy of a part with another scope, signed by the archive.
fn with_scope(copy: &[u8], change: fn(&mut Scope)) -> Vec<u8> {
    signed_again(copy, |files| {
        let file = files
            .iter_mut()
            .find(|(name, _)| name == "scope.json")
            .unwrap();
        let mut scope: Scope = from_canonical(&file.1).unwrap();
        change(&mut scope);
        file.1 = canonical_json(&scope).unwrap();
    })
}

/// What is shown is to be silent, or left out for another reason than there is.
fn lies_that_silence(redacted: &[u8], out: &mut Bundles) {
    let mut lie = |name: &str, change: fn(&mut Scope)| {
        out.insert(format!("lie-part-{name}"), with_scope(redacted, change));
    };
    lie("unplaced", |scope| {
        scope.streams[0].placed[0].count -= 1;
        scope.streams[0].left_out[0].start_us -= 200_000;
    });
    lie("outside", |scope| {
        scope.streams[0].left_out[0].is_outside = true
    });
    lie("wider", |scope| {
        scope.streams[0].left_out[0].end_us += 300_000
    });
    lie("narrower", |scope| {
        scope.streams[0].left_out[0].end_us -= 1_000
    });
    lie("apart", |scope| {
        let left_out = &mut scope.streams[0].left_out;
        let mut second = left_out[0].clone();
        left_out[0].leaf_count = 1;
        second.first_leaf += 1;
        second.leaf_count -= 1;
        left_out.push(second);
    });
}

fn lies_of_parts(out: &mut Bundles) {
    let parts = Parts::new(2, 100);
    let plan = without(vec![redaction(&[1], 500, 700)]);
    let redacted = copy(&parts, &plan);
    let mut lie = |name: &str, change: fn(&mut Scope)| {
        out.insert(format!("lie-part-{name}"), with_scope(&redacted, change));
    };
    lie("fewer-leaves", |scope| {
        scope.streams[0].left_out[0].leaf_count -= 1
    });
    lie("nothing-left-out", |scope| {
        scope.streams[0].left_out.clear()
    });
    lie("other-stream", |scope| scope.redactions[0].streams[0].0 = 2);
    lie("other-time", |scope| {
        scope.streams[0].left_out[0].end_us += 60_000_000
    });
    lie("no-reason", |scope| {
        scope.streams[0].left_out[0].redactions.clear()
    });
    lie("no-words", |scope| {
        scope.redactions[0].legal_ground = " ".into()
    });
    lie("more-asked", |scope| scope.redactions[0].end_us += 500_000);
    lie("no-redaction", |scope| scope.redactions.clear());
    lie("stream-untold", |scope| drop(scope.streams.pop()));
    lie("moved", |scope| scope.streams[0].placed[1].tick += 80);
    lie("twice", |scope| scope.streams[0].placed[1].first = 0);
    lie("other-format", |scope| {
        scope.streams[0].placed[0].format = 1
    });
    lie("other-interval", |scope| {
        scope.streams[0].placed[0].interval += 1
    });
    lie("silence", |scope| {
        scope.redactions[0].sound = SoundInstead::Tone
    });
    lies_that_silence(&redacted, out);
    let without_scope = signed_again(&redacted, |files| {
        files.retain(|(name, _)| name != "scope.json" && !name.ends_with(".tree"));
    });
    out.insert("lie-part-as-whole".to_owned(), without_scope);
    let mixed = signed_again(&redacted, |files| {
        let other = copy(&parts, &without(vec![redaction(&[1], 900, 950)]));
        let other = zip::read(&other).unwrap();
        for (name, bytes) in files
            .iter_mut()
            .filter(|(name, _)| name == "original/1.tree")
        {
            let found = other.iter().find(|(other, _)| other == name);
            *bytes = found.unwrap().1.to_vec();
        }
    });
    out.insert("lie-part-other-tree".to_owned(), mixed);
}

/// A folder of this name among the temporary files of the tests, with nothing in it.
pub(crate) fn emptied(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the other verifier must say too.
pub(crate) fn said(report: &Report) -> Vec<u8> {
    let broken = report
        .broken()
        .map(|finding| json!({ "check": format!("{:?}", finding.check), "place": finding.place }));
    let broken: Vec<_> = broken.collect();
    let conclusion = report.conclusion(Language::En);
    json!({ "holds": report.holds(), "broken": broken, "conclusion_en": conclusion })
        .to_string()
        .into_bytes()
}

pub(crate) fn put(path: &Path, bytes: &[u8]) {
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

#[test]
fn bundles_for_the_other_verifier() {
    let folder = emptied("verifiers");
    let mut bundles = whole();
    let frozen = frozen_bundles().into_iter();
    bundles.extend(frozen.map(|(name, bundle)| (format!("frozen-{name}"), bundle)));
    let names: Vec<String> = bundles.keys().cloned().collect();
    for name in ["two-streams", "redacted"] {
        let bundle = bundles[name].clone();
        flipped(name, &bundle, &mut bundles);
        rearranged(name, &bundle, &mut bundles);
    }
    lies(&mut bundles);
    for (name, bundle) in &bundles {
        // What the pages say to people is the archive's own word; completeness.json is computed again.
        let words = ["README.txt", "recipe.txt", "completeness.html"];
        let may_hold = names.contains(name)
            || words
                .iter()
                .any(|word| name.ends_with(&format!("-listed-{word}")));
        let report = verify(bundle, Some(&verifier()));
        assert_eq!(
            report.holds(),
            may_hold,
            "{name}: {:#?}",
            report.broken().collect::<Vec<_>>()
        );
        put(&folder.join(format!("{name}.zip")), bundle);
        put(&folder.join(format!("{name}.zip.json")), &said(&report));
    }
    let key = format!("{}\n", archive_key().verifier());
    put(&folder.join("archive.vkey"), key.as_bytes());
    assert!(bundles.len() > 200, "{}", bundles.len());
}
