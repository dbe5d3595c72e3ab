//! Where a webhook may lead.

use std::net::IpAddr;
use ureq::http::Uri;

/// Whether messages may be sent there: `https` anywhere, `http` to this machine only, or anywhere where the
/// administrator says so for this one. An error says what is wrong, for a person.
pub fn check_address(text: &str, allow_http: bool) -> Result<(), &'static str> {
    let uri: Uri = text
        .parse()
        .map_err(|_text| "this is no address such as https://systeem.voorbeeld.nl/voicelog")?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err("no name or password may stand in it; messages are signed instead");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if allow_http || is_this_machine(uri.host().unwrap_or_default()) => Ok(()),
        Some("http") => Err(
            "http is for this machine only: use https, or set allow_http if the network in between is trusted",
        ),
        _ => Err("it must begin with https://"),
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leads_no_further_than_this_machine() {
        for right in [
            "https://systeem.voorbeeld.nl/voicelog",
            "https://10.0.0.5:8443/",
            "http://127.0.0.1:9000/x",
            "http://[::1]:9000/x",
            "http://localhost/x",
        ] {
            assert_eq!(check_address(right, false), Ok(()), "{right}");
        }
        for wrong in [
            "http://10.0.0.5/x",
            "http://127.0.0.1.voorbeeld.nl/x",
            "http://localhost.voorbeeld.nl/x",
            "ftp://a/x",
            "a.nl/x",
            "",
            "https://naam:geheim@a.nl/",
            "http://127.0.0.1@a.nl/",
        ] {
            assert!(check_address(wrong, false).is_err(), "{wrong}");
        }
        assert_eq!(check_address("http://10.0.0.5/x", true), Ok(()));
    }
}
