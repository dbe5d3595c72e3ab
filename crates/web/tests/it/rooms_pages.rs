//! The pages of a talk in a room: starting, coming in, choosing without script, the end and the copy.

use crate::rooms::{Room, chunk, closed, digest, put, room, say};
use crate::support::*;
use axum::http::{StatusCode, header};
use serde_json::json;
use sha2::{Digest, Sha256};
use voicelog_room::Phase;

/// The code that the host's page shows.
async fn code_on(host: &mut Browser<'_>, path: &str) -> String {
    let page = host.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let code = page.between("class=\"code-large\">", "<").replace(' ', "");
    assert_eq!(code.len(), 8);
    code
}

#[tokio::test]
async fn a_guest_reads_comes_in_and_chooses_without_script() {
    let site = site();
    let mut host = Browser::signed_in(&site).await;
    let list = host.get("/rooms?lang=nl").await;
    assert!(list.shows("Beoordelingsgesprek"));
    let started = host
        .post(
            "/rooms",
            &[("kind", "beoordeling"), ("name", "Anna de Vries")],
        )
        .await;
    assert_eq!(started.status, StatusCode::SEE_OTHER);
    let talk = started.location().to_owned();
    let code = code_on(&mut host, &talk).await;

    let mut guest = Browser::new(&site);
    let (first, last) = code.split_at(4);
    let typed = format!("{} {last}", first.to_lowercase());
    let way = guest.post("/join", &[("code", &typed)]).await;
    assert_eq!(way.status, StatusCode::SEE_OTHER, "{}", way.text());
    let terms = guest.get(&format!("{}?lang=nl", way.location())).await;
    for told in [
        "Anna de Vries, voor Smit en Zonen.",
        "bewijs van een overeenkomst",
        "1 jaar",
        "AVG art. 15",
    ] {
        assert!(terms.shows(told), "{told}");
    }
    let entered = guest.post(way.location(), &[("name", "Bram")]).await;
    assert_eq!(entered.location(), talk);
    assert!(entered.header(header::SET_COOKIE).contains("HttpOnly"));
    let page = guest.get(&talk).await;
    assert!(
        page.shows("Ik vind het goed") && !page.shows(&code),
        "a guest sees no code"
    );
    assert_eq!(
        guest.post(&talk, &[("choice", "agreed")]).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(guest.get(&talk).await.shows("U heeft gekozen"));
    let too_much = guest.post(&talk, &[("act", "start")]).await;
    assert_eq!(too_much.status, StatusCode::FORBIDDEN);
    assert!(too_much.shows("Dit kan alleen degene die het gesprek begon"));
    host.post(&talk, &[("act", "start")]).await;
    assert!(guest.get(&talk).await.shows("Er wordt opgenomen."));
    // Whoever is in it already comes back to it, and takes no second place.
    assert_eq!(guest.get(way.location()).await.location(), talk);
    assert_eq!(host.get(way.location()).await.location(), talk);
}

#[tokio::test]
async fn codes_cannot_be_tried_in_numbers_and_the_right_one_costs_nothing() {
    let site = site();
    let mut host = Browser::signed_in(&site).await;
    let started = host.post("/rooms", &[("kind", "beoordeling")]).await;
    let code = code_on(&mut host, started.location()).await;
    let mut guest = Browser::new(&site);
    for _ in 0..30 {
        assert_eq!(
            guest.get(&format!("/join/{code}")).await.status,
            StatusCode::OK
        );
    }
    for _ in 0..10 {
        let wrong = guest.get("/join/22222222").await;
        assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    }
    let slower = guest.get("/join/22222222").await;
    assert_eq!(slower.status, StatusCode::TOO_MANY_REQUESTS);
    let even_right = guest.get(&format!("/join/{code}")).await;
    assert_eq!(even_right.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_employer_says_why_and_what_else_was_considered_and_the_law_hears_it() {
    let site = site();
    let mut host = Browser::signed_in(&site).await;
    let kind = ("kind", "functioneren");
    let empty = host
        .post("/rooms", &[kind, ("why", "  "), ("other_way", "minutes")])
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.shows("#why-functioneren") && !empty.shows("#other-functioneren"));
    assert!(empty.shows("minutes"), "what was filled in stays");
    assert!(site.rooms.of_host("beheer").is_empty());
    let why = ("why", "earlier agreements are disputed");
    let started = host
        .post("/rooms", &[kind, why, ("other_way", "minutes")])
        .await;
    assert_eq!(started.status, StatusCode::SEE_OTHER);
    let calls = site.archive.calls();
    let call = calls
        .iter()
        .find(|call| started.location().ends_with(&call.id.to_string()));
    let weighing = &call.unwrap().said["lia"];
    assert_eq!(weighing["interest"], "earlier agreements are disputed");
    assert_eq!(weighing["alternatives_considered"], json!(["minutes"]));
    let unknown = host.post("/rooms", &[("kind", "verkoop")]).await;
    assert_eq!(
        unknown.status,
        StatusCode::NOT_FOUND,
        "a line is no kind of talk"
    );
}

#[tokio::test]
async fn only_the_pages_of_a_talk_run_our_script_and_may_use_the_microphone() {
    let site = site();
    let Room {
        id,
        mut host,
        mut guest,
    } = room(&site).await;
    let policy = |page: &Page| page.header(header::CONTENT_SECURITY_POLICY).to_owned();
    for page in [
        host.get(&format!("/rooms/{id}")).await,
        guest.get(&format!("/rooms/{id}")).await,
    ] {
        for part in [
            "script-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "default-src 'none'",
        ] {
            assert!(policy(&page).contains(part), "{part}");
        }
        assert!(
            page.header("permissions-policy")
                .contains("microphone=(self)")
        );
        let script = page.between("<script src=\"", "\"").to_owned();
        let sent = guest.get(&script).await;
        assert_eq!(
            sent.header(header::CONTENT_TYPE),
            "text/javascript; charset=utf-8"
        );
    }
    for path in ["/", "/rooms", "/join", "/log", "/mag-ik-opnemen"] {
        let page = host.get(path).await;
        assert!(!policy(&page).contains("script-src"), "{path}");
        assert!(
            page.header("permissions-policy").contains("microphone=()"),
            "{path}"
        );
        assert!(!page.shows("<script"), "{path}");
    }
}

/// Records a second, and ends the talk.
pub(crate) async fn recorded(site: &Site, room: &mut Room<'_>) {
    let at = |rest: &str| format!("/rooms/{}/{rest}", room.id);
    say(
        &mut room.guest,
        &at("choice"),
        &json!({ "choice": "agreed" }),
    )
    .await;
    say(&mut room.host, &at("acts"), &json!({ "act": "start" })).await;
    let track = json!({ "codec": "L16/48000", "payload_type": 112 });
    say(&mut room.host, &at("tracks"), &track).await;
    site.clock.advance_micros(1_000_000);
    let first = chunk(0, &[0; 32]);
    put(
        &mut room.host,
        &at("tracks/1/chunks/0"),
        &digest(&first),
        &first,
    )
    .await;
    say(&mut room.host, &at("acts"), &json!({ "act": "end" })).await;
    let chain: String = Sha256::digest(&first)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let end = json!({ "chunks": 1, "chain": chain });
    say(&mut room.host, &at("tracks/1/end"), &end).await;
    closed(site, room.id).await;
}

#[tokio::test]
async fn at_the_end_both_get_the_same_copy_which_is_logged_and_not_for_ever() {
    let site = site();
    let mut room = room(&site).await;
    let talk = format!("/rooms/{}", room.id);
    let copy = format!("{talk}/copy");
    let early = room.guest.post(&copy, &[]).await;
    assert!(
        early.header(header::CONTENT_TYPE).starts_with("text/html"),
        "before the end there is none"
    );
    recorded(&site, &mut room).await;
    let words = {
        let seat = site.rooms.host_seat(room.id, "beheer").unwrap();
        let state = site.rooms.state(&seat).unwrap();
        assert_eq!(state.phase, Phase::Ended);
        state.fingerprint.unwrap().words
    };
    for browser in [&mut room.host, &mut room.guest] {
        let page = browser.get(&format!("{talk}?lang=nl")).await;
        for told in [words.as_str(), "0:01 opgenomen", "internet", "rechter"] {
            assert!(page.shows(told), "{told}");
        }
        let given = browser.post(&copy, &[]).await;
        assert_eq!(
            given.header(header::CONTENT_TYPE),
            "application/zip",
            "{}",
            given.text()
        );
        let report = voicelog_evidence::verify::verify(&given.bytes, None);
        assert!(report.holds());
    }
    let page = room
        .host
        .get(&format!("/recordings/{}?lang=en", room.id))
        .await;
    assert!(
        page.shows("p2") && page.shows("beheer"),
        "who got a copy stands there"
    );
    let mut stranger = Browser::new(&site);
    assert_eq!(
        stranger.post(&copy, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    site.clock.advance_micros(3_601 * 1_000_000);
    site.rooms.tick();
    assert_eq!(room.guest.get(&talk).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        room.guest.post(&copy, &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_host_closes_the_door_and_makes_a_new_code_without_script() {
    let site = site();
    let mut host = Browser::signed_in(&site).await;
    let started = host.post("/rooms", &[("kind", "beoordeling")]).await;
    let talk = started.location().to_owned();
    let first = code_on(&mut host, &talk).await;
    let done = host.post(&talk, &[("act", "close_door")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let closed = host.get(&talk).await;
    assert!(closed.shows("The door is closed") && !closed.shows("code-large"));
    host.post(&talk, &[("act", "renew_code")]).await;
    let second = code_on(&mut host, &talk).await;
    assert_ne!(first, second);
    let mut guest = Browser::new(&site);
    let dead = guest.get(&format!("/join/{first}")).await;
    assert_eq!(dead.status, StatusCode::NOT_FOUND);
    let alive = guest.get(&format!("/join/{second}")).await;
    assert_eq!(alive.status, StatusCode::OK);
    guest.post(&format!("/join/{second}"), &[]).await;
    let page = guest.get(&talk).await;
    assert!(!page.shows("renew_code"), "the door is the host's");
    let not_theirs = guest.post(&talk, &[("act", "renew_code")]).await;
    assert_eq!(not_theirs.status, StatusCode::FORBIDDEN);
    // The same while it is being recorded.
    guest.post(&talk, &[("choice", "agreed")]).await;
    host.post(&talk, &[("act", "start")]).await;
    let page = host.get(&format!("{talk}?lang=en")).await;
    assert!(page.shows("This talk is being recorded."));
    let door = page.between("id=\"door\"", ">").to_owned();
    assert!(!door.contains("hidden"), "{door}");
    host.post(&talk, &[("act", "renew_code")]).await;
    assert_ne!(second, code_on(&mut host, &talk).await);
}

#[tokio::test]
async fn a_no_that_a_program_tells_of_a_talk_in_a_room_ends_that_they_agree() {
    let site = site();
    let mut room = room(&site).await;
    let talk = format!("/rooms/{}", room.id);
    room.guest.post(&talk, &[("choice", "agreed")]).await;
    let path = format!("/v1/calls/{}/consent", room.id);
    let body = json!({ "participant": "p2", "consent": "refused", "marked_by": "Anna" });
    let told = program(&site, "POST", &path, &body.to_string()).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{}", told.text());
    let page = room.guest.get(&format!("{talk}?lang=en")).await;
    assert!(page.shows("rather not"));
}

#[tokio::test]
async fn of_a_talk_that_went_wrong_the_page_says_what_happened_and_what_to_do() {
    let site = site();
    let mut room = room(&site).await;
    let talk = format!("/rooms/{}", room.id);
    let at = |rest: &str| format!("{talk}/{rest}");
    room.guest.post(&talk, &[("choice", "agreed")]).await;
    room.host.post(&talk, &[("act", "start")]).await;
    let track = json!({ "codec": "L16/48000", "payload_type": 112 });
    say(&mut room.host, &at("tracks"), &track).await;
    site.clock.advance_micros(1_000_000);
    let first = chunk(0, &[0; 32]);
    put(
        &mut room.host,
        &at("tracks/1/chunks/0"),
        &digest(&first),
        &first,
    )
    .await;
    room.host.post(&talk, &[("act", "end")]).await;
    // Somebody else closes it first, so that it cannot be closed.
    let now = voicelog_model::Clock::now(&*site.clock);
    site.archive.finish_from_disk(room.id, now).unwrap();
    let chain: [u8; 32] = Sha256::digest(&first).into();
    let chain: String = chain.iter().map(|byte| format!("{byte:02x}")).collect();
    let end = json!({ "chunks": 1, "chain": chain });
    say(&mut room.host, &at("tracks/1/end"), &end).await;
    let seat = site.rooms.host_seat(room.id, "beheer").unwrap();
    let mut changes = site.rooms.changes(&seat).unwrap();
    while site.rooms.failures().is_empty() {
        changes.changed().await.unwrap();
    }
    let state = room.guest.get(&at("state")).await.json();
    assert_eq!(
        (&state["phase"], &state["ended_by"]),
        (&json!("ended"), &json!("failure"))
    );
    let page = room.host.get(&format!("{talk}?lang=nl")).await;
    assert!(
        page.shows("Er ging iets mis bij het bewaren"),
        "{}",
        page.text()
    );
    assert!(page.shows("opnieuw te starten") && !page.shows("wordt afgesloten"));
    let page = room.guest.get(&format!("{talk}?lang=en")).await;
    assert!(page.shows("ask the one who started the talk") && page.shows(&room.id.to_string()));
}
