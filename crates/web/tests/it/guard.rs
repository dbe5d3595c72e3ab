//! Nobody gets further than they may: every address is tried.

use crate::support::*;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use voicelog_web::{Audience, table};

/// An address of the table with its placeholders filled in.
fn filled_in(path: &str, site: &Site) -> String {
    path.replace("{id}", &site.filled().whole.to_string())
        .replace("{token}", &"A".repeat(43))
        .replace("{code}", "22222222")
        .replace("{*path}", "entries/000")
}

#[tokio::test]
async fn no_page_answers_without_signing_in_but_those_that_are_for_everybody() {
    let site = site();
    let public = [
        "/assets/style.css",
        "/assets/document.css",
        "/assets/icon.svg",
        "/assets/room.js",
        "/assets/capture.js",
        "/assets/import.js",
        "/join",
        "/join/{code}",
        "/copy",
        "/copy/{code}",
        "/healthz",
        "/log/checkpoint",
        "/log/tile/{*path}",
        "/setup/{token}",
        "/invitation/{token}",
        "/authority",
        "/authority/voicelog.crt",
        "/login",
        "/logout",
        "/mag-ik-opnemen",
        "/may-i-record",
    ];
    for (audience, method, path) in table() {
        assert_eq!(
            audience == Audience::Anyone,
            public.contains(&path),
            "{path} is for everybody"
        );
        let mut browser = Browser::new(&site);
        let address = filled_in(path, &site);
        let page = match method {
            "GET" => browser.get(&address).await,
            _ => {
                browser
                    .post(
                        &address,
                        &[
                            ("reason", "because"),
                            ("confirm", "yes"),
                            ("recipient", "court"),
                        ],
                    )
                    .await
            }
        };
        match audience {
            Audience::Anyone => continue,
            Audience::SignedIn => {
                assert_eq!(page.status, StatusCode::SEE_OTHER, "{method} {path}");
                assert!(page.location().starts_with("/login"), "{method} {path}");
            }
            Audience::Program => {
                assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{method} {path}")
            }
            // To who is not in it there is no such talk; a device sends no forms.
            Audience::InRoom => assert!(
                matches!(
                    page.status,
                    StatusCode::NOT_FOUND | StatusCode::UNSUPPORTED_MEDIA_TYPE
                ),
                "{method} {path}"
            ),
        }
        assert!(
            !page.shows("verkoop") && !page.shows("Jansen"),
            "{method} {path} shows something"
        );
    }
}

#[tokio::test]
async fn without_the_form_token_nothing_is_done() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    for (audience, method, path) in table() {
        // What a device sends is no form: the type says so.
        let of_device = ["/choice", "/acts", "/tracks", "/end"];
        let is_device =
            audience == Audience::InRoom && of_device.iter().any(|end| path.ends_with(end));
        if method != "POST" || audience == Audience::Program || is_device {
            continue;
        }
        let address = filled_in(path, &site);
        for token in ["", "AAAA"] {
            let page = browser
                .post_with(&address, token, &[("confirm", "yes"), ("reason", "x")])
                .await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        }
        let other = Browser::new(&site)
            .get("/login")
            .await
            .form_token()
            .to_owned();
        let page = browser
            .post_with(&address, &other, &[("confirm", "yes")])
            .await;
        assert_eq!(
            page.status,
            StatusCode::FORBIDDEN,
            "{path} with the token of another browser"
        );
    }
    assert_eq!(
        browser.get("/").await.status,
        StatusCode::OK,
        "signing out was not done either"
    );
}

#[tokio::test]
async fn a_form_sent_by_another_site_is_refused_even_with_the_right_token() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let token = browser.get("/").await.form_token().to_owned();
    for (from, status) in [
        ("cross-site", StatusCode::FORBIDDEN),
        ("same-site", StatusCode::FORBIDDEN),
        ("same-origin", StatusCode::SEE_OTHER),
    ] {
        let request = browser
            .request("POST", "/logout")
            .header("sec-fetch-site", from)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("form_token={token}")))
            .unwrap();
        assert_eq!(browser.send(request).await.status, status, "{from}");
    }
}

#[tokio::test]
async fn a_wrong_or_missing_token_opens_no_part_of_the_api() {
    let site = site();
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic dGhlIHRva2Vu",
        TOKEN,
    ] {
        let request = Request::builder()
            .uri("/v1/recordings")
            .header(header::AUTHORIZATION, value);
        let page = send(&site.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(page.header(header::WWW_AUTHENTICATE), "Bearer");
        assert_eq!(
            page.header(header::CONTENT_TYPE),
            "application/problem+json"
        );
    }
    let browser = Browser::signed_in(&site).await;
    let request = browser
        .request("GET", "/v1/recordings")
        .body(Body::empty())
        .unwrap();
    let page = send(&site.router, request).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "a login is no token");
}

#[tokio::test]
async fn every_answer_forbids_what_we_never_ask_of_a_browser() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    for path in [
        "/",
        "/login",
        "/healthz",
        "/nowhere",
        "/assets/style.css",
        "/v1/health",
        "/recordings/x",
    ] {
        let page = browser.get(path).await;
        let policy = page.header(header::CONTENT_SECURITY_POLICY);
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "media-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {part}");
        }
        assert!(
            !policy.contains("script") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(
            page.header(header::X_CONTENT_TYPE_OPTIONS),
            "nosniff",
            "{path}"
        );
        assert_eq!(
            page.header(header::REFERRER_POLICY),
            "no-referrer",
            "{path}"
        );
        let keepable = path.starts_with("/assets/");
        assert_eq!(
            page.header(header::CACHE_CONTROL) == "no-store",
            !keepable,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_strange_id_is_not_found_and_never_an_error_of_ours() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let upper = site.filled().whole.to_string().to_uppercase();
    let bare = site.filled().whole.to_string().replace('-', "");
    let unknown = "019aa2b4-7c00-7000-8000-000000000001";
    for id in [
        "x",
        "1",
        "..%2f..%2fetc",
        "%00",
        "'%20or%201=1",
        &upper,
        &bare,
        unknown,
    ] {
        for path in [
            format!("/recordings/{id}"),
            format!("/recordings/{id}/destroy"),
        ] {
            let page = browser.get(&path).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
            assert!(page.shows("<h1>Not found</h1>"), "{path}");
        }
        let page = program(&site, "GET", &format!("/v1/recordings/{id}"), "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{id}");
    }
    let page = browser.get("/recordings/%ff").await;
    assert!(page.status.is_client_error(), "{}", page.status);
}

#[tokio::test]
async fn the_host_field_changes_nothing() {
    let site = site();
    let browser = Browser::signed_in(&site).await;
    for path in ["/", "/nowhere", "/login"] {
        let mut request = browser.request("GET", path).body(Body::empty()).unwrap();
        request
            .headers_mut()
            .insert(header::HOST, "evil.example".parse().unwrap());
        let page = send(&site.router, request).await;
        assert!(
            !page.shows("evil.example") && !page.location().contains("evil.example"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_have_is_told_which_it_has() {
    let site = site();
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.post("/log", &[]).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.header(header::ALLOW).contains("GET"));
    assert!(page.shows("<html lang=\"en\">"), "as a page");
    let page = program(&site, "DELETE", "/v1/recordings", "").await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        page.header(header::CONTENT_TYPE),
        "application/problem+json"
    );
}
