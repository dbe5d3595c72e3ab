//! Whose voice is it, when the labels and the clock of a client cannot be trusted.

use crate::client::{METADATA, Request, World, sdp};
use voicelog_model::StreamNumber;
use voicelog_srs::Quirk;
use voicelog_srs::metadata::{AttributionRule, Metadata};

fn told(sdp: &str, metadata: &str) -> (Metadata, Vec<Quirk>) {
    let (_, mut offer) = World::new().offered(&Request::invite().both(sdp, metadata));
    (offer.metadata.take().unwrap(), offer.quirks)
}

/// Parties and rules of both streams.
fn voices(metadata: &Metadata) -> [Vec<(String, AttributionRule)>; 2] {
    [1, 2].map(|number| {
        let voices = metadata.voices_of(StreamNumber(number)).iter();
        voices
            .map(|voice| (voice.party.clone(), voice.rule))
            .collect()
    })
}

fn one(party: &str, rule: AttributionRule) -> Vec<(String, AttributionRule)> {
    vec![(party.to_owned(), rule)]
}

#[test]
fn lines_in_another_order_than_the_metadata_are_matched_by_label() {
    let crossed = sdp(1, "sendonly")
        .replace("a=label:1", "a=label:x")
        .replace("a=label:2", "a=label:1")
        .replace("a=label:x", "a=label:2");
    let (metadata, _) = told(&crossed, METADATA);
    assert_eq!(metadata.quirks, []);
    let [first, second] = voices(&metadata);
    assert_eq!(first, one("p2", AttributionRule::Label));
    assert_eq!(second, one("p1", AttributionRule::Label));
}

#[test]
fn lines_without_labels_are_matched_by_place_and_it_is_said() {
    let bare = sdp(1, "sendonly")
        .replace("a=label:1\r\n", "")
        .replace("a=label:2\r\n", "");
    let (metadata, quirks) = told(&bare, METADATA);
    assert_eq!(quirks, [Quirk::LabelMissing]);
    assert_eq!(metadata.quirks, [Quirk::UnclaimedLabel]);
    let [first, second] = voices(&metadata);
    assert_eq!(first, one("p1", AttributionRule::Send));
    assert_eq!(second, one("p2", AttributionRule::Send));
}

#[test]
fn one_label_that_fits_keeps_the_other_line_from_being_guessed() {
    let half = sdp(1, "sendonly").replace("a=label:2", "a=label:9");
    let (metadata, _) = told(&half, METADATA);
    assert_eq!(
        metadata.quirks,
        [Quirk::UnknownLabel, Quirk::UnclaimedLabel, Quirk::NoSender]
    );
    let [first, second] = voices(&metadata);
    assert_eq!(first, one("p1", AttributionRule::Label));
    assert_eq!(second, []);
}

#[test]
fn a_label_of_two_lines_is_a_claim_and_no_fact() {
    let twice = sdp(1, "sendonly").replace("a=label:2", "a=label:1");
    let (metadata, quirks) = told(&twice, METADATA);
    assert_eq!(quirks, [Quirk::DuplicateLabel]);
    assert_eq!(
        metadata.quirks,
        [Quirk::DuplicateLabel, Quirk::UnclaimedLabel]
    );
    let both = one("p1", AttributionRule::Send);
    assert_eq!(voices(&metadata), [both.clone(), both]);
    assert!(!AttributionRule::Send.is_verified());
}

#[test]
fn a_label_of_two_streams_in_the_metadata_is_a_mix_and_not_a_choice() {
    let twice = METADATA.replace("<label>2</label>", "<label>1</label>");
    let (metadata, _) = told(&sdp(1, "sendonly"), &twice);
    assert_eq!(
        metadata.quirks,
        [
            Quirk::DuplicateLabel,
            Quirk::UnknownLabel,
            Quirk::ManySenders,
            Quirk::NoSender
        ]
    );
    let [first, second] = voices(&metadata);
    assert_eq!((first.len(), second.len()), (2, 0));
}

#[test]
fn a_stream_with_two_senders_belongs_to_neither() {
    let both = METADATA.replace("<send>czI=</send>", "<send>czE=</send>");
    let (metadata, _) = told(&sdp(1, "sendonly"), &both);
    assert_eq!(metadata.quirks, [Quirk::ManySenders, Quirk::NoSender]);
    assert_eq!(voices(&metadata)[0].len(), 2);
}

#[test]
fn times_are_claims_that_change_nothing_wherever_the_clock_stands_and_odd_ones_are_said() {
    let (wanted, _) = told(&sdp(1, "sendonly"), METADATA);
    let none: &[Quirk] = &[];
    for (time, odd) in [
        ("1970-01-01T00:00:00Z", &[Quirk::ClockNotSet][..]),
        (
            "1970-05-13T01:02:03.004",
            &[Quirk::ClockNotSet, Quirk::TimeWithoutZone],
        ),
        ("2026-11-21T11:00:00", &[Quirk::TimeWithoutZone]),
        ("2026-11-21T11:00:00+0100", none),
        ("2126-02-30T25:61:61Z", none),
        ("yesterday", none),
        ("", none),
    ] {
        let timed = METADATA.replace(
            "</participant>",
            &format!("<associate-time>{time}</associate-time><start-time>{time}</start-time></participant>"),
        ).replace("<sipSessionID>", &format!("<start-time>{time}</start-time><stop-time>{time}</stop-time><sipSessionID>"));
        let (metadata, quirks) = told(&sdp(1, "sendonly"), &timed);
        assert_eq!(
            (quirks, metadata.quirks.as_slice()),
            (vec![], odd),
            "{time}"
        );
        assert_eq!(metadata.participants, wanted.participants);
        assert_eq!(metadata.voices, wanted.voices);
    }
}
