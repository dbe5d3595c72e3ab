//! Which language a page is in: what was asked for, else what was chosen before, else what the
//! browser prefers, else Dutch.

use voicelog_model::Language;

/// Cookie in which the choice is kept. It holds `nl` or `en` and nothing about the person.
pub(crate) const COOKIE: &str = "voicelog-lang";

/// Picks the language of a page.
pub(crate) fn choose(
    asked: Option<Language>,
    cookie: Option<&str>,
    accept_language: Option<&str>,
) -> Language {
    asked
        .or_else(|| cookie.and_then(|value| value.parse().ok()))
        .or_else(|| accept_language.and_then(preferred))
        .unwrap_or_default()
}

/// The language asked for in a query string (`lang=nl`), if it is one we speak.
pub(crate) fn asked(query: Option<&str>) -> Option<Language> {
    query?
        .split('&')
        .filter_map(|pair| pair.strip_prefix("lang="))
        .find_map(|value| value.parse().ok())
}

/// The first of ours by weight in an `Accept-Language` field (RFC 9110 §12.5.4).
fn preferred(accept_language: &str) -> Option<Language> {
    let mut best: Option<(u16, Language)> = None;
    for item in accept_language.split(',').take(32) {
        let mut parts = item.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let primary = tag
            .split('-')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let Ok(language) = primary.parse::<Language>() else {
            continue;
        };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(Some(1_000), parse_weight)
            .unwrap_or(0);
        if weight > 0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A weight `0.8` in thousandths.
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    (whole * 1_000 + thousandths <= 1_000).then_some(whole * 1_000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_beats_the_cookie_and_the_cookie_beats_the_browser() {
        let en = Some(Language::En);
        assert_eq!(choose(en, Some("nl"), Some("nl")), Language::En);
        assert_eq!(choose(None, Some("en"), Some("nl")), Language::En);
        assert_eq!(choose(None, Some("tlh"), Some("en-GB")), Language::En);
        assert_eq!(choose(None, None, None), Language::Nl);
    }

    #[test]
    fn the_browsers_weights_count() {
        assert_eq!(preferred("en;q=0.4, nl;q=0.8"), Some(Language::Nl));
        assert_eq!(preferred("fr, en-US;q=0.5"), Some(Language::En));
        assert_eq!(preferred("nl-BE, en"), Some(Language::Nl));
        assert_eq!(preferred("nl;q=0, en;q=0.001"), Some(Language::En));
        assert_eq!(preferred("fr, de;q=0.5, *;q=0.1"), None);
        assert_eq!(preferred("nl;q=9, ;;,q=,"), None);
    }

    #[test]
    fn only_a_language_we_speak_is_taken_from_the_query() {
        assert_eq!(asked(Some("state=sealed&lang=en")), Some(Language::En));
        assert_eq!(asked(Some("lang=<b>")), None);
        assert_eq!(asked(Some("flang=en")), None);
        assert_eq!(asked(None), None);
    }
}
