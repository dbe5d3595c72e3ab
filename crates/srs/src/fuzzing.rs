//! Bodies of the fuzz targets, as plain functions: a fuzz target and a seeded run in ordinary
//! tests call the same ones. Each must come back from any bytes, and says nothing.

use crate::api::{Command, Config, Event, Input, LocalDirection, Output, StreamAnswer};
use crate::endpoint::Endpoint;
use crate::metadata::MetadataState;
use crate::multipart;
use crate::peer::{Peer, Transport};
use crate::sdp::Secrecy;
use crate::sip::framer::StreamFramer;
use crate::sip::grammar::Address;
use crate::sip::uri::Uri;
use crate::sip::via::Via;
use crate::sip::{HeaderName, parse};
use crate::srtp::{MasterKey, Suite, Unprotector};
use crate::{body, sdp};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use voicelog_model::{StreamNumber, Timestamp};

/// A SIP message and everything that is read from its headers and body.
pub fn sip_message(data: &[u8]) {
    let Ok(parsed) = parse(data) else {
        return;
    };
    let message = &parsed.message;
    for name in [
        HeaderName::Via,
        HeaderName::Contact,
        HeaderName::RecordRoute,
    ] {
        for value in message.headers.list(name) {
            let address = Address::parse(&value);
            let user = Uri::parse(address.uri).map(|uri| uri.user());
            let via = Via::parse(&value).map(|via| via.stamped(peer(0).address));
            drop((user, via));
        }
    }
    drop((message.cseq(), message.tag(HeaderName::To)));
    if let Some(bytes) = &body::read(message).sdp {
        sdp(bytes);
    }
}

/// A byte stream in pieces whose lengths are in the bytes themselves.
pub fn framer(data: &[u8]) {
    let mut framer = StreamFramer::new();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (piece, after) = after
            .split_at_checked(usize::from(*length))
            .unwrap_or((after, &[]));
        framer.push(piece);
        while let Ok(Some(frame)) = framer.next_frame() {
            drop(frame);
        }
        rest = after;
    }
}

/// A session description.
pub fn sdp(data: &[u8]) {
    let Ok(description) = sdp::read(data, Secrecy::Private) else {
        return;
    };
    assert!(!description.media.is_empty());
}

/// A protected packet, as media and as RTCP; the first byte chooses the suite.
pub fn srtp(data: &[u8]) {
    let Some((choice, packet)) = data.split_first() else {
        return;
    };
    let suites = Suite::ALL.len();
    let suite = Suite::ALL.get(usize::from(*choice) % suites);
    let key = suite.map(|suite| MasterKey::of_random(*suite, &[7; 64]));
    let Some(mut receiver) = key.and_then(|key| Unprotector::new(&key)) else {
        return;
    };
    let mut bytes = packet.to_vec();
    if receiver.media(&mut bytes).is_err() {
        assert_eq!(bytes, packet, "left as it came");
    }
    drop(receiver.control(&mut packet.to_vec()));
}

/// A multipart body; the first line is its boundary.
pub fn multipart(data: &[u8]) {
    let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let boundary = String::from_utf8_lossy(line);
    let body = data.get(line.len()..).unwrap_or_default();
    for part in multipart::split(body, boundary.trim()).parts {
        assert!(part.body.len() <= body.len());
    }
    if let Some(guess) = multipart::guess_boundary(body) {
        drop(multipart::split(body, guess));
    }
}

/// Metadata documents, one after the other, separated by a zero byte, into one session.
pub fn metadata(data: &[u8]) {
    let mut state = MetadataState::default();
    let lines = [
        (StreamNumber(1), Some("1".to_owned())),
        (StreamNumber(2), None),
    ];
    for document in data.split(|byte| *byte == 0).take(8) {
        state.take(document);
        drop(state.snapshot(&lines));
    }
}

/// Messages to an endpoint, separated by a zero byte and one byte that says what happens beside:
/// time passing, a command, a connection lost. `tag=%` in a message becomes the tag that the
/// endpoint gave last, and `;branch=%` the branch of its last request, so that bytes written
/// beforehand reach into a session.
pub fn endpoint(data: &[u8]) {
    let mut endpoint = Endpoint::new(Config::default(), [7; 32]);
    let mut now = Timestamp::from_micros(1_790_000_000_000_000);
    let mut last = None;
    let mut marks = [(";tag=", String::new()), (";branch=", String::new())];
    for piece in data.split(|byte| *byte == 0).take(64) {
        let (choice, bytes) = piece.split_first().unwrap_or((&0, &[]));
        let bytes = &filled_in(bytes, &marks);
        endpoint.handle(Input::Message {
            now,
            from: peer(*choice),
            local: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5_060),
            bytes,
        });
        now = now.plus_micros(i64::from(*choice) * 50_000);
        if let Some(session) = last
            && let Some(command) = command(*choice)
        {
            endpoint.handle(Input::Command {
                now,
                session,
                command,
            });
        }
        if *choice & 0x40 != 0 {
            endpoint.handle(Input::ConnectionClosed { now, connection: 1 });
        }
        endpoint.handle(Input::Timeout { now });
        while let Some(output) = endpoint.poll() {
            match output {
                Output::Event(session, Event::Offered(_)) => last = Some(session),
                Output::Event(..) => {}
                Output::Transmit { bytes, .. } => note(&bytes, &mut marks),
            }
        }
    }
    endpoint.end_all(now, "the end");
    // Whatever happened, everything comes to rest by itself.
    for _ in 0..10_000 {
        let Some(next) = endpoint.next_timeout() else {
            break;
        };
        now = next.max(now);
        endpoint.handle(Input::Timeout { now });
        while endpoint.poll().is_some() {}
    }
    assert!(endpoint.is_idle() && endpoint.next_timeout().is_none());
}

/// Puts the noted values where a message has `%` for them.
fn filled_in(bytes: &[u8], marks: &[(&str, String)]) -> Vec<u8> {
    let mut all = bytes.to_vec();
    for (name, value) in marks {
        // `to-tag` of a Replaces is filled in like the tag of a To.
        let wanted = format!("{}%", name.trim_start_matches(';'));
        let mut out = Vec::with_capacity(all.len());
        let mut rest = all.as_slice();
        while let Some((before, behind)) = rest
            .windows(wanted.len())
            .position(|window| window == wanted.as_bytes())
            .and_then(|at| rest.split_at_checked(at + wanted.len()))
        {
            out.extend_from_slice(before.strip_suffix(b"%").unwrap_or(before));
            out.extend_from_slice(value.as_bytes());
            rest = behind;
        }
        out.extend_from_slice(rest);
        all = out;
    }
    all
}

/// Notes what stands behind each name in a message of the endpoint.
fn note(bytes: &[u8], marks: &mut [(&str, String)]) {
    let text = String::from_utf8_lossy(bytes);
    for (name, value) in marks {
        let header = if *name == ";tag=" {
            "\r\nTo: "
        } else {
            "\r\nVia: "
        };
        let line = text
            .split_once(header)
            .and_then(|(_, rest)| rest.lines().next());
        if let Some((_, found)) = line.and_then(|line| line.rsplit_once(*name)) {
            *value = found.to_owned();
        }
    }
}

fn peer(choice: u8) -> Peer {
    let transport = match (choice & 1, choice & 0x80) {
        (0, _) => Transport::Udp,
        (_, 0) => Transport::Tcp,
        _ => Transport::Tls,
    };
    Peer {
        transport,
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5_060),
        connection: (transport != Transport::Udp).then_some(1),
    }
}

fn command(choice: u8) -> Option<Command> {
    Some(match choice >> 1 & 7 {
        0 | 1 => Command::Answer {
            media_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            streams: (1..=2)
                .map(|n| StreamAnswer {
                    number: StreamNumber(n),
                    rtp_port: Some(4_000 + 2 * n),
                    key: Some(MasterKey::of_random(Suite::AesCm128HmacSha1_80, &[7; 64])),
                })
                .collect(),
            direction: LocalDirection::Inactive,
        },
        2 => Command::Receive,
        3 => Command::Pause,
        4 => Command::Reject {
            status: 603,
            reason: "no".to_owned(),
            retry_after: Some(1),
        },
        5 => Command::End {
            reason: "done".to_owned(),
        },
        _ => return None,
    })
}
