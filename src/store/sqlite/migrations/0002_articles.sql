-- AUTOINCREMENT: a position is never given twice, even when the newest rows are erased.
CREATE TABLE article_revisions (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant     TEXT    NOT NULL,
    article    TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    "by"       TEXT    NOT NULL,
    approver   TEXT,
    time       INTEGER NOT NULL, -- milliseconds since 1970
    comment    TEXT,
    schema     TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    provenance TEXT,
    UNIQUE (tenant, article, number)
) STRICT;

-- What lists show; each row can be made again from the article's revisions.
CREATE TABLE articles (
    tenant             TEXT    NOT NULL,
    id                 TEXT    NOT NULL,
    number             INTEGER NOT NULL, -- the newest revision, of which the next columns tell
    action             TEXT    NOT NULL,
    state              TEXT    NOT NULL,
    title              TEXT    NOT NULL,
    author             TEXT    NOT NULL,
    "by"               TEXT    NOT NULL,
    approver           TEXT,
    time               INTEGER NOT NULL,
    audience           TEXT    NOT NULL,
    products           TEXT    NOT NULL,
    language           TEXT    NOT NULL,
    review_by          TEXT,
    content_hash       TEXT    NOT NULL,
    imported_hash      TEXT, -- what a file last said
    published_number   INTEGER, -- the revision in force
    published_position INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
