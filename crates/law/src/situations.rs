//! Ordinary situations: who records for which purpose, set up as it should be. From these it is
//! looked what a rule changes. They are no law; they are places to stand on while looking.

use crate::facts::values::Values;
use crate::facts::{Facts, name};
use serde_json::json;
use voicelog_model::{Action, Timestamp};

/// Who records for which purpose, as the purpose matrix has it.
const WHO_FOR_WHAT: &[(&[&str], &[&str])] = &[
    (
        &["company", "employer", "government_body", "care_provider"],
        &[
            "bewijs_overeenkomst",
            "wettelijke_plicht",
            "kwaliteit_training",
            "controle_medewerker",
            "dossier_overheid",
            "klokkenluider",
            "veiligheid_noodhulp",
            "notulen_verslag",
            "klacht",
            "onderzoek",
            "overig",
        ],
    ),
    (
        &["self_employed"],
        &["bewijs_overeenkomst", "eigen_gebruik_bewijs", "klacht"],
    ),
    (
        &["private_person", "citizen", "employee"],
        &["eigen_gebruik_bewijs"],
    ),
    (&["journalist"], &["journalistiek"]),
];

/// A month of 30 days.
const MONTH_MICROS: i64 = 30 * 86_400 * 1_000_000;

/// One ordinary situation.
#[derive(Debug, Clone)]
pub(crate) struct Situation {
    pub(crate) recorder: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) facts: Facts,
}

/// Every ordinary situation in which an act is asked about at a moment.
pub(crate) fn situations(action: Action, at: Timestamp) -> Vec<Situation> {
    let pairs = WHO_FOR_WHAT.iter().flat_map(|(recorders, purposes)| {
        let of_one = |recorder: &'static &'static str| {
            purposes.iter().map(move |purpose| (*recorder, *purpose))
        };
        recorders.iter().flat_map(of_one)
    });
    pairs
        .filter(|(recorder, purpose)| {
            *purpose != "dossier_overheid" || *recorder == "government_body"
        })
        .filter_map(|(recorder, purpose)| {
            let values = values(recorder, purpose, action, at);
            Some(Situation {
                recorder,
                purpose,
                facts: Facts::checked(action, values, at)?,
            })
        })
        .collect()
}

fn values(recorder: &'static str, purpose: &'static str, action: Action, at: Timestamp) -> Values {
    let mut facts = Values::default();
    let before = at.plus_micros(-MONTH_MICROS).to_string();
    let is_making = matches!(
        action,
        Action::Record | Action::ListenLive | Action::Call | Action::RefuseRecording
    );
    let heard = match recorder {
        "private_person" | "citizen" | "employee" | "journalist" => "company",
        "care_provider" => "patient",
        _ => "private_person",
    };
    facts.set(name::REQUESTED_ACTION, action.as_str());
    facts.set(name::RECORDER_TYPE, recorder);
    facts.set(name::PURPOSE, purpose);
    facts.set(name::COUNTERPART_TYPES, json!([heard]));
    facts.set(name::CHANNEL, "phone");
    facts.set(name::MEDIA, json!(["audio"]));
    facts.set(name::PARTICIPATION, "participant");
    facts.set(name::COUNTRIES, json!(["NL"]));
    facts.set(name::OPENNESS, "announced_and_agreed");
    facts.set(
        name::ANNOUNCEMENT,
        json!({"at": before, "text_id": "x", "language": "nl"}),
    );
    facts.set(name::MANIFEST_ABUSE, false);
    facts.set(name::CONFIDENTIALITY_CLAUSE, "none");
    facts.set(name::SPECIAL_DATA, json!([]));
    facts.set(name::LEGAL_HOLD, json!({}));
    facts.set(name::RETENTION_TERM, "P6M");
    if !is_making {
        facts.set(name::RECORDED_AT, before);
        facts.set(name::ORIGIN_OF_IMPORT, "participant");
    }
    set_up(recorder, purpose, &mut facts);
    for (fact, value) in of_act(action, purpose) {
        facts.set(fact, value);
    }
    facts
}

/// What an organisation has arranged.
fn set_up(recorder: &str, purpose: &str, facts: &mut Values) {
    if ["private_person", "citizen", "employee", "journalist"].contains(&recorder) {
        return;
    }
    facts.set(name::STRUCTURAL, "all");
    facts.set(name::OR_STATUS, "consented");
    facts.set(name::STAFF_INFORMED, "each_call_signal");
    facts.set(name::DPIA, "done");
    facts.set(name::PRIVATE_USE_POSSIBLE, true);
    facts.set(name::STATUTORY_DUTY_REF, "x");
    facts.set(name::PUBLIC_TASK_REF, "x");
    facts.set(name::PROVIDER_CONSENT, "not_applicable");
    facts.set(
        name::PROCESSING,
        json!({"country": "NL", "processor_contract": true}),
    );
    if ["klokkenluider", "overig"].contains(&purpose) {
        let basis = if recorder == "government_body" {
            "e"
        } else {
            "f"
        };
        facts.set(name::LEGAL_BASIS, basis);
    }
    if recorder == "government_body" {
        facts.set(
            name::ARCHIVE,
            json!({"selectielijst_result": "vernietigen", "destruction_declaration": true,
                   "substitution_decision": true}),
        );
    }
}

/// The facts that belong to one act.
fn of_act(action: Action, purpose: &str) -> Vec<(&'static str, serde_json::Value)> {
    let other = if purpose == "klacht" {
        "onderzoek"
    } else {
        "klacht"
    };
    match action {
        Action::Listen => vec![
            (name::REQUESTER_ROLE, json!("controller_staff")),
            (name::NEED_TO_KNOW_BASIS, json!("x")),
        ],
        Action::GiveCopy => vec![(name::REQUESTER_ROLE, json!("data_subject"))],
        Action::Share => vec![
            (name::SHARE_TARGET, json!("lawyer")),
            (name::NEED_TO_KNOW_BASIS, json!("x")),
        ],
        Action::UseFor => vec![
            (name::PURPOSE2, json!(other)),
            (name::ANNOUNCED_PURPOSES, json!([purpose, other])),
        ],
        Action::AnalyseAi => vec![(name::AI_FUNCTION, json!("transcription"))],
        Action::Call => vec![(
            name::OUTBOUND_MARKETING,
            json!({"consumer": true, "optin_proof": true, "product_type": "other"}),
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Outcome;
    use crate::{Rulebook, decide_without_unknown};

    #[test]
    fn every_act_has_ordinary_situations_and_most_acts_may_happen_in_some() {
        let at: Timestamp = "2026-11-21T10:02:00Z".parse().unwrap();
        let rulebook = Rulebook::embedded(at).unwrap();
        for action in Action::ALL {
            let all = situations(action, at);
            assert!(all.len() >= 40, "{action}: {}", all.len());
            let permits = |situation: &&Situation| {
                let decision = decide_without_unknown(&rulebook, &situation.facts, at);
                decision.outcome() < Outcome::NeedsHuman
            };
            let permitted = all.iter().find(permits);
            assert!(permitted.is_some(), "{action} is never permitted");
        }
    }
}
