//! The law for programs.

use crate::support::*;
use axum::http::StatusCode;

#[tokio::test]
async fn facts_in_decision_out() {
    let site = empty_site();
    let facts = r#"{"requested_action":"record","recorder_type":"company","channel":"phone",
        "participation":"participant","on_hold":true,"openness":"announced"}"#;
    let page = program(&site, "POST", "/v1/law/decisions", facts).await;
    assert_eq!(page.status, StatusCode::OK);
    let decision = page.json();
    assert_eq!(decision["outcome"], "forbidden_privacy");
    assert!(
        decision["reasons"][0]["articles"][0]
            .as_str()
            .unwrap()
            .starts_with("AVG")
    );
}

#[tokio::test]
async fn wrong_facts_are_named_place_by_place() {
    let site = empty_site();
    let facts = r#"{"requested_action":"recrod","opennes":"announced"}"#;
    let page = program(&site, "POST", "/v1/law/decisions", facts).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.header("content-type"), "application/problem+json");
    let problem = page.json();
    let places: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["place"].as_str().unwrap())
        .collect();
    assert!(
        places.contains(&"requested_action") && places.contains(&"opennes"),
        "{places:?}"
    );
}

#[tokio::test]
async fn a_moment_before_the_rulebook_is_wrong_input_and_never_a_permit() {
    let site = empty_site();
    let facts = r#"{"requested_action":"record","recorder_type":"citizen"}"#;
    for at in ["2020-01-01T00:00:00Z", "yesterday"] {
        let path = format!("/v1/law/decisions?at={at}");
        let page = program(&site, "POST", &path, facts).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{at}");
    }
}

#[tokio::test]
async fn the_schema_and_every_rule_can_be_read() {
    let site = empty_site();
    let schema = program(&site, "GET", "/v1/law/facts", "").await.json();
    assert!(schema["properties"]["openness"].is_object());
    let rule = program(&site, "GET", "/v1/law/rules/stgb.201", "")
        .await
        .json();
    assert_eq!(rule["kind"], "criminal");
    let none = program(&site, "GET", "/v1/law/rules/no.such", "").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_document_is_made_from_facts_and_particulars() {
    let site = empty_site();
    let body = r#"{"facts":{"requested_action":"record","recorder_type":"private_person",
        "participation":"participant"},"particulars":{"subject":"<de rekening>"},"lang":"nl"}"#;
    let page = program(&site, "POST", "/v1/law/documents/request", body).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.shows("<html lang=\"nl\">") && page.shows("&lt;de rekening&gt;"));
    assert!(page.shows("Verzoek om een gesprek op te nemen"));
}

#[tokio::test]
async fn a_document_that_can_not_be_made_says_why() {
    let site = empty_site();
    let refuses = r#"{"facts":{"requested_action":"refuse_recording","recorder_type":"citizen",
        "counterpart_types":["government_body"]}}"#;
    let page = program(&site, "POST", "/v1/law/documents/refusal", refuses).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text().contains("2014/166"), "{}", page.text());
    let body = r#"{"facts":{"requested_action":"record"}}"#;
    let none = program(&site, "POST", "/v1/law/documents/anouncement", body).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert!(none.text().contains("announcement"), "{}", none.text());
    for wrong in [
        "[]",
        r#"{"facts":{"requested_action":"record"},"facts":{}}"#,
        r#"{"facts":{"requested_action":"record"},"language":"nl"}"#,
        r#"{"facts":{"requested_action":"record"},"lang":"de"}"#,
        r#"{"facts":{"requested_action":"recrod"}}"#,
        r#"{"facts":{"requested_action":"record"},"particulars":{"contact":""}}"#,
        r#"{"facts":{"requested_action":"destroy"}}"#,
    ] {
        let page = program(&site, "POST", "/v1/law/documents/announcement", wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}
