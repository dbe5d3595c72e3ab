//! What a report comes to, in one sentence: whether the bundle holds, and whether the conversation is whole.
//!
//! The page says the same in the same words (`verifier/src/check/conclusion.ts`).

use super::claims::Claims;
use super::report::{Report, Text};
use crate::part::Plan;
use crate::timeline::Verdict;
use voicelog_model::Language;

/// What a bundle that holds is a bundle of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the arithmetic says of the whole recording, also in a copy of a part.
    pub verdict: Verdict,
    /// What a copy of a part shows; none where it is whole.
    pub part: Option<Plan>,
}

impl Outcome {
    pub(super) fn of(claims: &Claims) -> Option<Self> {
        Some(Self {
            verdict: claims.timeline.as_ref()?.verdict,
            part: claims.scope.as_ref().map(crate::part::Scope::plan),
        })
    }

    const fn text(&self) -> Text {
        match (&self.part, self.verdict) {
            (None, Verdict::Whole) => (
                "De bundel klopt. Het gesprek is volledig: er ontbreekt niets.",
                "The bundle holds. The conversation is whole: nothing is missing.",
            ),
            (None, Verdict::WholeWithDeclaredGaps) => (
                "De bundel klopt. Er ontbreken stukken, en van elk stuk staat er waarom.",
                "The bundle holds. Parts are missing, and for each part it says why.",
            ),
            (None, Verdict::CutShort) => (
                "De bundel klopt, maar de opname stopte te vroeg. Misschien ging het gesprek daarna door.",
                "The bundle holds, but the recording stopped too early. The conversation may have gone on.",
            ),
            (None, Verdict::UndeclaredGap) => (
                "De bundel klopt, maar er ontbreekt iets zonder verklaring.",
                "The bundle holds, but something is missing and nothing explains it.",
            ),
            (Some(_), Verdict::Whole) => (
                "Deze kopie klopt. Het hele gesprek is volledig opgenomen. Uit deze kopie is een deel weggelaten.",
                "This copy holds. The whole conversation was recorded completely. A part was left out of this copy.",
            ),
            (Some(_), Verdict::WholeWithDeclaredGaps) => (
                "Deze kopie klopt. Ook in de hele opname ontbreken stukken, en van elk stuk staat er waarom.",
                "This copy holds. Parts are missing from the whole recording too, and for each part it says why.",
            ),
            (Some(_), Verdict::CutShort) => (
                "Deze kopie klopt, maar de opname stopte te vroeg. Misschien ging het gesprek daarna door.",
                "This copy holds, but the recording stopped too early. The conversation may have gone on.",
            ),
            (Some(_), Verdict::UndeclaredGap) => (
                "Deze kopie klopt, maar in de hele opname ontbreekt iets zonder verklaring.",
                "This copy holds, but something is missing from the whole recording and nothing explains it.",
            ),
            (_, Verdict::NotRecorded) => (
                "De bundel klopt. Van dit gesprek is niets opgenomen.",
                "The bundle holds. Nothing of this conversation was recorded.",
            ),
            (_, Verdict::NotDrawn) => (
                "De bundel klopt. Dit gesprek zat niet in de steekproef en is niet opgenomen.",
                "The bundle holds. This conversation was not in the sample and was not recorded.",
            ),
            (_, Verdict::NotRequested) => (
                "De bundel klopt. Niemand vroeg om dit gesprek te bewaren; het is niet opgenomen.",
                "The bundle holds. Nobody asked to keep this conversation; it was not recorded.",
            ),
        }
    }
}

const BROKEN: Text = (
    "Deze bundel klopt niet. Vertrouw de inhoud niet.",
    "This bundle does not hold. Do not trust what is in it.",
);

impl Report {
    /// What the bundle is a bundle of; none where it does not hold, since nothing is proven then.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref().filter(|_| self.holds())
    }

    /// The one sentence that matters.
    #[must_use]
    pub fn conclusion(&self, language: Language) -> &'static str {
        let (nl, en) = self.outcome().map_or(BROKEN, Outcome::text);
        language.pick(nl, en)
    }
}
