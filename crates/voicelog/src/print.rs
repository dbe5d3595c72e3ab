//! Everything that the command line prints goes through here: answers to standard output,
//! trouble to standard error, colours only on a terminal.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use voicelog_model::Language;

/// Prints one line of an answer. A reader that has gone away (a closed pipe) is no trouble.
pub(crate) fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        // Nobody reads any more; the command itself goes on.
    }
}

/// Prints an answer for machines.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints what went wrong, with its causes, to standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    warn(format!("voicelog: {}", causes.join(": ")));
}

/// Prints a line for the operator to standard error.
pub(crate) fn warn(text: impl Display) {
    let mut out = std::io::stderr().lock();
    if writeln!(out, "{text}").is_err() {
        // Nobody reads any more.
    }
}

/// A colour, used on terminals only and never as the only sign.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Bad,
    Strong,
}

/// Colours a text if standard output is a terminal.
pub(crate) fn tone(tone: Tone, text: &str) -> String {
    if !std::io::stdout().is_terminal() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => "32",
        Tone::Bad => "31",
        Tone::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Picks the text of the language and prints it.
pub(crate) fn say(lang: Language, nl: &str, en: &str) {
    line(lang.pick(nl, en));
}

/// A number with its word: one, or several.
pub(crate) fn count(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
