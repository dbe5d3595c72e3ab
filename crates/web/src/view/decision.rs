//! A decision in words: outcome, reasons with their articles, duties, advice.

use crate::view::badge::{Badge, Shape};
use crate::view::when::When;
use crate::view::words;
use voicelog_archive::StoredDecision;
use voicelog_law::{
    AdviceKind, BEFORE_FIRST_SAMPLE, Decision, Duty, Forecast, Outcome, ReasonKind, Status,
};
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
            who: who(&duty.who, lang),
            by: by(&duty.by, lang),
            met: met(duty.met, lang),
            is_met: duty.met == Some(true),
            articles: duty.articles.clone(),
            source: Source::of(duty.status),
            text: duty.text.pick(lang).to_owned(),
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
fn advice(decision: &Decision, lang: Language) -> Vec<AdviceView> {
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

/// Who has a duty; a word that is new here is shown as the rulebook writes it.
fn who(word: &str, lang: Language) -> String {
    let (nl, en) = match word {
        "controller" => ("de organisatie", "the organisation"),
        "recorder" => ("wie opneemt", "who records"),
        "requester" => ("wie erom vraagt", "who asks for it"),
        "government_body" => ("de overheid", "the public body"),
        "employer" => ("de werkgever", "the employer"),
        other => return other.replace('_', " "),
    };
    lang.pick(nl, en).to_owned()
}

/// When a duty must be met: a word of the rulebook, or an ISO 8601 period.
fn by(word: &str, lang: Language) -> String {
    let (nl, en) = match word {
        BEFORE_FIRST_SAMPLE => ("voor de eerste seconde", "before the first second"),
        "before_go_live" => ("voor de ingebruikname", "before it is taken into use"),
        "at_once" => ("meteen", "at once"),
        "always" => ("altijd", "always"),
        "during_the_call" => ("tijdens het gesprek", "during the call"),
        "before_the_call" => ("voor het gesprek", "before the call"),
        "at_the_start_of_the_call" => ("aan het begin van het gesprek", "at the start of the call"),
        "at_each_call" => ("bij elk gesprek", "at each call"),
        "with_the_recording" => ("samen met de opname", "with the recording"),
        "with_the_filing" => ("bij het indienen", "with the filing"),
        "on_request" => ("op verzoek", "on request"),
        "before_giving" => ("voor het geven van de kopie", "before the copy is given"),
        "before_first_use" => ("voor het eerste gebruik", "before the first use"),
        "before_the_new_use" => ("voor het nieuwe gebruik", "before the new use"),
        "before_the_analysis" => ("voor de analyse", "before the analysis"),
        "before_service" => ("voor de dienst begint", "before the service starts"),
        "before_the_contract_binds" => ("voor de overeenkomst bindt", "before the contract binds"),
        "after_the_talk" => ("na het gesprek", "after the talk"),
        "after_the_report" => ("na het verslag", "after the report"),
        "after_the_inquiry" => ("na het onderzoek", "after the inquiry"),
        "after_the_hearing" => ("na de hoorzitting", "after the hearing"),
        other => return period(other, lang).unwrap_or_else(|| other.replace('_', " ")),
    };
    lang.pick(nl, en).to_owned()
}

/// `P1M` as `binnen 1 maand`.
fn period(text: &str, lang: Language) -> Option<String> {
    let rest = text.strip_prefix('P')?;
    let (number, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let count: u32 = number.parse().ok()?;
    let one = count == 1;
    let (nl, en) = match unit {
        "D" => (
            if one { "dag" } else { "dagen" },
            if one { "day" } else { "days" },
        ),
        "W" => (
            if one { "week" } else { "weken" },
            if one { "week" } else { "weeks" },
        ),
        "M" => (
            if one { "maand" } else { "maanden" },
            if one { "month" } else { "months" },
        ),
        "Y" => ("jaar", if one { "year" } else { "years" }),
        _ => return None,
    };
    Some(match lang {
        Language::Nl => format!("binnen {count} {nl}"),
        Language::En => format!("within {count} {en}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_told_in_words() {
        assert_eq!(by("P1M", Language::Nl), "binnen 1 maand");
        assert_eq!(by("P2W", Language::En), "within 2 weeks");
        assert_eq!(
            by("before_first_sample", Language::Nl),
            "voor de eerste seconde"
        );
        assert_eq!(by("one_fine_day", Language::Nl), "one fine day");
        assert_eq!(by("P", Language::Nl), "P");
    }
}
