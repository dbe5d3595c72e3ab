-- To schema 10: links by which whoever took part fetches a copy later.
CREATE TABLE copy_links (
    key        BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    recording  BLOB NOT NULL REFERENCES recordings (id),
    party      TEXT NOT NULL,
    from_us    INTEGER CHECK (from_us >= 0),
    to_us      INTEGER CHECK (to_us >= 0),
    expires_at INTEGER NOT NULL,
    uses_left  INTEGER NOT NULL CHECK (uses_left >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX copy_links_of_recording ON copy_links (recording);
CREATE INDEX copy_links_by_end ON copy_links (expires_at);
