//! Answers SIP on behalf of the floor, which has no signalling: so the same load, with its calls,
//! is placed on the floor and on the server. It runs beside the sender and is not measured.

use anyhow::Context as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Starts answering in a thread of its own, each call with the next two of `ports`; gives the
/// address. It ends with the process.
pub(crate) fn start(ports: Vec<u16>) -> anyhow::Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind")?;
    let address = socket.local_addr().context("a socket without address")?;
    // So that a lost datagram cannot keep the thread for ever.
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    std::thread::spawn(move || {
        let mut answerer = Answerer {
            ports,
            next: 0,
            answered: Vec::new(),
        };
        let mut buffer = [0; 65_535];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let datagram = buffer.get(..length).unwrap_or_default();
            let request = String::from_utf8_lossy(datagram);
            let answer = answerer.answer(&request, address);
            if answer.is_some_and(|answer| socket.send_to(answer.as_bytes(), from).is_err()) {
                break;
            }
        }
    });
    Ok(address)
}

struct Answerer {
    ports: Vec<u16>,
    next: usize,
    /// `Call-ID`s with the place of their first port: a retransmission gets the same answer.
    answered: Vec<(String, usize)>,
}

impl Answerer {
    fn answer(&mut self, request: &str, local: SocketAddr) -> Option<String> {
        let method = request.split(' ').next()?;
        let body = match method {
            "INVITE" => self.describe(request)?,
            "BYE" => String::new(),
            _ => return None,
        };
        let mut text = String::from("SIP/2.0 200 OK\r\n");
        let head = request.split("\r\n\r\n").next()?;
        for line in head.lines() {
            let name = line.split(':').next().unwrap_or_default();
            let tag = if name == "To" && !line.contains(";tag=") {
                ";tag=floor"
            } else {
                ""
            };
            if matches!(name, "Via" | "From" | "To" | "Call-ID" | "CSeq") {
                text.push_str(&format!("{line}{tag}\r\n"));
            }
        }
        let length = body.len();
        text.push_str(&format!("Contact: <sip:floor@{local}>\r\n"));
        if length > 0 {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        text.push_str(&format!("Content-Length: {length}\r\n\r\n{body}"));
        Some(text)
    }

    /// An answer that takes every stream, labels echoed.
    fn describe(&mut self, request: &str) -> Option<String> {
        let id = request
            .lines()
            .find_map(|line| line.strip_prefix("Call-ID:"))?;
        let labels: Vec<&str> = request
            .lines()
            .filter_map(|line| line.strip_prefix("a=label:"))
            .collect();
        let known = self
            .answered
            .iter()
            .rev()
            .find(|(answered, _)| answered == id);
        let first = match known {
            Some((_, first)) => *first,
            None => {
                let first = self.next;
                self.next += labels.len();
                self.answered.push((id.to_owned(), first));
                first
            }
        };
        let mut sdp = String::from(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
        );
        for (index, label) in labels.iter().enumerate() {
            let port = self.ports.get(first + index)?;
            sdp.push_str(&format!(
                "m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=label:{label}\r\na=recvonly\r\n"
            ));
        }
        Some(sdp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_src_sim::{Load, run};

    #[test]
    fn the_load_of_the_benchmark_accepts_its_answers() {
        let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = sink.local_addr().unwrap().port();
        let address = start(vec![port; 4]).unwrap();
        let load = Load::new(address, "bench", 2, Duration::from_millis(100));
        let report = run(&load).unwrap();
        for call in &report.calls {
            assert!(call.answer.is_some());
            assert!(call.streams.iter().all(|stream| stream.sent.packets == 5));
        }
        // What was sent arrived where the answer said.
        sink.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut buffer = [0; 2_048];
        assert_eq!(sink.recv(&mut buffer).unwrap(), 172);
    }
}
