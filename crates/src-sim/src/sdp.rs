//! The session descriptions of a recording client: the offer (RFC 7866 §7.1.1), and a small,
//! tolerant reader of what the server says back.

use crate::dialect::{DirectionLine, SdpStyle};
use crate::srtp::MasterKey;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use voicelog_model::{Format, limits};

/// Which way media flows, as the side that says it sees it (RFC 4566 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// It sends only.
    SendOnly,
    /// It receives only: a recorder that records.
    RecvOnly,
    /// Neither: a recorder that waits, or has been told to stop.
    Inactive,
}

impl Direction {
    /// The SDP attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the side that says it takes media.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn read(text: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.as_str() == text)
    }
}

/// What the server said about one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredStream {
    /// The label it echoed; some clients send nothing without it.
    pub label: Option<String>,
    /// Where it wants the media; `None` if it refused the stream (port 0).
    pub address: Option<SocketAddr>,
    /// The direction it gave, seen from the server.
    pub direction: Direction,
    /// What we send: the first in its list that we offered.
    pub format: Format,
    /// The suite that it answered our `a=crypto` with; `None` = plain RTP.
    pub srtp: Option<String>,
}

impl AnsweredStream {
    /// Whether the server takes media on this stream now.
    #[must_use]
    pub fn receives(&self) -> bool {
        // RFC 3264 §8.4: an address of zeros is the old way to say "hold".
        let open = self.address.is_some_and(|to| !to.ip().is_unspecified());
        open && self.direction.receives()
    }
}

/// One stream of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalStream {
    pub(crate) port: u16,
    pub(crate) label: String,
    /// Whether the server takes part in it; a stream it refused keeps its line with port 0.
    pub(crate) open: bool,
    /// What our next description says of it.
    pub(crate) direction: Direction,
    /// What we protect it with.
    pub(crate) key: Option<MasterKey>,
}

/// Everything that our session descriptions say.
#[derive(Debug, Clone)]
pub(crate) struct LocalMedia {
    pub(crate) style: &'static SdpStyle,
    pub(crate) session: u32,
    /// Goes up by one with each description sent (RFC 3264 §8).
    pub(crate) version: u32,
    pub(crate) address: IpAddr,
    pub(crate) packet_ms: u32,
    /// What every stream of ours can be, the preferred first.
    pub(crate) formats: Vec<Format>,
    pub(crate) streams: Vec<LocalStream>,
}

impl LocalMedia {
    /// Our description with one line for each of our streams; `lines_wanted` more than we have
    /// get a refusal each (RFC 3264 §6: as many lines as the offer).
    pub(crate) fn write(&self, lines_wanted: usize) -> String {
        let family = if self.address.is_ipv6() { "IP6" } else { "IP4" };
        let address = self.address;
        let style = self.style;
        let mut text = format!(
            "v=0\r\n\
             o={} {} {} IN {family} {address}\r\n\
             s=recording session\r\n",
            style.owner, self.session, self.version
        );
        let common = self.streams.first().map(|stream| stream.direction);
        let common = common.filter(|wanted| self.streams.iter().all(|s| s.direction == *wanted));
        let said_once = (style.direction == DirectionLine::Session)
            .then_some(common)
            .flatten();
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            let written = text.write_fmt(arguments);
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
            text.push_str("\r\n");
        };
        if style.says_address {
            line(format_args!("c=IN {family} {address}"));
        }
        line(format_args!("t=0 0"));
        if let Some(direction) = said_once {
            line(format_args!("a={}", direction.as_str()));
        }
        let numbers = self
            .formats
            .iter()
            .map(|format| format.payload_type.to_string());
        let numbers = numbers.collect::<Vec<_>>().join(" ");
        for stream in &self.streams {
            let port = if stream.open { stream.port } else { 0 };
            let profile = if stream.key.is_some() { "SAVP" } else { "AVP" };
            line(format_args!("m=audio {port} RTP/{profile} {numbers}"));
            if let Some(key) = &stream.key {
                line(format_args!("a=crypto:{}", key.attribute()));
            }
            for format in &self.formats {
                let mapping = format.codec.rtpmap();
                line(format_args!("a=rtpmap:{} {mapping}", format.payload_type));
            }
            line(format_args!("a=ptime:{}", self.packet_ms));
            if style.says_labels {
                line(format_args!("a=label:{}", stream.label));
            }
            for extra in style.extra.lines() {
                line(format_args!("{extra}"));
            }
            let unsaid =
                style.direction == DirectionLine::Unsaid && stream.direction == Direction::SendOnly;
            if said_once.is_none() && !unsaid {
                line(format_args!("a={}", stream.direction.as_str()));
            }
        }
        for _ in self.streams.len()..lines_wanted.min(limits::STREAMS_MAX) {
            line(format_args!("m=audio 0 RTP/AVP {numbers}"));
        }
        text
    }
}

/// Reads a description of the server: one entry for each `m=` line, in order.
/// `ours` is what we offered.
pub(crate) fn read(body: &[u8], ours: &[Format]) -> Result<Vec<AnsweredStream>, String> {
    let text = String::from_utf8_lossy(body);
    let mut session = Lines::default();
    let mut media: Vec<Lines> = Vec::new();
    for line in text.lines() {
        let Some((kind, value)) = line.trim_end().split_once('=') else {
            continue;
        };
        if kind == "m" {
            if media.len() == limits::STREAMS_MAX {
                return Err("more m= lines than a recording can have".to_owned());
            }
            media.push(Lines {
                media: value.to_owned(),
                ..Lines::default()
            });
        } else {
            media.last_mut().unwrap_or(&mut session).take(kind, value);
        }
    }
    if media.is_empty() {
        return Err("there is no m= line in its SDP".to_owned());
    }
    let finish = |lines: &Lines| lines.finish(&session, ours);
    media.iter().map(finish).collect()
}

/// What we keep of the session part or of one media part.
#[derive(Debug, Default)]
struct Lines {
    media: String,
    address: Option<IpAddr>,
    direction: Option<Direction>,
    label: Option<String>,
    srtp: Option<String>,
}

impl Lines {
    fn take(&mut self, kind: &str, value: &str) {
        match (kind, value.split_once(':')) {
            ("c", _) => {
                let address = value.split_whitespace().nth(2).unwrap_or_default();
                self.address = address.split('/').next().and_then(|ip| ip.parse().ok());
            }
            ("a", Some(("crypto", crypto))) => {
                self.srtp = crypto.split_whitespace().nth(1).map(str::to_owned);
            }
            ("a", Some(("label", label))) => self.label = Some(label.trim().to_owned()),
            ("a", None) => self.direction = Direction::read(value.trim()).or(self.direction),
            _ => {}
        }
    }

    fn finish(&self, session: &Self, ours: &[Format]) -> Result<AnsweredStream, String> {
        let mut words = self.media.split_whitespace().skip(1);
        let port = words.next().unwrap_or_default();
        let port = port.split('/').next().unwrap_or_default();
        let port: u16 = port
            .parse()
            .map_err(|_| format!("`{port}` in an m= line is no port"))?;
        let offered = |word: &str| {
            let number = word.parse::<u8>().ok()?;
            ours.iter().find(|format| format.payload_type == number)
        };
        let picked = words.skip(1).find_map(offered);
        let format = picked
            .filter(|_| port != 0)
            .or_else(|| ours.first().filter(|_| port == 0));
        let Some(format) = format else {
            return Err("it picked no codec that was offered".to_owned());
        };
        let address = match (port, self.address.or(session.address)) {
            (0, _) => None,
            (_, None) => return Err("it gave no address (c= line)".to_owned()),
            (port, Some(ip)) => Some(SocketAddr::new(ip, port)),
        };
        let direction = self.direction.or(session.direction);
        Ok(AnsweredStream {
            label: self.label.clone(),
            address,
            direction: direction.unwrap_or(Direction::SendRecv),
            format: format.clone(),
            srtp: self.srtp.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ours() -> Vec<Format> {
        crate::Offered::G711.formats()
    }

    fn media() -> LocalMedia {
        let stream = |port, label: &str| LocalStream {
            port,
            label: label.to_owned(),
            open: true,
            direction: Direction::SendOnly,
            key: None,
        };
        LocalMedia {
            style: &crate::Dialect::Plain.style().sdp,
            session: 42,
            version: 1,
            address: "192.0.2.7".parse().unwrap(),
            packet_ms: 20,
            formats: ours(),
            streams: vec![stream(4_000, "1"), stream(4_002, "2")],
        }
    }

    #[test]
    fn the_offer_is_two_labelled_streams_that_send_a_law_first() {
        let offer = media().write(0);
        let expected = "v=0\r\no=- 42 1 IN IP4 192.0.2.7\r\ns=recording session\r\n\
            c=IN IP4 192.0.2.7\r\nt=0 0\r\n\
            m=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
            a=ptime:20\r\na=label:1\r\na=sendonly\r\n\
            m=audio 4002 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
            a=ptime:20\r\na=label:2\r\na=sendonly\r\n";
        assert_eq!(offer, expected);
    }

    #[test]
    fn lines_that_are_not_ours_are_refused_in_place() {
        assert!(media().write(3).ends_with("m=audio 0 RTP/AVP 8 0\r\n"));
    }

    #[test]
    fn an_answer_is_read_line_by_line_with_session_values_as_default() {
        let answer = b"v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 10.0.0.1\na=recvonly\nt=0 0\n\
            m=audio 5000 RTP/AVP 8\na=label:1\n\
            m=audio 5002/1 RTP/AVP 101 0\nc=IN IP4 10.0.0.2\na=label:2\na=inactive\n\
            m=video 0 RTP/AVP 96\n";
        let streams = read(answer, &ours()).unwrap();
        assert_eq!(streams[0].address, "10.0.0.1:5000".parse().ok());
        assert_eq!(streams[0].direction, Direction::RecvOnly);
        assert!(streams[0].receives());
        assert_eq!(streams[1].address, "10.0.0.2:5002".parse().ok());
        assert_eq!(streams[1].format.payload_type, 0);
        assert_eq!(streams[1].label.as_deref(), Some("2"));
        assert!(!streams[1].receives());
        assert_eq!(streams[2].address, None);
    }

    #[test]
    fn an_address_of_zeros_is_a_hold() {
        let streams = read(b"c=IN IP4 0.0.0.0\nm=audio 5000 RTP/AVP 8\n", &ours()).unwrap();
        assert!(!streams[0].receives());
    }

    #[test]
    fn an_answer_that_cannot_be_used_says_why() {
        let why = |body: &[u8]| read(body, &ours()).unwrap_err();
        assert!(why(b"v=0\n").contains("no m= line"));
        assert!(why(b"m=audio x RTP/AVP 8\n").contains("no port"));
        assert!(why(b"c=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 18\n").contains("no codec"));
        assert!(why(b"m=audio 5000 RTP/AVP 8\n").contains("no address"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "([a-z]=[ -~]{0,30}\n){0,12}") {
            let _read = read(text.as_bytes(), &ours());
        }
    }
}
