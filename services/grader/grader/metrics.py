"""What the grader counts."""

from prometheus_client import Counter, Gauge, Histogram

from common.metrics import SECONDS

LLM_REQUESTS = Counter(
    "sabatina_llm_requests_total", "Requests to the model by outcome.", ["model", "outcome"]
)
LLM_TOKENS = Counter(
    "sabatina_llm_tokens_total", "Tokens, by direction: in or out.", ["model", "direction"]
)
LLM_COST = Counter("sabatina_llm_cost_usd_total", "Cost by our own price table.", ["model"])
GRADINGS = Counter(
    "sabatina_gradings_total",
    "Answers graded: final, provisional, not_gradable.",
    ["examiner", "outcome"],
)
FALLBACKS = Counter(
    "sabatina_grade_fallback_total", "Answers that the local examiner took over.", ["reason"]
)
GRADE_SECONDS = Histogram(
    "sabatina_grade_duration_seconds",
    "Time of an examination.",
    ["examiner"],
    buckets=SECONDS,
)
KNOWN = Counter(
    "sabatina_known_answers_total",
    "Answers equal to an earlier one, whose examination they got: by the model, or by people.",
    ["decided_by"],
)
SUSPICIOUS = Counter(
    "sabatina_suspicious_answers_total",
    "Answers with orders to the examiner, and examinations whose evidence does not hold.",
    ["examiner"],
)
REGRADES = Counter(
    "sabatina_regrades_total",
    "Provisional gradings examined again: corrected, confirmed, not_gradable, failed.",
    ["outcome"],
)
DISPUTES = Counter(
    "sabatina_disputes_total", "Scores that were questioned: kept, in_review, refused.", ["outcome"]
)
REVIEWS = Counter(
    "sabatina_reviews_decided_total",
    "Answers that people decided: corrected, confirmed.",
    ["outcome"],
)
DIFFERENCE = Histogram(
    "sabatina_grade_difference",
    "How far a second look is from the first score; `by` is regrade, dispute or human.",
    ["by", "model", "prompt", "language"],
    buckets=(0, 1, 2, 3, 4, 5, 7, 9),
)
MODEL_ENDS = Gauge(
    "sabatina_model_shutdown_timestamp_seconds",
    "When the vendor stops serving the model; not there while nothing is announced.",
    ["model"],
)
DAY_COST = Gauge("sabatina_llm_cost_usd_today", "Of this day of UTC, over all replicas.")
DAY_TOKENS = Gauge("sabatina_llm_tokens_today", "Of this day of UTC, over all replicas.")
DAY_EXAMINATIONS = Gauge("sabatina_llm_examinations_today", "Of this day, over all replicas.")
DAY_MEAN = Gauge(
    "sabatina_grade_mean_today", "Mean score: a jump is a drift.", ["examiner", "model", "prompt"]
)
DAY_COUNT = Gauge("sabatina_grades_today", "Scores in that mean.", ["examiner", "model", "prompt"])
REVIEWS_OPEN = Gauge("sabatina_reviews_open", "Answers that wait for somebody to look at them.")
REVIEWS_AGE = Gauge("sabatina_reviews_oldest_seconds", "How long the first of them has waited.")
