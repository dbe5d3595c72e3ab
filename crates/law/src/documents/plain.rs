//! A document as plain text, and the lines about itself that both forms end with.

use super::made::{Block, Document, ListKind, Note, Piece, room_at_the_end};
use crate::decision::{Outcome, Status};
use voicelog_model::Language;

/// Longest line of plain text in characters.
const WIDTH: usize = 88;
/// How a place to fill in looks.
const BLANK: &str = "…………………";
/// A line to write on.
const LINE: &str = "……………………………………………………………………………………………";

impl Document {
    /// Plain text, in lines of at most 88 characters but for long words.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = Vec::new();
        out.push(self.title.to_uppercase());
        out.push(String::new());
        if !self.warnings.is_empty() {
            let [heading, text] = self.warning();
            wrap(&format!("!! {heading} {text}"), "   ", &mut out);
            for reason in &self.warnings {
                wrap(&format!("   - {reason}"), "     ", &mut out);
            }
            out.push(String::new());
        }
        for section in &self.sections {
            out.push(section.heading.clone());
            out.push("-".repeat(section.heading.chars().count()));
            for clause in &section.clauses {
                let last = clause.blocks.len().saturating_sub(1);
                for (place, block) in clause.blocks.iter().enumerate() {
                    let marks = if place == last {
                        &clause.notes[..]
                    } else {
                        &[]
                    };
                    block_to(block, marks, &mut out);
                }
                out.push(String::new());
            }
        }
        self.foot_text(&mut out);
        let mut text = out.join("\n");
        text.push('\n');
        text
    }

    fn foot_text(&self, out: &mut Vec<String>) {
        if !self.notes.is_empty() {
            out.push(
                self.language
                    .pick("Waar dit op rust", "What this rests on")
                    .to_owned(),
            );
            for note in &self.notes {
                let unread = match note.status {
                    Status::Verified => String::new(),
                    Status::Unverified => format!(" ({})", self.not_read()),
                    Status::House => format!(" ({})", self.of_house()),
                };
                let line = format!(
                    "[{}] {} · {}{unread}",
                    note.number,
                    self.source_of(note),
                    note.rule
                );
                wrap(&line, "    ", out);
            }
            out.push(String::new());
        }
        out.push(
            self.language
                .pick("Over dit document", "About this document")
                .to_owned(),
        );
        for line in self.colophon() {
            wrap(&line, "", out);
        }
    }

    /// What stands at the top where the act is not permitted: a heading and what follows from it.
    pub(super) fn warning(&self) -> [String; 2] {
        let (act, pick) = (&self.act, |nl, en| self.language.pick(nl, en).to_owned());
        let heading = match (self.outcome, self.language) {
            (Outcome::NeedsHuman, Language::Nl) => {
                format!("Let op: over {act} moet eerst een mens beslissen.")
            }
            (Outcome::NeedsHuman, Language::En) => {
                format!("Note: a person has to decide on {act} first.")
            }
            (_, Language::Nl) => format!("Let op: {act} mag niet, zoals het nu is."),
            (_, Language::En) => format!("Note: as things stand, {act} is not allowed."),
        };
        let text = if self.says_it_happens {
            pick(
                "Gebruik deze tekst nog niet; hij verandert daar niets aan. De redenen:",
                "Do not use this text yet; it does not change that. The reasons:",
            )
        } else {
            pick("De redenen:", "The reasons:")
        };
        [heading, text]
    }

    /// What is said of a rule that the organisation made itself.
    pub(super) const fn of_house(&self) -> &'static str {
        self.language.pick("huisregel", "house rule")
    }

    /// How a source that was not read is marked.
    pub(super) const fn not_read(&self) -> &'static str {
        self.language.pick(
            "bron niet gelezen of eigen toepassing",
            "source not read, or our own application",
        )
    }

    /// What the document says of itself.
    pub(super) fn colophon(&self) -> Vec<String> {
        let Self {
            name,
            version,
            hash,
            day,
            rulebook,
            ..
        } = self;
        let pick = |nl: String, en: String| match self.language {
            Language::Nl => nl,
            Language::En => en,
        };
        let mut lines = vec![pick(
            "Dit is een concept en geen juridisch advies. Laat het nakijken voordat u het gebruikt."
                .to_owned(),
            "This is a draft and no legal advice. Have it looked over before you use it.".to_owned(),
        )];
        if self.blanks > 0 {
            lines.push(match (self.blanks, self.language) {
                (1, Language::Nl) => "Eén plek is nog open.".to_owned(),
                (1, Language::En) => "One place is still open.".to_owned(),
                (many, _) => pick(
                    format!("{many} plekken zijn nog open."),
                    format!("{many} places are still open."),
                ),
            });
        }
        if !self.assumed.is_empty() {
            let assumed = self.assumed.join("; ");
            lines.push(pick(
                format!("Niet gezegd, en door het regelboek zo gelezen: {assumed}."),
                format!("Not said, and read so by the rulebook: {assumed}."),
            ));
        }
        let unread: Vec<_> = self
            .unverified()
            .map(|note: &Note| note.number.to_string())
            .collect();
        if !unread.is_empty() {
            let unread = unread.join(", ");
            lines.push(pick(
                format!("Niet op een gelezen bron rust wat verwijst naar: {unread}."),
                format!("Not resting on a source that was read is what points at: {unread}."),
            ));
        }
        lines.push(pick(
            format!(
                "Gemaakt naar de regels van {day}: regelboek {} tot en met {}, {}.",
                rulebook.id, rulebook.valid_from, rulebook.hash
            ),
            format!(
                "Made by the rules of {day}: rulebook {} up to {}, {}.",
                rulebook.id, rulebook.valid_from, rulebook.hash
            ),
        ));
        lines.push(pick(
            format!("Tekst: {name}, versie van {version}, {hash}."),
            format!("Text: {name}, version of {version}, {hash}."),
        ));
        lines
    }
}

fn block_to(block: &Block, notes: &[usize], out: &mut Vec<String>) {
    let marks = marks(notes);
    match block {
        Block::Paragraph(pieces) => wrap(&line(pieces, &marks), "", out),
        Block::Said(pieces) => wrap(&format!("  “{}”{marks}", line(pieces, "")), "   ", out),
        Block::List(kind, items) => {
            for (place, item) in items.iter().enumerate() {
                let mark = match kind {
                    ListKind::Bullets => "- ".to_owned(),
                    ListKind::Steps(first) => format!("{}. ", first + place),
                    ListKind::Ticks => "[ ] ".to_owned(),
                };
                let marks = if place + 1 == items.len() { &marks } else { "" };
                let indent = " ".repeat(mark.chars().count());
                wrap(&format!("{mark}{}", line(item, marks)), &indent, out);
            }
        }
        Block::Rows(rows) => {
            for (place, (label, value)) in rows.iter().enumerate() {
                let marks = if place + 1 == rows.len() { &marks } else { "" };
                let colon = if label.ends_with('?') { "" } else { ":" };
                wrap(&format!("{label}{colon} {}", line(value, marks)), "  ", out);
            }
        }
    }
}

fn marks(notes: &[usize]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let numbers: Vec<_> = notes.iter().map(ToString::to_string).collect();
    format!(" [{}]", numbers.join(", "))
}

/// A line with the marks at its end, or before the room to write that ends it.
fn line(pieces: &[Piece], marks: &str) -> String {
    let mut text = String::new();
    let before = room_at_the_end(pieces);
    for (place, piece) in pieces.iter().enumerate() {
        if Some(place) == before {
            let end = text.trim_end().len();
            text.truncate(end);
            text.push_str(marks);
        }
        match piece {
            Piece::Words(words) => text.push_str(words),
            Piece::Filled(value) => text.push_str(value),
            Piece::Blank { label, lines } => {
                if *lines == 0 {
                    text.push_str(BLANK);
                }
                if !label.is_empty() {
                    let space = if text.ends_with(' ') { "" } else { " " };
                    text.push_str(&format!("{space}({label})"));
                }
                for _ in 0..*lines {
                    text.push('\n');
                    text.push_str(LINE);
                }
            }
        }
    }
    if before.is_none() {
        text.push_str(marks);
    }
    text
}

/// Adds a text in lines that are not too long; its own line breaks stay.
fn wrap(text: &str, indent: &str, out: &mut Vec<String>) {
    for (number, part) in text.split('\n').enumerate() {
        let mut current = if number == 0 {
            let start: String = part.chars().take_while(|c| *c == ' ').collect();
            start
        } else {
            indent.to_owned()
        };
        let mut is_empty = true;
        for word in part.split_whitespace() {
            let long = current.chars().count() + word.chars().count() + 1 > WIDTH;
            if long && !is_empty {
                out.push(std::mem::replace(&mut current, indent.to_owned()));
                is_empty = true;
            }
            if !is_empty {
                current.push(' ');
            }
            current.push_str(word);
            is_empty = false;
        }
        out.push(current);
    }
}
