-- The index, schema 2. Times are microseconds since 1970 UTC; ids are 16 bytes, hashes 32.
--
-- What a destruction must wipe is never in these rows themselves but in `erasable`, and the rows
-- refer to it. See "Wiping" in design/store.md before adding a column that holds ciphertext or
-- anything about a person.

CREATE TABLE schema_history (
    version    INTEGER NOT NULL PRIMARY KEY,
    applied_at INTEGER NOT NULL,
    program    TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- Values that can be wiped in place. Rows are only ever added at the end, and changed only to
-- zeros of the same length, so that SQLite never moves one and never leaves a copy behind.
CREATE TABLE erasable (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE decisions (
    id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at        INTEGER NOT NULL,
    action    TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    recording BLOB CHECK (length(recording) = 16),  -- no reference: the decision comes first
    document  BLOB NOT NULL,
    facts     INTEGER REFERENCES erasable (seq),    -- NULL once wiped
    leaf      BLOB CHECK (length(leaf) = 16)
) STRICT;
CREATE INDEX decisions_of_recording ON decisions (recording, at, id);

CREATE TABLE recordings (
    id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'recording', 'finishing', 'sealed',
                                                'not_recorded', 'destroying', 'destroyed')),
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    decision     BLOB NOT NULL REFERENCES decisions (id),
    line         INTEGER REFERENCES erasable (seq),  -- these are NULL once wiped
    sealed       INTEGER REFERENCES erasable (seq),
    manifest     INTEGER REFERENCES erasable (seq),
    timeline     INTEGER REFERENCES erasable (seq),
    verdict      TEXT,
    byte_count   INTEGER CHECK (byte_count >= 0),
    retain_until INTEGER,
    leaf         BLOB CHECK (length(leaf) = 16),
    destroyed_at INTEGER,
    CHECK (state <> 'sealed' OR (manifest IS NOT NULL AND ended_at IS NOT NULL)),
    CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL)),
    CHECK (state <> 'destroyed' OR (line IS NULL AND sealed IS NULL AND manifest IS NULL
                                    AND timeline IS NULL AND verdict IS NULL
                                    AND byte_count IS NULL))
) STRICT;
CREATE INDEX recordings_by_start ON recordings (started_at, id);
CREATE INDEX recordings_by_state ON recordings (state, started_at, id);
CREATE INDEX recordings_by_term ON recordings (retain_until, id)
    WHERE state IN ('sealed', 'not_recorded') AND retain_until IS NOT NULL;

CREATE TABLE holds (
    id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording BLOB NOT NULL REFERENCES recordings (id),
    placed_at INTEGER NOT NULL,
    decision  BLOB REFERENCES decisions (id),
    sealed    INTEGER REFERENCES erasable (seq),  -- NULL once wiped
    lifted_at INTEGER
) STRICT;
CREATE INDEX holds_of_recording ON holds (recording, placed_at, id);

CREATE TABLE destructions (
    id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording    BLOB NOT NULL UNIQUE REFERENCES recordings (id),
    decision     BLOB NOT NULL REFERENCES decisions (id),
    begun_at     INTEGER NOT NULL,
    leaf         BLOB CHECK (length(leaf) = 16),
    certificate  BLOB
) STRICT;
CREATE INDEX destructions_pending ON destructions (begun_at, id) WHERE certificate IS NULL;

CREATE TABLE pending_leaves (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    id    BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE leaves (
    place INTEGER NOT NULL PRIMARY KEY CHECK (place >= 0),
    id    BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    bytes BLOB NOT NULL,
    hash  BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE log_head (
    only          INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    size          INTEGER NOT NULL CHECK (size >= 0),
    checkpoint    BLOB NOT NULL,
    compact_range BLOB NOT NULL
) STRICT;
INSERT INTO log_head (only, size, checkpoint, compact_range) VALUES (1, 0, x'', x'');

-- Nothing about a person or a call: a minute, a word, a number.
CREATE TABLE diary (
    minute INTEGER NOT NULL,
    what   TEXT NOT NULL,
    count  INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (minute, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    name          TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE logins (
    token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    account    TEXT NOT NULL REFERENCES accounts (name),
    csrf       BLOB NOT NULL CHECK (length(csrf) = 32),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE setup_token (
    only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT;
