-- AUTOINCREMENT: a position is never given twice, even when the newest rows are erased.
CREATE TABLE outbox (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant       TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    lane         TEXT    NOT NULL,
    conversation TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    schema       TEXT    NOT NULL,
    effect       TEXT    NOT NULL,
    wrapup       TEXT,
    "by"         TEXT,
    state        TEXT    NOT NULL, -- waiting, sending, done, failed or discarded
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL, -- milliseconds since 1970, as the other times
    unclear      INTEGER NOT NULL,
    remote_id    TEXT,
    problem      TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (tenant, destination, key)
) STRICT;

-- Whatever is on its way, so that a lane's first one is found without reading what is done.
CREATE INDEX outbox_under_way ON outbox (destination, lane, position)
    WHERE state IN ('waiting', 'sending');
-- In the order of arrival, for whoever takes the next ones.
CREATE INDEX outbox_waiting ON outbox (destination, position) WHERE state = 'waiting';
CREATE INDEX outbox_by_state ON outbox (tenant, state, position);
CREATE INDEX outbox_by_conversation ON outbox (tenant, conversation, position);
