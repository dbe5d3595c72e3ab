-- From schema 3 to 4: the log's tree by tiles, and who else vouches for its checkpoints. The tiles of
-- leaves that are there already are filled in by the archive, which can hash.
CREATE TABLE log_tiles (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 7),
    place INTEGER NOT NULL CHECK (place >= 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE log_marks (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE log_cosigned (
    only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    size       INTEGER NOT NULL CHECK (size > 0),
    checkpoint BLOB NOT NULL
) STRICT;
CREATE TABLE log_timestamps (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    size       INTEGER NOT NULL CHECK (size > 0),
    at         INTEGER NOT NULL,
    checkpoint BLOB NOT NULL,
    token      BLOB NOT NULL
) STRICT;
