//! A document as a page that prints well: no script, headings in order, everything escaped.

use super::made::{Block, Clause, Document, ListKind, Note, Piece, Section, room_at_the_end};
use crate::decision::Status;
use std::fmt::Write as _;

/// The style sheet of documents.
pub const DOCUMENT_STYLE: &str = include_str!("../../documents/style.css");

/// Where a page gets its style sheet.
#[derive(Debug, Clone, Copy)]
pub enum Style<'a> {
    /// In the page itself: for a file.
    Inside,
    /// At this address: for a page of a site.
    At(&'a str),
}

impl Document {
    /// A whole HTML page. What was filled in is escaped.
    #[must_use]
    pub fn to_html(&self, style: Style<'_>) -> String {
        let mut page = String::with_capacity(16 * 1_024);
        let (lang, title) = (self.language.tag(), escaped(&self.title));
        let style = match style {
            Style::Inside => format!("<style>{DOCUMENT_STYLE}</style>"),
            Style::At(address) => {
                format!("<link rel=\"stylesheet\" href=\"{}\">", escaped(address))
            }
        };
        add(
            &mut page,
            format_args!(
                "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                 <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} – voicelog</title>\n\
                 {style}\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
            ),
        );
        self.warning_to(&mut page);
        for section in &self.sections {
            section_to(section, &mut page);
        }
        page.push_str("</main>\n");
        self.foot_html(&mut page);
        page.push_str("</body>\n</html>\n");
        page
    }

    fn warning_to(&self, page: &mut String) {
        if self.warnings.is_empty() {
            return;
        }
        let [heading, text] = self.warning();
        add(
            page,
            format_args!(
                "<div class=\"warning\" role=\"note\">\n<p><strong>{}</strong></p>\n<p>{}</p>\n<ul>\n",
                escaped(&heading),
                escaped(&text)
            ),
        );
        for reason in &self.warnings {
            add(page, format_args!("<li>{}</li>\n", escaped(reason)));
        }
        page.push_str("</ul>\n</div>\n");
    }

    fn foot_html(&self, page: &mut String) {
        page.push_str("<footer>\n");
        if !self.notes.is_empty() {
            let heading = self.language.pick("Waar dit op rust", "What this rests on");
            add(
                page,
                format_args!("<h2>{heading}</h2>\n<ol class=\"notes\">\n"),
            );
            for note in &self.notes {
                add(
                    page,
                    format_args!(
                        "<li id=\"r{}\">{} <span class=\"rule\">{}</span>{}</li>\n",
                        note.number,
                        escaped(&self.source_of(note)),
                        escaped(&note.rule),
                        match note.status {
                            Status::Verified => String::new(),
                            Status::Unverified => format!(" ({})", self.not_read()),
                            Status::House => format!(" ({})", self.of_house()),
                        }
                    ),
                );
            }
            page.push_str("</ol>\n");
        }
        let heading = self
            .language
            .pick("Over dit document", "About this document");
        add(page, format_args!("<h2>{heading}</h2>\n"));
        for line in self.colophon() {
            add(page, format_args!("<p>{}</p>\n", escaped(&line)));
        }
        page.push_str("</footer>\n");
    }

    /// The articles of a note, or what it is without any.
    pub(super) fn source_of(&self, note: &Note) -> String {
        if note.articles.is_empty() {
            self.language
                .pick("geen wetsartikel", "no article of law")
                .to_owned()
        } else {
            note.articles.join("; ")
        }
    }
}

/// Writing to a string can't fail.
fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    let written = page.write_fmt(text);
    debug_assert!(written.is_ok());
}

fn section_to(section: &Section, page: &mut String) {
    add(
        page,
        format_args!(
            "<section id=\"{}\">\n<h2>{}</h2>\n",
            escaped(&section.id),
            escaped(&section.heading)
        ),
    );
    for clause in &section.clauses {
        clause_to(clause, page);
    }
    page.push_str("</section>\n");
}

fn clause_to(clause: &Clause, page: &mut String) {
    let marks = marks(&clause.notes);
    let last = clause.blocks.len().saturating_sub(1);
    for (place, block) in clause.blocks.iter().enumerate() {
        block_to(block, if place == last { &marks } else { "" }, page);
    }
}

/// The numbers of the rules, as links to the end of the document.
fn marks(notes: &[usize]) -> String {
    let links: Vec<_> = notes
        .iter()
        .map(|number| format!("<a href=\"#r{number}\">{number}</a>"))
        .collect();
    if links.is_empty() {
        String::new()
    } else {
        format!("<sup class=\"marks\">{}</sup>", links.join(" "))
    }
}

fn block_to(block: &Block, marks: &str, page: &mut String) {
    match block {
        Block::Paragraph(pieces) => {
            add(page, format_args!("<p>{}</p>\n", line(pieces, marks)));
        }
        Block::Said(pieces) => add(
            page,
            format_args!("<blockquote><p>{}</p></blockquote>\n", line(pieces, marks)),
        ),
        Block::List(kind, items) => {
            let (open, close) = match kind {
                ListKind::Bullets => ("<ul>".to_owned(), "</ul>"),
                ListKind::Steps(first) => (format!("<ol start=\"{first}\">"), "</ol>"),
                ListKind::Ticks => ("<ul class=\"ticks\">".to_owned(), "</ul>"),
            };
            add(page, format_args!("{open}\n"));
            for (place, item) in items.iter().enumerate() {
                let marks = if place + 1 == items.len() { marks } else { "" };
                add(page, format_args!("<li>{}</li>\n", line(item, marks)));
            }
            add(page, format_args!("{close}\n"));
        }
        Block::Rows(rows) => {
            page.push_str("<dl>\n");
            for (place, (label, value)) in rows.iter().enumerate() {
                let marks = if place + 1 == rows.len() { marks } else { "" };
                add(
                    page,
                    format_args!(
                        "<div><dt>{}</dt><dd>{}</dd></div>\n",
                        escaped(label),
                        line(value, marks)
                    ),
                );
            }
            page.push_str("</dl>\n");
        }
    }
}

/// A line with the marks at its end, or before the room to write that ends it.
fn line(pieces: &[Piece], marks: &str) -> String {
    let mut text = String::new();
    let before = room_at_the_end(pieces);
    for (place, piece) in pieces.iter().enumerate() {
        if Some(place) == before {
            text.push_str(marks);
        }
        match piece {
            Piece::Words(words) => text.push_str(&escaped(words)),
            Piece::Filled(value) => {
                let value = escaped(value).replace('\n', "<br>");
                text.push_str(&value);
            }
            Piece::Blank { label, lines: 0 } => {
                add(
                    &mut text,
                    format_args!("<span class=\"blank\">…………………{}</span>", labelled(label)),
                );
            }
            Piece::Blank { label, lines } => {
                add(
                    &mut text,
                    format_args!(
                        "<span class=\"space\">{}{}</span>",
                        labelled(label).trim_start(),
                        "<span class=\"line\"></span>".repeat(*lines)
                    ),
                );
            }
        }
    }
    if before.is_none() {
        text.push_str(marks);
    }
    text
}

/// What belongs at an open place.
fn labelled(label: &str) -> String {
    if label.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"label\">({})</span>", escaped(label))
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
