//! Calls that are turned away at the door, and clients that do not get as far as the door: a telephone
//! system that is set up wrongly records nothing, and here is where that is said. Counted by cause;
//! nothing about who it was.

use crate::shared::NO_ANSWER;
use std::collections::BTreeMap;
use voicelog_model::Timestamp;

/// How long the same cause is not said again, in microseconds: a minute.
const SAID_AGAIN: i64 = 60_000_000;
/// How long nothing more of a cause must come until its alarm is over, in microseconds: ten minutes.
const OVER_AFTER: i64 = 600_000_000;

/// The causes for which a call that should be recorded may not be, and what to look at. What a client
/// puts right by itself (a shorter timer, a crossing offer), and what has an alarm of its own, is not here.
const CAUSES: &[(&str, &str)] = &[
    (
        "refused_bad_request",
        "a client sends what is no well-formed SIP",
    ),
    (
        "refused_not_recording",
        "a call that is no recording session (RFC 7866); see whether the client sends `+sip.src` and `Require: siprec`, or set sip.accept_without_siprec",
    ),
    ("refused_too_large", "a client's message is too large"),
    (
        "refused_unknown_body",
        "a client sends a body of a type that is not known here",
    ),
    (
        "refused_unknown_scheme",
        "a client calls something else than a SIP address",
    ),
    (
        "refused_unknown_extension",
        "a client requires an extension that is not known here",
    ),
    (
        "refused_no_usable_stream",
        "a client offers no stream that can be recorded; see whether it is set to DTLS-SRTP, or to port 0",
    ),
    (
        "refused_srtp_keys_without_tls",
        "a client sends its SRTP keys in the clear; have it use SIP over TLS, or set sip.srtp_keys_without_tls",
    ),
    (
        "refused_no_usable_srtp_key",
        "a client offers SRTP with a suite, or with an MKI, that is not known here",
    ),
    (
        "refused_full",
        "as many sessions or transactions are open as are held; see sip.calls_max",
    ),
    (
        "options_not_ready",
        "an exchange asks (OPTIONS) at an address to which no call would be recorded, is told so, and may send none; have it ask at the address of a line, or without a user, or set default = true at a line",
    ),
    (
        "refused_unanswered",
        "the recorder did not answer a call in time; see the messages before this",
    ),
    (
        NO_ANSWER,
        "the law could not be asked about a new call, or its recording not be begun: the index, the disk or a key fails; see the messages before this",
    ),
    (
        "tcp_too_many",
        "as many connections are open as are taken; see who opens them",
    ),
    ("tls_too_slow", "a TLS handshake takes too long"),
    (
        "tls_not_tls",
        "something else than TLS comes in on the TLS port, such as SIP in the clear",
    ),
    (
        "tls_nothing_in_common",
        "a client knows no version of TLS, or no suite, that is known here",
    ),
    (
        "tls_refused_by_client",
        "a client does not trust our certificate; see sip.tls_certificate",
    ),
    (
        "tls_no_client_certificate",
        "a client shows no certificate, and sip.tls_client_ca asks for one",
    ),
    (
        "tls_client_certificate_expired",
        "the certificate of a client has lapsed",
    ),
    (
        "tls_client_certificate_refused",
        "the certificate of a client is not of sip.tls_client_ca",
    ),
    ("tls_failed", "a TLS handshake fails"),
];

/// What there is to say of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// So many more since it was last said; `help` says what to look at.
    Refused {
        cause: &'static str,
        count: u64,
        help: &'static str,
    },
    /// Nothing more came for ten minutes.
    Over { cause: &'static str },
}

/// What was seen of one cause.
#[derive(Debug, Default)]
struct Seen {
    count: u64,
    unsaid: u64,
    last: Timestamp,
    /// When it was said last; nothing once it is over.
    said_at: Option<Timestamp>,
}

/// What has been seen of every cause.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<&'static str, Seen>);

impl Refusals {
    /// Looks at the counts since the start, and tells what is to be said: of each cause at most once a
    /// minute.
    pub(super) fn look(&mut self, count_of: impl Fn(&str) -> u64, now: Timestamp) -> Vec<Said> {
        let mut said = Vec::new();
        for (cause, help) in CAUSES {
            let count = count_of(cause);
            if count == 0 {
                continue;
            }
            let seen = self.0.entry(cause).or_default();
            let more = count.saturating_sub(std::mem::replace(&mut seen.count, count));
            if more > 0 {
                seen.unsaid = seen.unsaid.saturating_add(more);
                seen.last = now;
            }
            let is_due = |at: Timestamp| now.micros_since(at) >= SAID_AGAIN;
            if seen.unsaid > 0 && seen.said_at.is_none_or(is_due) {
                let count = std::mem::take(&mut seen.unsaid);
                seen.said_at = Some(now);
                said.push(Said::Refused { cause, count, help });
            } else if seen.said_at.is_some() && now.micros_since(seen.last) >= OVER_AFTER {
                seen.said_at = None;
                said.push(Said::Over { cause });
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_srs::Counted;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
    }

    /// What is said at these seconds, where the count of one cause is then so much.
    fn said(counts: &[(i64, u64)]) -> Vec<(i64, Option<u64>)> {
        let mut refusals = Refusals::default();
        let mut all = Vec::new();
        for (second, total) in counts {
            let count_of = |cause: &str| {
                if cause == "refused_full" { *total } else { 0 }
            };
            for one in refusals.look(count_of, at(*second)) {
                all.push(match one {
                    Said::Refused { count, .. } => (*second, Some(count)),
                    Said::Over { .. } => (*second, None),
                });
            }
        }
        all
    }

    #[test]
    fn each_cause_is_said_at_once_and_then_once_a_minute_with_its_count() {
        assert_eq!(
            said(&[
                (0, 0),
                (1, 1),
                (2, 3),
                (30, 7),
                (61, 7),
                (62, 8),
                (90, 8),
                (125, 9)
            ]),
            [(1, Some(1)), (61, Some(6)), (125, Some(2))]
        );
    }

    #[test]
    fn a_cause_is_over_when_nothing_more_came_for_ten_minutes_and_can_begin_again() {
        assert_eq!(
            said(&[(0, 1), (599, 1), (600, 1), (601, 1), (700, 2)]),
            [(0, Some(1)), (600, None), (700, Some(1))]
        );
    }

    #[test]
    fn every_cause_is_a_word_that_is_counted() {
        for (cause, help) in CAUSES {
            let is_counted = Counted::ALL
                .iter()
                .any(|counted| counted.as_str() == *cause);
            let is_ours = cause.starts_with("tls_") || ["tcp_too_many", NO_ANSWER].contains(cause);
            assert!(is_counted || is_ours, "{cause}");
            assert!(!help.is_empty());
        }
    }
}
