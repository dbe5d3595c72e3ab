//! What stands on the pages.

use crate::fixture::{ADDRESS, NAME};
use crate::support::*;
use axum::http::StatusCode;
use voicelog_evidence::receipt::Receipt;
use voicelog_web::Pause;

#[tokio::test]
async fn the_list_shows_every_conversation_with_its_verdict_in_words() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/").await;
    for text in [
        "Whole</span>",
        "Whole, with declared gaps</span>",
        "Beware: undeclared gap</span>",
        "Not recorded</span>",
        "Destroyed</span>",
        "In progress, not recorded",
        "(erased)",
    ] {
        assert!(page.shows(text), "{text}");
    }
    assert!(
        page.shows("19 November 2026 11:02:00"),
        "in Dutch local time"
    );
    browser.lang = "nl";
    let page = browser.get("/").await;
    assert!(
        page.shows("<html lang=\"nl\">") && page.shows("Let op: onverklaarde onderbreking</span>")
    );
}

#[tokio::test]
async fn the_list_can_be_narrowed_by_state_and_day() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let whole = format!("/recordings/{}", site.filled().whole);
    let refused = format!("/recordings/{}", site.filled().refused);
    let page = browser.get("/?state=not_recorded&from=&to=").await;
    assert!(page.shows(&refused) && !page.shows(&whole));
    let page = browser.get("/?from=2026-11-19&to=2026-11-19").await;
    assert!(page.shows(&whole) && !page.shows(&refused));
    let page = browser.get("/?state=destroying").await;
    assert!(page.shows("No recordings found"));
    for wrong in ["/?state=kept", "/?from=19-11-2026", "/?after=1"] {
        assert_eq!(
            browser.get(wrong).await.status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_recording_says_its_verdict_first_then_why_it_was_permitted() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .get(&format!("/recordings/{}", site.filled().whole))
        .await;
    let text = page.text();
    let verdict = text
        .find("Nothing is missing.")
        .expect("the verdict in a sentence");
    let decision = text.find("May this conversation be recorded?").unwrap();
    let timeline = text.find("<h2 id=\"timeline\">").unwrap();
    let proof = text.find("<h2 id=\"proof\">").unwrap();
    assert!(verdict < timeline && timeline < decision && decision < proof);
    assert!(page.shows("Permitted, with duties</span>"));
    assert!(
        page.shows("before the first second"),
        "when a duty must be met, in words"
    );
    assert!(page.shows("This recording is in the log at place"));
    assert!(page.shows("voicelog/pages\n"), "the checkpoint");
}

#[tokio::test]
async fn the_timeline_says_in_picture_and_table_why_recording_started_late() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .get(&format!("/recordings/{}", site.filled().declared))
        .await;
    assert!(page.shows("<title id=\"bar-1-title\">") && page.shows("<desc id=\"bar-1-desc\">"));
    assert!(
        page.shows("pattern-dots") && page.shows("pattern-slant") && page.shows("pattern-upright")
    );
    let row = page.between("Not recorded yet</td>", "</tr>");
    assert!(row.contains("StGB"), "{row}");
    assert!(page.shows("00:07.000"));
    assert!(page.shows("Paused</td>") && page.shows("by the telephone exchange"));
    assert!(page.shows("6 packets"), "the loss is counted");
}

#[tokio::test]
async fn what_a_sender_says_of_its_own_clock_stands_apart_as_its_claim_in_both_languages() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let told = format!("/recordings/{}", site.filled().parts[1]);
    let page = browser.get(&told).await;
    assert!(page.shows("<h2 id=\"senders\">What the senders said themselves</h2>"));
    assert!(page.shows("Nobody else vouches for it."));
    assert!(
        page.shows("at 00:01, says the sender; until 00:03 moved +20 ms against our clock"),
        "{}",
        page.between("id=\"senders\"", "</section>")
    );
    assert!(page.shows("sender left: stream 1: at 00:03, says the sender"));
    let silent = format!("/recordings/{}", site.filled().whole);
    assert!(!browser.get(&silent).await.shows("id=\"senders\""));
    browser.lang = "nl";
    let page = browser.get(&told).await;
    assert!(page.shows("klok van de zender: stroom 1: ") && page.shows("+20 ms verschoven"));
    assert!(page.shows("zender gestopt: stroom 1: op 00:03, zegt de zender"));
}

#[tokio::test]
async fn a_refused_call_has_no_sound_to_ask_for() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .get(&format!("/recordings/{}", site.filled().refused))
        .await;
    assert!(page.shows("Not a single sample of it was kept."));
    assert!(page.shows("Not permitted"));
    assert!(!page.shows("name=\"reason\"") && !page.shows("name=\"recipient\""));
}

#[tokio::test]
async fn a_destroyed_recording_shows_its_certificate_and_nothing_else() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .get(&format!("/recordings/{}", site.filled().destroyed))
        .await;
    assert!(page.shows("Certificate of destruction") && page.shows("(erased)"));
    assert!(!page.shows("name=\"reason\"") && !page.shows("Destroy…"));
}

#[tokio::test]
async fn no_page_but_the_player_names_anybody() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let filled = site.filled();
    let mut paths = vec![
        "/".to_owned(),
        "/log".to_owned(),
        "/health".to_owned(),
        "/healthz".to_owned(),
    ];
    for id in [
        filled.whole,
        filled.declared,
        filled.undeclared,
        filled.refused,
        filled.destroyed,
        filled.waiting,
    ] {
        paths.push(format!("/recordings/{id}"));
        paths.push(format!("/recordings/{id}/listen"));
    }
    for path in paths {
        let page = browser.get(&path).await;
        for personal in [NAME, "Jansen", ADDRESS, "+31201234567", "2001@voorbeeld"] {
            assert!(!page.shows(personal), "{path} shows {personal}");
        }
    }
}

#[tokio::test]
async fn a_receipt_is_shown_as_text_and_code_and_holds() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let id = site.filled().whole;
    let link = format!("/recordings/{id}/receipt");
    assert!(browser.get(&format!("/recordings/{id}")).await.shows(&link));
    let page = browser.get(&link).await;
    assert!(page.shows("<svg class=\"qr\"") && page.shows("role=\"img\""));
    // What the page shows is what programs get, and holds by itself.
    let answer = program(&site, "GET", &format!("/v1{link}"), "").await;
    let text = answer.text();
    let checkpoint = text.rsplit_once("\n\n").unwrap().0;
    assert!(page.shows(checkpoint), "{text}");
    let receipt = Receipt::parse(text.as_bytes()).unwrap();
    assert_eq!(receipt.leaf.object, id.to_string());
    receipt.verify(&receipt.key).unwrap();
    for personal in [NAME, ADDRESS] {
        assert!(!text.contains(personal));
    }
    let running = format!("/v1/recordings/{}/receipt", site.filled().waiting);
    let running = program(&site, "GET", &running, "").await;
    assert_eq!(running.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_log_shows_checkpoint_key_and_newest_entries() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/log").await;
    let checkpoint = site.archive.checkpoint().unwrap().unwrap();
    assert!(page.shows(checkpoint.lines().nth(2).unwrap()), "the root");
    assert!(page.shows("voicelog/pages+"), "the key");
    assert!(page.shows(&format!("<dd>{}</dd>", site.archive.log_size().unwrap())));
    let destroyed = page.text().find("Destroyed</td>").unwrap();
    let recorded = page.text().find("Recorded</td>").unwrap();
    assert!(destroyed < recorded, "newest first");
}

#[tokio::test]
async fn health_is_told_briefly_to_a_monitor_and_in_words_to_people() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/healthz").await;
    assert_eq!(
        (page.status, page.json()),
        (StatusCode::OK, serde_json::json!({ "status": "ok" }))
    );
    assert!(browser.get("/health").await.shows("Everything works"));
    *site.recorder.0.lock().unwrap() = Some(Pause::DiskFull);
    let page = browser.get("/healthz").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.json()["reason"], "disk_full");
    assert!(
        browser
            .get("/health")
            .await
            .shows("The disk is full. Make room.")
    );
    assert!(browser.get("/").await.shows("No new calls are taken now."));
}

#[tokio::test]
async fn the_language_follows_the_browser_until_somebody_chooses() {
    let site = site();
    let mut browser = Browser::new(&site);
    browser.lang = "nl-BE, en;q=0.5";
    assert!(browser.get("/login").await.shows("<html lang=\"nl\">"));
    let page = browser.get("/login?lang=en").await;
    assert!(page.shows("<html lang=\"en\">") && page.shows("href=\"/login?lang=nl\""));
    assert!(
        browser.get("/login").await.shows("<html lang=\"en\">"),
        "the choice is kept"
    );
}

#[tokio::test]
async fn an_empty_archive_teaches_what_to_do_and_a_narrow_filter_does_not() {
    let empty = empty_site();
    let mut browser = Browser::signed_in(&empty).await;
    let page = browser.get("/").await;
    assert!(page.shows("There are no recordings yet"));
    assert!(
        page.shows("sip:verkoop@127.0.0.1:5060"),
        "where a recording client calls"
    );
    assert!(browser.get("/log").await.shows("Account made"));
    let page = browser.get("/?state=sealed").await;
    assert!(page.shows("No recordings found") && !page.shows("There are no recordings yet"));
}

#[tokio::test]
async fn what_was_never_recorded_cannot_be_destroyed() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let refused = format!("/recordings/{}", site.filled().refused);
    let page = browser.get(&refused).await;
    assert!(!page.shows("/destroy\""));
    let whole = format!("/recordings/{}", site.filled().whole);
    assert!(browser.get(&whole).await.shows("/destroy\""));
}

#[tokio::test]
async fn the_log_can_be_read_to_its_first_entry() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    for _ in 0..50 {
        site.archive
            .ask_to_destroy(site.filled().whole, NOW)
            .unwrap();
    }
    site.archive.sequence().unwrap();
    let size = site.archive.log_size().unwrap();
    let page = browser.get("/log").await;
    let (first, newest) = (size - 49, size);
    assert!(page.shows(&format!("</span>{newest}</th>")) && !page.shows("To the newest"));
    let older = page.between("rel=\"next\" href=\"", "\"").to_owned();
    assert_eq!(older, format!("/log?before={first}"));
    let page = browser.get(&older).await;
    assert!(page.shows("</span>1</th>") && page.shows("To the newest"));
    assert!(!page.shows("rel=\"next\"") && !page.shows(&format!("</span>{first}</th>")));
    let page = browser.get("/log?before=0").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        browser.get("/log?before=-1").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_conversation_in_parts_stands_once_in_the_list_with_all_of_them() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/").await;
    assert_eq!(page.text().matches("one conversation in").count(), 1);
    let talk = page.between("<tbody role=\"rowgroup\" class=\"talk\">", "</tbody>");
    let places: Vec<_> = site
        .filled()
        .parts
        .iter()
        .map(|id| talk.find(&format!("/recordings/{id}")).expect("each part"))
        .collect();
    assert!(places.is_sorted(), "oldest first");
    assert!(talk.contains("3 parts") && talk.contains("Destroyed</span>"));
    assert!(talk.contains("the same talk once more, from another recording client"));
    // It stands where the part stands that the filter takes.
    let page = browser.get("/?state=destroyed").await;
    assert!(page.shows("3 parts"));
    let page = browser.get("/?state=not_recorded").await;
    assert!(!page.shows("3 parts"));
}

#[tokio::test]
async fn a_part_says_which_it_is_and_leads_to_the_others() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let [first, second, third] = site.filled().parts;
    let page = browser.get(&format!("/recordings/{second}")).await;
    assert!(page.shows("Part 2 of 3 of one conversation"));
    assert!(page.shows("takes the place of another part (Replaces)"));
    let before = format!("rel=\"prev\" href=\"/recordings/{first}\"");
    let after = format!("rel=\"next\" href=\"/recordings/{third}\"");
    assert!(page.shows(&before) && page.shows(&after));
    assert!(page.shows("p3 joined at 00:02") && page.shows("p3 left at 00:04"));
    assert!(page.shows("stream 1: p1; the exchange says so itself, by a label"));
    assert!(page.shows("stream 2: p2; a guess by the order"));
    assert!(page.shows("a stream had a label that the metadata does not know"));
    browser.lang = "nl";
    let page = browser.get(&format!("/recordings/{first}")).await;
    assert!(page.shows("Deelopname 1 van 3 van één gesprek") && !page.shows("rel=\"prev\""));
    let alone = browser
        .get(&format!("/recordings/{}", site.filled().whole))
        .await;
    assert!(!alone.shows("van één gesprek"));
}

#[tokio::test]
async fn a_clock_that_jumped_is_confirmed_on_the_page_of_health_or_by_a_program_that_knows_the_time()
 {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/health").await;
    assert!(!page.shows("The clock is right"));
    let nothing = program(
        &site,
        "POST",
        "/v1/clock/confirm",
        r#"{"at":"2026-11-21T10:00:00Z"}"#,
    )
    .await;
    assert_eq!(nothing.status, StatusCode::CONFLICT);
    site.archive.look_at_clock(NOW).unwrap();
    let days = NOW.plus_micros(20 * 86_400_000_000);
    assert!(site.archive.look_at_clock(days).is_err());

    // The jump is kept, so it has to be confirmed also where the clock went back.
    let page = browser.get("/health").await;
    assert!(
        page.shows("The clock is right") && page.shows("jumped"),
        "{}",
        page.text()
    );
    let far = program(
        &site,
        "POST",
        "/v1/clock/confirm",
        r#"{"at":"2031-01-01T00:00:00Z"}"#,
    )
    .await;
    assert_eq!(far.status, StatusCode::CONFLICT);
    let wrong = program(&site, "POST", "/v1/clock/confirm", r#"{"at":"now"}"#).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    // A page that was opened long ago is no word about the clock of now.
    let old = browser
        .post("/health/clock", &[("at", "2026-01-01T00:00:00Z")])
        .await;
    assert_eq!(old.status, StatusCode::SEE_OTHER);
    assert!(site.archive.must_believe_clock(NOW).is_err());

    let said = NOW.to_string();
    let page = browser.post("/health/clock", &[("at", &said)]).await;
    assert_eq!(
        (page.status, page.location()),
        (StatusCode::SEE_OTHER, "/health")
    );
    site.archive.must_believe_clock(NOW).unwrap();
    assert!(!browser.get("/health").await.shows("The clock is right"));

    assert!(site.archive.look_at_clock(days).is_err());
    let body = format!(r#"{{"at":"{said}"}}"#);
    let page = program(&site, "POST", "/v1/clock/confirm", &body).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    site.archive.must_believe_clock(NOW).unwrap();
}
