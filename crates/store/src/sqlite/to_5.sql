-- To schema 5: why something is held, and when somebody has to look again (a hold from before is to be
-- looked at now); when the law is asked again about what it refused to destroy; what is alike to the law.
ALTER TABLE recordings ADD COLUMN ask_again_at INTEGER;
ALTER TABLE recordings ADD COLUMN facts_key BLOB CHECK (length(facts_key) = 32);
CREATE INDEX recordings_by_facts ON recordings (state, facts_key, retain_until, started_at, id)
    WHERE retain_until IS NOT NULL;
ALTER TABLE holds ADD COLUMN ground TEXT NOT NULL DEFAULT 'claim';
ALTER TABLE holds ADD COLUMN review_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE holds ADD COLUMN release INTEGER REFERENCES erasable (seq);
CREATE INDEX holds_open ON holds (review_at, id) WHERE lifted_at IS NULL;
