//! One recording: verdict first, then the decision, the timeline, the proof.

use crate::view::access::{self, AccessView};
use crate::view::badge::{Badge, Shape};
use crate::view::conversation::ConversationView;
use crate::view::decision::{self, DecisionView};
use crate::view::page::Page;
use crate::view::recordings::line_name;
use crate::view::report::ReportView;
use crate::view::timeline::{self, LegendEntry, StreamView};
use crate::view::when::{When, bytes, length_between};
use crate::view::{Choice, Fact, asking, words};
use askama::Template;
use voicelog_archive::timeline::comings;
use voicelog_archive::{Access, Conversation, Detail, RecordingSummary, State};
use voicelog_model::Language;

#[derive(Debug, Template)]
#[template(path = "recording.html")]
pub(crate) struct RecordingPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) badge: Badge,
    pub(crate) meaning: &'static str,
    pub(crate) facts: Vec<Fact>,
    pub(crate) can_be_opened: bool,
    pub(crate) can_be_destroyed: bool,
    pub(crate) reason_missing: bool,
    pub(crate) recipient_missing: bool,
    pub(crate) recipients: Vec<Choice>,
    pub(crate) certificate: Option<String>,
    pub(crate) decision_heading: &'static str,
    /// The decision about recording that counts: the newest.
    pub(crate) decision: Option<DecisionView>,
    /// All others, newest first.
    pub(crate) others: Vec<DecisionView>,
    /// Who listened or got a copy, oldest first.
    pub(crate) accesses: Vec<AccessView>,
    /// The conversation that it is a part of, if it has more parts.
    pub(crate) conversation: Option<ConversationView>,
    /// Who came and went during the call, and when our clock was set.
    pub(crate) comings: Vec<String>,
    /// Whose voice is where and how that is known, and what was odd.
    pub(crate) report: ReportView,
    pub(crate) legend: Vec<LegendEntry>,
    pub(crate) streams: Vec<StreamView>,
    pub(crate) log_index: Option<u64>,
    pub(crate) checkpoint: Option<String>,
}

/// The page's first heading.
pub(crate) fn title(summary: &RecordingSummary, lang: Language) -> String {
    let started = When::new(summary.started_at, lang);
    let (gesprek, om) = match lang {
        Language::Nl => ("Gesprek van", "om"),
        Language::En => ("Conversation of", "at"),
    };
    format!("{gesprek} {} {om} {}", started.day, started.clock)
}

impl RecordingPage {
    pub(crate) fn new(
        p: Page,
        detail: &Detail,
        accesses: &[Access],
        checkpoint: Option<String>,
        conversation: &Conversation,
    ) -> Self {
        let lang = p.lang;
        let summary = &detail.summary;
        let (decision, others) = decision::main_and_others(&detail.decisions, lang);
        let (legend, streams) = detail
            .timeline
            .as_ref()
            .map(|timeline| timeline::view(timeline, lang))
            .unwrap_or_default();
        Self {
            id: summary.id.to_string(),
            started: When::new(summary.started_at, lang),
            badge: badge(summary, lang),
            meaning: words::completeness_meaning(summary.verdict, summary.state, lang),
            facts: facts(detail, lang),
            can_be_opened: summary.state == State::Sealed,
            can_be_destroyed: summary.state == State::Sealed,
            reason_missing: false,
            recipient_missing: false,
            recipients: asking::recipients(lang),
            certificate: detail.certificate.clone(),
            decision_heading: words::question(voicelog_model::Action::Record, lang),
            decision,
            others,
            accesses: access::views(accesses, lang),
            conversation: ConversationView::new(conversation, Some(summary.id), lang)
                .filter(|conversation| conversation.count.is_some()),
            comings: detail
                .timeline
                .as_ref()
                .map(|timeline| comings(timeline, lang))
                .unwrap_or_default(),
            report: ReportView::new(detail.report.as_ref(), detail.timeline.as_ref(), lang),
            legend,
            streams,
            // Counted from one, as people do; the format counts from zero.
            log_index: detail.log_index.map(|index| index + 1),
            checkpoint,
            p,
        }
    }
}

/// The verdict; as long as there is none, what is going on.
const fn badge(summary: &RecordingSummary, lang: Language) -> Badge {
    let badge = words::completeness(summary.verdict, summary.state, lang);
    match (summary.verdict, summary.state) {
        (None, State::Waiting | State::Recording | State::Finishing | State::Sealed) => Badge {
            text: words::state(summary.state, lang),
            ..badge
        },
        _ => badge,
    }
}

fn facts(detail: &Detail, lang: Language) -> Vec<Fact> {
    let summary = &detail.summary;
    let mut facts = Vec::new();
    let mut add = |nl, en, value: String| {
        facts.push(Fact {
            name: lang.pick(nl, en),
            value,
        })
    };
    add("Begin", "Start", When::new(summary.started_at, lang).text);
    if let Some(end) = summary.ended_at {
        add("Einde", "End", When::new(end, lang).text);
        add("Duur", "Length", length_between(summary.started_at, end));
    }
    add("Lijn", "Line", line_name(&summary.line, lang));
    add(
        "Toestand",
        "State",
        words::state(summary.state, lang).to_owned(),
    );
    if summary.is_partly_private {
        let text = lang.pick(
            "Een deel van dit gesprek was privé en is niet bewaard. Ook wat wel is bewaard kan privé zijn.",
            "A part of this call was private and is not kept. What is kept may be private as well.",
        );
        add("Deels privé", "Partly private", text.to_owned());
    }
    match (summary.destroyed_at, summary.retain_until) {
        (Some(at), _) => add("Vernietigd op", "Destroyed on", When::new(at, lang).text),
        (None, Some(until)) => add("Bewaren tot", "Keep until", When::new(until, lang).text),
        (None, None) if summary.state == State::Sealed => add(
            "Bewaartermijn",
            "Retention period",
            lang.pick("niet ingesteld", "not set").to_owned(),
        ),
        (None, None) => {}
    }
    if let Some(manifest) = &detail.manifest {
        let stored: u64 = manifest
            .segments
            .iter()
            .map(|segment| segment.byte_len)
            .sum();
        add(
            "Op schijf, versleuteld",
            "On disk, encrypted",
            bytes(stored, lang),
        );
    }
    facts
}
