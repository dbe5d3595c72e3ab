//! The declaration of destruction on the pages and in the API.

use crate::support::*;
use axum::http::{StatusCode, header};
use voicelog_casework::certificate;

#[tokio::test]
async fn a_destroyed_recording_has_its_declaration_as_page_paper_and_signed_text() {
    let site = site();
    let id = site.filled().destroyed;
    let mut browser = Browser::signed_in(&site).await;
    let path = format!("/recordings/{id}/declaration");
    assert!(browser.get(&format!("/recordings/{id}")).await.shows(&path));
    let page = browser.get(&path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(
        page.shows("<h1>Declaration of destruction</h1>"),
        "{}",
        page.text()
    );
    assert!(page.shows("The retention term is over") && page.shows("AVG 5 lid 1 e"));
    assert!(page.shows("By the archive no copy was given."));
    let dutch = browser.get(&format!("{path}?lang=nl")).await;
    assert!(dutch.shows("<h1>Verklaring van vernietiging</h1>"));

    let paper = browser.get(&format!("{path}?form=pdf")).await;
    assert_eq!(paper.header(header::CONTENT_TYPE), "application/pdf");
    assert!(paper.header(header::CONTENT_DISPOSITION).contains(".pdf"));
    let key = site.archive.verifier_key().parse().unwrap();
    let text = browser.get(&format!("{path}?form=txt")).await;
    let found = certificate::check(text.text(), &key);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].as_ref().unwrap().certificate.statement.recording,
        id
    );

    let alive = site.filled().whole;
    let page = browser
        .get(&format!("/recordings/{alive}/declaration"))
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.shows("Deze opname is niet vernietigd."));
}

#[tokio::test]
async fn all_that_was_destroyed_in_a_time_is_one_declaration_for_people_and_programs() {
    let site = site();
    // The fixture destroys at this moment, and a time ends before its end.
    site.clock.advance_micros(1_000_000);
    let mut browser = Browser::signed_in(&site).await;
    assert!(
        browser
            .get("/retention")
            .await
            .shows("/retention/declaration")
    );
    let key = site.archive.verifier_key().parse().unwrap();
    let days = "/retention/declaration?from=2026-01-01&to=2030-01-01&form=txt";
    let text = browser.get(days).await;
    assert_eq!(text.status, StatusCode::OK, "{}", text.text());
    let found = certificate::check(text.text(), &key);
    assert_eq!(found.len(), 2, "both that the fixture destroyed");
    assert!(found.iter().all(Result::is_ok));
    let none = browser
        .get("/retention/declaration?from=2020-01-01&to=2020-01-02&form=txt")
        .await;
    assert_eq!((none.status, none.text()), (StatusCode::OK, ""));
    for wrong in [
        "from=2026-02-01&to=2026-01-01",
        "from=2026-02-01",
        "from=x&to=y",
    ] {
        let page = browser
            .get(&format!("/retention/declaration?{wrong}"))
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{wrong}");
    }

    let asked = "/v1/declarations?from=2026-01-01T00:00:00Z&to=2030-01-01T00:00:00Z";
    let paper = program(&site, "GET", asked, "").await;
    assert_eq!(paper.header(header::CONTENT_TYPE), "application/pdf");
    let text = program(&site, "GET", &format!("{asked}&form=txt"), "").await;
    assert_eq!(certificate::check(text.text(), &key).len(), 2);
    let unknown = program(&site, "GET", &format!("{asked}&since=1"), "").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let one = format!(
        "/v1/recordings/{}/declaration?form=txt",
        site.filled().destroyed
    );
    let text = program(&site, "GET", &one, "").await;
    assert_eq!(certificate::check(text.text(), &key).len(), 1);
}
