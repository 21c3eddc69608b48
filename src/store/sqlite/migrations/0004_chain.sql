-- The hash chain (src/store/chain): what an upgrade finds is chained as it stands.
ALTER TABLE events ADD COLUMN salt BLOB;       -- NULL: the body is erased
ALTER TABLE events ADD COLUMN commitment BLOB; -- of an erased body
ALTER TABLE events ADD COLUMN chain BLOB NOT NULL DEFAULT x'';
ALTER TABLE conversations ADD COLUMN chain BLOB; -- of the newest event

-- Where the log is; one row.
CREATE TABLE log (
    single   INTEGER PRIMARY KEY CHECK (single = 1),
    position INTEGER NOT NULL, -- of the newest event
    revision INTEGER NOT NULL, -- the greatest position of an article's revision that was ever given
    seal     BLOB    NOT NULL,
    id       TEXT    NOT NULL -- another one when the log is restored: whoever followed it begins anew
) STRICT;
INSERT INTO log VALUES (1, 0, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'article_revisions'), 0),
    zeroblob(32), lower(hex(randomblob(16))));

-- Whether the disk takes anything is found out here; empty.
CREATE TABLE probes (bytes BLOB NOT NULL) STRICT;
