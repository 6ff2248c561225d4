"""What limits and pauses keep."""

from alembic import op

revision = "0004"
down_revision = "0003"

PAUSES = """
CREATE TABLE messenger.pauses (
    number_id text NOT NULL,
    scope text NOT NULL,
    paused_at timestamptz NOT NULL,
    error_code integer,
    probe_at timestamptz,
    probes integer NOT NULL DEFAULT 0,
    first_pause interval NOT NULL DEFAULT '30 seconds',
    longest_pause interval NOT NULL DEFAULT '10 minutes',
    PRIMARY KEY (number_id, scope)
)
"""

STARTS = """
CREATE TABLE messenger.conversation_starts (
    number_id text NOT NULL,
    user_id uuid NOT NULL,
    reached_at timestamptz NOT NULL,
    PRIMARY KEY (number_id, user_id)
) WITH (fillfactor = 80)
"""

LIMITS = """
CREATE TABLE messenger.limits (
    channel text PRIMARY KEY,
    tier text,
    told_at timestamptz,
    steady_since timestamptz NOT NULL
)
"""

STATEMENTS: tuple[str, ...] = (
    PAUSES,
    (
        "INSERT INTO messenger.pauses (number_id, scope, paused_at, error_code, probe_at, probes)"
        " SELECT number_id, 'all', paused_at, error_code, probe_at, probes FROM messenger.channels"
    ),
    "DROP TABLE messenger.channels",
    STARTS,
    (
        "CREATE INDEX ix_conversation_starts_reached_at"
        " ON messenger.conversation_starts (number_id, reached_at)"
    ),
    LIMITS,
    "ALTER TABLE messenger.contacts ADD COLUMN no_daily_until timestamptz",
    "ALTER TABLE messenger.contacts ADD COLUMN undelivered_days integer NOT NULL DEFAULT 0",
    "ALTER TABLE messenger.contacts ADD COLUMN undelivered_on date",
    "ALTER TABLE messenger.messages ADD COLUMN held_for text",
    "ALTER TABLE messenger.messages ADD COLUMN template text",
    "ALTER TABLE messenger.messages ADD COLUMN is_fallback_language boolean NOT NULL DEFAULT false",
    "DROP INDEX messenger.ix_messages_due_by_channel",
    (
        "CREATE INDEX ix_messages_due_by_channel"
        " ON messenger.messages (channel, priority, not_before)"
        " WHERE state = 'queued' AND held_for IS NULL"
    ),
    (
        "CREATE INDEX ix_messages_held ON messenger.messages (channel, held_for, priority,"
        " not_before) WHERE state = 'queued' AND held_for IS NOT NULL"
    ),
    "DROP INDEX messenger.ix_messages_user_id",
    "CREATE INDEX ix_messages_user_id ON messenger.messages (user_id, sending_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
