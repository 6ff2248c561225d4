"""What the grader counts."""

from prometheus_client import Counter, Histogram

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
