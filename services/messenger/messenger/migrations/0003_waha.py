"""What the WAHA channel keeps."""

from alembic import op

revision = "0003"
down_revision = "0002"

CHATS = (
    "ALTER TABLE messenger.contacts ADD COLUMN chat_id text",
    "ALTER TABLE messenger.contacts ADD COLUMN chat_for text",
    "ALTER TABLE messenger.contacts ADD COLUMN lid_asked_at timestamptz",
    (
        "CREATE INDEX ix_contacts_hidden ON messenger.contacts (lid_asked_at)"
        " WHERE channel = 'waha' AND address LIKE '%@lid'"
    ),
)

WAHA_SESSIONS = """
CREATE TABLE messenger.waha_sessions (
    session text PRIMARY KEY,
    status text NOT NULL DEFAULT 'UNKNOWN',
    first_working_at timestamptz,
    failing_since timestamptz,
    unanswered_since timestamptz,
    mended_at timestamptz,
    mendings integer NOT NULL DEFAULT 0,
    read_until timestamptz,
    fetched_until timestamptz,
    supervisor uuid,
    supervised_until timestamptz
)
"""

OUTREACH = """
CREATE TABLE messenger.outreach (
    number_id text PRIMARY KEY,
    next_at timestamptz NOT NULL,
    next_proactive_at timestamptz NOT NULL
)
"""

STATEMENTS: tuple[str, ...] = (
    *CHATS,
    WAHA_SESSIONS,
    OUTREACH,
    (
        "CREATE INDEX ix_messages_in_doubt_by_channel ON messenger.messages (channel, unknown_at)"
        " WHERE state = 'unknown'"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
