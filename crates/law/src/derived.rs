//! What follows from the facts by counting, comparing and reckoning with dates: the part of the
//! law that needs no judgment and that rule text cannot say. Each has a name that rules read.
//!
//! Nothing here permits or forbids; that is what the rules do.

use crate::facts::calendar;
use crate::facts::countries::{EEA, WITH_OWN_RULES};
use crate::facts::name;
use crate::facts::values::Values;
use crate::terms::{self, Terms};
use serde_json::Value;
use voicelog_model::Timestamp;

/// What a derived fact is computed from: the facts with their defaults, and the moment.
pub(crate) struct Seen<'a> {
    pub(crate) facts: &'a Values,
    pub(crate) at: Timestamp,
}

/// How a derived fact is computed.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Flag(fn(&Seen<'_>) -> bool),
    Word(fn(&Seen<'_>) -> &'static str),
}

/// One derived fact.
#[derive(Clone, Copy)]
pub(crate) struct Derived {
    /// The name that rules use.
    pub(crate) name: &'static str,
    /// How it is computed.
    pub(crate) of: Of,
    /// From which facts.
    pub(crate) reads: &'static [&'static str],
    /// The words that it can be; empty for a flag.
    pub(crate) words: &'static [&'static str],
}

const fn flag(
    name: &'static str,
    reads: &'static [&'static str],
    of: fn(&Seen<'_>) -> bool,
) -> Derived {
    Derived {
        name,
        of: Of::Flag(of),
        reads,
        words: &[],
    }
}

const fn word(
    name: &'static str,
    reads: &'static [&'static str],
    words: &'static [&'static str],
    of: fn(&Seen<'_>) -> &'static str,
) -> Derived {
    Derived {
        name,
        of: Of::Word(of),
        reads,
        words,
    }
}

/// What says which law applies.
const SCOPE: &[&str] = &[
    name::RECORDER_TYPE,
    name::REQUESTED_ACTION,
    name::SHARE_TARGET,
    name::SECTOR,
    name::PURPOSE,
    name::PURPOSE2,
];
const STAFF: &[&str] = &[
    name::RECORDER_TYPE,
    name::PARTICIPATION,
    name::COUNTERPART_TYPES,
];
const TERMS: &[&str] = &[
    name::RECORDED_AT,
    name::START_EVENT,
    name::RETENTION_TERM,
    name::RECORDING_STATE,
    name::SECTOR,
    name::PURPOSE,
    name::ARCHIVE,
];
const COVERT: &[&str] = &[
    name::OPENNESS,
    name::RECORDER_TYPE,
    name::PARTICIPATION,
    name::COUNTERPART_TYPES,
    name::STRUCTURAL,
    name::REQUESTED_ACTION,
    name::SHARE_TARGET,
    name::SECTOR,
    name::PURPOSE,
    name::PURPOSE2,
];
const SCHEME: &[&str] = &[
    name::RECORDER_TYPE,
    name::PARTICIPATION,
    name::COUNTERPART_TYPES,
    name::STRUCTURAL,
    name::OR_STATUS,
    name::REQUESTED_ACTION,
    name::SHARE_TARGET,
    name::SECTOR,
    name::PURPOSE,
    name::PURPOSE2,
];

/// Every derived fact. All of them always have a value.
pub(crate) const DERIVED: &[Derived] = &[
    // Who, and over what.
    flag("natural_person", &[name::RECORDER_TYPE], natural_person),
    flag("organisation", &[name::RECORDER_TYPE], organisation),
    flag("live", &[name::CHANNEL], |seen| {
        seen.facts
            .is_one_of(name::CHANNEL, &["live_inside", "live_outside"])
    }),
    flag("line", &[name::CHANNEL], |seen| {
        let lines = ["phone", "video_call", "voicemail", "chatbot_voice"];
        seen.facts.is_one_of(name::CHANNEL, &lines)
    }),
    flag("sound", &[name::MEDIA], |seen| {
        seen.facts.holds(name::MEDIA, "audio") || seen.facts.holds(name::MEDIA, "transcript")
    }),
    flag(
        "device_in_sight",
        &[name::DEVICE_VISIBLE_WITH_AUTHORITY, name::MANIFEST_ABUSE],
        |seen| {
            seen.facts.flag(name::DEVICE_VISIBLE_WITH_AUTHORITY) == Some(true)
                && seen.facts.flag(name::MANIFEST_ABUSE) != Some(true)
        },
    ),
    flag("treated_as_germany", &[name::COUNTRIES], |seen| {
        let mut countries = seen.facts.words(name::COUNTRIES);
        countries.any(|code| code != "ZZ" && !WITH_OWN_RULES.contains(&code))
    }),
    // Consent.
    flag(
        "all_agreed",
        &[name::CONSENT_PER_PARTICIPANT, name::OPENNESS],
        all_agreed,
    ),
    flag("all_explicit", &[name::CONSENT_PER_PARTICIPANT], |seen| {
        consents(seen.facts).is_some_and(|all| {
            !all.is_empty() && all.iter().all(|consent| *consent == "given_explicit")
        })
    }),
    flag(
        "consent_withdrawn",
        &[name::CONSENT_PER_PARTICIPANT],
        |seen| consents(seen.facts).is_some_and(|all| all.contains(&"withdrawn")),
    ),
    flag(
        "guardian_agreed",
        &[name::CONSENT_PER_PARTICIPANT],
        |seen| consents(seen.facts).is_some_and(|all| all.contains(&"given_by_guardian")),
    ),
    // Which law applies.
    word(
        "avg_applies",
        SCOPE,
        &["yes", "household", "journalism", "wpg"],
        avg_applies,
    ),
    flag(
        "notice_may_follow",
        &[
            name::RECORDER_TYPE,
            name::PURPOSE,
            name::THREAT_OR_ABUSE,
            name::SECTOR,
        ],
        notice_may_follow,
    ),
    // Staff.
    flag("staff_audible", STAFF, staff_audible),
    flag("or_consent_needed", SCHEME, or_consent_needed),
    flag(
        "targeted_monitoring",
        &[
            name::RECORDER_TYPE,
            name::PARTICIPATION,
            name::COUNTERPART_TYPES,
            name::STRUCTURAL,
        ],
        targeted_monitoring,
    ),
    flag("covert_control", COVERT, covert_control),
    flag(
        "statute_leaves_no_choice",
        &[name::PURPOSE, name::LEGAL_BASIS, name::STATUTORY_DUTY_REF],
        |seen| {
            seen.facts.is(name::PURPOSE, "wettelijke_plicht")
                && seen.facts.is(name::LEGAL_BASIS, "c")
                && seen.facts.refers(name::STATUTORY_DUTY_REF)
        },
    ),
    word(
        "nullity",
        &[name::OR_STATUS, name::OR_DATES],
        &["not_invoked", "in_time", "late", "unknown"],
        nullity,
    ),
    flag("alternatives_tried", &[name::SUSPICION], |seen| {
        seen.facts.field_len(name::SUSPICION, "tried_alternatives") > 0
    }),
    flag("two_approved", &[name::SUSPICION], |seen| {
        seen.facts.field_len(name::SUSPICION, "approved_by") >= 2
    }),
    flag("covert_period_over", &[name::SUSPICION], |seen| {
        let end = seen.facts.field_word(name::SUSPICION, "end");
        let end = end.and_then(calendar::moment);
        end.is_some_and(|end| end < seen.at)
    }),
    // Children.
    word(
        "age_group",
        &[name::AGE_YOUNGEST],
        &[
            "none",
            "under_12",
            "from_12_to_15",
            "from_16_to_17",
            "adult",
        ],
        age_group,
    ),
    // Later use, processing, archive.
    flag(
        "purpose2_announced",
        &[name::PURPOSE2, name::ANNOUNCED_PURPOSES],
        |seen| {
            let new = seen.facts.word(name::PURPOSE2);
            new.is_some_and(|purpose| seen.facts.holds(name::ANNOUNCED_PURPOSES, purpose))
        },
    ),
    flag("outside_eea", &[name::PROCESSING], |seen| {
        let country = seen.facts.field_word(name::PROCESSING, "country");
        country.is_some_and(|code| !EEA.contains(&code))
    }),
    flag("marketing_refused", &[name::OUTBOUND_MARKETING], |seen| {
        seen.facts.field_flag(name::OUTBOUND_MARKETING, "consumer") == Some(true)
            && seen
                .facts
                .field_flag(name::OUTBOUND_MARKETING, "optin_proof")
                == Some(false)
    }),
    flag("marketing_cleared", &[name::OUTBOUND_MARKETING], |seen| {
        seen.facts.field_flag(name::OUTBOUND_MARKETING, "consumer") == Some(false)
            || seen
                .facts
                .field_flag(name::OUTBOUND_MARKETING, "optin_proof")
                == Some(true)
    }),
    flag("held", &[name::LEGAL_HOLD], |seen| {
        let holds = ["claim", "dsar", "woo", "seizure", "art18"];
        holds
            .iter()
            .any(|hold| seen.facts.field_flag(name::LEGAL_HOLD, hold) == Some(true))
    }),
    flag("before_floor", TERMS, |seen| {
        Terms::of(seen.facts, seen.at).is_before_floor(seen.at)
    }),
    flag("term_run_out", TERMS, |seen| {
        Terms::of(seen.facts, seen.at).has_run_out(seen.at)
    }),
    flag(
        "term_beyond_ceiling",
        &[name::RETENTION_TERM, name::SECTOR, name::PURPOSE],
        |seen| terms::is_beyond_ceiling(seen.facts, seen.at),
    ),
    flag("emergency_term_over", &[name::RECORDED_AT], |seen| {
        terms::emergency_call_is_over(seen.facts, seen.at)
    }),
];

fn natural_person(seen: &Seen<'_>) -> bool {
    let natural = ["private_person", "citizen", "employee"];
    seen.facts.is_one_of(name::RECORDER_TYPE, &natural)
}

fn organisation(seen: &Seen<'_>) -> bool {
    let organisations = [
        "company",
        "employer",
        "government_body",
        "care_provider",
        "interest_group",
    ];
    seen.facts.is_one_of(name::RECORDER_TYPE, &organisations)
}

fn consents(facts: &Values) -> Option<Vec<&str>> {
    let map = facts.value(name::CONSENT_PER_PARTICIPANT)?.as_object()?;
    Some(map.values().filter_map(Value::as_str).collect())
}

/// The consent map wins over what was announced.
fn all_agreed(seen: &Seen<'_>) -> bool {
    match consents(seen.facts) {
        Some(all) => !all.is_empty() && all.iter().all(|consent| consent.starts_with("given")),
        None => seen.facts.is(name::OPENNESS, "announced_and_agreed"),
    }
}

/// Scope: `yes`, `household` (AVG 2 lid 2 c), `journalism` (UAVG 43) or `wpg` (AVG 2 lid 2 d).
fn avg_applies(seen: &Seen<'_>) -> &'static str {
    let facts = seen.facts;
    if facts.is(name::RECORDER_TYPE, "journalist") {
        return "journalism";
    }
    if natural_person(seen) {
        let goes_public = facts.is(name::REQUESTED_ACTION, "publish")
            || (facts.is(name::REQUESTED_ACTION, "share")
                && facts.is_one_of(name::SHARE_TARGET, &["third_party", "journalist"]));
        return if goes_public { "yes" } else { "household" };
    }
    let internal = [
        "kwaliteit_training",
        "controle_medewerker",
        "personeelsmaatregel",
    ];
    // What is used for the body's own staff is no longer used for the task.
    let is_internal =
        facts.is_one_of(name::PURPOSE, &internal) || facts.is_one_of(name::PURPOSE2, &internal);
    if facts.is(name::RECORDER_TYPE, "government_body")
        && facts.is(name::SECTOR, "police")
        && !is_internal
    {
        return "wpg";
    }
    "yes"
}

/// The purposes for which the purpose matrix lets this recorder give notice afterwards.
fn notice_may_follow(seen: &Seen<'_>) -> bool {
    let facts = seen.facts;
    let emergency = facts.is(name::PURPOSE, "veiligheid_noodhulp")
        && (facts.flag(name::THREAT_OR_ABUSE) == Some(true) || facts.is(name::SECTOR, "emergency"));
    let own_proof = facts.is(name::PURPOSE, "eigen_gebruik_bewijs")
        && facts.is(name::RECORDER_TYPE, "self_employed");
    emergency || own_proof
}

fn staff_audible(seen: &Seen<'_>) -> bool {
    organisation(seen)
        && (seen.facts.is(name::PARTICIPATION, "participant")
            || seen.facts.holds(name::COUNTERPART_TYPES, "employee"))
}

/// A recording scheme of an organisation counts as structural until it is known to be one call.
/// What the police record for their task is outside it.
fn or_consent_needed(seen: &Seen<'_>) -> bool {
    staff_audible(seen)
        && avg_applies(seen) != "wpg"
        && !seen.facts.is(name::STRUCTURAL, "single")
        && !seen
            .facts
            .is_one_of(name::OR_STATUS, &["no_or", "pvt_only"])
}

fn targeted_monitoring(seen: &Seen<'_>) -> bool {
    staff_audible(seen) && seen.facts.is(name::STRUCTURAL, "targeted_person")
}

/// Control of staff without telling them: a regime of its own.
fn covert_control(seen: &Seen<'_>) -> bool {
    let facts = seen.facts;
    facts.is(name::OPENNESS, "covert")
        && avg_applies(seen) != "wpg"
        && (facts.is(name::PURPOSE, "controle_medewerker") || targeted_monitoring(seen))
}

/// Whether the works council's appeal to nullity came within a month after it was told.
fn nullity(seen: &Seen<'_>) -> &'static str {
    if !seen.facts.is(name::OR_STATUS, "nullity_invoked") {
        return "not_invoked";
    }
    let day = |field| {
        seen.facts
            .field_word(name::OR_DATES, field)
            .and_then(calendar::day)
    };
    match (day("notified_at"), day("invoked_at")) {
        (Some(told), Some(invoked)) if calendar::within_a_month(told, invoked) => "in_time",
        (Some(_), Some(_)) => "late",
        _ => "unknown",
    }
}

/// The ages that the law tells apart; `none` where no child is heard and no age is known.
fn age_group(seen: &Seen<'_>) -> &'static str {
    match seen.facts.value(name::AGE_YOUNGEST).and_then(Value::as_i64) {
        None => "none",
        Some(..12) => "under_12",
        Some(12..16) => "from_12_to_15",
        Some(16..18) => "from_16_to_17",
        Some(_) => "adult",
    }
}
