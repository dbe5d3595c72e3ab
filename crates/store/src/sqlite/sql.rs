//! Every statement of the SQLite backend, by name. Nothing else in the crate spells SQL.

/// Every connection, first thing. `secure_delete` overwrites what is deleted with zeros;
/// `temp_store` keeps sorted rows out of temporary files.
pub(super) const CONNECTION: &str = "
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA synchronous = FULL;
";
pub(super) const JOURNAL: &str = "PRAGMA journal_mode = WAL";
pub(super) const READ_ONLY: &str = "PRAGMA query_only = ON";
/// Copies the journal into the database and cuts it to nothing; the first column tells whether a
/// reader was in the way.
pub(super) const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
pub(super) const APPLICATION_ID: &str = "PRAGMA application_id";
/// `Vlog` in ASCII.
pub(super) const APPLICATION_ID_VALUE: i64 = 0x566c_6f67;
pub(super) const SET_APPLICATION_ID: &str = "PRAGMA application_id = 1449946983";

pub(super) const SCHEMA: &str = include_str!("schema.sql");
pub(super) const HAS_SCHEMA: &str =
    "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_history'";
pub(super) const SCHEMA_VERSION: &str = "SELECT max(version) FROM schema_history";
pub(super) const INSERT_SCHEMA: &str =
    "INSERT INTO schema_history (version, applied_at, program) VALUES (?1, ?2, ?3)";

pub(super) const INTEGRITY: &str = "PRAGMA integrity_check(20)";
pub(super) const FOREIGN_KEYS: &str = "PRAGMA foreign_key_check";
pub(super) const LOG_COUNTS: &str = "
    SELECT size, (SELECT count(*) FROM leaves), (SELECT coalesce(max(place) + 1, 0) FROM leaves)
    FROM log_head";
/// Values that no row refers to, or that are referred to after they were wiped, would be a
/// mistake of ours.
pub(super) const STRAY_ERASABLES: &str = "
    SELECT count(*) FROM erasable
    WHERE bytes <> zeroblob(length(bytes))
      AND seq NOT IN (SELECT line FROM recordings WHERE line IS NOT NULL
                      UNION ALL SELECT sealed FROM recordings WHERE sealed IS NOT NULL
                      UNION ALL SELECT manifest FROM recordings WHERE manifest IS NOT NULL
                      UNION ALL SELECT timeline FROM recordings WHERE timeline IS NOT NULL
                      UNION ALL SELECT report FROM recordings WHERE report IS NOT NULL
                      UNION ALL SELECT facts FROM decisions WHERE facts IS NOT NULL
                      UNION ALL SELECT sealed FROM holds WHERE sealed IS NOT NULL
                      UNION ALL SELECT release FROM holds WHERE release IS NOT NULL
                      UNION ALL SELECT sealed FROM proposals WHERE sealed IS NOT NULL
                      UNION ALL SELECT answer FROM proposals WHERE answer IS NOT NULL)";

pub(super) const SETTING: &str = "SELECT value FROM settings WHERE name = ?1";
pub(super) const SET_SETTING: &str = "
    INSERT INTO settings (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub(super) const ADD_TO_DIARY: &str = "
    INSERT INTO diary (minute, what, count) VALUES (?1, ?2, ?3)
    ON CONFLICT (minute, what) DO UPDATE SET count = count + excluded.count";
pub(super) const DIARY: &str = "
    SELECT minute, what, count FROM diary WHERE minute >= ?1 AND minute < ?2
    ORDER BY minute, what LIMIT ?3";
pub(super) const DIARY_BEGINS: &str = "SELECT min(minute) FROM diary";
pub(super) const FORGET_DIARY: &str = "DELETE FROM diary WHERE minute < ?1";

pub(super) const QUEUE_MESSAGE: &str = "
    INSERT INTO outbox (id, endpoint, kind, created_at, body, next_at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?4
    WHERE (SELECT count(*) FROM outbox WHERE endpoint = ?2 AND next_at IS NOT NULL) < ?6
       OR EXISTS (SELECT 1 FROM outbox WHERE id = ?1 AND next_at IS NOT NULL)
    ON CONFLICT (id) DO UPDATE SET
        attempts = CASE WHEN next_at IS NULL THEN 0 ELSE attempts END,
        next_at = coalesce(next_at, excluded.next_at)";
pub(super) const DUE_MESSAGES: &str = "
    SELECT id, endpoint, kind, created_at, body, attempts, next_at, fault FROM outbox
    WHERE endpoint = ?1 AND next_at <= ?2 ORDER BY next_at, created_at LIMIT ?3";
pub(super) const MESSAGE_DELIVERED: &str = "DELETE FROM outbox WHERE id = ?1";
pub(super) const MESSAGE_FAILED: &str =
    "UPDATE outbox SET attempts = attempts + 1, next_at = ?2, fault = ?3 WHERE id = ?1";
pub(super) const OUTBOX: &str = "
    SELECT endpoint, count(next_at), count(*) - count(next_at), max(fault) FROM outbox
    GROUP BY endpoint ORDER BY endpoint";
pub(super) const REVIVE_MESSAGES: &str =
    "UPDATE outbox SET next_at = ?1, attempts = 0 WHERE next_at IS NULL";
pub(super) const FORGET_DEAD_MESSAGES: &str =
    "DELETE FROM outbox WHERE next_at IS NULL AND created_at < ?1";
pub(super) const ENDPOINTS: &str = "SELECT DISTINCT endpoint FROM outbox";
pub(super) const FORGET_ENDPOINT: &str = "DELETE FROM outbox WHERE endpoint = ?1";

pub(super) const INSERT_ERASABLE: &str = "INSERT INTO erasable (bytes) VALUES (?1)";
/// Same length, so that SQLite overwrites the cell where it lies.
pub(super) const WIPE: &str = "UPDATE erasable SET bytes = zeroblob(length(bytes)) WHERE seq = ?1";

pub(super) const INSERT_RECORDING: &str = "
    INSERT INTO recordings (id, state, started_at, decision, line, sealed, report, sound)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN ?8 THEN 'kept' END)";
/// The sound of a sealed recording can be gone before the rest.
macro_rules! state {
    () => {
        "CASE WHEN r.state = 'sealed' AND r.sound = 'destroying' THEN 'sound_destroying'
              WHEN r.state = 'sealed' AND r.sound = 'destroyed' THEN 'without_sound'
              ELSE r.state END"
    };
}
pub(super) const STATE_OF: &str =
    concat!("SELECT ", state!(), " FROM recordings r WHERE r.id = ?1");
pub(super) const SOUND_OF: &str = "SELECT sound FROM recordings WHERE id = ?1";
pub(super) const SOUND_GOES: &str =
    "UPDATE recordings SET sound = 'destroying' WHERE id = ?1 AND sound = 'kept'";
pub(super) const SOUND_IS_GONE: &str = "
    UPDATE recordings SET sound = 'destroyed', sound_destroyed_at = ?2, byte_count = 0,
           sound_ask_again_at = NULL
    WHERE id = ?1 AND state = 'sealed'";
/// Of a recording that is destroyed as a whole by now, or that is about to be.
pub(super) const SOUND_WAS_GONE: &str =
    "UPDATE recordings SET sound = 'destroyed', sound_destroyed_at = ?2 WHERE id = ?1";
pub(super) const STARTED_AT: &str = "SELECT started_at FROM recordings WHERE id = ?1";
pub(super) const SET_STATE: &str = "UPDATE recordings SET state = ?2 WHERE id = ?1";
pub(super) const SEALED_OF: &str = "SELECT sealed FROM recordings WHERE id = ?1";
pub(super) const SET_SEALED: &str = "UPDATE recordings SET sealed = ?2 WHERE id = ?1";
pub(super) const REPORT_OF: &str = "SELECT report FROM recordings WHERE id = ?1";
pub(super) const SET_REPORT: &str = "UPDATE recordings SET report = ?2 WHERE id = ?1";
pub(super) const REPORT: &str = "
    SELECT e.bytes FROM recordings r JOIN erasable e ON e.seq = r.report WHERE r.id = ?1";
pub(super) const FINISH_RECORDING: &str = "
    UPDATE recordings SET state = 'sealed', ended_at = ?2, verdict = ?3, manifest = ?4,
           timeline = ?5, byte_count = ?6, retain_until = ?7, leaf = ?8, sound_until = ?9
    WHERE id = ?1 AND state IN ('recording', 'finishing')";
pub(super) const END_UNRECORDED: &str = "
    UPDATE recordings SET state = 'not_recorded', ended_at = ?2, verdict = ?3, timeline = ?4,
           retain_until = ?5, leaf = ?6
    WHERE id = ?1 AND state = 'waiting'";
pub(super) const SET_RETAIN_UNTIL: &str =
    "UPDATE recordings SET retain_until = ?2, ask_again_at = NULL WHERE id = ?1";
pub(super) const ASK_AGAIN: &str = "UPDATE recordings SET ask_again_at = ?2 WHERE id = ?1";
pub(super) const ASK_ABOUT_SOUND_AGAIN: &str =
    "UPDATE recordings SET sound_ask_again_at = ?2 WHERE id = ?1";
pub(super) const ASK_AT_ONCE: &str =
    "UPDATE recordings SET ask_again_at = NULL, sound_ask_again_at = NULL WHERE id = ?1";
/// Sealed recordings with a term whose facts were not looked at yet.
pub(super) const WITHOUT_FACTS_KEY: &str = "
    SELECT id FROM recordings INDEXED BY recordings_by_facts
    WHERE state = 'sealed' AND facts_key IS NULL AND retain_until IS NOT NULL LIMIT ?1 OFFSET ?2";
pub(super) const SET_FACTS_KEY: &str =
    "UPDATE recordings SET facts_key = ?2 WHERE id = ?1 AND state = 'sealed'";
/// The index by facts has every column of these three, so no row is read.
pub(super) const TERM_GROUPS: &str = "
    SELECT facts_key, count(*), min(started_at), max(started_at), min(retain_until), min(id)
    FROM recordings INDEXED BY recordings_by_facts
    WHERE state = 'sealed' AND facts_key IS NOT NULL AND retain_until IS NOT NULL
      AND retain_until <= ?1
    GROUP BY facts_key";
pub(super) const TERMS_OF_GROUP: &str = "
    SELECT count(*) FROM recordings INDEXED BY recordings_by_facts
    WHERE state = 'sealed' AND facts_key = ?1 AND retain_until IS NOT NULL AND retain_until <= ?2
      AND started_at BETWEEN ?3 AND ?4";
pub(super) const UNSORTED_TERMS: &str = "
    SELECT count(*) FROM recordings INDEXED BY recordings_by_facts
    WHERE state = 'sealed' AND facts_key IS NULL AND retain_until IS NOT NULL
      AND retain_until <= ?1";
/// From the holds that stand, of which there are few, to their recordings and not the other way.
pub(super) const HELD_OF_GROUP: &str = "
    SELECT count(DISTINCT r.id)
    FROM holds h INDEXED BY holds_open CROSS JOIN recordings r ON r.id = h.recording
    WHERE h.lifted_at IS NULL AND r.state = 'sealed' AND r.facts_key = ?1 AND r.retain_until <= ?2
      AND r.started_at BETWEEN ?3 AND ?4";
/// Of one group, what the law refused and is asked about later; not what is held.
pub(super) const PUT_OFF_OF_GROUP: &str = "
    SELECT count(*) FROM recordings r INDEXED BY recordings_put_off
    WHERE r.facts_key = ?1 AND r.ask_again_at > ?2 AND r.state = 'sealed' AND r.retain_until <= ?2
      AND r.started_at BETWEEN ?3 AND ?4
      AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.recording = r.id AND h.lifted_at IS NULL)";
pub(super) const ASK_ALL_AGAIN: &str = "
    UPDATE recordings SET ask_again_at = NULL
    WHERE ask_again_at IS NOT NULL AND state IN ('sealed', 'not_recorded')";
pub(super) const ASK_ABOUT_ALL_SOUND_AGAIN: &str = "
    UPDATE recordings SET sound_ask_again_at = NULL
    WHERE sound_ask_again_at IS NOT NULL AND state = 'sealed' AND sound = 'kept'
      AND sound_until IS NOT NULL";
macro_rules! sound_over {
    () => {
        "FROM recordings r INDEXED BY recordings_by_sound_term
    WHERE r.state = 'sealed' AND r.sound = 'kept' AND r.sound_until IS NOT NULL
      AND r.sound_until <= ?1 "
    };
}
macro_rules! is_held {
    () => {
        "EXISTS (SELECT 1 FROM holds h WHERE h.recording = r.id AND h.lifted_at IS NULL)"
    };
}
pub(super) const SOUND_TERMS: &str = concat!(
    "SELECT count(*), coalesce(sum(",
    is_held!(),
    "), 0), coalesce(sum(r.sound_ask_again_at > ?1 AND NOT ",
    is_held!(),
    "), 0) ",
    sound_over!()
);
pub(super) const NEXT_SOUND_TERM: &str = "
    SELECT min(sound_until) FROM recordings INDEXED BY recordings_by_sound_term
    WHERE state = 'sealed' AND sound = 'kept' AND sound_until IS NOT NULL AND sound_until > ?1";
pub(super) const DUE_SOUND: &str = concat!(
    "SELECT r.id ",
    sound_over!(),
    "AND (r.sound_until, r.id) > (?3, ?4)
      AND (r.sound_ask_again_at IS NULL OR r.sound_ask_again_at <= ?1) AND NOT ",
    is_held!(),
    " ORDER BY r.sound_until, r.id LIMIT ?2"
);
pub(super) const HELD_TERMS: &str = "
    SELECT h.ground, count(DISTINCT r.id), min(h.review_at)
    FROM holds h INDEXED BY holds_open CROSS JOIN recordings r ON r.id = h.recording
    WHERE h.lifted_at IS NULL AND r.state = 'sealed' AND r.retain_until <= ?1
    GROUP BY h.ground ORDER BY h.ground";
pub(super) const NEXT_TERM: &str = "
    SELECT min(retain_until) FROM recordings INDEXED BY recordings_by_term
    WHERE state IN ('sealed', 'not_recorded') AND retain_until IS NOT NULL AND retain_until > ?1";
pub(super) const MANIFEST: &str = "
    SELECT e.bytes FROM recordings r JOIN erasable e ON e.seq = r.manifest WHERE r.id = ?1";
pub(super) const TIMELINE: &str = "
    SELECT e.bytes FROM recordings r JOIN erasable e ON e.seq = r.timeline WHERE r.id = ?1";

/// The columns of a recording, in the order in which they are read.
macro_rules! recording_columns {
    () => {
        concat!(
            "SELECT r.id, ",
            state!(),
            ", r.started_at, r.ended_at, l.bytes, r.decision, s.bytes, r.verdict,
                r.byte_count, r.retain_until, r.leaf, r.destroyed_at,
                r.conversation, r.linked_by, r.is_copy, r.sound IS NOT NULL, r.sound_until,
                r.sound_destroyed_at
         FROM recordings r
         LEFT JOIN erasable l ON l.seq = r.line
         LEFT JOIN erasable s ON s.seq = r.sealed "
        )
    };
}
pub(super) const RECORDING: &str = concat!(recording_columns!(), "WHERE r.id = ?1");
pub(super) const RECORDINGS_IN_STATE: &str = concat!(
    recording_columns!(),
    "WHERE r.state IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ORDER BY r.started_at, r.id"
);
/// Two forms, so that each can walk the index that fits.
pub(super) const LIST_RECORDINGS: &str = concat!(
    recording_columns!(),
    "WHERE (r.started_at, r.id) < (?1, ?2) AND r.started_at >= ?3 AND r.started_at < ?4
     ORDER BY r.started_at DESC, r.id DESC LIMIT ?5"
);
pub(super) const LIST_RECORDINGS_IN_STATE: &str = concat!(
    recording_columns!(),
    "WHERE (r.started_at, r.id) < (?1, ?2) AND r.started_at >= ?3 AND r.started_at < ?4
       AND r.state = ?6 AND ?7 = ",
    state!(),
    " ORDER BY r.started_at DESC, r.id DESC LIMIT ?5"
);
pub(super) const DUE: &str = "
    SELECT id FROM recordings r
    WHERE state IN ('sealed', 'not_recorded') AND retain_until IS NOT NULL AND retain_until <= ?1
      AND (retain_until, id) > (?3, ?4)
      AND (ask_again_at IS NULL OR ask_again_at <= ?1)
      AND sound IS NOT 'destroying'
      AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.recording = r.id AND h.lifted_at IS NULL)
    ORDER BY retain_until, id LIMIT ?2";

/// A recording that ended long ago has no keys any more, so a key has few.
pub(super) const ADD_LINK_KEY: &str =
    "INSERT OR IGNORE INTO link_keys (key, recording, kind) VALUES (?1, ?2, ?3)";
macro_rules! linked_columns {
    () => {
        concat!(
            recording_columns!(),
            "JOIN link_keys k ON k.recording = r.id "
        )
    };
}
pub(super) const LINKED: &str = concat!(
    linked_columns!(),
    "WHERE k.key = ?1 ORDER BY r.started_at DESC, r.id DESC LIMIT ?2"
);
pub(super) const LINK_KIND: &str = "SELECT kind FROM link_keys WHERE key = ?1 AND recording = ?2";
pub(super) const PART_OF: &str =
    "SELECT conversation, linked_by, is_copy FROM recordings WHERE id = ?1";
pub(super) const SET_PART: &str =
    "UPDATE recordings SET conversation = ?2, linked_by = ?3, is_copy = ?4 WHERE id = ?1";
pub(super) const MOVE_PARTS: &str =
    "UPDATE recordings SET conversation = ?2 WHERE conversation = ?1";
pub(super) const PARTS: &str = concat!(
    recording_columns!(),
    "WHERE r.conversation = ?1 ORDER BY r.started_at, r.id LIMIT ?2"
);
pub(super) const FORGET_LINK_KEYS: &str = "
    DELETE FROM link_keys WHERE recording IN (
        SELECT k.recording FROM link_keys k JOIN recordings r ON r.id = k.recording
        WHERE r.ended_at < ?1)";
pub(super) const RECORDING_OF_FILE: &str = "SELECT recording FROM imported_files WHERE key = ?1";
pub(super) const CLAIM_FILE: &str = "INSERT INTO imported_files (key, recording) VALUES (?1, ?2)";
pub(super) const FORGET_FILE: &str = "DELETE FROM imported_files WHERE recording = ?1";
pub(super) const ADD_COPY_LINK: &str = "
    INSERT INTO copy_links (key, recording, party, from_us, to_us, expires_at, uses_left)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
/// Whatever it says itself, it does not outlive the term of its recording.
pub(super) const COPY_LINK: &str = "
    SELECT c.key, c.recording, c.party, c.from_us, c.to_us,
           min(c.expires_at, coalesce(r.retain_until, c.expires_at)), c.uses_left
    FROM copy_links c JOIN recordings r ON r.id = c.recording
    WHERE c.key = ?1 AND c.expires_at > ?2 AND c.uses_left > 0 AND r.state = 'sealed'
      AND (r.retain_until IS NULL OR r.retain_until > ?2)";
pub(super) const USE_COPY_LINK: &str =
    "UPDATE copy_links SET uses_left = uses_left - 1 WHERE key = ?1";
pub(super) const FORGET_OLD_COPY_LINKS: &str = "DELETE FROM copy_links WHERE expires_at <= ?1";
pub(super) const FORGET_COPY_LINKS_OF: &str = "DELETE FROM copy_links WHERE recording = ?1";
pub(super) const FORGET_LINK_KEYS_OF: &str = "DELETE FROM link_keys WHERE recording = ?1";
pub(super) const DISTRUST: &str = "
    INSERT INTO link_keys_distrusted (key, seen_at) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)";
pub(super) const DISTRUSTED: &str =
    "SELECT 1 FROM link_keys_distrusted WHERE key = ?1 AND seen_at >= ?2";

pub(super) const INSERT_HOLD: &str = "
    INSERT INTO holds (id, recording, placed_at, decision, sealed, ground, review_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(super) const LIFT_HOLD: &str =
    "UPDATE holds SET lifted_at = ?2, release = ?3 WHERE id = ?1 AND lifted_at IS NULL";
macro_rules! hold_columns {
    () => {
        "SELECT h.id, h.recording, h.placed_at, h.decision, h.ground, h.review_at, s.bytes,
                h.lifted_at, r.bytes
         FROM holds h LEFT JOIN erasable s ON s.seq = h.sealed
                      LEFT JOIN erasable r ON r.seq = h.release "
    };
}
pub(super) const HOLD: &str = concat!(hold_columns!(), "WHERE h.id = ?1");
pub(super) const HOLDS_OF: &str = concat!(
    hold_columns!(),
    "WHERE h.recording = ?1 ORDER BY h.placed_at, h.id"
);
pub(super) const OPEN_HOLDS: &str = concat!(
    hold_columns!(),
    "WHERE h.lifted_at IS NULL AND (h.review_at, h.id) > (?1, ?2)
     ORDER BY h.review_at, h.id LIMIT ?3"
);
pub(super) const OVERDUE_HOLDS: &str =
    "SELECT count(*), min(review_at) FROM holds WHERE lifted_at IS NULL AND review_at <= ?1";
pub(super) const LIFT_HOLDS_OF: &str =
    "UPDATE holds SET lifted_at = ?2 WHERE recording = ?1 AND lifted_at IS NULL";
/// A copy as of one moment, without free pages.
pub(super) const SNAPSHOT: &str = "VACUUM INTO ?1";
pub(super) const LEDGER_HOLDS: &str =
    concat!(hold_columns!(), "WHERE h.lifted_at IS NULL ORDER BY h.id");
pub(super) const ACTIVE_HOLDS: &str =
    "SELECT count(*) FROM holds WHERE recording = ?1 AND lifted_at IS NULL";

pub(super) const INSERT_DECISION: &str = "
    INSERT INTO decisions (id, at, action, outcome, recording, document, facts, leaf)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
macro_rules! decision_columns {
    () => {
        "SELECT d.id, d.at, d.action, d.outcome, d.recording, d.document, f.bytes, d.leaf
         FROM decisions d LEFT JOIN erasable f ON f.seq = d.facts "
    };
}
pub(super) const DECISION: &str = concat!(decision_columns!(), "WHERE d.id = ?1");
pub(super) const DECISIONS_OF: &str = concat!(
    decision_columns!(),
    "WHERE d.recording = ?1 ORDER BY d.at, d.id"
);

pub(super) const INSERT_PENDING: &str = "INSERT INTO pending_leaves (id, bytes) VALUES (?1, ?2)";
pub(super) const LEAF_IS_KNOWN: &str = "SELECT count(*) FROM leaves WHERE id = ?1";
pub(super) const PENDING_LEAVES: &str =
    "SELECT id, bytes FROM pending_leaves ORDER BY seq LIMIT ?1";
pub(super) const TAKE_PENDING: &str = "DELETE FROM pending_leaves WHERE id = ?1 AND bytes = ?2";
pub(super) const INSERT_LEAF: &str =
    "INSERT INTO leaves (place, id, bytes, hash) VALUES (?1, ?2, ?3, ?4)";
pub(super) const LOG_HEAD: &str =
    "SELECT size, checkpoint, compact_range FROM log_head WHERE only = 1";
pub(super) const SET_LOG_HEAD: &str =
    "UPDATE log_head SET size = ?1, checkpoint = ?2, compact_range = ?3 WHERE only = 1";
pub(super) const LEAF: &str = "SELECT place, id, bytes, hash FROM leaves WHERE place = ?1";
pub(super) const LEAVES: &str =
    "SELECT place, id, bytes, hash FROM leaves WHERE place >= ?1 ORDER BY place LIMIT ?2";
pub(super) const LEAF_INDEX: &str = "SELECT place FROM leaves WHERE id = ?1";
pub(super) const LEAF_HASHES: &str =
    "SELECT hash FROM leaves WHERE place >= ?1 AND place < ?2 ORDER BY place";

pub(super) const INSERT_TILE: &str =
    "INSERT OR IGNORE INTO log_tiles (level, place, hash) VALUES (?1, ?2, ?3)";
pub(super) const TILE_HASHES: &str = "
    SELECT hash FROM log_tiles WHERE level = ?1 AND place >= ?2 AND place < ?3 ORDER BY place";
pub(super) const LOG_MARK: &str = "SELECT value FROM log_marks WHERE name = ?1";
pub(super) const SET_LOG_MARK: &str = "
    INSERT INTO log_marks (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
pub(super) const COSIGNED: &str = "SELECT size, checkpoint FROM log_cosigned WHERE only = 1";
pub(super) const SET_COSIGNED: &str = "
    INSERT INTO log_cosigned (only, size, checkpoint) VALUES (1, ?1, ?2)
    ON CONFLICT (only) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint
    WHERE excluded.size >= log_cosigned.size";
pub(super) const INSERT_TIMESTAMP: &str =
    "INSERT INTO log_timestamps (size, at, checkpoint, token) VALUES (?1, ?2, ?3, ?4)";
pub(super) const TIMESTAMPS: &str =
    "SELECT size, at, checkpoint, token FROM log_timestamps ORDER BY seq DESC LIMIT ?1";
pub(super) const TIMESTAMP_OVER: &str = "
    SELECT size, at, checkpoint, token FROM log_timestamps WHERE size > ?1 ORDER BY seq LIMIT 1";

pub(super) const INSERT_DESTRUCTION: &str = "
    INSERT INTO destructions (id, recording, decision, begun_at, scope) VALUES (?1, ?2, ?3, ?4, ?5)";
macro_rules! destruction_columns {
    () => {
        "SELECT d.id, d.recording, d.decision, d.begun_at,
                CASE d.scope WHEN 'sound' THEN r.sound_destroyed_at ELSE r.destroyed_at END, d.leaf,
                d.certificate IS NOT NULL, d.scope
         FROM destructions d JOIN recordings r ON r.id = d.recording "
    };
}
pub(super) const DESTRUCTIONS_PENDING: &str = concat!(
    destruction_columns!(),
    "WHERE d.certificate IS NULL ORDER BY d.begun_at, d.id"
);
/// Those whose leaf has no place before that one: whoever has the log up to there knows the others.
pub(super) const DESTRUCTIONS_SINCE: &str = concat!(
    destruction_columns!(),
    "WHERE NOT EXISTS (SELECT 1 FROM leaves WHERE id = d.leaf AND place < ?1) ORDER BY d.id"
);
/// Read from the leaves that have their place, and from those that wait.
pub(super) const LEAF_BYTES: &str = "
    SELECT bytes FROM leaves WHERE id = ?1
    UNION ALL SELECT bytes FROM pending_leaves WHERE id = ?1";
pub(super) const WAITING_LEAVES: &str = "SELECT count(*) FROM pending_leaves";
pub(super) const LEAVES_FROM: &str =
    "SELECT id, bytes FROM leaves WHERE place >= ?1 ORDER BY place";
pub(super) const DESTRUCTION_OF: &str = concat!(
    destruction_columns!(),
    "WHERE d.recording = ?1 AND d.scope = ?2"
);
pub(super) const WIPE_OF_RECORDING: &str = "
    UPDATE erasable SET bytes = zeroblob(length(bytes)) WHERE seq IN (
        SELECT line FROM recordings WHERE id = ?1 AND line IS NOT NULL
        UNION ALL SELECT sealed FROM recordings WHERE id = ?1 AND sealed IS NOT NULL
        UNION ALL SELECT manifest FROM recordings WHERE id = ?1 AND manifest IS NOT NULL
        UNION ALL SELECT timeline FROM recordings WHERE id = ?1 AND timeline IS NOT NULL
        UNION ALL SELECT report FROM recordings WHERE id = ?1 AND report IS NOT NULL
        UNION ALL SELECT facts FROM decisions WHERE recording = ?1 AND facts IS NOT NULL
        UNION ALL SELECT sealed FROM holds WHERE recording = ?1 AND sealed IS NOT NULL
        UNION ALL SELECT release FROM holds WHERE recording = ?1 AND release IS NOT NULL
        UNION ALL SELECT sealed FROM proposals WHERE recording = ?1 AND sealed IS NOT NULL
        UNION ALL SELECT answer FROM proposals WHERE recording = ?1 AND answer IS NOT NULL)";
pub(super) const TOMBSTONE: &str = "
    UPDATE recordings SET state = 'destroyed', destroyed_at = ?2, line = NULL, sealed = NULL,
           manifest = NULL, timeline = NULL, report = NULL, verdict = NULL, byte_count = NULL,
           facts_key = NULL, ask_again_at = NULL, sound_ask_again_at = NULL
    WHERE id = ?1 AND state = 'destroying'";
/// A recording that the copy knew nothing of. It began under a decision that is not known.
pub(super) const INSERT_UNKNOWN: &str = "
    INSERT INTO recordings (id, state, started_at, decision) VALUES (?1, 'destroying', ?2, ?3)";
pub(super) const WIPE_FACTS: &str = "
    UPDATE erasable SET bytes = zeroblob(length(bytes)) WHERE seq IN (
        SELECT facts FROM decisions WHERE recording = ?1 AND facts IS NOT NULL)";
pub(super) const FORGET_FACTS: &str = "UPDATE decisions SET facts = NULL WHERE recording = ?1";
pub(super) const FORGET_HOLDS: &str =
    "UPDATE holds SET sealed = NULL, release = NULL WHERE recording = ?1";
pub(super) const FORGET_PROPOSALS_OF: &str = "DELETE FROM proposals WHERE recording = ?1";
pub(super) const SET_DESTRUCTION_LEAF: &str =
    "UPDATE destructions SET leaf = ?3 WHERE recording = ?1 AND scope = ?2";
pub(super) const CERTIFICATE: &str =
    "SELECT certificate FROM destructions WHERE recording = ?1 AND scope = ?2";
pub(super) const SET_CERTIFICATE: &str = "
    UPDATE destructions SET certificate = ?3
    WHERE recording = ?1 AND scope = ?2 AND certificate IS NULL";
pub(super) const SOUND_DESTROYED: &str = "
    SELECT id FROM recordings INDEXED BY recordings_by_end_of_sound
    WHERE sound_destroyed_at IS NOT NULL AND sound_destroyed_at >= ?1 AND sound_destroyed_at < ?2
      AND id > ?3
    ORDER BY id LIMIT ?4";
pub(super) const DESTROYED_RECORDINGS: &str = "
    SELECT id FROM recordings WHERE state = 'destroyed' AND id > ?1 ORDER BY id LIMIT ?2";

pub(super) const INSERT_ACCOUNT: &str = "
    INSERT INTO accounts (name, password_hash, role, created_at, invited_by, salt)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING";
macro_rules! account_columns {
    () => {
        "SELECT name, password_hash, role, created_at, invited_by, signed_in_at, salt,
                ended_at, ended_by, ended_salt
         FROM accounts "
    };
}
pub(super) const ACCOUNT: &str =
    concat!(account_columns!(), "WHERE name = ?1 AND ended_at IS NULL");
pub(super) const ACCOUNTS: &str = concat!(
    account_columns!(),
    "ORDER BY ended_at IS NOT NULL, name LIMIT ?1"
);
pub(super) const ACCOUNT_COUNT: &str = "SELECT count(*) FROM accounts";
pub(super) const ACCOUNTS_OPEN: &str = "SELECT count(*) FROM accounts WHERE ended_at IS NULL";
pub(super) const TELL_ACCOUNT: &str =
    "UPDATE accounts SET salt = ?2 WHERE name = ?1 AND salt IS NULL";
pub(super) const END_ACCOUNT: &str = "
    UPDATE accounts SET ended_at = ?2, ended_by = ?3, ended_salt = ?4, password_hash = ''
    WHERE name = ?1 AND ended_at IS NULL";
pub(super) const SET_PASSWORD: &str =
    "UPDATE accounts SET password_hash = ?2 WHERE name = ?1 AND ended_at IS NULL";
pub(super) const SIGNED_IN: &str =
    "UPDATE accounts SET signed_in_at = ?2 WHERE name = ?1 AND ended_at IS NULL";
/// A name that somebody has or had, or for which there is an invitation.
pub(super) const NAME_IS_TAKEN: &str = "
    SELECT 1 FROM accounts WHERE name = ?1 UNION ALL SELECT 1 FROM invitations WHERE name = ?1";
pub(super) const INSERT_INVITATION: &str = "
    INSERT INTO invitations (id, hash, name, invited_by, made_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
macro_rules! invitation_columns {
    () => {
        "SELECT id, hash, name, invited_by, made_at, expires_at FROM invitations "
    };
}
pub(super) const INVITATIONS: &str = concat!(
    invitation_columns!(),
    "WHERE expires_at > ?1 ORDER BY made_at, id LIMIT ?2"
);
pub(super) const INVITATION: &str =
    concat!(invitation_columns!(), "WHERE hash = ?1 AND expires_at > ?2");
pub(super) const DELETE_INVITATION: &str = "DELETE FROM invitations WHERE id = ?1";
pub(super) const DELETE_OLD_INVITATIONS: &str = "DELETE FROM invitations WHERE expires_at <= ?1";
pub(super) const DELETE_INVITATIONS_BY: &str = "DELETE FROM invitations WHERE invited_by = ?1";
pub(super) const DELETE_INVITATIONS: &str = "DELETE FROM invitations";
pub(super) const INSERT_LOGIN: &str = "
    INSERT INTO logins (token_hash, account, csrf, expires_at)
    SELECT ?1, name, ?3, ?4 FROM accounts WHERE name = ?2 AND ended_at IS NULL";
pub(super) const DELETE_LOGINS_OF: &str =
    "DELETE FROM logins WHERE account = ?1 AND token_hash <> ?2";
pub(super) const DELETE_OLD_LOGINS: &str = "DELETE FROM logins WHERE expires_at <= ?1";
pub(super) const LOGIN: &str = "
    SELECT l.token_hash, l.account, l.csrf, l.expires_at
    FROM logins l JOIN accounts a ON a.name = l.account
    WHERE l.token_hash = ?1 AND l.expires_at > ?2 AND a.ended_at IS NULL";
pub(super) const DELETE_LOGINS: &str = "DELETE FROM logins";
pub(super) const DELETE_SETUP_TOKEN: &str = "DELETE FROM setup_token";
/// They may have been sent after the copy was made; somebody can have them tried all the same.
pub(super) const PARK_MESSAGES: &str =
    "UPDATE outbox SET next_at = NULL, fault = 'restored' WHERE next_at IS NOT NULL";
pub(super) const DELETE_LOGIN: &str = "DELETE FROM logins WHERE token_hash = ?1";
pub(super) const SET_SETUP_TOKEN: &str = "
    INSERT INTO setup_token (only, hash, expires_at) VALUES (1, ?1, ?2)
    ON CONFLICT (only) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at";

pub(super) const INSERT_PROPOSAL: &str = "
    INSERT INTO proposals (id, recording, made_at, stands_until, sealed)
    VALUES (?1, ?2, ?3, ?4, ?5)";
/// Not answered, or confirmed and not carried out; in its time.
macro_rules! standing {
    () => {
        "p.stands_until > ?1 AND p.is_confirmed IS NOT 0"
    };
}
macro_rules! proposal_columns {
    () => {
        "SELECT p.id, p.recording, p.made_at, p.stands_until, s.bytes, p.answered_at,
                p.is_confirmed, a.bytes
         FROM proposals p LEFT JOIN erasable s ON s.seq = p.sealed
         LEFT JOIN erasable a ON a.seq = p.answer "
    };
}
pub(super) const PROPOSAL: &str = concat!(proposal_columns!(), "WHERE p.id = ?1");
pub(super) const PROPOSALS_OF: &str = concat!(
    proposal_columns!(),
    "WHERE p.recording = ?1 ORDER BY p.made_at, p.id"
);
pub(super) const PROPOSALS_STANDING: &str = concat!(
    proposal_columns!(),
    "JOIN recordings r ON r.id = p.recording WHERE r.state = 'sealed' AND ",
    standing!(),
    " ORDER BY p.stands_until, p.id LIMIT ?2"
);
pub(super) const HAS_STANDING_PROPOSAL: &str = concat!(
    "SELECT 1 FROM proposals p WHERE p.recording = ?2 AND ",
    standing!()
);
/// Confirmed and not carried out. What the law refused all the same is asked about later.
pub(super) const CONFIRMED_PROPOSALS: &str = "
    SELECT r.id FROM proposals p JOIN recordings r ON r.id = p.recording
    WHERE p.stands_until > ?1 AND p.is_confirmed = 1 AND r.state = 'sealed'
      AND (r.ask_again_at IS NULL OR r.ask_again_at <= ?1)
    ORDER BY p.stands_until, p.id LIMIT ?2";
pub(super) const ANSWER_PROPOSAL: &str = "
    UPDATE proposals SET answered_at = ?2, is_confirmed = ?3, answer = ?4
    WHERE id = ?1 AND answered_at IS NULL AND stands_until > ?2";
pub(super) const WIPE_PROPOSALS: &str = "
    UPDATE erasable SET bytes = zeroblob(length(bytes)) WHERE seq IN (
        SELECT sealed FROM proposals WHERE sealed IS NOT NULL
        UNION ALL SELECT answer FROM proposals WHERE answer IS NOT NULL)";
pub(super) const DELETE_PROPOSALS: &str = "DELETE FROM proposals";

macro_rules! working_setup_token {
    () => {
        "FROM setup_token
    WHERE hash = ?1 AND expires_at > ?2 AND NOT EXISTS (SELECT 1 FROM accounts)"
    };
}
pub(super) const SETUP_TOKEN_WORKS: &str = concat!("SELECT 1 ", working_setup_token!());
pub(super) const TAKE_SETUP_TOKEN: &str = concat!("DELETE ", working_setup_token!());
