//! One rs-metadata document, read into what it says.
//!
//! Elements are found by local name, with case, hyphens and underscores ignored: that takes in
//! RFC 7865 and the drafts that products were built on (`dataMode`, `id` for `session_id`, `send`
//! inside `participant`, `aor` as an element).

use super::scan::{ScanError, root_end};
use super::{moments, repair};
use crate::limits::{
    COMMUNICATION_SESSIONS_MAX, LABEL_BYTES_MAX, METADATA_BYTES_MAX, METADATA_NODES_MAX,
    PARTIES_MAX, PER_PARTICIPANT_MAX, STREAMS_MAX, TEXT_BYTES_MAX,
};
use crate::quirk::{Quirk, Quirks};
use roxmltree::{Node, ParsingOptions};
use std::borrow::Cow;
use voicelog_model::Timestamp;

/// What one document says. Texts are bounded; `Debug` is not implemented, it is personal data.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) is_partial: bool,
    /// It names participants or addresses that were not kept.
    pub(crate) is_cut: bool,
    pub(crate) groups: Vec<String>,
    pub(crate) sessions: Vec<SessionElement>,
    pub(crate) participants: Vec<ParticipantElement>,
    pub(crate) streams: Vec<StreamElement>,
    /// `participantstreamassoc`, and `send` inside `participant`.
    pub(crate) senders: Vec<SenderElement>,
    /// Participants with a `disassociate-time`.
    pub(crate) departures: Vec<String>,
    /// Participants with an association to a communication session that has no
    /// `disassociate-time`.
    pub(crate) arrivals: Vec<String>,
}

#[derive(Default)]
pub(crate) struct SessionElement {
    pub(crate) id: String,
    pub(crate) sip_session_id: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
}

pub(crate) struct ParticipantElement {
    pub(crate) id: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) is_caller: Option<bool>,
}

pub(crate) struct StreamElement {
    pub(crate) id: String,
    pub(crate) label: Option<String>,
    pub(crate) session: Option<String>,
}

pub(crate) struct SenderElement {
    pub(crate) participant: String,
    pub(crate) sends: Vec<String>,
}

/// Reads a document; `None` when nothing in it can be used. The quirks say why.
pub(crate) fn read(bytes: &[u8]) -> (Option<Document>, Quirks) {
    let mut quirks = Quirks::default();
    if bytes.len() > METADATA_BYTES_MAX {
        quirks.add(Quirk::MetadataTooLarge);
        return (None, quirks);
    }
    let (text, is_utf8) = repair::text(bytes);
    if !is_utf8 {
        quirks.add(Quirk::MetadataNotUtf8);
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let end = match root_end(text) {
        Ok(end) => end,
        Err(error) => {
            quirks.add(match error {
                ScanError::Doctype => Quirk::MetadataDoctype,
                ScanError::TooComplex => Quirk::MetadataTooComplex,
                ScanError::Unclosed => Quirk::MetadataUnreadable,
            });
            return (None, quirks);
        }
    };
    let (text, tail) = text.split_at_checked(end).unwrap_or((text, ""));
    if !tail.trim_matches(['\0', '\r', '\n', ' ', '\t']).is_empty() {
        quirks.add(Quirk::MetadataTrailing);
    }
    let text = repair::without_doctype(text);
    if matches!(text, Cow::Owned(_)) {
        quirks.add(Quirk::MetadataDoctype);
    }
    let document = tree(&text, &mut quirks).or_else(|| repaired(&text, &mut quirks));
    if document.is_none() {
        quirks.add(Quirk::MetadataUnreadable);
    }
    (document, quirks)
}

/// The document with what is wrong in it mended, one thing after the other.
fn repaired(text: &str, quirks: &mut Quirks) -> Option<Document> {
    let escaped = repair::escape_ampersands(text);
    if escaped != text {
        quirks.add(Quirk::MetadataAmpersand);
        if let Some(document) = tree(&escaped, quirks) {
            return Some(document);
        }
    }
    let document = tree(&repair::mend(&escaped)?, quirks)?;
    quirks.add(Quirk::MetadataRepaired);
    Some(document)
}

fn tree(text: &str, quirks: &mut Quirks) -> Option<Document> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: METADATA_NODES_MAX,
        ..ParsingOptions::default()
    };
    match roxmltree::Document::parse_with_options(text, options) {
        Ok(tree) => Some(document(tree.root_element(), quirks)),
        Err(roxmltree::Error::NodesLimitReached) => {
            quirks.add(Quirk::MetadataTooComplex);
            None
        }
        Err(_) => None,
    }
}

/// Of RFC 7865 §8.1.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:recording:1";
/// Of the drafts before it, on which products were built.
const NAMESPACES_OF_DRAFTS: [&str; 2] = [
    "urn:ietf:params:xml:ns:recording",
    "urn:ietf:params:xml:ns:siprec",
];

fn document(root: Node<'_, '_>, quirks: &mut Quirks) -> Document {
    let mut root = root;
    if !is_root(root.tag_name().name()) {
        let inner = root.descendants().filter(Node::is_element);
        let inner = inner
            .into_iter()
            .find(|node| is_root(node.tag_name().name()));
        quirks.add(inner.map_or(Quirk::UnknownRoot, |_| Quirk::MetadataWrapped));
        root = inner.unwrap_or(root);
    }
    match root.tag_name().namespace() {
        None | Some(NAMESPACE) => {}
        Some(draft) if NAMESPACES_OF_DRAFTS.contains(&draft) => quirks.add(Quirk::NamespaceDraft),
        Some(_) => quirks.add(Quirk::UnknownNamespace),
    }
    let moments = root
        .descendants()
        .filter(|node| key(*node).ends_with("time"));
    for moment in moments.filter_map(|node| node.text()) {
        moments::look_at(moment, quirks);
    }
    let mut document = Document::default();
    for element in root.children().filter(Node::is_element) {
        match key(element).as_str() {
            "datamode" => match text(element, quirks).to_ascii_lowercase().as_str() {
                "partial" => document.is_partial = true,
                "complete" | "" => {}
                _ => quirks.add(Quirk::UnknownDataMode),
            },
            "group" => {
                let id = attribute(element, &["groupid", "id"], quirks);
                keep(&mut document.groups, id, COMMUNICATION_SESSIONS_MAX, quirks);
            }
            "session" => {
                let session = session(element, quirks);
                keep(
                    &mut document.sessions,
                    session,
                    COMMUNICATION_SESSIONS_MAX,
                    quirks,
                );
            }
            "participant" => participant(&mut document, element, quirks),
            "stream" => {
                let stream = stream(element, quirks);
                keep(&mut document.streams, stream, STREAMS_MAX * 2, quirks);
            }
            "participantstreamassoc" => {
                let sender = SenderElement {
                    participant: attribute(
                        element,
                        &["participantid", "participant", "id"],
                        quirks,
                    ),
                    sends: sends(element, quirks),
                };
                keep(&mut document.senders, sender, PARTIES_MAX, quirks);
            }
            "participantsessionassoc" => {
                let id = attribute(element, &["participantid", "participant", "id"], quirks);
                let list = match child(element, "disassociatetime") {
                    Some(_) => &mut document.departures,
                    None => &mut document.arrivals,
                };
                keep(list, id, PARTIES_MAX, quirks);
            }
            _ => {}
        }
    }
    document
}

/// Whether an element of this local name is the document itself.
pub(super) fn is_root(name: &str) -> bool {
    matches!(normal(name).as_str(), "recording" | "recordingmetadata")
}

fn session(element: Node<'_, '_>, quirks: &mut Quirks) -> SessionElement {
    let optional = |text: String| Some(text).filter(|text| !text.is_empty());
    let group = child(element, "groupref").or_else(|| child(element, "group"));
    let mut moment = |name| child(element, name).and_then(|at| text(at, quirks).parse().ok());
    let (started, ended) = (moment("starttime"), moment("endtime"));
    SessionElement {
        started,
        ended,
        id: attribute(element, &["sessionid", "id"], quirks),
        sip_session_id: child(element, "sipsessionid").and_then(|id| optional(text(id, quirks))),
        group: group.and_then(|group| optional(text(group, quirks))),
    }
}

fn stream(element: Node<'_, '_>, quirks: &mut Quirks) -> StreamElement {
    let optional = |text: String| Some(text).filter(|text| !text.is_empty());
    let label = child(element, "label").and_then(|label| optional(text(label, quirks)));
    let session = attribute(element, &["sessionid", "session"], quirks);
    StreamElement {
        id: attribute(element, &["streamid", "id"], quirks),
        label: label.filter(|label| label.len() <= LABEL_BYTES_MAX),
        session: optional(session),
    }
}

fn participant(document: &mut Document, element: Node<'_, '_>, quirks: &mut Quirks) {
    let mut addresses: Vec<String> = Vec::new();
    let mut name = None;
    let mut is_cut = document.participants.len() >= PARTIES_MAX;
    let mut add = |address: String, quirks: &mut Quirks| {
        if !address.is_empty() && !addresses.contains(&address) {
            is_cut |= addresses.len() >= PER_PARTICIPANT_MAX;
            keep(&mut addresses, address, PER_PARTICIPANT_MAX, quirks);
        }
    };
    // `nameID` holds what the drafts put in `participant` itself.
    let name_ids = element.children().filter(|child| key(*child) == "nameid");
    for holder in name_ids.chain([element]) {
        add(attribute(holder, &["aor"], quirks), quirks);
        for child in holder.children().filter(Node::is_element) {
            match key(child).as_str() {
                "aor" => add(text(child, quirks), quirks),
                "name" if name.is_none() => {
                    name = Some(text(child, quirks)).filter(|name| !name.is_empty());
                }
                _ => {}
            }
        }
    }
    let mut id = attribute(element, &["participantid", "id"], quirks);
    if id.is_empty() {
        id = addresses.first().cloned().unwrap_or_default();
    }
    let sends = sends(element, quirks);
    if !sends.is_empty() {
        let sender = SenderElement {
            participant: id.clone(),
            sends,
        };
        keep(&mut document.senders, sender, PARTIES_MAX, quirks);
    }
    document.is_cut |= is_cut;
    let participant = ParticipantElement {
        id,
        addresses,
        name,
        is_caller: is_caller(element),
    };
    keep(&mut document.participants, participant, PARTIES_MAX, quirks);
}

/// Whether a vendor's extension says that this participant placed the call.
fn is_caller(element: Node<'_, '_>) -> Option<bool> {
    let told = element
        .descendants()
        .find(|node| key(*node) == "callingparty")?;
    match told.text().map(str::trim) {
        Some(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Stream ids in `send`, as its text or, in one dialect, in an `id` inside it.
fn sends(element: Node<'_, '_>, quirks: &mut Quirks) -> Vec<String> {
    let mut sends = Vec::new();
    for send in element.children().filter(|child| key(*child) == "send") {
        let id = text(send, quirks);
        if !id.is_empty() && !sends.contains(&id) {
            keep(&mut sends, id, PER_PARTICIPANT_MAX, quirks);
        }
    }
    sends
}

fn keep<T>(list: &mut Vec<T>, item: T, most: usize, quirks: &mut Quirks) {
    if list.len() < most {
        list.push(item);
    } else {
        quirks.add(Quirk::MetadataCut);
    }
}

/// A name without what dialects differ in.
fn normal(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The local name of an element, normalised; empty for other nodes.
fn key(node: Node<'_, '_>) -> String {
    if node.is_element() {
        normal(node.tag_name().name())
    } else {
        String::new()
    }
}

fn child<'a, 'input>(element: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    element.children().find(|child| key(*child) == name)
}

/// The first text inside an element that is not only spaces.
fn text(element: Node<'_, '_>, quirks: &mut Quirks) -> String {
    let text = element
        .descendants()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .map(str::trim)
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    bounded(text, quirks)
}

/// The first of several attributes, names normalised.
fn attribute(element: Node<'_, '_>, names: &[&str], quirks: &mut Quirks) -> String {
    let value = names
        .iter()
        .find_map(|name| {
            element
                .attributes()
                .find(|attribute| normal(attribute.name()) == *name)
        })
        .map_or("", |attribute| attribute.value().trim());
    bounded(value, quirks)
}

fn bounded(text: &str, quirks: &mut Quirks) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    quirks.add(Quirk::MetadataCut);
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quirks_of(text: &str) -> Vec<Quirk> {
        read(text.as_bytes()).1.into_vec()
    }

    #[test]
    fn bare_ampersands_and_trailing_bytes_are_repaired_and_said() {
        let text = "\u{feff} <recording xmlns='urn:ietf:params:xml:ns:recording:1'><participant participant_id='a'><nameID aor='sip:a&b@c;x=&amp;'/></participant></recording>\r\n--foreign--";
        let (document, quirks) = read(text.as_bytes());
        assert_eq!(
            document.unwrap().participants[0].addresses,
            ["sip:a&b@c;x=&"]
        );
        assert_eq!(
            quirks.as_slice(),
            [Quirk::MetadataTrailing, Quirk::MetadataAmpersand]
        );
    }

    #[test]
    fn who_placed_the_call_is_read_where_a_vendor_tells_it() {
        let told = |inner: &str| {
            let text = format!(
                "<recording><participant participant_id='a'><nameID aor='sip:a@b'/><extensiondata>{inner}</extensiondata></participant></recording>"
            );
            let (document, quirks) = read(text.as_bytes());
            assert_eq!(quirks.as_slice(), []);
            document.unwrap().participants[0].is_caller
        };
        let of_vendor = |word: &str| {
            told(&format!(
                "<x:callingParty xmlns:x='http://vendor.example/siprec'>{word}</x:callingParty>"
            ))
        };
        assert_eq!(of_vendor("true"), Some(true));
        assert_eq!(of_vendor(" False "), Some(false));
        assert_eq!(of_vendor("perhaps"), None);
        assert_eq!(told("<calling-party>true</calling-party>"), Some(true));
        assert_eq!(told(""), None);
    }

    #[test]
    fn hostile_xml_is_left_alone_and_said() {
        let lol = "<!DOCTYPE r [<!ENTITY a 'lol'><!ENTITY b '&a;&a;'>]><recording>&b;</recording>";
        assert_eq!(quirks_of(lol), [Quirk::MetadataDoctype]);
        let inside = "<recording><!DOCTYPE r></recording>";
        assert_eq!(quirks_of(inside), [Quirk::MetadataDoctype]);
        assert_eq!(
            quirks_of(&"<a>".repeat(20_000)),
            [Quirk::MetadataTooComplex]
        );
        assert_eq!(
            quirks_of(&format!("<recording>{}</recording>", "<a/>".repeat(9_000))),
            [Quirk::MetadataTooComplex, Quirk::MetadataUnreadable]
        );
        assert_eq!(quirks_of(&"x".repeat(10 << 20)), [Quirk::MetadataTooLarge]);
        assert_eq!(
            quirks_of("<recording><a></b></recording>"),
            [Quirk::MetadataUnreadable]
        );
        assert_eq!(
            quirks_of("<recording>&file;<a x='1' x=2/></recording>"),
            [Quirk::MetadataAmpersand, Quirk::MetadataUnreadable]
        );
    }

    #[test]
    fn what_is_almost_a_document_is_read_and_what_was_done_to_it_said() {
        let inner = "<participant participant_id='a'><nameID aor='sip:a@b'/></participant>";
        let utf16: Vec<u8> = format!("\u{feff}<recording>{inner}</recording>")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let text = |text: &str| text.replace("INNER", inner).into_bytes();
        for (bytes, quirk) in [
            (
                text("<recording>INNER<ac:AvayaUCID>1</ac:AvayaUCID></recording>"),
                Quirk::MetadataRepaired,
            ),
            (
                text("<recording a='1' a='2'>INNER</recording>"),
                Quirk::MetadataRepaired,
            ),
            (
                text("<!DOCTYPE recording>\n<recording>INNER</recording>"),
                Quirk::MetadataDoctype,
            ),
            (
                text("<!DOCTYPE r SYSTEM 'file:///etc/passwd'><recording>INNER</recording>"),
                Quirk::MetadataDoctype,
            ),
            (
                text(
                    "<s:Envelope xmlns:s='x'><s:Body><recording>INNER</recording></s:Body></s:Envelope>",
                ),
                Quirk::MetadataWrapped,
            ),
            (utf16, Quirk::MetadataNotUtf8),
        ] {
            let (document, quirks) = read(&bytes);
            assert_eq!(quirks.as_slice(), [quirk]);
            assert_eq!(document.unwrap().participants[0].addresses, ["sip:a@b"]);
        }
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let long = "é".repeat(TEXT_BYTES_MAX);
        let (document, quirks) =
            read(format!("<recording><participant id='{long}'/></recording>").as_bytes());
        assert_eq!(document.unwrap().participants[0].id.len(), TEXT_BYTES_MAX);
        assert_eq!(quirks.as_slice(), [Quirk::MetadataCut]);
    }

    #[test]
    fn more_participants_than_we_keep_are_cut_and_said() {
        let many = "<participant participant_id='x'/>".repeat(PARTIES_MAX + 1);
        let (document, quirks) = read(format!("<recording>{many}</recording>").as_bytes());
        assert_eq!(document.unwrap().participants.len(), PARTIES_MAX);
        assert_eq!(quirks.as_slice(), [Quirk::MetadataCut]);
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic(text in "<recording>(<(participant|stream|send|nameID|label)( id='[a-z&]{0,3}')?/?>|</participant>|[a-z&; ]|</send>){0,30}</recording>") {
            let _ = read(text.as_bytes());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
