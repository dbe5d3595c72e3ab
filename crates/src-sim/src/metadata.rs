//! The rs-metadata document of one recording session (RFC 7865).

use crate::dialect::{Ids, Sends, Times, XmlStyle};
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

/// The metadata of one recording session. Participant n sends stream n and hears the others; where
/// there is one stream, everybody sends it.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    style: &'static XmlStyle,
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
        style: &'static XmlStyle,
        names: &mut Names,
        started: Timestamp,
        participants: &[Participant],
        labels: &[String],
        belongs: &Belongs,
    ) -> Self {
        let stream = |(label, place): (&String, u32)| {
            let label = match style.sends {
                Sends::OtherLabels => place.to_string(),
                _ => label.clone(),
            };
            let id = match style.ids {
                Ids::Telling => label.clone(),
                ids => new_id(ids, names),
            };
            (id, label)
        };
        let streams = labels.iter().zip(1_u32..).map(stream).collect();
        let mut metadata = Self {
            style,
            group: (belongs.group.clone()).unwrap_or_else(|| new_id(style.ids, names)),
            session: (belongs.session.clone()).unwrap_or_else(|| new_id(style.ids, names)),
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
            let id = match (known, self.style.ids) {
                (Some((id, _)), _) => id.clone(),
                (None, Ids::Telling) => digits(&participant.address),
                (None, ids) => new_id(ids, names),
            };
            self.participants.push((id, participant.clone()));
        }
    }

    /// Addresses of the participants, in order.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &str> {
        let participants = self.participants.iter();
        participants.map(|(_, participant)| participant.address.as_str())
    }

    /// The complete document (a full snapshot, RFC 7866 §9.1).
    pub(crate) fn write(&self) -> String {
        let mut xml = String::with_capacity(2_048);
        let written = self.write_to(&mut xml);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
        xml
    }

    fn write_to(&self, xml: &mut String) -> std::fmt::Result {
        let style = self.style;
        let (p, root) = (style.prefix, style.root);
        let at = self.moment();
        let mode = style.data_mode;
        let id = |long: &'static str| if style.long_names { long } else { "id" };
        let (group, session) = (escaped(&self.group), escaped(&self.session));
        write!(
            xml,
            "{}<{p}{root} {}>\n  <{p}{mode}>complete</{p}{mode}>\n  \
             <{p}group {}=\"{group}\"><{p}associate-time>{at}</{p}associate-time>{}</{p}group>\n  \
             <{p}session {}=\"{session}\"><{p}group-ref>{group}</{p}group-ref>\
             <{p}start-time>{at}</{p}start-time></{p}session>\n",
            style.prolog,
            style.attributes,
            id("group_id"),
            style.in_group,
            id("session_id"),
        )?;
        for (place, (own, participant)) in self.participants.iter().enumerate() {
            write!(xml, "  <{p}participant {}=\"{own}\"", id("participant_id"))?;
            if !style.long_names {
                write!(xml, " session=\"{session}\"")?;
            }
            xml.push('>');
            self.write_name(xml, participant)?;
            let sent = self.sent_by(place).map(|(stream, _)| stream);
            match (style.sends, sent) {
                (Sends::Inside, Some(stream)) => write!(xml, "<{p}send>{stream}</{p}send>")?,
                (Sends::InsideId, Some(stream)) => {
                    write!(xml, "<{p}send><{p}id>{stream}</{p}id></{p}send>")?;
                }
                _ => {}
            }
            writeln!(xml, "</{p}participant>")?;
        }
        let of_session = if style.long_names {
            "session_id"
        } else {
            "session"
        };
        for (own, label) in &self.streams {
            writeln!(
                xml,
                "  <{p}stream {}=\"{own}\" {of_session}=\"{session}\">\
                 <{p}label>{}</{p}label>{}</{p}stream>",
                id("stream_id"),
                escaped(label),
                style.in_stream,
            )?;
        }
        if style.long_names {
            self.write_associations(xml, &at)?;
        }
        writeln!(xml, "{}</{p}{root}>", style.at_end)
    }

    fn write_name(&self, xml: &mut String, participant: &Participant) -> std::fmt::Result {
        let (p, style) = (self.style.prefix, self.style);
        let (address, name) = (escaped(&participant.address), escaped(&participant.name));
        let address = match (style.numbers_at, address.strip_prefix("tel:")) {
            (Some(host), Some(number)) => format!("sip:{number}@{host}"),
            _ => address,
        };
        let name = match (name.is_empty(), p) {
            (true, _) => String::new(),
            (false, p) => format!("<{p}name>{name}</{p}name>"),
        };
        if style.name_id {
            write!(xml, "<{p}nameID aor=\"{address}\">{name}</{p}nameID>")
        } else {
            write!(xml, "<{p}aor>{address}</{p}aor>{name}")
        }
    }

    /// Who belongs to the session, and who sends and hears what (RFC 7865 §6.6 to §6.10).
    fn write_associations(&self, xml: &mut String, at: &str) -> std::fmt::Result {
        let (p, session) = (self.style.prefix, &self.session);
        let since = format!("<{p}associate-time>{at}</{p}associate-time>");
        writeln!(
            xml,
            "  <{p}sessionrecordingassoc session_id=\"{session}\">{since}</{p}sessionrecordingassoc>"
        )?;
        for (id, _) in &self.participants {
            writeln!(
                xml,
                "  <{p}participantsessionassoc participant_id=\"{id}\" session_id=\"{session}\">\
                 {since}</{p}participantsessionassoc>"
            )?;
        }
        for (place, (id, _)) in self.participants.iter().enumerate() {
            write!(xml, "  <{p}participantstreamassoc participant_id=\"{id}\">")?;
            let sent = self.sent_by(place).map(|(stream, _)| stream);
            let streams = match self.style.sends {
                Sends::Empty => &[],
                _ => self.streams.as_slice(),
            };
            for (stream, _) in streams {
                let way = if Some(stream) == sent { "send" } else { "recv" };
                write!(xml, "<{p}{way}>{stream}</{p}{way}>")?;
            }
            if let ([(stream, _)], false) = (streams, self.style.sends == Sends::Empty) {
                // Everybody hears the mix as well.
                write!(xml, "<{p}recv>{stream}</{p}recv>")?;
            }
            writeln!(xml, "</{p}participantstreamassoc>")?;
        }
        Ok(())
    }

    fn sent_by(&self, participant: usize) -> Option<&(String, String)> {
        let place = match (self.style.sends, self.streams.len()) {
            (_, 1) => 0,
            (Sends::Crossed, 2) if participant < 2 => 1 - participant,
            _ => participant,
        };
        self.streams.get(place)
    }

    fn moment(&self) -> String {
        let whole = self.started.to_string();
        let second = whole.get(..19).unwrap_or(&whole);
        match self.style.times {
            Times::Rfc3339 => whole,
            Times::NoZone => second.to_owned(),
            Times::NoColon => format!("{second}+0000"),
            Times::NeverSet => "1970-05-13T00:00:01Z".to_owned(),
        }
    }
}

fn new_id(ids: Ids, names: &mut Names) -> String {
    match ids {
        Ids::Urn => names.urn(),
        Ids::Base64 | Ids::Telling => names.metadata_id(),
    }
}

/// The digits of an address, or all of it where it has none.
fn digits(address: &str) -> String {
    let found: String = address.chars().filter(char::is_ascii_digit).collect();
    if found.is_empty() {
        escaped(address)
    } else {
        found
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
        let metadata = Metadata::new(
            &crate::Dialect::Plain.style().xml,
            &mut names,
            at,
            &parties,
            &labels,
            &Belongs::default(),
        );
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
