//! `voicelog simulate`: calls with audible speech to an installation, and a report for a person.

use crate::coder::Offered;
use crate::dialect::Dialect;
use crate::dialog::{Side, Transport};
use crate::error::SimError;
use crate::load::{self, Load, LoadPayload, LoadReport, Progress};
use crate::metadata::Participant;
use crate::plan::Flow;
use crate::report::{CallReport, Outcome};
use crate::srtp::SrtpSuite;
use crate::tls::TlsClient;
use crate::weather::Weather;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use voicelog_model::Language;

/// What `voicelog simulate` can be told.
#[derive(Debug, Clone)]
pub struct SimulateOptions {
    /// `--server`: where the recording server listens.
    pub server: SocketAddr,
    /// `--transport`.
    pub transport: Transport,
    /// `--tls-ca` and its kin.
    pub tls: Option<TlsClient>,
    /// `--line`: user part of the request URI.
    pub line: String,
    /// `--calls`.
    pub calls: u32,
    /// `--seconds`: how long media runs in each call.
    pub duration: Duration,
    /// `--rate`: calls begun in a second.
    pub calls_per_second: u32,
    /// `--from`: address of the first participant, for example `sip:sanne@voorbeeld.example`.
    pub from: Option<String>,
    /// `--to`: address of the second participant.
    pub to: Option<String>,
    /// `--codec`: what is offered and sent.
    pub offered: Offered,
    /// `--notice`: what is played first, in A-law at 8 kHz.
    pub notice: Option<Arc<[u8]>>,
    /// `--srtp`: with what it is protected.
    pub srtp: Option<SrtpSuite>,
    /// `--dialect`: the ways of writing a call, in turn.
    pub dialects: Vec<Dialect>,
    /// `--flow`.
    pub flow: Flow,
    /// `--at-once`: calls in progress together at most; 0 for all.
    pub at_once: u32,
    /// `--loss`, `--jitter`, `--reorder`, `--duplicate`.
    pub weather: Weather,
    /// `--seed`: which packets are lost, doubled and put out of order.
    pub seed: u64,
}

impl SimulateOptions {
    /// One call of 13 seconds over UDP.
    #[must_use]
    pub fn new(server: SocketAddr, line: &str) -> Self {
        Self {
            server,
            transport: Transport::Udp,
            tls: None,
            line: line.to_owned(),
            calls: 1,
            duration: Duration::from_secs(13),
            calls_per_second: 50,
            from: None,
            to: None,
            offered: Offered::G711,
            notice: None,
            srtp: None,
            dialects: vec![Dialect::Plain],
            flow: Flow::Plain,
            at_once: 0,
            weather: Weather::default(),
            seed: 1,
        }
    }

    /// The load that they come to: at least one call of each dialect.
    #[must_use]
    pub fn load(&self) -> Load {
        let participants = (self.from.is_some() || self.to.is_some()).then(|| {
            let address = |given: &Option<String>, other: &str| {
                Participant::new(given.as_deref().unwrap_or(other), "")
            };
            vec![
                address(&self.from, "tel:+31200000000"),
                address(&self.to, "tel:+31200100000"),
            ]
        });
        let dialects = u32::try_from(self.dialects.len()).unwrap_or(u32::MAX);
        let calls = self.calls.max(dialects);
        Load {
            transport: self.transport,
            tls: self.tls.clone(),
            calls_per_second: self.calls_per_second,
            participants,
            payload: LoadPayload::Speech,
            notice: self.notice.clone(),
            offered: self.offered,
            srtp: self.srtp,
            dialects: self.dialects.clone(),
            flow: self.flow.clone(),
            at_once: self.at_once,
            weather: self.weather,
            seed: self.seed,
            ..Load::new(self.server, &self.line, calls, self.duration)
        }
    }
}

/// What came of it. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimulateReport {
    /// Calls placed.
    pub calls: u64,
    /// Answered with a 2xx.
    pub answered: u64,
    /// Of these, answered with a direction that takes media on every stream at once.
    pub received_from_the_start: u64,
    /// Of these, on which media flowed at some time.
    pub with_media: u64,
    /// Of those answered, ended without media ever being asked for: the server records none of it.
    pub never_wanted: u64,
    /// Refused, by SIP status.
    pub refused: BTreeMap<u16, u64>,
    /// What the server said at the first refusal with each status.
    pub refused_because: BTreeMap<u16, String>,
    /// Without a final answer in time.
    pub unanswered: u64,
    /// Answered in a way that cannot be used, or never reached; with the first reason.
    pub failed: u64,
    /// The first of those reasons.
    pub first_failure: Option<String>,
    /// Ended by the server rather than by our BYE.
    pub ended_by_server: u64,
    /// Ended by our BYE, which was not answered with 200.
    pub bye_unanswered: u64,
    /// RTP packets sent.
    pub packets: u64,
    /// Bytes of audio in them.
    pub payload_bytes: u64,
    /// Packets that the system did not take.
    pub unsent: u64,
    /// Wait for the answer that half of the calls stayed at or below.
    pub answer_median_ms: u64,
    /// The longest wait for an answer.
    pub answer_max_ms: u64,
    /// Packets that the sender itself sent more than 20 ms late.
    pub late_packets: u64,
    /// The latest packet's lateness.
    pub late_max_ms: u64,
    /// How long it all took.
    pub took_ms: u64,
}

/// Places the calls, waits for their end and reports.
///
/// # Errors
/// [`SimError::BadPlan`] and [`SimError::Socket`]; calls that fail are counted in the report.
pub fn simulate(options: &SimulateOptions) -> Result<SimulateReport, SimError> {
    simulate_with(options, |_| ())
}

/// As [`simulate`], and says once a second where it stands.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_with(
    options: &SimulateOptions,
    progress: impl FnMut(Progress),
) -> Result<SimulateReport, SimError> {
    let report = load::run_with(&options.load(), progress)?;
    Ok(SimulateReport::of(&report))
}

impl SimulateReport {
    /// Sums up a load.
    #[must_use]
    pub fn of(load: &LoadReport) -> Self {
        let calls = &load.calls;
        let count = |wanted: &dyn Fn(&CallReport) -> bool| {
            wide(calls.iter().filter(|call| wanted(call)).count())
        };
        let mut refused = BTreeMap::new();
        let mut refused_because = BTreeMap::new();
        for call in calls {
            if let Outcome::Refused { status, reason, .. } = &call.outcome {
                *refused.entry(*status).or_default() += 1;
                refused_because
                    .entry(*status)
                    .or_insert_with(|| reason.clone());
            }
        }
        let failure = |call: &CallReport| match &call.outcome {
            Outcome::BadAnswer { why } | Outcome::Unreachable { why } => Some(why.clone()),
            _ => None,
        };
        let sent = |call: &CallReport| call.streams.iter().any(|s| s.sent.packets > 0);
        let bye_lost = |call: &CallReport| {
            let by = Side::Client;
            matches!(call.outcome, Outcome::Ended { by: side, status } if side == by && status != Some(200))
        };
        let streams = || calls.iter().flat_map(|call| &call.streams);
        let mut waits: Vec<Duration> = calls
            .iter()
            .filter_map(|call| call.answer.as_ref())
            .map(|answer| answer.waited)
            .collect();
        waits.sort_unstable();
        let wait = |place: usize| millis(waits.get(place).copied().unwrap_or_default());
        Self {
            calls: wide(calls.len()),
            answered: count(&|call| call.answer.is_some()),
            received_from_the_start: count(&|call| {
                call.answer.as_ref().is_some_and(|a| a.receives())
            }),
            with_media: count(&sent),
            never_wanted: count(&|call| {
                call.answer.is_some() && call.streams.iter().all(|s| s.changes.is_empty())
            }),
            refused,
            refused_because,
            unanswered: count(&|call| call.outcome == Outcome::NoAnswer),
            failed: count(&|call| failure(call).is_some()),
            first_failure: calls.iter().find_map(failure),
            ended_by_server: count(&CallReport::ended_by_server),
            bye_unanswered: count(&bye_lost),
            packets: streams().map(|s| s.sent.packets).sum(),
            payload_bytes: streams().map(|s| s.sent.payload_bytes).sum(),
            unsent: load.unsent,
            answer_median_ms: wait(waits.len() / 2),
            answer_max_ms: wait(waits.len().saturating_sub(1)),
            late_packets: load.lateness.later_than_ms(20),
            late_max_ms: millis(load.lateness.max()),
            took_ms: millis(load.took),
        }
    }

    /// Whether every call was answered, took media from the start, and was ended by us and
    /// confirmed: what a healthy installation does with calls that it may record.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.received_from_the_start == self.calls
            && self.ended_by_server == 0
            && self.bye_unanswered == 0
            && self.unsent == 0
    }

    /// The report for a person.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        let mut line = |label: &str, value: &dyn std::fmt::Display| {
            let written = writeln!(text, "{label:<46} {value:>12}");
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        };
        for (nl, en, count) in self.calls_by_fate() {
            line(language.pick(nl, en), &count);
        }
        for (status, count) in &self.refused {
            let label = language.pick("  geweigerd met", "  refused with");
            let because = self.refused_because.get(status).map_or("", String::as_str);
            line(format!("{label} {status} {because}").trim_end(), count);
        }
        let troubles = self.troubles().into_iter();
        for (nl, en, count) in troubles.filter(|(_, _, count)| *count > 0) {
            line(language.pick(nl, en), &count);
        }
        for (nl, en, count) in self.measures() {
            line(language.pick(nl, en), &count);
        }
        if let Some(why) = &self.first_failure {
            line(language.pick("Eerste fout:", "First failure:"), why);
        }
        if self.never_wanted > 0 {
            text.push_str(language.pick(NEVER_WANTED.0, NEVER_WANTED.1));
        }
        text
    }

    const fn calls_by_fate(&self) -> [Row; 4] {
        [
            ("Gesprekken geplaatst", "Calls placed", self.calls),
            ("  aangenomen", "  answered", self.answered),
            (
                "  vanaf het begin geluid gevraagd",
                "  media wanted from the start",
                self.received_from_the_start,
            ),
            (
                "  met geluid verstuurd",
                "  with media sent",
                self.with_media,
            ),
        ]
    }

    const fn troubles(&self) -> [Row; 6] {
        [
            (
                "  aangenomen, nooit geluid gevraagd",
                "  answered, media never wanted",
                self.never_wanted,
            ),
            ("  zonder antwoord", "  without an answer", self.unanswered),
            ("  mislukt", "  failed", self.failed),
            (
                "  beëindigd door de server",
                "  ended by the server",
                self.ended_by_server,
            ),
            (
                "  ophangen niet bevestigd",
                "  hang-up not confirmed",
                self.bye_unanswered,
            ),
            (
                "Pakketten die het systeem niet aannam",
                "Packets that the system did not take",
                self.unsent,
            ),
        ]
    }

    const fn measures(&self) -> [Row; 6] {
        [
            ("Pakketten verstuurd", "Packets sent", self.packets),
            (
                "Bytes geluid verstuurd",
                "Bytes of audio sent",
                self.payload_bytes,
            ),
            (
                "Wachten op antwoord, midden (ms)",
                "Wait for the answer, median (ms)",
                self.answer_median_ms,
            ),
            (
                "Wachten op antwoord, langst (ms)",
                "Wait for the answer, longest (ms)",
                self.answer_max_ms,
            ),
            (
                "Meer dan 20 ms te laat verstuurd (pakketten)",
                "Sent more than 20 ms late (packets)",
                self.late_packets,
            ),
            ("Duur (ms)", "Took (ms)", self.took_ms),
        ]
    }
}

/// What it means that no media is asked for, and where the server says why; SIP does not.
const NEVER_WANTED: (&str, &str) = (
    "\nDe server nam aan met a=inactive: er wordt niets opgenomen, want dat mag (nog) niet. Waarom staat in\n\
     zijn oordeel: op de pagina van het gesprek, of met `voicelog list` en `voicelog show ID`. Staat daar dat\n\
     de lijn niet is ingericht, dan heeft geen [[line]] in zijn configuratie de naam die bij --line staat.\n",
    "\nThe server answered with a=inactive: nothing is recorded, for it may not be (yet). Its decision says\n\
     why: on the page of the call, or with `voicelog list` and `voicelog show ID`. If it says there that the\n\
     line is not set up, no [[line]] of its configuration has the name that --line gives.\n",
);

/// A line of the report: Dutch, English, number.
type Row = (&'static str, &'static str, u64);

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Lateness;

    fn call(outcome: Outcome) -> CallReport {
        CallReport {
            dialect: Dialect::Plain,
            call_id: "a@b".to_owned(),
            answer: None,
            outcome,
            streams: Vec::new(),
            lateness: Lateness::default(),
        }
    }

    fn report(outcomes: Vec<Outcome>) -> SimulateReport {
        SimulateReport::of(&LoadReport {
            calls: outcomes.into_iter().map(call).collect(),
            lateness: Lateness::default(),
            unsent: 0,
            took: Duration::from_millis(1_500),
        })
    }

    #[test]
    fn every_call_is_counted_under_what_became_of_it() {
        let refused = |status| Outcome::Refused {
            status,
            reason: "busy".to_owned(),
            retry_after: None,
        };
        let report = report(vec![
            refused(503),
            refused(503),
            refused(403),
            Outcome::NoAnswer,
            Outcome::Unreachable {
                why: "Connection refused".to_owned(),
            },
            Outcome::Ended {
                by: Side::Client,
                status: None,
            },
            Outcome::Ended {
                by: Side::Server,
                status: None,
            },
        ]);
        assert_eq!(report.refused, [(403, 1), (503, 2)].into());
        assert_eq!(report.refused_because[&503], "busy");
        assert_eq!((report.unanswered, report.failed), (1, 1));
        assert_eq!((report.bye_unanswered, report.ended_by_server), (1, 1));
        assert!(!report.is_clean());
    }

    #[test]
    fn the_report_speaks_both_languages_and_names_trouble_only_if_there_is_any() {
        let clean = report(Vec::new());
        assert!(clean.text(Language::Nl).contains("Gesprekken geplaatst"));
        assert!(clean.text(Language::En).contains("Calls placed"));
        assert!(!clean.text(Language::En).contains("failed"));
        let broken = report(vec![Outcome::BadAnswer {
            why: "it picked no codec that was offered".to_owned(),
        }]);
        assert!(broken.text(Language::Nl).contains("mislukt"));
        assert!(broken.text(Language::En).contains("no codec"));
    }
}
