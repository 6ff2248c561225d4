from alembic import op

from common.migrations import create_outbox_and_inbox

revision = "0001"
down_revision = None

CONTACTS = """
CREATE TABLE messenger.contacts (
    user_id uuid PRIMARY KEY,
    revision bigint NOT NULL,
    state text NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    address text,
    name text,
    last_inbound_at timestamptz,
    hold_until timestamptz,
    strikes integer NOT NULL DEFAULT 0
) WITH (fillfactor = 80)
"""

MESSAGES = """
CREATE TABLE messenger.messages (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    priority smallint NOT NULL,
    "values" jsonb NOT NULL,
    inbound_provider_id text,
    inbound_at timestamptz,
    expires_at timestamptz,
    state text NOT NULL CHECK (state IN ('queued', 'sending', 'accepted', 'sent', 'delivered',
        'read', 'failed', 'suppressed', 'unknown')),
    not_before timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    waits integer NOT NULL DEFAULT 0,
    resends integer NOT NULL DEFAULT 0,
    traceparent text,
    provider_id text,
    refused_provider_id text,
    is_template boolean NOT NULL DEFAULT false,
    must_be_template boolean NOT NULL DEFAULT false,
    is_forgotten boolean NOT NULL DEFAULT false,
    error_code integer,
    reason text,
    created_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    sending_at timestamptz,
    unknown_at timestamptz,
    accepted_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)
"""

ATTEMPTS = """
CREATE TABLE messenger.attempts (
    id uuid PRIMARY KEY,
    message_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('accepted', 'refused', 'throttled', 'unsent', 'unknown')),
    error_code integer,
    http_status integer
) WITH (fillfactor = 80)
"""

CHANNELS = """
CREATE TABLE messenger.channels (
    number_id text PRIMARY KEY,
    paused_at timestamptz NOT NULL,
    error_code integer NOT NULL,
    probe_at timestamptz NOT NULL,
    probes integer NOT NULL DEFAULT 0
)
"""

NOTICES = """
CREATE TABLE messenger.notices (
    id uuid PRIMARY KEY,
    channel text NOT NULL,
    field text NOT NULL,
    original text NOT NULL,
    received_at timestamptz NOT NULL
)
"""

EARLY_STATUSES = """
CREATE TABLE messenger.early_statuses (
    id uuid PRIMARY KEY,
    provider_id text NOT NULL,
    tracker uuid,
    status text NOT NULL,
    status_at timestamptz NOT NULL,
    error_code integer,
    received_at timestamptz NOT NULL
)
"""

INDEXES = (
    (
        "CREATE UNIQUE INDEX uq_messages_provider_id ON messenger.messages (provider_id)"
        " WHERE provider_id IS NOT NULL"
    ),
    "CREATE INDEX ix_messages_user_id ON messenger.messages (user_id)",
    (
        "CREATE INDEX ix_messages_open ON messenger.messages (user_id, id)"
        " WHERE state IN ('queued', 'sending', 'unknown')"
    ),
    (
        "CREATE INDEX ix_messages_due ON messenger.messages (priority, not_before)"
        " WHERE state = 'queued'"
    ),
    (
        "CREATE INDEX ix_messages_in_doubt ON messenger.messages (sending_at)"
        " WHERE state IN ('sending', 'unknown')"
    ),
    "CREATE INDEX ix_attempts_message_id ON messenger.attempts (message_id)",
    "CREATE INDEX ix_early_statuses_provider_id ON messenger.early_statuses (provider_id)",
)


def upgrade() -> None:
    create_outbox_and_inbox(op, "messenger")
    for statement in (CONTACTS, MESSAGES, ATTEMPTS, CHANNELS, NOTICES, EARLY_STATUSES, *INDEXES):
        op.execute(statement)
