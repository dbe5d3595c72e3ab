//! The set-up link, signing in and out.

use crate::support::*;
use axum::http::{StatusCode, header};
use std::io::Write;
use std::sync::{Arc, Mutex};
use voicelog_web::new_setup_token;

const HOUR: i64 = 3_600_000_000;

#[tokio::test]
async fn the_set_up_link_makes_one_account_once() {
    let site = site();
    let archive = &site.archive;
    let path = new_setup_token(archive, [9; 32], NOW).unwrap().unwrap();
    let mut browser = Browser::new(&site);
    let form = browser.get(&path).await;
    assert!(form.shows("At least 12 characters") && form.shows("autocomplete=\"new-password\""));
    let page = browser.set_up(&path, "short", "short").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("href=\"#password\"") && page.shows("aria-invalid=\"true\""));
    let page = browser.set_up(&path, PASSWORD, PASSWORD).await;
    assert_eq!(page.location(), "/");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let mut second = Browser::new(&site);
    let page = second.get(&path).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(
        page.shows("voicelog serve"),
        "it says how to get a new link"
    );
    let page = second
        .post(
            &path,
            &[
                ("name", "Other"),
                ("password", PASSWORD),
                ("again", PASSWORD),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::GONE);
    assert_eq!(
        new_setup_token(archive, [8; 32], NOW).unwrap(),
        None,
        "there is an account now"
    );
}

#[tokio::test]
async fn a_set_up_link_that_is_wrong_replaced_or_too_old_makes_no_account() {
    let site = site();
    let archive = &site.archive;
    let replaced = new_setup_token(archive, [1; 32], NOW).unwrap().unwrap();
    let path = new_setup_token(archive, [2; 32], NOW).unwrap().unwrap();
    let mut browser = Browser::new(&site);
    for wrong in [
        "/setup/x",
        "/setup/",
        &replaced,
        &format!("/setup/{}", "A".repeat(43)),
    ] {
        let page = browser.set_up(wrong, PASSWORD, PASSWORD).await;
        assert!(
            !page.status.is_success() && page.location() != "/",
            "{wrong}"
        );
    }
    assert_eq!(browser.get(&replaced).await.status, StatusCode::GONE);
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
    site.clock.advance_micros(HOUR + 1);
    let page = browser.get(&path).await;
    assert_eq!(
        page.status,
        StatusCode::GONE,
        "told before a password is typed"
    );
    let page = browser.set_up(&path, PASSWORD, PASSWORD).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert_eq!(archive.accounts().account_count().unwrap(), 0);
}

#[tokio::test]
async fn signing_in_takes_the_name_in_any_case_and_the_password_in_its_own() {
    let site = site();
    drop(Browser::signed_in(&site).await);
    let mut browser = Browser::new(&site);
    for (name, password) in [
        ("beheer", "paard accu nietjE"),
        ("nobody", PASSWORD),
        ("", ""),
    ] {
        let page = browser
            .post("/login", &[("name", name), ("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(
            page.shows("do not belong together"),
            "the same words whichever half was wrong"
        );
    }
    let page = browser
        .post(
            "/login",
            &[
                ("name", " BEHEER "),
                ("password", PASSWORD),
                ("next", "/log"),
            ],
        )
        .await;
    assert_eq!(
        (page.status, page.location()),
        (StatusCode::SEE_OTHER, "/log")
    );
    assert_eq!(browser.get("/log").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cookie_planted_before_signing_in_is_worth_nothing_after_it() {
    let site = site();
    drop(Browser::signed_in(&site).await);
    let planted = "B".repeat(42) + "A";
    let mut browser = Browser::new(&site);
    browser.get("/login").await;
    let token = browser.get("/login").await.form_token().to_owned();
    browser
        .cookies
        .insert("voicelog".to_owned(), planted.clone());
    browser
        .post_with(
            "/login",
            &token,
            &[("name", "beheer"), ("password", PASSWORD)],
        )
        .await;
    assert_ne!(
        browser.cookies["voicelog"], planted,
        "signing in makes a fresh token"
    );
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let mut thief = Browser::new(&site);
    thief.cookies.insert("voicelog".to_owned(), planted);
    assert_eq!(thief.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_out_ends_the_login_on_the_server_as_well() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let kept = browser.cookies["voicelog"].clone();
    let page = browser.post("/logout", &[]).await;
    assert_eq!(page.location(), "/login");
    assert!(!browser.cookies.contains_key("voicelog"));
    browser.cookies.insert("voicelog".to_owned(), kept);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_login_ends_after_a_working_day() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    site.clock.advance_micros(12 * HOUR - 1);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    site.clock.advance_micros(2);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_wait_is_told() {
    let site = site();
    drop(Browser::signed_in(&site).await);
    let mut browser = Browser::new(&site);
    let mut slowed = None;
    for _ in 0..11 {
        let page = browser
            .post(
                "/login",
                &[("name", "beheer"), ("password", "wrong wrong wrong")],
            )
            .await;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            slowed = Some(page);
        }
    }
    let page = slowed.expect("the eleventh try is slowed down");
    let wait: i64 = page.header(header::RETRY_AFTER).parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    site.clock.advance_micros(wait * 1_000_000);
    let page = browser
        .post("/login", &[("name", "beheer"), ("password", PASSWORD)])
        .await;
    assert_eq!(page.location(), "/", "the owner gets in after the wait");
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_the_host() {
    let site = site_at("https://opnamen.voorbeeld.nl");
    let path = new_setup_token(&site.archive, [9; 32], NOW)
        .unwrap()
        .unwrap();
    let mut browser = Browser::new(&site);
    let page = browser.get(&path).await;
    let set = page.header(header::SET_COOKIE);
    assert!(
        set.starts_with("__Host-voicelog-form=") && set.contains("; Secure"),
        "{set}"
    );
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"));
    assert!(
        page.header(header::STRICT_TRANSPORT_SECURITY)
            .starts_with("max-age=")
    );
    let token = page.form_token().to_owned();
    let fields = [
        ("name", "beheer"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    browser.post_with(&path, &token, &fields).await;
    assert!(browser.cookies.contains_key("__Host-voicelog"));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_guesser_behind_the_same_proxy_does_not_keep_others_out() {
    let site = site();
    drop(Browser::signed_in(&site).await);
    let mut guesser = Browser::new(&site);
    for _ in 0..11 {
        guesser
            .post("/login", &[("name", "somebody"), ("password", "wrong")])
            .await;
    }
    let mut owner = Browser::new(&site);
    let page = owner
        .post("/login", &[("name", "beheer"), ("password", PASSWORD)])
        .await;
    assert_eq!(page.location(), "/");
}

/// What the operator reads.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_operator_reads_of_failed_tries_and_of_the_number_on_a_page_and_no_names() {
    let told = Told::default();
    let writer = told.clone();
    let messages = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    // For every thread: one of another test may be the first to come past a message.
    tracing::subscriber::set_global_default(messages.finish()).unwrap();
    let site = site();
    let mut browser = Browser::new(&site);
    let mut last = browser.get("/login").await;
    for _ in 0..11 {
        let wrong = [("name", "De Vries-Ypma"), ("password", "not the password")];
        last = browser.post("/login", &wrong).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(last.shows("href=\"/login\"") && !last.shows("To the recordings"));
    let number = last.between("<span class=\"code\">", "<").to_owned();
    let told = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("since_start=10"), "{told}");
    assert!(told.contains("too many tries to sign in"), "{told}");
    let line = told.lines().find(|line| line.contains(&number)).unwrap();
    assert!(
        line.contains("status=429") && line.contains("route=\"/login\""),
        "{line}"
    );
    assert!(!told.to_lowercase().contains("ypma"), "{told}");
}
