//! SIP URIs (RFC 3261 §19.1), as far as a server needs them: who is asked for, and where to send.

use super::grammar;
use std::net::{IpAddr, SocketAddr};

/// A `sip:` or `sips:` URI in its parts. `Debug` is not implemented: it is personal data.
pub(crate) struct Uri<'a> {
    /// The scheme is `sips`.
    pub(crate) is_sips: bool,
    /// User part, without password.
    user: Option<&'a str>,
    /// Host name or address, IPv6 without brackets.
    pub(crate) host: &'a str,
    port: Option<u16>,
    params: &'a str,
}

/// Port of SIP over UDP and TCP where a URI names none.
const PORT_DEFAULT: u16 = 5_060;

impl<'a> Uri<'a> {
    /// Reads a URI; `None` for another scheme or an empty host.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        let is_sips = scheme.eq_ignore_ascii_case("sips");
        if !is_sips && !scheme.eq_ignore_ascii_case("sip") {
            return None;
        }
        let rest = rest.split('?').next()?;
        // The user part may hold `;`, so the `@` is looked for first.
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user.split(':').next()?), rest),
            None => (None, rest),
        };
        let (host_port, params) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_and_port(host_port)?;
        Some(Self {
            is_sips,
            user,
            host,
            port,
            params,
        })
    }

    /// The user part with `%xx` turned into characters.
    pub(crate) fn user(&self) -> String {
        self.user.map(percent_decoded).unwrap_or_default()
    }

    /// Whether a parameter is there.
    pub(crate) fn has_param(&self, name: &str) -> bool {
        grammar::params(self.params).any(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
    }

    /// Where to send, if the host is an address: names are not looked up here.
    pub(crate) fn socket_address(&self) -> Option<SocketAddr> {
        let address: IpAddr = self.host.parse().ok()?;
        (!address.is_unspecified())
            .then(|| SocketAddr::new(address, self.port.unwrap_or(PORT_DEFAULT)))
    }
}

/// Splits `host[:port]`, with IPv6 in brackets.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.trim_start().strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host.trim_end(), Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.trim().parse().ok()?),
        None => None,
    };
    (!host.is_empty()).then_some((host, port))
}

/// An address as a host in a URI or a `Via`: IPv6 in brackets.
pub(crate) fn host_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        let mut ahead = bytes.clone();
        let decoded = (byte == b'%')
            .then(|| Some(digit(ahead.next())? * 16 + digit(ahead.next())?))
            .flatten()
            .and_then(|value| u8::try_from(value).ok());
        match decoded {
            Some(value) => {
                out.push(value);
                bytes = ahead;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_uri_is_taken_apart() {
        let uri =
            Uri::parse("sip:sales%2Bnl;x=1:pw@[2001:db8::1]:5070;transport=tcp;lr?a=b").unwrap();
        assert_eq!(uri.user(), "sales+nl;x=1");
        assert_eq!(
            uri.socket_address(),
            Some("[2001:db8::1]:5070".parse().unwrap())
        );
        assert!(uri.has_param("LR") && !uri.has_param("maddr"));
    }

    #[test]
    fn a_name_is_no_address_and_other_schemes_are_not_ours() {
        assert_eq!(
            Uri::parse("sip:pbx.example.com").unwrap().socket_address(),
            None
        );
        assert_eq!(
            Uri::parse("SIPS:192.0.2.1").unwrap().socket_address(),
            Some("192.0.2.1:5060".parse().unwrap())
        );
        assert!(Uri::parse("tel:+31201234567").is_none());
        assert!(Uri::parse("sip:").is_none());
        assert!(Uri::parse("sip:a@h:99999").is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", tail in "[%0-9a-f@:;\\[\\]]{0,20}") {
            let text = format!("sip:{text}{tail}");
            if let Some(uri) = Uri::parse(&text) {
                let _ = (uri.user(), uri.socket_address());
            }
        }
    }
}
