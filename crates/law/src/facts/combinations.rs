//! Combinations that contradict themselves. Both facts are named.

use super::calendar;
use super::error::Findings;
use super::name;
use super::values::Values;
use voicelog_model::Timestamp;

/// Two facts that do not go together.
struct Combination {
    first: &'static str,
    second: &'static str,
    hits: fn(&Values, Timestamp) -> bool,
    nl: &'static str,
    en: &'static str,
}

/// Adds a finding for every combination that these facts hold.
pub(super) fn check(facts: &Values, at: Timestamp, findings: &mut Findings) {
    for combination in ACT.iter().chain(MAKING).chain(PEOPLE).chain(TIME) {
        if (combination.hits)(facts, at) {
            let place = format!("{} + {}", combination.first, combination.second);
            findings.add(&place, combination.nl, combination.en);
        }
    }
}

/// Whether these facts hold any such combination.
pub(super) fn any(facts: &Values, at: Timestamp) -> bool {
    let mut all = ACT.iter().chain(MAKING).chain(PEOPLE).chain(TIME);
    all.any(|combination| (combination.hits)(facts, at))
}

/// How many such combinations these facts hold.
pub(super) fn count(facts: &Values, at: Timestamp) -> usize {
    let all = ACT.iter().chain(MAKING).chain(PEOPLE).chain(TIME);
    all.filter(|combination| (combination.hits)(facts, at))
        .count()
}

/// The facts that such combinations name, each once.
pub(super) fn names(facts: &Values, at: Timestamp) -> Vec<&'static str> {
    let all = ACT.iter().chain(MAKING).chain(PEOPLE).chain(TIME);
    let hits = all.filter(|combination| (combination.hits)(facts, at));
    let mut names: Vec<_> = hits
        .flat_map(|combination| [combination.first, combination.second])
        .filter_map(|place| place.split('.').next())
        .filter_map(|name| Some(super::table::definition(name)?.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn act(facts: &Values, acts: &[&str]) -> bool {
    facts.is_one_of(name::REQUESTED_ACTION, acts)
}

fn is_live(facts: &Values) -> bool {
    facts.is_one_of(name::CHANNEL, &["live_inside", "live_outside"])
}

fn is_line(facts: &Values) -> bool {
    facts.is_one_of(
        name::CHANNEL,
        &["phone", "video_call", "voicemail", "chatbot_voice"],
    )
}

fn recorder(facts: &Values) -> &str {
    facts.word(name::RECORDER_TYPE).unwrap_or("company")
}

fn is_natural(facts: &Values) -> bool {
    ["private_person", "citizen", "employee"].contains(&recorder(facts))
}

/// The consents that are there, if the map is.
fn consents(facts: &Values) -> Option<Vec<&str>> {
    let map = facts.value(name::CONSENT_PER_PARTICIPANT)?.as_object()?;
    Some(map.values().filter_map(serde_json::Value::as_str).collect())
}

fn later_than(moment: Option<&str>, at: Timestamp) -> bool {
    moment
        .and_then(calendar::moment)
        .is_some_and(|moment| moment > at)
}

/// Facts that belong to one act (groups 1, 2, 10 and 11 of the fact model).
const ACT: &[Combination] = &[
    Combination {
        first: name::SHARE_TARGET,
        second: name::REQUESTED_ACTION,
        hits: |facts, _| facts.has(name::SHARE_TARGET) && !act(facts, &["share"]),
        nl: "`share_target` hoort alleen bij requested_action `share`",
        en: "`share_target` belongs to requested_action `share` only",
    },
    Combination {
        first: name::PURPOSE2,
        second: name::REQUESTED_ACTION,
        hits: |facts, _| facts.has(name::PURPOSE2) != act(facts, &["use_for"]),
        nl: "requested_action `use_for` en een nieuw doel (`purpose2`) horen bij elkaar",
        en: "requested_action `use_for` and a new purpose (`purpose2`) belong together",
    },
    Combination {
        first: name::PURPOSE2,
        second: name::PURPOSE,
        hits: |facts, _| {
            facts
                .word(name::PURPOSE2)
                .is_some_and(|purpose| facts.is(name::PURPOSE, purpose))
        },
        nl: "het nieuwe doel is hetzelfde als het oude; dan is het geen ander gebruik",
        en: "the new purpose equals the old one; then it is no other use",
    },
    Combination {
        first: name::SAMPLE_RATE,
        second: name::STRUCTURAL,
        hits: |facts, _| facts.has(name::SAMPLE_RATE) && !facts.is(name::STRUCTURAL, "sample"),
        nl: "`sample_rate` hoort alleen bij structural `sample`",
        en: "`sample_rate` belongs to structural `sample` only",
    },
    Combination {
        first: "or_dates.invoked_at",
        second: name::OR_STATUS,
        hits: |facts, _| {
            facts.field(name::OR_DATES, "invoked_at").is_some()
                && !facts.is(name::OR_STATUS, "nullity_invoked")
        },
        nl: "`invoked_at` hoort alleen bij or_status `nullity_invoked`",
        en: "`invoked_at` belongs to or_status `nullity_invoked` only",
    },
    Combination {
        first: name::REQUESTER_FUNCTION,
        second: name::REQUESTER_ROLE,
        hits: |facts, _| {
            facts.has(name::REQUESTER_FUNCTION)
                && !facts.is(name::REQUESTER_ROLE, "controller_staff")
        },
        nl: "`requester_function` hoort alleen bij requester_role `controller_staff`",
        en: "`requester_function` belongs to requester_role `controller_staff` only",
    },
    Combination {
        first: name::RECORDING_STATE,
        second: name::REQUESTED_ACTION,
        hits: |facts, _| {
            let needs_it = [
                "listen",
                "share",
                "publish",
                "transcribe",
                "analyse_ai",
                "use_for",
                "file_in_court",
                "destroy",
            ];
            facts.is(name::RECORDING_STATE, "destroyed") && act(facts, &needs_it)
        },
        nl: "een vernietigde opname kan dit niet meer ondergaan",
        en: "this can't be done with a recording that is destroyed",
    },
    Combination {
        first: name::RECORDING_STATE,
        second: name::REQUESTED_ACTION,
        hits: |facts, _| {
            let before = ["record", "listen_live", "call", "refuse_recording"];
            facts.is(name::RECORDING_STATE, "none_yet") && !act(facts, &before)
        },
        nl: "er is nog geen opname; kies `record`, `listen_live`, `call` of `refuse_recording`",
        en: "there is no recording yet; choose `record`, `listen_live`, `call` or `refuse_recording`",
    },
    Combination {
        first: name::ORIGIN_OF_IMPORT,
        second: name::REQUESTED_ACTION,
        hits: |facts, _| {
            facts.is(name::ORIGIN_OF_IMPORT, "own_system") && act(facts, &["import_file"])
        },
        nl: "wat uit het eigen systeem komt, hoeft niet te worden ingelezen",
        en: "what comes from our own system need not be imported",
    },
    Combination {
        first: name::ON_HOLD,
        second: name::CHANNEL,
        hits: |facts, _| facts.flag(name::ON_HOLD) == Some(true) && is_live(facts),
        nl: "in de wacht staan kan alleen op een lijn",
        en: "a caller is on hold on a line only",
    },
];

/// How the recording is made (groups 3, 4, 5 and 13).
const MAKING: &[Combination] = &[
    Combination {
        first: name::LINE_SUBSCRIBER,
        second: name::CHANNEL,
        hits: |facts, _| {
            facts.has(name::LINE_SUBSCRIBER)
                && !facts.is(name::LINE_SUBSCRIBER, "not_applicable")
                && is_live(facts)
        },
        nl: "bij een gesprek ter plaatse is er geen lijn; gebruik `not_applicable`",
        en: "a live talk has no line; use `not_applicable`",
    },
    Combination {
        first: name::DEVICE_VISIBLE_WITH_AUTHORITY,
        second: name::CHANNEL,
        hits: |facts, _| facts.has(name::DEVICE_VISIBLE_WITH_AUTHORITY) && is_line(facts),
        nl: "`device_visible_with_authority` hoort alleen bij een gesprek ter plaatse",
        en: "`device_visible_with_authority` belongs to a live talk only",
    },
    Combination {
        first: name::RECORDER_LEFT_ROOM_AT,
        second: name::CHANNEL,
        hits: |facts, _| facts.has(name::RECORDER_LEFT_ROOM_AT) && is_line(facts),
        nl: "`recorder_left_room_at` hoort alleen bij een gesprek ter plaatse",
        en: "`recorder_left_room_at` belongs to a live talk only",
    },
    Combination {
        first: name::OPENNESS,
        second: name::INTENT_UNATTENDED,
        hits: |facts, _| {
            facts.is(name::OPENNESS, "accidental")
                && facts.flag(name::INTENT_UNATTENDED) == Some(true)
        },
        nl: "een opname per ongeluk is niet expres achtergelaten",
        en: "an accidental recording was not left on purpose",
    },
    Combination {
        first: name::OPENNESS,
        second: name::ANNOUNCEMENT,
        hits: |facts, _| facts.is(name::OPENNESS, "covert") && facts.has(name::ANNOUNCEMENT),
        nl: "heimelijk opnemen gaat niet samen met een melding",
        en: "covert recording does not go with a notice",
    },
    Combination {
        first: name::OPENNESS,
        second: name::CONSENT_PER_PARTICIPANT,
        hits: |facts, _| {
            let given = |consent: &&str| consent.starts_with("given");
            facts.is(name::OPENNESS, "covert")
                && consents(facts).is_some_and(|all| all.iter().any(given))
        },
        nl: "heimelijk opnemen gaat niet samen met toestemming",
        en: "covert recording does not go with consent",
    },
    Combination {
        first: name::OPENNESS,
        second: name::STAFF_INFORMED,
        hits: |facts, _| {
            facts.is(name::OPENNESS, "covert")
                && facts.holds(name::COUNTERPART_TYPES, "employee")
                && facts.is(name::STAFF_INFORMED, "each_call_signal")
        },
        nl: "heimelijk opnemen van personeel gaat niet samen met een signaal bij elk gesprek",
        en: "covert recording of staff does not go with a signal at each call",
    },
    Combination {
        first: name::OPENNESS,
        second: name::CONSENT_PER_PARTICIPANT,
        hits: |facts, _| {
            facts.is(name::OPENNESS, "announced_and_agreed")
                && consents(facts).is_some_and(|all| all.contains(&"refused"))
        },
        nl: "iemand heeft geweigerd, dus niet iedereen is akkoord",
        en: "somebody refused, so not all agreed",
    },
    Combination {
        first: name::OPENNESS,
        second: name::ASKED_IF_RECORDING,
        hits: |facts, _| {
            let told = ["announced", "announced_and_agreed", "announced_objected"];
            facts.is_one_of(name::OPENNESS, &told)
                && facts.is(name::ASKED_IF_RECORDING, "asked_denied")
        },
        nl: "wie de opname meldt, ontkent haar niet",
        en: "who announces the recording does not deny it",
    },
    Combination {
        first: name::CHANNEL,
        second: name::PARTICIPATION,
        hits: |facts, _| {
            facts.is_one_of(name::CHANNEL, &["voicemail", "chatbot_voice"])
                && facts.is(name::PARTICIPATION, "none")
                && act(facts, &["record"])
                && !facts.is_one_of(name::LINE_SUBSCRIBER, &["employer_of_participant", "other"])
        },
        nl: "wie een voicemail of spraakrobot heeft, is zelf degene tot wie wordt gesproken: `participant`",
        en: "the owner of a voicemail or voice bot is the one spoken to: `participant`",
    },
];

/// Who is involved, and on what ground (groups 6, 7, 9 and 12).
const PEOPLE: &[Combination] = &[
    Combination {
        first: name::LEGAL_BASIS,
        second: name::RECORDER_TYPE,
        hits: |facts, _| facts.is(name::LEGAL_BASIS, "household") && !is_natural(facts),
        nl: "`household` geldt alleen voor private_person, citizen en employee",
        en: "`household` is for private_person, citizen and employee only",
    },
    Combination {
        first: name::LEGAL_BASIS,
        second: name::RECORDER_TYPE,
        hits: |facts, _| facts.is(name::LEGAL_BASIS, "c") && is_natural(facts),
        nl: "grondslag `c` (wettelijke plicht) past niet bij een mens die voor zichzelf opneemt",
        en: "basis `c` (statutory duty) does not fit a natural person",
    },
    Combination {
        first: name::LEGAL_BASIS,
        second: name::RECORDER_TYPE,
        hits: |facts, _| {
            facts.is(name::LEGAL_BASIS, "e")
                && (is_natural(facts) || recorder(facts) == "self_employed")
        },
        nl: "grondslag `e` (publieke taak) past niet bij een mens of een zelfstandige",
        en: "basis `e` (public task) does not fit a natural person or a self-employed one",
    },
    Combination {
        first: name::COUNTERPART_TYPES,
        second: name::AGE_YOUNGEST,
        hits: |facts, _| {
            let age = facts
                .value(name::AGE_YOUNGEST)
                .and_then(serde_json::Value::as_i64);
            facts.holds(name::COUNTERPART_TYPES, "minor") && age.is_some_and(|age| age >= 18)
        },
        nl: "een minderjarige is jonger dan 18",
        en: "a minor is younger than 18",
    },
    Combination {
        first: name::SPECIAL_DATA_GROUND,
        second: name::SPECIAL_DATA,
        hits: |facts, _| {
            let none = facts
                .value(name::SPECIAL_DATA)
                .and_then(serde_json::Value::as_array)
                .is_some_and(Vec::is_empty);
            none && facts.refers(name::SPECIAL_DATA_GROUND)
        },
        nl: "een grond voor bijzondere gegevens, terwijl er geen zijn",
        en: "a ground for special data where there are none",
    },
    Combination {
        first: name::SPECIAL_DATA_GROUND,
        second: name::CONSENT_PER_PARTICIPANT,
        hits: |facts, _| {
            let explicit =
                |consent: &&str| ["given_explicit", "given_by_guardian"].contains(consent);
            facts.is(name::SPECIAL_DATA_GROUND, "explicit_consent")
                && !consents(facts).is_some_and(|all| !all.is_empty() && all.iter().all(explicit))
        },
        nl: "voor deze grond moet van ieder uitdrukkelijke toestemming bekend zijn",
        en: "this ground needs a known explicit consent of each participant",
    },
    Combination {
        first: name::OUTBOUND_MARKETING,
        second: name::CHANNEL,
        hits: |facts, _| facts.has(name::OUTBOUND_MARKETING) && is_live(facts),
        nl: "een verkoopgesprek dat men zelf begint, gaat over een lijn",
        en: "an outbound marketing call goes over a line",
    },
    Combination {
        first: "weighty_reason.text",
        second: name::RECORDER_TYPE,
        hits: |facts, _| {
            facts.field(name::WEIGHTY_REASON, "text").is_some()
                && recorder(facts) != "government_body"
                && !facts.holds(name::COUNTERPART_TYPES, "government_body")
        },
        nl: "een zwaarwegende reden is er alleen voor een overheid (`government_body`)",
        en: "a weighty reason is for a government body (`government_body`) only",
    },
    Combination {
        first: name::OR_STATUS,
        second: name::COUNTERPART_TYPES,
        hits: |facts, _| {
            facts.is(name::OR_STATUS, "no_or")
                && facts.holds(name::COUNTERPART_TYPES, "works_council_member")
                && recorder(facts) == "employer"
        },
        nl: "er is geen OR, maar wel een lid van de OR te horen",
        en: "there is no works council, yet a member of it is heard",
    },
];

/// Time, and the ground for covert control (groups 8 and 14).
const TIME: &[Combination] = &[
    Combination {
        first: "suspicion.end",
        second: "suspicion.start",
        hits: |facts, _| {
            let moment = |field| {
                facts
                    .field_word(name::SUSPICION, field)
                    .and_then(calendar::moment)
            };
            matches!((moment("start"), moment("end")), (Some(start), Some(end)) if end < start)
        },
        nl: "het einde ligt vóór het begin",
        en: "the end lies before the start",
    },
    Combination {
        first: name::SUSPICION,
        second: name::PURPOSE,
        hits: |facts, _| {
            let fits = ["controle_medewerker", "onderzoek"];
            facts.has(name::SUSPICION)
                && facts.has(name::PURPOSE)
                && !facts.is_one_of(name::PURPOSE, &fits)
                && !facts.is(name::PURPOSE2, "personeelsmaatregel")
        },
        nl: "een verdenking hoort bij `controle_medewerker` of `onderzoek`, of bij purpose2 `personeelsmaatregel`",
        en: "a suspicion belongs to `controle_medewerker` or `onderzoek`, or to purpose2 `personeelsmaatregel`",
    },
    Combination {
        first: name::RECORDED_AT,
        second: "now",
        hits: |facts, at| later_than(facts.word(name::RECORDED_AT), at),
        nl: "ligt later dan het moment van de vraag",
        en: "is later than the moment of the question",
    },
    Combination {
        first: "announcement.at",
        second: "now",
        hits: |facts, at| later_than(facts.field_word(name::ANNOUNCEMENT, "at"), at),
        nl: "ligt later dan het moment van de vraag",
        en: "is later than the moment of the question",
    },
    Combination {
        first: name::RECORDER_LEFT_ROOM_AT,
        second: "now",
        hits: |facts, at| later_than(facts.word(name::RECORDER_LEFT_ROOM_AT), at),
        nl: "ligt later dan het moment van de vraag",
        en: "is later than the moment of the question",
    },
];
