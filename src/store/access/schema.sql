CREATE TABLE keys (
    id           TEXT    PRIMARY KEY,
    name         TEXT    NOT NULL,
    tenant       TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the whole key
    created_at   INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

-- What was done to keys beside a running service, until it stands in the event log.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time   INTEGER NOT NULL,
    action TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    by     TEXT    NOT NULL
) STRICT;
