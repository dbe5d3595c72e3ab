//! What is refused before Cedar reads a rule: what would take its stack, what can fail when it is
//! evaluated, and signs that a terminal obeys.

use super::Notes;
use super::pieces::{Piece, Token, Word};

/// Deepest that brackets and `if` may stand in each other, the braces of `when` counted. In a
/// debug build Cedar 4.14 ends a thread with a stack of 2 MiB at 36.
const DEPTH_MAX: usize = 8;
/// Most steps of one rule. On such a thread mistakes are found up to some 90, are passed over in
/// silence above that, and at 149 the thread ends.
const STEPS_MAX: usize = 40;
/// What makes a value to reckon with from a text.
const RECKONING: &[&str] = &["datetime", "decimal", "duration", "ip"];

/// Adds what is wrong with the words of a rule. If there is anything, Cedar may not read it.
pub(super) fn check(notes: &mut Notes<'_>) {
    let piece = notes.piece;
    too_deep(piece, notes);
    too_long(piece, notes);
    reckons(piece, notes);
    signs(piece, notes);
}

fn too_deep(piece: &Piece<'_>, notes: &mut Notes<'_>) {
    // What was opened and not closed. An `if` ends with the bracket that it stands in.
    let mut open: Vec<char> = Vec::new();
    for token in &piece.tokens {
        match token.word {
            Word::Sign(sign @ ('(' | '[' | '{')) => open.push(sign),
            Word::Name("if") => open.push('i'),
            Word::Sign(')' | ']' | '}') => while open.pop().is_some_and(|opened| opened == 'i') {},
            _ => {}
        }
        if open.len() > DEPTH_MAX {
            return notes.add(
                token.at,
                &format!("te diep: hooguit {DEPTH_MAX} haakjes en `if` in elkaar; verdeel de voorwaarde over meer regels"),
                &format!("too deep: at most {DEPTH_MAX} brackets and `if` inside each other; divide the condition over more rules"),
            );
        }
    }
}

fn too_long(piece: &Piece<'_>, notes: &mut Notes<'_>) {
    let mut before: Option<&Token<'_>> = None;
    let mut steps = 0;
    for token in piece.body() {
        let follows = |sign| {
            before
                .is_some_and(|before| before.word == Word::Sign(sign) && before.at + 1 == token.at)
        };
        let is_step = match token.word {
            Word::Sign(sign @ ('&' | '|')) => follows(sign),
            Word::Sign('!') | Word::Name("if" | "when" | "unless") => true,
            // `context.purpose` is no step; `.contains`, and a field of a fact, is one.
            Word::Sign('.') => before.is_none_or(|word| word.word != Word::Name("context")),
            _ => false,
        };
        steps += usize::from(is_step);
        if steps > STEPS_MAX {
            return notes.add(
                token.at,
                &format!("te lang: hooguit {STEPS_MAX} stappen (`&&`, `||`, `!`, `if`, `when`, `.contains` en dergelijke) in één regel; verdeel de voorwaarde over meer regels"),
                &format!("too long: at most {STEPS_MAX} steps (`&&`, `||`, `!`, `if`, `when`, `.contains` and the like) in one rule; divide the condition over more rules"),
            );
        }
        before = Some(token);
    }
}

/// Reckoning can overflow, and a rule that fails refuses whatever it is asked about.
fn reckons(piece: &Piece<'_>, notes: &mut Notes<'_>) {
    let mut words = piece.body().iter().peekable();
    while let Some(token) = words.next() {
        let is_call = words
            .peek()
            .is_some_and(|next| next.word == Word::Sign('('));
        let found = match token.word {
            Word::Sign(sign @ ('+' | '-' | '*')) => sign.to_string(),
            Word::Name(name) if is_call && RECKONING.contains(&name) => name.to_owned(),
            _ => continue,
        };
        return notes.add(
            token.at,
            &format!("een huisregel rekent niet (`{found}`): dat kan mislukken; vergelijk een feit met een getal, zoals `context.age_youngest < 16`"),
            &format!("a house rule does not reckon (`{found}`): that can fail; compare a fact with a number, such as `context.age_youngest < 16`"),
        );
    }
}

/// A sign that controls a terminal or a printer, written as it is or as an escape. Tabs and line
/// ends stay.
fn signs(piece: &Piece<'_>, notes: &mut Notes<'_>) {
    let as_is = control(piece.text);
    let escaped = piece.tokens.iter().find_map(|token| match token.word {
        Word::Text(text) => escaped_control(text).map(|sign| (token.at, sign)),
        _ => None,
    });
    if let Some((at, sign)) = as_is.or(escaped) {
        let code = u32::from(sign);
        notes.add(
            at,
            &format!("hier staat een stuurteken (U+{code:04X}); haal het weg"),
            &format!("there is a control character here (U+{code:04X}); take it out"),
        );
    }
}

/// The first control character, and where it stands in bytes.
pub(super) fn control(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(at, sign)| {
        let ends_a_line = || {
            text.get(at + 1..)
                .is_some_and(|rest| rest.starts_with('\n'))
        };
        is_control(*sign) && !(*sign == '\r' && ends_a_line())
    })
}

fn is_control(sign: char) -> bool {
    sign.is_control() && !matches!(sign, '\t' | '\n')
}

/// The first escape of a text that stands for a control character: `\r`, `\0`, `\x1b`, `\u{1b}`.
fn escaped_control(text: &str) -> Option<char> {
    let mut rest = text;
    while let Some((_, escape)) = rest.split_once('\\') {
        let mut signs = escape.chars();
        let code = match signs.next() {
            Some('r') => Some("d"),
            Some('0') => Some("0"),
            Some('x') => escape.get(1..3),
            Some('u') => escape
                .strip_prefix("u{")
                .and_then(|code| code.split_once('}'))
                .map(|(code, _)| code),
            _ => None,
        };
        let code = code.map(|code| code.replace('_', ""));
        let code = code.and_then(|code| u32::from_str_radix(&code, 16).ok());
        let found = code
            .and_then(char::from_u32)
            .filter(|sign| is_control(*sign));
        if found.is_some() {
            return found;
        }
        rest = signs.as_str();
    }
    None
}
