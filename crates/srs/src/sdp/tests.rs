//! Offers as clients write them, and our answers.

use super::*;
use proptest::prelude::*;
use voicelog_model::Codec;

fn read_private(bytes: &[u8]) -> Result<Description, SdpError> {
    read(bytes, Secrecy::Private)
}

fn line(media: &str) -> MediaLine {
    let text =
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}");
    read(text.as_bytes(), Secrecy::Private)
        .unwrap()
        .media
        .remove(0)
}

/// Payload types and codecs of a line, in the order of our answer.
fn usable(media: &str) -> String {
    let formats = line(media).usable;
    let words: Vec<_> = formats
        .iter()
        .map(|format| format!("{}={}", format.payload_type, format.codec))
        .collect();
    words.join(" ")
}

#[test]
fn what_the_client_offers_first_is_preferred() {
    assert_eq!(usable("m=audio 1 RTP/AVP 0 8\n"), "0=PCMU 8=PCMA");
    assert_eq!(usable("m=audio 1 RTP/AVP 8 0 8\n"), "8=PCMA 0=PCMU");
    assert_eq!(
        usable("m=audio 1 RTP/AVP 0 97\na=rtpmap:97 pcma/8000/1\n"),
        "0=PCMU 97=PCMA"
    );
}

#[test]
fn sound_that_cannot_be_played_comes_after_what_can_and_is_taken_alone() {
    assert_eq!(
        usable("m=audio 1 RTP/AVP 18 9 0\n"),
        "9=G722 0=PCMU 18=G729"
    );
    assert_eq!(usable("m=audio 1 RTP/AVP 18\n"), "18=G729");
    assert_eq!(
        usable("m=audio 1 RTP/AVP 98 8\na=rtpmap:98 EVS/16000/1\n"),
        "8=PCMA 98=EVS/16000"
    );
}

#[test]
fn every_codec_of_telephony_is_known_by_its_mapping() {
    let maps = [
        "96 opus/48000/2",
        "97 iLBC/8000",
        "98 AMR/8000",
        "99 AMR-WB/16000",
        "100 L16/16000",
        "101 telephone-event/8000",
        "102 CN/16000",
    ];
    let mut text = "m=audio 1 RTP/AVP 101 13 102 97 98 99 96 100 3\n".to_owned();
    for map in maps {
        text.push_str(&format!("a=rtpmap:{map}\n"));
    }
    assert_eq!(
        usable(&text),
        "96=opus/48000/2 100=L16/16000 97=iLBC 98=AMR 99=AMR-WB/16000 3=GSM \
         101=telephone-event 13=CN 102=CN/16000"
    );
}

#[test]
fn sound_that_has_no_name_is_taken_where_there_is_no_other() {
    assert_eq!(usable("m=audio 1 RTP/AVP 96\n"), "96=unnamed");
    assert_eq!(usable("m=audio 1 RTP/AVP 8 96\n"), "8=PCMA");
    assert_eq!(
        usable("m=audio 1 RTP/AVP 97 96\na=rtpmap:97 a b c\n"),
        "97=unnamed 96=unnamed"
    );
    // What may be key presses is not taken for sound.
    assert_eq!(usable("m=audio 1 RTP/AVP 96 101\n"), "96=unnamed");
    let keys = "m=audio 1 RTP/AVP 96 100\na=fmtp:100 0-16\n";
    assert_eq!(usable(keys), "96=unnamed");
    let answered = taken(line("m=audio 1 RTP/AVP 96\n").usable);
    assert_eq!(answered, ["m=audio 4000 RTP/AVP 96", "a=recvonly"]);
}

#[test]
fn a_line_of_sound_that_is_refused_says_why_and_what_would_have_come() {
    let refused = |media: &str| {
        let line = line(media);
        assert_eq!(line.usable, [], "{media}");
        let refused = line.refused?;
        let codecs: Vec<_> = refused
            .formats
            .iter()
            .map(|f| f.codec.to_string())
            .collect();
        Some((refused.why, codecs.join(" ")))
    };
    let pcma = |why| Some((why, "PCMA".to_owned()));
    let dtls = "m=audio 1 UDP/TLS/RTP/SAVP 8\na=fingerprint:sha-256 AB\n";
    assert_eq!(refused(dtls), pcma(Refusal::Protection));
    assert_eq!(refused("m=audio 1 RTP/SAVP 8\n"), pcma(Refusal::Keys));
    assert_eq!(
        refused("m=audio 0 RTP/AVP 8\na=bundle-only\n"),
        pcma(Refusal::Form)
    );
    let unreadable = refused("m=audio 1 RTP/AVP pcma\n");
    assert_eq!(unreadable, Some((Refusal::Form, String::new())));
    // Nobody speaks there.
    assert_eq!(refused("m=audio 0 RTP/AVP 8\n"), None);
    assert_eq!(refused("m=video 1 UDP/TLS/RTP/SAVP 96\n"), None);
    assert_eq!(refused("m=audio 1 RTP/AVP 13\n"), None);
}

#[test]
fn a_line_without_sound_cannot_be_recorded() {
    assert_eq!(
        usable("m=audio 1 RTP/AVP 13 101\na=rtpmap:101 telephone-event/8000\n"),
        ""
    );
    assert_eq!(usable("m=audio 1 RTP/SAVP 8\n"), "");
    assert_eq!(usable("m=video 1 RTP/AVP 8\n"), "");
    assert_eq!(usable("m=audio 0 RTP/AVP 8\n"), "");
    assert_eq!(usable("m=audio 1 RTP/AVP 8 200 -1 x\n"), "8=PCMA");
}

#[test]
fn an_offer_of_every_payload_type_is_bounded() {
    let numbers: Vec<_> = (0..128).map(|number| number.to_string()).collect();
    let maps: String = (96..128)
        .map(|number| format!("a=rtpmap:{number} opus/48000/2\n"))
        .collect();
    let offered = line(&format!("m=audio 1 RTP/AVP {}\n{maps}", numbers.join(" ")));
    assert_eq!(offered.usable.len(), 32);
}

#[test]
fn parameters_are_echoed_where_packets_are_built_by_them() {
    let offered = line(
        "m=audio 1 RTP/AVP 98 96 101\na=rtpmap:98 AMR/8000\na=fmtp:98 octet-align=1; mode-set=7\n\
         a=rtpmap:96 opus/48000/2\na=fmtp:96 maxplaybackrate=8000\n\
         a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\n",
    );
    let answered = taken(offered.usable);
    assert_eq!(
        answered,
        [
            "m=audio 4000 RTP/AVP 96 98 101",
            "a=rtpmap:96 opus/48000/2",
            "a=fmtp:96 stereo=1;useinbandfec=1",
            "a=rtpmap:98 AMR/8000",
            "a=fmtp:98 octet-align=1; mode-set=7",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=recvonly",
        ]
    );
}

#[test]
fn a_later_offer_is_answered_with_what_both_have() {
    let first = Accepted {
        rtp_port: 4_000,
        formats: line("m=audio 1 RTP/AVP 8 0 18\n").usable,
        offered: Vec::new(),
        has_rtcp_mux: false,
        keys: None,
    };
    let numbers = |media: &str| {
        let under = first.under(&line(media))?;
        assert_eq!(
            under.formats, first.formats,
            "packets on their way are still kept"
        );
        Some(format::numbers(&under.offered))
    };
    assert_eq!(
        numbers("m=audio 1 RTP/AVP 18 0 9\n").as_deref(),
        Some("0 18")
    );
    assert_eq!(numbers("m=audio 1 RTP/AVP 9\n"), None, "another stream");
    assert_eq!(numbers("m=audio 1 RTP/AVP 8\na=rtpmap:8 PCMU/8000\n"), None);
}

/// Lines of the answer that takes these formats.
fn taken(formats: Vec<Format>) -> Vec<String> {
    let line = LocalLine {
        refused: None,
        is_label_ours: false,
        media: "audio".into(),
        protocol: "RTP/AVP".into(),
        formats: String::new(),
        label: None,
        accepted: Some(Accepted {
            rtp_port: 4_000,
            formats: formats.clone(),
            offered: formats,
            has_rtcp_mux: false,
            keys: None,
        }),
        is_receiving: true,
    };
    let text = write(7, 1, "192.0.2.9".parse().unwrap(), &[line]);
    let text = String::from_utf8(text).unwrap();
    text.lines().skip(5).map(str::to_owned).collect()
}

#[test]
fn direction_comes_from_the_line_then_the_session_then_the_default() {
    assert!(line("m=audio 1 RTP/AVP 8\n").is_active());
    assert!(!line("m=audio 1 RTP/AVP 8\na=inactive\n").is_active());
    assert!(!line("a=recvonly\nm=audio 1 RTP/AVP 8\n").is_active());
    assert!(line("a=inactive\nm=audio 1 RTP/AVP 8\na=direction:both\na=sendonly\n").is_active());
}

#[test]
fn a_zero_address_is_a_hold_and_a_missing_one_is_not() {
    let held = line("m=audio 1 RTP/AVP 8\nc=IN IP4 0.0.0.0\n");
    assert!(held.is_held && !held.is_active() && held.remote.is_none());
    let bare = read_private(b"v=0\nm=audio 1 RTP/AVP 8\na=sendonly\n").unwrap();
    assert!(bare.media[0].is_active() && bare.media[0].remote.is_none());
}

#[test]
fn a_broken_line_does_not_cost_the_recording() {
    let text = b"v=0\r\no=- -5 1 IN IP4 h\r\no=twice\r\nm=audio 9 RTP/AVP 8\r\na=label:1\r\n--foreign\r\nContent-Type: x\r\n";
    let read = read_private(text).unwrap();
    assert_eq!(read.quirks.as_slice(), [Quirk::SdpRepaired]);
    assert_eq!(read.media[0].label.as_deref(), Some("1"));
}

#[test]
fn what_has_no_media_is_refused() {
    assert_eq!(read_private(b"").err(), Some(SdpError::NoMedia));
    assert_eq!(
        read_private(b"v=0\r\ns=-\r\n").err(),
        Some(SdpError::NoMedia)
    );
    let many = format!(
        "v=0\n{}",
        "m=audio 1 RTP/AVP 8\n".repeat(MEDIA_LINES_MAX + 1)
    );
    assert_eq!(
        read_private(many.as_bytes()).err(),
        Some(SdpError::TooManyStreams)
    );
}

#[test]
fn a_line_that_cannot_be_read_keeps_its_place_with_port_0_and_costs_no_other() {
    let text =
        b"v=0\nc=IN IP4\nm=image 70000 udptl t38\nm=audio\nm=audio 1/2 RTP/AVP 8\na=label:x\n";
    let read = read_private(text).unwrap();
    let ports: Vec<_> = read.media.iter().map(|line| line.port).collect();
    assert_eq!(ports, [0, 0, 1]);
    assert_eq!(read.media[2].label.as_deref(), Some("x"));
    let usable = read.media.iter().map(MediaLine::is_usable);
    assert_eq!(usable.collect::<Vec<_>>(), [false, false, true]);
    assert!(read.quirks.as_slice().contains(&Quirk::SdpRepaired));
}

#[test]
fn of_more_lines_of_sound_than_we_take_the_first_are_taken_and_that_is_said() {
    let many = "m=video 1 RTP/AVP 96\nm=audio 1 RTP/AVP 8\n".repeat(STREAMS_MAX + 1);
    let read = read_private(format!("v=0\n{many}").as_bytes()).unwrap();
    let taken: Vec<_> = read.media.iter().map(MediaLine::is_usable).collect();
    assert_eq!(taken.iter().filter(|taken| **taken).count(), STREAMS_MAX);
    assert!(taken[1] && !taken[2 * STREAMS_MAX + 1]);
    assert!(read.quirks.as_slice().contains(&Quirk::StreamLimit));
}

#[test]
fn our_description_keeps_lines_order_and_labels() {
    let pcma = vec![Format {
        codec: Codec::Pcma,
        payload_type: 8,
        parameters: None,
    }];
    let refused = LocalLine {
        refused: None,
        is_label_ours: false,
        media: "video".into(),
        protocol: "RTP/AVP".into(),
        formats: "96 97".into(),
        label: Some("v".into()),
        accepted: None,
        is_receiving: true,
    };
    let taken = LocalLine {
        is_label_ours: false,
        media: "audio".into(),
        formats: "0 8".into(),
        label: Some("16777227".into()),
        accepted: Some(Accepted {
            rtp_port: 4_000,
            formats: pcma.clone(),
            offered: pcma,
            has_rtcp_mux: false,
            keys: None,
        }),
        ..refused.clone()
    };
    let text = write(7, 1, "192.0.2.9".parse().unwrap(), &[refused, taken]);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "v=0\r\no=voicelog 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=video 0 RTP/AVP 96 97\r\na=label:v\r\na=inactive\r\nm=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=label:16777227\r\na=recvonly\r\n"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(text in "(v=0\n)?([macots]=[a-z0-9 /.:-]{0,20}\r?\n){0,12}", tail in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = text.into_bytes();
        bytes.extend(tail);
        drop(read_private(&bytes));
    }
}
