//! What a recording client, or somebody who plays one, sends: SIP, SDP, metadata.

use super::smoke;
use std::net::SocketAddr;
use std::time::Duration;
use voicelog_src_sim::{Dialect, Load};
use voicelog_srs::fuzzing;

const SDP: &str = "v=0\r\no=src 1 1 IN IP4 192.0.2.10\r\ns=recording\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=ptime:20\r\na=label:1\r\na=sendonly\r\n\
    m=audio 40002 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
    a=label:2\r\na=inactive\r\n";

const METADATA: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
    <recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><datamode>complete</datamode>\
    <session session_id=\"AAAAAAAAQACAAAAAAAAAAQ==\"><start-time>2026-11-21T10:00:00Z</start-time></session>\
    <participant participant_id=\"AAAAAAAAQACAAAAAAAAAAg==\"><nameID aor=\"sip:agent@voorbeeld.example\">\
    <name xml:lang=\"nl\">Verkoop &amp; advies</name></nameID></participant>\
    <participant participant_id=\"AAAAAAAAQACAAAAAAAAAAw==\"><nameID aor=\"tel:+4930123456\"/></participant>\
    <stream stream_id=\"AAAAAAAAQACAAAAAAAAABA==\" session_id=\"AAAAAAAAQACAAAAAAAAAAQ==\"><label>1</label></stream>\
    <participantstreamassoc participant_id=\"AAAAAAAAQACAAAAAAAAAAg==\"><send>AAAAAAAAQACAAAAAAAAABA==</send>\
    </participantstreamassoc></recording>\r\n";

fn multipart() -> String {
    format!(
        "--b\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n\
         --b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n\
         {METADATA}\r\n--b--\r\n"
    )
}

fn request(method: &str, number: u32, content_type: &str, body: &str) -> String {
    // The fuzz body fills in our tag, so that everything behind the INVITE reaches its session.
    let tag = if method == "INVITE" && number == 1 {
        ""
    } else {
        ";tag=%"
    };
    format!(
        "{method} sip:verkoop@192.0.2.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK{number};rport\r\n\
         Record-Route: <sip:192.0.2.11;lr>, <sip:192.0.2.12;lr>\r\n\
         Max-Forwards: 70\r\nFrom: \"SBC\" <sip:src@192.0.2.10>;tag=a1\r\nTo: <sip:verkoop@192.0.2.1>{tag}\r\n\
         Call-ID: 3848276298220188511@192.0.2.10\r\nCSeq: {number} {method}\r\n\
         Contact: <sip:src@192.0.2.10:5060>;+sip.src\r\nRequire: siprec, 100rel\r\nSupported: timer, replaces\r\n\
         Allow: INVITE, UPDATE\r\nSession-Expires: 90;refresher=uas\r\nMin-SE: 90\r\nRAck: 1 1 INVITE\r\n\
         X-Cisco-Recording-Participant: <sip:a@192.0.2.10>;media-index=\"0\"\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn messages() -> Vec<Vec<u8>> {
    let invite = request("INVITE", 1, "multipart/mixed;boundary=b", &multipart());
    let compact = "BYE sip:a@b SIP/2.0\r\nv: SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKx\r\nf: <sip:a@b>;tag=1\r\n\
                   t: <sip:b@c>;tag=2\r\ni: x@y\r\nCSeq: 2 BYE\r\nl: 0\r\n\r\n";
    let answer = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKq\r\nFrom: <sip:a@b>;tag=1\r\n\
                  To: <sip:b@c>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    let replacing = invite.replace(
        "Min-SE",
        "Replaces: 3848276298220188511@192.0.2.10;from-tag=a1;to-tag=%\r\nMin-SE",
    );
    [
        invite,
        request("UPDATE", 2, "application/rs-metadata", METADATA),
        request("INVITE", 3, "application/sdp", SDP),
        request("PRACK", 6, "application/sdp", ""),
        request("UPDATE", 7, "application/rs-metadata", "<recording"),
        replacing,
        request("ACK", 1, "application/sdp", ""),
        request("CANCEL", 1, "application/sdp", ""),
        request("OPTIONS", 4, "application/sdp", ""),
        request("BYE", 5, "application/sdp", ""),
        compact.to_owned(),
        answer.to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// The INVITE of every product that the recording client can play.
fn dialects() -> Vec<Vec<u8>> {
    let here = SocketAddr::from(([192, 0, 2, 10], 5_060));
    let load = Load {
        dialects: Dialect::ALL.to_vec(),
        ..Load::new(here, "verkoop", 1, Duration::from_secs(1))
    };
    let calls = 0..u32::try_from(Dialect::ALL.len()).unwrap();
    calls.map(|call| load.invite(call, here)).collect()
}

#[test]
fn fuzz_smoke_sip_message() {
    let samples = [messages(), dialects()].concat();
    smoke("sip_message", &samples, fuzzing::sip_message);
}

#[test]
fn fuzz_smoke_sip_framer() {
    // Pieces with their length before them, as the body wants them.
    let in_pieces = |message: Vec<u8>| {
        let piece = |piece: &[u8]| {
            let length = u8::try_from(piece.len()).unwrap();
            [&[length], piece].concat()
        };
        message.chunks(200).flat_map(piece).collect()
    };
    let samples: Vec<Vec<u8>> = messages().into_iter().map(in_pieces).collect();
    smoke("sip_framer", &samples, fuzzing::framer);
}

#[test]
fn fuzz_smoke_sip_endpoint() {
    // A call that is answered and goes its way, and one to which everything happens.
    let calls = [|_: u8| 2, |place: u8| place.wrapping_mul(37)].map(|choice| {
        let mut call = Vec::new();
        for (place, message) in (0_u8..).zip(messages()) {
            call.push(choice(place));
            call.extend(message);
            call.push(0);
        }
        call
    });
    let one = |invite: Vec<u8>| [&[2], invite.as_slice()].concat();
    let calls: Vec<_> = dialects().into_iter().map(one).chain(calls).collect();
    smoke("sip_endpoint", &calls, fuzzing::endpoint);
}

#[test]
fn fuzz_smoke_sdp() {
    smoke("sdp", &[SDP.into()], fuzzing::sdp);
}

#[test]
fn fuzz_smoke_srtp() {
    let media = [
        &[0, 0xb2, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4][..],
        &[0xd5; 180],
    ]
    .concat();
    let report = [&[4, 0x80, 200, 0, 6, 1, 2, 3, 4][..], &[0x80; 60]].concat();
    smoke("srtp", &[media, report], fuzzing::srtp);
}

#[test]
fn fuzz_smoke_multipart() {
    let sample = format!("b\n{}", multipart());
    smoke("multipart", &[sample.into()], fuzzing::multipart);
}

#[test]
fn fuzz_smoke_metadata() {
    let nested = "<recording>".repeat(200);
    let entities = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><recording>&c;</recording>";
    let samples = [METADATA, &nested, entities].map(|text| text.as_bytes().to_vec());
    smoke("metadata", &samples, fuzzing::metadata);
}
