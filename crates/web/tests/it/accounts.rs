//! Several accounts: inviting, ending, one's own password.

use crate::support::*;
use axum::http::StatusCode;

const HOUR: i64 = 3_600_000_000;

/// Invites, and gives the path of the link.
async fn link(browser: &mut Browser<'_>, name: &str) -> String {
    let page = browser.post("/accounts", &[("name", name)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let link = page.between("<pre>", "</pre>").to_owned();
    let path = link.strip_prefix("http://127.0.0.1:8080").unwrap();
    path.to_owned()
}

async fn claim(browser: &mut Browser<'_>, path: &str) -> Page {
    let fields = [("password", PASSWORD), ("again", PASSWORD)];
    browser.post(path, &fields).await
}

#[tokio::test]
async fn an_invitation_makes_one_account_once_and_the_list_says_who_invited_whom() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    let path = link(&mut beheer, " Anna  de Wit ").await;
    let list = beheer.get("/accounts").await;
    assert!(list.shows("anna de wit") && list.shows("Who is invited"));
    assert!(!list.shows(&path), "the link is shown once");
    let mut anna = Browser::new(&site);
    let form = anna.get(&path).await;
    assert!(form.shows("beheer invites you") && form.shows("<strong>anna de wit</strong>"));
    let page = anna
        .post(&path, &[("password", "short"), ("again", "short")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("href=\"#password\""));
    assert_eq!(claim(&mut anna, &path).await.location(), "/");
    let list = anna.get("/accounts").await;
    assert!(
        list.shows("anna de wit <span class=\"soft\">(you)"),
        "{}",
        list.text()
    );
    assert!(list.shows("data-label=\"Invited by\">beheer<") && !list.shows("Who is invited"));

    let mut late = Browser::new(&site);
    assert_eq!(late.get(&path).await.status, StatusCode::GONE);
    let page = claim(&mut late, &path).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(page.shows("who invited you"));
    let made = site.archive.leaves(0, 1_000).unwrap();
    let text = |row: &voicelog_archive::LeafRow| String::from_utf8(row.bytes.clone()).unwrap();
    let made: Vec<_> = made
        .iter()
        .map(text)
        .filter(|text| text.contains("account_made"))
        .collect();
    assert_eq!(made.len(), 2, "each is in the log");
    assert!(!made[1].contains("anna") && beheer.get("/log").await.shows("Account made</td>"));
}

#[tokio::test]
async fn an_invitation_that_is_withdrawn_too_old_or_a_guess_makes_no_account() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    let withdrawn = link(&mut beheer, "anna").await;
    let list = beheer.get("/accounts").await;
    let id = list
        .between("/accounts/invitations/", "/withdraw")
        .to_owned();
    let withdraw = format!("/accounts/invitations/{id}/withdraw");
    assert_eq!(beheer.post(&withdraw, &[]).await.location(), "/accounts");
    assert_eq!(beheer.post(&withdraw, &[]).await.location(), "/accounts");
    let old = link(&mut beheer, "bert").await;
    let mut guest = Browser::new(&site);
    assert_eq!(claim(&mut guest, &withdrawn).await.status, StatusCode::GONE);
    assert_eq!(guest.get(&old).await.status, StatusCode::OK);
    site.clock.advance_micros(24 * HOUR);
    assert_eq!(claim(&mut guest, &old).await.status, StatusCode::GONE);
    for guess in ["x".to_owned(), "A".repeat(43)] {
        let path = format!("/invitation/{guess}");
        assert_eq!(guest.get(&path).await.status, StatusCode::GONE);
        assert_eq!(claim(&mut guest, &path).await.status, StatusCode::GONE);
    }
    assert_eq!(site.archive.accounts().account_count().unwrap(), 1);
    // Guessing is slowed down, and the wait is told.
    let mut slowed = None;
    for _ in 0..70 {
        let page = guest.get(&format!("/invitation/{}", "B".repeat(43))).await;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            slowed = Some(page);
            break;
        }
    }
    assert!(slowed.unwrap().headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_name_that_is_somebodys_or_was_is_not_given_again() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    drop(beheer.invite("anna").await);
    link(&mut beheer, "carla").await;
    end(&mut beheer, "anna").await;
    for taken in ["Beheer", "ANNA", "carla"] {
        let page = beheer.post("/accounts", &[("name", taken)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{taken}");
        assert!(page.shows("href=\"#name\"") && page.shows("or was"));
    }
    let page = beheer.post("/accounts", &[("name", " ")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

async fn end(browser: &mut Browser<'_>, name: &str) -> Page {
    let sure = browser.post("/accounts/end", &[("name", name)]).await;
    assert_eq!(sure.status, StatusCode::OK, "{}", sure.text());
    assert!(sure.shows("cannot be undone"));
    browser
        .post("/accounts/end", &[("name", name), ("confirm", "yes")])
        .await
}

#[tokio::test]
async fn who_is_ended_is_out_at_once_and_stays_out() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let invited = link(&mut anna, "carla").await;
    assert_eq!(anna.get("/").await.status, StatusCode::OK);
    assert_eq!(end(&mut beheer, "anna").await.location(), "/accounts");
    let page = anna.get("/").await;
    assert_eq!(
        (page.status, page.location()),
        (StatusCode::SEE_OTHER, "/login")
    );
    anna.cookies.clear();
    let page = anna
        .post("/login", &[("name", "anna"), ("password", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("do not belong together"), "no word of what was");
    let page = claim(&mut Browser::new(&site), &invited).await;
    assert_eq!(
        page.status,
        StatusCode::GONE,
        "nor does whom she invited get in"
    );
    let list = beheer.get("/accounts").await;
    assert!(list.shows("by beheer") && list.shows("the only account"));
    let page = beheer
        .post("/accounts/end", &[("name", "beheer"), ("confirm", "yes")])
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.shows("the only account"), "{}", page.text());
    let page = beheer
        .post("/accounts/end", &[("name", "anna"), ("confirm", "yes")])
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(beheer.get("/log").await.shows("Account ended</td>"));
}

#[tokio::test]
async fn one_ends_ones_own_account_where_somebody_else_can_still_sign_in() {
    let site = site();
    let mut beheer = Browser::signed_in(&site).await;
    let mut anna = beheer.invite("anna").await;
    let page = end(&mut beheer, "beheer").await;
    assert_eq!(page.location(), "/login");
    assert_eq!(beheer.get("/accounts").await.status, StatusCode::SEE_OTHER);
    assert_eq!(anna.get("/accounts").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_present_one_and_ends_other_logins() {
    let site = site();
    let mut here = Browser::signed_in(&site).await;
    let mut elsewhere = Browser::new(&site);
    let old = [("name", "beheer"), ("password", PASSWORD)];
    assert_eq!(elsewhere.post("/login", &old).await.location(), "/");
    let change = |present: &'static str, new: &'static str, again: &'static str| {
        [("present", present), ("password", new), ("again", again)]
    };
    let new = "kameel trap wolken";
    let wrong = here
        .post("/accounts/password", &change("wrong", new, new))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.shows("href=\"#present\""));
    let other = here
        .post("/accounts/password", &change(PASSWORD, new, "x"))
        .await;
    assert!(other.shows("href=\"#again\""));
    assert_eq!(elsewhere.get("/").await.status, StatusCode::OK);
    let page = here
        .post("/accounts/password", &change(PASSWORD, new, new))
        .await;
    assert_eq!(page.location(), "/accounts", "{}", page.text());
    assert_eq!(here.get("/").await.status, StatusCode::OK);
    assert_eq!(elsewhere.get("/").await.status, StatusCode::SEE_OTHER);
    elsewhere.cookies.clear();
    let page = elsewhere.post("/login", &old).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = elsewhere
        .post("/login", &[("name", "beheer"), ("password", new)])
        .await;
    assert_eq!(page.location(), "/");
}

#[tokio::test]
async fn guessing_the_present_password_in_a_browser_that_was_left_open_is_slowed_down() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let guess = [
        ("present", "wrong"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let mut last = StatusCode::OK;
    for _ in 0..11 {
        last = browser.post("/accounts/password", &guess).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}
