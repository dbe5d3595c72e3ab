//! A recording server that is just good enough to be called: one thread, no retransmission.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How the responder behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    /// Final answer to the first INVITE; below 200 means that none comes.
    pub status: u16,
    /// Direction in that answer.
    pub direction: &'static str,
    /// After so many rounds (of at least 1 ms) since the ACK: a re-INVITE with this direction.
    pub reinvite: Option<(u32, &'static str)>,
    /// After so many RTP packets: a BYE.
    pub bye_after: Option<usize>,
    /// Payload type answered.
    pub payload_type: u8,
    /// Calls at once; one more gets 503, twice as after a retransmission.
    pub calls_max: usize,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            status: 200,
            direction: "recvonly",
            reinvite: None,
            bye_after: None,
            payload_type: 8,
            calls_max: usize::MAX,
        }
    }
}

/// What the responder heard of one call.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Datagrams for each stream.
    pub streams: [Vec<Vec<u8>>; 2],
    /// RTCP datagrams for both streams.
    pub reports: Vec<Vec<u8>>,
    /// Every message of the client, as text.
    pub messages: Vec<String>,
}

impl Heard {
    /// Number of messages that begin so.
    pub(crate) fn count(&self, start: &str) -> usize {
        let begins = |m: &&String| m.starts_with(start);
        self.messages.iter().filter(begins).count()
    }
}

pub(crate) type Calls = BTreeMap<String, Heard>;

pub(crate) struct Responder {
    pub address: SocketAddr,
    calls: Arc<Mutex<Calls>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    pub(crate) fn udp(script: Script) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        Self::start(socket.local_addr().unwrap(), Line::Udp(socket), script)
    }

    pub(crate) fn tcp(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start(
            listener.local_addr().unwrap(),
            Line::Listening(listener),
            script,
        )
    }

    fn start(address: SocketAddr, line: Line, script: Script) -> Self {
        let (calls, stop) = (Arc::<Mutex<Calls>>::default(), Arc::<AtomicBool>::default());
        let mut server = Server {
            line,
            script,
            address,
            dialogs: BTreeMap::new(),
            calls: Arc::clone(&calls),
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                server.round();
            }
            server.take_media();
        });
        Self {
            address,
            calls,
            stop,
            thread: Some(thread),
        }
    }

    /// Stops it and gives everything that it heard, by Call-ID.
    pub(crate) fn finish(mut self) -> Calls {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// As [`Self::finish`], of a responder that was called once.
    pub(crate) fn only_call(self) -> Heard {
        let mut calls = self.finish();
        assert_eq!(calls.len(), 1);
        calls.pop_first().unwrap().1
    }
}

enum Line {
    Udp(UdpSocket),
    Listening(TcpListener),
    Tcp(TcpStream, Vec<u8>),
}

struct Dialog {
    peer: SocketAddr,
    media: [UdpSocket; 2],
    reports: [UdpSocket; 2],
    /// `From`, `To` and `Contact` of our own requests.
    from: String,
    to: String,
    acknowledged: bool,
    rounds: u32,
    reinvited: bool,
    said_bye: bool,
    packets: usize,
}

struct Server {
    line: Line,
    script: Script,
    address: SocketAddr,
    dialogs: BTreeMap<String, Dialog>,
    calls: Arc<Mutex<Calls>>,
}

impl Server {
    fn round(&mut self) {
        for (peer, message) in self.receive() {
            self.message(peer, &message);
        }
        self.take_media();
        self.act();
    }

    fn receive(&mut self) -> Vec<(SocketAddr, String)> {
        let mut messages = Vec::new();
        let mut bytes = vec![0; 65_535];
        match &mut self.line {
            Line::Udp(socket) => {
                while let Ok((length, peer)) = socket.recv_from(&mut bytes) {
                    messages.push((peer, String::from_utf8(bytes[..length].to_vec()).unwrap()));
                }
            }
            Line::Listening(listener) => {
                let (stream, _) = listener.accept().unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_millis(1)))
                    .unwrap();
                self.line = Line::Tcp(stream, Vec::new());
            }
            Line::Tcp(stream, buffer) => {
                match stream.read(&mut bytes) {
                    Ok(length) => buffer.extend_from_slice(&bytes[..length]),
                    Err(error) => assert!(matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionReset
                    )),
                }
                let peer = self.address;
                while let Some(end) = String::from_utf8_lossy(buffer).find("\r\n\r\n") {
                    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
                    let length: usize = header(&head, "Content-Length").parse().unwrap();
                    if buffer.len() < end + 4 + length {
                        break;
                    }
                    let message: Vec<u8> = buffer.drain(..end + 4 + length).collect();
                    messages.push((peer, String::from_utf8(message).unwrap()));
                }
            }
        }
        messages
    }

    fn send(&mut self, peer: SocketAddr, text: &str) {
        match &mut self.line {
            Line::Udp(socket) => {
                socket.send_to(text.as_bytes(), peer).unwrap();
            }
            Line::Tcp(stream, _) => stream.write_all(text.as_bytes()).unwrap(),
            Line::Listening(_) => panic!("nobody is connected"),
        }
    }

    fn message(&mut self, peer: SocketAddr, message: &str) {
        let id = header(message, "Call-ID");
        let method = message.split(' ').next().unwrap().to_owned();
        let mut calls = self.calls.lock().unwrap();
        let heard = calls.entry(id.clone()).or_default();
        heard.messages.push(message.to_owned());
        drop(calls);
        match method.as_str() {
            "INVITE" => self.invite(peer, &id, message),
            "ACK" => {
                if let Some(dialog) = self.dialogs.get_mut(&id) {
                    dialog.acknowledged = true;
                }
            }
            "CANCEL" => {
                self.answer(peer, message, 200, "");
                let calls = self.calls.lock().unwrap();
                let invite = calls[&id].messages[0].clone();
                drop(calls);
                self.answer(peer, &invite, 487, "");
            }
            "BYE" | "UPDATE" => self.answer(peer, message, 200, ""),
            "SIP/2.0" => {
                if message.contains(" INVITE\r\n") {
                    self.request(&id, "ACK", "");
                }
            }
            other => panic!("unexpected {other}"),
        }
    }

    fn invite(&mut self, peer: SocketAddr, id: &str, message: &str) {
        if self.script.status != 200 {
            self.answer(peer, message, self.script.status, "");
            return;
        }
        if !self.dialogs.contains_key(id) && self.dialogs.len() >= self.script.calls_max {
            self.answer(peer, message, 503, "");
            self.answer(peer, message, 503, "");
            return;
        }
        self.dialogs.entry(id.to_owned()).or_insert_with(|| {
            let ([one, one_up], [two, two_up]) = (port_pair(), port_pair());
            Dialog {
                peer,
                media: [one, two],
                reports: [one_up, two_up],
                from: format!("{};tag=srs", header(message, "To")),
                to: header(message, "From"),
                acknowledged: false,
                rounds: 0,
                reinvited: false,
                said_bye: false,
                packets: 0,
            }
        });
        let direction = if message.contains("a=inactive") {
            "inactive"
        } else {
            self.script.direction
        };
        let sdp = self.describe(id, direction);
        self.answer(peer, message, 200, &sdp);
    }

    fn describe(&self, id: &str, direction: &str) -> String {
        let mut sdp =
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n".to_owned();
        for (place, socket) in self.dialogs[id].media.iter().enumerate() {
            let port = socket.local_addr().unwrap().port();
            let kind = self.script.payload_type;
            sdp += &format!(
                "m=audio {port} RTP/AVP {kind}\r\na=label:{}\r\na={direction}\r\n",
                place + 1
            );
        }
        sdp
    }

    fn answer(&mut self, peer: SocketAddr, request: &str, status: u16, sdp: &str) {
        let to = header(request, "To");
        let tag = if to.contains("tag=") { "" } else { ";tag=srs" };
        let text = format!(
            "SIP/2.0 {status} Word\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\n\
             CSeq: {}\r\nContact: <sip:srs@{}>;+sip.srs\r\nRetry-After: 30 (busy)\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            header(request, "Via"),
            header(request, "From"),
            header(request, "Call-ID"),
            header(request, "CSeq"),
            self.address,
            sdp.len(),
        );
        self.send(peer, &text);
    }

    fn request(&mut self, id: &str, method: &str, sdp: &str) {
        let dialog = &self.dialogs[id];
        let number = if method == "BYE" { 2 } else { 1 };
        let text = format!(
            "{method} sip:src@client SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {id}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:srs@{}>;+sip.srs\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            self.address,
            dialog.from,
            dialog.to,
            self.address,
            sdp.len(),
        );
        let peer = dialog.peer;
        self.send(peer, &text);
    }

    fn take_media(&mut self) {
        let mut bytes = [0; 2_048];
        for (id, dialog) in &mut self.dialogs {
            for socket in &dialog.reports {
                while let Ok(length) = socket.recv(&mut bytes) {
                    let mut calls = self.calls.lock().unwrap();
                    let heard = calls.get_mut(id).unwrap();
                    heard.reports.push(bytes[..length].to_vec());
                }
            }
            for (place, socket) in dialog.media.iter().enumerate() {
                while let Ok(length) = socket.recv(&mut bytes) {
                    dialog.packets += 1;
                    let mut calls = self.calls.lock().unwrap();
                    let heard = calls.get_mut(id).unwrap();
                    heard.streams[place].push(bytes[..length].to_vec());
                }
            }
        }
    }

    fn act(&mut self) {
        let mut due = Vec::new();
        for (id, dialog) in &mut self.dialogs {
            if !dialog.acknowledged || dialog.said_bye {
                continue;
            }
            dialog.rounds += 1;
            if let Some((after, direction)) = self.script.reinvite
                && dialog.rounds >= after
                && !dialog.reinvited
            {
                dialog.reinvited = true;
                due.push((id.clone(), "INVITE", direction));
            }
            if self
                .script
                .bye_after
                .is_some_and(|after| dialog.packets >= after)
            {
                dialog.said_bye = true;
                due.push((id.clone(), "BYE", ""));
            }
        }
        for (id, method, direction) in due {
            let sdp = match method {
                "INVITE" => self.describe(&id, direction),
                _ => String::new(),
            };
            self.request(&id, method, &sdp);
        }
    }
}

/// Two sockets on neighbouring ports.
fn port_pair() -> [UdpSocket; 2] {
    loop {
        let lower = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = lower.local_addr().unwrap().port();
        if let Ok(upper) = UdpSocket::bind(("127.0.0.1", port.wrapping_add(1))) {
            lower.set_nonblocking(true).unwrap();
            upper.set_nonblocking(true).unwrap();
            return [lower, upper];
        }
    }
}

pub(crate) fn header(message: &str, name: &str) -> String {
    let value = |line: &str| {
        let (found, value) = line.split_once(": ")?;
        (found == name).then(|| value.to_owned())
    };
    message.lines().find_map(value).unwrap_or_default()
}
