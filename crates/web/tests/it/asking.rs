//! Listening, copies, destruction: the gate's answer reaches the person.

use crate::fixture::{ADDRESS, NAME};
use crate::support::*;
use axum::body::Body;
use axum::http::{StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;
use voicelog_archive::State;
use voicelog_model::Clock as _;

const HOUR: i64 = 3_600_000_000;

/// Opens a recording to listen and gives the player's path.
async fn open(browser: &mut Browser<'_>, id: &str) -> String {
    let page = browser
        .post(
            &format!("/recordings/{id}/listen"),
            &[("reason", "complaint 114")],
        )
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    page.location().to_owned()
}

#[tokio::test]
async fn a_reason_opens_the_player_and_the_log_shows_it() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .post(&format!("/recordings/{id}/listen"), &[("reason", "  ")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("href=\"#reason\"") && page.shows("aria-invalid=\"true\""));
    let player = open(&mut browser, &id).await;
    let page = browser.get(&player).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("<audio controls preload=\"none\"") && page.shows("complaint 114"));
    assert!(page.shows(ADDRESS), "the parties are named here");
    assert!(
        !page.shows(NAME) && page.shows("&#60;script&#62;"),
        "a hostile name is only text"
    );
    site.archive.sequence().unwrap();
    assert!(browser.get("/log").await.shows("Listened to</td>"));
    assert!(!browser.get("/log").await.shows("complaint 114"));
    let page = browser.get(&format!("/recordings/{id}")).await;
    assert!(page.shows("Who listened or got a copy") && page.shows("complaint 114"));
}

#[tokio::test]
async fn the_sound_can_be_sought_in() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let sound = format!("{}/audio.wav", open(&mut browser, &id).await);
    let whole = browser.get(&sound).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert_eq!(whole.header(header::CONTENT_TYPE), "audio/wav");
    assert_eq!(whole.header(header::ACCEPT_RANGES), "bytes");
    assert_eq!(whole.header(header::CACHE_CONTROL), "no-store");
    assert!(whole.bytes.starts_with(b"RIFF"));
    let total = whole.bytes.len();
    // Two seconds of two channels of 16 bits at 8 kHz, and the head.
    assert!((64_000..66_000).contains(&total), "{total}");
    let part = |range: String| {
        browser
            .request("GET", &sound)
            .header(header::RANGE, range)
            .body(Body::empty())
            .unwrap()
    };
    let middle = send(&site.router, part("bytes=1000-1999".to_owned())).await;
    assert_eq!(middle.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        middle.header(header::CONTENT_RANGE),
        format!("bytes 1000-1999/{total}")
    );
    assert_eq!(middle.bytes, whole.bytes[1000..2000]);
    let beyond = send(&site.router, part(format!("bytes={total}-"))).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(
        beyond.header(header::CONTENT_RANGE),
        format!("bytes */{total}")
    );
    let head = browser.request("HEAD", &sound).body(Body::empty()).unwrap();
    let head = send(&site.router, head).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header(header::CONTENT_LENGTH), total.to_string());
}

#[tokio::test]
async fn sound_that_was_changed_after_it_was_opened_stops_and_the_next_opening_tells_why() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let player = open(&mut browser, &id).await;
    let sound = format!("{player}/audio.wav");
    let segment = site
        .folder
        .path()
        .join(format!("blobs/objects/rec/{id}/000001.seg"));
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut file = std::fs::File::create(&segment).unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    let request = browser.request("GET", &sound).body(Body::empty()).unwrap();
    let answer = site.router.clone().oneshot(request).await.unwrap();
    let body = answer.into_body().collect().await;
    assert!(body.is_err(), "a player does not take it for all of it");
    assert_eq!(browser.get(&sound).await.status, StatusCode::NOT_FOUND);
    let page = browser.get(&player).await;
    assert_eq!(page.location(), format!("/recordings/{id}/listen"));
    let page = browser
        .post(
            &format!("/recordings/{id}/listen"),
            &[("reason", "complaint 114")],
        )
        .await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// Sound on its way to a browser, of which the first two pieces have come.
async fn half_heard(browser: &mut Browser<'_>) -> Body {
    let id = browser.site.filled().declared.to_string();
    let sound = format!("{}/audio.wav", open(browser, &id).await);
    let request = browser.request("GET", &sound).body(Body::empty()).unwrap();
    let answer = browser.site.router.clone().oneshot(request).await.unwrap();
    let mut body = answer.into_body();
    for _ in 0..2 {
        assert!(matches!(body.frame().await, Some(Ok(_piece))));
    }
    body
}

#[tokio::test]
async fn who_is_not_signed_in_any_more_hears_no_more_of_what_is_playing() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let mut heard = half_heard(&mut anna).await;
    let mut goes_on = half_heard(&mut beheer).await;
    let fields = [("name", "anna"), ("confirm", "yes")];
    let ended = beheer.post("/accounts/end", &fields).await;
    assert_eq!(ended.location(), "/accounts");
    assert!(heard.frame().await.unwrap().is_err(), "her account ended");
    assert!(goes_on.frame().await.unwrap().is_ok(), "that of others");

    let mut elsewhere = Browser::new(&site);
    let mine = [("name", "beheer"), ("password", PASSWORD)];
    assert_eq!(elsewhere.post("/login", &mine).await.location(), "/");
    let mut heard = half_heard(&mut elsewhere).await;
    let new = "kameel trap wolken";
    let change = [("present", PASSWORD), ("password", new), ("again", new)];
    let changed = beheer.post("/accounts/password", &change).await;
    assert_eq!(changed.location(), "/accounts");
    assert!(heard.frame().await.unwrap().is_err(), "another password");
    assert!(goes_on.frame().await.unwrap().is_ok(), "where it was set");

    site.clock.advance_micros(12 * HOUR - 1);
    let mut heard = half_heard(&mut beheer).await;
    site.clock.advance_micros(1);
    assert!(heard.frame().await.unwrap().is_err(), "the login ran out");
}

#[tokio::test]
async fn what_one_login_opened_another_cannot_hear() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let player = open(&mut browser, &id).await;
    let mut other = Browser::new(&site);
    other
        .post("/login", &[("name", "beheer"), ("password", PASSWORD)])
        .await;
    assert_eq!(other.get("/").await.status, StatusCode::OK);
    let page = other.get(&player).await;
    assert_eq!(
        page.location(),
        format!("/recordings/{id}/listen"),
        "it has to give its own reason"
    );
    assert_eq!(
        other.get(&format!("{player}/audio.wav")).await.status,
        StatusCode::NOT_FOUND
    );
    let of_another = player.replace(&id, &site.filled().declared.to_string());
    assert_eq!(
        browser.get(&format!("{of_another}/audio.wav")).await.status,
        StatusCode::NOT_FOUND
    );
    let cookie = browser.cookies["voicelog"].clone();
    browser.post("/logout", &[]).await;
    browser.cookies.insert("voicelog".to_owned(), cookie);
    let page = browser.get(&format!("{player}/audio.wav")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "signing out closes it");
}

#[tokio::test]
async fn the_player_closes_after_two_hours() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let player = open(&mut browser, &id).await;
    site.clock.advance_micros(2 * 3_600_000_000);
    assert_eq!(
        browser.get(&format!("{player}/audio.wav")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn what_was_destroyed_while_it_played_cannot_be_heard_any_more() {
    let site = site();
    let filled = site.filled();
    let mut browser = Browser::signed_in(&site).await;
    let player = open(&mut browser, &filled.declared.to_string()).await;
    // By another process than the pages: the sweep at the end of a term.
    let later = NOW.plus_micros(366 * 86_400_000_000);
    filled.archive.confirm_clock(later).unwrap();
    voicelog_casework::retention::destroy(&filled.archive, filled.declared, later).unwrap();
    assert_eq!(
        filled.archive.summary(filled.declared).unwrap().state,
        State::Destroyed
    );
    assert_eq!(
        browser.get(&format!("{player}/audio.wav")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_copy_for_the_court_is_one_file() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .post(&format!("/recordings/{id}/copy"), &[("recipient", "")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("href=\"#recipient\""));
    let page = browser
        .post(&format!("/recordings/{id}/copy"), &[("recipient", "court")])
        .await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&page.bytes)
    );
    assert_eq!(page.header(header::CONTENT_TYPE), "application/zip");
    let file = format!("attachment; filename=\"voicelog-{id}.zip\"");
    assert_eq!(page.header(header::CONTENT_DISPOSITION), file);
    assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
    assert!(page.bytes.starts_with(b"PK\x03\x04"));
    let report = voicelog_evidence::verify::verify(&page.bytes, None);
    assert!(report.holds(), "the bundle verifies");
}

#[tokio::test]
async fn destruction_before_the_term_of_a_statute_is_refused_with_the_whole_decision() {
    let site = site();
    let id = site.filled().whole;
    let mut browser = Browser::signed_in(&site).await;
    let path = format!("/recordings/{id}/destroy");
    let page = browser.post(&path, &[]).await;
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "without confirming nothing happens"
    );
    let page = browser.post(&path, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.shows("Nothing has happened.") && page.shows("<h3>Reasons</h3>"));
    let hold = format!("href=\"/recordings/{id}/hold\"");
    assert!(
        page.shows(&hold),
        "a request that is refused is put on record with its review"
    );
    assert!(page.shows("May the recording be destroyed?"));
    assert!(
        page.shows(&format!("href=\"/recordings/{id}?lang=nl\"")),
        "the switch leads to a page"
    );
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);
}

#[tokio::test]
async fn the_duties_of_a_copy_are_read_before_it_is_made() {
    let site = site();
    let id = site.filled().whole;
    let mut browser = Browser::signed_in(&site).await;
    let before = site.archive.detail(id).unwrap().decisions.len();
    let path = format!("/recordings/{id}/copy");
    let page = browser.get(&format!("{path}?recipient=data_subject")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.shows("<h3>Duties</h3>") && page.shows("the whole recording, with every voice"));
    assert!(page.shows("name=\"recipient\" value=\"data_subject\""));
    let page = browser.get(&format!("{path}?recipient=")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let after = site.archive.detail(id).unwrap().decisions.len();
    assert_eq!(before, after, "to read is not to ask");
}

#[tokio::test]
async fn destruction_before_the_chosen_term_needs_to_be_confirmed_as_such() {
    let site = site();
    // Its term of a year runs; no statute asks that it is kept.
    let id = site.filled().declared;
    let mut browser = Browser::signed_in(&site).await;
    let path = format!("/recordings/{id}/destroy");
    let page = browser.get(&path).await;
    assert!(page.shows("The chosen retention period is not over yet. It runs until"));
    assert!(page.shows("18 November 2027") && page.shows("value=\"before_term\""));
    let page = browser.post(&path, &[("confirm", "yes")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("<title>Error: Destroy") && page.shows("autofocus"));
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);
    let page = browser.post(&path, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert_eq!(site.archive.summary(id).unwrap().state, State::Destroyed);
}

#[tokio::test]
async fn destruction_after_the_term_leaves_the_tombstone() {
    let site = site();
    let id = site.filled().declared;
    site.archive.look_at_clock(NOW).unwrap();
    site.clock.advance_micros(366 * 86_400_000_000);
    let mut browser = Browser::signed_in(&site).await;
    let path = format!("/recordings/{id}/destroy");
    // A clock that jumps by a year is not believed.
    let page = browser.post(&path, &[("confirm", "yes")]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows("clock jumped") && page.shows("page Health"));
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);
    site.archive.confirm_clock(site.clock.now()).unwrap();
    let page = browser.post(&path, &[("confirm", "yes")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert_eq!(page.location(), format!("/recordings/{id}"));
    let page = browser.get(&format!("/recordings/{id}")).await;
    assert!(page.shows("Certificate of destruction"));
    let trace = site.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (0, false));
}

#[tokio::test]
async fn a_recording_that_takes_too_much_memory_is_refused_before_the_law_is_asked() {
    let site = site_with(|config| config.recording_bytes_max = 10_000);
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let before = site.archive.detail(site.filled().whole).unwrap();
    for (path, field) in [
        ("listen", ("reason", "complaint 114")),
        ("copy", ("recipient", "court")),
    ] {
        let page = browser
            .post(&format!("/recordings/{id}/{path}"), &[field])
            .await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert!(page.shows("http.recording_mib") && page.shows("`voicelog "));
    }
    let after = site.archive.detail(site.filled().whole).unwrap();
    assert_eq!(before.decisions.len(), after.decisions.len());
}

#[tokio::test]
async fn only_so_many_copies_are_in_memory_and_a_place_is_free_again_when_one_was_sent() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let token = browser.get("/").await.form_token().to_owned();
    let ask = |browser: &Browser<'_>| {
        let request = browser
            .request("POST", &format!("/recordings/{id}/copy"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("form_token={token}&recipient=court")))
            .unwrap();
        site.router.clone().oneshot(request)
    };
    let first = ask(&browser).await.unwrap();
    let second = ask(&browser).await.unwrap();
    assert_eq!(
        (first.status(), second.status()),
        (StatusCode::OK, StatusCode::OK)
    );
    let third = ask(&browser).await.unwrap();
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(third.headers()[header::RETRY_AFTER], "60");
    drop(first);
    assert_eq!(ask(&browser).await.unwrap().status(), StatusCode::OK);
}

/// The form of a copy for the data subject, with these fields filled in.
async fn part(browser: &mut Browser<'_>, id: &str, fields: &[(&str, &str)]) -> Page {
    let mut all = vec![("recipient", "data_subject")];
    all.extend_from_slice(fields);
    browser.post(&format!("/recordings/{id}/copy"), &all).await
}

#[tokio::test]
async fn a_copy_of_a_part_is_asked_for_on_the_page_and_proves_what_is_left_out() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let form = browser
        .get(&format!("/recordings/{id}/copy?recipient=data_subject"))
        .await;
    assert!(form.shows("name=\"from\"") && form.shows("name=\"decider_1\""));
    assert!(form.shows("Stream 1") && !form.shows("<script"));
    let passage = [
        ("from", ""),
        ("to", "0:02"),
        ("stream_1", "1"),
        ("from_1", "0:00.5"),
        ("to_1", "0:01"),
        ("reason_1", "the name of a third person"),
        ("ground_1", "AVG art. 15 lid 4"),
        ("decider_1", "privacy officer"),
    ];
    let page = part(&mut browser, &id, &passage).await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&page.bytes)
    );
    let report = voicelog_evidence::verify::verify(&page.bytes, None);
    assert!(report.holds(), "{:?}", report.findings);
    let facts: Vec<_> = report
        .facts
        .iter()
        .map(|fact| fact.value_en.as_str())
        .collect();
    assert!(
        facts
            .iter()
            .any(|value| value.contains("the name of a third person")),
        "{facts:?}"
    );
}

#[tokio::test]
async fn what_is_filled_in_wrongly_for_a_part_stays_in_the_form_and_asks_nobody() {
    let site = site();
    let id = site.filled().whole.to_string();
    let mut browser = Browser::signed_in(&site).await;
    let before = site
        .archive
        .detail(site.filled().whole)
        .unwrap()
        .decisions
        .len();
    for (fields, shown) in [
        (&[("from", "soon")][..], "href=\"#from\""),
        (
            &[("from_1", "0:01"), ("to_1", "0:02")],
            "href=\"#reason_1\"",
        ),
        // A voice that was chosen, and not when: nobody gets a copy with all of it.
        (&[("stream_1", "2")], "href=\"#from_1\""),
        (&[("from", "9:59:59")], "within the call"),
        (
            &[("from_2", "1"), ("to_2", "x"), ("reason_2", "kept words")],
            "href=\"#to_2\"",
        ),
        (
            &[("from_2", "1"), ("to_2", "x"), ("reason_2", "kept words")],
            "kept words",
        ),
    ] {
        let page = part(&mut browser, &id, fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(
            page.shows(shown) && page.shows("<title>Error: "),
            "{}",
            page.text()
        );
    }
    let more = [("more", "yes"), ("reason_1", "kept words")];
    let page = part(&mut browser, &id, &more).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("name=\"reason_4\"") && page.shows("kept words"));
    let after = site
        .archive
        .detail(site.filled().whole)
        .unwrap()
        .decisions
        .len();
    assert_eq!(before, after);
}
