//! What Cedar itself finds in a rule: text that it can't read, types that do not fit, a fact that is
//! read without being asked for. Said in the words of this program, at the place that Cedar names.

use super::{HouseFinding, Notes};
use crate::facts::nearest;
use cedar_policy::{
    ParseErrors, Policy, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning,
    Validator,
};
use miette::Diagnostic;
use voicelog_model::Action;

/// Groups of acts that a scope can name.
const GROUPS: &[&str] = &["processing", "making", "existing", "handling", "using"];

/// Adds what the parser can't read.
pub(super) fn syntax(errors: &ParseErrors, notes: &mut Notes<'_>) {
    if let Some(at) = notes.piece.open_text() {
        return notes.add(
            at,
            "deze tekst eindigt niet; sluit af met een aanhalingsteken (\")",
            "this text does not end; close it with a quotation mark (\")",
        );
    }
    for error in errors.iter() {
        let (at, label) = place_of(error);
        let expected = label.map(|label| format!("; {label}")).unwrap_or_default();
        let help = error.help().map(|help| format!(" ({help})"));
        let help = help.unwrap_or_default();
        notes.add(
            at,
            &format!("dit is geen Cedar: {error}{expected}{help}"),
            &format!("this is not Cedar: {error}{expected}{help}"),
        );
    }
}

/// Adds what does not fit the facts; gives what Cedar finds to hold for no facts at all.
pub(super) fn check(schema: &Schema, policy: &Policy, notes: &mut Notes<'_>) -> Vec<HouseFinding> {
    let mut policies = PolicySet::new();
    if let Err(error) = policies.add(policy.clone()) {
        notes.add(0, &error.to_string(), &error.to_string());
        return Vec::new();
    }
    let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
    // The act of the scope counts for each act: one mistake is then reported many times.
    let mut told = Vec::new();
    for error in result.validation_errors() {
        if let Some((at, nl, en)) = in_our_words(error, notes)
            && !told.contains(&(at, nl.clone()))
        {
            notes.add(at, &nl, &en);
            told.push((at, nl));
        }
    }
    let mut impossible = Vec::new();
    for warning in result.validation_warnings() {
        if matches!(
            warning,
            ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_)
        ) {
            impossible.push(notes.finding(
                notes.piece.start_of_body(),
                "deze regel geldt nooit: wat erin staat spreekt zichzelf tegen",
                "this rule never holds: what it says contradicts itself",
            ));
        } else {
            let (at, _) = place_of(warning);
            notes.add(
                at,
                &format!("hier staan tekens die op andere lijken of de leesrichting keren: {warning}"),
                &format!("there are signs here that look like others or turn the direction of reading: {warning}"),
            );
        }
    }
    impossible
}

/// Where Cedar says that it is, and what it writes there.
fn place_of(diagnostic: &dyn Diagnostic) -> (usize, Option<String>) {
    let label = diagnostic.labels().and_then(|mut labels| labels.next());
    label.map_or((0, None), |label| {
        (label.offset(), label.label().map(str::to_owned))
    })
}

/// The text of the rule that Cedar means.
fn span<'a>(diagnostic: &dyn Diagnostic, notes: &'a Notes<'_>) -> &'a str {
    let label = diagnostic.labels().and_then(|mut labels| labels.next());
    let range = label.map(|label| label.offset()..label.offset() + label.len());
    range
        .and_then(|range| notes.piece.text.get(range))
        .unwrap_or_default()
}

/// What is wrong, in Dutch and in English.
type Said = (String, String);

/// Place and sentences of one mistake; nothing for what is told better elsewhere.
fn in_our_words(error: &ValidationError, notes: &Notes<'_>) -> Option<(usize, String, String)> {
    let (at, _) = place_of(error);
    let span = span(error, notes);
    let said = error.to_string();
    let said = said
        .split_once("`, ")
        .map_or(said.as_str(), |(_, what)| what);
    let (nl, en) = match error {
        // Facts and fields that do not exist were found by name.
        ValidationError::UnsafeAttributeAccess(_) if !notes.findings.is_empty() => return None,
        ValidationError::UnsafeOptionalAttributeAccess(_) => not_asked_for(span),
        ValidationError::UnexpectedType(_) => wrong_type(span, said),
        ValidationError::IncompatibleTypes(_) => never_equal(span, said),
        ValidationError::UnrecognizedActionId(_) => unknown_act(said),
        ValidationError::EmptySetForbidden(_) => (
            "een lege lijst `[]` zegt niets; noem de waarden".to_owned(),
            "an empty list `[]` says nothing; name the values".to_owned(),
        ),
        _ => (format!("Cedar zegt: {said}"), format!("Cedar says: {said}")),
    };
    Some((at, nl, en))
}

/// `context.purpose` is read without `context has purpose` before it.
fn not_asked_for(span: &str) -> Said {
    let has = span
        .rsplit_once('.')
        .map(|(object, field)| format!("{object} has {field}"));
    let has = has.unwrap_or_else(|| "context has …".to_owned());
    (
        format!("`{span}` kan ontbreken; vraag er eerst naar: `{has} && …`"),
        format!("`{span}` may be missing; ask for it first: `{has} && …`"),
    )
}

/// From "unexpected type: expected Long but saw Bool".
fn wrong_type(span: &str, said: &str) -> Said {
    let (wanted, is) = said
        .strip_prefix("unexpected type: expected ")
        .and_then(|rest| rest.split_once(" but saw "))
        .unwrap_or(("?", "?"));
    let [is_nl, wanted_nl] = [is, wanted].map(type_nl);
    let [is_en, wanted_en] = [is, wanted].map(type_en);
    (
        format!("`{span}` is {is_nl}, en hier hoort {wanted_nl}"),
        format!("`{span}` is {is_en}, and here belongs {wanted_en}"),
    )
}

/// From "the types Bool and String are not compatible".
fn never_equal(span: &str, said: &str) -> Said {
    let types = said.trim_start_matches("the types ");
    let types = types.trim_end_matches(" are not compatible");
    let list = |name: fn(&str) -> String, and: &str| {
        let names = types.split(" and ").flat_map(|part| part.split(", "));
        names.map(name).collect::<Vec<_>>().join(and)
    };
    let (nl, en) = (list(type_nl, " met "), list(type_en, " with "));
    (
        format!("`{span}` vergelijkt {nl}; dat is nooit gelijk"),
        format!("`{span}` compares {en}; these are never equal"),
    )
}

/// From "unrecognized action `Action::"recrod"`".
fn unknown_act(said: &str) -> Said {
    let named = said.rsplit('"').nth(1).unwrap_or_default();
    let all = || {
        let acts = Action::ALL.iter().map(|act| act.as_str());
        acts.chain(GROUPS.iter().copied())
    };
    let names = all().collect::<Vec<_>>().join(", ");
    match nearest(named, all()) {
        Some(near) => (
            format!("er is geen handeling `{named}`; bedoelt u `{near}`? Er zijn: {names}"),
            format!("there is no act `{named}`; did you mean `{near}`? There are: {names}"),
        ),
        None => (
            format!("er is geen handeling `{named}`; er zijn: {names}"),
            format!("there is no act `{named}`; there are: {names}"),
        ),
    }
}

/// One of several types, or a single one, in words.
fn type_nl(name: &str) -> String {
    in_words(
        name,
        [
            " of ",
            "true of false",
            "een getal",
            "een woord",
            "een lijst",
            "een object",
        ],
    )
}

fn type_en(name: &str) -> String {
    in_words(
        name,
        [
            " or ",
            "true or false",
            "a number",
            "a word",
            "a list",
            "an object",
        ],
    )
}

fn in_words(name: &str, [or, flag, number, word, list, object]: [&str; 6]) -> String {
    let mut words: Vec<&str> = name
        .split(", or ")
        .map(|name| match name {
            "Bool" | "True" | "False" => flag,
            "Long" => number,
            "String" => word,
            set if set.starts_with("Set") || set == "__cedar::internal::AnySet" => list,
            record if record.starts_with('{') => object,
            other => other,
        })
        .collect();
    words.dedup();
    words.join(or)
}
