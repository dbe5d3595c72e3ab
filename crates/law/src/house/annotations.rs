//! What a house rule says about itself: everything that is wrong with its annotations, at once.

use super::Notes;
use crate::decision::HOUSE_PREFIX;
use crate::facts::calendar;
use crate::facts::nearest;
use cedar_policy::{Effect, Policy, PrincipalConstraint, ResourceConstraint};
use std::collections::BTreeMap;

/// What a rule of one kind carries besides `@id`, `@kind` and `@valid_from`.
struct Kind {
    words: &'static [&'static str],
    effect: Effect,
    must: &'static [&'static str],
    may: &'static [&'static str],
}

/// What a rule that forbids may carry besides.
const OF_A_GATE: &[&str] = &[
    "short_nl",
    "short_en",
    "article_later",
    "nl_later",
    "en_later",
    "alternative_nl",
    "alternative_en",
];

/// `@valid_until` goes with all of them.
const KINDS: &[Kind] = &[
    Kind {
        words: &["contract", "labour", "privacy"],
        effect: Effect::Forbid,
        must: &["article", "nl", "en"],
        may: OF_A_GATE,
    },
    Kind {
        words: &["human"],
        effect: Effect::Forbid,
        must: &[
            "article",
            "nl",
            "en",
            "weighs_nl",
            "weighs_en",
            "factors_nl",
            "factors_en",
        ],
        may: OF_A_GATE,
    },
    Kind {
        words: &["duty"],
        effect: Effect::Permit,
        must: &["who", "what", "by", "article", "nl", "en"],
        may: &["proof_nl", "proof_en"],
    },
    Kind {
        words: &["met", "unmet"],
        effect: Effect::Permit,
        must: &["duty"],
        may: &[],
    },
    Kind {
        words: &["advice"],
        effect: Effect::Permit,
        must: &["advice", "nl", "en"],
        may: &["article"],
    },
];
const ALWAYS: &[&str] = &["id", "kind", "valid_from"];
const ADVICE: &[&str] = &["risk", "alternative", "evidence", "script"];
/// Texts that stand in both languages or in neither.
const PAIRS: &[(&str, &str)] = &[
    ("nl", "en"),
    ("short_nl", "short_en"),
    ("nl_later", "en_later"),
    ("alternative_nl", "alternative_en"),
    ("proof_nl", "proof_en"),
    ("weighs_nl", "weighs_en"),
    ("factors_nl", "factors_en"),
];

/// Adds everything that is wrong with the annotations and the scope of a rule.
pub(super) fn check(policy: &Policy, notes: &mut Notes<'_>) {
    let given: BTreeMap<&str, &str> = policy.annotations().collect();
    let filled = |name: &str| {
        given
            .get(name)
            .copied()
            .filter(|text| !text.trim().is_empty())
    };
    check_id(filled("id").unwrap_or_default(), notes);
    let kind = filled("kind").unwrap_or_default();
    let Some(known) = KINDS.iter().find(|known| known.words.contains(&kind)) else {
        wrong_kind(kind, notes);
        check_days(
            filled("valid_from"),
            given.get("valid_until").copied(),
            notes,
        );
        return check_scope(policy, notes);
    };
    if policy.effect() != known.effect {
        wrong_effect(kind, known.effect, notes);
    }
    for name in ALWAYS.iter().chain(known.must) {
        // A missing id and half a pair of texts are told apart.
        let is_told = *name == "id" || PAIRS.iter().any(|(nl, en)| [nl, en].contains(&name));
        if !is_told && filled(name).is_none() {
            notes.add_at_annotation(
                name,
                &format!(
                    "`@{name}` ontbreekt of is leeg; een regel met kind `{kind}` heeft hem nodig"
                ),
                &format!("`@{name}` is missing or empty; a rule of kind `{kind}` needs it"),
            );
        }
    }
    for (nl, en) in PAIRS {
        let is_needed = known.must.contains(nl);
        let there = [filled(nl).is_some(), filled(en).is_some()];
        if there.contains(&false) && (is_needed || there.contains(&true)) {
            let lacking = if there == [true, false] { en } else { nl };
            notes.add_at_annotation(
                if lacking == en { nl } else { en },
                &format!("de tekst `@{lacking}` ontbreekt; teksten staan in het Nederlands (`@{nl}`) én in het Engels (`@{en}`)"),
                &format!("the text `@{lacking}` is missing; texts are in Dutch (`@{nl}`) and in English (`@{en}`)"),
            );
        }
    }
    for name in given.keys() {
        let lists = [ALWAYS, known.must, known.may, &["valid_until"]];
        if !lists.iter().any(|list| list.contains(name)) {
            unknown_annotation(name, kind, lists.concat(), notes);
        }
    }
    check_days(
        filled("valid_from"),
        given.get("valid_until").copied(),
        notes,
    );
    check_words(&given, notes);
    check_scope(policy, notes);
}

fn check_id(id: &str, notes: &mut Notes<'_>) {
    let stem = id.strip_prefix(HOUSE_PREFIX).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c);
    if id.is_empty() {
        notes.add_at_annotation(
            "id",
            "`@id` ontbreekt; elke huisregel heeft een naam zoals `house.geen_opname_spreekkamer`",
            "`@id` is missing; every house rule has a name such as `house.no_recording_in_surgery`",
        );
    } else if notes.is_of_law(id) {
        notes.add_at_annotation(
            "id",
            &format!("`{id}` is een regel van de wet; een huisregel komt daar niet voor in de plaats, en begint met `{HOUSE_PREFIX}`"),
            &format!("`{id}` is a rule of the law; a house rule does not take its place, and begins with `{HOUSE_PREFIX}`"),
        );
    } else if stem.is_empty() || !stem.chars().all(is_plain) {
        notes.add_at_annotation(
            "id",
            &format!("`{id}` is geen naam van een huisregel; begin met `{HOUSE_PREFIX}`, en daarna kleine letters, cijfers, `_` en `.`"),
            &format!("`{id}` is no name of a house rule; begin with `{HOUSE_PREFIX}`, then small letters, digits, `_` and `.`"),
        );
    }
}

fn wrong_kind(kind: &str, notes: &mut Notes<'_>) {
    let (nl, en) = match kind {
        "permit" => (
            "een huisregel kan niets toestaan: hij kan alleen verbieden of plichten toevoegen. Wat de wet verbiedt, blijft verboden; wat de wet toestaat, mag al".to_owned(),
            "a house rule can permit nothing: it can only forbid or add duties. What the law forbids stays forbidden; what the law permits is permitted already".to_owned(),
        ),
        "criminal" => (
            "strafbaar maakt alleen de wet iets; gebruik `contract`, `labour`, `privacy` of `human`".to_owned(),
            "only the law makes something a crime; use `contract`, `labour`, `privacy` or `human`".to_owned(),
        ),
        "forecast" => (
            "wat een rechter doet, is geen huisregel; gebruik `advice`".to_owned(),
            "what a court does is no house rule; use `advice`".to_owned(),
        ),
        "" => (
            "`@kind` ontbreekt; kies uit contract, labour, privacy, human, duty, met, unmet, advice".to_owned(),
            "`@kind` is missing; choose from contract, labour, privacy, human, duty, met, unmet, advice".to_owned(),
        ),
        other => (
            format!("`{other}` is geen soort; kies uit contract, labour, privacy, human, duty, met, unmet, advice"),
            format!("`{other}` is no kind; choose from contract, labour, privacy, human, duty, met, unmet, advice"),
        ),
    };
    notes.add_at_annotation("kind", &nl, &en);
}

fn wrong_effect(kind: &str, right: Effect, notes: &mut Notes<'_>) {
    let (nl, en) = if right == Effect::Forbid {
        (
            format!(
                "kind `{kind}` verbiedt, dus de regel begint met `forbid`; een huisregel kan niets toestaan"
            ),
            format!(
                "kind `{kind}` forbids, so the rule begins with `forbid`; a house rule can permit nothing"
            ),
        )
    } else {
        (
            format!(
                "kind `{kind}` verbiedt niets, dus de regel begint met `permit`: zo schrijft Cedar wat erbij komt"
            ),
            format!(
                "kind `{kind}` forbids nothing, so the rule begins with `permit`: that is how Cedar writes what is added"
            ),
        )
    };
    notes.add(notes.piece.start_of_body(), &nl, &en);
}

fn unknown_annotation(name: &str, kind: &str, known: Vec<&str>, notes: &mut Notes<'_>) {
    let (nl, en) = match name {
        "gate" => (
            "`@gate` hoort bij regels van de wet; huisregels komen daarna".to_owned(),
            "`@gate` belongs to rules of the law; house rules come after those".to_owned(),
        ),
        "status" => (
            "`@status` hoort bij regels van de wet; een huisregel heeft geen wettekst om na te lezen".to_owned(),
            "`@status` belongs to rules of the law; a house rule has no statute to be read".to_owned(),
        ),
        "fact" => (
            "`@fact` hoort bij regels van de wet; schrijf `!(context has FEIT)` in de voorwaarde".to_owned(),
            "`@fact` belongs to rules of the law; write `!(context has FACT)` in the condition".to_owned(),
        ),
        _ => {
            let all = known.join(", ");
            match nearest(name, known.into_iter()) {
                Some(near) => (
                    format!("`@{name}` hoort niet bij kind `{kind}`; bedoelt u `@{near}`?"),
                    format!("`@{name}` does not go with kind `{kind}`; did you mean `@{near}`?"),
                ),
                None => (
                    format!("`@{name}` hoort niet bij kind `{kind}`; kies uit {all}"),
                    format!("`@{name}` does not go with kind `{kind}`; choose from {all}"),
                ),
            }
        }
    };
    notes.add_at_annotation(name, &nl, &en);
}

fn check_days(from: Option<&str>, until: Option<&str>, notes: &mut Notes<'_>) {
    for (name, text) in [("valid_from", from), ("valid_until", until)] {
        if let Some(text) = text.filter(|text| calendar::day(text).is_none()) {
            notes.add_at_annotation(
                name,
                &format!("`{text}` is geen dag zoals 2027-01-31"),
                &format!("`{text}` is not a date such as 2027-01-31"),
            );
        }
    }
    if let (Some(from), Some(until)) = (from.and_then(calendar::day), until.and_then(calendar::day))
        && until < from
    {
        notes.add_at_annotation(
            "valid_until",
            &format!("de laatste dag ({until}) ligt vóór de eerste ({from})"),
            &format!("the last day ({until}) lies before the first ({from})"),
        );
    }
}

/// Words with a fixed form: who, what, by when, and the kind of an advice.
fn check_words(given: &BTreeMap<&str, &str>, notes: &mut Notes<'_>) {
    let is_word = |text: &str| {
        let mut signs = text.chars();
        signs.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    for name in ["who", "what", "by"] {
        let Some(text) = given.get(name) else {
            continue;
        };
        let is_term = name == "by" && calendar::term(text).is_some();
        if !is_word(text) && !is_term {
            let (nl, en) = if name == "by" {
                (" of een termijn zoals P1M", " or a term such as P1M")
            } else {
                ("", "")
            };
            notes.add_at_annotation(
                name,
                &format!("`{text}` is geen woord van kleine letters en `_`{nl}"),
                &format!("`{text}` is not a word of small letters and `_`{en}"),
            );
        }
    }
    let count = |name: &str| given.get(name).map(|text| text.split(';').count());
    if let (Some(dutch), Some(english)) = (count("factors_nl"), count("factors_en"))
        && dutch != english
    {
        notes.add_at_annotation(
            "factors_en",
            &format!("in het Nederlands staan {dutch} punten, in het Engels {english}; zet tussen elk een `;`"),
            &format!("there are {dutch} factors in Dutch and {english} in English; part them with `;`"),
        );
    }
    let advice = given.get("advice").filter(|text| !text.is_empty());
    if let Some(text) = advice.filter(|text| !ADVICE.contains(text)) {
        let all = ADVICE.join(", ");
        notes.add_at_annotation(
            "advice",
            &format!("`{text}` is geen soort advies; kies uit {all}"),
            &format!("`{text}` is no kind of advice; choose from {all}"),
        );
    }
}

/// Who asks and about which conversation is said in facts, not in the scope.
fn check_scope(policy: &Policy, notes: &mut Notes<'_>) {
    let is_open = policy.principal_constraint() == PrincipalConstraint::Any
        && policy.resource_constraint() == ResourceConstraint::Any;
    if !is_open {
        notes.add(
            notes.piece.start_of_body(),
            "zeg bij `principal` en `resource` niets; wie en wat staan in de feiten (`context`)",
            "say nothing with `principal` and `resource`; who and what are in the facts (`context`)",
        );
    }
}
