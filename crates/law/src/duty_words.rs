//! Who must meet a duty and before when, in words.

use crate::decision::BEFORE_FIRST_SAMPLE;
use voicelog_model::Language;

/// Who has a duty; a word that is new here is shown as the rulebook writes it.
pub(crate) fn who(word: &str, lang: Language) -> String {
    let (nl, en) = match word {
        "controller" => ("de organisatie", "the organisation"),
        "recorder" => ("wie opneemt", "who records"),
        "requester" => ("wie erom vraagt", "who asks for it"),
        "government_body" => ("de overheid", "the public body"),
        "employer" => ("de werkgever", "the employer"),
        other => return other.replace('_', " "),
    };
    lang.pick(nl, en).to_owned()
}

/// When a duty must be met: a word of the rulebook, or an ISO 8601 period.
pub(crate) fn by(word: &str, lang: Language) -> String {
    let (nl, en) = match word {
        BEFORE_FIRST_SAMPLE => ("voor de eerste seconde", "before the first second"),
        "before_go_live" => ("voor de ingebruikname", "before it is taken into use"),
        "at_once" => ("meteen", "at once"),
        "always" => ("altijd", "always"),
        "during_the_call" => ("tijdens het gesprek", "during the call"),
        "before_the_call" => ("voor het gesprek", "before the call"),
        "at_the_start_of_the_call" => ("aan het begin van het gesprek", "at the start of the call"),
        "at_each_call" => ("bij elk gesprek", "at each call"),
        "with_the_recording" => ("samen met de opname", "with the recording"),
        "with_the_filing" => ("bij het indienen", "with the filing"),
        "on_request" => ("op verzoek", "on request"),
        "before_giving" => ("voor het geven van de kopie", "before the copy is given"),
        "before_first_use" => ("voor het eerste gebruik", "before the first use"),
        "before_the_new_use" => ("voor het nieuwe gebruik", "before the new use"),
        "before_the_analysis" => ("voor de analyse", "before the analysis"),
        "before_service" => ("voor de dienst begint", "before the service starts"),
        "before_the_contract_binds" => ("voor de overeenkomst bindt", "before the contract binds"),
        "after_the_talk" => ("na het gesprek", "after the talk"),
        "after_the_report" => ("na het verslag", "after the report"),
        "after_the_inquiry" => ("na het onderzoek", "after the inquiry"),
        "after_the_hearing" => ("na de hoorzitting", "after the hearing"),
        other => return period(other, lang).unwrap_or_else(|| other.replace('_', " ")),
    };
    lang.pick(nl, en).to_owned()
}

/// `P1M` as `binnen 1 maand`.
fn period(text: &str, lang: Language) -> Option<String> {
    let rest = text.strip_prefix('P')?;
    let (number, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let count: u32 = number.parse().ok()?;
    let one = count == 1;
    let (nl, en) = match unit {
        "D" => (
            if one { "dag" } else { "dagen" },
            if one { "day" } else { "days" },
        ),
        "W" => (
            if one { "week" } else { "weken" },
            if one { "week" } else { "weeks" },
        ),
        "M" => (
            if one { "maand" } else { "maanden" },
            if one { "month" } else { "months" },
        ),
        "Y" => ("jaar", if one { "year" } else { "years" }),
        _ => return None,
    };
    Some(match lang {
        Language::Nl => format!("binnen {count} {nl}"),
        Language::En => format!("within {count} {en}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_told_in_words() {
        assert_eq!(by("P1M", Language::Nl), "binnen 1 maand");
        assert_eq!(by("P2W", Language::En), "within 2 weeks");
        assert_eq!(
            by("before_first_sample", Language::Nl),
            "voor de eerste seconde"
        );
        assert_eq!(by("one_fine_day", Language::Nl), "one fine day");
        assert_eq!(by("P", Language::Nl), "P");
    }
}
