//! Deciding: put the facts to the rules, weigh what holds, and say it with every reason.
//!
//! **Invariant:** the rules alone decide. What no rule permits is not permitted; what can't be
//! evaluated is refused; advice never changes the outcome.

mod missing;
mod report;
mod unknown;

use crate::decision::{Decision, Outcome, ReasonKind};
use crate::facts::Facts;
use crate::rulebook::{Asked, Does, Part, Rule, RuleFailure, Rulebook};
use voicelog_model::Timestamp;

/// Decides one act, and finds out which missing facts could still change the answer.
///
/// `at` is the moment for which the decision is asked; terms are reckoned from it.
#[must_use]
pub fn decide(rulebook: &Rulebook, facts: &Facts, at: Timestamp) -> Decision {
    let (weighed, asked) = weigh(rulebook, facts, at);
    let mut decision = report::decision(rulebook, facts, at, &weighed, &asked);
    decision.unknown = Some(unknown::find(rulebook, facts, at, &weighed));
    decision
}

/// Decides one act, leaving [`Decision::unknown`] out: the fast way, for a call that waits.
#[must_use]
pub fn decide_without_unknown(rulebook: &Rulebook, facts: &Facts, at: Timestamp) -> Decision {
    let (weighed, asked) = weigh(rulebook, facts, at);
    report::decision(rulebook, facts, at, &weighed, &asked)
}

/// What the rules say about one act: everything that makes the outcome.
#[derive(Debug, Default)]
struct Weighed<'r> {
    /// The gates that hold: refusals if there is one, else the rules that permit.
    gates: Vec<&'r Rule>,
    /// What holds because a fact is missing that can still change the outcome.
    missing: Vec<&'r Rule>,
    /// How it was seen that they can.
    witnesses: Vec<missing::Witness>,
    /// What the house forbids on top of the law.
    house: Vec<&'r Rule>,
    /// Duties, and the rules that say whether they are met.
    duties: Vec<&'r Rule>,
    /// What could not be evaluated.
    failures: Vec<RuleFailure>,
}

impl Weighed<'_> {
    /// The gravest outcome that anything here gives. House rules can only make it graver: the
    /// law is weighed as if they were not there.
    fn outcome(&self, rulebook: &Rulebook) -> Outcome {
        let house = self.house.iter().filter_map(|rule| kind_of(rule));
        house
            .map(ReasonKind::outcome)
            .fold(self.outcome_of_law(rulebook), Outcome::max)
    }

    fn outcome_of_law(&self, rulebook: &Rulebook) -> Outcome {
        let gates = self.gates.iter().chain(&self.missing);
        let gravest = gates
            .filter_map(|rule| kind_of(rule))
            .map(ReasonKind::outcome)
            .chain(
                self.failures
                    .iter()
                    .map(|failure| failure_kind(rulebook, failure).outcome()),
            )
            .max();
        let has_duty = self
            .duties
            .iter()
            .any(|rule| matches!(rule.does, Does::Duty { .. }));
        match gravest {
            // No rule speaks: never permitted.
            None => Outcome::NeedsHuman,
            Some(Outcome::Permitted) if has_duty => Outcome::PermittedWithDuties,
            Some(outcome) => outcome,
        }
    }
}

/// The kind of reason that a rule gives, if it is a gate.
const fn kind_of(rule: &Rule) -> Option<ReasonKind> {
    match rule.does {
        Does::Gate(kind) | Does::Missing { kind, .. } => Some(kind),
        _ => None,
    }
}

/// A criminal rule that can't be evaluated refuses as criminal, every other as privacy.
fn failure_kind(rulebook: &Rulebook, failure: &RuleFailure) -> ReasonKind {
    let rule = failure.rule.as_deref().and_then(|id| rulebook.by_id(id));
    match rule.and_then(kind_of) {
        Some(ReasonKind::Criminal) => ReasonKind::Criminal,
        // Without the facts no rule could be evaluated, the criminal ones included.
        None if failure.rule.is_none() => ReasonKind::Criminal,
        _ => ReasonKind::Privacy,
    }
}

/// Evaluates gates and duties, and what missing facts do.
fn weigh<'r>(rulebook: &'r Rulebook, facts: &Facts, at: Timestamp) -> (Weighed<'r>, Asked) {
    let look = look(rulebook, facts, at, Reach::House);
    let mut weighed = look.weighed;
    if !look.pending.is_empty() {
        let mattering = missing::that_matter(rulebook, facts, at, look.pending);
        weighed.missing = mattering.rules;
        weighed.witnesses = mattering.witnesses;
    }
    let (duties, failures) = rulebook.holding(&look.asked, Part::Duties);
    weighed.duties = duties;
    weighed.failures.extend(failures);
    (weighed, look.asked)
}

/// A first look at the gates.
struct Look<'r> {
    /// The gates, without duties and without what missing facts do.
    weighed: Weighed<'r>,
    /// What missing facts would do; pending until it is known whether they can still change the
    /// outcome.
    pending: Vec<&'r Rule>,
    /// The question.
    asked: Asked,
}

/// How far a first look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The law alone. What a missing fact does is found so: a house rule that refuses whatever
    /// the fact is would else hide that the law refuses because it is missing.
    Law,
    /// The law and the house rules.
    House,
}

fn look<'r>(rulebook: &'r Rulebook, facts: &Facts, at: Timestamp, reach: Reach) -> Look<'r> {
    let mut weighed = Weighed::default();
    let asked = Asked::new(facts.action(), facts.filled(), at);
    let (gates, failures) = rulebook.holding(&asked, Part::Gates);
    weighed.gates = gates;
    weighed.failures = failures;
    let (pending, failures) = rulebook.holding(&asked, Part::Missing);
    weighed.failures.extend(failures);
    if reach == Reach::House {
        let (house, failures) = rulebook.holding(&asked, Part::House);
        weighed.house = house;
        weighed.failures.extend(failures);
    }
    Look {
        weighed,
        pending,
        asked,
    }
}
