//! Call flows without a socket: what goes in is written here by hand.

use super::*;
use crate::Belongs;
use crate::sdp::LocalStream;
use voicelog_model::Timestamp;

const RECORDING: &str = "v=0\r\nc=IN IP4 127.0.0.1\r\n\
    m=audio 6000 RTP/AVP 8\r\na=label:1\r\na=recvonly\r\n\
    m=audio 6002 RTP/AVP 8\r\na=label:2\r\na=recvonly\r\n";

struct Bench {
    dialog: Dialog,
    now: Instant,
    /// Everything the dialog sent, read back.
    sent: Vec<Message>,
}

impl Bench {
    fn new(transport: Transport) -> Self {
        let mut names = Names::from_seed(3);
        let labels = ["1".to_owned(), "2".to_owned()];
        let parties = [
            Participant::new("sip:a@example.nl", "A"),
            Participant::new("sip:b@example.nl", "B"),
        ];
        let at = Timestamp::from_micros(0);
        let metadata = Metadata::new(
            &Dialect::Plain.style().xml,
            &mut names,
            at,
            &parties,
            &labels,
            &Belongs::default(),
        );
        let stream = |port, label: &String| LocalStream {
            port,
            label: label.clone(),
            open: true,
            direction: Direction::SendOnly,
            key: None,
        };
        let media = LocalMedia {
            style: &Dialect::Plain.style().sdp,
            session: 1,
            version: 0,
            address: "127.0.0.1".parse().unwrap(),
            packet_ms: 20,
            formats: crate::Offered::G711.formats(),
            streams: vec![stream(4_000, &labels[0]), stream(4_002, &labels[1])],
        };
        let identity = Identity {
            server: "127.0.0.1:5060".parse().unwrap(),
            local: "127.0.0.1:4999".parse().unwrap(),
            transport,
            line: "verkoop".to_owned(),
            dialect: Dialect::Plain,
            belongs: Belongs::default(),
        };
        let mut bench = Self {
            dialog: Dialog::new(identity, names, media, metadata),
            now: crate::pace::now(),
            sent: Vec::new(),
        };
        bench.dialog.start(bench.now);
        bench.collect();
        bench
    }

    /// A call that stands, with both streams wanted.
    fn talking() -> Self {
        let mut bench = Self::new(Transport::Udp);
        let invite = bench.last().clone();
        bench.answer(&invite, 200, RECORDING);
        assert_eq!(bench.last_method(), "ACK");
        bench.dialog.take_events();
        bench
    }

    fn collect(&mut self) {
        let new = self.dialog.take_outgoing();
        self.sent
            .extend(new.iter().map(|bytes| Message::read(bytes).unwrap()));
    }

    fn last(&self) -> &Message {
        self.sent.last().unwrap()
    }

    fn last_method(&self) -> String {
        match &self.last().start {
            Start::Request { method, .. } => method.clone(),
            Start::Response { status, .. } => status.to_string(),
        }
    }

    fn count(&self, wanted: &str) -> usize {
        let same = |m: &&Message| match &m.start {
            Start::Request { method, .. } => method == wanted,
            Start::Response { status, .. } => status.to_string() == wanted,
        };
        self.sent.iter().filter(same).count()
    }

    /// Answers a request of the dialog as a server would.
    fn answer(&mut self, request: &Message, status: u16, sdp: &str) {
        let to = request.header("to").unwrap();
        let tag = if to.contains("tag=") { "" } else { ";tag=srs" };
        let mut headers = vec![
            ("Via", request.header("via").unwrap().to_owned()),
            ("From", request.header("from").unwrap().to_owned()),
            ("To", format!("{to}{tag}")),
            ("Call-ID", request.header("call-id").unwrap().to_owned()),
            ("CSeq", request.header("cseq").unwrap().to_owned()),
            ("Contact", "<sip:srs@127.0.0.1:5099>;+sip.srs".to_owned()),
        ];
        if !sdp.is_empty() {
            headers.push(("Content-Type", "application/sdp".to_owned()));
        }
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let bytes = message::write(&format!("SIP/2.0 {status} Word"), &headers, sdp.as_bytes());
        self.take(&bytes);
    }

    /// A request of the server in the call.
    fn ask(&mut self, method: &str, cseq: u32, kind: &str, body: &str) {
        let invite = &self.sent[0];
        let ours = invite.header("from").unwrap().to_owned();
        let id = invite.header("call-id").unwrap().to_owned();
        let cseq = format!("{cseq} {method}");
        let headers = [
            ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKs"),
            ("From", "<sip:verkoop@127.0.0.1:5060>;tag=srs"),
            ("To", ours.as_str()),
            ("Call-ID", id.as_str()),
            ("CSeq", cseq.as_str()),
            ("Content-Type", kind),
        ];
        let start = format!("{method} sip:src@127.0.0.1:4999 SIP/2.0");
        let bytes = message::write(&start, &headers, body.as_bytes());
        self.take(&bytes);
    }

    fn take(&mut self, bytes: &[u8]) {
        let message = Message::read(bytes).unwrap();
        self.dialog.receive(&message, self.now);
        self.collect();
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.dialog.on_time(self.now);
        self.collect();
    }
}

#[test]
fn the_invite_is_what_a_recording_client_sends() {
    let bench = Bench::new(Transport::Udp);
    let invite = bench.last();
    let Start::Request { method, uri } = &invite.start else {
        panic!("not a request");
    };
    assert_eq!(
        (method.as_str(), uri.as_str()),
        ("INVITE", "sip:verkoop@127.0.0.1:5060")
    );
    assert_eq!(invite.header("require"), Some("siprec"));
    assert!(invite.header("contact").unwrap().ends_with(">;+sip.src"));
    let sdp = invite.body_of_type("application/sdp").unwrap();
    assert_eq!(
        String::from_utf8_lossy(&sdp).matches("a=sendonly").count(),
        2
    );
    let xml = invite.body_of_type("application/rs-metadata+xml").unwrap();
    assert!(String::from_utf8_lossy(&xml).contains("aor=\"sip:a@example.nl\""));
}

#[test]
fn an_unanswered_invite_is_sent_again_at_doubling_intervals_and_given_up() {
    let mut bench = Bench::new(Transport::Udp);
    let mut moments = Vec::new();
    for tick in 1..=330_u32 {
        let before = bench.count("INVITE");
        bench.wait(100);
        if bench.count("INVITE") > before {
            moments.push(tick * 100);
        }
    }
    assert_eq!(moments, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert!(bench.dialog.is_over());
    assert_eq!(bench.dialog.take_events()[0], Event::NoAnswer);
}

#[test]
fn over_a_connection_nothing_is_sent_twice() {
    let mut bench = Bench::new(Transport::Tcp);
    bench.wait(31_000);
    assert_eq!(bench.sent.len(), 1);
    assert!(
        bench
            .last()
            .header("via")
            .unwrap()
            .starts_with("SIP/2.0/TCP")
    );
}

#[test]
fn an_answer_is_acknowledged_every_time_it_comes() {
    let mut bench = Bench::new(Transport::Udp);
    let invite = bench.last().clone();
    bench.answer(&invite, 100, "");
    bench.answer(&invite, 200, RECORDING);
    bench.answer(&invite, 200, RECORDING);
    assert_eq!(bench.count("ACK"), 2);
    let ack = bench.last();
    assert!(matches!(&ack.start, Start::Request { uri, .. } if uri == "sip:srs@127.0.0.1:5099"));
    assert_eq!(ack.cseq(), Some((1, "ACK")));
    assert!(ack.header("to").unwrap().ends_with(";tag=srs"));
    let events = bench.dialog.take_events();
    assert!(events.contains(&Event::Answered { status: 200 }));
    assert!(bench.dialog.flows(0) && bench.dialog.flows(1));
    bench.wait(60_000);
    assert_eq!(bench.count("INVITE"), 1);
}

#[test]
fn a_refusal_is_acknowledged_in_its_transaction_and_ends_the_call() {
    let mut bench = Bench::new(Transport::Udp);
    let invite = bench.last().clone();
    bench.answer(&invite, 503, "");
    assert_eq!(bench.last_method(), "ACK");
    let branch = |m: &Message| message::parameter(m.header("via").unwrap(), "branch");
    assert_eq!(branch(bench.last()), branch(&invite));
    assert!(bench.dialog.is_over());
    let events = bench.dialog.take_events();
    assert!(matches!(events[0], Event::Refused { status: 503, .. }));
}

#[test]
fn an_answer_without_a_usable_description_ends_the_call() {
    let mut bench = Bench::new(Transport::Udp);
    let invite = bench.last().clone();
    bench.answer(
        &invite,
        200,
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 6000 RTP/AVP 8\r\n",
    );
    assert_eq!(bench.last_method(), "BYE");
    let events = bench.dialog.take_events();
    assert!(matches!(&events[0], Event::BadAnswer { why } if why.contains("fewer")));
}

#[test]
fn giving_up_before_the_answer_cancels_once_the_server_has_said_something() {
    let mut bench = Bench::new(Transport::Udp);
    let invite = bench.last().clone();
    bench.dialog.hang_up(bench.now);
    bench.collect();
    assert_eq!(bench.count("CANCEL"), 0);
    bench.answer(&invite, 180, "");
    assert_eq!(bench.last_method(), "CANCEL");
    assert_eq!(bench.last().cseq(), Some((1, "CANCEL")));
    let cancel = bench.last().clone();
    bench.answer(&cancel, 200, "");
    bench.answer(&invite, 487, "");
    assert_eq!(bench.last_method(), "ACK");
    assert!(bench.dialog.is_over());
}

#[test]
fn an_answer_that_crosses_the_cancel_is_followed_by_bye() {
    let mut bench = Bench::new(Transport::Udp);
    let invite = bench.last().clone();
    bench.answer(&invite, 180, "");
    bench.dialog.hang_up(bench.now);
    bench.answer(&invite, 200, RECORDING);
    assert_eq!(
        (bench.count("ACK"), bench.last_method().as_str()),
        (1, "BYE")
    );
}

#[test]
fn the_server_pauses_and_resumes_and_each_answer_waits_for_its_ack() {
    let mut bench = Bench::talking();
    let inactive = RECORDING.replace("recvonly", "inactive");
    bench.ask("INVITE", 1, "application/sdp", &inactive);
    assert_eq!(bench.last_method(), "200");
    let answer = String::from_utf8(bench.last().body.clone()).unwrap();
    assert_eq!(answer.matches("a=inactive").count(), 2);
    assert!(!bench.dialog.flows(0));
    bench.wait(500);
    bench.wait(1_000);
    assert_eq!(bench.count("200"), 3);
    bench.ask("ACK", 1, "application/sdp", "");
    bench.wait(4_000);
    assert_eq!(bench.count("200"), 3);
    bench.ask("INVITE", 2, "application/sdp", RECORDING);
    assert!(bench.dialog.flows(0) && bench.dialog.flows(1));
    let answer = String::from_utf8(bench.last().body.clone()).unwrap();
    assert_eq!(answer.matches("a=sendonly").count(), 2);
}

#[test]
fn a_re_invite_without_an_offer_gets_one_and_its_ack_brings_the_answer() {
    let mut bench = Bench::talking();
    bench.ask("INVITE", 1, "application/sdp", "");
    let offer = String::from_utf8(bench.last().body.clone()).unwrap();
    assert_eq!(offer.matches("a=sendonly").count(), 2);
    let inactive = RECORDING.replace("recvonly", "inactive");
    bench.ask("ACK", 1, "application/sdp", &inactive);
    assert!(!bench.dialog.flows(0));
}

#[test]
fn a_server_that_drops_one_stream_keeps_the_other() {
    let mut bench = Bench::talking();
    let one = RECORDING.replace("m=audio 6002", "m=audio 0");
    bench.ask("UPDATE", 1, "application/sdp", &one);
    assert!(bench.dialog.flows(0) && !bench.dialog.flows(1));
    let answer = String::from_utf8(bench.last().body.clone()).unwrap();
    assert!(answer.contains("m=audio 0 RTP/AVP 8 0\r\n"));
}

#[test]
fn our_pause_stops_at_once_and_our_resume_waits_for_the_server() {
    let mut bench = Bench::talking();
    assert!(bench.dialog.set_wish(Direction::Inactive, bench.now));
    bench.collect();
    assert!(!bench.dialog.flows(0));
    assert!(!bench.dialog.set_wish(Direction::SendOnly, bench.now));
    let pause = bench.last().clone();
    bench.answer(&pause, 200, &RECORDING.replace("recvonly", "inactive"));
    assert!(bench.dialog.set_wish(Direction::SendOnly, bench.now));
    bench.collect();
    assert!(!bench.dialog.flows(0));
    let resume = bench.last().clone();
    bench.answer(&resume, 200, RECORDING);
    assert!(bench.dialog.flows(0));
    let events = bench.dialog.take_events();
    let replies = events
        .iter()
        .filter(|e| matches!(e, Event::DirectionReply { status: 200 }));
    assert_eq!(replies.count(), 2);
}

#[test]
fn glare_is_answered_with_491_and_ours_is_tried_again() {
    let mut bench = Bench::talking();
    bench.dialog.set_wish(Direction::Inactive, bench.now);
    bench.collect();
    let pause = bench.last().clone();
    bench.ask("INVITE", 1, "application/sdp", RECORDING);
    assert_eq!(bench.last_method(), "491");
    bench.answer(&pause, 491, "");
    let before = bench.count("INVITE");
    bench.wait(2_000);
    assert_eq!(bench.count("INVITE"), before);
    bench.wait(2_000);
    assert_eq!(bench.count("INVITE"), before + 1);
}

#[test]
fn a_request_for_metadata_is_answered_with_a_snapshot() {
    let mut bench = Bench::talking();
    let wanted = "<requestsnapshot xmlns=\"urn:ietf:params:xml:ns:recording:1\"/>";
    bench.ask("UPDATE", 1, "application/rs-metadata-request", wanted);
    assert_eq!(bench.count("200"), 1);
    assert_eq!(bench.last_method(), "UPDATE");
    assert!(
        bench
            .last()
            .body_of_type("application/rs-metadata+xml")
            .is_some()
    );
}

#[test]
fn metadata_alone_goes_out_with_the_headers_that_the_product_gives_it() {
    let of = |dialect: Dialect| dialect.style().body.headers_of_bare_metadata();
    let kind = |value| ("Content-Type", value);
    let disposition = ("Content-Disposition", "recording-session");
    assert_eq!(
        of(Dialect::Plain),
        [kind("application/rs-metadata+xml"), disposition]
    );
    assert_eq!(of(Dialect::Metaswitch), [kind("application/rs-metadata")]);
    assert_eq!(
        of(Dialect::Broadworks),
        [kind("application/rs-metadata+xml")]
    );
}

#[test]
fn the_servers_bye_is_answered_each_time_and_ends_the_call() {
    let mut bench = Bench::talking();
    bench.ask("BYE", 1, "text/plain", "");
    bench.ask("BYE", 1, "text/plain", "");
    assert_eq!(bench.count("200"), 2);
    let ended = Event::Ended {
        by: Side::Server,
        status: None,
    };
    assert_eq!(bench.dialog.take_events(), [ended]);
}

#[test]
fn our_bye_is_sent_again_until_it_is_answered() {
    let mut bench = Bench::talking();
    bench.dialog.hang_up(bench.now);
    bench.collect();
    let bye = bench.last().clone();
    bench.wait(500);
    bench.wait(1_000);
    assert_eq!(bench.count("BYE"), 3);
    bench.answer(&bye, 200, "");
    let ended = Event::Ended {
        by: Side::Client,
        status: Some(200),
    };
    assert_eq!(bench.dialog.take_events(), [ended]);
}

#[test]
fn what_is_not_of_this_call_or_not_known_is_refused() {
    let mut bench = Bench::talking();
    bench.ask("INFO", 1, "text/plain", "");
    assert_eq!(bench.last_method(), "405");
    bench.ask("OPTIONS", 2, "text/plain", "");
    assert_eq!(bench.last_method(), "200");
    let stranger = b"BYE sip:x SIP/2.0\r\nVia: v\r\nTo: <sip:x>;tag=other\r\nCSeq: 9 BYE\r\n\r\n";
    bench.take(stranger);
    assert_eq!(bench.last_method(), "481");
    assert!(bench.dialog.is_talking());
}

#[test]
fn routes_are_followed_in_reverse() {
    let mut bench = Bench::new(Transport::Udp);
    let invite = bench.last().clone();
    let head = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nTo: <sip:x>;tag=s\r\nCSeq: 1 INVITE\r\n\
         Record-Route: <sip:one;lr>, <sip:two;lr;x=\"a,b\">\r\nRecord-Route: <sip:three;lr>\r\n\
         Contact: <sip:srs@127.0.0.1:5099>\r\n\r\n{RECORDING}",
        invite.header("via").unwrap()
    );
    bench.take(head.as_bytes());
    let routes: Vec<_> = bench.last().headers("route").collect();
    assert_eq!(
        routes,
        ["<sip:three;lr>", "<sip:two;lr;x=\"a,b\">", "<sip:one;lr>"]
    );
}
