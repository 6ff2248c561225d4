"""People, their names, their consents, and where each conversation stands."""

from alembic import op

from common.migrations import create_outbox_and_inbox

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE users.users (
        id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('unknown', 'onboarding', 'declined', 'pending',
                                             'active', 'paused', 'opted_out', 'deleted')),
        language text NOT NULL CHECK (language IN ('pt', 'en', 'es')),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        revision integer NOT NULL,
        name text,
        tracks text[] NOT NULL DEFAULT '{}'
            CHECK (tracks <@ ARRAY['python', 'javascript', 'ruby', 'dsa']),
        level integer CHECK (level BETWEEN 1 AND 3),
        timezone text,
        time_of_day text CHECK (time_of_day ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
        paused_until timestamptz,
        channel text NOT NULL CHECK (channel IN ('cloud', 'waha')),
        address text,
        consented_at timestamptz,
        last_confirmation_at timestamptz,
        last_still_stopped_at timestamptz,
        CONSTRAINT ck_users_deleted_is_empty
            CHECK (state <> 'deleted' OR (name IS NULL AND address IS NULL))
    )
    """,
    "CREATE INDEX ix_users_state ON users.users (state, id)",
    """
    CREATE TABLE users.identities (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users.users ON DELETE CASCADE,
        kind_group text NOT NULL CHECK (kind_group IN ('number', 'scoped')),
        kind text NOT NULL CHECK (kind IN ('phone', 'wa_id', 'bsuid', 'lid')),
        value text NOT NULL,
        canonical text NOT NULL,
        since timestamptz NOT NULL,
        until timestamptz
    )
    """,
    """
    CREATE UNIQUE INDEX uq_identities_current ON users.identities (kind_group, canonical)
        WHERE until IS NULL
    """,
    "CREATE INDEX ix_identities_user_id ON users.identities (user_id)",
    """
    CREATE TABLE users.consents (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        purpose text NOT NULL,
        is_granted boolean NOT NULL,
        version text NOT NULL,
        language text NOT NULL,
        channel text NOT NULL,
        source_id uuid NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_consents_user_id ON users.consents (user_id)",
    """
    CREATE FUNCTION users.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the consent ledger is only ever added to'; END $$
    """,
    """
    CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE ON users.consents
        FOR EACH ROW EXECUTE FUNCTION users.refuse_change()
    """,
    """
    CREATE TABLE users.dialogues (
        user_id uuid PRIMARY KEY REFERENCES users.users ON DELETE CASCADE,
        step text NOT NULL,
        data jsonb NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE users.open_questions (
        assignment_id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        assigned_at timestamptz,
        closed_at timestamptz
    )
    """,
    """
    CREATE INDEX ix_open_questions_open ON users.open_questions (user_id)
        WHERE closed_at IS NULL
    """,
    """
    CREATE INDEX ix_open_questions_closed ON users.open_questions (closed_at)
        WHERE closed_at IS NOT NULL
    """,
    """
    CREATE TABLE users.blocked_signups (
        number_hash text PRIMARY KEY,
        until timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    create_outbox_and_inbox(op, "users")
    for statement in STATEMENTS:
        op.execute(statement)
