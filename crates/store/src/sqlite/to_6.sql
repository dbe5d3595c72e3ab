-- To schema 6: a tombstone keeps nothing by which it is like others; what the law refused to destroy, and is
-- asked about later, can be counted.
UPDATE recordings SET facts_key = NULL, ask_again_at = NULL WHERE state = 'destroyed';
CREATE INDEX recordings_put_off ON recordings (facts_key, ask_again_at, state, retain_until, started_at, id)
    WHERE ask_again_at IS NOT NULL;
