//! The telephone system's list of calls, held against the archive over HTTP.

use crate::support::*;
use axum::http::StatusCode;
use serde_json::{Value, json};
use voicelog_model::{RecordingId, Timestamp};

const PATH: &str = "/v1/expected";
const HEAD: &str = "started_at,duration,caller,callee,id\n";

/// The line of a list for a conversation of the archive, of so many seconds.
fn line(site: &Site, id: RecordingId, seconds: u32, numbers: &str, name: &str) -> String {
    let started_at = site.filled().archive.summary(id).unwrap().started_at;
    format!("{started_at},{seconds},{numbers},{name}\n")
}

#[tokio::test]
async fn every_call_of_a_list_is_told_to_be_there_or_why_not() {
    let site = site();
    let ours = "020-1234567,2001";
    let filled = site.filled();
    let list = [
        HEAD.to_owned(),
        line(&site, filled.whole, 2, ours, "whole"),
        line(&site, filled.whole, 60, ours, "longer"),
        line(&site, filled.undeclared, 2, ours, "gap"),
        line(&site, filled.refused, 2, ours, "refused"),
        line(&site, filled.destroyed, 2, ours, "destroyed"),
        line(&site, filled.whole, 2, "0109876543,2002", "unknown"),
        "yesterday,2,1,2,unreadable\n".to_owned(),
    ]
    .concat();
    let page = program(&site, "POST", PATH, &list).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let report: Value = page.json();
    let lines = report["lines"].as_array().unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let word = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            [word("id"), word("found"), word("cause")].join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "longer short ended_early",
            "gap gap -",
            "refused perhaps not_permitted",
            "destroyed perhaps destroyed",
            "unknown missing unknown",
        ]
    );
    assert_eq!(report["counts"]["recorded"], 1);
    assert_eq!(report["counts"]["perhaps"], 2);
    assert_eq!(report["perhaps"]["not_permitted"], 1);
    assert_eq!(report["clean"], json!(false));
    assert_eq!(report["unreadable"][0]["line"], 8);
    assert_eq!(
        lines[0]["recordings"][0],
        json!(filled.whole.to_string()),
        "{report}"
    );
    // Counted where a monitoring program and a person look.
    let numbers = program(&site, "GET", "/v1/metrics", "").await;
    for line in [
        "voicelog_expected_calls{found=\"missing\"} 1",
        "voicelog_expected_calls{found=\"perhaps\"} 2",
        "voicelog_expected_calls{found=\"one_sided\"} 0",
    ] {
        assert!(numbers.shows(line), "{}", numbers.text());
    }
    let mut browser = Browser::signed_in(&site).await;
    let health = browser.get("/health").await;
    assert!(health.shows("2 perhaps explained"), "{}", health.text());
    let text = page.text();
    assert!(
        !text.contains("1234567") && !text.contains("Jansen"),
        "{text}"
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_refused_with_what_is_wanting() {
    let site = site();
    for (path, list, says) in [
        (PATH, "started_at,caller,callee\n", "billsec"),
        (PATH, "", "is leeg"),
        (PATH, "a,b\n", "calldate"),
        ("/v1/expected?slack=601", HEAD, "`slack`"),
    ] {
        let page = program(&site, "POST", path, list).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(page.text().contains(says), "{}", page.text());
    }
    let empty = program(&site, "POST", PATH, HEAD).await;
    assert_eq!(empty.json()["clean"], json!(true));
}

#[tokio::test]
async fn the_diary_tells_why_a_call_is_missing() {
    let site = site();
    let minute = |number: i64| Timestamp::from_micros(1_700_000_040_000_000 + number * 60_000_000);
    let entry = |number: i64, what: &str| voicelog_archive::DiaryEntry {
        minute: minute(number),
        what: what.to_owned(),
        count: 1,
    };
    let archive = &site.filled().archive;
    let entries = [
        entry(0, "ran"),
        entry(10, "ran"),
        entry(10, "no_new_calls_disk_full"),
        entry(20, "ran"),
        entry(20, "offered"),
    ];
    archive.add_to_diary(&entries).unwrap();
    let call = |number: i64| format!("{},2,0109876543,2002,\n", minute(number));
    let list = [
        HEAD.to_owned(),
        call(5),
        call(10),
        call(20),
        call(0),
        call(-1),
    ]
    .concat();
    let report: Value = program(&site, "POST", PATH, &list).await.json();
    let causes: Vec<_> = report["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["cause"].as_str().unwrap())
        .collect();
    assert_eq!(
        causes,
        [
            "not_running",
            "no_new_calls",
            "not_offered",
            "nothing_offered",
            "unknown"
        ]
    );
}
