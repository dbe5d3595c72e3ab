//! What the pages say of what went wrong on our side, and of what was left out on purpose.

use crate::support::*;
use serde_json::json;
use voicelog_archive::DiaryEntry;
use voicelog_web::Alarm;

#[tokio::test]
async fn a_recording_that_our_disk_cut_short_says_so_first_and_nowhere_that_it_is_whole() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let address = format!("/recordings/{}", site.filled().cut_short);
    let page = browser.get(&address).await;
    for text in [
        "Cut short by the recorder",
        "The recorder stopped at 00:03 because the disk was full; what was said after that is not recorded.",
        "From the start of the conversation to where the recorder stopped.",
        "Sound from the start. The recorder stopped at",
        "p2 said no to the recording with a key at 00:01; recording went on after that",
    ] {
        assert!(page.shows(text), "{text}");
    }
    for text in [
        "Sound from start to end",
        "to the end of the conversation",
        "Nothing is missing",
    ] {
        assert!(!page.shows(text), "{text}");
    }
    assert!(
        browser
            .get("/")
            .await
            .shows("Cut short by the recorder</span>")
    );
    browser.lang = "nl";
    let page = browser.get(&address).await;
    assert!(page.shows("De opnameserver stopte op 00:03 omdat de schijf vol was"));
}

#[tokio::test]
async fn a_call_that_was_not_drawn_is_never_told_as_unlawful() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let address = format!("/recordings/{}", site.filled().not_drawn);
    let page = browser.get(&address).await;
    assert!(page.shows("this one was not drawn") && page.shows("Not drawn: 1 in 10000, draw 0."));
    assert!(!page.shows("could not lawfully be recorded"));
    assert!(
        browser
            .get("/")
            .await
            .shows("Not drawn, not recorded</span>")
    );
    let place = browser.get("/log").await;
    assert!(place.shows("Not drawn for the sample"));
}

#[tokio::test]
async fn a_call_that_nobody_asked_to_keep_is_never_told_as_unlawful() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let address = format!("/recordings/{}", site.filled().not_requested);
    let page = browser.get(&address).await;
    assert!(page.shows("kept only if somebody on our side asks for it. Nobody did."));
    assert!(!page.shows("could not lawfully be recorded"));
    let list = browser.get("/").await;
    assert!(list.shows("Not asked for, not recorded</span>"));
    let place = browser.get("/log").await;
    assert!(place.shows("Nobody asked to keep it"));
}

#[tokio::test]
async fn a_typing_error_in_the_name_of_a_line_is_told_as_that_and_never_as_a_crime() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let address = format!("/recordings/{}", site.filled().not_set_up);
    let page = browser.get(&address).await;
    let (headline, rest) = page.text().split_once("<details><summary>").unwrap();
    for text in [
        "Line not set up",
        "a typing error",
        "What was called: verkop. That looks like the line: verkoop.",
    ] {
        assert!(headline.contains(text), "{text}");
    }
    for text in ["criminal", "offence", "lawfully", "May not"] {
        assert!(!headline.contains(text), "{text}");
    }
    assert!(rest.contains("<h2 id=\"proof\">"));
    let list = browser.get("/").await;
    assert!(list.shows("Line not set up</span>"));
    let health = browser.get("/health").await;
    assert!(health.shows("Called, but not set up"));
    assert!(health.shows("<span class=\"code\">verkop</span>"));
    assert!(health.shows("Looks like line <span class=\"code\">verkoop</span>"));
    // Of a number, which can be somebody's, there is not enough to call it.
    assert!(health.shows("+31·······78") && !health.shows("612345678"));
    browser.lang = "nl";
    assert!(browser.get(&address).await.shows("Lijn niet ingericht"));
    assert!(
        browser
            .get("/health")
            .await
            .shows("Gebeld, maar niet ingericht")
    );
}

#[tokio::test]
async fn the_health_page_has_every_address_at_which_calls_are_taken() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/health").await;
    for text in [
        "Address for the recording client, with UDP",
        "sip:verkoop@127.0.0.1:5060<",
        "Address for the recording client, with TLS",
        "sip:verkoop@127.0.0.1:5061;transport=tls<",
    ] {
        assert!(page.shows(text), "{text}");
    }
}

#[tokio::test]
async fn the_timeline_comes_before_the_decision_and_its_duties() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser
        .get(&format!("/recordings/{}", site.filled().declared))
        .await;
    let at = |text: &str| page.text().find(text).unwrap();
    assert!(at("id=\"verdict\"") < at("id=\"timeline\""));
    assert!(at("id=\"timeline\"") < at("id=\"decision\""));
}

#[tokio::test]
async fn an_alarm_that_stands_is_on_the_page_in_the_api_and_among_the_metrics() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let waiting = site.filled().waiting;
    let numbers = program(&site, "GET", "/v1/metrics", "").await;
    assert!(numbers.shows("voicelog_alarms{alarm=\"no_media\"} 0"));
    assert!(browser.get("/health").await.shows("Everything works"));
    *site.recorder.1.lock().unwrap() = vec![
        Alarm {
            word: "no_media",
            recording: Some(waiting),
            reason: None,
            since: NOW,
        },
        Alarm {
            word: "calls_refused",
            recording: None,
            reason: Some("tls_client_certificate_expired"),
            since: NOW,
        },
    ];
    let page = browser.get("/health").await;
    assert!(page.shows("Something is wrong") && page.shows("No sound comes that can be kept."));
    assert!(page.shows("the certificate of the exchange has lapsed"));
    assert!(page.shows(&format!("href=\"/recordings/{waiting}\"")));
    let call = browser.get(&format!("/recordings/{waiting}")).await;
    assert!(call.shows("No sound comes that can be kept.") && !call.shows("has lapsed"));
    let health = program(&site, "GET", "/v1/health", "").await.json();
    assert_eq!(health["alarms"][0]["alarm"], "no_media");
    assert_eq!(health["alarms"][0]["recording"], json!(waiting));
    assert_eq!(
        health["alarms"][1]["reason"],
        "tls_client_certificate_expired"
    );
    let numbers = program(&site, "GET", "/v1/metrics", "").await;
    assert!(numbers.shows("voicelog_alarms{alarm=\"no_media\"} 1"));
}

#[tokio::test]
async fn what_was_turned_away_in_the_last_hour_is_on_the_health_page() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let nothing = browser.get("/health").await;
    assert!(nothing.shows("Turned away in the last hour") && nothing.shows("Nothing."));
    let entry = |minutes: i64, what: &str, count| DiaryEntry {
        minute: NOW.plus_micros(-minutes * 60_000_000),
        what: what.to_owned(),
        count,
    };
    let entries = [
        entry(3, "refused_no_usable_stream", 4),
        entry(2, "refused_no_usable_stream", 3),
        entry(2, "tls_not_tls", 1),
        entry(2, "ran", 1),
        entry(70, "tls_failed", 9),
    ];
    site.filled().archive.add_to_diary(&entries).unwrap();
    let page = browser.get("/health").await;
    assert!(page.shows("no sound that can be recorded") && page.shows("7 ×"));
    assert!(page.shows("something else than TLS") && !page.shows("TLS: failed"));
    browser.lang = "nl";
    let page = browser.get("/health").await;
    assert!(
        page.shows("Geweigerd in het afgelopen uur")
            && page.shows("geen geluid dat op te nemen is")
    );
}
