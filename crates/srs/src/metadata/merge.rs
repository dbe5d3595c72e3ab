//! What is known after each document: complete ones replace, partial ones add (RFC 7865 §6.1.1).

use super::read::{Document, ParticipantElement, SenderElement, read};
use super::{CommunicationSession, Metadata, Participant, StreamClaim};
use super::{attribution, bridge, header, person};
use crate::body::MetadataPart;
use crate::limits::{COMMUNICATION_SESSIONS_MAX, PARTIES_MAX, PER_PARTICIPANT_MAX, STREAMS_MAX};
use crate::quirk::{Quirk, Quirks};
use crate::sip::Message;
use std::borrow::Cow;
use voicelog_model::{Pii, StreamNumber};

/// The metadata of one recording session as it grows.
#[derive(Default)]
pub(crate) struct MetadataState {
    sessions: Vec<CommunicationSession>,
    groups: Vec<Pii<String>>,
    /// Everybody ever named; the place gives the pseudonym, so nobody is taken out.
    participants: Vec<Participant>,
    streams: Vec<StreamClaim>,
    /// Some document had a `send`: from then on a missing one means hold, not ignorance.
    has_sends: bool,
    has_base: bool,
    /// Since the last whole document, something about who takes part was not read or not kept.
    is_incomplete: bool,
    /// Since the last whole document, an update could not be read.
    is_behind: bool,
    snapshot: Snapshot,
    raw: Vec<u8>,
    quirks: Quirks,
}

/// Whether the client is to be asked for a whole document (RFC 7866 §9.2).
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Snapshot {
    /// No: nothing was lost since the last whole one.
    #[default]
    NotNeeded,
    /// Something was lost.
    Needed,
    /// It has been asked, and is not asked again before a whole one has come.
    Asked,
}

impl MetadataState {
    /// Takes the next document in. One that cannot be read changes nothing but the quirks, and the
    /// client is asked for all of it. Where nothing was told before, nobody knows who takes part.
    /// Where something was, that stays what is known: what a client says in a way that we cannot
    /// read takes nobody out of the conversation.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.take_part(&MetadataPart {
            raw: bytes,
            text: Cow::Borrowed(bytes),
            is_mistyped: false,
        });
    }

    /// The same for a document as it stood in a body.
    pub(crate) fn take_part(&mut self, part: &MetadataPart<'_>) {
        self.raw = part.raw.to_vec();
        let (document, quirks) = read(&part.text);
        self.quirks = quirks;
        if part.is_mistyped {
            self.quirks.add(Quirk::MetadataTypeWrong);
        }
        let Some(document) = document else {
            self.is_incomplete |= !self.has_base;
            self.is_behind |= self.has_base;
            self.need_snapshot();
            return;
        };
        self.put(document);
    }

    /// Takes in participants named in headers of a message that has no document.
    pub(crate) fn take_headers(&mut self, values: &[String]) {
        let (document, quirks) = header::read(values);
        self.quirks = quirks;
        self.put(document);
    }

    /// Takes in what the `From` of a telephone's own bridge says. Says whether it says anything.
    pub(crate) fn take_side(&mut self, message: &Message<'_>) -> bool {
        let Some(document) = bridge::read(message) else {
            return false;
        };
        self.quirks = Quirks::default();
        self.quirks.add(Quirk::ParticipantsInHeader);
        self.put(document);
        true
    }

    /// The labels of the streams that it speaks of, for an offer of ours.
    pub(crate) fn stream_labels(&self) -> Vec<Option<String>> {
        self.streams
            .iter()
            .map(|stream| stream.label.clone())
            .collect()
    }

    fn put(&mut self, document: Document) {
        self.is_incomplete = document.is_cut || (self.is_incomplete && document.is_partial);
        self.is_behind &= document.is_partial;
        if !document.is_partial {
            self.snapshot = Snapshot::NotNeeded;
            self.make_room(&document);
        } else if !self.has_base {
            self.quirks.add(Quirk::PartialWithoutBase);
            self.need_snapshot();
        }
        self.has_base = true;
        let is_partial = document.is_partial;
        self.merge(document);
        for gone in self.participants.iter_mut().filter(|who| who.has_left) {
            gone.sends.clear();
        }
        // An update that speaks of somebody we never heard of: an earlier one was lost.
        if is_partial && self.quirks.as_slice().contains(&Quirk::UnknownParticipant) {
            self.need_snapshot();
        }
    }

    /// A complete document takes the place of all that was told. What it does not speak of at all,
    /// nobody or no sender, it does not take away: clients forget `partial` and tell what changed.
    fn make_room(&mut self, document: &Document) {
        self.sessions.clear();
        self.groups.clear();
        let is_there = |who: &Participant| !who.has_left;
        let names_nobody =
            document.participants.is_empty() && self.participants.iter().any(is_there);
        let sends = |who: &Participant| !who.sends.is_empty();
        let tells_no_sender = document.senders.is_empty() && self.participants.iter().any(sends);
        if names_nobody || tells_no_sender {
            self.quirks.add(Quirk::CompleteNotWhole);
        }
        if !tells_no_sender || !document.streams.is_empty() {
            self.streams.clear();
        }
        for participant in &mut self.participants {
            participant.has_left |= !names_nobody;
            if !tells_no_sender {
                participant.sends.clear();
            }
        }
    }

    /// Who has an id now: the last to have been named by it.
    fn known(&mut self, id: &Pii<String>) -> Option<&mut Participant> {
        let mut latest_first = self.participants.iter_mut().rev();
        latest_first.find(|known| known.id == *id)
    }

    fn need_snapshot(&mut self) {
        if self.snapshot == Snapshot::NotNeeded {
            self.snapshot = Snapshot::Needed;
        }
    }

    /// Whether the client should be asked for a whole document.
    pub(crate) fn needs_snapshot(&self) -> bool {
        self.snapshot == Snapshot::Needed
    }

    /// The client is being asked.
    pub(crate) fn snapshot_asked(&mut self) {
        self.snapshot = Snapshot::Asked;
    }

    fn merge(&mut self, document: Document) {
        for group in document.groups {
            let group = Pii::new(group);
            if !self.groups.contains(&group) {
                keep(
                    &mut self.groups,
                    group,
                    COMMUNICATION_SESSIONS_MAX,
                    &mut self.quirks,
                );
            }
        }
        for session in document.sessions {
            let session = CommunicationSession {
                id: Pii::new(session.id),
                sip_session_id: session.sip_session_id.map(Pii::new),
                group: session.group.map(Pii::new),
                started: session.started,
                ended: session.ended,
            };
            match self
                .sessions
                .iter_mut()
                .find(|known| known.id == session.id)
            {
                Some(known) => {
                    known.sip_session_id = session.sip_session_id.or(known.sip_session_id.take());
                    known.group = session.group.or(known.group.take());
                    known.started = session.started.or(known.started);
                    known.ended = session.ended.or(known.ended);
                }
                None => keep(
                    &mut self.sessions,
                    session,
                    COMMUNICATION_SESSIONS_MAX,
                    &mut self.quirks,
                ),
            }
        }
        for stream in document.streams {
            let stream = StreamClaim {
                id: Pii::new(stream.id),
                label: stream.label,
                session: stream.session.map(Pii::new),
            };
            let same =
                |known: &&mut StreamClaim| known.id == stream.id && !stream.id.expose().is_empty();
            match self.streams.iter_mut().find(same) {
                Some(known) => {
                    known.label = stream.label.or(known.label.take());
                    known.session = stream.session.or(known.session.take());
                }
                None => keep(&mut self.streams, stream, STREAMS_MAX * 2, &mut self.quirks),
            }
        }
        let mut named: Vec<Pii<String>> = Vec::new();
        for participant in document.participants {
            let id = Pii::new(participant.id.clone());
            if named.contains(&id) {
                self.add_to_participant(&id, participant);
            } else {
                named.push(id);
                self.merge_participant(participant);
            }
        }
        self.merge_senders(document.senders);
        self.merge_presence(document.departures, document.arrivals);
    }

    /// Who left, and who is there: by associations with communication sessions.
    fn merge_presence(&mut self, departures: Vec<String>, arrivals: Vec<String>) {
        for id in departures.into_iter().map(Pii::new) {
            match self.known(&id) {
                Some(participant) => participant.has_left = true,
                None => self.quirks.add(Quirk::UnknownParticipant),
            }
        }
        // Who left one communication session for another is still in the conversation.
        for id in arrivals.into_iter().map(Pii::new) {
            if let Some(participant) = self.known(&id) {
                participant.has_left = false;
            }
        }
    }

    /// Within one document the ids of one participant add up; across documents they replace.
    fn merge_senders(&mut self, senders: Vec<SenderElement>) {
        let mut told: Vec<Pii<String>> = Vec::new();
        for sender in senders {
            self.has_sends |= !sender.sends.is_empty();
            let id = Pii::new(sender.participant);
            let is_first = !told.contains(&id);
            let Some(participant) = self.known(&id) else {
                self.quirks.add(Quirk::UnknownParticipant);
                continue;
            };
            if is_first {
                participant.sends.clear();
                told.push(id);
            }
            // Who speaks is there.
            participant.has_left &= sender.sends.is_empty();
            for send in sender.sends.into_iter().map(Pii::new) {
                if !participant.sends.contains(&send) {
                    participant.sends.push(send);
                }
            }
        }
    }

    /// The same id once more in one document: either says who it is.
    fn add_to_participant(&mut self, id: &Pii<String>, element: ParticipantElement) {
        let Some(known) = self.known(id) else {
            // One more than we keep, as was said when it was named first.
            return;
        };
        known.name = known.name.take().or(element.name.map(Pii::new));
        known.is_caller = known.is_caller.or(element.is_caller);
        let mut is_cut = false;
        for address in element.addresses.into_iter().map(Pii::new) {
            if known.addresses.contains(&address) {
                continue;
            }
            is_cut |= known.addresses.len() >= PER_PARTICIPANT_MAX;
            if !is_cut {
                known.addresses.push(address);
            }
        }
        self.is_incomplete |= is_cut;
        self.quirks.add(Quirk::ParticipantRepeated);
    }

    fn merge_participant(&mut self, element: ParticipantElement) {
        let id = Pii::new(element.id);
        let addresses: Vec<_> = element.addresses.into_iter().map(Pii::new).collect();
        let name = element.name.map(Pii::new);
        let mut sends = Vec::new();
        if let Some(known) = self.known(&id) {
            if person::can_be_one(&known.addresses, &addresses) {
                if !addresses.is_empty() {
                    known.addresses = addresses;
                }
                known.name = name.or(known.name.take());
                known.is_caller = element.is_caller.or(known.is_caller);
                known.has_left = false;
                return;
            }
            // Somebody else under that id. What the one before said is not said by this one; the
            // streams are the id's.
            known.has_left = true;
            sends = std::mem::take(&mut known.sends);
            self.quirks.add(Quirk::ParticipantReplaced);
        }
        let participant = Participant {
            pseudonym: format!("p{}", self.participants.len() + 1),
            id,
            addresses,
            name,
            sends,
            is_caller: element.is_caller,
            has_left: false,
        };
        self.is_incomplete |= self.participants.len() >= PARTIES_MAX;
        keep(
            &mut self.participants,
            participant,
            PARTIES_MAX,
            &mut self.quirks,
        );
    }

    /// What is known now, with the voices of these `m=` lines (number and label of each line that
    /// can be recorded). `None` before the first document.
    pub(crate) fn snapshot(&self, lines: &[(StreamNumber, Option<String>)]) -> Option<Metadata> {
        if self.raw.is_empty() && !self.has_base {
            return None;
        }
        let mut quirks = self.quirks.clone();
        if self.is_incomplete {
            quirks.add(Quirk::ParticipantsUnknown);
        }
        if self.is_behind {
            quirks.add(Quirk::UpdateNotRead);
        }
        let voices = attribution::voices(
            lines,
            &self.streams,
            &self.participants,
            self.has_sends,
            &mut quirks,
        );
        Some(Metadata {
            communication_sessions: self.sessions.clone(),
            groups: self.groups.clone(),
            participants: self.participants.clone(),
            streams: self.streams.clone(),
            voices,
            raw: Pii::new(self.raw.clone()),
            quirks: quirks.into_vec(),
        })
    }
}

fn keep<T>(list: &mut Vec<T>, item: T, most: usize, quirks: &mut Quirks) {
    if list.len() < most {
        list.push(item);
    } else {
        quirks.add(Quirk::MetadataCut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<(StreamNumber, Option<String>)> {
        vec![
            (StreamNumber(1), Some("1".into())),
            (StreamNumber(2), Some("2".into())),
        ]
    }

    fn recording(mode: &str, inside: &str) -> Vec<u8> {
        format!("<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>{mode}</datamode>{inside}</recording>").into_bytes()
    }

    const BASE: &str = "<session session_id='s'/><participant participant_id='a'><nameID aor='sip:a@x'/></participant><participant participant_id='b'/><stream stream_id='t1' session_id='s'><label>1</label></stream><stream stream_id='t2' session_id='s'><label>2</label></stream><participantstreamassoc participant_id='b'><send>t1</send><recv>t2</recv></participantstreamassoc><participantstreamassoc participant_id='a'><send>t2</send></participantstreamassoc>";

    fn party(metadata: &Metadata, number: u16) -> Vec<&str> {
        metadata
            .voices_of(StreamNumber(number))
            .iter()
            .map(|v| v.party.as_str())
            .collect()
    }

    #[test]
    fn a_partial_document_adds_and_a_complete_one_replaces() {
        let mut state = MetadataState::default();
        assert!(state.snapshot(&lines()).is_none());
        state.take(&recording("complete", BASE));
        let first = state.snapshot(&lines()).unwrap();
        assert_eq!(
            (party(&first, 1), party(&first, 2)),
            (vec!["p2"], vec!["p1"])
        );
        assert_eq!(first.quirks, []);

        state.take(&recording("partial", "<participant participant_id='c'><nameID aor='sip:c@x'/></participant><participantstreamassoc participant_id='c'><send>t2</send></participantstreamassoc><participantstreamassoc participant_id='a'/><participantsessionassoc participant_id='a' session_id='s'><disassociate-time>x</disassociate-time></participantsessionassoc>"));
        let second = state.snapshot(&lines()).unwrap();
        assert_eq!(
            (party(&second, 1), party(&second, 2)),
            (vec!["p2"], vec!["p3"])
        );
        assert_eq!(second.participants.len(), 3);
        assert!(second.participants[0].has_left);

        state.take(&recording("complete", "<participant participant_id='c'/>"));
        let third = state.snapshot(&lines()).unwrap();
        let left: Vec<_> = third.participants.iter().map(|p| p.has_left).collect();
        assert_eq!(left, [true, true, false]);
        assert_eq!(party(&third, 1), Vec::<&str>::new());
    }

    #[test]
    fn what_cannot_be_read_changes_nothing_but_is_kept() {
        let mut state = MetadataState::default();
        state.take(&recording("complete", BASE));
        state.take(b"<recording");
        let metadata = state.snapshot(&lines()).unwrap();
        assert_eq!(metadata.participants.len(), 2);
        assert_eq!(metadata.raw.expose(), b"<recording");
        assert_eq!(
            metadata.quirks,
            [Quirk::MetadataUnreadable, Quirk::UpdateNotRead]
        );
        assert!(state.needs_snapshot());
        // A partial document does not tell what the broken one would have; a complete one does.
        state.take(&recording("partial", "<participant participant_id='a'/>"));
        let quirks = state.snapshot(&[]).unwrap().quirks;
        assert!(quirks.contains(&Quirk::UpdateNotRead));
        state.take(&recording("complete", BASE));
        assert_eq!(state.snapshot(&lines()).unwrap().quirks, []);
    }

    #[test]
    fn of_a_first_document_that_cannot_be_read_nobody_knows_who_takes_part() {
        let mut state = MetadataState::default();
        state.take(b"<recording");
        assert_eq!(
            state.snapshot(&lines()).unwrap().quirks,
            [Quirk::MetadataUnreadable, Quirk::ParticipantsUnknown]
        );
    }

    fn named(id: &str, address: &str) -> String {
        format!("<participant participant_id='{id}'><nameID aor='{address}'/></participant>")
    }

    /// Pseudonym and addresses of those who are there.
    fn present(state: &MetadataState) -> Vec<(String, Vec<String>)> {
        let there = state.participants.iter().filter(|who| !who.has_left);
        let addresses = |who: &Participant| {
            let addresses = who.addresses.iter();
            addresses.map(|address| address.expose().clone()).collect()
        };
        there
            .map(|who| (who.pseudonym.clone(), addresses(who)))
            .collect()
    }

    #[test]
    fn two_elements_of_one_participant_add_up_and_a_later_document_replaces() {
        let (dutch, german) = ("tel:+31201234567", "tel:+4930123456");
        for [first, second] in [[dutch, german], [german, dutch]] {
            let mut state = MetadataState::default();
            let both = named("b", first) + &named("b", second);
            state.take(&recording("complete", &both));
            let all = vec![first.to_owned(), second.to_owned()];
            assert_eq!(present(&state), [("p1".to_owned(), all)]);
            let quirks = state.snapshot(&[]).unwrap().quirks;
            assert_eq!(quirks, [Quirk::ParticipantRepeated]);
            state.take(&recording("complete", &named("b", dutch)));
            let one = vec![dutch.to_owned()];
            assert_eq!(present(&state), [("p1".to_owned(), one)]);
        }
    }

    #[test]
    fn another_person_under_the_same_id_is_another_participant() {
        let mut state = MetadataState::default();
        state.take(&recording("complete", BASE));
        let other = named("a", "tel:+4989999999");
        state.take(&recording("partial", &other));
        let metadata = state.snapshot(&lines()).unwrap();
        let left: Vec<_> = metadata.participants.iter().map(|p| p.has_left).collect();
        assert_eq!(left, [true, false, false]);
        // The id still sends what it sent.
        assert_eq!(party(&metadata, 2), ["p3"]);
        assert_eq!(metadata.quirks, [Quirk::ParticipantReplaced]);
        // The id is now that of the new one.
        state.take(&recording("partial", &(other + "<participantsessionassoc participant_id='a' session_id='s'><disassociate-time>x</disassociate-time></participantsessionassoc>")));
        assert_eq!(present(&state).len(), 1);
    }

    #[test]
    fn a_complete_document_that_names_no_sender_takes_nobodys_voice_away() {
        let mut state = MetadataState::default();
        state.take(&recording("complete", BASE));
        let without = BASE.split("<participantstreamassoc").next().unwrap();
        state.take(&recording(
            "complete",
            &(without.to_owned() + &named("c", "sip:c@x")),
        ));
        let told = state.snapshot(&lines()).unwrap();
        assert_eq!((party(&told, 1), party(&told, 2)), (vec!["p2"], vec!["p1"]));
        assert_eq!(told.quirks, [Quirk::CompleteNotWhole]);
        // One that names nobody at all is no better.
        state.take(&recording("complete", "<session session_id='s'/>"));
        assert_eq!(present(&state).len(), 3);
        // That somebody sends nothing has to be said.
        let silent = without.to_owned() + "<participantstreamassoc participant_id='b'/>";
        state.take(&recording("complete", &silent));
        let told = state.snapshot(&lines()).unwrap();
        assert_eq!((party(&told, 1), party(&told, 2)), (vec![], vec![]));
    }

    #[test]
    fn who_leaves_one_session_for_another_or_comes_back_by_an_association_is_there() {
        let gone = "<participantsessionassoc participant_id='b' session_id='s'><disassociate-time>x</disassociate-time></participantsessionassoc>";
        let here = "<participantsessionassoc participant_id='b' session_id='s2'><associate-time>x</associate-time></participantsessionassoc>";
        let sends =
            "<participantstreamassoc participant_id='b'><send>t1</send></participantstreamassoc>";
        for back in [here, sends] {
            let mut state = MetadataState::default();
            state.take(&recording("complete", BASE));
            state.take(&recording("partial", gone));
            assert_eq!(present(&state).len(), 1);
            state.take(&recording("partial", back));
            assert_eq!(present(&state).len(), 2);
        }
        let mut state = MetadataState::default();
        state.take(&recording("complete", &format!("{BASE}{here}{gone}")));
        assert_eq!(present(&state).len(), 2);
    }

    #[test]
    fn a_partial_document_without_a_base_is_taken_and_said() {
        let mut state = MetadataState::default();
        state.take(&recording("partial", "<participant participant_id='a'/>"));
        let metadata = state.snapshot(&[]).unwrap();
        assert_eq!(metadata.participants.len(), 1);
        assert_eq!(metadata.quirks, [Quirk::PartialWithoutBase]);
    }

    #[test]
    fn endless_new_participants_stay_bounded() {
        let mut state = MetadataState::default();
        for n in 0..PARTIES_MAX + 5 {
            state.take(&recording(
                "complete",
                &format!("<participant participant_id='{n}'/>"),
            ));
        }
        assert_eq!(state.participants.len(), PARTIES_MAX);
        assert_eq!(
            state.snapshot(&[]).unwrap().quirks,
            [Quirk::MetadataCut, Quirk::ParticipantsUnknown]
        );
    }
}
