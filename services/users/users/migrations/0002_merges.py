"""Merges that can be taken back, WhatsApp's own switch, and names that somebody used to have."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    ALTER TABLE users.users
        ADD COLUMN paused_by text CHECK (paused_by = 'whatsapp'),
        ADD COLUMN preference_at timestamptz,
        ADD COLUMN merged_into uuid REFERENCES users.users
    """,
    """
    ALTER TABLE users.users
        DROP CONSTRAINT users_state_check,
        ADD CONSTRAINT users_state_check
            CHECK (state IN ('unknown', 'onboarding', 'declined', 'pending', 'active', 'paused',
                             'opted_out', 'merged', 'deleted')),
        ADD CONSTRAINT ck_users_merged_is_somebody_else
            CHECK ((state = 'merged') = (merged_into IS NOT NULL) AND merged_into <> id)
    """,
    """
    CREATE INDEX ix_users_merged_into ON users.users (merged_into)
        WHERE merged_into IS NOT NULL
    """,
    """
    CREATE INDEX ix_identities_former ON users.identities (kind_group, canonical)
        WHERE until IS NOT NULL
    """,
    """
    CREATE TABLE users.merges (
        id uuid PRIMARY KEY,
        loser uuid NOT NULL,
        winner uuid NOT NULL,
        source text NOT NULL,
        merged_at timestamptz NOT NULL,
        reversible_until timestamptz NOT NULL,
        reversed_at timestamptz,
        reversed_by text,
        snapshot jsonb
    )
    """,
    "CREATE INDEX ix_merges_loser ON users.merges (loser, merged_at)",
    "CREATE INDEX ix_merges_winner ON users.merges (winner)",
    "CREATE INDEX ix_merges_merged_at ON users.merges (merged_at)",
    """
    CREATE INDEX ix_merges_reversible ON users.merges (reversible_until)
        WHERE snapshot IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
