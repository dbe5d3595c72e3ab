//! House rules that load and yet deserve a second look: those that never hold, add nothing, or
//! contradict each other.
//!
//! Most of it is found by trying facts (`crate::search`). Where nothing is found that is what is
//! said, and no more; what is found is told with the facts.

use super::fault::in_order;
use super::{HouseFinding, HouseRules, Place, finding_at};
use crate::decide::decide_without_unknown;
use crate::decision::{BEFORE_FIRST_SAMPLE, Outcome};
use crate::facts::values::Values;
use crate::facts::{Facts, calendar, name};
use crate::rulebook::Condition;
use crate::rulebook::{Asked, Does, Part, Rule, Rulebook, RulebookError};
use crate::search::{Budget, Found, search};
use crate::situations::situations;
use std::collections::BTreeMap;
use voicelog_model::{Action, Timestamp};

/// For "does it ever hold?": all that one condition hangs on.
const EVER: Budget = Budget {
    steps: 20_000,
    facts: 2_000,
};
/// For "does it make a difference here?": a few sets of facts from each ordinary situation.
const HERE: Budget = Budget {
    steps: 400,
    facts: 3,
};

impl HouseRules {
    /// What deserves a second look, in the rules that are in force on the day of `law` and in
    /// those that come later. Findings say what was tried and not found, not what can't be.
    ///
    /// # Errors
    /// As [`Rulebook::on`].
    pub fn warnings(&self, law: &Rulebook) -> Result<Vec<HouseFinding>, RulebookError> {
        let mut findings = self.impossible.clone();
        let mut days: BTreeMap<String, Day> = BTreeMap::new();
        for ((rule, _), place) in self.versions.iter().zip(self.places.iter()) {
            let is_told = |known: &HouseFinding| {
                (known.file.as_str(), known.rule.as_deref())
                    == (place.0.as_str(), Some(rule.id.as_str()))
            };
            if self.impossible.iter().any(is_told) {
                continue;
            }
            let from = law.day().max(rule.valid_from.clone());
            if !days.contains_key(&from) {
                days.insert(from.clone(), Day::new(self, law, &from)?);
            }
            if let Some(day) = days.get(&from) {
                findings.extend(day.look_at(rule, place));
            }
        }
        in_order(&mut findings);
        Ok(findings)
    }
}

/// The rules of one day.
struct Day {
    at: Timestamp,
    law: Rulebook,
    /// The law and the house.
    all: Rulebook,
}

/// A rule, its place, and what is said of it.
struct About<'a> {
    rule: &'a Rule,
    place: &'a Place,
    acts: Vec<Action>,
    findings: Vec<HouseFinding>,
}

impl About<'_> {
    fn say(&mut self, nl: &str, en: &str) {
        let finding = finding_at(self.place, &self.rule.id, nl, en);
        self.findings.push(finding);
    }
}

impl Day {
    fn new(house: &HouseRules, law: &Rulebook, day: &str) -> Result<Self, RulebookError> {
        let begin = calendar::day(day).and_then(calendar::start_of);
        let at = begin
            .filter(|_| day > law.day().as_str())
            .unwrap_or(law.at());
        let law = law.on(at)?;
        Ok(Self {
            at,
            all: law.with_house(house)?,
            law,
        })
    }

    fn look_at(&self, rule: &Rule, place: &Place) -> Vec<HouseFinding> {
        let is_in_force = self
            .all
            .by_id(&rule.id)
            .is_some_and(|known| known.valid_from == rule.valid_from);
        if !is_in_force {
            // It has ended, or a younger version took its place.
            return Vec::new();
        }
        let mut about = About {
            rule,
            place,
            acts: self.all.acts_of(&rule.id),
            findings: Vec::new(),
        };
        if self.never_holds(&about) {
            about.say(
                "er is geen situatie gevonden waarin deze regel geldt: wat hij noemt, gaat niet samen",
                "no set of facts was found for which this rule holds: what it names does not go together",
            );
            return about.findings;
        }
        match &rule.does {
            Does::Gate(kind) => self.adds_nothing(kind.outcome(), &mut about),
            Does::Duty { what, by, .. } => {
                self.never_with_what_may_happen(&mut about);
                self.demands_what_is_forbidden(what, &mut about);
                self.can_be_met(by, &mut about);
            }
            Does::Mark { duty, met } => self.marks(duty, *met, &mut about),
            _ => {}
        }
        about.findings
    }

    /// Whether no facts at all were found for which the rule holds, on any of its acts.
    fn never_holds(&self, about: &About<'_>) -> bool {
        about.acts.iter().all(|action| {
            let found = self.find(about.rule.condition(), *action, |facts| {
                self.holds(&about.rule.id, facts).then_some(())
            });
            matches!(found, Found::No)
        })
    }

    /// Looks for facts from next to nothing: the act alone.
    fn find<T>(
        &self,
        condition: &Condition,
        action: Action,
        accept: impl FnMut(&Facts) -> Option<T>,
    ) -> Found<T> {
        let mut bare = Values::default();
        bare.set(name::REQUESTED_ACTION, action.as_str());
        if action == Action::UseFor {
            bare.set(name::PURPOSE2, "overig");
        }
        let bare = Facts::draft(action, bare, self.at);
        search(condition, &bare, &[], self.at, EVER, accept)
    }

    /// Whether the house rule holds for these facts, as Cedar says.
    fn holds(&self, id: &str, facts: &Facts) -> bool {
        let asked = Asked::new(facts.action(), facts.filled(), self.at);
        let parts = [Part::House, Part::Duties, Part::Advice];
        parts.into_iter().any(|part| {
            let (holding, _) = self.all.holding(&asked, part);
            holding.iter().any(|rule| rule.id == id)
        })
    }

    /// The house gates that hold for these facts.
    fn forbidding(&self, facts: &Facts) -> Vec<String> {
        let asked = Asked::new(facts.action(), facts.filled(), self.at);
        let (holding, _) = self.all.holding(&asked, Part::House);
        holding.iter().map(|rule| rule.id.clone()).collect()
    }

    /// Looks from every ordinary situation of every act of the rule for facts for which it holds
    /// and that `accept` takes.
    fn found_in_a_situation(
        &self,
        about: &About<'_>,
        mut accept: impl FnMut(&Facts) -> bool,
    ) -> bool {
        about.acts.iter().any(|action| {
            situations(*action, self.at).iter().any(|situation| {
                let found = search(
                    about.rule.condition(),
                    &situation.facts,
                    &[],
                    self.at,
                    HERE,
                    |facts| (self.holds(&about.rule.id, facts) && accept(facts)).then_some(()),
                );
                matches!(found, Found::Yes(()))
            })
        })
    }

    fn adds_nothing(&self, outcome: Outcome, about: &mut About<'_>) {
        let adds = self.found_in_a_situation(about, |facts| {
            decide_without_unknown(&self.law, facts, self.at).outcome() < outcome
        });
        if !adds {
            about.say(
                "deze regel lijkt niets toe te voegen: waar hij geldt, is geen situatie gevonden waarin de wet het niet al even streng of strenger afwijst",
                "this rule seems to add nothing: where it holds, no situation was found in which the law does not refuse as much or more already",
            );
        }
    }

    fn never_with_what_may_happen(&self, about: &mut About<'_>) {
        let may = self.found_in_a_situation(about, |facts| {
            decide_without_unknown(&self.all, facts, self.at).is_permitted()
        });
        if !may {
            about.say(
                "deze plicht lijkt zonder gevolg: er is geen situatie gevonden waarin zij geldt en de handeling mag",
                "this duty seems to be without effect: no situation was found in which it holds and the act may happen",
            );
        }
    }

    /// A duty to do an act that a house rule forbids.
    fn demands_what_is_forbidden(&self, what: &str, about: &mut About<'_>) {
        let Some(demanded) = Action::ALL.into_iter().find(|act| act.as_str() == what) else {
            return;
        };
        let mut forbidding = Vec::new();
        let may = self.found_in_a_situation(about, |facts| {
            let mut given = facts.given().clone();
            given.set(name::REQUESTED_ACTION, demanded.as_str());
            let Some(facts) = Facts::checked(demanded, given, self.at) else {
                return false;
            };
            let found = self.forbidding(&facts);
            let is_free = found.is_empty();
            forbidding.extend(found);
            is_free
        });
        if !may && let Some(other) = forbidding.first() {
            about.say(
                &format!("deze plicht vraagt om `{what}`, en `{other}` verbiedt dat; er is geen situatie gevonden waarin beide kunnen"),
                &format!("this duty demands `{what}`, and `{other}` forbids that; no situation was found in which both can be"),
            );
        }
    }

    /// Whether a duty can be met where the act is not forbidden by the house itself.
    fn can_be_met(&self, by: &str, about: &mut About<'_>) {
        let marks = self.all.marks_of(&about.rule.id);
        let met: Vec<&Rule> = marks
            .into_iter()
            .filter(|mark| matches!(mark.does, Does::Mark { met: true, .. }))
            .collect();
        if met.is_empty() {
            if by == BEFORE_FIRST_SAMPLE {
                about.say(
                    "deze plicht moet nagekomen zijn vóór de eerste seconde, en geen regel (kind `met`) zegt wanneer dat zo is: waar zij geldt, begint geen enkele opname",
                    "this duty must be met before the first second, and no rule (kind `met`) says when it is: where it holds, no recording ever begins",
                );
            }
            return;
        }
        let mut forbidding = Vec::new();
        let mut is_free = false;
        for (mark, action) in met
            .iter()
            .flat_map(|mark| about.acts.iter().map(move |act| (mark, act)))
        {
            let both = and(about.rule.condition(), mark.condition());
            let found = self.find(&both, *action, |facts| {
                let found = self.forbidding(facts);
                let free = found.is_empty();
                forbidding.extend(found);
                free.then_some(())
            });
            is_free |= !matches!(found, Found::No);
        }
        if !is_free && let Some(other) = forbidding.first() {
            about.say(
                &format!("deze plicht kan alleen worden nagekomen waar `{other}` de handeling verbiedt; er is geen andere situatie gevonden"),
                &format!("this duty can only be met where `{other}` forbids the act; no other situation was found"),
            );
        }
    }

    /// A mark for a duty that is not in force, or that another mark contradicts.
    fn marks(&self, duty: &str, is_met: bool, about: &mut About<'_>) {
        let Some(of) = self.all.by_id(duty) else {
            let from = &about.rule.valid_from;
            return about.say(
                &format!("de plicht `{duty}` geldt niet op {from}; tot zij geldt, doet deze regel niets"),
                &format!("the duty `{duty}` is not in force on {from}; until it is, this rule does nothing"),
            );
        };
        // Told once, at the rule that says that it is met.
        let others = self.all.marks_of(duty).into_iter();
        let others =
            others.filter(|mark| is_met && matches!(mark.does, Does::Mark { met: false, .. }));
        for other in others {
            let all = and(
                of.condition(),
                &and(about.rule.condition(), other.condition()),
            );
            let found = about.acts.iter().find_map(|action| {
                let found = self.find(&all, *action, |facts| {
                    let ids = [duty, &about.rule.id, &other.id];
                    ids.iter()
                        .all(|id| self.holds(id, facts))
                        .then(|| facts.canonical_json())
                });
                match found {
                    Found::Yes(facts) => Some(facts),
                    _ => None,
                }
            });
            if let Some(facts) = found {
                let id = &other.id;
                about.say(
                    &format!("`{id}` zegt het tegendeel voor {facts}; dan geldt de plicht als niet nagekomen"),
                    &format!("`{id}` says the opposite for {facts}; the duty then counts as not met"),
                );
            }
        }
    }
}

fn and(left: &Condition, right: &Condition) -> Condition {
    Condition::And(Box::new(left.clone()), Box::new(right.clone()))
}
