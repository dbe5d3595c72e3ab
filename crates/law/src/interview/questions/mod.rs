//! The questions, in the order in which they are asked. A question that can no longer change the
//! answer is left out.

mod advice;
mod circumstances;
mod existing;
mod making;
mod organisation;
mod start;
mod state;

use super::question::Question;

/// What stands in a facts file for a text that the interview asks about and not for. Documents
/// never print it.
pub(crate) const STAND_IN: &str = "answered in the interview: yes";

/// The one that every interview begins with.
pub(super) const FIRST: &Question = &start::ACT;

/// Every question, in order.
pub(super) fn questions() -> impl Iterator<Item = &'static Question> {
    [
        start::QUESTIONS,
        making::OF_IMAGE,
        existing::WHO_AND_WHAT_FOR,
        making::WHO,
        circumstances::QUESTIONS,
        making::HOW,
        organisation::QUESTIONS,
        making::CONSENT,
        state::STATE,
        advice::QUESTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The question with that name.
pub(super) fn question(id: &str) -> Option<&'static Question> {
    questions().find(|question| question.id == id)
}
