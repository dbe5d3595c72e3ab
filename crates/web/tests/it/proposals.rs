//! A second person on the pages: proposing, confirming, declining, and what the sweep does.

use crate::support::*;
use axum::http::StatusCode;
use voicelog_archive::{ProposalState, State};
use voicelog_casework::Asked;
use voicelog_casework::retention::{self, SweepReason};
use voicelog_model::Pii;

const WHY: &str = "the customer of file Kanarie asked for it";

/// Proposes to destroy a recording; the path of the proposal.
async fn propose(browser: &mut Browser<'_>, id: voicelog_model::RecordingId) -> String {
    let path = format!("/recordings/{id}/propose");
    let page = browser.post(&path, &[("reason", WHY)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert!(page.location().starts_with("/proposals/"));
    page.location().to_owned()
}

#[tokio::test]
async fn who_may_not_destroy_alone_puts_it_to_a_colleague_who_reads_why_and_confirms() {
    let site = site_of_two();
    let id = site.filled().declared;
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let destroy = format!("/recordings/{id}/destroy");
    let page = beheer.post(&destroy, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(
        page.shows("Nobody destroys a recording alone."),
        "{}",
        page.text()
    );
    let offered = page.between("<a class=\"button\" href=\"", "\"").to_owned();
    assert_eq!(offered, format!("/recordings/{id}/propose"));
    let form = beheer.get(&offered).await;
    assert!(form.shows("lapses after seven days") && form.shows("It runs until"));
    let page = beheer.post(&offered, &[("reason", " ")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("href=\"#reason\""));

    let proposal = propose(&mut beheer, id).await;
    let own = beheer.get(&proposal).await;
    assert!(own.shows("withdraw it yourself") && !own.shows("Confirm and destroy"));
    let page = beheer.post(&proposal, &[("answer", "confirm")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "not by the form either");
    assert!(page.shows("another account"));
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);

    // The colleague finds it, and reads who asked, why, and who invited whom.
    for place in ["/", "/retention"] {
        let page = anna.get(place).await;
        assert!(!page.shows("Kanarie"), "{place} names nobody");
        assert!(
            page.shows("/retention#proposals") || page.shows(&proposal),
            "{place}"
        );
    }
    assert!(
        anna.get(&format!("/recordings/{id}"))
            .await
            .shows(&proposal)
    );
    let page = anna.get(&proposal).await;
    assert!(page.shows(WHY) && page.shows("anna <span class=\"soft\">(invited by beheer)"));
    let page = anna.post(&proposal, &[("answer", "confirm")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert_eq!(site.archive.summary(id).unwrap().state, State::Destroyed);
    let log = anna.get("/log").await;
    assert!(log.shows("Destruction proposed</td>") && log.shows("Destruction confirmed</td>"));
    let entries = log.between("<main", "</main>");
    assert!(!entries.contains("Kanarie") && !entries.contains("anna"));
    assert_eq!(
        anna.get(&proposal).await.status,
        StatusCode::NOT_FOUND,
        "it went along"
    );
    assert!(!anna.get("/").await.shows("/retention#proposals"));
}

#[tokio::test]
async fn a_proposal_is_declined_for_a_reason_withdrawn_or_lapses_and_then_nobody_can_confirm_it() {
    let site = site_of_two();
    let id = site.filled().declared;
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let declined = propose(&mut beheer, id).await;
    let page = anna.post(&declined, &[("answer", "decline")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let why = [("answer", "decline"), ("reason", "the claim still runs")];
    let page = anna.post(&declined, &why).await;
    assert_eq!(page.location(), format!("/recordings/{id}"));
    let page = beheer.get(&declined).await;
    assert!(page.shows("declined") && page.shows("anna: the claim still runs"));
    let withdrawn = propose(&mut beheer, id).await;
    // One that stands is shown to who would propose once more.
    let again = anna.get(&format!("/recordings/{id}/propose")).await;
    assert_eq!(again.location(), withdrawn);
    let page = anna
        .post(&format!("/recordings/{id}/propose"), &[("reason", "x")])
        .await;
    assert_eq!(page.location(), withdrawn);
    assert_eq!(
        beheer.post(&withdrawn, &why).await.status,
        StatusCode::SEE_OTHER
    );
    let lapses = propose(&mut beheer, id).await;
    site.clock.advance_micros(7 * 86_400_000_000);
    let mut anna = Browser::new(&site);
    anna.post("/login", &[("name", "anna"), ("password", PASSWORD)])
        .await;
    for over in [declined, withdrawn, lapses] {
        let page = anna.post(&over, &[("answer", "confirm")]).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.shows("answered already, or has lapsed"));
    }
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);
}

#[tokio::test]
async fn that_who_asked_has_no_account_any_more_is_told_to_who_answers() {
    let site = site_of_two();
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let proposal = propose(&mut anna, site.filled().declared).await;
    assert!(!beheer.get(&proposal).await.shows("has ended since"));
    let sure = [("name", "anna"), ("confirm", "yes")];
    beheer.post("/accounts/end", &sure).await;
    assert!(beheer.get(&proposal).await.shows("has ended since"));
}

#[tokio::test]
async fn a_hold_between_proposal_and_confirmation_is_shown_to_who_confirms_and_nothing_is_destroyed()
 {
    let site = site_of_two();
    let id = site.filled().declared;
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let proposal = propose(&mut beheer, id).await;
    let hold = [
        ("ground", "claim"),
        ("owner", "Meester Vink"),
        ("review", "2027-03-01"),
    ];
    beheer.post(&format!("/recordings/{id}/hold"), &hold).await;
    let page = anna.post(&proposal, &[("answer", "confirm")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.shows("What holds it") && !page.shows("Put it to a colleague"));
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);
    // Both have said yes: once the hold is lifted, either of them carries it out.
    assert!(
        anna.get(&proposal)
            .await
            .shows("confirmed, not carried out yet")
    );
    let held = site.archive.holds(id).unwrap()[0].id;
    let release = format!("/holds/{held}/release");
    beheer.post(&release, &[("reason", "settled")]).await;
    let destroy = format!("/recordings/{id}/destroy");
    let page = beheer.post(&destroy, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert_eq!(site.archive.summary(id).unwrap().state, State::Destroyed);
}

#[tokio::test]
async fn where_one_person_may_destroy_nobody_is_offered_a_second_one() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    let page = beheer
        .get(&format!("/recordings/{}/propose", site.filled().declared))
        .await;
    assert!(page.shows("not needed here") && !page.shows("name=\"reason\""));
    // Nor where a statute forbids it to everybody.
    let whole = format!("/recordings/{}/destroy", site.filled().whole);
    let page = beheer.post(&whole, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!page.shows("/propose"));
}

#[tokio::test]
async fn the_next_sweep_carries_out_what_two_people_agreed_on_and_a_crash_kept_from_being_done() {
    let site = site_of_two();
    let id = site.filled().declared;
    let (archive, clock) = (&site.archive, &site.clock);
    let mut beheer = Browser::signed_in(&site).await;
    drop(beheer.invite("anna").await);
    propose(&mut beheer, id).await;
    let now = voicelog_model::Clock::now(&**clock);
    // What is due besides goes first.
    retention::run(archive, now).unwrap();
    assert_eq!(
        archive.summary(id).unwrap().state,
        State::Sealed,
        "nobody has confirmed"
    );
    let proposal = archive.proposals_standing(now).unwrap()[0].id;
    // Only this is durable when the process dies.
    archive
        .confirm(proposal, &Pii::new("anna".to_owned()), now)
        .unwrap();
    let swept = retention::run(archive, now).unwrap();
    assert_eq!(swept.len(), 1);
    assert!(matches!(swept[0].outcome, Ok(Asked::Given(_))), "{swept:?}");
    assert_eq!(swept[0].reason, SweepReason::Confirmed, "no term ended");
    assert_eq!(archive.summary(id).unwrap().state, State::Destroyed);
    assert!(retention::run(archive, now).unwrap().is_empty());
}

#[tokio::test]
async fn a_sweep_that_cannot_read_who_confirmed_destroys_nothing_and_says_so_once_a_day() {
    let site = site_of_two();
    let id = site.filled().declared;
    let archive = &site.archive;
    let mut beheer = Browser::signed_in(&site).await;
    drop(beheer.invite("anna").await);
    propose(&mut beheer, id).await;
    let now = voicelog_model::Clock::now(&*site.clock);
    let due = retention::run(archive, now).unwrap();
    let is_over = |one: &retention::Swept| one.reason == SweepReason::TermEnded;
    assert!(due.iter().all(is_over), "{due:?}");
    let proposal = archive.proposals_standing(now).unwrap()[0].id;
    let anna = Pii::new("anna".to_owned());
    archive.confirm(proposal, &anna, now).unwrap();
    std::fs::remove_file(site.folder.path().join(format!("keys/{id}.key"))).unwrap();
    let swept = retention::run(archive, now).unwrap();
    assert_eq!(swept.len(), 1);
    assert!(swept[0].outcome.is_err(), "{swept:?}");
    assert_eq!(archive.summary(id).unwrap().state, State::Sealed);
    assert!(retention::run(archive, now).unwrap().is_empty());
}

#[tokio::test]
async fn what_the_law_refuses_of_a_confirmed_proposal_is_put_off_and_asked_again_once_the_hold_is_lifted()
 {
    let site = site_of_two();
    let id = site.filled().declared;
    let archive = &site.archive;
    let mut beheer = Browser::signed_in(&site).await;
    drop(beheer.invite("anna").await);
    propose(&mut beheer, id).await;
    let now = voicelog_model::Clock::now(&*site.clock);
    let anna = Pii::new("anna".to_owned());
    let proposal = archive.proposals_standing(now).unwrap()[0].id;
    archive.confirm(proposal, &anna, now).unwrap();
    let asked = voicelog_archive::HoldAsked {
        ground: voicelog_archive::HoldGround::Claim,
        owner: anna.clone(),
        review_at: now.plus_micros(86_400_000_000),
        note: None,
        by: anna.clone(),
    };
    let hold = archive.place_hold(id, &asked, now).unwrap();
    let swept = retention::run(archive, now).unwrap();
    assert!(
        matches!(swept[0].outcome, Ok(Asked::Refused { .. })),
        "{swept:?}"
    );
    assert!(
        retention::run(archive, now).unwrap().is_empty(),
        "one leaf, not one each hour"
    );
    let open = archive.proposal_opened(proposal).unwrap().proposal;
    assert_eq!(open.state(now), ProposalState::Confirmed);
    archive.release(hold.id, &anna, &anna, now).unwrap();
    let swept = retention::run(archive, now).unwrap();
    assert!(matches!(swept[0].outcome, Ok(Asked::Given(_))), "{swept:?}");
}
