from alembic import op

from common.migrations import create_outbox_and_inbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox_and_inbox(op, "gateway")
    op.execute(
        """
        CREATE TABLE gateway.audit_log (
            id uuid PRIMARY KEY,
            at timestamptz NOT NULL,
            actor text NOT NULL,
            action text NOT NULL,
            target uuid NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_audit_log_target_at ON gateway.audit_log (target, at)")
