"""Every message belongs to a channel, and a window to the number that was written to."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "ALTER TABLE messenger.messages ADD COLUMN channel text NOT NULL DEFAULT 'cloud'",
    "ALTER TABLE messenger.messages ADD COLUMN attachment jsonb",
    "ALTER TABLE messenger.contacts ADD COLUMN last_inbound_number text",
    (
        "CREATE INDEX ix_messages_due_by_channel"
        " ON messenger.messages (channel, priority, not_before) WHERE state = 'queued'"
    ),
    "DROP INDEX messenger.ix_messages_due",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
