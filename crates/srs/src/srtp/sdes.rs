//! The `a=crypto` line: `tag suite inline:key||salt[|lifetime][|MKI:length] [session parameters]`
//! (RFC 4568 §9.1).

use super::key::MasterKey;
use super::suite::Suite;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

/// Lines of one stream that are looked at; real offers have two to eight.
const LINES_MAX: usize = 16;

/// One agreed way of protecting a stream, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crypto {
    /// The number by which the answer names the line of the offer.
    pub(crate) tag: u32,
    /// The key of whoever wrote the line, for what they send.
    pub(crate) key: MasterKey,
}

/// The first line that we can use, in the client's order (RFC 4568 §5.1.2).
pub(crate) fn choose<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Crypto> {
    lines.take(LINES_MAX).find_map(read)
}

/// Reads a line; `None` if it asks for anything that we do not do. Refusing the line then is the
/// answer that the standard wants (§6.3): what is left out silently would make every packet
/// unreadable.
fn read(value: &str) -> Option<Crypto> {
    let mut words = value.split_ascii_whitespace();
    let tag = words.next()?.parse().ok()?;
    let suite = Suite::read(words.next()?)?;
    let parameters = words.next()?;
    // Several keys go by MKI only, and that is refused with it.
    let (method, text) = parameters.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") || text.contains(';') {
        return None;
    }
    if !words.all(is_harmless) {
        return None;
    }
    let mut parts = text.split('|');
    let key = decode(suite, parts.next()?)?;
    // A lifetime bounds how long the key may be used by its owner, who counts (§6.1); an MKI stands
    // in every packet and is written with a colon.
    let is_lifetime = |part: &str| {
        let digits = part.strip_prefix("2^").unwrap_or(part);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.all(is_lifetime).then_some(Crypto { tag, key })
}

/// Session parameters that change nothing in what we receive: WSH is advice about a window of
/// ours (§6.3.6). All others would.
fn is_harmless(parameter: &str) -> bool {
    parameter
        .get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case("WSH="))
}

/// Some clients leave the padding out.
fn decode(suite: Suite, text: &str) -> Option<MasterKey> {
    let text = text.trim_end_matches('=');
    let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text).ok()?);
    MasterKey::new(suite, &bytes)
}

impl Crypto {
    /// The line, without `a=crypto:`.
    pub(crate) fn write(&self) -> String {
        let key = Zeroizing::new(STANDARD.encode(self.key.key_and_salt()));
        format!("{} {} inline:{}", self.tag, self.key.suite(), *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 bytes.
    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn chosen(lines: &[&str]) -> Option<(u32, Suite)> {
        let crypto = choose(lines.iter().copied())?;
        Some((crypto.tag, crypto.key.suite()))
    }

    #[test]
    fn the_first_line_that_we_can_is_taken() {
        let first = format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}");
        let second = format!("2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^20");
        let third = format!("3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let found = chosen(&[&first, &second, &third]);
        assert_eq!(found, Some((2, Suite::AesCm128HmacSha1_32)));
        assert_eq!(chosen(&[&first]), None);
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn a_lifetime_is_accepted_and_what_changes_the_packets_is_refused() {
        let line = |end: &str| format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{end}");
        for end in ["", "|2^31", "|1048576", "|2^48 WSH=64"] {
            assert!(chosen(&[&line(end)]).is_some(), "{end}");
        }
        for end in [
            "|2^20|1:4",
            "|1:32",
            " KDR=1",
            " UNENCRYPTED_SRTP",
            " UNENCRYPTED_SRTCP",
            " UNAUTHENTICATED_SRTP",
            " FEC_ORDER=FEC_SRTP",
            " -unknown",
            &format!(";inline:{KEY}|2^20|2:4"),
        ] {
            assert_eq!(chosen(&[&line(end)]), None, "{end}");
        }
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        for text in [
            "",
            "AAAA",
            "not base64!",
            KEY.trim_start_matches("WVNf"),
            &format!("{KEY}AAAA"),
        ] {
            let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{text}");
            assert_eq!(chosen(&[&line]), None, "{text}");
        }
        let gcm = format!("7 AEAD_AES_128_GCM inline:{}", &STANDARD.encode([7; 28]));
        assert_eq!(chosen(&[&gcm]), Some((7, Suite::AeadAes128Gcm)));
        assert_eq!(
            chosen(&[gcm.trim_end_matches('=')]),
            Some((7, Suite::AeadAes128Gcm))
        );
    }

    #[test]
    fn a_line_of_ours_is_read_as_it_was_meant() {
        for suite in Suite::ALL {
            let key = MasterKey::of_random(*suite, &[0xa5; 64]);
            let ours = Crypto { tag: 9, key };
            assert_eq!(read(&ours.write()).as_ref(), Some(&ours));
            assert!(!format!("{ours:?}").contains("165"), "Debug shows no key");
        }
    }
}
