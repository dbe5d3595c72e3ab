//! The answer of the law: its outcome, with every reason, duty and advice behind it.

use crate::duty_words;
use crate::text::Text;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use voicelog_model::{Action, Language, Timestamp};

/// What the law says about one act, from mild to grave. The gravest that any rule gives wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Lawful, no duty attached.
    Permitted,
    /// Lawful, at least one duty is attached to the act.
    PermittedWithDuties,
    /// An open norm: nothing happens until a named person has decided, with reasons.
    NeedsHuman,
    /// A ground of privacy, secrecy, contract or labour law.
    ForbiddenPrivacy,
    /// A criminal ground, or an unknown criminal fact.
    ForbiddenCriminal,
}

impl Outcome {
    /// The word used in decisions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::PermittedWithDuties => "permitted_with_duties",
            Self::NeedsHuman => "needs_human",
            Self::ForbiddenPrivacy => "forbidden_privacy",
            Self::ForbiddenCriminal => "forbidden_criminal",
        }
    }

    /// Whether the act may happen.
    #[must_use]
    pub const fn is_permitted(self) -> bool {
        matches!(self, Self::Permitted | Self::PermittedWithDuties)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Criminal law forbids it, or a criminal fact is not known.
    Criminal,
    /// Privacy or secrecy forbids it.
    Privacy,
    /// Labour law forbids it.
    Labour,
    /// An agreement forbids it.
    Contract,
    /// A named person decides.
    Human,
    /// The rule on which the act rests.
    Permit,
}

impl ReasonKind {
    /// What a rule of this kind makes of the act.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Criminal => Outcome::ForbiddenCriminal,
            Self::Privacy | Self::Labour | Self::Contract => Outcome::ForbiddenPrivacy,
            Self::Human => Outcome::NeedsHuman,
            Self::Permit => Outcome::Permitted,
        }
    }

    /// The word used in decisions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Criminal => "criminal",
            Self::Privacy => "privacy",
            Self::Labour => "labour",
            Self::Contract => "contract",
            Self::Human => "human",
            Self::Permit => "permit",
        }
    }
}

/// Where a rule comes from, and whether its source was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The text, or an excerpt of it, was read.
    Verified,
    /// It was not, or the rule is our own application of it. Show it as such.
    Unverified,
    /// It is a rule of the organisation itself and not of the law. Show it as such.
    House,
}

impl Status {
    /// The word used in decisions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::House => "house",
        }
    }
}

/// Why the outcome is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Id of the rule; `Rulebook::rule` shows it.
    pub rule: String,
    /// Its kind.
    pub kind: ReasonKind,
    /// The articles and judgments it rests on.
    pub articles: Vec<String>,
    /// Whether they were read.
    pub status: Status,
    /// What it says, for people.
    pub text: Text,
    /// Who decides, and on what: with every reason of kind `human`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighing: Option<Weighing>,
}

/// An open norm, for the person who has to weigh it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighing {
    /// Who weighs: "the controller, with the data protection officer".
    pub who: Text,
    /// What to look at, in the order of the rule.
    pub factors: Vec<Text>,
}

/// What must be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Id of the rule.
    pub rule: String,
    /// Who must do it: `controller`, `recorder`, `requester` …
    pub who: String,
    /// What, in one word: `notice`, `register` …
    pub what: String,
    /// Before when: [`BEFORE_FIRST_SAMPLE`], another moment in words, or an ISO 8601 duration.
    pub by: String,
    /// Whether it is met, as far as the facts tell.
    pub met: Option<bool>,
    /// The articles it rests on.
    pub articles: Vec<String>,
    /// Whether they were read.
    pub status: Status,
    /// What it says, for people.
    pub text: Text,
    /// How it is shown to be met: "the signed contract".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Text>,
}

impl Duty {
    /// Who must meet it, in words.
    #[must_use]
    pub fn who_in(&self, language: Language) -> String {
        duty_words::who(&self.who, language)
    }

    /// Before when, in words.
    #[must_use]
    pub fn by_in(&self, language: Language) -> String {
        duty_words::by(&self.by, language)
    }
}

/// `by` of a duty that protects the people recorded from the first second on: as long as it is
/// not met, not one sample may be kept.
pub const BEFORE_FIRST_SAMPLE: &str = "before_first_sample";

/// The kind of an advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceKind {
    /// What can go wrong.
    Risk,
    /// Another way.
    Alternative,
    /// What makes it stronger as evidence.
    Evidence,
    /// Words to say.
    Script,
}

/// With this the ids of all house rules begin, and of no rule of the law.
pub const HOUSE_PREFIX: &str = "house.";

/// What is wise. It never changes the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Id of the rule.
    pub rule: String,
    /// Its kind.
    pub kind: AdviceKind,
    /// What it says, for people.
    pub text: Text,
}

impl Advice {
    /// Whether the organisation advises so, and not the rulebook of the law.
    #[must_use]
    pub fn is_of_house(&self) -> bool {
        self.rule.starts_with(HOUSE_PREFIX)
    }
}

/// What a civil court usually does with such a recording. Never a certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forecast {
    /// Normally admitted and weighed.
    UsuallyAdmitted,
    /// The court weighs; a real risk.
    Weighed,
    /// Excluded in a real case.
    ExclusionRisk,
    /// The question does not arise.
    NotApplicable,
}

/// The forecast with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceForecast {
    /// What a court usually does.
    pub forecast: Forecast,
    /// What it says, for people.
    pub text: Text,
}

/// The rulebook that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulebookRef {
    /// `nl`; `nl+house` with the rules of an organisation.
    pub id: String,
    /// Day from which the youngest of its rules in force is valid.
    pub valid_from: String,
    /// `sha256:` over all rules with their texts.
    pub hash: String,
}

/// The answer of the law about one act. It serialises with both languages, for storage;
/// [`Decision::to_json`] gives the form for one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The gravest outcome that any rule gives.
    pub outcome: Outcome,
    /// The act.
    pub action: Action,
    /// The moment for which it was decided.
    pub at: Timestamp,
    /// By which rulebook.
    pub rulebook: RulebookRef,
    /// On which facts: hash of their canonical JSON.
    pub facts_hash: String,
    /// Every reason, in the order of evaluation of the law.
    pub reasons: Vec<Reason>,
    /// Every duty.
    pub duties: Vec<Duty>,
    /// Every advice.
    pub advice: Vec<Advice>,
    /// What a court usually does.
    pub evidence: EvidenceForecast,
    /// The missing facts whose value would still change the outcome, in the order of the table;
    /// `None` where that was not computed.
    pub unknown: Option<Vec<String>>,
}

impl Decision {
    /// The outcome.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the act may happen: `permitted` or `permitted_with_duties`.
    #[must_use]
    pub const fn is_permitted(&self) -> bool {
        self.outcome.is_permitted()
    }

    /// Every reason, in order.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Every duty.
    #[must_use]
    pub fn duties(&self) -> &[Duty] {
        &self.duties
    }

    /// The duties that must be met before the first sample and are not known to be.
    pub fn duties_blocking_first_sample(&self) -> impl Iterator<Item = &Duty> {
        let blocks = |duty: &&Duty| duty.by == BEFORE_FIRST_SAMPLE && duty.met != Some(true);
        self.duties.iter().filter(blocks)
    }

    /// The articles of all reasons, each once, in order.
    #[must_use]
    pub fn articles(&self) -> Vec<&str> {
        let mut articles: Vec<&str> = Vec::new();
        for article in self.reasons.iter().flat_map(|reason| &reason.articles) {
            if !articles.contains(&article.as_str()) {
                articles.push(article);
            }
        }
        articles
    }

    /// The decision as JSON, with texts in one language. Without `unknown` where it was not
    /// computed: an empty list would say that nothing is unknown.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Value {
        let reasons = self.reasons.iter().map(|reason| {
            let mut json = json!({
                "rule": reason.rule, "kind": reason.kind, "articles": reason.articles,
                "status": reason.status, "text": reason.text.pick(language),
            });
            if let (Some(weighing), Value::Object(map)) = (&reason.weighing, &mut json) {
                let factors = weighing.factors.iter().map(|text| text.pick(language));
                let factors: Vec<_> = factors.collect();
                let who = weighing.who.pick(language);
                map.insert(
                    "weighing".to_owned(),
                    json!({ "who": who, "factors": factors }),
                );
            }
            json
        });
        let duties = self.duties.iter().map(|duty| {
            json!({
                "rule": duty.rule, "who": duty.who, "what": duty.what, "by": duty.by,
                "met": duty.met, "articles": duty.articles, "status": duty.status,
                "text": duty.text.pick(language),
                "proof": duty.proof.as_ref().map(|proof| proof.pick(language)),
            })
        });
        let advice = self.advice.iter().map(|advice| {
            json!({
                "rule": advice.rule, "kind": advice.kind, "text": advice.text.pick(language),
            })
        });
        let mut decision = json!({
            "outcome": self.outcome,
            "action": self.action,
            "at": self.at,
            "rulebook": self.rulebook,
            "facts_hash": self.facts_hash,
            "reasons": reasons.collect::<Vec<_>>(),
            "duties": duties.collect::<Vec<_>>(),
            "advice": advice.collect::<Vec<_>>(),
            "evidence": {
                "forecast": self.evidence.forecast,
                "text": self.evidence.text.pick(language),
            },
        });
        if let (Some(unknown), Value::Object(map)) = (&self.unknown, &mut decision) {
            map.insert("unknown".to_owned(), json!(unknown));
        }
        decision
    }
}
