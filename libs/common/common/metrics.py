"""The metrics every service has. No label ever holds a person, a number or a message id."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
AGES = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600)

HTTP_REQUESTS = Counter(
    "sabatina_http_requests_total", "HTTP requests answered.", ["method", "route", "code"]
)
HTTP_SECONDS = Histogram(
    "sabatina_http_request_duration_seconds",
    "Time to answer an HTTP request.",
    ["method", "route"],
    buckets=SECONDS,
)
BUS_PUBLISHED = Counter(
    "sabatina_bus_published_total", "Messages that NATS stored for us.", ["subject"]
)
BUS_PROCESSED = Counter(
    "sabatina_bus_processed_total",
    "Deliveries by how they ended: ok, duplicate, refused, retried, dead, returned.",
    ["consumer", "outcome"],
)
BUS_SECONDS = Histogram(
    "sabatina_bus_process_duration_seconds",
    "Time from taking a message in hand to the end of it.",
    ["consumer"],
    buckets=SECONDS,
)
BUS_AGE = Histogram(
    "sabatina_bus_message_age_seconds",
    "Age of a message, by NATS's own time stamp, when it is taken in hand.",
    ["consumer"],
    buckets=AGES,
)
BUS_IN_FLIGHT = Gauge("sabatina_bus_slots_in_use", "Messages in work.", ["consumer"])
BUS_REDELIVERIES = Counter(
    "sabatina_bus_redeliveries_total", "Deliveries that were not the first.", ["consumer"]
)
DEAD_LETTERS = Counter(
    "sabatina_bus_dead_letters_total",
    "Messages given up, with the error's name.",
    ["consumer", "reason"],
)
OUTBOX_PENDING = Gauge("sabatina_outbox_pending", "Rows waiting in the outbox.")
OUTBOX_PUBLISHED = Counter("sabatina_outbox_published_total", "Outbox rows published.")
LOOP_LAG = Gauge("sabatina_event_loop_lag_seconds", "How late the event loop last ran a timer.")
BUILD_INFO = Gauge(
    "sabatina_build_info", "Always 1; the labels tell what runs.", ["service", "version"]
)
