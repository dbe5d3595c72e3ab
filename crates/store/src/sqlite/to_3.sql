-- From schema 2 to 3: conversations of several recordings, what was odd about a call, and what is to be
-- told to other systems.
ALTER TABLE recordings ADD COLUMN report INTEGER REFERENCES erasable (seq)
    CHECK (state <> 'destroyed' OR report IS NULL);
ALTER TABLE recordings ADD COLUMN conversation BLOB CHECK (length(conversation) = 16);
ALTER TABLE recordings ADD COLUMN linked_by TEXT CHECK ((conversation IS NULL) = (linked_by IS NULL));
ALTER TABLE recordings ADD COLUMN is_copy INTEGER NOT NULL DEFAULT 0 CHECK (is_copy IN (0, 1));
CREATE INDEX recordings_by_conversation ON recordings (conversation, started_at, id)
    WHERE conversation IS NOT NULL;
CREATE TABLE link_keys (
    key       BLOB NOT NULL CHECK (length(key) = 32),
    recording BLOB NOT NULL REFERENCES recordings (id),
    kind      TEXT NOT NULL,
    PRIMARY KEY (key, recording)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_keys_of_recording ON link_keys (recording);
CREATE TABLE link_keys_distrusted (
    key     BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
