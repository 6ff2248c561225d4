"""What the scheduler counts, beside what every service does."""

from prometheus_client import Counter, Histogram

SCHEDULE_LAG = Histogram(
    "sabatina_schedule_lag_seconds",
    "How late a daily question was assigned after its time.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 43200),
)
QUESTIONS_ASSIGNED = Counter("sabatina_questions_assigned_total", "Questions assigned.", ["track"])
SCHEDULE_SKIPPED = Counter(
    "sabatina_schedule_skipped_total",
    "Due learners who got no question: too late, already asked that day, or no question.",
    ["reason"],
)
RECONCILED = Counter(
    "sabatina_reconciled_total",
    "Messages published again because no end of them was heard of.",
    ["kind"],
)
