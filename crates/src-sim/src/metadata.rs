//! The rs-metadata document of one recording session (RFC 7865).

use crate::plan::Belongs;
use crate::random::Names;
use std::fmt::Write as _;
use voicelog_model::Timestamp;

/// One participant of the conversation that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Address of record: a `sip:` or `tel:` URI.
    pub address: String,
    /// Display name; may be empty.
    pub name: String,
}

impl Participant {
    /// A participant with a name.
    #[must_use]
    pub fn new(address: &str, name: &str) -> Self {
        Self {
            address: address.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// The metadata of one recording session. Participant n sends stream n and hears the others.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    group: String,
    session: String,
    started: Timestamp,
    /// With the id of each, which it keeps for the whole session.
    participants: Vec<(String, Participant)>,
    /// Id and SDP label of each stream.
    streams: Vec<(String, String)>,
}

impl Metadata {
    /// Makes the ids of a new recording session.
    pub(crate) fn new(
        names: &mut Names,
        started: Timestamp,
        participants: &[Participant],
        labels: &[String],
        belongs: &Belongs,
    ) -> Self {
        let streams = labels
            .iter()
            .map(|label| (names.metadata_id(), label.clone()));
        let streams = streams.collect();
        let mut metadata = Self {
            group: belongs.group.clone().unwrap_or_else(|| names.metadata_id()),
            session: belongs
                .session
                .clone()
                .unwrap_or_else(|| names.metadata_id()),
            started,
            participants: Vec::new(),
            streams,
        };
        metadata.set_participants(names, participants);
        metadata
    }

    /// Changes who takes part; somebody with the same address keeps the same id.
    pub(crate) fn set_participants(&mut self, names: &mut Names, participants: &[Participant]) {
        let before = std::mem::take(&mut self.participants);
        for participant in participants {
            let known = before
                .iter()
                .find(|(_, p)| p.address == participant.address);
            let id = known.map_or_else(|| names.metadata_id(), |(id, _)| id.clone());
            self.participants.push((id, participant.clone()));
        }
    }

    /// The complete document (a full snapshot, RFC 7866 §9.1).
    pub(crate) fn write(&self) -> String {
        let mut xml = String::with_capacity(2_048);
        let written = self.write_to(&mut xml);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
        xml
    }

    fn write_to(&self, xml: &mut String) -> std::fmt::Result {
        let (group, session) = (escaped(&self.group), escaped(&self.session));
        let at = self.started;
        write!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">\n\
             \x20 <datamode>complete</datamode>\n\
             \x20 <group group_id=\"{group}\"><associate-time>{at}</associate-time></group>\n\
             \x20 <session session_id=\"{session}\">\
             <group-ref>{group}</group-ref><start-time>{at}</start-time></session>\n"
        )?;
        for (id, participant) in &self.participants {
            let address = escaped(&participant.address);
            write!(
                xml,
                "  <participant participant_id=\"{id}\"><nameID aor=\"{address}\">"
            )?;
            if !participant.name.is_empty() {
                write!(xml, "<name>{}</name>", escaped(&participant.name))?;
            }
            xml.push_str("</nameID></participant>\n");
        }
        for (id, label) in &self.streams {
            writeln!(
                xml,
                "  <stream stream_id=\"{id}\" session_id=\"{session}\"><label>{}</label></stream>",
                escaped(label)
            )?;
        }
        writeln!(
            xml,
            "  <sessionrecordingassoc session_id=\"{session}\">\
             <associate-time>{at}</associate-time></sessionrecordingassoc>"
        )?;
        for (id, _) in &self.participants {
            writeln!(
                xml,
                "  <participantsessionassoc participant_id=\"{id}\" session_id=\"{session}\">\
                 <associate-time>{at}</associate-time></participantsessionassoc>"
            )?;
        }
        for (place, (id, _)) in self.participants.iter().enumerate() {
            write!(xml, "  <participantstreamassoc participant_id=\"{id}\">")?;
            for (number, (stream, _)) in self.streams.iter().enumerate() {
                let way = if number == place { "send" } else { "recv" };
                write!(xml, "<{way}>{stream}</{way}>")?;
            }
            xml.push_str("</participantstreamassoc>\n");
        }
        xml.push_str("</recording>\n");
        Ok(())
    }
}

/// Text made safe for XML content and attribute values; characters XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' => safe.push(' '),
            other if other.is_control() => {}
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> (Metadata, Names) {
        let mut names = Names::from_seed(1);
        let parties = [
            Participant::new("sip:verkoop@example.nl", "Sanne <\"&"),
            Participant::new("tel:+31612345678", ""),
        ];
        let labels = ["1".to_owned(), "2".to_owned()];
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let metadata = Metadata::new(&mut names, at, &parties, &labels, &Belongs::default());
        (metadata, names)
    }

    #[test]
    fn each_participant_sends_one_stream_and_hears_the_other() {
        let (metadata, _) = document();
        let xml = metadata.write();
        let [(first, _), (second, _)] = [&metadata.streams[0], &metadata.streams[1]];
        let (agent, _) = &metadata.participants[0];
        assert!(xml.contains(&format!(
            "<participantstreamassoc participant_id=\"{agent}\"><send>{first}</send><recv>{second}</recv>"
        )));
        assert_eq!(xml.matches("<send>").count(), 2);
        assert!(xml.contains("<nameID aor=\"tel:+31612345678\"></nameID>"));
        assert!(xml.contains("xmlns=\"urn:ietf:params:xml:ns:recording:1\""));
    }

    #[test]
    fn names_cannot_break_out_of_the_document() {
        let (metadata, _) = document();
        assert!(
            metadata
                .write()
                .contains("<name>Sanne &lt;&quot;&amp;</name>")
        );
    }

    #[test]
    fn a_participant_who_stays_keeps_the_same_id() {
        let (mut metadata, mut names) = document();
        let before = metadata.participants[1].0.clone();
        let parties = [
            Participant::new("sip:ander@example.nl", "Ander"),
            Participant::new("tel:+31612345678", "Klant"),
        ];
        metadata.set_participants(&mut names, &parties);
        assert_eq!(metadata.participants[1].0, before);
        assert!(metadata.write().contains("<name>Klant</name>"));
    }
}
