-- What was erased on purpose (src/store/erasure).
ALTER TABLE conversations ADD COLUMN erased_at BIGINT; -- milliseconds since 1970

-- Backups hold what belongs to a conversation under its key, which is never in one: without it they hold nothing.
CREATE TABLE backup_keys (
    tenant       TEXT COLLATE "C" NOT NULL,
    conversation TEXT COLLATE "C" NOT NULL,
    key          BYTEA NOT NULL,
    PRIMARY KEY (tenant, conversation)
);
