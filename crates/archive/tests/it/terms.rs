//! Terms that end: counted by what the law would answer, without asking it about each.

use crate::support::*;
use voicelog_archive::{Archive, HoldAsked, HoldGround};
use voicelog_model::{Pii, RecordingId, Timestamp};

const DAY: i64 = 86_400;

fn record_on(archive: &Archive, line: &str) -> RecordingId {
    let call = open_call(archive, line);
    let writer = write_media(archive, &call, 20);
    end(archive, writer, 20).unwrap().id
}

fn hold(archive: &Archive, id: RecordingId, now: Timestamp) {
    let asked = HoldAsked {
        ground: HoldGround::Seizure,
        owner: Pii::new("somebody".to_owned()),
        review_at: now.plus_micros(1_000_000),
        note: None,
        by: asker(),
    };
    archive.place_hold(id, &asked, now).unwrap();
}

#[test]
fn a_preview_counts_by_line_and_purpose_what_is_due_what_is_held_and_what_comes_next() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let of: Vec<_> = (0..3).map(|_| record_on(&archive, "announced")).collect();
    record_on(&archive, "covered");
    record_on(&archive, "household");
    let later = seconds(400 * DAY);
    assert_eq!(archive.sort_terms(2).unwrap(), 2, "no more than asked");
    assert_eq!(archive.preview_terms(later, later).unwrap().unsorted, 2);
    assert_eq!(
        archive.sort_terms(100).unwrap(),
        2,
        "the household chose no term"
    );
    hold(&archive, of[0], later);

    let early = archive.preview_terms(seconds(DAY), seconds(DAY)).unwrap();
    assert_eq!(
        (early.destroyed(), early.refused(), early.held.len()),
        (0, 0, 0)
    );
    let next = early.next.unwrap();
    assert!(next > seconds(360 * DAY) && next < later);

    let found = archive.preview_terms(later, later).unwrap();
    assert_eq!(
        (found.destroyed(), found.refused(), found.unsorted),
        (3, 0, 0)
    );
    let lines: Vec<_> = found
        .alike
        .iter()
        .map(|one| (one.line.as_str(), one.count))
        .collect();
    assert_eq!(lines, [("announced", 2), ("covered", 1)]);
    assert_eq!(
        found.alike[0].purpose.as_deref(),
        Some("bewijs_overeenkomst")
    );
    assert_eq!(
        (found.held[0].ground, found.held[0].count),
        (HoldGround::Seizure, 1)
    );
    assert_eq!(found.next, None);
    let decisions = archive.detail(of[1]).unwrap().decisions.len();
    assert_eq!(decisions, 1, "nothing was asked of the law that is kept");
}

#[test]
fn what_a_statute_forbids_is_counted_with_its_article_and_from_the_day_on_which_it_no_longer_does()
{
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let old = record_on(&archive, "broker");
    let call = {
        let offered = offer("broker", "tel:+31201234567");
        let at = seconds(200 * DAY);
        let offered = voicelog_archive::OfferedCall {
            offered_at: at,
            ..offered
        };
        archive.open_call(offered, at).unwrap()
    };
    let writer = write_media(&archive, &call, 20);
    let young = end(&archive, writer, 20).unwrap().id;
    archive.sort_terms(100).unwrap();
    // A term of a month was chosen; the statute demands five years.
    let now = seconds(300 * DAY);
    let found = archive.preview_terms(now, now).unwrap();
    assert_eq!((found.destroyed(), found.refused()), (0, 2));
    let floor = found.alike[0].bounds.floor.unwrap();
    assert_eq!((floor.length, found.alike[0].bounds.ceiling), ("P5Y", None));
    assert!(floor.article.contains("2017/565"), "{floor:?}");
    let refusal = &found.alike[0].refusals[0];
    assert!(
        !refusal.articles.is_empty() && !refusal.text.en.is_empty(),
        "{refusal:?}"
    );
    let is_refused = |id, at| {
        !archive
            .ask_to_destroy(id, at)
            .unwrap()
            .decision
            .is_permitted()
    };
    // Between the ends of the two floors one may go and the other may not: both ways agree.
    let mut split = false;
    for years in 4..9 {
        let at = seconds((years * 365 + 100) * DAY);
        let found = archive.preview_terms(at, at).unwrap();
        let refused = u64::from(is_refused(old, at)) + u64::from(is_refused(young, at));
        assert_eq!(found.refused(), refused, "after {years} years");
        assert_eq!(found.destroyed(), 2 - refused);
        split |= refused == 1;
    }
    assert!(split, "there is a time in which they differ");
}

#[test]
fn what_was_refused_is_no_candidate_until_its_review_also_after_a_restart_or_until_a_hold_is_lifted()
 {
    let made = fixture();
    let id = record_on(&made.archive, "broker");
    let now = seconds(300 * DAY);
    assert!(
        !made
            .archive
            .ask_to_destroy(id, now)
            .unwrap()
            .decision
            .is_permitted()
    );
    assert_eq!(
        made.archive
            .refused_destructions(id, voicelog_model::Scope::Whole)
            .unwrap(),
        1
    );
    let is_due = |archive: &Archive, at| !archive.due(at, None, 9).unwrap().is_empty();
    assert!(is_due(&made.archive, now));
    let review = now.plus_micros(DAY * 1_000_000);
    made.archive
        .ask_again(id, voicelog_model::Scope::Whole, review)
        .unwrap();
    let made = made.reopen();
    assert!(!is_due(&made.archive, now) && is_due(&made.archive, review));
    hold(&made.archive, id, now);
    assert!(!is_due(&made.archive, review), "held");
    let placed = made.archive.holds(id).unwrap()[0].id;
    let why = Pii::new("settled".to_owned());
    made.archive.release(placed, &why, &asker(), now).unwrap();
    assert!(
        is_due(&made.archive, now),
        "what a hold forbade is asked again"
    );
}

#[test]
fn a_preview_leaves_out_what_was_refused_and_is_asked_later_until_the_rules_are_others() {
    let made = fixture();
    let id = record_on(&made.archive, "announced");
    record_on(&made.archive, "announced");
    made.archive.sort_terms(9).unwrap();
    let now = seconds(400 * DAY);
    let counts = |archive: &Archive, at| {
        let found = archive.preview_terms(at, at).unwrap();
        (found.destroyed(), found.refused(), found.put_off)
    };
    assert_eq!(counts(&made.archive, now), (2, 0, 0));
    let review = now.plus_micros(DAY * 1_000_000);
    made.archive
        .ask_again(id, voicelog_model::Scope::Whole, review)
        .unwrap();
    assert_eq!(counts(&made.archive, now), (1, 0, 1));
    assert_eq!(counts(&made.archive, review), (2, 0, 0), "asked by then");
    hold(&made.archive, id, now);
    assert_eq!(
        counts(&made.archive, now),
        (1, 0, 0),
        "held, and counted there"
    );
    let placed = made.archive.holds(id).unwrap()[0].id;
    let why = Pii::new("settled".to_owned());
    made.archive.release(placed, &why, &asker(), now).unwrap();
    made.archive
        .ask_again(id, voicelog_model::Scope::Whole, review)
        .unwrap();

    // The same rules as before are no news; others are.
    made.archive.introduce(now).unwrap();
    made.archive
        .ask_again(id, voicelog_model::Scope::Whole, review)
        .unwrap();
    made.archive.introduce(now).unwrap();
    assert_eq!(counts(&made.archive, now), (1, 0, 1));
    let Fixture { archive, folder } = made;
    drop(archive);
    let archive = crate::house::with_house(folder.path(), seconds(2 * DAY));
    archive.introduce(now).unwrap();
    assert_eq!(counts(&archive, now), (2, 0, 0));
    archive
        .ask_again(id, voicelog_model::Scope::Whole, review)
        .unwrap();
    archive.introduce(now).unwrap();
    assert_eq!(counts(&archive, now), (1, 0, 1));
}

#[test]
fn recordings_whose_facts_do_not_open_do_not_keep_the_others_from_their_groups() {
    let made = fixture();
    for _ in 0..3 {
        record_on(&made.archive, "announced");
    }
    let Fixture { archive, folder } = made;
    drop(archive);
    // Those of the first two are damaged, and stay at the head of the list.
    let index = rusqlite::Connection::open(folder.path().join("index.db")).unwrap();
    let damage = "UPDATE erasable SET bytes = randomblob(length(bytes)) WHERE seq IN (
        SELECT facts FROM decisions WHERE recording IN (
            SELECT id FROM recordings ORDER BY retain_until, started_at, id LIMIT 2))";
    assert_eq!(index.execute(damage, []).unwrap(), 2);
    drop(index);
    let archive = Archive::open(parts(folder.path()));
    assert_eq!(archive.sort_terms(1).unwrap(), 1);
    assert_eq!(archive.sort_terms(9).unwrap(), 0);
    let later = seconds(400 * DAY);
    assert_eq!(archive.preview_terms(later, later).unwrap().unsorted, 2);
}
