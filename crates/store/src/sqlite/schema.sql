-- The index, schema 9. Times are microseconds since 1970 UTC; ids are 16 bytes, hashes 32.
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
    report       INTEGER REFERENCES erasable (seq),  -- what was odd about the call, and whose voice is where
    verdict      TEXT,
    byte_count   INTEGER CHECK (byte_count >= 0),
    retain_until INTEGER,
    leaf         BLOB CHECK (length(leaf) = 16),
    destroyed_at INTEGER,
    ask_again_at INTEGER,                             -- the law refused to destroy it; asked again then
    facts_key    BLOB CHECK (length(facts_key) = 32),  -- keyed hash: alike where the law is told alike
    conversation BLOB CHECK (length(conversation) = 16),  -- of the recordings that are parts of one talk
    linked_by    TEXT,
    is_copy      INTEGER NOT NULL DEFAULT 0 CHECK (is_copy IN (0, 1)),
    sound        TEXT CHECK (sound IN ('kept', 'destroying', 'destroyed')),  -- NULL: no key and no end of its own
    sound_until  INTEGER,
    sound_ask_again_at INTEGER,
    sound_destroyed_at INTEGER CHECK ((sound IS 'destroyed') = (sound_destroyed_at IS NOT NULL)),
    CHECK ((conversation IS NULL) = (linked_by IS NULL)),
    CHECK (state <> 'sealed' OR (manifest IS NOT NULL AND ended_at IS NOT NULL)),
    CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL)),
    CHECK (state <> 'destroyed' OR (line IS NULL AND sealed IS NULL AND manifest IS NULL
                                    AND timeline IS NULL AND report IS NULL
                                    AND verdict IS NULL AND byte_count IS NULL))
) STRICT;
CREATE INDEX recordings_by_start ON recordings (started_at, id);
CREATE INDEX recordings_by_state ON recordings (state, started_at, id);
CREATE INDEX recordings_by_conversation ON recordings (conversation, started_at, id)
    WHERE conversation IS NOT NULL;
CREATE INDEX recordings_by_facts ON recordings (state, facts_key, retain_until, started_at, id)
    WHERE retain_until IS NOT NULL;
CREATE INDEX recordings_put_off ON recordings (facts_key, ask_again_at, state, retain_until, started_at, id)
    WHERE ask_again_at IS NOT NULL;
CREATE INDEX recordings_by_term ON recordings (retain_until, id)
    WHERE state IN ('sealed', 'not_recorded') AND retain_until IS NOT NULL;
CREATE INDEX recordings_by_sound_term ON recordings (sound_until, id)
    WHERE state = 'sealed' AND sound = 'kept' AND sound_until IS NOT NULL;
CREATE INDEX recordings_by_end_of_sound ON recordings (id) WHERE sound_destroyed_at IS NOT NULL;

-- Keyed hashes of the ids by which clients say what belongs together, while a further call can still
-- name them; deleted a day after the call, and with its destruction.
CREATE TABLE link_keys (
    key       BLOB NOT NULL CHECK (length(key) = 32),
    recording BLOB NOT NULL REFERENCES recordings (id),
    kind      TEXT NOT NULL,
    PRIMARY KEY (key, recording)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_keys_of_recording ON link_keys (recording);

-- Those that were seen in calls that have nothing to do with each other.
CREATE TABLE link_keys_distrusted (
    key     BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keyed hashes of the files that were imported; deleted with the destruction of what they became.
CREATE TABLE imported_files (
    key       BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    recording BLOB NOT NULL UNIQUE REFERENCES recordings (id)
) STRICT, WITHOUT ROWID;

-- Links by which whoever took part fetches a copy later: keyed hashes of what is in them; deleted when they
-- end, and with the destruction of the recording.
CREATE TABLE copy_links (
    key        BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    recording  BLOB NOT NULL REFERENCES recordings (id),
    party      TEXT NOT NULL,                    -- a pseudonym
    from_us    INTEGER CHECK (from_us >= 0),     -- what they were there for; NULL: from its beginning
    to_us      INTEGER CHECK (to_us >= 0),       -- NULL: to its end
    expires_at INTEGER NOT NULL,
    uses_left  INTEGER NOT NULL CHECK (uses_left >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX copy_links_of_recording ON copy_links (recording);
CREATE INDEX copy_links_by_end ON copy_links (expires_at);

CREATE TABLE holds (
    id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording BLOB NOT NULL REFERENCES recordings (id),
    placed_at INTEGER NOT NULL,
    decision  BLOB REFERENCES decisions (id),
    sealed    INTEGER REFERENCES erasable (seq),  -- NULL once wiped
    lifted_at INTEGER,
    ground    TEXT NOT NULL DEFAULT 'claim',      -- one word; nothing about anybody
    review_at INTEGER NOT NULL DEFAULT 0,         -- it goes on after that
    release   INTEGER REFERENCES erasable (seq)   -- why it was lifted; NULL until then and once wiped
) STRICT;
CREATE INDEX holds_of_recording ON holds (recording, placed_at, id);
CREATE INDEX holds_open ON holds (review_at, id) WHERE lifted_at IS NULL;

-- Somebody asked to destroy and a second person has to confirm. Rows go with the recording.
CREATE TABLE proposals (
    id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording    BLOB NOT NULL REFERENCES recordings (id),
    made_at      INTEGER NOT NULL,
    stands_until INTEGER NOT NULL,
    sealed       INTEGER REFERENCES erasable (seq),  -- who asked, and why
    answered_at  INTEGER,
    is_confirmed INTEGER CHECK (is_confirmed IN (0, 1)),
    answer       INTEGER REFERENCES erasable (seq),  -- who answered, and why
    CHECK ((answered_at IS NULL) = (is_confirmed IS NULL))
) STRICT;
CREATE INDEX proposals_of_recording ON proposals (recording, made_at, id);
CREATE INDEX proposals_standing ON proposals (stands_until, id);

CREATE TABLE destructions (
    id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording    BLOB NOT NULL REFERENCES recordings (id),
    decision     BLOB NOT NULL REFERENCES decisions (id),
    begun_at     INTEGER NOT NULL,
    leaf         BLOB CHECK (length(leaf) = 16),
    certificate  BLOB,
    scope        TEXT NOT NULL CHECK (scope IN ('whole', 'sound')),
    UNIQUE (recording, scope)
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

-- Of each 256 hashes at one level of the log's tree the hash over them, so that no proof reads the whole
-- log. Level 1 is over leaves, level 2 over level 1, and so on.
CREATE TABLE log_tiles (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 7),
    place INTEGER NOT NULL CHECK (place >= 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;

-- What the log was last told of things that have no row of their own: the archive, its keys, the rules.
CREATE TABLE log_marks (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest checkpoint that witnesses signed too.
CREATE TABLE log_cosigned (
    only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    size       INTEGER NOT NULL CHECK (size > 0),
    checkpoint BLOB NOT NULL
) STRICT;

-- Checkpoints of which an authority said when it saw them.
CREATE TABLE log_timestamps (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    size       INTEGER NOT NULL CHECK (size > 0),
    at         INTEGER NOT NULL,
    checkpoint BLOB NOT NULL,
    token      BLOB NOT NULL
) STRICT;

-- Nothing about a person or a call: a minute, a word, a number.
CREATE TABLE diary (
    minute INTEGER NOT NULL,
    what   TEXT NOT NULL,
    count  INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (minute, what)
) STRICT, WITHOUT ROWID;

-- What is to be told to other systems and was not yet, or could not be. Ids, words and moments.
CREATE TABLE outbox (
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    endpoint   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body       BLOB NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at    INTEGER,              -- NULL: given up
    fault      TEXT                  -- why the last attempt failed, one word
) STRICT;
CREATE INDEX outbox_due ON outbox (endpoint, next_at, created_at);

-- A name is never given again: who asked and who confirmed are told apart by it.
CREATE TABLE accounts (
    name          TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL,                      -- empty once it has ended
    role          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    invited_by    TEXT REFERENCES accounts (name),    -- NULL: the first one
    signed_in_at  INTEGER,
    salt          BLOB CHECK (length(salt) = 32),     -- of its entry in the log; NULL: not told yet
    ended_at      INTEGER,
    ended_by      TEXT REFERENCES accounts (name),
    ended_salt    BLOB CHECK (length(ended_salt) = 32)
) STRICT;

-- One-time links by which an account can be made; only what a link's token hashes to.
CREATE TABLE invitations (
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    name       TEXT NOT NULL UNIQUE,
    invited_by TEXT NOT NULL REFERENCES accounts (name),
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
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
