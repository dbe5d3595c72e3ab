//! A second person for what cannot be undone: asked for by a house rule, found out by the gate, proven by the log.

use crate::backup::{World, restore, wrong};
use crate::support::*;
use std::path::Path;
use std::sync::Arc;
use voicelog_archive::check::Level;
use voicelog_archive::{
    Archive, ArchiveError, EndedAccount, HoldAsked, HoldGround, Parts, Proposal, ProposalState,
    State, Verdict,
};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_law::HouseRules;
use voicelog_model::{Pii, RecordingId, Timestamp};
use voicelog_store::faulty::{Schedule, Then, When};

const DAY: i64 = 86_400;

/// Who asks may not be alone.
pub(crate) const NOT_ALONE: &str = "context has second_person && !context.second_person";
/// Not even the end of a term is enough.
const STERN: &str = "!(context has second_person && context.second_person)";

pub(crate) fn with_rule(mut parts: Parts, when: &str) -> Parts {
    let text = format!(
        "@id(\"house.second_person\")\n@kind(\"contract\")\n@article(\"Reglement 9\")\n\
         @valid_from(\"2026-10-01\")\n@nl(\"Twee mensen.\")\n@en(\"Two people.\")\n\
         forbid (principal, action == Action::\"destroy\", resource)\nwhen {{ {when} }};"
    );
    let rules = HouseRules::read(&[("house.cedar".to_owned(), text)], &rulebook()).unwrap();
    parts.rulebook = parts.rulebook.with_house(&rules).unwrap();
    parts
}

fn open(folder: &Path, when: &str) -> Archive {
    Archive::open(with_rule(parts(folder), when))
}

/// An archive under a rule, with two people and a recording whose term of a year runs.
struct House {
    archive: Archive,
    folder: tempfile::TempDir,
    first: Pii<String>,
    second: Pii<String>,
    id: RecordingId,
}

fn house(when: &str) -> House {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path(), when);
    let first = first_account(&archive, "beheer-van-der-kanarie");
    let second = invited_account(&archive, "anna-van-der-kanarie", &first);
    let id = record(&archive).id;
    House {
        archive,
        folder,
        first,
        second,
        id,
    }
}

fn reason() -> Pii<String> {
    Pii::new("the customer of file Kanarie asked for it".to_owned())
}

impl House {
    fn is_permitted(&self, asker: Option<&Pii<String>>, at: Timestamp) -> bool {
        let answer = self.archive.ask_to_destroy_for(self.id, asker, at).unwrap();
        matches!(answer.verdict, Verdict::Permit(_))
    }

    fn propose(&self) -> Proposal {
        self.archive
            .propose(self.id, &reason(), &self.first, seconds(60))
            .unwrap()
    }

    fn destroy(&self, at: Timestamp) {
        let answer = self.archive.ask_to_destroy(self.id, at).unwrap();
        let Verdict::Permit(permit) = answer.verdict else {
            panic!("{:?}", answer.decision)
        };
        self.archive.destroy(permit, at).unwrap();
    }

    /// Kinds of the leaves about the recording, without those of decisions.
    fn told(&self) -> Vec<LeafKind> {
        let leaves = self.archive.leaves(0, 100).unwrap();
        let read = leaves
            .iter()
            .map(|row| Leaf::from_bytes(&row.bytes).unwrap());
        let of_it = read.filter(|leaf| leaf.object == self.id.to_string());
        of_it.map(|leaf| leaf.kind).collect()
    }

    /// As a crash at this moment leaves it.
    fn crash(self, when: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        let archive = open(folder.path(), when);
        archive.recover(seconds(90)).unwrap();
        Self {
            archive,
            folder,
            ..self
        }
    }
}

#[test]
fn where_a_house_rule_asks_for_it_one_person_is_refused_and_two_are_not() {
    let house = house(NOT_ALONE);
    let House { archive, id, .. } = &house;
    assert!(!house.is_permitted(Some(&house.first), seconds(60)));
    assert!(archive.needs_second_person(*id, seconds(60)).unwrap());
    // At the end of the term nobody asks, and this house lets it go then.
    assert!(house.is_permitted(None, seconds(366 * DAY)));

    let proposal = house.propose();
    assert_eq!(proposal.state(seconds(61)), ProposalState::Open);
    assert!(
        !house.is_permitted(Some(&house.second), seconds(61)),
        "not confirmed"
    );
    let confirmed = archive
        .confirm(proposal.id, &house.second, seconds(62))
        .unwrap();
    assert_eq!(confirmed.state(seconds(62)), ProposalState::Confirmed);
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
    house.destroy(seconds(63));
    assert_eq!(archive.summary(*id).unwrap().state, State::Destroyed);
    assert_eq!(
        house.told(),
        [
            LeafKind::Recorded,
            LeafKind::Proposed,
            LeafKind::Confirmed,
            LeafKind::Destroyed
        ]
    );
    // Nothing of it is left but that, and the certificate says that somebody asked.
    assert_eq!(archive.proposals_opened(*id).unwrap(), []);
    let key = archive.verifier_key().parse().unwrap();
    let signed = archive.certificate(*id).unwrap().unwrap();
    let (certificate, _checkpoint) =
        voicelog_evidence::certificate::Certificate::verify(signed.as_bytes(), &key).unwrap();
    assert!(certificate.statement.was.unwrap().asked_by_account);
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn without_such_a_rule_nobody_is_asked_for_a_second_person() {
    let made = fixture();
    let first = first_account(&made.archive, "beheer");
    let id = record(&made.archive).id;
    assert!(!made.archive.needs_second_person(id, seconds(60)).unwrap());
    let proposed = made.archive.propose(id, &reason(), &first, seconds(60));
    assert!(matches!(proposed, Err(ArchiveError::BadProposal(_))));
    let answer = made
        .archive
        .ask_to_destroy_for(id, Some(&first), seconds(60));
    assert!(matches!(answer.unwrap().verdict, Verdict::Permit(_)));
}

#[test]
fn where_the_statutes_forbid_it_no_second_person_makes_it_better() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path(), NOT_ALONE);
    let call = open_call(&archive, "broker");
    let writer = write_media(&archive, &call, 20);
    let id = end(&archive, writer, 20).unwrap().id;
    assert!(!archive.needs_second_person(id, seconds(60)).unwrap());
}

#[test]
fn who_proposed_it_cannot_confirm_nor_can_who_has_no_account_any_more() {
    let house = house(NOT_ALONE);
    let House { archive, .. } = &house;
    let proposal = house.propose();
    let same = archive.confirm(proposal.id, &house.first, seconds(61));
    assert!(matches!(same, Err(ArchiveError::SamePerson)), "{same:?}");
    let nobody = Pii::new("nobody".to_owned());
    assert!(archive.confirm(proposal.id, &nobody, seconds(61)).is_err());
    let ended = archive.end_account(&house.second, &house.first, seconds(61));
    assert_eq!(ended.unwrap(), EndedAccount::Done);
    assert!(
        archive
            .confirm(proposal.id, &house.second, seconds(62))
            .is_err()
    );
    assert!(!house.is_permitted(Some(&house.first), seconds(63)));
    let open = archive.proposal_opened(proposal.id).unwrap();
    assert_eq!(open.proposal.state(seconds(63)), ProposalState::Open);
    // The same person cannot come back under the name, and be another one.
    assert_eq!(
        archive
            .end_account(&house.first, &house.first, seconds(64))
            .unwrap(),
        EndedAccount::IsLast
    );
}

#[test]
fn a_proposal_is_answered_once_and_one_that_was_declined_or_has_lapsed_is_of_no_use() {
    let house = house(NOT_ALONE);
    let House { archive, id, .. } = &house;
    let declined = house.propose();
    let twice = archive.propose(*id, &reason(), &house.second, seconds(61));
    assert!(twice.unwrap_err().is_proposed_already());
    let no = Pii::new(" ".to_owned());
    let without_reason = archive.decline(declined.id, &no, &house.second, seconds(61));
    assert!(matches!(without_reason, Err(ArchiveError::BadProposal(_))));
    archive
        .decline(declined.id, &reason(), &house.second, seconds(61))
        .unwrap();
    let late = archive.confirm(declined.id, &house.second, seconds(62));
    assert!(
        matches!(late, Err(ArchiveError::ProposalOver(_))),
        "{late:?}"
    );
    assert_eq!(house.told().last(), Some(&LeafKind::Declined));

    let lapses = archive
        .propose(*id, &reason(), &house.first, seconds(70))
        .unwrap();
    let over = lapses.stands_until;
    let late = archive.confirm(lapses.id, &house.second, over);
    assert!(
        matches!(late, Err(ArchiveError::ProposalOver(_))),
        "{late:?}"
    );
    archive
        .confirm(lapses.id, &house.second, over.plus_micros(-1))
        .unwrap();
    assert!(house.is_permitted(Some(&house.first), over.plus_micros(-1)));
    assert!(!house.is_permitted(Some(&house.first), over), "lapsed");
    assert_eq!(archive.confirmed_proposals(over, 9).unwrap(), []);
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_hold_that_is_placed_in_between_forbids_it_all_the_same() {
    let house = house(NOT_ALONE);
    let House { archive, id, .. } = &house;
    let proposal = house.propose();
    archive
        .confirm(proposal.id, &house.second, seconds(61))
        .unwrap();
    let answer = archive.ask_to_destroy(*id, seconds(62)).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: seconds(9 * DAY),
        note: None,
        by: asker(),
    };
    let hold = archive.place_hold(*id, &asked, seconds(63)).unwrap();
    assert!(
        archive.destroy(permit, seconds(64)).is_err(),
        "a permit from before"
    );
    assert!(!house.is_permitted(None, seconds(65)));
    assert!(!archive.needs_second_person(*id, seconds(65)).unwrap());
    archive
        .release(hold.id, &reason(), &house.first, seconds(66))
        .unwrap();
    house.destroy(seconds(67));
}

#[test]
fn a_crash_between_the_confirmation_and_the_act_leaves_what_anybody_can_carry_out() {
    for asked_by_nobody in [true, false] {
        let house = house(NOT_ALONE);
        let proposal = house.propose();
        let confirmed = house
            .archive
            .confirm(proposal.id, &house.second, seconds(61));
        confirmed.unwrap();
        let house = house.crash(NOT_ALONE);
        let archive = &house.archive;
        assert_eq!(archive.summary(house.id).unwrap().state, State::Sealed);
        assert_eq!(
            archive.confirmed_proposals(seconds(90), 9).unwrap(),
            [house.id]
        );
        let asker = (!asked_by_nobody).then_some(&house.first);
        let answer = archive.ask_to_destroy_for(house.id, asker, seconds(91));
        let Verdict::Permit(permit) = answer.unwrap().verdict else {
            panic!("refused")
        };
        archive.destroy(permit, seconds(91)).unwrap();
        assert_eq!(archive.confirmed_proposals(seconds(92), 9).unwrap(), []);
        assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
    }
}

#[test]
fn a_confirmation_that_storage_did_not_keep_is_none_whichever_step_fails() {
    let mut failed = 0;
    for nth in 1..12 {
        for when in [When::Before, When::After] {
            let House {
                archive,
                folder,
                first,
                second,
                id,
            } = house(NOT_ALONE);
            let proposal = archive.propose(id, &reason(), &first, seconds(60)).unwrap();
            drop(archive);
            let schedule = Schedule::failing(nth, when, Then::Dead);
            let parts = with_rule(parts(folder.path()), NOT_ALONE);
            let archive = Archive::open(with_faults(parts, &schedule));
            let confirmed = archive.confirm(proposal.id, &second, seconds(61));
            failed += u32::from(confirmed.is_err());
            drop(archive);
            let archive = open(folder.path(), NOT_ALONE);
            archive.sequence().unwrap();
            let open = archive.proposal_opened(proposal.id).unwrap().proposal;
            let is_kept = open.state(seconds(62)) == ProposalState::Confirmed;
            assert!(
                is_kept || confirmed.is_err(),
                "what was acknowledged is kept"
            );
            let answer = archive.ask_to_destroy_for(id, Some(&first), seconds(62));
            let is_permitted = matches!(answer.unwrap().verdict, Verdict::Permit(_));
            assert_eq!(is_permitted, is_kept);
            assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "step {nth}");
        }
    }
    assert!(failed > 6, "{failed}");
}

#[test]
fn in_a_stern_house_the_end_of_a_term_waits_for_two_people_as_well() {
    let house = house(STERN);
    let at = seconds(366 * DAY);
    house.archive.confirm_clock(at).unwrap();
    assert!(!house.is_permitted(None, at));
    assert!(house.archive.needs_second_person(house.id, at).unwrap());
    let preview = house.archive.preview_terms(at, at).unwrap();
    assert_eq!(preview.destroyed(), 0, "the preview says so");
    let proposal = house.archive.propose(house.id, &reason(), &house.first, at);
    let confirmed = house
        .archive
        .confirm(proposal.unwrap().id, &house.second, at);
    confirmed.unwrap();
    let permits = house.archive.ask_to_destroy_all(&[house.id], at);
    let (_id, answer) = permits.into_iter().next().unwrap();
    let Verdict::Permit(permit) = answer.unwrap().verdict else {
        panic!("refused")
    };
    let done = house.archive.destroy_all(vec![permit], at).unwrap();
    assert!(done[0].outcome.is_ok());
}

#[test]
fn a_line_cannot_say_that_a_second_person_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = with_rule(parts(folder.path()), NOT_ALONE);
    let mut said = facts("announced");
    said.insert("second_person".to_owned(), true.into());
    let line = voicelog_archive::Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts: said,
        ..voicelog_archive::Line::not_set_up("announced")
    };
    parts.lines = voicelog_archive::Lines::new(vec![line]);
    let archive = Archive::open(parts);
    let id = record(&archive).id;
    let answer = archive.ask_to_destroy_for(id, Some(&asker()), seconds(60));
    assert!(matches!(answer.unwrap().verdict, Verdict::Refusal(_)));
}

/// Whether any file of the archive, the index and its journal included, holds these bytes.
fn is_somewhere(folder: &Path, bytes: &[u8]) -> bool {
    let mut all = crate::backup::files_of(folder).into_iter();
    all.any(|path| {
        let content = std::fs::read(path).unwrap();
        content.windows(bytes.len()).any(|at| at == bytes)
    })
}

#[test]
fn no_proposal_says_in_the_open_who_asked_or_why_and_all_of_it_goes_with_the_recording() {
    let house = house(NOT_ALONE);
    let proposal = house.propose();
    let confirmed = house
        .archive
        .confirm(proposal.id, &house.second, seconds(61));
    confirmed.unwrap();
    assert!(!is_somewhere(house.folder.path(), b"file Kanarie"));
    let open = house.archive.proposals_opened(house.id).unwrap();
    let details = open[0].details.clone().unwrap();
    assert_eq!(
        (details.by, details.reason),
        (house.first.clone(), reason())
    );
    assert_eq!(details.answer, Some((house.second.clone(), None)));
    assert!(is_somewhere(house.folder.path(), proposal.id.as_bytes()));
    house.destroy(seconds(63));
    house.archive.settle().unwrap();
    assert!(!is_somewhere(house.folder.path(), proposal.id.as_bytes()));
}

/// What a check finds after somebody changed the index, before the next start and after it.
fn found_after(house: House, statement: &str) -> Vec<String> {
    let House {
        archive, folder, ..
    } = house;
    archive.settle().unwrap();
    drop(archive);
    let index = rusqlite::Connection::open(folder.path().join("index.db")).unwrap();
    index.pragma_update(None, "foreign_keys", "OFF").unwrap();
    assert!(index.execute(statement, []).unwrap() > 0);
    drop(index);
    let archive = open(folder.path(), NOT_ALONE);
    let found = wrong(&archive);
    archive.introduce(seconds(9)).unwrap();
    archive.sequence().unwrap();
    assert_eq!(wrong(&archive), found, "a start makes nothing good");
    found
}

#[test]
fn a_second_person_who_was_put_into_the_index_and_one_who_was_taken_out_are_found() {
    let put_in = "INSERT INTO accounts (name, password_hash, role, created_at, salt)
        VALUES ('x', '', 'administrator', 1, zeroblob(32))";
    let found = found_after(house(NOT_ALONE), put_in);
    assert!(
        found[0].contains("tells nothing of an account"),
        "{found:?}"
    );
    let untold = "INSERT INTO accounts (name, password_hash, role, created_at)
        VALUES ('x', '', 'administrator', 1)";
    let found = found_after(house(NOT_ALONE), untold);
    assert_eq!(
        found,
        ["the log was not told of an account that the index has"]
    );
    let taken_out = "DELETE FROM accounts WHERE name LIKE 'anna%'";
    let found = found_after(house(NOT_ALONE), taken_out);
    assert!(
        found[0].contains("that the index does not have"),
        "{found:?}"
    );
    for found in &found {
        assert!(!found.contains("kanarie"), "a finding names nobody");
    }
}

#[test]
fn a_confirmation_that_somebody_wrote_into_the_index_permits_nothing() {
    let House {
        archive,
        folder,
        first,
        second: _,
        id,
    } = house(NOT_ALONE);
    archive.propose(id, &reason(), &first, seconds(60)).unwrap();
    drop(archive);
    let index = rusqlite::Connection::open(folder.path().join("index.db")).unwrap();
    let forged =
        "UPDATE proposals SET answered_at = made_at + 1, is_confirmed = 1, answer = sealed";
    assert_eq!(index.execute(forged, []).unwrap(), 1);
    drop(index);
    let archive = open(folder.path(), NOT_ALONE);
    let answer = archive.ask_to_destroy_for(id, Some(&first), seconds(61));
    assert!(matches!(answer.unwrap().verdict, Verdict::Refusal(_)));
    assert_eq!(what_a_sweep_gets(&archive, id), ["refused", "proposal"]);
    let found = archive.check(Level::Hash).unwrap().wrong;
    assert!(found[0].what.contains("proposal"), "{found:?}");
}

/// What a sweep is answered that takes the recording for one whose term ended, and for one that two people decided on.
fn what_a_sweep_gets(archive: &Archive, id: RecordingId) -> [&'static str; 2] {
    let ended = archive.ask_to_destroy_all(&[id], seconds(62));
    let confirmed = archive.ask_to_destroy_confirmed_all(&[id], seconds(62));
    [ended, confirmed].map(|mut answers| match answers.remove(0).1 {
        Ok(answer) if matches!(answer.verdict, Verdict::Permit(_)) => "permitted",
        Ok(_refused) => "refused",
        Err(ArchiveError::Corrupt { what }) if what.starts_with("proposal ") => "proposal",
        Err(ArchiveError::BadProposal(_)) => "nobody",
        Err(_key) => "key",
    })
}

#[test]
fn a_confirmation_that_does_not_open_here_is_never_the_end_of_a_term() {
    // Without a rule of the house the law forbids neither; but nobody asked for it then, and its term runs.
    for (when, ended) in [(NOT_ALONE, "refused"), ("false", "permitted")] {
        let House {
            archive,
            folder,
            first,
            second,
            id,
        } = house(NOT_ALONE);
        assert_eq!(what_a_sweep_gets(&archive, id)[1], "nobody");
        let proposal = archive.propose(id, &reason(), &first, seconds(60)).unwrap();
        archive.confirm(proposal.id, &second, seconds(61)).unwrap();
        assert_eq!(what_a_sweep_gets(&archive, id), ["permitted"; 2]);
        drop(archive);
        std::fs::remove_file(folder.path().join(format!("keys/{id}.key"))).unwrap();
        let archive = open(folder.path(), when);
        let both = archive.confirmed_proposals(seconds(62), 9).unwrap();
        assert_eq!(both, [id], "the index says confirmed");
        assert_eq!(what_a_sweep_gets(&archive, id), [ended, "key"], "{when}");
    }
}

#[test]
fn in_a_stern_house_the_sound_goes_with_the_whole_for_nobody_confirms_it_alone() {
    for (when, may) in [(STERN, false), (NOT_ALONE, true)] {
        let house = house(when);
        let id = crate::sound::record_on(&house.archive, "short_sound");
        let house = House { id, ..house };
        let may_sound = |at| {
            let mut answers = house.archive.ask_to_destroy_sound_all(&[id], at);
            matches!(answers.remove(0).1.unwrap().verdict, Verdict::Permit(_))
        };
        let at = seconds(366 * DAY);
        assert_eq!(may_sound(at), may, "at the end of its term");
        let proposal = house.archive.propose(id, &reason(), &house.first, at);
        let proposal = proposal.unwrap().id;
        house.archive.confirm(proposal, &house.second, at).unwrap();
        assert_eq!(may_sound(at), may, "what two people confirm is the whole");
        assert!(house.is_permitted(None, at));
    }
}

#[test]
fn the_log_is_told_of_accounts_from_before_it_told_of_any() {
    let House {
        archive, folder, ..
    } = house(NOT_ALONE);
    drop(archive);
    let index = rusqlite::Connection::open(folder.path().join("index.db")).unwrap();
    index
        .execute("UPDATE accounts SET salt = NULL", [])
        .unwrap();
    index
        .execute_batch(
            "DELETE FROM pending_leaves; DELETE FROM leaves; DELETE FROM log_tiles;
            UPDATE log_head SET size = 0, checkpoint = x'', compact_range = x''",
        )
        .unwrap();
    drop(index);
    let archive = open(folder.path(), NOT_ALONE);
    let count = || {
        archive.sequence().unwrap();
        let leaves = archive.leaves(0, 100).unwrap();
        let read = leaves
            .iter()
            .map(|row| Leaf::from_bytes(&row.bytes).unwrap());
        read.filter(|leaf| leaf.kind == LeafKind::AccountMade && leaf.object == "account")
            .count()
    };
    assert_eq!(count(), 0);
    let untold = "the log was not told of an account; the next start tells it";
    assert!(wrong(&archive).contains(&untold.to_owned()));
    archive.introduce(seconds(9)).unwrap();
    assert_eq!(count(), 2);
    let of_accounts = |what: &String| what.contains("account");
    assert_eq!(wrong(&archive).iter().find(|what| of_accounts(what)), None);
    archive.introduce(seconds(9)).unwrap();
    assert_eq!(count(), 2, "once");
}

#[test]
fn every_proposal_of_an_archive_that_is_restored_has_lapsed() {
    let House {
        archive,
        folder,
        first,
        second,
        id,
    } = house(NOT_ALONE);
    let proposal = archive.propose(id, &reason(), &first, seconds(60)).unwrap();
    archive.confirm(proposal.id, &second, seconds(61)).unwrap();
    let world = World {
        made: Fixture {
            archive: Arc::new(archive),
            folder,
        },
        place: tempfile::tempdir().unwrap(),
    };
    world.back_up();
    let (again, _restored) = restore(&world.input()).unwrap();
    let archive = &again.archive;
    assert_eq!(archive.proposals_opened(id).unwrap(), []);
    assert_eq!(archive.confirmed_proposals(seconds(62), 9).unwrap(), []);
    assert_eq!(wrong(archive), [""; 0]);
    let names: Vec<_> = archive.accounts().list_accounts().unwrap();
    assert_eq!(names.len(), 2, "who had an account has it");
    let index = rusqlite::Connection::open(again.folder.path().join("index.db")).unwrap();
    let put_in = "INSERT INTO accounts (name, password_hash, role, created_at, salt)
        VALUES ('x', '', 'administrator', 1, zeroblob(32))";
    assert_eq!(index.execute(put_in, []).unwrap(), 1);
    let found = wrong(archive);
    assert!(
        found[0].contains("tells nothing of an account"),
        "also found in an archive that was restored: {found:?}"
    );
}
