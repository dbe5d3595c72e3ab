-- To schema 8: the sound of a recording can have a key and a term of its own, and end before the rest of it; a
-- destruction says how much it is about.
ALTER TABLE recordings ADD COLUMN sound TEXT CHECK (sound IN ('kept', 'destroying', 'destroyed'));
ALTER TABLE recordings ADD COLUMN sound_until INTEGER;
ALTER TABLE recordings ADD COLUMN sound_ask_again_at INTEGER;
ALTER TABLE recordings ADD COLUMN sound_destroyed_at INTEGER
    CHECK ((sound IS 'destroyed') = (sound_destroyed_at IS NOT NULL));
CREATE INDEX recordings_by_sound_term ON recordings (sound_until, id)
    WHERE state = 'sealed' AND sound = 'kept' AND sound_until IS NOT NULL;
CREATE INDEX recordings_by_end_of_sound ON recordings (id) WHERE sound_destroyed_at IS NOT NULL;
CREATE TABLE destructions_8 (
    id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recording    BLOB NOT NULL REFERENCES recordings (id),
    decision     BLOB NOT NULL REFERENCES decisions (id),
    begun_at     INTEGER NOT NULL,
    leaf         BLOB CHECK (length(leaf) = 16),
    certificate  BLOB,
    scope        TEXT NOT NULL CHECK (scope IN ('whole', 'sound')),
    UNIQUE (recording, scope)
) STRICT;
INSERT INTO destructions_8 (id, recording, decision, begun_at, leaf, certificate, scope)
    SELECT id, recording, decision, begun_at, leaf, certificate, 'whole' FROM destructions;
DROP TABLE destructions;
ALTER TABLE destructions_8 RENAME TO destructions;
CREATE INDEX destructions_pending ON destructions (begun_at, id) WHERE certificate IS NULL;
