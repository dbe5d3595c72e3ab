//! What becomes of a call of the list, by what the archive knows.

use super::*;
use voicelog_archive::journal::Cause as Ended;

pub(super) const SLACK: i64 = 30_000_000;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_795_255_200_000_000 + seconds * 1_000_000)
}

/// A minute of talk between a customer and an agent.
pub(super) fn call() -> Expected {
    Expected {
        line: 2,
        id: None,
        from: at(0),
        to: at(60),
        numbers: [Number::of("0201234567"), Number::of("201")],
        on_line: None,
    }
}

pub(super) fn recording(number: u8, from: i64, to: i64) -> Known {
    Known {
        id: RecordingId::from_bytes([number; 16]),
        line: "sales".to_owned(),
        state: State::Sealed,
        verdict: Some(Verdict::Whole),
        from: at(from),
        to: Some(at(to)),
        numbers: Some(vec![
            Number::of("sip:+31201234567@pbx.example"),
            Number::of("sip:201@pbx.example"),
        ]),
        lacking: None,
        coverage: kept(&[(from, to)]),
        cut: Some(Ended::RecordingClient),
    }
}

/// Of a recording that holds these parts, and nothing between them.
fn kept(parts: &[(i64, i64)]) -> Coverage {
    let spans = Spans::of(parts.iter().map(|(from, to)| (at(*from), at(*to))));
    Coverage {
        kept: spans.clone(),
        kept_or_withheld: spans,
    }
}

fn found(known: &[Known]) -> (Found, Option<Cause>) {
    let line = judge(&call(), &Archived::of(known.to_vec()), SLACK);
    (line.found, line.cause)
}

#[test]
fn a_call_that_is_there_is_recorded_although_clocks_differ_a_little() {
    for (from, to) in [(0, 60), (-20, 40), (25, 85), (0, 58), (-3_600, 4_000)] {
        let known = [recording(1, from, to)];
        assert_eq!(found(&known), (Found::Recorded, None), "{from} {to}");
    }
}

#[test]
fn parts_of_one_call_count_together_and_what_they_share_counts_once() {
    let parts = [recording(1, 0, 20), recording(2, 20, 60)];
    let line = judge(&call(), &Archived::of(parts.to_vec()), SLACK);
    assert_eq!((line.found, line.recordings.len()), (Found::Recorded, 2));
    let twice = [recording(1, 0, 20), recording(2, 5, 25)];
    let line = judge(&call(), &Archived::of(twice.to_vec()), SLACK);
    assert_eq!((line.found, line.covered_us), (Found::Short, 25_000_000));
}

#[test]
fn a_call_of_which_less_is_there_is_short_and_why() {
    let ended = |cut| Some(Cause::EndedEarly(Some(cut)));
    assert_eq!(
        found(&[recording(1, 0, 40)]),
        (Found::Short, ended(Ended::RecordingClient))
    );
    let mut crashed = recording(1, 0, 40);
    crashed.cut = Some(Ended::Restart);
    assert_eq!(found(&[crashed]), (Found::Short, ended(Ended::Restart)));
    assert_eq!(
        found(&[recording(1, 45, 60)]),
        (Found::Short, Some(Cause::BeganLate))
    );
}

#[test]
fn what_counts_is_what_was_kept_in_the_time_of_the_call_and_not_how_long_the_recording_lasted() {
    let early = Some(Cause::EndedEarly(Some(Ended::RecordingClient)));
    let mut hollow = recording(1, 0, 60);
    hollow.coverage = kept(&[(0, 6)]);
    let line = judge(&call(), &Archived::of(vec![hollow.clone()]), SLACK);
    assert_eq!((line.found, line.covered_us), (Found::Short, 6_000_000));
    // A long recording of which the end overlaps the call by a little.
    let mut long = call();
    long.to = at(600);
    let line = judge(&long, &Archived::of(vec![recording(1, -600, 120)]), SLACK);
    assert_eq!((line.found, line.covered_us), (Found::Short, 150_000_000));
    assert_eq!(line.cause, early);
    // What the law or a hold took away is no alarm, and is said all the same.
    hollow.coverage.kept_or_withheld = kept(&[(0, 60)]).kept;
    let line = judge(&call(), &Archived::of(vec![hollow]), SLACK);
    assert_eq!(
        (line.found, line.covered_us),
        (Found::PartlyNotPermitted, 6_000_000)
    );
    assert!(!line.found.is_alarm());
}

#[test]
fn somebody_elses_call_of_that_moment_is_not_this_one() {
    let mut other = recording(1, 0, 60);
    other.numbers = Some(vec![Number::of("0109876543"), Number::of("202")]);
    assert_eq!(found(&[other]), (Found::Missing, None));
    assert_eq!(found(&[recording(1, 4_000, 4_060)]), (Found::Missing, None));
    assert_eq!(found(&[]), (Found::Missing, None));
}

#[test]
fn a_list_that_names_the_queue_is_matched_by_the_other_number_and_the_moment() {
    let mut queue = recording(1, 3, 63);
    queue.numbers = Some(vec![Number::of("0201234567"), Number::of("333")]);
    let mut later = recording(2, 20, 80);
    later.numbers.clone_from(&queue.numbers);
    let line = judge(&call(), &Archived::of(vec![queue.clone(), later]), SLACK);
    assert_eq!(
        (line.found, line.recordings),
        (Found::Recorded, vec![queue.id])
    );
    queue.from = at(-300);
    assert_eq!(
        found(&[queue]),
        (Found::Missing, None),
        "another call of theirs"
    );
}

#[test]
fn what_is_wrong_with_a_recording_is_told() {
    let mut one_side = recording(1, 0, 60);
    for (lacking, cause) in [
        (Lacking::Silent, Cause::SideNeverSent),
        (Lacking::Absent, Cause::SideAbsent),
    ] {
        one_side.lacking = Some(lacking);
        assert_eq!(found(&[one_side.clone()]), (Found::OneSided, Some(cause)));
    }
    let mut gap = recording(1, 0, 60);
    gap.verdict = Some(Verdict::UndeclaredGap);
    assert_eq!(found(&[gap]), (Found::Gap, None));
}

#[test]
fn a_refusal_of_the_law_is_no_alarm_and_what_still_runs_is_not_judged() {
    let mut runs = recording(1, 0, 60);
    (runs.state, runs.to) = (State::Recording, None);
    assert_eq!(found(&[runs]), (Found::InProgress, None));
    assert!(!Found::PartlyNotPermitted.is_alarm() && !Found::InProgress.is_alarm());
}

#[test]
fn a_finding_is_the_same_each_time_and_another_for_another_call_or_another_finding() {
    let line = |number: u64, id: Option<&str>, found: Found| Line {
        line: number,
        id: id.map(str::to_owned),
        from: at(0),
        length_us: 60_000_000,
        covered_us: 0,
        found,
        cause: Some(Cause::NotOffered),
        recordings: Vec::new(),
    };
    let one = line(2, Some("a"), Found::Missing).finding();
    assert_eq!(
        one,
        line(9, Some("a"), Found::Missing).finding(),
        "the call that has a name may stand anywhere in the list"
    );
    let others = [
        line(2, Some("b"), Found::Missing),
        line(2, Some("a"), Found::Short),
        line(2, None, Found::Missing),
        line(3, None, Found::Missing),
    ];
    let mut all: Vec<_> = others.iter().map(Line::finding).collect();
    all.push(one);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5);
    // A list that tells the same call twice is two messages, the same two each time.
    let report = Report {
        lines: vec![line(2, Some("a"), Found::Missing); 2],
        unanswered: 0,
        unreadable: Vec::new(),
    };
    let news = report.news(at(90));
    assert_eq!(news, report.news(at(90)));
    assert_ne!(news[0], news[1]);
}
