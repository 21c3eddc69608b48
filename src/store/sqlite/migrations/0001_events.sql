-- AUTOINCREMENT: a position is never given twice, even when the newest rows are erased.
CREATE TABLE events (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant       TEXT    NOT NULL,
    conversation TEXT    NOT NULL,
    sequence     INTEGER NOT NULL,
    id           TEXT    NOT NULL UNIQUE,
    time         INTEGER NOT NULL, -- milliseconds since 1970
    kind         TEXT    NOT NULL,
    schema       TEXT    NOT NULL,
    data         TEXT    NOT NULL,
    UNIQUE (tenant, conversation, sequence)
) STRICT;

-- What lists show; each row can be made again from the conversation's events.
CREATE TABLE conversations (
    first_position INTEGER PRIMARY KEY, -- of conversation.started; the order of lists
    tenant         TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    state          TEXT    NOT NULL, -- live, ended, or system for the service's own notices
    channel        TEXT    NOT NULL,
    external_id    TEXT,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    duration_ms    INTEGER,
    parties        TEXT    NOT NULL,
    attributes     TEXT    NOT NULL,
    turn_count     INTEGER NOT NULL,
    card_count     INTEGER NOT NULL,
    last_turn      TEXT,
    last_event_at  INTEGER NOT NULL,
    last_sequence  INTEGER NOT NULL,
    last_position  INTEGER NOT NULL,
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX conversations_by_state ON conversations (tenant, state);
CREATE INDEX conversations_by_external_id ON conversations (tenant, external_id)
    WHERE external_id IS NOT NULL;

-- A verdict's address names only its card.
CREATE TABLE cards (
    tenant       TEXT NOT NULL,
    id           TEXT NOT NULL,
    conversation TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
