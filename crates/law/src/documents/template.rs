//! A text as it stands in its file: sections, clauses, and places to fill in.
//!
//! The files are written so that a lawyer can read and change them; `design/law.md` says how.

use super::condition::Condition;
use super::error::DocumentError;

/// A text in one language.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) title: String,
    /// What it is for, in one sentence.
    pub(super) about: String,
    /// It fits where one of these rows of conditions holds as a whole.
    pub(super) fits: Vec<Vec<Condition>>,
    /// Kinds of reasons that refuse the document: `criminal`, `privacy` …
    pub(super) refused: Vec<String>,
    /// Rules that do not, since what the document says can put them right.
    pub(super) but_not: Vec<String>,
    /// Rules that the document itself puts right: it is neither refused nor warned for them.
    pub(super) cures: Vec<String>,
    /// Whether it says of the act that it happens, so that it is no use as long as it may not.
    pub(super) says_it_happens: bool,
    pub(super) sections: Vec<SectionText>,
}

/// A section.
#[derive(Debug, Clone)]
pub(super) struct SectionText {
    pub(super) id: String,
    pub(super) heading: String,
    pub(super) clauses: Vec<ClauseText>,
}

/// A clause.
#[derive(Debug, Clone)]
pub(super) struct ClauseText {
    pub(super) id: String,
    /// It is there only if one of these rules holds.
    pub(super) follows: Vec<String>,
    /// What it rests on besides, whether or not it holds for these facts.
    pub(super) cites: Vec<String>,
    /// All have to hold.
    pub(super) when: Vec<Condition>,
    pub(super) blocks: Vec<BlockText>,
}

/// How the lines of a block stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Paragraph,
    Bullet,
    Step,
    Tick,
    Said,
    /// `label :: value`
    Row,
}

/// One paragraph, item or row.
#[derive(Debug, Clone)]
pub(super) struct BlockText {
    pub(super) form: Form,
    /// Of a row.
    pub(super) label: String,
    pub(super) parts: Vec<Part>,
}

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Words(String),
    Slot(Slot),
    /// The articles of a rule: `{articles ID}`.
    Articles(String),
    /// What a rule says: `{rule ID}`.
    Rule(String),
    /// The title of another document: `{document NAME}`.
    Document(String),
    /// Today: `{today}`.
    Today,
    /// Lines to write on: `{|3}`.
    Space(usize),
}

/// A place that a fact or a particular fills: `{name}`, `{name.field}`, `{name:form}`, `{name!}`,
/// `{name|3}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) name: String,
    /// Which words stand for a value, where there is more than one way to say it.
    pub(super) form: Option<String>,
    /// Without it the document is not made.
    pub(super) required: bool,
    /// How many lines to write on where it is not given; 0 = within the line.
    pub(super) lines: usize,
}

/// Most lines to write on at one place.
const LINES_MAX: usize = 12;

impl Template {
    /// Reads a file.
    pub(super) fn parse(place: &str, text: &str) -> Result<Self, DocumentError> {
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            reader
                .line(line.trim_end())
                .map_err(|why| DocumentError::Text {
                    place: format!("{place}:{}", number + 1),
                    why,
                })?;
        }
        reader.finish().map_err(|why| DocumentError::Text {
            place: place.to_owned(),
            why,
        })
    }

    /// Every clause, with the id of its section.
    pub(super) fn clauses(&self) -> impl Iterator<Item = (&str, &ClauseText)> {
        self.sections.iter().flat_map(|section| {
            let clauses = section.clauses.iter();
            clauses.map(move |clause| (section.id.as_str(), clause))
        })
    }

    /// Every place to fill in, in order.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.clauses().flat_map(|(_, clause)| clause.slots())
    }
}

#[derive(Debug, Default)]
struct Reader {
    title: String,
    about: String,
    fits: Vec<Vec<Condition>>,
    refused: Vec<String>,
    but_not: Vec<String>,
    cures: Vec<String>,
    says_it_happens: bool,
    sections: Vec<SectionText>,
    /// The lines of the block that is being read.
    block: Option<(Form, String)>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(head) = line.strip_prefix("== ") {
            self.end_block()?;
            let (id, heading) = head
                .split_once('|')
                .ok_or("a section is `== id | Heading`")?;
            self.sections.push(SectionText {
                id: id.trim().to_owned(),
                heading: heading.trim().to_owned(),
                clauses: Vec::new(),
            });
            return Ok(());
        }
        let Some(section) = self.sections.last_mut() else {
            return self.header(line);
        };
        let bare = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(id) = bare.filter(|id| !id.trim().is_empty()) {
            self.end_block()?;
            let clause = ClauseText {
                id: id.to_owned(),
                follows: Vec::new(),
                cites: Vec::new(),
                when: Vec::new(),
                blocks: Vec::new(),
            };
            if let Some(section) = self.sections.last_mut() {
                section.clauses.push(clause);
            }
            return Ok(());
        }
        let Some(clause) = section.clauses.last_mut() else {
            return if line.is_empty() {
                Ok(())
            } else {
                Err("a clause begins with `[its-name]`".to_owned())
            };
        };
        if let Some(note) = line.strip_prefix('@') {
            return clause.note(note);
        }
        self.body(line)
    }

    fn header(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (key, value) = line
            .split_once(':')
            .ok_or("the head has lines `key: value`")?;
        let value = value.trim();
        match key {
            "title" => value.clone_into(&mut self.title),
            "about" => value.clone_into(&mut self.about),
            "fits" => {
                let row: Result<_, _> = value.split(';').map(Condition::parse).collect();
                self.fits.push(row?);
            }
            "refused" => self.refused.extend(list(value)),
            "but_not" => self.but_not.extend(list(value)),
            "cures" => self.cures.extend(list(value)),
            "says_it_happens" if value == "yes" => self.says_it_happens = true,
            _ => return Err(format!("`{key}` is not a line of the head")),
        }
        Ok(())
    }

    fn body(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() {
            return self.end_block();
        }
        let marks = [
            ("- ", Form::Bullet),
            ("1. ", Form::Step),
            ("[ ] ", Form::Tick),
            ("> ", Form::Said),
        ];
        let marked = marks
            .iter()
            .find_map(|(mark, form)| Some((*form, line.strip_prefix(mark)?)));
        let (form, text) = match marked {
            Some(marked) => marked,
            None if line.contains(" :: ") || line.ends_with(" ::") => (Form::Row, line),
            None => {
                // A line that begins like none of these goes on with the one before it.
                if let Some((_, text)) = &mut self.block {
                    text.push(' ');
                    text.push_str(line.trim_start());
                    return Ok(());
                }
                (Form::Paragraph, line)
            }
        };
        self.end_block()?;
        self.block = Some((form, text.to_owned()));
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), String> {
        let Some((form, text)) = self.block.take() else {
            return Ok(());
        };
        let (label, text) = match form {
            Form::Row => {
                let (label, value) = text.split_once(" ::").unwrap_or((&text, ""));
                (label.trim().to_owned(), value.trim().to_owned())
            }
            _ => (String::new(), text),
        };
        let block = BlockText {
            form,
            label,
            parts: parts(&text)?,
        };
        let clause = self
            .sections
            .last_mut()
            .and_then(|section| section.clauses.last_mut());
        if let Some(clause) = clause {
            clause.blocks.push(block);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Template, String> {
        self.end_block()?;
        if self.title.is_empty() || self.about.is_empty() || self.fits.is_empty() {
            return Err("the head needs `title`, `about` and `fits`".to_owned());
        }
        Ok(Template {
            title: self.title,
            about: self.about,
            fits: self.fits,
            refused: self.refused,
            but_not: self.but_not,
            cures: self.cures,
            says_it_happens: self.says_it_happens,
            sections: self.sections,
        })
    }
}

impl ClauseText {
    /// Its places to fill in, in order.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        let parts = self.blocks.iter().flat_map(|block| &block.parts);
        parts.filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            _ => None,
        })
    }

    fn note(&mut self, note: &str) -> Result<(), String> {
        let (key, value) = note.split_once(' ').ok_or("a note is `@key value`")?;
        match key {
            "follows" => self.follows.extend(list(value)),
            "cites" => self.cites.extend(list(value)),
            "when" => self.when.push(Condition::parse(value)?),
            _ => return Err(format!("`@{key}` is not a note that clauses have")),
        }
        Ok(())
    }
}

fn list(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(',').map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Parts a line into words and places to fill in.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(Part::Words(before.to_owned()));
        }
        let (inside, after) = after.split_once('}').ok_or("a `{` without `}`")?;
        parts.push(slot(inside)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.to_owned()));
    }
    Ok(parts)
}

fn slot(inside: &str) -> Result<Part, String> {
    if let Some(rule) = inside.strip_prefix("articles ") {
        return Ok(Part::Articles(rule.to_owned()));
    }
    if let Some(rule) = inside.strip_prefix("rule ") {
        return Ok(Part::Rule(rule.to_owned()));
    }
    if let Some(name) = inside.strip_prefix("document ") {
        return Ok(Part::Document(name.to_owned()));
    }
    if inside == "today" {
        return Ok(Part::Today);
    }
    let (name, lines) = match inside.split_once('|') {
        None => (inside, 0),
        Some((name, count)) => {
            let count = count.parse().ok().filter(|count| *count <= LINES_MAX);
            (
                name,
                count.ok_or("after `|` stands a small number of lines")?,
            )
        }
    };
    if name.is_empty() {
        return Ok(Part::Space(lines));
    }
    let (name, required) = match name.strip_suffix('!') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (name, form) = match name.split_once(':') {
        Some((name, form)) => (name, Some(form.to_owned())),
        None => (name, None),
    };
    Ok(Part::Slot(Slot {
        name: name.to_owned(),
        form,
        required,
        lines,
    }))
}
