//! One rule: a Cedar policy with what its annotations say about it.

use super::RulebookError;
use super::condition::Condition;
use super::single::Single;
use crate::decision::{AdviceKind, Forecast, ReasonKind, Status, Weighing};
use crate::facts::calendar;
use crate::text::Text;
use cedar_policy::{Effect, Policy, PolicyId};
use std::collections::BTreeMap;

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Does {
    /// A gate: says yes (permit) or no (all others).
    Gate(ReasonKind),
    /// Refuses, or asks a human, because a fact is missing, if that fact can still change the
    /// outcome.
    Missing { kind: ReasonKind, fact: String },
    /// Attaches a duty.
    Duty {
        who: String,
        what: String,
        by: String,
    },
    /// Says whether the duty with this id is met.
    Mark { duty: String, met: bool },
    /// Advises.
    Advice(AdviceKind),
    /// Says what a court usually does.
    Forecast,
}

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The law's.
    Law,
    /// An organisation's own.
    House,
}

/// Place of house rules in the order of evaluation: after all that the law says.
pub(crate) const HOUSE_GATE: u8 = 12;

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) does: Does,
    /// Place in the order of evaluation, 1 to 11; [`HOUSE_GATE`] for a house rule.
    pub(crate) gate: u8,
    pub(crate) articles: Vec<String>,
    pub(crate) status: Status,
    /// Full-date; compared as text.
    pub(crate) valid_from: String,
    /// The last day on which it holds, if it ends without another version in its place.
    pub(crate) valid_until: Option<String>,
    pub(crate) text: Text,
    /// The same in a few words, where a timeline shows it: "no consent".
    pub(crate) short: Option<Text>,
    /// Articles and text for a recording that is there already, where they differ.
    pub(crate) later: Option<(Vec<String>, Text)>,
    /// Another way, named with a refusal.
    pub(crate) alternative: Option<Text>,
    /// How a duty is shown to be met.
    pub(crate) proof: Option<Text>,
    /// Who weighs an open norm, and on what.
    pub(crate) weighing: Option<Weighing>,
    /// What a court does with a recording made so.
    pub(crate) forecast: Option<Forecast>,
    /// The policy as it stands in its file.
    pub(crate) cedar: String,
    /// The policy by itself, ready to be evaluated.
    pub(super) single: Single,
}

impl Rule {
    /// When it holds, for finding out what it hangs on.
    pub(crate) fn condition(&self) -> &Condition {
        self.single.condition()
    }
}

/// The annotations that a rule may carry.
const KNOWN: &[&str] = &[
    "id",
    "kind",
    "gate",
    "article",
    "article_later",
    "status",
    "valid_from",
    "valid_until",
    "nl",
    "en",
    "short_nl",
    "short_en",
    "nl_later",
    "en_later",
    "alternative_nl",
    "alternative_en",
    "proof_nl",
    "proof_en",
    "weighs_nl",
    "weighs_en",
    "factors_nl",
    "factors_en",
    "forecast",
    "fact",
    "who",
    "what",
    "by",
    "duty",
    "advice",
];

impl Rule {
    /// Whether an organisation made it, and not the law.
    pub(crate) const fn is_of_house(&self) -> bool {
        matches!(self.status, Status::House)
    }
}

/// Reads the annotations of one policy. `place` is its file.
pub(crate) fn read(place: &str, policy: &Policy, origin: Origin) -> Result<Rule, RulebookError> {
    let notes: BTreeMap<&str, &str> = policy.annotations().collect();
    let id = notes.get("id").copied().unwrap_or_default();
    let reader = Annotations {
        place,
        id,
        notes,
        origin,
    };
    if id.is_empty() {
        return Err(reader.wrong("id", "every rule has an id"));
    }
    if let Some(name) = reader.notes.keys().find(|name| !KNOWN.contains(name)) {
        return Err(reader.wrong(name, "is not an annotation that rules have"));
    }
    let (does, effect) = reader.does()?;
    if policy.effect() != effect {
        return Err(reader.wrong(
            "kind",
            "does not go with permit or forbid as it stands here",
        ));
    }
    let is_mark = matches!(does, Does::Mark { .. });
    let text = reader.pair("nl", "en")?;
    let valid_from = reader.must("valid_from")?;
    if calendar::day(valid_from).is_none() {
        return Err(reader.wrong("valid_from", "is not a date such as 2026-09-01"));
    }
    let articles = list(reader.notes.get("article").copied().unwrap_or_default());
    let valid_until = reader.notes.get("valid_until").copied();
    if valid_until.is_some_and(|last| calendar::day(last).is_none() || last < valid_from) {
        return Err(reader.wrong("valid_until", "is not a date from `@valid_from` on"));
    }
    let later = reader.pair("nl_later", "en_later")?.map(|text| {
        let later = reader.notes.get("article_later");
        (
            later.map_or_else(|| articles.clone(), |text| list(text)),
            text,
        )
    });
    Ok(Rule {
        id: id.to_owned(),
        gate: reader.gate(&does)?,
        articles,
        status: reader.status()?,
        valid_from: valid_from.to_owned(),
        valid_until: valid_until.map(str::to_owned),
        text: match text {
            Some(text) => text,
            None if is_mark => Text::new("", ""),
            None => return Err(reader.wrong("nl", "a text in Dutch and in English is missing")),
        },
        short: reader.pair("short_nl", "short_en")?,
        later,
        alternative: reader.pair("alternative_nl", "alternative_en")?,
        proof: reader.pair("proof_nl", "proof_en")?,
        weighing: reader.weighing(&does)?,
        forecast: reader.forecast()?,
        does,
        cedar: policy.to_string(),
        single: Single::new(policy.new_id(PolicyId::new(id)), origin),
    })
}

/// Articles, and factors, stand in one annotation, parted by semicolons.
fn list(text: &str) -> Vec<String> {
    let articles = text.split(';').map(str::trim);
    articles
        .filter(|article| !article.is_empty())
        .map(str::to_owned)
        .collect()
}

struct Annotations<'a> {
    place: &'a str,
    id: &'a str,
    notes: BTreeMap<&'a str, &'a str>,
    origin: Origin,
}

impl Annotations<'_> {
    fn wrong(&self, annotation: &str, why: &str) -> RulebookError {
        RulebookError::Annotation {
            place: self.place.to_owned(),
            rule: self.id.to_owned(),
            annotation: annotation.to_owned(),
            why: why.to_owned(),
        }
    }

    fn must(&self, name: &str) -> Result<&str, RulebookError> {
        let found = self
            .notes
            .get(name)
            .copied()
            .filter(|text| !text.is_empty());
        found.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// Two texts that are there together or not at all. Line breaks in a file are spaces.
    fn pair(&self, nl: &str, en: &str) -> Result<Option<Text>, RulebookError> {
        let tidy = |text: &&str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match (self.notes.get(nl).map(tidy), self.notes.get(en).map(tidy)) {
            (Some(dutch), Some(english)) if !dutch.is_empty() && !english.is_empty() => {
                Ok(Some(Text::new(dutch, english)))
            }
            (None, None) => Ok(None),
            _ => Err(self.wrong(nl, "needs both languages")),
        }
    }

    /// The law says of each rule whether its source was read; a house knows its own rules.
    fn status(&self) -> Result<Status, RulebookError> {
        if self.origin == Origin::House {
            return Ok(Status::House);
        }
        match self.must("status")? {
            "verified" => Ok(Status::Verified),
            "unverified" => Ok(Status::Unverified),
            _ => Err(self.wrong("status", "is `verified` or `unverified`")),
        }
    }

    fn does(&self) -> Result<(Does, Effect), RulebookError> {
        let kind = match self.must("kind")? {
            "criminal" => Some(ReasonKind::Criminal),
            "privacy" => Some(ReasonKind::Privacy),
            "labour" => Some(ReasonKind::Labour),
            "contract" => Some(ReasonKind::Contract),
            "human" => Some(ReasonKind::Human),
            "permit" => return Ok((Does::Gate(ReasonKind::Permit), Effect::Permit)),
            _ => None,
        };
        if let Some(kind) = kind {
            let does = match self.notes.get("fact") {
                Some(fact) => Does::Missing {
                    kind,
                    fact: (*fact).to_owned(),
                },
                None => Does::Gate(kind),
            };
            return Ok((does, Effect::Forbid));
        }
        let does = match self.must("kind")? {
            "duty" => Does::Duty {
                who: self.must("who")?.to_owned(),
                what: self.must("what")?.to_owned(),
                by: self.must("by")?.to_owned(),
            },
            "met" | "unmet" => Does::Mark {
                duty: self.must("duty")?.to_owned(),
                met: self.must("kind")? == "met",
            },
            "advice" => Does::Advice(match self.must("advice")? {
                "risk" => AdviceKind::Risk,
                "alternative" => AdviceKind::Alternative,
                "evidence" => AdviceKind::Evidence,
                "script" => AdviceKind::Script,
                _ => {
                    let why = "is risk, alternative, evidence or script";
                    return Err(self.wrong("advice", why));
                }
            }),
            "forecast" => Does::Forecast,
            _ => {
                let why = "is criminal, privacy, labour, contract, human, permit, duty, met, \
                           unmet, advice or forecast";
                return Err(self.wrong("kind", why));
            }
        };
        Ok((does, Effect::Permit))
    }

    fn gate(&self, does: &Does) -> Result<u8, RulebookError> {
        if self.origin == Origin::House {
            return Ok(HOUSE_GATE);
        }
        match (does, self.notes.get("gate")) {
            (Does::Gate(_) | Does::Missing { .. }, None) => Err(self.wrong("gate", "is missing")),
            (_, None) => Ok(10),
            (_, Some(text)) => text
                .parse()
                .ok()
                .filter(|gate| (1..=11).contains(gate))
                .ok_or_else(|| self.wrong("gate", "is a number from 1 to 11")),
        }
    }

    /// Who weighs and on what: with every rule of kind `human`, and with no other.
    fn weighing(&self, does: &Does) -> Result<Option<Weighing>, RulebookError> {
        let is_human = matches!(
            does,
            Does::Gate(ReasonKind::Human)
                | Does::Missing {
                    kind: ReasonKind::Human,
                    ..
                }
        );
        let who = self.pair("weighs_nl", "weighs_en")?;
        let factors = self.pair("factors_nl", "factors_en")?;
        match (is_human, who, factors) {
            (true, Some(who), Some(factors)) => {
                let (dutch, english) = (list(&factors.nl), list(&factors.en));
                if dutch.len() != english.len() {
                    return Err(self.wrong("factors_en", "has as many factors as the Dutch"));
                }
                let factors = dutch.into_iter().zip(english);
                let factors = factors.map(|(dutch, english)| Text::new(dutch, english));
                Ok(Some(Weighing {
                    who,
                    factors: factors.collect(),
                }))
            }
            (true, None, _) => Err(self.wrong("weighs_nl", "says who weighs, in both languages")),
            (true, Some(_), None) => {
                Err(self.wrong("factors_nl", "says what is weighed, in both languages"))
            }
            (false, None, None) => Ok(None),
            (false, _, _) => Err(self.wrong("weighs_nl", "belongs to rules of kind `human`")),
        }
    }

    fn forecast(&self) -> Result<Option<Forecast>, RulebookError> {
        self.notes
            .get("forecast")
            .map(|word| match *word {
                "usually_admitted" => Ok(Forecast::UsuallyAdmitted),
                "weighed" => Ok(Forecast::Weighed),
                "exclusion_risk" => Ok(Forecast::ExclusionRisk),
                "not_applicable" => Ok(Forecast::NotApplicable),
                _ => {
                    let why = "is usually_admitted, weighed, exclusion_risk or not_applicable";
                    Err(self.wrong("forecast", why))
                }
            })
            .transpose()
    }
}
