//! Sound that went before the rest, as people and programs see it.

use crate::fixture;
use crate::support::*;
use axum::http::StatusCode;
use voicelog_archive::State;
use voicelog_casework::{Asked, certificate, retention};
use voicelog_model::{RecordingId, Scope};

const DAY: i64 = 86_400_000_000;

/// A recording whose sound is kept for four weeks, and the site four weeks later, before any sweep.
fn four_weeks_later() -> (Site, RecordingId) {
    let site = site();
    let id = fixture::whole(&site.archive, "geluid-kort", NOW.plus_micros(-DAY)).unwrap();
    site.archive.sequence().unwrap();
    site.clock.advance_micros(29 * DAY);
    let now = NOW.plus_micros(29 * DAY);
    site.archive.confirm_clock(now).unwrap();
    (site, id)
}

#[tokio::test]
async fn a_sweep_ends_the_sound_alone_and_page_api_and_declaration_say_so() {
    let (site, id) = four_weeks_later();
    let now = NOW.plus_micros(29 * DAY);
    let found = retention::preview(&site.archive, now, now).unwrap();
    assert_eq!(found.sound_to_go(), 1, "counted apart from the whole");
    let mut browser = Browser::signed_in(&site).await;
    let preview = browser.get("/retention").await;
    assert!(preview.shows("The sound alone"), "{}", preview.text());
    let page = browser.get(&format!("/recordings/{id}")).await;
    assert!(page.shows("Keep the sound until"));

    let swept = retention::run(&site.archive, now).unwrap();
    let ours: Vec<_> = swept.iter().filter(|one| one.id == id).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].scope, Scope::Sound);
    assert!(matches!(ours[0].outcome, Ok(Asked::Given(_))));
    assert_eq!(site.archive.summary(id).unwrap().state, State::WithoutSound);
    assert!(
        retention::run(&site.archive, now)
            .unwrap()
            .iter()
            .all(|one| one.id != id)
    );

    let page = browser.get(&format!("/recordings/{id}")).await;
    for part in [
        "Sound destroyed on",
        "Kept without sound",
        "because its term is over",
        "Certificate that the sound was destroyed",
    ] {
        assert!(page.shows(part), "{part}: {}", page.text());
    }
    assert!(
        !page.shows("Your reason is kept with the decision"),
        "no form to listen"
    );
    let dutch = browser.get(&format!("/recordings/{id}?lang=nl")).await;
    assert!(dutch.shows("Het geluid is vernietigd, omdat de termijn ervan voorbij is."));
    let declaration = browser
        .get(&format!("/recordings/{id}/declaration?lang=nl"))
        .await;
    assert_eq!(declaration.status, StatusCode::OK, "{}", declaration.text());
    for part in ["Geluid vernietigd op", "<dd>geluid</dd>", "4 weken"] {
        assert!(declaration.shows(part), "{part}: {}", declaration.text());
    }
    let period = certificate::of_period(
        &site.archive,
        now.plus_micros(-DAY),
        now.plus_micros(DAY),
        now.plus_micros(DAY),
    );
    let scopes: Vec<_> = period
        .unwrap()
        .checked
        .iter()
        .filter(|one| one.certificate.statement.recording == id)
        .map(|one| one.certificate.statement.scope)
        .collect();
    assert_eq!(scopes, [Scope::Sound]);
    let receipt = site.archive.receipt(id).unwrap().unwrap();
    assert!(
        receipt.contains("extra "),
        "it can still be shown what was recorded"
    );
}

#[tokio::test]
async fn who_asks_to_listen_afterwards_is_told_that_the_sound_went_and_when() {
    let (site, id) = four_weeks_later();
    let now = NOW.plus_micros(29 * DAY);
    retention::run(&site.archive, now).unwrap();
    let mut browser = Browser::signed_in(&site).await;
    let path = format!("/recordings/{id}/listen");
    let answer = browser.post(&path, &[("reason", "complaint 114")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert!(
        answer.shows("because the term of the sound is over"),
        "{}",
        answer.text()
    );
}
