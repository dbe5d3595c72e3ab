//! SIP URIs (RFC 3261 §19.1), as far as a server needs them: who is asked for, and where to send.

use super::grammar;
use crate::peer::Transport;
use std::net::{IpAddr, SocketAddr};

/// A `sip:` or `sips:` URI in its parts. `Debug` is not implemented: it is personal data.
pub(crate) struct Uri<'a> {
    /// The scheme is `sips`.
    pub(crate) is_sips: bool,
    /// User part, without password and parameters.
    user: Option<&'a str>,
    /// Host name or address, IPv6 without brackets.
    pub(crate) host: &'a str,
    port: Option<u16>,
    params: &'a str,
}

/// Port of SIP over UDP and TCP where a URI names none.
const PORT_DEFAULT: u16 = 5_060;
/// The same over TLS (RFC 3261 §19.1.2).
const PORT_DEFAULT_TLS: u16 = 5_061;

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
            Some((user, rest)) => (user.split([':', ';']).next(), rest),
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

    /// A parameter that has a value.
    pub(crate) fn param(&self, name: &str) -> Option<&'a str> {
        grammar::params(self.params)
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value)
    }

    /// Where to send over this transport, if the host is an address: names are not looked up here.
    pub(crate) fn socket_address(&self, transport: Transport) -> Option<SocketAddr> {
        let address: IpAddr = self.host.parse().ok()?;
        let port = self.port.unwrap_or(match transport {
            Transport::Udp | Transport::Tcp => PORT_DEFAULT,
            Transport::Tls => PORT_DEFAULT_TLS,
        });
        (!address.is_unspecified()).then(|| SocketAddr::new(address, port))
    }
}

/// Who is asked for, by a Request-URI.
pub(crate) struct Called {
    /// The user part or the telephone number; empty where there is none.
    pub(crate) user: String,
    /// The host, of a `sip:` address; IPv6 without brackets.
    pub(crate) host: Option<String>,
    pub(crate) is_sips: bool,
    /// It was not written as RFC 3261 §19.1 has it.
    pub(crate) is_repaired: bool,
}

impl Called {
    /// Reads a Request-URI, also in brackets, with blanks, or as a telephone number (RFC 3966);
    /// `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bare = text.trim_matches(['<', '>', '"', ' ', '\t']);
        let is_repaired = text.contains([' ', '\t', '<', '>', '"']);
        if let Some(uri) = Uri::parse(bare) {
            return Some(Self {
                user: uri.user(),
                host: Some(uri.host.to_owned()),
                is_sips: uri.is_sips,
                is_repaired,
            });
        }
        let (scheme, rest) = bare.split_once(':')?;
        let number = rest.split(';').next().unwrap_or_default();
        // RFC 3966 §3: what is between the digits is for the eye.
        let is_visual = |c: char| "-.()".contains(c);
        let user: String = number.chars().filter(|c| !is_visual(*c)).collect();
        (scheme.eq_ignore_ascii_case("tel") && !user.is_empty()).then_some(Self {
            user,
            host: None,
            is_sips: false,
            is_repaired: true,
        })
    }
}

/// Splits `host[:port]`, with IPv6 in brackets. Text with several colons and no brackets is an
/// address of IPv6 without a port.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.trim_start().strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((_, port)) if port.contains(':') => (text, None),
            Some((host, port)) => (host.trim_end(), Some(port)),
            None => (text, None),
        },
    };
    let port = match port.map(str::trim) {
        Some("") | None => None,
        Some(port) => Some(port.parse().ok()?),
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
        assert_eq!(uri.user(), "sales+nl");
        assert_eq!(
            uri.socket_address(Transport::Tls),
            Some("[2001:db8::1]:5070".parse().unwrap())
        );
        assert!(uri.has_param("LR") && !uri.has_param("maddr"));
        assert_eq!(uri.param("Transport"), Some("tcp"));
    }

    #[test]
    fn without_a_port_it_is_that_of_the_transport() {
        for (text, transport, wanted) in [
            ("sip:a@192.0.2.1", Transport::Udp, "192.0.2.1:5060"),
            ("sip:a@192.0.2.1:", Transport::Tcp, "192.0.2.1:5060"),
            ("sip:a@192.0.2.1", Transport::Tls, "192.0.2.1:5061"),
            ("sip:a@2001:db8::1", Transport::Udp, "[2001:db8::1]:5060"),
        ] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!(uri.socket_address(transport), wanted.parse().ok(), "{text}");
        }
    }

    #[test]
    fn who_is_asked_for_is_read_through_brackets_blanks_parameters_and_as_a_number() {
        for (text, user) in [
            ("sip:verkoop@h", "verkoop"),
            ("<sip:verkoop@h>", "verkoop"),
            ("sip:verkoop@h; lr", "verkoop"),
            ("sip:verkoop;phone-context=x@h", "verkoop"),
            ("sip:10.0.0.5:5060", ""),
            ("tel:+31-20-123.4567;phone-context=x", "+31201234567"),
        ] {
            assert_eq!(Called::parse(text).unwrap().user, user, "{text}");
        }
        for text in ["sip:", "mailto:a@b", "*", "tel:", ""] {
            assert!(Called::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_name_is_no_address_and_other_schemes_are_not_ours() {
        assert_eq!(
            Uri::parse("sip:pbx.example.com")
                .unwrap()
                .socket_address(Transport::Udp),
            None
        );
        assert!(Uri::parse("SIPS:192.0.2.1").unwrap().is_sips);
        assert!(Uri::parse("tel:+31201234567").is_none());
        assert!(Uri::parse("sip:").is_none());
        assert!(Uri::parse("sip:a@h:99999").is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", tail in "[%0-9a-f@:;\\[\\]]{0,20}") {
            let text = format!("sip:{text}{tail}");
            if let Some(uri) = Uri::parse(&text) {
                let _ = (uri.user(), uri.socket_address(Transport::Udp));
            }
            drop(Called::parse(&text));
        }
    }
}
