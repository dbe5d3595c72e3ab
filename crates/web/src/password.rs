//! Passwords of local accounts: argon2id, and a short list of what a password must be.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

/// Fewest characters.
pub(crate) const CHARACTERS_MIN: usize = 12;
/// Most bytes; longer input only costs us work.
pub(crate) const BYTES_MAX: usize = 1_024;
/// Memory in KiB, passes and lanes (RFC 9106 §4, the second recommended option has 64 MiB and
/// three passes; OWASP's minimum is 19 MiB and two).
const COST: (u32, u32, u32) = (64 * 1_024, 3, 1);

/// Why a password cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// Fewer than `CHARACTERS_MIN` characters.
    TooShort,
    /// More than `BYTES_MAX` bytes.
    TooLong,
    /// It is the account's name, or one character or two repeated.
    TooSimple,
    /// The second time it was typed differently.
    NotTheSame,
}

/// No hash could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot hash the password")]
pub(crate) struct HashError(#[source] argon2::password_hash::Error);

/// Holds a new password against the requirements, all of which the form shows.
pub(crate) fn weakness(password: &str, again: &str, name: &str) -> Option<Weakness> {
    if password.chars().count() < CHARACTERS_MIN {
        return Some(Weakness::TooShort);
    }
    if password.len() > BYTES_MAX {
        return Some(Weakness::TooLong);
    }
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 3 || password.eq_ignore_ascii_case(name) {
        return Some(Weakness::TooSimple);
    }
    (password != again).then_some(Weakness::NotTheSame)
}

fn argon2id() -> Result<Argon2<'static>, HashError> {
    let (memory, passes, lanes) = COST;
    let params =
        Params::new(memory, passes, lanes, None).map_err(|source| HashError(source.into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The text that is kept (PHC string format), made with a fresh salt.
pub(crate) fn hash(password: &str, salt: &[u8; 16]) -> Result<String, HashError> {
    argon2id()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|hash| hash.to_string())
        .map_err(HashError)
}

/// Whether this is the password. With no account of that name the same work is done for nothing,
/// so that the time it takes does not tell which names exist.
pub(crate) fn matches(password: &str, kept: Option<&str>) -> bool {
    if password.len() > BYTES_MAX {
        return false;
    }
    let Ok(argon2id) = argon2id() else {
        return false;
    };
    match kept.map(PasswordHash::new) {
        Some(Ok(kept)) => argon2id.verify_password(password.as_bytes(), &kept).is_ok(),
        Some(Err(_)) | None => {
            let _work: bool = argon2id
                .hash_password_with_salt(password.as_bytes(), &[0; 16])
                .is_ok();
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches_and_the_hash_is_argon2id() {
        let kept = hash("een lang wachtwoord", &[7; 16]).unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"),
            "{kept}"
        );
        assert!(matches("een lang wachtwoord", Some(&kept)));
        assert!(!matches("een lang wachtwoorD", Some(&kept)));
        assert!(!matches("een lang wachtwoord", None));
        assert!(!matches("", Some("not a hash")));
    }

    #[test]
    fn what_the_form_asks_is_what_is_checked() {
        let same = |password: &str| weakness(password, password, "Beheer Beheer");
        assert_eq!(same("kort"), Some(Weakness::TooShort));
        assert_eq!(same("éééééééééééé"), Some(Weakness::TooSimple));
        assert_eq!(same("beheer beheer"), Some(Weakness::TooSimple));
        assert_eq!(same(&"lang ".repeat(300)), Some(Weakness::TooLong));
        assert_eq!(same("paard accu nietje"), None);
        assert_eq!(
            weakness("paard accu nietje", "paard accu nietj", ""),
            Some(Weakness::NotTheSame)
        );
    }
}
