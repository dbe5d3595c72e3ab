//! The report of a call in words: whose voice is where and how that is known, and what was odd.

use voicelog_archive::CallReport;
use voicelog_archive::odd::odd;
use voicelog_archive::timeline::Timeline;
use voicelog_model::Language;

/// The report, a sentence for each thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReportView {
    /// One for each stream, or for each stretch of a stream that became somebody else's voice.
    pub(crate) voices: Vec<String>,
    /// One for each thing that was odd.
    pub(crate) odd: Vec<String>,
    /// One for each thing that a sender said of itself.
    pub(crate) senders: Vec<String>,
}

impl ReportView {
    /// Of a report, if there is one, and of what the timeline says of the voices.
    pub(crate) fn new(
        report: Option<&CallReport>,
        timeline: Option<&Timeline>,
        lang: Language,
    ) -> Self {
        let Some(report) = report else {
            return Self::default();
        };
        Self {
            voices: report.voices_in_words(timeline, lang),
            odd: report.quirks.iter().map(|word| odd(word, lang)).collect(),
            senders: report
                .senders
                .iter()
                .flat_map(|claim| claim.in_words(lang))
                .collect(),
        }
    }

    /// Whether there is nothing to say of the call.
    pub(crate) const fn is_empty(&self) -> bool {
        self.voices.is_empty() && self.odd.is_empty()
    }
}
