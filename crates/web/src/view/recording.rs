//! One recording: verdict and timeline first, then what can be done, the decision, the proof.

use crate::view::access::{self, AccessView};
use crate::view::alarms::AlarmView;
use crate::view::badge::{Badge, Shape};
use crate::view::conversation::ConversationView;
use crate::view::decision::{self, DecisionView};
use crate::view::holds::HoldView;
use crate::view::page::Page;
use crate::view::proposals::ProposalView;
use crate::view::recordings::line_name;
use crate::view::report::ReportView;
use crate::view::timeline::{self, LegendEntry, StreamView};
use crate::view::when::{When, bytes, length_between};
use crate::view::{Choice, Fact, asking, words};
use askama::Template;
use voicelog_archive::journal::SAMPLE_RULE;
use voicelog_archive::timeline::{Timeline, Verdict, comings, ending_text};
use voicelog_archive::{Access, CalledInVain, Conversation, Detail, RecordingSummary, State};
use voicelog_model::Language;

#[derive(Debug, Template)]
#[template(path = "recording.html")]
pub(crate) struct RecordingPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) badge: Badge,
    pub(crate) meaning: String,
    /// Whether we stopped before the conversation did.
    pub(crate) is_cut_short: bool,
    /// What is wrong with the call while it runs.
    pub(crate) alarms: Vec<AlarmView>,
    /// The line that was called is not set up.
    pub(crate) is_not_set_up: bool,
    pub(crate) facts: Vec<Fact>,
    pub(crate) can_be_opened: bool,
    pub(crate) can_be_destroyed: bool,
    pub(crate) can_be_held: bool,
    /// Those that stand and those that were lifted, oldest first.
    pub(crate) holds: Vec<HoldView>,
    /// Proposals to destroy it that stand.
    pub(crate) proposals: Vec<ProposalView>,
    pub(crate) reason_missing: bool,
    pub(crate) recipient_missing: bool,
    pub(crate) recipients: Vec<Choice>,
    pub(crate) certificate: Option<String>,
    pub(crate) sound_certificate: Option<String>,
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
            meaning: meaning(detail, lang),
            is_cut_short: detail
                .timeline
                .as_ref()
                .is_some_and(|timeline| timeline.cut_short().is_some()),
            alarms: Vec::new(),
            is_not_set_up: words::is_not_set_up(summary),
            facts: facts(detail, lang),
            can_be_opened: summary.state == State::Sealed,
            can_be_destroyed: matches!(summary.state, State::Sealed | State::WithoutSound),
            can_be_held: matches!(
                summary.state,
                State::Recording | State::Finishing | State::Sealed | State::WithoutSound
            ),
            holds: Vec::new(),
            proposals: Vec::new(),
            reason_missing: false,
            recipient_missing: false,
            recipients: asking::recipients(lang),
            certificate: detail.certificate.clone(),
            sound_certificate: detail.sound_certificate.clone(),
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

    /// Says at the top which name was called, where that is no line and is still remembered.
    pub(crate) fn add_called(&mut self, call: Option<&CalledInVain>) {
        let lang = self.p.lang;
        let mut add = |nl, en, value: &str| {
            self.meaning
                .push_str(&format!(" {}: {value}.", lang.pick(nl, en)));
        };
        if let Some(name) = call.and_then(|call| call.called.shown.as_ref()) {
            add("Gebeld werd", "What was called", name.expose());
        }
        if let Some(like) = call.and_then(|call| call.called.like.as_ref()) {
            add("Dat lijkt op de lijn", "That looks like the line", like);
        }
    }
}

/// The verdict; as long as there is none, what is going on.
fn badge(summary: &RecordingSummary, lang: Language) -> Badge {
    let badge = words::badge(summary, lang);
    match (summary.verdict, summary.state) {
        (None, State::Waiting | State::Recording | State::Finishing | State::Sealed) => Badge {
            text: words::state(summary.state, lang),
            ..badge
        },
        _ => badge,
    }
}

/// The verdict in a sentence; where we cut the recording short, first when and why, and where it was not
/// drawn, with its draw.
fn meaning(detail: &Detail, lang: Language) -> String {
    let summary = &detail.summary;
    if words::is_not_set_up(summary) {
        return lang
            .pick(
                "De telefooncentrale belde een lijn die in de configuratie niet bestaat. Dat is meestal een schrijffout. Er is niets van dit gesprek bewaard. Voeg een [[line]] met die naam toe, of verbeter de naam in de centrale.",
                "The telephone exchange called a line that is not in the configuration. Most often that is a typing error. Nothing of this call was kept. Add a [[line]] with that name, or set the name right in the exchange.",
            )
            .to_owned();
    }
    let general = words::completeness_meaning(summary.verdict, summary.state, lang);
    let is_gone = matches!(summary.state, State::Destroying | State::Destroyed);
    let Some(timeline) = detail.timeline.as_ref().filter(|_| !is_gone) else {
        return general.to_owned();
    };
    if let Some(ending) = ending_text(timeline, lang) {
        let ending = sentence(&ending);
        return if summary.verdict == Some(Verdict::CutShort) {
            ending
        } else {
            format!("{ending} {general}")
        };
    }
    match draw(timeline, lang) {
        Some(draw) if summary.verdict == Some(Verdict::NotDrawn) => {
            format!("{general} {}", sentence(draw))
        }
        _ => general.to_owned(),
    }
}

/// The draw of a call that was not drawn: `niet geloot: 1 op 10, lot 0,7301`.
fn draw(timeline: &Timeline, lang: Language) -> Option<&str> {
    let intervals = timeline.streams.iter().flat_map(|stream| &stream.intervals);
    let mut grounds = intervals.flat_map(|interval| &interval.grounds);
    let ground = grounds.find(|ground| ground.rule == SAMPLE_RULE)?;
    Some(lang.pick(&ground.text_nl, &ground.text_en))
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Whether it is text that was signed here, and no sound.
pub(crate) fn is_minutes(detail: &Detail) -> bool {
    let manifest = detail.manifest.as_ref();
    let mut streams = manifest.iter().flat_map(|manifest| &manifest.streams);
    streams.any(|stream| stream.codec.name() == voicelog_archive::CODEC_OF_MINUTES)
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
    if is_minutes(detail) {
        let what = lang.pick(
            "verslag dat in het gesprek is geschreven en getekend; tekst, geen geluid, en zonder eigen duur",
            "minutes that were written and signed in the talk; text, no sound, and without a length of their own",
        );
        add("Soort", "Kind", what.to_owned());
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
    match (summary.sound_destroyed_at, summary.sound_until) {
        (Some(at), _) => add(
            "Geluid vernietigd op",
            "Sound destroyed on",
            When::new(at, lang).text,
        ),
        (None, Some(until)) if summary.destroyed_at.is_none() => add(
            "Geluid bewaren tot",
            "Keep the sound until",
            When::new(until, lang).text,
        ),
        (None, _) => {}
    }
    match (summary.destroyed_at, summary.retain_until) {
        (Some(at), _) => add("Vernietigd op", "Destroyed on", When::new(at, lang).text),
        (None, Some(until)) => add("Bewaren tot", "Keep until", When::new(until, lang).text),
        (None, None) if matches!(summary.state, State::Sealed | State::WithoutSound) => add(
            "Bewaartermijn",
            "Retention period",
            lang.pick("niet ingesteld", "not set").to_owned(),
        ),
        (None, None) => {}
    }
    let has_sound = summary.sound_destroyed_at.is_none();
    if let Some(manifest) = detail.manifest.as_ref().filter(|_| has_sound) {
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
