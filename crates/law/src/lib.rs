//! The law: may this conversation be recorded, kept, heard, given, destroyed, and what follows?
//!
//! Rules are dated Cedar policy text with the article they rest on ([`Rulebook`]). What is known
//! about a conversation is a strict list of [`Facts`]. [`decide`] puts the one to the other and
//! gives a [`Decision`] with every reason, duty and advice, in Dutch and in English.
//!
//! **Invariant:** it fetches nothing and does nothing: no socket, no file, no clock, no random
//! number. The moment is a parameter, so that anyone can run any decision again and get the same
//! answer. What no rule permits is not permitted, and a rule that can't be evaluated refuses.
//!
//! Design: `design/law.md`; why Cedar: `design/decisions/0002-law-is-cedar.md`.
#![deny(missing_docs)]

mod breach;
mod decide;
mod decision;
mod derived;
mod documents;
mod duty_words;
mod facts;
mod hash;
mod house;
mod interview;
mod preview;
mod purposes;
mod rulebook;
mod search;
mod situations;
mod terms;
mod text;

pub use breach::{Breach, BreachDuty, BreachRisk, BreachRole};
pub use decide::{decide, decide_without_unknown};
pub use decision::{
    Advice, AdviceKind, BEFORE_FIRST_SAMPLE, Decision, Duty, EvidenceForecast, Forecast,
    HOUSE_PREFIX, Outcome, Reason, ReasonKind, RulebookRef, Status, Weighing,
};
pub use documents::{
    Block, Clause, DOCUMENT_STYLE, Document, DocumentError, DocumentText, FactWords, ListKind,
    Note, Particular, ParticularKind, Particulars, ParticularsError, Piece, Section, Style,
};
pub use facts::calendar::{NoMoment, moment_or_day};
pub use facts::table::{Definition, Effect, Field, Missing, Shape, definitions};
pub use facts::{Facts, FactsError, Finding, facts_schema, strict_object};
pub use house::{HouseFaults, HouseFinding, HouseRules};
pub use interview::{
    Answer, Answers, Ask, Choice, Entry, EntryKind, Form, Given, Interview, Question, Step, Walk,
};
pub use preview::{AnswerChange, Change, Preview, PurposeChange, RuleChange, TermChange};
pub use purposes::{Purpose, purpose, purposes};
pub use rulebook::{BareCedar, BareQuestion, BeforeRulebook, RuleText, Rulebook, RulebookError};
pub use terms::{TermBound, TermBounds, end_of_term};
pub use text::{Bilingual, Text, in_brackets};
