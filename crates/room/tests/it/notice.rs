//! The notice that the host's device plays: looked for in what the devices record, and what follows.

use crate::support::{Place, SECOND, START, place, place_with_notice, record, timeline, until};
use voicelog_archive::timeline::NoticeMark;
use voicelog_room::{Act, NoticeState};

/// Three seconds at 48 kHz of what is as lively as speech: every 80 ms another pitch and another loudness.
fn spoken() -> Vec<i16> {
    let mut random = 7_u32;
    let mut wave = 0_i32;
    let mut samples = Vec::new();
    for _syllable in 0..37 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let step = i32::try_from(600 + (random >> 20)).unwrap();
        let loud = i32::try_from(1 + (random >> 8) % 8).unwrap();
        for _sample in 0..3_840 {
            wave = (wave + step) % 65_536;
            let tooth = (wave - 32_768).abs() - 16_384;
            samples.push(i16::try_from(tooth * loud / 9).unwrap());
        }
    }
    samples
}

/// The same through the air: four times as quiet, above a noise.
fn through_the_air(samples: &[i16]) -> Vec<i16> {
    let mut random = 9_u32;
    let noise = |sample: &i16| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        sample / 4 + i16::try_from(random >> 25).unwrap() - 64
    };
    samples.iter().map(noise).collect()
}

fn notices(place: &Place, id: voicelog_model::RecordingId) -> Vec<NoticeMark> {
    timeline(&place.closed(id)).notices.clone()
}

#[test]
fn what_a_device_heard_of_the_notice_stands_in_the_timeline_with_its_place() {
    let place = place_with_notice(&spoken());
    let meeting = place.recording();
    assert_eq!(
        place.state(&meeting.host).notice,
        Some(NoticeState::Awaited)
    );
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    device.hears.extend(through_the_air(&spoken()));
    record(&place, &mut [&mut device], 6);
    device.send();
    until("it is heard", || {
        (place.state(&meeting.host).notice == Some(NoticeState::Heard)).then_some(())
    });
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let notices = notices(&place, meeting.id);
    let [mark] = &notices[..] else {
        panic!("{notices:?}")
    };
    let heard = mark.heard.unwrap();
    assert!(mark.at_us.abs_diff(2_000_000) < 200_000, "{mark:?}");
    assert!(heard.length_us.abs_diff(2_960_000) < 200_000, "{mark:?}");
    assert_eq!(heard.stream.0, device.track);
}

#[test]
fn a_notice_that_was_not_heard_in_its_time_is_missed_and_the_recording_goes_on() {
    let place = place_with_notice(&spoken());
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 32);
    device.send();
    place.rooms.tick();
    assert_eq!(
        place.state(&meeting.host).notice,
        Some(NoticeState::Awaited)
    );
    record(&place, &mut [&mut device], 2);
    device.send();
    until("it is missed", || {
        place.rooms.tick();
        (place.state(&meeting.host).notice == Some(NoticeState::Missed)).then_some(())
    });
    // Said too late it is not heard any more.
    device.hears.extend(spoken());
    record(&place, &mut [&mut device], 4);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let notices = notices(&place, meeting.id);
    let [mark] = &notices[..] else {
        panic!("{notices:?}")
    };
    assert_eq!(mark.heard, None);
    assert!(mark.at_us >= 33_000_000);
}

#[test]
fn what_a_device_has_not_sent_yet_is_waited_for() {
    let place = place_with_notice(&spoken());
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    device.hears.extend(spoken());
    record(&place, &mut [&mut device], 60);
    place.rooms.tick();
    assert_eq!(
        place.state(&meeting.host).notice,
        Some(NoticeState::Awaited)
    );
    device.send();
    until("it is heard", || {
        (place.state(&meeting.host).notice == Some(NoticeState::Heard)).then_some(())
    });
}

#[test]
fn where_no_device_sends_anything_it_is_missed_after_two_minutes_more() {
    let place = place_with_notice(&spoken());
    let meeting = place.recording();
    place.wait(150 * SECOND);
    place.rooms.tick();
    assert_eq!(
        place.state(&meeting.host).notice,
        Some(NoticeState::Awaited)
    );
    place.wait(5 * SECOND);
    place.rooms.tick();
    assert_eq!(place.state(&meeting.host).notice, Some(NoticeState::Missed));
}

#[test]
fn a_talk_that_ends_before_its_notice_says_that_it_was_not_heard() {
    let place = place_with_notice(&spoken());
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let notices = notices(&place, meeting.id);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].heard, None);
    assert!(START < place.now());
}

#[test]
fn a_kind_of_talk_without_a_notice_says_nothing_of_one() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    device.hears.extend(spoken());
    record(&place, &mut [&mut device], 4);
    assert_eq!(place.state(&meeting.host).notice, None);
    assert_eq!(place.rooms.notice(&meeting.host).unwrap(), None);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    assert_eq!(notices(&place, meeting.id), []);
}
