//! A private call: somebody on our side says that it is one, and nothing is kept until the same person
//! says that it is not.

use super::Call;
use crate::control::Hands;
use crate::media::{MediaCommand, PrivateAnswer, PrivateOrder};
use std::sync::mpsc::Sender;
use voicelog_archive::journal::{AskedBy, PrivateEnd};
use voicelog_archive::{PrivateCall, PrivateSaid};
use voicelog_model::Pii;

/// Who waits to hear what came of it.
pub(crate) type PrivateDone = Sender<Option<PrivateAnswer>>;

impl Call {
    /// Somebody says that the call is private. Without a call, `done` is dropped, which says so.
    pub(in crate::control) fn begin_private(
        &mut self,
        by: AskedBy,
        said_by: Pii<String>,
        done: Option<PrivateDone>,
        hands: &mut Hands<'_>,
    ) {
        let (Some(id), None) = (self.id, self.ended) else {
            return;
        };
        let order = order(by, &said_by);
        let private = PrivateCall {
            by,
            said_by,
            at: hands.now,
        };
        let Ok(said) = hands.archive.begin_private(id, private) else {
            // It has just ended.
            return;
        };
        // The media first: what the law says to it can only be that nothing is kept.
        hands.media(self.thread, MediaCommand::Private(id, order, done));
        if said == PrivateSaid::Changed {
            self.is_private_by_key = by == AskedBy::Key;
            hands.shared.count("private_calls");
            tracing::info!(recording = %id, "somebody says that it is a private call");
            self.ask_soon(hands);
        }
    }

    /// Somebody says that the call is no longer private. It counts if it is who said that it was.
    pub(in crate::control) fn end_private(
        &mut self,
        (by, said_by): (AskedBy, &Pii<String>),
        reason: PrivateEnd,
        done: Option<PrivateDone>,
        hands: &mut Hands<'_>,
    ) {
        let (Some(id), None) = (self.id, self.ended) else {
            return;
        };
        let Ok(said) = hands.archive.end_private(id, by, said_by) else {
            return;
        };
        let refused = match said {
            PrivateSaid::Changed => {
                self.is_private_by_key = false;
                let order = order(by, said_by);
                let command = MediaCommand::PrivateOver(id, reason, order, done);
                hands.media(self.thread, command);
                tracing::info!(recording = %id, "the call is no longer private");
                return self.ask_soon(hands);
            }
            PrivateSaid::Already => PrivateAnswer::NotPrivate,
            PrivateSaid::AnotherPerson => PrivateAnswer::AnotherPerson,
        };
        // Who asked may have given up waiting.
        if let Some(Err(_gone)) = done.map(|done| done.send(Some(refused))) {}
    }
}

/// For the journal, which knows pseudonyms only: a name that a program tells is not for it.
pub(super) fn order(by: AskedBy, said_by: &Pii<String>) -> PrivateOrder {
    let party = (by == AskedBy::Key).then(|| said_by.expose().clone());
    // Empty where it was somebody of the session before who is not in this one.
    let party = party.filter(|party| !party.is_empty());
    PrivateOrder { by, party }
}
