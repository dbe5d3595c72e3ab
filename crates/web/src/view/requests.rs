//! A citizen asks whether they may record: the form with the two endings, what holds when they may, and what was refused.

use crate::view::Choice;
use crate::view::badge::Shape;
use crate::view::decision::{self, AdviceView, DutyView, ReasonView};
use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;
use serde::Deserialize;
use voicelog_archive::{RefusalSaid, RefusedRequest};
use voicelog_casework::moment;
use voicelog_law::Decision;
use voicelog_model::{Language, RecordingId, Timestamp};
use voicelog_room::Request;

/// Characters of what is typed.
const TYPED_CHARACTERS_MAX: usize = 1_000;
/// What stands for an answer in own words.
pub(crate) const OTHER: &str = "other";

/// A word, and how it reads in a letter and on a page.
struct Known {
    word: &'static str,
    nl: &'static str,
    en: &'static str,
}

const fn known(word: &'static str, nl: &'static str, en: &'static str) -> Known {
    Known { word, nl, en }
}

/// Reasons by which refusals are counted. That one of them is weighty in this talk is for the official to say.
const REASONS: &[Known] = &[
    known(
        "privacy_of_others",
        "Er is iemand anders bij die niet wil worden opgenomen.",
        "Somebody else is there who does not want to be recorded.",
    ),
    known(
        "earlier_misuse",
        "Een eerdere opname is verkeerd gebruikt.",
        "An earlier recording was misused.",
    ),
    known(OTHER, "Een andere reden", "Another reason"),
];

/// What can be offered instead.
const ALTERNATIVES: &[Known] = &[
    known(
        "minutes_both_sign",
        "Wij maken samen een verslag, dat u en wij allebei tekenen.",
        "We write minutes together, which you and we both sign.",
    ),
    known(
        "we_record",
        "Wij nemen op, en u krijgt een kopie.",
        "We record, and you get a copy.",
    ),
    known(
        "somebody_with_you",
        "U mag iemand meenemen die erbij is en meeschrijft.",
        "You may bring somebody who is there and takes notes.",
    ),
    known(
        "written_summary",
        "U krijgt een verslag dat u mag aanvullen.",
        "You get written minutes that you may add to.",
    ),
    known(OTHER, "Iets anders", "Something else"),
];

fn pick(all: &'static [Known], word: &str, lang: Language) -> Option<&'static str> {
    let found = all.iter().find(|known| known.word == word)?;
    Some(lang.pick(found.nl, found.en))
}

/// The words by which refusals are counted.
pub(crate) fn reason_words() -> impl Iterator<Item = &'static str> {
    REASONS.iter().map(|known| known.word)
}

/// How the request ends. There is no third way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Allow,
    Refuse,
}

/// The form, as it was filled in.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RequestForm {
    pub(crate) ending: Option<Ending>,
    /// In a talk: whose request it answers.
    #[serde(default)]
    pub(crate) party: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) words: String,
    #[serde(default)]
    pub(crate) alternative: String,
    #[serde(default)]
    pub(crate) offer: String,
    #[serde(default)]
    pub(crate) letter: String,
}

fn typed(text: &str) -> String {
    text.trim().chars().take(TYPED_CHARACTERS_MAX).collect()
}

/// A known answer with what was typed besides; only that, where it is none of the known ones.
fn answer(all: &'static [Known], word: &str, words: &str, lang: Language) -> String {
    let words = typed(words);
    match pick(all, word, lang).filter(|_| word != OTHER) {
        None if word != OTHER => String::new(),
        None => words,
        Some(text) if words.is_empty() => text.to_owned(),
        Some(text) => format!("{text} {words}"),
    }
}

impl RequestForm {
    /// What is said with it; empty where something is missing.
    pub(crate) fn said(&self, talk: Option<RecordingId>) -> RefusalSaid {
        let lang = self.letter.parse().unwrap_or_default();
        RefusalSaid {
            reason: self.reason.clone(),
            text: answer(REASONS, &self.reason, &self.words, lang),
            alternative: answer(ALTERNATIVES, &self.alternative, &self.offer, lang),
            lang,
            talk,
        }
    }

    fn choices(all: &'static [Known], chosen: &str, lang: Language) -> Vec<Choice> {
        let choice = |known: &Known| Choice {
            value: known.word,
            text: lang.pick(known.nl, known.en),
            chosen: known.word == chosen,
        };
        all.iter().map(choice).collect()
    }
}

/// What is asked of an official, on whichever page it stands.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Where the form goes.
    pub(crate) action: String,
    pub(crate) form: RequestForm,
    pub(crate) reasons: Vec<Choice>,
    pub(crate) alternatives: Vec<Choice>,
    pub(crate) letters: Vec<Choice>,
    pub(crate) reason_missing: bool,
    pub(crate) alternative_missing: bool,
    /// What the law says where something is missing.
    pub(crate) law: Vec<ReasonView>,
}

impl Asked {
    pub(crate) fn new(action: String, form: RequestForm, lang: Language) -> Self {
        let chosen: Language = form.letter.parse().unwrap_or(lang);
        let letter = |value, text, of| Choice {
            value,
            text,
            chosen: chosen == of,
        };
        let said = form.said(None);
        let is_refused = form.ending == Some(Ending::Refuse);
        Self {
            action,
            reasons: RequestForm::choices(REASONS, &form.reason, lang),
            alternatives: RequestForm::choices(ALTERNATIVES, &form.alternative, lang),
            letters: vec![
                letter("nl", "Nederlands", Language::Nl),
                letter("en", "English", Language::En),
            ],
            reason_missing: is_refused && said.text.is_empty(),
            alternative_missing: is_refused && said.alternative.is_empty(),
            law: Vec::new(),
            form,
        }
    }

    pub(crate) const fn is_wrong(&self) -> bool {
        self.reason_missing || self.alternative_missing
    }
}

/// Refusals of one month.
#[derive(Debug)]
pub(crate) struct MonthView {
    pub(crate) month: String,
    pub(crate) total: usize,
    /// How many for each reason, in the order of the columns.
    pub(crate) counts: Vec<usize>,
}

impl MonthView {
    /// A refusal that the law did not permit is none.
    pub(crate) fn new(month: Timestamp, refused: &[RefusedRequest], lang: Language) -> Self {
        let refused: Vec<_> = refused.iter().filter(|one| one.is_permitted).collect();
        let of = |word: &str| {
            let is =
                |one: &&&RefusedRequest| one.said.as_ref().is_some_and(|said| said.reason == word);
            refused.iter().filter(is).count()
        };
        Self {
            month: moment::month(month, lang),
            total: refused.len(),
            counts: reason_words().map(of).collect(),
        }
    }
}

/// One refusal in the list.
#[derive(Debug)]
pub(crate) struct RefusedView {
    pub(crate) id: String,
    pub(crate) at: When,
    pub(crate) reason: String,
    pub(crate) is_permitted: bool,
}

impl RefusedView {
    pub(crate) fn new(refused: &RefusedRequest, lang: Language) -> Self {
        let reason = refused.said.as_ref().map(|said| said.text.clone());
        Self {
            id: refused.id.to_string(),
            at: When::new(refused.at, lang),
            reason: reason.unwrap_or_else(|| lang.pick("gewist", "wiped").to_owned()),
            is_permitted: refused.is_permitted,
        }
    }
}

/// Where an official says how it ends, with what was refused before.
#[derive(Debug, Template)]
#[template(path = "requests.html")]
pub(crate) struct RequestsPage {
    pub(crate) p: Page,
    pub(crate) asked: Asked,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) months: Vec<MonthView>,
    pub(crate) refused: Vec<RefusedView>,
}

/// The names of the reasons, as columns.
pub(crate) fn columns(lang: Language) -> Vec<&'static str> {
    let name = |known: &Known| lang.pick(known.nl, known.en).trim_end_matches('.');
    REASONS.iter().map(name).collect()
}

/// What came of somebody's request in a talk.
#[derive(Debug)]
pub(crate) struct InRoomView {
    pub(crate) who: String,
    /// Where the host finds the refusal and its letter.
    pub(crate) refused: Option<String>,
    pub(crate) reason: String,
    pub(crate) alternative: String,
    pub(crate) request: Request,
}

/// The same in a talk: the host answers who wants to record too, and they read the answer.
#[derive(Debug, Template)]
#[template(path = "request_in_room.html")]
pub(crate) struct RequestInRoomPage {
    pub(crate) p: Page,
    pub(crate) talk: String,
    /// Who is asked about now; nobody for a guest.
    pub(crate) who: Option<String>,
    pub(crate) asked: Asked,
    pub(crate) requests: Vec<InRoomView>,
    pub(crate) problem: Option<String>,
}

/// What holds when the citizen records.
#[derive(Debug, Template)]
#[template(path = "request_allowed.html")]
pub(crate) struct AllowedPage {
    pub(crate) p: Page,
    pub(crate) d: LawView,
    /// Whether talks can be recorded here, so that both can.
    pub(crate) has_talks: bool,
}

/// Reasons, duties and advice of a decision.
#[derive(Debug)]
pub(crate) struct LawView {
    pub(crate) reasons: Vec<ReasonView>,
    pub(crate) duties: Vec<DutyView>,
    pub(crate) advice: Vec<AdviceView>,
}

impl LawView {
    pub(crate) fn new(decision: &Decision, lang: Language) -> Self {
        Self {
            reasons: decision::reasons(decision, lang),
            duties: decision::duties(decision, lang),
            advice: decision::advice(decision, lang),
        }
    }
}

/// A refusal that was put on record, with its letter; or that the law did not permit.
#[derive(Debug, Template)]
#[template(path = "request_refused.html")]
pub(crate) struct RefusedPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) at: When,
    pub(crate) is_permitted: bool,
    pub(crate) said: Option<RefusalSaid>,
    pub(crate) d: LawView,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(reason: &str, words: &str, alternative: &str, offer: &str) -> RequestForm {
        RequestForm {
            ending: Some(Ending::Refuse),
            party: String::new(),
            reason: reason.to_owned(),
            words: words.to_owned(),
            alternative: alternative.to_owned(),
            offer: offer.to_owned(),
            letter: "nl".to_owned(),
        }
    }

    fn missing(form: RequestForm) -> (bool, bool) {
        let asked = Asked::new(String::new(), form, Language::Nl);
        (asked.reason_missing, asked.alternative_missing)
    }

    #[test]
    fn a_refusal_needs_a_reason_and_something_else_in_its_place() {
        let (reason, offer) = ("earlier_misuse", "we_record");
        assert_eq!(missing(form(reason, "", offer, "")), (false, false));
        assert_eq!(missing(form("", "because", offer, "")), (true, false));
        assert_eq!(missing(form(OTHER, "  ", OTHER, "")), (true, true));
        assert_eq!(missing(form("never heard of", "x", "", "x")), (true, true));
        assert_eq!(
            missing(form(OTHER, "because", OTHER, "tea")),
            (false, false)
        );
        assert_eq!(missing(RequestForm::default()), (false, false));
    }

    #[test]
    fn what_was_typed_goes_beside_what_was_chosen() {
        let said = form("earlier_misuse", "In maart.", OTHER, "Een gesprek buiten.").said(None);
        assert_eq!(
            said.text,
            "Een eerdere opname is verkeerd gebruikt. In maart."
        );
        assert_eq!(said.alternative, "Een gesprek buiten.");
    }
}
