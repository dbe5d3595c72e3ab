//! What kind of trouble an error is, and how to print a whole chain of causes.

use std::error::Error;
use std::fmt;

/// The kind of an error, the same words in every room. HTTP and exit codes follow from it.
///
/// A refusal by the law is not in this list: it is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is wrong; saying it again will not help.
    Invalid,
    /// What was asked for is not there, or may not be known to be there.
    NotFound,
    /// It clashes with the present state; look, then try again.
    Conflict,
    /// A part we need is away; trying later can help.
    Unavailable,
    /// A limit is reached: disk, memory, number of calls.
    Exhausted,
    /// Stored bytes are not what was stored.
    Corrupt,
    /// Our own mistake.
    Internal,
}

impl Kind {
    /// Whether the same request can succeed later without a change.
    #[must_use]
    pub const fn is_worth_retrying(self) -> bool {
        matches!(self, Self::Unavailable | Self::Exhausted)
    }
}

/// Shows an error with all its causes, outermost first, on one line.
pub fn chain<'a>(error: &'a (dyn Error + 'a)) -> impl fmt::Display + 'a {
    Chain(error)
}

struct Chain<'a>(&'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
