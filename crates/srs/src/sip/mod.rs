//! SIP messages: reading, cutting them out of a byte stream, and writing (RFC 3261 §7, §18, §25).
//!
//! **Invariant:** header values that go back to the peer are the bytes that came from it; nothing
//! here decides what a message means.

pub(crate) mod framer;
pub(crate) mod grammar;
pub(crate) mod message;
pub(crate) mod options;
pub(crate) mod parse;
pub(crate) mod uri;
pub(crate) mod via;
pub(crate) mod write;

pub(crate) use message::{HeaderName, Message, Method, StartLine};
pub(crate) use parse::{Defect, parse};
