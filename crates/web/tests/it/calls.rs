//! Calls in progress, for programs: pausing them, and consent that somebody heard.

use crate::support::*;
use axum::http::StatusCode;
use serde_json::json;
use voicelog_archive::ConsentBy;

#[tokio::test]
async fn a_call_is_paused_for_a_reason_and_goes_on_and_the_list_shows_it() {
    let site = site();
    let waiting = site.filled().waiting;
    let at = |what: &str| format!("/v1/calls/{waiting}/{what}");
    let asked = json!({ "reason": "card_data", "limit_seconds": 90 }).to_string();
    let paused = program(&site, "POST", &at("pause"), &asked).await;
    assert_eq!(paused.status, StatusCode::OK);
    let pause = paused.json();
    assert_eq!(pause["reason"], "card_data");
    assert_eq!(pause["until"], "2026-11-21T10:03:30.000000Z");
    let list = program(&site, "GET", "/v1/calls", "").await.json();
    let items = list["items"].as_array().unwrap();
    let shown = items.iter().find(|item| item["id"] == waiting.to_string());
    assert_eq!(shown.unwrap()["pause"], pause);
    let resumed = program(&site, "POST", &at("resume"), "").await;
    assert_eq!(resumed.status, StatusCode::NO_CONTENT);
    let again = program(&site, "POST", &at("resume"), "").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let list = program(&site, "GET", "/v1/calls", "").await.json();
    assert!(
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["pause"].is_null())
    );
}

#[tokio::test]
async fn what_is_asked_of_a_call_that_is_over_is_told_apart_from_a_wrong_id() {
    let site = site();
    let over = site.filled().whole;
    let nobody = "01a2ffff-0000-7000-8000-000000000000";
    for (act, body) in [
        ("pause", json!({ "reason": "card_data" })),
        ("resume", json!({})),
        (
            "keep",
            json!({ "reason": "complaint", "asked_by": "agent 2001" }),
        ),
        ("private", json!({ "said_by": "agent 2001" })),
        ("facts", json!({ "openness": "announced" })),
    ] {
        let body = body.to_string();
        let page = program(&site, "POST", &format!("/v1/calls/{over}/{act}"), &body).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{act}");
        assert!(
            page.shows("Dit gesprek is voorbij."),
            "{act}: {}",
            page.text()
        );
        let page = program(&site, "POST", &format!("/v1/calls/{nobody}/{act}"), &body).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{act}");
    }
}

#[tokio::test]
async fn a_pause_that_is_asked_for_wrongly_is_told_what_would_be_right() {
    let site = site();
    let path = format!("/v1/calls/{}/pause", site.filled().waiting);
    for (body, right) in [
        (r#"{"reason":"card"}"#, "card_data"),
        (r#"{"reason":"4111 1111 1111 1111"}"#, "citizen_number"),
        (
            r#"{"reason":"medical","limit_seconds":-1}"#,
            "limit_seconds",
        ),
        (r#"{"reason":"medical","note":"heart"}"#, "limit_seconds"),
        (r#"{"reason":"medical","limit_seconds":901}"#, "900"),
        ("", "reason"),
    ] {
        let page = program(&site, "POST", &path, body).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(page.text().contains(right), "{body}: {}", page.text());
    }
}

#[tokio::test]
async fn a_pause_that_the_recorder_does_not_confirm_is_an_error_and_not_shown() {
    let site = site();
    let waiting = site.filled().waiting;
    *site.telephones.0.lock().unwrap() = None;
    let path = format!("/v1/calls/{waiting}/pause");
    let page = program(&site, "POST", &path, r#"{"reason":"card_data"}"#).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    let list = program(&site, "GET", "/v1/calls", "").await.json();
    assert!(
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["pause"].is_null())
    );
}

#[tokio::test]
async fn somebody_asks_to_keep_a_call_and_hears_from_when_on_it_is_kept() {
    let site = site();
    let path = format!("/v1/calls/{}/keep", site.filled().waiting);
    let asked = |reason: &str| json!({ "reason": reason, "asked_by": "agent 2001" }).to_string();
    for (reason, status, body) in [
        (
            "complaint",
            StatusCode::OK,
            json!({ "kept": true, "from": "2026-11-21T10:01:30.000000Z" }),
        ),
        ("training", StatusCode::ACCEPTED, json!({ "kept": false })),
    ] {
        let page = program(&site, "POST", &path, &asked(reason)).await;
        assert_eq!((page.status, page.json()), (status, body));
    }
    let page = program(&site, "POST", &path, &asked("other")).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    *site.telephones.0.lock().unwrap() = None;
    let page = program(&site, "POST", &path, &asked("complaint")).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_request_to_keep_a_call_without_a_known_reason_or_of_nobody_is_told_what_would_be_right()
{
    let site = site();
    let path = format!("/v1/calls/{}/keep", site.filled().waiting);
    for (body, right) in [
        (
            r#"{"reason":"complain","asked_by":"agent 2001"}"#,
            "complaint",
        ),
        (r#"{"reason":"complaint","asked_by":" "}"#, "asked_by"),
        (r#"{"reason":"complaint"}"#, "asked_by"),
        (
            r#"{"reason":"complaint","asked_by":"a","note":"x"}"#,
            "asked_by",
        ),
    ] {
        let page = program(&site, "POST", &path, body).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(page.text().contains(right), "{body}: {}", page.text());
    }
}

#[tokio::test]
async fn a_call_is_private_until_the_same_person_says_with_a_reason_that_it_is_not() {
    let site = site();
    let at = |what: &str| format!("/v1/calls/{}/{what}", site.filled().waiting);
    let by = |said_by: &str| json!({ "said_by": said_by });
    let over = |said_by: &str, reason: &str| json!({ "said_by": said_by, "reason": reason });
    for (path, body, status) in [
        ("private", by("agent 2001"), StatusCode::OK),
        ("private", by(""), StatusCode::BAD_REQUEST),
        ("private", json!({}), StatusCode::BAD_REQUEST),
        (
            "private/end",
            over("agent 2001", "business_again"),
            StatusCode::NO_CONTENT,
        ),
        (
            "private/end",
            over("agent 2001", "mistake"),
            StatusCode::CONFLICT,
        ),
        (
            "private/end",
            over("agent 2002", "mistake"),
            StatusCode::CONFLICT,
        ),
        (
            "private/end",
            over("agent 2001", "bored"),
            StatusCode::BAD_REQUEST,
        ),
        ("private/end", by("agent 2001"), StatusCode::BAD_REQUEST),
    ] {
        let page = program(&site, "POST", &at(path), &body.to_string()).await;
        assert_eq!(page.status, status, "{path} {body}: {}", page.text());
    }
    *site.telephones.0.lock().unwrap() = None;
    let page = program(&site, "POST", &at("private"), &by("agent 2001").to_string()).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn consent_that_somebody_heard_is_kept_with_who_and_when() {
    let site = site();
    let waiting = site.filled().waiting;
    let path = format!("/v1/calls/{waiting}/consent");
    let body = json!({ "participant": "p2", "consent": "given", "marked_by": "agent 2001" });
    let page = program(&site, "POST", &path, &body.to_string()).await;
    assert_eq!(page.status, StatusCode::NO_CONTENT, "{}", page.text());
    let call = site.archive.call(waiting).unwrap();
    let consents = &call.candidates()[0].facts["consent_per_participant"];
    assert_eq!(consents, &json!({ "p1": "none", "p2": "given" }));
    let saying = &call.sayings[0];
    assert_eq!((saying.at, saying.party.as_str()), (NOW, "p2"));
    let ConsentBy::Spoken { marked_by } = &saying.by else {
        panic!("{saying:?}")
    };
    assert_eq!(marked_by.as_ref().unwrap().expose(), "agent 2001");
    // It stands, sealed, with the decision that follows.
    let decision = site.archive.ask_to_record(waiting, NOW).unwrap().id;
    let again = site.archive.decide_again(decision).unwrap();
    assert_eq!(again.sayings, call.sayings);
}

#[tokio::test]
async fn consent_of_nobody_in_the_call_or_heard_by_nobody_is_refused() {
    let site = site();
    let path = format!("/v1/calls/{}/consent", site.filled().waiting);
    for (participant, consent, marked_by) in [
        ("p9", "given", "agent 2001"),
        ("p2", "yes", "agent 2001"),
        ("p2", "given", " "),
    ] {
        let body =
            json!({ "participant": participant, "consent": consent, "marked_by": marked_by });
        let page = program(&site, "POST", &path, &body.to_string()).await;
        assert_eq!(
            page.status,
            StatusCode::BAD_REQUEST,
            "{body}: {}",
            page.text()
        );
    }
    let call = site.archive.call(site.filled().waiting).unwrap();
    assert!(call.sayings.is_empty() && call.said.is_empty());
}
