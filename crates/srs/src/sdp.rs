//! SDP: reading the client's offers and answers, writing ours (RFC 8866, RFC 3264, RFC 7866 §7).
//!
//! We take G.711 only, and answer each stream with one payload type: the journal keeps packets as
//! they came, and a stream of one codec is one that the timeline can count to the sample.

use crate::limits::{LABEL_BYTES_MAX, STREAMS_MAX};
use crate::quirk::{Quirk, Quirks};
use std::net::{IpAddr, SocketAddr};
use voicelog_model::Codec;

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

/// The codec of a stream and the RTP payload type that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    /// The codec.
    pub codec: Codec,
    /// RTP payload type, 0 to 127.
    pub payload_type: u8,
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
    /// What we can record it as, the best first; empty where we cannot.
    pub(crate) usable: Vec<Format>,
}

impl MediaLine {
    /// Whether the client says that media comes.
    pub(crate) const fn is_active(&self) -> bool {
        self.port != 0 && self.direction.sends() && !self.is_held
    }

    /// What we would record it as.
    pub(crate) fn format(&self) -> Option<Format> {
        self.usable.first().copied()
    }
}

/// The client's session description.
pub(crate) struct Description {
    pub(crate) media: Vec<MediaLine>,
    pub(crate) quirks: Quirks,
}

/// Why a session description is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SdpError {
    Unreadable,
    NoMedia,
    TooManyStreams,
}

/// Reads an offer or answer of the client.
pub(crate) fn read(bytes: &[u8]) -> Result<Description, SdpError> {
    let mut quirks = Quirks::default();
    let session = match sdp_types::Session::parse(bytes) {
        Ok(session) => session,
        Err(_) => {
            quirks.add(Quirk::SdpRepaired);
            sdp_types::Session::parse(&essential_lines(bytes)).map_err(|_| SdpError::Unreadable)?
        }
    };
    if session.medias.is_empty() {
        return Err(SdpError::NoMedia);
    }
    if session.medias.len() > STREAMS_MAX {
        return Err(SdpError::TooManyStreams);
    }
    let media: Vec<_> = session
        .medias
        .iter()
        .map(|media| media_line(&session, media))
        .collect();
    for (at, line) in media.iter().enumerate() {
        let Some(label) = &line.label else {
            if line.format().is_some() {
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
    Ok(Description { media, quirks })
}

/// The lines that say what media there is. A broken line of any other kind (an `o=` with a
/// negative number, a stray boundary) must not cost a recording.
fn essential_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"v=0\r\n".to_vec();
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.trim_ascii();
        if matches!(line, [b'c' | b'm' | b'a', b'=', ..]) && !line.contains(&0) {
            out.extend_from_slice(String::from_utf8_lossy(line).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

fn media_line(session: &sdp_types::Session, media: &sdp_types::Media) -> MediaLine {
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
        usable: usable(media),
    }
}

fn attribute<'a>(media: &'a sdp_types::Media, name: &str) -> Option<&'a str> {
    media
        .attributes
        .iter()
        .find(|attribute| attribute.attribute == name)
        .and_then(|attribute| attribute.value.as_deref())
}

/// A-law where it is offered, then µ-law.
fn usable(media: &sdp_types::Media) -> Vec<Format> {
    let is_plain_rtp = ["RTP/AVP", "RTP/AVPF"]
        .iter()
        .any(|profile| media.proto.eq_ignore_ascii_case(profile));
    if media.port == 0 || !media.media.eq_ignore_ascii_case("audio") || !is_plain_rtp {
        return Vec::new();
    }
    let best = |codec| {
        let payload_type = media
            .fmt
            .split_ascii_whitespace()
            .filter_map(|format| format.parse::<u8>().ok().filter(|number| *number < 128))
            .find(|number| is_codec(media, *number, codec))?;
        Some(Format {
            codec,
            payload_type,
        })
    };
    [Codec::Pcma, Codec::Pcmu]
        .into_iter()
        .filter_map(best)
        .collect()
}

/// What `a=rtpmap` says, or for a static payload type without one, RFC 3551 §6.
fn is_codec(media: &sdp_types::Media, payload_type: u8, codec: Codec) -> bool {
    let mapping = media
        .attributes
        .iter()
        .filter(|attribute| attribute.attribute == "rtpmap")
        .filter_map(|attribute| attribute.value.as_deref()?.trim().split_once([' ', '\t']))
        .find(|(number, _)| number.parse() == Ok(payload_type));
    let Some((_, encoding)) = mapping else {
        return payload_type == codec.payload_type();
    };
    let mut fields = encoding.trim().split('/');
    let is_name = fields
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(codec.name()));
    let is_rate = fields
        .next()
        .is_some_and(|rate| rate.trim().parse() == Ok(codec.clock_rate()));
    is_name && is_rate && fields.next().is_none_or(|channels| channels.trim() == "1")
}

/// One `m=` line of ours: the answer to, or the next offer for, the client's line in its place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LocalLine {
    pub(crate) media: String,
    pub(crate) protocol: String,
    /// The client's formats, echoed where we refuse the line.
    pub(crate) formats: String,
    pub(crate) label: Option<String>,
    /// Where we receive and as what; `None` = refused, port 0.
    pub(crate) accepted: Option<Accepted>,
    /// `recvonly`, else `inactive`.
    pub(crate) is_receiving: bool,
}

/// A line that we accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) rtp_port: u16,
    pub(crate) format: Format,
    pub(crate) has_rtcp_mux: bool,
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
    if let Some(accepted) = line.accepted {
        let Format {
            codec,
            payload_type,
        } = accepted.format;
        attributes.push(valued(
            "rtpmap",
            format!("{payload_type} {}/{}", codec.name(), codec.clock_rate()),
        ));
        if accepted.has_rtcp_mux {
            attributes.push(flag("rtcp-mux"));
        }
    }
    if let Some(label) = &line.label {
        attributes.push(valued("label", label.clone()));
    }
    let is_receiving = line.is_receiving && line.accepted.is_some();
    attributes.push(flag(if is_receiving { "recvonly" } else { "inactive" }));
    sdp_types::Media {
        media: line.media.clone(),
        port: line.accepted.map_or(0, |accepted| accepted.rtp_port),
        num_ports: None,
        proto: line.protocol.clone(),
        fmt: line.accepted.map_or_else(
            || line.formats.clone(),
            |accepted| accepted.format.payload_type.to_string(),
        ),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(media: &str) -> MediaLine {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}"
        );
        read(text.as_bytes()).unwrap().media.remove(0)
    }

    #[test]
    fn a_law_is_preferred_by_number_and_by_name() {
        let format = |media: &str| line(media).format().map(|f| (f.codec, f.payload_type));
        assert_eq!(format("m=audio 1 RTP/AVP 0 8\n"), Some((Codec::Pcma, 8)));
        assert_eq!(format("m=audio 1 RTP/AVP 18 0\n"), Some((Codec::Pcmu, 0)));
        assert_eq!(
            format("m=audio 1 RTP/AVP 0 97\na=rtpmap:97 pcma/8000/1\n"),
            Some((Codec::Pcma, 97))
        );
        assert_eq!(format("m=audio 1 RTP/AVP 8\na=rtpmap:8 PCMA/16000\n"), None);
        assert_eq!(format("m=audio 1 RTP/SAVP 8\n"), None);
        assert_eq!(format("m=video 1 RTP/AVP 8\n"), None);
        assert_eq!(format("m=audio 0 RTP/AVP 8\n"), None);
    }

    #[test]
    fn direction_comes_from_the_line_then_the_session_then_the_default() {
        assert!(line("m=audio 1 RTP/AVP 8\n").is_active());
        assert!(!line("m=audio 1 RTP/AVP 8\na=inactive\n").is_active());
        assert!(!line("a=recvonly\nm=audio 1 RTP/AVP 8\n").is_active());
        assert!(
            line("a=inactive\nm=audio 1 RTP/AVP 8\na=direction:both\na=sendonly\n").is_active()
        );
    }

    #[test]
    fn a_zero_address_is_a_hold_and_a_missing_one_is_not() {
        let held = line("m=audio 1 RTP/AVP 8\nc=IN IP4 0.0.0.0\n");
        assert!(held.is_held && !held.is_active() && held.remote.is_none());
        let bare = read(b"v=0\nm=audio 1 RTP/AVP 8\na=sendonly\n").unwrap();
        assert!(bare.media[0].is_active() && bare.media[0].remote.is_none());
    }

    #[test]
    fn a_broken_line_does_not_cost_the_recording() {
        let text = b"v=0\r\no=- -5 1 IN IP4 h\r\no=twice\r\nm=audio 9 RTP/AVP 8\r\na=label:1\r\n--foreign\r\nContent-Type: x\r\n";
        let read = read(text).unwrap();
        assert_eq!(read.quirks.as_slice(), [Quirk::SdpRepaired]);
        assert_eq!(read.media[0].label.as_deref(), Some("1"));
    }

    #[test]
    fn what_has_no_media_is_refused() {
        assert_eq!(read(b"").err(), Some(SdpError::NoMedia));
        assert_eq!(read(b"v=0\r\ns=-\r\n").err(), Some(SdpError::NoMedia));
        assert_eq!(
            read(b"v=0\nm=audio x RTP/AVP 8\n").err(),
            Some(SdpError::Unreadable)
        );
        let many = format!("v=0\n{}", "m=audio 1 RTP/AVP 8\n".repeat(STREAMS_MAX + 1));
        assert_eq!(read(many.as_bytes()).err(), Some(SdpError::TooManyStreams));
    }

    #[test]
    fn our_description_keeps_lines_order_and_labels() {
        let refused = LocalLine {
            media: "video".into(),
            protocol: "RTP/AVP".into(),
            formats: "96 97".into(),
            label: Some("v".into()),
            accepted: None,
            is_receiving: true,
        };
        let taken = LocalLine {
            media: "audio".into(),
            formats: "0 8".into(),
            label: Some("16777227".into()),
            accepted: Some(Accepted {
                rtp_port: 4_000,
                format: Format {
                    codec: Codec::Pcma,
                    payload_type: 8,
                },
                has_rtcp_mux: false,
            }),
            ..refused.clone()
        };
        let text = write(7, 1, "192.0.2.9".parse().unwrap(), &[refused, taken]);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "v=0\r\no=voicelog 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=video 0 RTP/AVP 96 97\r\na=label:v\r\na=inactive\r\nm=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=label:16777227\r\na=recvonly\r\n"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "(v=0\n)?([macots]=[a-z0-9 /.:-]{0,20}\r?\n){0,12}", tail in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = text.into_bytes();
            bytes.extend(tail);
            drop(read(&bytes));
        }
    }
}
