-- Answers that wait for a device. Few: what took effect is in the log, so these are refusals.
CREATE TABLE mailboxes (
    device uuid NOT NULL,
    conversation uuid NOT NULL,
    id uuid NOT NULL,
    payload bytea NOT NULL,
    put_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device, id, conversation)
);

-- For the processor of a conversation, which must know which commands were refused there.
CREATE INDEX mailboxes_conversation ON mailboxes (conversation, id);

-- For forgetting what nobody confirmed.
CREATE INDEX mailboxes_put_at ON mailboxes (put_at);
