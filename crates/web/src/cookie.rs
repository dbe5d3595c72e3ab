//! Reading and writing cookies, with the names and attributes that ours have.

use axum::http::{HeaderMap, HeaderValue, header};

/// Names of our cookies. Over https they carry the `__Host-` prefix, so that no other host and no
/// plain-text page can plant one (RFC 6265bis §4.1.3.2).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// The login session.
    pub(crate) session: &'static str,
    /// Ties forms to a browser that has no login session yet.
    pub(crate) form: &'static str,
    /// The seat of a guest in a talk in a room.
    pub(crate) room: &'static str,
    /// Whether cookies travel over https only.
    pub(crate) secure: bool,
}

impl Names {
    /// The names for an address that starts with `https` or not.
    pub(crate) const fn new(secure: bool) -> Self {
        if secure {
            Self {
                session: "__Host-voicelog",
                form: "__Host-voicelog-form",
                room: "__Host-voicelog-room",
                secure,
            }
        } else {
            Self {
                session: "voicelog",
                form: "voicelog-form",
                room: "voicelog-room",
                secure,
            }
        }
    }
}

/// The value of the first cookie of that name.
pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// How long the browser keeps a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Until the browser closes.
    Session,
    /// For that many seconds.
    Seconds(u32),
    /// Remove it now.
    Remove,
}

/// A `Set-Cookie` value that scripts cannot read and other sites' forms do not send.
pub(crate) fn set(name: &str, value: &str, secure: bool, keep: Keep) -> Option<HeaderValue> {
    let mut text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    if secure {
        text.push_str("; Secure");
    }
    match keep {
        Keep::Session => {}
        Keep::Seconds(seconds) => text.push_str(&format!("; Max-Age={seconds}")),
        Keep::Remove => text.push_str("; Max-Age=0"),
    }
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_only_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; xvoicelog=2; voicelog=3"),
        );
        headers.append(header::COOKIE, HeaderValue::from_static("voicelog=4"));
        assert_eq!(read(&headers, "voicelog"), Some("3"));
        assert_eq!(read(&headers, "log"), None);
    }

    #[test]
    fn over_https_a_cookie_is_bound_to_the_host_and_secure() {
        let names = Names::new(true);
        let value = set(names.session, "v", names.secure, Keep::Session).unwrap();
        assert_eq!(
            value,
            "__Host-voicelog=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(!Names::new(false).session.starts_with("__Host-"));
    }
}
