//! The streams of a call as the client offers them: added, changed into others, or offered in a way in
//! which we cannot record them.
//!
//! **Invariant:** a side of the conversation that the client offers is recorded, or the journal says
//! from when on it is not, and why.

use super::{Call, CallStream, activity_event};
use crate::control::Hands;
use crate::media::{MediaCommand, StreamMedia, StreamTerms};
use std::collections::BTreeMap;
use voicelog_archive::journal::{Cause, JournalEvent};
use voicelog_model::{MediaStream, StreamNumber};
use voicelog_srs::Activity;

/// What a stream is recorded with.
#[derive(Debug)]
pub(in crate::control) enum Sockets {
    /// Ports of its own.
    New(Box<StreamMedia>),
    /// Those that it has: what is on its way to them when the client changes over arrives.
    Kept(Box<StreamTerms>),
}

/// Streams of sound that are offered and refused, with the reason.
pub(in crate::control) type RefusedStreams = BTreeMap<StreamNumber, (MediaStream, Cause)>;

impl Call {
    /// Whether its line keeps the packets that say which key was pressed.
    pub(in crate::control) const fn keep_keys(&mut self, keep_keys: bool) {
        self.keep_keys = keep_keys;
    }

    /// The same, for a stream that comes later.
    pub(in crate::control) const fn keeps_keys(&self) -> bool {
        self.keep_keys
    }

    /// The port of a stream that the client offered before, whether or not it sends on it now.
    pub(in crate::control) fn port_of(&self, number: StreamNumber) -> Option<u16> {
        let mut streams = self.streams.iter();
        let stream = streams.find(|stream| stream.media.number == number)?;
        Some(stream.rtp_port)
    }

    /// The streams of the first offer that are refused.
    pub(in crate::control) fn begins_without(&mut self, refused: RefusedStreams) {
        self.refused = refused;
    }

    /// A later offer has a stream of sound that is refused.
    pub(in crate::control) fn refuse_stream(
        &mut self,
        stream: MediaStream,
        cause: Cause,
        hands: &mut Hands<'_>,
    ) {
        let number = stream.number;
        if let Some(known) = self.streams.iter_mut().find(|s| s.media.number == number) {
            known.activity = Activity::Removed;
            self.hold.stream(number, false);
        }
        let before = self.refused.insert(number, (stream.clone(), cause));
        let is_news = before.is_none_or(|(_, before)| before != cause);
        if self.started_at.is_some() && is_news {
            let event = JournalEvent::StreamRefused { stream, cause };
            self.note(hands.now, event, hands);
        }
    }

    /// The client added a stream, or one of its streams became another; its activity is set next.
    pub(in crate::control) fn add_stream(
        &mut self,
        mut stream: CallStream,
        sockets: Sockets,
        hands: &mut Hands<'_>,
    ) {
        let number = stream.media.number;
        let mut streams = self.streams.iter();
        let known = streams.position(|known| known.media.number == number);
        let known = known.map(|place| self.streams.remove(place));
        let was_refused = self.refused.remove(&number).is_some();
        let is_news = known
            .as_ref()
            .is_none_or(|known| known.media.formats() != stream.media.formats());
        // Before its packets can be in the journal.
        if self.started_at.is_some() && (is_news || was_refused) {
            let added = JournalEvent::StreamAdded {
                stream: stream.media.clone(),
            };
            self.note(hands.now, added, hands);
        }
        self.connect(number, sockets, hands);
        if let Some(id) = self.id {
            hands.ear.stream(id, stream.media.clone());
        }
        // A stream that became another, or came back, keeps its number. What it does now is told
        // against what it did before.
        if let Some(known) = known {
            stream.activity = known.activity;
            stream.remote = known.remote;
            self.streams.push(stream);
            return self.listen(hands);
        }
        if self.started_at.is_some() && stream.activity != Activity::Active {
            let event = activity_event(number, false);
            self.note(hands.now, event, hands);
        }
        self.streams.push(stream);
        self.listen(hands);
    }

    fn connect(&mut self, number: StreamNumber, sockets: Sockets, hands: &Hands<'_>) {
        match (self.id, sockets) {
            (Some(id), Sockets::New(media)) => {
                hands.media(self.thread, MediaCommand::AddStream(id, media));
            }
            (Some(id), Sockets::Kept(terms)) => {
                hands.media(self.thread, MediaCommand::ChangeStream(id, terms));
            }
            (None, Sockets::New(media)) => self.sockets.push(*media),
            (None, Sockets::Kept(terms)) => {
                let mut known = self.sockets.iter_mut();
                if let Some(media) = known.find(|media| media.number() == number) {
                    media.change(*terms, hands.now);
                }
            }
        }
    }
}
