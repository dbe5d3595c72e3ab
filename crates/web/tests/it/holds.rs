//! Holds on the pages and in the API.

use crate::support::*;
use axum::http::StatusCode;
use serde_json::json;
use voicelog_archive::State;

const GOOD: [(&str, &str); 4] = [
    ("ground", "claim"),
    ("owner", "Meester Kanarie"),
    ("review", "2027-03-01"),
    ("note", "zaak 114"),
];

#[tokio::test]
async fn a_hold_is_placed_on_a_page_stops_destruction_and_is_ended_for_a_reason() {
    let site = site();
    // Its term of a year is over, and no statute asks that it is kept.
    let id = site.filled().declared;
    let mut browser = Browser::signed_in(&site).await;
    let form = browser.get(&format!("/recordings/{id}/hold")).await;
    assert!(form.shows("type=\"date\"") && !form.shows("<script"));
    let page = browser.post(&format!("/recordings/{id}/hold"), &GOOD).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert_eq!(page.location(), format!("/recordings/{id}#holds"));
    let page = browser.get(&format!("/recordings/{id}")).await;
    assert!(page.shows("Meester Kanarie") && page.shows("1 March 2027"));
    let list = browser.get("/holds").await;
    assert!(
        list.shows(&id.to_string()) && !list.shows("Kanarie"),
        "the list names nobody"
    );
    let log = browser.get("/log").await;
    assert!(log.shows("Held</td>") && !log.shows("Kanarie") && !log.shows("zaak 114"));

    let destroy = format!("/recordings/{id}/destroy");
    let page = browser.post(&destroy, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(
        page.shows("What holds it") && page.shows("1 March 2027"),
        "{}",
        page.text()
    );
    assert!(page.shows("claim, complaint or court case"));

    let hold = site.archive.holds(id).unwrap()[0].id;
    let release = format!("/holds/{hold}/release");
    assert!(browser.get(&release).await.shows("Meester Kanarie"));
    let page = browser.post(&release, &[("reason", " ")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("href=\"#reason\""));
    let page = browser.post(&release, &[("reason", "settled")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert!(browser.get("/log").await.shows("Hold lifted</td>"));
    let page = browser.post(&destroy, &[("confirm", "before_term")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    assert_eq!(site.archive.summary(id).unwrap().state, State::Destroyed);
}

#[tokio::test]
async fn a_form_for_a_hold_that_lacks_something_names_each_field_and_keeps_what_was_filled_in() {
    let site = site();
    let path = format!("/recordings/{}/hold", site.filled().whole);
    let mut browser = Browser::signed_in(&site).await;
    for (name, value) in [
        ("ground", "because"),
        ("owner", " "),
        ("review", "soon"),
        ("review", "2026-11-20"),
        ("review", "2031-01-01"),
    ] {
        let fields = GOOD.map(|(field, good)| (field, if field == name { value } else { good }));
        let page = browser.post(&path, &fields).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}={value}"
        );
        assert!(page.shows(&format!("href=\"#{name}\"")) && page.shows("aria-invalid=\"true\""));
        assert!(page.shows("zaak 114"), "what was filled in is still there");
    }
    assert_eq!(site.archive.holds(site.filled().whole).unwrap(), []);
    let page = browser
        .get(&format!("/holds/{}/release", site.filled().whole))
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "a recording is no hold");
}

#[tokio::test]
async fn a_program_holds_lists_and_releases_and_no_answer_names_anybody() {
    let site = site();
    let id = site.filled().whole;
    let place = format!("/v1/recordings/{id}/holds");
    let body = json!({
        "ground": "woo", "owner": "Woo-coördinator Kanarie", "review_at": "2027-01-01T00:00:00Z",
        "asked_by": "case system",
    });
    let page = program(&site, "POST", &place, &body.to_string()).await;
    assert_eq!(page.status, StatusCode::CREATED, "{}", page.text());
    let hold = page.json()["hold"].as_str().unwrap().to_owned();
    assert_eq!(page.json()["isOverdue"], false);
    site.clock.advance_micros(60 * 86_400_000_000);
    let list = program(&site, "GET", "/v1/holds", "").await;
    assert_eq!(list.json()["overdue"], 1);
    assert_eq!(list.json()["items"][0]["hold"], json!(hold));
    assert_eq!(list.json()["items"][0]["isOverdue"], true);
    assert!(!page.shows("Kanarie") && !list.shows("Kanarie"));

    for (member, wrong) in [
        ("ground", json!("because")),
        ("owner", json!("")),
        ("review_at", json!("2026-01-01T00:00:00Z")),
        ("asked_by", json!("")),
    ] {
        let mut body = body.clone();
        body[member] = wrong;
        let page = program(&site, "POST", &place, &body.to_string()).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{member}");
    }
    let release = format!("/v1/holds/{hold}/release");
    let why = json!({ "reason": "answered", "asked_by": "case system" }).to_string();
    let page = program(&site, "POST", &release, &why).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.json()["liftedAt"].is_string());
    let page = program(&site, "POST", &release, &why).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "once");
    let path = format!("/v1/recordings/{}/holds", site.filled().destroyed);
    let page = program(&site, "POST", &path, &body.to_string()).await;
    assert_eq!(
        page.status,
        StatusCode::CONFLICT,
        "what is gone cannot be held"
    );
}

#[tokio::test]
async fn the_page_of_terms_counts_what_is_due_and_what_is_held_and_destroys_nothing() {
    let site = site();
    let id = site.filled().declared;
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/retention").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.shows("This page destroys nothing.") && page.shows("The next period ends on"));
    site.clock.advance_micros(400 * 86_400_000_000);
    let mut browser = Browser::new(&site);
    let again = [("name", "beheer"), ("password", PASSWORD)];
    browser.post("/login", &again).await;
    let page = browser.get("/retention").await;
    assert!(
        page.shows("By line and purpose") && page.shows("is destroyed"),
        "{}",
        page.text()
    );
    let fields = GOOD.map(|(field, good)| {
        (
            field,
            if field == "review" {
                "2028-03-01"
            } else {
                good
            },
        )
    });
    let held = browser
        .post(&format!("/recordings/{id}/hold"), &fields)
        .await;
    assert_eq!(held.status, StatusCode::SEE_OTHER, "{}", held.text());
    let page = browser.get("/retention").await;
    assert!(
        page.shows("1: claim, complaint or court case"),
        "{}",
        page.text()
    );
    let page = browser.get("/retention?until=2032-01-01").await;
    assert!(page.shows("value=\"2032-01-01\""));
    assert_eq!(site.archive.summary(id).unwrap().state, State::Sealed);
}
