//! Minutes that both sign: written, read on the other device, remarked on, signed, kept, and taken home by both.

use crate::rooms::{Room, room};
use crate::support::*;
use axum::http::StatusCode;
use serde_json::json;
use voicelog_evidence::verify::verify;

/// A talk that is not recorded, whose minutes the host wrote.
async fn written(site: &Site) -> (Room<'_>, String) {
    let mut room = room(site).await;
    let (talk, at) = (
        format!("/rooms/{}", room.id),
        format!("/rooms/{}/minutes", room.id),
    );
    room.guest.post(&talk, &[("choice", "rather_not")]).await;
    assert!(room.host.get(&format!("{talk}?lang=nl")).await.shows(&at));
    let text = ("text", "Wij spraken af:\r\n- morgen bellen");
    let put = room
        .host
        .post(&at, &[("do", "write"), ("version", "0"), text])
        .await;
    assert_eq!(put.status, StatusCode::SEE_OTHER, "{}", put.text());
    let read = room.guest.get(&format!("{at}?lang=nl")).await;
    assert!(read.shows("- morgen bellen") && read.shows("Ik teken deze versie"));
    (room, at)
}

#[tokio::test]
async fn both_sign_on_their_own_device_and_get_the_same_copy_that_verifies() {
    let site = site();
    let (mut room, at) = written(&site).await;
    room.host
        .post(&at, &[("do", "sign"), ("version", "1")])
        .await;
    let page = room.guest.get(&format!("{at}?lang=nl")).await;
    assert!(page.shows("heeft getekend om") && !page.shows("Vingerafdruk"));
    // The page of the talk says it too, and its script is told that there is something to show.
    let talk = format!("/rooms/{}", room.id);
    let state = room.guest.get(&format!("{talk}/state")).await.json();
    let told = json!({ "version": 1, "written_by": "p1", "signed": ["p1"], "remarks": 0, "is_kept": false });
    assert_eq!(state["minutes"], told);
    let page = room.guest.get(&format!("{talk}?lang=nl")).await;
    assert!(
        page.shows("versie 1 van Anna.") && page.shows("Lees en teken"),
        "{}",
        page.text()
    );
    let page = room.host.get(&format!("{talk}?lang=nl")).await;
    assert!(page.shows("Nog niet getekend: Bram.") && !page.shows("Lees en teken"));
    let no_copy = room.guest.post(&format!("{at}/copy"), &[]).await;
    assert_eq!(no_copy.status, StatusCode::NOT_FOUND);
    let last = room
        .guest
        .post(&at, &[("do", "sign"), ("version", "1")])
        .await;
    assert_eq!(last.status, StatusCode::SEE_OTHER, "{}", last.text());
    let (host, guest) = (room.host.get(&at).await, room.guest.get(&at).await);
    let words = host.between("class=\"code-large\">", "<");
    assert_eq!(words, guest.between("class=\"code-large\">", "<"));
    assert_eq!(words.split('-').count(), 4);
    assert!(host.shows("p1 (Anna)") && host.shows("p2 (Bram)"));
    // A guest gets the same copy later, with a code of their own.
    assert!(!host.shows("copy-code"));
    let code = guest.between("id=\"copy-code\">", "<").replace(' ', "");
    let mut other = Browser::new(&site);
    let later = format!("/copy/{code}");
    let shown = other.get(&format!("{later}?lang=nl")).await;
    assert!(shown.shows("Verslag · Beoordelingsgesprek") && shown.shows(words));
    let fetched = other.post(&later, &[]).await;
    assert!(verify(&fetched.bytes, None).holds());
    let (ours, theirs) = (
        room.host.post(&format!("{at}/copy"), &[]).await,
        room.guest.post(&format!("{at}/copy"), &[]).await,
    );
    for copy in [&ours, &theirs] {
        assert_eq!(
            copy.status,
            StatusCode::OK,
            "{}",
            String::from_utf8_lossy(&copy.bytes)
        );
        let report = verify(&copy.bytes, None);
        assert!(report.holds(), "{report:?}");
        let all = String::from_utf8_lossy(&copy.bytes);
        assert!(all.contains("- morgen bellen") || all.contains("file-minutes"));
    }
    let changed = room
        .host
        .post(&at, &[("do", "write"), ("version", "1"), ("text", "x")])
        .await;
    assert_eq!(changed.status, StatusCode::CONFLICT);
    // In the archive they are said to be minutes, and not what somebody brought.
    let kept = host.between("/recordings/", "\"").to_owned();
    let listed = room.host.get(&format!("/recordings/{kept}?lang=nl")).await;
    assert_eq!(listed.status, StatusCode::OK);
    assert!(listed.shows("verslag"), "{}", listed.text());
}

#[tokio::test]
async fn a_remark_or_another_version_asks_for_new_signatures() {
    let site = site();
    let (mut room, at) = written(&site).await;
    room.host
        .post(&at, &[("do", "sign"), ("version", "1")])
        .await;
    let remark = ("text", "Niet morgen, maar vrijdag.");
    room.guest
        .post(&at, &[("do", "remark"), ("version", "1"), remark])
        .await;
    let page = room.host.get(&format!("{at}?lang=nl")).await;
    assert!(page.shows("Niet morgen, maar vrijdag.") && !page.shows("heeft getekend om"));
    let text = ("text", "Wij spraken af: vrijdag bellen");
    room.guest
        .post(&at, &[("do", "write"), ("version", "1"), text])
        .await;
    let stale = room
        .host
        .post(
            &format!("{at}?lang=nl"),
            &[("do", "sign"), ("version", "1")],
        )
        .await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(stale.shows("iemand schreef intussen een andere versie"));
    let mine = ("text", "wat ik typte");
    let lost = room
        .host
        .post(&at, &[("do", "write"), ("version", "1"), mine])
        .await;
    assert!(lost.shows("wat ik typte") && lost.shows("vrijdag bellen"));
}

#[tokio::test]
async fn the_host_closes_them_where_somebody_does_not_sign_and_they_say_so() {
    let site = site();
    let (mut room, at) = written(&site).await;
    let early = room
        .host
        .post(&at, &[("do", "close"), ("version", "1")])
        .await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    room.host
        .post(&at, &[("do", "sign"), ("version", "1")])
        .await;
    let not_theirs = room
        .guest
        .post(&at, &[("do", "close"), ("version", "1")])
        .await;
    assert_eq!(not_theirs.status, StatusCode::FORBIDDEN);
    // The talk can be over by then.
    room.host
        .post(&format!("/rooms/{}", room.id), &[("act", "end")])
        .await;
    let closed = room
        .host
        .post(&at, &[("do", "close"), ("version", "1")])
        .await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text());
    let page = room.guest.get(&at).await;
    let kept = page.between("Niet ondertekend:", "----");
    assert!(kept.contains("p2 (Bram)") && !kept.contains("p1"));
}

#[tokio::test]
async fn text_that_is_too_long_is_refused_and_stays_in_the_field() {
    let site = site();
    let (mut room, at) = written(&site).await;
    let long = "é".repeat(32_768);
    let fits = room
        .host
        .post(&at, &[("do", "write"), ("version", "1"), ("text", &long)])
        .await;
    assert_eq!(fits.status, StatusCode::SEE_OTHER, "{}", fits.status);
    let longer = format!("{long}x");
    let page = room
        .host
        .post(&at, &[("do", "write"), ("version", "2"), ("text", &longer)])
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.shows(&longer));
}
