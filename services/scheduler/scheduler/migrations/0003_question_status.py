"""A version of a question has a status and an origin; an assignment knows that it was disputed."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Versions that were published once, and are not now, were replaced or left the packs: one that
# comes back with the packs may be published again.
QUESTIONS = """
ALTER TABLE scheduler.questions
    ADD COLUMN status text NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'review', 'published', 'retired')),
    ADD COLUMN status_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN origin text NOT NULL DEFAULT 'pack' CHECK (origin IN ('pack', 'api')),
    ADD COLUMN published_at timestamptz,
    ADD COLUMN is_withdrawn boolean NOT NULL DEFAULT false;
UPDATE scheduler.questions SET status_at = created_at, published_at = created_at,
    status = CASE WHEN is_published THEN 'published' ELSE 'retired' END;
ALTER TABLE scheduler.questions DROP COLUMN is_published;
CREATE UNIQUE INDEX uq_questions_published ON scheduler.questions (id)
    WHERE status = 'published';
"""

ASSIGNMENTS = """
ALTER TABLE scheduler.assignments ADD COLUMN disputed_at timestamptz;
CREATE INDEX ix_assignments_question ON scheduler.assignments (question_id, question_version);
"""


def upgrade() -> None:
    for statement in (QUESTIONS, ASSIGNMENTS):
        op.execute(statement)
