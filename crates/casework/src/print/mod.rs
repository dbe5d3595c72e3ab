//! Documents on paper: PDF that a screen reader can read (PDF/UA-1) and an archive can keep (PDF/A-2a).
//!
//! By krilla, which checks both while it writes; the letters are DejaVu Sans, in the file.

mod flow;
mod font;

use flow::{Child, Element, Heading, Ink, Layout, MARGIN, Mark, PAGE, Shade};
use font::Faces;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TagGroup, TagTree,
};
use voicelog_evidence::sheet::{Printer, Sheet};
use voicelog_model::Timestamp;

/// Prints documents as PDF.
#[derive(Debug, Clone, Copy, Default)]
pub struct PdfPrinter;

impl Printer for PdfPrinter {
    fn print(&self, title: &str, made_at: Timestamp, sheets: &[Sheet]) -> Result<Vec<u8>, String> {
        let faces = Faces::new().ok_or("the fonts of this program cannot be read")?;
        let layout = Layout::new(&faces, sheets);
        let settings = SerializeSettings {
            configuration: configuration()?,
            ..SerializeSettings::default()
        };
        let mut document = krilla::Document::new_with(settings);
        let mut drawn: Vec<Option<Identifier>> = Vec::new();
        for number in 0..layout.pages() {
            let size = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or("a page has no size")?;
            let mut page = document.start_page_with(size);
            let mut surface = page.surface();
            // Marks come in the order of their pages.
            for mark in layout.marks.iter().filter(|mark| mark.page == number) {
                drawn.push(draw(&mut surface, &faces, mark)?);
            }
            let foot = format!(
                "{title}    {} / {}",
                number.saturating_add(1),
                layout.pages()
            );
            draw_foot(&mut surface, &faces, &foot);
            surface.finish();
            page.finish();
        }
        document.set_outline(outline(&layout.headings));
        let mut tree = TagTree::new();
        for section in layout.sections {
            tree.push(group(section, &mut drawn)?);
        }
        document.set_tag_tree(tree);
        document.set_metadata(metadata(title, made_at, sheets));
        document.finish().map_err(|error| format!("{error:?}"))
    }
}

/// The table of contents: a title with the headings that follow it, in each language.
fn outline(headings: &[Heading]) -> Outline {
    let node = |heading: &Heading| {
        let place = XyzDestination::new(heading.page, Point::from_xy(0.0, heading.y));
        OutlineNode::new(heading.text.clone(), place)
    };
    let mut outline = Outline::new();
    for chapter in headings.chunk_by(|_, next| next.level > 1) {
        let Some((title, below)) = chapter.split_first() else {
            continue;
        };
        let mut title = node(title);
        for heading in below {
            title.push_child(node(heading));
        }
        outline.push_child(title);
    }
    outline
}

fn configuration() -> Result<Configuration, String> {
    ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| format!("{error:?}"))
}

fn metadata(title: &str, made_at: Timestamp, sheets: &[Sheet]) -> Metadata {
    let language = sheets.first().map_or("nl", |sheet| match sheet.language {
        voicelog_model::Language::Nl => "nl",
        voicelog_model::Language::En => "en",
    });
    let metadata = Metadata::new()
        .title(title.to_owned())
        .document_id(format!("{title} {made_at}"))
        .creator("voicelog".to_owned())
        .language(language.to_owned());
    match moment(made_at) {
        Some(moment) => metadata.creation_date(moment),
        None => metadata,
    }
}

/// The moment in UTC, to the second.
fn moment(at: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |number: i8| u8::try_from(number).ok();
    Some(
        DateTime::new(u16::try_from(at.year()).ok()?)
            .month(part(at.month())?)
            .day(part(at.day())?)
            .hour(part(at.hour())?)
            .minute(part(at.minute())?)
            .second(part(at.second())?)
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}

/// Draws a mark; what says something gets an identifier by which its element finds it.
fn draw(
    surface: &mut Surface<'_>,
    faces: &Faces,
    mark: &Mark,
) -> Result<Option<Identifier>, String> {
    let tag = if mark.is_said {
        ContentTag::Span(SpanTag::empty())
    } else {
        ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout))
    };
    let identifier = surface.start_tagged(tag);
    match &mark.ink {
        Ink::Text { text, letters } => {
            let face = if letters.is_bold {
                &faces.bold
            } else {
                &faces.plain
            };
            surface.set_fill(Some(colour(22, 32, 43)));
            let at = Point::from_xy(mark.x, mark.y);
            let glyphs = face.glyphs(text);
            surface.draw_glyphs(at, &glyphs, face.font.clone(), text, letters.size, false);
        }
        Ink::Box {
            width,
            height,
            shade,
        } => {
            // What is too narrow to be a rectangle is still seen.
            let width = width.max(0.3);
            let area = Rect::from_xywh(mark.x, mark.y, width, *height);
            let mut path = PathBuilder::new();
            path.push_rect(area.ok_or("a rectangle has no size")?);
            surface.set_fill(Some(fill(*shade)));
            surface.draw_path(&path.finish().ok_or("a rectangle has no edges")?);
        }
    }
    surface.end_tagged();
    Ok(mark.is_said.then_some(identifier))
}

fn draw_foot(surface: &mut Surface<'_>, faces: &Faces, text: &str) {
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(
        ArtifactType::Footer,
    )));
    surface.set_fill(Some(colour(69, 81, 92)));
    let (size, mut y) = (7.5, PAGE.1 - 36.0);
    for line in faces.plain.lines(text, size, PAGE.0 - 2.0 * MARGIN) {
        let glyphs = faces.plain.glyphs(&line);
        let at = Point::from_xy(MARGIN, y);
        surface.draw_glyphs(at, &glyphs, faces.plain.font.clone(), &line, size, false);
        y += 9.0;
    }
    surface.end_tagged();
}

fn fill(shade: Shade) -> Fill {
    match shade {
        Shade::Good => colour(27, 107, 58),
        Shade::Bad => colour(163, 21, 15),
        Shade::Neutral => colour(69, 81, 92),
        Shade::Media => colour(36, 80, 138),
        Shade::Declared => colour(122, 75, 0),
        Shade::Paper => colour(255, 255, 255),
        Shade::Line => colour(138, 148, 158),
    }
}

fn colour(red: u8, green: u8, blue: u8) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}

/// The element with what was drawn of it; each mark belongs to exactly one.
fn group(element: Element, drawn: &mut [Option<Identifier>]) -> Result<TagGroup, String> {
    let mut group = TagGroup::new(element.tag);
    for child in element.children {
        let node = match child {
            Child::Element(element) => Node::from(self::group(element, drawn)?),
            Child::Mark(at) => {
                let identifier = drawn.get_mut(at).and_then(Option::take);
                Node::from(identifier.ok_or("something is said that was not drawn")?)
            }
        };
        group.push(node);
    }
    Ok(group)
}

#[cfg(test)]
mod tests;
