//! A talk in a room over HTTP: the whole contract of `design/room.md`, and who is let in.

use crate::support::*;
use axum::body::Body;
use axum::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use voicelog_casework::Asked;
use voicelog_casework::disclosure::{self, Recipient};
use voicelog_model::{Clock, Pii, RecordingId};
use voicelog_web::{Audience, table};

/// A talk that somebody signed in opened, and into which a guest came.
pub(crate) struct Room<'s> {
    pub(crate) id: RecordingId,
    pub(crate) host: Browser<'s>,
    pub(crate) guest: Browser<'s>,
}

/// A browser that came in by the code of a talk of that host.
pub(crate) fn guest_of<'s>(site: &'s Site, id: RecordingId, number: u8) -> Browser<'s> {
    let host = site.rooms.host_seat(id, "beheer").unwrap();
    let code = site.rooms.state(&host).unwrap().code.unwrap();
    let token: [u8; 32] = Sha256::digest([number; 32]).into();
    site.rooms.join(&code, Some("Bram"), token).unwrap();
    let mut browser = Browser::new(site);
    let cookie = URL_SAFE_NO_PAD.encode([number; 32]);
    browser.cookies.insert("voicelog-room".to_owned(), cookie);
    browser
}

pub(crate) async fn room(site: &Site) -> Room<'_> {
    let host = Browser::signed_in(site).await;
    let id = site
        .rooms
        .open("beoordeling", "beheer", Some("Anna"))
        .unwrap();
    let guest = guest_of(site, id, 1);
    Room { id, host, guest }
}

pub(crate) async fn say(browser: &mut Browser<'_>, path: &str, body: &Value) -> Page {
    let request = browser
        .request("POST", path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    browser.send(request).await
}

pub(crate) async fn put(browser: &mut Browser<'_>, path: &str, digest: &str, chunk: &[u8]) -> Page {
    let request = browser
        .request("PUT", path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header("content-digest", digest)
        .body(Body::from(chunk.to_vec()))
        .unwrap();
    browser.send(request).await
}

pub(crate) fn digest(chunk: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(chunk)))
}

/// A second of samples from that second of the track on.
pub(crate) fn chunk(number: u32, before: &[u8; 32]) -> Vec<u8> {
    let mut chunk = b"VLRC\x01".to_vec();
    chunk.extend_from_slice(&number.to_be_bytes());
    chunk.extend_from_slice(before);
    for frame in 1..=100_u32 {
        let count = number * 100 + frame;
        chunk.push(1);
        chunk.extend_from_slice(&(i64::from(count) * 10_000).to_be_bytes());
        chunk.extend_from_slice(&972_u16.to_be_bytes());
        chunk.extend_from_slice(&[0x80, 112]);
        chunk.extend_from_slice(&u16::try_from(count).unwrap().to_be_bytes());
        chunk.extend_from_slice(&(count * 480).to_be_bytes());
        chunk.extend_from_slice(&7_u32.to_be_bytes());
        chunk.extend((0..480_u16).flat_map(|place| (place * 60).to_be_bytes()));
    }
    chunk
}

fn problem(page: &Page) -> (u16, String, Value) {
    assert_eq!(
        page.header(header::CONTENT_TYPE),
        "application/problem+json",
        "{}",
        page.text()
    );
    let body = page.json();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    (page.status.as_u16(), code, body["next"].clone())
}

#[tokio::test]
async fn a_talk_is_agreed_recorded_paused_and_ended_and_its_copy_verifies() {
    let site = site();
    let Room {
        id,
        mut host,
        mut guest,
    } = room(&site).await;
    let at = |rest: &str| format!("/rooms/{id}/{rest}");
    let state = host.get(&at("state?after=0")).await.json();
    assert_eq!(
        (&state["phase"], &state["me"]),
        (&json!("waiting"), &json!("p1"))
    );
    assert_eq!(state["code"].as_str().unwrap().len(), 8);
    let state = say(&mut guest, &at("choice"), &json!({ "choice": "agreed" }))
        .await
        .json();
    assert_eq!(
        (&state["phase"], &state["me"]),
        (&json!("ready"), &json!("p2"))
    );
    assert!(state.get("code").is_none(), "a guest does not see the code");
    let state = say(&mut host, &at("acts"), &json!({ "act": "start" }))
        .await
        .json();
    assert_eq!(state["phase"], "recording");
    let track = json!({ "codec": "L16/48000", "payload_type": 112 });
    let opened = say(&mut host, &at("tracks"), &track).await;
    assert_eq!(opened.status, StatusCode::CREATED);
    let zeros = "0".repeat(64);
    assert_eq!(
        opened.json(),
        json!({ "track": 1, "now_us": 0, "next": 0, "chain": zeros, "is_open": true })
    );
    let chain = hand_over_three(&site, &mut host, &at("tracks/1")).await;
    let state = say(&mut guest, &at("acts"), &json!({ "act": "pause" }))
        .await
        .json();
    assert_eq!(
        (&state["phase"], &state["paused_by"]),
        (&json!("paused"), &json!("p2"))
    );
    site.clock.advance_micros(2_000_000);
    let state = say(&mut host, &at("acts"), &json!({ "act": "end" }))
        .await
        .json();
    assert_eq!(
        (&state["phase"], &state["recorded_us"]),
        (&json!("ended"), &json!(3_000_000))
    );
    let chain: String = chain.iter().map(|byte| format!("{byte:02x}")).collect();
    let held = host.get(&at("tracks/1")).await.json();
    assert_eq!((&held["next"], &held["chain"]), (&json!(3), &json!(chain)));
    let end = json!({ "chunks": 3, "chain": chain });
    assert_eq!(
        say(&mut host, &at("tracks/1/end"), &end).await.json()["is_open"],
        false
    );
    closed(&site, id).await;
    let state = guest.get(&at("state")).await.json();
    let fingerprint = state["fingerprint"]["digest"].as_str().map(str::to_owned);
    assert_eq!(fingerprint, site.archive.fingerprint(id).unwrap());
    copy_verifies(&site, id);
}

/// A second of silence in Opus from that second of the track on.
fn opus_chunk(number: u32, before: &[u8; 32]) -> Vec<u8> {
    let mut chunk = b"VLRC\x01".to_vec();
    chunk.extend_from_slice(&number.to_be_bytes());
    chunk.extend_from_slice(before);
    for frame in 1..=50_u32 {
        let count = number * 50 + frame;
        chunk.push(1);
        chunk.extend_from_slice(&(i64::from(count) * 20_000).to_be_bytes());
        chunk.extend_from_slice(&15_u16.to_be_bytes());
        chunk.extend_from_slice(&[0x80, 111]);
        chunk.extend_from_slice(&u16::try_from(count).unwrap().to_be_bytes());
        chunk.extend_from_slice(&(count * 960).to_be_bytes());
        chunk.extend_from_slice(&7_u32.to_be_bytes());
        chunk.extend_from_slice(&[0xf8, 0xff, 0xfe]);
    }
    chunk
}

#[tokio::test]
async fn the_copy_of_a_long_talk_takes_no_more_memory_than_its_packets() {
    // As samples these seconds would take 2 MB, as packets they take some kB.
    let site = site_with(|config| config.recording_bytes_max = 1 << 20);
    let mut room = room(&site).await;
    let (id, at) = (room.id, |rest: &str| format!("/rooms/{}/{rest}", room.id));
    let (choice, acts, tracks) = (at("choice"), at("acts"), at("tracks"));
    say(&mut room.guest, &choice, &json!({ "choice": "agreed" })).await;
    say(&mut room.host, &acts, &json!({ "act": "start" })).await;
    let track = json!({ "codec": "opus/48000/2", "payload_type": 111 });
    say(&mut room.host, &tracks, &track).await;
    let mut chain = [0; 32];
    for number in 0..3 {
        site.clock.advance_micros(1_000_000);
        let chunk = opus_chunk(number, &chain);
        let path = format!("{tracks}/1/chunks/{number}");
        let taken = put(&mut room.host, &path, &digest(&chunk), &chunk).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
        chain = Sha256::digest(&chunk).into();
    }
    say(&mut room.host, &acts, &json!({ "act": "end" })).await;
    let chain: String = chain.iter().map(|byte| format!("{byte:02x}")).collect();
    let end = json!({ "chunks": 3, "chain": chain });
    say(&mut room.host, &format!("{tracks}/1/end"), &end).await;
    closed(&site, id).await;
    let copy = room.guest.post(&format!("/rooms/{id}/copy"), &[]).await;
    assert_eq!(
        copy.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&copy.bytes)
    );
    assert!(voicelog_evidence::verify::verify(&copy.bytes, None).holds());
}

/// Waits until a talk that ended is closed.
pub(crate) async fn closed(site: &Site, id: RecordingId) {
    let seat = site.rooms.host_seat(id, "beheer").unwrap();
    let mut changes = site.rooms.changes(&seat).unwrap();
    while site.rooms.state(&seat).unwrap().fingerprint.is_none() {
        changes.changed().await.unwrap();
    }
}

/// Three seconds, a chunk each; the last chain.
async fn hand_over_three(site: &Site, host: &mut Browser<'_>, track: &str) -> [u8; 32] {
    let mut chain = [0; 32];
    for number in 0..3 {
        site.clock.advance_micros(1_000_000);
        let chunk = chunk(number, &chain);
        let path = format!("{track}/chunks/{number}");
        let page = put(host, &path, &digest(&chunk), &chunk).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert_eq!(page.json()["next"], number + 1);
        assert!(page.json()["version"].as_u64() > Some(0));
        chain = Sha256::digest(&chunk).into();
    }
    chain
}

/// The copy that a person concerned gets.
fn copy_verifies(site: &Site, id: RecordingId) {
    let asker = Pii::new("beheer".to_owned());
    let now = site.clock.now();
    let copy = disclosure::bundle(&site.archive, id, &asker, Recipient::DataSubject, None, now);
    let Asked::Given(copy) = copy.unwrap() else {
        panic!("refused")
    };
    let report = voicelog_evidence::verify::verify(&copy.bundle, None);
    assert!(report.holds());
    let manifest = site.archive.detail(id).unwrap().manifest.unwrap();
    assert_eq!(manifest.provenance, voicelog_evidence::Provenance::Room);
}

/// A talk that is being recorded, with one track of the host's.
async fn recorded(site: &Site) -> Room<'_> {
    let mut room = room(site).await;
    let at = |rest: &str| format!("/rooms/{}/{rest}", room.id);
    let (choice, acts, tracks) = (at("choice"), at("acts"), at("tracks"));
    let too = json!({ "choice": "records_too" });
    say(&mut room.guest, &choice, &too).await;
    say(&mut room.host, &acts, &json!({ "act": "start" })).await;
    let track = json!({ "codec": "L16/48000", "payload_type": 112 });
    say(&mut room.host, &tracks, &track).await;
    room
}

fn is(page: &Page, status: u16, code: &str, next: Value) {
    assert_eq!(problem(page), (status, code.to_owned(), next));
}

#[tokio::test]
async fn what_a_device_hands_over_wrongly_is_a_problem_with_where_to_go_on() {
    let site = site();
    let mut room = recorded(&site).await;
    let of = |number: u32| format!("/rooms/{}/tracks/1/chunks/{number}", room.id);
    let (path, next) = (of(0), of(1));
    let (first, ahead) = (chunk(0, &[0; 32]), chunk_ahead());
    let (right, large, larger) = (digest(&first), vec![0; 262_145], vec![0; 100 * 262_144]);
    let (zero, none) = (json!(0), Value::Null);
    for (path, digest, body, status, code, next) in [
        (
            &next,
            right.clone(),
            &first[..],
            409,
            "chunk-out-of-turn",
            &zero,
        ),
        (&path, digest(b"x"), &first, 400, "digest-mismatch", &none),
        (&path, String::new(), &first, 400, "digest-missing", &none),
        (
            &path,
            digest(b"VLRC"),
            b"VLRC",
            422,
            "chunk-malformed",
            &zero,
        ),
        (&path, right.clone(), &ahead, 400, "digest-mismatch", &none),
        (&path, digest(&ahead), &ahead, 422, "chunk-malformed", &zero),
        (&path, digest(&large), &large, 413, "chunk-too-large", &none),
    ] {
        let page = put(&mut room.host, path, &digest, body).await;
        is(&page, status, code, next.clone());
    }
    let page = put(&mut room.host, &path, &right, &larger).await;
    is(&page, 413, "chunk-too-large", Value::Null);
    let page = put(&mut room.guest, &path, &right, &first).await;
    is(&page, 404, "", Value::Null);
}

#[tokio::test]
async fn a_chunk_said_again_is_acknowledged_and_another_one_or_one_after_the_end_is_not() {
    let site = site();
    let mut room = recorded(&site).await;
    let at = |rest: &str| format!("/rooms/{}/tracks/1/{rest}", room.id);
    let (path, next, end) = (at("chunks/0"), at("chunks/1"), at("end"));
    let (first, other) = (chunk(0, &[0; 32]), chunk(0, &[1; 32]));
    site.clock.advance_micros(1_000_000);
    for _said_again in 0..2 {
        let page = put(&mut room.host, &path, &digest(&first), &first).await;
        assert_eq!(page.json()["next"], 1);
    }
    let page = put(&mut room.host, &path, &digest(&other), &other).await;
    is(&page, 409, "chunk-differs", json!(1));
    let chain = Sha256::digest(&first);
    let hex: String = chain.iter().map(|byte| format!("{byte:02x}")).collect();
    let page = say(&mut room.host, &end, &json!({ "chunks": 2, "chain": hex })).await;
    is(&page, 409, "chunk-out-of-turn", json!(1));
    say(&mut room.host, &end, &json!({ "chunks": 1, "chain": hex })).await;
    let late = chunk(1, &chain.into());
    let page = put(&mut room.host, &next, &digest(&late), &late).await;
    is(&page, 410, "track-ended", json!(1));
}

#[tokio::test]
async fn what_nobody_can_mean_and_what_is_not_theirs_to_say_is_a_problem() {
    let site = site();
    let mut room = recorded(&site).await;
    let at = |rest: &str| format!("/rooms/{}/{rest}", room.id);
    let (acts, tracks) = (at("acts"), at("tracks"));
    for (address, body) in [
        (at("choice"), json!({ "choice": "perhaps" })),
        (acts.clone(), json!({ "act": "record" })),
        (tracks.clone(), json!({})),
        (at("tracks/1/end"), json!({ "chunks": 1, "chain": "00" })),
    ] {
        let page = say(&mut room.host, &address, &body).await;
        assert_eq!(problem(&page).0, 400, "{address}");
    }
    let pcma = json!({ "codec": "PCMA", "payload_type": 8 });
    assert_eq!(problem(&say(&mut room.host, &tracks, &pcma).await).0, 422);
    let end = json!({ "act": "end" });
    assert_eq!(problem(&say(&mut room.guest, &acts, &end).await).0, 403);
    let resume = json!({ "act": "resume" });
    let page = say(&mut room.host, &acts, &resume).await;
    is(&page, 409, "not-now", Value::Null);
}

/// A chunk that claims to be captured ten seconds from now.
#[tokio::test]
async fn the_notice_is_played_from_here_and_the_state_says_what_came_of_it() {
    let site = site();
    let mut room = room(&site).await;
    let id = room.id;
    let state = room.host.get(&format!("/rooms/{id}/state")).await;
    assert_eq!(state.json()["notice"], Value::Null);
    let file = room.host.get(&format!("/rooms/{id}/notice")).await;
    assert_eq!(
        (file.status, file.text()),
        (StatusCode::OK, "RIFF a file of sound")
    );
    assert_eq!(file.headers[header::CONTENT_TYPE], "audio/wav");
    assert_eq!(file.headers[header::CACHE_CONTROL], "no-store");
    let stranger = Browser::new(&site)
        .get(&format!("/rooms/{id}/notice"))
        .await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let other = crate::support::site();
    let recorded = recorded(&other).await;
    let state = format!("/rooms/{}/state", recorded.id);
    let mut host = recorded.host;
    assert_eq!(host.get(&state).await.json()["notice"], "awaited");
}

fn chunk_ahead() -> Vec<u8> {
    let mut ahead = chunk(10, &[0; 32]);
    ahead[5..9].copy_from_slice(&0_u32.to_be_bytes());
    ahead
}

#[tokio::test]
async fn only_who_is_in_a_talk_gets_anything_of_it() {
    let site = site();
    let Room { id, host, guest } = room(&site).await;
    let other = site
        .rooms
        .open("beoordeling", "Iemand-anders", None)
        .unwrap();
    let strangers = [(Browser::new(&site), id), (guest, other), (host, other)];
    for (mut browser, id) in strangers {
        for (audience, method, path) in table() {
            if audience != Audience::InRoom {
                continue;
            }
            let id = id.to_string();
            let path = path
                .replace("{id}", &id)
                .replace("{track}", "1")
                .replace("{chunk}", "0");
            let page = match method {
                "GET" => browser.get(&path).await,
                "PUT" => put(&mut browser, &path, &digest(b"x"), b"x").await,
                // The pages take forms.
                _ if path == format!("/rooms/{id}")
                    || ["/copy", "/minutes", "/requests"]
                        .iter()
                        .any(|end| path.ends_with(end)) =>
                {
                    browser.post(&path, &[("choice", "agreed")]).await
                }
                _ => say(&mut browser, &path, &json!({ "choice": "agreed" })).await,
            };
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{method} {path}");
            assert!(!page.shows("Anna"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_cookie_of_a_guest_opens_nothing_else() {
    let site = site();
    let Room { mut guest, .. } = room(&site).await;
    let cookie = guest.cookies["voicelog-room"].clone();
    // Nor where it is taken for the cookie of a login.
    guest.cookies.insert("voicelog".to_owned(), cookie);
    for (audience, method, path) in table() {
        if method != "GET" || audience != Audience::SignedIn {
            continue;
        }
        let path = path.replace("{id}", &site.filled().whole.to_string());
        let page = guest.get(&path.replace("{token}", &"A".repeat(43))).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.location().starts_with("/login"), "{path}");
    }
    let page = guest.get("/v1/recordings").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_other_site_can_make_a_browser_act_in_a_talk() {
    let site = site();
    let Room { id, mut host, .. } = room(&site).await;
    let path = format!("/rooms/{id}/acts");
    for (site_of, kind, status) in [
        ("cross-site", "application/json", StatusCode::FORBIDDEN),
        ("same-site", "application/json", StatusCode::FORBIDDEN),
        ("none", "application/json", StatusCode::FORBIDDEN),
        (
            "same-origin",
            "text/plain",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "same-origin",
            "application/x-www-form-urlencoded",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "same-origin",
            "application/json; charset=utf-8",
            StatusCode::OK,
        ),
    ] {
        let request = host
            .request("POST", &path)
            .header("sec-fetch-site", site_of)
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(r#"{"act":"end"}"#))
            .unwrap();
        let page = host.send(request).await;
        assert_eq!(page.status, status, "{site_of} {kind}: {}", page.text());
    }
}

#[expect(clippy::disallowed_methods, reason = "that nothing comes has no event")]
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn a_question_for_a_newer_state_waits_for_one() {
    let site = site();
    let Room {
        id,
        mut host,
        mut guest,
    } = room(&site).await;
    let version = host.get(&format!("/rooms/{id}/state")).await.json()["version"].clone();
    let waits = format!("/rooms/{id}/state?after={version}");
    let request = host.request("GET", &waits).body(Body::empty()).unwrap();
    let waiting = tokio::spawn(send_to(site.router.clone(), request));
    a_moment().await;
    assert!(!waiting.is_finished());
    let agreed = json!({ "choice": "agreed" });
    say(&mut guest, &format!("/rooms/{id}/choice"), &agreed).await;
    let newer = waiting.await.unwrap().json();
    assert!(newer["version"].as_u64() > version.as_u64());
    assert_eq!(newer["parties"][1]["choice"], "agreed");
}

async fn send_to(router: axum::Router, request: axum::http::Request<Body>) -> Page {
    send(&router, request).await
}
