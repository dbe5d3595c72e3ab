//! A file of rules cut into its rules, each with its words and where they stand. So that a mistake
//! in one rule hides none in another, and every mistake has a line.

/// What a word is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A name: `forbid`, `context`, `purpose`.
    Name(&'a str),
    /// A text between quotes, without them.
    Text(&'a str),
    /// A text that does not end.
    OpenText,
    /// Anything else, sign by sign.
    Sign(char),
}

/// A word and where it begins, in bytes from the beginning of its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) word: Word<'a>,
    pub(super) at: usize,
}

/// One rule in a file.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) file: &'a str,
    /// The whole text of the file.
    whole: &'a str,
    /// Where the rule begins in it, in bytes.
    start: usize,
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
}

/// The rules of a file, each up to and with its `;`.
pub(super) fn cut<'a>(file: &'a str, whole: &'a str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut tokens: Vec<Token<'a>> = Vec::new();
    let piece = |tokens: &mut Vec<Token<'a>>, end: usize| {
        let start = tokens.first()?.at;
        let mut tokens = std::mem::take(tokens);
        for token in &mut tokens {
            token.at -= start;
        }
        let text = whole.get(start..end)?;
        Some(Piece {
            file,
            whole,
            start,
            text,
            tokens,
        })
    };
    for token in words(whole) {
        let is_end = token.word == Word::Sign(';');
        let end = token.at + 1;
        tokens.push(token);
        if is_end {
            pieces.extend(piece(&mut tokens, end));
        }
    }
    pieces.extend(piece(&mut tokens, whole.len()));
    pieces
}

/// The words of a text, without comments.
fn words(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (word, length) = next(rest);
        if let Some(word) = word {
            tokens.push(Token { word, at });
        }
        at += length;
    }
    tokens
}

/// The first word of a text that is not empty, if it begins with one, and how many bytes it takes.
fn next(rest: &str) -> (Option<Word<'_>>, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    if rest.starts_with("//") {
        return (None, rest.find(['\n', '\r']).unwrap_or(rest.len()));
    }
    if first == '"' {
        return quoted(rest);
    }
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let length = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
    match rest.get(..length).filter(|name| !name.is_empty()) {
        Some(name) => (Some(Word::Name(name)), length),
        None if first.is_whitespace() => (None, first.len_utf8()),
        None => (Some(Word::Sign(first)), first.len_utf8()),
    }
}

fn quoted(rest: &str) -> (Option<Word<'_>>, usize) {
    let mut is_escaped = false;
    for (place, sign) in rest.char_indices().skip(1) {
        match sign {
            '"' if !is_escaped => {
                let text = rest.get(1..place).unwrap_or_default();
                return (Some(Word::Text(text)), place + 1);
            }
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    (Some(Word::OpenText), rest.len())
}

impl Piece<'_> {
    /// Line and column, both from 1, of a place in this rule.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let before = self.whole.get(..self.start + at).unwrap_or(self.whole);
        let line = before.matches('\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        (line, last.chars().count() + 1)
    }

    /// Where an annotation stands; the beginning of the rule if it has none of that name.
    pub(super) fn annotation(&self, name: &str) -> usize {
        let mut pairs = self.tokens.windows(2);
        let found = pairs.find_map(|pair| match pair {
            [at, is] if at.word == Word::Sign('@') && is.word == Word::Name(name) => Some(at.at),
            _ => None,
        });
        found.unwrap_or(0)
    }

    /// Where the text of an annotation stands, as the rule has it.
    pub(super) fn annotation_text(&self, name: &str) -> Option<&str> {
        let mut pieces = self.tokens.windows(4);
        pieces.find_map(|words| match words {
            [at, is, open, text]
                if at.word == Word::Sign('@')
                    && is.word == Word::Name(name)
                    && open.word == Word::Sign('(') =>
            {
                match text.word {
                    Word::Text(text) => Some(text),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// The words after the annotations.
    pub(super) fn body(&self) -> &[Token<'_>] {
        let is_effect =
            |token: &Token<'_>| [Word::Name("forbid"), Word::Name("permit")].contains(&token.word);
        let start = self.tokens.iter().position(is_effect).unwrap_or(0);
        self.tokens.get(start..).unwrap_or_default()
    }

    /// Where the condition names something: `.name`, `has name`.
    pub(super) fn name(&self, name: &str) -> usize {
        let mut pairs = self.body().windows(2);
        let found = pairs.find_map(|pair| match pair {
            [before, is]
                if is.word == Word::Name(name)
                    && [Word::Sign('.'), Word::Name("has")].contains(&before.word) =>
            {
                Some(is.at)
            }
            _ => None,
        });
        found.unwrap_or_else(|| self.start_of_body())
    }

    /// Where the condition has a text in quotes, the one nearest to a name.
    pub(super) fn text_near(&self, text: &str, name: &str) -> usize {
        let body = self.body();
        let names: Vec<usize> = body
            .iter()
            .enumerate()
            .filter(|(_, token)| token.word == Word::Name(name))
            .map(|(place, _)| place)
            .collect();
        let distance = |place: usize| names.iter().map(|name| name.abs_diff(place)).min();
        let found = body
            .iter()
            .enumerate()
            .filter(|(_, token)| token.word == Word::Text(text))
            .min_by_key(|(place, _)| distance(*place));
        found.map_or_else(|| self.name(name), |(_, token)| token.at)
    }

    /// Where the annotations end and the rule proper begins.
    pub(super) fn start_of_body(&self) -> usize {
        self.body().first().map_or(0, |token| token.at)
    }

    /// Where a text begins that does not end.
    pub(super) fn open_text(&self) -> Option<usize> {
        let mut tokens = self.tokens.iter();
        tokens
            .find(|token| token.word == Word::OpenText)
            .map(|token| token.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_a_text_or_a_comment_ends_no_rule() {
        let text =
            "// one; two\n@nl(\"a; \\\"b\")\npermit (principal);\n\n  forbid (action); // x;\n";
        let pieces = cut("a.cedar", text);
        let texts: Vec<_> = pieces.iter().map(|piece| piece.text).collect();
        assert_eq!(
            texts,
            ["@nl(\"a; \\\"b\")\npermit (principal);", "forbid (action);"]
        );
        assert_eq!(pieces[0].place(0), (2, 1));
        assert_eq!(pieces[1].place(0), (5, 3));
    }

    #[test]
    fn a_text_without_an_end_is_found_where_it_begins() {
        let pieces = cut("a.cedar", "@nl(\"x)\nforbid (action);");
        assert_eq!((pieces.len(), pieces[0].open_text()), (1, Some(4)));
    }

    #[test]
    fn words_of_the_condition_are_found_and_not_those_of_the_annotations() {
        let text = "@nl(\"klacht\")\nforbid (principal, action, resource)\nwhen { context has purpose && [\"klacht\"].contains(context.purpose) };";
        let pieces = cut("a.cedar", text);
        let place = |at| pieces[0].place(at);
        assert_eq!(place(pieces[0].name("purpose")), (3, 20));
        assert_eq!(place(pieces[0].text_near("klacht", "purpose")), (3, 32));
        assert_eq!(place(pieces[0].annotation("nl")), (1, 1));
        assert_eq!(pieces[0].annotation_text("nl"), Some("klacht"));
    }
}
