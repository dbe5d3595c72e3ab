//! Nothing that can be printed by accident shows who called whom.

use crate::client::{METADATA, Request, World, sdp, tcp};
use std::fmt::Write;
use voicelog_srs::{Command, LocalDirection, StreamFramer};

/// Names, numbers, addresses and ids that occur in the messages of these tests.
const SECRETS: [&str; 16] = [
    "Anna",
    "Verzonnen",
    "31612345678",
    "Ewa",
    "Fikcyjna",
    "ewa@",
    "31201234567",
    "call-1",
    "pbx.example",
    "shop.example",
    "192.0.2",
    "ZXdh",
    "Ym9i",
    "47755a9d",
    "ab30317f",
    "sales",
];

#[test]
fn no_debug_output_of_inputs_outputs_or_events_shows_a_person() {
    let mut world = World::new();
    world.peer = tcp(1);
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Inactive);
    let tag = ok.to_tag();
    let more = format!("{}m=audio 9 RTP/AVP 8\r\n", sdp(3, "sendonly"));
    for request in [
        Request::new("UPDATE", 2).body("application/rs-metadata", METADATA),
        Request::new("UPDATE", 3).sdp(&sdp(2, "inactive")),
        Request::new("UPDATE", 4).sdp(&more),
        Request::new("UPDATE", 5)
            .header("Allow: UPDATE")
            .header("X-Cisco-Recording-Participant: sip:ewa@shop.example;media-index=0"),
        Request::new("UPDATE", 6).body("application/rs-metadata", "<recording"),
    ] {
        world.send(&request.to(&tag));
    }
    let reject = Command::Reject {
        status: 488,
        reason: "no".into(),
        retry_after: None,
    };
    world.command(key, reject);
    let replaces = format!("Replaces: call-1@pbx.example;from-tag=src1;to-tag={tag}");
    world.send(&Request::invite().call("next").header(&replaces));
    let asking = world.sent.iter().find(|seen| seen.method() == "UPDATE");
    let asking = asking.expect("the request for a snapshot").clone();
    world.respond(&asking, 488, None);
    world.sent.clear();
    world.command(key, Command::Receive);
    let reinvite = world.next_sent();
    world.respond(&reinvite, 200, Some(&sdp(4, "sendonly")));
    world.close(1);
    world.send(&Request::new("BYE", 7).to(&tag));

    let mut printed = world.printed;
    let mut framer = StreamFramer::new();
    framer.push(Request::invite().text().as_bytes());
    let frame = framer.next_frame();
    writeln!(printed, "{:?} {framer:?} {frame:?}", world.endpoint).unwrap();
    for event in [
        "Offered",
        "Answered",
        "MetadataChanged",
        "SnapshotRefused",
        "replaces: Some",
        "DirectionChanged",
        "StreamsChanged",
        "DirectionAgreed",
        "ConnectionLost",
        "Ended",
    ] {
        assert!(printed.contains(event), "the run never got to {event}");
    }
    assert!(printed.contains("[personal data]"));
    for secret in SECRETS {
        assert!(!printed.contains(secret), "`{secret}` is shown");
    }
    // The raw document as numbers would show it just as well.
    assert!(!printed.contains(&format!("{}, {}, {}", b'E', b'w', b'a')));
}
