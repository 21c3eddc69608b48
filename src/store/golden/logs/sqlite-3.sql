-- A log as version 3 of the schema in SQLite had it. Never edited: it must be read for ever.
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

INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (1, 't', 'c-1', 1, '01JE000000000000000000000A', 1764000001000, 'conversation.started', 'backchannel/conversation.started/1', '{"channel":"voice","direction":"inbound","external_id":"CA1","parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{"queue":"billing"}}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (2, 't', 'c-1', 2, '01JE000000000000000000000B', 1764000002000, 'turn.final', 'backchannel/turn.final/1', '{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?","words":[{"text":"So","start_ms":41220,"end_ms":41400,"confidence":0.97}],"mean_logprob":-0.21,"language":"en"}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (3, 't', 'c-2', 1, '01JE000000000000000000000C', 1764000003000, 'conversation.started', 'backchannel/conversation.started/1', '{"channel":"chat","direction":"inbound","external_id":null,"parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{}}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (4, 't', 'c-1', 3, '01JE000000000000000000000D', 1764000004000, 'conversation.ended', 'backchannel/conversation.ended/1', '{"reason":"hangup","duration_ms":90500}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (5, 't', 'system', 1, '01JE000000000000000000000E', 1764000005000, 'article.published', 'backchannel/article.published/1', '{"article_id":"b/r","revision":1,"state":"published","title":"Refunds","by":"Ada"}');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data) VALUES (6, 't', 'c-1', 4, '01JE000000000000000000000F', 1764000006000, 'crm.write', 'backchannel/crm.write/1', '{"operation":"add_note","dedupe_key":"00ff","state":"waiting","destination":"main","contact_id":"7","attempts":0,"wrapup_id":"w-end-summary","by":"Emma"}');
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position) VALUES (1, 't', 'c-1', 'ended', 'voice', 'CA1', 1764000001000, 1764000004000, 90500, '[{"id":"p-1","role":"customer","name":null}]', '{"queue":"billing"}', 1, 0, '{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?"}', 1764000006000, 4, 6);
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position) VALUES (3, 't', 'c-2', 'live', 'chat', NULL, 1764000003000, NULL, NULL, '[{"id":"p-1","role":"customer","name":null}]', '{}', 0, 0, NULL, 1764000003000, 1, 3);
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position) VALUES (5, 't', 'system', 'system', 'system', NULL, 1764000005000, NULL, NULL, '[]', '{}', 0, 0, NULL, 1764000005000, 1, 5);
INSERT INTO article_revisions (position, tenant, article, number, action, author, "by", approver, time, comment, schema, content, provenance) VALUES (1, 't', 'b/r', 1, 'published', 'Ada', 'Ada', NULL, 1764000005000, NULL, 'backchannel/article/1', '{"title":"Refunds","body":"# Refunds\n\n## When\nWithin five days.\n","audience":["agent"],"products":["broadband"],"language":"en","verbatim":false}', NULL);
INSERT INTO articles (tenant, id, number, action, state, title, author, "by", approver, time, audience, products, language, review_by, content_hash, imported_hash, published_number, published_position) VALUES ('t', 'b/r', 1, 'published', 'published', 'Refunds', 'Ada', 'Ada', NULL, 1764000005000, '["agent"]', '["broadband"]', 'en', NULL, '7ad0d2958d33fb0b5f3afb0da09572b8', NULL, 1, 1);
INSERT INTO outbox (position, tenant, destination, key, lane, conversation, operation, schema, effect, wrapup, "by", state, attempts, next_at, unclear, remote_id, problem, created_at, updated_at) VALUES (1, 't', 'main', '00ff', '7', 'c-1', 'add_note', 'backchannel/effect/1', '{"operation":"add_note","contact_id":"7","case":{"id":"9"},"subject":"A call","body":"Said."}', 'w-end-summary', 'Emma', 'waiting', 0, 1764000006000, 0, NULL, NULL, 1764000006000, 1764000006000);
PRAGMA user_version = 3;
