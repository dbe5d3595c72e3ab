//! What a call without names can explain of a list, and what it can't.

use super::super::tests::{SLACK, at, call, recording};
use super::super::{Report, judge};
use super::*;

fn unnamed(number: u8, from: i64, line: &str, verdict: Verdict) -> Known {
    Known {
        state: State::NotRecorded,
        verdict: Some(verdict),
        line: line.to_owned(),
        numbers: None,
        ..recording(number, from, from + 60)
    }
}

fn destroyed(number: u8, from: i64) -> Known {
    Known {
        state: State::Destroyed,
        ..unnamed(number, from, "", Verdict::Whole)
    }
}

fn on(line: Option<&str>, from: i64) -> Expected {
    Expected {
        from: at(from),
        to: at(from + 60),
        on_line: line.map(str::to_owned),
        ..call()
    }
}

fn lines(names: &[&str]) -> Lines {
    let lines = names.iter().map(|name| {
        let line = voicelog_archive::Line::not_set_up(name);
        voicelog_archive::Line {
            is_default: *name == "rest",
            ..line
        }
    });
    Lines::new(lines.collect())
}

/// What became of each call of a list: nothing where it is missing.
fn explained(calls: &[Expected], known: Vec<Known>, set_up: &[&str]) -> Vec<Option<Guess>> {
    let known = Archived::of(known);
    let mut judged: Vec<Line> = calls
        .iter()
        .map(|call| judge(call, &known, SLACK))
        .collect();
    match_by_moment(&mut judged, calls, &known, &lines(set_up), SLACK);
    let guess = |line: &Line| match (line.found, &line.cause) {
        (Found::Perhaps, Some(Cause::Perhaps(guess))) => Some(*guess),
        (Found::Missing, None) => None,
        other => panic!("{other:?}"),
    };
    judged.iter().map(guess).collect()
}

#[test]
fn a_call_of_which_nobody_is_known_explains_one_line_of_its_moment_and_only_perhaps() {
    let known = vec![
        unnamed(1, -2, "sales", Verdict::NotRecorded),
        destroyed(2, 5),
        destroyed(3, 40),
    ];
    let calls: Vec<_> = (0..4).map(|_| on(None, 0)).collect();
    assert_eq!(
        explained(&calls, known, &["sales"]),
        [
            Some(Guess::NotPermitted),
            Some(Guess::Destroyed),
            None,
            None
        ]
    );
}

#[test]
fn not_drawn_not_asked_for_not_permitted_and_a_line_that_is_not_set_up_are_told_apart() {
    let known = vec![
        unnamed(1, 0, "sales", Verdict::NotDrawn),
        unnamed(2, 100, "sales", Verdict::NotRequested),
        unnamed(3, 200, "sales", Verdict::NotRecorded),
        unnamed(4, 300, LINE_NOT_SET_UP, Verdict::NotRecorded),
        Known {
            state: State::Waiting,
            ..unnamed(5, 400, "sales", Verdict::NotRecorded)
        },
        Known {
            state: State::Sealed,
            ..unnamed(6, 500, "sales", Verdict::Whole)
        },
    ];
    let calls: Vec<_> = (0..6).map(|place| on(None, place * 100)).collect();
    assert_eq!(
        explained(&calls, known, &["sales"]),
        [
            Some(Guess::NotDrawn),
            Some(Guess::NotRequested),
            Some(Guess::NotPermitted),
            Some(Guess::LineNotSetUp),
            Some(Guess::InProgress),
            Some(Guess::KeyGone),
        ]
    );
}

#[test]
fn a_call_on_another_line_explains_nothing_where_the_list_tells_the_line() {
    let known = || vec![unnamed(1, 0, "sample", Verdict::NotDrawn)];
    let set_up = ["sales", "sample"];
    assert_eq!(explained(&[on(Some("sales"), 0)], known(), &set_up), [None]);
    assert_eq!(
        explained(&[on(Some("SAMPLE"), 0)], known(), &set_up),
        [Some(Guess::NotDrawn)]
    );
    // What is known of no line fits any; whoever tells its line chooses first.
    let calls = [on(None, 0), on(Some("sample"), 0)];
    assert_eq!(
        explained(&calls, known(), &set_up),
        [None, Some(Guess::NotDrawn)]
    );
    // Nobody knows the line of a destroyed one any more.
    assert_eq!(
        explained(&[on(Some("sales"), 0)], vec![destroyed(1, 0)], &set_up),
        [Some(Guess::Destroyed)]
    );
}

#[test]
fn a_line_that_is_named_by_its_number_is_known_by_the_number_that_was_called() {
    let mut called = on(None, 0);
    called.numbers = [Number::of("0687654321"), Number::of("020-7654321")];
    let known = || vec![unnamed(1, 0, "sample", Verdict::NotDrawn)];
    let calls = [called];
    assert_eq!(
        explained(&calls, known(), &["+31207654321", "sample"]),
        [None]
    );
    let known = vec![unnamed(1, 0, "+31207654321", Verdict::NotRecorded)];
    assert_eq!(
        explained(&calls, known, &["+31207654321", "sample"]),
        [Some(Guess::NotPermitted)]
    );
}

#[test]
fn a_name_that_is_no_line_fits_calls_that_were_not_set_up_or_those_of_the_default_line() {
    let calls = [on(Some("verkop"), 0)];
    let wrong = || vec![unnamed(1, 0, LINE_NOT_SET_UP, Verdict::NotRecorded)];
    assert_eq!(
        explained(&calls, wrong(), &["verkoop"]),
        [Some(Guess::LineNotSetUp)]
    );
    assert_eq!(
        explained(&[on(Some("verkoop"), 0)], wrong(), &["verkoop"]),
        [None]
    );
    let rest = vec![unnamed(1, 0, "rest", Verdict::NotRecorded)];
    assert_eq!(
        explained(&calls, rest, &["verkoop", "rest"]),
        [Some(Guess::NotPermitted)]
    );
}

#[test]
fn as_many_lines_are_explained_as_can_be_in_whatever_order_the_list_has_them() {
    let known = || {
        vec![
            unnamed(1, 4, "sales", Verdict::NotDrawn),
            unnamed(2, 29, "sales", Verdict::NotDrawn),
        ]
    };
    // The first is nearest to both, and the second in reach of one only.
    let mut calls = [on(None, 0), on(None, -25)];
    let both = [Some(Guess::NotDrawn); 2];
    assert_eq!(explained(&calls, known(), &["sales"]), both);
    calls.reverse();
    assert_eq!(explained(&calls, known(), &["sales"]), both);
}

#[test]
fn perhaps_is_neither_accounted_for_nor_an_alarm() {
    let calls = [on(None, 0)];
    let known = Archived::of(vec![destroyed(1, 0)]);
    let mut judged = vec![judge(&calls[0], &known, SLACK)];
    match_by_moment(&mut judged, &calls, &known, &lines(&[]), SLACK);
    let report = Report {
        lines: judged,
        unanswered: 0,
        unreadable: Vec::new(),
    };
    assert!(!report.is_clean() && !report.has_alarms());
    assert_eq!(report.news(at(0)), []);
    let json = report.to_json(Language::En);
    assert_eq!(json["counts"]["perhaps"], 1);
    assert_eq!(json["perhaps"]["destroyed"], 1);
    assert_eq!(json["lines"][0]["cause"], "destroyed");
}
