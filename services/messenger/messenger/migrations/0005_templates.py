"""What templates and the names that WhatsApp returns keep."""

from alembic import op

revision = "0005"
down_revision = "0004"

TEMPLATES = """
CREATE TABLE messenger.templates (
    name text NOT NULL,
    language text NOT NULL,
    status text NOT NULL,
    category text,
    quality text,
    reason text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (name, language)
)
"""

STATEMENTS: tuple[str, ...] = (
    TEMPLATES,
    "ALTER TABLE messenger.contacts ADD COLUMN learned_names text",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
