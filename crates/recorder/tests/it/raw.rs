//! A recording client made of text, for what an honest one does not do: its offers, its metadata and
//! its packets are what the test says.

use crate::support::{LONG, Server};
use std::fmt::Write;
use std::net::{SocketAddr, UdpSocket};

/// A participant: address of record. The n-th sends stream n, if there is one.
pub(crate) type Address = &'static str;

pub(crate) const STAFF: Address = "sip:2001@voorbeeld.example";
pub(crate) const DUTCH: Address = "tel:+31201234567";
pub(crate) const GERMAN: Address = "tel:+4930901820";

/// What shows that a client is a recording client: the feature tag and the option tag.
const SIPREC: (&str, &str) = (";+sip.src", "Require: siprec\r\n");

/// What the messages of a call travel over.
pub(crate) trait Wire {
    /// As `Via` writes it.
    fn transport(&self) -> &'static str;
    fn local(&self) -> SocketAddr;
    fn send(&mut self, text: &str);
    /// The next message, whole.
    fn receive(&mut self) -> String;
}

impl Wire for UdpSocket {
    fn transport(&self) -> &'static str {
        "UDP"
    }

    fn local(&self) -> SocketAddr {
        self.local_addr().unwrap()
    }

    fn send(&mut self, text: &str) {
        Self::send(self, text.as_bytes()).unwrap();
    }

    fn receive(&mut self) -> String {
        let mut bytes = vec![0; 65_535];
        let length = self.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }
}

/// One call of a client on loopback.
pub(crate) struct RawCall {
    sip: Box<dyn Wire>,
    server: SocketAddr,
    /// A socket for each stream; the offer names its address.
    pub(crate) media: Vec<UdpSocket>,
    /// Where the server wants the media of each stream.
    pub(crate) to: Vec<SocketAddr>,
    /// The direction that the server answered with last.
    pub(crate) answered: Option<String>,
    line: &'static str,
    /// What shows that it is a recording client: nothing, for one without SIPREC.
    sign: (&'static str, &'static str),
    /// Payload types of each line, and the attributes that say what they are.
    formats: &'static str,
    /// `RTP/AVP`, or `RTP/SAVP` with keys among the attributes.
    profile: &'static str,
    /// The label of each stream in the next offer; its number for what is not named.
    pub(crate) labels: Vec<&'static str>,
    /// Profile and formats of each line of the next offer; the call's own for what is not named.
    pub(crate) lines: Vec<(&'static str, &'static str)>,
    /// The second line shares the port of the first (RFC 9143): its own is 0.
    pub(crate) is_second_without_port: bool,
    /// Address and parameters of `From`, without its tag; empty for the usual one.
    from: String,
    /// Header lines of the next requests.
    headers: String,
    /// The body of the next ACK, where the offer was the server's.
    answer: Option<String>,
    /// What the next offer says of the direction of each stream; `sendonly` for what is not named.
    pub(crate) directions: Vec<&'static str>,
    call_id: String,
    tag: String,
    cseq: u32,
    sequence: u16,
}

impl RawCall {
    /// Places a call over UDP; gives it once it is answered with 200.
    pub(crate) fn place(
        server: &Server,
        line: &'static str,
        streams: usize,
        metadata: Option<&str>,
    ) -> Self {
        Self::place_as(server, line, streams, metadata, "8")
    }

    /// Places a call between our agent and a Dutch customer on a line that may record it.
    pub(crate) fn dutch(server: &Server, streams: usize) -> Self {
        let metadata = Self::metadata(&[STAFF, DUTCH]);
        Self::place(server, "announced", streams, Some(&metadata))
    }

    /// The same as [`Self::place`] with other payload types: `0 96\r\na=rtpmap:96 …`.
    pub(crate) fn place_as(
        server: &Server,
        line: &'static str,
        streams: usize,
        metadata: Option<&str>,
        formats: &'static str,
    ) -> Self {
        let mut call = Self::new(server, line, SIPREC, formats);
        assert_eq!(call.offer("INVITE", streams, metadata), 200);
        call
    }

    /// Places a call with more headers in its INVITE, each with its line end.
    pub(crate) fn place_with(
        server: &Server,
        line: &'static str,
        metadata: &str,
        headers: &'static str,
    ) -> Self {
        let mut call = Self::new(server, line, (SIPREC.0, headers), "8");
        assert_eq!(call.offer("INVITE", 2, Some(metadata)), 200);
        call
    }

    /// Places a call that takes the place of another one (RFC 3891), between the same people.
    pub(crate) fn replacing(server: &Server, other: &Self, metadata: &str) -> Self {
        let mut call = Self::new(server, other.line, SIPREC, other.formats);
        // The ACK has it as well, where it says nothing.
        call.headers = format!(
            "Replaces: {};to-tag={};from-tag=src\r\n",
            other.call_id, other.tag
        );
        assert_eq!(call.offer("INVITE", other.media.len(), Some(metadata)), 200);
        call.headers.clear();
        call
    }

    /// A call over UDP that was not offered yet.
    pub(crate) fn idle(server: &Server, line: &'static str) -> Self {
        Self::new(server, line, SIPREC, "8")
    }

    /// Places a call without any sign of SIPREC. The final status, and the call.
    pub(crate) fn place_plain(server: &Server, line: &'static str) -> (u16, Self) {
        let mut call = Self::new(server, line, ("", ""), "8");
        (call.offer("INVITE", 1, None), call)
    }

    fn new(
        server: &Server,
        line: &'static str,
        sign: (&'static str, &'static str),
        formats: &'static str,
    ) -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").unwrap();
        sip.set_read_timeout(Some(LONG)).unwrap();
        let to = server.recorder.udp_address().unwrap();
        sip.connect(to).unwrap();
        Self::over(Box::new(sip), to, line, sign, formats)
    }

    /// Places a call over another way to the server.
    pub(crate) fn place_over(
        sip: Box<dyn Wire>,
        server: SocketAddr,
        line: &'static str,
        streams: usize,
        metadata: Option<&str>,
    ) -> Self {
        let mut call = Self::over(sip, server, line, SIPREC, "8");
        assert_eq!(call.offer("INVITE", streams, metadata), 200);
        call
    }

    /// The same of one protected stream; `formats` ends with its `a=crypto`.
    pub(crate) fn place_protected(
        sip: Box<dyn Wire>,
        server: SocketAddr,
        line: &'static str,
        metadata: Option<&str>,
        formats: &'static str,
    ) -> Self {
        let mut call = Self::over(sip, server, line, SIPREC, formats);
        call.profile = "RTP/SAVP";
        assert_eq!(call.offer("INVITE", 1, metadata), 200);
        call
    }

    /// The same over UDP.
    pub(crate) fn place_protected_over_udp(
        server: &Server,
        line: &'static str,
        metadata: Option<&str>,
        formats: &'static str,
    ) -> Self {
        let mut call = Self::new(server, line, SIPREC, formats);
        call.profile = "RTP/SAVP";
        assert_eq!(call.offer("INVITE", 1, metadata), 200);
        call
    }

    /// Places a call without an offer: the server's is answered in the ACK, with a stream for each
    /// socket. `from` is the address in `From`; with one, nothing else shows a recording client.
    pub(crate) fn place_late(
        server: &Server,
        line: &'static str,
        streams: usize,
        metadata: Option<&str>,
        from: Option<&str>,
    ) -> Self {
        let sign = if from.is_some() { ("", "") } else { SIPREC };
        let mut call = Self::new(server, line, sign, "8");
        from.unwrap_or_default().clone_into(&mut call.from);
        let mut sdp =
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n".to_owned();
        for _stream in 0..streams {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let port = socket.local_addr().unwrap().port();
            write!(sdp, "m=audio {port} RTP/AVP 8\r\na=sendonly\r\n").unwrap();
            call.media.push(socket);
        }
        call.answer = Some(sdp);
        let body = match metadata {
            None => "Content-Length: 0\r\n\r\n".to_owned(),
            Some(metadata) => format!(
                "Content-Type: application/rs-metadata+xml\r\nContent-Length: {}\r\n\r\n{metadata}",
                metadata.len()
            ),
        };
        assert_eq!(call.request("INVITE", &body), 200);
        call
    }

    /// Sends a request without a body within the call. The final status.
    pub(crate) fn ask(&mut self, method: &str) -> u16 {
        self.request(method, "Content-Length: 0\r\n\r\n")
    }

    /// The same, but gives a request of the server if one comes before the answer.
    pub(crate) fn try_ask(&mut self, method: &str) -> Option<String> {
        self.cseq += 1;
        self.send(method, self.cseq, "Content-Length: 0\r\n\r\n");
        let answered = format!("CSeq: {} {method}\r\n", self.cseq);
        loop {
            let text = self.sip.receive();
            if !text.starts_with("SIP/2.0 ") {
                return Some(text);
            }
            if text.contains(&answered) {
                return None;
            }
        }
    }

    /// Answers a request of the server without a body.
    pub(crate) fn answer_request(&mut self, request: &str, status: u16) {
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let head: String = request
            .split("\r\n")
            .filter(|line| copied.iter().any(|name| line.starts_with(name)))
            .map(|line| format!("{line}\r\n"))
            .collect();
        let text = format!("SIP/2.0 {status} X\r\n{head}Content-Length: 0\r\n\r\n");
        self.sip.send(&text);
    }

    fn over(
        sip: Box<dyn Wire>,
        server: SocketAddr,
        line: &'static str,
        sign: (&'static str, &'static str),
        formats: &'static str,
    ) -> Self {
        Self {
            call_id: format!("raw@{}", sip.local()),
            sip,
            server,
            media: Vec::new(),
            to: Vec::new(),
            answered: None,
            line,
            sign,
            formats,
            profile: "RTP/AVP",
            labels: Vec::new(),
            lines: Vec::new(),
            is_second_without_port: false,
            from: String::new(),
            headers: String::new(),
            answer: None,
            directions: Vec::new(),
            tag: String::new(),
            cseq: 0,
            sequence: 0,
        }
    }

    /// A complete document that names these participants.
    pub(crate) fn metadata(participants: &[Address]) -> String {
        let mut xml = "<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">\
            <datamode>complete</datamode><session session_id=\"s\"/>"
            .to_owned();
        for (number, address) in (1..).zip(participants) {
            write!(
                xml,
                "<participant participant_id=\"a{number}\"><nameID aor=\"{address}\"/></participant>\
                 <stream stream_id=\"t{number}\" session_id=\"s\"><label>{number}</label></stream>\
                 <participantstreamassoc participant_id=\"a{number}\"><send>t{number}</send></participantstreamassoc>"
            )
            .unwrap();
        }
        xml.push_str("</recording>");
        xml
    }

    /// Offers so many streams, with metadata or without. The final status.
    pub(crate) fn offer(&mut self, method: &str, streams: usize, metadata: Option<&str>) -> u16 {
        while self.media.len() < streams {
            self.media.push(UdpSocket::bind("127.0.0.1:0").unwrap());
        }
        let mut sdp = format!(
            "v=0\r\no=- 1 {} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
            self.cseq + 1
        );
        for (number, socket) in (1..).zip(self.media.iter().take(streams)) {
            let is_without = number == 2 && self.is_second_without_port;
            let port = if is_without {
                0
            } else {
                socket.local_addr().unwrap().port()
            };
            let own = (self.profile, self.formats);
            let (profile, formats) = *self.lines.get(number - 1).unwrap_or(&own);
            let name = number.to_string();
            let label = self.labels.get(number - 1).copied().unwrap_or(&name);
            write!(
                sdp,
                "m=audio {port} {profile} {formats}\r\na=label:{label}\r\na={}\r\n",
                self.directions.get(number - 1).unwrap_or(&"sendonly")
            )
            .unwrap();
        }
        let (kind, body) = match metadata {
            None => ("application/sdp", sdp),
            Some(metadata) => (
                "multipart/mixed;boundary=edge",
                format!(
                    "--edge\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n\
                     --edge\r\nContent-Type: application/rs-metadata+xml\r\n\
                     Content-Disposition: recording-session\r\n\r\n{metadata}\r\n--edge--\r\n"
                ),
            ),
        };
        let body = format!(
            "Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.request(method, &body)
    }

    /// Sends metadata alone. The final status.
    pub(crate) fn update(&mut self, metadata: &str) -> u16 {
        let body = format!(
            "Content-Type: application/rs-metadata+xml\r\nContent-Length: {}\r\n\r\n{metadata}",
            metadata.len()
        );
        self.request("UPDATE", &body)
    }

    /// Hangs up.
    pub(crate) fn bye(&mut self) {
        assert_eq!(self.request("BYE", "Content-Length: 0\r\n\r\n"), 200);
    }

    /// Sends one packet of G.711 on a stream, from its own socket.
    pub(crate) fn speak(&mut self, stream: usize) {
        let timestamp = (u32::from(self.sequence) + 1) * 160;
        self.speak_as(stream, 8, timestamp, &[0xd5; 160]);
    }

    /// Sends one packet of G.711 on a stream as another payload type.
    pub(crate) fn speak_in(&mut self, stream: usize, payload_type: u8) {
        let timestamp = (u32::from(self.sequence) + 1) * 160;
        self.speak_as(stream, payload_type, timestamp, &[0xd5; 160]);
    }

    /// Makes the next packet and loses it.
    pub(crate) const fn leave_out(&mut self) {
        self.sequence += 1;
    }

    /// Sends one packet of any kind on a stream, from its own socket.
    pub(crate) fn speak_as(&mut self, stream: usize, second: u8, timestamp: u32, payload: &[u8]) {
        self.sequence += 1;
        let mut packet = vec![0x80, second];
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&timestamp.to_be_bytes());
        packet.extend_from_slice(&[stream.to_le_bytes()[0]; 4]);
        packet.extend_from_slice(payload);
        self.media[stream]
            .send_to(&packet, self.to[stream])
            .unwrap();
    }

    /// Sends one packet of G.711 from another source on a stream.
    pub(crate) fn speak_from(&mut self, stream: usize, ssrc: u32) {
        let mut packet = vec![0x80, 8, 0, 1, 0, 0, 0, 160];
        packet.extend_from_slice(&ssrc.to_be_bytes());
        packet.extend_from_slice(&[0xd5; 160]);
        self.media[stream]
            .send_to(&packet, self.to[stream])
            .unwrap();
    }

    /// Presses keys on a stream, each as the packets of RFC 4733 that a telephone sends, as payload
    /// type 101.
    pub(crate) fn press(&mut self, stream: usize, keys: &str) {
        for key in keys.bytes() {
            let event = b"0123456789*#ABCD".iter().position(|known| *known == key);
            let event = event.unwrap().to_le_bytes()[0];
            let timestamp = (u32::from(self.sequence) + 1) * 160;
            for (end, length) in [
                (0, 160_u16),
                (0, 320),
                (0x80, 480),
                (0x80, 480),
                (0x80, 480),
            ] {
                let [high, low] = length.to_be_bytes();
                self.speak_as(stream, 101, timestamp, &[event, end | 10, high, low]);
            }
        }
    }

    fn request(&mut self, method: &str, rest: &str) -> u16 {
        self.cseq += 1;
        let cseq = self.cseq;
        self.send(method, cseq, rest);
        loop {
            let text = self.sip.receive();
            // Requests of the server are left without an answer, as are its 100s.
            let Some(status) = text.strip_prefix("SIP/2.0 ") else {
                continue;
            };
            let status: u16 = status.split(' ').next().unwrap().parse().unwrap();
            if status < 200 || !text.contains(&format!("CSeq: {cseq} {method}\r\n")) {
                continue;
            }
            if let Some((_, tag)) = text
                .lines()
                .find(|line| line.starts_with("To:"))
                .and_then(|line| line.split_once(";tag="))
            {
                tag.clone_into(&mut self.tag);
            }
            if method == "INVITE" {
                let body = self.answer.take().unwrap_or_default();
                let length = body.len();
                let kind = "Content-Type: application/sdp";
                self.send(
                    "ACK",
                    cseq,
                    &format!("{kind}\r\nContent-Length: {length}\r\n\r\n{body}"),
                );
            }
            if status == 200 && text.contains("m=audio") {
                self.take_answer(&text);
            }
            return status;
        }
    }

    /// Lets go of its connection and goes on over another one.
    pub(crate) fn go_on_over(&mut self, sip: Box<dyn Wire>) {
        self.sip = sip;
    }

    /// The next request of the server, which is left without an answer.
    pub(crate) fn next_request(&mut self) -> String {
        loop {
            let text = self.sip.receive();
            if !text.starts_with("SIP/2.0 ") {
                return text;
            }
        }
    }

    fn take_answer(&mut self, text: &str) {
        let mut attributes = text.lines().filter_map(|line| line.strip_prefix("a="));
        let direction = attributes.find(|name| ["recvonly", "inactive"].contains(name));
        self.answered = direction.map(str::to_owned);
        let ports = text
            .lines()
            .filter_map(|line| line.strip_prefix("m=audio "));
        self.to = ports
            .map(|line| line.split(' ').next().unwrap().parse().unwrap())
            .map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)))
            .collect();
    }

    fn send(&mut self, method: &str, cseq: u32, rest: &str) {
        let (to, local) = (self.server, self.sip.local());
        let transport = self.sip.transport();
        let tag = if self.tag.is_empty() {
            String::new()
        } else {
            format!(";tag={}", self.tag)
        };
        // An address without a user has no `@`.
        let user = match self.line {
            "" => String::new(),
            line => format!("{line}@"),
        };
        let usual = format!("sip:src@{local}");
        let from = match self.from.as_str() {
            "" => &usual,
            from => from,
        };
        let call_id = &self.call_id;
        let ((feature, option), headers) = (self.sign, &self.headers);
        let text = format!(
            "{method} sip:{user}{to} SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch=z9hG4bK{method}{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <{from}>;tag=src\r\nTo: <sip:{user}{to}>{tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:src@{local};transport={transport}>{feature}\r\n\
             {option}{headers}{rest}"
        );
        self.sip.send(&text);
    }
}
