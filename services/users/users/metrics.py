"""Counted, never named: no label here holds a person or a word they wrote."""

from prometheus_client import Counter

INBOUND = Counter(
    "sabatina_users_inbound_total", "Inbound messages by what they were taken for.", ["intent"]
)
REGISTRATIONS = Counter(
    "sabatina_users_registrations_total", "Registrations by how they ended.", ["outcome"]
)
OPT_OUTS = Counter("sabatina_users_opt_outs_total", "People who stopped, by where.", ["source"])
MERGES = Counter("sabatina_users_merges_total", "People taken for one, and back.", ["outcome"])
PREFERENCES = Counter(
    "sabatina_users_whatsapp_preferences_total",
    "Uses of WhatsApp's own switch, by what came of them.",
    ["outcome"],
)
TRANSCRIPTS = Counter(
    "sabatina_users_transcripts_total", "Voice notes written down, by outcome.", ["outcome"]
)
