"""Answers, their gradings, and who was deleted."""

from alembic import op

from common.migrations import create_outbox_and_inbox

revision = "0001"
down_revision = None

ANSWERS = """
CREATE TABLE grader.answers (
    id uuid CONSTRAINT pk_answers PRIMARY KEY,
    user_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    question_id text NOT NULL,
    question_version integer NOT NULL,
    question jsonb NOT NULL,
    text text NOT NULL,
    language text NOT NULL,
    level smallint NOT NULL,
    streak integer NOT NULL,
    inbound jsonb NOT NULL,
    state text NOT NULL CONSTRAINT ck_answers_state
        CHECK (state IN ('received', 'graded', 'not_gradable')),
    failed_tries smallint NOT NULL DEFAULT 0,
    submitted_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    traceparent text
)
"""

GRADINGS = """
CREATE TABLE grader.gradings (
    id uuid CONSTRAINT pk_gradings PRIMARY KEY,
    answer_id uuid NOT NULL CONSTRAINT fk_gradings_answer_id
        REFERENCES grader.answers (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT ck_gradings_kind
        CHECK (kind IN ('first', 'regrade', 'dispute')),
    examiner text NOT NULL CONSTRAINT ck_gradings_examiner
        CHECK (examiner IN ('openai', 'local')),
    model text NOT NULL,
    prompt_version text NOT NULL,
    score smallint CONSTRAINT ck_gradings_score CHECK (score BETWEEN 1 AND 10),
    is_gradable boolean NOT NULL,
    is_provisional boolean NOT NULL,
    points jsonb NOT NULL,
    feedback jsonb NOT NULL,
    tokens_in integer NOT NULL,
    tokens_out integer NOT NULL,
    cost_usd numeric(12, 8),
    latency_ms integer NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT ck_gradings_score_iff_gradable CHECK (is_gradable = (score IS NOT NULL))
)
"""

DELETED_PEOPLE = """
CREATE TABLE grader.deleted_people (
    user_id uuid CONSTRAINT pk_deleted_people PRIMARY KEY,
    deleted_at timestamptz NOT NULL
)
"""

STATEMENTS = (
    ANSWERS,
    "CREATE INDEX ix_answers_user_id ON grader.answers (user_id)",
    "CREATE INDEX ix_answers_waiting ON grader.answers (received_at) WHERE state = 'received'",
    GRADINGS,
    (
        "CREATE UNIQUE INDEX uq_gradings_answer_id_first ON grader.gradings (answer_id)"
        " WHERE kind = 'first'"
    ),
    "CREATE INDEX ix_gradings_answer_id ON grader.gradings (answer_id)",
    DELETED_PEOPLE,
)


def upgrade() -> None:
    create_outbox_and_inbox(op, "grader")
    for statement in STATEMENTS:
        op.execute(statement)
