//! Whether a visitor may record the organisation: the law's own answers to what people ask most. Rules of the house
//! take no part: they bind the organisation, and not who visits it.

use serde_json::{Map, Value, json};
use voicelog_law::{
    Decision, Facts, FactsError, Outcome, Rulebook, Status, Text, decide_without_unknown,
    in_brackets,
};
use voicelog_model::{Language, Timestamp};

/// A question that visitors ask, with the facts that it stands for.
struct Question {
    nl: &'static str,
    en: &'static str,
    facts: &'static [(&'static str, &'static str)],
}

const QUESTIONS: &[Question] = &[
    Question {
        nl: "Een gesprek met ons opnemen, en dat zeggen",
        en: "Record a conversation with us, and say so",
        facts: &[("requested_action", "record"), ("openness", "announced")],
    },
    Question {
        nl: "Een gesprek met ons opnemen, zonder het te zeggen",
        en: "Record a conversation with us without saying so",
        facts: &[("requested_action", "record"), ("openness", "covert")],
    },
    Question {
        nl: "Een gesprek van anderen opnemen, waar u niet bij bent",
        en: "Record a conversation of others that you take no part in",
        facts: &[
            ("requested_action", "record"),
            ("openness", "covert"),
            ("participation", "none"),
        ],
    },
    Question {
        nl: "De opname laten horen aan uw advocaat",
        en: "Let your lawyer hear the recording",
        facts: &[("requested_action", "share"), ("share_target", "lawyer")],
    },
    Question {
        nl: "De opname op internet zetten",
        en: "Put the recording on the internet",
        facts: &[("requested_action", "publish")],
    },
    Question {
        nl: "De opname aan de rechter geven",
        en: "Give the recording to the court",
        facts: &[("requested_action", "file_in_court")],
    },
];

/// One answer.
pub(super) struct Answer {
    pub(super) question: &'static str,
    pub(super) outcome: &'static str,
    /// Why: texts with their articles.
    pub(super) reasons: Vec<String>,
}

/// The answers for somebody who talks with an organisation of that kind, face to face.
///
/// # Errors
/// The kind is no value of `recorder_type`.
pub(super) fn answers(
    law: &Rulebook,
    organisation: &str,
    at: Timestamp,
    language: Language,
) -> Result<Vec<Answer>, FactsError> {
    let asked = QUESTIONS.iter().map(|question| {
        let facts = Facts::from_map(&facts(question, organisation), at)?;
        let decision = decide_without_unknown(law, &facts, at);
        Ok(Answer {
            question: language.pick(question.nl, question.en),
            outcome: in_words(decision.outcome(), language),
            reasons: reasons(&decision, language),
        })
    });
    asked.collect()
}

fn facts(question: &Question, organisation: &str) -> Map<String, Value> {
    let visitor = match organisation {
        "government_body" => "citizen",
        _ => "private_person",
    };
    let mut facts = Map::new();
    let base = [
        ("recorder_type", json!(visitor)),
        ("counterpart_types", json!([organisation])),
        ("channel", json!("live_inside")),
        ("participation", json!("participant")),
        ("purpose", json!("eigen_gebruik_bewijs")),
        ("content_nature", json!("business")),
    ];
    facts.extend(base.map(|(name, value)| (name.to_owned(), value)));
    // A device that somebody left behind is what is meant, and no camera on the wall.
    let is_away = question.facts.contains(&("participation", "none"));
    if is_away {
        facts.insert("device_visible_with_authority".to_owned(), json!(false));
    }
    let own = question.facts.iter();
    facts.extend(own.map(|(name, value)| ((*name).to_owned(), json!(value))));
    facts
}

fn in_words(outcome: Outcome, language: Language) -> &'static str {
    match outcome {
        Outcome::Permitted => language.pick("Dat mag", "You may"),
        Outcome::PermittedWithDuties => {
            language.pick("Dat mag, onder voorwaarden", "You may, on conditions")
        }
        Outcome::NeedsHuman => language.pick("Dat hangt ervan af", "It depends"),
        Outcome::ForbiddenPrivacy => language.pick("Dat mag niet", "You may not"),
        Outcome::ForbiddenCriminal => language.pick(
            "Dat mag niet: het is strafbaar",
            "You may not: it is a crime",
        ),
    }
}

/// Why, then the duties that come with what is permitted.
fn reasons(decision: &Decision, language: Language) -> Vec<String> {
    let with = |text: &Text, articles: &[String], status: Status| {
        let text = text.pick(language);
        let not_read = match status {
            Status::Unverified => language.pick(
                " (bron niet gelezen of eigen toepassing)",
                " (source not read, or our own application)",
            ),
            Status::Verified | Status::House => "",
        };
        format!("{text}{}{not_read}", in_brackets(articles))
    };
    let reasons = decision.reasons().iter();
    let reasons = reasons.map(|one| with(&one.text, &one.articles, one.status));
    let is_permitted = decision.outcome() == Outcome::PermittedWithDuties;
    let duties = decision.duties().iter().filter(|_| is_permitted);
    let duties = duties.map(|one| with(&one.text, &one.articles, one.status));
    reasons.chain(duties).collect()
}
