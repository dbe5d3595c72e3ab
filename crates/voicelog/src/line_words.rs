//! A line of the configuration in a few words, so that whoever starts the server sees what it took.

use voicelog_archive::line::Keep;
use voicelog_archive::{Line, Sample, WhenRefused};
use voicelog_model::Language;

/// Its name, and whatever of it is not as with most lines.
pub(crate) fn in_words(line: &Line, lang: Language) -> String {
    let mut parts = vec![which_calls(line, lang)];
    if line.is_default {
        let text = lang.pick("ook wie geen lijn noemt", "also calls that name no line");
        parts.push(text.to_owned());
    }
    if let Some(notice) = &line.notice {
        parts.push(notice_in_words(
            notice.within_seconds,
            notice.keep_before,
            lang,
        ));
    }
    if let Some(term) = &line.sound_term {
        parts.push(match lang {
            Language::Nl => format!("geluid bewaard voor {term}"),
            Language::En => format!("sound kept for {term}"),
        });
    }
    let sequences = [&line.keys.own, &line.keys.other, &line.keys.unknown];
    let sequences: usize = sequences.iter().map(|side| side.len()).sum();
    if sequences > 0 {
        parts.push(match lang {
            Language::Nl => format!("toetsen: {sequences}"),
            Language::En => format!("keys: {sequences}"),
        });
    }
    if !line.rules.is_empty() {
        let rules = line.rules.len();
        parts.push(match lang {
            Language::Nl => format!("regels: {rules}"),
            Language::En => format!("rules: {rules}"),
        });
    }
    if line.when_refused == WhenRefused::Reject {
        let text = lang.pick("wat niet mag, krijgt 403", "what is not permitted gets 403");
        parts.push(text.to_owned());
    }
    format!("{}: {}", line.name, parts.join("; "))
}

/// Which of its calls are recorded, if they may be.
fn which_calls(line: &Line, lang: Language) -> String {
    let every = match (line.keep, line.look_back_seconds) {
        (Keep::Every, _) => lang.pick("elk gesprek", "every call").to_owned(),
        (Keep::OnRequest, 0) => lang.pick("alleen op verzoek", "on request only").to_owned(),
        (Keep::OnRequest, seconds) => match lang {
            Language::Nl => format!("alleen op verzoek, met {seconds} s ervoor"),
            Language::En => format!("on request only, with {seconds} s before"),
        },
    };
    let in_rules = line.rules.iter().any(|rule| rule.sample.is_some());
    match (line.sample, in_rules) {
        (Some(sample), _) => sample_in_words(sample, lang),
        (None, true) => match lang {
            Language::Nl => format!("{every}, met een steekproef in een regel"),
            Language::En => format!("{every}, with a sample in a rule"),
        },
        (None, false) => every,
    }
}

fn sample_in_words(sample: Sample, lang: Language) -> String {
    let one_in = u32::from(sample.one_in);
    match lang {
        Language::Nl => format!("steekproef, 1 op {one_in}"),
        Language::En => format!("a sample, 1 in {one_in}"),
    }
}

fn notice_in_words(within_seconds: u32, keep_before: bool, lang: Language) -> String {
    let before = if keep_before {
        lang.pick("ook wat ervoor is", "what is before it as well")
    } else {
        lang.pick("niets van ervoor", "nothing of before it")
    };
    match lang {
        Language::Nl => format!("melding gezocht tot {within_seconds} s, {before}"),
        Language::En => format!("notice looked for until {within_seconds} s, {before}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_told_with_its_notice_its_keys_its_sample_and_what_it_keeps() {
        let text = r#"
            [[line]]
            name = "verkoop"
            default = true
            when_refused = "reject"

            [[line]]
            name = "klantenservice"
            notice = { audio = "m.wav", within_seconds = 20 }
            [line.keys]
            own = { "*7" = "pause_card_data", "*8" = "resume" }
            other = { "1" = "consent" }

            [[line]]
            name = "kwaliteit"
            sample = { one_in = 10 }

            [[line]]
            name = "verzoek"
            keep = "on_request"
            look_back_seconds = 30
        "#;
        #[derive(serde::Deserialize)]
        struct Lines {
            line: Vec<Line>,
        }
        let lines: Lines = toml::from_str(text).unwrap();
        let told = |lang| -> Vec<String> {
            let lines = lines.line.iter();
            lines.map(|line| in_words(line, lang)).collect()
        };
        assert_eq!(
            told(Language::Nl),
            [
                "verkoop: elk gesprek; ook wie geen lijn noemt; wat niet mag, krijgt 403",
                "klantenservice: elk gesprek; melding gezocht tot 20 s, niets van ervoor; toetsen: 3",
                "kwaliteit: steekproef, 1 op 10",
                "verzoek: alleen op verzoek, met 30 s ervoor",
            ]
        );
        assert_eq!(
            told(Language::En),
            [
                "verkoop: every call; also calls that name no line; what is not permitted gets 403",
                "klantenservice: every call; notice looked for until 20 s, nothing of before it; keys: 3",
                "kwaliteit: a sample, 1 in 10",
                "verzoek: on request only, with 30 s before",
            ]
        );
    }
}
