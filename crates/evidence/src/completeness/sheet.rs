//! The statement in blocks, for paper: the same words as the page.

use super::Completeness;
use super::page::{Drawing, Row, Section, WIDTH, Words, sections};
use crate::part::Scope;
use crate::sheet::{BarKind, BarPiece, Block, Sheet, Tone};
use crate::timeline::Timeline;

impl Completeness {
    /// The statement for paper: Dutch, then English.
    #[must_use]
    pub fn sheets(&self, timeline: &Timeline, scope: Option<&Scope>) -> [Sheet; 2] {
        sections(self, timeline, scope).map(sheet)
    }
}

fn sheet(section: Section) -> Sheet {
    let language = section.language;
    let mut blocks = vec![Block::Title(section.w.heading.to_owned())];
    let is_part = section.part.is_some();
    blocks.extend(section.part.map(|part| Block::Frame {
        tone: Tone::Neutral,
        title: part,
        lines: vec![section.w.left_out.to_owned()],
    }));
    for (said, texts) in [
        (section.w.asked, section.passages),
        (section.w.in_fact, section.left_out),
    ] {
        if !texts.is_empty() {
            blocks.extend([paragraph(said), Block::List(texts)]);
        }
    }
    blocks.push(Block::Frame {
        tone: match section.tone {
            "good" => Tone::Good,
            "bad" => Tone::Bad,
            _ => Tone::Neutral,
        },
        title: section.verdict.to_owned(),
        lines: vec![section.means.to_owned()],
    });
    blocks.push(heading(section.w.recording));
    let facts = section.facts.into_iter();
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    blocks.push(Block::Facts(facts.collect()));
    blocks.extend(numbers(&section.w, section.rows, section.drawings, is_part));
    blocks.push(heading(section.w.gaps));
    if section.gaps.is_empty() {
        blocks.push(paragraph(section.w.none));
    } else {
        let unlisted = section.unlisted;
        let more = (unlisted > 0).then(|| format!("{unlisted} {}", section.w.and_more));
        blocks.push(Block::List(section.gaps.into_iter().chain(more).collect()));
    }
    if !section.remarks.is_empty() {
        blocks.extend([heading(section.w.remarks), Block::List(section.remarks)]);
    }
    blocks.extend(limits(&section.w, section.is_accounted));
    Sheet { language, blocks }
}

fn heading(text: &str) -> Block {
    Block::Heading(text.to_owned())
}

fn paragraph(text: &str) -> Block {
    Block::Paragraph(text.to_owned())
}

/// What came in numbers, and drawn.
fn numbers(words: &Words, rows: Vec<Row>, drawings: Vec<Drawing>, is_part: bool) -> Vec<Block> {
    let columns = words.columns.map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.cells).collect();
    let said = rows.iter().map(|row| in_words(&columns, row));
    let bars: Vec<Block> = drawings
        .into_iter()
        .zip(said)
        .map(|(drawing, says)| bar(drawing, says))
        .collect();
    let mut blocks = vec![heading(words.numbers), Block::Table { columns, rows }];
    blocks.extend(bars);
    blocks.push(paragraph(words.paper_legend));
    blocks.extend(is_part.then(|| paragraph(words.paper_absent)));
    blocks
}

/// What it shows, what not, and how to check it.
fn limits(words: &Words, is_accounted: bool) -> Vec<Block> {
    let mut blocks = vec![heading(words.shows)];
    blocks.extend(is_accounted.then(|| paragraph(words.sum_text)));
    blocks.extend([
        paragraph(words.shows_text),
        heading(words.not),
        paragraph(words.not_text),
        heading(words.check),
        paragraph(words.check_text),
    ]);
    blocks
}

/// `stream 1, codec G711a, expected 3000, …`.
fn in_words(columns: &[String], row: &[String]) -> String {
    let cells = columns.iter().zip(row);
    let cells: Vec<String> = cells
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    cells.join(", ")
}

fn bar(drawing: Drawing, says: String) -> Block {
    let pieces = drawing.pieces.into_iter().filter_map(|piece| {
        let kind = match piece.class {
            "media" => BarKind::Media,
            "gap" => BarKind::Declared,
            "undeclared" => BarKind::Undeclared,
            "absent" => BarKind::Absent,
            _ => return None,
        };
        Some(BarPiece {
            start: piece.x,
            width: piece.width,
            kind,
        })
    });
    Block::Bar {
        name: drawing.label,
        says,
        length: WIDTH,
        pieces: pieces.collect(),
    }
}
