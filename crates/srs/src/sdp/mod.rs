//! SDP: reading the client's offers and answers, writing ours (RFC 8866, RFC 3264, RFC 7866 §7).
//!
//! We take every codec: the journal keeps packets as they came, and what cannot be played now may
//! be played one day. The answer names first what can be, in the client's order.

mod format;
mod ours;
mod protection;
#[cfg(test)]
mod tests;

use crate::api::{Refusal, Refused};
use crate::limits::{LABEL_BYTES_MAX, MEDIA_LINES_MAX, STREAMS_MAX};
use crate::quirk::{Quirk, Quirks};
use crate::srtp::{MasterKey, sdes};
use format::{answered_parameters, common, usable};
pub(crate) use ours::proposed;
use protection::Protection;
pub(crate) use protection::{KeyFault, Secrecy};
use std::net::{IpAddr, SocketAddr};
use voicelog_model::Format;

/// Which way media flows, from the side that says it (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; also what a missing attribute means.
    SendReceive,
    /// From the one who says it.
    SendOnly,
    /// To the one who says it.
    ReceiveOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    fn from_attribute(name: &str) -> Option<Self> {
        match name {
            "sendrecv" => Some(Self::SendReceive),
            "sendonly" => Some(Self::SendOnly),
            "recvonly" => Some(Self::ReceiveOnly),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    pub(crate) const fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }
}

/// One `m=` line of the client.
#[derive(Clone)]
pub(crate) struct MediaLine {
    pub(crate) media: String,
    pub(crate) protocol: String,
    pub(crate) formats: String,
    pub(crate) port: u16,
    pub(crate) label: Option<String>,
    pub(crate) direction: Direction,
    /// `c=0.0.0.0`: the way to say hold before there was an attribute for it (RFC 3264 §8.4).
    pub(crate) is_held: bool,
    pub(crate) has_rtcp_mux: bool,
    pub(crate) remote: Option<SocketAddr>,
    /// What may come on it, the preferred first; empty where we cannot record it.
    pub(crate) usable: Vec<Format>,
    /// How the client protects what it sends; `None` = not.
    pub(crate) crypto: Option<sdes::Crypto>,
    /// Why its keys can't be used.
    pub(crate) key_fault: Option<KeyFault>,
    /// Why the line can't be recorded although it has sound.
    pub(crate) refused: Option<Refused>,
}

impl MediaLine {
    /// Whether the client says that media comes.
    pub(crate) const fn is_active(&self) -> bool {
        self.port != 0 && self.direction.sends() && !self.is_held
    }

    /// Whether it can be recorded.
    pub(crate) const fn is_usable(&self) -> bool {
        !self.usable.is_empty()
    }
}

/// The client's session description.
pub(crate) struct Description {
    pub(crate) media: Vec<MediaLine>,
    /// Places of lines whose port could not be read, and which count as refused.
    pub(crate) lost: Vec<usize>,
    pub(crate) quirks: Quirks,
}

/// Why a session description is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SdpError {
    Unreadable,
    NoMedia,
    TooManyStreams,
}

/// Reads an offer or answer of the client. `secrecy`: whether the message came by a way on which
/// it may carry keys.
pub(crate) fn read(bytes: &[u8], secrecy: Secrecy) -> Result<Description, SdpError> {
    let mut quirks = Quirks::default();
    let mut lost = Vec::new();
    let session = match sdp_types::Session::parse(bytes) {
        Ok(session) => session,
        Err(_) => {
            quirks.add(Quirk::SdpRepaired);
            let essential;
            (essential, lost) = essential_lines(bytes);
            sdp_types::Session::parse(&essential).map_err(|_| SdpError::Unreadable)?
        }
    };
    if session.medias.is_empty() {
        return Err(SdpError::NoMedia);
    }
    if session.medias.len() > MEDIA_LINES_MAX {
        return Err(SdpError::TooManyStreams);
    }
    let mut media: Vec<_> = session
        .medias
        .iter()
        .map(|media| media_line(&session, media, secrecy))
        .collect();
    // RFC 3264 §6: whatever is more than we take gets port 0, and the others are recorded.
    for beyond in media
        .iter_mut()
        .filter(|line| line.is_usable())
        .skip(STREAMS_MAX)
    {
        beyond.usable.clear();
        quirks.add(Quirk::StreamLimit);
    }
    if media.iter().any(|line| line.key_fault.is_some()) {
        quirks.add(Quirk::ProtectedStreamRefused);
    }
    let is_refused = |line: &MediaLine| line.refused.is_some() && line.key_fault.is_none();
    if media.iter().any(is_refused) {
        quirks.add(Quirk::StreamRefused);
    }
    let mut formats = media.iter().flat_map(|line| &line.usable);
    if formats.any(|format| format.codec.is_unnamed()) {
        quirks.add(Quirk::FormatUnnamed);
    }
    for (at, line) in media.iter().enumerate() {
        let Some(label) = &line.label else {
            if line.is_usable() {
                quirks.add(Quirk::LabelMissing);
            }
            continue;
        };
        if media
            .iter()
            .take(at)
            .any(|earlier| earlier.label.as_ref() == Some(label))
        {
            quirks.add(Quirk::DuplicateLabel);
        }
    }
    Ok(Description {
        media,
        lost,
        quirks,
    })
}

/// The lines that say what media there is, and the places of those without a port. A broken line of
/// any other kind (an `o=` with a negative number, a stray boundary) must not cost a recording.
fn essential_lines(bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let mut out = b"v=0\r\n".to_vec();
    let (mut place, mut lost) = (0, Vec::new());
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.trim_ascii();
        if !matches!(line, [b'c' | b'm' | b'a', b'=', ..]) || line.contains(&0) {
            continue;
        }
        let line = String::from_utf8_lossy(line);
        match line.strip_prefix("m=") {
            Some(line) => {
                let (line, has_port) = media_words(line);
                out.extend_from_slice(line.as_bytes());
                lost.extend((!has_port).then_some(place));
                place += 1;
            }
            None if line.starts_with("c=") && line.split_ascii_whitespace().count() != 3 => {
                continue;
            }
            None => out.extend_from_slice(line.as_bytes()),
        }
        out.extend_from_slice(b"\r\n");
    }
    (out, lost)
}

/// An `m=` line that can be read, in the place of one that perhaps cannot, so that the lines behind
/// it keep their places. Whether it has a port: where it has none, it gets port 0.
fn media_words(line: &str) -> (String, bool) {
    let mut words = line.split_ascii_whitespace();
    let media = words.next().unwrap_or("audio");
    let port = words.next();
    let port = port.and_then(|port| port.split('/').next()?.parse::<u16>().ok());
    let protocol = words.next().unwrap_or("RTP/AVP");
    let formats: Vec<_> = words.collect();
    let formats = match formats.as_slice() {
        [] => "0".to_owned(),
        formats => formats.join(" "),
    };
    let text = format!("m={media} {} {protocol} {formats}", port.unwrap_or(0));
    (text, port.is_some())
}

fn media_line(
    session: &sdp_types::Session,
    media: &sdp_types::Media,
    secrecy: Secrecy,
) -> MediaLine {
    let Form {
        usable,
        crypto,
        key_fault,
        refused,
    } = form(media, secrecy);
    let direction = |attributes: &[sdp_types::Attribute]| {
        attributes
            .iter()
            .rev()
            .find_map(|attribute| Direction::from_attribute(&attribute.attribute))
    };
    let address = media
        .connections
        .first()
        .or(session.connection.as_ref())
        .and_then(|connection| {
            connection
                .connection_address
                .split('/')
                .next()?
                .parse()
                .ok()
        });
    MediaLine {
        media: media.media.clone(),
        protocol: media.proto.clone(),
        formats: media.fmt.clone(),
        port: media.port,
        label: attribute(media, "label")
            .map(str::trim)
            .filter(|label| !label.is_empty() && label.len() <= LABEL_BYTES_MAX)
            .map(str::to_owned),
        direction: direction(&media.attributes)
            .or_else(|| direction(&session.attributes))
            .unwrap_or(Direction::SendReceive),
        is_held: address.is_some_and(|address: IpAddr| address.is_unspecified()),
        has_rtcp_mux: media.attributes.iter().any(|a| a.attribute == "rtcp-mux"),
        remote: address
            .filter(|address| !address.is_unspecified() && media.port != 0)
            .map(|address| SocketAddr::new(address, media.port)),
        usable,
        crypto,
        key_fault,
        refused,
    }
}

/// How a line is to be recorded, or why it can't be.
#[derive(Default)]
struct Form {
    usable: Vec<Format>,
    crypto: Option<sdes::Crypto>,
    key_fault: Option<KeyFault>,
    refused: Option<Refused>,
}

fn form(media: &sdp_types::Media, secrecy: Secrecy) -> Form {
    let has = |name: &str| media.attributes.iter().any(|a| a.attribute == name);
    // Port 0 takes a line away (RFC 3264 §8.2), unless it shares the port of another (RFC 9143 §6).
    let is_bundled = media.port == 0 && has("bundle-only");
    if !media.media.eq_ignore_ascii_case("audio") || (media.port == 0 && !is_bundled) {
        return Form::default();
    }
    let formats = usable(media);
    let refused = |why, formats| Form {
        refused: Some(Refused { why, formats }),
        ..Form::default()
    };
    if formats.is_empty() {
        // Comfort noise and keys alone are no side of a conversation; what cannot be read may be.
        let mut words = media.fmt.split_ascii_whitespace();
        let is_unreadable = !words.any(|word| word.parse::<u8>().is_ok_and(|number| number < 128));
        return if is_unreadable {
            refused(Refusal::Form, formats)
        } else {
            Form::default()
        };
    }
    if is_bundled {
        return refused(Refusal::Form, formats);
    }
    match Protection::of(media, secrecy) {
        Protection::Plain => Form {
            usable: formats,
            ..Form::default()
        },
        Protection::Keyed(crypto) => Form {
            usable: formats,
            crypto: Some(crypto),
            ..Form::default()
        },
        Protection::Refused(fault) => Form {
            key_fault: Some(fault),
            ..refused(Refusal::Keys, formats)
        },
        Protection::Unknown => refused(Refusal::Protection, formats),
    }
}

fn attribute<'a>(media: &'a sdp_types::Media, name: &str) -> Option<&'a str> {
    media
        .attributes
        .iter()
        .find(|attribute| attribute.attribute == name)
        .and_then(|attribute| attribute.value.as_deref())
}

/// One `m=` line of ours: the answer to, or the next offer for, the client's line in its place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LocalLine {
    pub(crate) media: String,
    pub(crate) protocol: String,
    /// The client's formats, echoed where we refuse the line.
    pub(crate) formats: String,
    pub(crate) label: Option<String>,
    /// The label is ours, since we made the offer: the client need not repeat it.
    pub(crate) is_label_ours: bool,
    /// Where we receive and as what; `None` = refused, port 0.
    pub(crate) accepted: Option<Accepted>,
    /// Why it is refused although it has sound.
    pub(crate) refused: Option<Refusal>,
    /// `recvonly`, else `inactive`.
    pub(crate) is_receiving: bool,
}

/// A line that we accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) rtp_port: u16,
    /// Everything that may come on it since its port was given.
    pub(crate) formats: Vec<Format>,
    /// Of those, what the client offered last.
    pub(crate) offered: Vec<Format>,
    pub(crate) has_rtcp_mux: bool,
    /// How both sides protect what they send; `None` = not.
    pub(crate) keys: Option<Keys>,
}

/// The keys of an accepted line (RFC 4568).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The client's, with the tag of the line that we took.
    pub(crate) theirs: sdes::Crypto,
    /// Ours, of the same suite.
    pub(crate) ours: MasterKey,
}

impl Keys {
    /// Another key of the client, if it is of the same suite.
    fn under(&self, theirs: &sdes::Crypto) -> Option<Self> {
        (theirs.key.suite() == self.ours.suite()).then(|| Self {
            theirs: theirs.clone(),
            ours: self.ours.clone(),
        })
    }

    /// Takes what the client's answer says; without a key of the same suite, nothing changes.
    pub(crate) fn answered(&mut self, theirs: Option<&sdes::Crypto>) {
        if let Some(keys) = theirs.and_then(|theirs| self.under(theirs)) {
            *self = keys;
        }
    }
}

impl Accepted {
    /// The same agreement under a later offer of the line; `None` if no sound is left in common, or
    /// it is protected in another way than before.
    pub(crate) fn under(&self, line: &MediaLine) -> Option<Self> {
        let offered = common(&self.formats, &line.usable);
        let keys = match (&self.keys, &line.crypto) {
            (None, None) => None,
            (Some(keys), Some(theirs)) => Some(keys.under(theirs)?),
            _ => return None,
        };
        offered
            .iter()
            .any(|format| format.codec.is_audio())
            .then(|| Self {
                rtp_port: self.rtp_port,
                formats: self.formats.clone(),
                offered,
                has_rtcp_mux: line.has_rtcp_mux,
                keys,
            })
    }
}

/// Writes our session description: as many lines as there are, in their order, labels kept
/// (RFC 3264 §6, RFC 7866 §7.1.1).
pub(crate) fn write(id: u64, version: u64, address: IpAddr, lines: &[LocalLine]) -> Vec<u8> {
    let mut origin = sdp_types::Origin::with_ip_addr(id, version, address);
    origin.set_username("voicelog");
    let mut session = sdp_types::Session::new(origin, "-");
    session.connection = Some(sdp_types::Connection::from_ip_addr(address));
    session.times = vec![sdp_types::Time {
        start_time: 0,
        stop_time: 0,
        repeats: Vec::new(),
    }];
    session.medias = lines.iter().map(local_media).collect();
    let mut out = Vec::new();
    // Writing to memory cannot fail; if it ever did, the peer would refuse the empty body.
    if session.write(&mut out).is_err() {
        out.clear();
    }
    out
}

fn local_media(line: &LocalLine) -> sdp_types::Media {
    let flag = |name: &str| sdp_types::Attribute {
        attribute: name.to_owned(),
        value: None,
    };
    let valued = |name: &str, value: String| sdp_types::Attribute {
        attribute: name.to_owned(),
        value: Some(value),
    };
    let mut attributes = Vec::new();
    if let Some(accepted) = &line.accepted {
        for format in &accepted.offered {
            let number = format.payload_type;
            // What the client gave no name gets none from us.
            if !format.codec.is_unnamed() {
                let mapping = format!("{number} {}", format.codec.rtpmap());
                attributes.push(valued("rtpmap", mapping));
            }
            if let Some(parameters) = answered_parameters(format) {
                attributes.push(valued("fmtp", format!("{number} {parameters}")));
            }
        }
        if accepted.has_rtcp_mux {
            attributes.push(flag("rtcp-mux"));
        }
        if let Some(keys) = &accepted.keys {
            let ours = sdes::Crypto {
                tag: keys.theirs.tag,
                key: keys.ours.clone(),
            };
            attributes.push(valued("crypto", ours.write()));
        }
    }
    if let Some(label) = &line.label {
        attributes.push(valued("label", label.clone()));
    }
    let is_receiving = line.is_receiving && line.accepted.is_some();
    attributes.push(flag(if is_receiving { "recvonly" } else { "inactive" }));
    sdp_types::Media {
        media: line.media.clone(),
        port: line
            .accepted
            .as_ref()
            .map_or(0, |accepted| accepted.rtp_port),
        num_ports: None,
        proto: line.protocol.clone(),
        fmt: line.accepted.as_ref().map_or_else(
            || line.formats.clone(),
            |accepted| format::numbers(&accepted.offered),
        ),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes,
    }
}
