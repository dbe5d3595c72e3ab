//! The term that a line chooses, held against what statutes demand and allow.
//!
//! There is no way to say otherwise here: no house rule shortens a floor or lengthens a ceiling. What has to stay
//! longer in one case is held.

use anyhow::{Result, bail};
use serde_json::Value;
use voicelog_law::{Facts, TermBounds};
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
