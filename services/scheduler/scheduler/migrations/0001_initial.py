"""Questions, learners, assignments."""

from alembic import op

from common.migrations import create_outbox_and_inbox

revision = "0001"
down_revision = None

QUESTIONS = """
CREATE TABLE scheduler.questions (
    id text NOT NULL,
    version integer NOT NULL,
    track text NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 3),
    topic text NOT NULL,
    minutes smallint NOT NULL,
    is_published boolean NOT NULL,
    body jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, version)
)
"""

# A learner in a zone that PostgreSQL does not know would stop the claim of everybody: the check
# refuses such a row when it is written.
LEARNERS = """
CREATE TABLE scheduler.learners (
    user_id uuid PRIMARY KEY,
    revision bigint NOT NULL,
    state text NOT NULL,
    language text NOT NULL,
    tracks text[] NOT NULL DEFAULT '{}',
    level smallint NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 3),
    timezone text NOT NULL DEFAULT 'UTC'
        CONSTRAINT ck_learners_timezone_is_known
        CHECK (timestamptz 'epoch' AT TIME ZONE timezone IS NOT NULL),
    time_of_day time NOT NULL DEFAULT '09:00',
    next_due_at timestamptz,
    streak integer NOT NULL DEFAULT 0,
    best_streak integer NOT NULL DEFAULT 0,
    last_answered_on date
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)
"""

ASSIGNMENTS = """
CREATE TABLE scheduler.assignments (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    question_id text NOT NULL,
    question_version integer NOT NULL,
    number integer NOT NULL,
    local_date date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('daily', 'extra')),
    state text NOT NULL
        CHECK (state IN ('open', 'answered', 'graded', 'skipped', 'given_up', 'expired')),
    created_at timestamptz NOT NULL,
    announced boolean NOT NULL DEFAULT false,
    shown_at timestamptz,
    failed_at timestamptz,
    hints_used smallint NOT NULL DEFAULT 0,
    answer_id uuid,
    answer_text text,
    submitted_at timestamptz,
    inbound_id text,
    inbound_at timestamptz,
    score smallint CHECK (score BETWEEN 1 AND 10),
    nudged_at timestamptz,
    closed_at timestamptz
) WITH (fillfactor = 80)
"""

INDEXES = """
CREATE INDEX ix_learners_next_due_at ON scheduler.learners (next_due_at)
    WHERE next_due_at IS NOT NULL;
CREATE UNIQUE INDEX uq_assignments_daily ON scheduler.assignments (user_id, local_date)
    WHERE kind = 'daily';
CREATE UNIQUE INDEX uq_assignments_open ON scheduler.assignments (user_id) WHERE state = 'open';
CREATE INDEX ix_assignments_user_id_created_at ON scheduler.assignments (user_id, created_at);
CREATE INDEX ix_assignments_being_graded ON scheduler.assignments (submitted_at)
    WHERE state = 'answered';
CREATE INDEX ix_assignments_unsent ON scheduler.assignments (created_at)
    WHERE state = 'open' AND shown_at IS NULL AND failed_at IS NULL AND NOT announced;
"""

# The one rule of "the same time tomorrow". It counts local dates, so a day of 23 or 25 hours
# moves nothing; `planning.next_occurrence` is its twin, and a test compares the two.
NEXT_OCCURRENCE = """
CREATE FUNCTION scheduler.next_occurrence(moment timestamptz, slot time, zone text)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN ((moment AT TIME ZONE zone)::date + slot) AT TIME ZONE zone > moment
        THEN ((moment AT TIME ZONE zone)::date + slot) AT TIME ZONE zone
        ELSE ((moment AT TIME ZONE zone)::date + 1 + slot) AT TIME ZONE zone END
$$
"""


def upgrade() -> None:
    create_outbox_and_inbox(op, "scheduler")
    for statement in (QUESTIONS, LEARNERS, ASSIGNMENTS, INDEXES, NEXT_OCCURRENCE):
        op.execute(statement)
