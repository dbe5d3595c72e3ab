//! `voicelog law preview`: what the rules that come into force until a day change.

use super::bad;
use crate::cmds::show;
use crate::{Ended, print};
use anyhow::Result;
use serde_json::Value;
use voicelog_law::{
    AnswerChange, Change, FactWords, Preview, PurposeChange, RuleChange, Rulebook, TermChange,
    Text, in_brackets,
};
use voicelog_model::{Language, Timestamp};

pub(super) fn run(
    rulebook: &Rulebook,
    to: Timestamp,
    as_json: bool,
    lang: Language,
) -> Result<Ended> {
    let preview = rulebook.preview(to)?;
    if preview.to < preview.from {
        return Err(bad(lang
            .pick(
                "--at: die dag is voorbij; kies een dag die nog komt",
                "--at: that day is past; choose one that is to come",
            )
            .to_owned()));
    }
    if as_json {
        print::json(&preview.to_json(lang))?;
    } else {
        in_words(&preview, &FactWords::load(lang, to)?, lang);
    }
    Ok(Ended::Done)
}

fn in_words(preview: &Preview, words: &FactWords, lang: Language) {
    let (from, to) = (&preview.from, &preview.to);
    if preview.is_empty() {
        return print::line(lang.pick(
            &format!(
                "Van {from} tot en met {to} verandert er geen regel en geen wettelijke termijn."
            ),
            &format!("From {from} up to {to} no rule and no statutory term changes."),
        ));
    }
    print::line(lang.pick(
        &format!("Wat er verandert van {from} tot en met {to}:"),
        &format!("What changes from {from} up to {to}:"),
    ));
    for rule in &preview.rules {
        print::line(rule_in_words(rule, lang));
    }
    for term in &preview.terms {
        print::line(term_in_words(term, words, lang));
    }
    for purpose in &preview.purposes {
        print::line(purpose_in_words(purpose, lang));
    }
    print::say(
        lang,
        "\nWat dat doet in gewone situaties:",
        "\nWhat that does in ordinary situations:",
    );
    if preview.answers.is_empty() {
        print::say(
            lang,
            "  Er is geen situatie gevonden waarin het antwoord verandert.",
            "  No situation was found in which the answer changes.",
        );
    }
    for answer in &preview.answers {
        answer_in_words(answer, words, lang);
    }
}

/// The lines of a purpose that differ.
fn purpose_in_words(purpose: &PurposeChange, lang: Language) -> String {
    let after = purpose.after.to_json(lang);
    let before = purpose.before.map(|before| before.to_json(lang));
    let name = purpose.after.called.pick(lang);
    let mut line = format!("  {} {name} {}:", purpose.day, word(purpose.change, lang));
    for (part, value) in after.as_object().into_iter().flatten() {
        let was = before.as_ref().and_then(|before| before.get(part));
        if was != Some(value) && part != "valid_from" {
            let was = was.map_or_else(|| "–".to_owned(), ToString::to_string);
            line.push_str(&format!(" {part}: {was} → {value};"));
        }
    }
    line
}

const fn word(change: Change, lang: Language) -> &'static str {
    match change {
        Change::Begins => lang.pick("begint", "begins"),
        Change::Ends => lang.pick("vervalt", "ends"),
        Change::Changes => lang.pick("verandert", "changes"),
    }
}

fn rule_in_words(rule: &RuleChange, lang: Language) -> String {
    let text = rule.text.pick(lang);
    let articles = in_brackets(&rule.articles);
    format!(
        "  {} {} {}: {text}{articles}{}",
        rule.day,
        rule.rule,
        word(rule.change, lang),
        show::source(rule.status, lang)
    )
}

fn term_in_words(term: &TermChange, words: &FactWords, lang: Language) -> String {
    let bound = if term.is_floor {
        lang.pick("ten minste bewaren", "keep at least")
    } else {
        lang.pick("ten hoogste bewaren", "keep at most")
    };
    let none = lang.pick("geen termijn", "no term");
    let said = |fact: &str, value: &str| words.value(fact, &Value::from(value));
    let length = |length: Option<&str>| {
        length.map_or_else(|| none.to_owned(), |length| said("retention_term", length))
    };
    let purpose = term.purpose;
    let purpose = purpose.map(|purpose| format!(", {}", said("purpose", purpose)));
    format!(
        "  {} ({}{}): {} → {} [{}]",
        bound,
        said("sector", term.sector),
        purpose.unwrap_or_default(),
        length(term.before),
        length(term.after),
        term.article
    )
}

fn answer_in_words(answer: &AnswerChange, words: &FactWords, lang: Language) {
    let (before, after) = answer.outcomes;
    let outcome = if before == after {
        show::outcome(after, lang).to_owned()
    } else {
        format!(
            "{} → {}",
            show::outcome(before, lang),
            show::outcome(after, lang)
        )
    };
    let said = |fact: &str, values: &[&str]| {
        let values = values.iter();
        let values: Vec<_> = values
            .map(|value| words.value(fact, &Value::from(*value)))
            .collect();
        values.join(", ")
    };
    let act = said("requested_action", &[answer.action.as_str()]);
    print::line(format!("  {act}: {outcome}"));
    for (recorders, purposes) in by_purposes(&answer.situations) {
        let (who, what) = (
            said("recorder_type", &recorders),
            said("purpose", &purposes),
        );
        print::line(format!("    {} {who}: {what}", lang.pick("voor", "for")));
    }
    if !answer.assumed.is_empty() {
        let assumed = answer.assumed.iter();
        let assumed: Vec<_> = assumed
            .map(|(name, value)| assumed_in_words(name, value, words, lang))
            .collect();
        print::line(format!(
            "    {} {}",
            lang.pick("als dit zo is:", "where this is so:"),
            assumed.join(", ")
        ));
    }
    let parts = [
        (lang.pick("reden", "reason"), &answer.reasons),
        (lang.pick("plicht", "duty"), &answer.duties),
    ];
    for (what, texts) in parts {
        for (change, text) in texts {
            print::line(line_of(what, *change, text, lang));
        }
    }
}

/// A fact that a situation is looked at with besides: "what the AI does: recognising emotions".
fn assumed_in_words(name: &str, value: &Value, words: &FactWords, lang: Language) -> String {
    let value = if value.is_null() {
        lang.pick("niet bekend", "not known").to_owned()
    } else {
        words.value(name, value)
    };
    format!("{}: {value}", words.fact(name))
}

/// Recorders that have the same purposes, together with those.
fn by_purposes<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(Vec<&'a str>, Vec<&'a str>)> {
    let mut recorders: Vec<(&str, Vec<&str>)> = Vec::new();
    for (recorder, purpose) in pairs {
        match recorders.iter_mut().find(|(known, _)| known == recorder) {
            Some((_, purposes)) => purposes.push(purpose),
            None => recorders.push((recorder, vec![purpose])),
        }
    }
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (recorder, purposes) in recorders {
        match groups.iter_mut().find(|(_, known)| *known == purposes) {
            Some((group, _)) => group.push(recorder),
            None => groups.push((vec![recorder], purposes)),
        }
    }
    groups
}

fn line_of(what: &str, change: Change, text: &Text, lang: Language) -> String {
    let sign = match change {
        Change::Begins => '+',
        Change::Ends => '-',
        Change::Changes => '~',
    };
    format!("    {sign} {what}: {}", text.pick(lang))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_assumed_is_said_in_words_where_there_are_any() {
        let at = "2026-11-21T10:02:00Z".parse().unwrap();
        let words = FactWords::load(Language::En, at).unwrap();
        let said = |name: &str, value: Value| assumed_in_words(name, &value, &words, Language::En);
        assert_eq!(
            said("ai_function", json!("emotion")),
            "what the AI does: recognising emotions"
        );
        assert_eq!(said("recorder_type", Value::Null), "who records: not known");
        assert_eq!(said("legal_hold", json!({})), "legal_hold: {}");
    }

    #[test]
    fn recorders_with_the_same_purposes_stand_together() {
        let pairs = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x")];
        assert_eq!(
            by_purposes(&pairs),
            [(vec!["a", "b"], vec!["x", "y"]), (vec!["c"], vec!["x"])]
        );
    }
}
