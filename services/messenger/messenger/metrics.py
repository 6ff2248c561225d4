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
FAILED = Counter(
    "sabatina_messages_failed_total",
    "Messages that will never arrive, by why: expired, window_closed, unknown_outcome, ...; what"
    " WhatsApp refused is whatsapp, with its codes in sabatina_whatsapp_send_total.",
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
WAHA_SESSION = Gauge(
    "sabatina_waha_session", "1 for the state that the session was last seen in.", ["status"]
)
WAHA_MENDED = Counter(
    "sabatina_waha_session_mended_total", "Starts and restarts of the session.", ["step"]
)
WAHA_FETCHED = Counter(
    "sabatina_waha_messages_fetched_total",
    "People's messages read from the history; most of them had come by webhook before.",
)
PAUSED = Gauge(
    "sabatina_sending_paused",
    "1 while WhatsApp refuses everything of a channel, the daily messages, or templates.",
    ["channel", "scope"],
)
HELD = Gauge(
    "sabatina_send_held",
    "Messages that wait for a pause to end, or for room in the day's budget.",
    ["channel", "scope"],
)
NOTICES = Counter(
    "sabatina_whatsapp_notices_total",
    "What WhatsApp told besides messages and statuses, by its field.",
    ["field"],
)
READ_MARKS = Counter(
    "sabatina_read_marks_total",
    "People's messages marked as read: marked, failed, skipped.",
    ["outcome"],
)
VOICE = Counter(
    "sabatina_voice_total", "Voice notes by what became of them: text, or the problem.", ["outcome"]
)
NEEDS_FIX = Counter(
    "sabatina_send_needs_fix_total", "Refusals that only a person can mend, by code.", ["code"]
)
