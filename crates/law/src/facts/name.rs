//! The names of the facts, each spelled once.

/// Declares one constant per fact.
macro_rules! names {
    ($($constant:ident = $name:literal;)*) => {$(
        #[doc = concat!("`", $name, "`")]
        pub(crate) const $constant: &str = $name;
    )*};
}

names! {
    RECORDER_TYPE = "recorder_type";
    COUNTERPART_TYPES = "counterpart_types";
    CHANNEL = "channel";
    MEDIA = "media";
    PARTICIPATION = "participation";
    INSTRUCTION_PROOF = "instruction_proof";
    LINE_SUBSCRIBER = "line_subscriber";
    DEVICE_VISIBLE_WITH_AUTHORITY = "device_visible_with_authority";
    RECORDER_LEFT_ROOM_AT = "recorder_left_room_at";
    INTENT_UNATTENDED = "intent_unattended";
    OPENNESS = "openness";
    ANNOUNCEMENT = "announcement";
    CONSENT_PER_PARTICIPANT = "consent_per_participant";
    ASKED_IF_RECORDING = "asked_if_recording";
    PURPOSE = "purpose";
    LEGAL_BASIS = "legal_basis";
    STATUTORY_DUTY_REF = "statutory_duty_ref";
    PUBLIC_TASK_REF = "public_task_ref";
    LIA = "lia";
    STRUCTURAL = "structural";
    SAMPLE_RATE = "sample_rate";
    STAFF_INFORMED = "staff_informed";
    OR_STATUS = "or_status";
    OR_DATES = "or_dates";
    DPIA = "dpia";
    DPIA_DETAIL = "dpia_detail";
    SUSPICION = "suspicion";
    PRIVATE_USE_POSSIBLE = "private_use_possible";
    ON_HOLD = "on_hold";
    SPECIAL_DATA = "special_data";
    CONTENT_NATURE = "content_nature";
    THIRD_PARTIES_MENTIONED = "third_parties_mentioned";
    THIRD_PARTIES_AUDIBLE = "third_parties_audible";
    AGE_YOUNGEST = "age_youngest";
    COUNTRIES = "countries";
    HOUSE_RULE = "house_rule";
    GOV_POLICY_PUBLISHED = "gov_policy_published";
    WEIGHTY_REASON = "weighty_reason";
    CASE_ID = "case_id";
    PROCESS_TYPE = "process_type";
    RETENTION_TERM = "retention_term";
    START_EVENT = "start_event";
    LEGAL_HOLD = "legal_hold";
    INTEGRITY = "integrity";
    REQUESTED_ACTION = "requested_action";
    SHARE_TARGET = "share_target";
    ORIGIN_OF_IMPORT = "origin_of_import";
    REQUESTER_ROLE = "requester_role";
    REQUESTER_FUNCTION = "requester_function";
    NEED_TO_KNOW_BASIS = "need_to_know_basis";
    RELATIONSHIP_STATE = "relationship_state";
    OTHER_PROOF_AVAILABLE = "other_proof_available";
    THREAT_OR_ABUSE = "threat_or_abuse";
    SECTOR = "sector";
    OUTBOUND_MARKETING = "outbound_marketing";
    CONFIDENTIALITY_CLAUSE = "confidentiality_clause";
    LOCATION_PUBLIC_ACCESS = "location_public_access";
    MANIFEST_ABUSE = "manifest_abuse";
    PURPOSE2 = "purpose2";
    ANNOUNCED_PURPOSES = "announced_purposes";
    SPECIAL_DATA_GROUND = "special_data_ground";
    AI_FUNCTION = "ai_function";
    PROCESSING = "processing";
    RECORDING_STATE = "recording_state";
    RECORDED_AT = "recorded_at";
    ARCHIVE = "archive";
    MINUTES_MADE = "minutes_made";
    OBJECTION_ART21 = "objection_art21";
    EXTENT = "extent";
    OWN_CODE_BREACHED = "own_code_breached";
    PROVIDER_CONSENT = "provider_consent";
    SECOND_PERSON = "second_person";
}
