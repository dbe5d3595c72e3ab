//! Who asks, in which language, and with which form token: worked out once per request.

use crate::app::Shared;
use crate::cookie::{self, Keep};
use crate::lang;
use crate::proxy;
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::page::{self, Page};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::IpAddr;
use voicelog_model::Language;

/// Address of the other end of the connection, put into the request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    /// Name of the account.
    pub(crate) account: String,
    /// Hash of the login's token.
    pub(crate) login: [u8; 32],
}

/// What is known of the one who asks.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) lang: Language,
    pub(crate) signed_in: Option<SignedIn>,
    /// What a form must carry to be ours.
    pub(crate) form_token: String,
    /// Address of the one who asks, as far as it is known.
    pub(crate) client: Option<IpAddr>,
    /// Cookies to set with the answer.
    pub(crate) cookies: Vec<HeaderValue>,
    path: String,
    query: Option<String>,
}

impl Visitor {
    /// What the request alone tells: a stranger, in some language.
    pub(crate) fn stranger(desk: &Shared, request: &Parts) -> Self {
        let headers = &request.headers;
        let asked = lang::asked(request.uri.query());
        let year = Keep::Seconds(365 * 24 * 3_600);
        let chosen = asked
            .and_then(|asked| cookie::set(lang::COOKIE, asked.tag(), desk.cookies.secure, year));
        Self {
            lang: lang::choose(
                asked,
                cookie::read(headers, lang::COOKIE),
                field(headers, header::ACCEPT_LANGUAGE),
            ),
            signed_in: None,
            form_token: String::new(),
            client: request
                .extensions
                .get::<Peer>()
                .map(|peer| proxy::client(peer.0, headers, &desk.app.config.trusted_proxies)),
            cookies: chosen.into_iter().collect(),
            path: request.uri.path().to_owned(),
            query: request.uri.query().map(str::to_owned),
        }
    }

    /// Finds out who it is, or at least which browser.
    pub(crate) async fn recognise(
        &mut self,
        desk: &Shared,
        headers: &HeaderMap,
    ) -> Result<(), Trouble> {
        if !self.find_login(desk, headers).await? {
            self.find_form_cookie(desk, headers)?;
        }
        Ok(())
    }

    async fn find_login(&mut self, desk: &Shared, headers: &HeaderMap) -> Result<bool, Trouble> {
        let Some(token) = cookie::read(headers, desk.cookies.session).and_then(Token::parse) else {
            return Ok(false);
        };
        let hash = token.hash();
        let login = desk
            .ask_index(move |archive, now| archive.accounts().login(&hash, now))
            .await?;
        let Some(login) = login else { return Ok(false) };
        self.form_token = URL_SAFE_NO_PAD.encode(login.csrf);
        self.signed_in = Some(SignedIn {
            account: login.account,
            login: hash,
        });
        Ok(true)
    }

    /// Without a login, a cookie of its own ties forms to the browser.
    fn find_form_cookie(&mut self, desk: &Shared, headers: &HeaderMap) -> Result<(), Trouble> {
        let known = cookie::read(headers, desk.cookies.form).and_then(Token::parse);
        let token = match known {
            Some(token) => token,
            None => {
                let token = Token::new(crate::app::Desk::random()?);
                let cookies = &desk.cookies;
                let set = cookie::set(cookies.form, &token.text(), cookies.secure, Keep::Session);
                self.cookies.extend(set);
                token
            }
        };
        self.form_token = token.form_token();
        Ok(())
    }

    /// The frame of a page for this visitor. Only the pages of a signed-in visitor name them.
    pub(crate) fn page(&self, here: &'static str, title: impl Into<String>) -> Page {
        Page {
            lang: self.lang,
            title: title.into(),
            here,
            account: self
                .signed_in
                .as_ref()
                .map(|signed_in| signed_in.account.clone()),
            form_token: self.form_token.clone(),
            switch: page::switch(&self.path, self.query.as_deref(), self.lang),
        }
    }

    /// The frame of a page that answers a form: the language switch leads to a page that can be
    /// asked for again.
    pub(crate) fn page_at(&self, path: &str, here: &'static str, title: impl Into<String>) -> Page {
        Page {
            switch: page::switch(path, None, self.lang),
            ..self.page(here, title)
        }
    }
}

/// A header field as text.
pub(crate) fn field(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Where to go after signing in: only a path of our own.
pub(crate) fn safe_next(next: &str) -> Option<&str> {
    let ours = next.starts_with('/') && !next.starts_with("//") && next.len() <= 512;
    let clean = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let parses = next
        .parse::<Uri>()
        .is_ok_and(|uri| uri.authority().is_none());
    (ours && clean && parses).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_led_to_another_site() {
        for next in [
            "//evil.example/",
            "https://evil.example",
            "/\\evil.example",
            "\\/evil",
            "",
            "javascript:alert(1)",
            "/a b",
            "/\r\nX: y",
        ] {
            assert_eq!(safe_next(next), None, "{next}");
        }
        assert_eq!(
            safe_next("/recordings/1?lang=en"),
            Some("/recordings/1?lang=en")
        );
    }
}
