//! Random tokens that only the browser (or the link) holds; we keep their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// 256 random bits in a cookie or a link.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token([u8; 32]);

impl Token {
    pub(crate) const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads the text form; anything but exactly what `text` writes is refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// 43 characters, safe in a path and in a cookie.
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What we keep: whoever reads the index cannot sign in with it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The token that forms carry to show that our own page made them. It follows from the
    /// cookie, so it needs no storage, and it does not tell the cookie.
    pub(crate) fn form_token(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"voicelog form token v1\0");
        hasher.update(self.0);
        URL_SAFE_NO_PAD.encode(hasher.finalize())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Compares two secrets in time that does not depend on where they differ.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling_and_tells_nothing_when_printed() {
        let token = Token::new([0xa7; 32]);
        let text = token.text();
        assert_eq!(Token::parse(&text), Some(token.clone()));
        assert_eq!(Token::parse(&format!("{text}=")), None);
        assert_eq!(Token::parse(text.split_at(1).1), None);
        // The last character carries two unused bits, which must be zero.
        let mut twisted = text;
        twisted.pop();
        twisted.push('d');
        assert!(Token::parse(&twisted).is_none_or(|other| other != token));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn the_form_token_is_neither_the_cookie_nor_its_hash() {
        let token = Token::new([1; 32]);
        assert_ne!(token.form_token(), token.text());
        assert_ne!(token.form_token(), URL_SAFE_NO_PAD.encode(token.hash()));
        assert_ne!(token.form_token(), Token::new([2; 32]).form_token());
    }
}
