//! Bodies in the dialects of products, written anew from descriptions of what they do. People and
//! numbers are made up.

use crate::client::{Request, World, answer, sdp};
use voicelog_model::StreamNumber;
use voicelog_srs::metadata::{AttributionRule, Metadata};
use voicelog_srs::{Event, LocalDirection, Offer, Quirk};

fn told(request: &Request) -> (Box<Offer>, Metadata) {
    let (_, mut offer) = World::new().offered(request);
    let metadata = offer.metadata.take().unwrap();
    (offer, metadata)
}

/// Party and rule of a stream that has one voice.
fn voice(metadata: &Metadata, number: u16) -> (&str, AttributionRule) {
    let [voice] = metadata.voices_of(StreamNumber(number)) else {
        panic!("{:?}", metadata.voices);
    };
    (&voice.party, voice.rule)
}

fn address(metadata: &Metadata, party: usize) -> &str {
    metadata.participants[party].addresses[0].expose()
}

#[test]
fn oracle_draft_ids_send_inside_the_participant_and_large_labels() {
    let offer = sdp(1, "sendonly")
        .replace("a=label:1", "a=label:16777227")
        .replace("a=label:2", "a=label:16777228");
    let xml = "<?xml version='1.0' encoding='UTF-8'?>\n<recording xmlns='urn:ietf:params:xml:ns:recording'>\n<dataMode>complete</dataMode>\n<group id=\"ZzE=\"><associate-time>2026-11-21T11:00:00</associate-time></group>\n<session id=\"czE=\"><associate-time>2026-11-21T11:00:00</associate-time><group-ref>ZzE=</group-ref></session>\n<participant id=\"cDE=\" session=\"czE=\"><nameID aor=\"sip:0201230001@10.1.1.1\"><name>0201230001</name></nameID><send>dDE=</send><associate-time>2026-11-21T11:00:00</associate-time><extensiondata xmlns:apkt=\"http:/acmepacket.example/siprec\"><apkt:callingParty>true</apkt:callingParty></extensiondata></participant>\n<participant id=\"cDI=\" session=\"czE=\"><nameID aor=\"sip:0201230002@10.1.1.2\"/><send>dDI=</send></participant>\n<stream id=\"dDE=\" session=\"czE=\"><label>16777227</label><mode>separate</mode></stream>\n<stream id=\"dDI=\" session=\"czE=\"><label>16777228</label><mode>separate</mode></stream>\n</recording>\n";
    let body = format!(
        "\r\n--unique-boundary-1\r\nContent-Type: application/sdp\r\n\r\n{offer}\r\n--unique-boundary-1\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n{xml}\r\n--foreign-boundary\r\n--unique-boundary-1--\r\n"
    );
    let request = Request::new("INVITE", 1)
        .without("Contact")
        .header("MIME-Version: 1.0")
        .header("Require: siprec")
        .header("Contact: <sip:ORG@192.0.2.10:5060;tranport=udp>;+sip.src")
        .body("multipart/mixed; boundary=unique-boundary-1", &body);
    let (offer, metadata) = told(&request);
    assert_eq!(offer.quirks, []);
    assert_eq!(
        metadata.quirks,
        [
            Quirk::MetadataTrailing,
            Quirk::NamespaceDraft,
            Quirk::TimeWithoutZone
        ]
    );
    assert_eq!(voice(&metadata, 1), ("p1", AttributionRule::Label));
    assert_eq!(voice(&metadata, 2), ("p2", AttributionRule::Label));
    assert_eq!(address(&metadata, 1), "sip:0201230002@10.1.1.2");
    assert_eq!(
        metadata.communication_sessions[0]
            .group
            .as_ref()
            .unwrap()
            .expose(),
        "ZzE="
    );
}

#[test]
fn broadworks_one_mixed_stream_no_option_tag_and_a_bare_feature_tag() {
    let offer = "v=0\r\no=BroadWorks 7 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\na=sendonly\r\nm=audio 20000 RTP/AVP 0\r\na=label:1\r\n";
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><recording_metadata xmlns=\"urn:ietf:params:xml:ns:siprec\"><dataMode>complete</dataMode><group id=\"urn:uuid:00000000-0000-4000-8000-000000000001\"/><session id=\"urn:uuid:00000000-0000-4000-8000-000000000002\"><start-time>2026-11-21T11:00:00+01:00</start-time></session><participant id=\"urn:uuid:00000000-0000-4000-8000-000000000003\" session=\"urn:uuid:00000000-0000-4000-8000-000000000002\"><aor>sip:piet@group.example</aor><name xml:lang=\"nl\">Piet Bedacht</name><send><id>urn:uuid:00000000-0000-4000-8000-000000000005</id></send></participant><participant id=\"urn:uuid:00000000-0000-4000-8000-000000000004\" session=\"urn:uuid:00000000-0000-4000-8000-000000000002\"><aor>tel:+31201230003</aor><send><id>urn:uuid:00000000-0000-4000-8000-000000000005</id></send></participant><stream id=\"urn:uuid:00000000-0000-4000-8000-000000000005\" session=\"urn:uuid:00000000-0000-4000-8000-000000000002\"><label>1</label><mode>mixed</mode></stream><extensiondata id=\"x\" parent=\"y\"><broadWorksRecordingMetadata xmlns=\"http://schema.vendor.example/callRecording\" version=\"3.0\"><userID>12345@group.example</userID></broadWorksRecordingMetadata></extensiondata></recording_metadata>";
    let body = format!(
        "--UniqueBroadWorksBoundary\r\nContent-Type:application/sdp\r\n\r\n{offer}\r\n--UniqueBroadWorksBoundary\r\nContent-Type:application/rs-metadata+xml\r\n\r\n{xml}\r\n--UniqueBroadWorksBoundary--\r\n"
    );
    let request = Request::new("INVITE", 1)
        .without("Contact")
        .header("Contact:<sip:192.0.2.10:5060>;src")
        .body("multipart/mixed;boundary=UniqueBroadWorksBoundary", &body);
    let mut world = World::new();
    let (key, offer) = world.offered(&request);
    assert_eq!(
        offer.quirks,
        [Quirk::OptionTagMissing, Quirk::SourceTagBare]
    );
    let metadata = offer.metadata.unwrap();
    assert_eq!(metadata.quirks, [Quirk::NamespaceDraft, Quirk::ManySenders]);
    let voices = metadata.voices_of(StreamNumber(1));
    assert_eq!(voices.len(), 2);
    assert_eq!(
        metadata.participants[0].name.as_ref().unwrap().expose(),
        "Piet Bedacht"
    );

    // It pauses with a re-INVITE whose address is 0.0.0.0 and updates metadata with UPDATE.
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&crate::client::ack(&request, &ok));
    world.events.clear();
    let hold = "v=0\r\no=BroadWorks 7 2 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=sendonly\r\nm=audio 20000 RTP/AVP 0\r\na=label:1\r\n";
    world.send(&Request::new("INVITE", 2).to(&ok.to_tag()).sdp(hold));
    world.expect(200);
    assert!(matches!(world.next_event(), Event::DirectionChanged { .. }));
    world.send(
        &Request::new("UPDATE", 3)
            .to(&ok.to_tag())
            .body("application/rs-metadata+xml", xml),
    );
    world.expect(200);
    let Event::MetadataChanged(metadata) = world.next_event() else {
        panic!()
    };
    assert_eq!(metadata.participants[0].pseudonym, "p1");
}

#[test]
fn ribbon_prefixed_elements_the_first_participant_sends_the_second_label() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tns:recording xmlns:tns=\"urn:ietf:params:xml:ns:recording\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<tns:datamode>complete</tns:datamode>\n<tns:session session_id=\"AAA=\"><tns:start-time>1970-05-13T00:00:01Z</tns:start-time></tns:session>\n<tns:participant participant_id=\"BBB=\"><tns:nameID aor=\"0201230004\"/></tns:participant>\n<tns:participant participant_id=\"CCC=\"><tns:nameID aor=\"0201230005\"/></tns:participant>\n<tns:stream stream_id=\"S1=\" session_id=\"AAA=\"><tns:label>1</tns:label></tns:stream>\n<tns:stream stream_id=\"S2=\" session_id=\"AAA=\"><tns:label>2</tns:label></tns:stream>\n<tns:participantstreamassoc participant_id=\"BBB=\"><tns:send>S2=</tns:send><tns:recv>S1=</tns:recv></tns:participantstreamassoc>\n<tns:participantstreamassoc participant_id=\"CCC=\"><tns:send>S1=</tns:send><tns:recv>S2=</tns:recv></tns:participantstreamassoc>\n<callData xmlns=\"http://vendor.example/callData\"><fromhdr>x</fromhdr></callData>\n</tns:recording>";
    let (_, metadata) = told(&Request::invite().both(&sdp(1, "sendonly"), xml));
    assert_eq!(metadata.quirks, [Quirk::NamespaceDraft, Quirk::ClockNotSet]);
    assert_eq!(voice(&metadata, 1), ("p2", AttributionRule::Label));
    assert_eq!(voice(&metadata, 2), ("p1", AttributionRule::Label));
    assert_eq!(address(&metadata, 0), "0201230004");
}

#[test]
fn opensips_no_send_anywhere_a_bare_ampersand_and_no_connection_line() {
    let offer = "v=0\r\no=- 7382 7382 IN IP4 0.0.0.0\r\ns=proxy\r\nt=0 0\r\nm=audio 10018 RTP/AVP 8 101\r\na=label:0\r\na=sendonly\r\nm=audio 10020 RTP/AVP 8 101\r\na=label:1\r\na=sendonly\r\n";
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<recording xmlns='urn:ietf:params:xml:ns:recording:1'>\r\n\t<datamode>complete</datamode>\r\n\t<session session_id=\"AAAA==\">\r\n\t\t<sipSessionID>call@10.0.0.1</sipSessionID>\r\n\t</session>\r\n\t<participant participant_id=\"BBBB==\">\r\n\t\t<nameID aor=\"sip:@office.example?a=1&b=2\">\r\n\t\t\t<name>desk-1</name>\r\n\t\t</nameID>\r\n\t</participant>\r\n\t<participant participant_id=\"CCCC==\">\r\n\t\t<nameID aor=\"sip:8002@office.example\"/>\r\n\t</participant>\r\n\t<stream stream_id=\"DDDD==\" session_id=\"AAAA==\">\r\n\t\t<label>0</label>\r\n\t</stream>\r\n\t<stream stream_id=\"EEEE==\" session_id=\"AAAA==\">\r\n\t\t<label>1</label>\r\n\t</stream>\r\n\t<sessionrecordingassoc session_id=\"AAAA==\"><associate-time>2026-11-21T11:00:00+0100</associate-time></sessionrecordingassoc>\r\n\t<participantstreamassoc participant_id=\"BBBB==\">\r\n\t</participantstreamassoc>\r\n</recording>\r\n";
    let body = format!(
        "--OSS-unique-boundary-42\r\nContent-Type: application/sdp\r\n\r\n{offer}\r\n--OSS-unique-boundary-42\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n{xml}--OSS-unique-boundary-42--"
    );
    let request = Request::invite().body("multipart/mixed;boundary=OSS-unique-boundary-42", &body);
    let (offer, metadata) = told(&request);
    assert!(
        offer
            .streams
            .iter()
            .all(|stream| stream.is_active() && stream.remote.is_none())
    );
    assert_eq!(metadata.quirks, [Quirk::MetadataAmpersand]);
    assert_eq!(address(&metadata, 0), "sip:@office.example?a=1&b=2");
    // A guess, and marked as one.
    assert_eq!(voice(&metadata, 1), ("p1", AttributionRule::Order));
    assert!(!voice(&metadata, 2).1.is_verified());
}

#[test]
fn netsapiens_labels_come_back_and_a_new_call_of_the_same_group_is_linked() {
    let xml = |call: &str, seq: u8| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><recording xmlns=\"urn:ietf:params:xml:ns:recording:1\" xmlns:ns=\"http://vendor.example/siprec\"><datamode>complete</datamode><group group_id=\"R1JQ\"><ns:groupSeq>{seq}</ns:groupSeq></group><session session_id=\"{call}\"><group-ref>R1JQ\n</group-ref></session><participant participant_id=\"{call}@pbx.example\"><nameID aor=\"sip:101@pbx.example\"><name>Desk 101</name></nameID></participant><participant participant_id=\"remote-{call}\"><nameID aor=\"sip:+31201230006@pbx.example\"/></participant><stream stream_id=\"1\" session_id=\"{call}\"><label>1</label></stream><stream stream_id=\"2\" session_id=\"{call}\"><label>2</label></stream><participantstreamassoc participant_id=\"{call}@pbx.example\"><send>1</send><recv>2</recv></participantstreamassoc><participantstreamassoc participant_id=\"remote-{call}\"><send>2</send><recv>1</recv></participantstreamassoc></recording>"
        )
    };
    let mut world = World::new();
    let mut groups = Vec::new();
    for (call, seq) in [("first", 1), ("second", 2)] {
        let invite = Request::invite()
            .call(call)
            .both(&sdp(1, "sendonly"), &xml(call, seq));
        let (key, offer) = world.offered(&invite);
        let metadata = offer.metadata.unwrap();
        assert_eq!(metadata.quirks, []);
        assert_eq!(voice(&metadata, 1), ("p1", AttributionRule::Label));
        groups.push(metadata.communication_sessions[0].group.clone().unwrap());
        world.command(key, answer(LocalDirection::Receive));
        let ok = world.expect(200);
        assert!(ok.body().contains("a=label:1") && ok.body().contains("a=label:2"));
    }
    assert_eq!(groups[0], groups[1]);
    assert_eq!(groups[0].expose(), "R1JQ");
}

#[test]
fn cisco_a_third_part_inactive_streams_and_associations_without_send() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><datamode>complete</datamode><session session_id=\"s\"><sipSessionID>0123;remote=4567</sipSessionID></session><participant participant_id=\"a\"><nameID aor=\"sip:1001@10.0.0.1\"/></participant><participantsessionassoc participant_id=\"a\" session_id=\"s\"/><stream stream_id=\"x\" session_id=\"s\"><label>1</label></stream><stream stream_id=\"y\" session_id=\"s\"><label>2</label></stream><participant participant_id=\"b\"><nameID aor=\"sip:1002@10.0.0.1\"/></participant><participantstreamassoc participant_id=\"a\"/><participantstreamassoc participant_id=\"b\"/></recording>";
    let offer = sdp(1, "inactive").replace("RTP/AVP 0 8 101", "RTP/AVP 0 101 19");
    let body = format!(
        "--u\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session;handling=required\r\n\r\n{xml}\r\n--u\r\nContent-Type: application/gtd\r\nContent-Disposition: signal;handling=optional\r\n\r\nIAM,\r\nPRN,x\r\n\r\n--u\r\nContent-Type: application/sdp\r\nContent-Disposition: session;handling=required\r\n\r\n{offer}\r\n--u--\r\n"
    );
    let request = Request::new("INVITE", 1)
        .header("Require: 100rel,siprec")
        .body("multipart/mixed;boundary=u", &body);
    let (offer, metadata) = told(&request);
    assert_eq!(offer.quirks, [Quirk::PartIgnored]);
    assert!(offer.streams.iter().all(|stream| !stream.is_active()));
    assert_eq!(voice(&metadata, 2), ("p2", AttributionRule::Order));
}

#[test]
fn metaswitch_one_stream_for_both_and_the_old_media_type() {
    let xml = "<recording xmlns=\"urn:ietf:params:xml:ns:recording\"><datamode>complete</datamode><session session_id=\"s\"/><participant participant_id=\"a\"><nameID aor=\"sip:a@x.example\"/></participant><participant participant_id=\"b\"><nameID aor=\"sip:b@x.example\"/></participant><stream id=\"t\" session_id=\"s\"><label>9</label></stream><participantstreamassoc participant_id=\"a\"><send>t</send><recv>t</recv></participantstreamassoc><participantstreamassoc participant_id=\"b\"><send>t</send><recv>t</recv></participantstreamassoc><metaswitchRecordingMetadata xmlns=\"\"/></recording>";
    let body = format!(
        "--m\nContent-Type: application/sdp\n\nv=0\nm=audio 9000 RTP/AVP 8\na=label:9\n--m\nContent-Type: application/rs-metadata\n\n{xml}\n--m--"
    );
    let (_, metadata) = told(&Request::invite().body("multipart/mixed; boundary=m", &body));
    assert_eq!(metadata.quirks, [Quirk::NamespaceDraft, Quirk::ManySenders]);
    assert_eq!(metadata.raw.expose(), xml.as_bytes());
}

#[test]
fn avaya_a_stand_in_is_replaced_by_the_real_participant_in_an_update() {
    let xml = |person: &str, id: &str| {
        format!(
            "<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><dataMode>complete</dataMode><session session_id=\"00FA1234\"/><participant participant_id=\"a\"><nameID aor=\"sip:desk@x.example\"/></participant><participant participant_id=\"{id}\"><nameID aor=\"{person}\"/></participant><stream stream_id=\"t1\" session_id=\"00FA1234\"><label>1</label></stream><stream stream_id=\"t2\" session_id=\"00FA1234\"><label>2</label></stream><stream stream_id=\"\" session_id=\"00FA1234\"><label>20</label></stream><participantstreamassoc participant_id=\"a\"><send>t1</send></participantstreamassoc><participantstreamassoc participant_id=\"{id}\"><send>t2</send></participantstreamassoc></recording>"
        )
    };
    let mut world = World::new();
    let invite =
        Request::invite().both(&sdp(1, "sendonly"), &xml("sip:standin@vendor.example", "z"));
    let (key, offer) = world.offered(&invite);
    let metadata = offer.metadata.unwrap();
    assert_eq!(metadata.quirks, [Quirk::UnclaimedLabel]);
    assert_eq!(voice(&metadata, 2), ("p2", AttributionRule::Label));
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&crate::client::ack(&invite, &ok));
    world.events.clear();
    let update = Request::new("UPDATE", 2)
        .to(&ok.to_tag())
        .body("application/rs-metadata+xml", &xml("tel:+31201230007", "r"));
    world.send(&update);
    let Event::MetadataChanged(metadata) = world.next_event() else {
        panic!()
    };
    assert_eq!(voice(&metadata, 2), ("p3", AttributionRule::Label));
    assert_eq!(address(&metadata, 2), "tel:+31201230007");
    assert!(metadata.participants[1].has_left && !metadata.participants[2].has_left);
}

#[test]
fn sems_foreign_labels_no_closing_boundary_and_an_attribute_that_is_none() {
    let offer = sdp(1, "sendonly")
        .replace("a=label:1", "a=label:a_leg\r\na=direction:both")
        .replace("a=label:2", "a=label:b_leg");
    let xml = crate::client::METADATA.replace("sip:ewa@shop.example", "Extension-12");
    let body = format!(
        "--b\r\nContent-Type: application/sdp\r\n\r\n{offer}\r\n--b\r\nContent-Type: application/rs-metadata\r\n\r\n{xml}"
    );
    let (offer, metadata) = told(&Request::invite().body("multipart/mixed;boundary=b", &body));
    assert_eq!(offer.quirks, [Quirk::MultipartNotClosed]);
    assert_eq!(
        metadata.quirks,
        [Quirk::UnknownLabel, Quirk::UnclaimedLabel]
    );
    assert_eq!(voice(&metadata, 1), ("p1", AttributionRule::Send));
    assert_eq!(address(&metadata, 0), "Extension-12");
}
