//! What must be right about a line before the first call: its facts, and those of each of its rules.

use crate::line_terms;
use anyhow::{Result, bail};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use voicelog_archive::line::{Keep, KeyAct, untold};
use voicelog_archive::{LINE_OF_IMPORTS, Line, Rule, WhenRefused};
use voicelog_law::{Facts, Outcome, Rulebook, decide_without_unknown};
use voicelog_model::{Language, Timestamp};

/// Checks the facts of the line itself and, for each rule, those of the line with the rule's in
/// their place: a rule may bring what does not go together with what the line says.
pub(crate) fn check(line: &Line, now: Timestamp) -> Result<()> {
    let name = &line.name;
    if name.eq_ignore_ascii_case(LINE_OF_IMPORTS) {
        bail!("line `{name}`: so the list calls what was imported; give the line another name");
    }
    if line.is_of_a_room() {
        bail!(
            "line `{name}`: line.facts: nobody sits in one room on a telephone line, so channel is not \"live_inside\" or \"live_outside\"; a talk in a room is a [[room]]"
        );
    }
    check_with_notice(
        line,
        &line.facts,
        &format!("line `{name}`: line.facts"),
        now,
    )?;
    check_sample(line, None, &format!("line `{name}`"))?;
    let own = line.sound_term_under(None);
    line_terms::check_sound(&line.facts, own, &format!("line `{name}`"), now)?;
    if let Some(fault) = line.keys.fault() {
        bail!("line `{name}`: {fault}");
    }
    if let Some(notice) = &line.notice {
        if let Some(fault) = notice.fault() {
            bail!("line `{name}`: {fault}");
        }
        if !notice.keep_before && line.when_refused == WhenRefused::Reject {
            bail!(
                "line `{name}`: with when_refused = \"reject\" no call lasts until its notice; set it to \"wait\", or notice.keep_before = true"
            );
        }
    }
    check_keep(line, now)?;
    let mut names = BTreeSet::new();
    let mut is_for_the_rest = None;
    for rule in &line.rules {
        let at = format!("line `{name}`: rule `{}`", rule.name);
        if rule.name.trim().is_empty() {
            bail!(
                "line `{name}`: a rule has no name; each decision is kept with the name of its rule"
            );
        }
        if !names.insert(&rule.name) {
            bail!("{at} stands twice; a name may stand once in a line");
        }
        if let Some(earlier) = is_for_the_rest {
            bail!(
                "{at} is never reached: `{earlier}` before it has no conditions and takes every call"
            );
        }
        if rule.when == voicelog_archive::line::When::default() {
            is_for_the_rest = Some(&rule.name);
        }
        check_sides(line, &rule.when, &at)?;
        check_told(&rule.facts, &format!("{at}: facts"))?;
        let facts = line.facts_under(Some(rule));
        check_with_notice(line, &facts, &format!("{at}: facts"), now)?;
        check_sample(line, Some(rule), &at)?;
        line_terms::check_sound(&facts, line.sound_term_under(Some(rule)), &at, now)?;
    }
    Ok(())
}

/// Whether a key that says no may change nothing on this line: some of its calls are recorded on another
/// basis than consent. Where a country asks for everybody's consent it stops the recording all the same.
pub(crate) fn may_not_heed_refusals(line: &Line) -> bool {
    let tables = [&line.keys.own, &line.keys.other, &line.keys.unknown];
    let has_key = tables
        .iter()
        .any(|table| table.values().any(|act| *act == KeyAct::Refuse));
    let rules = line.rules.iter().map(Some).chain([None]);
    let mut facts = rules.map(|rule| line.facts_under(rule));
    has_key && facts.any(|facts| facts.get("legal_basis").is_some_and(|basis| basis != "a"))
}

/// A sample is said to the law as one, and of a statutory duty to record there is none.
fn check_sample(line: &Line, rule: Option<&Rule>, at: &str) -> Result<()> {
    let facts = line.facts_under(rule);
    let is = |name: &str, word: &str| facts.get(name).is_some_and(|value| value == word);
    if line.sample_under(rule).is_none() {
        return Ok(());
    }
    if is("purpose", "wettelijke_plicht") {
        bail!(
            "{at}: sample leaves calls out, and who records under a statutory duty (wettelijke_plicht) may leave none out"
        );
    }
    if !is("structural", "sample") {
        bail!("{at}: with a sample the facts say structural = \"sample\"");
    }
    Ok(())
}

/// Keeping on request holds media before anybody asks, so it has to be permitted from the start; and
/// where every call has to be recorded, nobody chooses.
fn check_keep(line: &Line, now: Timestamp) -> Result<()> {
    let name = &line.name;
    if let Some(fault) = line.keep.fault(line.look_back_seconds) {
        bail!("line `{name}`: {fault}");
    }
    if line.keep == Keep::Every {
        if line.keys.asks_to_keep() {
            bail!(
                "line `{name}`: a key asks to keep a call, and this line keeps every call; take the key out, or set keep = \"on_request\""
            );
        }
        return Ok(());
    }
    if line
        .notice
        .as_ref()
        .is_some_and(|notice| !notice.keep_before)
    {
        bail!(
            "line `{name}`: with keep = \"on_request\" the notice is given before the call is offered, or notice.keep_before = true; otherwise media would wait in memory for two things at once"
        );
    }
    let rulebook = Rulebook::embedded(now)?;
    for rule in std::iter::once(None).chain(line.rules.iter().map(Some)) {
        let at = rule.map_or_else(
            || format!("line `{name}`"),
            |rule| format!("line `{name}`: rule `{}`", rule.name),
        );
        if line.sample_under(rule).is_some() {
            bail!(
                "{at}: a sample draws which calls are kept, and with keep = \"on_request\" somebody asks; take one of them out"
            );
        }
        check_on_request(&line.facts_under(rule), &line.country, &rulebook, &at, now)?;
    }
    Ok(())
}

/// Whether calls with these facts may be kept on request.
fn check_on_request(
    facts: &Map<String, Value>,
    country: &str,
    rulebook: &Rulebook,
    at: &str,
    now: Timestamp,
) -> Result<()> {
    let is = |name: &str, word: &str| facts.get(name).is_some_and(|value| value == word);
    if is("purpose", "wettelijke_plicht") {
        bail!(
            "{at}: keep = \"on_request\" leaves calls out, and who records under a statutory duty (wettelijke_plicht) may leave none out"
        );
    }
    if !is("structural", "per_call_button") {
        bail!("{at}: with keep = \"on_request\" the facts say structural = \"per_call_button\"");
    }
    let mut facts = facts.clone();
    facts.insert("requested_action".into(), "record".into());
    facts.insert("countries".into(), vec![country].into());
    facts.entry("channel").or_insert_with(|| "phone".into());
    let facts = Facts::from_map(&facts, now).map_err(|error| anyhow::anyhow!("{at}: {error}"))?;
    let decision = decide_without_unknown(rulebook, &facts, now);
    let of_duties = decision.duties_blocking_first_sample();
    let mut open: Vec<&str> = of_duties.map(|duty| duty.text.pick(Language::En)).collect();
    if !matches!(
        decision.outcome(),
        Outcome::Permitted | Outcome::PermittedWithDuties
    ) {
        let reasons = decision.reasons().iter();
        open.extend(reasons.map(|reason| reason.text.pick(Language::En)));
    }
    if !open.is_empty() {
        let open = open.join(" ");
        bail!(
            "{at}: with keep = \"on_request\" media is held in memory before anybody asks, so recording has to be permitted from the start, and by these facts it is not: {open}"
        );
    }
    Ok(())
}

/// Conditions about sides need a line that says which addresses are its own.
fn check_sides(line: &Line, when: &voicelog_archive::line::When, at: &str) -> Result<()> {
    let asked = [
        ("agent", !when.agent.is_empty()),
        ("own_number", !when.own_number.is_empty()),
        ("other_number", !when.other_number.is_empty()),
        ("direction", when.direction.is_some()),
    ];
    let asked = asked.into_iter().find(|(_, is_asked)| *is_asked);
    if let Some((key, _)) = asked
        && line.own_domains.is_empty()
        && line.own_numbers.is_empty()
    {
        bail!(
            "{at}: when.{key} asks on whose side somebody is, and the line does not say; give it own_domains or own_numbers"
        );
    }
    Ok(())
}

/// The facts of a line, also as they are until its notice was heard.
fn check_with_notice(
    line: &Line,
    facts: &Map<String, Value>,
    at: &str,
    now: Timestamp,
) -> Result<()> {
    check_facts(facts, at, now)?;
    if line.notice.is_none() {
        return Ok(());
    }
    let mut before = facts.clone();
    untold(&mut before);
    check_facts(&before, &format!("{at}, before the notice"), now)
}

pub(crate) fn check_facts(facts: &Map<String, Value>, at: &str, now: Timestamp) -> Result<()> {
    check_told(facts, at)?;
    let mut facts = facts.clone();
    facts.insert("requested_action".into(), "record".into());
    let facts = Facts::from_map(&facts, now).map_err(|error| anyhow::anyhow!("{at}: {error}"))?;
    line_terms::check(&facts, at, now)
}

/// What each call tells, or the archive finds out, may not be told here.
fn check_told(facts: &Map<String, Value>, at: &str) -> Result<()> {
    for told in ["requested_action", "countries", "second_person"] {
        if facts.contains_key(told) {
            bail!("{at}: `{told}` is worked out each time; take it out of the configuration");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn parse(text: &str) -> anyhow::Result<Config> {
        Config::parse(text, "2026-11-21T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_key_that_says_no_on_a_line_that_needs_no_consent_is_found() {
        let of = |basis: &str, act: &str| {
            let text = format!(
                "[[line]]\nname = \"a\"\n[line.facts]\nlegal_basis = \"{basis}\"\n[line.keys]\nother = {{ \"2\" = \"{act}\" }}\n"
            );
            super::may_not_heed_refusals(&parse(&text).unwrap().lines[0])
        };
        assert!(of("b", "refuse"));
        assert!(!of("a", "refuse") && !of("b", "consent"));
    }

    /// What is wrong with a line that has these rules.
    fn fault(rules: &str) -> String {
        let text = format!(
            "[[line]]\nname = \"a\"\nown_domains = [\"voorbeeld.example\"]\n[line.facts]\npurpose = \"klacht\"\n{rules}"
        );
        parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn the_documented_rules_are_a_configuration() {
        let document = include_str!("../../../ref/line-rules.md");
        let blocks = document.split("```toml\n").skip(1);
        let blocks: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(blocks.len(), 1);
        let config = parse(blocks[0]).unwrap();
        let names = config.lines[0].rules.iter().map(|rule| rule.name.as_str());
        let names: Vec<_> = names.collect();
        assert_eq!(names, ["feestdagen", "duitsland", "leerlingen", "avond"]);
    }

    #[test]
    fn a_notice_that_no_call_can_meet_is_refused_with_what_would_be_right() {
        for (notice, right) in [
            ("audio = \"\"", "notice.audio"),
            ("audio = \"a.wav\"\nwithin_seconds = 4", "5 to 300"),
            ("audio = \"a.wav\"\nwithin_seconds = 301", "5 to 300"),
            ("audio = \"a.wav\"\nwithin = 30", "within_seconds"),
        ] {
            let error = fault(&format!("[line.notice]\n{notice}\n"));
            assert!(error.contains(right), "{error}");
        }
        let text =
            "[[line]]\nname = \"a\"\nwhen_refused = \"reject\"\n[line.notice]\naudio = \"a.wav\"\n";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("when_refused"), "{error}");
        let after = format!("{text}keep_before = true\n");
        assert!(parse(&after).is_ok());
    }

    #[test]
    fn a_wrong_condition_is_named_with_its_line_of_the_file_and_what_would_be_right() {
        for (condition, right) in [
            ("other_number = [\"020\"]", "+3120"),
            ("hours = [\"9-17\"]", "09:00-17:30"),
            ("dates = [\"25-12-2026\"]", "2026-12-25"),
            ("days = [\"monday\"]", "`mon`"),
            ("direction = \"in\"", "`inbound`"),
            ("numbers = [\"+3120\"]", "number"),
        ] {
            let rule = format!("[[line.rule]]\nname = \"r\"\n[line.rule.when]\n{condition}\n");
            let error = fault(&rule);
            assert!(
                error.starts_with("line 9: ") && error.contains(right),
                "{error}"
            );
        }
        let zone = parse("[[line]]\nname = \"a\"\ntime_zone = \"Amsterdam\"\n").unwrap_err();
        let zone = zone.to_string();
        assert!(
            zone.starts_with("line 3: ") && zone.contains("Europe/Amsterdam"),
            "{zone}"
        );
    }

    #[test]
    fn a_rule_is_checked_together_with_what_its_line_says() {
        let rule = |facts: &str| format!("[[line.rule]]\nname = \"r\"\nfacts = {{ {facts} }}\n");
        let error = fault(&rule("purpos = \"klacht\""));
        assert!(
            error.contains("rule `r`: facts") && error.contains("purpose"),
            "{error}"
        );
        for told in ["countries = [\"NL\"]", "second_person = true"] {
            let error = fault(&rule(told));
            assert!(error.contains("worked out each time"), "{error}");
        }
    }

    #[test]
    fn a_rule_that_no_call_can_reach_is_refused() {
        let error = fault("[[line.rule]]\nname = \"all\"\n[[line.rule]]\nname = \"late\"\n");
        assert!(error.contains("`late` is never reached: `all`"), "{error}");
        let error = fault(
            "[[line.rule]]\nname = \"x\"\nwhen = { days = [\"mon\"] }\n[[line.rule]]\nname = \"x\"\n",
        );
        assert!(error.contains("stands twice"), "{error}");
    }

    #[test]
    fn a_sample_is_told_to_the_law_and_leaves_out_nothing_that_must_be_recorded() {
        let of = |line: &str, facts: &str| {
            parse(&format!(
                "[[line]]\nname = \"a\"\nsample = {{ {line} }}\n[line.facts]\n{facts}\n"
            ))
            .map(|_config| ())
            .map_err(|error| error.to_string())
        };
        let sample = "purpose = \"kwaliteit_training\"\nstructural = \"sample\"";
        assert_eq!(of("one_in = 10", sample), Ok(()));
        let error = of("one_in = 1", sample).unwrap_err();
        assert!(
            error.starts_with("line 3: ") && error.contains("2 to 10000"),
            "{error}"
        );
        let error = of("one_in = 10", "purpose = \"klacht\"\nstructural = \"all\"").unwrap_err();
        assert!(error.contains("structural = \"sample\""), "{error}");
        let duty = "purpose = \"wettelijke_plicht\"\nstructural = \"sample\"";
        assert!(
            of("one_in = 10", duty)
                .unwrap_err()
                .contains("statutory duty")
        );
    }

    /// A line that keeps what it is asked to keep, with other words in some places.
    fn on_request(changes: &[(&str, &str)]) -> String {
        let mut text = "[[line]]\nname = \"a\"\nkeep = \"on_request\"\nlook_back_seconds = 30\n\
            keys = { own = { \"*4\" = \"keep_complaint\" } }\n[line.facts]\n\
            recorder_type = \"company\"\ncounterpart_types = [\"private_person\"]\n\
            participation = \"participant\"\nopenness = \"announced\"\npurpose = \"klacht\"\n\
            legal_basis = \"f\"\nstructural = \"per_call_button\"\nstaff_informed = \"each_call_signal\"\n\
            or_status = \"consented\"\ndpia = \"done\"\nprivate_use_possible = true\nretention_term = \"P1Y\"\n"
            .to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        text
    }

    #[test]
    fn keeping_on_request_is_for_calls_that_may_be_recorded_from_the_start_and_need_not_be() {
        assert_eq!(parse(&on_request(&[])).unwrap().lines.len(), 1);
        assert!(parse(&on_request(&[("look_back_seconds = 30\n", "")])).is_ok());
        let every = "keep = \"every\"";
        for (changes, right) in [
            (
                &[("seconds = 30", "seconds = 301")][..],
                "from 0 (nothing is held) to 300",
            ),
            (&[("\"klacht\"", "\"wettelijke_plicht\"")], "statutory duty"),
            (&[("per_call_button", "all")], "per_call_button"),
            (
                &[("openness = \"announced\"", "openness = \"visible\"")],
                "permitted from the start",
            ),
            (
                &[("or_status = \"consented\"", "or_status = \"refused\"")],
                "permitted from the start",
            ),
            (
                &[("[line.facts]", "country = \"DE\"\n[line.facts]")],
                "permitted from the start",
            ),
            (
                &[
                    ("[line.facts]", "sample = { one_in = 10 }\n[line.facts]"),
                    ("per_call_button", "sample"),
                ],
                "sample",
            ),
            (
                &[(
                    "[line.facts]",
                    "notice = { audio = \"a.wav\" }\n[line.facts]",
                )],
                "keep_before = true",
            ),
            (&[("own =", "other =")], "keys.own"),
            (&[("keep = \"on_request\"", every)], "look_back_seconds"),
            (
                &[
                    ("keep = \"on_request\"", every),
                    ("look_back_seconds = 30\n", ""),
                ],
                "a key asks to keep",
            ),
        ] {
            let error = parse(&on_request(changes)).unwrap_err().to_string();
            assert!(error.contains(right), "{error}");
        }
        let rule = "[[line.rule]]\nname = \"orders\"\nwhen = { days = [\"mon\"] }\nfacts = { purpose = \"wettelijke_plicht\" }\n";
        let text = format!("{}{rule}", on_request(&[]));
        let error = parse(&text).unwrap_err().to_string();
        assert!(
            error.contains("rule `orders`") && error.contains("statutory duty"),
            "{error}"
        );
    }

    #[test]
    fn a_rule_about_sides_needs_a_line_that_says_what_is_its_own() {
        let text = "[[line]]\nname = \"a\"\n[[line.rule]]\nname = \"r\"\nwhen = { direction = \"inbound\" }\n";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("own_domains or own_numbers"), "{error}");
    }
}
