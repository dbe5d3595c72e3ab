-- To schema 9: files that were imported, so that none is kept twice.
CREATE TABLE imported_files (
    key       BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    recording BLOB NOT NULL UNIQUE REFERENCES recordings (id)
) STRICT, WITHOUT ROWID;
