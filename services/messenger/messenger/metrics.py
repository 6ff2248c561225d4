from prometheus_client import Counter, Gauge, Histogram

from common.metrics import SECONDS

SENDS = Counter(
    "sabatina_whatsapp_send_total",
    "Calls to WhatsApp by how they ended: accepted, refused, throttled, unsent, unknown.",
    ["outcome", "code"],
)
STATUSES = Counter("sabatina_delivery_status_total", "Delivery statuses received.", ["status"])
SUPPRESSED = Counter(
    "sabatina_messages_suppressed_total",
    "Messages that were not sent because the person's state forbids it.",
    ["reason"],
)
UNKNOWN = Gauge("sabatina_send_unknown", "Messages of which nobody knows whether they left.")
QUEUED = Gauge("sabatina_send_queue", "Messages waiting to be sent.", ["purpose"])
PACING_FALLBACK = Gauge(
    "sabatina_pacing_fallback", "1 while Redis is away and each process keeps its own share."
)
SEND_WAIT = Histogram(
    "sabatina_send_wait_seconds",
    "From the arrival of a message to the call that sends it.",
    ["purpose"],
    buckets=SECONDS,
)
PAUSED = Gauge("sabatina_sending_paused", "1 while WhatsApp refuses everything from our number.")
NEEDS_FIX = Counter(
    "sabatina_send_needs_fix_total", "Refusals that only a person can mend, by code.", ["code"]
)
