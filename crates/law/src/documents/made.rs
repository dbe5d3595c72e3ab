//! A document as it was made: what a page or a file is written from.

use crate::decision::{Outcome, RulebookRef, Status};
use voicelog_model::{Language, Timestamp};

/// A document with the answers filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name: `staff-notice`.
    pub name: String,
    /// The language of every text in it, but for the names of articles.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// First day of the version of the text, as a full-date.
    pub version: String,
    /// `sha256:` over the file of the text and that of the words it is filled in with.
    pub hash: String,
    /// The moment for which it was made.
    pub at: Timestamp,
    /// That moment's day in the Netherlands, in words.
    pub day: String,
    /// The rulebook that decided.
    pub rulebook: RulebookRef,
    /// What the law says of the act that it speaks of.
    pub outcome: Outcome,
    /// The act, in words: "recording".
    pub act: String,
    /// Why not, where the act is not permitted (yet): the document says so at its top. Empty where
    /// it is, or where the document itself puts right what is wanting.
    pub warnings: Vec<String>,
    /// Whether it says of the act that it happens.
    pub says_it_happens: bool,
    /// Its sections that have something to say, in order.
    pub sections: Vec<Section>,
    /// The rules that its clauses follow, numbered from 1.
    pub notes: Vec<Note>,
    /// What nobody said and the rulebook reads so: the basis that goes with a purpose.
    pub assumed: Vec<String>,
    /// How many places were left open.
    pub blanks: usize,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its id, the same in both languages.
    pub id: String,
    /// Its heading.
    pub heading: String,
    /// Its clauses.
    pub clauses: Vec<Clause>,
}

/// A clause: what belongs together and follows the same rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its id within the section, the same in both languages.
    pub id: String,
    /// What it says.
    pub blocks: Vec<Block>,
    /// The numbers of the rules that it follows.
    pub notes: Vec<usize>,
}

/// A piece of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Piece>),
    /// Words to say aloud.
    Said(Vec<Piece>),
    /// A list.
    List(ListKind, Vec<Vec<Piece>>),
    /// Labels with what stands beside them.
    Rows(Vec<(String, Vec<Piece>)>),
}

/// How a list is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Dots.
    Bullets,
    /// Numbers, from this one on: a list can go on in the next clause.
    Steps(usize),
    /// Boxes to tick.
    Ticks,
}

/// A stretch of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words of the text.
    Words(String),
    /// What was filled in: from a fact, or by the person who made the document.
    Filled(String),
    /// A place that was left open.
    Blank {
        /// What belongs there; empty where the text says so already.
        label: String,
        /// How many lines to write on; 0 = within the line.
        lines: usize,
    },
}

/// A rule that clauses follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its number in this document.
    pub number: usize,
    /// Its id.
    pub rule: String,
    /// Its articles.
    pub articles: Vec<String>,
    /// Whether they were read.
    pub status: Status,
}

impl Document {
    /// The notes whose source was not read.
    pub fn unverified(&self) -> impl Iterator<Item = &Note> {
        let notes = self.notes.iter();
        notes.filter(|note| note.status == Status::Unverified)
    }
}

/// Where a line's room to write begins, if it ends with some.
pub(super) fn room_at_the_end(pieces: &[Piece]) -> Option<usize> {
    let is_room = |piece: &Piece| matches!(piece, Piece::Blank { lines, .. } if *lines > 0);
    let last = pieces.len().checked_sub(1)?;
    pieces.last().is_some_and(is_room).then_some(last)
}
