-- A log as version 1 of the schema in SQLite had it. Never edited: it must be read for ever.
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

INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (1, 't', 'c-1', 1, '01JE000000000000000000000A', 1764000001000, 'conversation.started', 'backchannel/conversation.started/1', '{"channel":"voice","direction":"inbound","external_id":"CA1","parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{"queue":"billing"}}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (2, 't', 'c-1', 2, '01JE000000000000000000000B', 1764000002000, 'turn.final', 'backchannel/turn.final/1', '{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?","words":[{"text":"So","start_ms":41220,"end_ms":41400,"confidence":0.97}],"mean_logprob":-0.21,"language":"en"}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (3, 't', 'c-2', 1, '01JE000000000000000000000C', 1764000003000, 'conversation.started', 'backchannel/conversation.started/1', '{"channel":"chat","direction":"inbound","external_id":null,"parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{}}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (4, 't', 'c-1', 3, '01JE000000000000000000000D', 1764000004000, 'conversation.ended', 'backchannel/conversation.ended/1', '{"reason":"hangup","duration_ms":90500}');
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position) VALUES (1, 't', 'c-1', 'ended', 'voice', 'CA1', 1764000001000, 1764000004000, 90500, '[{"id":"p-1","role":"customer","name":null}]', '{"queue":"billing"}', 1, 0, '{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?"}', 1764000004000, 3, 4);
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position) VALUES (3, 't', 'c-2', 'live', 'chat', NULL, 1764000003000, NULL, NULL, '[{"id":"p-1","role":"customer","name":null}]', '{}', 0, 0, NULL, 1764000003000, 1, 3);
PRAGMA user_version = 1;
