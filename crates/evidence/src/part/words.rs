//! What a copy of a part is called, for people.

use super::{Plan, Redaction, Scope, Times};
use crate::timeline::{Edge, StreamTimeline, Timeline, edge_text, from_to};
use voicelog_model::Language;

/// Times that are told one by one; beyond, only their number.
const SPANS_LISTED_MAX: usize = 20;
/// What lies no further apart is told as one.
const NEAR_US: u64 = 100_000;

/// `excerpt 00:12 to 03:40.5 of 41:07`, and how many passages were left out.
#[must_use]
pub fn scope_title(plan: &Plan, length_us: u64, language: Language) -> String {
    let length = edge_text(length_us, Edge::End, language);
    let excerpt = plan.excerpt.map(|window| {
        let start = edge_text(window.start_us, Edge::Start, language);
        let end = edge_text(window.end_us, Edge::End, language);
        match language {
            Language::Nl => format!("uittreksel {start} tot {end} van {length}"),
            Language::En => format!("excerpt {start} to {end} of {length}"),
        }
    });
    let redacted = match (plan.redactions.len(), language) {
        (0, _) => None,
        (1, Language::Nl) => Some("1 passage weggelaten".to_owned()),
        (1, Language::En) => Some("1 passage left out".to_owned()),
        (count, Language::Nl) => Some(format!("{count} passages weggelaten")),
        (count, Language::En) => Some(format!("{count} passages left out")),
    };
    let parts: Vec<String> = excerpt.into_iter().chain(redacted).collect();
    parts.join(", ")
}

/// What a copy says of itself in both languages: in its sound files, and in the title of its papers.
pub(crate) fn both_titles(scope: &Scope, length_us: u64) -> String {
    let plan = scope.plan();
    let title = |language| scope_title(&plan, length_us, language);
    format!("{} / {}", title(Language::Nl), title(Language::En))
}

/// The sound that a copy leaves out, stream by stream: `stream 1: 1.480 s in all; from 00:01 to 00:02.5`.
/// Times that lie close to each other are told as one.
#[must_use]
pub fn left_out_texts(scope: &Scope, timeline: &Timeline, language: Language) -> Vec<String> {
    let of_stream = |stream: &StreamTimeline| {
        let spans = scope.left_out_of(stream, timeline);
        let sum_us: u64 = spans.iter().map(|(start, end)| end - start).sum();
        let millis = sum_us.div_ceil(1_000);
        let seconds = format!(
            "{}{}{:03} s",
            millis / 1_000,
            language.pick(",", "."),
            millis % 1_000
        );
        let number = stream.stream.number;
        let head = match language {
            Language::Nl => format!("stroom {number}: in totaal {seconds}"),
            Language::En => format!("stream {number}: {seconds} in all"),
        };
        let near = Times::of(spans.iter().map(|(start, end)| (*start, end + NEAR_US)));
        let near = near.spans();
        let listed = near.iter().take(SPANS_LISTED_MAX);
        let mut told: Vec<String> = listed
            .map(|(start, end)| from_to((*start, end - NEAR_US), language))
            .collect();
        let unlisted = near.len().saturating_sub(SPANS_LISTED_MAX);
        if unlisted > 0 {
            told.push(match language {
                Language::Nl => format!("en {unlisted} keer meer"),
                Language::En => format!("and {unlisted} times more"),
            });
        }
        (sum_us > 0).then(|| format!("{head}; {}", told.join(", ")))
    };
    timeline.streams.iter().filter_map(of_stream).collect()
}

/// One passage that was asked to be left out: when, of which streams, why, on which ground, by whom.
#[must_use]
pub fn redaction_text(redaction: &Redaction, language: Language) -> String {
    let when = from_to((redaction.start_us, redaction.end_us), language);
    let streams: Vec<String> = redaction.streams.iter().map(ToString::to_string).collect();
    let streams = streams.join(", ");
    let Redaction {
        reason,
        legal_ground,
        decided_by,
        ..
    } = redaction;
    match language {
        Language::Nl => format!(
            "{when}, stroom {streams}: {reason} (grond: {legal_ground}; besloten door {decided_by})"
        ),
        Language::En => format!(
            "{when}, stream {streams}: {reason} (ground: {legal_ground}; decided by {decided_by})"
        ),
    }
}
