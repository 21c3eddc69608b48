-- A delivery that is put in touches one index less: while it waits, it is found by its conversation in the index by
-- state (few wait), and only then in the one by conversation, a page of which each conversation has for itself.
DROP INDEX outbox_by_state;
DROP INDEX outbox_by_conversation;
CREATE INDEX outbox_by_state ON outbox (tenant, state, position, conversation);
CREATE INDEX outbox_by_conversation ON outbox (tenant, conversation, state, position) WHERE state <> 'waiting';
