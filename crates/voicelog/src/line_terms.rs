//! The term that a line chooses, held against what statutes demand and allow.
//!
//! There is no way to say otherwise here: no house rule shortens a floor or lengthens a ceiling. What has to stay
//! longer in one case is held.

use anyhow::{Result, bail};
use serde_json::{Map, Value};
use voicelog_law::{Facts, TermBounds, end_of_term};
use voicelog_model::Timestamp;

/// Refuses a term below the floor or beyond the ceiling. `at` names the place in the configuration.
pub(crate) fn check(facts: &Facts, at: &str, now: Timestamp) -> Result<()> {
    let map = facts.to_map();
    let Some(chosen) = map.get("retention_term").and_then(Value::as_str) else {
        return Ok(());
    };
    let bounds = TermBounds::of(facts, now);
    if let Some(floor) = bounds.below_floor(chosen, now) {
        let (length, article) = (floor.length, floor.article);
        bail!(
            "{at}: retention_term = \"{chosen}\" is shorter than the law demands for this sector and purpose: at least {length} ({article}). Set retention_term = \"{length}\" or longer; what need not be kept so long goes under a rule of its own, with its own purpose"
        );
    }
    if let Some(ceiling) = bounds.beyond_ceiling(chosen, now) {
        let (length, article) = (ceiling.length, ceiling.article);
        bail!(
            "{at}: retention_term = \"{chosen}\" is longer than the law allows for this sector and purpose: at most {length} ({article}). Set retention_term = \"{length}\" or shorter; what has to stay longer in one case, a claim or a seizure, is held (voicelog hold)"
        );
    }
    Ok(())
}

/// Refuses a term of the sound that is none, that is longer than that of the whole, or below a floor: the statutes that
/// have one ask for the conversation itself.
pub(crate) fn check_sound(
    facts: &Map<String, Value>,
    sound: Option<&str>,
    at: &str,
    now: Timestamp,
) -> Result<()> {
    let Some(sound) = sound else {
        return Ok(());
    };
    let Some(end) = end_of_term(now, sound) else {
        bail!(
            "{at}: sound_term = \"{sound}\" is no term; write a period of years, months, weeks or days, as P6M. Without it the sound is kept for as long as the rest"
        );
    };
    let whole = facts.get("retention_term").and_then(Value::as_str);
    if let Some(whole) = whole
        && end_of_term(now, whole).is_some_and(|last| end > last)
    {
        bail!(
            "{at}: sound_term = \"{sound}\" is longer than retention_term = \"{whole}\": the sound is never kept longer than what is known of the call. Set sound_term shorter, or take it out"
        );
    }
    let mut facts = facts.clone();
    facts.insert("requested_action".into(), "record".into());
    let facts = Facts::from_map(&facts, now).map_err(|error| anyhow::anyhow!("{at}: {error}"))?;
    if let Some(floor) = TermBounds::of(&facts, now).below_floor(sound, now) {
        let (length, article) = (floor.length, floor.article);
        bail!(
            "{at}: sound_term = \"{sound}\" is shorter than the law demands for this sector and purpose: at least {length} ({article}), and that is of the sound as well. Take sound_term out, or set it to \"{length}\" or longer"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn fault(facts: &str) -> Option<String> {
        let text = format!("[[line]]\nname = \"a\"\n[line.facts]\n{facts}");
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        Config::parse(&text, at)
            .err()
            .map(|error| error.to_string())
    }

    /// The same with a setting of the line before its facts.
    fn fault_of_sound(sound: &str, facts: &str) -> Option<String> {
        let text =
            format!("[[line]]\nname = \"a\"\nsound_term = \"{sound}\"\n[line.facts]\n{facts}");
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        let parsed = Config::parse(&text, at);
        parsed.err().map(|error| error.to_string())
    }

    #[test]
    fn a_term_of_the_sound_is_a_period_and_never_longer_than_that_of_the_whole() {
        let year = "purpose = \"klacht\"\nretention_term = \"P1Y\"\n";
        for (sound, is_refused) in [
            ("P6M", false),
            ("P12M", false),
            ("P13M", true),
            ("unlimited", true),
            ("six months", true),
        ] {
            let fault = fault_of_sound(sound, year);
            assert_eq!(fault.is_some(), is_refused, "{sound}: {fault:?}");
        }
        for whole in ["", "retention_term = \"unlimited\"\n"] {
            assert_eq!(
                fault_of_sound("P6M", &format!("purpose = \"klacht\"\n{whole}")),
                None
            );
        }
    }

    #[test]
    fn a_term_of_the_sound_below_the_floor_of_a_statute_is_refused_with_the_article_also_in_a_rule()
    {
        let broker = "sector = \"finance_investment\"\npurpose = \"wettelijke_plicht\"\nretention_term = \"P7Y\"\n";
        let fault = fault_of_sound("P1Y", broker).unwrap();
        assert!(
            fault.contains("2017/565 art. 76 lid 11") && fault.contains("sound_term"),
            "{fault}"
        );
        assert_eq!(fault_of_sound("P5Y", broker), None);
        let rule = "purpose = \"klacht\"\nretention_term = \"P7Y\"\n[[line.rule]]\nname = \"orders\"\n\
            facts = { sector = \"finance_investment\", purpose = \"wettelijke_plicht\" }\n";
        let fault = fault_of_sound("P1Y", rule).unwrap();
        assert!(fault.contains("rule `orders`"), "{fault}");
    }

    #[test]
    fn a_term_below_the_floor_of_a_statute_is_refused_with_the_article_and_the_way_out() {
        let broker = "sector = \"finance_investment\"\npurpose = \"wettelijke_plicht\"\n";
        for (term, is_refused) in [
            ("P4Y", true),
            ("P59M", true),
            ("P5Y", false),
            ("P60M", false),
            ("unlimited", false),
        ] {
            let fault = fault(&format!("{broker}retention_term = \"{term}\"\n"));
            assert_eq!(fault.is_some(), is_refused, "{term}: {fault:?}");
            if let Some(fault) = fault {
                assert!(fault.contains("2017/565 art. 76 lid 11"), "{fault}");
                assert!(fault.contains("retention_term = \"P5Y\""), "{fault}");
            }
        }
        let other =
            "sector = \"finance_investment\"\npurpose = \"klacht\"\nretention_term = \"P1M\"\n";
        assert_eq!(
            fault(other),
            None,
            "the floor is that of the statutory purpose"
        );
    }

    #[test]
    fn a_term_beyond_the_ceiling_of_a_statute_is_refused_also_in_a_rule_of_a_line() {
        for (term, is_refused) in [
            ("P3M", true),
            ("unlimited", true),
            ("P2M", false),
            ("P30D", false),
        ] {
            let fault = fault(&format!(
                "sector = \"emergency\"\nretention_term = \"{term}\"\n"
            ));
            assert_eq!(fault.is_some(), is_refused, "{term}: {fault:?}");
        }
        let rule = "sector = \"emergency\"\nretention_term = \"P1M\"\n[[line.rule]]\nname = \"nights\"\n\
            facts = { retention_term = \"P1Y\" }\n";
        let fault = fault(rule).unwrap();
        assert!(
            fault.contains("rule `nights`") && fault.contains("Tw 11.10 lid 10"),
            "{fault}"
        );
    }
}
