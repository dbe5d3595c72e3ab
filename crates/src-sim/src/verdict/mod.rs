//! The verdict on an installation: what the server did, held against what it should have done,
//! line by line, each with what to do about it. Dutch and English.

mod archive;
mod unrecorded;

use crate::load::LoadReport;
use crate::report::{CallReport, Outcome, StreamReport};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;
use voicelog_model::Language;

pub use archive::{Kept, KeptStream, judge_archive};
pub use unrecorded::{Because, Unrecorded};

/// What came of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It is as it should be.
    Held,
    /// It is not.
    Failed,
    /// Nobody looked: there was no way to.
    NotChecked,
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

impl Advice {
    pub(crate) fn new(nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            nl: nl.into(),
            en: en.into(),
        }
    }

    /// The text in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        language.pick(&self.nl, &self.en)
    }
}

impl Serialize for Advice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BTreeMap::from([("nl", &self.nl), ("en", &self.en)]).serialize(serializer)
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its word, for programs.
    pub name: &'static str,
    /// What came of it.
    pub finding: Finding,
    /// What was seen.
    pub seen: Advice,
    /// What to do about it, where it failed or could not be looked at.
    pub to_do: Option<Advice>,
}

impl Check {
    pub(crate) fn new(name: &'static str, holds: bool, seen: Advice, to_do: Advice) -> Self {
        Self {
            name,
            finding: if holds {
                Finding::Held
            } else {
                Finding::Failed
            },
            seen,
            to_do: (!holds).then_some(to_do),
        }
    }

    /// A check that nobody could make.
    #[must_use]
    pub const fn not_checked(name: &'static str, seen: Advice, to_do: Advice) -> Self {
        Self {
            name,
            finding: Finding::NotChecked,
            seen,
            to_do: Some(to_do),
        }
    }
}

/// All checks together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In the order in which a person looks.
    pub checks: Vec<Check>,
}

impl Verdict {
    /// Whether nothing failed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.count(Finding::Failed) == 0
    }

    /// How many checks came to this.
    #[must_use]
    pub fn count(&self, finding: Finding) -> usize {
        let same = |check: &&Check| check.finding == finding;
        self.checks.iter().filter(same).count()
    }
}

/// What the server's answers say, and what this sender did itself.
///
/// `answer_within`: 95 of 100 calls have their answer in this time. `unrecorded`: calls of the line that
/// the archive holds as not recorded, where somebody looked.
#[must_use]
pub fn judge(load: &LoadReport, answer_within: Duration, unrecorded: &[Unrecorded]) -> Vec<Check> {
    vec![
        answered(load),
        well_answered(load),
        wanted(load, unrecorded),
        in_time(load, answer_within),
        ended(load),
        sent_in_time(load),
    ]
}

fn answered(load: &LoadReport) -> Check {
    let all = load.calls.len();
    let good = load.calls.iter().filter(|c| c.answer.is_some()).count();
    let first = load.calls.iter().find(|call| call.answer.is_none());
    let (why, to_do) = first.map_or_else(
        || (String::new(), Advice::new("", "")),
        |call| {
            (
                format!(" ({}: {})", call.dialect, why_not(call)),
                instead(call),
            )
        },
    );
    let seen = Advice::new(
        format!("{good} van {all} gesprekken aangenomen{why}"),
        format!("{good} of {all} calls answered{why}"),
    );
    Check::new("answered", good == all, seen, to_do)
}

fn why_not(call: &CallReport) -> String {
    match &call.outcome {
        Outcome::Refused {
            status,
            reason,
            retry_after,
        } => {
            let later = retry_after.map(|seconds| format!(", Retry-After: {seconds}"));
            format!("{status} {reason}{}", later.unwrap_or_default())
        }
        Outcome::BadAnswer { why } | Outcome::Unreachable { why } => why.clone(),
        Outcome::NoAnswer | Outcome::Ended { .. } => "-".to_owned(),
    }
}

/// What to do when a call was not answered.
fn instead(call: &CallReport) -> Advice {
    let status = match &call.outcome {
        Outcome::Refused { status, .. } => *status,
        Outcome::BadAnswer { .. } => 200,
        _ => 0,
    };
    match status {
        0 => Advice::new(
            "Er kwam geen antwoord. Kijk of het adres en de poort kloppen, of de server draait (`/v1/health`), en of \
             een firewall SIP tegenhoudt.",
            "There was no answer. See whether address and port are right, whether the server runs (`/v1/health`), \
             and whether a firewall stops SIP.",
        ),
        403 | 603 => Advice::new(
            "De lijn weigert gesprekken die niet mogen. Het oordeel staat op de pagina van het gesprek en bij \
             `voicelog show ID`.",
            "The line refuses calls that may not be recorded. The decision is on the page of the call and in \
             `voicelog show ID`.",
        ),
        503 => Advice::new(
            "De server neemt nu niets aan: te veel gesprekken (`calls_max`), te weinig ruimte op de schijf \
             (`keep_free_mib`), of hij stopt. `/v1/health` zegt welk van de drie.",
            "The server takes nothing now: too many calls (`calls_max`), too little room on the disk \
             (`keep_free_mib`), or it is stopping. `/v1/health` says which of the three.",
        ),
        488 => Advice::new(
            "De server vindt in het aanbod niets wat hij kan opnemen. Kijk bij de codec en bij de versleuteling van \
             het geluid.",
            "The server finds nothing in the offer that it can record. Look at the codec and at the encryption of \
             the media.",
        ),
        _ => Advice::new(
            "Zoek de reden in het logboek van de server, op het tijdstip van de proef.",
            "Look for the reason in the server's log, at the time of the test.",
        ),
    }
}

/// RFC 3264 §6 and RFC 7866 §7.1.1: as many lines, in the same order, with the labels that were given.
fn well_answered(load: &LoadReport) -> Check {
    let wrong = |call: &CallReport| {
        let answer = call.answer.as_ref()?;
        if answer.lines != call.streams.len() {
            return Some(format!("m= {} / {}", answer.lines, call.streams.len()));
        }
        let labels = answer.streams.iter().zip(&call.streams);
        let mut labels = labels.filter(|_| call.dialect.says_labels());
        let other = labels.find(|(got, sent)| got.label.as_deref() != Some(&sent.label));
        other.map(|(got, sent)| {
            let got = got.label.as_deref().unwrap_or("-");
            format!("a=label {got} / {}", sent.label)
        })
    };
    let faults: Vec<_> = load
        .calls
        .iter()
        .filter_map(|call| Some((call.dialect, wrong(call)?)))
        .collect();
    let example = faults
        .first()
        .map(|(dialect, what)| format!(" ({dialect}: {what})"));
    let example = example.unwrap_or_default();
    let count = faults.len();
    Check::new(
        "answer_form",
        count == 0,
        Advice::new(
            format!("{count} antwoorden met andere m=-regels of labels dan het aanbod{example}"),
            format!("{count} answers with other m= lines or labels than the offer{example}"),
        ),
        Advice::new(
            "Sommige centrales sturen dan geen geluid. Dit is een fout van de server: meld hem.",
            "Some exchanges then send no media. This is a fault of the server: report it.",
        ),
    )
}

fn wanted(load: &LoadReport, unrecorded: &[Unrecorded]) -> Check {
    let answers: Vec<_> = load.calls.iter().filter(|c| c.answer.is_some()).collect();
    let takes = |call: &&&CallReport| call.answer.as_ref().is_some_and(|a| a.receives());
    let good = answers.iter().filter(takes).count();
    let all = answers.len();
    // Who takes part is told later in this dialect: who waits for that goes by the law.
    let later = |call: &&&CallReport| {
        let flowed = |stream: &StreamReport| stream.changes.iter().any(|change| change.flows);
        !takes(call) && call.dialect.has_stand_in() && call.streams.iter().all(flowed)
    };
    let late = answers.iter().filter(later).count();
    let [late_nl, late_en] = match late {
        0 => [String::new(), String::new()],
        _ => [
            format!("; {late} zodra bekend was wie deelnam (avaya)"),
            format!("; {late} once it was told who took part (avaya)"),
        ],
    };
    let other = answers.iter().find(|call| !takes(call) && !later(call));
    let other = other.map(|call| format!(" ({})", call.dialect));
    let other = other.unwrap_or_default();
    // Who records a sample, or on request, leaves calls out: that is what the line is set up for.
    let left_out = unrecorded::left_out(unrecorded).min(all - good - late);
    let Advice {
        nl: left_out_nl,
        en: left_out_en,
    } = unrecorded::left_out_in_words(unrecorded, all);
    Check::new(
        "recording",
        good + late + left_out == all,
        Advice::new(
            format!("{good} van {all} vanaf het begin opgenomen (a=recvonly){late_nl}{left_out_nl}{other}"),
            format!("{good} of {all} recorded from the start (a=recvonly){late_en}{left_out_en}{other}"),
        ),
        unrecorded::why(unrecorded).unwrap_or_else(|| {
            Advice::new(
                "De server neemt (nog) niet op, want dat mag (nog) niet. Waarom staat in zijn oordeel: op de pagina \
                 van het gesprek, of met `voicelog show ID`. Met --config, --data of --api staat het hier. Staat er \
                 dat de lijn niet is ingericht, dan heeft geen [[line]] de naam die bij --line staat.",
                "The server does not record (yet), for it may not (yet). Its decision says why: on the page of the \
                 call, or with `voicelog show ID`. With --config, --data or --api it says so here. If it says that \
                 the line is not set up, no [[line]] has the name that --line gives.",
            )
        }),
    )
}

fn in_time(load: &LoadReport, within: Duration) -> Check {
    let answers = load.calls.iter().filter_map(|call| call.answer.as_ref());
    let mut waits: Vec<Duration> = answers.map(|answer| answer.waited).collect();
    waits.sort_unstable();
    let at = |percent: usize| {
        let place = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
        waits.get(place).copied().unwrap_or_default()
    };
    let [half, most, nearly] = [50, 95, 99].map(|percent| at(percent).as_millis());
    let limit = within.as_millis();
    Check::new(
        "set_up_time",
        at(95) <= within,
        Advice::new(
            format!(
                "antwoord na {half} ms (mediaan), {most} ms (p95), {nearly} ms (p99); grens voor p95 {limit} ms"
            ),
            format!(
                "answer after {half} ms (median), {most} ms (p95), {nearly} ms (p99); limit for p95 {limit} ms"
            ),
        ),
        Advice::new(
            "De server of het netwerk is te traag voor zoveel gesprekken tegelijk. Kijk naar de processor en de \
             schijf; begin met minder gesprekken per seconde (--rate).",
            "The server or the network is too slow for so many calls at once. Look at the processor and the disk; \
             begin with fewer calls a second (--rate).",
        ),
    )
}

fn ended(load: &LoadReport) -> Check {
    let answers = || load.calls.iter().filter(|call| call.answer.is_some());
    let by_server = answers().filter(|call| call.ended_by_server()).count();
    let confirmed = |call: &&CallReport| {
        matches!(
            call.outcome,
            Outcome::Ended {
                status: Some(200),
                ..
            }
        ) && !call.ended_by_server()
    };
    let all = answers().count();
    let good = answers().filter(confirmed).count();
    Check::new(
        "ended",
        good == all,
        Advice::new(
            format!(
                "{good} van {all} opgehangen en bevestigd; {by_server} door de server beëindigd"
            ),
            format!("{good} of {all} hung up and confirmed; {by_server} ended by the server"),
        ),
        Advice::new(
            "Een gesprek dat de server beëindigt, kon hij niet verder opnemen, of de wet verbood het: zie zijn \
             logboek. Een BYE zonder antwoord wijst op het netwerk.",
            "A call that the server ends could not be recorded any further, or the law forbade it: see its log. A \
             BYE without an answer points at the network.",
        ),
    )
}

fn sent_in_time(load: &LoadReport) -> Check {
    let late = load.lateness.percentile_ms(999);
    let unsent = load.unsent;
    Check::new(
        "sender",
        unsent == 0 && late <= SENDER_LATE_MS_MAX,
        Advice::new(
            format!(
                "deze zender: 99,9 % van de pakketten binnen {late} ms; {unsent} nam het systeem niet aan"
            ),
            format!(
                "this sender: 99.9 % of the packets within {late} ms; {unsent} not taken by the system"
            ),
        ),
        Advice::new(
            "Deze machine kwam zelf te laat. Wat hier aan geluid ontbreekt, zegt niets over de server: doe de proef \
             met minder gesprekken, of vanaf een snellere machine.",
            "This machine was late itself. Media that is missing here says nothing about the server: test with fewer \
             calls, or from a faster machine.",
        ),
    )
}

/// A sender that is later than this for one packet in a thousand can't test anything.
const SENDER_LATE_MS_MAX: u64 = 200;

#[cfg(test)]
mod tests;
