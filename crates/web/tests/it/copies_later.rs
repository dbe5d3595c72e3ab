//! The copy later: a code that a guest gets at the end, in any browser, until it ends or is used up.

use crate::rooms::{Room, room};
use crate::rooms_pages::recorded;
use crate::support::*;
use axum::http::{StatusCode, header};
use voicelog_evidence::verify::verify;

const DAY: i64 = 24 * 3_600 * 1_000_000;

/// The code on the guest's page of the end, as people read it.
async fn code_of(room: &mut Room<'_>) -> String {
    let talk = format!("/rooms/{}?lang=en", room.id);
    let host = room.host.get(&talk).await;
    assert!(!host.shows("copy-code"), "the host signs in");
    let page = room.guest.get(&talk).await;
    let code = page.between("id=\"copy-code\">", "<").to_owned();
    let letters = code.replace(' ', "");
    assert_eq!((letters.len(), code.len()), (12, 14), "{code}");
    let told = "http://127.0.0.1:8080/copy</span>";
    assert!(page.shows(told) && page.shows(&format!("href=\"/copy/{letters}\"")));
    code
}

#[tokio::test]
async fn a_guest_gets_the_copy_later_in_another_browser_and_it_is_in_the_log() {
    let site = site();
    let mut room = room(&site).await;
    recorded(&site, &mut room).await;
    let code = code_of(&mut room).await;
    site.clock.advance_micros(6 * DAY);
    site.rooms.tick();
    let talk = format!("/rooms/{}", room.id);
    assert_eq!(room.guest.get(&talk).await.status, StatusCode::NOT_FOUND);

    let mut other = Browser::new(&site);
    assert!(other.get("/copy?lang=nl").await.shows("Twaalf letters"));
    let way = other.post("/copy", &[("code", &code.to_lowercase())]).await;
    assert_eq!(way.status, StatusCode::SEE_OTHER, "{}", way.text());
    let path = way.location().to_owned();
    let page = other.get(&format!("{path}?lang=nl")).await;
    for told in [
        "Beoordelingsgesprek · 0:01",
        "Vingerafdruk",
        "Ontvangstbewijs",
        "rechter",
        "internet",
    ] {
        assert!(page.shows(told), "{told}");
    }
    assert!(!page.shows("Anna") && !page.shows("/recordings/"));
    let given = other.post(&path, &[]).await;
    assert_eq!(given.header(header::CONTENT_TYPE), "application/zip");
    assert!(verify(&given.bytes, None).holds());
    let accesses = site.archive.accesses(room.id).unwrap();
    assert!(format!("{accesses:?}").contains("GiveCopy"), "{accesses:?}");
    assert_eq!(accesses.len(), 1, "looking at the page is no access");
}

#[tokio::test]
async fn a_code_that_is_wrong_used_up_or_over_has_one_answer() {
    let site = site();
    let mut room = room(&site).await;
    recorded(&site, &mut room).await;
    let path = format!("/copy/{}", code_of(&mut room).await.replace(' ', ""));
    let mut other = Browser::new(&site);
    let wrong = other.get("/copy/222222222222").await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    assert!(wrong.shows("This code does not work, or not any more"));
    for _time in 0..10 {
        let given = other.post(&path, &[]).await;
        assert_eq!(given.status, StatusCode::OK);
    }
    let same = |page: &Page| {
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        let text = |page: &Page| page.between("<main", "</main>").to_owned();
        let strip = |text: String| match text.split_once("form_token\" value=\"") {
            Some((before, after)) => format!("{before}{}", after.split_once('"').unwrap().1),
            None => text,
        };
        assert_eq!(strip(text(page)), strip(text(&wrong)));
    };
    same(&other.post(&path, &[]).await);
    same(&other.get(&path).await);
    same(&other.get("/copy/nonsense").await);
    let typed = other.post("/copy", &[("code", "22222222")]).await;
    assert_eq!(typed.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _try in 0..10 {
        other.get("/copy/222222222222").await;
    }
    let slower = other.get("/copy/222222222222").await;
    assert_eq!(slower.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_code_ends_after_its_days() {
    let site = site();
    let mut room = room(&site).await;
    recorded(&site, &mut room).await;
    let path = format!("/copy/{}", code_of(&mut room).await.replace(' ', ""));
    let mut other = Browser::new(&site);
    site.clock.advance_micros(14 * DAY - 60_000_000);
    assert_eq!(other.get(&path).await.status, StatusCode::OK);
    site.clock.advance_micros(120_000_000);
    assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
}
