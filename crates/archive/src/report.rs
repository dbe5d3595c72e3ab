//! The report of a call: what its recording client did otherwise than the standard says, and how it is
//! known whose voice is in which stream. Words and pseudonyms, nothing about a person.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use voicelog_evidence::SenderClaim;
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::timeline::{Stretch, Timeline, between};
use voicelog_model::{Language, RecordingId, StreamNumber};

/// What was odd about a call, and whose voice is where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// What the client did otherwise than the standard says, words in snake case, in the order of their
    /// first time (`design/srs.md`).
    pub quirks: Vec<String>,
    /// Each stream, in the order of its number, as it was told last.
    pub streams: Vec<StreamReport>,
    /// What the senders said of themselves in RTCP, once the recording is closed: claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<SenderClaim>,
}

/// Whose voice is in one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamReport {
    /// Which stream.
    pub stream: StreamNumber,
    /// Pseudonyms. None: not known. More than one: a mix that cannot be separated.
    pub voices: Vec<String>,
    /// By which rule that is known: `label`, `send` or `order`, from strong to weak; the weakest, where
    /// voices were found by several.
    pub rule: Option<String>,
}

impl StreamReport {
    /// What the timeline says of a stretch of a stream.
    fn of_stretch(stretch: &Stretch<'_>) -> Self {
        let voice = stretch.voice;
        Self {
            stream: voice.stream,
            voices: voice.parties.clone(),
            rule: voice.rule.map(|rule| rule.as_str().to_owned()),
        }
    }

    /// In a sentence: who speaks in it, and how that is known.
    #[must_use]
    pub fn in_words(&self, lang: Language) -> String {
        let (stroom, number) = (lang.pick("stroom", "stream"), self.stream);
        format!("{stroom} {number}: {}", self.who_and_how(lang))
    }

    fn who_and_how(&self, lang: Language) -> String {
        let who = match self.voices.as_slice() {
            [] => lang
                .pick("niet bekend wie er spreekt", "not known who speaks")
                .to_owned(),
            [one] => one.clone(),
            several => format!(
                "{} ({})",
                several.join(", "),
                lang.pick("door elkaar, niet te scheiden", "mixed, not separable")
            ),
        };
        let how = match self.rule.as_deref() {
            Some("label") => lang.pick(
                "; de centrale zegt het zelf, met een label",
                "; the exchange says so itself, by a label",
            ),
            Some("send") => lang.pick(
                "; afgeleid uit wie wat zendt, zonder passend label",
                "; worked out from who sends what, without a label that fits",
            ),
            Some("order") => lang.pick("; een gok naar de volgorde", "; a guess by the order"),
            _ => "",
        };
        format!("{who}{how}")
    }

    /// Whether several people are in it whom nobody can take apart.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.voices.len() > 1
    }
}

impl CallReport {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.quirks.is_empty() && self.streams.is_empty() && self.senders.is_empty()
    }
}

impl CallReport {
    /// Its document; empty where it says nothing.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ArchiveError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        Ok(canonical_json(self)?)
    }

    /// Who speaks in each stream, and how that is known: a sentence for each stream, and one for each
    /// stretch of a stream that became somebody else's voice.
    #[must_use]
    pub fn voices_in_words(&self, timeline: Option<&Timeline>, lang: Language) -> Vec<String> {
        let stream = lang.pick("stroom", "stream");
        let mut sentences = Vec::new();
        for told in &self.streams {
            let stretches = timeline.map(|timeline| timeline.voices_of(told.stream));
            let stretches = stretches.unwrap_or_default();
            match stretches.as_slice() {
                [] => sentences.push(told.in_words(lang)),
                [one] => sentences.push(StreamReport::of_stretch(one).in_words(lang)),
                several => sentences.extend(several.iter().map(|stretch| {
                    let when = between(stretch.between, lang);
                    let told = StreamReport::of_stretch(stretch).who_and_how(lang);
                    format!("{stream} {}, {when}: {told}", stretch.voice.stream)
                })),
            }
        }
        sentences
    }
}

impl Archive {
    /// The report's document, if it is another than the one that is kept.
    pub(crate) fn new_report(
        &self,
        id: RecordingId,
        report: &CallReport,
    ) -> Result<Option<Vec<u8>>, ArchiveError> {
        let document = canonical_json(report)?;
        let kept = self.index.report(id).doing("reading a call's report")?;
        let is_known = match &kept {
            Some(kept) => *kept == document,
            None => report.is_empty(),
        };
        Ok((!is_known).then_some(document))
    }

    /// Adds what the senders said to the report of a recording that is being closed.
    pub(crate) fn report_senders(
        &self,
        id: RecordingId,
        senders: Vec<SenderClaim>,
    ) -> Result<(), ArchiveError> {
        if senders.is_empty() {
            return Ok(());
        }
        let report = CallReport {
            senders,
            ..self.call_report(id)?.unwrap_or_default()
        };
        let Some(document) = self.new_report(id, &report)? else {
            return Ok(());
        };
        self.index
            .note_call(id, &[], Some(&document))
            .doing("noting what the senders said")
    }

    /// What was odd about a call; nothing once it is destroyed.
    pub(crate) fn call_report(&self, id: RecordingId) -> Result<Option<CallReport>, ArchiveError> {
        let kept = self.index.report(id).doing("reading a call's report")?;
        let kept = kept.map(|bytes| {
            from_canonical(&bytes).map_err(|_text| ArchiveError::Corrupt {
                what: format!("the report of {id}"),
            })
        });
        kept.transpose()
    }
}
