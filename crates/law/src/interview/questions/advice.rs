//! Questions that change no outcome, only the advice: asked on wish.

use super::super::question::{Choice, Form, Question};
use crate::facts::Facts;
use voicelog_model::Action;

fn is_a_person(facts: &Facts) -> bool {
    facts.is_one_of("recorder_type", &["private_person", "citizen", "employee"])
}

/// A person who weighs whether to record, or what to do with a recording.
fn for_a_person(facts: &Facts) -> bool {
    is_a_person(facts)
        && matches!(
            facts.action(),
            Action::Record | Action::Keep | Action::FileInCourt | Action::Share
        )
}

/// The same, and the one who is asked whether another may record.
fn for_either_side(facts: &Facts) -> bool {
    for_a_person(facts) || (facts.action() == Action::RefuseRecording && is_a_person(facts))
}

/// An employer who records own staff weighs the relation as well.
fn for_who_knows_the_other(facts: &Facts) -> bool {
    for_either_side(facts)
        || (facts.is_one_of("recorder_type", &["employer"]) && facts.action() == Action::Record)
}

/// A person for whom France's rule on private talk is not at stake: there the answer decides.
fn for_a_person_outside_france(facts: &Facts) -> bool {
    for_a_person(facts) && !facts.holds("countries", "FR")
}

/// Somebody who has the recording.
fn for_who_has_it(facts: &Facts) -> bool {
    matches!(
        facts.action(),
        Action::Keep | Action::FileInCourt | Action::Share
    ) && is_a_person(facts)
}

/// Who is asked whether another may record, and did not have to say who that is.
fn for_who_refuses_somebody(facts: &Facts) -> bool {
    facts.action() == Action::RefuseRecording && !facts.has("recorder_type")
}

/// Every one of them.
pub(super) const QUESTIONS: &[Question] = &[
    Question::new(
        "who_wants",
        ("Wie is het die wil opnemen?", "Who is it that wants to record?"),
        (
            "Wat u het best kunt antwoorden, hangt af van wie het vraagt.",
            "What you had best answer depends on who asks.",
        ),
        Form::One(&[
            Choice::new("employee", "Een werknemer", "An employee", &[("recorder_type", Some("\"employee\""))]),
            Choice::new("citizen", "Een burger", "A citizen", &[("recorder_type", Some("\"citizen\""))]),
            Choice::new("private_person", "Een klant, patiënt, huurder of ander mens", "A customer, patient, tenant or other person", &[("recorder_type", Some("\"private_person\""))]),
            Choice::new("organisation", "Een organisatie", "An organisation", &[("recorder_type", Some("\"company\""))]),
        ]),
    )
    .only(for_who_refuses_somebody)
    .extra(),
    Question::new(
        "relationship",
        ("Hoe staan de partijen met elkaar?", "How do the parties get on?"),
        (
            "In een conflict kan een opname de relatie breken, of juist het bewijs zijn.",
            "In a conflict a recording can break the relation, or be the proof.",
        ),
        Form::One(&[
            Choice::new("normal", "Gewoon", "Normally", &[("relationship_state", Some("\"normal\""))]),
            Choice::new("tension", "Er is spanning", "There is tension", &[("relationship_state", Some("\"tension\""))]),
            Choice::new("dispute", "Er is een conflict", "There is a dispute", &[("relationship_state", Some("\"dispute\""))]),
            Choice::new("procedure", "Er loopt een procedure", "There are proceedings", &[("relationship_state", Some("\"procedure\""))]),
        ]),
    )
    .only(for_who_knows_the_other)
    .extra(),
    Question::new(
        "often",
        ("Hoe vaak neemt u op?", "How often do you record?"),
        (
            "Eén gesprek na een gebeurtenis begrijpt een rechter beter dan alles, vanaf de eerste dag.",
            "A court understands one talk after an event better than everything from the first day on.",
        ),
        Form::One(&[
            Choice::new("single", "Dit ene gesprek", "This one talk", &[("structural", Some("\"single\""))]),
            Choice::new("all", "Steeds, alle gesprekken", "All the time, every talk", &[("structural", Some("\"all\""))]),
        ]),
    )
    .only(for_a_person)
    .extra(),
    Question::new(
        "about",
        ("Waar gaat het gesprek over?", "What is the talk about?"),
        (
            "Zakelijke gesprekken raken het privéleven minder snel.",
            "Business talk touches private life less soon.",
        ),
        Form::One(&[
            Choice::new("business", "Zaken", "Business", &[("content_nature", Some("\"business\""))]),
            Choice::new("private", "Privé", "Private matters", &[("content_nature", Some("\"private\""))]),
            Choice::new("mixed", "Allebei", "Both", &[("content_nature", Some("\"mixed\""))]),
        ]),
    )
    .only(for_a_person_outside_france)
    .extra(),
    Question::new(
        "whole",
        ("Is de opname nog heel?", "Is the recording still whole?"),
        (
            "De rechter wil het hele gesprek kunnen horen.",
            "The court wants to be able to hear the whole talk.",
        ),
        Form::One(&[
            Choice::new("yes", "Ja, er is niets aan veranderd", "Yes, nothing in it was changed", &[("integrity", Some("{\"unbroken\":true}"))]),
            Choice::new("no", "Nee, er is geknipt of er mist een stuk", "No, it was cut or a part is missing", &[("integrity", Some("{\"unbroken\":false}"))]),
        ]),
    )
    .only(for_who_has_it)
    .extra(),
    Question::new(
        "other_proof",
        ("Is er ander bewijs?", "Is there other proof?"),
        (
            "Een rechter begrijpt een geheime opname beter als er geen ander bewijs is.",
            "A court understands a secret recording better where there is no other proof.",
        ),
        Form::One(&[
            Choice::new("yes", "Ja", "Yes", &[("other_proof_available", Some("true"))]),
            Choice::new("no", "Nee", "No", &[("other_proof_available", Some("false"))]),
        ]),
    )
    .only(for_a_person)
    .extra(),
    Question::new(
        "house_rule",
        ("Zegt de werkgever of de plaats iets over opnemen?", "Does the employer or the place say anything on recording?"),
        (
            "Een verbod in het handboek maakt opnemen niet strafbaar, maar telt mee bij een conflict.",
            "A ban in the handbook does not make recording a crime, but it counts in a conflict.",
        ),
        Form::One(&[
            Choice::new("none", "Niets", "Nothing", &[("house_rule", Some("\"none\""))]),
            Choice::new("ban", "Het is verboden", "It is forbidden", &[("house_rule", Some("\"ban\""))]),
            Choice::new("permission", "Het mag met toestemming", "It needs permission", &[("house_rule", Some("\"permission_needed\""))]),
            Choice::new("allowed", "Het mag", "It is allowed", &[("house_rule", Some("\"allowed\""))]),
        ]),
    )
    .only(for_either_side)
    .extra(),
    Question::new(
        "asked",
        ("Vroeg de ander of u opneemt?", "Did the other ask whether you record?"),
        (
            "Wie het vraagt, heeft recht op een eerlijk antwoord. Liegen weegt zwaar.",
            "Who asks has a right to an honest answer. A lie weighs heavily.",
        ),
        Form::One(&[
            Choice::new("not_asked", "Nee", "No", &[("asked_if_recording", Some("\"not_asked\""))]),
            Choice::new("truth", "Ja, en u zei eerlijk ja", "Yes, and you honestly said so", &[("asked_if_recording", Some("\"asked_truth\""))]),
            Choice::new("denied", "Ja, en u ontkende het", "Yes, and you denied it", &[("asked_if_recording", Some("\"asked_denied\""))]),
        ]),
    )
    .only(for_a_person)
    .extra(),
];
