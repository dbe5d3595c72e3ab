//! A page for people, in blocks: what it says, whatever it is printed on.
//!
//! The same blocks can become a page of a browser or paper; how they look is the printer's business.

use std::fmt::Debug;
use voicelog_model::{Language, Timestamp};

/// A document in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its language.
    pub language: Language,
    /// What it says, in order. The first one is its title.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// What it is. Once, first.
    Title(String),
    /// What the blocks behind it are about.
    Heading(String),
    /// Sentences.
    Paragraph(String),
    /// What must not be overlooked.
    Frame {
        /// How it is meant.
        tone: Tone,
        /// In large letters.
        title: String,
        /// Below it.
        lines: Vec<String>,
    },
    /// Names and what they are here.
    Facts(Vec<(String, String)>),
    /// Numbers side by side; every row has as many cells as there are columns.
    Table {
        /// The words above the columns.
        columns: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<String>>,
    },
    /// Time drawn from left to right.
    Bar {
        /// What is drawn.
        name: String,
        /// The same in words, for who cannot see it.
        says: String,
        /// How far it goes; in the units of the pieces.
        length: u64,
        /// What is drawn in it.
        pieces: Vec<BarPiece>,
    },
    /// Things one below the other.
    List(Vec<String>),
}

/// How a frame is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is in order.
    Good,
    /// It is not in order.
    Bad,
    /// Neither: something to know.
    Neutral,
}

/// A stretch of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarPiece {
    /// Where it begins.
    pub start: u64,
    /// How long it is.
    pub width: u64,
    /// What it stands for.
    pub kind: BarKind,
}

/// What a stretch of a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarKind {
    /// Sound.
    Media,
    /// No sound, and it is told why.
    Declared,
    /// No sound, and nothing tells why.
    Undeclared,
    /// Left out of a copy.
    Absent,
}

/// Whoever puts a document on paper (PDF).
pub trait Printer: Debug + Send + Sync {
    /// The document in each of its languages, as one file.
    ///
    /// Errors: why it could not be printed.
    fn print(&self, title: &str, made_at: Timestamp, sheets: &[Sheet]) -> Result<Vec<u8>, String>;
}
