-- A log as version 6 of the schema in SQLite had it. Never edited: it must be read for ever.
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
CREATE INDEX outbox_by_state ON outbox (tenant, state, position, conversation);
CREATE INDEX outbox_by_conversation ON outbox (tenant, conversation, state, position) WHERE state <> 'waiting';
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
-- Whether the disk takes anything is found out here; empty.
CREATE TABLE probes (bytes BLOB NOT NULL) STRICT;

-- What was erased on purpose (src/store/erasure).
ALTER TABLE conversations ADD COLUMN erased_at INTEGER; -- milliseconds since 1970

-- Backups hold what belongs to a conversation under its key, which is never in one: without it they hold nothing.
CREATE TABLE backup_keys (
    tenant       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    key          BLOB NOT NULL,
    PRIMARY KEY (tenant, conversation)
) STRICT, WITHOUT ROWID;

INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain) VALUES (1, 't', 'c-1', 1, '01JE000000000000000000000A', 1764000001000, 'conversation.started', 'backchannel/conversation.started/1', '{"channel":"voice","direction":"inbound","external_id":"CA1","parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{"queue":"billing"}}', x'444f2cb322b7d5debb70b3035e4b2e65', NULL, x'da89faac19d592e318f5f44d65aeabe79d138e935e6d6ee85101a4e3f2eb86ed');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain) VALUES (2, 't', 'c-1', 2, '01JE000000000000000000000B', 1764000002000, 'turn.final', 'backchannel/turn.final/1', '{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?","words":[{"text":"So","start_ms":41220,"end_ms":41400,"confidence":0.97}],"mean_logprob":-0.21,"language":"en"}', x'100a9acc03d5e757f93359841e2423dd', NULL, x'fe62bf588cb77579a0629ccf5c3fa3c5f0d9a561df1acf1e32d83873190b9e35');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain) VALUES (3, 't', 'c-2', 1, '01JE000000000000000000000C', 1764000003000, 'conversation.started', 'backchannel/conversation.started/1', '{"channel":"chat","direction":"inbound","external_id":null,"parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{}}', x'c8b165f42d0b43308666e43f45fc2458', NULL, x'319db60c689ab2d88428d6841f4afd253222e4346de0a3db6227da0f5eadd3e8');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain) VALUES (4, 't', 'c-1', 3, '01JE000000000000000000000D', 1764000004000, 'conversation.ended', 'backchannel/conversation.ended/1', '{"reason":"hangup","duration_ms":90500}', x'2c81c68e403ea3f58a1fd1031d10e3a1', NULL, x'15670f0fdc61fdfb751f0cab0bc83bf7ac3379f89faf8eaedb87de11a5e51d2b');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain) VALUES (5, 't', 'system', 1, '01JE000000000000000000000E', 1764000005000, 'article.published', 'backchannel/article.published/1', '{"article_id":"b/r","revision":1,"state":"published","title":"Refunds","by":"Ada"}', x'e19969c4b65d93813cbd205a6477223b', NULL, x'4c9030d4b008e9c85cb32b96a077ea82c6be9476289f3088d189ae11786a4d2f');
INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain) VALUES (6, 't', 'c-1', 4, '01JE000000000000000000000F', 1764000006000, 'crm.write', 'backchannel/crm.write/1', '{"operation":"add_note","dedupe_key":"00ff","state":"waiting","destination":"main","contact_id":"7","attempts":0,"wrapup_id":"w-end-summary","by":"Emma"}', x'd526d1707e93ac758ed386674092b1c0', NULL, x'ffe8628ec17dc243e9604d2cf5ee4d993df3f7c70148050de5f544685df17842');
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position, chain) VALUES (1, 't', 'c-1', 'ended', 'voice', 'CA1', 1764000001000, 1764000004000, 90500, '[{"id":"p-1","role":"customer","name":null}]', '{"queue":"billing"}', 1, 0, '{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?"}', 1764000006000, 4, 6, x'ffe8628ec17dc243e9604d2cf5ee4d993df3f7c70148050de5f544685df17842');
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position, chain) VALUES (3, 't', 'c-2', 'live', 'chat', NULL, 1764000003000, NULL, NULL, '[{"id":"p-1","role":"customer","name":null}]', '{}', 0, 0, NULL, 1764000003000, 1, 3, x'319db60c689ab2d88428d6841f4afd253222e4346de0a3db6227da0f5eadd3e8');
INSERT INTO conversations (first_position, tenant, id, state, channel, external_id, started_at, ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, last_position, chain) VALUES (5, 't', 'system', 'system', 'system', NULL, 1764000005000, NULL, NULL, '[]', '{}', 0, 0, NULL, 1764000005000, 1, 5, x'4c9030d4b008e9c85cb32b96a077ea82c6be9476289f3088d189ae11786a4d2f');
INSERT INTO article_revisions (position, tenant, article, number, action, author, "by", approver, time, comment, schema, content, provenance) VALUES (1, 't', 'b/r', 1, 'published', 'Ada', 'Ada', NULL, 1764000005000, NULL, 'backchannel/article/1', '{"title":"Refunds","body":"# Refunds\n\n## When\nWithin five days.\n","audience":["agent"],"products":["broadband"],"language":"en","verbatim":false}', NULL);
INSERT INTO articles (tenant, id, number, action, state, title, author, "by", approver, time, audience, products, language, review_by, content_hash, imported_hash, published_number, published_position) VALUES ('t', 'b/r', 1, 'published', 'published', 'Refunds', 'Ada', 'Ada', NULL, 1764000005000, '["agent"]', '["broadband"]', 'en', NULL, '7ad0d2958d33fb0b5f3afb0da09572b8', NULL, 1, 1);
INSERT INTO outbox (position, tenant, destination, key, lane, conversation, operation, schema, effect, wrapup, "by", state, attempts, next_at, unclear, remote_id, problem, created_at, updated_at) VALUES (1, 't', 'main', '00ff', '7', 'c-1', 'add_note', 'backchannel/effect/1', '{"operation":"add_note","contact_id":"7","case":{"id":"9"},"subject":"A call","body":"Said."}', 'w-end-summary', 'Emma', 'waiting', 0, 1764000006000, 0, NULL, NULL, 1764000006000, 1764000006000);
INSERT INTO log VALUES (1, 6, 1, x'6a97ed9c0810f34d0ce88e7ffc4459c30baf29b0b997ef24285332bfbc227999', '00112233445566778899aabbccddeeff');
PRAGMA user_version = 6;
