//! Questions that change no outcome, only the advice: asked on wish.

use super::super::question::{Choice, Form, Question};
use crate::facts::Facts;
use voicelog_model::Action;

/// A person who weighs whether to record, or what to do with a recording.
fn for_a_person(facts: &Facts) -> bool {
    facts.is_one_of("recorder_type", &["private_person", "citizen", "employee"])
        && matches!(
            facts.action(),
            Action::Record | Action::Keep | Action::FileInCourt | Action::Share
        )
}

/// Every one of them.
pub(super) const QUESTIONS: &[Question] = &[
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
    .only(for_a_person)
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
            "Een verbod in het handboek maakt opnemen niet strafbaar, maar kost u mogelijk iets bij een ontslagzaak.",
            "A ban in the handbook does not make recording a crime, but may cost you in a dismissal case.",
        ),
        Form::One(&[
            Choice::new("none", "Niets", "Nothing", &[("house_rule", Some("\"none\""))]),
            Choice::new("ban", "Het is verboden", "It is forbidden", &[("house_rule", Some("\"ban\""))]),
            Choice::new("permission", "Het mag met toestemming", "It needs permission", &[("house_rule", Some("\"permission_needed\""))]),
            Choice::new("allowed", "Het mag", "It is allowed", &[("house_rule", Some("\"allowed\""))]),
        ]),
    )
    .only(for_a_person)
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
