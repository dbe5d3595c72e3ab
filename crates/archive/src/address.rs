//! An address as an exchange writes it, taken apart: `sip:` and `tel:` URIs, with a display name or
//! without, bare numbers, `user@host`.
//!
//! What an address *is* decides which law counts, so a disguise must not pass for a name: an
//! escaped `+`, a mark that nobody sees, digits of another script.

/// Fewest digits of a number that can be called from elsewhere. Fewer are an extension.
const WHOLE_DIGITS_MIN: usize = 8;
/// Fewest digits of a national number that begins with its `0`.
const NATIONAL_DIGITS_MIN: usize = 10;

/// An address, taken apart.
#[derive(Clone)]
pub(crate) struct Address {
    /// Who: unescaped, without a password, marks that nobody sees, and what separates digits.
    pub(crate) user: String,
    /// The parameters of the user part (RFC 3966 §3), as they stand.
    parameters: String,
    /// Where, without a port; an IPv6 address without its brackets.
    pub(crate) host: Option<String>,
}

impl Address {
    /// Takes an address apart. Whatever it is, something comes out.
    pub(crate) fn read(text: &str) -> Self {
        let bare = strip_scheme(uri_of(text));
        let (user, host) = match bare.split_once('@') {
            Some((user, host)) => (user, Some(host_of(host).to_owned())),
            None => (bare, None),
        };
        let (user, parameters) = user.split_once(';').unwrap_or((user, ""));
        let user = unescaped(user);
        // A password (RFC 3261 §19.1.1) is not who it is of.
        let user = match user.split_once(':') {
            Some((user, _password)) if host.is_some() => user,
            _ => &user,
        };
        Self {
            user: digits_of(user),
            parameters: parameters.to_owned(),
            host,
        }
    }

    /// The digits of an international number, without its `+` or `00`.
    pub(crate) fn international(&self) -> Option<&str> {
        let user = self.user.as_str();
        user.strip_prefix('+').or_else(|| user.strip_prefix("00"))
    }

    /// `phone-context`: where a number belongs that is not international (RFC 3966 §5.1.5).
    pub(crate) fn context(&self) -> Option<&str> {
        let parameters = self.parameters.split(';');
        let mut parameters = parameters.filter_map(|parameter| parameter.split_once('='));
        let found = parameters.find(|(name, _)| name.eq_ignore_ascii_case("phone-context"));
        found.map(|(_, context)| context)
    }

    /// Whether it is nothing but digits.
    pub(crate) fn is_number(&self) -> bool {
        !self.user.is_empty() && self.user.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// A number with the `0` that is dialled within a country.
    pub(crate) fn is_national(&self) -> bool {
        self.is_number() && self.user.starts_with('0') && self.user.len() >= NATIONAL_DIGITS_MIN
    }

    /// Whether it is somebody's number rather than a name or an extension: as many digits as a
    /// telephone number has, in whatever script and with whatever around them, and no letter.
    pub(crate) fn is_whole_number(&self) -> bool {
        let digits = self.user.chars().filter(|c| c.is_numeric()).count();
        self.user.starts_with('+')
            || digits >= WHOLE_DIGITS_MIN && !self.user.chars().any(char::is_alphabetic)
    }
}

/// A number without what only separates its digits.
pub(crate) fn digits_of(user: &str) -> String {
    user.chars()
        .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
        .collect()
}

/// The URI of `"Name" <uri>`, or all of it.
fn uri_of(text: &str) -> &str {
    let text = text.trim();
    // Behind the name in quotation marks, which can hold anything.
    let behind = match text
        .strip_prefix('"')
        .and_then(|text| text.rsplit_once('"'))
    {
        Some((_name, behind)) => behind,
        None => text,
    };
    match behind.split_once('<') {
        Some((_name, uri)) => uri.rsplit_once('>').map_or(uri, |(uri, _)| uri),
        None => behind.trim_end_matches('>'),
    }
}

/// An address without its scheme; one inside another is the same address.
fn strip_scheme(address: &str) -> &str {
    let mut bare = address.trim();
    while let Some(rest) = ["sips:", "sip:", "tel:"].iter().find_map(|scheme| {
        let (head, rest) = bare.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    }) {
        bare = rest;
    }
    bare
}

/// The host of `host[:port][;parameters][?headers]`.
fn host_of(rest: &str) -> &str {
    let rest = rest.split([';', '>', '?']).next().unwrap_or(rest);
    if let Some((address, _port)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    rest.split(':').next().unwrap_or(rest)
}

/// Text without escapes (`%2B`) and without characters that nobody sees.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let (byte, behind) = match (first, others) {
            (b'%', [high, low, behind @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, behind),
                _ => (*first, others),
            },
            _ => (*first, others),
        };
        bytes.push(byte);
        rest = behind;
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars().filter(|c| !is_unseen(*c)).collect()
}

fn nibble(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Control characters, and marks that only say how others are set.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<String>) {
        let address = Address::read(text);
        (address.user, address.host)
    }

    #[test]
    fn an_address_is_taken_apart_however_it_is_dressed() {
        for (text, user, host) in [
            (
                "sip:%2B4930123456@a.example:5060",
                "+4930123456",
                "a.example",
            ),
            (
                "\"Bob <x>\" <sip:bob@a.example;user=phone>;tag=1",
                "bob",
                "a.example",
            ),
            ("Bob <sip:bob@a.example>", "bob", "a.example"),
            ("sip:bob:secret@a.example", "bob", "a.example"),
            (
                "sip:tel:+49-30-123456@a.example",
                "+4930123456",
                "a.example",
            ),
            (
                "sip:\u{200e}+4930123456@[2001:db8::1]:5060",
                "+4930123456",
                "2001:db8::1",
            ),
            ("sip:100%@a.example", "100%", "a.example"),
            ("sip:bob%40b@a.example", "bob@b", "a.example"),
        ] {
            assert_eq!(
                parts(text),
                (user.to_owned(), Some(host.to_owned())),
                "{text}"
            );
        }
        assert_eq!(
            parts("tel:+31 20-1234567"),
            ("+31201234567".to_owned(), None)
        );
        assert_eq!(parts(""), (String::new(), None));
    }

    #[test]
    fn a_whole_number_is_one_in_every_disguise_and_a_name_or_an_extension_is_none() {
        for number in [
            "sip:4930123456@a",
            "sip:*31*4930123456@a",
            "sip:+\u{664}\u{669}@a",
            "sip:\u{ff0b}4930123456@a",
            "sip:\u{664}\u{669}\u{663}\u{660}\u{661}\u{662}\u{663}\u{664}@a",
        ] {
            assert!(Address::read(number).is_whole_number(), "{number}");
        }
        for name in [
            "sip:2001@a",
            "sip:7c4d1ff2-90123456@a",
            "sip:1234567@a",
            "sip:@a",
        ] {
            assert!(!Address::read(name).is_whole_number(), "{name}");
        }
    }
}
