//! Where everything goes: blocks become text and rectangles on pages, and what they are to a screen reader.

use super::font::{Face, Faces};
use krilla::tagging::{ListNumbering, TableHeaderScope, Tag, TagKind};
use std::num::NonZeroU16;
use voicelog_evidence::sheet::{BarKind, BarPiece, Block, Sheet, Tone};
use voicelog_model::Language;

/// A4, in points.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);
/// Around the text.
pub(super) const MARGIN: f32 = 54.0;
/// From the bottom: kept for the line with the number of the page.
const FOOT: f32 = 64.0;
/// Between what stands in a frame and its edge.
const INSET: f32 = 10.0;
/// Width of the names in a list of facts.
const NAMES: f32 = 150.0;
/// Between two columns.
const GUTTER: f32 = 8.0;
const BAR_HEIGHT: f32 = 13.0;

/// Size of letters and height of a line, in points.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f32,
    height: f32,
    pub(super) is_bold: bool,
}

const fn letters(size: f32, height: f32, is_bold: bool) -> Type {
    Type {
        size,
        height,
        is_bold,
    }
}

const TITLE: Type = letters(18.0, 25.0, true);
const LARGE: Type = letters(13.0, 18.0, true);
const HEADING: Type = letters(11.0, 16.0, true);
const TEXT: Type = letters(9.5, 13.5, false);
const NAME: Type = letters(9.5, 13.5, true);
const CELL: Type = letters(8.0, 11.0, false);
const COLUMN: Type = letters(8.0, 11.0, true);

/// What is drawn at one place.
pub(super) enum Ink {
    /// A line of text; `y` is its base line.
    Text { text: String, letters: Type },
    /// A filled rectangle, from its upper left corner.
    Box {
        width: f32,
        height: f32,
        shade: Shade,
    },
}

/// The colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    Good,
    Bad,
    Neutral,
    Media,
    Declared,
    Paper,
    Line,
}

/// Ink with its place.
pub(super) struct Mark {
    pub(super) page: usize,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) ink: Ink,
    /// Says something, and so belongs to an element; otherwise it only looks well.
    pub(super) is_said: bool,
}

/// A node of the document as a screen reader walks it.
pub(super) struct Element {
    pub(super) tag: TagKind,
    pub(super) children: Vec<Child>,
}

pub(super) enum Child {
    Element(Element),
    /// Index of a mark.
    Mark(usize),
}

/// A heading, for the table of contents beside the pages.
pub(super) struct Heading {
    pub(super) level: u16,
    pub(super) text: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// A document laid out.
pub(super) struct Layout<'f> {
    faces: &'f Faces,
    pub(super) marks: Vec<Mark>,
    pub(super) sections: Vec<Element>,
    pub(super) headings: Vec<Heading>,
    /// The page that is being filled.
    page: usize,
    y: f32,
}

impl<'f> Layout<'f> {
    pub(super) fn new(faces: &'f Faces, sheets: &[Sheet]) -> Self {
        let mut layout = Self {
            faces,
            marks: Vec::new(),
            sections: Vec::new(),
            headings: Vec::new(),
            page: 0,
            y: MARGIN,
        };
        for sheet in sheets {
            if !layout.marks.is_empty() {
                layout.next_page();
            }
            let lang = match sheet.language {
                Language::Nl => "nl",
                Language::En => "en",
            };
            let children = sheet.blocks.iter();
            let children = children
                .flat_map(|block| layout.block(block))
                .map(Child::Element)
                .collect();
            layout.sections.push(Element {
                tag: Tag::Section.with_lang(Some(lang.to_owned())).into(),
                children,
            });
        }
        layout
    }

    pub(super) const fn pages(&self) -> usize {
        self.page.saturating_add(1)
    }

    fn face(&self, letters: Type) -> &'f Face {
        if letters.is_bold {
            &self.faces.bold
        } else {
            &self.faces.plain
        }
    }

    const fn next_page(&mut self) {
        self.page = self.page.saturating_add(1);
        self.y = MARGIN;
    }

    /// Begins a page where less than this is left.
    fn need(&mut self, height: f32) {
        if self.y + height > PAGE.1 - FOOT && self.y > MARGIN {
            self.next_page();
        }
    }

    fn mark(&mut self, x: f32, y: f32, ink: Ink, is_said: bool) -> Child {
        self.marks.push(Mark {
            page: self.page,
            x,
            y,
            ink,
            is_said,
        });
        Child::Mark(self.marks.len().saturating_sub(1))
    }

    /// One line at the present height, which stays.
    fn line(&mut self, x: f32, text: String, letters: Type) -> Child {
        // What a letter has below its line is about a quarter of its size.
        let base = self.y + letters.height - letters.size * 0.3;
        self.mark(x, base, Ink::Text { text, letters }, true)
    }

    /// Lines one below the other.
    fn lines(&mut self, x: f32, width: f32, text: &str, letters: Type) -> Vec<Child> {
        let lines = self.face(letters).lines(text, letters.size, width);
        let lines = lines.into_iter().map(|line| {
            self.need(letters.height);
            let child = self.line(x, line, letters);
            self.y += letters.height;
            child
        });
        lines.collect()
    }

    fn block(&mut self, block: &Block) -> Vec<Element> {
        let width = PAGE.0 - 2.0 * MARGIN;
        match block {
            Block::Title(text) => vec![self.heading(1, text, TITLE)],
            Block::Heading(text) => {
                // Never alone at the bottom of a page.
                self.need(HEADING.height + 3.0 * TEXT.height);
                self.y += 8.0;
                vec![self.heading(2, text, HEADING)]
            }
            Block::Paragraph(text) => {
                let children = self.lines(MARGIN, width, text, TEXT);
                self.y += 3.0;
                vec![element(Tag::P, children)]
            }
            Block::Frame { tone, title, lines } => self.frame(*tone, title, lines),
            Block::Facts(facts) => vec![self.facts(facts)],
            Block::Table { columns, rows } => vec![self.table(columns, rows)],
            Block::Bar {
                name,
                says,
                length,
                pieces,
            } => vec![self.bar(name, says, *length, pieces)],
            Block::List(items) => vec![self.list(items)],
        }
    }

    fn heading(&mut self, level: u16, text: &str, letters: Type) -> Element {
        self.headings.push(Heading {
            level,
            text: text.to_owned(),
            page: self.page,
            y: self.y,
        });
        let children = self.lines(MARGIN, PAGE.0 - 2.0 * MARGIN, text, letters);
        self.y += 3.0;
        let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
        element(Tag::Hn(level, Some(text.to_owned())), children)
    }

    /// A thick edge before it says how it is meant; so do its words.
    fn frame(&mut self, tone: Tone, title: &str, lines: &[String]) -> Vec<Element> {
        let shade = match tone {
            Tone::Good => Shade::Good,
            Tone::Bad => Shade::Bad,
            Tone::Neutral => Shade::Neutral,
        };
        self.y += 4.0;
        let texts =
            std::iter::once((title, LARGE)).chain(lines.iter().map(|line| (line.as_str(), TEXT)));
        let mut elements = Vec::new();
        for (text, letters) in texts {
            let x = MARGIN + INSET;
            let width = PAGE.0 - MARGIN - x;
            let mut children = Vec::new();
            for line in self.face(letters).lines(text, letters.size, width) {
                self.need(letters.height);
                self.fill(MARGIN, self.y, (4.0, letters.height), shade);
                children.push(self.line(x, line, letters));
                self.y += letters.height;
            }
            elements.push(element(Tag::P, children));
        }
        self.y += 6.0;
        elements
    }

    fn fill(&mut self, x: f32, y: f32, (width, height): (f32, f32), shade: Shade) {
        let ink = Ink::Box {
            width,
            height,
            shade,
        };
        self.mark(x, y, ink, false);
    }

    /// A table of two columns: the name is the head of its row.
    fn facts(&mut self, facts: &[(String, String)]) -> Element {
        let rows = facts.iter().map(|(name, value)| {
            let cells = [
                (name.as_str(), NAME, MARGIN, NAMES - GUTTER),
                (value, TEXT, MARGIN + NAMES, PAGE.0 - 2.0 * MARGIN - NAMES),
            ];
            let [name, value] = self.row(cells);
            let head = Tag::TH(TableHeaderScope::Row);
            let cells = vec![
                Child::Element(element(head, name)),
                Child::Element(element(Tag::TD, value)),
            ];
            Child::Element(element(Tag::TR, cells))
        });
        let rows = rows.collect();
        element(Tag::Table, rows)
    }

    /// Cells side by side, on one page: text, letters, place and width of each.
    fn row<const N: usize>(&mut self, cells: [(&str, Type, f32, f32); N]) -> [Vec<Child>; N] {
        let lines = cells.map(|(text, letters, x, width)| {
            (
                self.face(letters).lines(text, letters.size, width),
                letters,
                x,
            )
        });
        let height = |(lines, letters, _): &(Vec<String>, Type, f32)| {
            lines.iter().map(|_line| letters.height).sum::<f32>()
        };
        let height = lines.iter().map(height).fold(0.0, f32::max);
        self.need(height);
        let top = self.y;
        let children = lines.map(|(lines, letters, x)| {
            self.y = top;
            let lines = lines.into_iter().map(|line| {
                let child = self.line(x, line, letters);
                self.y += letters.height;
                child
            });
            lines.collect()
        });
        self.y = top + height + 1.0;
        children
    }

    fn table(&mut self, columns: &[String], rows: &[Vec<String>]) -> Element {
        let widths = self.widths(columns, rows);
        let mut table = vec![self.cells(columns, &widths, true)];
        let width = PAGE.0 - 2.0 * MARGIN;
        for row in rows {
            self.fill(MARGIN, self.y, (width, 0.5), Shade::Line);
            self.y += 1.5;
            table.push(self.cells(row, &widths, false));
        }
        self.y += 6.0;
        element(Tag::Table, table)
    }

    /// As wide as their longest cell, if that fits; else less for each alike.
    fn widths(&self, columns: &[String], rows: &[Vec<String>]) -> Vec<f32> {
        let wanted = columns.iter().enumerate().map(|(at, column)| {
            let words = column
                .split(' ')
                .map(|word| self.faces.bold.width(word, CELL.size));
            let cells = rows.iter().filter_map(|row| row.get(at));
            let cells = cells.map(|cell| self.faces.plain.width(cell, CELL.size));
            words.chain(cells).fold(0.0, f32::max) + GUTTER
        });
        let wanted: Vec<f32> = wanted.collect();
        let scale = (PAGE.0 - 2.0 * MARGIN) / wanted.iter().sum::<f32>().max(1.0);
        wanted.into_iter().map(|width| width * scale).collect()
    }

    fn cells(&mut self, cells: &[String], widths: &[f32], is_head: bool) -> Child {
        let letters = if is_head { COLUMN } else { CELL };
        let face = self.face(letters);
        let lines: Vec<Vec<String>> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| face.lines(cell, letters.size, width - GUTTER))
            .collect();
        let most = lines
            .iter()
            .map(|lines| lines.iter().map(|_line| letters.height).sum());
        let height = most.fold(0.0, f32::max);
        self.need(height);
        let (top, mut x) = (self.y, MARGIN);
        let mut children = Vec::new();
        for (lines, width) in lines.into_iter().zip(widths) {
            self.y = top;
            let mut texts = Vec::new();
            for line in lines {
                texts.push(self.line(x, line, letters));
                self.y += letters.height;
            }
            let cell = if is_head {
                element(Tag::TH(TableHeaderScope::Column), texts)
            } else {
                element(Tag::TD, texts)
            };
            children.push(Child::Element(cell));
            x += width;
        }
        self.y = top + height + 2.0;
        Child::Element(element(Tag::TR, children))
    }

    /// A figure; its own words say the same.
    fn bar(&mut self, name: &str, says: &str, length: u64, pieces: &[BarPiece]) -> Element {
        self.need(CELL.height + BAR_HEIGHT + 6.0);
        let width = PAGE.0 - 2.0 * MARGIN;
        let label = self.line(MARGIN, self.faces.plain.shown(name), CELL);
        self.y += CELL.height + 2.0;
        self.fill(MARGIN, self.y, (width, BAR_HEIGHT), Shade::Line);
        let inside = (width - 1.0, BAR_HEIGHT - 1.0);
        self.fill(MARGIN + 0.5, self.y + 0.5, inside, Shade::Paper);
        for piece in pieces {
            let x = MARGIN + share(piece.start, length) * width;
            let width = share(piece.width, length) * width;
            let (y, height) = (self.y, BAR_HEIGHT);
            match piece.kind {
                BarKind::Media => self.fill(x, y, (width, height), Shade::Media),
                // Half as high: to be told apart without colours.
                BarKind::Declared => {
                    self.fill(x, y + height / 2.0, (width, height / 2.0), Shade::Declared)
                }
                BarKind::Absent => {
                    self.fill(x, y + height / 2.0 - 1.0, (width, 2.0), Shade::Neutral)
                }
                BarKind::Undeclared => {
                    self.fill(x, y, (width, 2.5), Shade::Bad);
                    self.fill(x, y + height - 2.5, (width, 2.5), Shade::Bad);
                }
            }
        }
        self.y += BAR_HEIGHT + 5.0;
        element(Tag::Figure(Some(says.to_owned())), vec![label])
    }

    fn list(&mut self, items: &[String]) -> Element {
        let items = items.iter().map(|item| {
            self.need(TEXT.height);
            let bullet = self.line(MARGIN, "• ".to_owned(), TEXT);
            let text = self.lines(MARGIN + 12.0, PAGE.0 - 2.0 * MARGIN - 12.0, item, TEXT);
            Child::Element(element(
                Tag::LI,
                vec![
                    Child::Element(element(Tag::Lbl, vec![bullet])),
                    Child::Element(element(Tag::LBody, text)),
                ],
            ))
        });
        let items = items.collect();
        self.y += 3.0;
        element(Tag::L(ListNumbering::Disc), items)
    }
}

fn element(tag: impl Into<TagKind>, children: Vec<Child>) -> Element {
    Element {
        tag: tag.into(),
        children,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of a drawing")]
fn share(part: u64, whole: u64) -> f32 {
    (part.min(whole) as f32) / (whole.max(1) as f32)
}
