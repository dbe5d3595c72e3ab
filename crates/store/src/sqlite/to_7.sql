-- To schema 7: several accounts, which invite each other and end; and proposals to destroy, which another
-- account confirms. An account from before has no salt until the archive has told the log of it.
ALTER TABLE accounts ADD COLUMN invited_by TEXT REFERENCES accounts (name);
ALTER TABLE accounts ADD COLUMN signed_in_at INTEGER;
ALTER TABLE accounts ADD COLUMN salt BLOB CHECK (length(salt) = 32);
ALTER TABLE accounts ADD COLUMN ended_at INTEGER;
ALTER TABLE accounts ADD COLUMN ended_by TEXT REFERENCES accounts (name);
ALTER TABLE accounts ADD COLUMN ended_salt BLOB CHECK (length(ended_salt) = 32);
CREATE TABLE invitations (
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    name       TEXT NOT NULL UNIQUE,
    invited_by TEXT NOT NULL REFERENCES accounts (name),
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE proposals (
    id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording    BLOB NOT NULL REFERENCES recordings (id),
    made_at      INTEGER NOT NULL,
    stands_until INTEGER NOT NULL,
    sealed       INTEGER REFERENCES erasable (seq),
    answered_at  INTEGER,
    is_confirmed INTEGER CHECK (is_confirmed IN (0, 1)),
    answer       INTEGER REFERENCES erasable (seq),
    CHECK ((answered_at IS NULL) = (is_confirmed IS NULL))
) STRICT;
CREATE INDEX proposals_of_recording ON proposals (recording, made_at, id);
CREATE INDEX proposals_standing ON proposals (stands_until, id);
