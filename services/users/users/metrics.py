"""Counted, never named: no label here holds a person or a word they wrote."""

from prometheus_client import Counter

INBOUND = Counter(
    "sabatina_users_inbound_total", "Inbound messages by what they were taken for.", ["intent"]
)
REGISTRATIONS = Counter(
    "sabatina_users_registrations_total", "Registrations by how they ended.", ["outcome"]
)
OPT_OUTS = Counter("sabatina_users_opt_outs_total", "People who stopped, by where.", ["source"])
