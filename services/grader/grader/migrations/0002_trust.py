"""What a second look needs: suspicion, regrades, disputes, reviews, a budget and a cache."""

from alembic import op

revision = "0002"
down_revision = "0001"

ANSWERS_CHANGES = """
ALTER TABLE grader.answers
    ADD COLUMN corrected_score smallint CONSTRAINT ck_answers_corrected_score
        CHECK (corrected_score BETWEEN 1 AND 10),
    ADD COLUMN regrade_at timestamptz
"""

# The version before writes its rows while replicas are replaced: every new column has a value.
GRADINGS_CHANGES = """
ALTER TABLE grader.gradings
    ADD COLUMN is_suspicious boolean NOT NULL DEFAULT false,
    ADD COLUMN is_cached boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT ck_gradings_examiner,
    ADD CONSTRAINT ck_gradings_examiner CHECK (examiner IN ('openai', 'local', 'human'))
"""

DISPUTES = """
CREATE TABLE grader.disputes (
    answer_id uuid CONSTRAINT pk_disputes PRIMARY KEY
        CONSTRAINT fk_disputes_answer_id REFERENCES grader.answers (id) ON DELETE CASCADE,
    message_id uuid NOT NULL,
    inbound jsonb NOT NULL,
    raised_at timestamptz NOT NULL,
    outcome text CONSTRAINT ck_disputes_outcome CHECK (outcome IN ('kept', 'in_review'))
)
"""

REVIEWS = """
CREATE TABLE grader.reviews (
    id uuid CONSTRAINT pk_reviews PRIMARY KEY,
    answer_id uuid NOT NULL CONSTRAINT fk_reviews_answer_id
        REFERENCES grader.answers (id) ON DELETE CASCADE,
    reason text NOT NULL CONSTRAINT ck_reviews_reason
        CHECK (reason IN ('dispute', 'evidence')),
    opened_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    score smallint CONSTRAINT ck_reviews_score CHECK (score BETWEEN 1 AND 10),
    note text NOT NULL DEFAULT '',
    CONSTRAINT ck_reviews_decided_whole
        CHECK ((decided_at IS NULL) = (score IS NULL)
            AND (decided_at IS NULL) = (decided_by IS NULL))
)
"""

LLM_DAYS = """
CREATE TABLE grader.llm_days (
    day date CONSTRAINT pk_llm_days PRIMARY KEY,
    examinations integer NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0,
    cost_usd numeric(14, 8) NOT NULL DEFAULT 0
)
"""

LLM_PERSON_DAYS = """
CREATE TABLE grader.llm_person_days (
    day date NOT NULL,
    user_id uuid NOT NULL,
    examinations integer NOT NULL,
    CONSTRAINT pk_llm_person_days PRIMARY KEY (day, user_id)
)
"""

KNOWN_EXAMINATIONS = """
CREATE TABLE grader.known_examinations (
    key text CONSTRAINT pk_known_examinations PRIMARY KEY,
    body jsonb NOT NULL,
    expires_at timestamptz NOT NULL
)
"""

STATEMENTS = (
    ANSWERS_CHANGES,
    GRADINGS_CHANGES,
    (
        "CREATE UNIQUE INDEX uq_gradings_answer_id_kind ON grader.gradings (answer_id, kind)"
        " WHERE kind <> 'first'"
    ),
    (
        "CREATE INDEX ix_gradings_provisional ON grader.gradings (created_at)"
        " WHERE is_provisional AND kind = 'first'"
    ),
    "CREATE INDEX ix_gradings_created_at ON grader.gradings USING brin (created_at)",
    DISPUTES,
    REVIEWS,
    (
        "CREATE UNIQUE INDEX uq_reviews_answer_id_open ON grader.reviews (answer_id)"
        " WHERE decided_at IS NULL"
    ),
    "CREATE INDEX ix_reviews_answer_id ON grader.reviews (answer_id)",
    "CREATE INDEX ix_reviews_opened_at ON grader.reviews (opened_at)",
    LLM_DAYS,
    LLM_PERSON_DAYS,
    "CREATE INDEX ix_llm_person_days_user_id ON grader.llm_person_days (user_id)",
    KNOWN_EXAMINATIONS,
    "CREATE INDEX ix_known_examinations_expires_at ON grader.known_examinations (expires_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
