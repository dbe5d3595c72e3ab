//! A decision in words: outcome, reasons with their articles, duties, advice.

use crate::view::badge::{Badge, Shape};
use crate::view::when::When;
use crate::view::words;
use voicelog_archive::StoredDecision;
use voicelog_law::{AdviceKind, Decision, Duty, Forecast, Outcome, ReasonKind, Status};
use voicelog_model::{Action, DecisionId, Language, Timestamp};

/// One reason.
#[derive(Debug, Clone)]
pub(crate) struct ReasonView {
    pub(crate) rule: String,
    pub(crate) kind: &'static str,
    pub(crate) articles: Vec<String>,
    pub(crate) source: Source,
    pub(crate) text: String,
    /// Who weighs, where a person decides; and on what.
    pub(crate) weighs: Option<String>,
    pub(crate) factors: Vec<String>,
}

/// Where a rule comes from, as the page marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    /// The text of the law was not read.
    pub(crate) unread: bool,
    /// The organisation made the rule.
    pub(crate) house: bool,
}

impl Source {
    fn of(status: Status) -> Self {
        Self {
            unread: status == Status::Unverified,
            house: status == Status::House,
        }
    }
}

/// One duty.
#[derive(Debug, Clone)]
pub(crate) struct DutyView {
    pub(crate) rule: String,
    pub(crate) who: String,
    pub(crate) by: String,
    pub(crate) met: Badge,
    pub(crate) is_met: bool,
    pub(crate) articles: Vec<String>,
    pub(crate) source: Source,
    pub(crate) text: String,
    /// How it is shown to be met.
    pub(crate) proof: Option<String>,
}

/// The advice of one kind.
#[derive(Debug, Clone)]
pub(crate) struct AdviceView {
    pub(crate) heading: &'static str,
    pub(crate) texts: Vec<String>,
}

/// A whole decision.
#[derive(Debug, Clone)]
pub(crate) struct DecisionView {
    pub(crate) id: String,
    pub(crate) at: When,
    /// The question that it answers.
    pub(crate) action: &'static str,
    pub(crate) outcome: Badge,
    pub(crate) meaning: &'static str,
    pub(crate) reasons: Vec<ReasonView>,
    pub(crate) duties: Vec<DutyView>,
    pub(crate) advice: Vec<AdviceView>,
    pub(crate) forecast: Option<String>,
    pub(crate) unknown: Vec<String>,
    pub(crate) rulebook: String,
}

/// The newest decision about recording, and all others, newest first.
pub(crate) fn main_and_others(
    decisions: &[StoredDecision],
    lang: Language,
) -> (Option<DecisionView>, Vec<DecisionView>) {
    let record = Action::Record;
    let main = decisions
        .iter()
        .rposition(|kept| kept.decision.action == record);
    let view = |kept: &StoredDecision| DecisionView::new(kept.id, kept.at, &kept.decision, lang);
    let others = decisions
        .iter()
        .enumerate()
        .rev()
        .filter(|(index, _)| Some(*index) != main)
        .map(|(_, kept)| view(kept))
        .collect();
    (
        main.and_then(|index| decisions.get(index)).map(view),
        others,
    )
}

impl DecisionView {
    pub(crate) fn new(id: DecisionId, at: Timestamp, decision: &Decision, lang: Language) -> Self {
        Self {
            id: id.to_string(),
            at: When::new(at, lang),
            action: words::question(decision.action, lang),
            outcome: outcome(decision.outcome(), lang),
            meaning: meaning(decision, lang),
            reasons: reasons(decision, lang),
            duties: duties(decision, lang),
            advice: advice(decision, lang),
            forecast: (decision.evidence.forecast != Forecast::NotApplicable)
                .then(|| decision.evidence.text.pick(lang).to_owned()),
            unknown: decision.unknown.clone().unwrap_or_default(),
            rulebook: format!("{} {}", decision.rulebook.id, decision.rulebook.valid_from),
        }
    }
}

/// The reasons, as the decision has them.
pub(crate) fn reasons(decision: &Decision, lang: Language) -> Vec<ReasonView> {
    decision
        .reasons()
        .iter()
        .map(|reason| ReasonView {
            rule: reason.rule.clone(),
            kind: reason_kind(reason.kind, lang),
            articles: reason.articles.clone(),
            source: Source::of(reason.status),
            text: reason.text.pick(lang).to_owned(),
            weighs: reason
                .weighing
                .as_ref()
                .map(|weighing| weighing.who.pick(lang).to_owned()),
            factors: reason
                .weighing
                .iter()
                .flat_map(|weighing| &weighing.factors)
                .map(|factor| factor.pick(lang).to_owned())
                .collect(),
        })
        .collect()
}

/// The duties, in the order in which they need somebody.
pub(crate) fn duties(decision: &Decision, lang: Language) -> Vec<DutyView> {
    duties_by_need(decision)
        .into_iter()
        .map(|duty| DutyView {
            rule: duty.rule.clone(),
            who: duty.who_in(lang),
            by: duty.by_in(lang),
            met: met(duty.met, lang),
            is_met: duty.met == Some(true),
            articles: duty.articles.clone(),
            source: Source::of(duty.status),
            text: duty.text.pick(lang).to_owned(),
            proof: duty.proof.as_ref().map(|proof| proof.pick(lang).to_owned()),
        })
        .collect()
}

/// The duties, those that are not met first, then those of which it is not known.
fn duties_by_need(decision: &Decision) -> Vec<&Duty> {
    let mut duties: Vec<&Duty> = decision.duties().iter().collect();
    duties.sort_by_key(|duty| match duty.met {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    });
    duties
}

pub(crate) const fn outcome(outcome: Outcome, lang: Language) -> Badge {
    match outcome {
        Outcome::Permitted => Badge::new(Shape::Check, "ok", lang.pick("Mag", "Permitted")),
        Outcome::PermittedWithDuties => Badge::new(
            Shape::Check,
            "ok",
            lang.pick("Mag, met plichten", "Permitted, with duties"),
        ),
        Outcome::NeedsHuman => Badge::new(
            Shape::Person,
            "wait",
            lang.pick("Een mens moet beslissen", "A person must decide"),
        ),
        Outcome::ForbiddenPrivacy => Badge::new(
            Shape::Barred,
            "alarm",
            lang.pick("Mag niet", "Not permitted"),
        ),
        Outcome::ForbiddenCriminal => Badge::new(
            Shape::Barred,
            "alarm",
            lang.pick("Mag niet: strafbaar", "Not permitted: a crime"),
        ),
    }
}

pub(crate) fn meaning(decision: &Decision, lang: Language) -> &'static str {
    let mut reasons = decision.reasons().iter();
    let by_house = reasons.all(|reason| reason.status == Status::House);
    let (nl, en) = match decision.outcome() {
        Outcome::Permitted => (
            "De wet staat het toe, zonder plichten.",
            "The law permits it, without duties.",
        ),
        Outcome::PermittedWithDuties => (
            "De wet staat het toe, zolang de plichten hieronder worden nageleefd.",
            "The law permits it, as long as the duties below are met.",
        ),
        Outcome::NeedsHuman if by_house => (
            "De wet staat het toe, maar een huisregel laat een mens beslissen. Er gebeurt niets tot die heeft beslist.",
            "The law permits it, but a house rule lets a person decide. Nothing happens until that person has decided.",
        ),
        Outcome::NeedsHuman => (
            "De wet laat het open. Er gebeurt niets tot een aangewezen persoon heeft beslist.",
            "The law leaves it open. Nothing happens until a named person has decided.",
        ),
        Outcome::ForbiddenPrivacy if by_house => (
            "De wet staat het toe, maar een huisregel van de organisatie verbiedt het.",
            "The law permits it, but a house rule of the organisation forbids it.",
        ),
        Outcome::ForbiddenPrivacy => (
            "De wet of een afspraak verbiedt het. Hieronder staat waarom.",
            "The law or an agreement forbids it. The reasons are below.",
        ),
        Outcome::ForbiddenCriminal => (
            "Het is strafbaar, of het is niet uit te sluiten dat het strafbaar is.",
            "It is a criminal offence, or it can’t be ruled out that it is.",
        ),
    };
    lang.pick(nl, en)
}

const fn reason_kind(kind: ReasonKind, lang: Language) -> &'static str {
    let (nl, en) = match kind {
        ReasonKind::Criminal => ("Strafrecht", "Criminal law"),
        ReasonKind::Privacy => ("Privacy", "Privacy"),
        ReasonKind::Labour => ("Arbeidsrecht", "Labour law"),
        ReasonKind::Contract => ("Afspraak of geheim", "Agreement or secret"),
        ReasonKind::Human => ("Open norm", "Open norm"),
        ReasonKind::Permit => ("Toegestaan", "Permitted"),
    };
    lang.pick(nl, en)
}

/// The advice by kind: what to do instead first, what it weighs in court last.
pub(crate) fn advice(decision: &Decision, lang: Language) -> Vec<AdviceView> {
    let kinds = [
        (
            AdviceKind::Alternative,
            "Wat ook kan",
            "What you can do instead",
        ),
        (
            AdviceKind::Script,
            "Wat u kunt zeggen en doen",
            "What you can say and do",
        ),
        (
            AdviceKind::Risk,
            "Waar u op moet letten",
            "What to look out for",
        ),
        (
            AdviceKind::Evidence,
            "Sterker of zwakker als bewijs",
            "Stronger or weaker as evidence",
        ),
    ];
    let of_kind = |(kind, nl, en)| {
        let found = decision.advice.iter().filter(|advice| advice.kind == kind);
        let texts: Vec<_> = found
            .map(|advice| {
                let text = advice.text.pick(lang);
                if advice.is_of_house() {
                    format!("{text} ({})", lang.pick("huisregel", "house rule"))
                } else {
                    text.to_owned()
                }
            })
            .collect();
        let heading = lang.pick(nl, en);
        (!texts.is_empty()).then_some(AdviceView { heading, texts })
    };
    kinds.into_iter().filter_map(of_kind).collect()
}

const fn met(met: Option<bool>, lang: Language) -> Badge {
    match met {
        Some(true) => Badge::new(Shape::Check, "ok", lang.pick("Nagekomen", "Met")),
        Some(false) => Badge::new(
            Shape::Cross,
            "alarm",
            lang.pick("Niet nagekomen", "Not met"),
        ),
        None => Badge::new(
            Shape::Question,
            "wait",
            lang.pick("Niet bekend", "Not known"),
        ),
    }
}
