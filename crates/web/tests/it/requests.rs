//! A citizen asks whether they may record: allowed, or refused for this reason with this offered instead, and a letter.

use crate::support::*;
use axum::http::StatusCode;

const REASON: (&str, &str) = ("reason", "earlier_misuse");
const OFFER: (&str, &str) = ("alternative", "minutes_both_sign");

#[tokio::test]
async fn an_official_allows_it_and_reads_what_holds_then() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    let page = official
        .post("/requests?lang=nl", &[("ending", "allow")])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("De ander mag opnemen"));
    assert!(
        page.shows("Nationale ombudsman 2014/166, spelregels 3, 5 en 6")
            || page.shows("knip niet in de opname")
    );
    assert!(page.shows("href=\"/rooms\""), "both can record");
    let list = official.get("/requests?lang=nl").await;
    assert!(
        list.shows("De laatste twaalf maanden niet."),
        "nothing is kept"
    );
}

#[tokio::test]
async fn a_refusal_has_a_reason_and_something_else_and_a_letter_and_is_counted() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    let words = ("words", "In maart stond zij op internet.");
    let refused = official
        .post(
            "/requests",
            &[("ending", "refuse"), REASON, words, OFFER, ("letter", "nl")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER, "{}", refused.text());
    let path = refused.location().to_owned();
    let page = official.get(&format!("{path}?lang=nl")).await;
    assert!(page.shows("Een eerdere opname is verkeerd gebruikt. In maart stond zij op internet."));
    assert!(page.shows("Nationale ombudsman 2014/166, spelregel 1"));
    let letter = official.get(&format!("{path}/letter?lang=en")).await;
    assert_eq!(letter.status, StatusCode::OK);
    for told in [
        "Een eerdere opname is verkeerd gebruikt. In maart stond zij op internet.",
        "Wij maken samen een verslag, dat u en wij allebei tekenen.",
        "Nationale ombudsman",
    ] {
        assert!(letter.shows(told), "{told}");
    }
    let list = official.get("/requests?lang=nl").await;
    assert!(list.shows("november 2026") && list.shows(&path));
    let metrics = program(&site, "GET", "/v1/metrics", "").await;
    assert!(metrics.shows("voicelog_requests_refused{reason=\"earlier_misuse\"} 1"));
    assert!(!metrics.shows("internet"), "nothing of what was said");
    let letter = official.get(&format!("{path}/letter")).await;
    assert!(letter.shows("<html lang=\"nl\""), "the citizen's language");
}

#[tokio::test]
async fn without_reason_or_without_something_else_nothing_is_refused_and_the_page_says_why() {
    let site = site();
    let mut official = Browser::signed_in(&site).await;
    for (fields, wrong, article) in [
        (vec![("ending", "refuse"), OFFER], "#reason", "2012/041"),
        (
            vec![
                ("ending", "refuse"),
                ("reason", "other"),
                ("words", " "),
                OFFER,
            ],
            "#reason",
            "spelregel 1",
        ),
        (
            vec![("ending", "refuse"), REASON, ("offer", "")],
            "#alternative",
            "spelregel 1",
        ),
    ] {
        let page = official.post("/requests?lang=nl", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.shows("Zo mag u niet weigeren"), "{fields:?}");
        assert!(page.shows(wrong) && page.shows(article), "{fields:?}");
    }
    let list = official.get("/requests?lang=en").await;
    assert!(list.shows("Not in the last twelve months."));
}

#[tokio::test]
async fn a_refusal_that_a_house_rule_forbids_is_not_counted_and_has_no_letter() {
    let site = site_under_rule(
        r#"
@id("house.altijd_toestaan")
@kind("contract")
@article("Reglement 3")
@valid_from("2026-10-01")
@nl("Bij ons mag iedereen opnemen.")
@en("Everybody may record here.")
forbid (principal, action == Action::"refuse_recording", resource);
"#,
    );
    let mut official = Browser::signed_in(&site).await;
    let refused = official
        .post("/requests", &[("ending", "refuse"), REASON, OFFER])
        .await;
    let path = refused.location().to_owned();
    let page = official.get(&format!("{path}?lang=nl")).await;
    assert!(page.shows("U mag dit niet weigeren. De ander mag opnemen."));
    assert!(page.shows("Bij ons mag iedereen opnemen.") && page.shows("Reglement 3"));
    let letter = official.get(&format!("{path}/letter")).await;
    assert_eq!(letter.status, StatusCode::NOT_FOUND);
    let list = official.get("/requests?lang=nl").await;
    assert!(list.shows("De laatste twaalf maanden niet.") && list.shows("mocht niet"));
}
