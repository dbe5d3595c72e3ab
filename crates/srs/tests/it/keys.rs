//! Keys for SRTP in the session description (RFC 4568), as offers, answers and refusals.

use crate::client::{Request, Seen, World, answer, our_key, tcp, tls};
use std::fmt::Write;
use voicelog_srs::srtp::{MasterKey, Suite};
use voicelog_srs::{
    Command, Config, Counted, Event, LocalDirection, Quirk, SessionKey, StreamAnswer,
};

/// 30 bytes, written as the standard's own examples are.
const FIRST: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const SECOND: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const CM_80: &str = "AES_CM_128_HMAC_SHA1_80";

/// Two protected streams; `crypto` are the lines of each.
fn sdp(version: u32, direction: &str, crypto: &[String]) -> String {
    let mut text = format!(
        "v=0\r\no=SRC 1 {version} IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    );
    for (port, label) in [(20_000, 1), (20_002, 2)] {
        write!(
            text,
            "m=audio {port} RTP/SAVP 8\r\na=label:{label}\r\na={direction}\r\n"
        )
        .unwrap();
        for line in crypto {
            write!(text, "a=crypto:{line}\r\n").unwrap();
        }
    }
    text
}

fn line(tag: u32, suite: &str, key: &str) -> String {
    format!("{tag} {suite} inline:{key}")
}

fn invite(text: &str) -> Request {
    Request::invite().sdp(text)
}

fn key(text: &str) -> MasterKey {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    MasterKey::new(Suite::AesCm128HmacSha1_80, &bytes.unwrap()).unwrap()
}

fn over_tls() -> World {
    let mut world = World::new();
    world.peer = tls(1);
    world
}

/// A session of two protected streams.
fn established() -> (World, SessionKey, Seen) {
    let mut world = over_tls();
    let offer = sdp(1, "sendonly", &[line(1, CM_80, FIRST)]);
    let (key, ok) = world.established(&invite(&offer), LocalDirection::Receive);
    (world, key, ok)
}

/// The `a=crypto` lines of a message of ours.
fn crypto(seen: &Seen) -> Vec<String> {
    let lines = seen.body().lines();
    lines
        .filter_map(|line| line.strip_prefix("a=crypto:").map(str::to_owned))
        .collect()
}

#[test]
fn the_first_usable_line_is_taken_and_answered_with_our_own_key() {
    let mut world = over_tls();
    let lines = [
        line(1, CM_80, &format!("{FIRST}|2^20|1:4")),
        line(2, "AEAD_AES_512_GCM", SECOND),
        line(7, CM_80, &format!("{SECOND}|2^31")),
        line(8, CM_80, FIRST),
    ];
    let (session, offer) = world.offered(&invite(&sdp(1, "sendonly", &lines)));
    let keys: Vec<_> = offer
        .streams
        .iter()
        .map(|stream| stream.key.clone())
        .collect();
    assert_eq!(keys, [Some(key(SECOND)), Some(key(SECOND))]);
    assert_eq!(offer.quirks, [Quirk::MetadataMissing]);
    world.command(session, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    assert_eq!(ok.body().matches("RTP/SAVP 8").count(), 2);
    let ours = crypto(&ok);
    assert_eq!(ours.len(), 2);
    assert!(
        ours[0].starts_with(&format!("7 {CM_80} inline:")),
        "{}",
        ours[0]
    );
    assert!(!ours[0].contains(SECOND), "a key of our own");
    // The next offer is ours, and our key is the same.
    world.send(&crate::client::ack(&invite(""), &ok));
    world.command(session, Command::Pause);
    let reinvite = world.next_sent();
    assert_eq!(crypto(&reinvite), ours);
}

#[test]
fn rtp_savpf_is_answered_as_it_was_offered() {
    let mut world = over_tls();
    let offer = sdp(1, "sendonly", &[line(1, CM_80, FIRST)]).replace("RTP/SAVP", "RTP/SAVPF");
    let (_, ok) = world.established(&invite(&offer), LocalDirection::Receive);
    assert_eq!(ok.body().matches("RTP/SAVPF 8").count(), 2);
    assert_eq!(crypto(&ok).len(), 2);
}

#[test]
fn keys_that_come_in_the_clear_are_refused_with_the_remedy_unless_permitted() {
    let offer = sdp(1, "sendonly", &[line(1, CM_80, FIRST)]);
    let mut world = World::new();
    world.peer = tcp(1);
    world.send(&invite(&offer));
    let refused = world.expect(488);
    let warning = refused.header("Warning").unwrap();
    assert!(
        warning.contains("TLS") && warning.contains("sip.srtp_keys_without_tls"),
        "{warning}"
    );
    assert_eq!(world.endpoint.counters().of(Counted::KeysExposed), 1);

    let mut world = World::with(Config {
        srtp_keys_without_tls: true,
        ..Config::default()
    });
    world.established(&invite(&offer), LocalDirection::Receive);
}

#[test]
fn without_a_usable_key_a_protected_line_is_refused_and_never_becomes_plain() {
    let none: [&[String]; 3] = [
        &[],
        &[line(1, "AES_CM_128_NULL_AUTH", FIRST)],
        &[line(1, CM_80, &format!("{FIRST} UNENCRYPTED_SRTP"))],
    ];
    for lines in none {
        let mut world = over_tls();
        world.send(&invite(&sdp(1, "sendonly", lines)));
        let refused = world.expect(488);
        assert!(refused.header("Warning").unwrap().contains("a=crypto"));
        assert_eq!(world.endpoint.counters().of(Counted::NoUsableKey), 1);
    }
    let mut world = over_tls();
    let mixed = format!(
        "{}m=audio 20004 RTP/AVP 8\r\na=label:3\r\n",
        sdp(1, "sendonly", &[])
    );
    let (session, offer) = world.offered(&invite(&mixed));
    assert!(offer.quirks.contains(&Quirk::ProtectedStreamRefused));
    world.command(
        session,
        crate::client::answer_streams(3, LocalDirection::Receive),
    );
    let ok = world.expect(200);
    let media: Vec<_> = ok
        .body()
        .lines()
        .filter(|line| line.starts_with("m="))
        .collect();
    let expected = [
        "m=audio 0 RTP/SAVP 8",
        "m=audio 0 RTP/SAVP 8",
        "m=audio 30004 RTP/AVP 8",
    ];
    assert_eq!(media, expected);
}

#[test]
fn a_stream_for_which_we_have_no_key_is_not_taken() {
    for ours in [
        None,
        Some(MasterKey::of_random(Suite::AeadAes128Gcm, &[1; 64])),
    ] {
        let mut world = over_tls();
        let offer = sdp(1, "sendonly", &[line(1, CM_80, FIRST)]);
        let (session, offer) = world.offered(&invite(&offer));
        let streams = offer.streams.iter().map(|stream| StreamAnswer {
            number: stream.number,
            rtp_port: Some(30_000),
            key: ours.clone(),
        });
        let command = Command::Answer {
            media_address: [198, 51, 100, 6].into(),
            streams: streams.collect(),
            direction: LocalDirection::Receive,
        };
        world.command(session, command);
        world.expect(488);
    }
}

#[test]
fn a_new_key_in_a_later_offer_is_told_and_the_same_one_is_not() {
    let (mut world, _, ok) = established();
    let tag = ok.to_tag();
    let again = sdp(2, "sendonly", &[line(1, CM_80, FIRST)]);
    world.send(&Request::new("UPDATE", 2).sdp(&again).to(&tag));
    assert_eq!(crypto(&world.expect(200)), crypto(&ok));
    world.expect_silence();
    let anew = sdp(3, "sendonly", &[line(4, CM_80, SECOND)]);
    world.send(&Request::new("UPDATE", 3).sdp(&anew).to(&tag));
    let answer = world.expect(200);
    assert!(
        crypto(&answer)[0].starts_with("4 "),
        "the tag of the line that was taken"
    );
    let Event::DirectionChanged { streams } = world.next_event() else {
        panic!("a new key is news");
    };
    assert!(streams.iter().all(|stream| stream.key == Some(key(SECOND))));
}

#[test]
fn another_suite_or_profile_in_a_later_offer_is_a_new_stream() {
    let gcm = line(
        1,
        "AEAD_AES_128_GCM",
        "AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqw==",
    );
    let offers = [
        sdp(2, "sendonly", &[gcm]),
        sdp(2, "sendonly", &[]).replace("RTP/SAVP", "RTP/AVP"),
    ];
    for offer in offers {
        let (mut world, _, ok) = established();
        world.send(&Request::new("UPDATE", 2).sdp(&offer).to(&ok.to_tag()));
        let event = world.next_event();
        let Event::StreamsChanged(changed) = event else {
            panic!("{event:?}");
        };
        assert!(
            changed
                .streams
                .iter()
                .all(|stream| stream.rtp_port.is_none())
        );
    }
}

#[test]
fn a_later_offer_whose_keys_cannot_be_used_costs_nothing_that_was_agreed() {
    let (mut world, session, ok) = established();
    let tag = ok.to_tag();
    world.send(
        &Request::new("UPDATE", 2)
            .sdp(&sdp(2, "sendonly", &[]))
            .to(&tag),
    );
    world.expect(488);
    world.peer = tcp(2);
    let exposed = sdp(2, "sendonly", &[line(1, CM_80, SECOND)]);
    world.send(&Request::new("UPDATE", 3).sdp(&exposed).to(&tag));
    world.expect(488);
    world.expect_silence();
    world.peer = tls(1);
    world.command(session, Command::Pause);
    assert_eq!(crypto(&world.next_sent()), crypto(&ok));
}

#[test]
fn the_clients_answer_to_our_offer_may_bring_a_new_key() {
    let (mut world, session, _) = established();
    for (lines, expected) in [
        (vec![line(1, CM_80, SECOND)], SECOND),
        // An answer without a key is against the standard; the one that is known stays.
        (vec![], SECOND),
        (vec![line(1, CM_80, FIRST)], FIRST),
    ] {
        let command = [Command::Pause, Command::Receive];
        for (command, direction) in command.into_iter().zip(["inactive", "sendonly"]) {
            world.command(session, command);
            let reinvite = world.next_sent();
            world.respond(&reinvite, 200, Some(&sdp(2, direction, &lines)));
            world.sent.clear();
        }
        let agreed = world.events.pop_back().map(|(_, event)| event);
        let Some(Event::DirectionAgreed { streams, .. }) = agreed else {
            panic!("{agreed:?}");
        };
        assert!(
            streams
                .iter()
                .all(|stream| stream.key == Some(key(expected)))
        );
    }
}

#[test]
fn no_key_is_printed() {
    let (mut world, session, ok) = established();
    let anew = sdp(3, "sendonly", &[line(4, CM_80, SECOND)]);
    world.send(&Request::new("UPDATE", 3).sdp(&anew).to(&ok.to_tag()));
    world.command(session, answer(LocalDirection::Receive));
    let printed = format!("{} {:?} {:?}", world.printed, world.endpoint, our_key());
    assert!(printed.contains("MasterKey(AES_CM_128_HMAC_SHA1_80)"));
    // As text, and as the numbers of its bytes.
    for secret in [
        FIRST,
        SECOND,
        "WlpaWlpa",
        "89, 83, 95",
        "90, 90, 90",
        "119, 68, 102",
    ] {
        assert!(!printed.contains(secret), "`{secret}` is shown");
    }
}
