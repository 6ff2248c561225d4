"""A stand-in for WAHA 2026.7.1: its REST API, its sessions and its webhooks."""
