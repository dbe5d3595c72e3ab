//! A recording given out as a vCon.

use crate::support::*;
use serde_json::{Map, Value};
use voicelog_archive::{Archive, ArchiveError, Permit, VconForm, Verdict, act};
use voicelog_evidence::bundle::BundleError;
use voicelog_evidence::part::{Plan, Window};
use voicelog_evidence::tlog::LeafKind;
use voicelog_evidence::vcon::Profile;
use voicelog_evidence::zip;
use voicelog_model::{Action, RecordingId};

const UNSIGNED: VconForm = VconForm {
    profile: Profile::Core,
    is_signed: false,
};

fn permit_to_copy(archive: &Archive, id: RecordingId) -> Permit<act::GiveCopy> {
    let facts = Map::new();
    let answer = archive
        .ask_for_copy(id, Action::FileInCourt, &asker(), &facts, seconds(60))
        .unwrap();
    match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(_) => panic!("{:?}", answer.decision),
    }
}

fn exports(archive: &Archive) -> usize {
    let leaves = archive.leaves(0, 100).unwrap();
    let kinds = leaves.iter().map(|row| {
        voicelog_evidence::Leaf::from_bytes(&row.bytes)
            .unwrap()
            .kind
    });
    kinds.filter(|kind| *kind == LeafKind::Exported).count()
}

#[test]
fn the_vcon_names_the_basis_and_the_purpose_of_the_line() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let permit = permit_to_copy(archive, id);
    let vcon = archive.export_vcon(permit, None, UNSIGNED, seconds(60));
    let vcon: Value = serde_json::from_slice(&vcon.unwrap()).unwrap();
    let basis = &vcon["attachments"][0];
    assert_eq!(basis["purpose"], "lawful_basis");
    assert_eq!(basis["body"]["lawful_basis"], "contract");
    let purpose = facts("announced")["purpose"].clone();
    assert_eq!(basis["body"]["purpose_grants"][0]["purpose"], purpose);
    assert_eq!(basis["body"]["metadata"]["gdpr_article"], "6(1)(b)");
    assert_eq!(exports(archive), 1);
}

#[test]
fn the_same_basis_stands_in_the_bundle_and_the_bundle_verifies() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let bundle = archive
        .export(permit_to_copy(archive, id), None, seconds(60))
        .unwrap();
    let key = archive.verifier_key().parse().unwrap();
    let report = voicelog_evidence::verify(&bundle, Some(&key));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    assert!(
        zip::read(&bundle)
            .unwrap()
            .iter()
            .any(|(name, _)| *name == "vcon.json")
    );
}

#[test]
fn whoever_gets_a_vcon_gets_it_signed_unless_it_was_asked_otherwise() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let form = VconForm {
        profile: Profile::Compat,
        is_signed: true,
    };
    let signed = archive
        .export_vcon(permit_to_copy(archive, id), None, form, seconds(60))
        .unwrap();
    let signed: Value = serde_json::from_slice(&signed).unwrap();
    assert!(signed["payload"].is_string() && signed["signatures"][0]["signature"].is_string());
}

#[test]
fn a_part_that_does_not_fit_gives_no_vcon_and_nothing_is_logged() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let plan = Plan {
        excerpt: Some(Window {
            start_us: 0,
            end_us: u64::MAX,
        }),
        redactions: Vec::new(),
    };
    let permit = permit_to_copy(archive, id);
    let refused = archive.export_vcon(permit, Some(&plan), UNSIGNED, seconds(60));
    assert!(matches!(
        refused,
        Err(ArchiveError::Bundle {
            source: BundleError::Part(_),
            ..
        })
    ));
    assert_eq!(exports(archive), 0);
}
