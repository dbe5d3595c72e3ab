//! What is said of a recording that we ourselves cut short, of one without sound, and of a call that was
//! refused, not drawn or not asked for.

use super::*;
use crate::journal::{AskedBy, KEEP_RULE, KeepReason, SAMPLE_RULE, SaidBy};
use voicelog_model::Language;

#[test]
fn a_call_that_we_cut_short_says_when_and_why_and_is_never_whole() {
    for (cause, dutch, english) in [
        (
            Cause::DiskFull,
            "de opnameserver stopte op 00:03 omdat de schijf vol was; wat daarna is gezegd, is niet opgenomen",
            "the recorder stopped at 00:03 because the disk was full; what was said after that is not recorded",
        ),
        (
            Cause::Shutdown,
            "de opnameserver stopte op 00:03 omdat hij werd afgesloten; wat daarna is gezegd, is niet opgenomen",
            "the recorder stopped at 00:03 because it was shut down; what was said after that is not recorded",
        ),
    ] {
        let mut call = Call::permitted();
        call.talk(20 * MS, 150);
        call.event(3_050 * MS, ended(cause));
        let timeline = call.timeline();
        assert_eq!(timeline.verdict, Verdict::CutShort);
        assert_eq!(ending_text(&timeline, Language::Nl).unwrap(), dutch);
        assert_eq!(ending_text(&timeline, Language::En).unwrap(), english);
    }
}

#[test]
fn a_call_that_ended_by_itself_or_was_never_recorded_is_not_cut_short() {
    for end in [Cause::RecordingClient, Cause::Operator, Cause::TimeOut] {
        let mut call = Call::permitted();
        call.talk(20 * MS, 150);
        call.event(3_050 * MS, ended(end));
        let timeline = call.timeline();
        assert_eq!(timeline.verdict, Verdict::Whole, "{end:?}");
        assert_eq!(ending_text(&timeline, Language::Nl), None, "{end:?}");
    }
    let mut call = Call::new();
    call.event(2 * MS, refused());
    call.event(4_000 * MS, ended(Cause::Shutdown));
    let timeline = call.timeline();
    assert_eq!(timeline.verdict, Verdict::NotRecorded);
    assert_eq!(ending_text(&timeline, Language::En), None);
}

#[test]
fn what_a_crash_took_and_what_came_while_we_were_down_are_one_interval() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 150);
    // The last record is an event: between it and the last packet nothing is known to be lost.
    let stream = StreamNumber(1);
    let was_elsewhere = false;
    let changed = JournalEvent::SourceChanged {
        stream,
        was_elsewhere,
    };
    call.event(3_001 * MS, changed);
    let restarted_at = Timestamp::from_micros(START + 5_000 * MS);
    call.event(3_500 * MS, JournalEvent::Interrupted { restarted_at });
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(Media, 0, 3_000), (Restart, 3_000, 3_500)]
    );
    let cut = timeline.cut_short().unwrap();
    assert_eq!((cut.at_us, cut.cause), (3_000_000, Cause::Restart));
    assert_eq!(
        ending_text(&timeline, Language::En).unwrap(),
        "the recorder stopped at 00:03 because of a failure, and was started again later; what was said after that is not recorded"
    );
}

#[test]
fn a_call_of_which_no_packet_came_is_not_whole_however_short() {
    for length in [1_000, 1_900, 2_500] {
        let mut call = Call::permitted();
        call.event(length * MS, ended(Cause::RecordingClient));
        let timeline = call.timeline();
        assert_eq!(
            shape(&timeline),
            [(UndeclaredGap, 0, u64::try_from(length).unwrap())]
        );
        assert_eq!(timeline.streams[0].intervals[0].cause, Some(Cause::NoMedia));
        assert_eq!(timeline.verdict, Verdict::UndeclaredGap);
    }
    // On hold from start to end nothing was to come.
    let mut call = Call::permitted();
    let (stream, by) = (StreamNumber(1), Cause::RecordingClient);
    call.event(0, JournalEvent::StreamPaused { stream, by });
    call.event(1_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(call.timeline().verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_call_that_our_line_leaves_out_is_told_from_one_that_may_not_be_recorded() {
    let left_out = |rule: &str| JournalEvent::NotPermitted {
        decision: DecisionId::from_bytes([1; 16]),
        outcome: "permitted".into(),
        reasons: vec![Ground {
            rule: rule.into(),
            ..ground()
        }],
    };
    let not_drawn = || left_out(SAMPLE_RULE);
    let not_requested = || left_out(KEEP_RULE);
    let verdict = |events: &[JournalEvent]| {
        let mut call = Call::new();
        for event in events {
            call.event(2 * MS, event.clone());
        }
        call.event(4_000 * MS, ended(Cause::RecordingClient));
        call.timeline().verdict
    };
    assert_eq!(verdict(&[not_drawn()]), Verdict::NotDrawn);
    assert_eq!(verdict(&[refused(), not_drawn()]), Verdict::NotDrawn);
    assert_eq!(verdict(&[not_drawn(), refused()]), Verdict::NotRecorded);
    assert_eq!(verdict(&[not_requested()]), Verdict::NotRequested);
    assert_eq!(
        verdict(&[refused(), not_requested()]),
        Verdict::NotRequested
    );
    // On hold when it ended, say: what was before that is not there because nobody asked.
    assert_eq!(
        verdict(&[not_requested(), refused()]),
        Verdict::NotRequested
    );
    assert_eq!(verdict(&[refused()]), Verdict::NotRecorded);
    assert_eq!(verdict(&[]), Verdict::NotRecorded);
    // Somebody did ask, and nothing came of it: nobody is told that nobody asked.
    let asked = || JournalEvent::KeepRequested {
        reason: KeepReason::Complaint,
        by: AskedBy::Program,
        party: None,
    };
    for events in [
        vec![not_requested(), asked()],
        vec![not_requested(), asked(), refused()],
        vec![refused(), asked(), not_requested()],
    ] {
        assert_eq!(verdict(&events), Verdict::NotRecorded, "{events:?}");
    }
}

#[test]
fn a_refusal_stands_on_the_timeline_and_says_whether_recording_went_on() {
    let said = JournalEvent::RefusalSaid {
        party: "p2".into(),
        by: SaidBy::Key,
    };
    let mut call = Call::permitted();
    call.talk(20 * MS, 200);
    call.event(2_000 * MS, said.clone());
    call.event(4_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(
        comings(&call.timeline(), Language::En),
        [
            "p2 said no to the recording with a key at 00:02; recording went on after that, for the law permits it all the same"
        ]
    );
    let mut call = Call::permitted();
    call.talk(20 * MS, 100);
    call.event(2_000 * MS, said);
    let decision = DecisionId::from_bytes([3; 16]);
    let reasons = vec![ground()];
    call.event(2_000 * MS, JournalEvent::PermitEnded { decision, reasons });
    call.event(4_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(
        comings(&call.timeline(), Language::Nl),
        ["p2 zei met een toets nee tegen de opname op 00:02"]
    );
}
