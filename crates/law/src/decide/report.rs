//! From the rules that hold to a decision that a person can read.

use super::{Weighed, failure_kind, kind_of};
use crate::decision::{
    Advice, AdviceKind, BEFORE_FIRST_SAMPLE, Decision, Duty, EvidenceForecast, Forecast, Outcome,
    Reason, ReasonKind, Status, Weighing,
};
use crate::facts::Facts;
use crate::facts::calendar;
use crate::facts::name;
use crate::facts::values::Values;
use crate::purposes;
use crate::rulebook::{Asked, Does, Part, Rule, RuleFailure, Rulebook};
use crate::terms::Terms;
use crate::text::Text;
use std::collections::BTreeMap;
use voicelog_model::{Action, Timestamp};

/// Id of the reason that no rule speaks on the act.
const SILENT: &str = "rulebook.silent";
/// Id of the reason that the facts could not be put to the rules.
const UNREADABLE: &str = "rulebook.error";

pub(super) fn decision(
    rulebook: &Rulebook,
    facts: &Facts,
    at: Timestamp,
    weighed: &Weighed<'_>,
    asked: &Asked,
) -> Decision {
    let (advising, failures) = rulebook.holding(asked, Part::Advice);
    let action = facts.action();
    let outcome = weighed.outcome(rulebook);
    let mut reasons: Vec<_> = in_order(weighed)
        .into_iter()
        .filter_map(|rule| reason(rule, action))
        .collect();
    let failed = weighed.failures.iter().chain(&failures);
    reasons.extend(failed.map(|failure| failed_reason(rulebook, failure)));
    if weighed.gates.is_empty() && weighed.missing.is_empty() && weighed.failures.is_empty() {
        reasons.insert(0, silent());
    }
    // A rule that advises and can't be evaluated refuses like any other.
    let advice_failed = failures
        .iter()
        .map(|failure| failure_kind(rulebook, failure).outcome());
    let mut advice: Vec<_> = in_order(weighed)
        .into_iter()
        .filter_map(alternative)
        .collect();
    advice.extend(advising.iter().filter_map(|rule| advised(rule)));
    advice.extend(notes(facts, asked, at));
    Decision {
        outcome: advice_failed.fold(outcome, Outcome::max),
        action,
        at,
        rulebook: rulebook.reference().clone(),
        facts_hash: facts.hash(),
        reasons,
        duties: duties(&weighed.duties),
        advice,
        evidence: forecast(in_order(weighed).into_iter().chain(advising)),
        unknown: None,
    }
}

/// Refusals and permits in the order of evaluation of the law.
fn in_order<'r>(weighed: &Weighed<'r>) -> Vec<&'r Rule> {
    let refuses = |rule: &&&Rule| kind_of(rule) != Some(ReasonKind::Permit);
    let gates = weighed.gates.iter();
    let mut rules: Vec<&Rule> = if weighed.missing.is_empty() && weighed.house.is_empty() {
        gates.copied().collect()
    } else {
        // Where a missing fact or the house refuses, the rules that would permit give no reason.
        gates
            .filter(refuses)
            .chain(&weighed.missing)
            .chain(&weighed.house)
            .copied()
            .collect()
    };
    rules.sort_by(|left, right| (left.gate, &left.id).cmp(&(right.gate, &right.id)));
    rules
}

/// Whether the act is done with a recording that is there already.
const fn is_later(action: Action) -> bool {
    !matches!(
        action,
        Action::Record | Action::ListenLive | Action::Call | Action::RefuseRecording
    )
}

fn reason(rule: &Rule, action: Action) -> Option<Reason> {
    let kind = kind_of(rule)?;
    let (articles, text) = match &rule.later {
        Some((articles, text)) if is_later(action) => (articles, text),
        _ => (&rule.articles, &rule.text),
    };
    Some(Reason {
        rule: rule.id.clone(),
        kind,
        articles: articles.clone(),
        status: rule.status,
        text: text.clone(),
        weighing: rule.weighing.clone(),
    })
}

fn failed_reason(rulebook: &Rulebook, failure: &RuleFailure) -> Reason {
    let rule = failure.rule.as_deref().and_then(|id| rulebook.by_id(id));
    Reason {
        rule: failure
            .rule
            .clone()
            .unwrap_or_else(|| UNREADABLE.to_owned()),
        kind: failure_kind(rulebook, failure),
        articles: rule.map(|rule| rule.articles.clone()).unwrap_or_default(),
        status: Status::Unverified,
        text: Text::new(
            format!(
                "Deze regel kon niet worden beoordeeld. Daarom is het antwoord nee. ({})",
                failure.why
            ),
            format!(
                "This rule could not be evaluated. Therefore the answer is no. ({})",
                failure.why
            ),
        ),
        weighing: None,
    }
}

fn silent() -> Reason {
    Reason {
        rule: SILENT.to_owned(),
        kind: ReasonKind::Human,
        articles: Vec::new(),
        status: Status::Unverified,
        text: Text::new(
            "Geen regel van dit regelboek zegt iets over deze handeling in deze situatie. \
             Het regelboek beslist dit dus niet; laat een mens met kennis van zaken beslissen.",
            "No rule of this rulebook speaks on this act in this situation. The rulebook does not \
             decide this; let a person who knows the matter decide.",
        ),
        weighing: Some(Weighing {
            who: Text::new(
                "iemand met kennis van zaken, met naam",
                "a named person who knows the matter",
            ),
            factors: Vec::new(),
        }),
    }
}

/// The duties that hold, each with whether it is met: no, if a rule says so; else yes, if a rule
/// says so; else not known.
fn duties(rules: &[&Rule]) -> Vec<Duty> {
    let mut marks: BTreeMap<&str, bool> = BTreeMap::new();
    for rule in rules {
        if let Does::Mark { duty, met } = &rule.does {
            let known = marks.entry(duty).or_insert(*met);
            *known = *known && *met;
        }
    }
    let duty = |rule: &&Rule| match &rule.does {
        Does::Duty { who, what, by } => Some(Duty {
            rule: rule.id.clone(),
            who: who.clone(),
            what: what.clone(),
            by: by.clone(),
            met: marks.get(rule.id.as_str()).copied(),
            articles: rule.articles.clone(),
            status: rule.status,
            text: rule.text.clone(),
            proof: rule.proof.clone(),
        }),
        _ => None,
    };
    let mut duties: Vec<_> = rules.iter().filter_map(duty).collect();
    // What has to be done first stands first.
    duties.sort_by_key(|duty| duty.by != BEFORE_FIRST_SAMPLE);
    duties
}

/// The other way that a refusal names.
fn alternative(rule: &Rule) -> Option<Advice> {
    rule.alternative.as_ref().map(|text| Advice {
        rule: rule.id.clone(),
        kind: AdviceKind::Alternative,
        text: text.clone(),
    })
}

fn advised(rule: &Rule) -> Option<Advice> {
    match rule.does {
        Does::Advice(kind) => Some(Advice {
            rule: rule.id.clone(),
            kind,
            text: rule.text.clone(),
        }),
        _ => None,
    }
}

/// What was read otherwise than written, and terms that contradict each other.
fn notes(facts: &Facts, asked: &Asked, at: Timestamp) -> Vec<Advice> {
    let mended = facts.mended().iter().map(|mended| Advice {
        rule: "facts.mended".to_owned(),
        kind: AdviceKind::Risk,
        text: mended.0.into(),
    });
    let conflict = Terms::of(asked.facts(), at).conflict();
    let conflict = conflict.map(|(floor, ceiling)| {
        let (floor, ceiling) = (calendar::day_of(floor), calendar::day_of(ceiling));
        Advice {
            rule: "terms.floor_beyond_ceiling".to_owned(),
            kind: AdviceKind::Risk,
            text: Text::new(
                format!(
                    "De wet eist bewaren tot {floor}; de gekozen termijn loopt tot {ceiling}. \
                     De wettelijke termijn gaat voor."
                ),
                format!(
                    "The law demands keeping until {floor}; the term chosen runs until {ceiling}. \
                     The statutory term wins."
                ),
            ),
        }
    });
    mended
        .chain(conflict)
        .chain(of_purpose(facts.action(), asked.facts()))
        .collect()
}

/// What belongs to the purpose, where it answers what is asked: who may listen, and how long.
fn of_purpose(action: Action, filled: &Values) -> Option<Advice> {
    let purpose = filled.word(name::PURPOSE).and_then(purposes::purpose)?;
    let (called, listeners, at_most) = (purpose.called, purpose.listeners, purpose.at_most);
    let text = match action {
        Action::Listen => Text::new(
            format!(
                "Voor het doel {} luistert alleen: {}.",
                called.nl, listeners.nl
            ),
            format!(
                "For the purpose {} only these listen: {}.",
                called.en, listeners.en
            ),
        ),
        Action::Record | Action::Keep => Text::new(
            format!("Hoe lang bij het doel {}: {}.", called.nl, at_most.nl),
            format!("How long for the purpose {}: {}.", called.en, at_most.en),
        ),
        _ => return None,
    };
    Some(Advice {
        rule: format!("purpose.{}", purpose.name),
        kind: AdviceKind::Risk,
        text,
    })
}

/// The forecast: the gravest that a rule gives.
fn forecast<'r>(rules: impl Iterator<Item = &'r Rule>) -> EvidenceForecast {
    let rules: Vec<_> = rules.collect();
    let asked = rules.iter().any(|rule| matches!(rule.does, Does::Forecast));
    let gravest = rules.iter().filter_map(|rule| rule.forecast).max();
    let forecast = match gravest {
        Some(forecast) if asked => forecast,
        _ => Forecast::NotApplicable,
    };
    let text = match forecast {
        Forecast::UsuallyAdmitted => Text::new(
            "De civiele rechter laat zo'n opname meestal toe en weegt haar mee. Zeker is dat nooit.",
            "A civil court usually admits such a recording and weighs it. That is never certain.",
        ),
        Forecast::Weighed => Text::new(
            "De rechter weegt of deze opname mee mag tellen. Er is een echt risico.",
            "The court weighs whether this recording may count. There is a real risk.",
        ),
        Forecast::ExclusionRisk => Text::new(
            "In een vergelijkbare zaak liet de rechter de opname buiten beschouwing.",
            "In a comparable case the court left the recording out.",
        ),
        Forecast::NotApplicable => Text::new(
            "De vraag naar bewijs speelt bij deze handeling niet.",
            "The question of evidence does not arise with this act.",
        ),
    };
    EvidenceForecast { forecast, text }
}
