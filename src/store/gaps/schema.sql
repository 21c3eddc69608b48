-- A projection of the event log: all of it can be made again.
CREATE TABLE progress (
    tenant   TEXT    PRIMARY KEY,
    position INTEGER NOT NULL, -- the log was read up to here
    likeness TEXT    NOT NULL  -- what the vectors are of
) STRICT;

CREATE TABLE conversations (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cards (
    tenant       TEXT NOT NULL,
    id           TEXT NOT NULL,
    conversation TEXT NOT NULL,
    question     TEXT NOT NULL, -- its key
    outcome      TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cards_by_question ON cards (tenant, conversation, question);

CREATE TABLE questions (
    position     INTEGER PRIMARY KEY, -- of the event that first told of it
    tenant       TEXT    NOT NULL,
    conversation TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    turn         TEXT,
    time         INTEGER NOT NULL, -- milliseconds since 1970
    reason       TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    context      TEXT,
    answered     INTEGER NOT NULL,
    gap          INTEGER, -- position of its first question
    counted      INTEGER NOT NULL, -- whether the gap's vectors hold it
    vector       BLOB,
    UNIQUE (tenant, conversation, key)
) STRICT;
CREATE INDEX questions_by_gap ON questions (gap, time) WHERE gap IS NOT NULL;

CREATE TABLE gaps (
    first         INTEGER PRIMARY KEY, -- position of its first question
    tenant        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    count         INTEGER NOT NULL,
    sum           BLOB    NOT NULL,
    medoid        INTEGER NOT NULL,
    medoid_vector BLOB    NOT NULL,
    UNIQUE (tenant, id)
) STRICT;
