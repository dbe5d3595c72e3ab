//! A citizen asks whether they may record: allowed, or refused for this reason with this offered instead, and a letter.

use crate::rooms::guest_of;
use crate::support::*;
use axum::http::StatusCode;
use voicelog_archive::check::Level;
use voicelog_casework::retention::forget_requests;

/// The first guest.
const ASKED_BY: (&str, &str) = ("party", "p2");
const REASON: (&str, &str) = ("reason", "earlier_misuse");
const OFFER: (&str, &str) = ("alternative", "minutes_both_sign");

#[tokio::test]
async fn an_official_allows_it_and_reads_what_holds_then() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    let page = official
        .post("/requests?lang=nl", &[("ending", "allow")])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("De ander mag opnemen"));
    assert!(
        page.shows("Nationale ombudsman 2014/166, spelregels 3, 5 en 6")
            || page.shows("knip niet in de opname")
    );
    assert!(page.shows("href=\"/rooms\""), "both can record");
    let list = official.get("/requests?lang=nl").await;
    assert!(
        list.shows("De laatste twaalf maanden niet."),
        "nothing is kept"
    );
}

#[tokio::test]
async fn a_refusal_has_a_reason_and_something_else_and_a_letter_and_is_counted() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    let words = ("words", "In maart stond zij op internet.");
    let refused = official
        .post(
            "/requests",
            &[("ending", "refuse"), REASON, words, OFFER, ("letter", "nl")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER, "{}", refused.text());
    let path = refused.location().to_owned();
    let page = official.get(&format!("{path}?lang=nl")).await;
    assert!(page.shows("Een eerdere opname is verkeerd gebruikt. In maart stond zij op internet."));
    assert!(page.shows("Nationale ombudsman 2014/166, spelregel 1"));
    let letter = official.get(&format!("{path}/letter?lang=en")).await;
    assert_eq!(letter.status, StatusCode::OK);
    for told in [
        "Een eerdere opname is verkeerd gebruikt. In maart stond zij op internet.",
        "Wij maken samen een verslag, dat u en wij allebei tekenen.",
        "Nationale ombudsman",
    ] {
        assert!(letter.shows(told), "{told}");
    }
    let list = official.get("/requests?lang=nl").await;
    assert!(list.shows("november 2026") && list.shows(&path));
    let metrics = program(&site, "GET", "/v1/metrics", "").await;
    assert!(metrics.shows("voicelog_requests_refused{reason=\"earlier_misuse\"} 1"));
    assert!(!metrics.shows("internet"), "nothing of what was said");
    let letter = official.get(&format!("{path}/letter")).await;
    assert!(letter.shows("<html lang=\"nl\""), "the citizen's language");
}

#[tokio::test]
async fn without_reason_or_without_something_else_nothing_is_refused_and_the_page_says_why() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    for (fields, wrong, article) in [
        (vec![("ending", "refuse"), OFFER], "#reason", "2012/041"),
        (
            vec![
                ("ending", "refuse"),
                ("reason", "other"),
                ("words", " "),
                OFFER,
            ],
            "#reason",
            "spelregel 1",
        ),
        (
            vec![("ending", "refuse"), REASON, ("offer", "")],
            "#alternative",
            "spelregel 1",
        ),
    ] {
        let page = official.post("/requests?lang=nl", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.shows("Zo mag u niet weigeren"), "{fields:?}");
        assert!(page.shows(wrong) && page.shows(article), "{fields:?}");
    }
    let list = official.get("/requests?lang=en").await;
    assert!(list.shows("Not in the last twelve months."));
}

#[tokio::test]
async fn a_refusal_that_a_house_rule_forbids_is_not_counted_and_has_no_letter() {
    let site = site_under_rule(
        r#"
@id("house.altijd_toestaan")
@kind("contract")
@article("Reglement 3")
@valid_from("2026-10-01")
@nl("Bij ons mag iedereen opnemen.")
@en("Everybody may record here.")
forbid (principal, action == Action::"refuse_recording", resource);
"#,
    );
    let mut official = Browser::signed_in(&site).await;
    let refused = official
        .post("/requests", &[("ending", "refuse"), REASON, OFFER])
        .await;
    let path = refused.location().to_owned();
    let page = official.get(&format!("{path}?lang=nl")).await;
    assert!(page.shows("U mag dit niet weigeren. De ander mag opnemen."));
    assert!(page.shows("Bij ons mag iedereen opnemen.") && page.shows("Reglement 3"));
    let letter = official.get(&format!("{path}/letter")).await;
    assert_eq!(letter.status, StatusCode::NOT_FOUND);
    let list = official.get("/requests?lang=nl").await;
    assert!(list.shows("De laatste twaalf maanden niet.") && list.shows("mocht niet"));
}

#[tokio::test]
async fn what_was_said_in_a_refusal_is_wiped_after_its_term_and_that_it_was_stays() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    let words = ("words", "In maart stond zij op internet.");
    let refused = official
        .post("/requests", &[("ending", "refuse"), REASON, words, OFFER])
        .await;
    let id = refused.location().rsplit('/').next().unwrap().to_owned();
    let id = id.parse().unwrap();
    let said = || site.archive.request_refused(id).unwrap().unwrap().said;
    // Of november 2026: 24 months later its month is not over yet, and 25 months later it is.
    for (at, has_said, wiped) in [
        ("2028-11-30T22:00:00Z", true, 0),
        ("2028-12-01T12:00:00Z", true, 1),
        ("2029-02-01T12:00:00Z", false, 0),
    ] {
        let at = at.parse().unwrap();
        site.archive.confirm_clock(at).unwrap();
        assert_eq!(said().is_some(), has_said);
        let found = forget_requests(&site.archive, 24, at).unwrap();
        assert_eq!(found, wiped, "{at}");
        let jumped = forget_requests(&site.archive, 24, at.plus_micros(90 * 86_400_000_000));
        assert!(jumped.is_err(), "not by a clock that jumped");
    }
    assert_eq!(said(), None);
    let row = site.archive.request_refused(id).unwrap().unwrap();
    assert!(row.is_permitted && row.facts.is_empty());
    let found = site.archive.check(Level::Hash).unwrap();
    assert!(found.wrong.is_empty(), "{:?}", found.wrong);
}

/// A talk of an official whose guest has said that they record too.
async fn asked_in_a_talk(site: &Site) -> (Browser<'_>, Browser<'_>, String) {
    let mut official = Browser::signed_in(site).await;
    let id = site.rooms.open("balie", "beheer", Some("Anna")).unwrap();
    let mut citizen = guest_of(site, id, 1);
    let talk = format!("/rooms/{id}");
    let chosen = citizen.post(&talk, &[("choice", "records_too")]).await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text());
    let waits = citizen.get(&format!("{talk}/requests?lang=nl")).await;
    assert!(waits.shows("Gevraagd. Er is nog geen antwoord."));
    let asked = official.get(&format!("{talk}/requests?lang=nl")).await;
    let page = official.get(&format!("{talk}?lang=nl")).await;
    assert!(page.shows("Bram vraagt om ook op te nemen.") && page.shows("Geef antwoord"));
    let page = citizen.get(&format!("{talk}?lang=nl")).await;
    assert!(page.shows("U vroeg om ook op te nemen.") && !page.shows("Geef antwoord"));
    assert!(asked.shows("Bram wil ook opnemen") && asked.shows("Weigeren, met een brief"));
    let state = official.get(&format!("{talk}/state?after=0")).await.json();
    assert_eq!(
        state["phase"], "waiting",
        "nothing starts before the answer"
    );
    (official, citizen, talk)
}

#[tokio::test]
async fn in_a_talk_an_official_allows_that_the_citizen_records_too() {
    let site = site();
    let (mut official, mut citizen, talk) = asked_in_a_talk(&site).await;
    let answer = official
        .post(
            &format!("{talk}/requests"),
            &[("ending", "allow"), ASKED_BY],
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let told = citizen.get(&format!("{talk}/requests?lang=nl")).await;
    assert!(told.shows("Toegestaan: dit apparaat mag ook opnemen."));
    let state = citizen.get(&format!("{talk}/state?after=0")).await.json();
    assert_eq!(state["parties"][1]["choice"], "records_too");
    assert_eq!(state["phase"], "ready");
}

#[tokio::test]
async fn in_a_talk_a_refusal_is_seen_with_its_reason_and_what_is_offered_and_is_counted() {
    let site = site();
    let (mut official, mut citizen, talk) = asked_in_a_talk(&site).await;
    let at = format!("{talk}/requests");
    let empty = official
        .post(&at, &[("ending", "refuse"), ASKED_BY, OFFER])
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.shows("2012/041"));
    let not_theirs = citizen.post(&at, &[("ending", "allow"), ASKED_BY]).await;
    assert_eq!(not_theirs.status, StatusCode::FORBIDDEN);
    let answer = official
        .post(
            &at,
            &[
                ("ending", "refuse"),
                ASKED_BY,
                REASON,
                OFFER,
                ("letter", "nl"),
            ],
        )
        .await;
    assert_eq!(answer.location(), at, "{}", answer.text());
    let told = citizen.get(&format!("{at}?lang=nl")).await;
    for seen in [
        "Geweigerd. Het gesprek gaat gewoon door.",
        "Een eerdere opname is verkeerd gebruikt.",
        "Wij maken samen een verslag",
        "Nationale ombudsman",
    ] {
        assert!(told.shows(seen), "{seen}");
    }
    let page = citizen.get(&format!("{talk}?lang=nl")).await;
    assert!(page.shows("U mag niet zelf opnemen. Reden: Een eerdere opname is verkeerd gebruikt."));
    let again = citizen.post(&talk, &[("choice", "records_too")]).await;
    assert!(again.shows("dat u ook opneemt, is geweigerd"));
    // They can still be recorded by the official, or not.
    let agreed = citizen.post(&talk, &[("choice", "agreed")]).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER);
    let metrics = program(&site, "GET", "/v1/metrics", "").await;
    assert!(metrics.shows("voicelog_requests_refused{reason=\"earlier_misuse\"} 1"));
    let letter = official
        .get(&at)
        .await
        .between("href=\"/requests/", "\"")
        .to_owned();
    let letter = official.get(&format!("/requests/{letter}/letter")).await;
    assert!(letter.shows("Een eerdere opname is verkeerd gebruikt."));
}

#[tokio::test]
async fn an_answer_reaches_whom_it_was_meant_for_and_nobody_else_reads_it() {
    let site = site();
    let (mut official, mut citizen, talk) = asked_in_a_talk(&site).await;
    let at = format!("{talk}/requests");
    let id = talk.trim_start_matches("/rooms/").parse().unwrap();
    let mut other = guest_of(&site, id, 2);
    other.post(&talk, &[("choice", "records_too")]).await;
    // The first one thinks again while the official writes the answer to them.
    citizen.post(&talk, &[("choice", "agreed")]).await;
    let refusal = [("ending", "refuse"), ASKED_BY, REASON, OFFER];
    let late = official.post(&format!("{at}?lang=nl"), &refusal).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.shows("Uw antwoord is aan niemand gegeven"));
    assert!(late.shows("name=\"party\" value=\"p3\""));
    let waits = other.get(&format!("{at}?lang=nl")).await;
    assert!(waits.shows("Gevraagd. Er is nog geen antwoord."));
    let meant = [("ending", "refuse"), ("party", "p3"), REASON, OFFER];
    assert_eq!(
        official.post(&at, &meant).await.status,
        StatusCode::SEE_OTHER
    );
    let request = |state: &serde_json::Value| state["parties"][2]["request"]["is"].clone();
    let path = format!("{talk}/state?after=0");
    assert_eq!(request(&other.get(&path).await.json()), "refused");
    assert_eq!(request(&official.get(&path).await.json()), "refused");
    assert!(request(&citizen.get(&path).await.json()).is_null());
}

#[tokio::test]
async fn in_a_talk_of_others_whoever_records_too_asks_nobody() {
    let site = site();
    let id = site.rooms.open("beoordeling", "beheer", None).unwrap();
    let mut guest = guest_of(&site, id, 1);
    guest
        .post(&format!("/rooms/{id}"), &[("choice", "records_too")])
        .await;
    let state = guest
        .get(&format!("/rooms/{id}/state?after=0"))
        .await
        .json();
    assert_eq!(state["parties"][1]["choice"], "records_too");
}
