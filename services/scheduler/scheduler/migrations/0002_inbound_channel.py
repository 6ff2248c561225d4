"""An answer remembers which of our numbers it came to."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE scheduler.assignments"
        " ADD COLUMN inbound_channel text NOT NULL DEFAULT 'cloud',"
        " ADD COLUMN inbound_number text NOT NULL DEFAULT ''"
    )
