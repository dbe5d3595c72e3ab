//! `Session-ID` (RFC 7989): the two ends of a conversation, each with an id of its own, which stay
//! the same however many servers the call passes.

/// Hexadecimal digits of one id: a UUID without hyphens.
const DIGITS: usize = 32;

/// The ids in a `Session-ID` value or a `sipSessionID` (`ID` or `ID;remote=ID`), in lower case, the
/// smaller first: whose end is named first depends on who tells. Left out are the nil id, which says that
/// an end is not known yet (RFC 7989 §5), and whatever is no such id.
#[must_use]
pub fn session_uuids(text: &str) -> Vec<String> {
    let mut pieces = text.split(';').map(str::trim);
    let local = pieces.next();
    let remote = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("remote")
            .then(|| value.trim())
    });
    let mut ids: Vec<String> = local.into_iter().chain(remote).filter_map(uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn uuid(text: &str) -> Option<String> {
    let is_id = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_nil = text.bytes().all(|byte| byte == b'0');
    (is_id && !is_nil).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: &str = "11111111222233334444555555555555";
    const HIGH: &str = "ab30317f1a784dc48ff824d0d3715d86";

    #[test]
    fn the_ends_are_the_same_whoever_tells_them() {
        let both = [LOW.to_owned(), HIGH.to_owned()];
        assert_eq!(session_uuids(&format!("{LOW};remote={HIGH}")), both);
        assert_eq!(
            session_uuids(&format!("{} ; REMOTE = {LOW}", HIGH.to_uppercase())),
            both
        );
        assert_eq!(session_uuids(&format!("{LOW};remote={LOW};x=1")), [LOW]);
    }

    #[test]
    fn an_end_that_is_not_known_links_nothing() {
        let nil = "0".repeat(32);
        assert_eq!(session_uuids(&format!("{HIGH};remote={nil}")), [HIGH]);
        for text in [
            "",
            ";",
            "x",
            &nil,
            "ab30317f-1a78-4dc4-8ff8-24d0d3715d86",
            &LOW[1..],
        ] {
            assert_eq!(session_uuids(text), [""; 0], "{text}");
        }
    }
}
