//! The API as a program sees it, and its description held against it.

use crate::support::*;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use voicelog_web::{Audience, table};

const LIST: &str = "/v1/recordings";

#[tokio::test]
async fn every_route_is_described_and_everything_described_is_a_route() {
    let site = site();
    let page = program(&site, "GET", "/v1/openapi.json", "").await;
    assert_eq!(page.status, StatusCode::OK);
    let described: Value = page.json();
    assert_eq!(described["openapi"], "3.1.0");
    let server = described["servers"][0]["url"].as_str().unwrap().to_owned();
    let mut in_document = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            in_document.insert((method.to_uppercase(), format!("{server}{path}")));
            assert!(operation["operationId"].is_string(), "{path}");
            assert!(operation["responses"]["401"].is_object(), "{path}");
        }
    }
    let in_router: BTreeSet<(String, String)> = table()
        .into_iter()
        .filter(|(audience, _, _)| *audience == Audience::Program)
        .map(|(_, method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(in_document, in_router);
}

#[tokio::test]
async fn every_reference_in_the_description_leads_somewhere() {
    let site = site();
    let described: Value = program(&site, "GET", "/v1/openapi.json", "").await.json();
    let mut left = vec![&described];
    let mut references = 0;
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    references += 1;
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(described.pointer(pointer).is_some(), "{reference}");
                }
                left.extend(members.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    assert!(references > 20, "{references}");
}

#[tokio::test]
async fn the_states_and_facts_of_the_description_are_those_of_the_archive() {
    let site = site();
    let described: Value = program(&site, "GET", "/v1/openapi.json", "").await.json();
    let schemas = &described["components"]["schemas"];
    let states: Vec<&str> = voicelog_archive::State::ALL
        .iter()
        .map(|state| state.as_str())
        .collect();
    assert_eq!(schemas["State"]["enum"], json!(states));
    let facts: BTreeSet<&str> = schemas["SayableFacts"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        facts,
        voicelog_archive::SAYABLE_FACTS.iter().copied().collect()
    );
}

#[tokio::test]
async fn recordings_are_listed_page_by_page_until_none_is_left() {
    let site = site();
    let mut path = format!("{LIST}?limit=2");
    let mut seen = Vec::new();
    loop {
        let page = program(&site, "GET", &path, "").await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("api-version"), "1.0.0");
        let body = page.json();
        for item in body["items"].as_array().unwrap() {
            seen.push((
                item["startedAt"].as_str().unwrap().to_owned(),
                item["id"].as_str().unwrap().to_owned(),
            ));
        }
        match body["nextCursor"].as_str() {
            Some(_) => {
                let link = page.header(header::LINK);
                path = link
                    .trim_start_matches('<')
                    .split('>')
                    .next()
                    .unwrap()
                    .to_owned();
            }
            None => break,
        }
    }
    assert_eq!(seen.len(), 14);
    assert!(
        seen.is_sorted_by(|left, right| left > right),
        "newest first, each once: {seen:?}"
    );
}

#[tokio::test]
async fn a_recording_comes_with_its_decisions_in_the_language_asked_for() {
    let site = site();
    let path = format!("{LIST}/{}", site.filled().declared);
    let body = program(&site, "GET", &path, "").await.json();
    assert_eq!(body["verdict"], "whole_with_declared_gaps");
    assert_eq!(
        body["decisions"][0]["decision"]["outcome"],
        "forbidden_criminal"
    );
    assert_eq!(
        body["decisions"][1]["decision"]["outcome"],
        "permitted_with_duties"
    );
    assert_eq!(body["timeline"]["streams"].as_array().unwrap().len(), 2);
    let nl = body["decisions"][0]["decision"]["reasons"][0]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    let request = Request::builder()
        .uri(&path)
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(header::ACCEPT_LANGUAGE, "en");
    let page = send(&site.router, request.body(Body::empty()).unwrap()).await;
    let en = page.json()["decisions"][0]["decision"]["reasons"][0]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(nl, en);
    assert!(
        !page.shows("Jansen") && !page.shows("31201234567"),
        "no personal data"
    );
}

#[tokio::test]
async fn wrong_parameters_are_told_with_what_would_be_right() {
    let site = site();
    for (query, told) in [
        ("stat=sealed", "`state`"),
        ("state=kept", "sealed"),
        ("from=yesterday", "RFC 3339"),
        ("limit=0", "1–200"),
        ("limit=201", "1–200"),
    ] {
        let page = program(&site, "GET", &format!("{LIST}?{query}"), "").await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(
            page.header(header::CONTENT_TYPE),
            "application/problem+json"
        );
        let problem = page.json();
        assert_eq!(problem["status"], 400);
        assert!(problem["title"].is_string() && problem["requestId"].is_string());
        assert!(
            problem["detail"].as_str().unwrap().contains(told),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn consent_said_over_the_api_counts_at_once() {
    let site = site();
    let id = site.filled().waiting;
    let calls = program(&site, "GET", "/v1/calls", "").await;
    let call = &calls.json()["items"][0];
    assert_eq!(call["id"], json!(id));
    assert_eq!(call["parties"][1], json!({ "id": "p2", "country": "DE" }));
    assert!(
        !calls.shows("4930123456") && !calls.shows("Jansen"),
        "participants are pseudonyms"
    );
    let before = site.archive.ask_to_record(id, NOW).unwrap();
    assert!(!before.decision.is_permitted());
    let path = format!("/v1/calls/{id}/facts");
    let said = json!({ "consent_per_participant": { "p1": "given", "p2": "given" }, "openness": "announced_and_agreed" });
    let page = program(&site, "POST", &path, &said.to_string()).await;
    assert_eq!(
        (page.status, page.bytes.len()),
        (StatusCode::NO_CONTENT, 0),
        "{}",
        page.text()
    );
    assert_eq!(page.header("api-version"), "1.0.0");
    let after = site.archive.ask_to_record(id, NOW).unwrap();
    assert!(after.decision.is_permitted(), "{:?}", after.decision);
    let call = program(&site, "GET", "/v1/calls", "").await.json();
    assert_eq!(call["items"][0]["said"]["openness"], "announced_and_agreed");
}

#[tokio::test]
async fn facts_that_are_wrong_change_nothing_and_say_why() {
    let site = site();
    let path = format!("/v1/calls/{}/facts", site.filled().waiting);
    for (body, told) in [
        ("", "JSON"),
        ("[]", "JSON"),
        ("{}", "feit"),
        ("{\"openess\":\"announced\"}", "`openness`"),
        ("{\"legal_basis\":\"a\"}", "`legal_basis`"),
        ("{\"openness\":\"maybe\"}", "openness"),
        ("{\"openness\":null}", "openness"),
    ] {
        let page = program(&site, "POST", &path, body).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{body}");
        let detail = page.json()["detail"].as_str().unwrap().to_owned();
        let said_once: BTreeSet<&str> = detail.split(": ").collect();
        assert_eq!(said_once.len(), detail.split(": ").count(), "{detail}");
        assert!(
            page.json()["detail"].as_str().unwrap().contains(told),
            "{body}: {}",
            page.text()
        );
    }
    let large = format!("{{\"announcement\":\"{}\"}}", "x".repeat(1 << 20));
    assert_eq!(
        program(&site, "POST", &path, &large).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let said = program(&site, "GET", "/v1/calls", "").await.json()["items"][0]["said"].clone();
    assert_eq!(said, json!({}));
    let over = format!("/v1/calls/{}/facts", site.filled().whole);
    let page = program(&site, "POST", &over, "{\"openness\":\"announced\"}").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.shows("Dit gesprek is voorbij."), "{}", page.text());
}

#[tokio::test]
async fn the_checkpoint_comes_with_the_key_that_it_verifies_with() {
    let site = site();
    let body = program(&site, "GET", "/v1/checkpoint", "").await.json();
    assert_eq!(body["verifierKey"], site.archive.verifier_key());
    assert!(
        body["checkpoint"]
            .as_str()
            .unwrap()
            .starts_with("voicelog/pages\n")
    );
    let health = program(&site, "GET", "/v1/health", "").await.json();
    assert_eq!(health["accepting"], true);
    assert!(health["freeBytes"].as_u64().unwrap() > 0);
    assert_eq!(health["storageTrouble"], false);
    assert_eq!(health["recoverySet"], "none");
    assert_eq!(health["waitingForKey"], 0);
}

#[tokio::test]
async fn an_address_that_the_api_does_not_have_is_told_as_a_problem() {
    let site = site();
    for (method, path) in [("GET", "/v1/nothing"), ("POST", "/v1/recordings/x/y/z")] {
        let page = program(&site, method, path, "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            page.header(header::CONTENT_TYPE),
            "application/problem+json"
        );
        let bare = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            send(&site.router, bare).await.status,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_numbers_of_the_recorder_are_there_for_prometheus() {
    let site = site();
    let page = program(&site, "GET", "/v1/metrics", "").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for line in [
        "# TYPE voicelog_events_total counter",
        "voicelog_accepting_calls 1",
        "voicelog_calls{state=\"recording\"} 1",
        "voicelog_calls{state=\"waiting\"} 0",
        "voicelog_calls_closing 2",
        "voicelog_packets_total{fate=\"kept\"} 600",
        "voicelog_events_total{event=\"alarm_no_media\"} 3",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    let is_free = |line: &str| {
        let free = line.strip_prefix("voicelog_disk_free_bytes ");
        free.is_some_and(|free| free.parse::<u64>().is_ok_and(|free| free > 0))
    };
    assert!(text.lines().any(is_free), "{text}");
}

#[tokio::test]
async fn a_program_asks_for_a_copy_of_a_part_for_somebody_and_gets_it_or_the_reason() {
    let site = site();
    let path = format!("/v1/recordings/{}/copies", site.filled().whole);
    let ask = |body: Value| {
        let (site, path) = (&site, &path);
        async move { program(site, "POST", path, &body.to_string()).await }
    };
    let redaction = json!({
        "stream": 1, "from": "0:00.5", "to": "0:01", "reason": "a third person",
        "legal_ground": "AVG art. 15 lid 4", "decided_by": "privacy officer"
    });
    let page = ask(json!({
        "recipient": "data_subject", "asked_by": "case 114", "to": "0:02", "redactions": [redaction]
    }))
    .await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&page.bytes)
    );
    assert!(voicelog_evidence::verify::verify(&page.bytes, None).holds());
    for (body, why) in [
        (json!({ "recipient": "court" }), "asked_by"),
        (json!({ "recipient": "curt", "asked_by": "x" }), "court"),
        (
            json!({ "recipient": "court", "asked_by": "x", "from": "soon" }),
            "moment",
        ),
        (
            json!({ "recipient": "court", "asked_by": "x", "from": "9:59:59" }),
            "binnen het gesprek",
        ),
        (
            json!({ "recipient": "court", "asked_by": "x", "redactions": [{ "from": "1" }] }),
            "redactions",
        ),
    ] {
        let page = ask(body).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text());
        assert!(page.shows(why), "{}", page.text());
    }
}
