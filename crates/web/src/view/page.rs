//! What every page has: language, title, navigation, the account, the form token.

use crate::assets;
use voicelog_model::Language;

/// The frame around a page. Templates call it `p`.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Language of every text on it.
    pub(crate) lang: Language,
    /// What the tab says, and on most pages the first heading.
    pub(crate) title: String,
    /// Which entry of the menu it belongs to.
    pub(crate) here: &'static str,
    /// Who is signed in.
    pub(crate) account: Option<String>,
    /// Carried by every form.
    pub(crate) form_token: String,
    /// The same page in the other language.
    pub(crate) switch: String,
}

impl Page {
    /// Picks the text in the page's language. Both stand in the template, side by side, so
    /// neither can be missing.
    pub(crate) fn t<'a>(&self, nl: &'a str, en: &'a str) -> &'a str {
        self.lang.pick(nl, en)
    }

    /// Whether the page belongs to that entry of the menu.
    pub(crate) fn at(&self, here: &str) -> bool {
        self.here == here
    }

    /// BCP 47 tag of the page.
    pub(crate) const fn tag(&self) -> &'static str {
        self.lang.tag()
    }

    /// BCP 47 tag of the other language.
    pub(crate) const fn other_tag(&self) -> &'static str {
        other(self.lang).tag()
    }

    /// Address of the style sheet; it changes when the sheet does.
    pub(crate) fn style(&self) -> &'static str {
        assets::style_path()
    }

    /// Version of the program.
    pub(crate) const fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// The other of our two languages.
pub(crate) const fn other(lang: Language) -> Language {
    match lang {
        Language::Nl => Language::En,
        Language::En => Language::Nl,
    }
}

/// Address of a page in the other language, with what it was asked for besides.
pub(crate) fn switch(path: &str, query: Option<&str>, lang: Language) -> String {
    let mut address = format!("{path}?");
    for pair in query.unwrap_or_default().split('&') {
        if !pair.is_empty() && pair != "lang" && !pair.starts_with("lang=") {
            address.push_str(pair);
            address.push('&');
        }
    }
    address.push_str("lang=");
    address.push_str(other(lang).tag());
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_keeps_what_was_asked_for() {
        assert_eq!(switch("/log", None, Language::Nl), "/log?lang=en");
        assert_eq!(
            switch(
                "/",
                Some("state=sealed&lang=en&from=2026-01-01"),
                Language::En
            ),
            "/?state=sealed&from=2026-01-01&lang=nl"
        );
    }
}
