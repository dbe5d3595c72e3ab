//! A recording client made of text, and the world it lives in with the endpoint: no sockets, and
//! time that moves when it is told.

use std::collections::VecDeque;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use voicelog_model::{Pii, StreamNumber, Timestamp};
use voicelog_srs::srtp::{MasterKey, Suite};
use voicelog_srs::{
    Command, Config, Endpoint, Event, Input, LocalDirection, Output, Peer, SessionKey,
    StreamAnswer, Transport,
};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const T1: i64 = 500_000;
pub(crate) const LOCAL: &str = "198.51.100.5:5060";
pub(crate) const REMOTE: &str = "192.0.2.10:5060";

/// Two A-law streams with labels 1 and 2, in one direction.
pub(crate) fn sdp(version: u32, direction: &str) -> String {
    let mut text = format!(
        "v=0\r\no=SRC 1 {version} IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    );
    for (port, label) in [(20_000, 1), (20_002, 2)] {
        write!(text, "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=label:{label}\r\na={direction}\r\n").unwrap();
    }
    text
}

/// Where that says that the media of a stream comes from.
pub(crate) fn media_of(stream: u16) -> Option<Pii<SocketAddr>> {
    Some(Pii::new(([192, 0, 2, 10], 19_998 + 2 * stream).into()))
}

/// rs-metadata as RFC 7865 has it: Ewa speaks in stream 1, Bob in stream 2.
pub(crate) const METADATA: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<recording xmlns='urn:ietf:params:xml:ns:recording:1'>\r\n<datamode>complete</datamode>\r\n<group group_id=\"Z3JvdXA=\"/>\r\n<session session_id=\"Y3M=\"><sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID><group-ref>Z3JvdXA=</group-ref></session>\r\n<participant participant_id=\"ZXdh\"><nameID aor=\"sip:ewa@shop.example\"><name xml:lang=\"pl\">Ewa Fikcyjna</name></nameID></participant>\r\n<participant participant_id=\"Ym9i\"><nameID aor=\"tel:+31201234567\"/></participant>\r\n<stream stream_id=\"czE=\" session_id=\"Y3M=\"><label>1</label></stream>\r\n<stream stream_id=\"czI=\" session_id=\"Y3M=\"><label>2</label></stream>\r\n<participantstreamassoc participant_id=\"ZXdh\"><send>czE=</send><recv>czI=</recv></participantstreamassoc>\r\n<participantstreamassoc participant_id=\"Ym9i\"><send>czI=</send><recv>czE=</recv></participantstreamassoc>\r\n</recording>\r\n";

/// A multipart body with both.
pub(crate) fn multipart(sdp: &str, metadata: &str) -> (String, String) {
    let body = format!(
        "--edge\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n--edge\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n{metadata}\r\n--edge--\r\n"
    );
    ("multipart/mixed;boundary=edge".to_owned(), body)
}

/// A request of the client.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) call_id: String,
    pub(crate) branch: String,
    pub(crate) via: Option<String>,
    pub(crate) cseq: u32,
    pub(crate) from_tag: String,
    pub(crate) to_tag: Option<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Option<(String, String)>,
}

impl Request {
    pub(crate) fn new(method: &'static str, cseq: u32) -> Self {
        Self {
            method,
            uri: "sip:sales@198.51.100.5".to_owned(),
            call_id: "call-1@pbx.example".to_owned(),
            branch: format!("z9hG4bK-{method}-{cseq}"),
            via: None,
            cseq,
            from_tag: "src1".to_owned(),
            to_tag: None,
            headers: vec!["Contact: <sip:src@192.0.2.10:5060>;+sip.src".to_owned()],
            body: None,
        }
    }

    /// The INVITE of a well-behaved client.
    pub(crate) fn invite() -> Self {
        Self::new("INVITE", 1)
            .header("Require: siprec")
            .both(&sdp(1, "sendonly"), METADATA)
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    pub(crate) fn without(mut self, start: &str) -> Self {
        self.headers.retain(|line| !line.starts_with(start));
        self
    }

    pub(crate) fn body(mut self, kind: &str, text: &str) -> Self {
        self.body = Some((kind.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn sdp(self, text: &str) -> Self {
        self.body("application/sdp", text)
    }

    pub(crate) fn both(mut self, sdp: &str, metadata: &str) -> Self {
        self.body = Some(multipart(sdp, metadata));
        self
    }

    pub(crate) fn call(mut self, call_id: &str) -> Self {
        self.call_id = call_id.to_owned();
        self.branch = format!("{}-{call_id}", self.branch);
        self
    }

    pub(crate) fn to(mut self, tag: &str) -> Self {
        self.to_tag = Some(tag.to_owned());
        self
    }

    pub(crate) fn text(&self) -> String {
        let via = self
            .via
            .clone()
            .unwrap_or_else(|| format!("SIP/2.0/UDP 192.0.2.10:5060;branch={}", self.branch));
        let tag = self
            .to_tag
            .as_ref()
            .map_or(String::new(), |tag| format!(";tag={tag}"));
        let mut text = format!(
            "{} {} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: \"Anna Verzonnen\" <sip:+31612345678@pbx.example>;tag={}\r\nTo: <sip:sales@198.51.100.5>{tag}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n",
            self.method, self.uri, self.from_tag, self.call_id, self.cseq, self.method
        );
        for header in &self.headers {
            write!(text, "{header}\r\n").unwrap();
        }
        match &self.body {
            Some((kind, body)) => {
                write!(
                    text,
                    "Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
            None => text.push_str("Content-Length: 0\r\n\r\n"),
        }
        text
    }
}

/// A message of ours, as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) to: Peer,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn status(&self) -> u16 {
        self.text
            .strip_prefix("SIP/2.0 ")
            .map_or(0, |rest| rest.split(' ').next().unwrap().parse().unwrap())
    }

    pub(crate) fn method(&self) -> &str {
        self.text.split(' ').next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        head.split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn to_tag(&self) -> String {
        let to = self.header("To").unwrap();
        to.rsplit_once(";tag=").unwrap().1.to_owned()
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

pub(crate) fn udp() -> Peer {
    Peer {
        transport: Transport::Udp,
        address: REMOTE.parse().unwrap(),
        connection: None,
    }
}

pub(crate) fn tcp(connection: u64) -> Peer {
    Peer {
        transport: Transport::Tcp,
        address: "192.0.2.10:41000".parse().unwrap(),
        connection: Some(connection),
    }
}

pub(crate) fn tls(connection: u64) -> Peer {
    Peer {
        transport: Transport::Tls,
        ..tcp(connection)
    }
}

/// The endpoint, its client, and the time.
pub(crate) struct World {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Timestamp,
    pub(crate) peer: Peer,
    pub(crate) local: SocketAddr,
    pub(crate) sent: VecDeque<Seen>,
    pub(crate) events: VecDeque<(SessionKey, Event)>,
    /// Everything that went in and came out, as `Debug` prints it.
    pub(crate) printed: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            endpoint: Endpoint::new(config, [42; 32]),
            now: "2026-11-21T10:00:00Z".parse().unwrap(),
            peer: udp(),
            local: LOCAL.parse().unwrap(),
            sent: VecDeque::new(),
            events: VecDeque::new(),
            printed: String::new(),
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        writeln!(self.printed, "{input:?} {input:#?}").unwrap();
        self.endpoint.handle(input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll() {
            writeln!(self.printed, "{output:?} {output:#?}").unwrap();
            match output {
                Output::Transmit { to, bytes } => self.sent.push_back(Seen {
                    to,
                    text: String::from_utf8(bytes).unwrap(),
                }),
                Output::Event(key, event) => self.events.push_back((key, event)),
            }
        }
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.handle(Input::Message {
            now: self.now,
            from: self.peer,
            local: self.local,
            bytes,
        });
    }

    pub(crate) fn send(&mut self, request: &Request) {
        self.send_bytes(request.text().as_bytes());
    }

    /// Answers a request of ours.
    pub(crate) fn respond(&mut self, request: &Seen, status: u16, body: Option<&str>) {
        self.respond_with(request, status, "", body);
    }

    /// The same with more headers, each with its line end.
    pub(crate) fn respond_with(
        &mut self,
        request: &Seen,
        status: u16,
        headers: &str,
        body: Option<&str>,
    ) {
        let body = body.map(|body| ("application/sdp", body));
        self.respond_typed(request, status, headers, body);
    }

    /// The same with a body of any type.
    pub(crate) fn respond_typed(
        &mut self,
        request: &Seen,
        status: u16,
        headers: &str,
        body: Option<(&str, &str)>,
    ) {
        let head: String = request
            .text
            .split("\r\n")
            .filter(|line| {
                ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
                    .iter()
                    .any(|h| line.starts_with(h))
            })
            .map(|line| format!("{line}\r\n"))
            .collect();
        let body = body.map_or("Content-Length: 0\r\n\r\n".to_owned(), |(kind, body)| {
            format!(
                "Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        });
        self.send_bytes(
            format!(
                "SIP/2.0 {status} X\r\n{head}Contact: <sip:src@192.0.2.10:5060>\r\n{headers}{body}"
            )
            .as_bytes(),
        );
    }

    pub(crate) fn command(&mut self, session: SessionKey, command: Command) {
        self.handle(Input::Command {
            now: self.now,
            session,
            command,
        });
    }

    pub(crate) fn close(&mut self, connection: u64) {
        self.handle(Input::ConnectionClosed {
            now: self.now,
            connection,
        });
    }

    /// Lets time pass, waking the endpoint exactly when it asks for it.
    pub(crate) fn pass(&mut self, micros: i64) {
        let end = self.now.plus_micros(micros);
        while let Some(next) = self.endpoint.next_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.handle(Input::Timeout { now: self.now });
        }
        self.now = end;
    }

    pub(crate) fn next_sent(&mut self) -> Seen {
        self.sent.pop_front().expect("a message of the endpoint")
    }

    /// The one message that was sent, which must have this status.
    pub(crate) fn expect(&mut self, status: u16) -> Seen {
        let seen = self.next_sent();
        assert_eq!(seen.status(), status, "{}", seen.text);
        assert_eq!(self.sent.len(), 0, "{:#?}", self.sent);
        seen
    }

    pub(crate) fn expect_silence(&mut self) {
        assert_eq!(self.sent.len(), 0, "{:#?}", self.sent);
        assert_eq!(self.events.len(), 0, "{:#?}", self.events);
    }

    pub(crate) fn next_event(&mut self) -> Event {
        self.events.pop_front().expect("an event").1
    }

    pub(crate) fn expect_event(&mut self, wanted: &Event) {
        assert_eq!(self.next_event(), *wanted);
        assert_eq!(self.events.len(), 0, "{:#?}", self.events);
    }

    /// Sends an INVITE that must be offered.
    pub(crate) fn offered(&mut self, invite: &Request) -> (SessionKey, Box<voicelog_srs::Offer>) {
        self.send(invite);
        self.expect(100);
        let (key, event) = self.events.pop_front().expect("an offer");
        let Event::Offered(offer) = event else {
            panic!("{event:?}");
        };
        (key, offer)
    }

    /// A session that stands: offered, answered in this direction, acknowledged.
    pub(crate) fn established(
        &mut self,
        invite: &Request,
        direction: LocalDirection,
    ) -> (SessionKey, Seen) {
        let (key, _) = self.offered(invite);
        self.command(key, answer(direction));
        let ok = self.expect(200);
        self.send(&ack(invite, &ok));
        self.expect_event(&Event::Answered);
        assert_eq!(self.sent.len(), 0);
        (key, ok)
    }
}

pub(crate) fn ack(invite: &Request, ok: &Seen) -> Request {
    Request {
        method: "ACK",
        branch: format!("{}-ack", invite.branch),
        to_tag: Some(ok.to_tag()),
        body: None,
        headers: Vec::new(),
        ..invite.clone()
    }
}

/// Takes streams 1 and 2 at ports 30000 and 30002.
pub(crate) fn answer(direction: LocalDirection) -> Command {
    answer_streams(2, direction)
}

/// Our key for streams that are protected.
pub(crate) fn our_key() -> MasterKey {
    MasterKey::of_random(Suite::AesCm128HmacSha1_80, &[0x5a; 64])
}

pub(crate) fn answer_streams(count: u16, direction: LocalDirection) -> Command {
    Command::Answer {
        media_address: IpAddr::from([198, 51, 100, 6]),
        streams: (1..=count)
            .map(|n| StreamAnswer {
                number: StreamNumber(n),
                rtp_port: Some(29_998 + 2 * n),
                key: Some(our_key()),
            })
            .collect(),
        direction,
    }
}
